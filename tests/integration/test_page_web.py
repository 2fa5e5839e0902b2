"""The web pages of a page and of its feeds, for members: follow, comment, favorite, delete one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.api.page_screens.shared import KEYED
from chalicelib.core.actions import ActionFilter
from chalicelib.core.model.directory import Category, FeedSource
from chalicelib.core.moderation import Post
from chalicelib.core.paging import Paging
from chalicelib.core.reports import ReportReason
from local.in_process import HANA, KEN, MEI, World
from tests.kit.page_world import CAFE, NAMES, OTHER, QUEST, URI, browser_of, cafe, post
from tests.kit.plain_browser import Page

PATH = f"/pages/{CAFE}"
RIGHT_TO_LEFT, LONG = "\u202eevil\u202c", "w" * 100


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(cafe)


def comments(world: World) -> list[tuple[str, str]]:
    return [(each.poster, each.text) for each in world.platform.comments.part(CAFE, URI, Paging()).entries]


def links(page: Page) -> list[str]:
    return re.findall(r'<a [^>]*href="([^"]*)"', page.html)


def followed(page: Page, where: Any) -> Page:
    """Open the page that a redirect leads to."""
    assert page.status == 303, page.text
    opened: Page = where.open(page.location)
    assert opened.status == 200
    return opened


# A page.


def test_a_page_shows_its_details_apps_and_feeds_to_anyone(world: World):
    world.platform.pages.members.add_follower(CAFE, HANA)
    for number in range(12):
        post(world, f"feed {number}", content_uri=f"{URI}/{number}", body="b" * 300)
    page = browser_of(world).open(PATH)
    assert page.status == 200
    for text in (
        "カフェ縁側",
        "Local place · Followers: 1",
        "お茶と",
        "渋谷区",
        "クエストの部屋",
        "Posts (12)",
        "芽衣",
    ):
        assert text in page.text, text
    assert re.findall(r"feed \d+", page.text) == [f"feed {number}" for number in range(11, 1, -1)]
    assert "b" * 199 + "…" in page.text
    assert f"{PATH}/feeds/12" in links(page)
    assert f"/sign_in?to=%2Fpages%2F{CAFE}" in links(page)
    [older] = [link for link in links(page) if "cursor=" in link and "lang" not in link]
    assert re.findall(r"feed \d+", browser_of(world).open(older).text) == ["feed 1", "feed 0"]
    assert page.headers["cache-control"] == "public, max-age=0, s-maxage=5"
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("path", [PATH, f"{PATH}/feeds/1"])
@pytest.mark.parametrize(
    ("query", "kept"), [("lang=ja", True), ("cursor=", True), ("done=page_saved", False), ("a=b", False)]
)
def test_a_shared_cache_keeps_only_what_it_tells_apart(world: World, path: str, query: str, kept: bool):
    """Its key has two parameters; a copy with the notice of another would be shown to everyone."""
    post(world)
    edge = Path(__file__).parents[2] / "infra" / "edge.yaml"
    assert f"QueryStrings: [{', '.join(KEYED)}]" in edge.read_text(encoding="utf-8")
    page = browser_of(world).open(f"{path}?{query}")
    assert page.status == 200
    assert ("s-maxage" in page.headers["cache-control"]) == kept
    assert kept or page.headers["cache-control"] == "no-store"


def test_a_page_without_anything_says_so(world: World):
    page = browser_of(world, language="ja").open(f"/pages/{OTHER}")
    assert "まだ投稿はありません。" in page.text
    assert "ページのアプリ" not in page.text


@pytest.mark.parametrize(
    ("category", "shown"),
    [
        (Category.LOCAL, {"渋谷区", "150-0001"}),
        (Category.CELEBRITY, {"1990-05-20"}),
        (Category.OTHER, set()),
    ],
)
def test_the_details_are_those_of_the_category(world: World, category: Category, shown: set[str]):
    fields: dict[str, Any] = {"category": category, "zip_code": "150-0001", "birthday": "1990-05-20"}
    world.platform.pages.change(CAFE, **fields)
    page = browser_of(world).open(PATH)
    assert {text for text in ("渋谷区", "150-0001", "1990-05-20") if text in page.text} == shown


def test_apps_start_from_the_page_if_they_can(world: World, make_world: Callable[..., World]):
    start = f"/run_page_apps.pl?page_id={CAFE}&amp;module_id=3"
    assert start not in links(browser_of(world).open(PATH))  # This deployment has no launch keys.
    other = make_world(ENGAWA_LAUNCH_KEYS_FILE="/nowhere")
    assert start in links(browser_of(other).open(PATH))
    for change in (
        lambda: world.platform.apps.suspend(QUEST, "spam"),
        lambda: world.platform.apps.change(QUEST, start_url=None),
    ):
        change()
        page = browser_of(other).open(PATH)
        assert start not in links(page)
        assert "クエストの部屋" in page.text


def test_a_person_follows_and_stops(world: World):
    browser = browser_of(world, HANA)
    page = browser.open(PATH)
    assert "cache-control" not in page.headers or page.headers["cache-control"] == "no-store"
    answer = browser.submit(page.form("action", "follow"), action="follow")
    assert answer.location == f"{PATH}?done=followed"
    page = followed(answer, browser)
    assert "You follow this page now." in page.text
    assert "Followers: 1" in page.text
    assert world.platform.pages.members.followers(CAFE)[0] == [HANA]
    # A second tab repeats it.
    assert browser.submit(page.form("action", "unfollow"), action="follow").status == 303
    assert world.platform.pages.get(CAFE).followers == 1  # type: ignore[union-attr]
    page = followed(browser.submit(page.form("action", "unfollow"), action="unfollow"), browser)
    assert "You no longer follow this page." in page.text
    assert world.platform.pages.members.followers(CAFE)[0] == []


def test_a_form_of_another_session_changes_nothing(world: World):
    form = browser_of(world, HANA).open(PATH).form("action", "follow")
    answer = browser_of(world, KEN).submit(form, action="follow")
    assert answer.status == 400
    assert "This page has expired" in answer.text
    assert browser_of(world, KEN).submit(form, action="follow", csrf="00").status == 400
    assert world.platform.pages.members.followers(CAFE)[0] == []


def test_without_a_session_a_form_leads_to_signing_in(world: World):
    form = browser_of(world, HANA).open(PATH).form("action", "follow")
    answer = browser_of(world).submit(form, action="follow")
    assert "password" in answer.form("password").fields
    assert world.platform.pages.members.followers(CAFE)[0] == []


@pytest.mark.parametrize("path", ["/pages/1", "/pages/x", "/pages/20260401000000000009", f"{PATH}/feeds/9"])
def test_what_is_not_there_is_a_404_page(world: World, path: str):
    for user in (None, HANA):
        page = browser_of(world, user).open(path)
        assert page.status == 404
        assert "There is no such page." in page.text


def test_unknown_actions_are_refused(world: World):
    feed = post(world)
    browser = browser_of(world, HANA)
    for path in (PATH, f"{PATH}/feeds/{feed.id}"):
        form = browser.open(path).form("action")
        assert browser.submit(form, action="destroy").status == 400
        assert browser.submit(form, action=None).status == 400


@pytest.mark.parametrize("path", [PATH, f"{PATH}/feeds/{{feed}}", "/reports"])
@pytest.mark.parametrize("done", [True, False])
def test_the_page_after_a_change_has_it_and_the_ordinary_visit_is_cheap(world: World, path: str, done: bool):
    feed = post(world)
    browser = browser_of(world, HANA)
    world.platform.comments.post(CAFE, URI, HANA, "すてき")
    world.platform.reports.report(Post(CAFE, feed.id), HANA, ReportReason.SPAM, "")
    world.calls.clear()

    page = browser.open(path.format(feed=feed.id) + ("?done=commented" if done else ""))

    assert page.status == 200
    lists = ("feeds", "comments", "records")
    found = [
        call.request.get("ConsistentRead", False)
        for call in world.calls
        if call.operation == "query" and call.request["TableName"].endswith(lists) and call.request.get("Limit") != 20
    ]
    assert found == [done]


# A feed.


def test_a_person_comments_and_deletes_it(world: World):
    feed = post(world)
    path = f"{PATH}/feeds/{feed.id}"
    browser = browser_of(world, HANA)
    form = browser.open(path).form("comment")
    page = followed(browser.submit(form, comment="すてき\r\nです", action="comment"), browser)
    assert "Your comment is posted." in page.text
    assert comments(world) == [(HANA, "すてき\nです")]
    assert f'href="/people/{HANA}"' in page.html
    [delete] = [link for link in links(page) if "/delete?comment=" in link]
    asked = browser.open(delete.replace("&amp;", "&"))
    assert "Delete the comment" in asked.text
    assert "すてき" in asked.text
    assert "reason" not in asked.form("csrf").fields or "Reason" not in asked.text
    deletion = asked.forms[-1]
    page = followed(browser.submit(deletion), browser)
    assert "The comment is deleted." in page.text
    assert comments(world) == []
    assert "It is already deleted." in followed(browser.submit(deletion), browser).text


def test_a_comment_that_is_sent_twice_is_posted_once(world: World):
    feed = post(world)
    browser = browser_of(world, HANA)
    form = browser.open(f"{PATH}/feeds/{feed.id}").form("comment")
    for _ in range(2):
        assert browser.submit(form, comment="一度", action="comment").status == 303
    assert comments(world) == [(HANA, "一度")]
    # Another text in the same form, after going back, is another comment.
    assert browser.submit(form, comment="二度", action="comment").status == 303
    assert comments(world) == [(HANA, "二度"), (HANA, "一度")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Please fill this in."),
        (" \n　", "Please fill this in."),
        ("あ" * 10_001, "Too long (at most 10,000 characters)."),
    ],
)
def test_a_comment_out_of_its_limits_stays_in_the_form(world: World, text: str, told: str):
    feed = post(world)
    browser = browser_of(world, HANA)
    answer = browser.submit(browser.open(f"{PATH}/feeds/{feed.id}").form("comment"), comment=text, action="comment")
    assert answer.status == 400
    assert told in answer.text
    assert answer.form("comment").fields["comment"] == text.replace("\r\n", "\n")
    assert comments(world) == []


def test_the_longest_comment_is_posted(world: World):
    feed = post(world)
    browser = browser_of(world, HANA)
    form = browser.open(f"{PATH}/feeds/{feed.id}").form("comment")
    assert browser.submit(form, comment="𠮷" * 10_000, action="comment").status == 303
    assert comments(world) == [(HANA, "𠮷" * 10_000)]


def test_a_stale_form_keeps_the_comment(world: World):
    feed = post(world)
    form = browser_of(world, HANA).open(f"{PATH}/feeds/{feed.id}").form("comment")
    other = browser_of(world, HANA)
    answer = other.submit(form, comment="long and good", action="comment")
    assert (answer.status, answer.form("comment").fields["comment"]) == (400, "long and good")
    assert "This page has expired" in answer.text
    assert other.submit(answer.form("comment"), action="comment").status == 303
    assert comments(world) == [(HANA, "long and good")]


def test_a_person_favorites_and_takes_it_back(world: World):
    feed = post(world)
    path = f"{PATH}/feeds/{feed.id}"
    browser = browser_of(world, HANA, "ja")
    form = browser.open(path).form("action", "favorite")
    page = followed(browser.submit(form, action="favorite"), browser)
    assert "イイネ！しました。" in page.text
    assert "イイネ！ 1" in page.text
    assert browser.submit(form, action="favorite").status == 303
    assert world.platform.favorites.count(CAFE, URI) == 1
    form = page.form("action", "unfavorite")
    assert browser.submit(form, action="unfavorite").status == 303
    assert world.platform.favorites.count(CAFE, URI) == 0
    assert browser.submit(form, action="unfavorite").status == 303  # From another tab.
    other = form.fields["favorite"].replace(HANA, KEN)
    assert browser.submit(form, action="unfavorite", favorite=other).status == 403


def test_a_poster_deletes_their_own_feed(world: World):
    world.platform.pages.change(CAFE, feed_source=FeedSource.EVERYONE)
    feed = post(world, poster=HANA)
    browser = browser_of(world, HANA)
    page = browser.open(f"{PATH}/feeds/{feed.id}/delete")
    assert "It cannot be undone." in page.text
    form = page.forms[-1]
    page = followed(browser.submit(form), browser)
    assert "The post is deleted." in page.text
    assert browser.open(f"{PATH}/feeds/{feed.id}").status == 404
    assert "It is already deleted." in followed(browser.submit(form), browser).text
    assert entries(world) == []


def entries(world: World) -> list[Any]:
    """Return what the action log has."""
    since = world.clock.now - 86_400_000
    return world.platform.action_log.part(ActionFilter(since, world.clock.now + 86_400_000), None, 100)[0]


def test_others_may_not_delete_it(world: World):
    feed = post(world)
    world.platform.comments.post(CAFE, URI, KEN, "mine")
    [comment] = world.platform.comments.part(CAFE, URI, Paging()).entries
    browser = browser_of(world, HANA)
    path = f"{PATH}/feeds/{feed.id}"
    page = browser.open(path)
    assert "/delete" not in page.html
    csrf = page.form("comment").fields["csrf"]
    for target in (f"{path}/delete", f"{path}/delete?comment={comment.id}"):
        assert browser.open(target).status == 403
    form = page.form("action")
    form.action, form.fields = f"{path}/delete", {"csrf": csrf}
    assert browser.submit(form).status == 403
    assert browser.submit(form, comment=comment.id).status == 403
    assert browser.submit(form, comment="nonsense").location == f"{path}?done=already_deleted"
    assert len(comments(world)) == 1
    assert world.platform.feeds.get(CAFE, URI)


def test_signed_out_people_are_asked_to_sign_in(world: World):
    feed = post(world)
    path = f"{PATH}/feeds/{feed.id}"
    page = browser_of(world).open(path)
    assert [form for form in page.forms if "comment" in form.fields] == []
    assert f"/people/{MEI}" not in page.html
    assert f"/sign_in?to=%2Fpages%2F{CAFE}%2Ffeeds%2F{feed.id}" in links(page)
    assert "password" in browser_of(world).open(f"{path}/delete").form("password").fields


def test_a_suspended_user_does_nothing(world: World):
    feed = post(world)
    browser = browser_of(world, HANA)
    path = f"{PATH}/feeds/{feed.id}"
    form = browser.open(path).form("comment")
    world.platform.roles.suspend(HANA)
    answer = browser.submit(form, comment="no", action="comment")
    assert answer.status in (200, 403)
    assert comments(world) == []
    assert [each for each in browser.open(path).forms if "comment" in each.fields] == []


def test_hidden_posts_are_marked_for_those_who_may_see_them(world: World):
    feed = post(world)
    world.platform.comments.post(CAFE, URI, HANA, "bad words")
    [comment] = world.platform.comments.part(CAFE, URI, Paging()).entries
    path = f"{PATH}/feeds/{feed.id}"
    hide(world, feed.id, comment.id)
    for user, sees in ((HANA, True), (MEI, True), (KEN, False), (None, False)):
        page = browser_of(world, user).open(path)
        assert ("bad words" in page.text) == sees
        assert ("Hidden comments" in page.text) == sees
    hide(world, feed.id)
    for user, sees in ((MEI, True), (HANA, False), (None, False)):
        assert browser_of(world, user).open(path).status == (200 if sees else 404)
    page = browser_of(world, MEI).open(path)
    assert "A moderator has hidden this post." in page.text
    assert [form for form in page.forms if "comment" in form.fields] == []
    assert feed.title not in browser_of(world, MEI).open(PATH).text


def test_comments_of_a_hidden_feed_cannot_be_reported(world: World):
    feed = post(world, "Tea", poster=MEI)
    world.platform.comments.post(CAFE, URI, KEN, "きれい")
    path = f"{PATH}/feeds/{feed.id}"
    assert 'href="/report?' in browser_of(world, HANA).open(path).html
    hide(world, feed.id)
    page = browser_of(world, MEI).open(path)
    assert "きれい" in page.text
    assert 'href="/report?' not in page.html


def hide(world: World, feed: str, comment: str | None = None) -> None:
    from chalicelib.core.moderation import Post

    world.platform.moderated_posts.hide(Post(CAFE, feed, comment), {"by": "user:operator", "re": "reason"})


def test_strange_texts_stay_texts(world: World):
    world.platform.pages.change(CAFE, name=f"{RIGHT_TO_LEFT}<b>", details=LONG + "<script>")
    feed = post(world, f"{LONG}<i>", body=RIGHT_TO_LEFT)
    world.platform.users.change(HANA, display_name="<u>" + LONG[:90])
    world.platform.comments.post(CAFE, URI, HANA, "<script>alert(1)</script>")
    for user in (None, HANA):
        for path in (PATH, f"{PATH}/feeds/{feed.id}"):
            page = browser_of(world, user).open(path)
            assert not {"b", "i", "u", "script"} & set(page.tags)
            assert f"<bdi>{RIGHT_TO_LEFT}&lt;b&gt;</bdi>" in page.html


def test_a_link_shows_where_it_leads_in_a_text_that_turns_the_direction(world: World):
    feed = post(world, "Tea", body="\u202ehttps://evil.example/moc.elgoog//:sptth")
    page = browser_of(world, HANA).open(f"{PATH}/feeds/{feed.id}")
    assert '<bdi dir="ltr">https://evil.example/moc.elgoog//:sptth</bdi></a>' in page.html


def test_both_languages_lead_to_each_other(world: World):
    page = browser_of(world, HANA).open(PATH)
    assert f"{PATH}?lang=ja" in links(page)
    assert "フォローする" in browser_of(world, HANA).open(f"{PATH}?lang=ja").text
    assert NAMES[MEI]
