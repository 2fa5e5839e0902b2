"""Every page of tests/kit/web_pages.py: its markup, links, headers, size and cost, in both languages."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.meter import Meter
from chalicelib.api.menu import MENU
from chalicelib.core.roles import Role
from chalicelib.store.aws.side_by_side import lane
from chalicelib.web.html.rendering import TEMPLATES
from chalicelib.web.routing import Router, without_last_slash
from local import demo
from local.demo_data import USERS
from tests.kit.html_checks import faults, links
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.web_pages import PAGES, WebPage
from tests.kit.worlds import World, cheap_passwords, empty_aws

MOST_BYTES = 50 * 1024
CALLS, RRU, WRU = 3, 30, 4
"""The maximum cost of a page (docs/internals/architecture.md)."""
HOME = "http://127.0.0.1:8000"

each_page = pytest.mark.parametrize("shown", PAGES, ids=[each.name for each in PAGES])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("demo")
    with empty_aws(), cheap_passwords():
        made = World(directory)
        demo.load(made.platform, HOME, directory)
        # The last operator keeps the role; this one lets others lose it.
        made.platform.roles.give(USERS["taro"], Role.OPERATOR)
        yield made


@pytest.fixture(scope="module")
def passwords(world: World) -> dict[str, str]:
    path = Path(str(world.platform.settings.token_keys_file)).with_name(demo.FILE)
    return {name: user["password"] for name, user in json.loads(path.read_text())["users"].items()}


@pytest.fixture(scope="module")
def meter(world: World) -> Meter:
    return Meter(world.dynamodb, world.s3)


@pytest.fixture
def browser(world: World) -> Browser:
    return browser_at(world.gateway)


def opened(world: World, browser: Browser, passwords: dict[str, str], shown: WebPage) -> str:
    """Sign in whoever opens the page, with the role; return the path of the page."""
    if shown.user:
        world.platform.roles.give(USERS[shown.user], shown.role)
        signed_in = browser.sign_in(browser.open("/sign_in"), shown.user, passwords[shown.user])
        assert signed_in.status == 303
    path = shown.made(world.platform)
    if shown.confirmed:
        asked = browser.open(path)
        answer = browser.submit(asked.form("password_again"), password_again=passwords[str(shown.user)])
        assert answer.status == 303
    return path


@each_page
def test_a_page_is_sound_and_keeps_the_bounds_of_its_cost_in_both_languages(
    world: World, browser: Browser, passwords: dict[str, str], meter: Meter, shown: WebPage
) -> None:
    path = opened(world, browser, passwords, shown)
    router = Router(path for path, methods in world.app.routes.items() if "GET" in methods)
    pages: list[Page] = []
    for language in ("ja", "en"):
        before = lane.set(())
        with meter.counting():
            page = browser.open(f"{path}{'&' if '?' in path else '?'}lang={language}")
        lane.reset(before)
        cost = meter.figures
        assert page.status == shown.status
        assert (cost.in_sequence <= CALLS, cost.rru <= RRU, cost.wru <= WRU) == (True, True, True), cost
        assert page.headers["content-language"] == language
        assert faults(page.html, language) == []
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        assert len(gzip.compress(page.html.encode(), 6)) <= MOST_BYTES
        reached = {*links(page.html)}
        if shown.user:
            assert {target for target, _ in MENU} <= reached
            assert ("/console" in reached) == (shown.role is not None)
        for target in links(page.html):
            parts = urlsplit(target)
            if not parts.netloc and parts.path.startswith("/") and not parts.path.startswith(("/docs", "/sample")):
                found, _ = router.match(without_last_slash(parts.path).split("/"))
                assert found, f"{target} leads nowhere"
        pages.append(page)
    assert pages[0].text != pages[1].text


def test_the_style_of_all_pages_is_small() -> None:
    """It is in every page, so it must have no rule twice."""
    assert len((TEMPLATES / "style.css").read_bytes()) <= 12 * 1024


def test_what_finds_faults_finds_them() -> None:
    bad = (
        "<html lang=en><title>a</title><header></header><main><h1>a</h1><h3>b</h3><input name=a id=x><img src=a>"
        "<form method=post action=/a><button onclick=b>c</button></form><p style=a id=x aria-describedby=y></p></main>"
    )
    assert faults(bad, "ja") == [
        "not in ja",
        "h3 after h1",
        "no label for {'name': 'a', 'id': 'x'}",
        "id x 2 times",
        "no alt for a",
        "onclick of button",
        "style of p",
        "p names y, which is not there",
        "no csrf in the form of /a",
    ]
