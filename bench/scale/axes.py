"""The axes of growth, their steps, and the requests to a world of each size.

All data of a world are stored, except that of feeds and comments only those are stored that a request may touch: its
cost depends on these, on the list's holder, and on the bits of all deleted entries, which are stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bench.flood import flood, flood_feeds, near, put_all
from bench.noise import ascii_noise
from bench.row import Requests
from bench.rows_oauth import SCOPES
from bench.rows_pages import COMMENTS, FEEDS, MODULE, PAGE, POSTERS, URI, cafe, headers_of
from bench.rows_people import FRIENDS as PEOPLE
from bench.rows_people import befriended
from bench.scale.members import SHARED, finding, finding_from_the_middle, member, member_items
from bench.scenes import FRIENDS, asking, friend, ledger
from bench.seed import Seeder
from chalicelib.store.appdata import own_values
from chalicelib.store.appdata.ledger import from_item, to_item
from chalicelib.store.aws.items import Item
from local.in_process import HANA, ME, World

MOST_KEYS = 100_000
ROOM = 10
"""Keys left free below that, for new keys."""
VALUE_BYTES = 20
THROUGH_STORES = 2_000
"""Keys that are stored by writes; then a ledger has as many as it can hold, and more keys are only more items."""
DELETED = 50
"""One of this many feeds and comments is deleted."""

Ask = Callable[[World, int], Requests]
"""Returns a function that sends a request to a world of a size, any number of times."""


@dataclass(frozen=True)
class Axis:
    """An axis of growth with its steps.

    `fill` fills a world of a size; `directory` returns items of the directory table that it has from the start. `once`:
    requests that can be sent only once. `drawn`: the figures have it, too.
    """

    name: str
    unit: str
    sizes: Sequence[int]
    fill: Callable[[World, int], None]
    asks: Mapping[str, Ask]
    once: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Callable[[int], Iterable[Item]] = lambda size: ()
    drawn: bool = True


def powers(most: int) -> list[int]:
    """Return 1, 10, 100, … up to `most`."""
    return [10**each for each in range(len(str(most)))]


def key(number: int) -> str:
    """Return a key of Hana's."""
    return f"k{number:06}"


def value(seed: object) -> str:
    """Return a value that is as incompressible as printable text can be."""
    return ascii_noise(VALUE_BYTES, seed)


def store_keys(world: World, keys: int, through_stores: int = THROUGH_STORES) -> None:
    """Give Hana `keys` keys: the first by writes, the others as the items that further writes would have left."""
    keys = min(keys, MOST_KEYS - ROOM)
    seeder = Seeder(world)
    seeder.install(HANA)
    seeder.store(HANA, {key(number): value(number) for number in range(min(keys, through_stores))})
    if keys <= through_stores:
        return
    more = range(through_stores, keys)
    known = from_item(ledger(world))
    # Such values are no longer listed: the ledger counts them and their bytes.
    item = to_item(known) | {"t": {"N": str(known.total + len(more) * VALUE_BYTES)}}
    item["c"] = {"N": str(known.unlisted + len(more))}
    put_all(world, "appdata", [item, *(own_values.to_item(known, key(number), value(number)) for number in more)])


def _befriend(world: World, friends: int) -> None:
    ids = [friend(turn) for turn in range(friends)]
    befriended(world, HANA, ids)
    seeder = Seeder(world)
    for each in (HANA, *ids):
        seeder.install(each, {"level": "5", "greeting": "こんにちは"})


def is_deleted(number: int) -> bool:
    """Return whether the entry of that number is deleted."""
    return number % DELETED == 0


def _fill_feeds(world: World, feeds: int) -> None:
    cafe(world, POSTERS, 0)
    flood_feeds(world, PAGE, feeds, POSTERS, is_deleted, near(feeds, feeds // 2))


def _fill_comments(world: World, comments: int) -> None:
    cafe(world, POSTERS)
    flood(world, PAGE, URI, comments, POSTERS, is_deleted, near(comments, comments // 2))


def _middle(entries: int) -> str:
    """Return the index of the middle entry of those that are left."""
    return str((entries - entries // DELETED) // 2)


def _list(path: str, *, middle: bool = False, **query: Any) -> Ask:
    def ask(world: World, entries: int) -> Requests:
        asked = query | ({"startIndex": _middle(entries)} if middle else {})
        return asking(world, "GET", path, headers=headers_of(world, None), **asked)

    return ask


def _post_feed(world: World, feeds: int) -> Requests:
    fresh = count()

    def send() -> None:
        draft = {"title": "新しいお菓子", "body": "今日から、" * 20, "contentUri": f"{URI}/{next(fresh)}"}
        headers = headers_of(world)
        asking(world, "POST", FEEDS, draft | {"sourceId": MODULE}, status=201, headers=headers)()

    return send


def _post_comment(world: World, comments: int) -> Requests:
    body = {"comment": "c" * 900}
    return asking(world, "POST", COMMENTS, body, status=201, headers=headers_of(world), contentUri=URI)


def _write_new_key(world: World, keys: int) -> Requests:
    fresh = count()
    return lambda: asking(world, "POST", body={f"new{(number := next(fresh))}": value(number)})()


def _people(**query: Any) -> Ask:
    def ask(world: World, friends: int) -> Requests:
        return asking(world, "GET", PEOPLE, headers={"Authorization": f"OAuth {world.token(HANA, *SCOPES)}"}, **query)

    return ask


AXES = (
    Axis(
        "keys",
        "keys of the user",
        powers(MOST_KEYS),
        store_keys,
        {
            "read one key": lambda world, keys: asking(world, "GET", fields=key(keys // 2)),
            "read every key": lambda world, keys: asking(world, "GET"),
            "overwrite one key": lambda world, keys: asking(world, "POST", body={key(keys // 2): value("other")}),
            "write a new key": _write_new_key,
            "delete everything": lambda world, keys: asking(world, "DELETE", ME),
        },
        environment={"ENGAWA_MAX_KEYS": str(MOST_KEYS)},
        once=frozenset({"delete everything"}),
    ),
    Axis(
        "friends",
        "friends of the user",
        powers(1_000),
        _befriend,
        {
            "read one key of every friend": lambda world, friends: asking(world, "GET", FRIENDS, fields="level"),
            "people: the first 20 friends": _people(),
            "people: every friend": _people(count="1000"),
        },
    ),
    Axis(
        "feeds",
        "feeds of the page",
        powers(1_000_000),
        _fill_feeds,
        {"the first 20": _list(FEEDS), "20 from the middle": _list(FEEDS, middle=True), "post a feed": _post_feed},
    ),
    Axis(
        "comments",
        "comments on the content",
        powers(1_000_000),
        _fill_comments,
        {
            "the first 20": _list(COMMENTS, contentUri=URI),
            "20 from the middle": _list(COMMENTS, middle=True, contentUri=URI),
            "post a comment": _post_comment,
        },
    ),
    Axis(
        "members",
        "users of the platform",
        powers(1_000_000),
        lambda world, members: None,
        {
            "find a user by id": lambda world, members: finding(world, member(members // 2).id),
            "find a user by login": lambda world, members: finding(world, str(member(members // 4 * 2).login)),
            "find a name: the first 20": lambda world, members: finding(world, SHARED),
            "find a name: 20 from the middle": finding_from_the_middle,
        },
        directory=member_items,
        drawn=False,
    ),
)
