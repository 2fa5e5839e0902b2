"""`/settings`: the parts of a person's account."""

from chalice.app import Request, Response

from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.visit import Visit, web_route
from chalicelib.platform import Platform
from chalicelib.web.face import Face

face = Face()


@web_route(face, "/settings")
def show(here: Platform, request: Request) -> Response:
    """Show the parts of the user's account, and whether it is being deleted."""
    visit = Visit.of(signing_in(here), request)
    return visit.page("account/home", leaving=visit.user.leaving is not None) if visit.user else visit.sign_in()
