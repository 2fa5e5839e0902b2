"""The overview, and records of refused and failed requests: what is written, how much of it, and what it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from chalice.local import LambdaContext

import app as entry
from chalicelib.api.scheduled import CANARY, CLEAN, SEND, SWEEP
from chalicelib.core.errors import Unavailable
from chalicelib.core.overview import IDLE_MS, LATE_MS
from chalicelib.core.request_records import FLUSH_MS, MOST_FAILED, MOST_OF_APPS, MOST_OTHERS
from chalicelib.store.records.request_log import RequestLog
from chalicelib.web.telemetry import RunFailed
from local.gateway import Gateway
from tests.kit.admin_world import AdminWorld
from tests.kit.worlds import APP, HANA, KEN, ME, SCHEDULED, Reply, World

Operator = Callable[..., Reply]
UNKNOWN = f"/2/apps/appdata/{KEN}/@self"
"""Data of a user who is a friend, which the app of this world may read."""


@pytest.fixture
def world(world: World) -> World:
    """Return a world whose requests and runs are recorded."""
    world.app = entry.create_app(lambda: world.platform, recorded=True)
    world.gateway = Gateway(world.app)
    return world


def records(world: World, prefix: str = "") -> list[Any]:
    return [item for item in world.items("records") if item["pk"]["S"].startswith(prefix)]


def refuse(world: World, number: int = 1, *, user: str | None = HANA) -> list[Reply]:
    """Send requests that are refused, each on another route of its own kind."""
    return [world.send("GET", "/2/people/@me/@nobody", user=user) for _ in range(number)]


def test_an_id_leads_to_route_app_and_cause(world: World, operator: Operator) -> None:
    [answer] = refuse(world)
    assert answer.status in (400, 403, 404)
    found = operator("GET", f"/requests/{answer.headers['x-request-id']}")
    assert found.status == 200, found.text
    told = found.json
    assert (told["route"], told["app"], told["status"]) == ("GET /2/people/{user}/{group}", APP, answer.status)
    assert told["kind"] == answer.json["error"]
    assert ".py:" in told["cause"]
    assert told["time"] == world.clock.now
    listed = operator("GET", "/requests", kind=told["kind"])
    assert listed.json["entry"] == [told]


def test_a_failure_names_its_causes_and_nothing_of_the_request(world: World, operator: Operator) -> None:
    secret = "Kamogawa-1984"

    def fail(*_: Any, **__: Any) -> None:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"no such {secret}") from error

    with patch.object(type(world.platform.appdata), "read", fail):
        answer = world.send("GET", ME, user=HANA, fields=secret)
    assert answer.status == 500
    told = operator("GET", f"/requests/{answer.headers['x-request-id']}").json
    assert told["kind"] == "internal_error"
    assert told["cause"].startswith("ValueError (")
    assert "KeyError" in told["cause"]
    assert secret not in json.dumps(world.items("records"))
    assert HANA not in json.dumps(records(world, "request#"))


def test_what_succeeds_writes_nothing(world: World) -> None:
    assert world.send("GET", ME, user=HANA).status == 200
    assert world.send("GET", "/health", user=None).status == 200
    assert records(world) == []


def test_an_outsider_causes_at_most_one_write_a_minute(world: World, operator: Operator) -> None:
    """Requests without a token, each on another route: counted, and a few of them kept."""
    paths = [f"/2/pages/{n}/feeds" for n in range(3)] + ["/2/people/@me/@self", "/admin/users", "/admin/apps", ME]
    world.calls.clear()
    for _ in range(20):
        for path in paths:
            assert world.send("GET", path, user=None).status == 401
    assert len(world.calls) == 2, "the first of the process, and nothing more"
    world.clock.now += FLUSH_MS
    world.calls.clear()
    assert world.send("GET", "/health", user=None).status == 200
    assert len(world.calls) == 2, "the first request after a minute writes the rest"
    assert len(records(world, "request#")) == 1 + MOST_OTHERS
    [refusal] = operator("GET", "/overview").json["refusals"]
    assert (refusal["kind"], refusal["status"]) == ("invalid_request", 401)
    assert sum(refusal["days"].values()) == 20 * len(paths)


def test_the_records_of_a_minute_are_bounded(world: World) -> None:
    refuse(world)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with patch.object(type(world.platform.appdata), "read", fail):
        for _ in range(3 * MOST_FAILED):
            assert world.send("GET", ME, user=HANA).status == 500
    apps = [f"{number:016x}" for number in range(2 * MOST_OF_APPS)]
    for name in apps:
        token = world.token(HANA, app=name)
        assert world.send("GET", ME, user=None, token=token, fields="é").status >= 400
    world.clock.now += FLUSH_MS
    world.send("GET", "/health", user=None)
    kept = records(world, "request#")
    assert sum(item["s"]["N"] == "500" for item in kept) == MOST_FAILED
    assert sum(item["p"]["S"] in apps for item in kept if "p" in item) == MOST_OF_APPS
    assert all(int(item["ttl"]["N"]) > world.clock.now // 1000 + 13 * 86_400 for item in records(world))


def test_an_answer_does_not_depend_on_its_record(world: World) -> None:
    with patch.object(RequestLog, "write", side_effect=Unavailable):
        [answer] = refuse(world)
    assert answer.status in (400, 403, 404)
    assert records(world) == []
    [again] = refuse(world)
    assert again.status == answer.status
    assert records(world) == [], "it is tried again after a minute, not with the next refusal"


def test_an_unknown_request_is_not_found(world: World, operator: Operator) -> None:
    for id in ("5f1c6a52-0d0f-4f4e-9d35-0c2f3a5b7a10", "x" * 128, "%23", "é", "a b"):
        answer = operator("GET", f"/requests/{id}")
        assert (answer.status, answer.json["error"]) == (404, "not_found"), id
    for kind in ("", "A", "a" * 65, "a#b"):
        assert operator("GET", "/requests", kind=kind).status == 400
    assert operator("GET", "/requests", kind="not_found", cursor="aaaa").status == 400
    assert operator("GET", "/requests").status == 400


def test_the_list_of_a_kind_is_read_in_parts(world: World, operator: Operator) -> None:
    sent = []
    for _ in range(5):
        sent += [each.headers["x-request-id"] for each in refuse(world)]
        world.clock.now += FLUSH_MS
    kind = refuse(world)[0].json["error"]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        part = operator("GET", "/requests", kind=kind, count="2", **cursor).json
        seen += [each["id"] for each in part["entry"]]
        if "nextCursor" not in part:
            break
        cursor = {"cursor": part["nextCursor"]}
    assert seen[-5:] == sent[::-1]
    assert len(set(seen)) == len(seen)


def run(world: World, function: str, event: Any = SCHEDULED) -> None:
    world.app.handler_map[function](event, LambdaContext(function, 512, 60_000))


def test_the_runs_of_functions_are_seen(world: World, operator: Operator) -> None:
    def states() -> dict[str, Any]:
        return {each["function"]: each for each in operator("GET", "/overview").json["functions"]}

    assert {each["state"] for each in states().values()} == {"never"}
    assert operator("GET", "/overview").json["status"] == "ok"
    run(world, SWEEP)
    run(world, SEND)
    message = {"messageId": "1", "receiptHandle": "1", "body": "user#nobody", "attributes": {}, "messageAttributes": {}}
    run(world, CLEAN, {"Records": [message | {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:a:1:q"}]})
    found = states()
    assert [found[each]["state"] for each in (SWEEP, SEND, CLEAN)] == ["ok"] * 3
    assert found[SWEEP]["time"] == world.clock.now
    assert found[SWEEP]["done"] == 0

    world.clock.now += LATE_MS + 1
    assert [states()[each]["state"] for each in (SWEEP, SEND, CLEAN)] == ["late", "late", "ok"]
    assert operator("GET", "/overview").json["status"] == "attention"

    with patch.object(type(world.platform.event_sending), "run", side_effect=Unavailable), pytest.raises(RunFailed):
        run(world, SEND)
    assert (states()[SEND]["state"], states()[SEND]["error"]) == ("failed", "Unavailable")
    run(world, SEND)
    run(world, SWEEP)
    assert {states()[each]["state"] for each in (SWEEP, SEND)} == {"ok"}
    with pytest.raises(RunFailed):
        run(world, CANARY)  # Nothing listens at the address of this world.
    assert (states()[CANARY]["state"], states()[CANARY]["error"]) == ("failed", "CanaryFailed")


def test_idle_runs_are_stored_now_and_then(world: World) -> None:
    stored: list[int] = []
    for _ in range(2 * IDLE_MS // FLUSH_MS):
        run(world, SEND)
        [item] = records(world, "jobs")
        stored.append(int(item["t"]["N"]))
        world.clock.now += FLUSH_MS
    assert len(set(stored)) == 2
    with patch.object(type(world.platform.event_sending), "run", return_value=7):
        run(world, SEND)
        assert [item["n"]["N"] for item in records(world, "jobs")] == ["7"], "one that did something is stored"
        world.clock.now += 1_000
        run(world, SEND)
    [item] = records(world, "jobs")
    assert int(item["t"]["N"]) == world.clock.now - 1_000


def test_imports_and_migrations_tell_their_progress(world: World, operator: Operator) -> None:
    users = [{"id": f"{number:012}", "displayName": "new"} for number in range(3)]
    for _ in range(2):
        operator("POST", "/import", {"users": [*users, {"id": "?"}]})
    operator("POST", "/import", {"users": users, "dryRun": True})
    operator("POST", "/migrations", {"table": "grants", "segment": 0, "check": True})
    operator("POST", "/migrations", {"table": "directory", "segment": 0})
    found = {each["job"]: each for each in operator("GET", "/overview").json["work"]}
    assert found.keys() == {"import", "migration"}
    assert [found["import"][name] for name in ("requests", "items", "refused")] == [2, 8, 2]
    assert found["migration"]["requests"] == 1
    assert found["import"]["time"] == world.clock.now


def test_the_overview_counts_and_says_what_waits(world: World, operator: Operator) -> None:
    told = operator("GET", "/overview").json
    assert told["counts"] == {"users": 5, "apps": 0, "pages": 0, "installs": 4}
    assert told["waiting"] == {
        name: {"number": 0, "more": False} for name in ("accounts", "deletions", "values", "events")
    }
    big = {f"k{number}": "x" * 60_000 for number in range(3)}
    assert world.send("POST", ME, big, user=HANA).status == 200
    assert world.send("DELETE", ME, user=HANA).status == 200
    world.platform._notes.leave("user#nobody", 0)
    due = world.platform.leaving_users.leave(KEN)
    told = operator("GET", "/overview").json
    assert told["waiting"]["accounts"] == {"number": 1, "more": False, "oldest": due}
    assert told["waiting"]["values"]["number"] == 1
    assert told["waiting"]["deletions"] == {"number": 1, "more": False, "oldest": world.clock.now}
    assert told["version"]
    assert told["commit"] == "unknown"


def test_the_command_line_shows_it(world: World) -> None:
    desk = AdminWorld(world)
    [refused] = refuse(world)
    shown = desk.admin("overview")
    assert shown.exit_code == 0, shown.output
    assert re.search(r"counts.users\s+5", shown.stdout)
    assert refused.json["error"] in shown.stdout
    assert json.loads(desk.admin("overview", "--json").stdout)["counts"]["users"] == 5
    found = desk.admin("request", refused.headers["x-request-id"])
    assert found.exit_code == 0, found.output
    assert "GET /2/people/{user}/{group}" in found.stdout
    assert desk.admin("request", "none").exit_code == 1


def test_only_operators_see_it(world: World) -> None:
    for path in ("/admin/overview", "/admin/requests?kind=not_found", "/admin/requests/1"):
        assert world.send("GET", path, user=HANA).status == 403
        assert world.send("GET", path, user=None).status == 401
