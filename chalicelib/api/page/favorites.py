"""Favorites of a feed: `/2/pages/{page}/favorites` and `/{favorite}` below it.

Tokens and order of refusals: api/page/pages.py.
"""

from chalice.app import Request, Response

from chalicelib.api.page.requests import PAGE, content_uri, inquiring, page_id, posting
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import empty_answer, json_answer
from chalicelib.web.requests import check_format

FAVORITES = f"{PAGE}/favorites"


face = Face()


@inquiring(face, FAVORITES)
def read(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Read the number of favorites of the feed `contentUri`: `{"count": …}`."""
    page = page_id(request, page)
    return json_answer({"count": here.favorites.count(page, content_uri(request))})


@posting(face, FAVORITES, "POST")
def post(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Make the feed `contentUri` a favorite of the user; a repeat returns the same favorite. The body is ignored.

    Answers 201 `{"id": …}`.
    """
    page = page_id(request, page)
    return json_answer({"id": here.favorites.add(page, content_uri(request), access.user)}, 201)


@posting(face, f"{FAVORITES}/{{favorite}}", "DELETE")
def delete(here: Platform, request: Request, access: Access, page: str, favorite: str) -> Response:
    """Delete the user's own favorite of the feed `contentUri`. Answers 204."""
    favorite, page = check_format(request, favorite), page_id(request, page)
    here.favorites.remove(page, content_uri(request), favorite, access.user)
    return empty_answer()
