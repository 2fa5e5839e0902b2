"""The checker of histories accepts those that a single server could produce, and no others."""

from __future__ import annotations

import math
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.linearizability import NotLinearizable, Operation, check


def register(state: Any, operation: Operation) -> Any:
    """Return the state after a read or write of one value, or None if the answer is wrong."""
    kind, value = operation.asked
    if kind == "write":
        return value
    return state if operation.answered == state else None


def counter(state: int, operation: Operation) -> int | None:
    """Return the state after an addition of one, or None if the answer is not the sum."""
    return state + 1 if operation.answered in (None, state + 1) else None


def write(begun: float, ended: float, value: object) -> Operation:
    return Operation(begun, ended, ("write", value), "done")


def read(begun: float, ended: float, value: object) -> Operation:
    return Operation(begun, ended, ("read", None), value, reads=True)


def add(begun: float, ended: float, total: int | None) -> Operation:
    return Operation(begun, ended, "add", total)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([], id="nothing"),
        pytest.param([write(0, 1, "a"), read(2, 3, "a")], id="one after the other"),
        pytest.param([write(0, 3, "a"), read(1, 2, "a")], id="seen before it was told"),
        pytest.param([write(0, 3, "a"), read(1, 2, "")], id="not seen before it was told"),
        pytest.param([write(0, 4, "a"), read(0.5, 1, ""), read(2, 3, "a")], id="seen from then on"),
        pytest.param([write(0, 3, "a"), write(0, 3, "b"), read(4, 5, "a")], id="either may be the last"),
        pytest.param([write(0, 3, "a"), write(0, 3, "b"), read(4, 5, "b")], id="or the other"),
        pytest.param([write(0, math.inf, "a"), read(4, 5, "a")], id="unknown, and happened"),
        pytest.param([write(0, math.inf, "a"), read(4, 5, "")], id="unknown, and did not happen"),
        pytest.param([write(0, math.inf, "a"), read(4, 5, ""), read(6, 7, "a")], id="unknown, and happened late"),
        pytest.param(
            [write(0, 1, "a"), write(0, 9, "a"), write(2, 3, "b"), read(10, 11, "a")], id="of no effect now, but later"
        ),
        pytest.param([write(0, 1, "a"), read(1.5, 2, "").lagging(2)], id="a read that may lag"),
    ],
)
def test_what_one_server_could_have_done(history: list[Operation]) -> None:
    check(history, "", register)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([write(0, 1, "a"), read(2, 3, "")], id="stale read"),
        pytest.param([write(0, 1, "a"), write(2, 3, "b"), read(4, 5, "a")], id="lost update"),
        pytest.param([read(0, 1, "a"), write(2, 3, "a")], id="seen before it was asked"),
        pytest.param([write(0, 5, "a"), read(1, 2, "a"), read(3, 4, "")], id="back in time"),
        pytest.param(
            [write(0, 9, "a"), write(0, 9, "b"), read(1, 2, "a"), read(3, 4, "b"), read(5, 6, "a")], id="twice"
        ),
        pytest.param([read(0, 1, "c")], id="never written"),
        pytest.param([write(0, math.inf, "a"), read(4, 5, "a"), read(6, 7, "")], id="unknown, and undone"),
        pytest.param([write(0, 1, "a"), read(4, 5, "").lagging(2)], id="a read that lags too long"),
        pytest.param([read(0, 1, "a").lagging(2), write(2, 3, "a")], id="a lagging read of the future"),
    ],
)
def test_what_none_could(history: list[Operation]) -> None:
    with pytest.raises(NotLinearizable, match="none fits"):
        check(history, "", register)


def test_counts() -> None:
    check([add(0, 2, 2), add(1, 3, 1), add(4, 5, 3)], 0, counter)
    check([add(0, math.inf, None), add(4, 5, 2)], 0, counter)
    with pytest.raises(NotLinearizable):
        check([add(0, 2, 1), add(1, 3, 1)], 0, counter)  # counted once
    with pytest.raises(NotLinearizable):
        check([add(0, 2, 1), add(3, 4, 3)], 0, counter)  # counted twice


def test_many_at_once_are_decided() -> None:
    """Forty concurrent writes, and reads that fit one order: without memoization this would never end."""
    writes = [write(0, 100, turn) for turn in range(40)]
    reads = [read(1 + turn, 1.5 + turn, turn) for turn in range(40)]
    assert check([*writes, *reads], "", register) < 5_000


def test_unknown_outcomes_that_were_overwritten_take_no_time() -> None:
    unknown = [write(0, math.inf, str(turn)) for turn in range(20)]
    wrong = [write(1, 2, "a"), write(3, 4, "b"), read(5, 6, "c")]

    with pytest.raises(NotLinearizable, match=r"^After"):
        check([*unknown, *wrong], "", register, most=300)


def test_a_search_without_end_is_given_up() -> None:
    history = [add(0, 100, None) for _ in range(12)] + [read(101, 102, -1)]
    with pytest.raises(NotLinearizable, match="undecided"):
        check(history, 0, lambda state, each: state + each.begun + 1 if each.asked == "add" else None, most=3)


def in_some_order(history: list[Operation]) -> bool:
    """Return whether some order respects the times and makes every answer right, which is the definition.

    Of the operations whose outcome is unknown, any may be left out.
    """
    known = [each for each in history if each.is_known]
    unknown = [each for each in history if not each.is_known]
    happened = (some for count in range(len(unknown) + 1) for some in combinations(unknown, count))
    return any(_fits(order) for some in happened for order in permutations([*known, *some]))


def _fits(order: tuple[Operation, ...]) -> bool:
    state: Any = 0
    for turn, operation in enumerate(order):
        if any(later.ended < operation.begun for later in order[turn + 1 :]):
            return False
        state = register(state, operation)
        if state is None:
            return False
    return True


times = st.tuples(st.integers(0, 8), st.integers(0, 4)).map(lambda each: (each[0], each[0] + each[1] + 0.5))
operations = st.builds(
    lambda make, when, value: make(*when, value), st.sampled_from([read, write]), times, st.integers(0, 2)
) | st.builds(write, st.integers(0, 8), st.just(math.inf), st.integers(0, 2))


@settings(max_examples=400)
@given(st.lists(operations, max_size=5))
def test_it_is_the_definition(history: list[Operation]) -> None:
    try:
        check(history, 0, register)
    except NotLinearizable:
        assert not in_some_order(history)
    else:
        assert in_some_order(history)
