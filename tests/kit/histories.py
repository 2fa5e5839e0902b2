"""Histories of concurrent requests of many clients for one user's data, and the specification for them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import httpx

from tests.kit.crowd import PATH, TOO_OFTEN, Crowd, Person, at_once
from tests.kit.linearizability import Operation, check
from tests.kit.noise import noise
from tests.kit.pair import same
from tests.model.answers import Moment, Refused
from tests.model.appdata import AppData
from tests.model.community import Held, Limits, Token

CLIENTS = 8
DROPPED = 0.03
"""The share of requests whose client does not wait for the response."""
LAG = 0.25
"""The seconds that an eventually consistent read may lag here: less than the time of a history. DynamoDB may lag more,
the emulator does not lag at all."""
LIMITS = Limits(quota=9_000, keys=4, writes=30, seconds=180)
SETTINGS = {
    "ENGAWA_QUOTA_BYTES": str(LIMITS.quota),
    "ENGAWA_MAX_KEYS": str(LIMITS.keys),
    "ENGAWA_RATE_WRITES": str(LIMITS.writes),
    "ENGAWA_RATE_SECONDS": str(LIMITS.seconds),
}
"""The write window is longer than a history, so that its limit is a simple count."""
USER = "user"
TOKEN = Token("app", USER, USER)
NOW = Moment(0.0, 0.0)


class Answer(NamedTuple):
    """The outcome of a request: a value, or the compared part of a refusal, and the values of its headers."""

    value: Any
    tag: str | None = None
    remaining: int | None = None


@dataclass
class Recorder:
    """A client that sends requests and records them with their responses and times."""

    crowd: Crowd
    operations: list[Operation] = field(default_factory=list)
    unknown: int = 0
    busy: int = 0

    def record(
        self, client: int, asked: Any, read: Callable[[httpx.Response], Any], dice: random.Random, **request: Any
    ) -> Any:
        """Send and record a request. Return `read(response)`, or None if the outcome is unknown."""
        changes = request["method"] != "GET"
        if dice.random() < DROPPED:
            request["timeout"] = dice.random() * 0.01
        begun = time.monotonic()
        try:
            answer = self.crowd.http.request(**request)
        except httpx.TransportError:
            return self._unknown(client, asked, begun, changes)
        ended = time.monotonic()
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        if answer.status_code == 503 and answer.json()["error_description"] != TOO_OFTEN:
            # The server lost the race too often. A lost response of DynamoDB looks the same from here.
            self.busy += 1
            return self._unknown(client, asked, begun, changes)
        told = read(answer)
        self.operations.append(Operation(begun, ended, asked, told, client, reads=not changes))
        return told

    def _unknown(self, client: int, asked: Any, begun: float, changes: bool) -> None:
        if changes:
            self.unknown += 1
            self.operations.append(Operation(begun, math.inf, asked, None, client))


class Data(NamedTuple):
    """The state of a user's data; `tag` is None if no response has shown it yet."""

    pairs: frozenset[tuple[str, str]]
    tag: str | None
    writes: int


def data_step(state: Data, operation: Operation) -> Data | None:
    """Return the next state, by the model's rules (tests/model/appdata.py) for one user."""
    kind, given, demand = operation.asked
    told: Answer | None = operation.answered
    held = Held(dict(state.pairs), state.tag, [NOW] * state.writes)  # type: ignore[arg-type]
    model = AppData(LIMITS, held={("app", USER): held})
    if kind == "read":
        return _bound(state, told, held.of(given))
    if kind == "usage":
        used, keys, left = model.usage(TOKEN, NOW)
        return _bound(state, told, (used, keys, left.start))
    try:
        if kind == "patch":
            new, left = model.patch(TOKEN, dict(given), demand, NOW, room=True)
            if told is not None and not isinstance(told.value, Refused) and told.value != new:
                return None
        elif kind == "write":
            left = model.write(TOKEN, dict(given), demand, NOW, room=True)
        else:
            left = model.delete(TOKEN, given, demand, NOW, room=True)
    except Refused as refused:
        if told is None:
            return state
        # A 412 contains the current tag.
        return _bound(state, told, told.value) if same(refused, told.value) else None
    if told is None:
        return Data(frozenset(held.data.items()), None, len(held.writes))
    if isinstance(told.value, Refused) or told.remaining != left.start:
        return None
    return Data(frozenset(held.data.items()), told.tag, len(held.writes))


def _bound(state: Data, told: Answer | None, value: Any) -> Data | None:
    """Return the state if the answer has this value, or None; the answer's entity tag becomes the state's tag."""
    if told is None:
        return state
    if told.value != value or (told.tag and state.tag not in (None, told.tag)):
        return None
    return state if told.tag is None else state._replace(tag=told.tag)


def refusal(answer: httpx.Response) -> Refused:
    told = answer.json()
    return Refused(answer.status_code, told["error"], told["error_description"])


def written(answer: httpx.Response) -> Answer:
    """Return the answer to a write or a delete."""
    if answer.status_code != 200:
        return Answer(refusal(answer), answer.headers.get("ETag"))
    return Answer(True, answer.headers["ETag"], int(answer.headers["X-RateLimit-Remaining"]))


def patched(answer: httpx.Response) -> Answer:
    """Return the answer to a change: the new values."""
    if answer.status_code != 200:
        return Answer(refusal(answer), answer.headers.get("ETag"))
    [entry] = answer.json()["entry"]
    return Answer(entry["data"], answer.headers["ETag"], int(answer.headers["X-RateLimit-Remaining"]))


def data_read(answer: httpx.Response) -> Answer:
    """Return one user's data: the only entry, or {} in an empty list of friends."""
    assert answer.status_code == 200, answer.text
    entry = answer.json()["entry"]
    return Answer(entry[0]["data"] if entry else {}, answer.headers.get("ETag"))


def usage_read(answer: httpx.Response) -> Answer:
    entry = answer.json()["entry"]
    return Answer((entry["bytes"]["used"], entry["keys"]["used"], entry["window"]["remaining"]))


@dataclass
class DataClient:
    """A client that writes and reads one person's data. `tags` holds the tags that any of the clients has received."""

    recorder: Recorder
    number: int
    person: Person
    friend: Person
    tags: list[str]
    dice: random.Random

    def live(self, turns: int) -> None:
        for turn in range(turns):
            told = self.one(turn)
            if told and told.tag:
                self.tags.append(told.tag)

    def one(self, turn: int) -> Answer | None:
        """Send one request, and return its answer, or None if the outcome is unknown."""
        chosen = self.dice.sample(KEYS, self.dice.choice((1, 1, 2, 3)))
        named: dict[str, Any] = {"params": {"fields": ",".join(chosen)}}
        match self.dice.choices(KINDS, WEIGHTS)[0]:
            case "write":
                sizes = self.dice.choices((0, 0, 900, 3_100, 4_000), k=len(chosen))
                stamp = f"{self.number}.{turn};"
                pairs = {key: stamp + noise(size, turn) for key, size in zip(chosen, sizes, strict=True)}
                return self._change("write", tuple(pairs.items()), self.dice.choice(("POST", "PUT")), json=pairs)
            case "patch":
                changes = {key: {"append": f"{self.number}.{turn}", "last": 3} for key in chosen}
                return self._change("patch", tuple(changes.items()), "PATCH", json=changes)
            case "delete":
                return self._change("delete", frozenset(chosen), "DELETE", **named)
            case "clear":
                return self._change("delete", None, "DELETE")
            case "read":
                return self.look("read", None, data_read)
            case "some":
                return self.look("read", frozenset(chosen), data_read, **named)
            case "usage":
                return self.look("usage", None, usage_read, url=PATH.replace("@self", "@usage"))
        return self.look("friends", None, data_read, self.friend, url=PATH.replace("@self", "@friends"))

    def _change(self, kind: str, given: Any, method: str, **more: Any) -> Answer | None:
        demand = ("If-Match", self.tags[-1]) if self.dice.random() < 0.3 else None
        demand = ("If-None-Match", "*") if self.dice.random() < 0.04 else demand
        headers = dict([demand] if demand else [])
        read = patched if kind == "patch" else written
        return self._send((kind, given, demand), read, self.person, method=method, headers=headers, **more)

    def look(
        self, kind: str, given: Any, read: Callable[[httpx.Response], Answer], who: Person | None = None, **more: Any
    ) -> Answer | None:
        """Send a read, and return its answer, or None if there was none."""
        return self._send((kind, given, None), read, who or self.person, method="GET", **more)

    def _send(self, asked: Any, read: Callable[[httpx.Response], Answer], who: Person, **request: Any) -> Answer | None:
        headers = {"Authorization": f"OAuth {who.token}", **request.pop("headers", {})}
        sent = {"url": PATH, "headers": headers, **request}
        told: Answer | None = self.recorder.record(self.number, asked, read, self.dice, **sent)
        return told


KEYS = ("a", "b", "c", "d", "e")
KINDS = ("write", "patch", "delete", "clear", "read", "some", "usage", "friends")
WEIGHTS = (6, 5, 3, 1, 4, 3, 2, 3)


def data_history(crowd: Crowd, turns: int, seed: int) -> tuple[Recorder, list[Operation]]:
    """Run `turns` turns of each client (one user and a friend), and return the operations as promised.

    Own reads return the last write; a friend's reads may lag.
    """
    begun, person = int(time.time() * 1000) - 1_000, crowd.person()
    friend, recorder = crowd.person([person]), Recorder(crowd)
    tags: list[str] = []
    dice = [random.Random(f"{seed}.{number}") for number in range(CLIENTS)]
    clients = [DataClient(recorder, number, person, friend, tags, dice[number]) for number in range(CLIENTS)]
    # The first tag must be known before the first conditional request.
    while not tags:
        if (first := clients[0].look("read", None, data_read)) and first.tag:
            tags.append(first.tag)
    at_once(CLIENTS, lambda number: clients[number].live(turns))
    check_events(crowd, person, recorder.operations, begun)
    promised = [
        replace(each, asked=("read", None, None)).lagging(LAG) if each.asked[0] == "friends" else each
        for each in recorder.operations
    ]
    return recorder, promised


def check_events(crowd: Crowd, person: Person, operations: list[Operation], since: int) -> None:
    """Check that each accepted write was told once, with its keys, and nothing else.

    A request that nobody waits for may still be accepted meanwhile, so the ledger is read first.
    """
    version = person.tables().held[crowd.app, person.user].ledger.version
    found = [event for event in crowd.events(crowd.app, since) if event.subject == f"data/{person.user}"]
    told = {event.sequence: event.data for event in found}
    assert sorted(told) == list(range(1, len(found) + 1)), sorted(each.sequence for each in found)
    assert len(found) >= version
    for each in operations:
        kind, given, _ = each.asked
        answer: Answer | None = each.answered
        if kind in ("write", "patch", "delete") and answer and answer.tag and not isinstance(answer.value, Refused):
            what = told[int(answer.tag.strip('"').rpartition(".")[2])]
            keys = sorted(dict(given) if kind != "delete" else given or ())
            assert what == {"user": person.user, **({"all": True} if given is None else {"keys": keys})}


def check_data(operations: list[Operation]) -> int:
    """Check a history, and return the number of states that were tried. Raises NotLinearizable."""
    return check(operations, Data(frozenset(), None, 0), data_step)
