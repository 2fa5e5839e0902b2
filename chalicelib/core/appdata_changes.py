"""Atomic changes of app data: one operation for each key, all or none.

    changes = read_changes(body, limits)      # {"coins": {"add": "-30", "atLeast": "0"}} -> Mapping[str, Change]
    values = apply(changes, stored, limits)   # Mapping[str, str | None], None: the key is deleted

`stored` has the present values of `keys_read(changes)`. Engawa's own: docs/internals/decisions.md. Values are strings,
so numbers are, too: whole decimal numbers of up to 18 digits.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.appdata import check_value_sizes, named_keys
from chalicelib.core.errors import BadRequest, BoundExceeded, ParameterInvalid, PreconditionFailed
from chalicelib.core.limits import Limits

DIGITS = 18
MOST_KEPT = 10_000
"""The largest `last` of an `append`."""
_NUMBER = re.compile(rf"-?[0-9]{{1,{DIGITS}}}")
_LARGEST = 10**DIGITS - 1
_OPERATIONS = frozenset({"set", "delete", "add", "max", "min", "append"})
_MODIFIERS: Mapping[str, frozenset[str]] = {"add": frozenset({"atLeast", "atMost"}), "append": frozenset({"last"})}
"""The further members that an operation may have, besides `if`."""


@dataclass(frozen=True)
class Change:
    """The operation of one key. `operand` is its value as read: a string, a number (add, max, min), or True (delete).

    If `conditional`, the key must have the value `expected` (None: be absent).
    """

    operation: str
    operand: Any
    at_least: int | None = None
    at_most: int | None = None
    last: int | None = None
    conditional: bool = False
    expected: str | None = None

    @property
    def reads(self) -> bool:
        """Whether the present value decides the result."""
        return self.conditional or self.operation not in ("set", "delete")


def read_changes(body: object, limits: Limits) -> dict[str, Change]:
    """Return the changes in a JSON body: 1 to 99 keys, each with an object that has one operation.

    Raises BadRequest (not an object), ParameterInvalid (no changes; a key, operation or value out of its bounds, which
    the message names) and TooLarge (too many keys, or too many bytes of new values).
    """
    if body is None or body in ({}, []):
        raise ParameterInvalid("No key/value pairs")
    if not isinstance(body, dict):
        raise BadRequest("The changes must be a JSON object")
    named_keys(body, limits, most=limits.pairs)
    changes = {key: _change(key, given) for key, given in body.items()}
    check_value_sizes(
        {key: each.operand for key, each in changes.items() if each.operation in ("set", "append")}, limits
    )
    return changes


def keys_read(changes: Mapping[str, Change]) -> frozenset[str]:
    """Return the keys whose present values `apply` needs."""
    return frozenset(key for key, change in changes.items() if change.reads)


def apply(changes: Mapping[str, Change], stored: Mapping[str, str], limits: Limits) -> dict[str, str | None]:
    """Return the new value of each key, or None for a key that is deleted.

    Raises PreconditionFailed (an `if`), BoundExceeded (a result of `add`), ParameterInvalid (a present value that is
    no number or no list; a result that is too long) and TooLarge. All conditions are checked before any operation.
    """
    for key, change in changes.items():
        if change.conditional and stored.get(key) != change.expected:
            raise PreconditionFailed(f"The value of {key} is not the one that if names")
    values = {key: _RESULTS[change.operation](key, change, stored.get(key)) for key, change in changes.items()}
    check_value_sizes({key: value for key, value in values.items() if value is not None}, limits)
    return values


def _change(key: str, given: object) -> Change:
    if not isinstance(given, dict):
        raise ParameterInvalid(f"The change of {key} must be an object with one operation")
    named = _OPERATIONS & given.keys()
    if len(named) != 1:
        raise ParameterInvalid(f"The change of {key} must have one operation of {', '.join(sorted(_OPERATIONS))}")
    (operation,) = named
    unknown = given.keys() - {operation, "if"} - _MODIFIERS.get(operation, frozenset())
    if unknown:
        # A name may have characters that are no valid Unicode, and no response can have these.
        name = min(unknown)[:32].encode(errors="replace").decode()
        raise ParameterInvalid(f"The change of {key} cannot have {name} beside {operation}")
    return Change(
        operation,
        _operand(key, operation, given[operation]),
        *_bounds(key, given),
        _last(key, given),
        "if" in given,
        _expected(key, given.get("if")),
    )


def _operand(key: str, operation: str, value: object) -> object:
    if operation == "delete":
        if value is not True:
            raise ParameterInvalid(f"delete of {key} must be true")
        return True
    if not isinstance(value, str):
        raise ParameterInvalid(f"{operation} of {key} must be a string")
    return value if operation in ("set", "append") else _whole(f"{operation} of {key}", value)


def _bounds(key: str, given: Mapping[str, object]) -> tuple[int | None, int | None]:
    low, high = (_bound(key, name, given) for name in ("atLeast", "atMost"))
    if low is not None and high is not None and low > high:
        raise ParameterInvalid(f"atLeast of {key} is greater than atMost")
    return low, high


def _bound(key: str, name: str, given: Mapping[str, object]) -> int | None:
    return _whole(f"{name} of {key}", given[name]) if name in given else None


def _last(key: str, given: Mapping[str, object]) -> int | None:
    if "last" not in given:
        return None
    value = given["last"]
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_KEPT:
        raise ParameterInvalid(f"last of {key} must be a whole number from 1 to {MOST_KEPT}")
    return value


def _expected(key: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ParameterInvalid(f"if of {key} must be a string or null")
    return value


def _whole(name: str, text: object) -> int:
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ParameterInvalid(f"{name} must be a string with a whole number of up to {DIGITS} digits")
    return int(text)


def _number(key: str, stored: str) -> int:
    return _whole(f"The value of {key}", stored)


def _added(key: str, change: Change, stored: str | None) -> str:
    total = (0 if stored is None else _number(key, stored)) + change.operand
    if change.at_least is not None and total < change.at_least:
        raise BoundExceeded(f"{key} would be {total}, which is less than {change.at_least}")
    if change.at_most is not None and total > change.at_most:
        raise BoundExceeded(f"{key} would be {total}, which is more than {change.at_most}")
    if abs(total) > _LARGEST:
        raise BoundExceeded(f"{key} would have more than {DIGITS} digits")
    return str(total)


def _greater(key: str, change: Change, stored: str | None) -> str:
    return str(change.operand if stored is None else max(_number(key, stored), change.operand))


def _lesser(key: str, change: Change, stored: str | None) -> str:
    return str(change.operand if stored is None else min(_number(key, stored), change.operand))


def _appended(key: str, change: Change, stored: str | None) -> str:
    entries = [*_list(key, stored), change.operand]
    # No encoder of json: an entry may have characters that are no valid Unicode, which the check of sizes refuses.
    return json.dumps(entries[-change.last :] if change.last else entries, ensure_ascii=False, separators=(",", ":"))


def _list(key: str, stored: str | None) -> list[str]:
    if stored is None:
        return []
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ParameterInvalid(f"The value of {key} must be a JSON list of strings")
    return found


_RESULTS: Mapping[str, Callable[[str, Change, str | None], str | None]] = {
    "set": lambda key, change, stored: str(change.operand),
    "delete": lambda key, change, stored: None,
    "add": _added,
    "max": _greater,
    "min": _lesser,
    "append": _appended,
}
