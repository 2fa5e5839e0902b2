"""Restores the tables of one stage as those of another, which a deployment of that stage then takes in.

Nothing is lost by it: the tables that are restored from stay as they are. `ephemeral` is left out, whose items are of
use for minutes; the deployment makes it anew.
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
"""For a day: a large table takes hours."""


def tables(client: DynamoDBClient, source: str, target: str, at: datetime | None, say: Callable[[str], None]) -> None:
    """Restore all tables to the same second: `at`, or the latest that all of them can be restored to.

    A table that is there already stays as it is, so that a run that was cut short is mended by the next. Raises
    Refused.
    """
    wanted = [(name.replace("${Stage}", source), name.replace("${Stage}", target), ttl) for name, ttl in _tables()]
    # Asked in any case, so that what cannot be restored is told before anything is.
    latest = min(_latest(client, name) for name, _, _ in wanted)
    at = at or latest
    for old, new, _ in wanted:
        try:
            client.restore_table_to_point_in_time(SourceTableName=old, TargetTableName=new, RestoreDateTime=at)
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
    """The name and the time to live of each table, as data.yaml has them."""
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


def _settle(client: DynamoDBClient, old: str, new: str, ttl: Any) -> None:
    """Set what a restored table does not have of the old one, and what no deployment sets on a table it takes in."""
    recovery: Any = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName=new, PointInTimeRecoverySpecification=recovery)
    living = client.describe_time_to_live(TableName=new)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if ttl and living == "DISABLED":
        client.update_time_to_live(TableName=new, TimeToLiveSpecification=ttl)
    protected = client.describe_table(TableName=old)["Table"].get("DeletionProtectionEnabled", False)
    if client.describe_table(TableName=new)["Table"].get("DeletionProtectionEnabled", False) != protected:
        client.update_table(TableName=new, DeletionProtectionEnabled=protected)
