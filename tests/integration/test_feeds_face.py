"""Feeds over HTTP: posting, listing, reading one, deleting, permissions and refusals.

Feeds with images are in test_feed_images.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.core.errors import Conflict, PermissionDenied
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import FeedSource
from tests.kit.page_api import (
    DENIED,
    FEEDS,
    ISSUER,
    MODULE,
    NO_URIS,
    NOTHING_THERE,
    OTHER_APP,
    PAGE,
    PATH,
    URI,
    ask,
    asked,
    comment,
    favorite,
    nothing_changes,
    pages_through,
    populated,
    post,
    send,
)
from tests.kit.worlds import APP, BUCKET, HANA, KEN, MEI, TARO, World

pytestmark = pytest.mark.moto

PC_URL = "http://mixi.jp/run_page_appli.pl?page_id=0&module_id=0&appParams=%7B%22uid%22%3A%221569%22%7D"
SAMPLE = f"""{{
  "contentUri" : "{URI}",
  "title" : "title",
  "body" : "body",
  "urls" : {{
    "pcUrl" : "{PC_URL}",
    "mobileUrl" : "",
    "smartphoneUrl" : "",
  }},
  "sourceId" : "3",
}}""".encode()
"""The sample of the original's documentation, with its commas."""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(populated)


def titles(world: World, **query: str) -> list[str]:
    return [entry["title"] for entry in asked(world, **query)["entry"]]


def test_the_documented_sample_is_posted_and_shown(world: World):
    reply = send(world, "POST", FEEDS, SAMPLE, headers=JSON)
    assert (reply.status, reply.json) == (201, {"contentUri": URI})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    comment(world)
    favorite(world)
    favorite(world, KEN)
    entry = {
        "contentUri": URI,
        "title": "title",
        "body": "body",
        "urls": {"pcUrl": PC_URL, "mobileUrl": "", "smartphoneUrl": ""},
        "images": [],
        "user": {"id": MEI, "displayName": f"name of {MEI}", "thumbnailUrl": f"https://people.example/{MEI}.jpg"},
        "favoriteCount": 2,
        "commentCount": 1,
        "sourceName": "menu name",
        "created": "2027-01-15T17:00:00+09:00",
    }
    assert asked(world, contentUri=URI) == {"entry": entry}
    assert asked(world) == {"entry": [entry], "startIndex": 0, "itemsPerPage": 1, "totalResults": 1}


def test_a_feed_without_a_content_uri_gets_that_of_its_page(world: World):
    uris = [post(world, title="one"), post(world, title="two", contentUri=None)]
    assert len(set(uris)) == 2
    for uri, title in zip(uris, ("one", "two"), strict=True):
        assert uri.startswith(f"{ISSUER}/pages/{PAGE}/feeds/")
        assert asked(world, contentUri=uri)["entry"]["title"] == title
        comment(world, uri=uri)
        assert world.send("GET", uri.removeprefix(ISSUER), user=None).status == 200


def test_without_a_source_the_app_is_named(world: World):
    post(world, contentUri=URI)
    post(world, sourceId=MODULE)
    post(world, sourceId=int(MODULE))
    assert [entry["sourceName"] for entry in asked(world)["entry"]] == ["menu name", "menu name", "クエスト (Quest)"]


def test_a_source_is_a_module_of_the_page(world: World):
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, {"title": "t", "sourceId": "4"})
    assert reply.status == 400
    assert reply.json["error"] == "parameter_invalid"
    assert "sourceId" in reply.json["error_description"]


def test_an_app_that_is_not_on_the_page_does_not_post(world: World):
    for fields in ({}, {"contentUri": URI}):
        with nothing_changes(world):
            reply = send(world, "POST", FEEDS, {"title": "t"} | fields, app=OTHER_APP)
        assert reply.error == (403, "permission_denied", "The app is not installed on the page")
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, {"title": "t", "sourceId": MODULE}, app=OTHER_APP)
    assert reply.status in (400, 403)


def test_a_content_uri_is_posted_once_on_a_page(world: World):
    post(world, contentUri=URI)
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, {"title": "again", "contentUri": URI}, HANA)
    assert reply.error[:2] == (409, "conflict")
    assert post(world, contentUri=URI + "6") == URI + "6"
    assert post(world, contentUri=URI.upper().replace("HTTP://", "http://")) != URI


def test_a_page_shows_the_posts_of_its_administrators_and_finds_all(world: World):
    post(world, MEI, title="hers")
    uri = post(world, HANA, title="mine")
    assert titles(world) == ["hers"]
    assert asked(world)["totalResults"] == 1
    assert asked(world, contentUri=uri)["entry"]["title"] == "mine"
    world.platform.pages.change(PAGE, feed_source=FeedSource.EVERYONE)
    post(world, HANA, title="another")
    assert titles(world) == ["another", "hers"]


def test_a_feed_that_is_not_shown_gives_way_to_an_administrator_s(world: World):
    post(world, HANA, title="a stranger's", contentUri=URI)
    said, liked = comment(world, user=KEN), favorite(world, user=KEN)
    with nothing_changes(world):
        for user in (HANA, TARO):
            assert send(world, "POST", FEEDS, {"title": "again", "contentUri": URI}, user).error[:2] == (
                409,
                "conflict",
            )
    assert post(world, MEI, title="the page's", contentUri=URI) == URI

    assert titles(world) == ["the page's"]
    entry = asked(world, contentUri=URI)["entry"]
    assert (entry["title"], entry["user"]["id"]) == ("the page's", MEI)
    assert (entry["commentCount"], entry["favoriteCount"]) == (0, 0)
    assert asked(world, f"{PATH}/comments", contentUri=URI)["entry"] == []
    for path in (f"{PATH}/comments/{said}", f"{PATH}/favorites/{liked}"):
        assert send(world, "DELETE", path, user=KEN, contentUri=URI).status == 404
    with nothing_changes(world):
        assert send(world, "DELETE", FEEDS, user=HANA, contentUri=URI).error[:2] == (403, "permission_denied")
        for user in (HANA, MEI):
            assert send(world, "POST", FEEDS, {"title": "again", "contentUri": URI}, user).error[:2] == (
                409,
                "conflict",
            )


def test_a_feed_that_gives_way_takes_its_favorites_along(make_world: Callable[..., World]):
    world = populated(make_world(ENGAWA_FAVORITE_SHARDS="4"))
    post(world, HANA, title="a stranger's", contentUri=URI)
    for user in (HANA, KEN, TARO):
        favorite(world, user)
    post(world, MEI, title="the page's", contentUri=URI)
    assert asked(world, contentUri=URI)["entry"]["favoriteCount"] == 0
    favorite(world, KEN)
    assert asked(world, contentUri=URI)["entry"]["favoriteCount"] == 1
    world.clean()
    assert [item["list"]["S"] for item in world.items("favorites") if "list" in item] == [f"user#{KEN}"]


def test_a_feed_that_is_shown_does_not_give_way(world: World):
    """The setting at the time of a post decides whether the page shows the feed; a later change has no effect."""
    world.platform.pages.change(PAGE, feed_source=FeedSource.EVERYONE)
    post(world, HANA, title="shown", contentUri=URI)
    world.platform.pages.change(PAGE, feed_source=FeedSource.ADMINISTRATORS)
    with nothing_changes(world):
        assert send(world, "POST", FEEDS, {"title": "t", "contentUri": URI}).error[:2] == (409, "conflict")


def test_a_feed_that_is_not_shown_gives_way_to_no_one_else_s(world: World):
    """If a page shows everyone's posts, a new post does not delete another user's feed."""
    post(world, HANA, title="first", contentUri=URI)
    world.platform.pages.change(PAGE, feed_source=FeedSource.EVERYONE)
    with nothing_changes(world):
        assert send(world, "POST", FEEDS, {"title": "t", "contentUri": URI}, TARO).error[:2] == (409, "conflict")
    post(world, MEI, title="the page's", contentUri=URI)
    assert titles(world) == ["the page's"]


@pytest.mark.parametrize("own_before", [True, False])
@pytest.mark.parametrize("refusal", [Conflict, PermissionDenied])
def test_an_administrator_who_leaves_meanwhile_replaces_nothing_of_others(
    world: World, refusal: type[Exception], own_before: bool
):
    """Between the check of the permission and the write, the feed there may become another's, too."""
    here = world.platform
    if own_before:
        here.pages.members.remove_administrator(PAGE, MEI)
        post(world, MEI, title="my own", contentUri=URI)
        here.pages.members.add_administrator(PAGE, MEI)
    else:
        post(world, HANA, title="another's", contentUri=URI)
    draft = Draft("the page's", content_uri=URI, source=MODULE)
    admission = here.feed_posting.admit(PAGE, MEI, APP, draft)
    if own_before:
        here.feeds.delete(PAGE, URI, MEI)
        post(world, HANA, title="another's", contentUri=URI)
    if refusal is Conflict:
        here.pages.members.remove_administrator(PAGE, MEI)
    else:
        here.users.close(MEI)

    with pytest.raises(refusal):
        here.feed_posting.post(admission, draft)

    assert asked(world, contentUri=URI)["entry"]["title"] == "another's"


def test_a_post_over_another_that_is_sent_again_is_answered_as_the_first_time(world: World):
    post(world, HANA, title="a stranger's", contentUri=URI)
    body = {"title": "the page's", "contentUri": URI}
    headers = {"Idempotency-Key": "one"}
    first, second = (send(world, "POST", FEEDS, body, headers=headers) for _ in range(2))
    assert (first.status, first.json) == (second.status, second.json) == (201, {"contentUri": URI})


@pytest.mark.parametrize("character", ["a", "縁", "𠮷", "\x00"])
def test_a_feed_has_up_to_255_and_10000_characters(world: World, character):
    title, body = character * 255, character * 10_000
    uri = post(world, title=title, body=body)
    entry = asked(world, contentUri=uri)["entry"]
    assert (entry["title"], entry["body"]) == (title, body)
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, {"title": title + character})
        assert reply.error == (400, "parameter_invalid", "title is too long (max=255)")
        reply = send(world, "POST", FEEDS, {"title": title, "body": body + character})
        assert reply.error == (400, "parameter_invalid", "body is too long (max=10000)")


def test_a_content_uri_has_up_to_1024_bytes(world: World):
    longest = "http://a.example/" + "a" * 1007
    assert post(world, contentUri=longest) == longest
    assert asked(world, contentUri=longest)["entry"]["contentUri"] == longest
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, {"title": "t", "contentUri": longest + "a"})
    assert reply.error == (400, "parameter_invalid", "contentUri is too long (max=1024)")
    assert ask(world, contentUri=longest + "a").error == reply.error


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "title must not be empty"),
        ({"title": None}, "title is missing"),
        ({"title": 5}, "title must be a string"),
        ({"body": ["b"]}, "body must be a string"),
        ({"contentUri": "ftp://a.example/"}, "contentUri must be an http or https URL"),
        ({"contentUri": "id=12345"}, "contentUri must be an absolute URL"),
        ({"contentUri": "http://a.example/縁"}, 'contentUri must be escaped: "縁" is written %E7%B8%81'),
        (
            {"contentUri": "http://a.example/%zz"},
            "contentUri must be escaped: a % that is not followed by two hexadecimal digits is written %25",
        ),
        ({"urls": {"pcUrl": 'http://a.example/?{"a":1}'}}, 'urls.pcUrl must be escaped: "{" is written %7B'),
        ({"contentUri": f"{ISSUER}/pages/{PAGE}/feeds/1"}, f"contentUri must not begin with {ISSUER}/pages/"),
        ({"urls": "http://a.example/"}, "urls must be an object"),
        ({"urls": {"pcUrl": "javascript:alert(1)"}}, "urls.pcUrl must be an http or https URL"),
        ({"urls": {"mobileUrl": 5}}, "urls.mobileUrl must be an absolute URL"),
        ({"sourceId": "menu"}, "sourceId is not the id of a module"),
        ({"sourceId": True}, "sourceId is not the id of a module"),
        ({"imageUrls": "http://a.example/a.jpg"}, "imageUrls must be a list"),
        ({"imageUrls": ["http://a.example/a.jpg"] * 2}, "imageUrls has too many entries (max=1)"),
        ({"imageUrls": ["file:///etc/passwd"]}, "imageUrls must be an http or https URL"),
    ],
)
def test_what_is_no_feed_is_refused_by_name(world: World, fields: dict[str, Any], said: str):
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, {"title": "t"} | fields)
    assert reply.error == (400, "parameter_invalid", said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The body is not valid JSON"),
        (b"{", "The body is not valid JSON"),
        (b'{,"title":"t"}', "The body is not valid JSON"),
        (b'{"title":"t",,}', "The body is not valid JSON"),
        (b'{"title":"t","title":"u"}', "A name appears twice in one JSON object"),
        (b'{"title":"\xff"}', "The body is not UTF-8"),
        (b'["title"]', "The body must be a JSON object"),
        (b"null", "The body must be a JSON object"),
        (b'"title"', "The body must be a JSON object"),
    ],
)
def test_what_is_no_json_object_is_a_bad_request(world: World, body: bytes, said: str):
    with nothing_changes(world):
        assert send(world, "POST", FEEDS, body, headers=JSON).error == (400, "bad_request", said)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "image/jpeg", ""])
def test_a_feed_is_json_or_a_form(world: World, media_type):
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, SAMPLE, headers={"Content-Type": media_type})
    assert reply.error == (400, "bad_request", "Bad request")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf8", "text/json", "Application/JSON"])
def test_json_has_many_content_types(world: World, media_type):
    assert send(world, "POST", FEEDS, SAMPLE, headers={"Content-Type": media_type}).status == 201


def test_the_first_thing_that_is_wrong_is_told(world: World):
    """The order is page id, content type, JSON, fields, page, app, source, contentUri; the first error is returned."""
    post(world, contentUri=URI)

    def told(path: str, body: Any, app: str, media_type: str = "application/json") -> tuple[int, str, str]:
        return send(world, "POST", path, body, app=app, headers={"Content-Type": media_type}).error

    wrong = {"title": "", "contentUri": URI, "sourceId": "9"}
    right = {"title": "t", "contentUri": URI, "sourceId": MODULE}
    nowhere = FEEDS.replace(PAGE, "1")
    with nothing_changes(world):
        assert told("/2/pages/cafe/feeds", b"{", OTHER_APP, "text/plain")[0] == 404
        assert told(nowhere, b"{", OTHER_APP, "text/plain") == (400, "bad_request", "Bad request")
        assert told(nowhere, b"{", OTHER_APP)[2] == "The body is not valid JSON"
        assert told(nowhere, wrong, OTHER_APP)[2] == "title must not be empty"
        assert told(nowhere, wrong | {"title": "t"}, OTHER_APP)[0] == 404
        assert told(FEEDS, wrong | {"title": "t"}, "")[0] in (400, 403)
        assert told(FEEDS, wrong | {"title": "t"}, world.platform.apps.list_part()[0][0].id)[0] in (400, 409)
        assert send(world, "POST", FEEDS, right).error[:2] == (409, "conflict")


def test_a_user_who_is_no_more_does_not_post(world: World):
    world.platform.users.close(HANA)
    with nothing_changes(world):
        assert send(world, "POST", FEEDS, {"title": "t"}, HANA).error == DENIED


def test_feeds_come_newest_first_and_in_parts(world: World):
    for number in range(23):
        post(world, title=str(number))
    newest_first = [str(number) for number in reversed(range(23))]
    assert titles(world) == newest_first[:20]
    assert titles(world, startIndex="20") == newest_first[20:]
    assert titles(world, startIndex="5", count="3") == newest_first[5:8]
    assert titles(world, count="100") == newest_first
    assert asked(world, startIndex="23") == {"entry": [], "startIndex": 23, "itemsPerPage": 0, "totalResults": 23}
    parts = list(pages_through(world, FEEDS, 10))
    assert [entry["title"] for part in parts for entry in part["entry"]] == newest_first
    assert [(part.get("startIndex"), part["itemsPerPage"], part["totalResults"]) for part in parts] == [
        (0, 10, 23),
        (None, 10, 23),
        (None, 3, 23),
    ]


def test_a_cursor_goes_on_where_it_was_while_others_post_and_delete(world: World):
    uris = [post(world, title=str(number)) for number in range(10)]
    seen = []
    for turn, part in enumerate(pages_through(world, FEEDS, 3)):
        seen += [entry["title"] for entry in part["entry"]]
        post(world, title=f"new {turn}")
        if turn == 0:
            # The last one shown, where the cursor points, and one that is not shown yet.
            for gone in (uris[7], uris[2]):
                assert send(world, "DELETE", FEEDS, contentUri=gone).status == 204
    assert seen == [str(number) for number in (9, 8, 7, 6, 5, 4, 3, 1, 0)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"count": "0"}, "count must be a whole number from 1 to 100"),
        ({"count": "101"}, "count must be a whole number from 1 to 100"),
        ({"startIndex": "1.5"}, "startIndex must be a whole number from 0 to 1000000000"),
        ({"cursor": "a", "startIndex": "0"}, "cursor and startIndex cannot be used together"),
        ({"cursor": "縁"}, "cursor does not belong to this list"),
    ],
)
def test_a_part_that_cannot_be_is_refused(world: World, query, said):
    assert ask(world, **query).error == (400, "parameter_invalid", said)


def test_a_page_without_feeds_has_an_empty_list(world: World):
    empty = {"entry": [], "startIndex": 0, "itemsPerPage": 0, "totalResults": 0}
    assert asked(world) == asked(world, contentUri="") == asked(world, fields="x", unknown="") == empty


def test_a_content_that_is_not_there_is_not_found(world: World):
    assert ask(world, contentUri=URI).error == NOTHING_THERE
    assert ask(world, contentUri=f"{ISSUER}/pages/{PAGE}/feeds/1").error == NOTHING_THERE
    for uri in NO_URIS:
        assert ask(world, contentUri=uri).error[:2] == (400, "parameter_invalid")


def test_who_posted_a_feed_deletes_it_and_all_that_hangs_on_it(world: World):
    post(world, HANA, contentUri=URI)
    for number in range(3):
        comment(world, str(number))
        favorite(world, (HANA, KEN, TARO)[number])
    reply = send(world, "DELETE", FEEDS, user=HANA, contentUri=URI)
    assert (reply.status, reply.text) == (204, "")
    assert ask(world, contentUri=URI).error == NOTHING_THERE
    assert ask(world, f"{PATH}/comments", contentUri=URI).error == NOTHING_THERE
    assert ask(world, f"{PATH}/favorites", contentUri=URI).error == NOTHING_THERE
    with nothing_changes(world):
        assert send(world, "DELETE", FEEDS, user=HANA, contentUri=URI).error == NOTHING_THERE
    post(world, contentUri=URI)
    assert asked(world, f"{PATH}/comments", contentUri=URI)["entry"] == []
    assert asked(world, f"{PATH}/favorites", contentUri=URI) == {"count": 0}
    world.clean()
    assert asked(world, contentUri=URI)["entry"]["commentCount"] == 0
    assert send(world, "DELETE", FEEDS, contentUri=URI).status == 204
    world.clean()
    assert (world.items("comments"), world.items("favorites")) == ([], [])


def test_an_administrator_of_the_page_deletes_any_feed(world: World):
    post(world, HANA, contentUri=URI)
    assert send(world, "DELETE", f"{FEEDS}.json", user=MEI, contentUri=URI).status == 204
    assert ask(world, contentUri=URI).error == NOTHING_THERE


def test_nobody_else_deletes_a_feed(world: World):
    post(world, HANA, contentUri=URI)
    with nothing_changes(world):
        assert send(world, "DELETE", FEEDS, user=KEN, contentUri=URI).error == DENIED


def test_a_content_to_delete_must_be_named(world: World):
    post(world, contentUri=URI)
    with nothing_changes(world):
        for query in ({}, {"contentUri": ""}):
            reply = send(world, "DELETE", FEEDS, **query)
            assert reply.error == (400, "parameter_invalid", "contentUri is missing")
        for uri in NO_URIS:
            assert send(world, "DELETE", FEEDS, contentUri=uri).error[:2] == (400, "parameter_invalid")


def test_a_list_that_lambda_cannot_carry_is_fetched_from_elsewhere(world: World):
    # In JSON inside JSON, each of these characters takes seven bytes.
    for number in range(100):
        post(world, title=str(number), body="\x00" * 10_000)
    reply = ask(world, count="100")
    assert reply.status == 303
    assert reply.headers["location"] == reply.json["location"]
    key = urlsplit(reply.headers["location"]).path.lstrip("/")
    whole = json.loads(world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert [entry["title"] for entry in whole["entry"]] == [str(number) for number in reversed(range(100))]
    assert (whole["startIndex"], whole["itemsPerPage"], whole["totalResults"]) == (0, 100, 100)
    assert ask(world, count="20").status == 200


def test_dates_are_in_the_time_of_the_deployment(make_world: Callable[..., World]):
    world = populated(make_world(ENGAWA_UTC_OFFSET="-03:30"))
    uri = post(world)
    assert asked(world, contentUri=uri)["entry"]["created"] == "2027-01-15T04:30:00-03:30"
