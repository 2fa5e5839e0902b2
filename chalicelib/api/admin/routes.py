"""Shared parts of the operator's API: `/admin/…`, tokens with the scope `admin`, lists with cursors."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

from chalice.app import Request, Response

from chalicelib.api.log_of_actions import ActionEntry, log_action, operator_actor
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.events_json import moment
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.model.access import Access
from chalicelib.core.oauth import OPERATOR
from chalicelib.core.paging import paging
from chalicelib.platform import Platform
from chalicelib.store.directory.keys import CursorPart
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


def moment_in(request: Request, name: str, default: int) -> int:
    """Return the time (ms) of a query parameter, or `default` if it is absent. Raises ParameterInvalid."""
    text = last_parameter(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LATEST))):
        raise ParameterInvalid(f"{name} must be a time in milliseconds")
    return moment(name, int(text))


def found_part(
    request: Request,
    find: Callable[[], Callable[[str, str | None, int], CursorPart[T]]],
    every: Callable[[str | None, int], CursorPart[T]],
) -> CursorPart[T]:
    """Return the part of a list that a request asks for: only what its `find` finds, if it has that parameter."""
    cursor, count = list_part(request)
    text = last_parameter(request, "find")
    return every(cursor, count) if text is None else find()(text, cursor, count)


def list_answer(entries: Iterable[Mapping[str, Any]], following: str | None) -> Response:
    """Return `{"entry": […], "itemsPerPage": …, "nextCursor": …}`; without `nextCursor`, the list ends here."""
    shown = list(entries)
    rest = {"nextCursor": following} if following else {}
    return json_answer({"entry": shown, "itemsPerPage": len(shown), **rest})


def changed_answer(changed: bool, **told: str) -> Response:
    """Return the response to a PUT or DELETE: `changed` is false if the state was already so."""
    return json_answer({**told, "changed": changed})


def logged(
    here: Platform, request: Request, access: Access, kind: ActionKind, target: str, reason: str | None = None
) -> AbstractContextManager[ActionEntry]:
    """Log the action inside the block, as `log_action` does: every route that changes something needs it."""
    return log_action(here, request, operator_actor(request, access), kind, target, reason=reason)


def note_changes(entry: ActionEntry, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Give an entry the fields that differ, with their values; it is unchanged if none does.

    Both are in the form that the API shows, without secrets. Do not use this for users: their values are not logged.
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    entry.before = {name: before.get(name) for name in names}
    entry.after = {name: after.get(name) for name in names}
    entry.changed = bool(names)
