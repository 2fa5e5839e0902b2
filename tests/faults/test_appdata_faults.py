"""Tests that each request on app data is right whatever happens to a call, and whatever a rival does between two calls.

For each operation, each fault and each call: the response is right by the rules at some moment during the request, or
it is a 503 and nothing has changed (unless a response was lost); the repeated request ends right; and the stored data
are right by the rules, counted once, in one place, with no remains that a sweep would not find.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib.store.appdata.ledger import WRITE_IDS
from chalicelib.store.aws.transactions import MOST_ITEMS
from tests.faults.appdata import (
    ALL_FAULTS,
    IN_PIECES,
    LIMITS,
    NO_ROOM,
    OPERATIONS,
    QUOTA,
    RIVALS,
    SWEEP,
    TOLD,
    TOO_OFTEN,
    UNINSTALL,
    WINDOW,
    WITH_RIVALS,
    DataOperation,
    DataScene,
    DataStage,
    State,
    ToldStage,
    befriend,
    install,
    levels,
    read_own,
    seen,
)
from tests.faults.fault import ANSWER_LOST, NO_ANSWER, SENT_AGAIN, Act, no_strike
from tests.faults.scene import Processes, noting
from tests.kit import invariants
from tests.kit.calls import WRITES, Call
from tests.kit.memory import Memory, client_error
from tests.kit.request_stage import BUSY
from tests.kit.worlds import APP, HANA, World, empty_aws

SEEDS = range(10)
Scenes = Callable[[DataOperation], DataScene]
each_operation = pytest.mark.parametrize("operation", OPERATIONS + IN_PIECES + TOLD, ids=lambda each: each.name)


@pytest.fixture(scope="module")
def scene(keys_in: Path) -> Scenes:
    @cache
    def processes(told: bool) -> Processes:
        stage = ToldStage if told else DataStage
        return Processes(
            lambda cloud, client: stage(keys_in, cloud, client, LIMITS), lambda stage: befriend(stage.platform)
        )

    return cache(lambda operation: DataScene(operation, processes(operation.told)))


@pytest.mark.parametrize("operation", OPERATIONS + TOLD, ids=lambda each: each.name)
def test_without_a_fault_all_is_well(scene: Scenes, operation: DataOperation) -> None:
    here = scene(operation)
    here.reset()
    outcome = here.run()

    assert tuple(here.made) == operation.calls
    assert outcome not in (BUSY, TOO_OFTEN, NO_ROOM)
    here.check(outcome)


@each_operation
def test_a_fault_breaks_no_promise(scene: Scenes, operation: DataOperation) -> None:
    for fault in ALL_FAULTS:
        scene(operation).meet(fault)


@each_operation
def test_a_rival_between_two_calls_breaks_no_promise(scene: Scenes, operation: DataOperation) -> None:
    for seed in SEEDS:
        with noting(f"seed {seed}"):
            here = scene(operation)
            here.check(here.meet_at_random(seed, list(RIVALS.values()), [], most=WINDOW))


@each_operation
def test_fault_upon_fault_breaks_no_promise(scene: Scenes, operation: DataOperation) -> None:
    for seed in SEEDS:
        with noting(f"seed {seed}"):
            here = scene(operation)
            here.check(here.meet_at_random(seed, [], WITH_RIVALS, most=WINDOW), lost=True)


@each_operation
def test_the_order_of_a_transaction_means_nothing(scene: Scenes, operation: DataOperation) -> None:
    for rivals in ([], *RIVALS.values()):
        scene(operation).reorder(rivals)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.reads], ids=lambda each: each.name)
def test_an_eventually_consistent_read_may_lag_and_tears_nothing(
    scene: Scenes, operation: DataOperation, seed: int
) -> None:
    here = scene(operation)
    dice = random.Random(f"{operation.name} {seed}")
    here.reset()
    memory = here.rival.cloud.memory
    states, tables = [here.state], [dict(memory.items)]
    for each in dice.choice(list(RIVALS.values())):
        here.strike([each])
        states.append(each.rule(states[-1])[1])
        tables.append(dict(memory.items))

    def meet(call: Call) -> Any:
        if is_consistent(call):
            return call.go()
        lagging = Memory()
        for place in sorted({place for table in tables for place in table}):
            if item := dice.choice(tables).get(place):
                lagging.items[place] = item
        return getattr(lagging, call.operation)(**call.request)

    right = [operation.rule(state)[0] for state in states]
    outcome = here.run(meet)
    assert outcome in right
    assert "friend" in operation.name or "users" in operation.name or outcome == right[-1]


def is_consistent(call: Call) -> bool:
    if "RequestItems" in call.request:
        return all(asked["ConsistentRead"] for asked in call.request["RequestItems"].values())
    return bool(call.request["ConsistentRead"])


@pytest.mark.parametrize("act", [ANSWER_LOST, SENT_AGAIN], ids=["asking", "sent again"])
@pytest.mark.parametrize(("others", "known"), [(WRITE_IDS - 1, True), (WRITE_IDS, False)])
def test_a_write_knows_itself_under_seven_others_and_says_503_under_eight(
    scene: Scenes, act: Act, others: int, known: bool
) -> None:
    here = scene(OPERATIONS[0])
    met: list[str] = []

    def meet(call: Call) -> Any:
        if call.operation != "put_item" or met:
            return call.go()
        met.append(call.operation)
        return act(call, lambda: here.strike(levels(others)))

    here.reset()
    outcome = here.run(meet)
    writes = here.state.writes + 1
    assert outcome == ((200, writes, WINDOW - writes) if known else BUSY)
    here.check(outcome, lost=True)


def test_a_write_that_arrives_during_a_long_wait_is_counted_once(scene: Scenes) -> None:
    here = scene(OPERATIONS[0])
    tries: list[Call] = []

    def meet(call: Call) -> Any:
        if len(tries) == 4 and call.turn > tries[-1].turn + 1:
            call.client.deliver()
        if call.operation not in WRITES or len(tries) == 4:
            return call.go()
        tries.append(call)
        if len(tries) < 4:
            raise client_error("TransactionConflictException")
        call.client.late.append((call, True))
        return NO_ANSWER(call, no_strike)

    here.reset()
    outcome = here.run(meet)
    assert len(tries) == 4
    here.check(outcome)


def test_an_install_brings_95_large_values_at_once(scene: Scenes) -> None:
    data = {f"key{number:02}": "é" * (QUOTA // 95 // 2) for number in range(95)}
    here = scene(install(data))
    here.reset()

    assert here.run() is True
    assert len(here.rival.tables().held[APP, HANA].data) == MOST_ITEMS - 5


def test_the_tables_in_memory_do_what_motos_do(tmp_path: Path) -> None:
    readings: dict[str, list[DataOperation]] = {}
    for each in OPERATIONS:
        if each.reads:
            readings.setdefault(repr(each.data), list(each.data)).append(each)
    alone = [[*each.data, each] for each in OPERATIONS[:1] + OPERATIONS[2:] if not each.reads]
    with empty_aws():
        world: Any = World(tmp_path, **LIMITS)
        befriend(world.platform)
        for operations in [*alone, *readings.values()]:
            state = State()
            for each in operations:
                expected, state = each.rule(state)
                assert each.act(world, {}) == expected, each
            tables = invariants.scan(world.dynamodb)
            assert tables.wrongs(world.platform.settings.limits) == []
            assert seen(tables) == (state.data, state.writes, state.writes)
            assert read_own().act(world, {}) == read_own().rule(state)[0]
            UNINSTALL.act(world, {})
            SWEEP.act(world, {})
        assert invariants.scan(world.dynamodb).remains() == []
