"""The console's pages of pages: find them, and see one with its administrators and apps."""

from urllib.parse import urlencode

from chalice.app import Response

from chalicelib.api.admin.routes import known_id
from chalicelib.api.console.frame import console_route
from chalicelib.api.console.users import permissions, when
from chalicelib.api.log_of_actions import page_target
from chalicelib.api.visit import Visit
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import Page
from chalicelib.core.roles import Action
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

PAGES = "/console/pages"
COUNT = 20

face = Face()


@console_route(face, PAGES, action=Action.FIND_USERS)
def list_pages(visit: Visit) -> Response:
    """List pages in order of id, or find them by id or by the beginning of their name: `q`, `cursor`."""
    text, cursor = last_parameter(visit.request, "q") or "", last_parameter(visit.request, "cursor")
    pages: list[Page] = []
    following = problem = None
    try:
        if text.strip():
            pages, following = visit.here.search.pages(text, cursor, COUNT)
        else:
            pages, following = visit.here.pages.list_part(cursor, COUNT)
    except ParameterInvalid:
        problem = visit.word("pages_wrong_search")
    kept = {"q": text} if text else {}
    return visit.page(
        "console/pages",
        status=400 if problem else 200,
        problem=problem,
        pages=pages,
        text=text,
        first=f"?{urlencode(kept)}" if cursor else None,
        following=f"?{urlencode(kept | {'cursor': following})}" if following else None,
    )


@console_route(face, PAGES + "/{page}", action=Action.SEE_PAGES)
def show_page(visit: Visit, page: str) -> Response:
    """Show a page with its administrators and apps, and the ways to its posts and its part of the action log."""
    found = visit.here.page_administration.overview(known_id("page", page))
    return visit.page(
        "console/page",
        page=found.page,
        found=found,
        may=permissions(visit),
        target=page_target(found.page.id),
        when=lambda milliseconds: when(visit, milliseconds),
    )
