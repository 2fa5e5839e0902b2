"""Tests that posting, commenting, favorites, deleting and cleaning are right whatever happens to a call.

For each operation, each fault and each call: it is done, or the response is a 503 and nothing has changed (unless a
response was lost); nothing is done twice; the repeated operation ends right; the counts equal the numbers of items at
every moment; and after time and the sweep, exactly the same data are left as without a fault.
"""

from __future__ import annotations

from functools import cache, partial
from itertools import product
from typing import Any

import pytest

from chalicelib.store.aws.client import TRIES
from tests.faults.contents import OPERATIONS, RIVALS, TOLD, ContentsScene, furnish
from tests.faults.fault import COLLISION, FAULTS, TRANSACTIONS, no_strike
from tests.faults.scene import Operation, Processes, noting
from tests.kit.calls import TRANSACTION, Call
from tests.kit.request_stage import BUSY
from tests.kit.stage import Stage

SEEDS = range(8)
AT_ONCE = [rivals for name, rivals in RIVALS.items() if name != "lets time pass" and not name.startswith("hides")]
PASSING = [fault for fault in FAULTS if fault.bearable >= TRANSACTIONS and not fault.lasting]
"""Faults under which a transaction still succeeds when a rival writes in between."""


@cache
def processes(shards: int, told: bool) -> Processes:
    return Processes(
        lambda cloud, client: Stage(cloud, client, ENGAWA_FAVORITE_SHARDS=str(shards)), partial(furnish, told=told)
    )


@cache
def scene(operation: Operation) -> ContentsScene:
    return ContentsScene(operation, processes(operation.shards, operation.told))


each_operation = pytest.mark.parametrize("operation", OPERATIONS + TOLD, ids=lambda each: each.name)
each_told = pytest.mark.parametrize("operation", TOLD, ids=lambda each: each.name)
"""The operations for an app that is told of everything: besides events, they write what the others write."""


@each_operation
def test_without_a_fault_all_is_well(operation: Operation) -> None:
    here = scene(operation)
    (outcome,), seen, end = here.right(1)

    assert outcome in ("done", "Conflict", "NotFound", "PermissionDenied")
    assert outcome != "done" or operation.steps or "again" in operation.name or seen != here.right(0).seen
    assert outcome == "done" or seen == here.right(0).seen
    assert operation.steps or end == seen


@each_operation
def test_a_fault_breaks_no_promise(operation: Operation) -> None:
    for fault in FAULTS:
        scene(operation).meet(fault)


@each_told
def test_a_rival_between_two_calls_breaks_no_promise(operation: Operation) -> None:
    here = scene(operation)
    for (name, rivals), turn in product(RIVALS.items(), range(1, len(here.calls))):

        def meet(call: Call, rivals: list[Operation] = rivals, turn: int = turn) -> Any:
            if call.turn == turn:
                here.strike(rivals)
            return call.go()

        here.reset()
        with noting(f"a rival {name} before call {turn} of {here.calls}"):
            here.check(here.run(meet), busy=False, again=False)


@each_told
def test_many_rivals_break_no_promise(operation: Operation) -> None:
    here = scene(operation)
    for seed in SEEDS:
        with noting(f"seed {seed}"):
            here.check(here.meet_at_random(seed, AT_ONCE, PASSING, most=4), busy=False, again=False)


@each_told
def test_the_order_of_a_transaction_means_nothing(operation: Operation) -> None:
    here = scene(operation)
    for rivals in ([], *RIVALS.values()):
        here.reorder(rivals)


def test_a_race_that_is_never_won_ends_with_a_503() -> None:
    here = scene(OPERATIONS[1])
    here.reset()
    tries: list[str] = []

    def meet(call: Call) -> Any:
        if call.operation == TRANSACTION:
            tries.append(call.request["ClientRequestToken"])
            return COLLISION.acts[0](call, no_strike)
        return call.go()

    assert here.run(meet) == BUSY
    assert (len(tries), len(set(tries))) == (TRIES, 1)
