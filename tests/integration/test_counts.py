"""The counts of users, apps, pages and installs: they equal the items, whatever happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.model.directory import App, Page, User
from chalicelib.store.directory import counts
from chalicelib.store.directory.counts import COUNTED, Kind, kind_of
from chalicelib.store.directory.keys import COUNTS
from tests.kit import invariants_directory
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, YUKI, Reply, World, befriended

STRANGER = "z" * 12


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return a world of five users, one app that four of them have, and no page."""
    made = make_world(befriended)
    made.platform.apps.create(App(APP, "Quest", confidential=False))
    return made


def counted(world: World) -> tuple[int, int, int, int]:
    """Return the counts of users, apps, pages and installs, after checking that each equals its items."""
    assert invariants_directory.People(world.items("directory"), world.items("grants")).wrongs() == []
    found = world.platform.counts.read()
    kinds = Counter(kind for item in world.items("directory") if (kind := kind_of(item)))
    assert found == {kind: kinds[kind] for kind in Kind}
    return found[Kind.USERS], found[Kind.APPS], found[Kind.PAGES], found[Kind.INSTALLS]


def test_an_empty_platform_counts_nothing(make_world: Callable[..., World]) -> None:
    assert counted(make_world()) == (0, 0, 0, 0)


def test_what_is_created_and_deleted_is_counted(world: World) -> None:
    here = world.platform
    assert counted(world) == (5, 1, 0, 4)
    here.users.create(User(STRANGER, "new", login="new"), "hash")
    here.apps.create(App("0" * 16, "Second", confidential=False))
    here.pages.create(Page("7", "Café"))
    assert here.appdata.install("0" * 16, STRANGER, {"key": "value"})
    assert counted(world) == (6, 2, 1, 5)
    here.user_data.erase(STRANGER)
    assert counted(world) == (5, 2, 1, 4)
    here.apps.delete("0" * 16)
    here.pages.delete("7")
    assert counted(world) == (5, 1, 0, 4)


def test_a_repeated_request_counts_nothing(world: World) -> None:
    here = world.platform
    with pytest.raises(Conflict):
        here.users.create(User(HANA, "again"))
    with pytest.raises(Conflict):
        here.apps.create(App(APP, "again", confidential=False))
    here.users.create(User(STRANGER, "new", login="taken"))
    with pytest.raises(Conflict):
        here.users.create(User("y" * 12, "new", login="taken"))
    assert not here.appdata.install(APP, HANA)
    with pytest.raises(NotFound):
        here.appdata.install(APP, "y" * 12)
    assert counted(world) == (6, 1, 0, 4)
    for _ in range(2):
        here.appdata.uninstall(APP, HANA)
        here.users.close(STRANGER)
        here.apps.close(APP)
        found = here.counts.read()
        assert [found[kind] for kind in Kind] == [5, 0, 0, 3]
    assert not here.apps.close("f" * 16)
    assert not here.pages.close("7")


def test_an_import_counts_each_record_once(world: World, operator: Callable[..., Reply]) -> None:
    users = [{"id": f"{number:012}", "displayName": "new"} for number in range(20)]
    records = {
        "users": users,
        "pages": [{"id": "7", "name": "Café"}],
        "installs": [{"user": each["id"], "app": APP} for each in users],
    }
    for _ in range(2):
        assert operator("POST", "/import", records).status == 200
        assert counted(world) == (25, 1, 1, 24)


def forget(world: World) -> None:
    """Make a world as versions before left it: nothing is counted."""
    table: Any = world.dynamodb
    for item in world.items("directory"):
        place = {"TableName": "engawa-local-directory", "Key": {name: item[name] for name in ("pk", "sk")}}
        table.delete_item(**place)
        if item["pk"]["S"] != COUNTS:
            rest = {name: value for name, value in item.items() if name != COUNTED}
            table.put_item(TableName="engawa-local-directory", Item=rest)


def test_what_was_never_counted_is_deleted_without_a_change_of_counts(world: World) -> None:
    here = world.platform
    here.pages.create(Page("7", "Café"))
    forget(world)
    assert set(here.counts.read().values()) == {0}
    assert here.appdata.uninstall(APP, HANA)
    here.user_data.erase(KEN)
    here.pages.delete("7")
    here.appdata.install(APP, HANA)
    assert here.counts.read() == {Kind.USERS: 0, Kind.APPS: 0, Kind.PAGES: 0, Kind.INSTALLS: 1}
    here.counts.count_existing(world.items("directory"))
    assert counted(world) == (4, 1, 0, 3)
    here.counts.count_existing(world.items("directory"))
    assert counted(world) == (4, 1, 0, 3)


def test_counting_what_exists_meets_other_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The items were read before they are changed: two are deleted, one is counted by another run."""
    monkeypatch.setattr(counts, "SHARDS", 1)
    here = world.platform
    forget(world)
    stale = world.items("directory")
    here.appdata.uninstall(APP, HANA)
    here.user_data.erase(TARO)
    [yuki] = [item for item in stale if item["pk"]["S"] == f"user#{YUKI}" and item["sk"]["S"] == "#"]
    here.counts.count_existing([yuki])
    found = here.counts.count_existing(stale)
    left = {(f"user#{user}", "#") for user in (HANA, KEN, MEI)} | {(f"app#{APP}", "#")}
    assert {key for key in found if key[1] == "#"} == left
    assert counted(world) == (4, 1, 0, 3)


def test_the_shards_share_the_load() -> None:
    keys = [counts.counter_key(Kind.USERS, (f"user#{number:012}", "#")) for number in range(6_400)]
    found = Counter(keys)
    assert len(found) == counts.SHARDS
    assert max(found.values()) < 2 * 6_400 / counts.SHARDS
    assert {pk for pk, _ in keys} == {COUNTS}
