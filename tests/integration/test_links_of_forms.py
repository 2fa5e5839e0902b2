"""Where an answer to a form leads: every link and redirect of ours can be opened with GET.

The routes are walked, so that a new form is tested without a row here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import app as entry
from chalicelib.api.route_table import EngawaApp
from chalicelib.core.errors import Unavailable
from chalicelib.core.roles import ACTIONS
from chalicelib.web.routing import Router, opened
from tests.kit.console import PASSWORD, app_world, browser_of, confirm, form_to
from tests.kit.html_checks import links
from tests.kit.plain_browser import Browser, Page
from tests.kit.routes import routes
from tests.kit.worlds import APP, KEN, World, no_platform

OWN = {"Sec-Fetch-Site": "same-origin"}
FORMS = {path: view for method, path, view in routes() if method == "POST" and view.declaration.page}
TAKEN = {method + path for method, path, _ in routes()}
ROUTER = Router(path for _, path, _ in routes())
DANGEROUS = [
    path for path, view in FORMS.items() if view.declaration.action and ACTIONS[view.declaration.action].dangerous
]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return app_world(make_world())


def filled(path: str) -> str:
    for name, value in {"app": APP, "user": KEN, "page": "1", "feed": "1", "endpoint": "0123456789ab"}.items():
        path = path.replace("{" + name + "}", value)
    return path.replace("{", "").replace("}", "")


def sent(browser: Browser, path: str, query: str = "", **fields: str) -> Page:
    return browser._go("POST", filled(path) + query, urlencode({"x": "y", **fields}).encode())


def csrf(browser: Browser) -> str:
    return form_to(browser.open("/"), "/sign_out").fields["csrf"]


def can_be_opened(target: str) -> bool:
    route, _ = ROUTER.match(urlsplit(target).path.split("/"))
    return f"GET{route}" in TAKEN


def wrong_targets(page: Page) -> list[str]:
    """Return the links and redirects that cannot be opened, and those to which signing in would lead back."""
    targets = [each for each in links(page.html) if not each.startswith(("#", "https:"))]
    targets.append(page.headers.get("location", "/"))
    targets += [to for each in targets for to in parse_qs(urlsplit(each).query).get("to", [])]
    targets += [form.fields["to"] for form in page.forms if "again" not in form.fields and "to" in form.fields]
    return [each for each in targets if not can_be_opened(each)]


def other_language(page: Page) -> list[str]:
    return re.findall('href="([^"]*)" hreflang', page.html)


@pytest.mark.parametrize("headers", [{}, OWN], ids=["unknown site", "own site"])
@pytest.mark.parametrize("login", ["hana", "mei", None])
def test_a_form_of_another_session(world: World, login: str | None, headers: dict[str, str]) -> None:
    browser = browser_of(world, login)
    browser.headers = headers
    for path in FORMS:
        page = sent(browser, path)
        assert wrong_targets(page) == [], path
        assert len(other_language(page)) == 1, path


@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_a_member(world: World, path: str) -> None:
    browser = browser_of(world, "mei")
    page = sent(browser, path, csrf=csrf(browser), to="/apps")
    if "text/html" in page.headers.get("content-type", "text/html"):
        assert wrong_targets(page) == []


@pytest.mark.parametrize("path", DANGEROUS)
def test_the_question_for_the_password(world: World, path: str) -> None:
    browser = browser_of(world)
    page = sent(browser, path, csrf=csrf(browser))
    assert page.status == 403
    assert page.form("password_again").action == filled(path)
    assert wrong_targets(page) == []
    [other] = other_language(page)
    assert browser.open(other).status in (200, 403, 404)


@pytest.mark.parametrize(
    ("path", "query", "back"),
    [
        ("/console/apps/{app}/secret", "?a=1", f"/console/apps/{APP}"),
        ("/console/apps/{app}/endpoints/{endpoint}/secret", "", f"/console/apps/{APP}/endpoints/0123456789ab"),
        ("/console/users/{user}/reset-link", "", f"/console/users/{KEN}"),
        ("/console/users/{user}/edit", "?a=1", f"/console/users/{KEN}/edit?a=1"),
        ("/settings/picture", "", "/settings"),
        ("/sign_out", "", "/"),
        ("/confirm_password", "", "/"),
    ],
)
def test_the_nearest_page_that_can_be_opened(world: World, path: str, query: str, back: str) -> None:
    page = sent(browser_of(world), path, query)
    assert page.status == 400
    assert {back, f"{back}{'&' if '?' in back else '?'}lang=ja"} <= {*links(page.html)}


def test_an_error_page_leads_to_the_page_with_the_form(world: World) -> None:
    browser = browser_of(world)
    with patch.object(world.platform.sessions_of_users, "read", side_effect=Unavailable):
        page = sent(browser, "/console/users/{user}/reset-link", "?lang=en")
    assert page.status == 503
    assert wrong_targets(page) == []
    assert {f"/console/users/{KEN}", f"/console/users/{KEN}?lang=ja"} <= {*links(page.html)}


def test_signing_in_leads_to_the_page_with_the_form(world: World) -> None:
    browser = browser_of(world, None)
    page = sent(browser, "/console/users/{user}/reset-link")
    assert page.form("password").fields["to"] == f"/console/users/{KEN}"
    page = browser.sign_in(page, "hana", PASSWORD)
    assert (page.status, page.location) == (303, f"/console/users/{KEN}")
    assert browser.open(page.location).status == 200


def test_signing_in_sends_a_form_of_our_own_to_its_own_path(world: World) -> None:
    browser = browser_of(world, None)
    browser.headers = OWN
    page = sent(browser, "/console/users/{user}/reset-link")
    assert page.form("password").fields["to"] == f"/console/users/{KEN}/reset-link"
    page = browser.sign_in(page, "hana", PASSWORD)
    assert page.form("x").action == f"/console/users/{KEN}/reset-link"


@pytest.mark.parametrize(
    ("where", "target", "fields"),
    [
        (f"/console/users/{KEN}", "/reset-link", {}),
        (f"/console/apps/{APP}", "/secret", {}),
        ("/console/apps/new", "/console/apps", {"name": "Stars", "redirect_uris": "https://game.example/back"}),
        ("/console/invitations", "/invitations", {"name": "Riku"}),
        (
            f"/console/apps/{APP}/endpoints",
            "/endpoints",
            {"url": "https://game.example/in", "kind.app.installed": "on"},
        ),
    ],
)
def test_a_page_that_shows_something_once_has_no_link_that_loses_it(
    world: World, where: str, target: str, fields: dict[str, str]
) -> None:
    browser = browser_of(world)
    page = browser.submit(form_to(browser.open(where), target), **fields)
    page = confirm(browser, page) if page.status == 403 else page
    assert 'class="secret"' in page.html, page.text
    assert other_language(page) == []
    assert wrong_targets(page) == []


def test_the_pages_are_known_if_only_the_routes_of_the_form_are_loaded() -> None:
    whole = entry.create_app(no_platform).routes
    for path in FORMS:
        app = EngawaApp(no_platform)
        app.load(path)
        assert opened(path, app.routes) == opened(path, whole)
