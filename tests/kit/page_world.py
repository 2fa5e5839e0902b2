"""A world for tests of the web pages of pages: a cafe and its people, who use a browser without JavaScript."""

from __future__ import annotations

from typing import Any

from chalicelib.core.model.contents import Draft, Feed
from chalicelib.core.model.directory import App, Category, Page, User
from chalicelib.core.passwords import hash_password
from local.in_process import HANA, KEN, MEI, TARO, World
from tests.kit.plain_browser import Browser, browser_at

CAFE, OTHER = "20260401000000000001", "20260401000000000002"
"""The page of Mei and Taro, and a page of Ken."""
QUEST = "6d1f0c2ab4e79853"
URI = "http://quest.example/contents/1"
PASSWORD = "correct horse"
NAMES = {HANA: "花", KEN: "健", MEI: "芽衣", TARO: "太郎"}
LOGINS = {HANA: "hana", KEN: "ken", MEI: "mei", TARO: "taro"}


def cafe(world: World) -> World:
    """Create the cafe, administered by Mei, with quest as its module; Ken administers another page."""
    here = world.platform
    for user, name in NAMES.items():
        here.users.create(User(user, name, login=LOGINS[user]), hash_password(PASSWORD))
    here.apps.create(App(QUEST, "クエスト", start_url="https://quest.example/start"))
    here.pages.create(
        Page(CAFE, "カフェ縁側", Category.LOCAL, details="お茶と https://cafe.example/", address="渋谷区")
    )
    here.pages.create(Page(OTHER, "Ken's page"))
    here.pages.add_module(CAFE, QUEST, "クエストの部屋", "3")
    here.pages.members.add_administrator(CAFE, MEI)
    here.pages.members.add_administrator(OTHER, KEN)
    world.calls.clear()
    return world


def post(world: World, title: str = "題", *, poster: str = MEI, page: str = CAFE, **more: Any) -> Feed:
    """Post a feed through quest, or through the pages themselves to a page without it."""
    draft = Draft(title, **{"content_uri": URI, "source": "3"} | more)
    posting = world.platform.feed_posting
    return posting.post(posting.admit(page, poster, QUEST, draft), draft)


def browser_of(world: World, user: str | None = None, language: str = "en") -> Browser:
    """Return a browser, signed in as a user."""

    browser = browser_at(world.gateway)
    browser.headers["Accept-Language"] = language
    if user:
        answer = browser.sign_in(browser.open("/sign_in"), LOGINS[user], PASSWORD)
        assert answer.status == 303, answer.text
    return browser
