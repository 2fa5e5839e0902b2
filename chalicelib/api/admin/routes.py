"""Shared parts of the operator's API: `/admin/…`, tokens with the scope `admin`, lists with cursors."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from chalice.app import Request, Response

from chalicelib.core.errors import NotFound
from chalicelib.core.ids import is_id
from chalicelib.core.oauth import OPERATOR
from chalicelib.core.paging import paging
from chalicelib.web.face import Face, Token, View
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import last_parameter

T = TypeVar("T")

MOST_ENTRIES = 100


def operator_route(face: Face) -> Callable[..., Callable[[View], View]]:
    """Return `face.route` for operators only: tokens without a user, and no CORS."""
    return partial(face.route, token=Token.CLIENT, scope=OPERATOR, cors=False)


def known_id(kind: str, text: str) -> str:
    """Return an id from a path. Raise NotFound if it cannot be the id of a `kind` (user, app, page, module)."""
    if not is_id(kind, text):
        raise NotFound(f"There is no such {kind}")
    return text


def existing(kind: str, name: str, thing: T | None) -> T:
    """Return the result of a store. Raise NotFound if it is None."""
    if thing is None:
        raise NotFound(f"There is no {kind} {name}")
    return thing


def list_part(request: Request) -> tuple[str | None, int]:
    """Return the `cursor` and `count` (default 20, at most 100) of a request for a list. Raise ParameterInvalid."""
    count = paging(None, last_parameter(request, "count"), most=MOST_ENTRIES).count
    return last_parameter(request, "cursor"), count


def list_answer(entries: Iterable[Mapping[str, Any]], following: str | None) -> Response:
    """Return `{"entry": […], "itemsPerPage": …, "nextCursor": …}`; without `nextCursor`, the list ends here."""
    shown = list(entries)
    rest = {"nextCursor": following} if following else {}
    return json_answer({"entry": shown, "itemsPerPage": len(shown), **rest})


def changed_answer(changed: bool, **told: str) -> Response:
    """Return the response to a PUT or DELETE: `changed` is false if the state was already so."""
    return json_answer({**told, "changed": changed})
