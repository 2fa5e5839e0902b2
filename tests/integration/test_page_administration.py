"""The screens of a page's administrators: post, delete, settings, administrators, apps; who may use them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from chalicelib.core.actions import ActionFilter
from chalicelib.core.model.directory import App, Category, FeedSource, User
from chalicelib.core.paging import Paging
from local.in_process import HANA, KEN, MEI, TARO, World
from tests.kit.page_world import CAFE, OTHER, QUEST, URI, browser_of, cafe, post
from tests.kit.pictures import jpeg, png
from tests.kit.plain_browser import Browser, Form, Page

BASE = f"/pages/{CAFE}"
SCREENS = ("/post", "/settings", "/administrators", "/apps")


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(cafe)


def logged(world: World) -> list[tuple[str, str, str, str]]:
    """Return the action log, oldest first: actor, kind, target and reason."""
    since = world.clock.now - 86_400_000
    entries, _ = world.platform.action_log.part(ActionFilter(since, world.clock.now + 86_400_000), None, 100)
    entries.reverse()
    return [(each.actor, each.kind, each.target, each.reason) for each in entries]


def main_form(page: Page) -> Form:
    """Return the form of a screen; the first one signs out."""
    return page.forms[-1]


def feeds(world: World) -> list[Any]:
    return list(world.platform.feeds.part(CAFE, Paging()).entries)


def done(answer: Page, browser: Browser) -> str:
    """Return the notice on the page that a redirect leads to."""
    assert answer.status == 303, answer.text
    page = browser.open(answer.location)
    assert page.status == 200
    return page.text


# Who may use them.


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_for_administrators_of_that_page(world: World, screen: str):
    form = main_form(browser_of(world, MEI).open(BASE + screen))
    assert form.action == BASE + screen
    assert browser_of(world, KEN).open(BASE + screen).status == 403  # He administers another page.
    assert browser_of(world, KEN).submit(form, title="x", action="find").status == 403
    assert "password" in browser_of(world).open(BASE + screen).form("password").fields
    assert "password" in browser_of(world).submit(form, title="x").form("password").fields
    for page in ("1", "x", "20260401000000000009"):
        assert browser_of(world, MEI).open(f"/pages/{page}{screen}").status == 404
    assert feeds(world) == []
    assert logged(world) == []


@pytest.mark.parametrize("screen", SCREENS)
def test_a_stale_form_is_shown_again(world: World, screen: str):
    form = main_form(browser_of(world, MEI).open(BASE + screen))
    answer = browser_of(world, MEI).submit(form, title="題", body="本文", name="名前", person="hana", action="find")
    assert answer.status == 400
    assert "This page has expired" in answer.text
    kept = main_form(answer).fields
    for name, value in (("title", "題"), ("body", "本文"), ("name", "名前"), ("person", "hana")):
        assert kept.get(name) in (value, None)
    assert logged(world) == []


def test_the_page_links_its_screens_to_administrators_alone(world: World):
    for user, links in ((MEI, True), (HANA, False), (None, False)):
        page = browser_of(world, user).open(BASE)
        assert all((f'href="{BASE}{screen}"' in page.html) == links for screen in SCREENS)


# Posts.


def test_an_administrator_posts_with_a_picture_and_a_link(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/post"))
    answer = browser.submit(
        form, title=" 春のおすすめ ", body="桜餅\r\nです", link="https://cafe.example/spring", picture=jpeg(1600, 1200)
    )
    text = done(answer, browser)
    assert answer.location == f"{BASE}/feeds/1?done=posted"
    for shown in ("Your post is published.", "春のおすすめ", "Open the link", "via Engawa"):
        assert shown in text
    [feed] = feeds(world)
    assert (feed.title, feed.body, feed.pc_url) == ("春のおすすめ", "桜餅\nです", "https://cafe.example/spring")
    assert (feed.poster, len(feed.images)) == (MEI, 4)
    wide = world.s3.get_object(Bucket=world.platform.settings.bucket, Key=feed.images[3])["Body"].read()
    assert Image.open(io.BytesIO(wide)).size == (1200, 900)
    assert logged(world) == [(f"user:{MEI}", "feed.posted", f"page:{CAFE}/feed:1", "")]


def test_a_post_that_is_sent_twice_is_one(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/post"))
    answers = [browser.submit(form, title="once", picture=png()) for _ in range(2)]
    assert {answer.location for answer in answers} == {f"{BASE}/feeds/1?done=posted"}
    assert [feed.title for feed in feeds(world)] == ["once"]
    assert len(logged(world)) == 1
    assert browser.submit(form, title="another").location == f"{BASE}/feeds/2?done=posted"


def test_posts_at_the_same_moment_are_one(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/post"))
    answers: list[Page] = []
    threads = [threading.Thread(target=lambda: answers.append(browser.submit(form, title="once"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.location for answer in answers} == {f"{BASE}/feeds/1?done=posted"}
    assert len(feeds(world)) == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("title", "", "Please fill this in."),
        ("title", "題" * 256, "Too long (at most 255 characters)."),
        ("body", "本" * 10_001, "Too long (at most 10,000 characters)."),
        ("link", "javascript:alert(1)", "Please enter a URL"),
        ("link", "cafe.example", "Please enter a URL"),
        ("link", "https://a.example/" + "a" * 4_096, "Too long (at most 4,096 characters)."),
        ("picture", b"GIF89a", "This picture cannot be used."),
        ("picture", jpeg()[:-500], "This picture cannot be used."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(world: World, field: str, value: Any, told: str):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/post"))
    sent = {"title": "題 <b>", "body": "本文\r\n二行", "link": "https://a.example/"} | {field: value}
    answer = browser.submit(form, **sent)
    assert answer.status == 400
    assert told in answer.text
    assert f'id="{field}-error"' in answer.html
    kept = main_form(answer)
    for name in ("title", "body", "link"):
        if isinstance(sent[name], str):
            assert kept.fields[name] == sent[name].replace("\r\n", "\n")
    assert kept.fields["key"] == form.fields["key"]
    assert feeds(world) == []
    assert logged(world) == []
    assert list(world.s3.objects) == []


def test_the_longest_texts_are_posted(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/post"))
    assert browser.submit(form, title="題" * 255, body="𠮷" * 10_000).status == 303
    assert len(feeds(world)[0].body) == 10_000


def test_a_good_picture_beside_a_wrong_field_must_be_chosen_again(world: World):
    browser = browser_of(world, MEI)
    answer = browser.submit(main_form(browser.open(f"{BASE}/post")), title="", picture=jpeg())
    assert (answer.status, "Please choose the picture again" in answer.text) == (400, True)


def test_the_form_takes_no_picture_that_a_request_cannot_carry(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/post"))
    assert "up to 4.5 MB" in browser.open(f"{BASE}/post", lang="en").text
    answer = browser.submit(form, title="t", picture=jpeg() + bytes(4_500_000))
    assert (answer.status, "The picture is too large (at most 4.5 MB)" in answer.text) == (400, True)


def test_pictures_have_limits(make_world: Callable[..., World]):
    picture = png(100, 100)
    world = make_world(cafe)
    for setting, told in (
        ({"ENGAWA_IMAGE_BYTES": str(len(picture) - 1)}, "The picture is too large"),
        ({"ENGAWA_IMAGE_PIXELS": "9999"}, "The picture has too many pixels"),
    ):
        small = make_world(**setting)
        browser = browser_of(small, MEI)
        answer = browser.submit(main_form(browser.open(f"{BASE}/post")), title="t", picture=picture)
        assert (answer.status, told in answer.text) == (400, True)
    assert feeds(world) == []


# Deletion.


def test_an_administrator_deletes_what_others_posted_and_it_is_logged(world: World):
    world.platform.pages.change(CAFE, feed_source=FeedSource.EVERYONE)
    feed = post(world, poster=HANA)
    world.platform.comments.post(CAFE, URI, KEN, "spam")
    [comment] = world.platform.comments.part(CAFE, URI, Paging()).entries
    browser = browser_of(world, MEI)
    page = browser.open(f"{BASE}/feeds/{feed.id}/delete?comment={comment.id}")
    assert "spam" in page.text
    assert "健" in page.text
    answer = browser.submit(main_form(page), reason="x" * 501)
    assert (answer.status, main_form(answer).fields["reason"]) == (400, "x" * 501)
    assert "The comment is deleted." in done(browser.submit(main_form(page), reason="宣伝"), browser)
    page = browser.open(f"{BASE}/feeds/{feed.id}/delete")
    assert "The post is deleted." in done(browser.submit(main_form(page)), browser)
    assert feeds(world) == []
    assert sorted(logged(world)) == [
        (f"user:{MEI}", "comment.deleted", f"page:{CAFE}/feed:1/comment:{comment.id}", "宣伝"),
        (f"user:{MEI}", "feed.deleted", f"page:{CAFE}/feed:1", ""),
    ]


# Settings.


def test_an_administrator_changes_settings_and_it_is_logged(world: World):
    browser = browser_of(world, MEI)
    page = browser.open(f"{BASE}/settings")
    form = main_form(page)
    assert form.fields["name"] == "カフェ縁側"
    assert (form.fields["category"], form.fields["feedSource"]) == ("local", "administrators")
    answer = browser.submit(
        form, name="カフェ", category="celebrity", birthday="1990-05-20", details="一行\r\n二行", feedSource="everyone"
    )
    assert "The settings of the page are saved." in done(answer, browser)
    changed = world.platform.pages.get(CAFE)
    assert changed is not None
    assert (changed.name, changed.category, changed.details) == ("カフェ", Category.CELEBRITY, "一行\n二行")
    assert (changed.birthday, changed.feed_source, changed.address) == ("1990-05-20", FeedSource.EVERYONE, "渋谷区")
    [(actor, kind, target, _)] = logged(world)
    assert (actor, kind, target) == (f"user:{MEI}", "page.changed", f"page:{CAFE}")
    # The same form once more, by a double click: it is already so.
    assert "Your changes are saved." in done(
        browser.submit(
            form,
            name="カフェ",
            category="celebrity",
            birthday="1990-05-20",
            details="一行\r\n二行",
            feedSource="everyone",
        ),
        browser,
    )
    assert "nothing was changed" in done(browser.submit(main_form(browser.open(f"{BASE}/settings"))), browser)
    assert len(logged(world)) == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", " ", "Please fill this in."),
        ("name", "n" * 101, "Too long (at most 100 characters)."),
        ("name", "a\x07b", "It contains characters that cannot be used."),
        ("details", "d" * 1_001, "Too long (at most 1,000 characters)."),
        ("zipCode", "1" * 17, "Too long (at most 16 characters)."),
        ("address", "a" * 256, "Too long (at most 255 characters)."),
        ("birthday", "1990-02-30", "Please enter a date"),
        ("pcUrl", "ftp://a.example/", "Please enter a URL"),
        ("smartphoneUrl", "a b", "Please enter a URL"),
        ("thumbnailSmall", "https://a.example/" + "a" * 1_024, "Too long"),
        ("category", "none", "This value cannot be used."),
        ("feedSource", None, "This value cannot be used."),
    ],
)
def test_wrong_settings_change_nothing_and_stay_in_the_form(world: World, field: str, value: str | None, told: str):
    before = world.platform.pages.get(CAFE)
    browser = browser_of(world, MEI)
    answer = browser.submit(main_form(browser.open(f"{BASE}/settings")), **({"zipCode": "1500001"} | {field: value}))
    assert (answer.status, told in answer.text) == (400, True), answer.text
    assert f'id="{field}-error"' in answer.html
    if field not in ("category", "feedSource", "zipCode"):
        assert main_form(answer).fields[field] == value
        assert main_form(answer).fields["zipCode"] == "1500001"
    assert world.platform.pages.get(CAFE) == before
    assert logged(world) == []


def test_of_two_administrators_the_later_sees_what_the_first_changed(world: World):
    world.platform.pages.members.add_administrator(CAFE, TARO)
    mei, taro = browser_of(world, MEI), browser_of(world, TARO)
    first, second = (main_form(each.open(f"{BASE}/settings")) for each in (mei, taro))
    assert mei.submit(first, details="by Mei").status == 303
    answer = taro.submit(second, details="by Taro", zipCode="150")
    assert answer.status == 409
    assert "The settings were changed after you opened this page." in answer.text
    assert "Now: by Mei" in answer.text
    kept = main_form(answer)
    assert (kept.fields["details"], kept.fields["zipCode"]) == ("by Taro", "150")
    assert world.platform.pages.get(CAFE).details == "by Mei"  # type: ignore[union-attr]
    assert taro.submit(kept).status == 303
    assert world.platform.pages.get(CAFE).details == "by Taro"  # type: ignore[union-attr]


def test_a_change_between_the_check_and_the_write_is_not_overwritten(world: World, monkeypatch: pytest.MonkeyPatch):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/settings"))
    change = world.platform.pages.change

    def change_late(page: str, **fields: Any) -> Any:
        monkeypatch.undo()
        change(page, details="by another")
        return change(page, **fields)

    for field, value in (("details", "mine"), ("name", "mine")):
        monkeypatch.setattr(world.platform.pages, "change", change_late)
        answer = browser.submit(form, **{"details": "mine", field: value})
        assert (answer.status, "Now: by another" in answer.text) == (409, True)
        assert world.platform.pages.get(CAFE).details == "by another"  # type: ignore[union-attr]
        change(CAFE, details="お茶と https://cafe.example/")


# Administrators.


@pytest.mark.parametrize("person", ["hana", " HANA ", HANA])
def test_an_administrator_is_added_after_the_name_is_confirmed(world: World, person: str):
    browser = browser_of(world, MEI)
    page = browser.submit(main_form(browser.open(f"{BASE}/administrators")), person=person, action="find")
    assert page.status == 200
    assert "Make this person an administrator?" in page.text
    assert "花" in page.text
    assert world.platform.pages.members.administrators(CAFE)[0] == [MEI]
    form = main_form(page)
    assert "The administrator is added." in done(browser.submit(form, action="add"), browser)
    assert browser.submit(form, action="add").status == 303
    assert set(world.platform.pages.members.administrators(CAFE)[0]) == {HANA, MEI}
    assert logged(world) == [(f"user:{MEI}", "administrator.added", f"page:{CAFE}/user:{HANA}", "")]
    assert browser_of(world, HANA).open(f"{BASE}/post").status == 200


@pytest.mark.parametrize("person", ["", "nobody", "x" * 300, "x" * 5_000, "zzzzzzzzzzzz", "<script>"])
def test_an_unknown_person_is_not_added(world: World, person: str):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/administrators"))
    answer = browser.submit(form, person=person, action="find")
    assert (answer.status, "There is nobody with this login name or id." in answer.text) == (400, True)
    assert main_form(answer).fields["person"] == person
    for user in ("zzzzzzzzzzzz", "no id", ""):
        assert browser.submit(form, user=user, action="add").status == 400
    assert world.platform.pages.members.administrators(CAFE)[0] == [MEI]


def test_people_are_looked_up_fifty_times_a_day(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/administrators"))
    for turn in range(50):
        assert browser.submit(form, person=f"name{turn}", action="find").status == 400
    answer = browser.submit(form, person="hana", action="find")
    assert (answer.status, "Try again tomorrow." in answer.text) == (429, True)
    assert "花" not in answer.text
    world.clock.now += 86_400_000
    assert browser.submit(form, person="hana", action="find").status == 200


def test_an_administrator_is_removed_after_a_question(world: World):
    world.platform.pages.members.add_administrator(CAFE, TARO)
    browser = browser_of(world, MEI)
    page = browser.open(f"{BASE}/administrators?remove={TARO}")
    assert "Remove this person from the administrators?" in page.text
    assert "last administrator" not in page.text
    form = main_form(page)
    assert "The administrator is removed." in done(browser.submit(form, action="remove"), browser)
    assert browser.submit(form, action="remove").status in (303, 409)
    assert world.platform.pages.members.administrators(CAFE)[0] == [MEI]
    assert logged(world) == [(f"user:{MEI}", "administrator.removed", f"page:{CAFE}/user:{TARO}", "")]
    assert browser_of(world, TARO).open(f"{BASE}/post").status == 403


def test_the_last_administrator_leaves_only_with_a_second_confirmation(world: World):
    browser = browser_of(world, MEI)
    page = browser.open(f"{BASE}/administrators?remove={MEI}")
    assert "Stop being an administrator of this page?" in page.text
    assert "This is the last administrator." in page.text
    form = main_form(page)
    assert "last" not in form.fields
    answer = browser.submit(form, action="remove")
    assert (answer.status, "Please tick the box to confirm." in answer.text) == (409, True)
    assert world.platform.pages.members.administrators(CAFE)[0] == [MEI]
    text = done(browser.submit(form, action="remove", last="on"), browser)
    assert "You are no longer an administrator of this page." in text
    assert world.platform.pages.members.administrators(CAFE)[0] == []


def test_two_who_leave_at_once_do_not_leave_the_page_alone(world: World, monkeypatch: pytest.MonkeyPatch):
    members = world.platform.pages.members
    members.add_administrator(CAFE, TARO)
    mei = browser_of(world, MEI)
    form = main_form(mei.open(f"{BASE}/administrators?remove={MEI}"))
    remove = members.remove_administrator

    def leave_first(page: str, user: str, **more: Any) -> bool:
        monkeypatch.undo()
        remove(page, TARO, while_other=MEI)
        return remove(page, user, **more)

    monkeypatch.setattr(members, "remove_administrator", leave_first)
    answer = mei.submit(form, action="remove")
    assert (answer.status, "Please tick the box to confirm." in answer.text) == (409, True)
    assert members.administrators(CAFE)[0] == [MEI]


def test_a_person_who_is_none_is_not_removed(world: World):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/administrators"))
    for user in ("x", "zzzzzzzzzzzz"):
        assert browser.open(f"{BASE}/administrators?remove={user}").status == 404
    assert browser.submit(form, action="remove", user="x").status == 404
    assert browser.submit(form, action="other").status == 400
    assert world.platform.pages.members.administrators(CAFE)[0] == [MEI]


def test_many_administrators_are_listed_part_by_part(world: World):
    for number in range(25):
        world.platform.users.create(User(f"many{number:08}", f"Name {number:02}"))
        world.platform.pages.members.add_administrator(CAFE, f"many{number:08}")
    browser = browser_of(world, MEI)
    first = browser.open(f"{BASE}/administrators")
    [following] = [part for part in first.html.split('"') if part.startswith("?cursor=")]
    second = browser.open(f"{BASE}/administrators{following}")
    shown = [f"Name {number:02}" for number in range(25)]
    assert all((name in first.text) != (name in second.text) for name in shown)


# Apps.


def test_an_app_is_added_after_its_name_is_confirmed(world: World):
    album = "0123456789abcdef"
    world.platform.apps.create(App(album, "Album <b>"))
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/apps"))
    page = browser.submit(form, app=f" {album.upper()} ", name="", action="find")
    assert "Add Album <b> to this page as “Album <b>”?" in page.text
    confirm = main_form(page)
    for _ in range(2):
        assert "The app is added." in done(browser.submit(confirm, action="add"), browser)
    modules = world.platform.pages.modules(CAFE)[0]
    assert [(each.id, each.app, each.name) for each in modules] == [
        ("3", QUEST, "クエストの部屋"),
        ("4", album, "Album <b>"),
    ]
    assert logged(world) == [(f"user:{MEI}", "module.added", f"page:{CAFE}/module:4", "")]


@pytest.mark.parametrize(
    ("app", "name", "told"),
    [
        ("", "", "Please fill this in."),
        ("quest", "", "This is not the form of an id."),
        ("f" * 16, "", "There is no app with this id."),
        (QUEST, "n" * 101, "Too long (at most 100 characters)."),
    ],
)
def test_a_wrong_app_is_not_added(world: World, app: str, name: str, told: str):
    browser = browser_of(world, MEI)
    form = main_form(browser.open(f"{BASE}/apps"))
    for action in ("find", "add"):
        answer = browser.submit(form, app=app, name=name, action=action)
        assert (answer.status, told in answer.text) == (400, True)
        assert main_form(answer).fields["app"] == app
    assert len(world.platform.pages.modules(CAFE)[0]) == 1


def test_a_suspended_app_is_not_added(world: World):
    world.platform.apps.suspend(QUEST, "spam")
    browser = browser_of(world, MEI)
    answer = browser.submit(main_form(browser.open(f"{BASE}/apps")), app=QUEST, action="find")
    assert (answer.status, "There is no app with this id." in answer.text) == (400, True)


def test_an_app_is_removed_after_a_question(world: World):
    browser = browser_of(world, MEI)
    page = browser.open(f"{BASE}/apps?remove=3")
    assert "Remove “クエストの部屋” from this page?" in page.text
    form = main_form(page)
    for _ in range(2):
        assert "The app is removed." in done(browser.submit(form, action="remove"), browser)
    assert world.platform.pages.modules(CAFE)[0] == []
    assert logged(world) == [(f"user:{MEI}", "module.removed", f"page:{CAFE}/module:3", "")]
    assert browser.open(f"{BASE}/apps?remove=3").status == 404
    assert browser.submit(form, action="remove", module="x").status == 404
    assert world.platform.pages.get(OTHER) is not None
