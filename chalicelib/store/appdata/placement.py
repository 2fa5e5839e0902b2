"""The decision which values stay inside the ledger, and which become items of their own.

The ledger may have 4,096 bytes, including the longest write window, so that a friend's read costs half a unit and a
write four units. Values that do not fit are moved out, the largest first, since each value outside costs an item of
its own, and each write of one a transaction. The ledger lists its own values, so that a write knows their old size and
a read their keys; if that list is too long, the smallest are unlisted and only counted.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from chalicelib.core.appdata import utf8_bytes
from chalicelib.store.appdata.ledger import WRITE_ID_BYTES, WRITE_IDS, Ledger, to_item
from chalicelib.store.appdata.packing import (
    WINDOW_BYTES,
    ListedValue,
    inline_piece,
    listed_piece,
    pack_data,
    pack_pieces,
)
from chalicelib.store.aws import formats
from chalicelib.store.aws.item_size import READ_UNIT, item_size
from chalicelib.store.aws.transactions import MOST_ITEMS

LEDGER_BYTES = READ_UNIT
INLINE_VALUE_BYTES = 3072
INLINE_BYTES = 16_384
"""Plain bytes of all inline keys and values: this limit keeps reads fast even if the values deflate well."""
LISTED_BYTES = 2048
"""Deflated bytes that the list of own values may use in the ledger while inline values need the room."""
MOST_OWN = MOST_ITEMS - 1
"""Own values that one write may change: a transaction has at most 100 items, and the ledger is one."""

_LARGEST_TOTAL, _LARGEST_VERSION, _LARGEST_COUNT = "9" * 8, "9" * 10, "9" * 5
"""The numbers of a ledger with the most digits that they can reach."""


@dataclass(frozen=True)
class PlacedValues:
    """A ledger that fits, and the own items to write (key → value) and to delete together with it."""

    ledger: Ledger
    puts: Mapping[str, str]
    deletes: frozenset[str]

    @property
    def is_one_item(self) -> bool:
        """Whether the ledger alone is written, so that no transaction is needed."""
        return not self.puts and not self.deletes


def place(
    ledger: Ledger, changes: Mapping[str, str | None], fetched: Mapping[str, int], most_own: int = MOST_OWN
) -> PlacedValues:
    """Apply `changes` (None: delete), at most `most_own`, to a ledger with the new version, total and window.

    `fetched` has the sizes in bytes of the changed keys that are stored as unlisted own items. At most `most_own` own
    items are written or deleted.
    """
    inline = {key: value for key, value in ledger.inline.items() if key not in changes}
    listed = {key: own for key, own in ledger.listed.items() if key not in changes}
    stored = {key: value for key, value in changes.items() if value is not None}
    small = {key: value for key, value in stored.items() if utf8_bytes(value) <= INLINE_VALUE_BYTES}
    puts = {key: value for key, value in stored.items() if key not in small}
    was_own = {key for key in changes if key in ledger.listed or key in fetched}

    inline |= small
    listed |= _listings(puts, ledger.version)
    room = room_for_data(ledger)
    own, kept = len(listed), listed
    # Packing takes as long as all the rest, so data that are known to fit are not packed again.
    if _plain_bytes(inline) > INLINE_BYTES or len(pack_data(inline, listed)) > room:
        overfull = _Overfull(inline, listed, ledger.version, room, most_own)
        stay, kept = overfull.choose(small.keys(), puts.keys() | was_own)
        own += len(inline) - len(stay)
        left, inline = inline, {key: inline[key] for key in stay}
        puts |= {key: value for key, value in left.items() if key not in inline}
    return PlacedValues(
        replace(ledger, inline=inline, listed=kept, unlisted=ledger.unlisted - len(fetched) + own - len(kept)),
        puts,
        frozenset(was_own - puts.keys()),
    )


def room_for_data(ledger: Ledger) -> int:
    """Return the bytes that packed data may have in this ledger when every other attribute has its longest form."""
    return _room(len(ledger.partition.encode()), len(ledger.epoch.encode()))


@lru_cache
def _room(partition_bytes: int, epoch_bytes: int) -> int:
    # The partition key has one more character, between app and user.
    widest = formats.numbered(to_item(Ledger("", "-" * (partition_bytes - 1), "-" * epoch_bytes))) | {
        "t": {"N": _LARGEST_TOTAL},
        "v": {"N": _LARGEST_VERSION},
        "c": {"N": _LARGEST_COUNT},
        "w": {"B": bytes(WINDOW_BYTES)},
        "d": {"B": b""},
        "i": {"B": bytes(WRITE_ID_BYTES * WRITE_IDS)},
    }
    return LEDGER_BYTES - item_size(widest)


def _listings(values: Mapping[str, str], version: int) -> dict[str, ListedValue]:
    return {key: ListedValue(utf8_bytes(value), version) for key, value in values.items()}


class _Overfull:
    """The values of a ledger that do not all fit. Each is encoded once, and trials show how many must be moved out.

    Deflated data depend on the order, and may even grow when a value leaves. So each trial packs exactly the bytes that
    would be stored.
    """

    def __init__(
        self, inline: dict[str, str], listed: dict[str, ListedValue], version: int, room: int, most_own: int
    ) -> None:
        self._inline = inline
        self._listed = listed
        self._version = version
        self._room = room
        self._most_own = most_own
        self._sizes = {key: len(key) + utf8_bytes(value) for key, value in inline.items()}
        self._by_size = sorted(inline, key=lambda key: (self._sizes[key], key), reverse=True)
        self._inline_pieces = {key: inline_piece(key, value) for key, value in inline.items()}
        self._listed_pieces = {key: listed_piece(key, own) for key, own in listed.items()}

    def choose(self, changed: Collection[str], touched: Collection[str]) -> tuple[list[str], dict[str, ListedValue]]:
        """Return the inline keys that stay, in the order to store them, and the own values to list.

        The largest leave, as few as possible. But the transaction, which has the own items `touched` anyway, may have
        no room for so many. Then all `changed` values leave: each takes one of its items, and the rest fitted before.
        """
        most = self._most_moved(self._by_size, touched)
        count = self._fewest(self._by_size, self._fits, most + 1)
        if count <= most:
            stay = self._by_size[count:]
            return stay, self._longest_list(stay, len(self._short_list(stay)))
        stay = [key for key in self._inline if key not in changed]
        if not self._fits_unlisted(stay):
            # Without the changed values, the rest may deflate a little worse. Only data with many like pairs do so, and
            # they deflate much better in an order that puts like values, and keys with like ends, side by side.
            stay.sort(key=lambda key: (self._inline[key], key[::-1]))
        if not self._fits_unlisted(stay):
            rest = [key for key in self._by_size if key not in changed]
            stay = rest[self._fewest(rest, self._fits_unlisted, self._most_moved(rest, {*touched, *changed})) :]
        return stay, self._longest_list(stay, 0)

    def _fewest(self, order: list[str], fits: Callable[[list[str]], bool], high: int) -> int:
        """Return the least number of first keys of `order` without which the rest fits; `high` if it is not less."""
        plain = [*accumulate((self._sizes[key] for key in order), initial=0)]
        low = min(high, bisect_left(plain, plain[-1] - INLINE_BYTES))
        return _first(lambda count: fits(order[count:]), low, high, low)

    def _most_moved(self, order: list[str], touched: Collection[str]) -> int:
        """Return the number of the first keys in `order` that the write can move out beside the own items `touched`."""
        free = accumulate((key not in touched for key in order), initial=len(touched))
        return sum(items <= self._most_own for items in free) - 1

    def _fits(self, stay: list[str]) -> bool:
        return self._fits_unlisted(stay) and len(self._packed(stay, self._short_list(stay))) <= self._room

    def _fits_unlisted(self, stay: list[str]) -> bool:
        return len(self._packed(stay, {})) <= self._room

    def _short_list(self, stay: list[str]) -> dict[str, ListedValue]:
        return _head(self._own_beside(stay), self._list_bytes, LISTED_BYTES)

    def _longest_list(self, stay: list[str], least: int) -> dict[str, ListedValue]:
        return _head(self._own_beside(stay), lambda head: len(self._packed(stay, head)), self._room, least)

    def _list_bytes(self, listed: Mapping[str, ListedValue]) -> int:
        return len(self._packed([], listed))

    def _own_beside(self, stay: list[str]) -> dict[str, ListedValue]:
        """Return all own values that could be listed if these inline values stay."""
        gone = self._inline.keys() - stay
        left = {key: self._inline[key] for key in self._by_size if key in gone}
        return self._listed | _listings(left, self._version)

    def _packed(self, stay: list[str], listed: Mapping[str, ListedValue]) -> bytes:
        for key in listed.keys() - self._listed_pieces.keys():
            self._listed_pieces[key] = listed_piece(key, listed[key])
        return pack_pieces([self._inline_pieces[key] for key in stay], [self._listed_pieces[key] for key in listed])


def _head(
    listed: dict[str, ListedValue], size: Callable[[dict[str, ListedValue]], int], most: int, least: int = 0
) -> dict[str, ListedValue]:
    """Return the largest own values, at least `least`, with which the packed size is at most `most`.

    Before an own value that is not listed is changed, it must be read.
    """
    whole = size(listed)
    if whole <= most:
        return listed
    by_size = sorted(listed.items(), key=lambda item: (item[1].size, item[0]), reverse=True)
    base = size(dict(by_size[:least]))
    guess = least + (len(listed) - least) * (most - base) // max(1, whole - base)
    return dict(
        by_size[: _first(lambda count: size(dict(by_size[:count])) > most, least + 1, len(listed) + 1, guess) - 1]
    )


def _first(holds: Callable[[int], bool], low: int, high: int, guess: int) -> int:
    """Return the first number from `low` for which `holds` is true, or else `high`.

    If it is not so for all later numbers, the result is one for which it is true, but may not be the first. Steps that
    double lead away from `guess`; the numbers between the last two are halved.
    """
    seen, step = set(), 1
    while low < high:
        at = min(max(guess, low), high - 1)
        found = holds(at)
        seen.add(found)
        low, high = (low, at) if found else (at + 1, high)
        guess = (low + high) // 2 if len(seen) == 2 else at - step if found else at + step
        step *= 2
    return low


def _plain_bytes(inline: dict[str, str]) -> int:
    return sum(len(key) + utf8_bytes(value) for key, value in inline.items())
