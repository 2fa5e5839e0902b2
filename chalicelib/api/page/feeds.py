"""The feeds of a page: `/2/pages/{page}/feeds`.

Tokens: api/page/pages.py. Refusals of a post come in this order: token, scope, format, page id, content type, JSON or
form, fields, page, app, `sourceId`, `contentUri`, image.
"""

import hashlib
from dataclasses import asdict

from chalice.app import Request, Response

from chalicelib.api.once import performed_once
from chalicelib.api.page.requests import (
    PAGE,
    asked_content,
    asked_part,
    content_uri,
    inquiring,
    list_answer,
    note_of_deletion,
    page_id,
    posting,
    shown,
)
from chalicelib.core.codecs.contents_json import read_draft
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.imaging.renditions import Rendition
from chalicelib.core.model.access import Access
from chalicelib.core.model.contents import Draft
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.face import Face
from chalicelib.web.fetch.fetch_image import fetch_image
from chalicelib.web.json_answers import data_answer, empty_answer, json_answer
from chalicelib.web.multipart import is_multipart, read_form
from chalicelib.web.render_images import render
from chalicelib.web.requests import json_body, json_text

FEEDS = f"{PAGE}/feeds"


face = Face()


@inquiring(face, FEEDS)
def read(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Read a page's feeds, newest first, or only the feed `contentUri`.

    `startIndex` (from 0) or `cursor` (`nextCursor` of the previous answer), and `count` (default 20, at most 100)
    select a part. Answers `{"entry": [{…}], …}` with counters, and `{"entry": {…}}` for one.
    """
    page = page_id(request, page)
    show = shown(here).feed
    uri = asked_content(request)
    if uri is not None:
        return data_answer({"entry": show(*here.feeds.get(page, uri))}, {}, here.oversized_answers.keeper(None))
    wanted = asked_part(request)
    return list_answer(here, wanted, here.feeds.part(page, wanted), show)


@posting(face, FEEDS, "POST")
def post(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Post a feed about a content.

    The body is JSON `{"title", "body", "contentUri", "urls", "sourceId", "imageUrls"}` (`title` is required), or
    `multipart/form-data` with that JSON in the part `request` and an image (jpeg or png) in the part `image1`.
    With an `Idempotency-Key`, a repeated request gets the answer of the first. Answers 201 `{"contentUri": …}`,
    which is the feed's detail page if none was given.
    """
    page = page_id(request, page)
    draft, attached = _read(here, request)
    digest = None if attached is None else hashlib.sha256(attached).hexdigest()
    said = {"page": page, "feed": asdict(draft), "image": digest}

    def store(record: AnswerRecord | None) -> str:
        admission = here.feed_posting.admit(page, access.user, access.app, draft, lambda: here.asked_events(access))
        renditions = _renditions(here, draft, attached)
        return here.feed_posting.post(admission, draft, renditions, record).content_uri

    return json_answer({"contentUri": performed_once(here, request, access, f"POST {FEEDS}", said, store)}, 201)


@posting(face, FEEDS, "DELETE")
def delete(here: Platform, request: Request, access: Access, page: str) -> Response:
    """Delete the feed `contentUri`: the user's own, or any as a page administrator. Answers 204."""
    page = page_id(request, page)
    here.feeds.delete(page, content_uri(request), access.user, note_of_deletion(here, access.user, page))
    return empty_answer()


def _read(here: Platform, request: Request) -> tuple[Draft, bytes | None]:
    """Return the feed that a request posts, and the image attached to it."""
    details = f"{here.settings.issuer}/pages/"
    if not is_multipart(request):
        return read_draft(json_body(request, lenient=True), details), None
    form = read_form(request)
    draft = read_draft(json_text(form.request, lenient=True), details)
    if draft.image_url is not None and form.image is not None:
        raise ParameterInvalid("A feed has one image: either imageUrls or image1")
    return draft, form.image


def _renditions(here: Platform, draft: Draft, attached: bytes | None) -> tuple[Rendition, ...]:
    """Return the renditions of a feed's image, or none if it has no image."""
    bounds, data = here.settings.image_bounds, attached
    if draft.image_url is not None:
        data = fetch_image(draft.image_url, bounds, loopback=here.settings.fetch_loopback)
    return () if data is None else render(data, bounds)
