"""Which entry of a numbered list stands where.

Entries are numbered 1, 2, 3, … in the order in which they came, and a number is never used twice. Lists are read newest
first, so the entry at an index is found from the numbers that have no entry: those of deleted entries (*holes*), and
those that were drawn and are not used yet. Holes are kept as bits, in *leaves* of 800 numbers each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FIRST = 1
LEAF = 800
WORD = 80
"""Bits of a leaf that are kept together, as a number that is added to: of 25 digits at the most, so that it is exact in
DynamoDB (38 digits), and in an emulator that adds decimals as Python does (28)."""


@dataclass(frozen=True)
class Bit:
    """Where a number's bit is: the leaf, the word in the leaf, and its value there."""

    leaf: int
    word: int
    value: int


def bit(number: int) -> Bit:
    """The bit that says that `number` is a hole."""
    leaf, offset = divmod(number, LEAF)
    return Bit(leaf, offset // WORD, 1 << offset % WORD)


def nth_newest(index: int, following: int, holes: Mapping[int, int], drawn: Iterable[int] = ()) -> int | None:
    """The number of the entry at `index` (0: the newest), None where the list ends before it.

    `following` is the number that the next entry will have; `holes` has the bits of each leaf with any, and `drawn` the
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
    """The position of the bit at `index` among those that are set, from the highest down."""
    for _ in range(index):
        bits ^= 1 << bits.bit_length() - 1
    return bits.bit_length() - 1
