"""The console in tests: a world with an operator, a moderator, a member and an app, and browsers of theirs."""

from __future__ import annotations

from functools import cache
from typing import Any

from chalicelib.core import passwords
from chalicelib.core.model.directory import App, User
from chalicelib.core.roles import Role
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.signing import SECRET
from tests.kit.worlds import APP, HANA, KEN, MEI, World

PASSWORD = "correct horse"
PEOPLE = {"hana": (HANA, Role.OPERATOR), "ken": (KEN, Role.MODERATOR), "mei": (MEI, None)}


def app_world(made: World) -> World:
    """Fill a world with an operator (hana), a moderator (ken), a member (mei), and an app; return it."""
    here = made.platform
    for login, (user, role) in PEOPLE.items():
        here.users.create(User(user, login, login=login), _hashed())
        if role:
            here.roles.give(user, role)
    redirects, scopes = ("https://game.example/back",), ("mixi_apps2", "r_photo")
    here.apps.create(App(APP, "Quest", secret=SECRET, redirect_uris=redirects, scopes=scopes, created=5))
    return made


@cache
def _hashed() -> str:
    return passwords.hash_password(PASSWORD)


def browser_of(world: World, login: str | None = "hana", language: str = "en") -> Browser:
    """Return a browser in which a user has signed in."""

    browser = browser_at(world.gateway)
    if login:
        page = browser.open("/sign_in", to="/console", lang=language)
        page = browser.sign_in(page, login, PASSWORD)
        assert page.status == 303, page.text
    return browser


def form_to(page: Page, path: str) -> Any:
    """Return the form of a page that is sent to this path."""
    found = [form for form in page.forms if form.action.endswith(path)]
    assert len(found) == 1, [form.action for form in page.forms]
    return found[0]


def followed(browser: Browser, page: Page) -> Page:
    """Follow a redirect to the page with the confirmation."""
    assert page.status == 303, page.text
    return browser.open(page.location)


def confirm(browser: Browser, page: Page) -> Page:
    """Give the password again on the page that asks for it."""
    assert page.status == 403, page.text
    return browser.submit(page.form("password_again"), password_again=PASSWORD)
