"""If a request has several errors, the first in the documented order is returned.

The order: token, scope, selector, content type, JSON, number of pairs, keys, values, permission, If-Match, rate, quota.
"""

import json
from collections.abc import Callable
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.kit.appdata_api import DENIED, nothing_changes
from tests.kit.worlds import APP, HANA, ME, TARO, Reply, World

WRITE_REASONS = {
    "token": (401, "invalid_request", "An access token is needed"),
    "scope": (403, "insufficient_scope", "The access token does not have the scope mixi_apps2"),
    "selector": DENIED,
    "content type": (400, "bad_request", "Bad request"),
    "JSON": (400, "bad_request", "The body is not valid JSON"),
    "pairs": (413, "request_entity_too_large", "Too many key/value pairs (max=99)"),
    "keys": (400, "parameter_invalid", "A key must be made of A-Z a-z 0-9 _ . - and not be empty"),
    "values": (400, "bad_request", "No value associated with specified key."),
    "permission": DENIED,
    "If-Match": (412, "precondition_failed", "The data have changed, or do not meet the precondition"),
    "rate": (503, "service_unavailable", "appdata update frequency is too high"),
    "quota": (400, "parameter_invalid", "Limit exceeded size quota (max=10)"),
}
NO_BODY = {"content type", "JSON", "values", "quota"}
DELETE_REASONS = {reason: error for reason, error in WRITE_REASONS.items() if reason not in NO_BODY}
READ_REASONS = {reason: DELETE_REASONS[reason] for reason in ("token", "scope", "selector", "keys", "permission")}


@pytest.fixture
def tight(make_world: Callable[..., World]) -> World:
    """Return a world with limits of 10 bytes and one write in 180 seconds."""
    made = make_world(ENGAWA_QUOTA_BYTES="10", ENGAWA_RATE_WRITES="1")
    made.populate(HANA)
    made.platform.appdata.install(APP, HANA)
    return made


def send(world: World, method: str, wrong: set[str]) -> Reply:
    """Send a request that has exactly these errors."""
    world.clock.now += 180_000
    if "rate" in wrong:
        assert world.send("POST", ME, {"k": ""}).status == 200
    headers = {"If-Match": '"other"'} if "If-Match" in wrong else {}
    user = TARO if "permission" in wrong else HANA
    if "token" not in wrong:
        headers["Authorization"] = f"OAuth {world.token(user, 'r_profile' if 'scope' in wrong else 'mixi_apps2')}"
    path = "/2/apps/appdata/@me/@all" if "selector" in wrong else ME
    names = ["bad key"] if "keys" in wrong else ["k"]
    names += [f"k{turn}" for turn in range(99)] if "pairs" in wrong else []
    body = b""
    if method in ("POST", "PUT"):
        headers["Content-Type"] = "text/plain" if "content type" in wrong else "application/json"
        pairs: dict[str, Any] = dict.fromkeys(names, "") | ({"k": "x" * 11} if "quota" in wrong else {})
        pairs |= {"number": 5} if "values" in wrong else {}
        body = json.dumps(pairs).encode() + (b"}" if "JSON" in wrong else b"")
    else:
        path += "?" + urlencode({"fields": ",".join(names)})
    return world.send(method, path, body, user=None, headers=headers)


def check_order(world: World, method: str, reasons: dict[str, tuple[int, str, str]]) -> None:
    assert send(world, method, set()).status == 200
    for reason, error in reasons.items():
        assert send(world, method, {reason}).error == error, reason
    for first, second in combinations(reasons, 2):
        assert send(world, method, {first, second}).error == reasons[first], (first, second)
    assert send(world, method, set(reasons)).error == next(iter(reasons.values()))


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_is_refused_for_the_first_reason(tight: World, method):
    check_order(tight, method, WRITE_REASONS)


def test_a_delete_is_refused_for_the_first_reason(tight: World):
    check_order(tight, "DELETE", DELETE_REASONS)


def test_a_read_is_refused_for_the_first_reason(tight: World):
    check_order(tight, "GET", READ_REASONS)


@pytest.mark.parametrize("reason", WRITE_REASONS)
def test_each_refusal_changes_nothing(tight: World, reason):
    send(tight, "POST", {"rate"})
    tight.clock.now -= 180_000
    with nothing_changes(tight):
        send(tight, "POST", {reason} - {"rate"} or {"quota"})


def test_a_refused_read_and_an_unreadable_write_cost_nothing(tight: World):
    for reason in ("token", "scope", "selector", "content type", "JSON", "pairs", "keys", "values"):
        tight.calls.clear()
        send(tight, "POST", {reason})
        assert tight.calls == []
