"""Rankings: ranks and ties against a plain rule, the comparison of values, and the parameters."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.limits import Limits
from chalicelib.core.ranking import Ranking, RankingQuery, rank, read_query

LIMITS = Limits()
numbers = st.sampled_from(["0", "-0", "7", "007", "7.0", "-3", "10", "9", "6.5", "1" + "0" * 40])
texts = st.sampled_from(["", "a", "b", "B", "10", "9", "花", "😀"])
users = st.sampled_from([f"user{number}" for number in range(8)])


def query(**parameters: str) -> RankingQuery:
    found = read_query({"sortBy": "best", **parameters}.get, LIMITS)
    assert found
    return found


def ranked(values: dict[str, str], user: str = "me", keys: frozenset[str] | None = None, **parameters: str) -> Ranking:
    return rank(query(**parameters), {each: {"best": value} for each, value in values.items()}, user, keys)


@given(st.dictionaries(users, numbers) | st.dictionaries(users, texts), st.booleans())
def test_a_rank_is_one_more_than_the_number_of_users_before(values, down):
    try:
        compared = {user: Fraction(value) for user, value in values.items()}
    except ValueError:
        compared = values
    found = ranked(values, sortOrder="descending" if down else "ascending", count="1000")
    for entry in found.entries:
        own = compared[entry["id"]]
        before = sum(each > own if down else each < own for each in compared.values())
        assert entry["rank"] == before + 1
        assert entry["data"] == {"best": values[entry["id"]]}
    assert [(entry["rank"], entry["id"]) for entry in found.entries] == sorted(
        (entry["rank"], entry["id"]) for entry in found.entries
    )
    assert {entry["id"] for entry in found.entries} == values.keys()
    assert found.total == len(values)


def test_one_text_makes_all_values_texts():
    assert [each["id"] for each in ranked({"a": "10", "b": "9"}).entries] == ["b", "a"]
    assert [each["id"] for each in ranked({"a": "10", "b": "9", "c": "1e1"}).entries] == ["a", "c", "b"]


def test_the_own_entry_stands_wherever_it_is():
    values = {"a": "3", "b": "2", "me": "1"}
    found = ranked(values, includeSelf="true", sortOrder="descending", count="1")
    assert found.entries == [{"id": "a", "rank": 1, "data": {"best": "3"}}]
    assert found.own == {"id": "me", "rank": 3, "data": {"best": "1"}}
    assert found.counters(query(count="1").paging) == {
        "self": found.own,
        "startIndex": 0,
        "itemsPerPage": 1,
        "totalResults": 3,
    }
    assert ranked(values).own is None
    assert "self" not in ranked({"a": "3"}, includeSelf="true").counters(query().paging)


def test_an_entry_has_the_requested_data_and_who_lacks_the_key_is_absent():
    data = {"a": {"best": "3", "name": "A"}, "b": {"name": "B"}}
    assert rank(query(), data, "a", frozenset({"name"})).entries == [{"id": "a", "rank": 1, "data": {"name": "A"}}]
    assert rank(query(), data, "a", None).entries[0]["data"] == data["a"]


def test_a_part_keeps_the_ranks_of_the_whole():
    found = ranked({"a": "1", "b": "1", "c": "2", "d": "3"}, startIndex="1", count="2")
    assert [(each["id"], each["rank"]) for each in found.entries] == [("b", 1), ("c", 3)]


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_there_is_no_ranking(key):
    assert read_query({"sortBy": key, "sortOrder": "sideways"}.get, LIMITS) is None


@pytest.mark.parametrize(
    ("parameter", "fine", "wrong"),
    [
        ("sortBy", ["k" * 255], ["k" * 256, "a b", "鍵"]),
        ("sortOrder", ["", "ascending", "descending"], ["Descending", "up"]),
        ("includeSelf", ["", "true", "false"], ["1", "TRUE"]),
        ("count", ["1", "1000"], ["0", "1001", "x"]),
        ("startIndex", ["0", "1000"], ["-1", "1.0"]),
    ],
)
def test_parameters_have_their_bounds(parameter, fine, wrong):
    for value in fine:
        query(**{parameter: value})
    for value in wrong:
        with pytest.raises(ParameterInvalid):
            query(**{parameter: value})
