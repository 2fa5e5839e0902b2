"""The action log: what entries hold, who is named, how they are listed, and what leaves none.

tests/faults/test_action_log_faults.py tests that no route changes anything without an entry.
"""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.actions import ActionFilter, ActionKind, LoggedAction, Outcome
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import ParameterInvalid
from chalicelib.store.records.action_log import MOST_READ, ActionLog
from tests.kit import page_api
from tests.kit.admin_world import AdminWorld
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, Reply, World

Send = Callable[..., Reply]
DAY = 86_400_000
NEVER = 10**15
ENTRY = {"id", "time", "actor", "kind", "target", "reason", "before", "after", "outcome", "request"}


@pytest.fixture
def operator(operator: Send, world: World) -> Send:
    """Send requests to `/admin`, each one millisecond after the one before."""

    def send(method: str, path: str, body: Any = None, **more: Any) -> Reply:
        world.clock.now += 1
        return operator(method, path, body, **more)

    return send


def logged(operator: Send, **query: str) -> list[dict[str, Any]]:
    answer = operator("GET", "/log", **query)
    assert answer.status == 200, answer.text
    entries: list[dict[str, Any]] = answer.json["entry"]
    assert all(each.keys() == ENTRY for each in entries)
    return entries


def latest(operator: Send) -> dict[str, Any]:
    return logged(operator, count="1")[0]


def parts(log: ActionLog, wanted: ActionFilter, count: int) -> list[list[LoggedAction]]:
    """Return all parts of the list."""
    found, cursor = [], None
    for _ in range(200):
        part, cursor = log.part(wanted, cursor, count)
        found.append(part)
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


def fill(world: World, times: list[int], kind: ActionKind = ActionKind.USER_CHANGED) -> list[str]:
    """Store an entry for each time, and return their ids."""
    log, now = world.platform.action_log, world.clock.now
    ids = []
    for time in times:
        world.clock.now = time
        action = log.new(f"user:{HANA}", kind, f"user:{KEN}", "request")
        log.begin(action)
        ids.append(action.id)
    world.clock.now = now
    return ids


def test_an_entry_says_who_changed_what_and_why(operator: Send, world: World) -> None:
    page = operator("POST", "/pages", {"name": "Cafe", "details": "old"}).json["id"]
    changed = operator("PATCH", f"/pages/{page}", {"details": "新しい", "name": "Cafe"}, reason="頼まれた")

    found = latest(operator)
    assert found == {
        "id": found["id"],
        "time": world.clock.now - 1,
        "actor": "operator-token:operator",
        "kind": "page.changed",
        "target": f"page:{page}",
        "reason": "頼まれた",
        "before": {"details": "old"},
        "after": {"details": "新しい"},
        "outcome": "done",
        "request": changed.headers["x-request-id"],
    }
    assert [each["kind"] for each in logged(operator)] == ["page.changed", "page.created"]


def test_a_person_s_values_are_not_logged(operator: Send, world: World) -> None:
    given = {"displayName": "沙羅", "login": "sara", "password": "correct horse", "address": "Kyoto", "age": 30}
    user = operator("POST", "/users", given).json["id"]
    operator("PATCH", f"/users/{user}", {"displayName": "皿", "age": 31, "address": "Kyoto"})
    operator("PUT", f"/users/{user}/password", {"password": "battery staple"})
    operator("PUT", f"/users/{user}/password", {"password": None})

    assert [(each["kind"], each["target"], each["after"]) for each in logged(operator)] == [
        ("password.set", f"user:{user}", {"password": False}),
        ("password.set", f"user:{user}", {"password": True}),
        ("user.changed", f"user:{user}", {"fields": ["age", "display_name"]}),
        ("user.created", f"user:{user}", {"fields": ["address", "age", "display_name", "login", "password"]}),
    ]
    stored = json.dumps(world.items("records"), ensure_ascii=False)
    assert not any(text in stored for text in ("沙羅", "皿", "sara", "Kyoto", "correct horse", "scrypt"))


def test_a_secret_is_not_logged(operator: Send, world: World) -> None:
    app = operator("POST", "/apps", {"name": "Quest", "redirectUris": ["https://game.example/back"]}).json
    secret = operator("POST", f"/apps/{app['id']}/secret").json["secret"]
    endpoint = {"url": "https://game.example/events?token=hidden", "kinds": ["app.installed"]}
    made = operator("POST", f"/apps/{app['id']}/endpoints", endpoint).json
    operator("PATCH", f"/apps/{app['id']}/endpoints/{made['id']}", {"url": "https://other.example/hidden"})

    changed, created, rotated, _ = logged(operator)
    target = f"app:{app['id']}/endpoint:{made['id']}"
    assert (changed["target"], changed["before"], changed["after"]) == (
        target,
        {"host": "game.example"},
        {"host": "other.example"},
    )
    assert created["after"] == {"host": "game.example", "kinds": ["app.installed"], "active": True}
    assert (rotated["kind"], rotated["before"], rotated["after"]) == (
        "secret.rotated",
        {},
        {"keepOld": False},
    )
    stored = json.dumps(world.items("records"), ensure_ascii=False)
    assert not any(text in stored for text in (secret, app["secret"], made["secret"], "hidden"))


def test_what_changes_nothing_leaves_no_entry(operator: Send, world: World) -> None:
    page = operator("POST", "/pages", {"name": "Cafe"}).json["id"]
    asked: list[tuple[str, str, Any]] = [
        ("PUT", f"/users/{HANA}/friends/{KEN}", None),
        ("DELETE", f"/users/{KEN}/friends/{TARO}", None),
        ("DELETE", f"/users/{TARO}/installs/{APP}", None),
        ("DELETE", f"/users/{TARO}/grants/{APP}", None),
        ("PATCH", f"/users/{KEN}", {"displayName": f"user {KEN}"}),
        ("PATCH", f"/pages/{page}", {"name": "Cafe"}),
        ("PATCH", f"/pages/{page}", {}),
        ("DELETE", f"/pages/{page}/modules/9", None),
        ("DELETE", f"/pages/{page}/administrators/{MEI}", None),
        ("DELETE", f"/pages/{page}/followers/{MEI}", None),
        ("POST", "/migrations", {"table": "directory", "segment": 0}),
        ("POST", "/migrations", {"table": "directory", "segment": 0, "check": True}),
        ("POST", "/import", {"users": [{"id": "riku00000001", "displayName": "陸"}], "dryRun": True}),
        ("POST", "/import", {"friendships": [{"user": HANA, "friend": KEN}]}),
        ("DELETE", "/apps/0123456789abcdef", None),
        ("DELETE", "/users/nobody000000", None),
    ]
    before = world.items("records")
    for method, path, body in asked:
        assert operator(method, path, body).status == 200, path
    assert world.items("records") == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/users/nobody000000", {"displayName": "x"}, 404),
        ("PUT", f"/users/{HANA}/friends/nobody000000", None, 404),
        ("PUT", f"/users/{HANA}/friends/=1", None, 404),
        ("POST", "/users", {"displayName": "x", "id": HANA}, 409),
        ("POST", "/users", {"displayName": "x", "colour": "red"}, 400),
        ("PATCH", f"/apps/{APP}", {"name": "x"}, 404),
        ("POST", "/import", {"users": "x"}, 400),
    ],
)
def test_what_is_refused_leaves_no_entry(
    operator: Send, world: World, method: str, path: str, body: Any, status: int
) -> None:
    assert operator(method, path, body).status == status
    assert world.items("records") == []


def test_a_reason_has_at_most_500_characters(operator: Send, world: World) -> None:
    path = f"/users/{KEN}/friends/{TARO}"
    for wrong in ("x" * 501, "a\nb", "\x1b[31m"):
        assert operator("PUT", path, reason=wrong).error[:2] == (400, "parameter_invalid")
    assert TARO not in world.platform.friends_and_installs.friends(KEN, None, 20)[0]
    assert operator("PUT", path, reason="花" * 500).json["changed"] is True
    assert latest(operator)["reason"] == "花" * 500


def test_a_relation_names_both_sides(operator: Send) -> None:
    operator("PUT", f"/users/{KEN}/friends/{TARO}")
    operator("DELETE", f"/users/{HANA}/installs/{APP}")
    page = operator("POST", "/pages", {"name": "Cafe"}).json["id"]
    operator("PUT", f"/pages/{page}/administrators/{MEI}")

    assert [(each["kind"], each["target"]) for each in logged(operator, count="4")] == [
        ("administrator.added", f"page:{page}/administrator:{MEI}"),
        ("page.created", f"page:{page}"),
        ("app.uninstalled", f"user:{HANA}/app:{APP}"),
        ("friendship.made", f"user:{KEN}/friend:{TARO}"),
    ]


def test_an_import_is_one_entry_with_counts(operator: Send) -> None:
    users = [{"id": f"riku0000000{i}", "displayName": "陸"} for i in range(3)]
    friends = [{"user": "riku00000000", "friend": each} for each in ("riku00000001", "nobody000000")]
    operator("POST", "/import", {"users": users, "friendships": friends}, reason="move")

    (found,) = logged(operator)
    assert (found["kind"], found["target"], found["reason"]) == ("records.imported", "platform", "move")
    assert found["after"] == {"users created": 3, "friendships created": 1, "friendships refused": 1}


def test_an_erased_user_is_still_in_the_log(operator: Send) -> None:
    operator("DELETE", f"/users/{HANA}", reason="her wish")
    found = latest(operator)
    assert (found["kind"], found["target"], found["reason"]) == ("user.erased", f"user:{HANA}", "her wish")
    assert found["after"]["friendships"] == 3


# Who acts.


def test_the_command_line_is_named(make_world: Callable[..., World], tmp_path: Path) -> None:
    line = AdminWorld(make_world())
    made = line.admin("users", "create", "花", "--reason", "she asked", "--json")
    assert made.exit_code == 0, made.output
    user = json.loads(made.stdout)["id"]
    path = tmp_path / "users.csv"
    line.world.clock.now += 1
    path.write_text("id,displayName\nriku00000001,陸\n")
    assert line.admin("import", "users", str(path)).exit_code == 0

    entries = line.get("/log").json["entry"]
    assert [(each["actor"], each["kind"], each["target"], each["reason"]) for each in entries] == [
        ("cli:operator", "records.imported", "platform", ""),
        ("cli:operator", "user.created", f"user:{user}", "she asked"),
    ]
    table = line.admin("log", "--kind", "user", "--actor", "cli")
    assert table.exit_code == 0
    assert "user.created" in table.stdout
    assert "she asked" in table.stdout
    assert "imported" not in table.stdout
    rows = list(csv.reader(io.StringIO(line.admin("log", "--csv").stdout)))
    assert [row[3] for row in rows] == ["kind", "records.imported", "user.created"]
    part = line.admin("log", "--csv", "--limit", "1")
    assert len(part.stdout.splitlines()) == 2
    assert "There are more: --cursor " in part.stderr
    assert "There are more" not in line.admin("log", "--csv").stderr
    lines = line.admin("log", "--json", "--limit", "1")
    assert json.loads(lines.stdout)["kind"] == "records.imported"
    assert "nextCursor" in lines.stderr
    assert "user." not in line.admin("log", "--until", "2001-01-01").stdout


def test_a_label_does_not_hide_the_client(operator: Send, world: World) -> None:
    """Whoever has a token may label itself as the command line; its client stays named."""
    token = world.token(None, "admin", app=APP)
    for label in ("cli", "user:k3v9x2mtq7ra", "=cli", "CLI"):
        headers = {"X-Engawa-Client": label}
        world.send("PUT", f"/admin/users/{KEN}/friends/{TARO}", user=None, token=token, headers=headers)
        world.send("DELETE", f"/admin/users/{KEN}/friends/{TARO}", user=None, token=token, headers=headers)
    actors = {each["actor"] for each in logged(operator)}
    assert actors == {f"cli:{APP}", f"operator-token:{APP}"}


@pytest.mark.parametrize("scopes", [("mixi_apps2",), ("r_page", "w_pagefeed")])
def test_only_operators_read_the_log(world: World, scopes: tuple[str, ...]) -> None:
    assert world.send("GET", "/admin/log", token=world.token(HANA, *scopes), user=None).status == 403
    assert world.send("GET", "/admin/log", token=world.token(None, *scopes), user=None).status == 403
    assert world.send("GET", "/admin/log", user=None).status == 401


def test_a_page_administrator_is_named_for_what_others_posted(make_world: Callable[..., World]) -> None:
    page = page_api.populated(make_world())
    others, own = page_api.post(page, HANA), page_api.post(page, MEI)
    page.clock.now += 1
    of_ken = page_api.comment(page, "of Ken", KEN, own)
    of_mei = page_api.comment(page, "of Mei", MEI, own)
    comment = f"{page_api.COMMENTS}/{of_ken}"

    assert page_api.send(page, "DELETE", comment, user=HANA, contentUri=own).status == 403
    assert page_api.send(page, "DELETE", f"{page_api.COMMENTS}/{of_mei}", user=MEI, contentUri=own).status == 204
    assert page.items("records") == [item for item in page.items("records") if not item["pk"]["S"].startswith("log#")]
    deleted = page_api.send(page, "DELETE", comment, user=MEI, contentUri=own)
    page.clock.now += 1
    assert page_api.send(page, "DELETE", page_api.FEEDS, user=MEI, contentUri=others).status == 204
    assert page_api.send(page, "DELETE", page_api.FEEDS, user=MEI, contentUri=own).status == 204

    feed, commented = page.platform.action_log.part(ActionFilter(0, NEVER), None, 20)[0]
    place = f"page:{page_api.PAGE}/feed:"
    assert (feed.actor, feed.kind, feed.before) == (f"user:{MEI}", "feed.deleted", {"poster": HANA})
    assert feed.target.startswith(place)
    assert (commented.kind, commented.before, commented.outcome) == ("comment.deleted", {"poster": KEN}, Outcome.DONE)
    assert commented.target.startswith(place)
    assert commented.target.endswith(f"/comment:{of_ken}")
    assert commented.request == deleted.headers["x-request-id"]
    assert "of Ken" not in str(page.items("records"))


# Lists.


def test_the_list_is_read_in_parts(operator: Send, world: World) -> None:
    ids = fill(world, [world.clock.now - each for each in range(45)])
    got: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = operator("GET", "/log", count="20", **cursor).json
        got += [each["id"] for each in answer["entry"]]
        if "nextCursor" not in answer:
            break
        cursor = {"cursor": answer["nextCursor"]}
    assert got == ids
    assert operator("GET", "/log", cursor="eA").error[:2] == (400, "parameter_invalid")
    assert operator("GET", "/log", cursor="!").error[:2] == (400, "parameter_invalid")
    assert operator("GET", "/log", count="0").status == operator("GET", "/log", count="101").status == 400


def test_a_list_that_grows_while_it_is_paged_repeats_and_skips_nothing(world: World) -> None:
    log, now = world.platform.action_log, world.clock.now
    ids = fill(world, [now - each for each in range(5)])
    first, cursor = log.part(ActionFilter(0, NEVER), None, 2)
    world.clock.now += 1
    fill(world, [world.clock.now] * 3)
    rest, _ = log.part(ActionFilter(0, NEVER), cursor, 20)
    assert [each.id for each in first + rest] == ids


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_entries_of_many_months_are_found(make_world: Callable[..., World], count: int) -> None:
    world = make_world(ENGAWA_LOG_DAYS="3650")
    log, now = world.platform.action_log, world.clock.now
    times = [now, now, now - 1, now - 40 * DAY, now - 41 * DAY, now - 500 * DAY, now - 3000 * DAY, now - 3000 * DAY]
    fill(world, times)
    everything = [each.at for part in parts(log, ActionFilter(0, NEVER), count) for each in part]
    assert everything == times
    old = parts(log, ActionFilter(now - 500 * DAY, now - 40 * DAY), count)
    assert [each.at for part in old for each in part] == [now - 41 * DAY, now - 500 * DAY]
    assert parts(log, ActionFilter(now, now), count) == [[]]
    assert parts(log, ActionFilter(NEVER, 0), count) == [[]]


def test_a_filtered_part_reads_a_bounded_number_of_entries(operator: Send, world: World) -> None:
    now = world.clock.now
    fill(world, [now - 10_000])
    fill(world, [now - each for each in range(3 * MOST_READ)], ActionKind.PAGE_CHANGED)
    world.calls.clear()
    part, cursor = world.platform.action_log.part(ActionFilter(0, NEVER, kind="user"), None, 20)
    read = sum(len(call.answer["Items"]) for call in world.calls if call.answer)
    assert (part, read, len(world.calls)) == ([], MOST_READ, 1)
    assert cursor
    found = parts(world.platform.action_log, ActionFilter(0, NEVER, kind="user"), 20)
    assert [len(each) for each in found] == [0, 0, 0, 1]
    assert [len(operator("GET", "/log", kind="page", target=f"user:{KEN}", count="100").json["entry"])] == [100]


@pytest.mark.parametrize("day", ["2026-11-30", "2026-12-01", "2026-12-05"])
def test_a_part_is_full_around_the_first_day_of_a_month(world: World, day: str) -> None:
    now = world.clock.now = int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp() * 1000)
    ids = fill(world, [now, *(now - 6 * DAY - each for each in range(30))])
    part, cursor = world.platform.action_log.part(ActionFilter(0, NEVER), None, 20)
    assert [each.id for each in part] == ids[:20]
    rest, end = world.platform.action_log.part(ActionFilter(0, NEVER), cursor, 20)
    assert ([each.id for each in rest], end) == (ids[20:], None)


def test_filters_select_entries(operator: Send) -> None:
    operator("PUT", f"/users/{KEN}/friends/{TARO}")
    operator("DELETE", f"/users/{KEN}/friends/{TARO}")
    operator("DELETE", f"/users/{HANA}")
    assert len(logged(operator)) == 3
    assert len(logged(operator, target=f"user:{KEN}")) == 2
    assert len(logged(operator, target=f"user:{KEN}/friend:{TARO}", kind="friendship.ended")) == 1
    assert len(logged(operator, target="user")) == 3
    assert logged(operator, target=f"user:{KEN[:-1]}") == []
    assert logged(operator, actor="cli") == []
    assert len(logged(operator, actor="operator-token")) == 3
    assert len(logged(operator, actor=" operator-token:operator ")) == 3
    assert logged(operator, actor="operator-token:operator", until="1") == []
    for wrong in ({"since": "x"}, {"until": "-1"}, {"actor": "x" * 201}, {"format": "xml"}):
        assert operator("GET", "/log", **wrong).error[:2] == (400, "parameter_invalid")


def test_entries_expire(make_world: Callable[..., World]) -> None:
    world = make_world(ENGAWA_LOG_DAYS="30")
    now = world.clock.now
    fill(world, [now, now - 29 * DAY, now - 31 * DAY])
    assert [int(item["ttl"]["N"]) - now // 1000 for item in world.items("records")] == [
        30 * 86_400,
        86_400,
        -86_400,
    ]
    # DynamoDB deletes an item some time after its ttl.
    assert [each.at for each in world.platform.action_log.part(ActionFilter(0, NEVER), None, 20)[0]] == [
        now,
        now - 29 * DAY,
    ]


# Files.


def test_a_file_has_all_columns_and_no_formula(operator: Send, world: World) -> None:
    log = world.platform.action_log
    reasons = ["=1+1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x", "\tx", "\nx", '"quoted", with\tcomma', "普通"]
    for reason in reasons:
        action = log.new(
            "user:x", ActionKind.PAGE_CHANGED, "page:1", "r", reason=reason, after={"name": "=cmd|' /C'!A0"}
        )
        log.begin(action)
        log.finish(action, Outcome.DONE)
        world.clock.now += 1
    answer = operator("GET", "/log", format="csv")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="action-log.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["reason"] for row in reversed(rows)] == [*(f"'{each}" for each in reasons[:-2]), *reasons[-2:]]
    assert {row["utc"][:16] for row in rows} == {w3cdtf(int(rows[0]["time"]), 0)[:16].replace("T", " ")}
    assert {row["after"] for row in rows} == {json.dumps({"name": "=cmd|' /C'!A0"})}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    lines = operator("GET", "/log", format="jsonl")
    assert lines.headers["content-type"] == "application/jsonl"
    assert [json.loads(line) for line in lines.text.splitlines()] == operator("GET", "/log").json["entry"]


def test_a_file_has_1000_entries_and_a_link_to_the_next(operator: Send, world: World) -> None:
    now = world.clock.now
    ids = fill(world, [now - each for each in range(1001)])
    first = operator("GET", "/log", format="jsonl", kind="user", target=f"user:{KEN}")
    following = first.headers["link"]
    assert "/admin/log?" in following
    assert following.endswith('>; rel="next"')
    second = operator("GET", following.partition("/admin")[2].partition(">")[0])
    assert "link" not in second.headers
    read = [json.loads(line)["id"] for each in (first, second) for line in each.text.splitlines()]
    assert read == ids


# Entries whose outcome is not known.


def test_an_entry_is_unknown_until_its_outcome_is_stored(operator: Send, world: World) -> None:
    log = world.platform.action_log
    action = log.new("user:x", ActionKind.USER_ERASED, "user:y", "r")
    log.begin(action)
    assert latest(operator)["outcome"] == "unknown"
    log.finish(action, Outcome.FAILED)
    assert latest(operator)["outcome"] == "failed"
    # A late try of the first write changes nothing.
    log.begin(action)
    assert latest(operator)["outcome"] == "failed"
    log.forget(action)
    assert logged(operator) == []


def test_a_kind_of_another_version_is_listed(operator: Send, world: World) -> None:
    fill(world, [world.clock.now])
    (item,) = world.items("records")
    world.dynamodb.put_item(TableName="engawa-local-records", Item=item | {"k": {"S": "future.kind"}})
    assert latest(operator)["kind"] == "future.kind"


def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    with pytest.raises(ParameterInvalid):
        world.platform.action_log.part(ActionFilter(0, NEVER), "aGFuYQ", 20)
