"""Restoring a stage into another one: the tables, the point in time, and the settings of each restored table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import images, keys, restore
from infra.__main__ import main
from infra.deploy import Deployment
from infra.refusals import Refused
from local import stack

TABLES = {"appdata", "directory", "grants", "records", "feeds", "comments", "favorites"}
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


class Client:
    """moto's client with a latest restorable time and a key for each table, which moto does not return."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.asked: list[dict[str, Any]] = []
        self.latest: dict[str, datetime] = {}
        self.with_kms: set[str] = set()
        self.restored: dict[str, datetime] = {}
        self.not_yet = 0

    def describe_table(self, TableName: str) -> dict[str, Any]:
        said: dict[str, Any] = self._client.describe_table(TableName=TableName)
        if TableName in self.with_kms:
            said["Table"]["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS"}
        if moment := self.restored.get(TableName):
            said["Table"]["RestoreSummary"]["RestoreDateTime"] = moment
        return said

    def update_continuous_backups(self, **asked: Any) -> Any:
        if self.not_yet:
            self.not_yet -= 1
            error: Any = {"Error": {"Code": "ContinuousBackupsUnavailableException", "Message": "Try later"}}
            raise self._client.exceptions.ContinuousBackupsUnavailableException(error, "UpdateContinuousBackups")
        return self._client.update_continuous_backups(**asked)

    def describe_continuous_backups(self, TableName: str) -> dict[str, Any]:
        said: dict[str, Any] = self._client.describe_continuous_backups(TableName=TableName)
        told = said["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if told["PointInTimeRecoveryStatus"] == "ENABLED":
            told["LatestRestorableDateTime"] = self.latest.get(TableName, NOW)
        else:
            told.pop("LatestRestorableDateTime", None)
        return said

    def restore_table_to_point_in_time(self, **asked: Any) -> Any:
        self.asked.append(asked)
        self.restored[asked["TargetTableName"]] = asked["RestoreDateTime"]
        return self._client.restore_table_to_point_in_time(
            **{name: value for name, value in asked.items() if name != "RestoreDateTime"}
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.fixture
def client() -> Iterator[Client]:
    """Return a client of an account with the stage dev, whose tables have point-in-time recovery."""
    with mock_aws():
        session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="ap-northeast-1")
        dynamodb = session.client("dynamodb")
        stack.create(dynamodb, session.client("s3"), session.client("sqs"), "dev")
        for name in TABLES:
            switch(dynamodb, name, on=True)
        yield Client(dynamodb)


def switch(dynamodb: Any, name: str, *, on: bool) -> None:
    spec = {"PointInTimeRecoveryEnabled": on}
    dynamodb.update_continuous_backups(TableName=f"engawa-dev-{name}", PointInTimeRecoverySpecification=spec)


def test_all_tables_are_restored_to_the_moment_that_all_can_be(client: Client) -> None:
    client.latest["engawa-dev-feeds"] = NOW - timedelta(seconds=7)

    restore.tables(client, "dev", "prod", None, lambda words: None)  # type: ignore[arg-type]

    assert {each["SourceTableName"] for each in client.asked} == {f"engawa-dev-{name}" for name in TABLES}
    assert {each["TargetTableName"] for each in client.asked} == {f"engawa-prod-{name}" for name in TABLES}
    assert {each["RestoreDateTime"] for each in client.asked} == {NOW - timedelta(seconds=7)}


def test_a_moment_can_be_given(client: Client) -> None:
    restore.tables(client, "dev", "prod", NOW - timedelta(days=3), lambda words: None)  # type: ignore[arg-type]

    assert {each["RestoreDateTime"] for each in client.asked} == {NOW - timedelta(days=3)}


def test_a_restored_table_gets_what_the_old_one_has(client: Client) -> None:
    client.update_table(TableName="engawa-dev-appdata", DeletionProtectionEnabled=True)

    restore.tables(client, "dev", "prod", None, lambda words: None)  # type: ignore[arg-type]

    for name in TABLES:
        table = {"TableName": f"engawa-prod-{name}"}
        backups = client.describe_continuous_backups(**table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        living = client.describe_time_to_live(**table)["TimeToLiveDescription"]["TimeToLiveStatus"]
        assert living == ("ENABLED" if name in ("grants", "records") else "DISABLED")
        assert client.describe_table(**table)["Table"]["DeletionProtectionEnabled"] is (name == "appdata")


def test_a_table_with_a_key_of_kms_is_restored_with_it(client: Client) -> None:
    client.with_kms.add("engawa-dev-grants")

    restore.tables(client, "dev", "prod", None, lambda words: None)  # type: ignore[arg-type]

    chosen = {each["SourceTableName"]: each.get("SSESpecificationOverride") for each in client.asked}
    assert chosen.pop("engawa-dev-grants") == {"Enabled": True}
    assert set(chosen.values()) == {None}


def test_a_run_that_was_cut_short_is_mended_by_the_next(client: Client) -> None:
    earlier = NOW - timedelta(hours=1)
    client.restore_table_to_point_in_time(
        SourceTableName="engawa-dev-grants", TargetTableName="engawa-prod-grants", RestoreDateTime=earlier
    )
    said: list[str] = []

    moment = restore.tables(client, "dev", "prod", None, said.append)  # type: ignore[arg-type]

    # All tables are of one second, that of the first run.
    assert moment == earlier
    assert [each["RestoreDateTime"] for each in client.asked] == [earlier] * len(TABLES)
    assert "engawa-prod-grants: exists already, and stays as it is." in said
    assert len([words for words in said if words.endswith(": ready.")]) == len(TABLES)
    assert client.describe_time_to_live(TableName="engawa-prod-grants")["TimeToLiveDescription"]["AttributeName"]


def test_what_was_restored_to_another_second_is_told(client: Client) -> None:
    restore.tables(client, "dev", "prod", NOW - timedelta(days=2), lambda words: None)  # type: ignore[arg-type]
    asked = len(client.asked)

    with pytest.raises(Refused, match=r"engawa-prod-\w+ exists, as of 2026-11-22T03:00:00\+00:00, not of 2026-11-23T"):
        restore.tables(client, "dev", "prod", NOW - timedelta(days=1), lambda words: None)  # type: ignore[arg-type]
    assert len(client.asked) == asked
    # The same second again, as DynamoDB gives it back, in another precision.
    client.restored = {name: moment + timedelta(microseconds=999) for name, moment in client.restored.items()}
    restore.tables(client, "dev", "prod", NOW - timedelta(days=2), lambda words: None)  # type: ignore[arg-type]


def test_a_stage_that_is_in_use_is_not_restored_into(client: Client) -> None:
    """DynamoDB refuses only the tables that exist; the others, and images, would be added to that stage."""
    live = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="ap-northeast-1")
    stack.create(live.client("dynamodb"), live.client("s3"), live.client("sqs"), "prod")
    client.delete_table(TableName="engawa-prod-appdata")

    with pytest.raises(Refused, match=r"engawa-prod-\w+ exists, and was not restored from engawa-dev-"):
        restore.tables(client, "dev", "prod", None, lambda words: None)  # type: ignore[arg-type]

    assert client.asked == []


def test_recovery_of_a_new_table_is_asked_for_until_dynamodb_is_ready(client: Client) -> None:
    slept: list[float] = []
    client.not_yet = 3

    restore.keep_every_second(client, "engawa-dev-appdata", slept.append)  # type: ignore[arg-type]

    assert (len(slept), client.not_yet) == (3, 0)
    client.not_yet = 9
    with pytest.raises(client.exceptions.ContinuousBackupsUnavailableException):
        restore.keep_every_second(client, "engawa-dev-appdata", slept.append, tries=3)  # type: ignore[arg-type]
    assert (len(slept), client.not_yet) == (5, 6)


def test_what_cannot_be_restored_is_told_before_anything_is(client: Client) -> None:
    switch(client, "comments", on=False)
    with pytest.raises(Refused, match="engawa-dev-comments has no point-in-time recovery"):
        restore.tables(client, "dev", "prod", None, lambda words: None)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="There is no table engawa-prod-appdata"):
        restore.tables(client, "prod", "dev", None, lambda words: None)  # type: ignore[arg-type]

    assert client.asked == []


def test_keys_are_copied_where_there_are_none(client: Client) -> None:
    secrets = boto3.client("secretsmanager", "ap-northeast-1", aws_access_key_id="a", aws_secret_access_key="b")
    keys.ensure(secrets, "dev")
    own = secrets.create_secret(Name="engawa-prod-launch-keys", SecretString="own")

    assert keys.copy(secrets, "dev", "prod") == ["token-keys", "secret-keys"]

    for name in ("token-keys", "secret-keys"):
        old, new = (secrets.get_secret_value(SecretId=f"engawa-{stage}-{name}") for stage in ("dev", "prod"))
        assert old["SecretString"] == new["SecretString"]
    assert secrets.get_secret_value(SecretId=own["ARN"])["SecretString"] == "own"


def test_a_stage_is_not_restored_into_one_that_is_not_known(client: Client) -> None:
    with pytest.raises(Refused, match="There is no stage 'prod2'"):
        Deployment("dev", boto3.Session(region_name="ap-northeast-1")).restore_into("prod2")


def test_a_stage_is_not_restored_into_itself(client: Client) -> None:
    with pytest.raises(Refused, match="dev cannot be restored into itself"):
        Deployment("dev", boto3.Session(region_name="ap-northeast-1")).restore_into("dev")


def test_the_images_follow_when_their_bucket_is_there(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "tables", lambda *asked: NOW)
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="ap-northeast-1")
    here: Any = {"CreateBucketConfiguration": {"LocationConstraint": "ap-northeast-1"}}
    s3: Any = session.client("s3")
    said, copied = list[str](), list[Any]()
    keys.ensure(session.client("secretsmanager"), "dev")
    monkeypatch.setattr(images, "copy", lambda s3, *asked: copied.append((s3.meta.region_name, *asked[:3])))
    s3.create_bucket(Bucket="engawa-dev-123456789012", **here)

    Deployment("dev", session, say=said.append).restore_into("prod")
    assert said[-1] == "The images follow: make deploy STAGE=prod, then run this command again."
    assert copied == []

    s3.create_bucket(Bucket="engawa-prod-123456789012", **here)
    Deployment("dev", session, say=said.append).restore_into("prod")
    assert copied == [("ap-northeast-1", "engawa-dev-123456789012", "engawa-prod-123456789012", NOW)]

    copy = {"CopyRegion": "ap-northeast-3"}
    Deployment("dev", session, copy).restore_into("prod")
    assert copied[-1] == copied[0]
    # In the region of the copy, and if the bucket was deleted, they are those of the copy.
    s3.delete_bucket(Bucket="engawa-dev-123456789012")
    Deployment("dev", session, copy).restore_into("prod")
    assert copied[-1] == ("ap-northeast-1", "engawa-dev-123456789012-copy", "engawa-prod-123456789012", NOW)


@pytest.mark.parametrize("time", ["yesterday", "2026-11-24T03:00:00"])
def test_a_moment_without_its_offset_is_none(time: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["restore", "dev", "prod", "--at", time])

    assert "argument --at: invalid" in capsys.readouterr().err
