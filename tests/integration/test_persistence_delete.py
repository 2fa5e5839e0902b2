"""Deleting: the keys that `fields` names, or all of them."""

import pytest

from tests.kit.appdata_api import nothing_changes, own_data, self_of, stored
from tests.kit.worlds import HANA, ME, World


@pytest.fixture
def full(world: World) -> World:
    """Return a world where Hana has stored four keys, one with a large value."""
    stored(world, {"a": "1", "b": "2", "c": "", "large": "0123456789" * 500})
    return world


@pytest.mark.parametrize(
    "query",
    ["?fields=a,c", "?fields=c,a,a", "?fields=a&fields=c", "?fields=,a,,c,", "?fields=a,unknown,c", "?fields=a%2Cc"],
)
def test_the_named_keys_go_and_the_others_stay(full: World, query):
    reply = full.send("DELETE", ME + query)
    assert (reply.status, reply.text) == (200, '{"response_code":200}')
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert own_data(full).keys() == {"b", "large"}


@pytest.mark.parametrize("query", ["", "?", "?fields", "?fields=", "?fields=*", "?fields=@all", "?fields=%40all"])
def test_every_key_goes_without_fields_or_with_a_word_for_all(full: World, query):
    reply = full.send("DELETE", ME + query)
    assert (reply.status, reply.json) == (200, {"response_code": 200})
    assert own_data(full) == {}


LOST = ["?fields=,", "?fields=%2C", "?fields=,,", "?fields=&fields=", "?fields=*,a", "?fields=a&fields=*", "?fields=*,",
        "?field=a", "?keys=a", "?key=a", "?fields[]=a", "?fields%5B%5D=a", "?fields[0]=a", "?Fields=a", "?feilds=a",
        "?fields=&keys=a", "?keys"]  # fmt: skip


@pytest.mark.parametrize("query", LOST)
def test_names_that_got_lost_delete_nothing(full: World, query):
    with nothing_changes(full):
        description = "Name the keys to delete in fields; * alone deletes every key"
        assert full.send("DELETE", ME + query).error == (400, "parameter_invalid", description)


@pytest.mark.parametrize("query", ["", "?fields="])
@pytest.mark.parametrize(
    "body", [b'["a"]', b'{"fields":["a"]}', b'{"a":null}', b"fields=a", b"a", b"{}", b"[]", b"null"]
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", ""])
def test_names_in_a_body_delete_nothing(full: World, query, body, content_type):
    with nothing_changes(full):
        reply = full.send("DELETE", ME + query, body, headers={"Content-Type": content_type})
        assert reply.error[:2] == (400, "parameter_invalid")
    assert full.send("DELETE", ME + "?fields=*", body, headers={"Content-Type": content_type}).status == 200


@pytest.mark.parametrize("query", ["?startIndex=0&_=1", "?format=json", "?callback=done&fields="])
def test_other_parameters_are_ignored(full: World, query):
    assert full.send("DELETE", ME + query).status == 200
    assert own_data(full) == {}


@pytest.mark.parametrize("query", ["", "?fields=a,b"])
def test_deleting_what_does_not_exist_is_a_success(world: World, query):
    for _ in range(2):
        reply = world.send("DELETE", ME + query)
        assert (reply.status, reply.json) == (200, {"response_code": 200})
    assert own_data(world) == {}


@pytest.mark.parametrize("path", ["/2/apps/appdata/%40me/%40self", self_of(HANA), ME + ".json", ME + "?format=json"])
def test_one_s_own_data_can_be_deleted_by_every_way_of_naming_them(full: World, path):
    assert full.send("DELETE", path).status == 200
    assert own_data(full) == {}


def test_99_keys_may_be_named_and_100_not(full: World):
    names = [f"k{turn}" for turn in range(98)]
    with nothing_changes(full):
        reply = full.send("DELETE", ME, fields=",".join(["a", "b", *names]))
        assert reply.error == (413, "request_entity_too_large", "Too many key/value pairs (max=99)")
    assert full.send("DELETE", ME, fields=",".join(["a", *names, "a"])).status == 200
    assert own_data(full).keys() == {"b", "c", "large"}


@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ("a,b c", "A key must be made of A-Z a-z 0-9 _ . - and not be empty"),
        ("a," + "k" * 256, "Key is too long (max=255)"),
    ],
)
def test_a_name_that_cannot_be_a_key_is_refused_and_nothing_goes(full: World, fields, description):
    with nothing_changes(full):
        assert full.send("DELETE", ME, fields=fields).error == (400, "parameter_invalid", description)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "nonsense"])
def test_a_delete_may_carry_any_content_type_and_body(full: World, content_type):
    for body in (b"", b"\xff", b'{"a":"b"}'):
        assert full.send("DELETE", ME + "?fields=a", body, headers={"Content-Type": content_type}).status == 200
    assert own_data(full).keys() == {"b", "c", "large"}


def test_what_is_deleted_can_be_stored_again(full: World):
    full.send("DELETE", ME)
    stored(full, {"a": "again"})
    assert own_data(full) == {"a": "again"}


def test_what_was_deleted_frees_its_bytes_and_keys(full: World):
    full.send("DELETE", ME + "?fields=a,large")
    usage = full.send("GET", "/2/apps/appdata/@me/@usage").json["entry"]
    assert (usage["bytes"]["used"], usage["keys"]["used"]) == (1, 2)
