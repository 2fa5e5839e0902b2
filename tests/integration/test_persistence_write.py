"""Writing: POST and PUT merge either all pairs of a JSON object or none."""

import json

import pytest

from tests.kit.appdata_api import nothing_changes, own_data, self_of, stored
from tests.kit.worlds import APP, HANA, KEN, ME, World

NO_STRING = (400, "bad_request", "No value associated with specified key.")
BAD_KEY = (400, "parameter_invalid", "A key must be made of A-Z a-z 0-9 _ . - and not be empty")
BAD_JSON = (400, "bad_request", "The body is not valid JSON")
BAD_TYPE = (400, "bad_request", "Bad request")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_answers_200_with_its_response_code(world: World, method):
    reply = world.send(method, ME, {"greeting": "Welcome!", "level": "5"})
    assert reply.status == 200
    assert reply.text == '{"response_code":200}'
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert own_data(world) == {"greeting": "Welcome!", "level": "5"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_both_methods_merge_so_that_keys_not_named_stay(world: World, method):
    stored(world, {"greeting": "Welcome!", "level": "5"})
    assert world.send(method, ME, {"level": "6", "coins": ""}).status == 200
    assert own_data(world) == {"greeting": "Welcome!", "level": "6", "coins": ""}


@pytest.mark.parametrize(
    "value", ["", "縁側 😀", '"quoted\\"', "</script>&amp;", "\x00\x1f\x7f", "\ufeff", "e\u0301", " \n\t "]
)
def test_text_is_stored_and_returned_as_it_came(world: World, value):
    stored(world, {"k": value})
    assert own_data(world) == {"k": value}


def test_escaped_and_plain_text_are_the_same(world: World):
    world.send("POST", ME, b'{"k":"\\u7e01\\ud83d\\ude00"}', headers={"Content-Type": "application/json"})
    assert own_data(world) == {"k": "縁😀"}


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf8", "text/json", "APPLICATION/JSON", "application/json;charset=UTF-8; v=1"],
)
def test_json_content_types_of_old_clients_pass(world: World, content_type):
    reply = world.send("POST", ME, b'{"k":"v"}', headers={"Content-Type": content_type})
    assert reply.json == {"response_code": 200}
    assert own_data(world) == {"k": "v"}


def test_a_byte_order_mark_before_the_json_passes(world: World):
    reply = world.send("POST", ME, b'\xef\xbb\xbf{"k":"v"}', headers={"Content-Type": "application/json"})
    assert reply.status == 200
    assert own_data(world) == {"k": "v"}


@pytest.mark.parametrize("path", [ME, "/2/apps/appdata/%40me/%40self", self_of(HANA), ME + ".json", ME + "?"])
def test_one_s_own_data_can_be_written_by_every_way_of_naming_them(world: World, path):
    assert world.send("POST", path, {"k": "v"}).status == 200
    assert own_data(world) == {"k": "v"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, (400, "parameter_invalid", "No key/value pairs")),
        ([], (400, "parameter_invalid", "No key/value pairs")),
        ([{"a": "b"}], (400, "bad_request", "The body must be a JSON object")),
        ("text", (400, "bad_request", "The body must be a JSON object")),
        ({"a": "fine", "b": None}, NO_STRING),
        ({"a": "fine", "b": ["c"]}, NO_STRING),
        ({"a": "fine", "b": {"c": "d"}}, NO_STRING),
        ({"a": "fine", "b": 5}, NO_STRING),
        ({"a": "fine", "b": True}, NO_STRING),
        ({"a": "fine", "": "b"}, BAD_KEY),
        ({"a": "fine", "b c": "d"}, BAD_KEY),
        ({"a": "fine", "鍵": "d"}, BAD_KEY),
        ({"a": "fine", "b\n": "d"}, BAD_KEY),
        ({"a": "fine", "k" * 256: "d"}, (400, "parameter_invalid", "Key is too long (max=255)")),
        ({"a": "fine", "b": "x" * 65_536}, (400, "parameter_invalid", "Value of key b is too long (max=65535)")),
        ({"a": "fine", "b": "縁" * 21_846}, (400, "parameter_invalid", "Value of key b is too long (max=65535)")),
        (
            {f"k{turn}": "v" for turn in range(100)},
            (413, "request_entity_too_large", "Too many key/value pairs (max=99)"),
        ),
        (
            {f"k{turn}": "x" * 65_535 for turn in range(58)},
            (413, "request_entity_too_large", "Too many bytes of values in one request (max=3800000)"),
        ),
        ({f"k{turn}": "x" * 65_535 for turn in range(99)}, (413, "request_entity_too_large", None)),
    ],
    ids=lambda each: "" if isinstance(each, tuple) else json.dumps(each)[:24],
)
def test_what_cannot_be_stored_is_refused_and_changes_nothing(world: World, body, error):
    stored(world, {"a": "before"})
    with nothing_changes(world):
        for method in ("POST", "PUT"):
            reply = world.send(method, ME, body)
            assert reply.error == error if error[2] else reply.error[:2] == error[:2]
            assert reply.json.keys() == {"error", "error_description"}
            assert reply.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", (400, "parameter_invalid", "No key/value pairs")),
        (b"\xef\xbb\xbf", BAD_JSON),
        (b"{", BAD_JSON),
        (b'{"a":"b",}', BAD_JSON),
        (b"a=b", BAD_JSON),
        (b'{"a":NaN}', (400, "bad_request", "NaN is not JSON")),
        (b'{"a":"b","a":"c"}', (400, "bad_request", "A name appears twice in one JSON object")),
        (b"[" * 100_000, (400, "bad_request", "The JSON is nested too deeply")),
        (b'{"a":"\xff"}', (400, "bad_request", "The body is not UTF-8")),
        (b'{"a":"\\ud83d"}', (400, "bad_request", "Value of key a is not valid Unicode (a lone surrogate)")),
        (b'{"\\ud83d":"a"}', BAD_KEY),
    ],
    ids=lambda each: "" if isinstance(each, tuple) else repr(each[:20]),
)
def test_a_body_that_is_no_plain_json_is_refused_and_changes_nothing(world: World, body, error):
    with nothing_changes(world):
        assert world.send("POST", ME, body, headers={"Content-Type": "application/json"}).error == error


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": ""}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"},
     {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "application/octet-stream"}],
)  # fmt: skip
def test_another_content_type_is_refused_whatever_the_body(world: World, headers):
    with nothing_changes(world):
        for body in (b'{"a":"b"}', b"a=b", b"\xff", b"{}"):
            assert world.send("POST", ME, body, headers=headers).error == BAD_TYPE
        # An empty body needs no type.
        typed = headers.get("Content-Type")
        said = BAD_TYPE if typed else (400, "parameter_invalid", "No key/value pairs")
        assert world.send("POST", ME, b"", headers=headers).error == said


def test_99_pairs_with_the_longest_keys_and_3800000_bytes_pass(world: World):
    pairs = {f"{turn:03}".ljust(255, "k"): "x" * (3_800_000 // 99) for turn in range(99)}
    pairs["000".ljust(255, "k")] += "x" * (3_800_000 % 99)
    assert sum(map(len, pairs.values())) == 3_800_000
    stored(world, pairs)
    assert own_data(world) == pairs


def test_a_value_of_65535_bytes_passes(world: World):
    stored(world, {"a": "縁" * 21_845})
    assert own_data(world) == {"a": "縁" * 21_845}


def test_apps_do_not_see_each_other_s_data(world: World):
    stored(world, {"k": "here"})
    world.platform.appdata.install("another", HANA)
    token = world.token(app="another")
    assert world.send("GET", ME, token=token).json["entry"][0]["data"] == {}
    assert world.send("POST", ME, {"k": "there"}, token=token).status == 200
    assert own_data(world) == {"k": "here"}


def test_users_do_not_share_data(world: World):
    stored(world, {"k": "of Hana"})
    stored(world, {"k": "of Ken"}, user=KEN)
    assert (own_data(world), own_data(world, KEN)) == ({"k": "of Hana"}, {"k": "of Ken"})


def test_it_is_the_viewer_s_data_that_change_whoever_owns_the_app_s_place(world: World):
    reply = world.send("POST", ME, {"k": "v"}, token=world.token(HANA, owner=KEN))
    assert reply.status == 200
    assert (own_data(world), own_data(world, KEN)) == ({"k": "v"}, {})


def test_installing_with_data_uses_up_nothing_of_the_window(world: World):
    assert world.platform.appdata.install("another", HANA, {"k": "v"})
    reply = world.send("GET", ME, token=world.token(app="another"))
    assert reply.json == {"entry": [{"id": HANA, "data": {"k": "v"}}]}
    reply = world.send("POST", ME, {"l": "w"}, token=world.token(app="another"))
    assert reply.headers["x-ratelimit-remaining"] == "179"


def test_installing_again_changes_nothing(world: World):
    stored(world, {"k": "v"})
    with nothing_changes(world):
        assert not world.platform.appdata.install(APP, HANA, {"k": "other"})
