"""The ways of operators and moderators: from a page to its posts, its people and its log, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.core.model.directory import Page as MixiPage
from chalicelib.core.moderation import Post
from chalicelib.core.reports import ReportOutcome, ReportReason
from chalicelib.core.roles import Role
from local import demo
from local.demo_data import APPS, CAFE, CONTENT_URI, USERS
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.worlds import World

HANA, KEN, MEI = USERS["hana"], USERS["ken"], USERS["mei"]
POST = "/console/moderation/post?page=" + CAFE.id + "&feed=1"
PAGES = "/console/pages"


@pytest.fixture
def here(make_world: Callable[..., World], tmp_path: Path) -> World:
    world = make_world()
    demo.load(world.platform, "http://127.0.0.1:8000", tmp_path)
    return world


@pytest.fixture
def open_as(here: World, tmp_path: Path) -> Callable[..., Browser]:
    """Return a function that returns the browser of a user, with a role."""
    users = json.loads((tmp_path / demo.FILE).read_text())["users"]

    def sign_in(login: str, role: Role | None = None) -> Browser:
        browser = browser_at(here.gateway)
        browser.headers["Accept-Language"] = "en"
        if role:
            here.platform.roles.give(USERS[login], role)
        assert browser.sign_in(browser.open("/sign_in"), login, users[login]["password"]).status == 303
        return browser

    return sign_in


def links(page: Page) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', page.html)]


def test_a_persons_posts_lead_to_their_moderation(here: World, open_as: Callable[..., Browser]) -> None:
    comment = here.platform.comments.post(CAFE.id, CONTENT_URI, KEN, "きれい").id
    taro = open_as("taro", Role.MODERATOR)

    (own,) = [link for link in links(taro.open(f"/console/users/{KEN}/list/comments")) if link.endswith(comment)]
    assert own == f"{POST}&comment={comment}"
    assert "きれい" in taro.open(own).text
    assert POST in links(taro.open(f"/console/users/{MEI}/list/feeds"))
    here.platform.moderated_posts.hide(Post(CAFE.id, "1"), {"by": f"user:{HANA}", "re": "spam"})
    for person, name in ((KEN, "comments"), (MEI, "feeds")):
        listed = [link for link in links(taro.open(f"/console/users/{person}/list/{name}")) if POST in link]
        assert [taro.open(link).status for link in listed] == [200] * len(listed)
        assert listed


def test_a_person_and_an_app_have_links_to_the_log(here: World, open_as: Callable[..., Browser]) -> None:
    taro = open_as("taro", Role.OPERATOR)
    app = APPS["quest"]
    assert f"/console/log?target=app%3A{app}" in links(taro.open(f"/console/apps/{app}"))
    shown = taro.open(f"/console/users/{KEN}")
    assert {f"/people/{KEN}", f"/console/log?target=user%3A{KEN}"} <= {*links(shown)}
    moderated = open_as("yuki", Role.MODERATOR).open(f"/console/users/{KEN}")
    assert not [link for link in links(moderated) if link.startswith("/console/log")]


def test_staff_moderate_from_the_page_of_a_feed(here: World, open_as: Callable[..., Browser]) -> None:
    comment = here.platform.comments.post(CAFE.id, CONTENT_URI, KEN, "きれい").id
    feed = f"/pages/{CAFE.id}/feeds/1"

    assert not [link for link in links(open_as("hana").open(feed)) if "/console/moderation" in link]
    taro = open_as("taro", Role.MODERATOR)
    assert {POST, f"{POST}&comment={comment}"} <= {*links(taro.open(feed))}
    here.platform.moderated_posts.hide(Post(CAFE.id, "1", comment), {"by": f"user:{HANA}", "re": "spam"})
    assert f"{POST}&comment={comment}" in links(taro.open(feed))
    assert feed in links(taro.open(POST))


def test_what_moderators_did_has_their_names(here: World, open_as: Callable[..., Browser]) -> None:
    here.platform.moderated_posts.hide(Post(CAFE.id, "1"), {"by": f"user:{HANA}", "re": "spam"})
    report = here.platform.reports.report(Post(CAFE.id, "1"), KEN, ReportReason.SPAM, "", MEI)
    here.platform.reports.handle(report.case, ReportOutcome.HIDDEN, "", f"user:{HANA}")
    taro = open_as("taro", Role.MODERATOR)

    listed = taro.open("/console/reports?state=handled")
    assert re.search(r"芽衣 \(Mei\) · [-: \d]{16} · カフェ縁側 \(Cafe Engawa\)", listed.text)
    for path in ("/console/moderation/hidden", f"/console/reports/{report.case}"):
        page = taro.open(path)
        assert re.search(rf'<a href="/console/users/{HANA}"><bdi>花 \(Hana\)</bdi></a>', page.html), path
        assert "user:" not in page.text
    assert f"/console/users/{KEN}" in links(page)


def test_pages_are_found_and_seen(here: World, open_as: Callable[..., Browser]) -> None:
    taro = open_as("taro", Role.OPERATOR)

    assert PAGES in links(taro.open("/console"))
    assert f"{PAGES}/{CAFE.id}" in links(taro.open(PAGES))
    for text in ("カフェ", "ｶﾌｪ", "かふぇ", CAFE.id):
        assert f"{PAGES}/{CAFE.id}" in links(taro.open(PAGES, q=text)), text
    assert "No page was found" in taro.open(PAGES, q="zzz").text
    assert taro.open(PAGES, q="\u200b").status == 400

    shown = taro.open(f"{PAGES}/{CAFE.id}")
    for link in (
        f"/pages/{CAFE.id}",
        f"/console/users/{MEI}",
        f"/console/apps/{APPS['quest']}",
        f"/console/moderation?page={CAFE.id}",
        f"/console/moderation/hidden?page={CAFE.id}",
        f"/console/log?target=page%3A{CAFE.id}",
    ):
        assert link in links(shown), link
        assert taro.open(link).status == 200, link
    assert taro.open(f"{PAGES}/99").status == 404
    assert taro.open(f"{PAGES}/x").status == 404


def test_pages_are_listed_in_parts_and_seen_by_moderators(here: World, open_as: Callable[..., Browser]) -> None:
    for number in range(25):
        here.platform.pages.create(MixiPage(f"{10**19 + number}", "ん" * 100))
    yuki = open_as("yuki", Role.MODERATOR)

    first = yuki.open(PAGES)
    (following,) = [link for link in links(first) if "cursor=" in link]
    seen = [link for page in (first, yuki.open(following)) for link in links(page) if link.startswith(f"{PAGES}/")]
    assert len(seen) == len({*seen}) == 26
    shown = yuki.open(f"{PAGES}/{CAFE.id}")
    assert shown.status == 200
    assert not [link for link in links(shown) if link.startswith("/console/log")]
    assert open_as("hana").open(PAGES).status == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{PAGES}/{CAFE.id}",
        "/console/log",
        "/console/errors",
        "/console/requests",
        "/console/moderation",
        "/console/moderation/hidden",
        POST,
        "/console/reports",
    ],
)
def test_every_section_leads_back_to_the_console(open_as: Callable[..., Browser], path: str) -> None:
    main = open_as("taro", Role.OPERATOR).open(path).html.partition("<main")[2]
    assert 'href="/console"' in main
