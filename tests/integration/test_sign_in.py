"""Signing in from any page, signing out, giving the password again, and forms of an ended session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.api.visit import own_path
from chalicelib.core import passwords
from chalicelib.core.model.directory import User
from chalicelib.core.roles import Role
from chalicelib.web.auth.sessions import Session
from local.gateway import Request
from tests.kit.plain_browser import Browser
from tests.kit.worlds import HANA, KEN, World

PASSWORD = "correct horse battery"
OURS = {"Sec-Fetch-Site": "same-origin"}
Make = Callable[..., World]


def browser_of(world: World, **headers: str) -> Browser:
    def send(method: str, target: str, sent: dict[str, str], body: bytes) -> tuple[int, Any, str]:
        answer = world.gateway.handle(Request(method, target, [*sent.items(), *headers.items()], body))
        return answer.status, answer.headers, answer.body.decode()

    return Browser(send)


@pytest.fixture
def world(make_world: Make) -> World:
    made = make_world()
    hashed = passwords.hash_password(PASSWORD)
    made.platform.users.create(User(HANA, "Hana", login="hana"), hashed)
    made.platform.users.create(User(KEN, "Ken", login="ken"), hashed)
    return made


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (None, "/"),
        ("", "/"),
        ("/", "/"),
        ("/pages?list=administered", "/pages?list=administered"),
        ("/a/%E3%81%82#b", "/a/%E3%81%82#b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("settings", "/"),
        ("/a b", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
        ("/あ", "/"),
        ("/" + 1_999 * "a", "/" + 1_999 * "a"),
        ("/" + 2_000 * "a", "/"),
    ],
)
def test_signing_in_leads_to_paths_of_ours_alone(text: str | None, path: str) -> None:
    assert own_path(text) == path


def test_signing_in_leads_back_to_the_page_that_asked_for_it(world: World) -> None:
    browser = browser_of(world)
    page = browser.open("/pages?list=administered&lang=en")
    assert (page.status, page.form("password").fields["to"]) == (200, "/pages?list=administered")

    signed_in = browser.sign_in(page, "hana", PASSWORD)

    assert (signed_in.status, signed_in.location) == (303, "/pages?list=administered")
    assert "Pages I administer" in browser.open(signed_in.location).text
    again = browser.open("/sign_in", to="/apps")
    assert (again.status, again.location) == (303, "/apps")


def test_it_leads_nowhere_else(world: World) -> None:
    browser = browser_of(world)
    page = browser.open("/sign_in", to="https://evil.example/")
    form = page.form("password")
    assert form.fields["to"] == "/"
    done = browser.submit(form, login="hana", password=PASSWORD, to="//evil.example")
    assert done.location == "/"


def test_a_wrong_password_is_told_on_the_same_page_and_counted(world: World) -> None:
    browser = browser_of(world)
    page = browser.open("/sign_in", lang="en", to="/apps")
    for _ in range(20):
        page = browser.sign_in(page, "hana", "wrong")
        assert page.form("password").fields["to"] == "/apps"
        if page.status == 429:
            break
        assert (page.status, "do not match" in page.text) == (403, True)
    assert page.status == 429
    assert int(page.headers["retry-after"]) > 0


@pytest.mark.parametrize("login", ["a" * 2_000, "\U0001f4a9" * 1_000, "\u0130" * 1_024, "\x00", "hana\x00"])
def test_a_login_that_cannot_be_is_as_wrong_as_any_other(world: World, login: str) -> None:
    browser = browser_of(world)
    page = browser.sign_in(browser.open("/sign_in", lang="en"), login, PASSWORD)
    assert (page.status, "do not match" in page.text) == (403, True)


def test_signing_in_needs_the_value_of_its_own_form(world: World) -> None:
    browser = browser_of(world)
    form = browser.open("/sign_in").form("password")
    page = browser.submit(form, login="hana", password=PASSWORD, csrf="00" * 32)
    assert page.status == 400
    assert browser.submit(form, login="hana", password=PASSWORD).status == 303


def test_signing_out_needs_the_value_of_its_own_form(world: World) -> None:
    browser = browser_of(world)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    form = next(form for form in browser.open("/").forms if form.action == "/sign_out")
    assert browser.submit(form, csrf="00" * 32).status == 400
    assert "Hana" in browser.open("/").text
    assert browser.submit(form).location == "/?done=signed_out"
    assert "Hana" not in browser.open("/").text
    assert "You are signed out." in browser.open("/?done=signed_out&lang=en").text


def test_a_notice_is_one_of_ours(world: World) -> None:
    page = browser_of(world).open("/", done="<b>evil</b>", lang="en")
    assert "evil" not in page.html
    assert 'role="status"' not in page.html


def test_the_language_that_was_chosen_is_kept(world: World) -> None:
    browser = browser_of(world, **{"Accept-Language": "ja"})
    assert browser.open("/").headers["content-language"] == "ja"
    assert browser.open("/", lang="en").headers["content-language"] == "en"
    assert browser.open("/sign_in").headers["content-language"] == "en"
    assert browser.open("/", lang="xx").headers["content-language"] == "en"
    assert browser.cookies["engawa-language"] == "en"


@pytest.mark.parametrize("ended", ["suspended", "erased"])
def test_a_session_of_a_suspended_or_erased_user_is_worth_nothing(world: World, ended: str) -> None:
    browser = browser_of(world)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    if ended == "suspended":
        world.platform.roles.suspend(HANA)
    else:
        world.platform.user_data.erase(HANA)
    assert "password" in browser.open("/apps").form("password").fields
    assert browser.open("/console").form("password")


def test_a_form_of_an_ended_session_can_be_sent_again_after_signing_in(world: World) -> None:
    browser = browser_of(world, **OURS)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    form = next(form for form in browser.open("/").forms if form.action == "/sign_out")
    browser.cookies.clear()

    page = browser.submit(form, comment='<b>"日本語"', password="Kirsche-77")
    assert page.status == 400
    assert "Kirsche-77" not in page.html
    assert browser.sign_in(page, "hana", "wrong").form("again")
    page = browser.sign_in(page, "hana", PASSWORD)

    assert page.status == 200
    again = page.form("comment")
    assert (again.action, again.fields["comment"]) == ("/sign_out", '<b>"日本語"')
    assert '<b>"日' not in page.html
    assert browser.submit(again).status == 303


def test_a_form_of_another_session_can_be_sent_again(world: World) -> None:
    browser = browser_of(world, **OURS)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    form = next(form for form in browser.open("/").forms if form.action == "/sign_out")
    browser.cookies.clear()
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)

    page = browser.submit(form)

    assert page.status == 400
    assert "Hana" in browser.open("/").text
    assert browser.submit(next(each for each in page.forms if "lang" in each.fields)).status == 303


def test_a_form_of_another_site_is_not_kept(world: World) -> None:
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        browser = browser_of(world, **site)
        browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
        form = next(form for form in browser.open("/").forms if form.action == "/sign_out")
        page = browser.submit(form, csrf="00" * 32, comment="evil")
        assert page.status == 400
        assert "evil" not in page.html


def test_giving_the_password_again_lasts_ten_minutes(world: World) -> None:
    browser = browser_of(world)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    platform = world.platform
    now = 1_800_000_000.0
    with patch("time.time", lambda: now):
        confirmed = platform.sessions.confirm(Session(HANA, "00" * 16))
    for later, still in ((0, True), (599, True), (600, False), (-1, False)):
        with patch("time.time", lambda later=later: now + later):
            assert platform.sessions.is_confirmed(confirmed) is still
    assert not platform.sessions.is_confirmed(Session(HANA, "00" * 16))


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 200), (Role.MODERATOR, 200), (None, 404)])
def test_the_console_is_for_those_with_a_role(world: World, role: Role | None, status: int) -> None:
    browser = browser_of(world)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    if role:
        world.platform.roles.give(HANA, role)
    assert browser.open("/console").status == status
    if role is Role.MODERATOR:
        # A role that is taken has an effect at once.
        world.platform.roles.give(HANA, None)
        assert browser.open("/console").status == 404
