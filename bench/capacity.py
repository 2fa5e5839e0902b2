"""Capacity units by the rules that AWS publishes, from items as they are before and after an operation.

Source: "DynamoDB read and write operations" in the DynamoDB developer guide. RRU and WRU are its read and write request
units. Computed, since no emulator reports them right.
"""

from collections.abc import Iterable

from chalicelib.store.aws.item_size import item_size, read_units, write_units
from chalicelib.store.aws.items import Item

TRANSACTION = 2
"""How many times over an item is paid in a transaction: it is prepared, and then committed.

Its index entry is paid once, as outside of a transaction, since indexes follow what was committed. AWS does not print
that; measured against DynamoDB in nubo-db/dynoxide, pull request 188.
"""


def keyed_read(item: Item | None, *, consistent: bool) -> float:
    """RRU of an item read by its key, alone or in a batch. One that does not exist (None) costs the least there is."""
    return read_units(size_of(item), consistent=consistent)


def range_read(items: Iterable[Item], *, consistent: bool) -> float:
    """RRU of one page of a query: rounded up once, for all the items that were read to answer it."""
    return read_units(sum(map(item_size, items)), consistent=consistent)


def written(before: Item | None, after: Item | None, *, transaction: bool = False) -> int:
    """WRU of changing an item from `before` to `after` (None: there is no item): the larger is what counts.

    For a condition that failed, `after` is what would have been written. The entry in the index is paid besides.
    """
    units = write_units(max(size_of(before), size_of(after)))
    return units * (TRANSACTION if transaction else 1) + indexed(before, after)


def indexed(before: Item | None, after: Item | None) -> int:
    """WRU of the entries in the index `listing`, which has of an item on a list its keys and nothing else.

    An entry that comes or goes is one write, one that moves is two, one that stays as it is none.
    """
    entries = [entry for entry in (_entry(before), _entry(after)) if entry]
    if len(entries) == 2 and entries[0] == entries[1]:
        return 0
    return sum(write_units(item_size(entry)) for entry in entries)


def _entry(item: Item | None) -> Item | None:
    return {name: item[name] for name in ("list", "pk", "sk")} if item and "list" in item else None


def size_of(item: Item | None) -> int:
    """Bytes of an item; 0 for none."""
    return item_size(item) if item else 0
