"""The format of items: every item has a number that says which version of the layout it follows.

| format | written by | items |
|---|---|---|
| 1 | versions before 0.2.0 | have no number |
| 2 | 0.2.0 and later | have the number in `_`; the rest is as in format 1 |

A version writes the newest format and reads the newest two; `python -m admin migrate` rewrites the older one
(store/migration.py). Three rules keep an item from claiming a format that it does not follow:

- A put replaces the whole item, so it has the newest number (`numbered`).
- An update numbers an item that has no number, such as a new one, and leaves every other number (`numbering`). This is
  right for an item of format 1, since only the number is missing. An update therefore must write attributes that mean
  the same in both formats; an attribute that changes its meaning gets a new name.
- A migration raises the number under the condition that the item still has the old one.

Indexes and projections return parts of items: nothing is checked there.
"""

import logging
from collections.abc import Iterable

from chalicelib.core.errors import OtherFormat
from chalicelib.store.aws.items import Item

log = logging.getLogger(__name__)

ATTRIBUTE = "_"
"""The attribute with the number. Its name is one byte, as each byte counts in a ledger, and not a letter."""
FIRST = 1
"""The format of an item without a number."""
NEWEST = 2
READABLE = frozenset({NEWEST - 1, NEWEST})
NUMBER = {"N": str(NEWEST)}

_READABLE_NUMBERS = frozenset(map(str, READABLE))


def numbered(item: Item) -> Item:
    """Return an item with the number of the newest format."""
    return {**item, ATTRIBUTE: NUMBER}


def format_of(item: Item) -> int:
    """Return the format of a whole item."""
    return int(item[ATTRIBUTE]["N"]) if ATTRIBUTE in item else FIRST


def check(items: Iterable[Item]) -> None:
    """Raise OtherFormat if one of these whole items has a format that this version cannot read."""
    for item in items:
        # A read of 1,000 friends checks 1,000 items, so the usual case is one look-up.
        if (number := item.get(ATTRIBUTE)) != NUMBER and (number or _FIRST)["N"] not in _READABLE_NUMBERS:
            found = format_of(item)
            log.error("an item has format %d, but this version reads only %s", found, sorted(READABLE))
            raise OtherFormat(newer=found > NEWEST)


_FIRST = {"N": str(FIRST)}
