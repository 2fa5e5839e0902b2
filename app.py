"""The Chalice app: registers the faces and the scheduled functions, nothing else."""

from collections.abc import Callable

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api.housekeeping import housekeeping
from chalicelib.api.persistence import persistence
from chalicelib.bootstrap import Platform
from chalicelib.web.errors import reword_framework


def create_app(platform: Callable[[], Platform]) -> Chalice:
    """The app over a platform, which is asked for with the first request that needs it."""
    made = Chalice(app_name="engawa")
    made.register_middleware(reword_framework, "http")
    for part in (persistence(platform), housekeeping(platform)):
        made.register_blueprint(part)
    return made


app = create_app(bootstrap.platform)
