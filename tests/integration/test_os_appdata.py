"""`/os/0.8/appdata`: the same data and limits as the Persistence API, as a map by full ids, in JSON and Atom."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from chalicelib.core.conditions import Conditions
from tests.kit.appdata_api import nothing_changes, own_data, stored
from tests.kit.worlds import HANA, KEN, MEI, TARO, YUKI, World

pytestmark = pytest.mark.moto

BASE = "/os/0.8/appdata"
MINE = f"{BASE}/@me/@self/@app"
DENIED = (403, "permission_denied", "Permission denied")
ATOM = "{http://www.w3.org/2005/Atom}"
OPENSOCIAL = "{http://ns.opensocial.org/2008/opensocial}"
OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


def full(user: str) -> str:
    return f"mixi.jp:{user}"


def read(world: World, path: str, **query: Any) -> Any:
    reply = world.send("GET", f"{BASE}/{path}", **query)
    assert reply.status == 200, reply
    assert reply.json.keys() == {"entry"}
    return reply.json["entry"]


# --- reading


@pytest.mark.parametrize("guid", ["@me", "@viewer", "@owner", HANA, full(HANA), "%40me", f"urn:guid:mixi.jp:{HANA}"])
def test_ones_own(world: World, guid: str) -> None:
    stored(world, {"level": "5", "name": "花"})

    assert read(world, f"{guid}/@self/@app") == {full(HANA): {"level": "5", "name": "花"}}
    assert read(world, f"{guid}/@self/@app.json", fields="level,never") == {full(HANA): {"level": "5"}}


def test_ones_own_are_there_though_empty(world: World) -> None:
    assert read(world, "@me/@self/@app") == {full(HANA): {}}


def test_friends_without_data_are_absent(world: World) -> None:
    stored(world, {"level": "7"}, KEN)
    stored(world, {"other": "x"}, MEI)

    assert read(world, "@me/@friends/@app", fields="level") == {full(KEN): {"level": "7"}}
    assert read(world, "@me/@friends/@app") == {full(KEN): {"level": "7"}, full(MEI): {"other": "x"}}


def test_anyone_who_has_installed_the_app(world: World) -> None:
    """Yuki has no friends, and `/2` would not return her data."""
    stored(world, {"level": "2"}, YUKI)

    assert read(world, f"{YUKI}/@self/@app") == {full(YUKI): {"level": "2"}}
    assert read(world, f"{full(YUKI)},{KEN},{TARO}/@self/@app") == {full(YUKI): {"level": "2"}, full(KEN): {}}


@pytest.mark.parametrize(
    "path",
    [
        f"{TARO}/@self/@app",
        "nobodynobody/@self/@app",
        f"{KEN}/@friends/@app",
        "@me/@all/@app",
        "@me/@everyone/@app",
        "@me/@self/c07be4915fa2d386",
    ],
)
def test_refused_alike(world: World, path: str) -> None:
    assert world.send("GET", f"{BASE}/{path}").error == DENIED


def test_the_apps_own_id_is_the_app(world: World) -> None:
    assert read(world, "@me/@self/6d1f0c2ab4e79853") == {full(HANA): {}}


def test_a_version_is_told_and_asked_for(world: World) -> None:
    etag = stored(world, {"level": "5"}).headers["etag"]

    reply = world.send("GET", MINE)
    assert reply.headers["etag"] == etag
    assert world.send("GET", MINE, headers={"If-None-Match": etag}).status == 304
    stored(world, {"level": "6"})
    assert world.send("GET", MINE, headers={"If-None-Match": etag}).status == 200


# --- writing


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_writing_merges(world: World, method: str) -> None:
    stored(world, {"level": "5", "name": "花"})

    reply = world.send(method, MINE, {"level": "6", "new": ""})

    assert (reply.status, reply.text) == (200, "{}")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["x-ratelimit-remaining"] == "178"
    assert own_data(world) == {"level": "6", "name": "花", "new": ""}


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"fields": "level"}, {"name": "x", "map": "y"}),
        ({"fields": "level,map,never"}, {"name": "x"}),
        ({}, {}),
        ({"fields": ""}, {}),
        ({"fields": "*"}, {}),
    ],
)
def test_deleting(world: World, query: dict[str, Any], left: dict[str, str]) -> None:
    stored(world, {"level": "5", "name": "x", "map": "y"})

    reply = world.send("DELETE", MINE, **query)

    assert (reply.status, reply.text) == (200, "{}")
    assert own_data(world) == left


@pytest.mark.parametrize(
    "query", ["fields=,", "fields=%2C", "fields=,,", "fields=*,a", "field=a", "keys=a", "fields[]=a", "fields%5B%5D=a"]
)
def test_names_that_got_lost_delete_nothing(world: World, query: str) -> None:
    stored(world, {"level": "5"})

    with nothing_changes(world):
        reply = world.send("DELETE", f"{MINE}?{query}")
        assert reply.error[:2] == (400, "parameter_invalid")
        reply = world.send("DELETE", MINE, b'["level"]', headers={"Content-Type": "application/json"})
        assert reply.error[:2] == (400, "parameter_invalid")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_token_in_another_place(world: World, method: str) -> None:
    """OpenSocial's libraries send `st`, and `OAuth2` before a token in the header."""
    body, token = {"a": "b"} if method in ("POST", "PUT") else None, world.token(HANA)

    assert world.send(method, MINE, body, user=None, st=token).status == 200
    assert world.send(method, MINE, body, user=None, headers={"Authorization": f"OAuth2 {token}"}).status == 200
    wrong = world.send(method, MINE, body, user=None, st="nonsense")
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_token")


def test_an_empty_format_is_none(world: World) -> None:
    assert world.send("GET", f"{MINE}?format=").json == {"entry": {full(HANA): {}}}
    assert world.send("GET", f"{MINE}.atom?format=").headers["content-type"].startswith("application/atom+xml")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path", [f"{KEN}/@self/@app", "@me/@friends/@app", f"{HANA},{KEN}/@self/@app", "@me/@self/c07be4915fa2d386"]
)
def test_only_ones_own_can_be_written(world: World, method: str, path: str) -> None:
    stored(world, {"level": "7"}, KEN)

    with nothing_changes(world):
        assert world.send(method, f"{BASE}/{path}", {"level": "9"}).error == DENIED


def test_a_condition_that_does_not_hold(world: World) -> None:
    etag = stored(world, {"level": "5"}).headers["etag"]
    stored(world, {"level": "6"})

    for method in ("POST", "PUT", "DELETE"):
        with nothing_changes(world):
            body = None if method == "DELETE" else {"level": "7"}
            assert world.send(method, MINE, body, headers={"If-Match": etag}).status == 412
    last = {"If-Match": world.send("GET", MINE).headers["etag"]}
    assert world.send("POST", MINE, {"level": "7"}, headers=last).json == {}


REFUSED = [
    (b"level=5", "application/x-www-form-urlencoded", 400, "bad_request"),
    (b"<entry/>", "application/atom+xml", 400, "bad_request"),
    (b"{", "application/json", 400, "bad_request"),
    (b"[1]", "application/json", 400, "bad_request"),
    (b"[]", "application/json", 400, "parameter_invalid"),
    (b"{}", "application/json", 400, "parameter_invalid"),
    (b'{"a":5}', "application/json", 400, "bad_request"),
    (b'{"a b":"5"}', "application/json", 400, "parameter_invalid"),
    (b'{"a":"' + b"x" * 65_536 + b'"}', "application/json", 400, "parameter_invalid"),
    (b"{" + b",".join(b'"k%d":""' % each for each in range(100)) + b"}", "application/json", 413, None),
]


@pytest.mark.parametrize(("body", "kind", "status", "error"), REFUSED)
def test_what_is_no_flat_object_of_strings(
    world: World, body: bytes, kind: str, status: int, error: str | None
) -> None:
    with nothing_changes(world):
        reply = world.send("POST", MINE, body, headers={"Content-Type": kind})

    assert reply.status == status
    assert reply.json["error"] == (error or "request_entity_too_large")


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_the_most_that_one_request_may_write(world: World, suffix: str) -> None:
    assert world.send("POST", MINE + suffix, {f"k{each}": "x" * 100 for each in range(99)}).json == {}
    assert world.send("PUT", MINE + suffix, {"k1": "x" * 65_535}).json == {}


def test_the_write_window_is_that_of_all_faces(world: World) -> None:
    for _ in range(90):
        assert world.send("POST", MINE, {"a": "b"}).status == 200
        stored(world, {"a": "c"})

    reply = world.send("DELETE", MINE)

    assert reply.error == (503, "service_unavailable", "appdata update frequency is too high")
    assert int(reply.headers["retry-after"]) == 180
    world.clock.now += 180_000
    assert world.send("DELETE", MINE).status == 200


def test_most_keys_to_delete(world: World) -> None:
    for count, status in ((99, 200), (100, 413)):
        assert world.send("DELETE", MINE, fields=",".join(f"k{each}" for each in range(count))).status == status


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_viewer_without_the_app(world: World, method: str) -> None:
    assert world.send(method, MINE, {"a": "b"} if method == "POST" else None, user=TARO).error == DENIED


# --- Atom


def test_an_entry_of_data(world: World) -> None:
    value = '<花 a="1">&]]>\n\r\n\t'
    stored(world, {"1st": value + "\x00", "b": ""})

    reply = world.send("GET", f"{MINE}.atom")
    entry = ElementTree.fromstring(reply.text)

    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert reply.headers["etag"] == world.send("GET", MINE).headers["etag"]
    assert entry.tag == f"{ATOM}entry"
    assert entry.findtext(f"{ATOM}id") == f"urn:guid:mixi.jp:{HANA}"
    pairs = entry.findall(f"{ATOM}content/{OPENSOCIAL}appdata/{OPENSOCIAL}entry")
    assert [(each.findtext(f"{OPENSOCIAL}key"), each.findtext(f"{OPENSOCIAL}value")) for each in pairs] == [
        ("1st", value + "\ufffd"),
        ("b", ""),
    ]


def test_a_feed_of_data(world: World) -> None:
    stored(world, {"level": "7"}, KEN)
    stored(world, {"level": "1"}, MEI)

    feed = ElementTree.fromstring(world.send("GET", f"{BASE}/@me/@friends/@app", format="atom").text)

    assert feed.findtext(f"{OPENSEARCH}totalResults") == "2"
    entries = feed.findall(f"{ATOM}entry")
    assert [each.findtext(f"{ATOM}id") for each in entries] == [f"urn:guid:{full(KEN)}", f"urn:guid:{full(MEI)}"]
    assert [each.findtext(f".//{OPENSOCIAL}value") for each in entries] == ["7", "1"]


def test_the_id_of_a_feed_of_data_is_a_url_whatever_was_asked(world: World) -> None:
    answer = world.send("GET", f"{BASE}/@me,%01%E8%8A%B1/@self/@app", format="atom")

    address = ElementTree.fromstring(answer.text).findtext(f"{ATOM}id")
    assert address == "http://127.0.0.1:8000/os/0.8/appdata/@me,%01%E8%8A%B1/@self/@app"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_atom_is_for_reading(world: World, method: str) -> None:
    reply = world.send(method, f"{MINE}.atom", {"a": "b"})

    assert reply.error == (400, "parameter_invalid", "Format must be one of: json")


def test_an_answer_that_lambda_cannot_carry(world: World) -> None:
    for number in range(60):
        world.platform.appdata.write(
            "6d1f0c2ab4e79853",
            HANA,
            {f"k{number}{each}": "<" * 60_000 for each in "ab"},
            Conditions(),
        )

    for form, kind in (("json", "application/json"), ("atom", "application/atom+xml")):
        reply = world.send("GET", MINE, format=form)
        assert (reply.status, reply.json["location"]) == (303, reply.headers["location"])
        assert reply.headers["etag"]
        (key,) = [each["Key"] for each in world.s3.list_objects_v2(Bucket="engawa-local-000000000000")["Contents"]]
        found = world.s3.get_object(Bucket="engawa-local-000000000000", Key=key)
        assert found["ContentType"].startswith(kind)
        assert found["Body"].read().count(b"<" if form == "json" else b"&lt;") == 120 * 60_000
        world.s3.delete_object(Bucket="engawa-local-000000000000", Key=key)
