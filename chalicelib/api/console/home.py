"""The home of the console: `/console`, with the sections that a user's role may open, and the overview."""

from chalice.app import Response

from chalicelib.api.console.frame import HOME, console_route, sections
from chalicelib.api.console.overview import overview_values
from chalicelib.api.visit import Visit
from chalicelib.core.roles import Action
from chalicelib.web.face import Face

face = Face()


@console_route(face, HOME, action=Action.SEE_OVERVIEW)
def show(visit: Visit) -> Response:
    """Show the sections of the console and the overview."""
    return visit.page("console/home", sections=sections(visit), **overview_values(visit))
