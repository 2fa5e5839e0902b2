"""Rankings of friends: `sortBy` on `/2` and on `/rpc`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.appdata_api import FRIENDS, stored
from tests.kit.rpc_calls import batch, item
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, YUKI, World

DOWN: dict[str, Any] = {"sortBy": "best", "sortOrder": "descending"}


@pytest.fixture
def shared(world: World) -> World:
    """Return a world in which Hana's friends Ken, Mei and Taro, and a stranger, have scores."""
    here = world.platform
    for friend in (KEN, MEI, TARO):
        here.friends_and_installs.befriend(HANA, friend)
    for user, data in (
        (KEN, {"best": "950", "name": "K"}),
        (MEI, {"best": "6150"}),
        (TARO, {"name": "T"}),
        (YUKI, {"best": "9999"}),
    ):
        here.appdata.install(APP, user)
        stored(world, data, user)
    stored(world, {"best": "1000"})
    return world


def ranking(world: World, **asked: Any) -> dict[str, Any]:
    reply = world.send("GET", FRIENDS, **asked)
    assert reply.status == 200, reply
    body: dict[str, Any] = reply.json
    return body


def places(body: dict[str, Any], of: str = "entry") -> list[tuple[str, int]]:
    return [(each["id"], each["rank"]) for each in body[of]]


def test_friends_are_ranked_by_number(shared: World) -> None:
    assert ranking(shared, fields="best", **DOWN) == {
        "entry": [{"id": MEI, "rank": 1, "data": {"best": "6150"}}, {"id": KEN, "rank": 2, "data": {"best": "950"}}],
        "startIndex": 0,
        "itemsPerPage": 2,
        "totalResults": 2,
    }
    assert places(ranking(shared, sortBy="best")) == [(KEN, 1), (MEI, 2)]


def test_the_user_is_ranked_if_asked_wherever_they_stand(shared: World) -> None:
    body = ranking(shared, fields="best", includeSelf="true", count="1", **DOWN)
    assert places(body) == [(MEI, 1)]
    assert body["self"] == {"id": HANA, "rank": 2, "data": {"best": "1000"}}
    assert body["totalResults"] == 3
    stored(shared, {"best": "7000"})
    assert places(ranking(shared, includeSelf="true", **DOWN)) == [(HANA, 1), (MEI, 2), (KEN, 3)]


def test_a_user_without_the_key_has_no_own_entry(shared: World) -> None:
    assert shared.send("DELETE", "/2/apps/appdata/@me/@self", fields="best").status == 200
    body = ranking(shared, includeSelf="true", **DOWN)
    assert "self" not in body
    assert body["totalResults"] == 2


def test_the_data_are_those_of_the_requested_keys(shared: World) -> None:
    body = ranking(shared, fields="name", **DOWN)
    assert [each["data"] for each in body["entry"]] == [{}, {"name": "K"}]


@pytest.mark.parametrize(
    "asked",
    [
        {"sortBy": "a b"},
        {"sortOrder": "up"},
        {"includeSelf": "yes"},
        {"count": "0"},
        {"count": "1001"},
        {"startIndex": "x"},
    ],
)
def test_wrong_parameters_are_400(shared: World, asked: dict[str, Any]) -> None:
    assert shared.send("GET", FRIENDS, **{**DOWN, **asked}).error[:2] == (400, "parameter_invalid")


def test_without_sort_by_the_answer_is_that_of_old_clients(shared: World) -> None:
    body = ranking(shared, fields="best", sortOrder="descending", includeSelf="true", count="1")
    assert body == {"entry": [{"id": KEN, "data": {"best": "950"}}, {"id": MEI, "data": {"best": "6150"}}]}
    assert shared.send("GET", "/2/apps/appdata/@me/@self", **DOWN).json == {
        "entry": [{"id": HANA, "data": {"best": "1000"}}]
    }


def test_a_ranking_costs_the_read_of_friends_and_one_own_read(shared: World) -> None:
    shared.calls.clear()
    ranking(shared, fields="best", **DOWN)
    assert len(shared.calls) == 2
    shared.calls.clear()
    ranking(shared, fields="best", includeSelf="true", **DOWN)
    assert len(shared.calls) == 3


def test_a_ranking_by_rpc(shared: World) -> None:
    asked = {"groupId": "@friends", "fields": ["best"], **DOWN}
    [found, old, refused] = batch(
        shared,
        item("appdata.get", **asked, includeSelf=True, count=1),
        item("appdata.get", groupId="@friends", fields=["best"]),
        item("appdata.get", **asked, includeSelf="perhaps"),
    )
    assert found == {
        "list": [{"id": MEI, "rank": 1, "data": {"best": "6150"}}],
        "self": {"id": HANA, "rank": 2, "data": {"best": "1000"}},
        "startIndex": 0,
        "itemsPerPage": 1,
        "totalResults": 3,
    }
    assert old == {KEN: {"best": "950"}, MEI: {"best": "6150"}}
    assert refused == (400, "includeSelf must be one of: true, false")
