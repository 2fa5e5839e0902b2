"""The entry at an index is the one in a list of all numbers except the deleted and the drawn ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.numbered_list_index import FIRST, LEAF, WORD, bit, nth_newest

MOST = 2_300
Made = tuple[int, set[int], set[int]]
DIGITS = 38
"""The digits of a number that DynamoDB stores exactly."""


def leaves(holes: set[int]) -> dict[int, int]:
    """Return the bits of each leaf, as the sum of the holes' words."""
    words: dict[tuple[int, int], int] = {}
    for number in holes:
        where = bit(number)
        words[where.leaf, where.word] = words.get((where.leaf, where.word), 0) + where.value
    found: dict[int, int] = {}
    for (leaf, word), value in words.items():
        found[leaf] = found.get(leaf, 0) + (value << word * WORD)
    return found


def naive(index: int, following: int, empty: set[int]) -> int | None:
    there = [number for number in range(following - 1, FIRST - 1, -1) if number not in empty]
    return there[index] if index < len(there) else None


@st.composite
def lists(draw: st.DrawFn) -> Made:
    """Return the next number, the holes and the drawn numbers of a list; many are near the borders of leaves."""
    following = draw(st.one_of(st.integers(FIRST, MOST), st.sampled_from([999, 1000, 1001, 1002, 1999, 2000, 2001])))
    if following == FIRST:
        return following, set(), set()
    numbers = st.integers(FIRST, following - 1)
    borders = st.sampled_from([1, 2, 99, 100, 101, 998, 999, 1000, 1001, 1099, 1100, 1999, 2000, 2001])
    holes = {each for each in draw(st.sets(st.one_of(numbers, borders), max_size=60)) if each < following}
    if draw(st.booleans()):
        start = draw(numbers)
        holes |= set(range(start, min(following, start + draw(st.integers(0, 1_200)))))
    drawn = draw(st.sets(numbers, max_size=5)) - holes
    return following, holes, drawn


@given(lists(), st.data())
def test_the_entry_at_an_index_is_that_of_the_whole_list(made: Made, data: st.DataObject) -> None:
    following, holes, drawn = made
    length = following - FIRST - len(holes | drawn)
    for index in {0, length - 1, length, data.draw(st.integers(0, MOST))} - {-1}:
        expected = naive(index, following, holes | drawn)
        assert nth_newest(index, following, leaves(holes), drawn) == expected


@pytest.mark.parametrize("following", [FIRST, LEAF - 1, LEAF, LEAF + 1, LEAF + 2, 2 * LEAF, 2 * LEAF + 1])
def test_an_unbroken_list_counts_down_to_the_first_across_every_border(following: int) -> None:
    for index in range(following - FIRST):
        assert nth_newest(index, following, {}) == following - 1 - index
    assert nth_newest(following - FIRST, following, {}) is None


@pytest.mark.parametrize("number", [999, 1_000, 1_001])
def test_a_hole_at_a_border_is_passed_over(number: int) -> None:
    holes = leaves({number})

    assert nth_newest(0, number + 1, holes) == number - 1
    assert nth_newest(1, number + 2, holes) == number - 1
    assert nth_newest(0, number + 2, holes) == number + 1


def test_a_leaf_of_nothing_but_holes_is_passed_over() -> None:
    holes = leaves(set(range(LEAF, 2 * LEAF)))

    assert nth_newest(0, 2 * LEAF + 1, holes) == 2 * LEAF
    assert nth_newest(1, 2 * LEAF + 1, holes) == LEAF - 1
    assert nth_newest(LEAF - 1, 2 * LEAF + 1, holes) == FIRST
    assert nth_newest(LEAF, 2 * LEAF + 1, holes) is None


@given(st.integers(FIRST, 10_000_000))
def test_a_bit_says_which_number_it_is(number: int) -> None:
    where = bit(number)

    assert where.leaf * LEAF + where.word * WORD + where.value.bit_length() - 1 == number
    assert where.value.bit_count() == 1
    assert 0 <= where.word < LEAF // WORD


def test_a_word_full_of_holes_is_kept_without_rounding() -> None:
    full = sum(bit(number).value for number in range(WORD, 2 * WORD))

    assert full == (1 << WORD) - 1
    assert len(str(full)) <= DIGITS
    assert {bit(number).word for number in range(WORD, 2 * WORD)} == {1}
