"""The Persistence API's rules about keys, values, selectors and quota, apart from how anything is stored.

Sources: the Persistence API page (limits, error table), the permission model page, and docs/decisions.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from chalicelib.core.errors import BadRequest, ParameterInvalid, PermissionDenied, QuotaExceeded, TooLarge
from chalicelib.core.limits import Limits
from chalicelib.core.permission import Status, Whose, may_update_data

ME = "@me"
ALL = frozenset({"*", "@all"})
USER_CHARACTERS = 128
"""No user id is longer; what is could not even be looked up."""
_KEY = re.compile(r"[A-Za-z0-9_.\-]+")


class Group(Enum):
    """The Group-IDs of the appdata path. `@usage` is Engawa's own."""

    SELF = "@self"
    FRIENDS = "@friends"
    USAGE = "@usage"


@dataclass(frozen=True)
class Selection:
    """Whose data a path speaks of: `owner` is a user id; `own` says that it is the viewer's."""

    owner: str
    own: bool
    group: Group


def select(user: str, group: str, viewer: str) -> Selection:
    """Read the selectors of `/2/apps/appdata/{user}/{group}`. One's own id equals `@me` everywhere.

    Raises PermissionDenied for a group that does not exist, for anyone else's `@friends` or `@usage`, and for what is
    too long to be an id.
    """
    own = user in (ME, viewer)
    try:
        selection = Selection(viewer if own else user, own, Group(group))
    except ValueError:
        raise PermissionDenied from None
    if not own and (selection.group is not Group.SELF or len(user) > USER_CHARACTERS):
        raise PermissionDenied
    return selection


def select_writable(user: str, group: str, viewer: str) -> Selection:
    """As `select`, for POST, PUT and DELETE: only the viewer's own `@self`, else PermissionDenied."""
    selection = select(user, group, viewer)
    # Whether the app is installed is known only later; that of all people the viewer alone may update, already.
    whose = Whose.VIEWER if selection.own else Whose.OTHER
    if selection.group is not Group.SELF or not may_update_data(whose, Status.INSTALLED):
        raise PermissionDenied
    return selection


def check_pairs(body: object, limits: Limits, name: str = "The body") -> dict[str, str]:
    """The pairs of a write's JSON body, or the first refusal in the documented order: pairs, keys, values.

    Raises BadRequest (not an object; a value that is no string, or not valid Unicode), ParameterInvalid (no pairs: an
    empty object or list, or null; a key or value outside its bounds) and TooLarge (too many pairs, or bytes in all).
    `name` is what a refusal calls the body.
    """
    if body is None or body in ({}, []):
        raise ParameterInvalid("No key/value pairs")
    if not isinstance(body, dict):
        raise BadRequest(f"{name} must be a JSON object")
    _check_count(len(body), limits.pairs)
    check_keys(body, limits)
    for value in body.values():
        if not isinstance(value, str):
            raise BadRequest("No value associated with specified key.")
    total = 0
    for key, value in body.items():
        size = _utf8_bytes(key, value)
        if size > limits.value_bytes:
            raise ParameterInvalid(f"Value of key {key} is too long (max={limits.value_bytes})")
        total += size
    if total > limits.request_bytes:
        raise TooLarge(f"Too many bytes of values in one request (max={limits.request_bytes})")
    return body


def check_keys(keys: Iterable[str], limits: Limits) -> None:
    """Raise ParameterInvalid unless each key is 1 to 255 characters of `A-Z a-z 0-9 _ . -`."""
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ParameterInvalid("A key must be made of A-Z a-z 0-9 _ . - and not be empty")
        if len(key) > limits.key_characters:
            raise ParameterInvalid(f"Key is too long (max={limits.key_characters})")


def asked_keys(fields: str, limits: Limits, *, most: int | None = None) -> frozenset[str] | None:
    """The keys that a `fields` parameter names; None for every key (empty, or `*` or `@all` anywhere in it).

    Raises TooLarge for more than `most` different names, ParameterInvalid for one that cannot be a key.
    """
    names = frozenset(name for name in fields.split(",") if name)
    return None if not names or ALL & names else named_keys(names, limits, most=most)


def named_keys(names: Iterable[str], limits: Limits, *, most: int | None = None) -> frozenset[str]:
    """The keys of these names. Raises TooLarge for more than `most`, ParameterInvalid for one that cannot be a key."""
    distinct = frozenset(names)
    if most is not None:
        _check_count(len(distinct), most)
    check_keys(distinct, limits)
    return distinct


@dataclass(frozen=True)
class Balance:
    """What one user holds in one app: bytes of all values, and number of keys."""

    total: int
    keys: int


def settle(balance: Balance, before: Mapping[str, int], after: Mapping[str, int | None], limits: Limits) -> Balance:
    """The balance after a write, exact to the byte.

    `before` has the bytes of those changed keys that exist, `after` the bytes each changed key shall have (None: be
    gone). Raises QuotaExceeded or ParameterInvalid where the write grows past the quota or the number of keys; one that
    does not grow is always allowed, also where a limit was lowered below what is stored.
    """
    total = balance.total + sum(size or 0 for size in after.values()) - sum(before.values())
    keys = balance.keys + sum(size is not None for size in after.values()) - len(before)
    if total > limits.quota_bytes and total > balance.total:
        raise QuotaExceeded(f"Limit exceeded size quota (max={limits.quota_bytes})")
    if keys > limits.keys and keys > balance.keys:
        raise ParameterInvalid(f"Too many keys (max={limits.keys})")
    return Balance(total, keys)


def utf8_bytes(text: str) -> int:
    """Length in UTF-8 bytes of text that is known to be valid Unicode."""
    return len(text) if text.isascii() else len(text.encode())


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise TooLarge(f"Too many key/value pairs (max={most})")


def _utf8_bytes(key: str, value: str) -> int:
    try:
        return utf8_bytes(value)
    except UnicodeEncodeError:
        raise BadRequest(f"Value of key {key} is not valid Unicode (a lone surrogate)") from None
