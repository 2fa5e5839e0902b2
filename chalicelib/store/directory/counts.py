"""How many users, apps, pages and installs there are, without a scan. The keys are in keys.py.

A counter is changed in the transaction that creates or closes what it counts. It has SHARDS items, so that transactions
rarely wait for each other; the shard follows from the id. All of them are in one partition, so one query reads them.
An item with `gone` (being deleted) is not counted. A counted item has the attribute COUNTED: those of versions that did
not count have none, and `python -m admin migrate` counts them (`count_existing`), each of them once.
"""

import hashlib
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import partial

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ALIVE, Condition, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.item_size import item_size, write_units
from chalicelib.store.aws.items import Item, Key, key_of
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import search_rows
from chalicelib.store.directory.keys import COUNTS, INSTALL, ITSELF

NEEDS = (on_table("directory", "GetItem", "Query", "UpdateItem", "DeleteItem"),)

SHARDS = 64
COUNTED = "+"
"""The attribute of a counted item. Its name is one byte, since rows of installs are read by the hundred."""
MARK = {COUNTED: {"BOOL": True}}
_AT_ONCE = 40
"""The most items that one transaction counts; a larger one would more often meet other writes."""


class Kind(Enum):
    """What is counted."""

    USERS = "users"
    APPS = "apps"
    PAGES = "pages"
    INSTALLS = "installs"


def kind_of(item: Item) -> Kind | None:
    """Return the kind of an item that is to be counted, or None."""
    (pk, sk), owner = key_of(item), {"user": Kind.USERS, "app": Kind.APPS, "page": Kind.PAGES}
    if "gone" in item:
        return None
    if sk == ITSELF:
        return owner.get(pk.partition("#")[0])
    return Kind.INSTALLS if sk.startswith(INSTALL) else None


def counter_key(kind: Kind, key: Key) -> Key:
    """Return the key of the counter's shard for the item with that key."""
    return COUNTS, f"{kind.value}#{hashlib.sha256('/'.join(key).encode()).digest()[0] % SHARDS:02}"


def uncounted(items: Iterable[Item]) -> list[Item]:
    """Return those of the directory's items that are still to be counted."""
    return [item for item in items if COUNTED not in item and kind_of(item)]


def counting_units(items: Sequence[Item]) -> int:
    """Return the write units of counting these items: each in a transaction, and one change of its counter."""
    return sum(2 * write_units(item_size(item)) for item in items) + 2 * len(_groups(items))


class Counts:
    """The counters of one deployment."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def add(self, write: Transaction, kind: Kind, item: Item) -> Item:
        """Count a new item in the transaction that puts it; return the item with its mark, to be put."""
        self._change(write, counter_key(kind, key_of(item)), 1)
        return item | MARK

    def subtract(self, write: Transaction, kind: Kind, key: Key, *, counted: bool) -> Condition:
        """Stop counting an item in the transaction that closes or deletes it; return the condition of its part.

        The item's mark must be as `counted` says. If it is not, the condition fails, and the caller tries the other.
        """
        if not counted:
            return absent(COUNTED)
        self._change(write, counter_key(kind, key), -1)
        return equals(COUNTED, True)

    def read(self) -> dict[Kind, int]:
        """Return all counts (one query of at most 12 KB, eventually consistent)."""
        found = dict.fromkeys(Kind, 0)
        for item in self._dynamo.query(self._table, COUNTS, consistent=False):
            found[Kind(item["sk"]["S"].partition("#")[0])] += int(item["n"]["N"])
        return found

    def count_existing(self, items: Sequence[Item]) -> set[Key]:
        """Count those of the items that are not counted yet; return their keys. Idempotent. Raises Unavailable."""
        groups = _groups(uncounted(items))
        done = side_by_side([partial(self._count, *group) for group in groups])
        return {key for keys in done for key in keys}

    def _count(self, counter: Key, keys: Sequence[Key]) -> Sequence[Key]:
        """Count items of one shard together or, if one of them was changed in the meantime, one by one."""
        write = Transaction()
        for key in keys:
            change = Update({COUNTED: True})
            write.update(" ".join(key), self._table, key, change, ALIVE & absent(COUNTED))
        self._change(write, counter, len(keys))
        try:
            self._dynamo.commit(write)
        except Lost:
            return [] if len(keys) == 1 else [key for key in keys if self._count(counter, [key])]
        return keys

    def _change(self, write: Transaction, counter: Key, by: int) -> None:
        write.update("count", self._table, counter, Update(adds={"n": by}))


def close(dynamo: Dynamo, counts: Counts, table: str, kind: Kind, key: Key) -> bool:
    """Mark an app or a page as being deleted, and stop counting and finding it. Return whether it exists. Idempotent.

    Raises Unavailable.
    """
    for wait in races():
        item = dynamo.get(table, key, consistent=True)
        if item is None or "gone" in item:
            return item is not None
        write = Transaction()
        unchanged = counts.subtract(write, kind, key, counted=COUNTED in item) & search_rows.unchanged(item)
        write.update("item", table, key, Update({"gone": True}, removes=[search_rows.TEXTS]), ALIVE & unchanged)
        search_rows.remove(write, table, item)
        try:
            dynamo.commit(write)
        except Lost:
            dynamo.rest(wait)
        else:
            return True
    raise Unavailable


def _groups(items: Sequence[Item]) -> list[tuple[Key, list[Key]]]:
    """Return the keys of items that are to be counted, in groups of one shard."""
    groups: dict[Key, list[Key]] = {}
    for item in items:
        if kind := kind_of(item):
            groups.setdefault(counter_key(kind, key_of(item)), []).append(key_of(item))
    return [
        (counter, keys[start : start + _AT_ONCE])
        for counter, keys in groups.items()
        for start in range(0, len(keys), _AT_ONCE)
    ]
