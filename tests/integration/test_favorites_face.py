"""Favorites over HTTP: adding, repeating, counting and removing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.page_api import (
    DENIED,
    FAVORITES,
    FEEDS,
    NO_URIS,
    NOTHING_THERE,
    OTHER_APP,
    URI,
    asked,
    favorite,
    nothing_changes,
    populated,
    post,
    send,
)
from tests.kit.worlds import HANA, KEN, MEI, TARO, YUKI, World

pytestmark = pytest.mark.moto


@pytest.fixture(params=["1", "3"], ids=["one shard", "three shards"])
def world(make_world: Callable[..., World], request: pytest.FixtureRequest) -> World:
    """Return a world with one feed, posted by Mei, whose favorites are counted in one shard or in three."""
    made = populated(make_world(ENGAWA_FAVORITE_SHARDS=request.param))
    post(made, contentUri=URI)
    made.calls.clear()
    return made


def count(world: World) -> int:
    body = asked(world, FAVORITES, contentUri=URI)
    assert body.keys() == {"count"}
    assert asked(world, FEEDS, contentUri=URI)["entry"]["favoriteCount"] == body["count"]
    assert asked(world, FEEDS)["entry"][0]["favoriteCount"] == body["count"]
    found: int = body["count"]
    return found


def test_a_favorite_is_made_and_counted(world: World):
    assert count(world) == 0
    reply = send(world, "POST", FAVORITES, user=HANA, contentUri=URI)
    assert (reply.status, reply.json.keys()) == (201, {"id"})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert count(world) == 1


def test_made_again_it_is_the_same_one(world: World):
    assert favorite(world) == favorite(world)
    assert count(world) == 1


def test_each_user_has_one(world: World):
    ids = {favorite(world, user) for user in (HANA, KEN, MEI, TARO, YUKI)}
    assert (len(ids), count(world)) == (5, 5)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b""),
        (None, b""),
        ("application/json", b"{"),
        ("text/plain", b"anything"),
        ("multipart/form-data", b"--"),
        ("application/x-www-form-urlencoded", b"a=b"),
    ],
)
def test_the_body_and_its_type_do_not_matter(world: World, media_type, body):
    headers = {"Content-Type": media_type} if media_type else {}
    reply = send(world, "POST", FAVORITES, body, HANA, headers=headers, contentUri=URI)
    assert reply.status == 201
    assert count(world) == 1


def test_an_app_that_is_not_on_the_page_may_make_favorites(world: World):
    assert send(world, "POST", FAVORITES, user=HANA, app=OTHER_APP, contentUri=URI).status == 201


def test_its_owner_takes_it_back(world: World):
    for turn in range(2):
        id = favorite(world)
        favorite(world, KEN)
        reply = send(world, "DELETE", f"{FAVORITES}/{id}{'.json' * turn}", user=HANA, contentUri=URI)
        assert (reply.status, reply.text) == (204, "")
        assert count(world) == 1
        with nothing_changes(world):
            again = send(world, "DELETE", f"{FAVORITES}/{id}", user=HANA, contentUri=URI)
        assert again.error[:2] == (404, "not_found")


def test_nobody_else_takes_it_back(world: World):
    id = favorite(world)
    favorite(world, KEN)
    for other in (KEN, MEI, TARO):
        with nothing_changes(world):
            reply = send(world, "DELETE", f"{FAVORITES}/{id}", user=other, contentUri=URI)
        assert reply.error == DENIED
    assert count(world) == 2


def test_an_id_that_no_favorite_has_is_not_found(world: World):
    known = favorite(world)
    for id in ("1", known + "0", known[:-1], "%20", "a" * 3000, "%E7%B8%81", "-"):
        with nothing_changes(world):
            reply = send(world, "DELETE", f"{FAVORITES}/{id}", user=HANA, contentUri=URI)
        assert reply.error[:2] == (404, "not_found"), id


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_content_must_be_named(world: World, method):
    path = f"{FAVORITES}/1" if method == "DELETE" else FAVORITES
    token = world.token(None, "any") if method == "GET" else world.token(HANA, "w_pagefeed")

    def refusal(**query: Any) -> tuple[int, str, str]:
        return world.send(method, path, token=token, **query).error

    with nothing_changes(world):
        assert refusal() == refusal(contentUri="") == (400, "parameter_invalid", "contentUri is missing")
        for uri in NO_URIS:
            assert refusal(contentUri=uri)[:2] == (400, "parameter_invalid")
        longest = "http://a.example/" + "a" * 1007
        assert refusal(contentUri=longest) == NOTHING_THERE
        assert refusal(contentUri=longest + "a") == (400, "parameter_invalid", "contentUri is too long (max=1024)")


def test_a_content_posted_again_starts_without(world: World):
    id = favorite(world)
    assert send(world, "DELETE", FEEDS, contentUri=URI).status == 204
    assert send(world, "POST", FAVORITES, user=KEN, contentUri=URI).error == NOTHING_THERE
    post(world, contentUri=URI)
    assert count(world) == 0
    assert send(world, "DELETE", f"{FAVORITES}/{id}", user=HANA, contentUri=URI).error[0] == 404
    assert favorite(world)
    assert count(world) == 1
    world.clean()
    assert count(world) == 1
