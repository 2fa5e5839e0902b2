"""Each route of the console × each role: core/roles.py decides who may open it, and the server enforces it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import passwords
from chalicelib.core.model.directory import User
from chalicelib.core.roles import ACTIONS, Role, allows
from tests.kit.plain_browser import Browser, Form, Page, browser_at
from tests.kit.routes import routes
from tests.kit.worlds import HANA, KEN, World

PASSWORD = "correct horse battery"
OPENED = [
    pytest.param(method, path, view.declaration.action, id=f"{method} {path}")
    for method, path, view in routes()
    if view.declaration.action is not None and method in ("GET", "POST")
]
DANGEROUS = [
    path
    for method, path, view in routes()
    if method == "POST" and view.declaration.action is not None and ACTIONS[view.declaration.action].dangerous
]
every_route = pytest.mark.parametrize(("method", "path", "action"), OPENED)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world()
    made.platform.users.create(User(HANA, "Hana", login="hana"), passwords.hash_password(PASSWORD))
    made.platform.users.create(User(KEN, "Ken"))
    made.platform.roles.give(KEN, Role.OPERATOR)
    return made


@pytest.fixture
def browser(world: World) -> Browser:
    return browser_at(world.gateway)


def asked(browser: Browser, method: str, path: str, **form: str) -> Page:
    target = re.sub(r"\{[^}]+\}", "nothing", path)
    return browser.open(target) if method == "GET" else browser.submit(Form(target), **form)


def csrf(browser: Browser) -> str:
    return next(form.fields["csrf"] for form in browser.open("/").forms if form.action == "/sign_out")


@every_route
def test_signed_out_there_is_only_the_sign_in_page(
    world: World, browser: Browser, method: str, path: str, action: Any
) -> None:
    before = [*map(str, world.items("directory"))]
    page = asked(browser, method, path, a="b")
    assert page.form("password").action == "/sign_in"
    assert [*map(str, world.items("directory"))] == before


@every_route
@pytest.mark.parametrize("role", [None, *Role])
def test_a_role_opens_what_it_may_and_nothing_else(
    world: World, browser: Browser, method: str, path: str, action: Any, role: Role | None
) -> None:
    if role:
        world.platform.roles.give(HANA, role)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    page = asked(browser, method, path, csrf=csrf(browser))
    if role is None:
        assert page.status == 404
    elif not allows(role, action):
        assert page.status == 403
        assert "password_again" not in page.html
    elif ACTIONS[action].dangerous:
        assert (page.status, "password_again" in page.html) == (403, True)
    else:
        assert page.status in (200, 303, 400, 404, 409)


@pytest.mark.parametrize(("method", "path", "action"), [each for each in OPENED if each.values[0] == "POST"])
def test_a_form_needs_the_value_of_its_session(
    world: World, browser: Browser, method: str, path: str, action: Any
) -> None:
    world.platform.roles.give(HANA, Role.OPERATOR)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    for value in ({}, {"csrf": "00" * 32}):
        page = asked(browser, method, path, reason="r", **value)
        assert page.status == 400
        assert "expired" in page.html


@pytest.mark.parametrize("path", DANGEROUS)
def test_a_form_without_fields_is_carried_out_after_the_password_is_given_again(
    world: World, browser: Browser, path: str
) -> None:
    """The page that asks sends the password to the form's own path, also after a wrong one, and leads nowhere else."""
    world.platform.roles.give(HANA, Role.OPERATOR)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    target = re.sub(r"\{[^}]+\}", "nothing", path)
    page = asked(browser, "POST", path, csrf=csrf(browser))
    assert (page.status, page.form("password_again").action) == (403, target)
    page = browser.submit(page.form("password_again"), password_again="wrong")
    assert (page.status, page.form("password_again").action) == (403, target)
    page = browser.submit(page.form("password_again"), password_again="")
    assert (page.status, page.form("password_again").action) == (403, target)

    page = browser.submit(page.form("password_again"), password_again=PASSWORD)

    # The view was asked: there is no such user or app, or the form lacks what it needs.
    assert (page.status in (400, 404, 409), "password_again" in page.html) == (True, False), page.text


@pytest.mark.parametrize("signed_out", [True, False])
def test_a_form_without_fields_is_kept_over_an_ended_session(world: World, browser: Browser, signed_out: bool) -> None:
    world.platform.roles.give(HANA, Role.OPERATOR)
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    target = "/console/users/nothing/sessions"
    if signed_out:
        value = csrf(browser)
        browser.cookies.clear()
        page = browser.sign_in(browser.submit(Form(target), csrf=value), "hana", PASSWORD)
    else:
        page = browser.submit(Form(target), csrf="00" * 32)
    form = next(form for form in page.forms if form.action == target)
    assert browser.submit(form).status == 404
