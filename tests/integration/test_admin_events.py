"""The operator's API for endpoints and events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.store.events.sending import EventSending
from tests.kit.page_api import populated
from tests.kit.worlds import APP, HANA, KEN, Reply, World

ENDPOINTS, EVENTS = f"/admin/apps/{APP}/endpoints", f"/admin/apps/{APP}/events"
NEW = {"url": "https://quest.example/events", "kinds": ["app.installed", "feed.posted"]}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world(populated)
    here = made.platform
    here.event_sending = EventSending(here.event_log, here.endpoints, lambda url, body, headers: 204, made.clock)
    return made


def ask(world: World, method: str, path: str, body: Any = None, **query: Any) -> Reply:
    return world.send(method, path, body, token=world.token(None, "admin", app="operator"), **query)


def created(world: World) -> dict[str, Any]:
    reply = ask(world, "POST", ENDPOINTS, NEW)
    assert reply.status == 201, reply
    made: dict[str, Any] = reply.json
    return made


def test_an_endpoint_is_created_changed_and_deleted(world: World) -> None:
    made = created(world)
    assert made.pop("secret").startswith("whsec_")
    assert made == {
        **NEW,
        "id": made["id"],
        "app": APP,
        "active": True,
        "reason": "",
        "disabled": None,
        "failing": None,
        "created": world.clock.now,
    }
    assert ask(world, "GET", ENDPOINTS).json == {"entry": [made], "itemsPerPage": 1}
    path = f"{ENDPOINTS}/{made['id']}"
    off = ask(world, "PATCH", path, {"active": False, "kinds": ["user.erased"]}).json
    assert off == {
        **made,
        "active": False,
        "reason": "operator",
        "disabled": world.clock.now,
        "kinds": ["user.erased"],
    }
    world.clock.now += 1000
    assert ask(world, "PATCH", path, {"active": False}).json == off
    assert ask(world, "PATCH", path, {"active": True}).json == {**off, "active": True, "reason": "", "disabled": None}
    secret = ask(world, "POST", f"{path}/secret").json
    assert (secret["id"], secret["secret"][:6]) == (made["id"], "whsec_")
    assert ask(world, "DELETE", f"{path}/secret").json == {"id": made["id"], "app": APP, "changed": True}
    assert ask(world, "DELETE", path).json == {"id": made["id"], "app": APP, "changed": True}
    assert ask(world, "DELETE", path).json["changed"] is False
    assert ask(world, "PATCH", path, {"active": True}).status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://quest.example/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://[::1]/"},
        {"url": "https://[::ffff:10.0.0.1]/"},
        {"url": "https://hana@quest.example/"},
        {"url": ""},
        {"url": None},
        {"url": "https://10.0.0.1:8443/"},
        {"kinds": []},
        {"kinds": ["data.read"]},
        {"kinds": "app.installed"},
        {"kinds": [1]},
        {"secret": "whsec_"},
        {"active": True},
    ],
    ids=str,
)
def test_an_endpoint_that_is_refused(world: World, change: dict[str, Any]) -> None:
    assert ask(world, "POST", ENDPOINTS, NEW | change).error[:2] == (400, "parameter_invalid")
    assert ask(world, "GET", ENDPOINTS).json["entry"] == []


@pytest.mark.parametrize("missing", ["url", "kinds"])
def test_a_field_that_is_missing(world: World, missing: str) -> None:
    body = {name: value for name, value in NEW.items() if name != missing}
    assert ask(world, "POST", ENDPOINTS, body).error == (400, "parameter_invalid", f"{missing} is missing")


def test_unknown_apps_and_endpoints(world: World) -> None:
    other = "/admin/apps/0000000000000000"
    for method, path, body in (
        ("GET", f"{other}/endpoints", None),
        ("POST", f"{other}/endpoints", NEW),
        ("GET", f"{other}/events", None),
        ("POST", f"{other}/events/resend", {"since": 0, "until": 1}),
        ("PATCH", f"{ENDPOINTS}/000000000000", {"active": True}),
        ("PATCH", f"{ENDPOINTS}/x", {"active": True}),
        ("POST", f"{ENDPOINTS}/000000000000/secret", None),
    ):
        assert ask(world, method, path, body).status == 404, path


def test_events_are_listed_and_sent_again(world: World) -> None:
    made = created(world)
    began = world.clock.now
    for user in (HANA, KEN):
        assert ask(world, "PUT", f"/admin/users/{user}/installs/{APP}").json["changed"]
        world.clock.now += 1000
    assert world.send_events() == 2
    listed = ask(world, "GET", EVENTS).json
    assert [each["data"]["user"] for each in listed["entry"]] == [HANA, KEN]
    delivery = {"endpoint": made["id"], "state": "delivered", "attempts": 1, "status": 204, "time": world.clock.now}
    assert [each["deliveries"] for each in listed["entry"]] == [[delivery]] * 2
    first = ask(world, "GET", EVENTS, count="1").json
    rest = ask(world, "GET", EVENTS, count="1", cursor=first["nextCursor"]).json
    assert first["entry"] + rest["entry"] == listed["entry"]
    assert "nextCursor" not in rest
    late = ask(world, "GET", EVENTS, since=str(began + 1000), until=str(began + 5000)).json["entry"]
    assert late == listed["entry"][1:]

    again = ask(world, "POST", f"{EVENTS}/resend", {"event": listed["entry"][0]["id"]}).json
    assert again == {"app": APP, "events": 1, "deliveries": 1}
    assert world.send_events() == 1
    again = ask(world, "POST", f"{EVENTS}/resend", {"since": began, "until": began + 5000, "endpoint": made["id"]})
    assert again.json == {"app": APP, "events": 2, "deliveries": 2}
    assert world.send_events() == 2
    ask(world, "PATCH", f"{ENDPOINTS}/{made['id']}", {"active": False})
    assert ask(world, "POST", f"{EVENTS}/resend", {"since": 0, "until": began}).status == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": 0},
        {"event": "x"},
        {"event": "0mywpiww0abcdefg", "since": 0, "until": 1},
        {"since": -1, "until": 1},
        {"since": "0", "until": 1},
        {"since": 0, "until": 1, "cursor": "x"},
        {"since": 0, "until": 1, "endpoint": "x"},
        {"all": True},
    ],
    ids=str,
)
def test_a_resending_that_is_refused(world: World, body: dict[str, Any]) -> None:
    created(world)
    assert ask(world, "POST", f"{EVENTS}/resend", body).error[:2] == (400, "parameter_invalid")


def test_an_unknown_event_is_not_sent_again(world: World) -> None:
    created(world)
    assert ask(world, "POST", f"{EVENTS}/resend", {"event": "0mywpiww0abcdefg"}).status == 404
    for name in ("since", "until"):
        assert ask(world, "GET", EVENTS, **{name: "soon"}).error[:2] == (400, "parameter_invalid")


def test_an_endpoint_with_an_id_is_created_once(world: World) -> None:
    body = {**NEW, "id": "4f1d2c3b4a59"}
    assert ask(world, "POST", ENDPOINTS, body).json["id"] == "4f1d2c3b4a59"
    assert ask(world, "POST", ENDPOINTS, body).error[:2] == (409, "conflict")
    assert ask(world, "POST", ENDPOINTS, NEW | {"id": "4F1D"}).error[:2] == (400, "parameter_invalid")


def test_an_endpoint_that_an_operator_switches_off_is_an_event(world: World) -> None:
    made = created(world)
    other = NEW | {"url": "https://quest.example/others", "kinds": ["endpoint.disabled"]}
    assert ask(world, "POST", ENDPOINTS, other).status == 201
    assert ask(world, "PATCH", f"{ENDPOINTS}/{made['id']}", {"active": False}).status == 200
    [event] = ask(world, "GET", EVENTS).json["entry"]
    assert event["type"] == "endpoint.disabled"
    assert (event["data"]["endpoint"], event["data"]["reason"]) == (made["id"], "operator")
