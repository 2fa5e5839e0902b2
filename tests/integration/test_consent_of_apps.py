"""What the consent page shows of an app: icon, developer, links, and the host of a name that looks like ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import passwords
from chalicelib.core.model.directory import App, User
from chalicelib.web.html.bidirectional import isolated
from tests.kit.plain_browser import Page, browser_at
from tests.kit.worlds import APP, HANA, World

BACK = "https://quest.example/back"
SHOWN = {
    "icon_url": "https://cdn.quest.example/icon.png",
    "developer": "星ゲームス",
    "homepage_url": "https://quest.example/",
    "privacy_url": "https://quest.example/privacy?a=1&b=2",
}


def consent(make_world: Callable[..., World], language: str = "en", settings: Any = None, **fields: Any) -> Page:
    """Return the consent page of an app with these fields."""
    world = make_world(**(settings or {}))
    world.platform.users.create(User(HANA, "花", login="hana"), passwords.hash_password("correct horse"))
    app = {"id": APP, "name": "Quest", "redirect_uris": (BACK,), "scopes": ("r_profile", "r_photo")}
    world.platform.apps.create(App(**(app | fields)))

    browser = browser_at(world.gateway)
    page = browser.open("/connect_authorize.pl", client_id=APP, scope="r_profile r_photo", lang=language)
    page = browser.sign_in(page, "hana", "correct horse")
    assert page.status == 200
    return page


def policy(page: Page) -> str:
    return page.headers["content-security-policy"]


@pytest.mark.parametrize(("language", "link"), [("en", "Privacy policy"), ("ja", "プライバシーポリシー")])
def test_icon_developer_and_links_are_shown(make_world: Callable[..., World], language: str, link: str) -> None:
    page = consent(make_world, language, **SHOWN)

    assert "img-src 'self' https://cdn.quest.example" in policy(page)
    assert 'src="https://cdn.quest.example/icon.png" alt=""' in page.html
    assert "<bdi>星ゲームス</bdi>" in page.html
    assert link in page.text
    links = re.findall(r'<a href="(https:[^"]*)" target="_blank" rel="noopener noreferrer nofollow">', page.html)
    assert links == ["https://quest.example/", "https://quest.example/privacy?a=1&amp;b=2"]
    assert "not made by" not in page.text


def test_an_app_without_them_shows_none(make_world: Callable[..., World]) -> None:
    page = consent(make_world)

    assert "img-src 'self'" in policy(page)
    assert "https://" not in policy(page).replace("form-action 'self' https://quest.example", "")
    assert "target=" not in page.html
    assert "portrait" not in page.html.partition("</style>")[2]


@pytest.mark.parametrize(
    "icon", ["https://a.example;script-src 'none'/i.png", "https://ä.example/i.png", "https://*/i.png", "javascript:x"]
)
def test_an_icon_that_the_policy_cannot_name_is_left_out(make_world: Callable[..., World], icon: str) -> None:
    page = consent(make_world, icon_url=icon)

    assert "i.png" not in page.html
    assert policy(page).count("script-src") == 0


def test_scopes_without_an_api_are_not_offered(make_world: Callable[..., World]) -> None:
    page = consent(make_world)

    assert page.html.partition("</style>")[2].count("<li>") == 1
    assert "profile" in page.text


@pytest.mark.parametrize(
    ("name", "redirect", "host"),
    [
        ("Engawa", BACK, "quest.example"),
        ("縁側公式", BACK, "quest.example"),
        ("Engаwa", "com.example.fake:/back", "com.example.fake:"),
    ],
)
def test_a_name_like_ours_is_shown_with_its_host(
    make_world: Callable[..., World], name: str, redirect: str, host: str
) -> None:
    page = consent(make_world, name=name, redirect_uris=(redirect,))

    assert f"{name} ({host})" in page.text
    assert f"This app is not made by Engawa. It belongs to {host}." in page.text


def test_hostile_texts_are_only_text(make_world: Callable[..., World]) -> None:
    hostile = '"><script>alert(1)</script>'
    page = consent(make_world, name=hostile, developer=hostile, homepage_url="https://a.example/'%22><script>")

    assert "script" not in page.tags
    assert hostile not in page.html


def test_a_name_from_right_to_left_stays_in_its_place(make_world: Callable[..., World]) -> None:
    page = consent(make_world, name="\u202eמשחק\u2069\u202c", developer="\u202eabc")

    assert "\u2068משחק\u2069 would like to" in page.html
    assert "<bdi>\u202eabc</bdi>" in page.html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Quest", "Quest"),
        ("クエスト 2", "クエスト 2"),
        ("لعبة", "\u2068لعبة\u2069"),
        ("a\u202eb", "\u2068ab\u2069"),
        ("\u2069\u2066x\u200f", "\u2068x\u2069"),
    ],
)
def test_what_sets_a_direction_is_isolated(text: str, shown: str) -> None:
    assert isolated(text) == shown


def test_a_long_name_without_a_space_is_shown_whole(make_world: Callable[..., World]) -> None:
    page = consent(make_world, name="x" * 100, developer="y" * 100)

    assert "x" * 100 in page.text
    assert "y" * 100 in page.text
    assert len(page.html.encode()) < 50_000
