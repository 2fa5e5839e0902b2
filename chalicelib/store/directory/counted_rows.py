"""Counted rows, such as friendships and followers. A row and its counts change in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, Unavailable
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, PRESENT, Condition, absent, equals, less
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, SWEEP, on_table
from chalicelib.store.aws.items import Item, Key, key_of
from chalicelib.store.aws.transactions import MOST_ITEMS, Transaction, Update

NEEDS = (
    on_table("directory", "PutItem", "ConditionCheckItem"),
    # The rows of a page are deleted with it; the queue clears them last.
    on_table("directory", "DeleteItem", "UpdateItem", by=(API, CLEAN, SWEEP)),
)


@dataclass(frozen=True)
class Count:
    """A count of rows: the attribute `name` of the item `holder`, at most `most`."""

    holder: Key
    name: str
    most: int | None = None

    @property
    def has_room(self) -> Condition:
        """The condition that the holder exists and can count one more row."""
        if self.most is None:
            return ALIVE
        return ALIVE & (absent(self.name) | less(self.name, self.most))


def counts_nothing(name: str) -> Condition:
    """Return the condition that the item's count `name` is 0 or absent."""
    return absent(name) | equals(name, 0)


@dataclass(frozen=True)
class Row:
    """A row, the counts that include it, and the items that must exist before it can be added."""

    item: Item
    counts: Sequence[Count] = ()
    needs: Sequence[Key] = ()


Rows = Sequence[Row]
"""Rows that are added and removed together."""


class CountedRows:
    """The counted rows of one table."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def add(self, rows: Rows) -> bool:
        """Add rows that are added and removed together. Return False if one of them already existed.

        Raises NotFound (a holder of a count or a needed item does not exist), ParameterInvalid (a count is at its
        maximum) and Unavailable.
        """
        counts = [count for row in rows for count in row.counts]
        needs = [key for row in rows for key in row.needs]
        write = Transaction()
        for row in rows:
            write.put(_row(row), self._table, row.item, ABSENT)
        for count in counts:
            change, holder = Update(adds={count.name: 1}), count.holder
            write.update(_holder(holder), self._table, holder, change, count.has_room)
        for key in needs:
            write.check(_holder(key), self._table, key, ALIVE)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            _check_holders(lost, [*(count.holder for count in counts), *needs])
            if any(lost.failed(_row(row)) for row in rows):
                return False
            full = next(count for count in counts if lost.failed(_holder(count.holder)))
            raise ParameterInvalid(f"Too many {full.name} (max={full.most})") from None
        return True

    def remove(self, rows: Rows, needs: Sequence[Key] = ()) -> bool:
        """Remove rows that are added and removed together, if the items of `needs` exist. Return whether they existed.

        Raises NotFound (a holder of a count does not exist), Conflict (an item of `needs` does not) and Unavailable.
        """
        write = self._removal([rows])
        for key in needs:
            write.check(_need(key), self._table, key, PRESENT)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            if not any(lost.failed(_row(row)) for row in rows) and any(lost.failed(_need(key)) for key in needs):
                raise Conflict("An item that was to stay is gone") from None
            _check_holders(lost, [count.holder for row in rows for count in row.counts], closed_too=True)
            return False
        return True

    def clear(self, find: Callable[[], Sequence[Rows]]) -> None:
        """Remove the rows that `find` returns, until it returns none. Others may remove such rows, but not add any.

        Raises Unavailable if it makes no progress; a repeated call continues.
        """
        waits = races()
        while found := find():
            lost = False
            for together in _packed(found):
                try:
                    self._dynamo.commit(self._removal(together))
                    waits = races()
                except Lost:
                    lost = True
            if lost:
                wait = next(waits, None)
                if wait is None:
                    raise Unavailable
                self._dynamo.rest(wait)

    def _removal(self, together: Sequence[Rows]) -> Transaction:
        rows = [row for each in together for row in each]
        lower: dict[Key, dict[str, int]] = {}
        for row in rows:
            for count in row.counts:
                names = lower.setdefault(count.holder, {})
                names[count.name] = names.get(count.name, 0) - 1
        write = Transaction()
        for row in rows:
            write.delete(_row(row), self._table, key_of(row.item), PRESENT)
        for key, adds in lower.items():
            write.update(_holder(key), self._table, key, Update(adds=adds), PRESENT)
        return write


def _row(row: Row) -> str:
    """Return the name of a row's part in a transaction."""
    return "row {} {}".format(*key_of(row.item))


def _holder(key: Key) -> str:
    """Return the name of the transaction's part for an item that counts rows or that a row needs."""
    return "holder {} {}".format(*key)


def _need(key: Key) -> str:
    """Return the name of the transaction's part for an item that must exist while rows are removed."""
    return "need {} {}".format(*key)


def _check_holders(lost: Lost, holders: Iterable[Key], *, closed_too: bool = False) -> None:
    """Raise NotFound if one of these items is missing or (unless `closed_too`) is being deleted."""
    for key in holders:
        if lost.failed(_holder(key)):
            item = lost.stored(_holder(key))
            if item is None or ("gone" in item and not closed_too):
                kind, _, name = key[0].partition("#")
                raise NotFound(f"There is no {kind} {name}")


def _packed(found: Sequence[Rows]) -> Iterator[Sequence[Rows]]:
    """Yield the rows in groups; one transaction can hold a group and its counts."""
    together: list[Rows] = []
    items: set[Key] = set()
    for rows in found:
        own = {key_of(row.item) for row in rows} | {count.holder for row in rows for count in row.counts}
        if together and len(items | own) > MOST_ITEMS:
            yield together
            together, items = [], set()
        together.append(rows)
        items |= own
    if together:
        yield together
