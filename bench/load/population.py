"""Fills a served platform with the users and data of the mix, with the stores' own builders instead of the faces."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.flood import flood, put_all, user
from bench.load.mix import COMMENTED, COMMENTS, FEEDS, FRIENDS, PAGE, USERS, Actor, content_uri, pairs
from bench.rows_oauth import REDIRECT
from bench.rows_people import mark, person
from bench.seed import Seeder
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import Category, Page
from chalicelib.core.oauth import Family
from chalicelib.store.aws.items import Item
from chalicelib.store.directory.user_items import to_item
from local.in_process import APP, World

POSTERS = 20
SCOPES = ("mixi_apps2", "r_profile", "r_page", "w_pagefeed")
LIFETIME = 3600
"""The lifetime of tokens in seconds, longer than any run."""
_MODULE = "4"


def populate(directory: Path, base_url: str) -> list[Actor]:
    """Fill the platform at `base_url`; its keys are in `directory`, and the environment names its AWS."""
    world = World(directory, ENGAWA_ISSUER=base_url)
    # An hour ago, so that these writes are no longer in any write window.
    world.clock.now = int(time.time() - 3600) * 1000
    users = [user(turn) for turn in range(USERS)]
    put_all(world, "directory", _directory(world, users))
    seeder = Seeder(world)
    for turn, each in enumerate(users):
        seeder.install(each, pairs(Random(turn)))
    # The app is of the demo world, and the server keeps its secret: a new secret is needed here.
    secret = world.platform.app_secrets.rotate(APP)
    _page(world, users[:POSTERS])
    app_token = world.token(None, lifetime=LIFETIME)
    return [
        Actor(world.token(each, *SCOPES, lifetime=LIFETIME), _refresh_token(world, each), app_token, APP, secret)
        for each in users
    ]


def _directory(world: World, users: list[str]) -> Iterator[Item]:
    """Yield the items of the users, in a ring: each is a friend of the next users on both sides."""
    for turn, each in enumerate(users):
        yield to_item(person(each))
        for step in range(1, FRIENDS // 2 + 1):
            for other in (users[turn - step], users[(turn + step) % len(users)]):
                yield mark(world.platform.friends_and_installs.friendship(each, other))


def _page(world: World, posters: list[str]) -> None:
    platform = world.platform
    platform.pages.create(Page(PAGE, "カフェ縁側 (Cafe Engawa)", Category.LOCAL, details="お茶とお菓子。" * 20))
    platform.pages.add_module(PAGE, APP, "クエスト (Quest)", _MODULE)
    for each in posters:
        platform.pages.members.add_administrator(PAGE, each)
    for turn in range(FEEDS):
        draft = Draft("新しいお菓子", "今日から、" * 20, content_uri=content_uri(turn), source=_MODULE)
        platform.feed_posting.post(platform.feed_posting.admit(PAGE, posters[turn % len(posters)], APP, draft), draft)
    for turn in range(COMMENTED):
        flood(world, PAGE, content_uri(turn), COMMENTS, POSTERS)


def _refresh_token(world: World, each: str) -> str:
    grants = world.platform.grants
    code = grants.allow(Family("", APP, each, frozenset(SCOPES), 0, 0, redirect_uri=REDIRECT))
    family = grants.find(APP, code)[1]
    token = family and grants.redeem(family, code)
    if not token:
        raise AssertionError("a code that was just made is not redeemed")
    return token
