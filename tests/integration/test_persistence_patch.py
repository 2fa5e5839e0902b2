"""Atomic changes by PATCH and by `appdata.patch`: the answer, the stored values, and nothing if one fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws.client import Dynamo
from tests.kit.appdata_api import DENIED, FRIENDS, USAGE, nothing_changes, own_data, self_of, stored
from tests.kit.noise import noise
from tests.kit.rpc_calls import batch, item
from tests.kit.worlds import APP, HANA, KEN, ME, TARO, Reply, World

Worlds = Callable[..., World]
KEY = {"Idempotency-Key": "8e03978e"}
LARGE = {f"large{turn}": noise(4_000, turn) for turn in range(3)}
MANY = {noise(255, turn): noise(3_100 + turn, turn) for turn in range(24)}
"""Values so many, with so long keys, that a ledger does not list the first ones."""


def installed(world: World) -> World:
    world.populate(HANA)
    world.platform.appdata.install(APP, HANA)
    return world


def patch(world: World, changes: Any, **more: Any) -> Reply:
    return world.send("PATCH", ME, changes, **more)


def changed(world: World, changes: Any, **more: Any) -> dict[str, str]:
    """Change Hana's data, and return the new values in the answer."""
    reply = patch(world, changes, **more)
    assert reply.status == 200, reply
    [entry] = reply.json["entry"]
    assert entry.keys() == {"id", "data"}
    assert entry["id"] == HANA
    data: dict[str, str] = entry["data"]
    return data


def test_all_operations_in_one_request(world: World) -> None:
    stored(world, {"coins": "100", "best": "5000", "old": "x", "log": '["lost"]', "other": "stays"})
    changes = {
        "coins": {"add": "-30", "atLeast": "0"},
        "best": {"max": "6150"},
        "name": {"set": "花"},
        "old": {"delete": True},
        "log": {"append": "won", "last": 10},
        "seat": {"set": "hana", "if": None},
        "low": {"min": "12"},
    }
    reply = patch(world, changes)
    new = {"coins": "70", "best": "6150", "name": "花", "log": '["lost","won"]', "seat": "hana", "low": "12"}
    assert (reply.status, reply.json) == (200, {"entry": [{"id": HANA, "data": new}]})
    assert reply.headers["x-ratelimit-limit"] == "180"
    assert reply.headers["x-ratelimit-remaining"] == "178"
    assert reply.headers["etag"] == world.send("GET", ME).headers["etag"]
    assert own_data(world) == new | {"other": "stays"}


@pytest.mark.parametrize(
    ("failing", "error"),
    [
        ({"add": "-6", "atLeast": "0"}, (409, "bound_exceeded", "level would be -1, which is less than 0")),
        ({"add": "6", "atMost": "10"}, (409, "bound_exceeded", "level would be 11, which is more than 10")),
        ({"set": "x", "if": "4"}, (412, "precondition_failed", "The value of level is not the one that if names")),
        ({"append": "x"}, (400, "parameter_invalid", "The value of level must be a JSON list of strings")),
        ({"add": 1}, (400, "parameter_invalid", None)),
        ({"power": "2"}, (400, "parameter_invalid", None)),
    ],
)
def test_if_one_change_fails_nothing_has_changed(world: World, failing: Any, error: Any) -> None:
    etag = stored(world, {"level": "5"}).headers["etag"]
    with nothing_changes(world):
        reply = patch(world, {"a": {"set": "x"}, "level": failing, "z": {"set": "x"}})
        assert reply.error == error if error[2] else reply.error[:2] == error[:2]
        assert "level" in reply.json["error_description"]
    assert reply.status != 412 or reply.headers["etag"] == etag
    assert world.send("GET", USAGE).json["entry"]["window"]["remaining"] == 179


def test_values_outside_of_the_ledger_are_changed_as_well(world: World) -> None:
    stored(world, LARGE | {"count": "1"})
    grown = changed(
        world, {"large0": {"set": "x", "if": LARGE["large0"]}, "large1": {"delete": True}, "count": {"add": "1"}}
    )
    assert grown == {"large0": "x", "count": "2"}
    assert own_data(world) == {"large0": "x", "large2": LARGE["large2"], "count": "2"}


def test_values_that_no_ledger_lists_are_changed_as_well(world: World) -> None:
    stored(world, MANY)
    first, second, third, *_ = MANY
    changes = {first: {"set": "a", "if": MANY[first]}, second: {"set": "b", "if": None}, "new": {"add": "1"}}
    with nothing_changes(world):
        assert patch(world, changes).error[:2] == (412, "precondition_failed")
    del changes[second]
    assert changed(world, {**changes, third: {"delete": True}}) == {first: "a", "new": "1"}
    expected = {key: value for key, value in MANY.items() if key != third} | {first: "a", "new": "1"}
    assert own_data(world) == expected
    used = world.send("GET", USAGE).json["entry"]
    assert used["bytes"]["used"] == sum(map(len, expected.values()))
    assert used["keys"]["used"] == len(expected)


def test_99_changes_pass_and_100_do_not(world: World) -> None:
    assert len(changed(world, {f"k{turn}": {"add": "1"} for turn in range(99)})) == 99
    with nothing_changes(world):
        error = patch(world, {f"k{turn}": {"add": "1"} for turn in range(100)}).error
    assert error == (413, "request_entity_too_large", "Too many key/value pairs (max=99)")


def test_99_large_values_pass(world: World) -> None:
    large = {f"k{turn:02}": {"set": noise(4_000, turn)} for turn in range(99)}
    assert changed(world, large) == {key: each["set"] for key, each in large.items()}


def test_the_quota_is_exact(make_world: Worlds) -> None:
    world = installed(make_world(ENGAWA_QUOTA_BYTES="10"))
    assert changed(world, {"a": {"set": "123456789"}, "b": {"add": "7"}}) == {"a": "123456789", "b": "7"}
    with nothing_changes(world):
        reply = patch(world, {"b": {"add": "3"}})
        assert reply.error == (400, "parameter_invalid", "Limit exceeded size quota (max=10)")
        assert reply.headers["x-ratelimit-remaining"] == "179"
    assert changed(world, {"b": {"add": "2"}}) == {"b": "9"}


def test_changes_count_as_one_write_of_the_window(make_world: Worlds) -> None:
    world = installed(make_world(ENGAWA_RATE_WRITES="2"))
    for number in ("1", "2"):
        assert changed(world, {"a": {"add": "1"}, "b": {"add": "1"}}) == {"a": number, "b": number}
    with nothing_changes(world):
        reply = patch(world, {"a": {"add": "1"}})
    assert reply.error == (503, "service_unavailable", "appdata update frequency is too high")
    assert int(reply.headers["retry-after"]) > 0


def test_if_match_demands_the_version(world: World) -> None:
    first = stored(world, {"a": "1"}).headers["etag"]
    assert changed(world, {"a": {"add": "1"}}, headers={"If-Match": first}) == {"a": "2"}
    with nothing_changes(world):
        reply = patch(world, {"a": {"add": "1"}}, headers={"If-Match": first})
    assert reply.error[:2] == (412, "precondition_failed")
    assert reply.headers["etag"] == world.send("GET", ME).headers["etag"]


@pytest.mark.parametrize("path", [FRIENDS, self_of(KEN), USAGE])
def test_only_one_s_own_data_can_be_changed(world: World, path: str) -> None:
    with nothing_changes(world):
        assert world.send("PATCH", path, {"a": {"set": "x"}}).error == DENIED


def test_without_the_app_nothing_can_be_changed(world: World) -> None:
    with nothing_changes(world):
        assert patch(world, {"a": {"set": "x"}}, user=TARO).error == DENIED


# Idempotency-Key


def test_a_repeated_request_adds_once_and_gets_the_first_answer(world: World) -> None:
    changes = {"coins": {"add": "5"}, "log": {"append": "x"}}
    first = patch(world, changes, headers=KEY)
    assert changed(world, {"coins": {"add": "100"}}) == {"coins": "105"}
    with nothing_changes(world):
        again = patch(world, changes, headers=KEY)
    assert (again.status, again.text) == (200, first.text)
    for name in ("etag", "x-ratelimit-remaining"):
        assert again.headers[name] == first.headers[name]
    assert own_data(world) == {"coins": "105", "log": '["x"]'}


def test_a_key_for_other_changes_or_conditions_is_refused(world: World) -> None:
    patch(world, {"coins": {"add": "5"}}, headers=KEY)
    with nothing_changes(world):
        for changes, headers in (({"coins": {"add": "6"}}, KEY), ({"coins": {"add": "5"}}, KEY | {"If-Match": "*"})):
            assert patch(world, changes, headers=headers).error[:2] == (422, "idempotency_conflict")


def test_a_refused_request_does_not_use_its_key(world: World) -> None:
    changes = {"coins": {"add": "-5", "atLeast": "0"}}
    assert patch(world, changes, headers=KEY).error[:2] == (409, "bound_exceeded")
    stored(world, {"coins": "5"})
    assert changed(world, changes, headers=KEY) == {"coins": "0"}


def test_the_answer_that_a_key_keeps_has_its_limits(world: World) -> None:
    values = {f"k{turn:02}": {"set": noise(3_200, turn)} for turn in range(98)}
    assert len(changed(world, {key: {"set": "x"} for key in values}, headers=KEY)) == 98
    with nothing_changes(world):
        reply = patch(world, {**values, "more": {"set": "x"}}, headers={"Idempotency-Key": "2"})
        assert reply.error == (
            413,
            "request_entity_too_large",
            "Too many key/value pairs with an Idempotency-Key (max=98)",
        )
        reply = patch(world, values, headers={"Idempotency-Key": "3"})
        assert reply.error == (
            413,
            "request_entity_too_large",
            "Too many bytes of new values for an Idempotency-Key (max=300000)",
        )
    # 98 own values, the ledger and the record are one transaction of 100 items.
    smaller = {key: {"set": each["set"][:3_000] + "x"} for key, each in values.items()}
    assert len(changed(world, smaller, headers={"Idempotency-Key": "4"})) == 98


def test_a_key_whose_writes_all_get_lost_is_free_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:

        def fail(*_: object, **__: object) -> None:
            raise Unavailable

        patched.setattr(Dynamo, "transact", fail)
        assert patch(world, {"coins": {"add": "5"}}, headers=KEY).status == 503
    assert changed(world, {"coins": {"add": "5"}}, headers=KEY) == {"coins": "5"}


# /rpc


def test_a_patch_in_a_batch(world: World) -> None:
    stored(world, {"coins": "10"})
    came = batch(
        world,
        item("appdata.patch", changes={"coins": {"add": "5"}, "old": {"delete": True}}),
        item("appdata.patch", changes={"coins": {"add": "-16", "atLeast": "0"}}),
        item("appdata.patch", changes={"coins": {"add": "1", "if": "16"}}),
        item("appdata.patch", changes=[{"coins": {"add": "1"}}]),
        item("appdata.patch"),
        item("appdata.patch", userId=KEN, changes={"coins": {"add": "1"}}),
        item("appdata.get", fields=["coins"]),
    )
    assert came == [
        {HANA: {"coins": "15"}},
        (400, "coins would be -1, which is less than 0"),
        (400, "The value of coins is not the one that if names"),
        (400, "The changes must be a JSON object"),
        (400, "No key/value pairs"),
        (403, "Permission denied"),
        {HANA: {"coins": "15"}},
    ]


@pytest.mark.parametrize(
    ("member", "status"),
    [('"\\ud800": 1', 400), ('"set": "x", "\\ud800": 1', 400), ('"set": "x", "if": "\\ud800"', 412)],
)
@pytest.mark.parametrize("headers", [{}, KEY])
def test_characters_that_are_no_valid_unicode_are_refused(
    world: World, member: str, status: int, headers: dict[str, str]
) -> None:
    sent = f'{{"coins": {{{member}}}}}'.encode()
    reply = patch(world, sent, headers={**headers, "Content-Type": "application/json"})
    assert reply.status == status, reply
    assert "coins" in reply.json["error_description"]
    call = f'{{"id": 1, "method": "appdata.patch", "params": {{"changes": {sent.decode()}}}}}'.encode()
    reply = world.send("POST", "/rpc", call, headers={"Content-Type": "application/json"})
    assert (reply.status, reply.json["error"]["code"]) == (200, 400)
