"""A model of the whole platform in memory: the promises of Engawa as a program that can be read from top to bottom.

It has no tables, HTTP or JSON formats: community.py has the data; appdata.py, people.py and contents.py have the
requests. It is for one caller at a time, and shares no code with chalicelib.
"""

from tests.model.appdata import AppData
from tests.model.contents import Contents
from tests.model.people import People


class Platform(AppData, People, Contents):
    """The whole platform."""
