"""Numbers in base 36: digits and upper-case letters, of fixed width, in the order of the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.base36 import base36, from_base36


@pytest.mark.parametrize(
    ("number", "width", "text"),
    [
        (0, 1, "0"),
        (0, 3, "000"),
        (35, 1, "Z"),
        (36, 1, "10"),
        (36, 4, "0010"),
        (36**6 - 1, 6, "ZZZZZZ"),
        (36**6, 6, "1000000"),
    ],
)
def test_how_numbers_look(number: int, width: int, text: str) -> None:
    assert base36(number, width) == text
    assert from_base36(text) == number


@given(st.integers(0, 36**13 - 1), st.integers(0, 36**13 - 1))
def test_texts_of_one_width_sort_as_their_numbers(one: int, other: int) -> None:
    assert (base36(one, 13) < base36(other, 13)) == (one < other)
    assert from_base36(base36(one, 13)) == one


@pytest.mark.parametrize("text", ["", "-", "1.5", "ä", "1 2"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        from_base36(text)
