"""Search of users, apps and pages by the beginning of a name: how texts are folded, and the rows of the index.

Two texts that a reader would type the same way are folded to the same text: NFKC (full and half width), letter case,
katakana as hiragana, no invisible characters, one space for white space. Accents and voicing marks differ. A row of the
index has the first MOST characters of a folded name; the rest of a longer search is compared with the name itself.
"""

import base64
import json
import unicodedata
from collections.abc import Iterable

from chalicelib.core.errors import ParameterInvalid

MOST = 32
"""The most characters of a folded name in the index."""
MOST_CHARACTERS = 255
"""The most characters of a search."""
END = "\t"
"""Separates a name and an id in a row. It sorts before all characters that a folded name can have, so that a whole name
comes before the names that begin with it."""

_KANA = {each: each - 0x60 for each in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}


def folded(text: str) -> str:
    """Return a text as it is compared. Idempotent."""
    while True:
        fresh = unicodedata.normalize("NFKC", text).casefold().translate(_KANA)
        fresh = "".join(filter(_is_visible, " ".join(unicodedata.normalize("NFKC", fresh).split())))
        if fresh == text:
            return fresh
        text = fresh


def _is_visible(character: str) -> bool:
    """Return whether a character is no control, no format character (such as a change of direction), no surrogate."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def index_texts(*names: str | None) -> frozenset[str]:
    """Return the texts under which the index has a thing with these names (None or nothing visible: no text)."""
    return frozenset(filter(None, (folded(name)[:MOST].rstrip() for name in names if name)))


def search_text(text: str) -> str:
    """Return a search as it is compared. Raises ParameterInvalid if nothing is left of it, or if it is too long."""
    if len(text) > MOST_CHARACTERS:
        raise ParameterInvalid(f"find is too long (max={MOST_CHARACTERS})")
    wanted = folded(text)
    if not wanted:
        raise ParameterInvalid("find must have at least one visible character")
    return wanted


def matching(wanted: str, names: Iterable[str | None]) -> frozenset[str]:
    """Return the texts of the index whose names begin with a folded search."""
    return frozenset().union(*(index_texts(name) for name in names if name and folded(name).startswith(wanted)))


def to_search_cursor(row: str) -> str:
    """Return the cursor of a search that continues after a row of the index."""
    return base64.urlsafe_b64encode(row.encode()).decode().rstrip("=")


def from_search_cursor(cursor: str, wanted: str) -> str:
    """Return the row that a cursor names. Raises ParameterInvalid if it is not of this search."""
    try:
        row = base64.urlsafe_b64decode(f"{cursor}==").decode()
    except ValueError:
        row = ""
    if not row.startswith(wanted[:MOST].rstrip()) or END not in row or to_search_cursor(row) != cursor:
        raise ParameterInvalid("cursor does not belong to this list")
    return row


def to_key_cursor(key: tuple[str, str]) -> str:
    """Return the cursor of a list that continues after the item with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def from_key_cursor(cursor: str) -> tuple[str, str]:
    """Return the key in a cursor. Raises ParameterInvalid for another text."""
    try:
        match json.loads(base64.urlsafe_b64decode(f"{cursor}==")):
            case [str(pk), str(sk)] if 0 < len(pk) <= 128 and 0 < len(sk) <= 128 and (pk + sk).isascii():
                return pk, sk
    except ValueError:
        pass  # Not a cursor at all.
    raise ParameterInvalid("cursor does not belong to this list")
