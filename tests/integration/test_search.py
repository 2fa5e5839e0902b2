"""The search of users, apps and pages: what is found, its parts, its rows through all changes, and existing data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import App, Page, User
from chalicelib.store.aws.items import key_of
from tests.kit.invariants_directory import People
from tests.kit.rivals import meanwhile
from tests.kit.worlds import Reply, World

Send = Callable[..., Reply]
AOI, BEN, CHO = "aoi000000001", "ben000000001", "cho000000001"


@pytest.fixture
def names(make_world: Callable[..., World]) -> World:
    world = make_world()
    users = world.platform.users
    users.create(User(AOI, "葵 (Aoi)", login="aoi"))
    users.create(User(BEN, "Ｂｅｎ カトウ", login="katou.ben"))
    users.create(User(CHO, "かとう 蝶", login="cho"))
    world.platform.apps.create(App("a" * 16, "クエスト (Quest)"))
    world.platform.pages.create(Page("77", "カフェ縁側"))
    return world


def check(world: World) -> None:
    assert People(world.items("directory"), world.items("grants")).wrongs() == []


def rows_of(world: World) -> set[tuple[str, str]]:
    return {key_of(item) for item in world.items("directory") if item["pk"]["S"].startswith("find#")}


def without_rows(world: World) -> None:
    """Make the directory what a version before the search has stored."""
    table = "engawa-local-directory"
    for item in world.items("directory"):
        if item["pk"]["S"].startswith("find#"):
            world.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
        elif "q" in item:
            world.dynamodb.put_item(TableName=table, Item={name: item[name] for name in item.keys() - {"q"}})


def found(world: World, text: str) -> list[str]:
    return [user.id for user in world.platform.search.users(text)[0]]


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("aoi", [AOI]),
        ("AO", [AOI]),
        ("葵", [AOI]),
        (AOI, [AOI]),
        ("ben", [BEN]),
        ("ＢＥＮ　カ", [BEN]),
        ("katou", [BEN]),
        ("k", [BEN]),
        ("ｶﾄｳ", [CHO]),
        ("カトウ", [CHO]),
        ("かと\u200bう", [CHO]),
        ("カトウ 蝶", [CHO]),
        ("oi", []),
        ("zzz", []),
        ("#", []),
        ("%", []),
        ("\u202eaoi", [AOI]),
    ],
)
def test_users_are_found_by_id_and_by_the_beginning_of_their_names(names: World, text: str, users: list[str]) -> None:
    assert found(names, text) == users


def test_apps_and_pages_are_found_by_name_and_id(names: World) -> None:
    search = names.platform.search

    for text in ("くえ", "クエスト", "a" * 16):
        apps, following = search.apps(text)
        assert ([app.id for app in apps], following) == (["a" * 16], None)
        assert apps[0].secret is None
    for text in ("かふぇ", "カフェ縁", "77"):
        assert [page.id for page in search.pages(text)[0]] == ["77"]
    assert search.apps("カフェ")[0] == search.pages("クエ")[0] == []


def test_a_change_of_a_name_changes_what_finds_it(names: World) -> None:
    platform = names.platform

    platform.users.change(AOI, display_name="山田")
    platform.users.change(BEN, login="bento", age=3)
    platform.users.change(CHO, login=None, display_name="蝶")
    platform.apps.change("a" * 16, name="Other", origins=("https://a.example",))
    platform.pages.change("77", name="茶屋", details="d")

    assert (found(names, "葵"), found(names, "山"), found(names, "aoi")) == ([], [AOI], [AOI])
    assert (found(names, "katou"), found(names, "bento")) == ([], [BEN])
    assert (found(names, "cho"), found(names, "かとう"), found(names, "蝶")) == ([], [], [CHO])
    assert platform.search.apps("クエ")[0] == platform.search.pages("カ")[0] == []
    assert [app.origins for app in platform.search.apps("oth")[0]] == [("https://a.example",)]
    assert [page.details for page in platform.search.pages("茶")[0]] == ["d"]
    check(names)


def test_what_is_deleted_is_not_found_and_leaves_no_row(names: World) -> None:
    platform = names.platform

    for user in (AOI, BEN, CHO):
        platform.user_data.erase(user)
    platform.user_data.erase_app("a" * 16)
    platform.pages.delete("77")

    assert rows_of(names) == set()
    assert not platform.apps.close("a" * 16)
    assert not platform.pages.close("77")
    assert found(names, AOI) == found(names, "aoi") == []


def test_a_list_is_read_in_parts_without_a_user_twice(names: World) -> None:
    platform = names.platform
    wanted = []
    for number in range(25):
        # Login and name begin alike, so each has two rows of this search.
        platform.users.create(User(f"taro{number:08}", f"Taro の {number:02}", login=f"taro{24 - number:02}"))
        wanted.append(f"taro{number:08}")

    seen: list[str] = []
    cursor, parts = None, 0
    while True:
        users, cursor = platform.search.users("taro", cursor, 7)
        assert len(users) <= 7
        seen += [user.id for user in users]
        parts += 1
        if cursor is None:
            break
        if parts == 2:
            # A list that changes while it is read: only who moves may be seen twice.
            platform.users.change(wanted[0], display_name="Taro らう")

    assert sorted({*seen}) == wanted
    assert sorted(seen) in (wanted, sorted([*wanted, wanted[0]]))
    check(names)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "a" * 256])
def test_a_search_for_nothing_is_refused(names: World, text: str) -> None:
    with pytest.raises(ParameterInvalid):
        names.platform.search.users(text)


@pytest.mark.parametrize(
    ("display_name", "text"),
    [
        ("م" * 100, "م" * 60),
        ("a" * 100, "A" * 100),
        ("\u202eevil", "evil"),
        ("あ" * 33, "ア" * 33),
        ("x" * 31 + " y", "x" * 31 + " y"),
        ("a" * 100, "a" * 32),
    ],
)
def test_unusual_names_are_found(names: World, display_name: str, text: str) -> None:
    names.platform.users.create(User("new000000001", display_name))

    assert found(names, text) == ["new000000001"]
    check(names)


def test_a_name_without_a_visible_character_has_no_row(names: World) -> None:
    names.platform.users.create(User("new000000001", "\u200b"))

    assert found(names, "new000000001") == ["new000000001"]
    check(names)
    names.platform.users.change("new000000001", display_name="見")
    assert found(names, "見") == ["new000000001"]
    names.platform.users.change("new000000001", display_name="\u200b")
    check(names)


@pytest.mark.parametrize(
    "other",
    [{"display_name": "別"}, {"login": "betsu"}, {"login": None}, {"login": "山田"}, {"display_name": "aoi"}],
)
def test_two_changes_of_names_at_once_keep_the_rows_right(names: World, other: dict[str, Any]) -> None:
    users = names.platform.users

    with meanwhile(lambda: users.change(AOI, **other)):
        users.change(AOI, display_name="山田")

    assert found(names, "山田") == [AOI]
    check(names)


def test_a_close_that_meets_a_change_leaves_no_row(names: World) -> None:
    platform = names.platform

    def change() -> None:
        if platform.users.get(AOI):
            platform.users.change(AOI, display_name="山田")
        platform.apps.change("a" * 16, name="Other")

    for close in (platform.users.close, platform.apps.close):
        with meanwhile(change):
            assert close(AOI if close == platform.users.close else "a" * 16)
        check(names)


def test_the_operators_lists_find(names: World, operator_of: Callable[[World], Send]) -> None:
    operator = operator_of(names)

    users = operator("GET", "/users", find="カトウ").json
    assert [user["id"] for user in users["entry"]] == [CHO]
    assert users["entry"][0]["role"] is None
    assert "nextCursor" not in users
    assert [app["id"] for app in operator("GET", "/apps", find="QUEST").json["entry"]] == []
    assert [app["id"] for app in operator("GET", "/apps", find="くえすと").json["entry"]] == ["a" * 16]
    assert [page["id"] for page in operator("GET", "/pages", find="カフェ").json["entry"]] == ["77"]
    first = operator("GET", "/users", find="c", count="1").json
    assert [user["id"] for user in first["entry"]] == [CHO]
    for path in ("/users", "/apps", "/pages"):
        assert operator("GET", path, find="").status == 400
        assert operator("GET", path, find="a", cursor="AAAA").status == 400


@pytest.fixture
def operator_of() -> Callable[[World], Send]:
    def of(world: World) -> Send:
        token = world.token(None, "admin", app="operator")
        return lambda method, path, body=None, **more: world.send(
            method, f"/admin{path}", body, user=None, token=token, **more
        )

    return of


def test_imported_users_apps_and_pages_are_found(names: World, operator_of: Callable[[World], Send]) -> None:
    records = {
        "users": [{"id": "imp000000001", "displayName": "輸入", "login": "import"}],
        "apps": [{"id": "b" * 16, "name": "Imported"}],
        "pages": [{"id": "78", "name": "輸入"}],
    }
    for _ in range(2):
        assert operator_of(names)("POST", "/import", records).status == 200

    assert found(names, "輸") == found(names, "imp") == ["imp000000001"]
    assert [app.id for app in names.platform.search.apps("imported")[0]] == ["b" * 16]
    assert [page.id for page in names.platform.search.pages("輸入")[0]] == ["78"]
    check(names)


def test_existing_items_get_their_rows_by_a_migration(names: World, operator_of: Callable[[World], Send]) -> None:
    operator = operator_of(names)
    rows = rows_of(names)
    without_rows(names)
    assert found(names, "aoi") == []
    assert found(names, AOI) == [AOI]

    def migrate(*, check: bool) -> dict[str, int]:
        total = {"old": 0, "rewritten": 0}
        for segment in range(8):
            told = operator("POST", "/migrations", {"table": "directory", "segment": segment, "check": check}).json
            total = {name: count + told[name] for name, count in total.items()}
        return total

    assert migrate(check=True) == {"old": 5, "rewritten": 0}
    assert migrate(check=False) == {"old": 5, "rewritten": 5}
    assert migrate(check=False) == {"old": 0, "rewritten": 0}
    assert rows_of(names) == rows != set()
    assert found(names, "aoi") == [AOI]
    check(names)
