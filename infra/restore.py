"""A restore of the tables of one stage as the tables of another. A deployment of that stage then imports them.

The source tables do not change, so no data is lost. `ephemeral` is not restored, since its items are useful only for
minutes; the deployment creates it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from infra import combine
from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOT_RESTORED = "engawa-${Stage}-ephemeral"
WAIT: Any = {"Delay": 10, "MaxAttempts": 24 * 360}
"""One day in total: a large table takes hours."""
_TRIES, _PAUSE = 60, 10


def tables(
    client: DynamoDBClient, source: str, target: str, at: datetime | None, say: Callable[[str], None]
) -> datetime:
    """Restore all tables to the same second: `at`, or the latest to which all of them can be restored; return it.

    A table that was restored before does not change, and the others are restored to its second, so the next run
    completes an interrupted run. Raises Refused, also if a table of the target is something else.
    """
    wanted = [(name.replace("${Stage}", source), name.replace("${Stage}", target), ttl) for name, ttl in _tables()]
    # Checked even if `at` is given, so that a table that cannot be restored is reported before any restore begins.
    latest = min(_latest(client, name) for name, _, _ in wanted)
    known = {new: moment for old, new, _ in wanted if (moment := _restored(client, old, new))}
    at = at or min(known.values(), default=latest)
    for new, moment in known.items():
        if abs(moment - at) >= timedelta(seconds=1):
            raise Refused(
                f"{new} exists, as of {moment.isoformat()}, not of {at.isoformat()}: leave --at out, or delete the "
                f"tables of {target} first."
            )
    for old, new, _ in wanted:
        if new in known:
            say(f"{new}: exists already, and stays as it is.")
            continue
        try:
            client.restore_table_to_point_in_time(
                SourceTableName=old, TargetTableName=new, RestoreDateTime=at, **_encryption(client, old)
            )
            say(f"{new}: restoring from {old} as of {at.isoformat()} ...")
        except client.exceptions.InvalidRestoreTimeException as error:
            raise Refused(
                f"{old} cannot be restored to {at.isoformat()}: {error.response['Error']['Message']}"
            ) from None
    for old, new, ttl in wanted:
        client.get_waiter("table_exists").wait(TableName=new, WaiterConfig=WAIT)
        _settle(client, old, new, ttl)
        say(f"{new}: ready.")
    return at


def names(stage: str) -> list[str]:
    """Return the names of the tables of a stage that a restore or a copy contains."""
    return [name.replace("${Stage}", stage) for name, _ in _tables()]


def keep_every_second(
    client: DynamoDBClient, table: str, sleep: Callable[[float], None] = time.sleep, tries: int = _TRIES
) -> None:
    """Enable point-in-time recovery. DynamoDB refuses it for minutes after a table was created."""
    recovery: Any = {"PointInTimeRecoveryEnabled": True}
    for left in reversed(range(tries)):
        try:
            client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
            return
        except client.exceptions.ContinuousBackupsUnavailableException:
            if not left:
                raise
            sleep(_PAUSE)


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


def _restored(client: DynamoDBClient, old: str, new: str) -> datetime | None:
    """Return the second of which an earlier run made a table, or None if there is no table. Raises Refused."""
    try:
        summary = client.describe_table(TableName=new)["Table"].get("RestoreSummary", {})
    except client.exceptions.ResourceNotFoundException:
        return None
    if not summary.get("SourceTableArn", "").endswith(f":table/{old}"):
        raise Refused(f"{new} exists, and was not restored from {old}: restore into a stage that has no tables.")
    return summary["RestoreDateTime"]


def _encryption(client: DynamoDBClient, table: str) -> Any:
    """Return the argument of a restore that keeps the table's KMS key; none for the key that AWS owns, the default."""
    described = client.describe_table(TableName=table)["Table"].get("SSEDescription", {})
    return {"SSESpecificationOverride": {"Enabled": True}} if described.get("SSEType") == "KMS" else {}


def _settle(client: DynamoDBClient, old: str, new: str, ttl: Any) -> None:
    """Set those settings of the old table that neither a restore nor a deployment that imports the table sets."""
    keep_every_second(client, new)
    living = client.describe_time_to_live(TableName=new)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if ttl and living == "DISABLED":
        client.update_time_to_live(TableName=new, TimeToLiveSpecification=ttl)
    protected = client.describe_table(TableName=old)["Table"].get("DeletionProtectionEnabled", False)
    protect(client, new, protected)


def protect(client: DynamoDBClient, table: str, protected: bool) -> None:
    """Set a table's deletion protection."""
    if client.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled", False) != protected:
        client.update_table(TableName=table, DeletionProtectionEnabled=protected)
