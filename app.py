"""The Chalice app: registers the faces and the scheduled functions, nothing else."""

from collections.abc import Callable

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api.admin_apps import admin_apps
from chalicelib.api.admin_import import admin_import
from chalicelib.api.admin_pages import admin_pages
from chalicelib.api.admin_users import admin_users
from chalicelib.api.comments import comments
from chalicelib.api.consent import consent
from chalicelib.api.favorites import favorites
from chalicelib.api.feed_page import feed_page
from chalicelib.api.feeds import feeds
from chalicelib.api.housekeeping import CLEAN, SWEEP, housekeeping
from chalicelib.api.launch import launch
from chalicelib.api.oauth import oauth
from chalicelib.api.os_appdata import os_appdata
from chalicelib.api.os_people import os_people
from chalicelib.api.pages import pages
from chalicelib.api.people import people
from chalicelib.api.persistence import persistence
from chalicelib.api.reference import reference
from chalicelib.api.rpc import rpc
from chalicelib.api.scripts import scripts
from chalicelib.api.settings_page import settings_page
from chalicelib.bootstrap import Platform
from chalicelib.web.cors import share
from chalicelib.web.errors import reword_framework


def create_app(platform: Callable[[], Platform]) -> Chalice:
    """The app over a platform, which is asked for with the first request that needs it."""
    made = Chalice(app_name="engawa")
    made.register_middleware(reword_framework, "http")
    # API Gateway hands a body of any other type over as text, which an image does not survive.
    made.api.binary_types.append("multipart/form-data")
    operators = (admin_users, admin_apps, admin_pages, admin_import)
    contents = (pages, feeds, comments, favorites)
    opensocial = (rpc, os_people, os_appdata, scripts)
    seen = (consent, settings_page, feed_page, launch)
    faces = (persistence, people, *contents, *opensocial, oauth, *seen, *operators, reference)
    for part in (*faces, housekeeping):
        made.register_blueprint(part(platform))
    share(made, lambda: platform().origins)
    return made


app = create_app(bootstrap.platform)
# What Lambda calls besides: its name for each is `app.<name>`.
sweep, clean = app.handler_map[SWEEP], app.handler_map[CLEAN]
