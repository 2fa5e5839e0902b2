"""Keys are created once, rotated without visible effect, and never lost by a repeated run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.store.directory.secret_sealing import SecretSealing
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.auth.launch_keys import LaunchKeys
from infra import keys
from infra.refusals import Refused


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "secretsmanager", region_name="ap-northeast-1", aws_access_key_id="a", aws_secret_access_key="b"
        )


def text(client: Any, name: str) -> str:
    return client.get_secret_value(SecretId=f"engawa-dev-{name}")["SecretString"]


def test_the_app_can_use_what_is_made(client: Any) -> None:
    assert keys.ensure(client, "dev") == ["token-keys", "secret-keys", "launch-keys"]

    held = {name: text(client, name) for name in keys.FRESH}
    tokens = AccessTokens(TokenKeys(lambda: held["token-keys"]), "https://x.example")
    token = tokens.issue(app="6d1f0c2ab4e79853", viewer=None, scopes=["admin"], lifetime=60)
    assert tokens.check(token).app == "6d1f0c2ab4e79853"
    seals = SecretSealing(lambda: held["secret-keys"])
    assert seals.open(seals.seal("s")) == "s"
    launch = LaunchKeys(lambda: held["launch-keys"])
    assert launch.certificate(launch.signing().kid)


def test_a_second_run_changes_nothing(client: Any) -> None:
    keys.ensure(client, "dev")
    before = [text(client, name) for name in keys.FRESH]

    assert keys.ensure(client, "dev") == []

    assert [text(client, name) for name in keys.FRESH] == before


def test_keys_that_are_to_be_deleted_come_back(client: Any) -> None:
    keys.ensure(client, "dev")
    before = text(client, "token-keys")
    client.delete_secret(SecretId="engawa-dev-token-keys")

    assert keys.ensure(client, "dev") == ["token-keys"]

    assert text(client, "token-keys") == before


def test_a_secret_that_was_made_without_a_value_gets_one(client: Any) -> None:
    client.create_secret(Name="engawa-dev-secret-keys")

    assert "secret-keys" in keys.ensure(client, "dev")

    assert len(json.loads(text(client, "secret-keys"))["keys"]) == 1


def test_what_an_older_key_signed_and_sealed_is_good_after_a_rotation(client: Any) -> None:
    keys.ensure(client, "dev")
    before = {name: text(client, name) for name in keys.FRESH}
    token = AccessTokens(TokenKeys(lambda: before["token-keys"]), "https://x.example").issue(
        app="6d1f0c2ab4e79853", viewer=None, scopes=["admin"], lifetime=60
    )
    sealed = SecretSealing(lambda: before["secret-keys"]).seal("s")

    assert keys.rotate(client, "dev", "token-keys") == keys.rotate(client, "dev", "secret-keys") == 2

    after = {name: text(client, name) for name in keys.FRESH}
    assert AccessTokens(TokenKeys(lambda: after["token-keys"]), "https://x.example").check(token).app
    assert SecretSealing(lambda: after["secret-keys"]).open(sealed) == "s"
    assert json.loads(after["token-keys"])["keys"][1:] == json.loads(before["token-keys"])["keys"]


def test_pruning_keeps_the_newest(client: Any) -> None:
    keys.ensure(client, "dev")
    keys.rotate(client, "dev", "token-keys")
    newest = json.loads(text(client, "token-keys"))["keys"][0]

    assert keys.prune(client, "dev", "token-keys") == 1
    assert keys.prune(client, "dev", "token-keys") == 0

    assert json.loads(text(client, "token-keys"))["keys"] == [newest]


@pytest.mark.parametrize("name", keys.FRESH)
def test_a_secret_that_is_full_refuses_a_rotation_in_a_sentence(
    client: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = keys.FRESH[name]()
    monkeypatch.setitem(keys.FRESH, name, lambda: fresh)
    keys.ensure(client, "dev")
    with_room = {"keys": [{"kid": ""}]}
    with_room["keys"][0]["kid"] = "x" * (keys.MOST_BYTES - len(json.dumps({"keys": [fresh, *with_room["keys"]]})))
    client.put_secret_value(SecretId=f"engawa-dev-{name}", SecretString=json.dumps(with_room))

    assert keys.rotate(client, "dev", name) == 2
    assert len(text(client, name)) == keys.MOST_BYTES
    with pytest.raises(Refused, match=rf"engawa-dev-{name} has 2 keys, .*python -m infra prune dev {name} drops"):
        keys.rotate(client, "dev", name)

    assert len(text(client, name)) == keys.MOST_BYTES
    assert keys.prune(client, "dev", name) == 1
    assert keys.rotate(client, "dev", name) == 2


@pytest.mark.parametrize("name", keys.FRESH)
def test_a_secret_has_room_for_twenty_keys(name: str) -> None:
    assert len(json.dumps({"keys": [keys.FRESH[name]()] * 20})) < keys.MOST_BYTES


def test_keys_that_are_not_there_cannot_be_rotated(client: Any) -> None:
    with pytest.raises(Refused, match="There is no secret engawa-dev-token-keys: make deploy STAGE=dev creates it"):
        keys.rotate(client, "dev", "token-keys")


def test_a_secret_that_holds_something_else_is_left_alone(client: Any) -> None:
    client.create_secret(Name="engawa-dev-token-keys", SecretString="hunter2")

    for attempt in (lambda: keys.ensure(client, "dev"), lambda: keys.rotate(client, "dev", "token-keys")):
        with pytest.raises(Refused, match="engawa-dev-token-keys does not hold keys"):
            attempt()

    assert text(client, "token-keys") == "hunter2"


def test_deleting_leaves_nothing_and_can_be_repeated(client: Any) -> None:
    keys.ensure(client, "dev")

    keys.delete(client, "dev")
    keys.delete(client, "dev")

    assert client.list_secrets()["SecretList"] == []
