"""The write window, the quota, the number of keys, the size limit of friends' data, and `@usage`."""

from collections.abc import Callable

import pytest

from tests.kit.appdata_api import FRIENDS, USAGE, nothing_changes, own_data, stored
from tests.kit.worlds import APP, HANA, KEN, ME, MEI, World

TOO_OFTEN = (503, "service_unavailable", "appdata update frequency is too high")
FULL = (400, "parameter_invalid", "Limit exceeded size quota (max=1000)")


@pytest.fixture
def small(make_world: Callable[..., World]) -> World:
    """Return a world with limits: 1,000 bytes, 5 keys and 3 writes in 10 seconds a user, and 100 bytes of friends."""
    made = make_world(
        ENGAWA_QUOTA_BYTES="1000",
        ENGAWA_MAX_KEYS="5",
        ENGAWA_RATE_WRITES="3",
        ENGAWA_RATE_SECONDS="10",
        ENGAWA_FRIENDS_BYTES="100",
    )
    made.populate(HANA, KEN, MEI)
    for user in (HANA, KEN, MEI):
        made.platform.appdata.install(APP, user)
    for friend in (KEN, MEI):
        made.platform.friends_and_installs.befriend(HANA, friend)
    return made


def rate(reply) -> tuple[int, int, int]:
    limit, remaining, reset = (int(reply.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))
    return limit, remaining, reset


def test_180_writes_and_deletes_pass_in_180_seconds_and_the_next_is_refused(world: World):
    start = world.clock.now
    for turn in range(180):
        world.clock.now = start + turn * 1000
        reply = world.send("DELETE", ME + "?fields=k") if turn % 2 else world.send("PUT", ME, {"k": f"{turn}"})
        assert reply.status == 200
        assert rate(reply) == (180, 179 - turn, 180 - turn)
    with nothing_changes(world):
        for method, body in (("POST", {"k": "v"}), ("PUT", {"k": "v"}), ("DELETE", None)):
            reply = world.send(method, ME, body)
            assert reply.error == TOO_OFTEN
            assert reply.headers["retry-after"] == "1"
            assert rate(reply) == (180, 0, 1)
    world.clock.now = start + 180_000 - 1
    assert world.send("POST", ME, {"k": "v"}).status == 503
    world.clock.now += 1
    assert world.send("POST", ME, {"k": "v"}).status == 200
    assert world.send("POST", ME, {"k": "v"}).status == 503


def test_after_retry_after_seconds_a_write_is_accepted(small: World):
    for wait in (0, 1_001, 2_500):
        small.clock.now += wait
        stored(small, {"k": "v"})
    while (reply := small.send("POST", ME, {"k": "v"})).status == 503:
        small.clock.now += int(reply.headers["retry-after"]) * 1000
        assert small.send("POST", ME, {"k": "v"}).status == 200
        small.clock.now += 1
        if small.clock.now > 1_800_000_030_000:
            break
    assert small.clock.now > 1_800_000_030_000


def test_refused_requests_do_not_count(small: World):
    stored(small, {"k": "v"})
    for body in ({}, {"k": None}, {"k": "x" * 1001}, {"bad key": "v"}):
        assert small.send("POST", ME, body).status == 400
    assert small.send("POST", ME, {"k": "w"}, headers={"If-Match": '"other"'}).status == 412
    assert rate(stored(small, {"k": "v"})) == (3, 1, 10)


def test_reads_do_not_count(small: World):
    for _ in range(10):
        small.send("GET", ME)
        small.send("GET", FRIENDS)
    assert rate(stored(small, {"k": "v"})) == (3, 2, 10)


def test_a_delete_of_nothing_counts(small: World):
    for remaining in (2, 1, 0):
        assert rate(small.send("DELETE", ME)) == (3, remaining, 10)
    assert small.send("DELETE", ME).error == TOO_OFTEN


def test_each_user_and_each_app_has_a_window_of_its_own(small: World):
    for _ in range(3):
        stored(small, {"k": "v"})
    assert small.send("POST", ME, {"k": "v"}).status == 503
    assert small.send("POST", ME, {"k": "v"}, user=KEN).status == 200
    small.platform.appdata.install("another", HANA)
    assert small.send("POST", ME, {"k": "v"}, token=small.token(app="another")).status == 200


def test_reads_pass_while_writes_are_refused(small: World):
    for _ in range(3):
        stored(small, {"k": "v"})
    assert own_data(small) == {"k": "v"}


def test_the_last_byte_passes_and_the_next_is_refused_and_changes_nothing(small: World):
    stored(small, {"a": "x" * 400, "b": "縁" * 200})
    with nothing_changes(small):
        for body in ({"c": "x"}, {"a": "x" * 401}, {"a": "", "b": "", "c": "x" * 1001}):
            reply = small.send("POST", ME, body)
            assert reply.error == FULL
            assert rate(reply) == (3, 2, 10)
    stored(small, {"c": ""})
    stored(small, {"a": "x" * 399, "c": "x"})
    assert sum(len(value.encode()) for value in own_data(small).values()) == 1000


def test_keys_do_not_count_in_the_quota(small: World):
    stored(small, {"k" * 255: "x" * 996, "l" * 255: "x", "m" * 255: "x", "n" * 255: "x", "o" * 255: "x"})


def test_over_a_lowered_quota_a_write_may_shrink_or_stay_and_not_grow(make_world: Callable[..., World]):
    before = make_world(ENGAWA_QUOTA_BYTES="2000")
    before.populate(HANA)
    before.platform.appdata.install(APP, HANA)
    stored(before, {"a": "x" * 1000, "b": "x" * 1000})
    after = make_world(ENGAWA_QUOTA_BYTES="1000")
    with nothing_changes(after):
        for body in ({"a": "x" * 1001}, {"c": "x"}, {"a": "x" * 999, "c": "xx"}):
            assert after.send("POST", ME, body).error == FULL
    stored(after, {"a": "x" * 999, "c": "x"})
    stored(after, {"a": "x" * 900})
    assert after.send("DELETE", ME, fields="c").status == 200
    assert after.send("POST", ME, {"c": "x"}).error == FULL
    stored(after, {"b": "x" * 100})


def test_ten_million_bytes_pass_and_one_more_is_refused(world: World):
    pairs = {f"k{turn}": "x" * 65_000 for turn in range(153)} | {"rest": "x" * 55_000}
    names = list(pairs)
    for start in range(0, len(names), 58):
        stored(world, {name: pairs[name] for name in names[start : start + 58]})
    with nothing_changes(world):
        reply = world.send("POST", ME, {"over": "x"})
        assert reply.error == (400, "parameter_invalid", "Limit exceeded size quota (max=10000000)")
    assert world.send("GET", USAGE).json["entry"]["bytes"] == {"used": 10_000_000, "left": 0, "max": 10_000_000}
    assert world.send("GET", ME).status == 303
    stored(world, {"rest": "x" * 54_999, "over": "x"})


def test_the_last_key_passes_and_the_next_is_refused_and_changes_nothing(small: World):
    stored(small, dict.fromkeys("abcde", ""))
    with nothing_changes(small):
        for body in ({"f": ""}, {"a": "v", "f": ""}):
            assert small.send("POST", ME, body).error == (400, "parameter_invalid", "Too many keys (max=5)")
    stored(small, {"a": "v"})
    assert small.send("DELETE", ME, fields="e").status == 200
    small.clock.now += 10_000
    stored(small, {"f": ""})


def test_friends_data_over_the_limit_are_refused_and_fields_narrow_them(small: World):
    stored(small, {"a": "x" * 60, "b": "x"}, user=KEN)
    stored(small, {"a": "x" * 40}, user=MEI)
    reply = small.send("GET", FRIENDS)
    assert reply.error == (
        413,
        "request_entity_too_large",
        "The users' data are too large for one answer (max=100)",
    )
    assert len(small.send("GET", FRIENDS, fields="a").json["entry"]) == 2
    assert len(small.send("GET", FRIENDS, fields="b").json["entry"]) == 1


def test_usage_tells_what_is_held_and_what_is_left(small: World):
    stored(small, {"a": "縁", "b": ""})
    small.clock.now += 4_000
    assert small.send("GET", USAGE).json == {
        "entry": {
            "id": HANA,
            "bytes": {"used": 3, "left": 997, "max": 1000},
            "keys": {"used": 2, "left": 3, "max": 5},
            "window": {"limit": 3, "remaining": 2, "reset": 6, "seconds": 10},
        }
    }


def test_usage_of_who_has_stored_nothing(small: World):
    entry = small.send("GET", USAGE, user=KEN).json["entry"]
    assert entry["id"] == KEN
    assert entry["bytes"] == {"used": 0, "left": 1000, "max": 1000}
    assert entry["window"] == {"limit": 3, "remaining": 3, "reset": 0, "seconds": 10}


def test_usage_over_a_lowered_limit_has_nothing_left(make_world: Callable[..., World]):
    before = make_world()
    before.populate(HANA)
    before.platform.appdata.install(APP, HANA, {"a": "x" * 9, "b": "x"})
    entry = make_world(ENGAWA_QUOTA_BYTES="5", ENGAWA_MAX_KEYS="1").send("GET", USAGE).json["entry"]
    assert entry["bytes"] == {"used": 10, "left": 0, "max": 5}
    assert entry["keys"] == {"used": 2, "left": 0, "max": 1}
