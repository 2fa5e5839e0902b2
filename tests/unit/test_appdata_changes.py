"""Atomic changes: each operation against a plain rule, its bounds, and all or none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.appdata_changes import DIGITS, apply, keys_read, read_changes
from chalicelib.core.errors import BadRequest, BoundExceeded, ParameterInvalid, PreconditionFailed, Refusal, TooLarge
from chalicelib.core.limits import Limits

LIMITS = Limits()
LARGEST = "9" * DIGITS
whole = st.integers(-(10**DIGITS) + 1, 10**DIGITS - 1)


def changed(change: dict[str, Any], stored: str | None = None) -> str | None:
    """Return the new value of a key with this change."""
    return apply(read_changes({"k": change}, LIMITS), {} if stored is None else {"k": stored}, LIMITS)["k"]


@given(st.none() | whole, whole, st.none() | whole, st.none() | whole)
def test_add_gives_the_sum_within_its_bounds_and_nothing_else(stored, number, low, high):
    change = {"add": str(number)}
    change |= {} if low is None else {"atLeast": str(low)}
    change |= {} if high is None else {"atMost": str(high)}
    total = (stored or 0) + number
    if low is not None and high is not None and low > high:
        with pytest.raises(ParameterInvalid):
            changed(change, None if stored is None else str(stored))
    elif (low is not None and total < low) or (high is not None and total > high) or len(str(abs(total))) > DIGITS:
        with pytest.raises(BoundExceeded, match="k would"):
            changed(change, None if stored is None else str(stored))
    else:
        assert changed(change, None if stored is None else str(stored)) == str(total)


@given(st.none() | whole, whole)
def test_max_and_min_keep_the_greater_and_the_lesser(stored, number):
    text = None if stored is None else str(stored)
    both = [number] if stored is None else [stored, number]
    assert changed({"max": str(number)}, text) == str(max(both))
    assert changed({"min": str(number)}, text) == str(min(both))


@given(st.none() | st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.text(max_size=9), st.integers(1, 5))
def test_append_adds_to_the_list_and_keeps_the_newest(entries, text, last):
    stored = None if entries is None else json.dumps(entries)
    whole_list = [*(entries or []), text]
    assert json.loads(changed({"append": text}, stored) or "") == whole_list
    assert json.loads(changed({"append": text, "last": last}, stored) or "") == whole_list[-last:]


def test_set_and_delete_need_no_present_value():
    changes = read_changes({"a": {"set": "花"}, "b": {"delete": True}, "c": {"set": "x", "if": None}}, LIMITS)
    assert keys_read(changes) == {"c"}
    assert apply(changes, {}, LIMITS) == {"a": "花", "b": None, "c": "x"}


@pytest.mark.parametrize("operation", [{"set": "1"}, {"delete": True}, {"add": "1"}, {"max": "1"}, {"append": "1"}])
@pytest.mark.parametrize(("expected", "stored"), [("2", None), ("2", "3"), (None, "2"), ("", None)])
def test_a_condition_holds_for_any_operation(operation, expected, stored):
    with pytest.raises(PreconditionFailed, match="The value of k is not the one that if names"):
        changed({**operation, "if": expected}, stored)


@pytest.mark.parametrize(("expected", "stored"), [("2", "2"), (None, None), ("", "")])
def test_a_condition_that_holds_changes_the_value(expected, stored):
    assert changed({"set": "x", "if": expected}, stored) == "x"


def test_conditions_come_before_bounds():
    changes = read_changes({"a": {"add": "-1", "atLeast": "0"}, "b": {"set": "x", "if": "y"}}, LIMITS)
    with pytest.raises(PreconditionFailed, match="b"):
        apply(changes, {}, LIMITS)


@pytest.mark.parametrize("number", ["0", "-0", "007", LARGEST, f"-{LARGEST}"])
def test_numbers_of_up_to_18_digits_are_taken_and_written_plainly(number):
    assert changed({"add": number}) == str(int(number))


@pytest.mark.parametrize("number", ["", "-", "+1", " 1", "1.5", "1e3", "0x1", "１", "9" * 19, "nan", 1, None, True, []])
@pytest.mark.parametrize("operation", ["add", "max", "min"])
def test_another_number_is_refused_and_so_is_a_stored_one(operation, number):
    with pytest.raises(ParameterInvalid, match=f"{operation} of k must be a string"):
        changed({operation: number})
    if isinstance(number, str):
        with pytest.raises(ParameterInvalid, match="The value of k must be a string with a whole number"):
            changed({operation: "1"}, number)
        if operation == "add":
            with pytest.raises(ParameterInvalid, match="atLeast of k"):
                changed({"add": "1", "atLeast": number})


def test_the_19th_digit_is_out_of_bounds_in_both_directions():
    for number, stored in (("1", LARGEST), ("-1", f"-{LARGEST}")):
        with pytest.raises(BoundExceeded, match="k would have more than 18 digits"):
            changed({"add": number}, stored)
        assert changed({"add": "0"}, stored) == stored


@pytest.mark.parametrize("stored", ["", "x", "{}", "[1]", '["a", null]', '"a"', "[" * 60_000, "NaN"])
def test_append_to_what_is_no_list_of_strings_is_refused(stored):
    with pytest.raises(ParameterInvalid, match="The value of k must be a JSON list of strings"):
        changed({"append": "x"}, stored)


@pytest.mark.parametrize("last", [0, -1, 10_001, 1.5, "10", True, None])
def test_last_is_a_whole_number_in_its_bounds(last):
    with pytest.raises(ParameterInvalid, match="last of k must be a whole number from 1 to 10000"):
        changed({"append": "x", "last": last})
    assert changed({"append": "x", "last": 10_000}) == '["x"]'


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (None, ParameterInvalid("No key/value pairs")),
        ({}, ParameterInvalid("No key/value pairs")),
        ([], ParameterInvalid("No key/value pairs")),
        ("x", BadRequest("The changes must be a JSON object")),
        ({"k": "v"}, ParameterInvalid("The change of k must be an object with one operation")),
        ({"k": {}}, ParameterInvalid("The change of k must have one operation of add, append, delete, max, min, set")),
        ({"k": {"if": "x"}}, ParameterInvalid),
        ({"k": {"multiply": "2"}}, ParameterInvalid),
        ({"k": {"set": "x", "add": "1"}}, ParameterInvalid),
        ({"k": {"set": "x", "last": 1}}, ParameterInvalid("The change of k cannot have last beside set")),
        ({"k": {"append": "x", "atLeast": "1"}}, ParameterInvalid),
        ({"k": {"add": "1", "more": "x" * 999}}, ParameterInvalid("The change of k cannot have more beside add")),
        ({"k": {"delete": False}}, ParameterInvalid("delete of k must be true")),
        ({"k": {"delete": 1}}, ParameterInvalid("delete of k must be true")),
        ({"k": {"set": 5}}, ParameterInvalid("set of k must be a string")),
        ({"k": {"set": "x", "if": 5}}, ParameterInvalid("if of k must be a string or null")),
        ({"k": {"add": "1", "atLeast": "2", "atMost": "1"}}, ParameterInvalid("atLeast of k is greater than atMost")),
        ({"a b": {"set": "x"}}, ParameterInvalid("A key must be made of A-Z a-z 0-9 _ . - and not be empty")),
        ({f"k{turn}": {"set": ""} for turn in range(100)}, TooLarge("Too many key/value pairs (max=99)")),
        ({"k": {"set": "x" * 65_536}}, ParameterInvalid("Value of key k is too long (max=65535)")),
        ({"k": {"append": "\ud83d"}}, BadRequest),
        ({f"k{turn}": {"set": "x" * 65_535} for turn in range(58)}, TooLarge),
    ],
    ids=lambda each: "" if isinstance(each, (Refusal, type)) else str(each)[:40],
)
def test_what_is_no_change_is_refused_by_name(body, error):
    with pytest.raises(error if isinstance(error, type) else type(error)) as raised:
        read_changes(body, LIMITS)
    if not isinstance(error, type):
        assert str(raised.value) == error.description


def test_99_keys_pass():
    assert len(read_changes({f"k{turn}": {"add": "1"} for turn in range(99)}, LIMITS)) == 99


def test_a_result_has_the_limits_of_a_value():
    nearly = json.dumps(["x" * 65_525])
    assert len(changed({"append": "123"}, nearly) or "") == 65_535
    with pytest.raises(ParameterInvalid, match="Value of key k is too long"):
        changed({"append": "1234"}, nearly)


def test_the_results_together_have_the_limit_of_a_request():
    changes = read_changes({f"k{turn}": {"append": ""} for turn in range(99)}, LIMITS)
    with pytest.raises(TooLarge, match="Too many bytes of values in one request"):
        apply(changes, dict.fromkeys(changes, json.dumps(["x" * 60_000])), LIMITS)
