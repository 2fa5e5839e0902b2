"""Bulk export: the kinds of records, the selection of a request, and its place in nested lists.

Records have the form that core/bulk_import.py imports. A request walks through *holders*, such as users, and returns
the records of each, such as friendships. Its cursor names the last holder that is finished, and a place in the list of
the next one.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.appdata import Balance, utf8_bytes
from chalicelib.core.bulk_import import KINDS
from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.ids import is_id

MOST_PAIRS = 99
MOST_RECORD_BYTES = 150_000
"""Bytes of keys and values in one record of data, if it has several values. In JSON a byte may take six characters."""
MOST_DATA_BYTES = 800_000
"""Bytes of data in one answer, if it has the data of several users: their JSON is not too large for Lambda."""
KEY_BYTES = 300
"""The most bytes of a key in a record, with quotation marks, and its part of the record's other text."""
SCOPES: Mapping[str, tuple[str, ...]] = {
    "users": ("app", "user"),
    "apps": ("app", "user"),
    "friendships": ("app", "user"),
    "installs": ("app", "user"),
    "data": ("app", "user"),
    "pages": ("page",),
    "modules": ("page",),
    "administrators": ("page",),
    "followers": ("page",),
    "feeds": ("page",),
    "comments": ("page",),
    "favorites": ("page",),
    "grants": ("app", "user"),
}
"""The parameters that narrow the records of each kind."""


@dataclass(frozen=True)
class Selection:
    """The records that a request asks for: of a kind, perhaps only of one app, user or page.

    With `secrets`, users have their password hashes, and apps their secrets.
    """

    kind: str
    app: str | None = None
    user: str | None = None
    page: str | None = None
    secrets: bool = False


def read_selection(kind: str, parameters: Mapping[str, str]) -> Selection:
    """Return the selection of a path's kind and a query's parameters. Raises NotFound and ParameterInvalid."""
    if kind not in KINDS:
        raise NotFound(f"There is no kind {kind[:64]!r}; the kinds are {', '.join(KINDS)}")
    ids = {}
    for name in ("app", "user", "page"):
        if name in parameters:
            if name not in SCOPES[kind]:
                raise ParameterInvalid(f"{kind} cannot be selected by {name}")
            if not is_id(name, parameters[name]):
                raise ParameterInvalid(f"{name} is not the id of {'an' if name == 'app' else 'a'} {name}")
            ids[name] = parameters[name]
    if kind == "data" and "app" not in ids:
        raise ParameterInvalid("app is missing")
    secrets = parameters.get("secrets", "false")
    if secrets not in ("true", "false"):
        raise ParameterInvalid("secrets must be true or false")
    return Selection(kind, secrets=secrets == "true", **ids)


@dataclass(frozen=True)
class WalkPlace:
    """A place in nested lists: holders up to the id `after` are finished, and `at` is finished up to a cursor."""

    after: str | None = None
    at: str | None = None
    inner: str | None = None

    def inner_of(self, holder: str) -> str | None:
        """Return the cursor in the list of a holder, or None to begin it."""
        return self.inner if holder == self.at else None


def to_walk_cursor(kind: str, place: WalkPlace) -> str:
    """Return the cursor of a place in the records of a kind."""
    text = json.dumps([kind, place.after, place.at, place.inner], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_walk_cursor(kind: str, cursor: str | None) -> WalkPlace:
    """Return the place that a cursor names; the beginning without a cursor. Raises ParameterInvalid."""
    if cursor is None:
        return WalkPlace()
    try:
        found = json.loads(base64.urlsafe_b64decode(f"{cursor}=="))
    except ValueError:
        found = None
    if isinstance(found, list) and len(found) == 4 and found[0] == kind and all(map(_is_part, found[1:])):
        return WalkPlace(*found[1:])
    raise ParameterInvalid("cursor does not belong to this list")


def data_records(user: str, app: str, data: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the records of a user's data in an app: each can be imported, and fits a line of a file."""
    part: dict[str, str] = {}
    size = 0
    for key in sorted(data):
        weight = len(key) + utf8_bytes(data[key])
        if part and (len(part) == MOST_PAIRS or size + weight > MOST_RECORD_BYTES):
            yield {"user": user, "app": app, "data": part}
            part, size = {}, 0
        part[key] = data[key]
        size += weight
    if part:
        yield {"user": user, "app": app, "data": part}


def within(balances: Mapping[str, Balance], most: int = MOST_DATA_BYTES) -> list[str]:
    """Return the first users, in the order of `balances`, whose data fit in `most` bytes; at least one user."""
    chosen: list[str] = []
    for user, balance in balances.items():
        most -= balance.total + KEY_BYTES * balance.keys
        if chosen and most < 0:
            break
        chosen.append(user)
    return chosen


def _is_part(part: object) -> bool:
    return part is None or (isinstance(part, str) and 0 < len(part) <= 128 and part.isascii())
