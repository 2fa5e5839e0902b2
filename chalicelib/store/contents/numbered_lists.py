"""Lists whose entries are numbered in the order of creation: the feeds of a page, the comments of a content.

| item | sk | attributes |
|---|---|---|
| holder | `h` | `n` number of entries, `nx` the next number, `dr` numbers drawn and not used yet, by ticket |
| entry | `<prefix>c<number>` | depend on the list |
| hidden entry | `<prefix>C<number>` | depend on the list |
| leaf | `<prefix>b<number>` | `w0` … `w9` the bits of its holes (core/numbered_list_index.py) |

All items of a list are in one partition; `prefix` separates the items of one generation from those that an earlier one
left.

An entry is added in two steps: its writer draws a ticket for the next number, a step that cannot lose a race, and one
transaction stores the entry, counts it and deletes the ticket. If a writer crashes, a later one finds its ticket and
makes it a hole. The number of a hole or a deleted entry is never used again.

A hidden entry is a hole, too: the list neither counts nor returns it, and its item is kept under another key. If it is
shown again, the hole is filled.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.core.base36 import base36
from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.errors import ParameterInvalid, Unavailable
from chalicelib.core.numbered_list_index import FIRST, LEAF, WORD, bit, nth_newest
from chalicelib.core.paging import Paging
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import AttributeValue, Condition, Path, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, Span, beginning
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction, Update

NEEDS = (
    # The modules that store or delete an entry declare the writes that count it; tickets and reads are declared here.
    on_table("feeds", "GetItem", "Query", "UpdateItem"),
    on_table("comments", "GetItem", "Query", "UpdateItem"),
)

LIST_PART = "list"
"""The name of a list's holder in a transaction."""
HOLDER = "h"
"""Sorts after every entry, so that a descending query returns the holder first, then the newest entries."""
TICKET_MS = 120_000
"""An older ticket has no owner any more, because no request runs that long."""
GENERATION = 13
"""Characters of a generation's id."""
MOST_SKIPPED = 1_000_000
"""The most numbers between two imported entries."""
_LEAVES_AT_ONCE = 40

_ENTRY, _LEAF = "c", "b"
_HIDDEN = "C"
"""Sorts before entries and leaves, so that reading the newest entries does not meet hidden ones."""
_TIME = 9
_RANDOM = 36**4
_HIGHEST = 9_999_999_999
_CURSOR = re.compile(rf"([0-9a-z]{{{GENERATION}}})([0-9]{{10}})")


@dataclass(frozen=True)
class Ticket:
    """A number that was drawn, and the holder after the draw."""

    id: str
    number: int
    holder: Item


@dataclass(frozen=True)
class ListSlice:
    """A part of a list, newest first, and the cursor of the next part (None: there is none)."""

    holder: Item
    entries: list[Item]
    following: str | None


def new_id(now: int) -> str:
    """Return a new unique id: 13 characters that sort by time (milliseconds since the epoch)."""
    return base36(now, _TIME) + base36(secrets.randbelow(_RANDOM), GENERATION - _TIME)


def holder_key(partition: str) -> Key:
    """Return the key of a list's holder."""
    return partition, HOLDER


def entry_key(partition: str, prefix: str, number: int) -> Key:
    """Return the key of an entry."""
    return partition, f"{prefix}{_ENTRY}{number:010}"


def hidden_key(partition: str, prefix: str, number: int) -> Key:
    """Return the key of a hidden entry."""
    return partition, f"{prefix}{_HIDDEN}{number:010}"


def is_entry(sort_key: str, prefix: str = "") -> bool:
    """Return whether an item with that sort key is an entry of a list, and not a hidden one."""
    return sort_key.startswith(prefix + _ENTRY)


def number_of(item: Item) -> int:
    """Return the number of an entry."""
    return int(item["sk"]["S"][-10:])


def new_holder() -> Item:
    """Return the attributes of the holder of an empty list."""
    return {"n": {"N": "0"}, "nx": {"N": str(FIRST)}, "dr": {"M": {}}}


def total(holder: Item) -> int:
    """Return the number of entries in a list."""
    return int(holder["n"]["N"])


class NumberedLists:
    """The numbered lists of one table. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def draw(self, partition: str, alive: Condition) -> Ticket:
        """Draw the next number. Raises Lost if the holder does not exist or is not `alive`, and Unavailable."""
        ticket = "t" + new_id(self._clock())
        not_drawn = alive & absent(f"dr.{ticket}")
        change = Update({f"dr.{ticket}": Path("nx")}, adds={"nx": 1})
        key = holder_key(partition)
        try:
            holder = self._dynamo.settle(lambda: self._dynamo.updated(self._table, key, change, not_drawn))
        except Lost as lost:
            if lost.item is None or ticket not in _drawn(lost.item):
                raise
            holder = lost.item  # An earlier try drew it, but its response was lost.
        return Ticket(ticket, _drawn(holder)[ticket], holder)

    def use(
        self,
        write: Transaction,
        partition: str,
        ticket: Ticket,
        alive: Condition,
        sets: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        """Count a ticket's entry in the transaction that stores it; the part LIST_PART fails if the ticket is gone.

        `sets` are attributes of the holder that change with it.
        """
        self._strike(write, partition, ticket, alive, {"n": 1}, sets or {})

    def remove(self, write: Transaction, partition: str, prefix: str, number: int, alive: Condition) -> None:
        """Decrease the count in the transaction that deletes an entry."""
        self._count(write, partition, alive, {"n": -1})
        self._hole(write, partition, prefix, number)

    def hide(
        self,
        write: Transaction,
        partition: str,
        prefix: str,
        number: int,
        alive: Condition,
        adds: Mapping[str, int] | None = None,
    ) -> None:
        """Decrease the count in the transaction that hides an entry; `adds` is added to attributes of the holder."""
        self._count(write, partition, alive, {"n": -1, **(adds or {})})
        self._hole(write, partition, prefix, number)

    def show(
        self,
        write: Transaction,
        partition: str,
        prefix: str,
        number: int,
        alive: Condition,
        adds: Mapping[str, int] | None = None,
    ) -> None:
        """Increase the count in the transaction that shows a hidden entry again; `adds` as for `hide`."""
        self._count(write, partition, alive, {"n": 1, **(adds or {})})
        self._hole(write, partition, prefix, number, filled=True)

    def restore_hidden(
        self, write: Transaction, partition: str, prefix: str, number: int, alive: Condition, adds: Mapping[str, int]
    ) -> None:
        """Pass the number of a hidden entry in the transaction that imports it; LIST_PART fails unless it is the next.

        `adds` as for `hide`.
        """
        self._count(write, partition, alive & equals("nx", number), {"nx": 1, **adds})
        self._hole(write, partition, prefix, number)

    def end_late(self, partition: str, prefix: str, ticket: Ticket, alive: Condition) -> None:
        """Make a hole of each ticket that had expired and was still drawn when `ticket` was drawn."""
        oldest = base36(self._clock() - TICKET_MS, _TIME)
        for each, number in _drawn(ticket.holder).items():
            if each[1 : 1 + _TIME] < oldest:
                self.give_up(partition, prefix, Ticket(each, number, ticket.holder), alive)

    def give_up(self, partition: str, prefix: str, ticket: Ticket, alive: Condition) -> None:
        """Make a hole of a ticket, unless it was used or given up, or the list no longer exists.

        If that fails now, a later draw does it, so no error is raised.
        """
        write = Transaction()
        self._strike(write, partition, ticket, alive, {})
        self._hole(write, partition, prefix, ticket.number)
        with suppress(Lost, Unavailable):
            self._dynamo.commit(write)

    def restore(self, write: Transaction, partition: str, number: int, alive: Condition) -> None:
        """Count an imported entry in the transaction that stores it. LIST_PART fails unless its number is the next."""
        self._count(write, partition, alive & equals("nx", number), {"n": 1, "nx": 1})

    def skip(self, partition: str, prefix: str, following: int, number: int, alive: Condition) -> None:
        """Make holes of the numbers from the next one, `following`, up to `number`, so that an entry can be imported.

        Raises Lost if another number is the next, and ParameterInvalid for more than MOST_SKIPPED numbers.
        """
        if number - following > MOST_SKIPPED:
            raise ParameterInvalid(f"id is too far from the ids before it (max={MOST_SKIPPED})")
        while following < number:
            end = min(number, (following // LEAF + _LEAVES_AT_ONCE) * LEAF)
            words: dict[int, dict[str, int]] = {}
            for each in range(following, end):
                where = bit(each)
                leaf = words.setdefault(where.leaf, {})
                leaf[f"w{where.word}"] = leaf.get(f"w{where.word}", 0) + where.value
            write = Transaction()
            change, unchanged = Update(adds={"nx": end - following}), alive & equals("nx", following)
            write.update(LIST_PART, self._table, holder_key(partition), change, unchanged)
            for number_of_leaf, adds in words.items():
                key = (partition, f"{prefix}{_LEAF}{number_of_leaf:07}")
                write.update(f"leaf {number_of_leaf}", self._table, key, Update(adds=adds))
            self._dynamo.commit(write)
            following = end

    def part(
        self, partition: str, paging: Paging, prefix_of: Callable[[Item], str], *, consistent: bool = False
    ) -> ListSlice | None:
        """Return a part of a list, or None if there is no such list.

        It is eventually consistent, but for the beginning of the list if `consistent`, which costs twice as much; that
        is for whoever has just changed the list. `prefix_of` returns the current generation's prefix from the holder.
        It takes one call from the beginning or by a cursor, and at most three from any other index. Raises
        ParameterInvalid for a cursor of another list.
        """
        if paging.cursor is not None:
            return self._after(partition, paging.cursor, paging.count, prefix_of)
        if paging.start == 0:
            found = self._backwards(partition, (" ", HOLDER), paging.count + 2, consistent=consistent)
            if not found or found[0]["sk"]["S"] != HOLDER:
                return None
            prefix = prefix_of(found[0])
            entries = [item for item in found[1:] if item["sk"]["S"].startswith(prefix + _ENTRY)]
            if found[1:] and found[1]["sk"]["S"] > entry_key(partition, prefix, _HIGHEST)[1]:
                # Items of an earlier generation sort after this one: both began at one moment, or by different clocks.
                entries = self._from(partition, prefix, _HIGHEST, paging.count + 1, consistent=consistent)
            return _slice(partition, found[0], entries, paging.count, prefix_of)
        holder = self._dynamo.get(self._table, holder_key(partition), consistent=False)
        if holder is None:
            return None
        newest = self._number(partition, holder, prefix_of(holder), paging.start)
        entries = self._from(partition, prefix_of(holder), newest, paging.count + 1) if newest else []
        return _slice(partition, holder, entries, paging.count, prefix_of)

    def _after(self, partition: str, cursor: str, count: int, prefix_of: Callable[[Item], str]) -> ListSlice | None:
        read = _CURSOR.fullmatch(from_cursor(cursor))
        if read is None or int(read[2]) < FIRST:
            raise ParameterInvalid("cursor does not belong to this list")
        # A list without generations has no prefix; its cursors have a mark made from its partition.
        prefix, number = "" if read[1] == _mark(partition, "") else read[1].upper() + "#", int(read[2])

        def read_holder() -> list[Item]:
            item = self._dynamo.get(self._table, holder_key(partition), consistent=False)
            return [item] if item else []

        holders, entries = side_by_side([read_holder, lambda: self._from(partition, prefix, number - 1, count + 1)])
        if not holders:
            return None
        if prefix_of(holders[0]) != prefix:
            raise ParameterInvalid("cursor does not belong to this list")
        return _slice(partition, holders[0], entries, count, prefix_of)

    def _number(self, partition: str, holder: Item, prefix: str, index: int) -> int | None:
        """Return the number of the entry at an index, or None; read the leaves only if there is a hole."""
        following, drawn = int(holder["nx"]["N"]), _drawn(holder).values()
        holes: dict[int, int] = {}
        if following - FIRST > total(holder) + len(drawn):
            leaves = self._dynamo.query(self._table, partition, beginning(prefix + _LEAF), consistent=False)
            holes = dict(map(_bits, leaves))
        return nth_newest(index, following, holes, drawn)

    def _from(self, partition: str, prefix: str, newest: int, count: int, *, consistent: bool = False) -> list[Item]:
        span = (entry_key(partition, prefix, 0)[1], entry_key(partition, prefix, newest)[1])
        return self._backwards(partition, span, count, consistent=consistent)

    def _backwards(self, partition: str, span: Span, limit: int, *, consistent: bool = False) -> list[Item]:
        found = self._dynamo.query(self._table, partition, span, consistent=consistent, limit=limit, backwards=True)
        return list(found)

    def _strike(
        self,
        write: Transaction,
        partition: str,
        ticket: Ticket,
        alive: Condition,
        adds: Mapping[str, int],
        sets: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        """Delete a ticket in a transaction, if it is still drawn, and change the holder."""
        drawn = f"dr.{ticket.id}"
        change = Update(sets or {}, adds=adds, removes=[drawn])
        write.update(LIST_PART, self._table, holder_key(partition), change, alive & equals(drawn, ticket.number))

    def _count(self, write: Transaction, partition: str, condition: Condition, adds: Mapping[str, int]) -> None:
        write.update(LIST_PART, self._table, holder_key(partition), Update(adds=adds), condition)

    def _hole(self, write: Transaction, partition: str, prefix: str, number: int, *, filled: bool = False) -> None:
        # A number becomes a hole only once, or once more after it was filled, so its bit can be added without a read.
        where = bit(number)
        key = (partition, f"{prefix}{_LEAF}{where.leaf:07}")
        change = Update(adds={f"w{where.word}": -where.value if filled else where.value})
        write.update("hole", self._table, key, change)


def _slice(
    partition: str, holder: Item, entries: list[Item], count: int, prefix_of: Callable[[Item], str]
) -> ListSlice:
    following = None
    if len(entries) > count:
        following = to_cursor(f"{_mark(partition, prefix_of(holder))}{number_of(entries[count - 1]):010}")
    return ListSlice(holder, entries[:count], following)


def _mark(partition: str, prefix: str) -> str:
    """Return the mark of a list in its cursors: the generation, or a digest of the partition if there is none."""
    digest = int.from_bytes(hashlib.sha256(partition.encode()).digest()) % 36**GENERATION
    return (prefix.rstrip("#") or base36(digest, GENERATION)).lower()


def _drawn(holder: Item) -> dict[str, int]:
    return {ticket: int(number["N"]) for ticket, number in holder["dr"]["M"].items()}


def _bits(leaf: Item) -> tuple[int, int]:
    words: Iterable[tuple[str, Item]] = ((name[1:], value) for name, value in leaf.items() if name[0] == "w")
    bits = sum(int(value["N"]) << int(word) * WORD for word, value in words)
    return int(leaf["sk"]["S"][-7:]), bits
