"""The Page API: the bounds of reading and posting feeds, comments and favorites, from the design."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from unittest.mock import patch

from bench.flood import flood, near, user
from bench.row import Bound, Requests, Row, Scenario
from bench.scenes import asking
from chalicelib.core.events import EventKind
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import App, Category, Page
from chalicelib.store.aws.item_size import item_size, read_units
from chalicelib.store.contents.items import content_of
from chalicelib.store.events.sending import EventSending
from local.in_process import APP, HANA, KEN, World

PAGE = "20260401000000000001"
URI = "http://quest.example/contents/1"
FEEDS, COMMENTS, FAVORITES = (f"/2/pages/{PAGE}/{kind}" for kind in ("feeds", "comments", "favorites"))
MODULE = "3"
POSTERS = 20
EVENTS = 100
MANY = 100_000
FEWER = 10_000
"""Used if the number makes no difference and more would take long to store."""


def cafe(world: World, posters: int = 0, feeds: int = 1) -> None:
    """Create a page with an app, Hana and others as administrators, and feeds by them: the first, of URI, by Hana."""
    platform, others = world.platform, [user(turn) for turn in range(posters)]
    world.populate(HANA, KEN, *others)
    platform.apps.create(App(APP, "クエスト (Quest)"))
    platform.pages.create(Page(PAGE, "カフェ縁側 (Cafe Engawa)", Category.LOCAL, details="お茶とお菓子。" * 20))
    platform.pages.add_module(PAGE, APP, "クエスト (Quest)", MODULE)
    for each in (HANA, *others):
        platform.pages.members.add_administrator(PAGE, each)
    for turn in range(feeds):
        _post(world, others[turn % posters] if posters else HANA, URI if turn == 0 else f"{URI}{turn:06}")


def _post(world: World, poster: str, content_uri: str) -> None:
    draft = Draft("新しいお菓子", "今日から、" * 20, "http://quest.example/", content_uri=content_uri, source=MODULE)
    world.platform.feed_posting.post(world.platform.feed_posting.admit(PAGE, poster, APP, draft), draft)


def headers_of(world: World, poster: str | None = HANA, **more: str) -> dict[str, str]:
    """Return headers with a token of a user who may post, or of the app (None)."""
    token = world.token(poster, "w_pagefeed") if poster else world.token(None)
    return {"Authorization": f"OAuth {token}"} | more


def _ask(method: str, path: str, body: Any = None, *, status: int, **query: Any) -> Scenario:
    """Return a scenario: Hana, or for a GET the app, sends a request about the cafe's first content."""

    def scenario(world: World) -> Requests:
        cafe(world)
        headers = headers_of(world, None if method == "GET" else HANA)
        return asking(world, method, path, body, status=status, headers=headers, **query)

    return scenario


_of_content = partial(_ask, contentUri=URI)


def _feed_list(posters: int) -> Scenario:
    def scenario(world: World) -> Requests:
        cafe(world, posters, 100)
        return asking(world, "GET", FEEDS, headers=headers_of(world, None))

    return scenario


def _comments(count: int, *, every: int = 0, start: int = 0) -> Scenario:
    """Return a scenario: the app reads 20 of `count` comments, from `start` on; each `every`th is deleted."""
    first_read = count - (start * every // (every - 1) if every else start)

    def scenario(world: World) -> Requests:
        cafe(world, POSTERS)
        deleted = (lambda number: number % every == 0) if every else None
        flood(world, PAGE, URI, count, POSTERS, deleted, near(count, first_read))
        headers = headers_of(world, None)
        return asking(world, "GET", COMMENTS, headers=headers, contentUri=URI, startIndex=str(start))

    return scenario


def _first_page(world: World) -> float:
    """Return the RRU of the newest 20 comments: a query of head and 21 comments, the page, half a unit per poster."""
    newest = world.dynamodb.query(
        TableName=world.platform.settings.table("comments"),
        KeyConditionExpression="pk = :content",
        ExpressionAttributeValues={":content": {"S": content_of(PAGE, URI)}},
        ScanIndexForward=False,
        Limit=22,
    )["Items"]
    return read_units(sum(map(item_size, newest)), consistent=False) + 0.5 + POSTERS * 0.5


def _deep(world: World) -> float:
    return 4 * _first_page(world)


def _comment(count: int) -> Scenario:
    def scenario(world: World) -> Requests:
        cafe(world, POSTERS)
        flood(world, PAGE, URI, count, POSTERS, only=near(count, count))
        world.platform.comments.post(PAGE, URI, KEN, "the first in ten minutes")
        return asking(
            world, "POST", COMMENTS, {"comment": "c" * 900}, status=201, headers=headers_of(world), contentUri=URI
        )

    return scenario


def _retried_comment(world: World) -> Requests:
    cafe(world)
    headers = headers_of(world, **{"Idempotency-Key": "one"})
    return asking(world, "POST", COMMENTS, {"comment": "c" * 900}, status=201, headers=headers, contentUri=URI)


def _delete_comment(poster: str) -> Scenario:
    """Return a scenario: Hana, an administrator of the page, deletes a comment of the poster."""

    def scenario(world: World) -> Requests:
        cafe(world)
        comment = world.platform.comments.post(PAGE, URI, poster, "c" * 900)
        path = f"{COMMENTS}/{comment.id}"
        return asking(world, "DELETE", path, status=204, headers=headers_of(world), contentUri=URI)

    return scenario


def _favorite(*, before: Iterable[str] = ()) -> Scenario:
    """Return a scenario: Hana makes the content her favorite, after the users of `before`."""

    def scenario(world: World) -> Requests:
        cafe(world)
        for each in before:
            world.platform.favorites.add(PAGE, URI, each)
        return asking(world, "POST", FAVORITES, status=201, headers=headers_of(world), contentUri=URI)

    return scenario


def _no_favorite(world: World) -> Requests:
    cafe(world)
    favorite = world.platform.favorites.add(PAGE, URI, HANA)
    path = f"{FAVORITES}/{favorite}"
    return asking(world, "DELETE", path, status=204, headers=headers_of(world), contentUri=URI)


def _told(world: World) -> None:
    """Let the app of the cafe be told of favorites, at a content that it posts then."""
    cafe(world, feeds=0)
    world.platform.endpoints.create(APP, "https://quest.example/events", [EventKind.FAVORITE_ADDED])
    draft = Draft("新しいお菓子", content_uri=URI)
    world.platform.feed_posting.post(world.platform.feed_posting.admit(PAGE, HANA, APP, draft), draft)


def _told_favorite(world: World) -> Requests:
    _told(world)
    return asking(world, "POST", FAVORITES, status=201, headers=headers_of(world), contentUri=URI)


def _send(world: World) -> Requests:
    """Return the run that sends events, after one that has sent all earlier ones.

    The endpoints are read before it, since the meter counts no index: one query, and half a unit for each endpoint.
    """
    _told(world)
    here = world.platform
    sending = EventSending(here.event_log, here.endpoints, lambda url, body, headers: 204, here.clock)
    sending.run(40)
    users = [user(turn) for turn in range(EVENTS)]
    world.populate(*users)
    for each in users:
        here.favorites.add(PAGE, URI, each)
    listed = here.endpoints.active()

    def run() -> None:
        with patch.object(here.endpoints, "active", lambda: listed):
            if sending.run(40) != EVENTS:
                raise RuntimeError("other events were sent")

    return run


def _over(*, comments: int) -> Scenario:
    """Return a scenario: Hana posts a content over Ken's feed of it, which the page does not show."""

    def scenario(world: World) -> Requests:
        cafe(world)
        _post(world, KEN, _NEW["contentUri"])
        flood(world, PAGE, _NEW["contentUri"], comments, POSTERS)
        return asking(world, "POST", FEEDS, _NEW, status=201, headers=headers_of(world))

    return scenario


def _delete_feed(world: World) -> Requests:
    cafe(world, POSTERS)
    flood(world, PAGE, URI, 1_000, POSTERS)
    return asking(world, "DELETE", FEEDS, status=204, headers=headers_of(world), contentUri=URI)


def _clean(world: World) -> Requests:
    _delete_feed(world)()
    return world.clean


_NEW: dict[str, str] = {
    "title": "新しいお菓子",
    "body": "今日から、" * 20,
    "contentUri": f"{URI}/new",
    "sourceId": MODULE,
}
_FAVORITE = Bound(calls=2, wru=5)
_LIST = 2 + 0.5 * POSTERS

ROWS = [
    Row("page: its information", Bound(1, 1, 0), _ask("GET", f"/2/pages/{PAGE}", status=200)),
    Row("feeds: one", Bound(2, 2.5, 0), _of_content("GET", FEEDS, status=200)),
    Row("feeds: the first 20 of 100, by 20 posters", Bound(2, _LIST + 10, 0), _feed_list(POSTERS)),
    Row("feeds: post", Bound(3, 6, 13), _ask("POST", FEEDS, _NEW, status=201)),
    Row("  over one that is not shown, with 1,000 comments", Bound(3, 6, 21), _over(comments=1_000)),
    Row("feeds: delete, with 1,000 comments", Bound(2, 3, 15), _delete_feed),
    Row("  clearing what it left", Bound(), _clean),
    Row("comments: the first 20", Bound(2, _LIST, 0), _comments(100)),
    Row(
        f"  20 from 50,000 of {MANY:,}, one in 50 deleted",
        Bound(4, _deep, 0),
        _comments(MANY, every=50, start=50_000),
    ),
    Row(f"  from 5,000 of {FEWER:,}", Bound(4, _deep, 0), _comments(FEWER, start=5_000)),
    Row(
        f"  from 5,000 of {2 * FEWER:,}, every other deleted",
        Bound(4, _deep, 0),
        _comments(2 * FEWER, every=2, start=5_000),
    ),
    Row(
        # The first of a feed in ten minutes adds a row for moderators (two units).
        "comments: post 900 bytes, the first",
        Bound(2, 1, 8),
        _of_content("POST", COMMENTS, {"comment": "c" * 900}, status=201),
    ),
    Row(f"  after {FEWER:,}", Bound(2, 1, 6), _comment(FEWER)),
    Row("  with an Idempotency-Key", Bound(), _retried_comment),
    Row("comments: delete", Bound(3, 5, 8), _delete_comment(HANA)),
    Row("  another's, which is logged", Bound(3, 5, 10), _delete_comment(KEN)),
    Row("favorites: count", Bound(1, 0.5, 0), _of_content("GET", FAVORITES, status=200)),
    Row("favorites: the first", _FAVORITE, _favorite()),
    Row("  beside others", _FAVORITE, _favorite(before=[KEN])),
    Row("  once more", _FAVORITE, _favorite(before=[HANA])),
    Row("favorites: take back", _FAVORITE, _no_favorite),
    Row("  the first, told to the app", Bound(2, 3, 7), _told_favorite),
    Row(f"  sending {EVENTS} such events", Bound(rru=15, wru=EVENTS, transactions=False), _send),
]
