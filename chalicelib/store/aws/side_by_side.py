"""Parallel calls, and the number of calls that wait for one another."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

WORKERS = 16

Lane = tuple[tuple[int, int], ...]
"""The lane of a call: () in the request's own thread, and one (group, branch) for each fan-out around the call."""

lane: ContextVar[Lane] = ContextVar("lane", default=())
_groups = count()


@cache
def _pool() -> "ThreadPoolExecutor":
    # A cold start that reads one user's data needs no threads.
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(WORKERS, thread_name_prefix="store")


def side_by_side(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run `jobs` in parallel; return their results in order. A failure is raised when its turn in the order comes.

    Inside a job, it runs its jobs one after the other: if every worker waited for workers, none would be free.
    """
    if len(jobs) < 2 or lane.get():
        return [job() for job in jobs]
    group, outer = next(_groups), lane.get()

    def run(branch: int, job: Callable[[], T]) -> T:
        lane.set((*outer, (group, branch)))
        return job()

    futures = [_pool().submit(copy_context().run, run, branch, job) for branch, job in enumerate(jobs)]
    return [future.result() for future in futures]


def longest_chain(lanes: Sequence[Lane]) -> int:
    """Return how many of the calls made in these lanes had to wait for one another: the calls in sequence."""
    own = sum(1 for each in lanes if not each)
    inside: dict[int, dict[int, list[Lane]]] = {}
    for each in lanes:
        if each:
            group, branch = each[0]
            inside.setdefault(group, {}).setdefault(branch, []).append(each[1:])
    return own + sum(max(longest_chain(branch) for branch in branches.values()) for branches in inside.values())
