"""Reading one's own data, all friends' and one friend's: keys and formats."""

import json

import pytest

from tests.kit.appdata_api import DENIED, FRIENDS, own_data, self_of, stored
from tests.kit.worlds import APP, BUCKET, HANA, KEN, ME, MEI, TARO, YUKI, World

pytestmark = pytest.mark.moto

BAD_KEY = (400, "parameter_invalid", "A key must be made of A-Z a-z 0-9 _ . - and not be empty")
BAD_FORMAT = (400, "parameter_invalid", "Format must be one of: json")


@pytest.fixture
def full(world: World) -> World:
    """Return a world where Hana, Ken, Mei and Yuki have stored data."""
    stored(world, {"greeting": "hi", "level": "5", "coins": ""})
    stored(world, {"level": "7", "secret": "縁"}, user=KEN)
    stored(world, {"level": "1"}, user=MEI)
    stored(world, {"level": "9"}, user=YUKI)
    return world


def test_one_s_own_data_are_a_list_of_one(full: World):
    reply = full.send("GET", ME)
    assert reply.status == 200
    assert reply.text == f'{{"entry":[{{"id":"{HANA}","data":{{"greeting":"hi","level":"5","coins":""}}}}]}}'
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["cache-control"] == "private, no-cache"


def test_who_has_no_data_reads_an_item_without_any(world: World):
    assert world.send("GET", ME).json == {"entry": [{"id": HANA, "data": {}}]}


def test_all_friends_are_read_in_order_of_id(full: World):
    assert full.send("GET", FRIENDS).json == {
        "entry": [{"id": KEN, "data": {"level": "7", "secret": "縁"}}, {"id": MEI, "data": {"level": "1"}}]
    }


def test_friends_without_the_asked_keys_are_absent(full: World):
    assert full.send("GET", FRIENDS, fields="secret").json == {"entry": [{"id": KEN, "data": {"secret": "縁"}}]}
    assert full.send("GET", FRIENDS, fields="nothing").json == {"entry": []}


def test_friends_without_data_are_absent(world: World):
    assert world.send("GET", FRIENDS).json == {"entry": []}


def test_a_key_with_an_empty_value_is_there(world: World):
    stored(world, {"coins": ""}, user=KEN)
    assert world.send("GET", FRIENDS).json == {"entry": [{"id": KEN, "data": {"coins": ""}}]}


def test_who_has_no_friends_reads_nobody(full: World):
    assert full.send("GET", FRIENDS, user=YUKI).json == {"entry": []}


def test_one_friend_is_a_list_of_one(full: World):
    assert full.send("GET", self_of(KEN)).json == {"entry": [{"id": KEN, "data": {"level": "7", "secret": "縁"}}]}
    assert full.send("GET", self_of(KEN), fields="nothing").json == {"entry": [{"id": KEN, "data": {}}]}


@pytest.mark.parametrize("group", ["@self", "@friends", "@usage"])
def test_one_s_own_id_and_an_encoded_sign_read_the_same_as_me(full: World, group):
    expected = full.send("GET", f"/2/apps/appdata/@me/{group}")
    assert expected.status == 200
    for user in ("%40me", HANA):
        for spelling in (group, group.replace("@", "%40")):
            assert full.send("GET", f"/2/apps/appdata/{user}/{spelling}").json == expected.json


@pytest.mark.parametrize(
    "query",
    ["", "?", "?fields", "?fields=", "?fields=*", "?fields=@all", "?fields=%40all", "?fields=%2A", "?fields=level,*",
     "?fields=&startIndex=0", "?fields=&fields=", "?startIndex=0&count=x&utm=%E7%B8%81", "?format=json&unknown=%FF",
     "?fields=,"],
)  # fmt: skip
def test_every_key_is_read_without_fields_or_with_a_word_for_all(full: World, query):
    expected = {"greeting": "hi", "level": "5", "coins": ""}
    assert full.send("GET", ME + query).json == {"entry": [{"id": HANA, "data": expected}]}


@pytest.mark.parametrize(
    "query",
    ["?fields=level,greeting", "?fields=greeting,level,level", "?fields=,level,,greeting,", "?fields=level%2Cgreeting",
     "?fields=level&fields=greeting", "?fields=level,unknown,greeting", "?fields=&fields=level,greeting"],
)  # fmt: skip
def test_fields_name_the_keys_to_read_and_unknown_ones_are_left_out(full: World, query):
    assert full.send("GET", ME + query).json == {"entry": [{"id": HANA, "data": {"greeting": "hi", "level": "5"}}]}


@pytest.mark.parametrize("path", [ME, FRIENDS, self_of(KEN)])
def test_a_name_in_fields_that_cannot_be_a_key_is_refused(full: World, path):
    for fields in ("a b", "level, greeting", "縁", "a/b", "level\n", "@me"):
        assert full.send("GET", path, fields=fields).error == BAD_KEY


def test_a_name_in_fields_that_is_too_long_is_refused(full: World):
    assert full.send("GET", ME, fields="k" * 255).status == 200
    assert full.send("GET", ME, fields="k" * 256).error == (400, "parameter_invalid", "Key is too long (max=255)")


def test_a_read_may_name_more_than_99_keys(full: World):
    fields = ",".join([*(f"k{turn}" for turn in range(200)), "level"])
    assert full.send("GET", ME, fields=fields).json["entry"][0]["data"] == {"level": "5"}


@pytest.mark.parametrize("group", ["@self", "@friends", "@usage"])
def test_json_may_be_asked_for_in_every_way(full: World, group):
    path = f"/2/apps/appdata/@me/{group}"
    for way in (".json", "?format=json", ".atom?format=json", ".json?format=atom&format=json"):
        assert full.send("GET", path + way).json == full.send("GET", path).json


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_another_format_is_refused(full: World, method):
    body = {"k": "v"} if method in ("POST", "PUT") else None
    for way in (".atom", "?format=atom", ".json?format=xml", ".xml"):
        assert full.send(method, ME + way, body).error == BAD_FORMAT
    assert own_data(full) == {"greeting": "hi", "level": "5", "coins": ""}


@pytest.mark.parametrize("body", [b"", b"a=b", b"\xff"])
def test_a_read_may_carry_any_content_type_and_body(full: World, body):
    for content_type in ("application/json", "text/plain", "nonsense", "application/x-www-form-urlencoded"):
        assert full.send("GET", ME, body, headers={"Content-Type": content_type}).status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/atom+xml", "*/*"])
def test_a_read_is_json_whatever_the_client_says_it_accepts(full: World, accept):
    reply = full.send("GET", ME, headers={"Accept": accept})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert own_data(full) == reply.json["entry"][0]["data"]


def test_friends_who_uninstall_are_absent(full: World):
    full.platform.appdata.uninstall(APP, KEN)
    assert [entry["id"] for entry in full.send("GET", FRIENDS).json["entry"]] == [MEI]


def test_many_friends_are_all_read(world: World):
    friends = sorted(f"friend{turn:03}" for turn in range(105))
    world.populate(*friends)
    for friend in friends:
        world.platform.friends_and_installs.befriend(YUKI, friend)
        world.platform.appdata.install(APP, friend, {"level": friend})
    world.calls.clear()
    entries = world.send("GET", FRIENDS, user=YUKI).json["entry"]
    assert entries == [{"id": friend, "data": {"level": friend}} for friend in friends]


def test_friends_without_the_app_are_absent_also_where_they_once_had_data(full: World):
    full.platform.appdata.uninstall(APP, MEI)
    entries = full.send("GET", FRIENDS).json["entry"]
    assert TARO not in [entry["id"] for entry in entries]
    assert [entry["id"] for entry in entries] == [KEN]
    assert full.send("GET", self_of(MEI)).error == DENIED


def test_an_answer_too_large_for_lambda_is_fetched_from_elsewhere(world: World):
    pairs = {f"k{turn}": f"{turn:05}" * 12_000 for turn in range(99)}
    for start in (0, 50):
        stored(world, dict(list(pairs.items())[start : start + 50]))
    reply = world.send("GET", ME)
    assert reply.status == 303
    assert reply.json == {"location": reply.headers["location"]}
    assert reply.headers["etag"]
    (kept,) = world.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert f"/{kept['Key']}?" in reply.headers["location"]
    assert kept["Key"].startswith("answers/")
    answer = world.s3.get_object(Bucket=BUCKET, Key=kept["Key"])
    assert answer["ContentType"] == "application/json; charset=utf-8"
    assert json.loads(answer["Body"].read()) == {"entry": [{"id": HANA, "data": pairs}]}
    assert world.send("GET", ME, fields="k0").json["entry"][0]["data"] == {"k0": pairs["k0"]}


def test_an_answer_that_cannot_be_put_elsewhere_is_asked_for_again(world: World):
    for start in (0, 50):
        stored(world, {f"k{turn}": "x" * 60_000 for turn in range(start, start + 50)})
    world.s3.delete_bucket(Bucket=BUCKET)
    reply = world.send("GET", ME)
    assert reply.error == (503, "service_unavailable", "The service is busy")
    assert reply.headers["retry-after"] == "1"
