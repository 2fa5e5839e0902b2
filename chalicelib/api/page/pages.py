"""The Page API's page information: `/2/pages/{page}`.

The Inquiry group requires an app's own token, or a user's token with the scope `r_page`; the Posting group requires a
user's token with `w_pagefeed`. Refusals come in this order: token, scope, format, page id, parameters, stored data.
Sources: the Page API, and docs/internals/decisions.md for what it leaves open.
"""

from chalice.app import Request, Response

from chalicelib.api.page.requests import PAGE, inquiring, page_id
from chalicelib.core.codecs.contents_json import page_information
from chalicelib.core.errors import NotFound
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import data_answer
from chalicelib.web.requests import check_format

face = Face()


@inquiring(face, PAGE)
def read(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Read a page: `id`, `displayName`, `thumbnailUrls`, `details`, `options`, `followerCount`.

    `options` has `zipCode` and `address`, or `birthday`, for the categories that show them, and `pcUrl`,
    `mobileUrl` and `smartphoneUrl`; values that were not given are absent. Answers `{"entry": {…}}`.
    """
    found = here.pages.get(page_id(request, check_format(request, page)))
    if found is None:
        raise NotFound("There is no such page")
    return data_answer({"entry": page_information(found)}, {}, here.oversized_answers.keeper(None))
