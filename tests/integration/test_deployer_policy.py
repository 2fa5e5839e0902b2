"""infra/deployer.json allows what CloudFormation and our commands need, and no more services than these.

cfn-lint has AWS's schemas of resource types, and these name the actions that each type needs.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from samtranslator.translator.transform import transform

from infra import bundle, combine, packaging

POLICY = json.loads((combine.INFRA / "deployer.json").read_text(encoding="utf-8"))
SCHEMAS = Path(str(files("cfnlint"))) / "data" / "schemas" / "resources"
NOT_NEEDED = (
    # Features that the templates do not use: keys of one's own, VPCs, imports, streams to Kinesis, and so on.
    *("kms:*", "ec2:*", "elasticfilesystem:*", "s3files:*", "s3tables:*", "kinesis:*", "firehose:*", "acm-pca:*"),
    "iam:*PermissionsBoundary",
    "lambda:GetLayerVersion",
    "lambda:PassCapacityProvider",
    "codedeploy:RegisterOnPremisesInstance",
    # Words in AWS's schemas that are no actions of IAM, or belong to a seller of AWS.
    *("s3:REST.PUT.OBJECT", "s3:GetObjectMetadata", "s3:ListTagsForResource", "payments:*", "billing:*"),
)
COMMANDS = (
    *("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet"),
    *("cloudformation:DescribeChangeSet", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"),
    *("cloudformation:DescribeEvents", "cloudformation:DeleteStack", "cloudformation:ListStackResources"),
    *("s3:CreateBucket", "s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject", "s3:PutBucketPolicy"),
    *("s3:PutBucketPublicAccessBlock", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:DeleteObjectVersion"),
    *("secretsmanager:CreateSecret", "secretsmanager:PutSecretValue", "secretsmanager:GetSecretValue"),
    *("secretsmanager:DescribeSecret", "secretsmanager:RestoreSecret", "secretsmanager:DeleteSecret"),
    *("secretsmanager:ReplicateSecretToRegions", "secretsmanager:RemoveRegionsFromReplication"),
    *("dynamodb:RestoreTableToPointInTime", "dynamodb:DescribeContinuousBackups", "dynamodb:UpdateTable"),
    *("dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive", "dynamodb:DeleteTable", "dynamodb:ListTables"),
    *("dynamodb:CreateTableReplica", "dynamodb:DeleteTableReplica", "dynamodb:Scan", "dynamodb:BatchWriteItem"),
    *("lambda:ListVersionsByFunction", "lambda:DeleteFunction", "lambda:GetAlias", "lambda:EnableReplication"),
    *("apigateway:GET", "apigateway:PUT", "apigateway:POST", "logs:DeleteLogGroup", "sts:GetCallerIdentity"),
    *("sns:ListSubscriptionsByTopic", "iam:CreateServiceLinkedRole"),
)
"""What `python -m infra` itself asks AWS for."""
WITHOUT_NAMES = {"acm", "apigateway", "budgets", "cloudfront", "wafv2"}
"""Services whose resources have no names of ours in their ARNs, so that all of them are allowed."""


def allowed() -> Iterator[tuple[str, str]]:
    """Yield each allowed pattern of actions with each pattern of resources."""
    for statement in POLICY["Statement"]:
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            for resource in [resources] if isinstance(resources, str) else resources:
                yield action, resource


def is_allowed(action: str) -> bool:
    """Return whether an action is allowed for some resource of its service."""
    service = action.partition(":")[0]
    return any(
        fnmatchcase(action.lower(), pattern.lower()) and (resource == "*" or resource.split(":")[2] == service)
        for pattern, resource in allowed()
    )


def needed(kind: str) -> set[str]:
    """Return the actions that AWS's schema of a resource type names."""
    for path in SCHEMAS.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        if f'"typeName": "{kind}"' in text:
            handlers: dict[str, Any] = json.loads(text).get("handlers", {})
            return {action for handler in handlers.values() for action in handler["permissions"]}
    raise LookupError(kind)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the types of all resources of both fronts, in all stacks."""
    found: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        patch.setattr(packaging, "BUILD", tmp_path_factory.mktemp("build"))
        patch.setattr(bundle, "build", lambda made, *_: zipfile.ZipFile(made, "w").close())
        for front in combine.FRONTS:
            out = packaging.package("prod", "arm64", front=front)
            for path in out.glob("*.yaml"):
                template = yaml.safe_load(path.read_text(encoding="utf-8"))
                for resource in template["Resources"].values():
                    if resource["Type"] == "AWS::Serverless::Function":
                        resource["Properties"]["CodeUri"] = "s3://bucket/key"
                if path.stem == "sam":
                    template = transform(template, {}, SimpleNamespace(load=dict))
                found |= {each["Type"] for each in template["Resources"].values()}
    return found


def test_cloudformation_may_make_change_and_delete_every_resource(kinds: set[str]) -> None:
    assert len(kinds) > 30
    missing = {
        action
        for kind in kinds
        for action in needed(kind)
        if not is_allowed(action) and not any(fnmatchcase(action, pattern) for pattern in NOT_NEEDED)
    }
    assert missing == set()


@pytest.mark.parametrize("action", COMMANDS)
def test_our_commands_may_do_what_they_do(action: str) -> None:
    assert is_allowed(action)


def test_nothing_else_is_allowed() -> None:
    for action in ("iam:CreateUser", "iam:CreateAccessKey", "iam:CreatePolicy", "ec2:RunInstances", "sts:AssumeRole"):
        assert not is_allowed(action)
    for action, resource in allowed():
        service, _, name = action.partition(":")
        if resource == "*":
            assert name != "*" or service in WITHOUT_NAMES, action
        elif service not in ("iam", "cloudformation"):
            assert re.search(r"engawa-|/engawa/|ProxyKey-", resource), resource


def test_the_policy_is_small_enough_for_iam() -> None:
    """IAM counts no whitespace: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 6_144
    assert len({statement["Sid"] for statement in POLICY["Statement"]}) == len(POLICY["Statement"])
