"""The copy of a stage in another region: its tables, secrets, bucket and images, and what AWS refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import __main__ as commands
from infra import combine, images, keys, region_copy, restore
from infra.deploy import Deployment
from infra.refusals import Refused
from local import stack

HERE, THERE = "ap-northeast-1", "ap-northeast-3"
COPY = {"CopyRegion": THERE}
NAMES = restore.names("dev")


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=HERE)


class Client:
    """moto's client of a region, with DynamoDB's replicas as its pages describe them, which moto does not have.

    Replicas are made one at a time, only of a table with a stream of both images, and are active when asked the third
    time.
    """

    def __init__(self, session: boto3.Session, region: str, groups: dict[str, dict[str, int]]) -> None:
        self._client = session.client("dynamodb", region_name=region)
        self._groups = groups
        self.broken: set[str] = set()
        self.asked: list[tuple[str, Any]] = []

    def update_table(self, **asked: Any) -> Any:
        self.asked.append((asked["TableName"], asked))
        if "ReplicaUpdates" not in asked:
            return self._client.update_table(**asked)
        assert set(asked) == {"TableName", "ReplicaUpdates"}
        table = self._client.describe_table(TableName=asked["TableName"])["Table"]
        [update] = asked["ReplicaUpdates"]
        [(action, said)] = update.items()
        group = self._groups.setdefault(asked["TableName"], {})
        there = boto3.client(
            "dynamodb", region_name=said["RegionName"], aws_access_key_id="a", aws_secret_access_key="b"
        )
        if action == "Create":
            assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
            assert said["RegionName"] not in group
            there.create_table(
                TableName=asked["TableName"],
                BillingMode="PAY_PER_REQUEST",
                KeySchema=table["KeySchema"],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            )
            group[said["RegionName"]] = 0
        else:
            protected = there.describe_table(TableName=asked["TableName"])["Table"]["DeletionProtectionEnabled"]
            assert not protected
            there.delete_table(TableName=asked["TableName"])
            del group[said["RegionName"]]
        return {}

    def describe_table(self, TableName: str) -> Any:
        said: Any = self._client.describe_table(TableName=TableName)
        replicas = []
        for region, times in self._groups.get(TableName, {}).items():
            self._groups[TableName][region] += 1
            status = "CREATION_FAILED" if TableName in self.broken else "ACTIVE" if times > 1 else "CREATING"
            replicas.append({"RegionName": region, "ReplicaStatus": status})
        if replicas:
            said["Table"]["Replicas"] = [*replicas, {"RegionName": HERE, "ReplicaStatus": "ACTIVE"}]
        return said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.fixture
def clients(session: boto3.Session) -> tuple[Any, Any]:
    """Return clients of both regions, in the first of which is the stage dev."""
    stack.create(session.client("dynamodb"), session.client("s3"), session.client("sqs"), "dev")
    groups: dict[str, dict[str, int]] = {}
    return Client(session, HERE, groups), Client(session, THERE, groups)


def test_each_table_gets_a_replica_that_can_be_restored_and_not_be_deleted(clients: tuple[Any, Any]) -> None:
    here, there = clients
    here.update_table(TableName="engawa-dev-grants", DeletionProtectionEnabled=True)
    slept: list[float] = []

    region_copy.tables(here, there, "dev", lambda words: None, slept.append)

    assert sorted(there.list_tables()["TableNames"]) == sorted(NAMES)
    assert "engawa-dev-ephemeral" not in NAMES
    for name in NAMES:
        said = there.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert said["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        protected = there.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]
        assert protected is (name == "engawa-dev-grants")
    assert slept
    here.asked.clear()
    region_copy.tables(here, there, "dev", lambda words: None, slept.append)
    assert here.asked == []


def test_a_run_that_was_cut_short_is_completed(clients: tuple[Any, Any]) -> None:
    here, there = clients
    region_copy._stream(here, "engawa-dev-feeds")
    create: Any = [{"Create": {"RegionName": THERE}}]
    here.update_table(TableName="engawa-dev-feeds", ReplicaUpdates=create)
    # Of this one only the stream was switched on.
    region_copy._stream(here, "engawa-dev-comments")

    region_copy.tables(here, there, "dev", lambda words: None, lambda seconds: None)

    assert sorted(there.list_tables()["TableNames"]) == sorted(NAMES)


def test_a_stream_of_another_kind_is_told(clients: tuple[Any, Any]) -> None:
    """DynamoDB cannot change the kind of a stream that is on."""
    here, there = clients
    spec: Any = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    here.update_table(TableName="engawa-dev-comments", StreamSpecification=spec)

    with pytest.raises(Refused, match="engawa-dev-comments has a stream of KEYS_ONLY; a copy needs NEW_AND_OLD_IMAGES"):
        region_copy.tables(here, there, "dev", lambda words: None)


def test_a_replica_that_cannot_be_made_is_told(clients: tuple[Any, Any]) -> None:
    here, there = clients
    here.broken.add("engawa-dev-feeds")

    with pytest.raises(Refused, match="copy of engawa-dev-feeds in ap-northeast-3 is CREATION_FAILED: delete it"):
        region_copy.tables(here, there, "dev", lambda words: None, lambda seconds: None)


def test_replicas_are_deleted_before_their_tables(clients: tuple[Any, Any]) -> None:
    here, there = clients
    here.update_table(TableName="engawa-dev-grants", DeletionProtectionEnabled=True)
    region_copy.tables(here, there, "dev", lambda words: None, lambda seconds: None)
    here.delete_table(TableName="engawa-dev-feeds")

    region_copy.drop_tables(here, there, "dev", lambda words: None)

    assert there.list_tables()["TableNames"] == ["engawa-dev-feeds"]
    assert len(here.list_tables()["TableNames"]) == len(NAMES)


def test_secrets_are_copied_with_each_change_and_deleted_with_their_copies(session: boto3.Session) -> None:
    here, there = (session.client("secretsmanager", region_name=region) for region in (HERE, THERE))
    keys.ensure(here, "dev")
    said: list[str] = []

    for _ in range(2):
        region_copy.secrets(here, "dev", THERE, said.append)
    keys.rotate(here, "dev", "token-keys")

    assert len(said) == len(keys.FRESH)
    for name in keys.FRESH:
        one, other = (each.get_secret_value(SecretId=f"engawa-dev-{name}")["SecretString"] for each in (here, there))
        assert one == other
    # A stage in the other region gets them from there.
    assert keys.copy(there, "dev", "prod") == list(keys.FRESH)
    keys.delete(here, "dev")
    assert here.list_secrets()["SecretList"] == []
    assert {each["Name"] for each in there.list_secrets()["SecretList"]} == {
        f"engawa-prod-{name}" for name in keys.FRESH
    }


def test_a_secret_whose_name_is_taken_there_is_told(session: boto3.Session) -> None:
    here, there = (session.client("secretsmanager", region_name=region) for region in (HERE, THERE))
    keys.ensure(here, "dev")
    there.create_secret(Name="engawa-dev-token-keys", SecretString="another")

    with pytest.raises(Refused, match=r"The copy of engawa-dev-token-keys in ap-northeast-3 is Failed: .*exists"):
        region_copy.secrets(here, "dev", THERE, lambda words: None)


def test_the_copy_is_in_another_region(session: boto3.Session) -> None:
    made = Deployment("dev", session, {"CopyRegion": HERE})
    with pytest.raises(Refused, match="CopyRegion must be another region than ap-northeast-1, in which dev is"):
        made._deploy_copy(combine.INFRA / "copy.yaml")


def test_without_a_copy_nothing_is_done(session: boto3.Session) -> None:
    made = Deployment("dev", session)
    made._deploy_copy(Path("/nonexistent"))
    made._copy_tables_and_keys()
    with pytest.raises(Refused, match="dev has no copy: set CopyRegion, and deploy it"):
        made.complete_copy()


@pytest.mark.parametrize("outputs", [{}, {"CopyRegion": "us-west-2"}])
def test_a_copy_that_is_not_wanted_any_more_can_be_dropped(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch, outputs: dict[str, str]
) -> None:
    made = CopyStack()
    monkeypatch.setattr(Deployment, "_copy_stack", lambda self: made)
    monkeypatch.setattr(Deployment, "_stack", lambda self: SimpleNamespace(outputs=lambda: outputs))
    monkeypatch.setattr(region_copy, "drop_tables", lambda *asked: None)
    here, there = (session.client("secretsmanager", region_name=region) for region in (HERE, THERE))
    keys.ensure(here, "dev")
    region_copy.secrets(here, "dev", THERE, lambda words: None)

    Deployment("dev", session, COPY, lambda words: None).drop_copy()

    assert made.deleted == 1
    assert there.list_secrets()["SecretList"] == []
    assert len(here.list_secrets()["SecretList"]) == len(keys.FRESH)
    for chosen in ({}, COPY):
        outputs["CopyRegion"] = THERE
        with pytest.raises(Refused, match=r"dev has no copy: name its region|dev still copies to ap-northeast-3"):
            Deployment("dev", session, chosen).drop_copy()


class CopyStack:
    """A stand-in for the stack of the copy that records its template."""

    def __init__(self) -> None:
        self.applied: list[Any] = []
        self.deleted = 0

    def apply(self, *asked: Any) -> bool:
        self.applied.append(asked)
        return len(self.applied) == 1

    def delete(self) -> None:
        self.deleted += 1


def test_the_stack_of_the_copy_has_a_bucket_that_can_be_adopted(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = CopyStack(), list[str]()
    monkeypatch.setattr(Deployment, "_copy_stack", lambda self: made)

    for _ in range(2):
        Deployment("dev", session, COPY, said.append)._deploy_copy(combine.INFRA / "copy.yaml")

    template, parameters, tags = made.applied[0]
    # No function makes the name: CloudFormation would not import the bucket.
    assert "BucketName: engawa-dev-123456789012-copy\n" in template["TemplateBody"]
    assert len(template["TemplateBody"].encode()) < 51_200
    assert (parameters, tags) == ({"Stage": "dev"}, {"engawa": "dev"})
    assert said == ["Older images are copied once by: .venv/bin/python -m infra copy dev"]


def versioned(session: boto3.Session, bucket: str, region: str) -> Any:
    s3: Any = session.client("s3", region_name=region)
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3


def test_images_that_are_older_than_the_copy_are_added_to_it(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_copy, "tables", lambda *asked: None)
    keys.ensure(session.client("secretsmanager"), "dev")
    s3 = versioned(session, "engawa-dev-123456789012", HERE)
    there = versioned(session, "engawa-dev-123456789012-copy", THERE)
    s3.put_object(Bucket="engawa-dev-123456789012", Key="images/a", Body=b"a")

    Deployment("dev", session, COPY, lambda words: None).complete_copy()

    assert there.get_object(Bucket="engawa-dev-123456789012-copy", Key="images/a")["Body"].read() == b"a"
    # The secrets have their copies already.
    region_copy.secrets(session.client("secretsmanager"), "dev", THERE, pytest.fail)


def test_deleted_images_are_restored_in_place_from_old_versions_and_from_the_copy(session: boto3.Session) -> None:
    with pytest.raises(Refused, match="no bucket engawa-dev-123456789012: restore dev into another stage"):
        Deployment("dev", session).restore_images(datetime.now(UTC))
    own, copied = "engawa-dev-123456789012", "engawa-dev-123456789012-copy"
    s3, there = versioned(session, own, HERE), versioned(session, copied, THERE)
    s3.put_object(Bucket=own, Key="images/a", Body=b"a")
    s3.put_object(Bucket=own, Key="images/b", Body=b"b")
    there.put_object(Bucket=copied, Key="images/c", Body=b"c")
    moment = datetime.now(UTC)
    s3.delete_object(Bucket=own, Key="images/a")

    Deployment("dev", session, say=lambda words: None).restore_images(moment)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=own)["Contents"]] == ["images/a", "images/b"]
    Deployment("dev", session, COPY, lambda words: None).restore_images(moment)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=own)["Contents"]] == ["images/a", "images/b", "images/c"]
    assert len(s3.list_object_versions(Bucket=own, Prefix="images/b")["Versions"]) == 1


def test_old_versions_are_forgotten_in_both_buckets(session: boto3.Session) -> None:
    buckets = {"engawa-dev-123456789012": HERE, "engawa-dev-123456789012-copy": THERE}
    for bucket, region in buckets.items():
        s3 = versioned(session, bucket, region)
        s3.put_object(Bucket=bucket, Key="images/a", Body=b"a")
        s3.delete_object(Bucket=bucket, Key="images/a")
    said: list[str] = []

    Deployment("dev", session, COPY, said.append).forget_images()

    assert said == [f"{bucket}: 1 old versions deleted." for bucket in buckets]
    for bucket in buckets:
        assert not {"Versions", "DeleteMarkers"} & set(session.client("s3").list_object_versions(Bucket=bucket))


def test_destroying_takes_the_copy_along(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    made, dropped = CopyStack(), []
    monkeypatch.setattr(Deployment, "_copy_stack", lambda self: made)
    monkeypatch.setattr(region_copy, "drop_tables", lambda here, there, *asked: dropped.append(there.meta.region_name))
    bucket = "engawa-dev-123456789012-copy"
    s3 = versioned(session, bucket, THERE)
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key=f"{images.PREFIX}a", Body=b"a")
    s3.delete_object(Bucket=bucket, Key=f"{images.PREFIX}a")

    for _ in range(2):  # Twice, as after an interrupted run.
        Deployment("dev", session, COPY, lambda words: None)._delete_copy()

    assert s3.list_buckets()["Buckets"] == []
    assert (dropped, made.deleted) == ([THERE, THERE], 2)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["copy", "dev"], ("complete_copy",)),
        (["drop-copy", "dev", "--yes"], ("drop_copy",)),
        (["forget-images", "dev", "--yes"], ("forget_images",)),
        (
            ["restore-images", "dev", "--at", "2026-11-24T03:00:00Z"],
            ("restore_images", datetime(2026, 11, 24, 3, tzinfo=UTC)),
        ),
    ],
)
def test_each_command_does_its_own(words: list[str], wanted: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []

    class Recorded:
        def __getattr__(self, name: str) -> Any:
            return lambda *asked: called.append((name, *asked))

    monkeypatch.setattr(commands, "from_environment", lambda *stages: Recorded())

    assert commands.main(words) == 0
    assert called == [wanted]


def test_images_are_restored_only_to_a_time_that_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main(["restore-images", "dev"])

    assert "arguments are required: --at" in capsys.readouterr().err
