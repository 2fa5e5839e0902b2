"""Migrations: a request names a part of a table, whose items are rewritten to the newest format.

A table is read in segments, so that several clients can work side by side. A cursor names its table and segment.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from chalicelib.core.codecs.checks import check_names
from chalicelib.core.errors import BadRequest, ParameterInvalid

TABLES = ("appdata", "directory", "grants", "ephemeral", "records", "feeds", "comments", "favorites")
SEGMENTS = 8
"""The segments of each table; a client can work on all of them at a time."""
MOST_ITEMS = 500
"""Items that one request reads at most."""
_FIELDS = ("table", "segment", "cursor", "check")

Key = tuple[str, str]


@dataclass(frozen=True)
class MigrationPart:
    """A part of a table: up to MOST_ITEMS items of a segment after the key `after` (None: from the beginning)."""

    table: str
    segment: int
    after: Key | None = None
    check: bool = False
    """Whether items are only counted."""


@dataclass(frozen=True)
class MigrationResult:
    """The result of a part: items read, those in an older format or not counted yet, those rewritten, and their cost.

    `write_units` is the cost of all of the old ones.

    `old` minus `rewritten` items were deleted or rewritten by others in the meantime. `newer` items were written by a
    newer version, and are left alone.
    """

    items: int
    old: int
    newer: int
    rewritten: int
    write_units: int
    after: Key | None
    """The last key of the part; None at the end of the segment."""


def read_part(body: object) -> MigrationPart:
    """Return the part that a request's body names. Raises BadRequest and ParameterInvalid."""
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    check_names(body, _FIELDS)
    table, segment, check = body.get("table"), body.get("segment"), body.get("check", False)
    if table not in TABLES:
        raise ParameterInvalid(f"table must be one of {', '.join(TABLES)}")
    if type(segment) is not int or not 0 <= segment < SEGMENTS:
        raise ParameterInvalid(f"segment must be a whole number from 0 to {SEGMENTS - 1}")
    if not isinstance(check, bool):
        raise ParameterInvalid("check must be true or false")
    cursor = body.get("cursor")
    return MigrationPart(table, segment, None if cursor is None else _after(cursor, table, segment), check)


def to_cursor(part: MigrationPart, after: Key) -> str:
    """Return the cursor of the part that follows `part`, whose last key is `after`."""
    return base64.urlsafe_b64encode(json.dumps([part.table, part.segment, *after]).encode()).decode()


def _after(cursor: Any, table: str, segment: int) -> Key:
    try:
        match json.loads(base64.urlsafe_b64decode(cursor)):
            case [known, int(number), str(pk), str(sk)] if (known, number) == (table, segment) and pk and sk:
                return pk, sk
    except (TypeError, ValueError):
        pass  # Not a cursor at all.
    raise ParameterInvalid("cursor does not belong to this table and segment")
