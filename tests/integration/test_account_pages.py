"""The pages of a person's own account, as a browser without JavaScript meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from PIL import Image

from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import Publication
from chalicelib.core.passwords import hash_password, matches
from chalicelib.core.roles import Role
from chalicelib.core.sessions import SESSION_SECONDS
from local.gateway import Request
from tests.kit import pictures
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.sending import multipart
from tests.kit.worlds import HANA, KEN, Reply, World, reply

PASSWORD, LATER = "an old password of hana", "a later password of hana"
DAY = 86_400_000
RTL = "\u202eevil"
Make = Callable[..., World]


@pytest.fixture
def here(world: World) -> World:
    """Give HANA and KEN a login and a password."""
    for user, login in ((HANA, "hana"), (KEN, "ken")):
        world.platform.users.change(user, login=login)
        world.platform.users.set_password(user, hash_password(PASSWORD))
    return world


def browser_of(world: World, login: str | None = "hana", language: str = "en") -> Browser:
    browser = browser_at(world.gateway)
    browser.headers = {"Accept-Language": language, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"}
    if login:
        page = browser.sign_in(browser.open("/sign_in"), login, PASSWORD)
        assert page.status == 303, page.text
    return browser


def user(world: World, name: str = HANA) -> User:
    known = world.platform.users.get(name)
    assert known
    return known


def is_signed_in(browser: Browser) -> bool:
    return "Sign out" in browser.open("/settings/password").text


def change_password(browser: Browser, now: str = PASSWORD, new: str = LATER, again: str | None = None) -> Page:
    form = browser.open("/settings/password").form("new_password")
    return browser.submit(form, password=now, new_password=new, new_password_again=new if again is None else again)


def path_of(reply: Reply) -> str:
    parts = urlsplit(reply.json["url"])
    return f"{parts.path}?{parts.query}"


def operate(world: World, path: str, body: object = None) -> Reply:
    return world.send("POST", f"/admin{path}", body, token=world.token(None, "admin"))


# Sessions


def test_a_cookie_is_worth_nothing_after_signing_out(here: World) -> None:
    browser, thief = browser_of(here), browser_of(here, None)
    thief.cookies = dict(browser.cookies)
    assert is_signed_in(thief)

    browser.submit(next(form for form in browser.open("/settings/password").forms if form.action == "/sign_out"))

    assert not is_signed_in(thief)
    thief.cookies = {}
    assert not is_signed_in(thief)


def test_a_cookie_without_a_session_in_it_is_of_nobody(here: World) -> None:
    browser = browser_of(here, None)
    sessions = here.platform.sessions
    browser.cookies[sessions.cookie_name] = sessions.cookie(sessions.begin(HANA)).partition("=")[2].partition(";")[0]
    assert not is_signed_in(browser)
    other = sessions.begin(HANA, name="not stored")
    browser.cookies[sessions.cookie_name] = sessions.cookie(other).partition("=")[2].partition(";")[0]
    assert not is_signed_in(browser)


def test_sessions_are_seen_and_ended(here: World) -> None:
    one, other, third = browser_of(here), browser_of(here), browser_of(here)
    page = one.open("/settings/sessions")
    assert page.text.count("Firefox, Linux") == 3
    assert page.text.count("This browser") == 1
    others = [form for form in page.forms if "end" in form.fields and form.buttons]
    assert len(others) == 3

    (own,) = (part for part in page.html.split('<div class="app">') if "This browser" in part)
    ended = next(form for form in others if form.fields["end"] not in own)
    answer = one.submit(ended)
    assert answer.location == "/settings/sessions?done=session"
    assert "That browser is signed out." in one.open(answer.location).text
    assert one.submit(ended).location.endswith("done=no_session")
    assert sorted([is_signed_in(other), is_signed_in(third)]) == [False, True]

    assert one.submit(page.form("others")).location == "/settings/sessions?done=sessions"
    assert [is_signed_in(each) for each in (one, other, third)] == [True, False, False]
    assert one.open("/settings/sessions").text.count("Firefox, Linux") == 1


def test_another_user_s_session_cannot_be_ended(here: World) -> None:
    hana, ken = browser_of(here), browser_of(here, "ken")
    (session,) = here.platform.sessions_of_users.of_user(user(here, KEN))
    form = next(form for form in hana.open("/settings/sessions").forms if "end" in form.fields)

    assert hana.submit(form, end=session.name).location.endswith("done=no_session")

    assert is_signed_in(ken)


def test_a_session_ends_after_fourteen_days(here: World) -> None:
    browser = browser_of(here)
    here.clock.now += 1000 * SESSION_SECONDS
    assert not is_signed_in(browser)


def test_a_page_costs_one_read_and_once_an_hour_one_write(here: World) -> None:
    browser = browser_of(here)
    for seconds, expected in ((0, ["batch_get_item"]), (3600, ["batch_get_item", "update_item"])):
        here.clock.now += 1000 * seconds
        here.calls.clear()
        browser.open("/settings/password")
        assert [call.operation for call in here.calls] == expected


# Passwords


def test_a_new_password_signs_out_all_other_browsers(here: World) -> None:
    browser, other = browser_of(here), browser_of(here)

    answer = change_password(browser)

    assert answer.location == "/settings?done=password"
    assert "Your password is changed." in browser.open(answer.location).text
    assert (is_signed_in(browser), is_signed_in(other)) == (True, False)
    known = here.platform.users.credential("hana")
    assert known
    assert matches(LATER, known[1])


@pytest.mark.parametrize(
    ("now", "new", "again", "status", "text"),
    [
        ("wrong", LATER, LATER, 403, "That password is wrong"),
        (PASSWORD, "fourteen chars", "fourteen chars", 400, "Too short: 15 to 200"),
        (PASSWORD, "1234567890123456", "1234567890123456", 400, "easy to guess"),
        (PASSWORD, "hana hana hana hana", "hana hana hana hana", 400, "easy to guess"),
        (PASSWORD, LATER, LATER + "x", 400, "differ"),
    ],
)
def test_a_refused_password_changes_nothing(
    here: World, now: str, new: str, again: str, status: int, text: str
) -> None:
    browser, other = browser_of(here), browser_of(here)
    before = here.platform.users.credential("hana")

    page = change_password(browser, now, new, again)

    assert page.status == status
    assert text in page.text
    assert new not in page.html
    assert here.platform.users.credential("hana") == before
    assert is_signed_in(other)


def test_guesses_of_the_present_password_are_bounded(here: World) -> None:
    browser = browser_of(here)
    assert [change_password(browser, f"wrong {turn}").status for turn in range(7)][-1] == 429
    refused = change_password(browser)
    assert (refused.status, int(refused.headers["retry-after"]) > 0) == (429, True)


def test_who_has_no_login_is_told_so(here: World) -> None:
    browser = browser_of(here)
    forms = {path: browser.open(path).form("password") for path in ("/settings/password", "/settings/delete")}
    here.platform.users.change(HANA, login=None)
    for path, form in forms.items():
        shown = browser.open(path)
        assert "You have no login name" in shown.text
        assert [each for each in shown.forms if "password" in each.fields] == []
        assert browser.submit(form, password=PASSWORD, typed="").status == 409


def test_a_form_of_another_session_changes_no_password(here: World) -> None:
    browser, other = browser_of(here), browser_of(here)
    form = other.open("/settings/password").form("new_password")

    page = browser.submit(form, password=PASSWORD, new_password=LATER, new_password_again=LATER)

    assert page.status == 400
    assert "expired" in page.text
    assert browser_of(here)


def test_a_reset_link_sets_a_password_once(here: World) -> None:
    signed_in, browser = browser_of(here), browser_of(here, None)
    path = path_of(operate(here, f"/users/{HANA}/reset-link"))
    form = browser.open(path).form("new_password")
    assert browser.submit(form, new_password="short", new_password_again="short").status == 400

    answer = browser.submit(form, new_password=LATER, new_password_again=LATER)

    assert answer.location == "/sign_in?done=reset"
    assert "Your new password is set" in browser.open(answer.location).text
    assert not is_signed_in(signed_in)
    assert browser.sign_in(browser.open("/sign_in"), "hana", LATER).status == 303
    for dead in (browser.open(path), browser.submit(form, new_password=PASSWORD, new_password_again=PASSWORD)):
        assert dead.status == 404
        assert "This link does not work" in dead.text
    assert browser.open("/reset").status == browser.open("/reset?link=x").status == 404


# Invitations


def join(browser: Browser, path: str, **fields: str) -> Page:
    given = {"display_name": "陸", "login": "riku", "new_password": LATER, "new_password_again": LATER} | fields
    return browser.submit(browser.open(path).form("login"), **given)


def test_a_person_joins_by_an_invitation_once(here: World) -> None:
    path = path_of(operate(here, "/invitations", {"displayName": "陸"}))
    browser = browser_of(here, None)
    form = browser.open(path).form("login")
    assert form.fields["display_name"] == "陸"

    answer = browser.submit(form, login=" Riku ", new_password=LATER, new_password_again=LATER)

    assert answer.location == "/sign_in?to=%2Fsettings%2Fprofile&done=joined"
    page = browser.open(answer.location)
    assert "Welcome." in page.text
    assert browser.sign_in(page, "riku", LATER).location == "/settings/profile"
    known = here.platform.users.credential("riku")
    assert known
    assert user(here, known[0]).display_name == "陸"
    assert browser.open(path).status == 404
    assert browser.submit(form, login="other", new_password=LATER, new_password_again=LATER).status == 404
    assert here.platform.users.credential("other") is None


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"login": "HANA"}, 409, "That login name is taken"),
        ({"login": ""}, 400, "begin with a letter"),
        ({"login": "ri ku"}, 400, "begin with a letter"),
        ({"login": "r" * 300}, 400, "begin with a letter"),
        ({"login": "hаna"}, 400, "begin with a letter"),
        ({"display_name": ""}, 400, "1 to 100 characters"),
        ({"display_name": "x" * 101}, 400, "1 to 100 characters"),
        ({"display_name": "\u200b\u3164\ufe0f"}, 400, "1 to 100 characters"),
        ({"new_password": "riku riku riku riku", "new_password_again": "riku riku riku riku"}, 400, "easy to guess"),
    ],
)
def test_a_refused_invitation_keeps_the_form(here: World, fields: dict[str, str], status: int, text: str) -> None:
    path = path_of(operate(here, "/invitations", {}))
    browser = browser_of(here, None)
    before = here.items("directory")

    page = join(browser, path, **fields)

    assert page.status == status
    assert text in page.text
    assert LATER not in page.html
    assert here.items("directory") == before
    assert join(browser, path).status == 303


def test_logins_are_tried_at_most_thirty_times(here: World) -> None:
    path = path_of(operate(here, "/invitations", {}))
    browser = browser_of(here, None)
    form = browser.open(path).form("login")
    given = {"display_name": "陸", "login": "hana", "new_password": LATER, "new_password_again": LATER}
    assert [browser.submit(form, **given).status for _ in range(31)] == [*([409] * 30), 404]


# The profile


def test_a_profile_is_changed_and_the_confirmation_says_what(here: World) -> None:
    browser = browser_of(here)
    form = browser.open("/settings/profile").form("displayName")

    answer = browser.submit(
        form,
        displayName="花子",
        age="30",
        birthday="1996-04-01",
        publish_age="everyone",
        bloodType="AB",
        gender="female",
    )

    assert answer.status == 303
    shown = browser.open(answer.location)
    assert "Changed: Name, Blood type, Birthday, Age, Gender, who can see it" in shown.text
    known = user(here)
    assert (known.display_name, known.age, known.birthday, known.blood_type) == ("花子", 30, "1996-04-01", "AB")
    assert known.publication["age"] is Publication.EVERYONE
    again = browser.submit(shown.form("displayName"))
    assert again.location == "/settings/profile?done=unchanged"
    emptied = browser.submit(browser.open("/settings/profile").form("displayName"), age="", address="")
    assert emptied.location == "/settings/profile?changed=age"
    assert user(here).age is None
    assert "Changed" not in browser.open("/settings/profile?changed=<b>&changed=nothing").text


def test_numbers_may_be_written_in_wide_digits(here: World) -> None:
    browser = browser_of(here)
    form = browser.open("/settings/profile").form("displayName")

    assert browser.submit(form, age="３０", birthday="１９９０-０４-０１").status == 303
    assert (user(here).age, user(here).birthday) == (30, "1990-04-01")


@pytest.mark.parametrize("strict", [False, True])
def test_the_profile_shows_what_apps_of_others_see(make_world: Make, strict: bool) -> None:
    world = make_world(ENGAWA_PROFILE_VISIBILITY="strict" if strict else "lenient")
    world.platform.users.create(
        User(
            "pr0f11epr0f1",
            "花",
            login="profile",
            address="京都",
            age=30,
            gender="female",
            birthday="1996-04-01",
            publication={
                "address": Publication.EVERYONE,
                "age": Publication.FRIENDS,
                "gender": Publication.NOBODY,
                "birthday": Publication.FRIENDS_OF_FRIENDS,
            },
        ),
        hash_password(PASSWORD),
    )
    page = browser_of(world, "profile").open("/settings/profile")
    _, friend, stranger = page.html.split("<caption>")

    assert ["京都" in friend, ">30<" in friend, "Female" in friend, "1996-04-01" in friend] == [True, True, False, True]
    seen = ["京都" in stranger, ">30<" in stranger, "Female" in stranger, "1996-04-01" in stranger]
    assert seen == [True, not strict, False, not strict]


@pytest.mark.parametrize(("visibility", "said"), [("lenient", "even if"), ("strict", "only if")])
def test_the_profile_says_what_this_deployment_gives_to_apps(make_world: Make, visibility: str, said: str) -> None:
    world = make_world(ENGAWA_PROFILE_VISIBILITY=visibility)
    world.platform.users.create(User("pr0f11epr0f1", "花", login="profile"), hash_password(PASSWORD))
    browser = browser_of(world, "profile")
    page = browser.open("/settings/profile")
    told = page.text.partition("Items that you can publish")[2].partition("Address")[0]
    assert said in told
    assert "the person who uses it" in told
    japanese = browser.open("/settings/profile", lang="ja").text
    assert ("友人でなくても" in japanese) == (visibility == "lenient")
    assert ("その間柄のときだけ" in japanese) == (visibility == "strict")


def test_each_publication_switch(here: World) -> None:
    browser = browser_of(here)
    form = browser.open("/settings/profile").form("displayName")
    assert form.fields["visible"] == "on"
    names = ("address", "birthday", "age", "gender")
    assert {form.fields[f"publish_{name}"] for name in names} == {"friends"}
    chosen = dict(zip(names, ("everyone", "friendsOfFriends", "friends", "nobody"), strict=True))
    answer = browser.submit(form, visible=None, **{f"publish_{name}": value for name, value in chosen.items()})
    page = browser.open(answer.location)
    assert "Changed: visibility to apps that you have not installed, who can see it" in page.text
    assert {name: each.value for name, each in user(here).publication.items()} == chosen
    assert user(here).visible is False
    form = page.form("displayName")
    assert "visible" not in form.fields
    assert {name: form.fields[f"publish_{name}"] for name in chosen} == chosen
    browser.submit(form, visible="on")
    assert user(here).visible is True


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("displayName", "", "1 to 100 characters"),
        ("displayName", "x" * 101, "1 to 100 characters"),
        ("displayName", "\u3164\u2800", "1 to 100 characters"),
        ("age", "-1", "from 0 to 150"),
        ("age", "9" * 30, "from 0 to 150"),
        ("birthday", "1990-02-30", "1990-04-01"),
        ("thumbnailUrl", "javascript:alert(1)", "not a URL"),
        ("profileUrl", "data:text/html,x", "not a URL"),
        ("bloodType", "Z", "cannot be used"),
        ("publish_age", "aliens", "cannot be used"),
    ],
)
def test_a_wrong_value_changes_nothing_and_the_edit_stays(here: World, field: str, value: str, text: str) -> None:
    browser = browser_of(here)
    before = user(here)

    page = browser.submit(browser.open("/settings/profile").form("displayName"), address="京都", **{field: value})

    assert page.status == 400
    if field != "publish_age":
        assert text in page.text
    assert page.form("displayName").fields["address"] == "京都"
    assert user(here) == before


def test_names_are_shown_as_text(here: World) -> None:
    browser = browser_of(here)
    for name in (f"<script>{RTL}", "長" * 100):
        answer = browser.submit(browser.open("/settings/profile").form("displayName"), displayName=name)
        assert answer.status in (303, 400)
        page = browser.open("/settings/profile")
        assert "<script" not in page.html


def test_an_edit_in_a_second_tab_is_not_overwritten(here: World) -> None:
    browser = browser_of(here)
    first, second = (browser.open("/settings/profile").form("displayName") for _ in range(2))
    assert browser.submit(first, address="京都").status == 303

    page = browser.submit(second, address="大阪")

    assert page.status == 409
    assert "another tab" in page.text
    assert user(here).address == "京都"
    assert page.form("displayName").fields["address"] == "大阪"
    assert browser.submit(page.form("displayName")).status == 303
    assert user(here).address == "大阪"


def test_an_edit_survives_signing_in_again(here: World) -> None:
    browser = browser_of(here)
    form = browser.open("/settings/profile").form("displayName")
    here.platform.sessions_of_users.end_all(HANA)

    page = browser.submit(form, address="京都 <b>", publish_age="nobody")
    assert page.status == 403
    assert "what you typed is shown again" in page.text
    assert browser.sign_in(page, "hana", "wrong").status == 403
    page = browser.sign_in(page, "hana", PASSWORD)

    assert page.status == 200
    assert "Not saved yet" in page.text
    assert user(here).address is None
    again = page.form("displayName")
    assert (again.fields["address"], again.fields["publish_age"]) == ("京都 <b>", "nobody")
    assert browser.submit(again).status == 303
    assert user(here).address == "京都 <b>"
    assert user(here).publication["age"] is Publication.NOBODY


# The picture


def upload(world: World, browser: Browser, content: bytes) -> Page:
    form = next(form for form in browser.open("/settings/profile").forms if form.action == "/settings/picture")
    kind, body = multipart({"csrf": form.fields["csrf"]}, "picture", content)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    answer = world.gateway.handle(
        Request("POST", form.action, [("Cookie", cookie), ("Content-Type", kind), ("Accept-Language", "en")], body)
    )
    return Page(answer.status, answer.headers, answer.body.decode())


def test_a_picture_is_stored_anew_and_replaces_the_earlier_one(here: World) -> None:
    browser = browser_of(here)
    urls = []
    for size in ((300, 200), (200, 300)):
        assert upload(here, browser, pictures.png(*size)).location == "/settings/profile?done=picture"
        urls.append(user(here).thumbnail_url)
        assert urls[-1].startswith(f"{here.platform.settings.images_url}/people/{HANA}/")
    assert urls[0] != urls[1]
    keys = ["images" + url.removeprefix(here.platform.settings.images_url) for url in urls]
    assert [*here.platform.images.read(keys)] == [keys[1]]


def test_a_picture_of_a_phone_is_turned_upright_and_loses_its_place(here: World) -> None:
    browser = browser_of(here)
    taken = pictures.with_segments(pictures.jpeg(400, 300), pictures.segment(0xE1, pictures.exif(6)))
    assert b"a secret place" in taken
    assert upload(here, browser, taken).location == "/settings/profile?done=picture"
    url = user(here).thumbnail_url
    key = "images" + url.removeprefix(here.platform.settings.images_url)
    stored = here.platform.images.read([key])[key]
    with Image.open(BytesIO(stored)) as picture:
        assert (picture.size, len(picture.getexif())) == ((135, 180), 0)
    assert b"a secret place" not in stored
    friend = browser_of(here, "ken")
    for path in ("/friends", f"/people/{HANA}"):
        assert f'src="{url}"' in friend.open(path).html


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(5_000), 400, "Choose a JPEG or PNG"),
        (b"GIF89a" + bytes(5_000), 400, "Choose a JPEG or PNG"),
        (b"\xff\xd8\xff" + bytes(4_500_000), 413, "The picture is too large (at most 4.5 MB)"),
    ],
    ids=["HEIC", "GIF", "too large"],
)
def test_a_picture_that_cannot_be_used_is_answered_in_words(
    here: World, content: bytes, status: int, said: str
) -> None:
    page = upload(here, browser_of(here), content)
    assert (page.status, said in page.text) == (status, True), page.text
    assert 'href="/settings"' in page.html
    assert user(here).thumbnail_url == ""


def test_a_refused_picture_changes_nothing_and_a_day_has_ten(here: World) -> None:
    browser = browser_of(here)
    for content in (b"", b"GIF89a", b"<svg/>"):
        page = upload(here, browser, content)
        assert page.status == 400
        assert "cannot be used" in page.text
    assert user(here).thumbnail_url == ""
    here.clock.now = 20_000 * DAY - 61 * 60_000
    assert [upload(here, browser, pictures.png()).status for _ in range(10)] == [303] * 10
    page = upload(here, browser, pictures.png())
    assert (page.status, page.headers["retry-after"]) == (429, "3660")
    assert "You can again from 2024-10-04 09:00." in page.text
    with patch("chalicelib.api.account.picture.render", side_effect=AssertionError("too expensive")):
        assert upload(here, browser, pictures.png()).status == 429
    here.clock.now = 20_000 * DAY
    assert upload(here, browser, pictures.png()).status == 303


# Data and deletion


def test_all_data_are_downloaded_without_secrets(here: World) -> None:
    browser = browser_of(here)
    page = browser.submit(next(f for f in browser.open("/settings/data").forms if f.action == "/settings/data"))

    assert page.status == 200
    assert page.headers["content-type"].startswith("application/json")
    assert page.headers["content-disposition"] == f'attachment; filename="{HANA}.json"'
    told = json.loads(page.html)
    exported = here.send("GET", f"/admin/users/{HANA}/export", token=here.token(None, "admin")).json
    assert told == exported
    assert "scrypt" not in page.html


def test_a_day_has_ten_downloads_and_the_page_says_when_there_are_more(here: World) -> None:
    browser, friend = browser_of(here), browser_of(here, "ken")
    here.clock.now = 20_000 * DAY - 61 * 60_000
    form = next(form for form in browser.open("/settings/data").forms if form.action == "/settings/data")
    assert browser.submit(form, csrf="0" * 32).status == 400
    assert [browser.submit(form).status for _ in range(10)] == [200] * 10

    here.calls.clear()
    page = browser.submit(form)

    assert (page.status, page.headers["retry-after"]) == (429, "3660")
    assert "You have downloaded your data 10 times today. You can again from 2024-10-04 09:00." in page.text
    assert len(here.calls) <= 3
    assert browser.open("/settings/data").status == 200
    other = next(form for form in friend.open("/settings/data").forms if form.action == "/settings/data")
    assert friend.submit(other).status == 200
    here.clock.now = 20_000 * DAY
    assert browser.submit(form).status == 200


def test_an_account_is_deleted_after_fourteen_days_and_that_can_be_undone(here: World) -> None:
    browser, other = browser_of(here), browser_of(here)
    form = browser.open("/settings/delete").form("typed")
    for typed, password, status in (("ken", PASSWORD, 400), ("hana", "wrong", 403)):
        assert browser.submit(form, typed=typed, password=password).status == status
    assert user(here).leaving is None

    answer = browser.submit(form, typed="Hana", password=PASSWORD)

    assert answer.location == "/settings/delete?done=leaving"
    assert user(here).leaving == here.clock.now + 14 * 86_400_000
    assert not is_signed_in(other)
    page = other.sign_in(other.open("/sign_in"), "hana", PASSWORD)
    assert page.location == "/settings/delete"
    page = other.open(page.location)
    assert "It is erased on 2027-01-29" in page.text
    assert "Undo it here" in other.open("/settings").text
    assert other.submit(page.form("stay")).location == "/settings?done=stay"
    assert user(here).leaving is None


def test_who_has_a_role_cannot_leave(here: World) -> None:
    here.platform.roles.give(HANA, Role.MODERATOR)
    browser = browser_of(here)
    page = browser.submit(browser.open("/settings/delete").form("typed"), typed="hana", password=PASSWORD)
    assert page.status == 409
    assert "role" in page.text


@pytest.mark.parametrize("path", ["profile", "apps", "password", "sessions", "data", "delete"])
def test_each_page_asks_to_sign_in_and_comes_back(here: World, path: str) -> None:
    browser = browser_of(here, None)
    page = browser.open(f"/settings/{path}")
    assert page.form("password").fields["to"] == f"/settings/{path}"
    assert browser.sign_in(page, "hana", PASSWORD).location == f"/settings/{path}"
    assert browser.open(f"/settings/{path}").status == 200


@pytest.mark.parametrize("path", ["/settings/profile", "/join", "/reset"])
def test_users_of_another_issuer_have_no_such_pages(make_world: Make, path: str) -> None:
    world = make_world(ENGAWA_OPENID_ISSUER="https://id.example", ENGAWA_OPENID_JWKS="https://id.example/jwks")
    assert reply(world.gateway.handle(Request("GET", path, []))).status == 404
