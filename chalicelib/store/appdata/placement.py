"""The decision which values stay inside the ledger, and which become items of their own.

The ledger may have 4,096 bytes, including the longest write window, so that a friend's read costs half a unit and a
write four units. Values that do not fit are moved out, the largest first, since each value outside costs an item of
its own, and each write of one a transaction. The ledger lists its own values, so that a write knows their old size and
a read their keys; if that list is too long, the smallest are unlisted and only counted.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from chalicelib.core.appdata import utf8_bytes
from chalicelib.store.appdata.ledger import WRITE_ID_BYTES, WRITE_IDS, Ledger, to_item
from chalicelib.store.appdata.packing import WINDOW_BYTES, ListedValue, pack_data
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


def place(ledger: Ledger, changes: Mapping[str, str | None], fetched: Mapping[str, int]) -> PlacedValues:
    """Apply `changes` (None: delete) to a ledger whose version, total and window are already the new ones.

    `fetched` has the sizes in bytes of the changed keys that are stored as unlisted own items.
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
    fits = _plain_bytes(inline) <= INLINE_BYTES and len(pack_data(inline, listed)) <= room
    spilled = {} if fits else _spill(inline, listed, ledger.version, room)
    if len(puts.keys() | spilled.keys() | was_own) > MOST_OWN:
        # The request's own pairs can always be moved out: each takes one transaction item, and the rest fitted before.
        spilled = small
    puts |= spilled
    inline = {key: value for key, value in inline.items() if key not in spilled}
    listed |= _listings(spilled, ledger.version)
    # Packing takes as long as all the rest, so data that are known to fit are not packed again to check.
    kept = listed if fits and not spilled else _head(listed, lambda head: len(pack_data(inline, head)) <= room)
    unlisted = ledger.unlisted - len(fetched) + len(listed) - len(kept)
    return PlacedValues(
        replace(ledger, inline=inline, listed=kept, unlisted=unlisted), puts, frozenset(was_own - puts.keys())
    )


def room_for_data(ledger: Ledger) -> int:
    """Return the bytes that packed data may have in this ledger when every other attribute has its longest form."""
    return _room(len(ledger.partition.encode()), len(ledger.epoch.encode()))


@lru_cache
def _room(partition_bytes: int, epoch_bytes: int) -> int:
    # The partition key has one more character, between app and user.
    widest = to_item(Ledger("", "-" * (partition_bytes - 1), "-" * epoch_bytes)) | {
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


def _spill(inline: dict[str, str], listed: dict[str, ListedValue], version: int, room: int) -> dict[str, str]:
    """Return the largest inline values, as few as possible, without which the rest and the list of own values fit."""
    by_size = sorted(inline, key=lambda key: (len(key) + utf8_bytes(inline[key]), key), reverse=True)

    def fits(count: int) -> bool:
        stay = {key: inline[key] for key in by_size[count:]}
        if _plain_bytes(stay) > INLINE_BYTES:
            return False
        left = _listings({key: inline[key] for key in by_size[:count]}, version)
        short = _head(listed | left, lambda head: len(pack_data({}, head)) <= LISTED_BYTES)
        return len(pack_data(stay, short)) <= room

    count = bisect_left(range(len(by_size)), True, key=fits)
    return {key: inline[key] for key in by_size[:count]}


def _head(listed: dict[str, ListedValue], fits: Callable[[dict[str, ListedValue]], bool]) -> dict[str, ListedValue]:
    """Return the largest own values whose list fits: before an unlisted one is changed, it must be read."""
    if fits(listed):
        return listed
    by_size = sorted(listed, key=lambda key: (listed[key].size, key), reverse=True)
    count = bisect_left(
        range(1, len(by_size) + 1), True, key=lambda count: not fits({key: listed[key] for key in by_size[:count]})
    )
    return {key: listed[key] for key in by_size[:count]}


def _plain_bytes(inline: dict[str, str]) -> int:
    return sum(len(key) + utf8_bytes(value) for key, value in inline.items())
