"""The local stack is created from the deployed template, and only missing parts are created."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from local import stack

MORE = """
Resources:
  Sketches:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName:
        Fn::Sub: engawa-${Stage}-sketches
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: owner, AttributeType: S}
      KeySchema:
        - {AttributeName: pk, KeyType: HASH}
      GlobalSecondaryIndexes:
        - IndexName: owner
          KeySchema:
            - {AttributeName: owner, KeyType: HASH}
          Projection: {ProjectionType: KEYS_ONLY}
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: KEYS_ONLY}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
"""


@pytest.fixture
def clients() -> Iterator[tuple[Any, Any, Any]]:
    with mock_aws():
        own: dict[str, Any] = {
            "region_name": "ap-northeast-1",
            "aws_access_key_id": "engawa",
            "aws_secret_access_key": "engawa",
        }
        yield boto3.client("dynamodb", **own), boto3.client("s3", **own), boto3.client("sqs", **own)


def test_creates_what_the_template_describes(clients: tuple[Any, Any, Any]) -> None:
    dynamodb, s3, sqs = clients

    names = stack.create(dynamodb, s3, sqs, "local")

    assert names["Appdata"] == "engawa-local-appdata"
    assert names["Directory"] == "engawa-local-directory"
    assert names["Files"] == "engawa-local-000000000000"
    assert (names["Cleaning"], names["CleaningDead"]) == ("engawa-local-cleaning", "engawa-local-cleaning-dead")
    table = dynamodb.describe_table(TableName=names["Appdata"])["Table"]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    [rule] = s3.get_bucket_cors(Bucket=names["Files"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["*"]
    assert rule["AllowedMethods"] == ["GET"]


def test_the_bucket_of_a_laptop_keeps_no_versions(clients: tuple[Any, Any, Any]) -> None:
    dynamodb, s3, sqs = clients

    names = stack.create(dynamodb, s3, sqs, "local")

    assert "Status" not in s3.get_bucket_versioning(Bucket=names["Files"])


def test_creating_again_changes_nothing(clients: tuple[Any, Any, Any]) -> None:
    dynamodb, s3, sqs = clients
    names = stack.create(dynamodb, s3, sqs, "local")
    dynamodb.put_item(TableName=names["Appdata"], Item={"pk": {"S": "a"}, "sk": {"S": "b"}})

    assert stack.create(dynamodb, s3, sqs, "local") == names
    assert dynamodb.scan(TableName=names["Appdata"])["Count"] == 1


def test_a_newer_template_adds_its_table(clients: tuple[Any, Any, Any], tmp_path: Path) -> None:
    stack.create(*clients, "local")
    newer = tmp_path / "data.yaml"
    newer.write_text(MORE)

    for _ in range(2):
        assert stack.create(*clients, "local", newer) == {"Sketches": "engawa-local-sketches"}

    dynamodb, *_ = clients
    table = dynamodb.describe_table(TableName="engawa-local-sketches")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["owner"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    ttl = dynamodb.describe_time_to_live(TableName="engawa-local-sketches")["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"


def test_a_table_gets_an_index_that_a_newer_template_adds(clients: tuple[Any, Any, Any], tmp_path: Path) -> None:
    dynamodb, s3, sqs = clients
    older = tmp_path / "data.yaml"
    template = yaml.safe_load(stack.TEMPLATE.read_text())
    properties = template["Resources"]["Directory"]["Properties"]
    del properties["GlobalSecondaryIndexes"]
    properties["AttributeDefinitions"] = properties["AttributeDefinitions"][:2]
    older.write_text(yaml.safe_dump(template))
    name = stack.create(dynamodb, s3, sqs, "local", older)["Directory"]
    item = {"pk": {"S": "user#a"}, "sk": {"S": "#"}, "list": {"S": "users#a"}}
    dynamodb.put_item(TableName=name, Item=item)

    for _ in range(2):
        stack.create(dynamodb, s3, sqs, "local")

    [index] = dynamodb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"]
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [("list", "HASH"), ("pk", "RANGE")]
    assert index["Projection"]["ProjectionType"] == "KEYS_ONLY"
    assert dynamodb.scan(TableName=name)["Items"] == [item]


def test_what_fails_five_times_goes_to_the_dead_letters(clients: tuple[Any, Any, Any]) -> None:
    *_, sqs = clients
    names = stack.create(*clients, "local")

    cleaning, dead = (attributes(sqs, names[each]) for each in ("Cleaning", "CleaningDead"))
    assert json.loads(cleaning["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 5}
    assert (cleaning["VisibilityTimeout"], dead["MessageRetentionPeriod"]) == ("360", "1209600")
    assert "RedrivePolicy" not in dead


def test_queues_of_an_older_stack_keep_their_messages(clients: tuple[Any, Any, Any]) -> None:
    *_, sqs = clients
    names = stack.create(*clients, "local")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=names["Cleaning"])["QueueUrl"], MessageBody="a")

    assert stack.create(*clients, "local") == names
    assert attributes(sqs, names["Cleaning"])["ApproximateNumberOfMessages"] == "1"


def test_another_queue_whose_name_begins_alike_is_another(clients: tuple[Any, Any, Any]) -> None:
    *_, sqs = clients
    sqs.create_queue(QueueName="engawa-local-cleaning-old")

    names = stack.create(*clients, "local")

    assert len(sqs.list_queues()["QueueUrls"]) == 3
    assert attributes(sqs, names["Cleaning"])["QueueArn"].endswith(":engawa-local-cleaning")


def attributes(sqs: Any, name: str) -> dict[str, str]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def test_every_queue_is_encrypted_and_spoken_to_by_tls_alone() -> None:
    resources = yaml.safe_load(stack.TEMPLATE.read_text())["Resources"]
    queues = {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::SQS::Queue"}
    policies = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::SQS::QueuePolicy"]

    assert queues.keys() == {"Cleaning", "CleaningDead"}
    assert all(properties["SqsManagedSseEnabled"] for properties in queues.values())
    assert sorted(queue["Ref"] for policy in policies for queue in policy["Queues"]) == sorted(queues)
    for policy in policies:
        [statement] = policy["PolicyDocument"]["Statement"]
        [queue] = policy["Queues"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
        assert statement["Resource"] == {"Fn::GetAtt": [queue["Ref"], "Arn"]}
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_intrinsic_that_is_not_understood_is_named(clients: tuple[Any, Any, Any], tmp_path: Path) -> None:
    odd = tmp_path / "data.yaml"
    odd.write_text("Resources: {T: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: {'Fn::Join': ['', [a]]}}}}")

    with pytest.raises(ValueError, match="Fn::Join"):
        stack.create(*clients, "local", odd)


def test_every_table_is_kept_and_backed_up() -> None:
    resources = yaml.safe_load(stack.TEMPLATE.read_text())["Resources"]
    tables = [resource for resource in resources.values() if resource["Type"] == "AWS::DynamoDB::Table"]

    assert tables
    for table in tables:
        properties = table["Properties"]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert properties["SSESpecification"] == {"SSEEnabled": {"Fn::If": ["HasKms", True, False]}}
        assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["IsProd", True, False]}
