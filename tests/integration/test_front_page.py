"""The front page, the icon, and the platform's name on its pages."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import passwords
from chalicelib.core.model.directory import App, User
from chalicelib.core.model.directory import Page as MixiPage
from chalicelib.core.roles import Role
from local.gateway import Request
from tests.kit.plain_browser import Browser, Page
from tests.kit.worlds import APP, HANA, KEN, World

PASSWORD = "correct horse battery"
HOSTILE = "<b>\"&'花"
Make = Callable[..., World]


def browser_of(world: World, **headers: str) -> Browser:
    world.platform.users.create(User(HANA, HOSTILE, login="hana"), passwords.hash_password(PASSWORD))

    def send(method: str, target: str, sent: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], str]:
        answer = world.gateway.handle(Request(method, target, [*sent.items(), *headers.items()], body))
        return answer.status, answer.headers, answer.body.decode()

    return Browser(send)


def links(page: Page) -> list[str]:
    return [part.partition('"')[0] for part in page.html.split('<a href="')[1:]]


def test_the_front_page_leads_to_the_documentation_and_to_signing_in(make_world: Make) -> None:
    browser = browser_of(make_world())
    page = browser.open("/", lang="en")

    assert page.status == 200
    assert links(page) == ["/?lang=ja", "/sign_in?to=%2F", "/docs"]
    assert '<a class="button whole" href="/sign_in">' in page.html
    assert "Sign in" in page.text
    assert page.forms == []
    assert [cookie.partition("=")[0] for cookie in page.set_cookies] == ["engawa-language"]
    assert browser.open("/").set_cookies == []
    assert "/docs/ja" in links(browser.open("/", lang="ja"))
    assert "<script" not in page.html
    assert "img-src 'self';" in page.headers["content-security-policy"] + ";"
    assert "Engawa is a platform for social apps" in page.text
    assert '<meta name="description" content="Engawa is a platform for social apps' in page.html


def test_it_costs_nothing_without_a_session(make_world: Make) -> None:
    world = make_world()
    world.calls.clear()
    browser_of(world).open("/")
    assert world.calls[1:] == []  # the first one made the user


def test_a_user_who_has_signed_in_sees_their_lists_and_can_sign_out(make_world: Make) -> None:
    world = make_world()
    browser = browser_of(world)
    world.populate(KEN)
    world.platform.friends_and_installs.befriend(HANA, KEN)
    world.platform.apps.create(App(APP, "Quest", developer="Someone", homepage_url="https://quest.example/"))
    world.platform.appdata.install(APP, HANA)
    for id_, name in (("1", "Mine"), ("2", "Theirs")):
        world.platform.pages.create(MixiPage(id_, name))
    world.platform.pages.members.add_administrator("1", HANA)
    world.platform.pages.members.add_follower("2", HANA)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)

    page = browser.open("/", lang="en")

    assert f"Home of {HOSTILE}" in page.text
    assert HOSTILE not in page.html
    for shown in ("Quest", "Someone", f"user {KEN}", "Mine", "Theirs", "Settings"):
        assert shown in page.text
    assert {"https://quest.example/", f"/people/{KEN}", "/apps", "/friends", "/pages", "/settings"} <= {*links(page)}
    assert "/reports" in links(page)
    assert "/reports" in links(browser.open("/settings"))
    assert "/console" not in links(page)
    done = browser.submit(next(form for form in page.forms if form.action == "/sign_out"))
    assert (done.status, done.location) == (303, "/?done=signed_out")
    page = browser.open(done.location)
    assert "Sign in" in page.text
    assert [form.action for form in page.forms] == []


def test_the_home_of_a_new_member_says_how_to_go_on(make_world: Make) -> None:
    world = make_world()
    browser = browser_of(world)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)

    page = browser.open("/", lang="en")
    for hint in ("after you have opened it", "enters friendships", "Ask an operator", "choose \u201cFollow\u201d"):
        assert hint in page.text
    assert "/docs/en/guide/members" in links(page)
    assert "/docs/ja/guide/members" in links(browser.open("/", lang="ja"))
    assert "being deleted" not in page.text
    world.platform.leaving_users.leave(HANA)
    assert "/settings/delete" in links(browser.open("/", lang="en"))


@pytest.mark.parametrize("role", Role)
def test_the_console_is_there_for_those_with_a_role(make_world: Make, role: Role) -> None:
    world = make_world()
    browser = browser_of(world)
    world.platform.roles.give(HANA, role)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)

    assert "/console" in links(browser.open("/"))
    assert {"/docs/en/guide/moderators", "/docs/en/operating/users"} <= {*links(browser.open("/console", lang="en"))}


def test_the_operator_s_own_text_says_what_the_platform_is(make_world: Make) -> None:
    browser = browser_of(make_world(ENGAWA_ABOUT_EN=f"{HOSTILE}\nSecond line"))

    english, japanese = (browser.open("/", lang=language) for language in ("en", "ja"))

    assert HOSTILE in english.text
    assert HOSTILE not in english.html
    assert "Second line" in english.text
    assert "platform for social apps" not in english.text
    assert "プラットフォーム" in japanese.text


def test_a_user_who_is_gone_is_signed_out(make_world: Make) -> None:
    world = make_world()
    browser = browser_of(world)
    browser.sign_in(browser.open("/sign_in"), "hana", PASSWORD)
    world.platform.user_data.erase(HANA)

    page = browser.open("/", lang="en")

    assert (page.status, page.forms) == (200, [])


@pytest.mark.parametrize(("accepted", "language"), [("ja,en;q=0.5", "ja"), ("en", "en"), ("fr", "en")])
def test_it_speaks_both_languages(make_world: Make, accepted: str, language: str) -> None:
    page = browser_of(make_world(), **{"Accept-Language": accepted}).open("/")

    assert page.headers["content-language"] == language
    assert ("縁側" in page.text, "Engawa" in page.text) == (language == "ja", language == "en")


@pytest.mark.parametrize("sample", ["0", "1"])
def test_the_sample_is_only_where_it_is_served(make_world: Make, sample: str) -> None:
    page = browser_of(make_world(ENGAWA_STAGE="local", ENGAWA_SAMPLE=sample)).open("/")

    assert ("/sample" in links(page)) == (sample == "1")


def test_there_is_no_way_to_a_sign_in_that_is_elsewhere(make_world: Make) -> None:
    jwks = "https://login.example/jwks.json"
    page = browser_of(make_world(ENGAWA_OPENID_ISSUER="https://login.example", ENGAWA_OPENID_JWKS=jwks)).open("/")

    assert not [link for link in links(page) if "sign_in" in link or "settings" in link]


@pytest.mark.parametrize("path", ["/", "/settings", "/connect_authorize.pl", "/connect_authorize_success.html"])
def test_every_page_has_the_platforms_name_and_leads_home(make_world: Make, path: str) -> None:
    page = browser_of(make_world(ENGAWA_NAME=HOSTILE)).open(path)

    assert page.text.count(HOSTILE) >= 2  # in the title and in the header
    assert HOSTILE not in page.html
    assert "Engawa" not in page.text
    assert '<a class="brand" href="/"' in page.html


def test_links_have_the_path_of_the_deployment(make_world: Make) -> None:
    world = make_world(ENGAWA_ISSUER="https://abc.execute-api.ap-northeast-1.amazonaws.com/api")
    page = browser_of(world).open("/")

    assert links(page) == ["/api/?lang=ja", "/api/sign_in?to=%2F", "/api/docs"]
    assert '<a class="brand" href="/api/"' in page.html
    assert '<link rel="icon" href="/api/favicon.ico" type="image/svg+xml">' in page.html


def test_the_icon_is_a_small_picture_that_is_kept(world: World) -> None:
    answer = world.send("GET", "/favicon.ico", user=None)

    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert ET.fromstring(answer.text).tag == "{http://www.w3.org/2000/svg}svg"
    assert len(answer.text) < 1_000
    again: Any = world.send("GET", "/favicon.ico", user=None, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.text) == (304, "")
