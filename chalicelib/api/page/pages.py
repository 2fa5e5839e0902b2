"""The Page API's page information: `/2/pages/{page}`.

The Inquiry group takes an app's own token, or a user's with the scope `r_page`; the Posting group a user's with
`w_pagefeed`. Refusals come in this order: token, scope, format, page id, parameters, what is stored. Sources: Page API;
what it leaves open is in docs/internals/decisions.md.
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
    `mobileUrl` and `smartphoneUrl`; what was not given is absent. Answers `{"entry": {…}}`.
    """
    found = here.pages.get(page_id(request, check_format(request, page)))
    if found is None:
        raise NotFound("There is no such page")
    return data_answer({"entry": page_information(found)}, {}, here.oversized_answers.keeper(None))
