"""The rules of the action log: ids, months, filters, reasons, and what an entry may hold."""

import json
from typing import Any

import pytest

from chalicelib.core.actions import (
    MOST_BYTES,
    REASON,
    ActionFilter,
    ActionKind,
    LoggedAction,
    bounded,
    checked_reason,
    first_action_id,
    first_of_month,
    is_action_id,
    month_of,
    months,
    new_action_id,
    time_of_action,
)
from chalicelib.core.errors import ParameterInvalid

NOVEMBER = 1_793_491_200_000
"""The first millisecond of November 2026."""


def action(actor: str = "user:abc", kind: str = "user.created", target: str = "page:12/module:3") -> LoggedAction:
    return LoggedAction(new_action_id(1), 1, actor, kind, target, "request")


def test_ids_sort_by_time_and_contain_it() -> None:
    ids = [new_action_id(time) for time in (0, 1, NOVEMBER, 2 * NOVEMBER)]
    assert ids == sorted(ids)
    assert [time_of_action(each) for each in ids] == [0, 1, NOVEMBER, 2 * NOVEMBER]
    assert all(map(is_action_id, ids))
    assert first_action_id(NOVEMBER) < ids[2] < first_action_id(NOVEMBER + 1)


@pytest.mark.parametrize("text", ["", "a" * 15, "a" * 17, "A" * 16, "花" * 16, "a" * 15 + "-"])
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_action_id(text)


def test_months_are_listed_backwards() -> None:
    assert month_of(NOVEMBER) == "2026-11"
    assert month_of(NOVEMBER - 1) == "2026-10"
    assert first_of_month("2026-11") == NOVEMBER
    assert months(NOVEMBER, NOVEMBER) == []
    assert months(NOVEMBER, NOVEMBER + 1) == ["2026-11"]
    assert months(NOVEMBER - 1, NOVEMBER) == ["2026-10"]
    assert months(NOVEMBER - 1, NOVEMBER + 70 * 86_400_000) == ["2027-01", "2026-12", "2026-11", "2026-10"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, True),
        ({"actor": "user:abc"}, True),
        ({"actor": "user"}, True),
        ({"actor": "user:ab"}, False),
        ({"target": "page:12"}, True),
        ({"target": "page:1"}, False),
        ({"target": "page:12/module:3"}, True),
        ({"target": "page:12/module:3/x"}, False),
        ({"kind": "user"}, True),
        ({"kind": "user.created"}, True),
        ({"kind": "user.create"}, False),
        ({"kind": "user", "target": "page:13"}, False),
    ],
)
def test_filters_compare_whole_words(wanted: dict[str, str], found: bool) -> None:
    assert ActionFilter(0, 1, **wanted).matches(action()) is found
    assert ActionFilter(0, 1, **wanted).is_narrow is bool(wanted)


def test_a_reason_has_a_bound_and_no_control_characters() -> None:
    assert checked_reason(None) == ""
    assert checked_reason(" 迷惑 ") == "迷惑"
    assert checked_reason("花" * REASON) == "花" * REASON
    for wrong in ("花" * (REASON + 1), "a\nb", "a\x00", "\x7f"):
        with pytest.raises(ParameterInvalid):
            checked_reason(f"x{wrong}x")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"name": "x" * 101, "on": True, "none": None}, {"name": "x" * 99 + "…", "on": True, "none": None}),
        ({"list": list(range(11))}, {"list": [*range(10), "…"]}),
        ({"set": frozenset("ba"), "map": {"b": 1, "a": 2}}, {"set": ["a", "b"], "map": ["a", "b"]}),
        ({"kind": ActionKind.USER_CREATED}, {"kind": "ActionKind.USER_CREATED"}),
        ({f"n{i}": "花" * 100 for i in range(4)}, {"fields": ["n0", "n1", "n2", "n3"]}),
    ],
)
def test_what_an_entry_holds_is_bounded(given: dict[str, Any], kept: dict[str, Any]) -> None:
    assert bounded(given) == kept
    many = bounded({f"{i:0200}": "花" * 100 for i in range(100)})
    assert len(json.dumps(many, ensure_ascii=False).encode()) <= 3 * MOST_BYTES
