"""The deployment bucket, and gateway responses after a `chalice deploy`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from infra import combine, places, responses
from infra.refusals import Refused

OWN: dict[str, Any] = {
    "region_name": "ap-northeast-1",
    "aws_access_key_id": "engawa",
    "aws_secret_access_key": "engawa",
}


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3", **OWN)


def test_the_bucket_is_private_and_over_tls_alone_and_can_be_made_twice(s3: Any) -> None:
    for _ in range(2):
        places.ensure_bucket(s3, "engawa-deploy", "ap-northeast-1")

    block = s3.get_public_access_block(Bucket="engawa-deploy")["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    (statement,) = json.loads(s3.get_bucket_policy(Bucket="engawa-deploy")["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize("status", [403, 301])
def test_a_bucket_of_somebody_else_is_told_and_not_touched(status: int) -> None:
    s3 = boto3.client("s3", **OWN)
    with Stubber(s3) as stubbed:
        stubbed.add_client_error("head_bucket", str(status), http_status_code=status)
        with pytest.raises(Refused, match="The bucket name engawa-deploy is already taken; DEPLOY_BUCKET="):
            places.ensure_bucket(s3, "engawa-deploy", "ap-northeast-1")
        stubbed.assert_no_pending_responses()


def test_a_name_that_is_taken_in_that_moment_is_told_too() -> None:
    s3 = boto3.client("s3", **OWN)
    with Stubber(s3) as stubbed:
        stubbed.add_client_error("head_bucket", "404", http_status_code=404)
        stubbed.add_client_error("create_bucket", "BucketAlreadyExists", http_status_code=409)
        with pytest.raises(Refused, match="is already taken"):
            places.ensure_bucket(s3, "engawa-deploy", "ap-northeast-1")


def test_the_same_file_has_the_same_key(s3: Any, tmp_path: Path) -> None:
    # Create it without its policy: moto does not know the condition in it.
    s3.create_bucket(Bucket="engawa-deploy", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    path = tmp_path / "deployment.zip"
    path.write_bytes(b"one")

    first, again = (places.upload(s3, "engawa-deploy", path, "dev") for _ in range(2))
    path.write_bytes(b"two")
    other = places.upload(s3, "engawa-deploy", path, "dev")

    assert first == again != other
    assert first.startswith("dev/deployment-")
    assert s3.get_object(Bucket="engawa-deploy", Key=first)["Body"].read() == b"one"


class Gateway:
    """A stand-in for API Gateway's gateway responses: it lists AWS's own and those that were put."""

    def __init__(self) -> None:
        self.put: dict[str, dict[str, Any]] = {}
        self.deployments: list[dict[str, Any]] = []

    def get_gateway_responses(self, **asked: Any) -> dict[str, Any]:
        theirs = [{"responseType": "ACCESS_DENIED", "defaultResponse": True, "statusCode": "403"}]
        return {"items": [*theirs, *({"responseType": kind, **said} for kind, said in self.put.items())]}

    def put_gateway_response(self, *, restApiId: str, responseType: str, **said: Any) -> None:
        self.put[responseType] = {"defaultResponse": False, **said}

    def create_deployment(self, **asked: Any) -> None:
        self.deployments.append(asked)


def test_responses_that_chalice_dropped_are_put_back_and_deployed_once() -> None:
    gateway: Any = Gateway()
    wanted = combine.gateway_responses()

    assert responses.put(gateway, "abc", "api") == len(wanted) > 10
    assert responses.put(gateway, "abc", "api") == 0

    assert [(each["restApiId"], each["stageName"]) for each in gateway.deployments] == [("abc", "api")]
    gateway.put["THROTTLED"]["statusCode"] = "400"
    assert responses.put(gateway, "abc", "api") == 1
    assert gateway.put["THROTTLED"]["statusCode"] == "429"
