"""A model of the whole platform in memory: what Engawa promises, as a program that can be read from top to bottom.

It knows nothing of tables, HTTP or JSON's forms: community.py has who and what there is, appdata.py, people.py and
contents.py what may be asked. It is for one caller at a time, and shares no code with chalicelib.
"""

from tests.model.appdata import AppData
from tests.model.contents import Contents
from tests.model.people import People


class Platform(AppData, People, Contents):
    """Everything."""
