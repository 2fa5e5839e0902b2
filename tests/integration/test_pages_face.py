"""Page information over HTTP, and the tokens that the Page API accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.model.directory import Category, Page
from tests.kit.page_api import (
    COMMENTS,
    FAVORITES,
    FEEDS,
    PAGE,
    PATH,
    URI,
    ask,
    asked,
    nothing_changes,
    populated,
    post,
    send,
)
from tests.kit.worlds import APP, HANA, KEN, MEI, World

pytestmark = pytest.mark.moto

INQUIRIES: dict[str, dict[str, Any]] = {
    PATH: {},
    FEEDS: {},
    COMMENTS: {"contentUri": URI},
    FAVORITES: {"contentUri": URI},
}
POSTINGS = [
    ("POST", FEEDS),
    ("DELETE", FEEDS),
    ("POST", COMMENTS),
    ("DELETE", f"{COMMENTS}/1"),
    ("POST", FAVORITES),
    ("DELETE", f"{FAVORITES}/1"),
]
every_inquiry = pytest.mark.parametrize("path", INQUIRIES)
every_route = pytest.mark.parametrize(("method", "path"), [*(("GET", path) for path in INQUIRIES), *POSTINGS])


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(populated)


def test_a_page_is_shown_with_what_its_category_has(world: World):
    cafe = Page(
        id="187793",
        name="カフェ縁側",
        category=Category.LOCAL,
        details="お茶\nとお菓子",
        zip_code="150-0001",
        address="東京都渋谷区",
        pc_url="https://cafe.example/",
        mobile_url="https://cafe.example/m/",
        birthday="1991-04-02",
        thumbnail_large="https://cafe.example/l.jpg",
        thumbnail_medium="https://cafe.example/m.jpg",
        thumbnail_small="https://cafe.example/s.jpg",
    )
    world.platform.pages.create(cafe)
    for user in (HANA, KEN):
        world.platform.pages.members.add_follower(cafe.id, user)
    reply = ask(world, "/2/pages/187793")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert reply.json == {
        "entry": {
            "id": "187793",
            "displayName": "カフェ縁側",
            "thumbnailUrls": {
                "large": "https://cafe.example/l.jpg",
                "medium": "https://cafe.example/m.jpg",
                "small": "https://cafe.example/s.jpg",
            },
            "details": "お茶\nとお菓子",
            "options": {
                "zipCode": "150-0001",
                "address": "東京都渋谷区",
                "pcUrl": "https://cafe.example/",
                "mobileUrl": "https://cafe.example/m/",
            },
            "followerCount": 2,
        }
    }
    world.platform.pages.change(cafe.id, category=Category.CELEBRITY)
    options = asked(world, "/2/pages/187793")["entry"]["options"]
    assert options.keys() == {"pcUrl", "mobileUrl", "birthday"}


def test_reading_a_page_is_one_call(world: World):
    asked(world, PATH)
    assert [call.operation for call in world.calls] == ["get_item"]


NO_PAGES = ["1", "99999999999999999999", "0", "01", "a", "@me", "123456789012345678901", "-1", "%20", "%EF%BC%91"]


@every_route
def test_a_page_that_does_not_exist_is_not_found(world: World, method, path):
    body = {"title": "t"} if path == FEEDS else {"comment": "c"}
    with nothing_changes(world):
        for page in NO_PAGES:
            other = path.replace(PAGE, page)
            if method == "GET":
                reply = ask(world, other, contentUri=URI)
            else:
                reply = send(world, method, other, body if method == "POST" else None, contentUri=URI)
            assert reply.error[:2] == (404, "not_found"), page


@every_inquiry
def test_an_app_asks_with_a_token_of_its_own_whatever_its_scopes(world: World, path):
    post(world, contentUri=URI)
    for scopes in (("",), ("w_pagefeed",), ("r_page", "another")):
        token = world.token(None, *scopes)
        assert world.send("GET", path, token=token, **INQUIRIES[path]).status == 200


@every_inquiry
def test_a_user_asks_with_the_scope_r_page(world: World, path):
    post(world, contentUri=URI)
    for scope in ("r_page", "w_pagefeed", "mixi_apps2"):
        reply = world.send("GET", path, token=world.token(KEN, scope), **INQUIRIES[path])
        if scope == "r_page":
            assert reply.status == 200
        else:
            assert reply.error == (403, "insufficient_scope", "The access token does not have the scope r_page")
            assert "r_page" in reply.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path"), POSTINGS)
def test_only_a_user_posts_and_deletes(world: World, method, path):
    reply = world.send(method, path, token=world.token(None, "w_pagefeed"), contentUri=URI)
    assert reply.error == (403, "permission_denied", "This needs a user's access token")
    reply = world.send(method, path, token=world.token(MEI, "r_page", "mixi_apps2"), contentUri=URI)
    assert reply.error == (403, "insufficient_scope", "The access token does not have the scope w_pagefeed")
    assert world.calls == []


@every_inquiry
def test_json_may_be_asked_for_and_nothing_else(world: World, path):
    post(world, contentUri=URI)
    plain = asked(world, path, **INQUIRIES[path])
    assert asked(world, path, format="json", **INQUIRIES[path]) == plain
    assert asked(world, path, format="", **INQUIRIES[path]) == plain
    assert asked(world, f"{path}.json", **INQUIRIES[path]) == plain
    reply = ask(world, path, format="atom", **INQUIRIES[path])
    assert reply.error == (400, "parameter_invalid", "Format must be one of: json")


@pytest.mark.parametrize(("method", "path"), POSTINGS)
def test_posts_and_deletions_have_the_same_formats(world: World, method, path):
    with nothing_changes(world):
        reply = send(world, method, path, contentUri=URI, format="xml")
    assert reply.error == (400, "parameter_invalid", "Format must be one of: json")
    for more in ({}, {"format": "json"}):
        reply = send(world, method, f"{path}.json", contentUri=URI, **more)
        assert reply.error[2] != "Format must be one of: json"


def test_another_format_of_a_page_is_refused(world: World):
    assert ask(world, f"{PATH}.xml").error == (400, "parameter_invalid", "Format must be one of: json")


def test_an_inquiry_may_carry_a_content_type_and_a_body_of_any_kind(world: World):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    token = world.token(None, "any", app=APP)
    assert world.send("GET", PATH, b"{", token=token, headers=headers).status == 200
