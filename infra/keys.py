"""A deployment's keys in Secrets Manager. They are created before the stack, since no template may contain them.

There are three secrets. Each is `{"keys": [newest, …]}`, as in the local platform's files (local/keys.py): `token-keys`
sign access tokens, `secret-keys` seal the secrets of apps, and `launch-keys` sign the launches of page apps. The
functions read a secret when they first need it, and again, at least a minute later, if they meet an unknown key.
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
"""The function that creates a key, by secret."""
MOST_BYTES = 65_536
"""The most bytes of a secret (docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html)."""


def secret(stage: str, name: str) -> str:
    """Return the id of a secret."""
    return f"engawa-{stage}-{name}"


def ensure(client: SecretsManagerClient, stage: str) -> list[str]:
    """Create missing secrets and restore those scheduled for deletion; return the names of both.

    Existing secrets do not change: with other keys, all users would be signed out and no app's secret could be read.
    """
    changed = []
    for name in FRESH:
        try:
            if "DeletedDate" not in client.describe_secret(SecretId=secret(stage, name)):
                # A secret has no value yet if its creation was interrupted.
                _keys(client, stage, name)
                continue
            client.restore_secret(SecretId=secret(stage, name))
        except client.exceptions.ResourceNotFoundException:
            _make(client, stage, name, [FRESH[name]()])
        changed.append(name)
    return changed


def rotate(client: SecretsManagerClient, stage: str, name: str) -> int:
    """Put a new key first, which signs or seals from now on; return the number of keys. Raises Refused."""
    keys = _known(client, stage, name)
    text = _text([FRESH[name](), *keys])
    if len(text.encode()) > MOST_BYTES:
        raise Refused(
            f"The secret {secret(stage, name)} has {len(keys)} keys, and one more does not fit into the "
            f"{MOST_BYTES:,} bytes of a secret: .venv/bin/python -m infra prune {stage} {name} drops the old ones."
        )
    client.put_secret_value(SecretId=secret(stage, name), SecretString=text)
    return len(keys) + 1


def prune(client: SecretsManagerClient, stage: str, name: str, keep: int = 1) -> int:
    """Delete all but the newest `keep` keys; return the number of deleted keys. Raises Refused."""
    keys = _known(client, stage, name)
    if len(keys) > keep:
        client.put_secret_value(SecretId=secret(stage, name), SecretString=_text(keys[:keep]))
    return max(0, len(keys) - keep)


def copy(client: SecretsManagerClient, source: str, target: str) -> list[str]:
    """Copy the keys of a stage to another, except to secrets that exist; return the names copied. Raises Refused."""
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
    """Delete the secrets at once. Everything that they signed or sealed becomes unusable."""
    for name in FRESH:
        try:
            # Secrets Manager refuses to delete a secret that has replicas.
            if regions := list(replicas(client, secret(stage, name))):
                client.remove_regions_from_replication(SecretId=secret(stage, name), RemoveReplicaRegions=regions)
            client.delete_secret(SecretId=secret(stage, name), ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            continue


def replicas(client: SecretsManagerClient, secret_id: str) -> dict[str, tuple[str, str]]:
    """Return the status of each replica of a secret, with its reason, by region."""
    said = client.describe_secret(SecretId=secret_id).get("ReplicationStatus", [])
    return {each["Region"]: (each.get("Status", ""), each.get("StatusMessage", "")) for each in said}


def _make(client: SecretsManagerClient, stage: str, name: str, keys: list[Any]) -> None:
    text = _text(keys)
    tags: Any = [{"Key": "engawa", "Value": stage}]
    try:
        client.create_secret(Name=secret(stage, name), SecretString=text, Tags=tags)
    except client.exceptions.ResourceExistsException:
        # The secret exists, without a value.
        client.put_secret_value(SecretId=secret(stage, name), SecretString=text)


def _known(client: SecretsManagerClient, stage: str, name: str) -> list[Any]:
    if name not in FRESH:
        raise Refused(f"There are no keys {name!r}; there are {', '.join(FRESH)}.")
    try:
        return _keys(client, stage, name)
    except client.exceptions.ResourceNotFoundException:
        raise Refused(f"There is no secret {secret(stage, name)}: make deploy STAGE={stage} creates it.") from None


def _keys(client: SecretsManagerClient, stage: str, name: str) -> list[Any]:
    """Return the keys of a secret. Raises Refused if it contains something else."""
    text = client.get_secret_value(SecretId=secret(stage, name))["SecretString"]
    try:
        keys: list[Any] = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError):
        raise Refused(f"The secret {secret(stage, name)} does not hold keys.") from None
    return keys


def _text(keys: list[Any]) -> str:
    return json.dumps({"keys": keys})
