"""Equal behaviour of three faces: the same requests to `/2`, `/rpc` and `/os/0.8` return and store the same.

Each face has an app of its own in one world; the tests compare the stored data of these apps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.model.directory import App
from tests.kit import invariants
from tests.kit.rpc_calls import item, outcome, send
from tests.kit.signing import SECRET, signed
from tests.kit.worlds import HANA, KEN, MEI, TARO, YUKI, Reply, World

pytestmark = pytest.mark.moto

QUOTA, WRITES, KEYS = 40, 6, 5
SCOPES = ("mixi_apps2", "r_profile")

Answer = Any
"""The result of a face, independent of its format: data by user, or one of the words below."""
DENIED, INVALID, QUOTA_EXCEEDED, WINDOW_FULL = "denied", "invalid", "quota", "window"


@dataclass(frozen=True)
class Face:
    """One face, used through one app. Keys are None for all; a target is a user or `@friends`."""

    world: World
    app: str

    def read(self, user: str, target: str, keys: Iterable[str] | None) -> Answer:
        raise NotImplementedError

    def write(self, user: str, target: str, pairs: Mapping[str, Any]) -> Answer:
        raise NotImplementedError

    def delete(self, user: str, target: str, keys: Iterable[str] | None) -> Answer:
        raise NotImplementedError

    def people(self, user: str, target: str, fields: str) -> Answer:
        raise NotImplementedError

    def ask(self, method: str, path: str, user: str, body: Any = None, **query: Any) -> Reply:
        token = self.world.token(user, *SCOPES, app=self.app)
        return self.world.send(method, path, body, token=token, **query)


class Rest(Face):
    """The common part of the two faces that have users and groups in their paths."""

    data = people_path = ""
    end = ""

    def read(self, user: str, target: str, keys: Iterable[str] | None) -> Answer:
        reply = self.ask("GET", self.data + selectors(target) + self.end, user, **fields(keys))
        return self.entries(reply.json["entry"]) if reply.status == 200 else refusal(reply)

    def write(self, user: str, target: str, pairs: Mapping[str, Any]) -> Answer:
        reply = self.ask("POST", self.data + selectors(target) + self.end, user, dict(pairs))
        return "done" if reply.status == 200 else refusal(reply)

    def delete(self, user: str, target: str, keys: Iterable[str] | None) -> Answer:
        reply = self.ask("DELETE", self.data + selectors(target) + self.end, user, **fields(keys))
        return "done" if reply.status == 200 else refusal(reply)

    def people(self, user: str, target: str, fields: str) -> Answer:
        reply = self.ask("GET", self.people_path + selectors(target), user, fields=fields)
        return reply.json["entry"] if reply.status == 200 else refusal(reply)

    def entries(self, entry: Any) -> Answer:
        raise NotImplementedError


class Graph(Rest):
    """`/2`."""

    data, people_path = "/2/apps/appdata", "/2/people"

    def entries(self, entry: Any) -> Answer:
        return {each["id"]: each["data"] for each in entry}


class OpenSocialRest(Rest):
    """`/os/0.8`, signed."""

    data, people_path, end = "/os/0.8/appdata", "/os/0.8/people", "/@app"

    def ask(self, method: str, path: str, user: str, body: Any = None, **query: str) -> Reply:
        return signed(self.world, method, path, body, user=user, key=self.app, query=query)

    def entries(self, entry: Any) -> Answer:
        return {name.removeprefix("mixi.jp:"): data for name, data in entry.items()}


class Rpc(Face):
    """`/rpc`."""

    def post(self, body: Any, user: str) -> Reply:
        return send(self.world, body, token=self.world.token(user, *SCOPES, app=self.app))

    def call(self, method: str, user: str, target: str, **params: Any) -> Answer:
        named = {"userId": "@me", "groupId": target} if target.startswith("@f") else {"userId": target}
        reply = self.post(item(method, **named, **params), user)
        assert reply.status == 200
        result = outcome(reply.json)
        if isinstance(result, tuple):
            return {403: DENIED, 400: INVALID, 417: WINDOW_FULL if "frequency" in result[1] else QUOTA_EXCEEDED}[
                result[0]
            ]
        return result

    def read(self, user: str, target: str, keys: Iterable[str] | None) -> Answer:
        return self.call("appdata.get", user, target, fields=None if keys is None else sorted(keys))

    def write(self, user: str, target: str, pairs: Mapping[str, Any]) -> Answer:
        result = self.call("appdata.update", user, target, data=dict(pairs))
        return "done" if result == {} else result

    def delete(self, user: str, target: str, keys: Iterable[str] | None) -> Answer:
        result = self.call("appdata.delete", user, target, fields="*" if keys is None else sorted(keys))
        return "done" if result == {} else result

    def people(self, user: str, target: str, fields: str) -> Answer:
        result = self.call("people.get", user, target, fields=fields)
        return result["list"] if isinstance(result, dict) and "list" in result else result


class SignedRpc(Rpc):
    """`/rpc`, signed."""

    def post(self, body: Any, user: str) -> Reply:
        return signed(self.world, "POST", "/rpc", body, user=user, key=self.app)


KINDS: tuple[Callable[[World, str], Face], ...] = (Graph, Rpc, SignedRpc, OpenSocialRest)


def selectors(target: str) -> str:
    return f"/@me/{target}" if target.startswith("@f") else f"/{target}/@self"


def fields(keys: Iterable[str] | None) -> dict[str, str]:
    return {} if keys is None else {"fields": ",".join(sorted(keys))}


def refusal(reply: Reply) -> str:
    if reply.status == 503:
        return WINDOW_FULL
    if "quota" in reply.json["error_description"]:
        return QUOTA_EXCEEDED
    return {403: DENIED, 400: INVALID, 413: INVALID}[reply.status]


@pytest.fixture
def shared(make_world: Callable[..., World]) -> World:
    """Return a world where Hana is a friend of Ken, Mei and Taro; each test makes the apps that it needs."""
    world = make_world(ENGAWA_QUOTA_BYTES=str(QUOTA), ENGAWA_RATE_WRITES=str(WRITES), ENGAWA_MAX_KEYS=str(KEYS))
    world.populate(HANA, KEN, MEI, TARO, YUKI)
    for one, other in ((HANA, KEN), (HANA, MEI), (HANA, TARO)):
        world.platform.friends_and_installs.befriend(one, other)
    return world


numbers = count(1)


def faces(world: World) -> list[Face]:
    """Return each face with a new app, which all but Taro have installed; Ken and Yuki have data."""
    made = []
    for kind in KINDS:
        app = f"{next(numbers):016x}"
        world.platform.apps.create(App(app, "app", secret=SECRET, scopes=SCOPES))
        for user in (HANA, KEN, MEI, YUKI):
            data = {"level": "7", "a": "ken's"} if user in (KEN, YUKI) else {}
            world.platform.appdata.install(app, user, data)
        made.append(kind(world, app))
    return made


def assert_the_same_is_stored(world: World, kinds: list[Face]) -> None:
    """Assert that each user's data, totals, versions and write windows are equal; random values are not compared."""
    tables = invariants.scan(world.dynamodb)
    assert tables.wrongs(world.platform.settings.limits) == []
    held: dict[str, dict[str, Any]] = {face.app: {} for face in kinds}
    for (app, user), each in tables.held.items():
        if app in held:
            ledger = each.ledger
            held[app][user] = (each.data, ledger.balance, ledger.version, ledger.window.times)
    first, *others = held.values()
    assert first
    assert others == [first] * len(others)


keys = st.sampled_from(["a", "b", "level", "long"])
values = st.sampled_from(["", "x", "縁側", "y" * 15, "z" * (QUOTA + 1)])
bad_pairs = st.sampled_from([{}, {"a": None}, {"a": 5}, {"a b": "x"}, {"": "x"}, {f"k{n}": "" for n in range(100)}])
some_keys = st.none() | st.frozensets(keys, min_size=1)
writers = st.sampled_from(["@me", HANA, KEN, TARO])
steps = st.one_of(
    st.tuples(st.just("write"), st.sampled_from([HANA, HANA, TARO]), writers, st.dictionaries(keys, values)),
    st.tuples(st.just("write"), st.just(HANA), st.just("@me"), bad_pairs),
    st.tuples(st.just("delete"), st.sampled_from([HANA, HANA, TARO]), writers, some_keys),
    st.tuples(
        st.just("read"), st.sampled_from([HANA, KEN]), st.sampled_from(["@me", HANA, KEN, "@friends"]), some_keys
    ),
    st.tuples(st.just("read"), st.just(TARO), st.sampled_from(["@me", "@friends"]), some_keys),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=4, max_size=12))
def test_any_sequence_is_answered_and_stored_alike(shared: World, sequence: list[Any]) -> None:
    """Taro has not installed the app, so he has no data and no list of friends on any face."""
    kinds = faces(shared)
    for deed, *arguments in sequence:
        came = {type(face).__name__: getattr(face, deed)(*arguments) for face in kinds}
        expected = came["Graph"]
        assert came == dict.fromkeys(came, expected), (deed, arguments)
    assert_the_same_is_stored(shared, kinds)


def test_a_game_from_its_first_score_to_its_last(shared: World) -> None:
    """Each face returns every refusal for writes, one after the other."""
    kinds = faces(shared)
    for face in kinds:
        assert face.write(HANA, "@me", {"score": "1", "name": "花"}) == "done"
        assert face.read(KEN, HANA, ["score"]) == {HANA: {"score": "1"}}
        assert face.read(HANA, "@friends", ["level"]) == {KEN: {"level": "7"}}
        assert face.write(HANA, KEN, {"score": "2"}) == DENIED
        assert face.write(TARO, "@me", {"score": "2"}) == DENIED
        assert face.write(HANA, "@me", {"log": "x" * (QUOTA - 3)}) == QUOTA_EXCEEDED
        assert face.write(HANA, HANA, {"log": "x" * (QUOTA - 4)}) == "done"
        assert face.write(HANA, "@me", {f"k{turn}": "" for turn in range(KEYS - 2)}) == INVALID
        assert face.delete(HANA, "@me", ["log", "never"]) == "done"
        assert face.delete(HANA, "@me", None) == "done"
        assert face.read(HANA, "@me", None) == {HANA: {}}
        for _ in range(WRITES - 4):
            assert face.write(HANA, "@me", {"score": "3"}) == "done"
        assert face.write(HANA, "@me", {"score": "4"}) == WINDOW_FULL
        assert face.delete(HANA, "@me", None) == WINDOW_FULL
    assert_the_same_is_stored(shared, kinds)
    assert kinds[0].world.platform.appdata.read(kinds[0].app, HANA, None).data == {"score": "3"}


def test_strangers_with_the_app_are_read_where_opensocial_is_spoken(shared: World) -> None:
    graph, *others = faces(shared)

    assert graph.read(HANA, YUKI, None) == graph.people(HANA, YUKI, "displayName") == DENIED
    for face in others:
        assert face.read(HANA, YUKI, ["level"]) == {YUKI: {"level": "7"}}
        assert face.people(HANA, YUKI, "displayName") == {"id": YUKI, "displayName": f"user {YUKI}"}
        assert face.read(HANA, TARO, None) == face.people(HANA, TARO, "displayName") == DENIED


def test_a_viewer_without_the_app_reads_the_data_of_those_who_have_it_where_opensocial_is_spoken(shared: World) -> None:
    """Taro may not see his friend Hana's profile; Yuki is a stranger. `/2` needs a friend list, which he lacks."""
    graph, *others = faces(shared)

    for user in (HANA, YUKI):
        assert graph.read(TARO, user, None) == graph.people(TARO, user, "displayName") == DENIED
    for face in others:
        assert face.read(TARO, HANA, None) == {HANA: {}}
        assert face.read(TARO, YUKI, ["level"]) == {YUKI: {"level": "7"}}
        assert face.people(TARO, HANA, "displayName") == DENIED
        assert face.people(TARO, YUKI, "displayName") == {"id": YUKI, "displayName": f"user {YUKI}"}


@pytest.mark.parametrize("target", ["@me", KEN, "@friends", TARO])
def test_people_are_the_same(shared: World, target: str) -> None:
    first, *others = [face.people(HANA, target, "id,displayName,thumbnailUrl,profileUrl") for face in faces(shared)]
    assert others == [first] * len(others)
    assert first == (DENIED if target == TARO else first)
    assert first
