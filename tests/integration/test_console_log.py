"""The action log in the console: filters, parts, what is wrong, and files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from chalicelib.core.actions import ActionKind, Outcome
from chalicelib.core.roles import Role
from local import demo
from local.demo_data import APPS, CAFE, USERS
from tests.kit.html_checks import links
from tests.kit.memory import Cloud
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.worlds import MemoryWorld, World, cheap_passwords

HOME = "http://127.0.0.1:8000"
LOG = "/console/log"
MEI = f"user:{USERS['mei']}"
MINUTE, DAY = 60_000, 86_400_000
MIDNIGHT = 1_793_545_200_000
"""2026-11-02 00:00:00 in Tokyo."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("demo")
    with cheap_passwords():
        made = MemoryWorld(directory, Cloud())
        made.clock.now = MIDNIGHT + 10 * DAY
        demo.load(made.platform, HOME, directory)
        made.platform.roles.give(USERS["hana"], Role.OPERATOR)
        made.platform.roles.give(USERS["ken"], Role.MODERATOR)
        yield made


@pytest.fixture
def entries(world: World) -> Iterator[None]:
    """Make entries around midnight in Tokyo; delete all entries afterwards."""
    log, now = world.platform.action_log, world.clock.now
    made = [
        (MIDNIGHT - 1, MEI, ActionKind.FEED_DELETED, f"page:{CAFE.id}/feed:1", "=spam"),
        (MIDNIGHT, "cli:operator", ActionKind.USER_ERASED, f"user:{USERS['ken']}", "<b>bold</b>"),
        (MIDNIGHT + DAY - 1, "operator-token:operator", ActionKind.PAGE_CHANGED, f"page:{CAFE.id}", ""),
    ]
    for at, actor, kind, target, reason in made:
        world.clock.now = at
        action = log.new(actor, kind, target, "1-2", reason=reason, after={"name": "x"})
        log.begin(action)
        log.finish(action, Outcome.DONE)
    world.clock.now = now
    yield
    for item in world.items("records"):
        if item["pk"]["S"].startswith("log#"):
            key = {name: item[name] for name in ("pk", "sk")}
            world.dynamodb.delete_item(TableName="engawa-local-records", Key=key)


@pytest.fixture(scope="module")
def passwords(world: World) -> dict[str, str]:
    path = Path(str(world.platform.settings.token_keys_file)).with_name(demo.FILE)
    return {name: user["password"] for name, user in json.loads(path.read_text())["users"].items()}


def browser_of(world: World, passwords: dict[str, str], login: str) -> Browser:
    browser = browser_at(world.gateway)
    assert browser.sign_in(browser.open("/sign_in"), login, passwords[login]).status == 303
    return browser


@pytest.fixture
def hana(world: World, passwords: dict[str, str], entries: None) -> Browser:
    return browser_of(world, passwords, "hana")


def rows(page: Page) -> int:
    return page.html.count('<tr role="row">') - ('<thead role="rowgroup">' in page.html)


def test_the_log_is_shown_in_both_languages(hana: Browser) -> None:
    english = hana.open(f"{LOG}?lang=en")
    assert english.status == 200
    assert rows(english) == 3
    assert "Page: changed" in english.text
    assert "Operator’s token (operator)" in english.text
    assert "Command line (operator)" in english.text
    assert "2026-11-02 23:59:59" in english.text
    assert "Times are UTC+09:00." in english.text
    assert "<b>bold</b>" not in english.html
    japanese = hana.open(f"{LOG}?lang=ja")
    assert "ユーザー：消去" in japanese.text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?kind=user", 1),
        ("?kind=user.erased", 1),
        ("?kind=secret", 0),
        ("?actor=cli", 1),
        (f"?actor={MEI}", 1),
        (f"?target=page:{CAFE.id}", 2),
        (f"?target=page:{CAFE.id}&kind=feed&actor=+{MEI}+", 1),
        ("?from=2026-11-02", 2),
        ("?from=2026-11-02&to=2026-11-02", 2),
        ("?to=2026-11-01", 1),
        ("?from=2026-11-03", 0),
        ("?from=2026-11-03&to=2026-11-01", 0),
        ("?from=&to=&kind=&actor=&target=", 3),
    ],
)
def test_the_form_narrows_the_list(hana: Browser, query: str, count: int) -> None:
    page = hana.open(LOG + query)
    assert (page.status, rows(page)) == (200, count)


@pytest.mark.parametrize(
    "query",
    [
        "?from=yesterday",
        "?to=2026-13-01",
        "?to=20261101",
        "?from=9999-99-99",
        f"?actor={'x' * 201}",
        f"?target={'x' * 201}",
        f"?kind={'x' * 201}",
        "?cursor=x",
        "?cursor=aGFuYQ",
    ],
)
def test_what_is_wrong_is_said_in_the_page(hana: Browser, query: str) -> None:
    page = hana.open(LOG + query)
    assert page.status == 400
    assert 'role="search"' in page.html
    assert 'aria-invalid="true"' in page.html or 'role="alert"' in page.html


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1970-01-01"])
def test_any_day_is_a_bound(hana: Browser, day: str) -> None:
    assert hana.open(f"{LOG}?from={day}").status == hana.open(f"{LOG}?to={day}").status == 200


def test_a_filter_stays_in_the_form_and_in_the_links(world: World, hana: Browser) -> None:
    log = world.platform.action_log
    for _ in range(21):
        log.begin(log.new(MEI, ActionKind.PAGE_CHANGED, "page:1", "1-2"))
    page = hana.open(f'{LOG}?kind=page&actor={MEI}&target="><i>')
    assert "<i>" not in page.html
    page = hana.open(f"{LOG}?kind=page&actor={MEI}")
    assert rows(page) == 20
    following = next(link for link in links(page.html) if "cursor=" in link)
    assert "kind=page" in following
    rest = hana.open(following)
    assert rows(rest) == 1
    assert f"{LOG}?actor={quote(MEI)}&kind=page" in links(rest.html)


def test_a_file_has_what_the_filter_selects(hana: Browser) -> None:
    answer = hana.open(f"{LOG}/file?format=csv&target=page:{CAFE.id}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8; header=present")
    assert answer.headers["content-disposition"] == 'attachment; filename="action-log.csv"'
    found = list(csv.DictReader(io.StringIO(answer.html)))
    assert [row["reason"] for row in found] == ["", "'=spam"]
    lines = hana.open(f"{LOG}/file?format=jsonl")
    assert len(lines.html.splitlines()) == 3
    for wrong in ("format=xml", "", "format=csv&from=x"):
        assert hana.open(f"{LOG}/file?{wrong}").status == 404


def test_entries_name_people_and_pages_and_lead_to_what_is_there(world: World, hana: Browser) -> None:
    log, mei = world.platform.action_log, USERS["mei"]
    log.begin(log.new("cli:operator", ActionKind.FEED_HIDDEN, f"page:{CAFE.id}/feed:1", "9-9"))
    log.begin(log.new("cli:operator", ActionKind.USER_ERASED, "user:gone00000001", "9-8", before={"role": None}))
    page = hana.open(f"{LOG}?lang=en")

    assert page.status == 200
    for name in ("role: —", "芽衣 (Mei)", "健 (Ken)", "カフェ縁側 (Cafe Engawa)", MEI, f"page:{CAFE.id}/feed:1"):
        assert name in page.text
    found = {*links(page.html)}
    post = f"/console/moderation/post?page={CAFE.id}&feed=1"
    assert {f"/console/users/{mei}", f"/console/pages/{CAFE.id}", post} <= found
    assert "/console/users/gone00000001" not in found
    # A request that succeeded has no record.
    assert {link for link in found if "/console/requests" in link} == {
        "/console/requests?id=9-8",
        "/console/requests?id=9-9",
    }


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("actor=MEI", f"actor={quote(MEI, safe='')}"),
        (f"actor={USERS['mei']}", f"actor={quote(MEI, safe='')}"),
        ("target=ken&kind=user", f"target=user%3A{USERS['ken']}&kind=user"),
        (f"target={CAFE.id}", f"target=page%3A{CAFE.id}"),
        (f"target={APPS['quest']}", f"target=app%3A{APPS['quest']}"),
    ],
)
def test_a_filter_may_be_a_login_or_an_id(hana: Browser, given: str, meant: str) -> None:
    answer = hana.open(f"{LOG}?{given}")
    assert (answer.status, answer.location) == (303, f"{LOG}?{meant}")
    assert hana.open(answer.location).status == 200
    assert rows(hana.open(f"{LOG}?actor=nobody")) == 0


def test_a_moderator_does_not_read_the_log(world: World, passwords: dict[str, str]) -> None:
    ken = browser_of(world, passwords, "ken")
    for path in (LOG, f"{LOG}/file?format=csv"):
        assert ken.open(path).status == 403
    mei = browser_of(world, passwords, "mei")
    assert mei.open(LOG).status == 404
