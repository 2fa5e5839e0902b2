"""The People API: the bounds of reading a person and 1,000 friends."""

from collections.abc import Iterable
from typing import Any

from bench.flood import put_all
from bench.row import Bound, Requests, Row, Scenario
from bench.scenes import asking
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.store.aws.item_size import item_size, read_units
from chalicelib.store.aws.items import Item, Place, typed
from chalicelib.store.directory.user_items import to_item
from local.in_process import APP, HANA, KEN, World

FRIENDS = "/2/people/@me/@friends"
PAGE = "20260401000000000001"
FINER = ("r_profile_birthday", "r_profile_blood_type", "r_profile_gender", "r_profile_location")
DEFAULT_COUNT = 20


def person(user: str) -> User:
    """Return a user with all fields filled in."""
    return User(
        id=user,
        display_name=f"花子 (Hanako) {user}",
        profile_url=f"https://people.example/{user}",
        thumbnail_url=f"https://people.example/pictures/{user}.jpg",
        blood_type="AB",
        address="東京都渋谷区神宮前1-2-3",
        birthday="1991-04-02",
        age=35,
        gender="female",
        publication=dict.fromkeys(PROFILE_FIELDS, Publication.FRIENDS),
    )


def befriended(world: World, user: str, friends: Iterable[str]) -> None:
    """Create a user with these friends; all of them have the app and follow the page."""
    directory, pages = world.platform.friends_and_installs, world.platform.pages

    def items() -> Iterable[Item]:
        for each in (user, *friends):
            yield to_item(person(each))
            yield mark(directory.install(each, APP))
            yield mark(pages.members.follower(PAGE, each))
        for each in friends:
            yield mark(directory.friendship(user, each))

    put_all(world, "directory", items())


def mark(place: Place) -> Item:
    """Return the item of a friendship, an install or a follower, which has only its key."""
    return typed(place[1])


def _read(path: str, friends: int, *, owner: str | None = None, **query: Any) -> Scenario:
    """Return a scenario: Hana reads `path`; she and the owner of the app each have `friends` friends."""

    def scenario(world: World) -> Requests:
        ids = [f"f{turn:011}" for turn in range(friends)]
        for user in (HANA, owner) if owner else (HANA,):
            befriended(world, user, ids)
        token = world.token(HANA, "r_profile", *FINER, owner=owner)
        return asking(world, "GET", path, headers={"Authorization": f"OAuth {token}"}, **query)

    return scenario


def _friends(count: int, profiles: int, *, marks: int = 1, lists: int = 1) -> Bound:
    """Return the bound: lists of friends, and half a unit for each friend's install (and filter) and each profile."""

    def rru(world: World) -> float:
        listed = [item for item in world.items("directory") if item["pk"]["S"] == f"user#{HANA}"]
        return lists * read_units(sum(map(item_size, listed)), consistent=False) + (count * marks + profiles) * 0.5

    return Bound(calls=3, rru=rru, wru=0)


ROWS = [
    Row("people: oneself", Bound(1, 1.5, 0), _read("/2/people/@me/@self", 0)),
    Row("people: a friend", Bound(1, 2, 0), _read("/2/people/f00000000000/@self", 1)),
    Row("people: 100 friends", _friends(100, DEFAULT_COUNT), _read(FRIENDS, 100)),
    Row("people: 1,000 friends", _friends(1000, DEFAULT_COUNT), _read(FRIENDS, 1000)),
    Row("  all of them at once", _friends(1000, 1000), _read(FRIENDS, 1000, count="1000")),
    Row("  with every field", _friends(1000, 1000), _read(FRIENDS, 1000, count="1000", fields="@all")),
    Row("  by name", _friends(1000, 1000), _read(FRIENDS, 1000, sortBy="displayName")),
    Row(
        "  who follow a page",
        _friends(1000, DEFAULT_COUNT, marks=2),
        _read(FRIENDS, 1000, filterBy="pageId", filterValue=PAGE),
    ),
    Row("  in another's app", _friends(1000, DEFAULT_COUNT, lists=2), _read(FRIENDS, 1000, owner=KEN)),
]
