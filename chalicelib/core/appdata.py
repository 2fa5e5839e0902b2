"""The rules of the Persistence API for keys, values, selectors and quota, independent of storage.

Sources: the Persistence API page (limits, error table), the permission model page, and docs/internals/decisions.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from chalicelib.core.errors import BadRequest, Conflict, ParameterInvalid, PermissionDenied, QuotaExceeded, TooLarge
from chalicelib.core.limits import Limits
from chalicelib.core.permission import InstallStatus, MatrixRow, may_update_data

ME = "@me"
ALL = frozenset({"*", "@all"})
LOST = "Name the keys to delete in fields; * alone deletes every key"
"""The error of a deletion that lost its key names: it must not become a deletion of every key."""
USER_CHARACTERS = 128
"""The maximum length of a user id. A longer one could not be looked up."""
_KEY = re.compile(r"[A-Za-z0-9_.\-]+")
_NAMING = ("fields", "keys")
_NEAR = 0.8
"""The similarity (difflib) from which a name counts as a typo of one of `_NAMING`: `feilds` 0.83, `format` 0.17."""


class DataGroup(Enum):
    """The Group-IDs in the appdata path. `@usage` is Engawa's own."""

    SELF = "@self"
    FRIENDS = "@friends"
    USAGE = "@usage"


@dataclass(frozen=True)
class DataSelection:
    """The user and group in a path. `owner` is a user id; `own` is True if it is the viewer's."""

    owner: str
    own: bool
    group: DataGroup


def select(user: str, group: str, viewer: str) -> DataSelection:
    """Read the selectors of `/2/apps/appdata/{user}/{group}`. The viewer's own id always equals `@me`.

    Raises PermissionDenied for an unknown group, for another user's `@friends` or `@usage`, and for a text that is too
    long to be an id.
    """
    own = user in (ME, viewer)
    try:
        selection = DataSelection(viewer if own else user, own, DataGroup(group))
    except ValueError:
        raise PermissionDenied from None
    if not own and (selection.group is not DataGroup.SELF or len(user) > USER_CHARACTERS):
        raise PermissionDenied
    return selection


def select_writable(user: str, group: str, viewer: str) -> DataSelection:
    """Read the selectors of a POST, PUT or DELETE. Raises PermissionDenied unless they name the viewer's `@self`."""
    selection = select(user, group, viewer)
    # The install status is known only later. But already now it is clear that only the viewer may update.
    whose = MatrixRow.VIEWER if selection.own else MatrixRow.OTHER
    if selection.group is not DataGroup.SELF or not may_update_data(whose, InstallStatus.INSTALLED):
        raise PermissionDenied
    return selection


def check_pairs(body: object, limits: Limits, name: str = "The body") -> dict[str, str]:
    """Return the pairs in a write's JSON body. The checks are in the documented order: pairs, keys, values.

    Raises BadRequest (not an object; a value that is not a string or not valid Unicode), ParameterInvalid (no pairs: an
    empty object or list, or null; a key or value out of its bounds) and TooLarge (too many pairs, or too many bytes in
    total). Error messages call the body `name`.
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
    check_value_sizes(body, limits)
    return body


def check_value_sizes(values: Mapping[str, str], limits: Limits) -> None:
    """Raise an error for a value that is too long or not valid Unicode, or for too many bytes in total.

    The errors are ParameterInvalid, BadRequest and TooLarge.
    """
    total = 0
    for key, value in values.items():
        size = _utf8_bytes(key, value)
        if size > limits.value_bytes:
            raise ParameterInvalid(f"Value of key {key} is too long (max={limits.value_bytes})")
        total += size
    if total > limits.request_bytes:
        raise TooLarge(f"Too many bytes of values in one request (max={limits.request_bytes})")


def check_keys(keys: Iterable[str], limits: Limits) -> None:
    """Raise ParameterInvalid unless each key is 1 to 255 characters of `A-Z a-z 0-9 _ . -`."""
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ParameterInvalid("A key must be made of A-Z a-z 0-9 _ . - and not be empty")
        if len(key) > limits.key_characters:
            raise ParameterInvalid(f"Key is too long (max={limits.key_characters})")


def asked_keys(fields: str, limits: Limits, *, most: int | None = None) -> frozenset[str] | None:
    """Return the keys that a `fields` parameter names, or None for every key (empty, or `*` or `@all` in it).

    Raises TooLarge for more than `most` different names, ParameterInvalid for one that cannot be a key.
    """
    names = frozenset(name for name in fields.split(",") if name)
    return None if not names or ALL & names else named_keys(names, limits, most=most)


def deleted_keys(
    fields: str, others: Iterable[str], limits: Limits, *, names_in_body: bool = False
) -> frozenset[str] | None:
    """Return the keys that a DELETE names in its URL, or None for every key: no `fields`, an empty one, `*` or `@all`.

    `others` are the names of the other query parameters. Raises ParameterInvalid if names were lost (`fields=,`; no
    `fields` but `field`, `keys`, `fields[]` or names in the body), if `*` is combined with other names, and for a name
    that cannot be a key. Raises TooLarge for more than `limits.pairs` names.
    """
    if not fields:
        if names_in_body or any(map(_is_near, others)):
            raise ParameterInvalid(LOST)
        return None
    return deletion(fields.split(","), limits)


def deletion(names: Iterable[str], limits: Limits) -> frozenset[str] | None:
    """Return the keys of the names in a deletion, or None for every key: `*` or `@all` alone.

    Empty names are ignored, but are an error if all are empty, or beside `*`. Raises as `deleted_keys` does.
    """
    distinct = frozenset(names)
    if distinct and distinct <= ALL:
        return None
    keys = distinct - {""}
    if not keys or distinct & ALL:
        raise ParameterInvalid(LOST)
    return named_keys(keys, limits, most=limits.pairs)


def named_keys(names: Iterable[str], limits: Limits, *, most: int | None = None) -> frozenset[str]:
    """Return the keys in `names`. Raises TooLarge for more than `most`, ParameterInvalid for an invalid key."""
    distinct = frozenset(names)
    if most is not None:
        _check_count(len(distinct), most)
    check_keys(distinct, limits)
    return distinct


@dataclass(frozen=True)
class Balance:
    """The usage of one user in one app: bytes of all values, and number of keys."""

    total: int
    keys: int


def settle(balance: Balance, before: Mapping[str, int], after: Mapping[str, int | None], limits: Limits) -> Balance:
    """Return the balance after a write, exact to the byte.

    `before` has the bytes of the changed keys that exist, `after` the new bytes of each changed key (None: deleted).
    Raises QuotaExceeded or ParameterInvalid if the write grows beyond the quota or the number of keys. A write that
    does not grow is always allowed, even if a limit was lowered below the stored amount.
    """
    total = balance.total + sum(size or 0 for size in after.values()) - sum(before.values())
    keys = balance.keys + sum(size is not None for size in after.values()) - len(before)
    if total > limits.quota_bytes and total > balance.total:
        raise QuotaExceeded(f"Limit exceeded size quota (max={limits.quota_bytes})")
    if keys > limits.keys and keys > balance.keys:
        raise ParameterInvalid(f"Too many keys (max={limits.keys})")
    return Balance(total, keys)


def absent_values(data: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Return the values of `data` that are not stored. Raises Conflict if a key has another value."""
    for key, value in data.items():
        if stored.get(key, value) != value:
            raise Conflict(f"The key {key} exists, and has another value")
    return {key: value for key, value in data.items() if key not in stored}


def utf8_bytes(text: str) -> int:
    """Return the length of a text in UTF-8 bytes. Raises UnicodeEncodeError for a lone surrogate."""
    return len(text) if text.isascii() else len(text.encode())


def _is_near(name: str) -> bool:
    """Return whether a parameter's name resembles `fields` or `keys`; letter case, brackets and digits do not count."""
    # Imported by the first deletion that needs it, not in every cold start.
    from difflib import get_close_matches

    letters = "".join(each for each in name.lower()[:32] if each.isalpha())
    return bool(get_close_matches(letters, _NAMING, cutoff=_NEAR))


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise TooLarge(f"Too many key/value pairs (max={most})")


def _utf8_bytes(key: str, value: str) -> int:
    try:
        return utf8_bytes(value)
    except UnicodeEncodeError:
        raise BadRequest(f"Value of key {key} is not valid Unicode (a lone surrogate)") from None
