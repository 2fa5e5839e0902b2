"""`/rpc` over HTTP: batches, every method, and the errors of wrong requests, while the others succeed."""

from __future__ import annotations

import json
import random
import string
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.api.opensocial import rpc
from chalicelib.api.opensocial.rpc import METHODS
from chalicelib.core.codecs import jsonrpc
from chalicelib.core.errors import Unavailable
from chalicelib.core.model.directory import App
from chalicelib.web import json_answers as web_answers
from local.gateway import Gateway
from tests.kit.appdata_api import nothing_changes, own_data, stored
from tests.kit.rpc_calls import RPC, VIEWER, batch, call, item, outcome, send
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, YUKI, World

DENIED = (403, "Permission denied")
NOBODY = "nobodynobody"


def app_of(world: World) -> Gateway:
    """Return a gateway to an app with this face only."""
    made = Chalice("alone")
    rpc.face.register(made, lambda: world.platform)
    return Gateway(made)


# --- batches


def test_every_wrong_request_has_its_error_and_the_others_succeed(world: World) -> None:
    """No error stops the other requests; the responses are in the order of the requests, under their ids."""
    update, get = "appdata.update", "appdata.get"
    asked: list[tuple[Any, Any]] = [
        (item(update, "first", data={"level": "1"}), {}),
        ("no request", -32600),
        (item("appdata.getAll"), -32601),
        (item("people.update"), -32601),
        ({"method": get, "id": 3}, 400),  # The request names no user.
        ({"method": get, "id": 4, "params": ["@me"]}, -32602),
        ({"id": 5, "params": VIEWER}, -32600),
        (item(get, userId=5), 400),
        (item(get, userId=[HANA, 5]), 400),
        (item(get, groupId={}), 400),
        (item(get, fields={"a": 1}), 400),
        (item(get, fields=["a b"]), 400),
        (item(get, groupId="@everyone"), 403),
        (item(get, groupId="@all"), 403),
        (item(get, appId="c07be4915fa2d386"), 403),
        (item(get, userId=TARO), 403),  # A friend without the app.
        (item(get, userId=NOBODY), 403),
        (item(get, userId=YUKI, groupId="@friends"), 403),
        (item(update, userId=KEN, data={"level": "9"}), 403),
        (item(update, groupId="@friends", data={"level": "9"}), 403),
        (item(update), 400),
        (item(update, data=["level"]), 400),
        (item(update, data={}), 400),
        (item(update, data={"level": 5}), 400),
        (item(update, data={"level": None}), 400),
        (item(update, data={"le vel": "5"}), 400),
        (item(update, data={"": "5"}), 400),
        (item(update, data={"level": "x" * 65_536}), 400),
        (item(update, data={f"k{turn}": "" for turn in range(100)}), 400),
        (item("appdata.delete", userId=KEN), 403),
        (item("appdata.delete", fields=[f"k{turn}" for turn in range(100)]), 400),
        (item("appdata.delete", fields=[""]), 400),
        (item("appdata.delete"), 400),
        ({"method": "appdata.delete", "id": 6, "params": VIEWER | {"fields": None}}, 400),
        ({"method": "appdata.delete", "id": 7, "params": VIEWER | {"field": ["level"]}}, 400),
        (item("appdata.delete", fields=","), 400),
        (item("appdata.delete", fields=""), 400),
        (item("appdata.delete", keys=",,"), 400),
        (item("appdata.delete", fields=["", ""]), 400),
        (item("appdata.delete", fields=["*", "level"]), 400),
        (item("appdata.delete", fields="*,level"), 400),
        (item("appdata.delete", fields=[], keys=["level"]), 400),
        (item("people.get", fields=["gender"]), 403),
        (item("people.get", groupId="@friends", count=0), 400),
        (item("people.get", groupId="@friends", sortBy="age"), 400),
        (item(get, "last"), {HANA: {"level": "1"}}),
    ]
    token = world.token(HANA, "mixi_apps2", "r_profile")
    reply = send(world, [each for each, _ in asked], token=token)

    assert reply.status == 200
    assert [answer.get("id") for answer in reply.json] == [
        each.get("id") if isinstance(each, dict) else None for each, _ in asked
    ]
    came = [outcome(answer) for answer in reply.json]
    assert [each[0] if isinstance(each, tuple) else each for each in came] == [expected for _, expected in asked]
    assert own_data(world) == {"level": "1"}
    assert own_data(world, KEN) == {}


def test_requests_see_what_those_before_them_have_done(world: World) -> None:
    assert batch(
        world,
        item("appdata.get"),
        item("appdata.update", data={"a": "1", "b": "2"}),
        item("appdata.create", data={"c": "3"}),
        item("appdata.get", fields=["a", "c", "never"]),
        item("appdata.delete", fields=["a", "never"]),
        item("appdata.get", fields="*"),
        item("appdata.delete", fields="*"),
        item("appdata.get"),
    ) == [
        {HANA: {}},
        {},
        {},
        {HANA: {"a": "1", "c": "3"}},
        {},
        {HANA: {"b": "2", "c": "3"}},
        {},
        {HANA: {}},
    ]


def test_one_request_is_answered_by_an_object(world: World) -> None:
    reply = send(world, {"method": "appdata.get", "id": "x", "params": VIEWER})

    assert reply.status == 200
    assert reply.headers["cache-control"] == "private, no-cache"
    assert reply.json == {"jsonrpc": "2.0", "id": "x", "result": {HANA: {}}, "data": {HANA: {}}}


def test_a_request_without_an_id_is_answered_too(world: World) -> None:
    reply = send(world, [{"method": "system.listMethods"}, {"method": "nothing"}])

    assert ["id" in answer for answer in reply.json] == [False, False]
    assert outcome(reply.json[0]) == [
        "appdata.get",
        "appdata.update",
        "appdata.create",
        "appdata.patch",
        "appdata.delete",
        "people.get",
        "system.listMethods",
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"no JSON", -32700),
        (b'{"method": "appdata.get"', -32700),
        (b'[{"method": "a", "method": "b"}]', -32700),
        (b'{"id": NaN}', -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"null", -32600),
        (b'"appdata.get"', -32600),
        (b"7", -32600),
        ([item("appdata.update", data={"level": "9"})] * 101, 400),
        ([item("appdata.update", data={"level": "9"})] * 1_000, 400),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(world: World, body: Any, code: int) -> None:
    with nothing_changes(world):
        reply = send(world, body, headers={"Content-Type": "application/json"})

    assert reply.status == 400
    assert reply.json.keys() == {"jsonrpc", "id", "error"}
    assert (reply.json["id"], reply.json["error"]["code"]) == (None, code)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(world: World, content_type: str) -> None:
    reply = send(world, json.dumps(item("appdata.get")).encode(), headers={"Content-Type": content_type})

    assert (reply.status, reply.json["error"]["code"]) == (400, 400)


def test_a_batch_of_as_many_as_allowed(world: World) -> None:
    came = batch(world, *[item("appdata.update", turn, data={"level": str(turn)}) for turn in range(100)])

    assert came == [{}] * 100
    assert own_data(world) == {"level": "99"}


def test_only_post(world: World) -> None:
    for method in ("GET", "PUT", "DELETE"):
        reply = world.send(method, f"{RPC}?method=appdata.get&userId=@me")
        assert reply.error[:2] == (405, "method_not_allowed")
        assert "POST" in reply.headers["allow"]


# --- bounds on a batch


@pytest.mark.parametrize("content_type", ["application/json-rpc", "Application/JSON-RPC; charset=utf-8", "text/json"])
def test_the_content_types_of_json_rpc(world: World, content_type: str) -> None:
    body = json.dumps(item("appdata.get")).encode()

    reply = send(world, body, headers={"Content-Type": content_type})
    assert outcome(reply.json) == {HANA: {}}


def test_params_may_be_an_empty_list(world: World) -> None:
    reply = send(
        world, [{"method": "system.listMethods", "id": 1, "params": []}, {"method": "appdata.get", "params": []}]
    )

    assert outcome(reply.json[0]) == list(METHODS)
    assert outcome(reply.json[1]) == (400, "No user is named: userId is missing")


def test_what_a_batch_has_no_time_for_is_not_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock ticks once a request; requests from the fifteenth second on get an error, and change nothing."""
    ticks = count()
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    world.gateway = app_of(world)
    came = batch(world, *[item("appdata.update", data={f"k{turn}": "x"}) for turn in range(1, 18)])

    assert came[:14] == [{}] * 14
    assert came[14:] == [(500, "Not begun: the batch has taken too long")] * 3
    assert own_data_keys(world) == {f"k{turn}" for turn in range(1, 15)}


def test_equal_reads_are_made_once_and_a_write_between_them_counts(world: World) -> None:
    read, write = item("appdata.get"), item("appdata.update", data={"level": "9"})
    world.calls.clear()
    came = batch(world, *[read] * 40, write, *[read] * 40)

    assert came[:40] == [came[0]] * 40
    assert came[40] == {}
    assert came[41:] == [{HANA: {**came[0][HANA], "level": "9"}}] * 40
    assert [call.operation for call in world.calls].count("get_item") == 3


def test_a_batch_reads_so_much_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonrpc, "MOST_BLOCKS", 10)
    reads = [item("appdata.get", fields=[f"k{turn}"]) for turn in range(12)]
    world.calls.clear()
    came = batch(world, *reads, item("appdata.update", data={"level": "9"}))

    assert came[:10] == [{HANA: {}}] * 10
    refused = (400, "The requests of the batch read too much (max=10 people and data)")
    assert came[10:] == [refused] * 3
    assert len(world.calls) == 10


def test_large_values_are_much_to_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads count even if their results are too large for the batch. An unused parameter makes each read different."""
    monkeypatch.setattr(jsonrpc, "MOST_BYTES", 1_000)
    monkeypatch.setattr(jsonrpc, "MOST_BLOCKS", 40)
    large = "".join(random.Random(0).choices(string.ascii_letters + string.digits, k=60_000))
    assert batch(world, item("appdata.update", data={"large": large})) == [{}]
    world.calls.clear()
    came = batch(world, *[item("appdata.get", turn=turn) for turn in range(20)])

    too_large = (400, "The results of the batch are too large (max=1000)")
    assert (came[0], len(set(came[3:]))) == (too_large, 1)
    assert came[-1][1].startswith("The requests of the batch read too much")
    assert len(world.calls) < 10


def test_writes_count_what_they_look_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused write is not in the write window, but may have read as much as an accepted one."""
    monkeypatch.setattr(jsonrpc, "MOST_BLOCKS", 40)
    for start in (0, 80):
        written = {random_key(turn): "" for turn in range(start, start + 80)}
        assert batch(world, item("appdata.update", data=written)) == [{}]
    gone = item("appdata.delete", fields=[f"k{turn}" for turn in range(99)])
    came = batch(world, *[gone] * 5)

    assert came[0] == {}
    assert came[-1] == (400, "The requests of the batch read too much (max=40 people and data)")


def test_equal_reads_that_are_refused_are_made_once(world: World) -> None:
    read = item("appdata.get", userId=f"{'0' * 11}1")
    world.calls.clear()
    came = batch(world, *[read] * 20)

    assert (came[0][0], len(set(came)), len(world.calls)) == (403, 1, 1)


def random_key(seed: int) -> str:
    """Return a key of 255 random characters; a ledger can list only few such keys."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=255))


def own_data_keys(world: World) -> set[str]:
    return set(world.platform.appdata.read(APP, HANA, None).data or {})


def test_the_results_of_a_batch_are_bounded_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(world, {"text": "縁" * 100})
    size = len(json.dumps({HANA: {"text": "縁" * 100}}, ensure_ascii=False, separators=(",", ":")).encode())
    monkeypatch.setattr(jsonrpc, "MOST_BYTES", 2 * size)
    get = item("appdata.get")

    came = batch(world, get, get, get, item("appdata.update", data={"text": "x"}), get)

    assert came[:2] == [{HANA: {"text": "縁" * 100}}] * 2
    assert came[2:] == [(400, f"The results of the batch are too large (max={2 * size})"), {}, came[2]]
    assert own_data(world) == {"text": "x"}


def test_an_answer_that_lambda_cannot_carry_is_elsewhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(world, {"text": "x" * 1000})
    monkeypatch.setattr(web_answers, "MOST_BYTES", 2000)
    reply = send(world, [item("appdata.get")])

    assert reply.status == 303
    assert reply.headers["location"] == reply.json["location"]


# --- tokens and scopes


def test_the_token_may_come_as_st(world: World) -> None:
    token = world.token()
    assert outcome(send(world, item("appdata.get"), user=None, st=token).json) == {HANA: {}}
    reply = send(world, item("appdata.get"), user=None, st="nonsense")
    assert (reply.status, reply.json["error"]) == (401, "invalid_token")
    assert reply.headers["www-authenticate"] == "OAuth error='invalid_token'"
    both = send(world, item("appdata.get"), st=world.token(KEN))
    assert (both.status, both.json["error"]) == (400, "invalid_request")


def test_the_scheme_of_opensocial(world: World) -> None:
    headers = {"Authorization": f"OAuth2 {world.token()}"}
    assert outcome(send(world, item("appdata.get"), user=None, headers=headers).json) == {HANA: {}}


def test_no_other_route_takes_st(world: World) -> None:
    assert world.send("GET", "/2/apps/appdata/@me/@self", user=None, st=world.token()).status == 401
    assert world.send("GET", "/2/apps/appdata/@me/@self", st="anything").status == 200


@pytest.mark.parametrize("body", [b"no JSON", item("appdata.get"), [item("appdata.get")] * 1_000])
def test_without_a_token_nothing_is_read(world: World, body: Any) -> None:
    reply = send(world, body, user=None)

    assert reply.error == (401, "invalid_request", "An access token is needed")
    assert reply.headers["www-authenticate"] == "OAuth error='invalid_request'"
    assert world.calls == []


def test_each_method_asks_for_its_scope(world: World) -> None:
    methods = [item(method, data={"a": "b"}, changes={"a": {"set": "b"}}, fields="*") for method in METHODS]
    for scope, opened in (("mixi_apps2", "appdata"), ("r_profile", "people"), ("another", "system")):
        came = batch(world, *methods, token=world.token(HANA, scope))
        lacking = {"appdata": "mixi_apps2", "people": "r_profile"}
        for method, result in zip(METHODS, came, strict=True):
            kind = method.partition(".")[0]
            if kind in (opened, "system"):
                assert not isinstance(result, tuple), method
            else:
                assert result == (403, f"The access token does not have the scope {lacking[kind]}")


def test_pages_of_a_registered_origin_may_send_their_token_as_st(world: World) -> None:
    world.platform.apps.create(App(APP, "Quest", origins=("https://game.example",)))
    token = world.token()

    def from_origin(origin: str) -> Any:
        return send(world, item("appdata.get"), user=None, headers={"Origin": origin}, st=token)

    allowed, other = from_origin("https://game.example"), from_origin("https://evil.example")
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == "https://game.example"
    assert other.status == 403
    assert "access-control-allow-origin" not in other.headers


# --- data


@pytest.fixture
def shared(world: World) -> World:
    """Return a world where every user with the app has stored a level."""
    for level, user in enumerate((HANA, KEN, MEI, YUKI)):
        stored(world, {"level": str(level), "secret": "x"}, user)
    return world


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {HANA: "0"}),
        ({"userId": "@me", "groupId": None, "appId": None}, {HANA: "0"}),
        ({"userId": [HANA], "appId": APP}, {HANA: "0"}),
        ({"userId": KEN}, {KEN: "1"}),
        ({"userId": f"mixi.jp:{KEN}"}, {KEN: "1"}),
        ({"userId": YUKI}, {YUKI: "3"}),
        ({"groupId": "@friends"}, {KEN: "1", MEI: "2"}),
        ({"userId": [HANA], "groupId": "@friends"}, {KEN: "1", MEI: "2"}),
        ({"userId": [YUKI, TARO, "@viewer", NOBODY, KEN]}, {YUKI: "3", HANA: "0", KEN: "1"}),
        ({"userId": f"{MEI},{YUKI}"}, {MEI: "2", YUKI: "3"}),
        ({"userId": [TARO, NOBODY]}, {}),
    ],
)
def test_whose_data(shared: World, params: dict[str, Any], expected: dict[str, str]) -> None:
    """Data of any user with the app, in the requested order; from a list, users without the app are absent."""
    came = call(shared, "appdata.get", fields=["level"], **params)

    assert came == {user: {"level": level} for user, level in expected.items()}
    assert list(came) == list(expected)


@pytest.mark.parametrize("fields", [None, "*", "@all", ["*"], [], ""])
def test_every_key(shared: World, fields: Any) -> None:
    assert call(shared, "appdata.get", fields=fields) == {HANA: {"level": "0", "secret": "x"}}


@pytest.mark.parametrize("everything", [{"fields": []}, {"fields": ["*"]}, {"fields": "*"}, {"keys": "@all"}])
def test_everything_can_be_deleted(shared: World, everything: dict[str, Any]) -> None:
    assert call(shared, "appdata.delete", **everything) == {}
    assert own_data(shared) == {}


def test_keys_is_another_name_for_fields(shared: World) -> None:
    """If `keys` were ignored, a deletion of one key would delete all."""
    assert call(shared, "appdata.delete", keys=["secret"]) == {}
    assert own_data(shared) == {"level": "0"}


def test_people_have_a_name_that_is_asked_for(world: World) -> None:
    token = world.token(HANA, "r_profile")
    name = {"formatted": f"user {HANA}", "unstructured": f"user {HANA}"}
    assert call(world, "people.get", token=token, fields=["name"]) == {"id": HANA, "name": name}


def test_the_owner_of_the_running_app(shared: World) -> None:
    """Yuki looks at Hana's app: she may read the data of the owner's friends, and write only her own data."""
    token = shared.token(YUKI, "mixi_apps2", owner=HANA)
    owner: dict[str, Any] = {"userId": "@owner", "fields": ["level"]}

    assert call(shared, "appdata.get", token=token, **owner) == {HANA: {"level": "0"}}
    friends = call(shared, "appdata.get", token=token, groupId="@friends", **owner)
    assert friends == {KEN: {"level": "1"}, MEI: {"level": "2"}}
    assert call(shared, "appdata.get", token=token, groupId="@friends") == {}
    assert call(shared, "appdata.get", token=token, userId=KEN, groupId="@friends") == DENIED
    assert call(shared, "appdata.update", token=token, userId="@owner", data={"level": "9"}) == DENIED
    assert call(shared, "appdata.update", token=token, data={"level": "9"}) == {}
    assert (own_data(shared)["level"], own_data(shared, YUKI)["level"]) == ("0", "9")


@pytest.mark.parametrize("owner", [TARO, None])
def test_a_viewer_without_the_app_has_no_rows_of_the_viewer(shared: World, owner: str | None) -> None:
    """Taro is Hana's friend. Any viewer may obtain the data of users with the app by id."""
    token = shared.token(TARO, "mixi_apps2", "r_profile", owner=owner)
    refused = [
        *(item(method, groupId=group) for method in ("appdata.get", "people.get") for group in ("@self", "@friends")),
        item("people.get", userId=HANA),
        item("appdata.update", data={"a": "b"}),
        item("appdata.update", userId=HANA, data={"a": "b"}),
        item("appdata.delete", fields=["a"]),
    ]
    with nothing_changes(shared):
        assert batch(shared, *refused, token=token) == [DENIED] * 8
    data = call(shared, "appdata.get", token=token, userId=["@viewer", HANA, KEN])
    people = call(shared, "people.get", token=token, userId=["@viewer", HANA, KEN])
    assert list(data) == [HANA, KEN]
    assert [each["id"] for each in people["list"]] == [KEN]


def test_a_viewer_without_the_app_sees_the_owner_and_the_owner_s_friends(shared: World) -> None:
    token = shared.token(TARO, "mixi_apps2", "r_profile", owner=HANA)
    data, people = (
        call(shared, method, token=token, userId="@owner", groupId="@friends")
        for method in ("appdata.get", "people.get")
    )
    assert set(data) <= {KEN, MEI}
    assert {KEN, MEI} <= {each["id"] for each in people["list"]}
    assert TARO not in {each["id"] for each in people["list"]}
    assert call(shared, "people.get", token=token, userId="@owner")["id"] == HANA


def test_friends_of_an_owner_without_the_app(shared: World) -> None:
    token = shared.token(HANA, "mixi_apps2", "r_profile", owner=TARO)
    owners = [item(method, userId="@owner", groupId="@friends") for method in ("appdata.get", "people.get")]
    assert batch(shared, *owners, token=token) == [DENIED] * 2


def test_a_read_is_one_call_and_friends_two(shared: World) -> None:
    for params, operations in (
        ({}, ["get_item"]),
        ({"userId": YUKI}, ["batch_get_item"]),
        ({"userId": [YUKI, KEN, MEI]}, ["batch_get_item"]),
        ({"userId": ["@me", KEN]}, ["batch_get_item", "get_item"]),
        ({"groupId": "@friends"}, ["query", "batch_get_item"]),
    ):
        shared.calls.clear()
        call(shared, "appdata.get", **params)
        assert sorted(each.operation for each in shared.calls) == sorted(operations)


def test_values_that_have_left_the_ledger_are_read_of_anyone(world: World) -> None:
    large = {f"k{turn}": str(turn) * 9_000 for turn in range(3)}
    for user in (KEN, YUKI):
        stored(world, large, user)
    assert call(world, "appdata.get", userId=[KEN, YUKI]) == {KEN: large, YUKI: large}
    assert call(world, "appdata.get", userId=[YUKI, MEI], fields=["k1"]) == {YUKI: {"k1": large["k1"]}, MEI: {}}


def test_data_of_several_are_bounded(make_world: Callable[..., World]) -> None:
    world = make_world(ENGAWA_FRIENDS_BYTES="100")
    world.populate(HANA, KEN, YUKI)
    for user in (HANA, KEN, YUKI):
        world.platform.appdata.install(APP, user)
    stored(world, {"text": "x" * 50}, KEN)
    stored(world, {"text": "x" * 50}, YUKI)
    assert call(world, "appdata.get", userId=[KEN, YUKI])[YUKI] == {"text": "x" * 50}
    stored(world, {"more": "x"}, YUKI)
    assert call(world, "appdata.get", userId=[KEN, YUKI])[0] == 400
    assert call(world, "appdata.get", userId=[KEN, YUKI], fields=["more"]) == {KEN: {}, YUKI: {"more": "x"}}


# --- limits


def test_the_write_window_and_the_quota_are_limits_exceeded(make_world: Callable[..., World]) -> None:
    world = make_world(ENGAWA_RATE_WRITES="3", ENGAWA_QUOTA_BYTES="10", ENGAWA_MAX_KEYS="2")
    world.populate(HANA)
    world.platform.appdata.install(APP, HANA)
    update = "appdata.update"
    asked = [
        item(update, data={"a": "x" * 10}),
        item(update, data={"b": "x"}),
        item(update, data={"a": "x", "b": "y"}),
        item(update, data={"c": ""}),
        item("appdata.delete", fields=["b"]),
        item(update, data={"a": "z"}),
        item("appdata.delete", fields=[]),
        item("appdata.get"),
    ]
    reply = send(world, asked)

    full, often = "Limit exceeded size quota (max=10)", "appdata update frequency is too high"
    assert [outcome(answer) for answer in reply.json] == [
        {},
        (417, full),
        {},
        (400, "Too many keys (max=2)"),
        {},
        (417, often),
        (417, often),
        {HANA: {"a": "x"}},
    ]
    assert reply.json[1]["error"]["data"] == {"error": "parameter_invalid"}
    assert reply.json[5]["error"]["data"] == {"error": "service_unavailable", "retryAfter": 180}
    world.clock.now += 180_000
    assert call(world, update, data={"a": "z"}) == {}


def test_as_many_pairs_and_keys_as_on_the_other_faces(world: World) -> None:
    pairs = {f"k{turn}": "x" for turn in range(99)}
    assert call(world, "appdata.update", data=pairs) == {}
    assert call(world, "appdata.delete", fields=list(pairs)[:98]) == {}
    assert own_data(world) == {"k98": "x"}


def test_a_failure_of_ours_is_the_failure_of_one_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failures.pop()

    failures: list[Exception] = [KeyError("a detail"), Unavailable()]
    monkeypatch.setattr(world.platform.appdata, "read_named", fail)
    get = item("appdata.get")

    came = batch(world, get, get, item("appdata.update", data={"level": "1"}))
    assert came == [(500, "The service is busy"), (500, "Internal error"), {}]
    assert own_data(world) == {"level": "1"}
