"""Helpers for the rows of the Persistence API: prepared worlds, requests, checks, and allowances from a world."""

from collections.abc import Callable, Mapping
from random import Random
from string import ascii_letters, digits
from typing import Any

from bench.noise import noise
from bench.row import Requests
from bench.seed import Seeder
from chalicelib.store.appdata.ledger import SORT_KEY, partition
from chalicelib.store.appdata.packing import WINDOW_BYTES
from chalicelib.store.appdata.placement import LEDGER_BYTES
from chalicelib.store.aws.item_size import item_size, read_units, write_units
from chalicelib.store.aws.items import Item
from local.in_process import APP, HANA, ME, World

FRIENDS = "/2/apps/appdata/@me/@friends"
_KEY_CHARACTERS = ascii_letters + digits + "_.-"
NEARLY_FULL = 4000
"""A ledger with more bytes than this is called full."""


def asking(
    world: World,
    method: str,
    path: str = ME,
    body: Any = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **query: str,
) -> Requests:
    """Return a function that sends a request as Hana and checks the status of its response."""

    def send() -> None:
        answer = world.send(method, path, body, headers=headers, **query)
        if answer.status != status:
            raise AssertionError(f"{method} {path} answered {answer.status}: {answer.text[:200]}")

    return send


def pairs(count: int, size: int, text: Callable[[int, object], str] = noise) -> dict[str, str]:
    """Return `count` pairs with exactly `size` bytes of keys and values in all; keys have two random characters."""
    random = Random(count)
    keys: dict[str, None] = {}
    while len(keys) < count:
        keys["".join(random.choices(_KEY_CHARACTERS, k=2))] = None
    each, more = divmod(size - 2 * count, count)
    return {key: text(each + (turn < more), key) for turn, key in enumerate(keys)}


def full_ledger() -> dict[str, str]:
    """Return pairs that fill a ledger except for the space of the write window."""
    return {"one": noise(2900, 1), "other": noise(740, 2)}


def friends(world: World, count: int, data: Mapping[str, str]) -> None:
    """Give Hana `count` friends who have the app, each with these data."""
    seeder = Seeder(world)
    seeder.install(HANA)
    for turn in range(count):
        seeder.befriend(HANA, friend(turn))
        seeder.install(friend(turn), data)


def friend(turn: int) -> str:
    """Return the id of one of these friends, counted from 0."""
    return f"f{turn:011}"


def ledger(world: World, user: str = HANA) -> Item:
    """Return the stored ledger of a user."""
    key = {"pk": {"S": partition(APP, user)}, "sk": {"S": SORT_KEY}}
    return dict(world.dynamodb.get_item(TableName=world.platform.settings.table("appdata"), Key=key)["Item"])


def own_values(world: World) -> list[Item]:
    """Return all values, of all users, that are items of their own."""
    return [item for item in world.items() if "v" in item and item["sk"]["S"] != SORT_KEY]


def friends_list(world: World, user: str = HANA) -> float:
    """Return the RRU of a user's list of friends, read by one query."""
    listed = [item for item in world.items("directory") if item["pk"]["S"] == f"user#{user}"]
    return read_units(sum(map(item_size, listed)), consistent=False)


def reading_own_values(world: World) -> float:
    """Return the RRU of all values that are items of their own, eventually consistent."""
    return sum(read_units(item_size(item), consistent=False) for item in own_values(world))


def cleaning(world: World) -> float:
    """Return the WRU of deleting these values, one per KB, each rounded up, and the note that named them."""
    return sum(write_units(item_size(item)) for item in own_values(world)) + 1


def ledger_fits(world: World) -> str:
    """Check that Hana's ledger has at most 4,096 bytes, the maximum of a read of half a unit."""
    size = item_size(ledger(world))
    return "" if size <= LEDGER_BYTES else f"the ledger has {size} bytes"


def ledger_is_full(world: World) -> str:
    """Check that Hana's ledger is nearly that large, so that the scenario really is the worst case."""
    size = item_size(ledger(world))
    return "" if NEARLY_FULL < size <= LEDGER_BYTES else f"the ledger has {size} bytes, so the scenario is void"


def window_is_full(world: World) -> str:
    """Check that its packed write window has the maximum length, so that the scenario really is the worst case."""
    size = len(ledger(world)["w"]["B"])
    return "" if size == WINDOW_BYTES else f"the window has {size} bytes, so the scenario is void"
