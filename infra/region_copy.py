"""The copy of a stage in another region: replicas of its tables (DynamoDB's global tables) and of its secrets.

copy.yaml has the bucket for images. Nothing writes to the replicas but AWS; a stage in that region is restored from
them like any other (restore.py). They are not in a template: CloudFormation would have to replace the tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra import keys, restore
from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_VIEW = "NEW_AND_OLD_IMAGES"
"""The kind of stream by which DynamoDB replicates a table."""
_POLL_SECONDS = 10
_BROKEN = ("CREATION_FAILED", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "REGION_DISABLED")


def tables(
    here: DynamoDBClient,
    there: DynamoDBClient,
    stage: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Give each table a replica in the region of `there`, with its own recovery and protection. Raises Refused.

    `ephemeral` gets none. What exists already stays, so the next run completes an interrupted run.
    """
    region = there.meta.region_name
    names = restore.names(stage)
    for name in names:
        if region not in replicas(here, name):
            _stream(here, name)
            update: Any = [{"Create": {"RegionName": region}}]
            here.update_table(TableName=name, ReplicaUpdates=update)
            say(f"{name}: copying to {region} ...")
    for name in names:
        # It may take DynamoDB a moment to show a new replica at all.
        while (status := replicas(here, name).get(region)) != "ACTIVE":
            if status in _BROKEN:
                raise Refused(f"The copy of {name} in {region} is {status}: delete it there, and run this again.")
            sleep(_POLL_SECONDS)
        there.get_waiter("table_exists").wait(TableName=name, WaiterConfig=restore.WAIT)
        restore.keep_every_second(there, name)
        protected = here.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled", False)
        restore.protect(there, name, protected)
    say(f"The tables of {stage} have copies in {region}.")


def replicas(client: DynamoDBClient, table: str) -> dict[str, str]:
    """Return the status of each replica of a table by its region, except the region of `client`."""
    said = client.describe_table(TableName=table)["Table"].get("Replicas", [])
    own = client.meta.region_name
    return {each["RegionName"]: each.get("ReplicaStatus", "") for each in said if each["RegionName"] != own}


def drop_tables(here: DynamoDBClient, there: DynamoDBClient, stage: str, say: Callable[[str], None]) -> None:
    """Delete the replicas of a stage's tables, and wait until the tables can be deleted, too."""
    region = there.meta.region_name
    for name in restore.names(stage):
        try:
            if region not in replicas(here, name):
                continue
        except here.exceptions.ResourceNotFoundException:
            continue
        say(f"Deleting {name} in {region} ...")
        restore.protect(there, name, False)
        there.get_waiter("table_exists").wait(TableName=name, WaiterConfig=restore.WAIT)
        update: Any = [{"Delete": {"RegionName": region}}]
        here.update_table(TableName=name, ReplicaUpdates=update)
        there.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=restore.WAIT)
        here.get_waiter("table_exists").wait(TableName=name, WaiterConfig=restore.WAIT)


def secrets(client: SecretsManagerClient, stage: str, region: str, say: Callable[[str], None]) -> None:
    """Give each secret a replica in a region, to which Secrets Manager copies each change. Raises Refused."""
    for name in keys.FRESH:
        secret = keys.secret(stage, name)
        if region not in keys.replicas(client, secret):
            wanted: Any = [{"Region": region}]
            client.replicate_secret_to_regions(SecretId=secret, AddReplicaRegions=wanted)
            say(f"{secret}: copying to {region} ...")
        status, reason = keys.replicas(client, secret).get(region, ("gone", ""))
        if status not in ("InSync", "InProgress"):
            raise Refused(f"The copy of {secret} in {region} is {status}: {reason}")


def drop_secrets(client: SecretsManagerClient, stage: str, region: str) -> None:
    """Delete the replicas of a stage's secrets in a region."""
    for name in keys.FRESH:
        secret = keys.secret(stage, name)
        if region in keys.replicas(client, secret):
            client.remove_regions_from_replication(SecretId=secret, RemoveReplicaRegions=[region])


def _stream(client: DynamoDBClient, table: str) -> None:
    """Switch a table's stream on. Raises Refused if it has one of another kind, which cannot be changed."""
    stream = client.describe_table(TableName=table)["Table"].get("StreamSpecification", {})
    if not stream.get("StreamEnabled"):
        wanted: Any = {"StreamEnabled": True, "StreamViewType": _VIEW}
        client.update_table(TableName=table, StreamSpecification=wanted)
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig=restore.WAIT)
    elif stream.get("StreamViewType") != _VIEW:
        raise Refused(f"{table} has a stream of {stream.get('StreamViewType')}; a copy needs {_VIEW}: switch it off.")
