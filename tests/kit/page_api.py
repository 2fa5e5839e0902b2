"""Requests that many tests of the Page API's faces send."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.core.model.directory import App, Category, Page, User
from tests.kit.worlds import APP, BUCKET, HANA, KEN, MEI, TARO, YUKI, Reply, World

PAGE, MODULE = "12345678901234567890", "3"
PATH = f"/2/pages/{PAGE}"
FEEDS, COMMENTS, FAVORITES = f"{PATH}/feeds", f"{PATH}/comments", f"{PATH}/favorites"
URI = "http://www.application.com/id=12345"
ISSUER = "http://127.0.0.1:8000"
NOTHING_THERE = (404, "not_found", "There is no such content on the page")
DENIED = (403, "permission_denied", "Permission denied")
NO_URIS = ["a", "/a", "ftp://a.example/", "javascript:alert(1)", "http://", "http://a b", "http://a/縁"]
OTHER_APP = "c07be4915fa2d386"
"""An app that is not on the page."""


def populated(made: World) -> World:
    """Create users, apps and a page that Mei administers, with the app as its module 3."""
    for user in (HANA, KEN, MEI, TARO, YUKI):
        made.platform.users.create(User(user, f"name of {user}", thumbnail_url=f"https://people.example/{user}.jpg"))
    made.platform.apps.create(App(APP, "クエスト (Quest)"))
    made.platform.apps.create(App(OTHER_APP, "Album"))
    made.platform.pages.create(Page(PAGE, "Cafe", Category.LOCAL))
    made.platform.pages.members.add_administrator(PAGE, MEI)
    made.platform.pages.add_module(PAGE, APP, "menu name", MODULE)
    made.calls.clear()
    return made


def ask(world: World, path: str = FEEDS, **query: Any) -> Reply:
    """Send a GET with the app's own token."""
    return world.send("GET", path, token=world.token(None, "any"), **query)


def asked(world: World, path: str = FEEDS, **query: str) -> Any:
    """Return the JSON of a GET, which must succeed."""
    reply = ask(world, path, **query)
    assert reply.status == 200, reply
    return reply.json


def send(world: World, method: str, path: str, body: Any = None, user: str = MEI, app: str = APP, **more: Any) -> Reply:
    """Send a request with a user's token for `w_pagefeed`."""
    return world.send(method, path, body, token=world.token(user, "w_pagefeed", app=app), **more)


def post(world: World, user: str = MEI, **fields: Any) -> str:
    """Post a feed with these fields, and return its contentUri."""
    reply = send(world, "POST", FEEDS, {"title": "title"} | fields, user)
    assert reply.status == 201, reply
    uri: str = reply.json["contentUri"]
    return uri


def comment(world: World, text: str = "a comment", user: str = HANA, uri: str = URI) -> str:
    """Comment on a feed, and return the comment's id."""
    reply = send(world, "POST", COMMENTS, {"comment": text}, user, contentUri=uri)
    assert reply.status == 201, reply
    id: str = reply.json["id"]
    return id


def favorite(world: World, user: str = HANA, uri: str = URI) -> str:
    """Make a feed a favorite, and return the favorite's id."""
    reply = send(world, "POST", FAVORITES, None, user, contentUri=uri)
    assert reply.status == 201, reply
    id: str = reply.json["id"]
    return id


def objects(world: World) -> list[str]:
    """Return the keys of all objects in the bucket."""
    return [each["Key"] for each in world.s3.list_objects_v2(Bucket=BUCKET, Prefix="").get("Contents", [])]


@contextmanager
def nothing_changes(world: World) -> Iterator[None]:
    """Fail if the stored items after the block differ from those before it."""
    before = _everything(world)
    yield
    assert _everything(world) == before


def pages_through(world: World, path: str, count: int, **query: str) -> Iterator[dict[str, Any]]:
    """Yield every part of a list, by cursor."""
    following: dict[str, str] = {}
    while True:
        part = asked(world, path, count=str(count), **following, **query)
        yield part
        if "nextCursor" not in part:
            return
        following = {"cursor": part["nextCursor"]}


def _everything(world: World) -> list[Any]:
    tables = ("directory", "feeds", "comments", "favorites", "ephemeral")
    return [*(world.items(table) for table in tables), objects(world)]
