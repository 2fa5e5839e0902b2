"""What can be asked of app data, each with what the rules say becomes of it.

A deed is sent for real, and is also worked out on a `State`; test_faults.py compares the two. HANA owns the data,
KEN and MEI are friends.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.errors import Unavailable
from local.in_process import APP, HANA, KEN, ME, MEI, Reply, World

QUOTA = 320_000
WRITES = 12
"""Small limits, so that a test reaches them soon."""
MEIS = {"level": "3"}
"""What MEI has stored."""

Outcome = tuple[Any, ...]
BUSY: Outcome = (503, "The service is busy")
KILLED: Outcome = ("the process died",)
DENIED: Outcome = (403, "Permission denied")
TOO_OFTEN: Outcome = (503, "appdata update frequency is too high")
NO_ROOM: Outcome = (400, f"Limit exceeded size quota (max={QUOTA})")
CHANGED: Outcome = (412, "The data have changed, or are not what the precondition asks for")


@dataclass(frozen=True)
class State:
    """What HANA has stored; `data` is None where the app is not installed. `life` is new where an epoch is."""

    data: Mapping[str, str] | None = None
    writes: int = 0
    life: int = 0

    def asked(self, keys: frozenset[str] | None) -> dict[str, str]:
        return {key: value for key, value in (self.data or {}).items() if keys is None or key in keys}

    @property
    def total(self) -> int:
        return sum(map(utf8_bytes, (self.data or {}).values()))


class Deed:
    """One request, or one call where no route exists yet."""

    reads = False

    def send(self, world: World) -> Outcome:
        raise NotImplementedError

    def on(self, state: State) -> tuple[Outcome, State]:
        """The right outcome on a state, and the state afterwards."""
        raise NotImplementedError


@dataclass(frozen=True)
class Write(Deed):
    """Store the pairs; with `etag`, under If-Match. `known` is the state that the tag stands for."""

    pairs: Mapping[str, str]
    etag: str | None = None
    known: State | None = None

    def send(self, world: World) -> Outcome:
        headers = {"If-Match": self.etag} if self.etag else {}
        return receipt(world.send("POST", ME, dict(self.pairs), headers=headers))

    def on(self, state: State) -> tuple[Outcome, State]:
        if state.data is not None and self.known and (state.life, state.writes) != (self.known.life, self.known.writes):
            return CHANGED, state
        return accepted(state, self.pairs)


@dataclass(frozen=True)
class Delete(Deed):
    """Delete the keys."""

    keys: frozenset[str]

    def send(self, world: World) -> Outcome:
        return receipt(world.send("DELETE", ME, fields=",".join(sorted(self.keys))))

    def on(self, state: State) -> tuple[Outcome, State]:
        return accepted(state, dict.fromkeys(self.keys))


@dataclass(frozen=True)
class Clear(Deed):
    """Delete everything."""

    def send(self, world: World) -> Outcome:
        return receipt(world.send("DELETE", ME))

    def on(self, state: State) -> tuple[Outcome, State]:
        outcome, after = accepted(state, dict.fromkeys(state.data or {}))
        return outcome, after if after == state else replace(after, life=state.life + 1)


@dataclass(frozen=True)
class Install(Deed):
    """Install the app, with data to begin with."""

    data: Mapping[str, str] = field(default_factory=dict)

    def send(self, world: World) -> Outcome:
        try:
            return 200, world.platform.appdata.install(APP, HANA, self.data)
        except Unavailable:
            return BUSY

    def on(self, state: State) -> tuple[Outcome, State]:
        if state.data is not None:
            return (200, False), state
        return (200, True), State(dict(self.data), 0, state.life + 1)


@dataclass(frozen=True)
class Uninstall(Deed):
    """Uninstall the app."""

    def send(self, world: World) -> Outcome:
        try:
            return 200, world.platform.appdata.uninstall(APP, HANA)
        except Unavailable:
            return BUSY

    def on(self, state: State) -> tuple[Outcome, State]:
        return (200, state.data is not None), State(None, 0, state.life)


@dataclass(frozen=True)
class Sweep(Deed):
    """Clear away what deletions left behind."""

    def send(self, world: World) -> Outcome:
        try:
            world.platform.sweep()
        except Unavailable:
            return BUSY
        return (200,)

    def on(self, state: State) -> tuple[Outcome, State]:
        return (200,), state


@dataclass(frozen=True)
class Read(Deed):
    """Read one's own values, those of the keys or all."""

    keys: frozenset[str] | None = None
    reads = True

    def send(self, world: World) -> Outcome:
        return data_in(world.send("GET", ME, **fields(self.keys)))

    def on(self, state: State) -> tuple[Outcome, State]:
        return (DENIED if state.data is None else (200, {HANA: state.asked(self.keys)})), state


@dataclass(frozen=True)
class ReadFriend(Deed):
    """KEN reads HANA's values."""

    keys: frozenset[str] | None = None
    reads = True

    def send(self, world: World) -> Outcome:
        return data_in(world.send("GET", ME.replace("@me", HANA), user=KEN, **fields(self.keys)))

    def on(self, state: State) -> tuple[Outcome, State]:
        return (DENIED if state.data is None else (200, {HANA: state.asked(self.keys)})), state


@dataclass(frozen=True)
class ReadFriends(Deed):
    """KEN reads the values of all friends."""

    keys: frozenset[str] | None = None
    reads = True

    def send(self, world: World) -> Outcome:
        return data_in(world.send("GET", ME.replace("@self", "@friends"), user=KEN, **fields(self.keys)))

    def on(self, state: State) -> tuple[Outcome, State]:
        all_friends = {HANA: state.asked(self.keys), MEI: State(MEIS).asked(self.keys)}
        return (200, {friend: data for friend, data in all_friends.items() if data}), state


@dataclass(frozen=True)
class ReadNamed(Deed):
    """KEN reads HANA's and MEI's values by their ids, through `/rpc`."""

    keys: frozenset[str] | None = None
    reads = True

    def send(self, world: World) -> Outcome:
        params = {"userId": [HANA, MEI], "fields": sorted(self.keys or [])}
        answer = world.send("POST", "/rpc", {"method": "appdata.get", "params": params}, user=KEN).json
        if "error" not in answer:
            return 200, answer["result"]
        assert answer["error"]["code"] == 500
        return 503, answer["error"]["message"]

    def on(self, state: State) -> tuple[Outcome, State]:
        meis = {MEI: State(MEIS).asked(self.keys)}
        return (200, meis if state.data is None else {HANA: state.asked(self.keys)} | meis), state


@dataclass(frozen=True)
class AskUsage(Deed):
    """Ask what is used."""

    reads = True

    def send(self, world: World) -> Outcome:
        reply = world.send("GET", ME.replace("@self", "@usage"))
        if reply.status != 200:
            return refused(reply)
        entry = reply.json["entry"]
        return 200, entry["bytes"]["used"], entry["keys"]["used"], entry["window"]["remaining"]

    def on(self, state: State) -> tuple[Outcome, State]:
        if state.data is None:
            return DENIED, state
        return (200, state.total, len(state.data), WRITES - state.writes), state


def accepted(state: State, changes: Mapping[str, str | None]) -> tuple[Outcome, State]:
    """A write by the rules: the version and the rest of the window in the outcome."""
    if state.data is None:
        return DENIED, state
    if state.writes >= WRITES:
        return TOO_OFTEN, state
    data = {key: value for key, value in {**state.data, **changes}.items() if value is not None}
    after = replace(state, data=data, writes=state.writes + 1)
    if after.total > QUOTA and after.total > state.total:
        return NO_ROOM, state
    return (200, after.writes, WRITES - after.writes), after


def receipt(reply: Reply) -> Outcome:
    """The outcome of a write: version (from the ETag) and the rest of the window."""
    if reply.status != 200:
        return refused(reply)
    assert reply.json == {"response_code": 200}
    return 200, int(reply.headers["etag"].strip('"').rpartition(".")[2]), int(reply.headers["x-ratelimit-remaining"])


def data_in(reply: Reply) -> Outcome:
    """The outcome of a read: each user's data."""
    return (200, {each["id"]: each["data"] for each in reply.json["entry"]}) if reply.status == 200 else refused(reply)


def refused(reply: Reply) -> Outcome:
    """The outcome of a refusal; a 503 always says when to come again."""
    assert reply.status != 503 or int(reply.headers["retry-after"]) >= 1
    return reply.status, reply.json["error_description"]


def fields(keys: Iterable[str] | None) -> dict[str, str]:
    return {} if keys is None else {"fields": ",".join(sorted(keys))}


def noise(size: int, seed: int = 0) -> str:
    """Text that does not deflate below three quarters."""
    return "".join(random.Random(seed).choices(KEY_CHARACTERS, k=size))


KEY_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
