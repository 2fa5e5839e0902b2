"""The checks of `chalice deploy`, before it packs: a sentence for each reason, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from chalice.config import Config
from chalice.deploy.deployer import DeploymentReporter
from moto import mock_aws

from infra import bundle, deploy_check, keys, responses
from infra.refusals import Refused
from local import stack

ROOT = Path(__file__).resolve().parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
REGION: Any = "ap-northeast-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """An empty account, for the Python of this process."""
    monkeypatch.setattr(bundle, "PYTHON", HERE)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    # The check changes these classes for the process of the command.
    monkeypatch.setattr(Config, "environment_variables", Config.environment_variables)
    monkeypatch.setattr(DeploymentReporter, "display_report", DeploymentReporter.display_report)
    with mock_aws():
        yield boto3.Session(region_name=REGION)


def prepare(aws: boto3.Session) -> None:
    stack.create(aws.client("dynamodb"), aws.client("s3"), aws.client("sqs"), "dev")
    aws.client("s3").create_bucket(
        Bucket="engawa-dev-123456789012", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    keys.ensure(aws.client("secretsmanager"), "dev")


@pytest.mark.parametrize("stage", ["local", "nowhere"])
def test_a_stage_that_is_not_on_aws(aws: boto3.Session, stage: str) -> None:
    with pytest.raises(Refused, match=rf"chalice deploy has no stage '{stage}': \.chalice/config\.json has dev, prod"):
        deploy_check.check(stage, None, None)


def test_another_python(aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "PYTHON", "3.99")

    with pytest.raises(Refused, match=f"chalice deploy needs Python 3.99, .* not {HERE}. make deploy STAGE=dev BY="):
        deploy_check.check("dev", None, None)


def test_everything_that_is_missing_is_named_with_the_command_that_makes_it(aws: boto3.Session) -> None:
    with pytest.raises(Refused) as refused:
        deploy_check.check("dev", None, None)

    said = str(refused.value)
    for name in ("table engawa-dev-appdata", "bucket engawa-dev-123456789012", "queue engawa-dev-cleaning"):
        assert f"no {name}" in said
    assert said.endswith("no secret engawa-dev-launch-keys: .venv/bin/python -m infra prepare dev creates all of them.")


def test_a_single_missing_secret_is_named(aws: boto3.Session) -> None:
    prepare(aws)
    aws.client("secretsmanager").delete_secret(SecretId="engawa-dev-secret-keys", ForceDeleteWithoutRecovery=True)

    with pytest.raises(Refused, match="There is no secret engawa-dev-secret-keys: "):
        deploy_check.check("dev", None, None)


def test_the_functions_of_a_whole_stack_are_not_overwritten(aws: boto3.Session) -> None:
    prepare(aws)
    template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    aws.client("cloudformation").create_stack(StackName="engawa-dev", TemplateBody=template)

    with pytest.raises(Refused, match="The stack engawa-dev has the functions of dev"):
        deploy_check.check("dev", None, None)


def test_the_bucket_is_the_account_s_and_the_gateway_responses_are_put(
    aws: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(aws)
    put: list[tuple[str, str]] = []

    def put_responses(client: Any, api: str, stage: str) -> int:
        put.append((api, stage))
        return 14

    monkeypatch.setattr(responses, "put", put_responses)

    deploy_check.check("dev", None, None)

    config = Config(
        "dev",
        user_provided_params={},
        config_from_disk={"stages": {"dev": {"environment_variables": {"ENGAWA_BUCKET": "b", "A": "1"}}}},
    )
    assert config.environment_variables == {"ENGAWA_BUCKET": "engawa-dev-123456789012", "A": "1"}
    said: list[str] = []
    ui: Any = SimpleNamespace(write=said.append)
    reporter = DeploymentReporter(ui=ui)
    api = {
        "resource_type": "rest_api",
        "name": "rest_api",
        "rest_api_id": "abc",
        "rest_api_url": "https://abc.example/",
    }
    reporter.display_report({"resources": [api]})
    assert put == [("abc", "api")]
    assert "https://abc.example/" in "".join(said)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
            "There is no AWS region: set region in engawa.toml or AWS_DEFAULT_REGION, such as ap-northeast-1.\n",
        ),
        (
            {"AWS_DEFAULT_REGION": REGION},
            "There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n",
        ),
    ],
)
def test_the_command_itself_ends_with_one_sentence(environment: dict[str, str], reason: str) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "HOME": "/nonexistent"}
    # It is not reached: nothing is packed.
    command = [sys.executable, "-m", "tests.kit.chalice_deploy", "/no/zip", "deploy", "--stage", "dev"]
    done = subprocess.run(
        command, cwd=ROOT, env=bare | nowhere | environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (1, "", reason)
