"""`ETag`, `If-Match` and `If-None-Match`: no lost updates, and no body if the client has the current data."""

import pytest

from tests.kit.appdata_api import nothing_changes, own_data, self_of, stored
from tests.kit.worlds import HANA, KEN, ME, World

CHANGED = (412, "precondition_failed", "The data have changed, or do not meet the precondition")


def tag(world: World, path: str = ME) -> str:
    etag: str = world.send("GET", path).headers["etag"]
    return etag


def operations(world: World) -> list[str]:
    return [call.operation for call in world.calls]


def test_a_write_and_the_next_read_tell_the_same_tag_and_every_write_another(world: World):
    tags = [tag(world)]
    for value in ("a", "b", "b"):
        tags.append(stored(world, {"k": value}).headers["etag"])
        assert tag(world) == tags[-1]
    tags.append(world.send("DELETE", ME, fields="k").headers["etag"])
    assert tag(world) == tags[-1]
    tags.append(world.send("DELETE", ME).headers["etag"])
    assert tag(world) == tags[-1]
    assert len(set(tags)) == len(tags)
    assert all(each.startswith('"') and each.endswith('"') for each in tags)


def test_a_refused_write_leaves_the_tag(world: World):
    before = stored(world, {"k": "v"}).headers["etag"]
    world.send("POST", ME, {"k": None})
    assert tag(world) == before


def test_the_tag_of_a_friend_s_data_is_the_one_that_the_friend_sees(world: World):
    etag = stored(world, {"k": "v"}, user=KEN).headers["etag"]
    assert tag(world, self_of(KEN)) == etag


def test_a_write_under_the_current_tag_passes(world: World):
    etag = stored(world, {"k": "v"}).headers["etag"]
    reply = world.send("POST", ME, {"k": "w"}, headers={"If-Match": f'"other", {etag}'})
    assert reply.status == 200
    reply = world.send("DELETE", ME, headers={"If-Match": reply.headers["etag"]})
    assert reply.status == 200
    assert own_data(world) == {}


@pytest.mark.parametrize(("method", "body"), [("POST", {"k": "w"}), ("PUT", {"k": "w"}), ("DELETE", None)])
def test_a_write_under_an_old_tag_is_refused_with_the_current_one_after_a_single_read(world: World, method, body):
    old = stored(world, {"k": "v"}).headers["etag"]
    current = stored(world, {"k": "x"}).headers["etag"]
    with nothing_changes(world):
        for path in (ME, ME + "?fields=k"):
            world.calls.clear()
            reply = world.send(method, path, body, headers={"If-Match": old})
            assert reply.error == CHANGED
            assert reply.headers["etag"] == current
            assert operations(world) == ["get_item"]
    assert own_data(world) == {"k": "x"}


def test_a_weak_tag_is_never_enough_to_write(world: World):
    etag = stored(world, {"k": "v"}).headers["etag"]
    assert world.send("POST", ME, {"k": "w"}, headers={"If-Match": f"W/{etag}"}).error == CHANGED


def test_if_match_star_asks_that_there_are_data(world: World):
    assert world.send("POST", ME, {"k": "v"}, headers={"If-Match": "*"}).error == CHANGED
    stored(world, {"k": ""})
    assert world.send("POST", ME, {"k": "v"}, headers={"If-Match": "*"}).status == 200


def test_if_none_match_star_asks_that_there_are_none(world: World):
    first = world.send("POST", ME, {"k": "first"}, headers={"If-None-Match": "*"})
    assert first.status == 200
    second = world.send("POST", ME, {"k": "second"}, headers={"If-None-Match": "*"})
    assert second.error == CHANGED
    assert second.headers["etag"] == first.headers["etag"]
    assert own_data(world) == {"k": "first"}
    world.send("DELETE", ME)
    assert world.send("POST", ME, {"k": "third"}, headers={"If-None-Match": "*"}).status == 200


def test_if_none_match_refuses_a_write_on_the_named_version(world: World):
    etag = stored(world, {"k": "v"}).headers["etag"]
    assert world.send("POST", ME, {"k": "w"}, headers={"If-None-Match": etag}).error == CHANGED
    assert world.send("POST", ME, {"k": "w"}, headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("size", [10, 60_000])
def test_a_read_of_what_the_reader_has_is_a_304_without_body_after_a_single_read(world: World, size):
    etag = stored(world, {"k": "0123456789" * (size // 10)}).headers["etag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        world.calls.clear()
        reply = world.send("GET", ME, headers={"If-None-Match": value})
        assert (reply.status, reply.text) == (304, "")
        assert reply.headers["etag"] == etag
        assert operations(world) == ["get_item"]


def test_a_friend_s_unchanged_data_are_a_304_after_a_single_read(world: World):
    etag = stored(world, {"k": "0123456789" * 6000}, user=KEN).headers["etag"]
    world.calls.clear()
    reply = world.send("GET", self_of(KEN), headers={"If-None-Match": etag})
    assert (reply.status, reply.text, reply.headers["etag"]) == (304, "", etag)
    assert operations(world) == ["batch_get_item"]


def test_a_304_opens_nothing_to_who_may_not_read(world: World):
    etag = stored(world, {"k": "v"}, user=KEN).headers["etag"]
    world.platform.appdata.install("another", HANA)
    reply = world.send("GET", self_of(KEN), headers={"If-None-Match": etag}, token=world.token(app="another"))
    assert reply.status == 403


def test_a_read_of_something_newer_is_a_200(world: World):
    old = stored(world, {"k": "v"}).headers["etag"]
    new = stored(world, {"k": "w"}).headers["etag"]
    reply = world.send("GET", ME, headers={"If-None-Match": old})
    assert (reply.status, reply.headers["etag"]) == (200, new)
    assert reply.json == {"entry": [{"id": HANA, "data": {"k": "w"}}]}


def test_who_has_no_data_gets_them_whatever_if_none_match_star_says(world: World):
    reply = world.send("GET", ME, headers={"If-None-Match": "*"})
    assert (reply.status, reply.json) == (200, {"entry": [{"id": HANA, "data": {}}]})


@pytest.mark.parametrize("value", ["", "abc", '"open', '*, "a"', '"a" "b"'])
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_a_condition_that_is_no_list_of_tags_is_refused(world: World, name, value):
    with nothing_changes(world):
        for method, body in (("GET", None), ("POST", {"k": "v"}), ("DELETE", None)):
            reply = world.send(method, ME, body, headers={name: value})
            error = (400, "parameter_invalid", f'{name} must be "*" or a list of quoted entity tags')
            assert reply.error == error
