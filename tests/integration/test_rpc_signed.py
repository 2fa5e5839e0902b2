"""`/rpc` with an app's OAuth 1.0a signature instead of a user's token."""

from __future__ import annotations

import pytest

from chalicelib.core.model.directory import App
from tests.kit.appdata_api import nothing_changes, own_data
from tests.kit.rpc_calls import item, outcome
from tests.kit.signing import SECRET, create_app, signed
from tests.kit.worlds import APP, HANA, KEN, TARO, YUKI, World

BATCH = [item("appdata.update", data={"level": "1"}), item("appdata.get"), item("people.get", fields=["displayName"])]


@pytest.fixture
def game(world: World) -> World:
    create_app(world)
    return world


def test_a_signed_batch_is_of_the_user_it_names(game: World) -> None:
    reply = signed(game, "POST", "/rpc", BATCH, user=KEN)

    assert reply.status == 200
    assert [outcome(answer) for answer in reply.json] == [
        {},
        {KEN: {"level": "1"}},
        {"id": KEN, "displayName": f"user {KEN}"},
    ]
    assert own_data(game, KEN) == {"level": "1"}
    assert own_data(game) == {}


def test_it_reads_anyone_with_the_app_and_writes_nobody_else(game: World) -> None:
    asked = [
        item("appdata.get", userId=YUKI),
        item("appdata.get", userId=TARO),
        item("appdata.delete", userId=HANA, fields="*"),
    ]
    came = [outcome(answer) for answer in signed(game, "POST", "/rpc", asked, user=KEN).json]

    assert came == [{YUKI: {}}, (403, "Permission denied"), (403, "Permission denied")]


def test_a_user_without_the_app_is_refused_request_by_request(game: World) -> None:
    reply = signed(game, "POST", "/rpc", BATCH, user=TARO)

    assert reply.status == 200
    assert [outcome(answer) for answer in reply.json] == [(403, "Permission denied")] * 3


def test_a_wrong_signature_does_nothing(game: World) -> None:
    with nothing_changes(game):
        reply = signed(game, "POST", "/rpc", BATCH, secret="x" * 40)

    assert reply.status == 401
    assert 'oauth_problem="signature_invalid"' in reply.headers["www-authenticate"]


def test_a_replay_does_nothing(game: World) -> None:
    first = signed(game, "POST", "/rpc", BATCH[:1], nonce="once")
    with nothing_changes(game):
        second = signed(game, "POST", "/rpc", BATCH[:1], nonce="once")

    assert (first.status, second.status) == (200, 401)
    assert 'oauth_problem="nonce_used"' in second.headers["www-authenticate"]


def test_what_an_app_may_ask_users_for_makes_no_difference(world: World) -> None:
    world.platform.apps.create(App(APP, "quest", secret=SECRET, scopes=()))
    came = [outcome(answer) for answer in signed(world, "POST", "/rpc", BATCH).json]

    assert came == [{}, {HANA: {"level": "1"}}, {"id": HANA, "displayName": f"user {HANA}"}]
