"""The demo world: it is created once, found at the next start, and described in demo.json as programs expect."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.core.events import EventKind
from chalicelib.core.model.contents import Feed
from chalicelib.core.model.directory import Category
from chalicelib.core.paging import Paging
from chalicelib.core.passwords import matches
from local import demo
from local.demo_data import APPS, CAFE, COMMENTS, CONTENT_URI, RECEIVER, USERS
from tests.kit.worlds import BUCKET

if TYPE_CHECKING:
    from tests.kit.worlds import World

pytestmark = pytest.mark.moto

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def load(world: World, directory: Path, base_url: str = BASE) -> dict[str, Any]:
    directory.mkdir(exist_ok=True)
    demo.load(world.platform, base_url, directory)
    found: dict[str, Any] = json.loads((directory / "demo.json").read_text(encoding="utf-8"))
    return found


def fits(world: World, described: dict[str, Any]) -> bool:
    """Return whether passwords and secret match the stored ones."""
    platform = world.platform
    for user in described["users"].values():
        credential = platform.users.credential(user["login"])
        if not credential or credential[0] != user["id"] or not matches(user["password"], credential[1]):
            return False
    quest = platform.apps.get(described["apps"]["quest"]["clientId"])
    return bool(quest and quest.secret == described["apps"]["quest"]["clientSecret"])


def test_what_there_is(world: World, tmp_path: Path) -> None:
    described, platform = load(world, tmp_path / "one"), world.platform

    assert fits(world, described)
    friends = {
        name: platform.friends_and_installs.friends_with_install(user, APPS["quest"]) for name, user in USERS.items()
    }
    assert {name: (sorted(ids), installed) for name, (ids, installed) in friends.items()} == {
        "hana": (sorted(USERS[name] for name in ("ken", "mei", "taro")), True),
        "ken": (sorted(USERS[name] for name in ("hana", "mei")), True),
        "mei": (sorted(USERS[name] for name in ("hana", "ken")), True),
        "taro": ([USERS["hana"]], False),
        "yuki": ([], True),
    }
    assert platform.friends_and_installs.installed_users(APPS["album"])[0] == [USERS["ken"]]
    users = platform.users.get_many(USERS.values())
    assert users[USERS["hana"]].display_name == "花 (Hana)"
    assert users[USERS["hana"]].friends == 3


def test_the_apps(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    quest, album = (world.platform.apps.get(each) for each in APPS.values())

    assert quest
    assert album
    assert (quest.confidential, album.confidential, album.secret) == (True, False, None)
    assert quest.redirect_uris == album.redirect_uris == (f"{BASE}/sample",)
    assert {"mixi_apps2", "r_profile", "w_pagefeed"} <= set(quest.scopes)
    assert "admin" not in quest.scopes + album.scopes


def test_the_page(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    pages = world.platform.pages
    cafe = pages.get(CAFE.id)

    assert cafe
    assert (cafe.category, bool(cafe.address), cafe.followers) == (Category.LOCAL, True, 2)
    assert pages.members.administrators(CAFE.id)[0] == [USERS["mei"]]
    assert pages.members.followers(CAFE.id)[0] == sorted([USERS["hana"], USERS["ken"]])
    module = pages.module(CAFE.id, "3")
    assert module
    assert module.app == APPS["quest"]


def feed_of(world: World) -> tuple[Feed, list[tuple[str, str]]]:
    """Return the feed of the page cafe, and its comments, oldest first, as (user, text)."""
    feed, _ = world.platform.feeds.get(CAFE.id, CONTENT_URI)
    comments = world.platform.comments.part(CAFE.id, CONTENT_URI, Paging()).entries
    names = {user: name for name, user in USERS.items()}
    return feed, [(names[each.poster], each.text) for each in reversed(comments)]


def test_the_feed(world: World, tmp_path: Path) -> None:
    described = load(world, tmp_path / "one")
    feed, comments = feed_of(world)

    assert [shown.id for shown in world.platform.feeds.part(CAFE.id, Paging()).entries] == [feed.id]
    assert described["pages"]["cafe"]["feedId"] == feed.id
    assert (feed.poster, feed.source_name) == (USERS["mei"], "クエスト (Quest)")
    assert (feed.favorites, feed.comments, len(feed.images)) == (3, 2, 4)
    assert comments == COMMENTS
    for key in feed.images:
        assert world.s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "image/png"


def test_a_start_that_was_cut_short_leaves_no_part_of_the_feed_twice(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    platform = world.platform
    [last, _] = platform.comments.part(CAFE.id, CONTENT_URI, Paging()).entries
    platform.comments.delete(CAFE.id, CONTENT_URI, last.id, last.poster)
    favorite = platform.favorites.add(CAFE.id, CONTENT_URI, USERS["mei"])
    platform.favorites.remove(CAFE.id, CONTENT_URI, favorite, USERS["mei"])
    (tmp_path / "one" / "demo.json").unlink()

    load(world, tmp_path / "one")

    feed, comments = feed_of(world)
    assert (feed.favorites, feed.comments, comments) == (3, 2, COMMENTS)
    assert len(world.platform.feeds.part(CAFE.id, Paging()).entries) == 1


def without_feed(world: World, directory: Path) -> None:
    """Restore a directory to its state before feeds existed."""
    world.platform.feeds.delete(CAFE.id, CONTENT_URI, USERS["mei"])
    world.clean()
    described = json.loads((directory / "demo.json").read_text(encoding="utf-8"))
    del described["pages"]["cafe"]["feedId"]
    (directory / "demo.json").write_text(json.dumps(described), encoding="utf-8")


def test_a_directory_from_before_there_were_feeds_gets_it(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    without_feed(world, tmp_path / "one")
    world.platform.users.change(USERS["hana"], display_name="Hana-chan")

    described = load(world, tmp_path / "one")

    feed, comments = feed_of(world)
    assert (feed.favorites, comments, described["pages"]["cafe"]["feedId"]) == (3, COMMENTS, feed.id)
    hana = world.platform.users.get(USERS["hana"])
    assert hana
    assert hana.display_name == "Hana-chan"


def test_a_feed_that_was_deleted_is_not_made_again(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    world.platform.feeds.delete(CAFE.id, CONTENT_URI, USERS["mei"])

    load(world, tmp_path / "one")

    assert world.platform.feeds.part(CAFE.id, Paging()).entries == []


def test_a_page_that_was_deleted_stops_no_start(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    without_feed(world, tmp_path / "one")
    world.platform.cleanup.delete_page(CAFE.id)

    assert "feedId" not in load(world, tmp_path / "one")["pages"]["cafe"]


def test_the_file(world: World, tmp_path: Path) -> None:
    described = load(world, tmp_path / "one")

    assert stat.S_IMODE((tmp_path / "one" / "demo.json").stat().st_mode) == 0o600
    assert described["baseUrl"] == BASE
    assert described["users"].keys() == USERS.keys()
    assert described["apps"]["quest"].keys() == {"id", "clientId", "clientSecret", "redirectUri", "endpointId"}
    assert described["apps"]["album"].keys() == {"id", "clientId", "redirectUri"}
    assert described["pages"]["cafe"].keys() == {"id", "moduleId", "contentUri", "feedId"}
    tokens = described["tokens"]
    assert tokens["users"].keys() == USERS.keys()
    access = world.platform.tokens.check(tokens["users"]["hana"]["quest"])
    assert (access.viewer, access.owner, access.app) == (USERS["hana"], USERS["hana"], APPS["quest"])
    assert access.scopes == {"mixi_apps2", "w_pagefeed", "r_profile"}
    assert world.platform.tokens.check(tokens["clients"]["album"]).viewer is None
    assert world.platform.tokens.check(tokens["operator"]).scopes == {"admin"}


def test_again_keeps_secrets_and_what_was_changed(world: World, tmp_path: Path) -> None:
    first, platform = load(world, tmp_path / "one"), world.platform
    platform.users.change(USERS["hana"], display_name="Hana-chan")
    platform.friends_and_installs.unfriend(USERS["hana"], USERS["ken"])
    platform.appdata.uninstall(APPS["quest"], USERS["mei"])

    second = load(world, tmp_path / "one")

    assert (second["users"], second["apps"], second["pages"]) == (first["users"], first["apps"], first["pages"])
    assert fits(world, second)
    hana = platform.users.get(USERS["hana"])
    assert hana
    assert (hana.display_name, hana.friends) == ("Hana-chan", 2)
    assert not platform.friends_and_installs.has_installs(USERS["mei"])


def test_a_start_that_did_not_get_to_its_end_is_gone_on_with(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")
    (tmp_path / "one" / "demo.json").unlink()
    world.platform.friends_and_installs.unfriend(USERS["hana"], USERS["ken"])

    again = load(world, tmp_path / "one")

    assert fits(world, again)
    hana = world.platform.users.get(USERS["hana"])
    assert hana
    assert hana.friends == 3


def test_loading_uses_up_nobodys_write_window(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")

    usage = world.platform.appdata.usage(APPS["quest"], USERS["hana"])

    assert (usage.rate.remaining, usage.balance.keys) == (180, 3)


def test_an_emptied_store_is_filled_again_with_the_same_secrets(world: World, tmp_path: Path) -> None:
    first = load(world, tmp_path / "one")
    for table in ("directory", "appdata"):
        for item in world.items(table):
            key = {name: item[name] for name in ("pk", "sk")}
            world.dynamodb.delete_item(TableName=f"engawa-local-{table}", Key=key)

    second = load(world, tmp_path / "one")

    assert (second["users"], second["apps"]) == (first["users"], first["apps"])
    assert fits(world, second)


def test_another_port_moves_the_redirect_uris(world: World, tmp_path: Path) -> None:
    load(world, tmp_path / "one")

    moved = load(world, tmp_path / "one", "http://127.0.0.1:8001")

    quest = world.platform.apps.get(APPS["quest"])
    assert quest
    assert quest.redirect_uris == ("http://127.0.0.1:8001/sample",)
    assert moved["apps"]["quest"]["redirectUri"] == "http://127.0.0.1:8001/sample"


def test_the_sample_receives_the_events_of_quest(world: World, tmp_path: Path) -> None:
    described, here = load(world, tmp_path / "one"), world.platform.endpoints
    [made] = here.of_app(APPS["quest"])
    assert (made.id, made.url, made.kinds) == (RECEIVER, f"{BASE}/sample/events", frozenset(EventKind))
    assert described["apps"]["quest"]["endpointId"] == RECEIVER

    load(world, tmp_path / "one", "http://127.0.0.1:8001")
    assert here.of_app(APPS["quest"])[0].url == "http://127.0.0.1:8001/sample/events"
    # A user's changes are kept.
    here.delete(APPS["quest"], RECEIVER)
    load(world, tmp_path / "one")
    assert here.of_app(APPS["quest"]) == []
