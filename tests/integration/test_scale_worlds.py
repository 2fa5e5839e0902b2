"""The worlds of bench/scale/ have the same costs as worlds that were made by single requests."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.flood import flood, flood_feeds, near, put_all
from bench.meter import Figures, Meter
from bench.rows_pages import PAGE, URI, cafe
from bench.scale.axes import AXES, Ask, is_deleted, store_keys
from bench.scale.measure import Noting
from bench.scale.members import SHARED, member, member_items
from local.in_process import APP, HANA, ME, World, empty_aws
from local.timing import watch

KEYS, FRIENDS, FEEDS, COMMENTS, MEMBERS = AXES
MANY = 450
"""The number of entries: more than are near the newest or the middle."""
POSTERS = 3


def costs(world: World, asks: Mapping[str, Ask], size: int, *names: str) -> dict[str, Figures]:
    """Return the costs of the requests of these names."""
    meter, found = Meter(world.dynamodb, world.s3), {}
    for name in names:
        send = asks[name](world, size)
        with meter.counting():
            send()
        found[name] = meter.figures
    return found


def test_keys_put_as_items_are_read_and_paid_as_written_ones(tmp_path: Path) -> None:
    found = []
    for through_stores in (400, 300):
        with empty_aws():
            world = World(tmp_path)
            store_keys(world, 400, through_stores)
            usage = world.platform.appdata.usage(APP, HANA).balance
            data = world.send("GET", ME).json["entry"][0]["data"]
            # The cost of a write depends on the keys that happen to be in the ledger.
            paid = costs(world, KEYS.asks, 400, "read one key", "read every key")
            found.append((usage, data, paid))
    assert found[0] == found[1]
    assert len(data) == 400


@pytest.mark.parametrize("axis", [FEEDS, COMMENTS], ids=lambda axis: axis.name)
def test_lists_with_but_the_entries_in_reach_cost_what_whole_ones_do(axis: object, tmp_path: Path) -> None:
    asks = FEEDS.asks if axis is FEEDS else COMMENTS.asks
    found = []
    with empty_aws():
        world = World(tmp_path)
        cafe(world, POSTERS, 0 if axis is FEEDS else 1)
        # The second round writes the same items again, and all the others.
        for only in (near(MANY, MANY // 2), None):
            if axis is FEEDS:
                flood_feeds(world, PAGE, MANY, POSTERS, is_deleted, only)
            else:
                flood(world, PAGE, URI, MANY, POSTERS, is_deleted, only)
            found.append(costs(world, asks, MANY, "the first 20", "20 from the middle"))
    assert found[0] == found[1]
    assert found[0]["20 from the middle"].in_sequence == 4


def test_feeds_put_as_items_cost_what_posted_ones_do(tmp_path: Path) -> None:
    found = []
    for posted in (True, False):
        with empty_aws():
            world = World(tmp_path)
            cafe(world, POSTERS, 6 if posted else 0)
            if not posted:
                flood_feeds(world, PAGE, 6, POSTERS)
            found.append(costs(world, FEEDS.asks, 6, *FEEDS.asks))
    assert found[0] == found[1]


def test_members_put_as_items_are_found_and_paid_as_created_ones(tmp_path: Path) -> None:
    found = []
    for created in (True, False):
        with empty_aws():
            world = World(tmp_path)
            for number in range(280 if created else 0):
                world.platform.users.create(member(number))
            if not created:
                put_all(world, "directory", member_items(280))
            token = world.token(None, "admin")
            answer = world.send("GET", "/admin/users", token=token, find=SHARED, count="100").json
            found.append((answer, costs(world, MEMBERS.asks, 280, *MEMBERS.asks)))
    assert found[0] == found[1]
    assert len(found[0][0]["entry"]) == 22
    assert {each.in_sequence for each in found[0][1].values()} == {2}


def test_an_axis_sends_what_it_says(tmp_path: Path) -> None:
    with empty_aws():
        world = World(tmp_path)
        FRIENDS.fill(world, 10)
        world.gateway = gateway = Noting(world.app)
        watch(world.dynamodb.meta.events)
        for ask in FRIENDS.asks.values():
            ask(world, 10)()
    assert [each.calls for each in gateway.told] == [2, 3, 3]
    assert all(0 < each.aws < each.total for each in gateway.told)
