"""A restore of the tables of one stage as the tables of another. A deployment of that stage then imports them.

The source tables do not change, so no data is lost. `ephemeral` is not restored, since its items are useful only for
minutes; the deployment creates it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra import combine
from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOT_RESTORED = "engawa-${Stage}-ephemeral"
_WAIT: Any = {"Delay": 10, "MaxAttempts": 24 * 360}
"""One day in total: a large table takes hours."""


def tables(client: DynamoDBClient, source: str, target: str, at: datetime | None, say: Callable[[str], None]) -> None:
    """Restore all tables to the same second: `at`, or the latest to which all of them can be restored.

    A table that exists already does not change, so the next run completes an interrupted run. Raises Refused.
    """
    wanted = [(name.replace("${Stage}", source), name.replace("${Stage}", target), ttl) for name, ttl in _tables()]
    # Checked even if `at` is given, so that a table that cannot be restored is reported before any restore begins.
    latest = min(_latest(client, name) for name, _, _ in wanted)
    at = at or latest
    for old, new, _ in wanted:
        try:
            client.restore_table_to_point_in_time(
                SourceTableName=old, TargetTableName=new, RestoreDateTime=at, **_encryption(client, old)
            )
            say(f"{new}: restoring from {old} as of {at.isoformat()} ...")
        except client.exceptions.TableAlreadyExistsException:
            say(f"{new}: exists already, and stays as it is.")
        except client.exceptions.InvalidRestoreTimeException as error:
            raise Refused(
                f"{old} cannot be restored to {at.isoformat()}: {error.response['Error']['Message']}"
            ) from None
    for old, new, ttl in wanted:
        client.get_waiter("table_exists").wait(TableName=new, WaiterConfig=_WAIT)
        _settle(client, old, new, ttl)
        say(f"{new}: ready.")


def _tables() -> Iterator[tuple[str, Any]]:
    """Yield the name and the time to live of each table, as in data.yaml."""
    for resource in combine.merge_template()["Resources"].values():
        if resource.get("Type") == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            if (name := properties["TableName"]["Fn::Sub"]) != _NOT_RESTORED:
                yield name, properties.get("TimeToLiveSpecification")


def _latest(client: DynamoDBClient, table: str) -> datetime:
    try:
        said = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    except client.exceptions.TableNotFoundException:
        raise Refused(f"There is no table {table}.") from None
    latest = said.get("PointInTimeRecoveryDescription", {}).get("LatestRestorableDateTime")
    if latest is None:
        raise Refused(f"{table} has no point-in-time recovery.")
    return latest


def _encryption(client: DynamoDBClient, table: str) -> Any:
    """Return the argument of a restore that keeps the table's KMS key; none for the key that AWS owns, the default."""
    described = client.describe_table(TableName=table)["Table"].get("SSEDescription", {})
    return {"SSESpecificationOverride": {"Enabled": True}} if described.get("SSEType") == "KMS" else {}


def _settle(client: DynamoDBClient, old: str, new: str, ttl: Any) -> None:
    """Set those settings of the old table that neither a restore nor a deployment that imports the table sets."""
    recovery: Any = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName=new, PointInTimeRecoverySpecification=recovery)
    living = client.describe_time_to_live(TableName=new)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if ttl and living == "DISABLED":
        client.update_time_to_live(TableName=new, TimeToLiveSpecification=ttl)
    protected = client.describe_table(TableName=old)["Table"].get("DeletionProtectionEnabled", False)
    if client.describe_table(TableName=new)["Table"].get("DeletionProtectionEnabled", False) != protected:
        client.update_table(TableName=new, DeletionProtectionEnabled=protected)
