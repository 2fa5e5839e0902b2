"""Rows that are counted: a friendship, a follower. A row and the counts it is in change in one transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.core.errors import NotFound, ParameterInvalid, Unavailable
from chalicelib.store.aws.client import TRANSACTION, Condition, Dynamo, Key, key_of, races
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_table
from chalicelib.store.aws.item_size import Item
from chalicelib.store.aws.transactions import (
    ABSENT,
    PRESENT,
    THERE,
    Update,
    Write,
    check,
    commit,
    delete,
    put,
    update,
)

NEEDS = (
    on_table("directory", "PutItem", "ConditionCheckItem"),
    # What belongs to a page goes with it, last of all that the queue clears.
    on_table("directory", "DeleteItem", "UpdateItem", by=(API, CLEAN)),
)


@dataclass(frozen=True)
class Count:
    """A number that counts rows: the attribute `name` of the item `holder`, at most `most`."""

    holder: Key
    name: str
    most: int | None = None

    @property
    def has_room(self) -> Condition:
        """The holder is there, and one more may be counted."""
        if self.most is None:
            return THERE
        below = f"(attribute_not_exists({self.name}) OR {self.name} < :most)"
        return Condition(f"{THERE.expression} AND {below}", {":most": {"N": str(self.most)}})


@dataclass(frozen=True)
class Row:
    """A row, the counts it is in, and the items that must be there for it to be added."""

    item: Item
    counts: Sequence[Count] = ()
    needs: Sequence[Key] = ()


Rows = Sequence[Row]
"""Rows that come and go together."""


class Counted:
    """The counted rows of one table."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def add(self, rows: Rows) -> bool:
        """Add rows that come and go together; whether they were not there.

        Raises NotFound (an item that counts or is needed does not exist), ParameterInvalid (a count is at its most)
        and Unavailable.
        """
        counts = [count for row in rows for count in row.counts]
        needs = [key for row in rows for key in row.needs]
        writes = [put(self._table, row.item, ABSENT) for row in rows]
        writes += [update(self._table, each.holder, Update(adds={each.name: 1}), each.has_room) for each in counts]
        writes += [check(self._table, key, THERE) for key in needs]
        try:
            commit(self._dynamo, writes)
        except Lost as lost:
            holders = [count.holder for count in counts] + needs
            self._need(lost, dict(enumerate(holders, len(rows))))
            if any(position < len(rows) for position in lost.failed):
                return False
            full = next(count for turn, count in enumerate(counts, len(rows)) if turn in lost.failed)
            raise ParameterInvalid(f"Too many {full.name} (max={full.most})") from None
        return True

    def remove(self, rows: Rows) -> bool:
        """Remove rows that come and go together; whether they were there. Raises NotFound as `add`, Unavailable."""
        try:
            commit(self._dynamo, self._removal([rows]))
        except Lost as lost:
            holders = [count.holder for row in rows for count in row.counts]
            self._need(lost, dict(enumerate(holders, len(rows))), gone_too=True)
            return False
        return True

    def clear(self, find: Callable[[], Sequence[Rows]]) -> None:
        """Remove what `find` finds, until it finds nothing. Others may remove of it meanwhile, but nobody add.

        Raises Unavailable where it gets nowhere; called again, it goes on.
        """
        waits = races()
        while found := find():
            lost = False
            for together in _packed(found):
                try:
                    commit(self._dynamo, self._removal(together))
                    waits = races()
                except Lost:
                    lost = True
            if lost:
                wait = next(waits, None)
                if wait is None:
                    raise Unavailable
                self._dynamo.rest(wait)

    def _removal(self, together: Sequence[Rows]) -> list[Write]:
        rows = [row for each in together for row in each]
        lower: dict[Key, dict[str, int]] = {}
        for row in rows:
            for count in row.counts:
                names = lower.setdefault(count.holder, {})
                names[count.name] = names.get(count.name, 0) - 1
        deletes = [delete(self._table, key_of(row.item), PRESENT) for row in rows]
        return deletes + [update(self._table, key, Update(adds=adds), PRESENT) for key, adds in lower.items()]

    def _need(self, lost: Lost, holders: Mapping[int, Key], *, gone_too: bool = False) -> None:
        for position, holder in holders.items():
            if position in lost.failed:
                item = lost.failed[position]
                if item is None or ("gone" in item and not gone_too):
                    kind, _, name = holder[0].partition("#")
                    raise NotFound(f"There is no {kind} {name}")


def _packed(found: Sequence[Rows]) -> Iterator[Sequence[Rows]]:
    """As many of the rows at once as one transaction can hold with the counts they are in."""
    together: list[Rows] = []
    items: set[Key] = set()
    for rows in found:
        own = {key_of(row.item) for row in rows} | {count.holder for row in rows for count in row.counts}
        if together and len(items | own) > TRANSACTION:
            yield together
            together, items = [], set()
        together.append(rows)
        items |= own
    if together:
        yield together
