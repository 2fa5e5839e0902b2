"""Operations on app data, each with a rule that gives its right outcome: a model in plain Python.

HANA owns the data; HANA and MEI are friends of KEN.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from chalicelib.bootstrap import Platform
from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.events import EventKind
from chalicelib.core.model.directory import User
from chalicelib.store.appdata.ledger import WRITE_IDS
from local.in_process import APP, HANA, KEN, ME, MEI, Reply
from tests.faults.fault import (
    DYNAMO,
    FAULTS,
    NO_CALL,
    VARIANTS,
    Fault,
    go,
    go_in_part,
    in_order,
    let_rivals_act,
    unanswered,
)
from tests.faults.scene import Expected, Ids, Operation, Scene, outcome_of
from tests.kit.calls import BATCHES, WRITES
from tests.kit.invariants import Tables
from tests.kit.noise import noise
from tests.kit.request_stage import BUSY, RequestStage

QUOTA, WINDOW = 320_000, 12
"""Small limits, so that a test reaches them soon: bytes and writes."""
LIMITS = {"ENGAWA_QUOTA_BYTES": str(QUOTA), "ENGAWA_RATE_WRITES": str(WINDOW)}
MEIS = {"level": "3"}
"""The data of MEI."""

Keys = frozenset[str] | None
"""Some keys, or all."""
Outcome = Any
DENIED = 403, "Permission denied"
TOO_OFTEN = 503, "appdata update frequency is too high"
NO_ROOM = 400, f"Limit exceeded size quota (max={QUOTA})"
CHANGED = 412, "The data have changed, or do not meet the precondition"


@dataclass(frozen=True)
class State:
    """The data of HANA; `data` is None if the app is not installed. Each epoch has another `life`.

    `told` has the sequence number and the keys (None: all) of each write, for an app that is told of them.
    """

    data: Mapping[str, str] | None = None
    writes: int = 0
    life: int = 0
    told: tuple[tuple[int, tuple[str, ...] | None], ...] = ()

    def of(self, keys: Keys) -> dict[str, str]:
        """Return the values of the keys."""
        return {key: value for key, value in (self.data or {}).items() if keys is None or key in keys}

    @property
    def total(self) -> int:
        return sum(map(utf8_bytes, (self.data or {}).values()))


Rule = Callable[[State], tuple[Outcome, State]]


@dataclass(frozen=True, eq=False)
class DataOperation(Operation):
    """An operation with its rule: it gives the right outcome for a state, and the state afterwards."""

    rule: Rule = field(kw_only=True)
    reads: bool = False
    data: Sequence[DataOperation] = ()
    """The operations that come before it."""
    calls: tuple[str, ...] = ()
    """The calls that the operation makes without a fault."""


def write(pairs: Mapping[str, str], *, only_if: tuple[int, int] | None = None) -> DataOperation:
    """Store the pairs; with `only_if` (a life and its number of writes), send If-Match with the scene's entity tag."""

    def act(stage: RequestStage, ids: Ids) -> Outcome:
        return receipt(stage.send("POST", ME, dict(pairs), headers={"If-Match": ids["etag"]} if only_if else {}))

    def rule(state: State) -> tuple[Outcome, State]:
        if state.data is not None and only_if not in (None, (state.life, state.writes)):
            return CHANGED, state
        return accepted(state, pairs)

    return DataOperation("write", act, rule=rule)


def patch(
    changes: Mapping[str, Mapping[str, Any]], results: Callable[[Mapping[str, str]], dict[str, str]]
) -> DataOperation:
    """Change keys; `results` gives their new values for the present data."""

    def act(stage: RequestStage, ids: Ids) -> Outcome:
        reply = stage.send("PATCH", ME, changes)
        if reply.status != 200:
            return refusal(reply)
        tag, left = reply.headers["etag"], reply.headers["x-ratelimit-remaining"]
        return 200, int(tag.strip('"').rpartition(".")[2]), int(left), reply.json["entry"][0]["data"]

    def rule(state: State) -> tuple[Outcome, State]:
        new = results(state.data or {})
        outcome, after = accepted(state, new)
        return ((*outcome, new) if outcome[0] == 200 else outcome), after

    return DataOperation("patch", act, rule=rule)


def _visited(data: Mapping[str, str]) -> dict[str, str]:
    """Return the results of VISIT."""
    entries = json.loads(data.get("visits", "[]"))
    return {"visits": json.dumps([*entries, "x"], separators=(",", ":")), "seen": "1"}


VISIT = {"visits": {"append": "x"}, "seen": {"max": "1"}}


def delete(keys: frozenset[str]) -> DataOperation:
    def act(stage: RequestStage, ids: Ids) -> Outcome:
        return receipt(stage.send("DELETE", ME, fields=",".join(sorted(keys))))

    return DataOperation("delete", act, rule=lambda state: accepted(state, dict.fromkeys(keys)))


def _cleared(state: State) -> tuple[Outcome, State]:
    outcome, after = accepted(state, dict.fromkeys(state.data or {}))
    told = (*state.told, (after.writes, None))
    return outcome, after if after == state else replace(after, life=state.life + 1, told=told)


def install(data: Mapping[str, str] | None = None) -> DataOperation:
    """Install the app, with initial data."""

    def act(stage: RequestStage, ids: Ids) -> Outcome:
        return outcome_of(lambda: stage.platform.appdata.install(APP, HANA, data or {}))

    def rule(state: State) -> tuple[Outcome, State]:
        if state.data is not None:
            return False, state
        return True, State(dict(data or {}), 0, state.life + 1, state.told)

    return DataOperation("install", act, rule=rule)


CLEAR = DataOperation("delete everything", lambda stage, ids: receipt(stage.send("DELETE", ME)), rule=_cleared)
UNINSTALL = DataOperation(
    "uninstall",
    lambda stage, ids: outcome_of(lambda: stage.platform.appdata.uninstall(APP, HANA)),
    rule=lambda state: (state.data is not None, State(None, 0, state.life, state.told)),
)
SWEEP = DataOperation(
    "sweep", lambda stage, ids: outcome_of(stage.platform.sweep, "done"), rule=lambda state: ("done", state)
)


def read(path: str, user: str, keys: Keys, rule: Callable[[State], Outcome]) -> DataOperation:
    """Read values as a user; `rule` returns the right outcome: the data by user, or a refusal."""

    def act(stage: RequestStage, ids: Ids) -> Outcome:
        asked = {} if keys is None else {"fields": ",".join(sorted(keys))}
        reply = stage.send("GET", path, user=user, headers=None, **asked)
        return {each["id"]: each["data"] for each in reply.json["entry"]} if reply.status == 200 else refusal(reply)

    return DataOperation("read", act, rule=lambda state: (rule(state), state), reads=True)


def read_own(keys: Keys = None, path: str = ME, user: str = HANA) -> DataOperation:
    return read(path, user, keys, lambda state: DENIED if state.data is None else {HANA: state.of(keys)})


def read_friend(keys: Keys = None) -> DataOperation:
    """KEN reads HANA's values."""
    return read_own(keys, ME.replace("@me", HANA), KEN)


def read_friends(keys: Keys = None) -> DataOperation:
    """KEN reads the values of all friends."""

    def rule(state: State) -> Outcome:
        return {user: data for user, data in {HANA: state.of(keys), MEI: State(MEIS).of(keys)}.items() if data}

    return read(ME.replace("@self", "@friends"), KEN, keys, rule)


def read_named(keys: Keys = None) -> DataOperation:
    """KEN reads HANA's and MEI's values by their ids, through `/rpc`."""

    def act(stage: RequestStage, ids: Ids) -> Outcome:
        params = {"userId": [HANA, MEI], "fields": sorted(keys or [])}
        answer = stage.send("POST", "/rpc", {"method": "appdata.get", "params": params}, user=KEN).json
        if "error" not in answer:
            return answer["result"]
        assert (answer["error"]["code"], answer["error"]["message"]) == (500, "The service is busy")
        return BUSY

    def rule(state: State) -> tuple[Outcome, State]:
        hanas = {} if state.data is None else {HANA: state.of(keys)}
        return hanas | {MEI: State(MEIS).of(keys)}, state

    return DataOperation("read", act, rule=rule, reads=True)


def _ask_usage(stage: RequestStage, ids: Ids) -> Outcome:
    reply = stage.send("GET", ME.replace("@self", "@usage"))
    if reply.status != 200:
        return refusal(reply)
    entry = reply.json["entry"]
    return entry["bytes"]["used"], entry["keys"]["used"], entry["window"]["remaining"]


def _usage(state: State) -> tuple[Outcome, State]:
    return DENIED if state.data is None else (state.total, len(state.data), WINDOW - state.writes), state


def accepted(state: State, changes: Mapping[str, str | None]) -> tuple[Outcome, State]:
    """Return the outcome of a write by the rules (the version and the rest of the window), and the state afterwards."""
    if state.data is None:
        return DENIED, state
    if state.writes >= WINDOW:
        return TOO_OFTEN, state
    data = {key: value for key, value in {**state.data, **changes}.items() if value is not None}
    told = (*state.told, (state.writes + 1, tuple(sorted(changes))))
    after = replace(state, data=data, writes=state.writes + 1, told=told)
    if after.total > QUOTA and after.total > state.total:
        return NO_ROOM, state
    return (200, after.writes, WINDOW - after.writes), after


def receipt(reply: Reply) -> Outcome:
    """Return the outcome of a write: version (from the ETag) and the rest of the window."""
    if reply.status != 200:
        return refusal(reply)
    assert reply.json == {"response_code": 200}
    return 200, int(reply.headers["etag"].strip('"').rpartition(".")[2]), int(reply.headers["x-ratelimit-remaining"])


def refusal(reply: Reply) -> Outcome:
    """Return the outcome of a refusal; a 503 always has a Retry-After."""
    assert reply.status != 503 or int(reply.headers["retry-after"]) >= 1
    outcome = reply.status, reply.json["error_description"]
    return BUSY if outcome == (503, "The service is busy") else outcome


KEYS = [noise(255, seed) for seed in range(24)]
"""Keys so long that a ledger cannot list them all; it does not list the first ones, whose values are the smallest."""
SMALL = {"level": "5", "name": "花"}
LARGE = SMALL | {"map": noise(20_000, 1), "log": noise(5_000, 2)}
FULL = {f"key{number:02}": noise(110, number) for number in range(42)}
MORE = {f"more{number}": noise(110, 1_000 + number) for number in range(6)}
MANY = SMALL | {key: noise(3_100 + number, number) for number, key in enumerate(KEYS)}
WIDE = {f"wide{number}": noise(63_000, number) for number in range(5)}
TWO = frozenset(KEYS[:2])
"""Keys that the ledger does not list."""


def holding(data: dict[str, str]) -> list[DataOperation]:
    """Return the operations that install the app for HANA and store the data."""
    pairs = iter(data.items())
    return [install(), *(write(part) for part in iter(lambda: dict(islice(pairs, 50)), {}))]


def levels(count: int) -> list[DataOperation]:
    return [write({"level": str(number)}) for number in range(count)]


CALLS = {"put": "put_item", "get": "get_item", "batch": "batch_get_item", "query": "query"}
CALLS |= {"transaction": "transact_write_items", "deletes": "batch_write_item"}


def on(data: Sequence[DataOperation], name: str, operation: DataOperation, calls: str) -> DataOperation:
    """Return an operation that follows other operations."""
    return replace(operation, name=name, data=data, calls=tuple(CALLS[call] for call in calls.split()))


small, large, many = holding(SMALL), holding(LARGE), holding(MANY)
ask_usage = DataOperation("ask usage", _ask_usage, rule=_usage, reads=True)
some = write({KEYS[0]: noise(4_000, 6), KEYS[1]: "x", "new": "y"})
swept = [*large, CLEAR, write(LARGE), UNINSTALL, *large]
OPERATIONS = [
    on(small, "write inline", write({"level": "6", "new": "x"}), "get put"),
    on(small, "write if nothing changed", write({"level": "6"}, only_if=(1, 1)), "get put"),
    on(holding(FULL), "write what makes others leave", write(MORE), "get transaction"),
    on(small, "write a large value", write({"map": noise(9_000, 3), "level": "6"}), "get transaction"),
    on(holding({"map": noise(65_535, 4)}), "overwrite 64 KB", write({"map": noise(65_535, 5)}), "get transaction"),
    on(large, "shrink a large value", write({"map": "small"}), "get transaction"),
    on(many, "write keys that are not listed", some, "get batch transaction"),
    on(holding(WIDE), "write the last that fits", write({"rest": noise(4_000)}), "get transaction"),
    on([*small, *levels(WINDOW - 2)], "write the last of the window", write({"level": "6"}), "get put"),
    on(small, "change inline", patch(VISIT, _visited), "get put"),
    on(
        holding({"visits": json.dumps(["y" * 4_000])}),
        "change a large value",
        patch(VISIT, _visited),
        "get batch transaction",
    ),
    on(large, "delete some", delete(frozenset({"level", "map", "never"})), "get transaction"),
    on(many, "delete keys that are not listed", delete(TWO | {"name"}), "get batch transaction"),
    on(small, "delete all of little", CLEAR, "get put"),
    on(large, "delete all of much", CLEAR, "get transaction"),
    on([], "install", install(), "transaction"),
    on([], "install with data", install(LARGE), "transaction"),
    on(small, "install again", install(), "transaction"),
    on(large, "uninstall", UNINSTALL, "get transaction"),
    on([], "uninstall what is not installed", UNINSTALL, "get"),
    on(small, "read little", read_own(), "get"),
    on(large, "read much", read_own(), "get batch"),
    on(large, "read some", read_own(frozenset({"level", "log", "never"})), "get batch"),
    on(many, "read what is not listed", read_own(), "get query"),
    on(many, "read keys that are not listed", read_own(TWO | {KEYS[23], "level"}), "get batch"),
    on(many, "read keys that may not exist", read_own(TWO | {"never", "level"}), "get batch batch"),
    on(small, "read a friend's little", read_friend(), "batch"),
    on(large, "read a friend's much", read_friend(), "batch batch"),
    on(many, "read what a friend does not list", read_friend(), "batch query"),
    on(small, "read friends' little", read_friends(), "query batch"),
    on(large, "read friends' much", read_friends(), "query batch batch"),
    on(many, "read what friends do not list", read_friends(), "query batch query"),
    on(many, "read some not listed of friends", read_friends(TWO | {"level"}), "query batch batch"),
    on(small, "read two users' little", read_named(), "batch"),
    on(large, "read two users' much", read_named(), "batch batch"),
    on(many, "read what two users do not list", read_named(TWO | {"level"}), "batch batch"),
    on(large, "ask usage", ask_usage, "get"),
    on(swept, "sweep", SWEEP, "query query query query deletes deletes query deletes deletes"),
]
_PIECEMEAL = {CALLS[name] for name in ("query", "batch", "deletes")}
IN_PIECES = [
    replace(each, name=f"{each.name}, in pieces", pieces=5) for each in OPERATIONS if _PIECEMEAL & set(each.calls)
]
TOLD = [
    replace(
        each,
        name=f"{each.name}, told",
        told=True,
        calls=tuple(CALLS["transaction"] if call == CALLS["put"] else call for call in each.calls),
    )
    for each in OPERATIONS
    if not each.reads
]
"""The operations that write, for an app that is told of changes: each write is a transaction."""

SOME = delete(frozenset({"map", "level", KEYS[0]}))
BIG, ROOM = {"map": noise(7_000, 90)}, {f"room{number}": noise(60_000, number) for number in range(2)}
SAME = {"level": "9", "map": noise(6_000, 91), KEYS[0]: noise(3_090, 92), KEYS[1]: noise(3_095, 93)}
"""The last two values are so small that no ledger lists their keys."""
RIVALS: dict[str, list[DataOperation]] = {
    "writes the same keys": [write(SAME)],
    "writes other keys": [write({"other": "x", "others": noise(8_000, 93)})],
    "makes large values small": [write({"map": "", "log": "x", KEYS[1]: "y"})],
    "deletes": [SOME],
    "deletes and writes again": [SOME, write({"map": noise(4_000, 94)})],
    "deletes everything": [CLEAR],
    "deletes everything, which is swept": [CLEAR, SWEEP],
    "deletes everything and writes": [CLEAR, write(BIG), SWEEP],
    "uninstalls": [UNINSTALL, SWEEP],
    "installs": [install(BIG)],
    "installs anew": [UNINSTALL, install()],
    "installs anew and writes as often": [UNINSTALL, install(LARGE), *levels(5)],
    "takes the room": [write(ROOM), write({"rest": "x" * 1_900})],
    "sweeps": [SWEEP],
    "uses up the window": levels(WINDOW),
}


def _faults_with_rivals() -> Iterator[Fault]:
    """Yield the faults in which rivals act before a call, or between a call and its lost response."""
    before = [in_order(let_rivals_act, go)]
    for name, rivals in RIVALS.items():
        anew = any(each.name == "install" for each in rivals)
        yield Fault(f"a rival {name}", before, DYNAMO, DYNAMO, rivals=rivals)
        yield from unanswered(f"a rival {name}", rivals, WRITES if len(rivals) < WRITE_IDS and not anew else NO_CALL)
    for count in (WRITE_IDS - 1, WRITE_IDS, WRITE_IDS + 1):
        known = WRITES if count < WRITE_IDS else NO_CALL
        yield from unanswered(f"a rival writes {count} times", levels(count), known)
    for name in ("writes the same keys", "deletes everything, which is swept", "uninstalls", "installs anew"):
        yield Fault(f"a rival {name} amid a batch", [go_in_part(1)], BATCHES, BATCHES, rivals=RIVALS[name])
        yield Fault(f"a rival {name} before every call", before, DYNAMO, lasting=True, rivals=RIVALS[name])


WITH_RIVALS = list(_faults_with_rivals())
ALL_FAULTS = FAULTS + VARIANTS + WITH_RIVALS


class DataStage(RequestStage):
    """A stage that checks only app data. If `told`, the app is told of their changes."""

    told = False

    def token(self, user: str | None = HANA, *scopes: str, app: str = APP, **more: Any) -> str:
        asked = frozenset({EventKind.DATA_CHANGED} if self.told else ())
        return super().token(user, *scopes, app=app, events=asked, **more)

    def look_for_wrongs(self) -> list[str]:
        return self.tables().wrongs(self.platform.settings.limits)

    def remains(self) -> list[str]:
        return self.tables().remains()

    def settle(self) -> None:
        self.platform.sweep()

    def seen(self) -> Any:
        return seen(self.tables()), self.events().shown()


def befriend(here: Platform) -> None:
    """Make KEN a friend of HANA and of MEI; KEN and MEI have data."""
    for user in (HANA, KEN, MEI):
        here.users.create(User(user, f"user {user}"))
    for friend in (HANA, MEI):
        here.friends_and_installs.befriend(KEN, friend)
    here.appdata.install(APP, KEN, {"level": "7"})
    here.appdata.install(APP, MEI, MEIS)


def seen(tables: Tables) -> Any:
    """Return HANA's data, and how many accepted writes the version and the window have counted."""
    held = tables.held.get((APP, HANA))
    return (held.data, held.ledger.version, len(held.ledger.window.times)) if held else (None, 0, 0)


class DataScene(Scene):
    """An operation on app data, compared with the model."""

    kind = "app data"
    operation: DataOperation
    asked: DataStage
    rival: DataStage

    def prepare(self) -> None:
        self.state = State()
        for each in self.operation.data:
            outcome, self.state = each.rule(self.state)
            assert each.act(self.rival, {}) == outcome
        if held := self.rival.tables().held.get((APP, HANA)):
            self.ids["etag"] = held.ledger.etag

    def check(self, outcome: Any, *, lost: bool = False, busy: bool = True, again: bool = True) -> None:
        if self.operation.told and outcome == DENIED and UNINSTALL in [each for each, _ in self.struck]:
            # The write may have been accepted, and its answer lost, before the data were erased: its event is left.
            outcome, lost = BUSY, True
        super().check(outcome, lost=lost, busy=busy, again=again)

    def in_turn(self, *operations: Operation) -> Expected:
        state, outcomes = self.state, []
        for each in operations:
            assert isinstance(each, DataOperation)
            outcome, state = each.rule(state)
            outcomes.append(outcome)
        told = [_shown(*each) for each in state.told if self.operation.told]
        return Expected(tuple(outcomes), *[((state.data, state.writes, state.writes), sorted(told))] * 2)


def _shown(number: int, keys: tuple[str, ...] | None) -> tuple[str, int, str]:
    """Return the event of a write in the form of Told.shown."""
    what = {"all": True} if keys is None else {"keys": [*keys]}
    return EventKind.DATA_CHANGED.value, number, json.dumps({"user": HANA, **what}, sort_keys=True)


class ToldStage(DataStage):
    """A stage whose app is told of changes of data."""

    told = True
