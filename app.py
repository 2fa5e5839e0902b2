"""The Chalice app: registers the faces, nothing else."""

from collections.abc import Callable

from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.api.persistence import persistence
from chalicelib.bootstrap import Platform
from chalicelib.web.errors import reword_framework


def create_app(platform: Callable[[], Platform]) -> Chalice:
    """The app over a platform, which is asked for with the first request that needs it."""
    made = Chalice(app_name="engawa")
    made.register_middleware(reword_framework, "http")
    for face in (persistence(platform),):
        made.register_blueprint(face)
    return made


app = create_app(bootstrap.platform)
