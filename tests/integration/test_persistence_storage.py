"""Clients cannot see where values are stored: large ones move out of the ledger and back, without leftovers."""

import random
import string

import pytest

from tests.kit.appdata_api import FRIENDS, USAGE, everything, own_data, self_of, stored
from tests.kit.worlds import APP, HANA, KEN, ME, World


def noise(seed: object, size: int) -> str:
    return "".join(random.Random(repr(seed)).choices(string.ascii_letters + string.digits, k=size))


def own_items(world: World, user: str = HANA) -> list[str]:
    """Return the sort keys of the values that have items of their own."""
    items = world.items("appdata")
    return [item["sk"]["S"] for item in items if item["pk"]["S"].endswith(f"#{user}") and item["sk"]["S"] != "#"]


def check_all_ways_of_reading(world: World, expected: dict[str, str]) -> None:
    """Check that every way of reading returns `expected` as Hana's data. Ken reads as her friend."""
    assert own_data(world) == expected
    assert world.send("GET", self_of(HANA), user=KEN).json == {"entry": [{"id": HANA, "data": expected}]}
    entry = [{"id": HANA, "data": expected}] if expected else []
    assert world.send("GET", FRIENDS, user=KEN).json == {"entry": entry}
    some = {key: value for turn, (key, value) in enumerate(expected.items()) if turn % 7 == 0}
    fields = ",".join([*some, "unknown"])
    assert world.send("GET", ME, fields=fields).json["entry"][0]["data"] == some
    assert world.send("GET", FRIENDS, fields=fields, user=KEN).json == {
        "entry": [{"id": HANA, "data": some}] if some else []
    }
    usage = world.send("GET", USAGE).json["entry"]
    assert usage["keys"]["used"] == len(expected)
    assert usage["bytes"]["used"] == sum(len(value.encode()) for value in expected.values())


def test_a_value_that_grows_leaves_the_ledger_and_one_that_shrinks_comes_back(world: World):
    for size, own in ((10, 0), (5000, 1), (65_535, 1), (3000, 0), (4000, 1), (0, 0)):
        stored(world, {"k": noise(size, size), "near": "縁"})
        assert len(own_items(world)) == own
        check_all_ways_of_reading(world, {"k": noise(size, size), "near": "縁"})


def test_a_deleted_large_value_leaves_nothing_behind(world: World):
    stored(world, {"k": noise(1, 5000), "near": "v"})
    world.send("DELETE", ME, fields="k")
    assert own_items(world) == []
    check_all_ways_of_reading(world, {"near": "v"})


def test_many_values_of_middling_size_are_all_read(world: World):
    pairs = {f"k{turn}": noise(turn, 50 + 17 * turn) for turn in range(99)}
    stored(world, pairs)
    assert 0 < len(own_items(world)) < 99
    check_all_ways_of_reading(world, pairs)


@pytest.mark.parametrize("size", [0, 12])
def test_more_keys_than_a_ledger_can_list_are_all_read_changed_and_deleted(world: World, size):
    names = [noise(turn, 200) for turn in range(160)]
    pairs = {name: noise(name, size) for name in names}
    for start in range(0, 160, 80):
        stored(world, {name: pairs[name] for name in names[start : start + 80]})
    check_all_ways_of_reading(world, pairs)
    changes = dict.fromkeys(names[::5], "changed")
    stored(world, changes)
    pairs |= changes
    check_all_ways_of_reading(world, pairs)
    gone = names[1::5]
    assert world.send("DELETE", ME, fields=",".join(gone)).status == 200
    check_all_ways_of_reading(world, {name: value for name, value in pairs.items() if name not in gone})


def test_deleting_everything_leaves_the_ledger_alone_after_a_sweep(world: World):
    stored(world, {f"k{turn}": noise(turn, 5000) for turn in range(60)} | {"near": "v"})
    world.send("DELETE", ME)
    check_all_ways_of_reading(world, {})
    stored(world, {"k1": noise("new", 5000)})
    assert world.platform.sweep() == 60
    assert len(own_items(world)) == 1
    assert not [item for item in world.items() if item["pk"]["S"] == "trash"]
    check_all_ways_of_reading(world, {"k1": noise("new", 5000)})
    assert world.platform.sweep() == 0


def test_uninstalling_and_sweeping_leaves_nothing_of_the_user_in_any_table(world: World):
    world.platform.appdata.uninstall(APP, HANA)
    never = everything(world)
    world.platform.appdata.install(APP, HANA)
    stored(world, {f"k{turn}": noise(turn, 5000) for turn in range(30)} | {"near": "v"})
    assert world.platform.appdata.uninstall(APP, HANA)
    assert world.platform.sweep() == 30
    assert everything(world) == never


def test_what_was_there_before_uninstalling_does_not_come_back(world: World):
    stored(world, {"far": noise(1, 5000), "near": "v"})
    etag = world.send("GET", ME).headers["etag"]
    world.platform.appdata.uninstall(APP, HANA)
    world.platform.appdata.install(APP, HANA)
    check_all_ways_of_reading(world, {})
    assert world.send("POST", ME, {"k": "v"}, headers={"If-Match": etag}).status == 412
    assert world.send("GET", ME, headers={"If-None-Match": etag}).status == 200
    stored(world, {"far": "small"})
    world.platform.sweep()
    check_all_ways_of_reading(world, {"far": "small"})


def test_a_sweep_touches_nothing_that_is_in_use(world: World):
    for user in (HANA, KEN):
        stored(world, {"far": noise(user, 5000), "near": user}, user=user)
    before = everything(world)
    assert world.platform.sweep() == 0
    assert everything(world) == before
