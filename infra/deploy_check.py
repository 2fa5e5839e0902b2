"""What `chalice deploy` needs, checked before it packs anything, and what it leaves out, done in it.

Chalice makes the functions and the API, for tables, a bucket, a queue and keys that exist already
(`python -m infra prepare`). It reads the stages of .chalice/config.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, NoRegionError
from chalice.config import Config
from chalice.deploy.deployer import DeploymentReporter

from infra import bundle, combine, keys, packaging, responses
from infra.refusals import Refused, in_a_sentence
from infra.stacks import Stack

_PLACEHOLDER = "000000000000"
"""The account in the names of buckets in .chalice/config.json."""
_ABSENT = ("404", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def check(stage: str, profile: str | None, api_gateway_stage: str | None) -> None:
    """Check stage, Python, region, credentials, stack, tables, bucket, queue and keys. Raises Refused.

    Then give Chalice the bucket's name, and let it restore the gateway responses, which it removes.
    """
    config = json.loads(packaging.CONFIG.read_text(encoding="utf-8"))
    known = [name for name in config["stages"] if name != "local"]
    if stage not in known:
        raise Refused(
            f"chalice deploy has no stage {stage!r}: .chalice/config.json has {', '.join(known)}. "
            f"make deploy BY=chalice also deploys other stages."
        )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python != bundle.PYTHON:
        raise Refused(
            f"chalice deploy needs Python {bundle.PYTHON}, for which the libraries are chosen, not {python}. "
            f"make deploy STAGE={stage} BY=chalice deploys the same with this one."
        )
    with in_a_sentence():
        session = boto3.Session(profile_name=profile)
        if not session.region_name:
            raise NoRegionError
        account = str(session.client("sts").get_caller_identity()["Account"])
        if Stack(session.client("cloudformation"), f"engawa-{stage}", print).status() is not None:
            raise Refused(
                f"The stack engawa-{stage} has the functions of {stage}, and chalice deploy would overwrite them: use "
                f"make deploy STAGE={stage}."
            )
        bucket = config["stages"][stage]["environment_variables"]["ENGAWA_BUCKET"].replace(_PLACEHOLDER, account)
        if missing := list(_missing(session, stage, bucket)):
            raise Refused(
                f"There is no {', no '.join(missing)}: .venv/bin/python -m infra prepare {stage} creates all of them."
            )
    _name_bucket(bucket)
    _restore_responses(session, api_gateway_stage or config["api_gateway_stage"])


def _missing(session: boto3.Session, stage: str, bucket: str) -> Iterator[str]:
    """Yield what the functions need and what does not exist."""
    dynamodb, sqs, secrets = session.client("dynamodb"), session.client("sqs"), session.client("secretsmanager")
    template = yaml.safe_load((combine.INFRA / "data.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            table = resource["Properties"]["TableName"]["Fn::Sub"].replace("${Stage}", stage)
            if not _exists(dynamodb.describe_table, TableName=table):
                yield f"table {table}"
    if not _exists(session.client("s3").head_bucket, Bucket=bucket):
        yield f"bucket {bucket}"
    if not _exists(sqs.get_queue_url, QueueName=f"engawa-{stage}-cleaning"):
        yield f"queue engawa-{stage}-cleaning"
    for name in keys.FRESH:
        if not _exists(secrets.describe_secret, SecretId=keys.secret(stage, name)):
            yield f"secret {keys.secret(stage, name)}"


def _exists(describe: Any, **which: str) -> bool:
    try:
        describe(**which)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return False
        raise
    return True


def _name_bucket(bucket: str) -> None:
    """Give the functions the bucket of this account."""
    known: Any = Config.environment_variables

    def environment_variables(self: Config) -> dict[str, str]:
        return {**known.fget(self), "ENGAWA_BUCKET": bucket}

    Config.environment_variables = property(environment_variables)  # type: ignore[method-assign, assignment]


def _restore_responses(session: boto3.Session, stage: str) -> None:
    """Let Chalice put the gateway responses before it reports what it has deployed."""
    report = DeploymentReporter.display_report

    def display_report(self: DeploymentReporter, deployed_values: dict[str, Any]) -> None:
        apis = [each for each in deployed_values["resources"] if each["resource_type"] == "rest_api"]
        for api in apis:
            responses.put(session.client("apigateway"), api["rest_api_id"], stage)
        report(self, deployed_values)

    DeploymentReporter.display_report = display_report  # type: ignore[method-assign]
