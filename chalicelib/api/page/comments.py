"""Comments on a feed: `/2/pages/{page}/comments` and `/{comment}` below it.

Tokens and order of refusals: api/page/pages.py.
"""

from chalice.app import Request, Response

from chalicelib.api.once import performed_once
from chalicelib.api.page.requests import (
    PAGE,
    asked_part,
    content_uri,
    inquiring,
    list_answer,
    note_of_deletion,
    page_id,
    posting,
    shown,
)
from chalicelib.core.codecs.contents_json import read_comment
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.face import Face
from chalicelib.web.json_answers import empty_answer, json_answer
from chalicelib.web.requests import check_format, json_body

COMMENTS = f"{PAGE}/comments"


face = Face()


@inquiring(face, COMMENTS)
def read(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Read the comments on the feed `contentUri`, newest first.

    `startIndex` (from 0) or `cursor` (`nextCursor` of the previous answer), and `count` (default 20, at most 100)
    select a part. Answers `{"entry": [{"id", "comment", "user", "created"}], …}` with counters.
    """
    page = page_id(request, page)
    uri, wanted = content_uri(request), asked_part(request)
    return list_answer(here, wanted, here.comments.part(page, uri, wanted), shown(here).comment)


@posting(face, COMMENTS, "POST")
def post(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Comment on the feed `contentUri`: `{"comment": …}`, 1 to 10,000 characters.

    With an `Idempotency-Key`, a repeated request gets the answer of the first. Answers 201 `{"id": …}`.
    """
    page = page_id(request, page)
    uri = content_uri(request)
    text = read_comment(json_body(request))
    said = {"page": page, "contentUri": uri, "comment": text}

    def store(record: AnswerRecord | None) -> str:
        return here.comments.post(page, uri, access.user, text, record).id

    return json_answer({"id": performed_once(here, request, access, f"POST {COMMENTS}", said, store)}, 201)


@posting(face, f"{COMMENTS}/{{comment}}", "DELETE")
def delete(here: Platform, request: Request, access: Access, page: str, comment: str) -> Response:
    """Delete a comment on the feed `contentUri`: the user's own, or any as a page administrator. Answers 204."""
    comment, page = check_format(request, comment), page_id(request, page)
    note = note_of_deletion(here, access.user, page, comment)
    here.comments.delete(page, content_uri(request), comment, access.user, note)
    return empty_answer()
