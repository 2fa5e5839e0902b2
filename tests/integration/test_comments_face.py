"""Comments over HTTP: posting, listing, deleting, permissions and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.page_api import (
    COMMENTS,
    DENIED,
    FEEDS,
    NO_URIS,
    NOTHING_THERE,
    OTHER_APP,
    URI,
    ask,
    asked,
    comment,
    nothing_changes,
    pages_through,
    populated,
    post,
    send,
)
from tests.kit.worlds import HANA, KEN, MEI, TARO, World

pytestmark = pytest.mark.moto


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return a world with a page and one feed, posted by Mei."""
    made = make_world(populated)
    post(made, contentUri=URI)
    made.calls.clear()
    return made


def texts(world: World, **query: str) -> list[str]:
    return [entry["comment"] for entry in asked(world, COMMENTS, contentUri=URI, **query)["entry"]]


def count_on_feed(world: World) -> int:
    count: int = asked(world, FEEDS, contentUri=URI)["entry"]["commentCount"]
    return count


def test_a_comment_is_posted_and_shown(world: World):
    reply = send(world, "POST", COMMENTS, {"comment": "縁側で\nお茶 <b>&</b> \ue63e"}, HANA, contentUri=URI)
    assert (reply.status, reply.json.keys()) == (201, {"id"})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert asked(world, COMMENTS, contentUri=URI) == {
        "entry": [
            {
                "id": reply.json["id"],
                "comment": "縁側で\nお茶 <b>&</b> \ue63e",
                "user": {
                    "id": HANA,
                    "displayName": f"name of {HANA}",
                    "thumbnailUrl": f"https://people.example/{HANA}.jpg",
                },
                "created": "2027-01-15T17:00:00+09:00",
            }
        ],
        "startIndex": 0,
        "itemsPerPage": 1,
        "totalResults": 1,
    }
    assert count_on_feed(world) == 1


def test_an_app_that_is_not_on_the_page_may_comment(world: World):
    """Reading and writing comments needs no module: comments belong to the content, not to an app."""
    reply = send(world, "POST", COMMENTS, {"comment": "hello"}, HANA, app=OTHER_APP, contentUri=URI)
    assert reply.status == 201


def test_a_feed_without_comments_has_an_empty_list(world: World):
    assert asked(world, COMMENTS, contentUri=URI) == {
        "entry": [],
        "startIndex": 0,
        "itemsPerPage": 0,
        "totalResults": 0,
    }


@pytest.mark.parametrize("character", ["a", "縁", "𠮷", "\x00"])
def test_a_comment_has_up_to_10000_characters(world: World, character):
    comment(world, character * 10_000)
    assert texts(world) == [character * 10_000]
    with nothing_changes(world):
        reply = send(world, "POST", COMMENTS, {"comment": character * 10_001}, HANA, contentUri=URI)
    assert reply.error == (400, "parameter_invalid", "comment is too long (max=10000)")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, (400, "parameter_invalid", "comment is missing")),
        ({"comment": ""}, (400, "parameter_invalid", "comment must not be empty")),
        ({"comment": 5}, (400, "parameter_invalid", "comment must be a string")),
        ({"comment": "\ud800"}, (400, "bad_request", "The body is not UTF-8")),
        (b'{"comment": "\\ud800"}', (400, "parameter_invalid", "comment is not valid Unicode (a lone surrogate)")),
        (["a comment"], (400, "bad_request", "The body must be a JSON object")),
        (b"", (400, "bad_request", "The body is not valid JSON")),
        (b'{"comment": "a",}', (400, "bad_request", "The body is not valid JSON")),
    ],
)
def test_what_is_no_comment_is_refused(world: World, body: Any, said):
    with nothing_changes(world):
        reply = send(world, "POST", COMMENTS, body, HANA, headers={"Content-Type": "application/json"}, contentUri=URI)
    assert reply.error == said


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_comment_is_json(world: World, media_type):
    with nothing_changes(world):
        headers = {"Content-Type": media_type}
        reply = send(world, "POST", COMMENTS, b'{"comment":"a"}', HANA, headers=headers, contentUri=URI)
    assert reply.error == (400, "bad_request", "Bad request")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_content_must_be_named(world: World, method):
    path = f"{COMMENTS}/1" if method == "DELETE" else COMMENTS
    token = world.token(None, "any") if method == "GET" else world.token(HANA, "w_pagefeed")
    body = {"comment": "a"} if method == "POST" else None

    def refusal(**query: Any) -> tuple[int, str, str]:
        return world.send(method, path, body, token=token, **query).error

    with nothing_changes(world):
        assert refusal() == refusal(contentUri="") == (400, "parameter_invalid", "contentUri is missing")
        for uri in NO_URIS:
            assert refusal(contentUri=uri)[:2] == (400, "parameter_invalid")
        longest = "http://a.example/" + "a" * 1007
        assert refusal(contentUri=longest) == NOTHING_THERE
        assert refusal(contentUri=longest + "a") == (400, "parameter_invalid", "contentUri is too long (max=1024)")


def test_an_id_that_no_comment_has_is_not_found(world: World):
    known = comment(world)
    # The random part has no small letter; an id of digits is the same in small letters.
    for id in ("1", known + "0", known[:-1], known[:6] + "a" + known[7:], "%20", "..", "a" * 3000, "%E7%B8%81"):
        with nothing_changes(world):
            reply = send(world, "DELETE", f"{COMMENTS}/{id}", user=MEI, contentUri=URI)
        assert reply.error[0] == (400 if id == ".." else 404), id


def test_who_wrote_a_comment_deletes_it(world: World):
    id = comment(world, user=HANA)
    reply = send(world, "DELETE", f"{COMMENTS}/{id}", user=HANA, contentUri=URI)
    assert (reply.status, reply.text) == (204, "")
    assert texts(world) == []
    assert count_on_feed(world) == 0
    with nothing_changes(world):
        again = send(world, "DELETE", f"{COMMENTS}/{id}", user=HANA, contentUri=URI)
    assert again.error[:2] == (404, "not_found")


def test_an_administrator_of_the_page_deletes_any_comment(world: World):
    id = comment(world, user=HANA)
    assert send(world, "DELETE", f"{COMMENTS}/{id}.json", user=MEI, contentUri=URI).status == 204
    assert texts(world) == []


def test_nobody_else_deletes_a_comment(world: World):
    post(world, KEN, contentUri=URI + "6")
    id = comment(world, user=HANA, uri=URI + "6")
    for other in (TARO, KEN):
        with nothing_changes(world):
            reply = send(world, "DELETE", f"{COMMENTS}/{id}", user=other, contentUri=URI + "6")
        assert reply.error == DENIED


def test_a_comment_is_deleted_on_its_own_content(world: World):
    id = comment(world)
    post(world, contentUri=URI + "6")
    with nothing_changes(world):
        assert send(world, "DELETE", f"{COMMENTS}/{id}", user=MEI, contentUri=URI + "6").error[0] == 404


def test_comments_come_newest_first_and_in_parts(world: World):
    for number in range(25):
        comment(world, str(number), (HANA, KEN, TARO)[number % 3])
    newest_first = [str(number) for number in reversed(range(25))]
    first = asked(world, COMMENTS, contentUri=URI)
    assert [entry["comment"] for entry in first["entry"]] == newest_first[:20]
    assert (first["startIndex"], first["itemsPerPage"], first["totalResults"]) == (0, 20, 25)
    assert texts(world, startIndex="20") == newest_first[20:]
    assert texts(world, startIndex="3", count="4") == newest_first[3:7]
    assert texts(world, startIndex="24", count="100") == newest_first[24:]
    beyond = asked(world, COMMENTS, contentUri=URI, startIndex="25")
    assert beyond == {"entry": [], "startIndex": 25, "itemsPerPage": 0, "totalResults": 25}
    parts = list(pages_through(world, COMMENTS, 7, contentUri=URI))
    assert [entry["comment"] for part in parts for entry in part["entry"]] == newest_first
    assert [part["itemsPerPage"] for part in parts] == [7, 7, 7, 4]
    assert "startIndex" in parts[0]
    assert all("startIndex" not in part and part["totalResults"] == 25 for part in parts[1:])


def test_a_cursor_goes_on_where_it_was_while_others_post_and_delete(world: World):
    ids = [comment(world, str(number)) for number in range(12)]
    seen = []
    for turn, part in enumerate(pages_through(world, COMMENTS, 4, contentUri=URI)):
        seen += [entry["comment"] for entry in part["entry"]]
        comment(world, f"new {turn}")
        if turn == 0:
            # The last one shown, where the cursor points, and one that is not shown yet.
            for gone in (ids[8], ids[3]):
                send(world, "DELETE", f"{COMMENTS}/{gone}", user=MEI, contentUri=URI)
    assert seen == [str(number) for number in (11, 10, 9, 8, 7, 6, 5, 4, 2, 1, 0)]


def test_the_whole_of_a_list_in_one_part_has_no_cursor(world: World):
    for number in range(3):
        comment(world, str(number))
    assert "nextCursor" not in asked(world, COMMENTS, contentUri=URI, count="3")
    assert "nextCursor" in asked(world, COMMENTS, contentUri=URI, count="2")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"count": "0"}, "count must be a whole number from 1 to 100"),
        ({"count": "101"}, "count must be a whole number from 1 to 100"),
        ({"count": "ten"}, "count must be a whole number from 1 to 100"),
        ({"startIndex": "-1"}, "startIndex must be a whole number from 0 to 1000000000"),
        ({"startIndex": ""}, "startIndex must be a whole number from 0 to 1000000000"),
        ({"cursor": "a", "startIndex": "0"}, "cursor and startIndex cannot be used together"),
        ({"cursor": "a"}, "cursor does not belong to this list"),
        ({"cursor": ""}, "cursor does not belong to this list"),
    ],
)
def test_a_part_that_cannot_be_is_refused(world: World, query, said):
    assert ask(world, COMMENTS, contentUri=URI, **query).error == (400, "parameter_invalid", said)


def test_a_part_may_have_1_to_100_comments(world: World):
    for number in range(3):
        comment(world, str(number))
    assert texts(world, count="1") == ["2"]
    assert texts(world, count="100") == ["2", "1", "0"]


def test_who_is_no_more_has_no_name(world: World):
    comment(world, user=HANA)
    world.platform.users.close(HANA)
    [entry] = asked(world, COMMENTS, contentUri=URI)["entry"]
    assert entry["user"] == {"id": HANA, "displayName": "", "thumbnailUrl": ""}


def test_the_last_content_uri_of_a_query_counts(world: World):
    comment(world)
    reply = world.send("GET", f"{COMMENTS}?contentUri=nothing&contentUri={URI.replace('=', '%3D')}",
                       token=world.token(None, "any"))  # fmt: skip
    assert reply.json["totalResults"] == 1
