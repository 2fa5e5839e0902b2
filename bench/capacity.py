"""Capacity units by AWS's published rules, from the items before and after an operation.

Source: "DynamoDB read and write operations" in the DynamoDB developer guide. RRU and WRU are its read and write request
units. They are computed, since no emulator reports them correctly.
"""

from collections.abc import Iterable

from chalicelib.store.aws.item_size import item_size, read_units, write_units
from chalicelib.store.aws.items import Item

TRANSACTION = 2
"""The factor for an item in a transaction: it is prepared, and then committed.

Its index entry is counted once, as outside of a transaction, since indexes follow the committed data. AWS does not
document that; it was measured on DynamoDB in nubo-db/dynoxide, pull request 188.
"""


def keyed_read(item: Item | None, *, consistent: bool) -> float:
    """Return the RRU of an item read by its key, alone or in a batch; a missing item (None) costs the minimum."""
    return read_units(size_of(item), consistent=consistent)


def range_read(items: Iterable[Item], *, consistent: bool) -> float:
    """Return the RRU of one page of a query: rounded up once, for all items that were read."""
    return read_units(sum(map(item_size, items)), consistent=consistent)


def written(before: Item | None, after: Item | None, *, transaction: bool = False) -> int:
    """Return the WRU of changing an item from `before` to `after` (None: no item): the larger of both counts.

    For a failed condition, `after` is the item that would have been written. The entry in the index is added.
    """
    units = write_units(max(size_of(before), size_of(after)))
    return units * (TRANSACTION if transaction else 1) + indexed(before, after)


def indexed(before: Item | None, after: Item | None) -> int:
    """Return the WRU of the entries in the index `listing`, which has only the keys of an item on a list.

    Adding or removing an entry is one write, moving it is two, an unchanged entry is none.
    """
    entries = [entry for entry in (_entry(before), _entry(after)) if entry]
    if len(entries) == 2 and entries[0] == entries[1]:
        return 0
    return sum(write_units(item_size(entry)) for entry in entries)


def _entry(item: Item | None) -> Item | None:
    return {name: item[name] for name in ("list", "pk", "sk")} if item and "list" in item else None


def size_of(item: Item | None) -> int:
    """Return the bytes of an item; 0 for None."""
    return item_size(item) if item else 0
