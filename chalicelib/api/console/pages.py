"""The console's pages of pages: find them, and see one with its administrators and apps."""

from chalice.app import Response

from chalicelib.api.admin.routes import known_id
from chalicelib.api.console.frame import console_route
from chalicelib.api.console.search import search_page
from chalicelib.api.console.users import permissions, when
from chalicelib.api.log_of_actions import page_target
from chalicelib.api.visit import Visit
from chalicelib.core.roles import Action
from chalicelib.web.face import Face

PAGES = "/console/pages"

face = Face()


@console_route(face, PAGES, action=Action.FIND_USERS)
def list_pages(visit: Visit) -> Response:
    """List pages in order of id, or find them by id or by the beginning of their name: `q`, `cursor`."""
    search = visit.here.search
    return search_page(visit, "console/pages", search.pages, visit.here.pages.list_part, "pages_wrong_search")


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
