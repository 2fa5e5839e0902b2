"""The Chalice app: registers the faces and the scheduled functions, nothing else."""

from collections.abc import Callable

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api.admin_apps import admin_apps
from chalicelib.api.admin_import import admin_import
from chalicelib.api.admin_pages import admin_pages
from chalicelib.api.admin_users import admin_users
from chalicelib.api.consent import consent
from chalicelib.api.housekeeping import housekeeping
from chalicelib.api.oauth import oauth
from chalicelib.api.people import people
from chalicelib.api.persistence import persistence
from chalicelib.api.settings_page import settings_page
from chalicelib.bootstrap import Platform
from chalicelib.web.errors import reword_framework


def create_app(platform: Callable[[], Platform]) -> Chalice:
    """The app over a platform, which is asked for with the first request that needs it."""
    made = Chalice(app_name="engawa")
    made.register_middleware(reword_framework, "http")
    operators = (admin_users, admin_apps, admin_pages, admin_import)
    faces = (persistence, people, oauth, consent, settings_page, *operators)
    for part in (*faces, housekeeping):
        made.register_blueprint(part(platform))
    return made


app = create_app(bootstrap.platform)
