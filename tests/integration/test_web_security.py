"""What holds for every page: no form without its session's value, no foreign frame, no text of a link in the markup.

The routes are walked, so that a new page is tested without a row here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import pytest

from chalicelib.core.roles import Role
from local import demo
from local.demo_data import APPS, CAFE, USERS
from tests.kit.memory import Cloud
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.routes import routes
from tests.kit.worlds import MemoryWorld, World, cheap_passwords

HOME = "http://127.0.0.1:8000"
NAMES = {
    "user": USERS["ken"],
    "person": USERS["ken"],
    "app": APPS["quest"],
    "page": CAFE.id,
    "feed": "1",
    "module": "3",
    "friend": USERS["mei"],
}
QUIET = ("directory", "appdata", "grants", "feeds", "comments", "favorites", "records")
INJECTED = "\"'><svg onload=alert(1)>"
_WORDS = """
    actor app category cursor data done find format from id kind lang list login name on order person q remove reason
    since state status target text to until user
"""
PARAMETERS = _WORDS.split()
"""Names of query parameters of pages, and some that no page has."""
OWN_FORMS = ("/connect_authorize.pl",)
"""Pages that clients of OAuth send people to: their parameters are those of OAuth."""


@cache
def pages(method: str) -> list[str]:
    """Return the paths of pages that answer a method."""
    return sorted(path for each, path, view in routes() if each == method and view.declaration.page)


def filled(path: str) -> str:
    """Return the path of a route with ids of the demo world."""
    for name, value in NAMES.items():
        path = path.replace("{" + name + "}", value)
    return path.replace("{", "").replace("}", "")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("demo")
    with cheap_passwords():
        made = MemoryWorld(directory, Cloud())
        demo.load(made.platform, HOME, directory)
        made.platform.roles.give(USERS["mei"], Role.OPERATOR)
        yield made


@pytest.fixture(scope="module")
def passwords(world: World) -> dict[str, str]:
    path = Path(str(world.platform.settings.token_keys_file)).with_name(demo.FILE)
    return {name: user["password"] for name, user in json.loads(path.read_text())["users"].items()}


def signed_in(world: World, passwords: dict[str, str], login: str) -> Browser:
    browser = browser_at(world.gateway)
    assert browser.sign_in(browser.open("/sign_in"), login, passwords[login]).status == 303
    return browser


@pytest.fixture(scope="module")
def mei(world: World, passwords: dict[str, str]) -> Browser:
    """An operator who also administers the page."""
    return signed_in(world, passwords, "mei")


def stored(world: World) -> dict[str, list[str]]:
    return {name: sorted(map(repr, world.items(name))) for name in QUIET}


def value_of(browser: Browser) -> str:
    return next(form.fields["csrf"] for form in browser.open("/").forms if form.action == "/sign_out")


def headers_are_sound(page: Page) -> None:
    assert page.status < 500
    if "text/html" in page.headers.get("content-type", ""):
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert "base-uri 'none'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "no-store" in page.headers["cache-control"]


def test_the_walk_finds_pages() -> None:
    assert len(pages("GET")) > 10
    assert len(pages("POST")) > 5


@pytest.mark.parametrize("path", pages("POST"))
def test_a_form_of_another_session_changes_nothing(
    world: World, mei: Browser, passwords: dict[str, str], path: str
) -> None:
    """Sent without the value, with another session's, and with a wrong one."""
    others = value_of(signed_in(world, passwords, "ken"))
    own = value_of(mei)
    before = stored(world)
    for value in (None, others, own[:-1] + ("0" if own[-1] != "0" else "1"), "", "zz"):
        sent = {
            "csrf": value,
            "action": "delete",
            "decision": "allow",
            "reason": "x",
            "name": "x",
            "user": USERS["ken"],
        }
        body = "&".join(f"{name}={each}" for name, each in sent.items() if each is not None)
        page = mei._go("POST", filled(path), body.encode())
        headers_are_sound(page)
        assert stored(world) == before, f"{path} with the value {value}"


@pytest.mark.parametrize("path", [each for each in pages("GET") if not each.startswith(OWN_FORMS)])
def test_a_link_cannot_put_markup_into_a_page(mei: Browser, path: str) -> None:
    for query in (dict.fromkeys(PARAMETERS, INJECTED), {name: f"x\r\nX-Injected: {name}" for name in PARAMETERS}):
        page = mei.open(f"{filled(path)}?{urlencode(query)}")
        headers_are_sound(page)
        assert "<svg onload" not in page.html
        assert "x-injected" not in page.headers
        assert all("\n" not in value and "\r" not in value for value in page.headers.values())
        location = page.headers.get("location", "/")
        assert location.startswith((HOME, "/")), location
        assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize("path", [each for each in pages("GET") if "{" in each])
def test_an_id_that_cannot_be_is_not_found(mei: Browser, path: str) -> None:
    for wrong in ("%3Csvg%20onload%3Dalert(1)%3E", "%00", "..", "%2e%2e%2f", "x" * 300, "%F0%9F%92%A9", "-1"):
        asked = path
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            asked = asked.replace("{" + name + "}", wrong)
        page = mei.open(asked)
        headers_are_sound(page)
        assert page.status in (303, 400, 403, 404), f"{asked}: {page.status}"
        assert "<svg onload" not in page.html


def test_signing_in_begins_a_new_session(world: World, passwords: dict[str, str]) -> None:
    """A session that somebody planted before is worth nothing afterwards."""
    browser = signed_in(world, passwords, "ken")
    first = dict(browser.cookies)
    again = Browser(browser._send)
    again.cookies = {"engawa": first["engawa"]}
    again.submit(next(form for form in again.open("/").forms if form.action == "/sign_out"))
    assert again.sign_in(again.open("/sign_in"), "taro", passwords["taro"]).status == 303
    assert again.cookies["engawa"] != first["engawa"]
    # The planted cookie was ended by signing out.
    planted = Browser(browser._send)
    planted.cookies = {"engawa": first["engawa"]}
    assert "/sign_out" not in [form.action for form in planted.open("/").forms]


def test_a_form_cannot_give_a_role(world: World, passwords: dict[str, str]) -> None:
    ken = signed_in(world, passwords, "ken")
    for path in pages("POST"):
        form = {"csrf": value_of(ken), "role": "operator", "suspended": "", "action": "save", "display_name": "ken"}
        if path != "/sign_out":
            ken._go("POST", filled(path), "&".join(f"{name}={value}" for name, value in form.items()).encode())
    known = world.platform.users.get(USERS["ken"])
    assert known
    assert known.role is None
