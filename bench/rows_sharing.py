"""Information Sharing by `/rpc`: the bounds of reading data and profiles of strangers, friends and lists of users."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.noise import noise
from bench.row import Allowance, Bound, Requests, Row, Scenario
from bench.rows_people import DEFAULT_COUNT, befriended
from bench.scenes import friend, friends, friends_list, ledger_fits, reading_own_values
from bench.seed import Seeder
from local.in_process import HANA, KEN, YUKI, World

SMALL = {"level": "42", "name": "花子", "high_score": "123456"}
LEFT = {"replay": noise(9_000)}
"""A value that is stored as an item of its own."""


def _item(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {"method": method, "id": 1, "params": {"userId": "@me", "groupId": "@self", "appId": "@app"} | dict(params)}


def _posting(world: World, items: Iterable[dict[str, Any]], owner: str | None = None) -> Requests:
    """Return a function that sends a batch as Hana and checks that each request in it succeeds."""
    token, batch = world.token(HANA, "mixi_apps2", "r_profile", owner=owner), list(items)

    def send() -> None:
        answer = world.send("POST", "/rpc", batch, token=token)
        if answer.status != 200 or any("error" in each for each in answer.json):
            raise AssertionError(f"/rpc answered {answer.status}: {answer.text[:200]}")

    return send


def _data(count: int, *, times: int = 1, own: bool = False, data: Mapping[str, str] = SMALL, **params: Any) -> Scenario:
    """Return a scenario: read data `times` times in a batch, by default of `count` friends (with `own` also Hana's)."""

    def scenario(world: World) -> Requests:
        friends(world, count, data)
        named = [friend(turn) for turn in range(count)] + [HANA] * own
        return _posting(world, [_item("appdata.get", {"userId": named} | params)] * times)

    return scenario


def _owners_friends(world: World) -> Requests:
    friends(world, 0, {})
    seeder = Seeder(world)
    seeder.install(YUKI)
    for turn in range(1000):
        seeder.befriend(YUKI, friend(turn))
        seeder.install(friend(turn), SMALL)
    return _posting(world, [_item("appdata.get", {"userId": "@owner", "groupId": "@friends"})], owner=YUKI)


def _different_reads(world: World) -> Requests:
    friends(world, 0, {})
    return _posting(world, [_item("appdata.get", {"fields": [f"key{turn}"]}) for turn in range(100)])


def _equal_lists(world: World) -> Requests:
    befriended(world, HANA, [friend(turn) for turn in range(1000)])
    return _posting(world, [_item("people.get", {"groupId": "@friends"})] * 100)


def _write(world: World) -> Requests:
    friends(world, 0, {})
    return _posting(world, [_item("appdata.update", {"data": {"level": "43", "name": "花子"}})])


def _people(count: int, *, owner: str | None = None, **params: Any) -> Scenario:
    """Return a scenario: read people, by default `count` friends of Hana's and of the owner's."""

    def scenario(world: World) -> Requests:
        ids = [friend(turn) for turn in range(count)]
        for user in (HANA, owner) if owner else (HANA,):
            befriended(world, user, ids)
        return _posting(world, [_item("people.get", {"userId": ids[:100]} | params)], owner=owner)

    return scenario


def _list_and(units: float, user: str = HANA) -> Allowance:
    return lambda world: friends_list(world, user) + units


ROWS = [
    Row("rpc: own data", Bound(1, 1, 0), _data(0, own=True), (ledger_fits,)),
    Row("rpc: a stranger's data", Bound(1, 1, 0), _data(1)),
    Row("rpc: data of 100 users", Bound(1, 50.5, 0), _data(100)),
    Row("rpc: data of 99 users and one's own", Bound(1, 51, 0), _data(99, own=True)),
    Row(
        "rpc: data of 100 users that left the ledger",
        Bound(2, lambda world: 50.5 + reading_own_values(world), 0),
        _data(100, data=SMALL | LEFT),
    ),
    Row("rpc: data of 1,000 friends", Bound(2, _list_and(500), 0), _data(1000, userId="@viewer", groupId="@friends")),
    Row("rpc: data of 1,000 friends of the owner", Bound(2, _list_and(500.5, YUKI), 0), _owners_friends),
    Row("rpc: 100 equal reads in a batch", Bound(1, 1, 0), _data(0, own=True, times=100)),
    Row("rpc: 100 different reads in a batch", Bound(100, 100, 0), _different_reads),
    Row(
        "rpc: 100 equal lists of 1,000 friends in a batch",
        Bound(3, lambda world: friends_list(world) + (1000 + DEFAULT_COUNT) * 0.5, 0),
        _equal_lists,
    ),
    Row("rpc: write 2 pairs", Bound(2, 1, 4, transactions=False), _write),
    Row("rpc: a person", Bound(1, 2, 0), _people(1)),
    Row("rpc: 100 people", Bound(1, 150.5, 0), _people(100)),
    Row(
        "rpc: 1,000 friends of the owner",
        Bound(3, lambda world: 2 * friends_list(world) + (1000 + DEFAULT_COUNT) * 0.5, 0),
        _people(1000, owner=KEN, userId="@owner", groupId="@friends"),
    ),
]
