"""How names and searches are folded, and the texts of the index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.search import (
    END,
    MOST,
    MOST_CHARACTERS,
    folded,
    from_search_cursor,
    index_texts,
    matching,
    search_text,
    to_search_cursor,
)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Ｈａｎａ", "hana"),
        ("HANA", "hana"),
        ("ハナ", "はな"),
        ("ﾊﾅ", "はな"),
        ("ガ", "が"),
        ("ｶﾞ", "が"),
        ("ヴ", "ゔ"),
        ("カ゛", "か ゙"),
        ("Straße", "strasse"),
        ("İ", "i̇"),
        ("  花　子 \n", "花 子"),
        ("ha\u200bna", "hana"),
        ("\u202eanah", "anah"),
        ("ﬁ", "fi"),
        ("① ㍿", "1 株式会社"),
        ("\u200b\u202e ", ""),
    ],
)
def test_texts_that_look_the_same_are_folded_to_one(text: str, same: str) -> None:
    assert folded(text) == same


@pytest.mark.parametrize(("one", "other"), [("か", "が"), ("e", "é"), ("はな", "花"), ("hana", "һana")])
def test_texts_that_differ_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert END not in folded(text)


@given(st.text(min_size=1), st.integers(0, 40))
def test_a_beginning_of_a_folded_name_finds_it(name: str, most: int) -> None:
    wanted = folded(folded(name)[:most])
    if wanted and folded(name).startswith(wanted):
        texts = matching(wanted, [name])
        assert texts == index_texts(name)
        assert all(text.startswith(wanted[:MOST].rstrip()) and len(text) <= MOST for text in texts)


@given(st.text(max_size=MOST_CHARACTERS))
def test_a_search_is_refused_or_folded(text: str) -> None:
    try:
        assert search_text(text) == folded(text) != ""
    except ParameterInvalid:
        assert folded(text) == ""


def test_a_search_of_the_last_allowed_length_is_taken() -> None:
    assert search_text("a" * MOST_CHARACTERS) == "a" * MOST_CHARACTERS
    with pytest.raises(ParameterInvalid, match="too long"):
        search_text("a" * (MOST_CHARACTERS + 1))
    with pytest.raises(ParameterInvalid, match="visible"):
        search_text("\u200b ")


def test_long_names_are_in_the_index_by_their_beginning_and_compared_whole() -> None:
    name = "あ" * 40 + "い"

    assert index_texts(name, None, "", "hana") == {"あ" * MOST, "hana"}
    assert matching(folded("ア" * 40), [name]) == {"あ" * MOST}
    assert not matching("あ" * 41, [name])


def test_a_cursor_belongs_to_its_search() -> None:
    row = f"hanako{END}k3v9x2mtq7ra"
    cursor = to_search_cursor(row)

    assert from_search_cursor(cursor, "hana") == row
    for wrong in ("", "!", cursor + "=", to_search_cursor("hanako"), to_search_cursor(f"ken{END}k")):
        with pytest.raises(ParameterInvalid):
            from_search_cursor(wrong, "hana")
