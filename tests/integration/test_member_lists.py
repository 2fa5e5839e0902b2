"""`/apps`, `/friends`, `/pages` and `/people/{user}`: parts of long lists, and what a person shows to whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.core import passwords
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import Publication
from tests.kit.html_checks import links
from tests.kit.plain_browser import Browser, browser_at
from tests.kit.worlds import HANA, KEN, MEI, TARO, YUKI, World

PASSWORD = "correct horse battery"
LONG = "\u202e" + 99 * "w"
PUBLISHED = {
    "address": Publication.FRIENDS,
    "birthday": Publication.FRIENDS_OF_FRIENDS,
    "age": Publication.EVERYONE,
    "gender": Publication.NOBODY,
}
PROFILE = {"address": "Tokyo", "birthday": "1991-04-02", "age": 35, "gender": "female"}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world()
    users = made.platform.users
    users.create(User(HANA, "Hana", login="hana"), passwords.hash_password(PASSWORD))
    users.create(User(KEN, LONG, publication=PUBLISHED, **PROFILE))  # type: ignore[arg-type]
    for other in (MEI, TARO):
        users.create(User(other, f"<b>{other}"))
    return made


@pytest.fixture
def browser(world: World) -> Browser:
    made = browser_at(world.gateway)
    made.sign_in(made.open("/sign_in"), "hana", PASSWORD)
    return made


@pytest.mark.parametrize(
    ("closeness", "shown"),
    [("stranger", {"35"}), ("friend of a friend", {"35", "1991-04-02"}), ("friend", {"35", "1991-04-02", "Tokyo"})],
)
def test_a_person_s_page_shows_each_field_to_those_it_is_published_to(
    world: World, browser: Browser, closeness: str, shown: set[str]
) -> None:
    befriend = world.platform.friends_and_installs.befriend
    if closeness == "friend":
        befriend(HANA, KEN)
    elif closeness == "friend of a friend":
        befriend(HANA, MEI)
        befriend(MEI, KEN)
    else:
        befriend(TARO, KEN)

    page = browser.open(f"/people/{KEN}", lang="en")

    assert page.status == 200
    assert {value for value in ("35", "1991-04-02", "Tokyo", "Female") if f"<bdi>{value}</bdi>" in page.html} == shown
    assert f"<bdi>{LONG}</bdi>" in page.html


def test_one_s_own_page_shows_everything(world: World, browser: Browser) -> None:
    world.platform.users.change(HANA, publication=dict.fromkeys(PUBLISHED, Publication.NOBODY), **PROFILE)
    page = browser.open(f"/people/{HANA}", lang="en")
    assert all(f"<bdi>{value}</bdi>" in page.html for value in ("35", "1991-04-02", "Tokyo", "Female"))
    assert "/settings" in links(page.html)


@pytest.mark.parametrize("user", [YUKI, "x", "K3V9X2MTQ7RA", "..", "%00", "a" * 300])
def test_there_is_no_page_of_who_is_not_there(browser: Browser, user: str) -> None:
    assert browser.open(f"/people/{user}").status == 404


@pytest.mark.parametrize("gone", ["suspended", "erased"])
def test_there_is_no_page_of_who_is_suspended_or_erased(world: World, browser: Browser, gone: str) -> None:
    assert browser.open(f"/people/{KEN}").status == 200
    if gone == "suspended":
        world.platform.roles.suspend(KEN)
    else:
        world.platform.user_data.erase(KEN)
    assert browser.open(f"/people/{KEN}").status == 404


def test_a_long_list_has_parts_and_a_friend_who_comes_in_between_is_no_harm(world: World, browser: Browser) -> None:
    ids = [f"friend{number:06}" for number in range(60)]
    world.populate(*ids)
    for each in ids:
        world.platform.friends_and_installs.befriend(HANA, each)

    first = browser.open("/friends")
    world.platform.friends_and_installs.befriend(HANA, KEN)
    world.platform.friends_and_installs.unfriend(HANA, ids[10])
    following = next(link for link in links(first.html) if "cursor=" in link and "lang" not in link)
    second = browser.open(f"/friends{following}")

    seen = [link for page in (first, second) for link in links(page.html) if link.startswith("/people/friend")]
    assert seen == [f"/people/{each}" for each in ids]
    assert "?" in links(second.html)
    assert not [link for link in links(second.html) if link.startswith("?cursor=")]


@pytest.mark.parametrize("path", ["/apps", "/friends", "/pages", "/pages?list=administered"])
def test_a_cursor_that_is_none_of_ours_is_a_400(browser: Browser, path: str) -> None:
    page = browser.open(path + ("&" if "?" in path else "?") + "cursor=%FF!")
    assert page.status == 400
    assert page.headers["content-type"].startswith("text/html")


def test_names_are_escaped(world: World, browser: Browser) -> None:
    world.platform.friends_and_installs.befriend(HANA, MEI)
    page = browser.open("/friends")
    assert f"<bdi>&lt;b&gt;{MEI}</bdi>" in page.html
