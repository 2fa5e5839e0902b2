"""The public page of a feed: its contents and language; posted text cannot run as script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from chalicelib.core.imaging.renditions import Rendition
from chalicelib.core.model.contents import Draft, Feed
from chalicelib.core.model.directory import App, FeedSource, Page, User
from chalicelib.store.aws.side_by_side import lane
from tests.kit.worlds import HANA, KEN, MEI, World

QUEST, CAFE = "6d1f0c2ab4e79853", "20260401000000000001"
HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{ 7*7 }}"
URI = "http://quest.example/contents/1"
PICTURES = tuple(
    Rendition(name, name.encode(), "image/png", edge, edge)
    for name, edge in (("large", 180), ("medium", 76), ("small", 40))
)
LINK = "nofollow ugc noopener noreferrer"
ICON = "/favicon.ico"


class Read(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, tag: str, name: str) -> list[str | None]:
        return [attributes[name] for each, attributes in self.tags if each == tag and name in attributes]

    def meta(self, name: str) -> str | None:
        (found,) = [
            attributes["content"]
            for tag, attributes in self.tags
            if tag == "meta" and name in (attributes.get("property"), attributes.get("name"))
        ]
        return found


@pytest.fixture
def here(make_world: Callable[..., World]) -> Iterator[World]:
    """Return a world with the cafe, administered by Mei, and quest as its module; Hana and Ken exist, too."""
    world = make_world()
    # Parallel work runs one after the other, since moto's transactions are not thread-safe.
    before = lane.set(((0, 0),))
    world.platform.users.create(User(HANA, "花", thumbnail_url="https://people.example/hana.jpg"))
    world.platform.users.create(User(KEN, "健", thumbnail_url="http://pics.example:8080/ken.jpg?a=1&b=2"))
    world.platform.users.create(User(MEI, "芽衣", thumbnail_url="https://people.example/mei.jpg"))
    world.platform.apps.create(App(QUEST, "クエスト"))
    world.platform.pages.create(Page(CAFE, "カフェ縁側", thumbnail_small="https://cafe.example/small.jpg"))
    world.platform.pages.add_module(CAFE, QUEST, "クエストの部屋", "3")
    world.platform.pages.members.add_administrator(CAFE, MEI)
    yield world
    lane.reset(before)


def post(world: World, title: str = "題", *, poster: str = MEI, image: bool = False, **more: Any) -> Feed:
    draft = Draft(title, **{"content_uri": URI, "source": "3"} | more)
    posting = world.platform.feed_posting
    return posting.post(posting.admit(CAFE, poster, QUEST, draft), draft, PICTURES if image else ())


def comment(world: World, *texts: str, user: str = HANA) -> None:
    for text in texts:
        world.clock.now += 1000
        world.platform.comments.post(CAFE, URI, user, text)


def path_of(feed: Feed) -> str:
    return f"/pages/{CAFE}/feeds/{feed.id}"


def opened(world: World, feed: Feed, query: str = "", language: str = "en") -> Read:
    reply = world.send("GET", path_of(feed) + query, user=None, headers={"Accept-Language": language})
    assert reply.status == 200, reply.text
    return Read(reply.text)


def policy(world: World, feed: Feed) -> dict[str, list[str]]:
    told = world.send("GET", path_of(feed), user=None).headers["content-security-policy"]
    return {name: values.split() for name, _, values in (each.strip().partition(" ") for each in told.split(";"))}


# Contents of the page


def test_shows_the_feed_to_anyone(here: World) -> None:
    feed = post(here, "春のおすすめ", body="桜餅です。\n\n  どうぞ。", image=True)
    here.platform.favorites.add(CAFE, URI, HANA)
    comment(here, "すてき")
    page = opened(here, feed)
    for text in (
        "カフェ縁側",
        "芽衣",
        "春のおすすめ",
        "via クエストの部屋",
        "Favorites: 1",
        "Comments: 1",
        "すてき",
        "花",
    ):
        assert text in page.text, text
    assert "桜餅です。\n\n  どうぞ。" in page.text
    assert "15 January 2027, 17:00" in page.text
    assert page.values("time", "datetime")[0] == "2027-01-15T17:00:00+09:00"
    large = f"http://127.0.0.1:8000/{feed.images[0]}"  # It has no wide rendition, as older feeds.
    assert large in page.values("img", "src")
    assert page.meta("og:image") == large


def test_the_address_that_stands_in_for_a_content_uri_opens_it(here: World) -> None:
    feed = post(here, "家", content_uri=None)
    address = urlsplit(feed.content_uri)
    assert address.path == path_of(feed)
    assert opened(here, feed).meta("og:url") == feed.content_uri
    assert here.send("GET", address.path, user=None).status == 200


def test_a_feed_that_its_page_does_not_list_has_a_page_of_its_own(here: World) -> None:
    feed = post(here, "ひとりごと", poster=KEN)
    assert here.platform.pages.get(CAFE).feed_source is FeedSource.ADMINISTRATORS  # type: ignore[union-attr]
    assert "ひとりごと" in opened(here, feed).text


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "This post is not by “カフェ縁側”. Someone else posted it, and the page does not show it."),
        ("ja", "この投稿は「カフェ縁側」によるものではありません。"),
    ],
)
def test_it_says_of_a_feed_that_is_not_shown_that_it_is_not_the_page_s(here: World, language: str, says: str) -> None:
    strange, own = post(here, poster=KEN), post(here, content_uri=f"{URI}/own")
    page = opened(here, strange, language=language)
    assert says in page.text
    assert "og:site_name" not in {attributes.get("property") for _, attributes in page.tags}
    assert "https://cafe.example/small.jpg" not in page.values("img", "src")
    assert "https://cafe.example" not in policy(here, strange)["img-src"]
    page = opened(here, own, language=language)
    assert says not in page.text
    assert page.meta("og:site_name") == "カフェ縁側"
    assert "https://cafe.example/small.jpg" in page.values("img", "src")


def test_the_page_of_a_feed_that_gave_way_is_not_there(here: World) -> None:
    strange = post(here, "strange", poster=KEN)
    comment(here, "of the stranger's")
    own = post(here, "own")
    assert here.send("GET", path_of(strange), user=None).status == 404
    page = opened(here, own)
    assert "of the stranger's" not in page.text
    assert "Comments: 0" in page.text


def test_without_image_body_and_comments_there_is_nothing_empty(here: World) -> None:
    page = opened(here, post(here))
    assert "There are no comments yet." in page.text
    assert not {"article:image", "og:image"} & {attributes.get("property") for _, attributes in page.tags}
    classes = page.values("div", "class") + page.values("p", "class") + page.values("img", "class")
    assert not {"content", "said", "picture", "links", "more"} & set(classes)


def test_those_who_have_left_are_named_so(here: World) -> None:
    feed = post(here, poster=KEN)
    comment(here, "さようなら", user=HANA)
    for user in (KEN, HANA):
        here.dynamodb.delete_item(
            TableName="engawa-local-directory", Key={"pk": {"S": f"user#{user}"}, "sk": {"S": "#"}}
        )
    page = opened(here, feed)
    assert page.text.count("Someone who has left") == 2
    assert "さようなら" in page.text


def test_needs_no_javascript_and_has_none(here: World) -> None:
    page = opened(here, post(here, image=True))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "script-src" not in policy(here, post(here, content_uri=URI + "0"))


# Languages


@pytest.mark.parametrize(
    ("language", "query", "wanted", "said"),
    [
        ("ja,en;q=0.5", "", "ja", ("イイネ！ 0", "コメント 0", "クエストの部屋 より", "2027年1月15日 17:00")),
        ("de", "", "en", ("Favorites: 0", "Comments: 0", "via クエストの部屋", "15 January 2027, 17:00")),
        ("ja", "?lang=en", "en", ("Favorites: 0",)),
        ("en", "?lang=ja", "ja", ("イイネ！ 0",)),
    ],
)
def test_speaks_japanese_and_english(
    here: World, language: str, query: str, wanted: str, said: tuple[str, ...]
) -> None:
    feed = post(here)
    page = opened(here, feed, query, language)
    assert page.values("html", "lang") == [wanted]
    for text in said:
        assert text in page.text
    (other,) = [attributes for tag, attributes in page.tags if tag == "a" and "hreflang" in attributes]
    assert other["href"] == f"{path_of(feed)}?lang={'en' if wanted == 'ja' else 'ja'}"


# Links


def test_links_to_the_app_are_those_given_and_each_once(here: World) -> None:
    addresses: dict[str, Any] = {
        "pc_url": "https://quest.example/pc?a=1&b=2",
        "smartphone_url": "https://quest.example/sp",
        "mobile_url": "https://quest.example/pc?a=1&b=2",
    }
    page = opened(here, post(here, **addresses))
    links = [attributes for tag, attributes in page.tags if tag == "a" and "button" in str(attributes.get("class"))]
    assert [link["href"] for link in links] == [addresses["pc_url"], addresses["smartphone_url"]]
    assert {link["rel"] for link in links} == {LINK}
    assert "Open in the app (PC)" in page.text
    assert "Open in the app (smartphone)" in page.text


def test_a_single_link_names_no_device(here: World) -> None:
    page = opened(here, post(here, smartphone_url="https://quest.example/sp"))
    assert "Open in the app" in page.text
    assert "(smartphone)" not in page.text


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example/", "https:", " https://a b"]
)
def test_what_is_no_web_address_is_no_link(here: World, url: str) -> None:
    """This holds however the text came into the table."""
    page = opened(here, post(here, pc_url=url, mobile_url=url))
    assert not any("button" in str(each) for each in page.values("a", "class"))
    assert url not in page.values("a", "href")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("見て https://a.example/x?y=1&z=2#k。次", ["https://a.example/x?y=1&z=2#k"]),
        ("(https://a.example/b), https://a.example/(c).", ["https://a.example/b", "https://a.example/(c)"]),
        ("https://a.example、http://b.example!", ["https://a.example", "http://b.example"]),
        ('https://a.example/"onclick="alert(1)', ["https://a.example/"]),
        ("https://a.example/<b>x</b>", ["https://a.example/"]),
        ("javascript:alert(1) JAVASCRIPT:x data:text/html,a //a.example ftp://a.example https:// http://", []),
        ("https://[::1 https://a.example:99999999/", ["https://a.example:99999999/"]),
    ],
)
def test_addresses_in_a_text_lead_there_and_nothing_else_does(here: World, text: str, links: list[str]) -> None:
    feed = post(here, body=text)
    comment(here, text)
    page = opened(here, feed)
    found = [
        attributes for tag, attributes in page.tags if tag == "a" and not str(attributes["href"]).startswith(("/", "#"))
    ]
    assert [each["href"] for each in found] == links * 2
    assert all(each["rel"] == LINK for each in found)
    assert page.text.count(text) == 2


# Hostile text


def test_nothing_posted_becomes_markup(here: World) -> None:
    here.platform.users.change(MEI, display_name=HOSTILE)
    here.platform.users.change(HANA, display_name=HOSTILE)
    here.platform.pages.change(CAFE, name=HOSTILE)
    here.platform.pages.add_module(CAFE, QUEST, HOSTILE, "4")
    feed = post(here, HOSTILE, body=HOSTILE, source="4")
    comment(here, HOSTILE)
    reply = here.send("GET", path_of(feed), user=None)
    page = Read(reply.text)
    assert "<script" not in reply.text
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "x" not in page.values("img", "src")
    assert page.text.count(HOSTILE) >= 6
    assert page.meta("og:title") == HOSTILE
    assert escape(HOSTILE).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in reply.text


@pytest.mark.parametrize(
    "picture",
    [
        "javascript:alert(1)",
        "https://a;script-src'unsafe-inline'/x.png",
        "https://a,b/x.png",
        "https://*/x.png",
        "data:,",
    ],
)
def test_a_picture_that_no_policy_can_name_is_not_shown(here: World, picture: str) -> None:
    here.platform.users.change(MEI, thumbnail_url=picture)
    feed = post(here)
    assert picture not in opened(here, feed).values("img", "src")
    assert policy(here, feed).keys() == policy(here, post(here, content_uri=URI + "0")).keys()
    assert policy(here, feed)["img-src"] == ["'self'", "https://cafe.example"]


# Headers


def test_the_policy_names_the_origins_of_the_pictures_that_are_shown_and_no_others(here: World) -> None:
    feed = post(here, image=True)
    assert policy(here, feed)["img-src"] == [
        "'self'",
        "http://127.0.0.1:8000",
        "https://cafe.example",
        "https://people.example",
    ]
    comment(here, "見たよ", user=KEN)
    assert "http://pics.example:8080" in policy(here, feed)["img-src"]
    told = policy(here, feed)
    assert told["default-src"] == ["'none'"]
    assert (told["frame-ancestors"], told["base-uri"], told["form-action"]) == (["'none'"], ["'none'"], ["'self'"])
    assert told.keys() == {"default-src", "style-src", "form-action", "frame-ancestors", "base-uri", "img-src"}


def test_pictures_come_from_where_the_deployment_serves_them(make_world: Callable[..., World]) -> None:
    world = make_world(ENGAWA_IMAGES_URL="https://cdn.example/i")
    before = lane.set(((0, 0),))
    world.platform.users.create(User(MEI, "芽衣"))
    world.platform.apps.create(App(QUEST, "クエスト"))
    world.platform.pages.create(Page(CAFE, "カフェ"))
    world.platform.pages.add_module(CAFE, QUEST, "部屋", "3")
    feed = post(world, image=True)
    lane.reset(before)
    assert opened(world, feed).values("img", "src") == [
        ICON,
        "https://cdn.example/i" + feed.images[0].removeprefix("images"),
    ]
    assert policy(world, feed)["img-src"] == ["'self'", "https://cdn.example"]


def test_a_page_without_pictures_may_show_the_icon_alone(here: World) -> None:
    here.platform.users.change(MEI, thumbnail_url="")
    here.platform.pages.change(CAFE, thumbnail_small="")
    assert policy(here, post(here))["img-src"] == ["'self'"]


def test_it_is_kept_for_seconds_and_tells_nobody_where_one_comes_from(here: World) -> None:
    headers = here.send("GET", path_of(post(here)), user=None).headers
    assert headers["cache-control"] == "public, max-age=0, s-maxage=5"
    assert headers["vary"] == "Accept-Encoding, Accept-Language, Cookie"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in headers


# Comments, part by part


@pytest.mark.parametrize("value", ["", "nonsense"])
def test_a_browser_with_a_session_sees_it_as_it_is_now(here: World, value: str) -> None:
    """A user who deletes something and reloads does not see it again, even if the session has expired."""
    path = path_of(post(here))
    for cookie, kept in ((f"a=b; engawa={value}", False), ("a=engawa; engawa2=x", True)):
        headers = here.send("GET", path, user=None, headers={"Cookie": cookie}).headers
        assert ("s-maxage" in headers["cache-control"]) == kept
        assert kept or headers["cache-control"] == "no-store"


def test_an_error_is_kept_by_nobody(here: World) -> None:
    answer = here.send("GET", f"/pages/{CAFE}/feeds/none", user=None)
    assert (answer.status, answer.headers["cache-control"]) == (404, "no-store")


def test_long_comments_are_shortened(here: World) -> None:
    feed = post(here)
    for text in ("a" * 1_000, "b" * 1_001):
        here.platform.comments.post(CAFE, URI, HANA, text)
    page = here.send("GET", path_of(feed), user=None)
    assert "a" * 1_000 in page.text
    assert "b" * 999 + "…" in page.text
    assert "b" * 1_000 not in page.text


def test_comments_are_newest_first_and_older_ones_a_link_away(here: World) -> None:
    feed = post(here)
    comment(here, *(f"comment {number:02}" for number in range(45)))
    address = f"http://127.0.0.1:8000{path_of(feed)}?lang=ja"
    seen: list[list[str]] = []
    while address:
        parts = urlsplit(address)
        page = opened(here, feed, f"?{parts.query}")
        assert page.values("html", "lang") == ["ja"]
        assert "コメント 45" in page.text
        seen.append(re.findall(r"comment \d\d", page.text))
        newest = [
            each
            for tag, each in page.tags
            if tag == "a" and each.get("href") == "?lang=ja#comments" and not each.get("hreflang")
        ]
        assert bool(newest) == (len(seen) > 1)
        following = [each["href"] for tag, each in page.tags if tag == "a" and each.get("rel") == "next"]
        address = urljoin(address, str(following[0])) if following else ""
        if following:  # Not the last part.
            assert len(seen[-1]) == 20
    assert [len(part) for part in seen] == [20, 20, 5]
    assert [each for part in seen for each in part] == [f"comment {number:02}" for number in reversed(range(45))]


def test_the_other_language_is_the_same_part_of_the_comments(here: World) -> None:
    feed = post(here)
    comment(here, *(f"comment {number:02}" for number in range(21)))
    (older,) = [each["href"] for tag, each in opened(here, feed).tags if tag == "a" and each.get("rel") == "next"]
    query, _, place = str(older).partition("#")
    page = opened(here, feed, query)
    assert place in page.values("h2", "id")
    (other,) = [each["href"] for tag, each in page.tags if tag == "a" and "hreflang" in each]
    assert "comment 00" in opened(here, feed, str(other).removeprefix(path_of(feed))).text


def test_a_cursor_that_nobody_gave_is_refused(here: World) -> None:
    reply = here.send("GET", path_of(post(here)), user=None, cursor="<script>")
    assert reply.status == 400
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in reply.text


# Feeds that do not exist


@pytest.mark.parametrize(
    "path",
    [
        "/pages/{page}/feeds/2",
        "/pages/{page}/feeds/x",
        "/pages/{page}/feeds/%23",
        "/pages/1/feeds/{feed}",
        "/pages/x/feeds/{feed}",
        "/pages/{page}/feeds/" + "9" * 2_000,
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(here: World, path: str) -> None:
    feed = post(here)
    address = path.format(page=CAFE, feed=feed.id)
    for language, told in (("ja", "お探しのページはありません。"), ("en", "There is no such page.")):
        reply = here.send("GET", address, user=None, headers={"Accept-Language": language})
        assert reply.status == 404
        assert told in reply.text
        assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_a_feed_is_gone_when_it_or_its_page_is(here: World) -> None:
    feed = post(here)
    here.platform.feeds.delete(CAFE, URI, MEI)
    assert here.send("GET", path_of(feed), user=None).status == 404
    again = post(here)
    assert here.send("GET", path_of(again), user=None).status == 200
    assert here.send("GET", path_of(feed), user=None).status == 404
    here.platform.pages.delete(CAFE)
    assert here.send("GET", path_of(again), user=None).status == 404
