"""The rows of the search: users, apps and pages by the beginnings of their folded names.

A row has only its key: `find#<kind>#<first character>`, and the folded name, a tab, and the id. The item of the user,
app or page lists the texts of its rows in `q` (absent: none), and each change of a name writes the item and its rows in
one transaction, on the condition that `q` and the login are as they were read. So there is a row for each name, and
none for nobody. Items of versions before 0.2.0 have neither; `python -m admin migrate` adds them (`complete`), and also
mends what an older version has changed after a rollback.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.core.errors import Conflict, Unavailable
from chalicelib.core.search import index_texts
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ALIVE, Condition, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, key_of, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys

NEEDS = (on_table("directory", "GetItem", "PutItem", "UpdateItem", "DeleteItem"),)

TEXTS = "q"
"""The attribute with the texts of an item's rows, a set."""
KINDS = ("user", "app", "page")


def texts_of(item: Item) -> frozenset[str]:
    """Return the texts of the rows that an item has."""
    return frozenset(item[TEXTS]["SS"]) if TEXTS in item else frozenset()


def expected(item: Item) -> frozenset[str]:
    """Return the texts of the rows that the item of a user, app or page should have."""
    if "gone" in item:
        return frozenset()
    return index_texts(*(item[name]["S"] for name in ("n", "l") if name in item))


def is_named(item: Item) -> bool:
    """Return whether an item is that of a user, app or page, which the search finds."""
    pk, sk = key_of(item)
    return sk == keys.ITSELF and pk.partition("#")[0] in KINDS


def with_texts(item: Item) -> Item:
    """Return the new item of a user, app or page with the texts of its rows."""
    texts = expected(item)
    return item | ({TEXTS: {"SS": sorted(texts)}} if texts else {})


def joined(change: Update, texts: frozenset[str]) -> Update:
    """Return a change of an item that also sets the texts of its rows."""
    if texts:
        return Update({**change.sets, TEXTS: texts}, change.adds, change.removes, change.discards)
    return Update(change.sets, change.adds, [*change.removes, TEXTS], change.discards)


def unchanged(item: Item) -> Condition:
    """Return the condition that the item has the same rows as when it was read."""
    texts = texts_of(item)
    return equals(TEXTS, texts) if texts else absent(TEXTS)


def add(write: Transaction, table: str, item: Item) -> None:
    """Add the rows of a new item to its transaction."""
    for text in sorted(texts_of(item)):
        write.put(f"row {text}", table, typed(_key(item, text)))


def remove(write: Transaction, table: str, item: Item) -> None:
    """Add the deletion of all rows of an item to the transaction that closes it."""
    for text in sorted(texts_of(item)):
        write.delete(f"row {text}", table, _key(item, text))


def replace(write: Transaction, table: str, item: Item, texts: frozenset[str]) -> frozenset[str]:
    """Add to a transaction what makes the rows of an item those of `texts`; return `texts`."""
    old = texts_of(item)
    for text in sorted(texts - old):
        write.put(f"row {text}", table, typed(_key(item, text)))
    for text in sorted(old - texts):
        write.delete(f"row {text}", table, _key(item, text))
    return texts


class NamedItems:
    """Changes of items whose only name is `n`: apps and pages."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def change(
        self,
        key: Key,
        change: Update,
        texts: frozenset[str],
        known: Mapping[str, Mapping[str, Any] | None] | None = None,
    ) -> bool:
        """Change an item with its name, and its rows to those of `texts`. Return whether the item exists.

        Raises Conflict (an attribute of `known` has another value; None: it must be absent) and Unavailable.
        """
        known = known or {}

        def changing(item: Item) -> tuple[Update, frozenset[str]] | None:
            if "gone" not in item and any(item.get(name) != value for name, value in known.items()):
                raise Conflict("It was changed in the meantime")
            return None if "gone" in item else (change, texts)

        return self._commit(key, changing, known)

    def complete(self, key: Key) -> bool:
        """Give an item the rows that its names need. Return whether it lacked some. Raises Unavailable."""

        def completing(item: Item) -> tuple[Update, frozenset[str]] | None:
            texts = expected(item)
            return None if texts == texts_of(item) else (Update(), texts)

        return self._commit(key, completing)

    def _commit(
        self,
        key: Key,
        decide: Callable[[Item], tuple[Update, frozenset[str]] | None],
        known: Mapping[str, Mapping[str, Any] | None] = {},
    ) -> bool:
        """Make the change that `decide` returns for the item; return False if there is no item, or it returns None.

        If an attribute of `known` has another value when it is written, `decide` is asked again.
        """
        for wait in races():
            item = self._dynamo.get(self._table, key, consistent=True)
            decided = decide(item) if item else None
            if item is None or decided is None:
                return False
            write = Transaction()
            texts = replace(write, self._table, item, decided[1])
            same = unchanged(item) & _same_names(item)
            for attribute, value in known.items():
                same &= absent(attribute) if value is None else equals(attribute, value)
            alive = ALIVE if "gone" not in item else equals("gone", True)
            write.update("item", self._table, key, joined(decided[0], texts), alive & same)
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable


def _same_names(item: Item) -> Condition:
    """Return the condition that the item's names are as when it was read."""
    names = [equals(name, item[name]) if name in item else absent(name) for name in ("n", "l")]
    return names[0] & names[1]


def _key(item: Item, text: str) -> Key:
    kind, _, name = item["pk"]["S"].partition("#")
    return keys.search_key(kind, text, name)
