"""A deployment's keys, in Secrets Manager: made before the stack, since no template may hold them.

Three secrets, each `{"keys": [newest, …]}` as the local platform's files have them (local/keys.py): `token-keys` sign
access tokens, `secret-keys` seal the secrets of apps, `launch-keys` sign the starts of page apps. The functions read
them when they first need one, and again, after a minute at least, for a key that they do not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.refusals import Refused
from local import keys as made

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FRESH: dict[str, Callable[[], made.Key]] = {
    "token-keys": made.fresh_token,
    "secret-keys": made.fresh_secret,
    "launch-keys": made.fresh_launch,
}
"""How a key of each secret is made."""


def secret(stage: str, name: str) -> str:
    """The id of a secret."""
    return f"engawa-{stage}-{name}"


def ensure(client: SecretsManagerClient, stage: str) -> list[str]:
    """Make the secrets that are not there, and call back those that are to be deleted; the names of both.

    What is there stays as it is: with other keys, everyone would be signed out and no secret of an app could be read.
    """
    changed = []
    for name in FRESH:
        try:
            if "DeletedDate" not in client.describe_secret(SecretId=secret(stage, name)):
                # One whose making was cut short has no value yet.
                _keys(client, stage, name)
                continue
            client.restore_secret(SecretId=secret(stage, name))
        except client.exceptions.ResourceNotFoundException:
            _make(client, stage, name, [FRESH[name]()])
        changed.append(name)
    return changed


def rotate(client: SecretsManagerClient, stage: str, name: str) -> int:
    """Put a fresh key first, which signs or seals from now on; how many there are. Raises Refused."""
    keys = _known(client, stage, name)
    _put(client, stage, name, [FRESH[name](), *keys])
    return len(keys) + 1


def prune(client: SecretsManagerClient, stage: str, name: str, keep: int = 1) -> int:
    """Drop all but the newest keys; how many went. Raises Refused."""
    keys = _known(client, stage, name)
    if len(keys) > keep:
        _put(client, stage, name, keys[:keep])
    return max(0, len(keys) - keep)


def copy(client: SecretsManagerClient, source: str, target: str) -> list[str]:
    """Give a stage another's keys, but for secrets that it has; the names of those that were given. Raises Refused."""
    given = []
    for name in FRESH:
        keys = _known(client, source, name)
        try:
            client.describe_secret(SecretId=secret(target, name))
        except client.exceptions.ResourceNotFoundException:
            _make(client, target, name, keys)
            given.append(name)
    return given


def delete(client: SecretsManagerClient, stage: str) -> None:
    """Delete the secrets at once: what they signed and sealed is lost."""
    for name in FRESH:
        try:
            client.delete_secret(SecretId=secret(stage, name), ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            continue


def _make(client: SecretsManagerClient, stage: str, name: str, keys: list[Any]) -> None:
    text = json.dumps({"keys": keys})
    tags: Any = [{"Key": "engawa", "Value": stage}]
    try:
        client.create_secret(Name=secret(stage, name), SecretString=text, Tags=tags)
    except client.exceptions.ResourceExistsException:
        # It is there, without a value.
        client.put_secret_value(SecretId=secret(stage, name), SecretString=text)


def _known(client: SecretsManagerClient, stage: str, name: str) -> list[Any]:
    if name not in FRESH:
        raise Refused(f"There are no keys {name!r}; there are {', '.join(FRESH)}.")
    try:
        return _keys(client, stage, name)
    except client.exceptions.ResourceNotFoundException:
        raise Refused(f"There is no secret {secret(stage, name)}: make deploy STAGE={stage} creates it.") from None


def _keys(client: SecretsManagerClient, stage: str, name: str) -> list[Any]:
    """The keys of a secret. Raises Refused where it holds something else."""
    text = client.get_secret_value(SecretId=secret(stage, name))["SecretString"]
    try:
        keys: list[Any] = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError):
        raise Refused(f"The secret {secret(stage, name)} does not hold keys.") from None
    return keys


def _put(client: SecretsManagerClient, stage: str, name: str, keys: list[Any]) -> None:
    client.put_secret_value(SecretId=secret(stage, name), SecretString=json.dumps({"keys": keys}))
