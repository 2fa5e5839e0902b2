"""The local stack is made from the template that is deployed, and only what is missing is made."""

from __future__ import annotations

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
def clients() -> Iterator[tuple[Any, Any]]:
    with mock_aws():
        own: dict[str, Any] = {
            "region_name": "ap-northeast-1",
            "aws_access_key_id": "engawa",
            "aws_secret_access_key": "engawa",
        }
        yield boto3.client("dynamodb", **own), boto3.client("s3", **own)


def test_creates_what_the_template_describes(clients: tuple[Any, Any]) -> None:
    dynamodb, s3 = clients

    names = stack.create(dynamodb, s3, "local")

    assert names["Appdata"] == "engawa-local-appdata"
    assert names["Directory"] == "engawa-local-directory"
    assert names["Files"] == "engawa-local-000000000000"
    table = dynamodb.describe_table(TableName=names["Appdata"])["Table"]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    [rule] = s3.get_bucket_cors(Bucket=names["Files"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["*"]
    assert rule["AllowedMethods"] == ["GET"]


def test_creating_again_changes_nothing(clients: tuple[Any, Any]) -> None:
    dynamodb, s3 = clients
    names = stack.create(dynamodb, s3, "local")
    dynamodb.put_item(TableName=names["Appdata"], Item={"pk": {"S": "a"}, "sk": {"S": "b"}})

    assert stack.create(dynamodb, s3, "local") == names
    assert dynamodb.scan(TableName=names["Appdata"])["Count"] == 1


def test_a_newer_template_adds_its_table(clients: tuple[Any, Any], tmp_path: Path) -> None:
    stack.create(*clients, "local")
    newer = tmp_path / "data.yaml"
    newer.write_text(MORE)

    for _ in range(2):
        assert stack.create(*clients, "local", newer) == {"Sketches": "engawa-local-sketches"}

    dynamodb, _ = clients
    table = dynamodb.describe_table(TableName="engawa-local-sketches")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["owner"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    ttl = dynamodb.describe_time_to_live(TableName="engawa-local-sketches")["TimeToLiveDescription"]
    assert ttl["TimeToLiveStatus"] == "ENABLED"


def test_a_table_gets_an_index_that_a_newer_template_adds(clients: tuple[Any, Any], tmp_path: Path) -> None:
    dynamodb, s3 = clients
    older = tmp_path / "data.yaml"
    template = yaml.safe_load(stack.TEMPLATE.read_text())
    properties = template["Resources"]["Directory"]["Properties"]
    del properties["GlobalSecondaryIndexes"]
    properties["AttributeDefinitions"] = properties["AttributeDefinitions"][:2]
    older.write_text(yaml.safe_dump(template))
    name = stack.create(dynamodb, s3, "local", older)["Directory"]
    item = {"pk": {"S": "user#a"}, "sk": {"S": "#"}, "list": {"S": "users#a"}}
    dynamodb.put_item(TableName=name, Item=item)

    for _ in range(2):
        stack.create(dynamodb, s3, "local")

    [index] = dynamodb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"]
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [("list", "HASH"), ("pk", "RANGE")]
    assert index["Projection"]["ProjectionType"] == "KEYS_ONLY"
    assert dynamodb.scan(TableName=name)["Items"] == [item]


def test_an_intrinsic_that_is_not_understood_is_named(clients: tuple[Any, Any], tmp_path: Path) -> None:
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
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert properties["SSESpecification"]["SSEEnabled"]
        assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["IsProd", True, False]}
