"""The request parsing and the answers that the faces of the Page API share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chalice.app import Request, Response

from chalicelib.core.codecs.contents_json import ContentsFormat, read_content_uri
from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.model.contents import ContentsPart
from chalicelib.core.paging import Paging, paging
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.items import NoteOfDeletion
from chalicelib.web.face import Face, Token, View
from chalicelib.web.json_answers import data_answer
from chalicelib.web.requests import check_format, last_parameter

PAGE = "/2/pages/{page}"
MOST_ENTRIES = 100

T = TypeVar("T")


def inquiring(face: Face, path: str) -> Callable[[View], View]:
    """Register a GET of the Inquiry group: for an app's own token, or a user's with the scope `r_page`."""
    return _both_names(face, path, methods=["GET"], token=Token.ANY, scope=None, user_scope="r_page")


def posting(face: Face, path: str, method: str) -> Callable[[View], View]:
    """Register a route of the Posting group: for a user's token with the scope `w_pagefeed`."""
    return _both_names(face, path, methods=[method], token=Token.USER, scope="w_pagefeed")


def _both_names(face: Face, path: str, **declared: Any) -> Callable[[View], View]:
    """Register a path that ends in a name also as `name.json`; one that ends in a parameter takes any suffix."""

    def register(view: View) -> View:
        for each in [path] if path.endswith("}") else [path, f"{path}.json"]:
            face.route(each, **declared)(view)
        return view

    return register


def page_id(request: Request, page: str) -> str:
    """Return the page id in a path. Raises NotFound for an invalid page id, ParameterInvalid for another format."""
    check_format(request, "")
    if not is_id("page", page):
        raise NotFound("There is no such page")
    return page


def content_uri(request: Request) -> str:
    """Return the query's `contentUri`. Raises ParameterInvalid if it is missing or invalid."""
    given = last_parameter(request, "contentUri")
    if not given:
        raise ParameterInvalid("contentUri is missing")
    return read_content_uri(given)


def asked_content(request: Request) -> str | None:
    """Return `contentUri` as `content_uri` does, or None if the query has none."""
    return content_uri(request) if last_parameter(request, "contentUri") else None


def asked_part(request: Request) -> Paging:
    """Return the part of a list that `startIndex` or `cursor`, and `count` (default 20, at most 100), select."""
    names = ("startIndex", "count", "cursor")
    start, count, cursor = (last_parameter(request, name) for name in names)
    return paging(start, count, most=MOST_ENTRIES, cursor=cursor)


def shown(here: Platform) -> ContentsFormat:
    """Return the format in which this deployment shows contents."""
    base = here.settings.images_url
    return ContentsFormat(here.settings.utc_offset, lambda key: base + key.removeprefix("images"))


def list_answer(
    here: Platform, wanted: Paging, part: ContentsPart[T], shape: Callable[[T, Mapping[str, Any]], Any]
) -> Response:
    """Return part of a list with its counters and, if more follows, `nextCursor`."""
    entries = [shape(entry, part.posters) for entry in part.entries]
    following = {"nextCursor": part.following} if part.following is not None else {}
    body = {"entry": entries} | wanted.counters(len(entries), part.total) | following
    return data_answer(body, {}, here.oversized_answers.keeper(None))


def note_of_deletion(here: Platform, user: str, page: str, comment: str | None = None) -> NoteOfDeletion:
    """Return what logs that a page administrator deletes another's feed, or a comment on it, in its transaction."""

    def note(write: Transaction, /, *, feed: str, poster: str) -> None:
        from chalicelib.api.log_of_actions import page_target, request_id, user_actor
        from chalicelib.core.actions import ActionKind

        kind = ActionKind.COMMENT_DELETED if comment else ActionKind.FEED_DELETED
        target = page_target(page, f"feed:{feed}" + (f"/comment:{comment}" if comment else ""))
        log = here.action_log
        log.add(write, log.new(user_actor(user), kind, target, request_id(), before={"poster": poster}))

    return note
