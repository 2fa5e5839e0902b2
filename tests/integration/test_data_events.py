"""The event `data.changed`: one for each accepted write, in its transaction, with keys and never values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.conditions import Conditions
from chalicelib.core.events import EventKind, LoggedEvent
from chalicelib.core.model.directory import App
from chalicelib.store.directory.apps import RECENT_MS
from chalicelib.web.auth.external_issuer import Issuer
from tests.kit.page_api import FEEDS, PAGE, URI, populated
from tests.kit.worlds import APP, HANA, KEN, MEI, Reply, World

ME = "/2/apps/appdata/@me/@self"
OS = "/os/0.8/appdata/@me/@self/@app"
CHANGED = frozenset({EventKind.DATA_CHANGED})
ANYTIME = Conditions(None, None)
SECRET = "a-value-that-no-event-may-have"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world(populated)
    made.platform.endpoints.create(APP, "https://quest.example/events", CHANGED)
    for user in (HANA, KEN):
        made.platform.appdata.install(APP, user)
    return made


def ask(world: World, method: str, path: str, body: Any = None, user: str = HANA, **more: Any) -> Reply:
    """Send a request with a token that was issued after the endpoint was registered."""
    return world.send(method, path, body, token=world.token(user, events=CHANGED), **more)


def told(world: World, app: str = APP) -> list[LoggedEvent]:
    """Return the events of an app, oldest first."""
    return world.platform.event_log.part(app, 0, world.clock.now + 1, None, 100)[0]


def datas(world: World) -> list[dict[str, Any]]:
    return [{"n": each.event.sequence, **each.event.data} for each in told(world)]


def rpc(method: str, **params: Any) -> tuple[str, str, Any]:
    return "POST", "/rpc", {"method": f"appdata.{method}", "params": {"userId": "@me", "groupId": "@self", **params}}


WRITES: dict[str, tuple[tuple[str, str, Any], dict[str, str], dict[str, Any]]] = {
    "write": (("POST", ME, {"b": SECRET, "a": SECRET}), {}, {"keys": ["a", "b"]}),
    "put": (("PUT", ME, {"a": SECRET}), {}, {"keys": ["a"]}),
    "large values": (("POST", ME, {"a": SECRET * 200, "b": SECRET}), {}, {"keys": ["a", "b"]}),
    "delete": (("DELETE", ME, None), {"fields": "old,none"}, {"keys": ["none", "old"]}),
    "delete all": (("DELETE", ME, None), {}, {"all": True}),
    "patch": (("PATCH", ME, {"old": {"set": SECRET}, "n": {"add": "1"}}), {}, {"keys": ["n", "old"]}),
    "os write": (("POST", OS, {"a": SECRET}), {}, {"keys": ["a"]}),
    "os delete": (("DELETE", OS, None), {"fields": "old"}, {"keys": ["old"]}),
    "os delete all": (("DELETE", OS, None), {}, {"all": True}),
    "rpc update": (rpc("update", data={"a": SECRET}), {}, {"keys": ["a"]}),
    "rpc patch": (rpc("patch", changes={"a": {"set": SECRET}}), {}, {"keys": ["a"]}),
    "rpc delete": (rpc("delete", fields=["old"]), {}, {"keys": ["old"]}),
    "rpc delete all": (rpc("delete", fields="*"), {}, {"all": True}),
}


@pytest.mark.parametrize("large", [False, True], ids=["", "over large data"])
@pytest.mark.parametrize("name", WRITES)
def test_every_face_tells_of_a_write_with_its_keys_and_no_values(world: World, name: str, large: bool) -> None:
    before = {"old": "o" * (5_000 if large else 1)}
    world.platform.appdata.write(APP, HANA, before, ANYTIME)
    request, query, data = WRITES[name]
    reply = ask(world, *request, **query)
    assert (reply.status, "error" in (reply.json or {})) == (200, False), reply
    [logged] = told(world)
    event = logged.event
    assert (event.kind, event.subject, event.sequence) == (EventKind.DATA_CHANGED, f"data/{HANA}", 2)
    assert event.data == {"user": HANA, **data}
    assert SECRET not in json.dumps(world.items("ephemeral"), default=str)
    assert SECRET.encode() not in event.message


def test_the_numbers_of_a_user_increase_by_one_and_are_those_of_the_entity_tags(world: World) -> None:
    tags = []
    for turn in range(3):
        tags.append(ask(world, "POST", ME, {"a": str(turn)}).headers["etag"])
        ask(world, "POST", ME, {"b": str(turn)}, KEN)
        world.clock.now += 1
    of_hana = [each.event.sequence for each in told(world) if each.event.subject == f"data/{HANA}"]
    assert of_hana == [1, 2, 3] == [int(tag.strip('"').rpartition(".")[2]) for tag in tags]
    assert len(told(world)) == 6


def test_a_write_that_was_not_told_is_a_gap(world: World) -> None:
    ask(world, "POST", ME, {"a": "1"})
    world.clock.now += 1
    world.send("POST", ME, {"a": "2"}, token=world.token(HANA))
    ask(world, "POST", ME, {"a": "3"})
    assert datas(world) == [{"n": 1, "user": HANA, "keys": ["a"]}, {"n": 3, "user": HANA, "keys": ["a"]}]


def test_refused_writes_and_reads_tell_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(populated, ENGAWA_QUOTA_BYTES="10", ENGAWA_RATE_WRITES="1")
    world.platform.appdata.install(APP, HANA)
    refusals = [
        ask(world, "POST", ME, {"a": "x" * 11}),
        ask(world, "POST", ME, {"a": 1}),
        ask(world, "POST", ME, {"a": "1"}, headers={"If-Match": '"other"'}),
        ask(world, "POST", ME, {"a": "1"}, KEN),
        ask(world, "PATCH", ME, {"a": {"add": "1", "atMost": "0"}}),
        ask(world, "DELETE", ME, headers={"If-Match": '"other"'}),
    ]
    assert [each.status for each in refusals] == [400, 400, 412, 403, 409, 412]
    assert ask(world, "GET", ME).status == 200
    assert told(world) == []
    assert ask(world, "POST", ME, {"a": "1"}).status == 200
    assert ask(world, "POST", ME, {"a": "2"}).status == 503
    assert len(told(world)) == 1


def test_a_patch_that_is_sent_again_with_its_key_is_told_once(world: World) -> None:
    for _ in range(2):
        reply = ask(world, "PATCH", ME, {"n": {"add": "1"}}, headers={"Idempotency-Key": "one"})
        assert (reply.status, reply.json["entry"][0]["data"]) == (200, {"n": "1"})
    assert datas(world) == [{"n": 1, "user": HANA, "keys": ["n"]}]


def test_a_transaction_has_no_room_for_99_large_values_and_an_event(world: World) -> None:
    large = {f"key{turn}": "x" * 3_073 for turn in range(99)}
    reply = ask(world, "POST", ME, large)
    assert reply.error[:2] == (413, "request_entity_too_large")
    assert "max=98" in reply.error[2]
    assert (world.platform.appdata.read(APP, HANA, None).data, told(world)) == ({}, [])
    del large["key0"]
    assert ask(world, "POST", ME, large).status == 200
    assert len(told(world)[0].event.data["keys"]) == 98
    # Small values need no items of their own.
    assert ask(world, "POST", ME, {f"key{turn}": "x" for turn in range(99)}, KEN).status == 200
    body = {f"key{turn}": {"set": "y" * 3_073} for turn in range(98)}
    assert ask(world, "PATCH", ME, body, headers={"Idempotency-Key": "one"}).status == 413
    del body["key0"]
    assert ask(world, "PATCH", ME, body, headers={"Idempotency-Key": "two"}).status == 200
    assert ask(world, "DELETE", ME, fields=",".join(f"key{turn}" for turn in range(98))).status == 200


def test_the_token_endpoint_and_signed_requests_know_it(world: World) -> None:
    app = world.platform.apps.get(APP)
    assert app
    assert app.events == CHANGED
    other = world.token(HANA, app=APP)
    assert world.platform.asked_events(world.platform.tokens.check(other)) == frozenset()


@pytest.mark.parametrize("kind", ["own", "external"])
def test_a_token_that_does_not_know_has_it_read_once_a_minute(
    make_world: Callable[..., World], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(populated)
    world.platform.appdata.install(APP, HANA)
    token = world.token(HANA, events=None)
    if kind == "external":
        access = world.platform.tokens.check(token)
        issuer = Issuer("https://id.example", "https://id.example/jwks", "x", lambda app: False)
        monkeypatch.setattr(issuer, "issued", lambda token: True)
        monkeypatch.setattr(issuer, "check", lambda token: access)
        monkeypatch.setattr(world.platform.tokens, "_external", issuer)

    def write() -> list[str]:
        world.calls.clear()
        assert world.send("POST", ME, {"a": "1"}, token=token).status == 200
        return [call.operation for call in world.calls]

    assert write() == ["get_item", "get_item", "put_item"]
    assert write() == ["get_item", "put_item"]
    world.platform.endpoints.create(APP, "https://quest.example/events", CHANGED)
    world.clock.now += RECENT_MS - 1
    write()
    assert told(world) == []
    world.clock.now += 1
    assert write() == ["get_item", "get_item", "transact_write_items"]
    assert write() == ["get_item", "transact_write_items"]
    assert sorted(each.event.sequence for each in told(world)) == [4, 5]


def test_a_feed_with_a_source_by_a_token_that_does_not_know_is_told(world: World) -> None:
    world.platform.endpoints.create(APP, "https://quest.example/feeds", [EventKind.FEED_POSTED])
    token = world.token(MEI, "w_pagefeed", events=None)
    body = {"title": "a", "sourceId": "3", "contentUri": URI}
    assert world.send("POST", FEEDS, body, token=token).status == 201
    assert [each.event.kind for each in told(world)] == [EventKind.FEED_POSTED]
    assert told(world)[0].event.data["page"] == PAGE


def test_the_kinds_of_another_app_and_of_an_unknown_one_are_not_those_of_the_app(world: World) -> None:
    other = world.platform.apps.create(App("5e6f7a8b9c0d1e2f", "Other"))
    assert [world.platform.apps.events(app) for app in (APP, other.id, "0" * 16)] == [CHANGED, set(), set()]
