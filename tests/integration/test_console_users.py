"""The console's pages of users: what each role sees and does, what is stored and logged, and bad input."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import passwords
from chalicelib.core.model.directory import App, Page, User
from chalicelib.core.roles import Role
from tests.kit.plain_browser import Browser, browser_at
from tests.kit.plain_browser import Page as Shown
from tests.kit.worlds import World

ADA, BEN, KEN, MEI = "ada000000001", "ben000000001", "ken000000001", "mei000000001"
"""An operator, another one, a user, and a moderator."""
QUEST, CAFE = "6d1f0c2ab4e79853", "77"
PASSWORD = "correct horse battery"
PERSON = f"/console/users/{KEN}"
LONG = "م" * 50 + "a" * 50
HOSTILE = "</title><script>alert(1)</script>\u202e"


@pytest.fixture
def here(make_world: Callable[..., World]) -> World:
    world = make_world()
    platform = world.platform
    for user, name in ((ADA, "Ada"), (BEN, "Ben"), (KEN, HOSTILE), (MEI, "Mei")):
        platform.users.create(User(user, name, login=user[:3]), passwords.hash_password(PASSWORD))
    platform.roles.give(ADA, Role.OPERATOR)
    platform.roles.give(BEN, Role.OPERATOR)
    platform.roles.give(MEI, Role.MODERATOR)
    platform.apps.create(App(QUEST, "クエスト"))
    platform.pages.create(Page(CAFE, "カフェ"))
    platform.friends_and_installs.befriend(KEN, MEI)
    platform.appdata.install(QUEST, KEN)
    platform.appdata.restore(QUEST, KEN, {"level": "5", "note": "secret words"})
    platform.pages.members.add_follower(CAFE, KEN)
    return world


def browser_of(here: World) -> Browser:
    return browser_at(here.gateway)


def signed_in(here: World, login: str = "ada") -> Browser:
    browser = browser_of(here)
    assert browser.sign_in(browser.open("/sign_in"), login, PASSWORD).status == 303
    return browser


@pytest.fixture
def ada(here: World) -> Browser:
    return signed_in(here)


def post(browser: Browser, page: Shown, path: str, **fields: Any) -> Shown:
    """Send the form of a page that leads to a path; give the password again if it is asked for."""
    form = next(form for form in page.forms if form.action == path)
    answer = browser.submit(form, **fields)
    if any("password_again" in each.fields for each in answer.forms):
        answer = browser.submit(answer.form("password_again"), password_again=PASSWORD)
    return answer


def logged(here: World) -> list[tuple[str, str, str, str]]:
    """Return kind, actor, target and reason of each entry of the log that is done."""
    entries = [item for item in here.items("records") if item["pk"]["S"].startswith("log#")]
    assert all(item["o"]["S"] == "done" for item in entries)
    names = ("k", "a", "t", "w")
    return sorted(tuple(item[name]["S"] if name in item else "" for name in names) for item in entries)  # type: ignore[misc]


def directory(here: World) -> list[Any]:
    return here.items("directory")


def test_users_are_found(ada: Browser) -> None:
    page = ada.open("/console/users", q="ＭＥ")

    assert page.status == 200
    assert f"/console/users/{MEI}" in page.html
    assert KEN not in page.html
    assert "<script>alert" not in ada.open("/console/users", q=HOSTILE).html
    assert ada.open("/console/users", q="zzz", lang="en").text.count("Nobody was found") == 1
    for wrong in ({"q": "\u200b"}, {"q": "a" * 256}, {"q": "m", "cursor": "!"}):
        assert ada.open("/console/users", **wrong).status == 400


def test_a_person_is_shown_with_all_lists(ada: Browser) -> None:
    page = ada.open(PERSON, lang="en")

    assert page.status == 200
    assert "<script>alert" not in page.html
    assert "Friends (1)" in page.text
    for told in ("Mei", "クエスト", "カフェ"):
        assert told in page.text
    for name in ("friends", "apps", "administers", "follows", "feeds", "comments"):
        assert ada.open(f"{PERSON}/list/{name}").status == 200
    for path in ("/console/users/nobody", "/console/users/zzz000000001", f"{PERSON}/list/other"):
        assert ada.open(path).status == 404
    assert ada.open(f"{PERSON}/list/feeds", cursor="x").status == 400


def test_lists_have_parts(here: World, ada: Browser) -> None:
    for number in range(25):
        friend = f"fri{number:09}"
        here.platform.users.create(User(friend, LONG))
        here.platform.friends_and_installs.befriend(KEN, friend)

    person = ada.open(PERSON)
    assert f'href="{PERSON}/list/friends"' in person.html
    first = ada.open(f"{PERSON}/list/friends")
    following = re.search(r'href="([^"]*cursor=[^"]*)"', first.html)
    assert following
    second = ada.open(following[1])
    listed = re.findall(r"/console/users/((?:fri|mei)\w+)", first.html + second.html)
    assert len(listed) == len({*listed}) == 26


def test_a_suspension_needs_a_reason_and_is_logged(here: World, ada: Browser) -> None:
    page = ada.open(PERSON)

    assert post(ada, page, f"{PERSON}/suspension", reason=" ").status == 400
    assert post(ada, page, f"{PERSON}/suspension", reason="a" * 501).status == 400
    done = post(ada, page, f"{PERSON}/suspension", reason="spam")
    assert (done.status, done.location) == (303, f"{PERSON}?done=user_suspended")
    shown = ada.open(f"{done.location}&lang=en")
    assert "Access tokens that apps have now work until they expire, at most 15 minutes" in shown.text
    assert "Suspended since" in shown.text
    # A double submit changes nothing and leaves no second entry.
    assert post(ada, page, f"{PERSON}/suspension", reason="again").status == 303
    assert post(ada, shown, f"{PERSON}/suspension", reason="sorry").location.endswith("user_restored")
    assert logged(here) == [
        ("user.restored", f"user:{ADA}", f"user:{KEN}", "sorry"),
        ("user.suspended", f"user:{ADA}", f"user:{KEN}", "spam"),
    ]


def test_somebody_with_a_role_is_not_suspended(here: World, ada: Browser) -> None:
    page = ada.open(PERSON)
    here.platform.roles.give(KEN, Role.MODERATOR)

    assert post(ada, page, f"{PERSON}/suspension", reason="r").status == 409
    assert f"{PERSON}/suspension" not in ada.open(PERSON).html
    assert post(ada, ada.open(f"{PERSON}/erase"), "/confirm_password", password_again=PASSWORD).status == 303
    assert post(ada, ada.open(f"{PERSON}/erase"), f"{PERSON}/erase", typed="ken", reason="r").status == 409
    assert here.platform.users.get(KEN)


def test_a_person_is_edited_field_by_field(here: World, ada: Browser) -> None:
    form = ada.open(f"{PERSON}/edit").form("displayName")

    done = ada.submit(form, displayName=LONG, age="30", gender="female", bloodType="AB", birthday="1990-04-01")
    assert (done.status, done.location) == (303, f"{PERSON}?done=user_changed")
    known = here.platform.users.get(KEN)
    assert known
    assert (known.display_name, known.age, known.gender, known.login) == (LONG, 30, "female", "ken")
    assert [user.id for user in here.platform.search.users(LONG)[0]] == [KEN]
    assert ada.submit(ada.open(f"{PERSON}/edit").form("age")).location == f"{PERSON}?done=user_unchanged"
    (entry,) = (item for item in here.items("records") if item["pk"]["S"].startswith("log#"))
    assert "1990" not in str(entry)
    assert "displayName" in str(entry)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"displayName": ""}, 400),
        ({"displayName": "a" * 101}, 400),
        ({"age": "x"}, 400),
        ({"age": "151"}, 400),
        ({"age": "٣"}, 400),
        ({"birthday": "2025-02-29"}, 400),
        ({"profileUrl": "javascript:alert(1)"}, 400),
        ({"gender": "other"}, 400),
        ({"login": "n n"}, 400),
        ({"login": "mei"}, 409),
    ],
)
def test_a_wrong_field_changes_nothing(here: World, ada: Browser, fields: dict[str, str], status: int) -> None:
    before = directory(here)
    form = ada.open(f"{PERSON}/edit").form("displayName")

    answer = ada.submit(form, **fields)

    assert answer.status == status
    assert answer.form("displayName").fields == answer.form("displayName").fields | {
        name: value for name, value in fields.items() if name not in ("gender",)
    }
    assert directory(here) == before


def test_what_is_wrong_with_a_person_is_said_beside_the_field_in_the_readers_language(ada: Browser) -> None:
    form = ada.open(f"{PERSON}/edit", lang="ja").form("displayName")

    answer = ada.submit(form, login="n n", age="151", profileUrl="x")

    for said in ("英字か数字で始めてください。", "0〜150 の数字を入力してください。", "URL の形が正しくありません。"):
        assert said in answer.text
    assert answer.html.count('aria-invalid="true"') == 3
    assert "must be" not in answer.text


def test_the_longest_values_can_be_typed(here: World, ada: Browser) -> None:
    longest = {"address": "あ" * 255, "profileUrl": "https://a.example/".ljust(1024, "a"), "login": "n" * 64}
    form = ada.open(f"{PERSON}/edit").form("displayName")

    assert ada.submit(form, **longest).status == 303
    page = ada.open(f"{PERSON}/edit")
    for name, value in longest.items():
        assert f'name="{name}" value="{value}"' in page.html
        assert f'maxlength="{len(value)}"' in page.html


def test_two_operators_who_edit_at_once_do_not_undo_each_other(here: World, ada: Browser) -> None:
    ben = signed_in(here, "ben")
    first, second = (browser.open(f"{PERSON}/edit").form("displayName") for browser in (ada, ben))

    assert ada.submit(first, address="Kyoto").status == 303
    assert ben.submit(second, age="7").status == 303
    stale = ben.submit(second, address="Osaka")
    assert (stale.status, "was changed after you opened this page" in stale.text) == (409, True)
    known = here.platform.users.get(KEN)
    assert known
    assert (known.address, known.age) == ("Kyoto", 7)


def test_sessions_end_at_once(here: World, ada: Browser) -> None:
    ken = signed_in(here, "ken")
    assert "password" not in str(ken.open("/settings").forms[0].fields)

    done = post(ada, ada.open(PERSON), f"{PERSON}/sessions")

    assert done.location == f"{PERSON}?done=user_sessions_ended"
    assert 'name="password"' in ken.open("/settings").html
    assert [entry[0] for entry in logged(here)] == ["sessions.ended"]


def test_a_reset_link_is_shown_once_after_the_password(here: World, ada: Browser) -> None:
    page = ada.open(PERSON)
    form = next(form for form in page.forms if form.action == f"{PERSON}/reset-link")
    asked = ada.submit(form)
    assert asked.status == 403
    assert "link=" not in asked.html

    shown = ada.submit(asked.form("password_again"), password_again=PASSWORD)
    assert shown.status == 200
    assert re.search(r"/reset\?link=[\w-]{43}", shown.html)
    assert shown.headers["cache-control"] == "no-store"
    assert "link=" not in ada.open(PERSON).html
    assert [entry[0] for entry in logged(here)] == ["reset-link.made"]
    assert not re.search(r"[\w-]{43}", str(logged(here)))


def test_a_role_is_given_but_not_to_oneself(here: World, ada: Browser) -> None:
    page = ada.open(PERSON)

    assert post(ada, page, f"{PERSON}/role", role="moderator", reason="new").status == 303
    assert post(ada, page, f"{PERSON}/role", role="emperor").status == 400
    own = f"/console/users/{ADA}"
    form = next(form for form in page.forms if form.action == f"{PERSON}/role")
    form.action = f"{own}/role"
    assert ada.submit(form, role="moderator").status == 403
    assert f"{own}/role" not in ada.open(own).html
    assert {user: known.role for user in (ADA, KEN) if (known := here.platform.users.get(user))} == {
        ADA: Role.OPERATOR,
        KEN: Role.MODERATOR,
    }
    assert logged(here) == [("role.given", f"user:{ADA}", f"user:{KEN}", "new")]


def test_an_export_is_a_download(here: World, ada: Browser) -> None:
    answer = post(ada, ada.open(PERSON), f"{PERSON}/export")

    assert answer.status == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{KEN}.json"'
    assert '"secret words"' in answer.html
    assert [entry[0] for entry in logged(here)] == ["user.exported"]


def test_an_erasure_needs_the_typed_login(here: World, ada: Browser) -> None:
    confirmed = post(ada, ada.open(f"{PERSON}/erase"), "/confirm_password", password_again=PASSWORD)
    assert confirmed.status == 303
    page = ada.open(f"{PERSON}/erase")

    assert post(ada, page, f"{PERSON}/erase", typed="kem", reason="r").status == 400
    assert here.platform.users.get(KEN)
    done = post(ada, page, f"{PERSON}/erase", typed=" KEN ", reason="asked")
    assert (done.status, done.location) == (303, "/console/users?done=user_erased")
    assert here.platform.users.get(KEN) is None
    assert post(ada, page, f"{PERSON}/erase", typed="ken", reason="asked").status == 404
    assert logged(here) == [("user.erased", f"user:{ADA}", f"user:{KEN}", "asked")]


def test_data_are_keys_and_sizes_and_values_only_on_demand(here: World, ada: Browser) -> None:
    path = f"{PERSON}/apps/{QUEST}"
    page = ada.open(path, lang="en")

    assert page.status == 200
    assert "secret words" not in page.html
    assert "13 / 10,000,000" in page.text
    assert "2 / 10,000" in page.text
    form = next(form for form in page.forms if form.action == f"{path}/value" and form.fields.get("key") == "note")
    asked = ada.submit(form)
    assert "secret words" not in asked.html
    shown = ada.submit(asked.form("password_again"), password_again=PASSWORD)
    assert "secret words" in shown.text
    assert ada.submit(form, key="other").status == 404
    # A click deletes nothing: the next page asks.
    assert not [form for form in page.forms if form.action == f"{path}/delete"]
    asked = ada.open(f"{path}?delete=note")
    assert "Delete the key \u201cnote\u201d?" in asked.text
    assert here.platform.appdata.read(QUEST, KEN, None).data == {"level": "5", "note": "secret words"}
    assert not [form for form in ada.open(f"{path}?delete=other").forms if form.action == f"{path}/delete"]
    (delete,) = [form for form in asked.forms if form.action == f"{path}/delete"]
    done = ada.submit(delete)
    assert done.location == f"{path}?done=data_deleted"
    assert here.platform.appdata.read(QUEST, KEN, None).data == {"level": "5"}
    assert ada.submit(delete, key="").status == 400
    assert logged(here) == [
        ("data.deleted", f"user:{ADA}", f"user:{KEN}/app:{QUEST}", ""),
        ("data.shown", f"user:{ADA}", f"user:{KEN}/app:{QUEST}", ""),
    ]
    assert "secret words" not in str(here.items("records"))
    for missing in (f"{PERSON}/apps/{'0' * 16}", f"{PERSON}/apps/x", f"/console/users/{MEI}/apps/{QUEST}"):
        assert ada.open(missing).status == 404


def test_an_invitation_is_shown_once(here: World, ada: Browser) -> None:
    form = ada.open("/console/invitations", lang="ja").form("name")

    refused = ada.submit(form, name="a" * 101)
    assert refused.status == 400
    assert "長すぎるか、使えない文字があります。" in refused.text
    assert "max=" not in refused.text
    shown = ada.submit(form, name=HOSTILE.replace("\u202e", ""))
    assert shown.status == 200
    assert re.search(r"/join\?link=[\w-]{43}", shown.html)
    assert [entry[:3] for entry in logged(here)] == [("invitation.made", f"user:{ADA}", "platform")]


POSTS = ("suspension", "sessions", "reset-link", "role", "edit", "export", "erase", f"apps/{QUEST}/value")


@pytest.mark.parametrize("path", [*(f"{PERSON}/{name}" for name in POSTS), "/console/invitations"])
def test_forged_and_foreign_forms_change_nothing(here: World, ada: Browser, path: str) -> None:
    before = directory(here)
    form = ada.open(PERSON).form("reason")
    form.action = path

    # Another session's form, and a form without a session.
    for browser in (signed_in(here, "ben"), browser_of(here)):
        assert browser.submit(form, reason="r", csrf=form.fields["csrf"]).status in (200, 400)
    # Without a role there is no console.
    ken = signed_in(here, "ken")
    form.fields["csrf"] = next(each.fields["csrf"] for each in ken.open("/settings").forms if "csrf" in each.fields)
    assert ken.submit(form, reason="r").status == 404

    assert [item for item in directory(here) if item not in before] == []
    assert logged(here) == []


@pytest.mark.parametrize("path", ["sessions", "reset-link", "role", "edit", "export", "erase", f"apps/{QUEST}/value"])
def test_a_moderator_sees_and_suspends_and_no_more(here: World, path: str) -> None:
    mei = signed_in(here, "mei")
    page = mei.open(PERSON)
    form = page.form("reason")

    assert page.status == 200
    assert f"{PERSON}/{path}" not in page.html
    assert mei.submit(form, reason="spam").status == 303
    form.action = f"{PERSON}/{path}"
    assert mei.submit(form, reason="spam", typed="ken", key="note", role="operator").status == 403
    assert mei.open(f"{PERSON}/apps/{QUEST}").status == 403
    assert mei.open("/console/invitations").status == 403
