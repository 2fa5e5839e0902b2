"""Creates the tables, bucket and queues of infra/data.yaml, at any endpoint for DynamoDB, S3 and SQS.

It uses the properties that the app can notice: names, keys, indexes, streams, time to live, CORS, and the redelivery of
messages. Encryption, backups, lifecycle and policies matter on AWS only; there CloudFormation reads the same file. So
do versions of objects: the embedded AWS runs no lifecycle, so they would keep deleted images forever.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

TEMPLATE = Path(__file__).resolve().parent.parent / "infra" / "data.yaml"
ACCOUNT = "000000000000"

_TABLE = "AWS::DynamoDB::Table"
_BUCKET = "AWS::S3::Bucket"
_QUEUE = "AWS::SQS::Queue"
_AS_THEY_ARE = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)


def create(
    dynamodb: DynamoDBClient, s3: S3Client, sqs: SQSClient, stage: str, template: Path = TEMPLATE
) -> dict[str, str]:
    """Create the resources of `template` that the endpoint lacks; existing tables get the indexes that they lack.

    Other properties of existing resources are not changed. Returns the physical name of each resource by its logical
    id: `{"Appdata": "engawa-local-appdata", ...}`. Raises ValueError if a property that is used here has an intrinsic
    function other than `Ref`, `Fn::Sub` and the `Fn::GetAtt` of the ARN of a dead-letter queue.
    """
    variables = {"Stage": stage, "AWS::AccountId": ACCOUNT, "AWS::Region": dynamodb.meta.region_name}
    resources = _resources(template)
    tables = {page for pages in dynamodb.get_paginator("list_tables").paginate() for page in pages["TableNames"]}
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    names = {}
    # A dead-letter queue is created before the queue that uses it.
    for logical_id, resource in sorted(resources.items(), key=lambda one: "RedrivePolicy" in one[1]["Properties"]):
        properties = resource["Properties"]
        if resource["Type"] == _TABLE:
            names[logical_id] = _table(dynamodb, properties, variables, tables)
        elif resource["Type"] == _BUCKET:
            names[logical_id] = _bucket(s3, properties, variables, buckets)
        elif resource["Type"] == _QUEUE:
            names[logical_id], variables[f"{logical_id}.Arn"] = _queue(sqs, properties, variables)
    return names


@cache
def _resources(template: Path) -> dict[str, Any]:
    resources: dict[str, Any] = yaml.safe_load(template.read_text(encoding="utf-8"))["Resources"]
    return resources


def _table(dynamodb: DynamoDBClient, properties: dict[str, Any], variables: dict[str, str], existing: set[str]) -> str:
    wanted = {key: _resolve(properties[key], variables) for key in _AS_THEY_ARE if key in properties}
    name: str = wanted["TableName"]
    if stream := properties.get("StreamSpecification"):
        wanted["StreamSpecification"] = {**_resolve(stream, variables), "StreamEnabled": True}
    if name not in existing:
        dynamodb.create_table(**wanted)
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    else:
        _indexes(dynamodb, wanted)
    if ttl := properties.get("TimeToLiveSpecification"):
        now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if now.get("TimeToLiveStatus", "DISABLED") == "DISABLED":
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=_resolve(ttl, variables))
    return name


def _indexes(dynamodb: DynamoDBClient, wanted: dict[str, Any]) -> None:
    """Add the indexes that a table from an older template lacks: one per call, as DynamoDB requires."""
    table = dynamodb.describe_table(TableName=wanted["TableName"])["Table"]
    known = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
    for index in wanted.get("GlobalSecondaryIndexes", []):
        if index["IndexName"] not in known:
            dynamodb.update_table(
                TableName=wanted["TableName"],
                AttributeDefinitions=wanted["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[{"Create": index}],
            )
            dynamodb.get_waiter("table_exists").wait(
                TableName=wanted["TableName"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )


def _bucket(s3: S3Client, properties: dict[str, Any], variables: dict[str, str], existing: set[str]) -> str:
    name: str = _resolve(properties["BucketName"], variables)
    if name in existing:
        return name
    region: Any = variables["AWS::Region"]
    # S3 rejects a location constraint for us-east-1, the only such region.
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    if cors := properties.get("CorsConfiguration"):
        rules = [_cors_rule(rule) for rule in _resolve(cors, variables)["CorsRules"]]
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    return name


def _cors_rule(rule: dict[str, Any]) -> Any:
    """Rename the properties of a CORS rule from CloudFormation's names to those of S3's API."""
    renamed = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    return {renamed.get(key, key): value for key, value in rule.items()}


def _queue(sqs: SQSClient, properties: dict[str, Any], variables: dict[str, str]) -> tuple[str, str]:
    """Create a queue unless it exists; return its name and its ARN."""
    name: str = _resolve(properties["QueueName"], variables)
    attributes: Any = {
        key: str(properties[key]) for key in ("VisibilityTimeout", "MessageRetentionPeriod") if key in properties
    }
    if redrive := properties.get("RedrivePolicy"):
        attributes["RedrivePolicy"] = json.dumps(_resolve(redrive, variables))
    # Endpoints return different errors for a queue that does not exist, so the queues are listed.
    known = sqs.list_queues(QueueNamePrefix=name).get("QueueUrls", [])
    url = next((url for url in known if url.endswith(f"/{name}")), None)
    url = url or sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return name, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _resolve(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolve(item, variables) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return variables[name]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: variables[found[1]], text)
        case {"Fn::GetAtt": [name, attribute]} if f"{name}.{attribute}" in variables:
            return variables[f"{name}.{attribute}"]
    if unknown := [key for key in value if key.startswith("Fn::")]:
        raise ValueError(f"{unknown[0]} is not understood here; use Ref, Fn::Sub or a queue's Fn::GetAtt")
    return {key: _resolve(item, variables) for key, item in value.items()}
