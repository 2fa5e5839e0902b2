"""The index of a numbered list: the search for the entry at a position.

Entries are numbered 1, 2, 3, … in the order of creation. A number is never used twice. Lists are read newest first. The
entry at an index is computed from the numbers without an entry: those of deleted entries (*holes*), and those that are
drawn but not used yet. Holes are stored as bits, in *leaves* of 800 numbers each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FIRST = 1
LEAF = 800
WORD = 80
"""Bits of a leaf that are stored in one number, which is changed by addition. It has at most 25 digits, so that it is
exact in DynamoDB (38 digits) and in an emulator that adds decimals as Python does (28)."""


@dataclass(frozen=True)
class Bit:
    """The place of a number's bit: the leaf, the word in the leaf, and its value in the word."""

    leaf: int
    word: int
    value: int


def bit(number: int) -> Bit:
    """Return the bit that marks `number` as a hole."""
    leaf, offset = divmod(number, LEAF)
    return Bit(leaf, offset // WORD, 1 << offset % WORD)


def nth_newest(index: int, following: int, holes: Mapping[int, int], drawn: Iterable[int] = ()) -> int | None:
    """Return the number of the entry at `index` (0: the newest), or None if the list is shorter.

    `following` is the number of the next new entry. `holes` has the bits of each leaf with holes. `drawn` has the
    numbers that have no entry yet.
    """
    empty = {0: (1 << FIRST) - 1}
    for leaf, bits in holes.items():
        empty[leaf] = empty.get(leaf, 0) | bits
    for number in drawn:
        leaf, offset = divmod(number, LEAF)
        empty[leaf] = empty.get(leaf, 0) | 1 << offset
    for leaf in range((following - 1) // LEAF, -1, -1):
        size = min(LEAF, following - leaf * LEAF)
        there = ~empty.get(leaf, 0) & ((1 << size) - 1)
        if index < there.bit_count():
            return leaf * LEAF + _nth_highest(index, there)
        index -= there.bit_count()
    return None


def _nth_highest(index: int, bits: int) -> int:
    """Return the position of the set bit at `index`, counted from the highest set bit down."""
    for _ in range(index):
        bits ^= 1 << bits.bit_length() - 1
    return bits.bit_length() - 1
