"""The store of pages: fields, modules, administrators, followers and their number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.model.directory import App, Category, FeedSource, Module, Page, User
from chalicelib.store.directory.keys import every
from chalicelib.store.directory.pages import Pages
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, YUKI, World

CAFE = Page(
    "20260401000000000001",
    "縁側カフェ",
    Category.LOCAL,
    details="one\ntwo",
    zip_code="150-0011",
    address="東京",
    pc_url="https://a.example/",
    mobile_url="https://m.a.example/",
    smartphone_url="https://s.a.example/",
    birthday="2001-02-03",
    thumbnail_large="https://a.example/l.jpg",
    thumbnail_medium="https://a.example/m.jpg",
    thumbnail_small="https://a.example/s.jpg",
    feed_source=FeedSource.EVERYONE,
    created=5,
)
STRANGER = "z" * 12


@pytest.fixture
def pages(world: World) -> Pages:
    world.platform.apps.create(App(APP, "Quest"))
    world.platform.pages.create(CAFE)
    return world.platform.pages


def test_a_page_is_kept_whole_and_changed_field_by_field(pages: Pages) -> None:
    assert pages.get(CAFE.id) == CAFE
    assert pages.get("7") is None
    with pytest.raises(Conflict, match=CAFE.id):
        pages.create(CAFE)

    changed = pages.change(CAFE.id, name="Café", category=Category.BRAND, birthday="")

    assert changed == pages.get(CAFE.id) == replace(CAFE, name="Café", category=Category.BRAND, birthday="")
    assert pages.change(CAFE.id) == changed
    with pytest.raises(NotFound, match="There is no page 7"):
        pages.change("7", name="a")
    with pytest.raises(NotFound):
        pages.change("7")


def test_pages_are_listed_in_parts(pages: Pages) -> None:
    for number in range(1, 6):
        pages.create(Page(str(number), "page"))

    assert [page.id for page in every(lambda cursor: pages.list_part(cursor, 2))] == ["1", "2", CAFE.id, "3", "4", "5"]


def test_modules_are_numbered(pages: Pages) -> None:
    assert pages.add_module(CAFE.id, APP, "Quest", "3") == Module(CAFE.id, "3", APP, "Quest")
    assert pages.add_module(CAFE.id, APP, "Again").id == "4"
    assert pages.add_module(CAFE.id, APP, "Late", "1").id == "1"
    assert pages.add_module(CAFE.id, APP, "Next").id == "5"
    with pytest.raises(Conflict, match="module 3"):
        pages.add_module(CAFE.id, APP, "Quest", "3")
    with pytest.raises(NotFound, match="There is no page 7"):
        pages.add_module("7", APP, "Quest")
    with pytest.raises(NotFound, match="There is no app"):
        pages.add_module(CAFE.id, "f" * 16, "Quest")

    assert [module.id for module in every(lambda cursor: pages.modules(CAFE.id, cursor, 3))] == ["1", "3", "4", "5"]
    assert pages.module(CAFE.id, "4") == Module(CAFE.id, "4", APP, "Again")
    assert pages.remove_module(CAFE.id, "5")
    assert not pages.remove_module(CAFE.id, "5")
    assert pages.module(CAFE.id, "5") is None
    assert pages.add_module(CAFE.id, APP, "Newer").id == "6", "a number is used once"


def test_followers_are_counted(pages: Pages) -> None:
    assert [pages.members.add_follower(CAFE.id, user) for user in (HANA, KEN, HANA)] == [True, True, False]
    assert followers(pages) == 2
    assert pages.members.followers(CAFE.id) == (sorted([HANA, KEN]), None)
    assert pages.members.followed(HANA) == ([CAFE.id], None)
    assert [pages.members.remove_follower(CAFE.id, user) for user in (HANA, MEI, HANA)] == [True, False, False]
    assert followers(pages) == 1
    assert pages.members.followed(HANA) == ([], None)


def test_administrators_are_no_followers(pages: Pages) -> None:
    assert pages.members.add_administrator(CAFE.id, MEI)
    assert not pages.members.add_administrator(CAFE.id, MEI)
    assert MEI in pages.members.administrators(CAFE.id)[0]
    assert HANA not in pages.members.administrators(CAFE.id)[0]
    assert pages.members.administrators(CAFE.id) == ([MEI], None)
    assert pages.members.administered(MEI) == ([CAFE.id], None)
    assert followers(pages) == 0
    assert pages.members.remove_administrator(CAFE.id, MEI)
    assert not pages.members.remove_administrator(CAFE.id, MEI)
    assert MEI not in pages.members.administrators(CAFE.id)[0]


@pytest.mark.parametrize(("page", "user"), [(CAFE.id, STRANGER), ("7", HANA)])
def test_page_and_user_must_exist(world: World, pages: Pages, page: str, user: str) -> None:
    before = world.items("directory")

    for add in (pages.members.add_administrator, pages.members.add_follower):
        with pytest.raises(NotFound):
            add(page, user)

    assert world.items("directory") == before


def test_lists_refuse_a_cursor_of_nobodys(pages: Pages) -> None:
    reads: list[Any] = [
        pages.modules,
        pages.members.administrators,
        pages.members.followers,
        pages.members.administered,
        pages.members.followed,
    ]
    for read in reads:
        with pytest.raises(ParameterInvalid, match="cursor"):
            read(CAFE.id, "follower#a", 1)


def test_a_deleted_page_leaves_nothing_in_its_parts_or_in_counts(world: World, pages: Pages) -> None:
    before = {item["pk"]["S"] for item in world.items("directory")} - {f"page#{CAFE.id}"}
    many = [world.platform.users.create(User(f"{number:012d}", "user")).id for number in range(120)]
    for user in (HANA, KEN, MEI, TARO, YUKI, *many):
        pages.members.add_follower(CAFE.id, user)
    pages.members.add_administrator(CAFE.id, HANA)
    pages.members.add_administrator(CAFE.id, MEI)
    pages.add_module(CAFE.id, APP, "Quest")

    assert pages.close(CAFE.id)
    assert pages.get(CAFE.id) is None
    assert pages.list_part() == ([], None)
    for refused in (
        lambda: pages.members.add_follower(CAFE.id, HANA),
        lambda: pages.members.add_administrator(CAFE.id, KEN),
        lambda: pages.add_module(CAFE.id, APP, "a"),
        lambda: pages.change(CAFE.id, name="a"),
    ):
        with pytest.raises(NotFound):
            refused()
    assert pages.delete(CAFE.id)

    assert not pages.delete(CAFE.id)
    assert not pages.close(CAFE.id)
    left = world.items("directory")
    assert {item["pk"]["S"] for item in left} - {f"user#{user}" for user in many} == before - {
        f"find#page#{CAFE.name[0]}"
    }
    assert {item["pages"]["N"] for item in left if "pages" in item} == {"0"}
    assert [item["modules"]["N"] for item in left if "modules" in item] == ["0"]


def followers(pages: Pages) -> int:
    page = pages.get(CAFE.id)
    assert page is not None
    return page.followers
