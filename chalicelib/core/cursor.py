"""Cursors: a client sends one to get the rest of a list. It is opaque, and contains the id of the last entry sent."""

import base64
import re

from chalicelib.core.errors import ParameterInvalid

_ID = re.compile(r"[0-9a-z]{1,64}")


def to_cursor(last: str) -> str:
    """Return the cursor of a list that continues after the entry with the id `last`."""
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """Return the id in a cursor. Raises ParameterInvalid for a cursor that no list can have returned."""
    try:
        last = base64.urlsafe_b64decode(f"{cursor}==").decode()
    except ValueError:
        last = ""
    # Decoding is lenient, so the result is encoded again and compared.
    if not _ID.fullmatch(last) or to_cursor(last) != cursor:
        raise ParameterInvalid("cursor does not belong to this list")
    return last
