"""Error pages, with the navigation of the user who is signed in."""

from contextlib import suppress

from chalice.app import Request, Response

from chalicelib.api.menu import frame
from chalicelib.api.session_user import known_visitor, visitor
from chalicelib.core.errors import Refusal
from chalicelib.platform import Platform
from chalicelib.web.html import rendering
from chalicelib.web.html.rendering import Frame, language_of


def error_page(request: Request, error: Exception, here: Platform | None) -> Response:
    """Return a page for an exception of a view, as rendering.error_page.

    If the view has not read who is signed in, that is read here (one read if there is a session), but not after a
    status from 500 on: the tables may be busy. `here` is None if there is no platform, because its settings are wrong.
    """
    if here is None:
        return rendering.error_page(request, error, None)
    may_read = isinstance(error, Refusal) and error.status < 500
    return rendering.error_page(request, error, here.site, _frame(here, request, may_read=may_read))


def _frame(here: Platform, request: Request, *, may_read: bool) -> Frame | None:
    # A page without navigation is better than none.
    with suppress(Exception):
        found = known_visitor(request) or (visitor(here, request) if may_read else None)
        if found and (user := found[1]):
            return frame(here, request, user, found[0].masked_csrf(), language_of(request))
    return None
