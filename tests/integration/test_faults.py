"""Every request keeps its promise whatever happens to whichever of its calls, and whoever comes between two of them.

For each request, each fault and each call: the answer is one that the rules give at some moment during the request, or
a 503 that has changed nothing (unless its very answer was lost); the same request sent again ends right; and what is
stored is what the rules say, counted once, in one place, with nothing left that no sweep would find.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from chalicelib.bootstrap import wire
from chalicelib.store.appdata.ledger import WRITE_IDS
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.transactions import MOST_ITEMS
from local.in_process import APP, HANA, KEN, MEI, World, empty_aws
from tests import invariants
from tests.integration.deeds import (
    BUSY,
    KILLED,
    MEIS,
    NO_ROOM,
    QUOTA,
    TOO_OFTEN,
    WRITES,
    Deed,
    Install,
    Outcome,
    Read,
    State,
    Sweep,
    Uninstall,
    Write,
)
from tests.integration.faults import (
    CONDITIONAL,
    PUT,
    Client,
    Fault,
    Killed,
    Sending,
    losing,
    resending,
    timeout,
)
from tests.integration.memory import Memory, client_error
from tests.integration.scenes import FAULTS, IN_PIECES, RIVALS, SCENES, WITH_RIVALS, Scene, levels
from tests.tally import tried

SEEDS = range(10)
LIMITS = {"ENGAWA_QUOTA_BYTES": str(QUOTA), "ENGAWA_RATE_WRITES": str(WRITES)}

Meet = Callable[[Sending], Any]
Struck = list[tuple[Deed, Outcome]]


class Stage:
    """Tables, a world without faults for rivals, and one whose calls meet them."""

    def __init__(self, directory: Path) -> None:
        self.memory = Memory()
        self.client = Client(self.memory)
        self.rivals, self.world = World(directory, **LIMITS), World(directory, **LIMITS)
        self.settings = self.rivals.platform.settings
        for world, client in ((self.rivals, self.memory), (self.world, self.client)):
            self._start(world, client)
            world.token = cache(partial(world.token, lifetime=3_600))  # type: ignore[method-assign]
        befriend(self.rivals)
        self._empty = dict(self.memory.items)
        self._known: dict[tuple[Deed, ...], tuple[State, Any]] = {}
        self._calls: dict[str, list[str]] = {}
        self.struck: Struck = []
        """What rivals have done during this request, and what they were told."""
        self._strikes: dict[Any, tuple[Any, Struck, Any]] = {}

    def _start(self, world: World, client: Any) -> None:
        """Begin a process."""
        dynamo = Dynamo(client, sleep=lambda seconds: None)
        world.platform = wire(self.settings, dynamo, lambda: world.s3, self.rivals.clock)
        # Who asks is not what is tried here, and to be sure of it takes a tenth of a request.
        world.platform.tokens.check = cache(world.platform.tokens.check)  # type: ignore[method-assign]

    def set(self, scene: Scene) -> State:
        """Bring about what was before the request."""
        before = tuple(scene.before)
        if scene.name not in self._known:
            self.memory.items = dict(self._empty)
            state = State()
            for deed in before:
                expected, state = deed.on(state)
                assert deed.send(self.rivals) == expected
            self._known[scene.name] = state, dict(self.memory.items)
        state, saved = self._known[scene.name]
        self.memory.items = dict(saved)
        self.struck.clear()
        return state

    def run(self, scene: Scene, meet: Meet | None = None) -> tuple[State, Deed, Outcome]:
        """Send the scene's request, whose calls go through `meet`."""
        state, deed = self.set(scene), scene.deed
        if isinstance(deed, Write) and deed.etag:
            deed = replace(deed, etag=self.tables().held[APP, HANA].ledger.etag, known=state)
        self.client.begin(meet, pieces=scene.pieces)
        try:
            outcome = deed.send(self.world)
        except Killed:
            outcome = KILLED
            self._start(self.world, self.client)
        self.client.deliver()
        return state, deed, outcome

    def calls(self, scene: Scene) -> list[str]:
        """The calls that the request makes where nothing goes wrong."""
        if scene.name not in self._calls:
            self.run(scene)
            self._calls[scene.name] = list(self.client.calls)
        return self._calls[scene.name]

    def strike(self, deeds: Sequence[Deed]) -> None:
        """Let rivals do something now: what they have done to these very items before, without doing it again."""
        before = self.memory.items
        mark = id(deeds), frozenset((place, id(item)) for place, item in before.items())
        if mark not in self._strikes:
            # What a mark names must live as long as the mark.
            kept = deeds, dict(before)
            struck = [(deed, deed.send(self.rivals)) for deed in deeds]
            self._strikes[mark] = kept, struck, dict(self.memory.items)
        _, struck, after = self._strikes[mark]
        self.struck += struck
        self.memory.items = dict(after)

    def tables(self) -> invariants.Tables:
        appdata, directory = (list(self.memory.table(f"engawa-local-{name}")) for name in ("appdata", "directory"))
        return invariants.Tables(appdata, directory)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with empty_aws():
        yield Stage(tmp_path_factory.mktemp("faults"))


def befriend(world: World) -> None:
    world.populate(HANA, KEN, MEI)
    for one, other in ((HANA, KEN), (KEN, MEI)):
        world.platform.friends_and_installs.befriend(one, other)
    world.platform.appdata.install(APP, KEN, {"level": "7"})
    world.platform.appdata.install(APP, MEI, MEIS)


def histories(state: State, deed: Deed | None, struck: Struck) -> Iterator[tuple[Outcome, State]]:
    """Outcome and final state for each place of the deed among the rivals' that explains what those were told."""
    for place in range(len(struck) + 1):
        now, outcome = state, ()
        for turn in range(len(struck) + 1):
            if turn == place and deed:
                outcome, now = deed.on(now)
            if turn < len(struck):
                rival, told = struck[turn]
                expected, now = rival.on(now)
                if expected != told:
                    break
        else:
            yield outcome, now


def stored(tables: invariants.Tables) -> tuple[Any, int, int]:
    """HANA's data, and how many accepted writes the version and the window have counted."""
    held = tables.held.get((APP, HANA))
    return (held.data, held.ledger.version, len(held.ledger.window.times)) if held else (None, 0, 0)


def storable(state: State) -> tuple[Any, int, int]:
    return state.data, state.writes, state.writes


def check(stage: Stage, state: State, deed: Deed, outcome: Outcome, *, lost: bool = False) -> None:
    """Outcome and tables have an explanation, sending again ends right, and a sweep leaves nothing behind."""
    tables = stage.tables()
    assert tables.wrongs(stage.settings.limits) == []
    if outcome in (BUSY, KILLED):
        right = [after for _, after in histories(state, None, stage.struck)]
        right += [after for _, after in histories(state, deed, stage.struck)] if lost else []
    else:
        right = [after for told, after in histories(state, deed, stage.struck) if told == outcome]
        assert right, f"there was no moment at which {outcome!r:.300} was right"
    found = [after for after in right if storable(after) == stored(tables)]
    assert found, f"{outcome!r:.300} was answered, and something else was done"

    stage.client.begin()
    expected, now = deed.on(found[0])
    assert deed.send(stage.world) == expected, "sent again, it ends otherwise"
    stage.rivals.platform.sweep()
    tables = stage.tables()
    assert stored(tables) == storable(now)
    assert tables.wrongs(stage.settings.limits) == []
    assert tables.remains() == []


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_without_a_fault_all_is_well(stage: Stage, scene: Scene) -> None:
    state, deed, outcome = stage.run(scene)

    assert tuple(stage.client.calls) == scene.calls
    assert outcome == deed.on(state)[0]
    assert outcome not in (BUSY, TOO_OFTEN, NO_ROOM)
    check(stage, state, deed, outcome)


@pytest.mark.parametrize("scene", SCENES + IN_PIECES, ids=lambda scene: scene.name)
def test_a_fault_breaks_no_promise(stage: Stage, scene: Scene) -> None:
    for fault in FAULTS:
        for turn, operation in enumerate(stage.calls(scene)):
            if operation not in fault.on:
                continue

            def meet(sending: Sending, turn: int = turn, fault: Fault = fault) -> Any:
                hit = sending.turn == turn or (fault.lasting and sending.turn > turn and sending.operation in fault.on)
                return fault.act(sending, stage.strike) if hit else sending.go()

            try:
                state, deed, outcome = stage.run(scene, meet)
                if operation in fault.bearable_on:
                    assert outcome != BUSY
                check(stage, state, deed, outcome, lost=fault.loses_answers and operation in CONDITIONAL)
            except AssertionError as error:
                error.add_note(f"{fault.name}: it met call {turn} of {stage.client.calls}")
                raise
            tried("app data", scene.name, fault.name)


@pytest.mark.parametrize("scene", SCENES + IN_PIECES, ids=lambda scene: scene.name)
def test_whoever_comes_between_breaks_no_promise(stage: Stage, scene: Scene) -> None:
    possible = list(RIVALS.values())
    for seed in SEEDS:
        dice = random.Random(f"{scene.name} {seed}")

        def meet(sending: Sending, dice: random.Random = dice) -> Any:
            if dice.random() < 0.5 and len(stage.struck) < WRITES:
                stage.strike(dice.choice(possible))
            return sending.go()

        check(stage, *stage.run(scene, meet))


@pytest.mark.parametrize("scene", SCENES + IN_PIECES, ids=lambda scene: scene.name)
def test_fault_upon_fault_breaks_no_promise(stage: Stage, scene: Scene) -> None:
    for seed in SEEDS:
        dice = random.Random(f"{scene.name} {seed}")

        def meet(sending: Sending, dice: random.Random = dice) -> Any:
            possible = [fault for fault in WITH_RIVALS if sending.operation in fault.on & fault.bearable_on]
            if possible and dice.random() < 0.6 and len(stage.struck) < WRITES:
                return dice.choice(possible).act(sending, stage.strike)
            return sending.go()

        state, deed, outcome = stage.run(scene, meet)
        check(stage, state, deed, outcome, lost=True)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scene", [each for each in SCENES if each.deed.reads], ids=lambda scene: scene.name)
def test_an_eventually_consistent_read_may_lag_and_tears_nothing(stage: Stage, scene: Scene, seed: int) -> None:
    dice = random.Random(f"{scene.name} {seed}")
    state = stage.set(scene)
    states, tables = [state], [dict(stage.memory.items)]
    for deed in dice.choice(list(RIVALS.values())):
        deed.send(stage.rivals)
        states.append(deed.on(states[-1])[1])
        tables.append(dict(stage.memory.items))

    def meet(sending: Sending) -> Any:
        if is_consistent(sending):
            return sending.go()
        lagging = Memory()
        for place in sorted({place for table in tables for place in table}):
            if item := dice.choice(tables).get(place):
                lagging.items[place] = item
        return getattr(lagging, sending.operation)(**sending.request)

    stage.client.begin(meet)
    outcome = scene.deed.send(stage.world)

    assert outcome in [scene.deed.on(each)[0] for each in states]
    if sending_as_owner(scene.deed):
        assert outcome == scene.deed.on(states[-1])[0]


def is_consistent(sending: Sending) -> bool:
    if "RequestItems" in sending.request:
        return all(asked["ConsistentRead"] for asked in sending.request["RequestItems"].values())
    return bool(sending.request["ConsistentRead"])


def sending_as_owner(deed: Deed) -> bool:
    return not type(deed).__name__.startswith(("ReadFriend", "ReadNamed"))


@pytest.mark.parametrize("act", [losing, lambda make, rivals: resending(rivals)], ids=["asking", "sent again"])
@pytest.mark.parametrize(("others", "known"), [(WRITE_IDS - 1, True), (WRITE_IDS, False)])
def test_a_write_knows_itself_under_seven_others_and_says_503_under_eight(
    stage: Stage, act: Callable[..., Any], others: int, known: bool
) -> None:
    met: list[str] = []

    def meet(sending: Sending) -> Any:
        if sending.operation != PUT or met:
            return sending.go()
        met.append(sending.operation)
        return act(timeout, levels(others))(sending, stage.strike)

    state, deed, outcome = stage.run(SCENES[0], meet)

    assert outcome == ((200, state.writes + 1, WRITES - state.writes - 1) if known else BUSY)
    check(stage, state, deed, outcome, lost=True)


def test_a_write_that_arrives_during_a_long_wait_is_counted_once(stage: Stage) -> None:
    tries: list[Sending] = []

    def meet(sending: Sending) -> Any:
        if len(tries) == 4 and sending.turn > tries[-1].turn + 1:
            sending.client.deliver()
        if sending.operation not in CONDITIONAL or len(tries) == 4:
            return sending.go()
        tries.append(sending)
        if len(tries) < 4:
            raise client_error("TransactionConflictException")
        sending.client.late.append((sending, True))
        raise timeout()

    state, deed, outcome = stage.run(SCENES[0], meet)

    assert len(tries) == 4
    check(stage, state, deed, outcome)


def test_an_install_brings_97_large_values_at_once(stage: Stage) -> None:
    data = {f"key{number:02}": "é" * (QUOTA // 97 // 2) for number in range(97)}
    _, _, outcome = stage.run(Scene("install much", [], Install(data), ()))

    assert outcome == (200, True)
    assert len(stage.tables().held[APP, HANA].data) == MOST_ITEMS - 3


def test_the_tables_in_memory_do_what_motos_do(stage: Stage, tmp_path: Path) -> None:
    readings: dict[str, list[Deed]] = {}
    for scene in SCENES:
        if scene.deed.reads:
            readings.setdefault(repr(scene.before), list(scene.before)).append(scene.deed)
    alone = [[*scene.before, scene.deed] for scene in SCENES[:1] + SCENES[2:] if not scene.deed.reads]
    with empty_aws():
        world = World(tmp_path, **LIMITS)
        befriend(world)
        for deeds in [*alone, *readings.values()]:
            state = State()
            for deed in deeds:
                expected, state = deed.on(state)
                assert deed.send(world) == expected, deed
            tables = invariants.scan(world.dynamodb)
            assert tables.wrongs(world.platform.settings.limits) == []
            assert stored(tables) == storable(state)
            assert Read().send(world) == Read().on(state)[0]
            Uninstall().send(world)
            Sweep().send(world)
        assert invariants.scan(world.dynamodb).remains() == []
