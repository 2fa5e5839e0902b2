"""Upgrades: a world stored by the version before is read, changed and migrated by this one."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from admin.cli import cli
from chalicelib.core import passwords
from chalicelib.core.migration import SEGMENTS, TABLES
from chalicelib.store.aws import formats
from chalicelib.store.aws.items import Item, key_of
from chalicelib.store.directory.counts import COUNTED, Kind, kind_of
from chalicelib.store.directory.keys import COUNTS
from local.gateway import Request
from local.in_process import APP, HANA, KEN, ME, TARO, YUKI
from tests.kit.format_world import FIXTURES, PREFIX, FormatWorld, load, make, post_once, reads
from tests.kit.request_stage import PUBLIC, RequestStage
from tests.kit.signing import SECRET
from tests.kit.stage import MODULE, PAGE, URI, one_after_the_other

FILE = FIXTURES / "format-1.json.xz"
START = f"/run_page_apps.pl?page_id={PAGE}&module_id={MODULE}&appParams=%7B%7D"
Write = Callable[[RequestStage], object]


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    with one_after_the_other():
        yield


@pytest.fixture
def old(tmp_path: Path) -> FormatWorld:
    return load(FILE, tmp_path)


def numbers(stage: RequestStage) -> dict[int, int]:
    """Return the number of items of each format, without counters, rows of the search and the log, which are new."""
    items = stage.cloud.memory.items.values()
    return Counter(formats.format_of(item) for item in items if not is_new(item))


def is_new(item: Item) -> bool:
    """Return whether an item is of a kind that versions before did not have."""
    return item["pk"]["S"] == COUNTS or item["pk"]["S"].startswith(("find#", "log#"))


def counters(stage: RequestStage) -> int:
    """Return the number of items that are new; a migration creates and may read them."""
    return sum(is_new(item) for item in stage.cloud.memory.items.values())


def migrate(stage: RequestStage, *, stop_after: float = float("inf"), **more: Any) -> Counter[str]:
    """Migrate all tables, or stop after some requests; return the counts."""
    counts: Counter[str] = Counter()
    for table in TABLES:
        for segment in range(SEGMENTS):
            cursor: dict[str, str] = {}
            while True:
                if counts["requests"] >= stop_after:
                    return counts
                answer = stage.operate("POST", "/migrations", {"table": table, "segment": segment} | cursor | more)
                assert answer.status == 200, answer.text
                found = answer.json
                counts["requests"] += 1
                counts.update({name: found[name] for name in ("items", "old", "newer", "rewritten", "writeUnits")})
                if "nextCursor" not in found:
                    break
                cursor = {"cursor": found["nextCursor"]}
    return counts


def check_sound(stage: RequestStage) -> None:
    """Check the invariants of all tables."""
    # The world has an unfinished deletion of each kind, whose remains are no fault.
    assert stage.wrongs() == []


def test_everything_reads_as_before(old: FormatWorld) -> None:
    assert len(old.answers) > 140
    assert numbers(old.stage).keys() == {1}
    assert reads(old.stage) == old.answers
    assert numbers(old.stage).keys() == {1}, "a read rewrites nothing"
    check_sound(old.stage)


@pytest.mark.parametrize("migrated", [False, True])
def test_credentials_of_before_work(old: FormatWorld, migrated: bool) -> None:
    stage, known = old.stage, old.known
    if migrated:
        migrate(stage)
    for name in ("hana", "mei"):
        assert stage.fill_in("/sign_in", login=name, password=known["passwords"][name]).status == 303
        (_, now) = stage.platform.users.credential(name) or ("", "")
        assert now.startswith(f"scrypt${passwords.N}${passwords.R}${passwords.P}$")
        assert passwords.matches(known["passwords"][name], now)
    refused = stage.fill_in("/sign_in", login="taro", password="wrong")
    assert refused.status != 303
    (_, unchanged) = stage.platform.users.credential("taro") or ("", "")
    assert unchanged.startswith("scrypt$32768$8$1$")
    fresh = stage.ask_token(grant_type="refresh_token", refresh_token=known["refresh"])
    assert (fresh.status, fresh.json["refresh_token"]) == (200, known["refresh"])
    again = stage.ask_token(PUBLIC, grant_type="refresh_token", refresh_token=known["rotated"])
    assert (again.status, again.json["refresh_token"]) == (200, known["public refresh"])
    assert stage.redeem(known["code"]).status == 200
    assert stage.stored_secret(APP) == SECRET
    assert stage.look_at(START, HANA).status in (200, 302, 303)
    assert post_once(stage, known).text == known["once answer"]
    check_sound(stage)


def on_top(stage: RequestStage) -> list[str]:
    """Write to all kinds of items; return the answers."""

    def ask(user: str, method: str, path: str, body: Any = None, **query: Any) -> str:
        answer = stage.send(method, path, body, token=stage.token(user), **query)
        return f"{method} {path} {answer.status}"

    found = [
        ask(HANA, "POST", ME, {"level": "6", "large": "x" * 3_500}),
        ask(KEN, "POST", ME, {"k0007": "changed", "k0008": "x" * 4_000}),
        ask(KEN, "DELETE", ME, fields="k0009,k0700"),
        ask(YUKI, "DELETE", ME),
        ask(TARO, "POST", f"/2/pages/{PAGE}/comments", {"comment": "on top"}, contentUri=URI),
        ask(YUKI, "POST", f"/2/pages/{PAGE}/favorites", contentUri=URI),
        ask(HANA, "POST", f"/2/pages/{PAGE}/feeds", {"title": "on top"}),
    ]
    for method, path, body in (
        ("PUT", f"/users/{KEN}/friends/{YUKI}", None),
        ("DELETE", f"/users/{HANA}/friends/{TARO}", None),
        ("PATCH", f"/users/{TARO}", {"login": "taro2", "age": 48}),
        ("PUT", f"/users/{TARO}/installs/{PUBLIC}", None),
        ("DELETE", f"/users/{KEN}/grants/{APP}", None),
        ("PATCH", f"/apps/{PUBLIC}", {"name": "アルバム"}),
    ):
        found.append(f"{method} {path} {stage.operate(method, path, body).status}")
    return found


def test_writes_on_top_change_the_items_of_before(old: FormatWorld) -> None:
    before = dict(old.stage.cloud.memory.items)
    answers = on_top(old.stage)
    assert all(each[-3:] in ("200", "201") for each in answers), answers
    check_sound(old.stage)
    counts = numbers(old.stage)
    assert counts.keys() == {1, 2}
    for place, item in old.stage.cloud.memory.items.items():
        assert formats.format_of(item) == 1 + (item is not before.get(place)), "each written item has the number"


def test_a_migration_rewrites_everything_and_changes_no_answer(old: FormatWorld) -> None:
    there = len(old.stage.cloud.memory.items)
    found = migrate(old.stage, check=True)
    assert (found["items"], found["old"], found["rewritten"], found["newer"]) == (there, there, 0, 0)
    assert found["writeUnits"] >= there
    assert numbers(old.stage).keys() == {1}
    done = migrate(old.stage)
    assert there <= done["items"] <= there + counters(old.stage)
    assert (done["rewritten"], done["writeUnits"]) == (there, found["writeUnits"])
    assert numbers(old.stage) == {2: there}
    assert reads(old.stage) == old.answers
    assert migrate(old.stage)["rewritten"] == 0
    assert all(each[-3:] in ("200", "201") for each in on_top(old.stage))
    check_sound(old.stage)


def test_a_migration_counts_what_versions_before_did_not(old: FormatWorld) -> None:
    stage = old.stage
    memory = stage.cloud.memory
    on_top(stage)
    assert stage.operate("DELETE", f"/users/{YUKI}/installs/{APP}").status == 200, "one that was never counted"
    migrate(stage, stop_after=len(TABLES) * SEGMENTS // 2)
    on_top(stage)
    migrate(stage)
    check_sound(stage)
    kinds = Counter(kind for item in memory.items.values() if (kind := kind_of(item)))
    assert stage.platform.counts.read() == {kind: kinds[kind] for kind in Kind}
    assert all(COUNTED in item for item in memory.items.values() if kind_of(item))
    assert migrate(stage)["rewritten"] == 0
    assert stage.platform.counts.read() == {kind: kinds[kind] for kind in Kind}


def test_an_interrupted_migration_leaves_a_platform_that_works(old: FormatWorld) -> None:
    migrate(old.stage, stop_after=len(TABLES) * SEGMENTS // 2)
    assert numbers(old.stage).keys() == {1, 2}
    assert reads(old.stage) == old.answers
    on_top(old.stage)
    check_sound(old.stage)
    migrate(old.stage)
    assert numbers(old.stage).keys() == {2}
    check_sound(old.stage)


class Rivals:
    """A client that lets another write come before each rewriting of an item."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self.writes: dict[tuple[str, str, str], Write] = {}
        self.other: RequestStage
        self.met: list[tuple[str, str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def update_item(self, **update: Any) -> Any:
        place = (update["TableName"].removeprefix(PREFIX), *key_of(update["Key"]))
        if write := self.writes.pop(place, None):
            self.met.append(place)
            write(self.other)
        return self._cloud.update_item(**update)


def test_writers_during_a_migration_lose_nothing(tmp_path: Path) -> None:
    """Each write comes between the migration's read of an item and its own write of it."""
    twin = load(FILE, tmp_path)
    rivals = Rivals(twin.stage.cloud)
    old = load(FILE, tmp_path, rivals)
    rivals._cloud = old.stage.cloud
    rivals.other = RequestStage(tmp_path, old.stage.cloud, old.stage.cloud)
    rivals.other.clock = old.stage.clock
    rivals.other.restart()
    data, page = ("appdata", f"{APP}#{HANA}", "#"), f"/2/pages/{PAGE}"
    favorite = next(key_of(i) for i in old.stage._table("favorites") if i["sk"]["S"].endswith(HANA))
    writes: dict[tuple[str, str, str], Write] = {
        data: lambda stage: stage.send("POST", ME, {"level": "7", "map": "x" * 3_600}, token=stage.token(HANA)),
        ("directory", f"user#{KEN}", "#"): lambda stage: stage.operate("PATCH", f"/users/{KEN}", {"age": 99}),
        ("directory", f"user#{HANA}", f"friend#{TARO}"): lambda stage: stage.operate(
            "DELETE", f"/users/{HANA}/friends/{TARO}"
        ),
        ("directory", f"user#{YUKI}", f"install#{APP}"): lambda stage: stage.operate(
            "DELETE", f"/users/{YUKI}/installs/{APP}"
        ),
        ("favorites", *favorite): lambda stage: stage.platform.favorites.remove(PAGE, URI, stage.favorite(HANA), HANA),
        ("comments", *_head(old.stage)): lambda stage: stage.send(
            "POST", f"{page}/comments", {"comment": "late"}, token=stage.token(KEN), contentUri=URI
        ),
        ("grants", f"user#{HANA}", f"grant#{APP}"): lambda stage: stage.ask_token(
            grant_type="refresh_token", refresh_token=old.known["refresh"]
        ),
    }
    rivals.writes = dict(writes)
    migrate(old.stage)
    assert rivals.writes == {}, "each of them met the migration"
    for place in rivals.met:
        writes[place](twin.stage)
    assert numbers(old.stage).keys() == {2}
    check_sound(old.stage)
    now, expected = reads(old.stage), reads(twin.stage)
    assert {name: answer for name, answer in now.items() if answer != expected[name]} == {}
    assert now != old.answers
    assert sum(numbers(old.stage).values()) == sum(numbers(twin.stage).values()), "nothing deleted has returned"


def _head(stage: RequestStage) -> tuple[str, str]:
    return next(key_of(i) for i in stage._table("comments") if i["sk"]["S"] == "h" and i.get("pg") == {"S": PAGE})


def test_a_version_that_does_not_know_an_attribute_ignores_it(old: FormatWorld) -> None:
    """The version before has these readers and writers, and does not know the number: so it can be rolled back to."""
    for place, item in old.stage.cloud.memory.items.items():
        old.stage.cloud.memory.items[place] = item | {"~": {"N": "7"}}
    assert reads(old.stage) == old.answers
    assert all(each[-3:] in ("200", "201") for each in on_top(old.stage))
    check_sound(old.stage)


def test_items_of_a_newer_version_are_refused_and_left_alone(old: FormatWorld) -> None:
    newer: dict[Any, Item] = {}
    for place, item in old.stage.cloud.memory.items.items():
        newer[place] = item | {formats.ATTRIBUTE: {"N": str(formats.NEWEST + 1)}}
    old.stage.cloud.memory.items = dict(newer)
    answer = old.stage.send("GET", ME, token=old.stage.token(HANA))
    assert answer.error == (503, "service_unavailable", "The data were stored by a newer version of the service")
    assert answer.headers["retry-after"] == "5"
    assert old.stage.send("POST", ME, {"level": "6"}, token=old.stage.token(HANA)).status == 503
    assert old.stage.operate("GET", f"/users/{HANA}").status == 503
    counts = migrate(old.stage)
    assert (counts["newer"], counts["old"], counts["rewritten"]) == (len(newer), 0, 0)
    assert old.stage.cloud.memory.items == newer


def test_this_version_writes_every_item_in_the_newest_format(tmp_path: Path) -> None:
    here = make(tmp_path).stage
    assert numbers(here).keys() == {formats.NEWEST}
    kinds = {place[0] for place in here.cloud.memory.items}
    assert kinds == {PREFIX + table for table in TABLES}


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        ([], "bad_request", "The body must be a JSON object"),
        ({"table": "users", "segment": 0}, "parameter_invalid", "table must be one of appdata, directory"),
        ({"segment": 0}, "parameter_invalid", "table must be one of"),
        ({"table": "grants"}, "parameter_invalid", "segment must be a whole number from 0 to 7"),
        ({"table": "grants", "segment": 8}, "parameter_invalid", "segment must be a whole number from 0 to 7"),
        ({"table": "grants", "segment": True}, "parameter_invalid", "segment must be a whole number from 0 to 7"),
        ({"table": "grants", "segment": 0, "check": 1}, "parameter_invalid", "check must be true or false"),
        ({"table": "grants", "segment": 0, "dry": True}, "parameter_invalid", "There is no field 'dry'"),
        ({"table": "grants", "segment": 0, "cursor": 5}, "parameter_invalid", "cursor does not belong"),
        ({"table": "grants", "segment": 0, "cursor": "é"}, "parameter_invalid", "cursor does not belong"),
        ({"table": "grants", "segment": 0, "cursor": "e30="}, "parameter_invalid", "cursor does not belong"),
    ],
)
def test_a_wrong_part_is_refused(old: FormatWorld, body: Any, error: str, says: str) -> None:
    answer = old.stage.operate("POST", "/migrations", body)
    assert answer.error[:2] == (400, error)
    assert says in answer.error[2]


def test_a_cursor_is_of_its_segment(old: FormatWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.store.migration.MOST_ITEMS", 2)
    part = {"table": "appdata", "segment": 0}
    cursor = next(
        found["nextCursor"]
        for segment in range(SEGMENTS)
        if "nextCursor" in (found := old.stage.operate("POST", "/migrations", part | {"segment": segment}).json)
        and (part := part | {"segment": segment})
    )
    assert old.stage.operate("POST", "/migrations", part | {"cursor": cursor}).status == 200
    for other in ({"table": "grants"}, {"segment": (part["segment"] + 1) % SEGMENTS}):  # type: ignore[operator]
        assert old.stage.operate("POST", "/migrations", part | {"cursor": cursor} | other).status == 400


def test_only_operators_migrate(old: FormatWorld) -> None:
    for token in (old.stage.token(HANA), old.stage.token(None)):
        for method in ("GET", "POST"):
            answer = old.stage.send(method, "/admin/migrations", {"table": "grants", "segment": 0}, token=token)
            assert answer.status == 403
    assert numbers(old.stage).keys() == {1}


# The command line.


def served_by(stage: RequestStage, *, dies_after: int | None = None) -> httpx.MockTransport:
    """Return a transport to the app; after `dies_after` migrated parts it raises KeyboardInterrupt."""
    lock, left = threading.Lock(), [dies_after]

    def answer(request: httpx.Request) -> httpx.Response:
        with lock:  # The memory is for one thread at a time.
            if request.method == "POST" and not json.loads(request.content)["check"] and left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
            sent = Request(
                request.method, request.url.raw_path.decode(), list(request.headers.items()), request.content
            )
            got = stage.gateway.handle(sent)
        return httpx.Response(got.status, headers=got.headers, content=got.body)

    return httpx.MockTransport(answer)


def admin(transport: httpx.BaseTransport, stage: RequestStage, *words: str, given: str | None = None) -> Result:
    environment = {"ENGAWA_ADMIN_URL": "https://engawa.example", "ENGAWA_LOCAL_DIR": "/nowhere"}
    environment["ENGAWA_ADMIN_TOKEN"] = stage.token(None, "admin")
    return CliRunner().invoke(cli, ["migrate", *words], obj=transport, env=environment, input=given)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("chalicelib.store.migration.MOST_ITEMS", 20)
    return tmp_path / "state.json"


def test_the_command_counts_asks_and_rewrites(old: FormatWorld, small_parts: Path) -> None:
    there, state = len(old.stage.cloud.memory.items), ("--state", str(small_parts))
    transport = served_by(old.stage)
    checked = admin(transport, old.stage, "--check", *state)
    assert (checked.exit_code, numbers(old.stage).keys()) == (0, {1})
    assert f"{there} items to rewrite to format 2: about " in checked.stdout
    refused = admin(transport, old.stage, *state, given="n\n")
    assert (refused.exit_code, numbers(old.stage).keys()) == (1, {1})
    assert "Rewrite them? [y/N]" in refused.stderr
    done = admin(transport, old.stage, *state, given="y\n")
    assert (done.exit_code, numbers(old.stage)) == (0, {2: there})
    assert f"{there} items rewritten to format 2." in done.stdout
    assert "Rollback: Versions before 0.2.0 ignore the number" in done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.strip()}
    read, *others = [sum(int(rows[table][place]) for table in TABLES) for place in range(4)]
    assert others == [there, there, 0]
    assert there <= read <= there + counters(old.stage)
    again = admin(transport, old.stage, "--yes", *state)
    assert again.exit_code == 0
    assert "All items have format 2." in again.stdout
    assert not small_parts.exists()
    assert reads(old.stage) == old.answers


def test_an_interrupted_command_continues(old: FormatWorld, small_parts: Path) -> None:
    there, state = len(old.stage.cloud.memory.items), ("--state", str(small_parts))
    stopped = admin(served_by(old.stage, dies_after=15), old.stage, "--yes", "--workers", "2", *state)
    assert stopped.exit_code == 130, stopped.output
    assert "the same command continues from there" in stopped.stderr
    done_before = numbers(old.stage)[2]
    assert 0 < done_before < there
    saved = json.loads(small_parts.read_text())
    assert 0 < sum(count["rewritten"] for count in saved["counts"].values()) <= done_before
    done = admin(served_by(old.stage), old.stage, "--json", *state)
    assert done.exit_code == 0, done.output
    tables = json.loads(done.stdout)["tables"]
    assert there <= sum(count["items"] for count in tables.values()) <= there + counters(old.stage)
    assert numbers(old.stage) == {2: there}
    assert not small_parts.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "cannot be read; --restart"),
        ("[]", "cannot be read; --restart"),
        (
            '{"identity": {"url": "https://other.example", "format": 2}, "estimate": 1, "counts": {}, "left": {}}',
            "another",
        ),
    ],
)
def test_a_progress_that_does_not_fit_is_refused(old: FormatWorld, small_parts: Path, content: str, says: str) -> None:
    small_parts.write_text(content)
    refused = admin(served_by(old.stage), old.stage, "--yes", "--state", str(small_parts))
    assert (refused.exit_code, numbers(old.stage).keys()) == (1, {1})
    assert says in refused.stderr
    assert admin(served_by(old.stage), old.stage, "--yes", "--restart", "--state", str(small_parts)).exit_code == 0
    assert numbers(old.stage).keys() == {2}


def test_newer_items_are_reported(old: FormatWorld, small_parts: Path) -> None:
    place, item = next(iter(old.stage.cloud.memory.items.items()))
    old.stage.cloud.memory.items[place] = item | {formats.ATTRIBUTE: {"N": "3"}}
    checked = admin(served_by(old.stage), old.stage, "--check", "--state", str(small_parts))
    assert "1 items were stored by a newer version" in checked.stdout
