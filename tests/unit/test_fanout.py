"""Parallel calls: their results, their failures, and the length of the longest chain of calls."""

import threading
import time
from functools import partial

import pytest

from chalicelib.store.aws.side_by_side import WORKERS, lane, longest_chain, side_by_side


@pytest.mark.parametrize(
    ("lanes", "length"),
    [
        ([], 0),
        ([()], 1),
        ([(), ()], 2),
        ([((1, 0),), ((1, 1),), ((1, 2),)], 1),
        ([((1, 0),), ((1, 0),), ((1, 1),)], 2),
        ([(), ((1, 0),), ((1, 1),), ()], 3),
        ([((1, 0),), ((2, 0),)], 2),
        ([((1, 0), (2, 0)), ((1, 0), (2, 1)), ((1, 1),), ((1, 1),), ((1, 1),)], 3),
        ([((1, 0), (2, 0)), ((1, 0), (3, 0)), ((1, 1),)], 2),
    ],
    ids=["none", "one", "two", "a fan", "two in a branch", "around a fan", "two fans", "longest branch", "fans in one"],
)
def test_the_longest_chain_is_of_the_calls_that_waited_for_one_another(lanes, length):
    assert longest_chain(lanes) == length


def test_results_come_in_the_order_of_the_jobs():
    def job(turn: int) -> int:
        time.sleep(0.02 / (turn + 1))
        return turn

    assert side_by_side([partial(job, turn) for turn in range(20)]) == list(range(20))


def test_jobs_run_at_the_same_time():
    meeting = threading.Barrier(4)
    side_by_side([partial(meeting.wait, 5)] * 4)


def test_jobs_of_jobs_never_wait_for_a_free_worker():
    inner = [lambda: 1] * 4
    outer = [lambda: sum(side_by_side(inner))] * (WORKERS * 2)
    assert side_by_side(outer) == [4] * (WORKERS * 2)


def test_the_lanes_that_jobs_note_count_as_one_call_after_another():
    noted = [lane.get(), *side_by_side([lane.get] * 5), *side_by_side([lane.get] * 3)]
    assert longest_chain(noted) == 3


def test_a_failure_is_raised():
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        side_by_side([lambda: None, fail])


def test_nothing_to_do_has_no_results():
    assert side_by_side([]) == []
