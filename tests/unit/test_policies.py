"""The IAM policies: exactly what the code declares, only what each function needs, in the files that Chalice reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalice.cli.factory import CLIFactory

import app as entry
from chalicelib.api import scheduled
from chalicelib.store.aws.iam_needs import (
    API,
    CANARY,
    CLEAN,
    LISTING,
    SEND,
    SWEEP,
    IamNeed,
    on_objects,
    on_queue,
    on_secret,
    on_table,
)
from infra import policies
from local import stack

FOLDER = policies.CONFIG.parent / "policies"
CONFIG = json.loads(policies.CONFIG.read_text())
STAGES = [stage for stage in CONFIG["stages"] if stage != policies.LOCAL]
NEEDS = [need for _, need in policies.declared()]

Granted = set[tuple[str, str]]


def granted(function: str, stage: str = "prod") -> Granted:
    """Return every action with the resource it is granted on, from the committed file."""
    document = json.loads((FOLDER / stage / f"{function}.json").read_text())
    return {(action, each["Resource"]) for each in document["Statement"] for action in each["Action"]}


def on(granted: Granted, part: str) -> set[str]:
    """Return the actions on resources whose ARN contains `part`."""
    return {action.partition(":")[2] for action, resource in granted if part in resource}


def listed(function: str) -> list[str]:
    """Return the prefixes under which a function may list the bucket's keys."""
    document = json.loads((FOLDER / "prod" / f"{function}.json").read_text())
    listings = [each for each in document["Statement"] if "s3:ListBucket" in each["Action"]]
    assert all(each["Action"] == ["s3:ListBucket"] for each in listings)
    return [each["Condition"]["StringLike"]["s3:prefix"] for each in listings]


def test_every_file_is_the_sum_of_what_is_declared() -> None:
    """`python -m infra.policies` rewrites them."""
    expected = {path: policies.written(document) for path, document in policies.files()}

    assert set(FOLDER.rglob("*.json")) == expected.keys()
    assert len(expected) == len(STAGES) * 5
    for path, text in expected.items():
        assert path.read_text() == text, path


@pytest.mark.parametrize("stage", STAGES)
def test_chalice_takes_every_function_s_policy_from_its_file(stage: str) -> None:
    from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
    from chalice.deploy.models import FileBasedIAMPolicy, LambdaFunction

    config = CLIFactory(str(policies.ROOT)).create_config_obj(chalice_stage_name=stage)
    application = ApplicationGraphBuilder().build(config, stage)
    resources = DependencyBuilder().build_dependencies(application)

    functions = {each.resource_name: each for each in resources if isinstance(each, LambdaFunction)}
    assert functions.keys() == set(policies.FUNCTIONS)
    for name, function in functions.items():
        role: Any = function.role
        policy = role.policy
        assert isinstance(policy, FileBasedIAMPolicy)
        assert Path(policy.filename).resolve() == FOLDER / stage / f"{name}.json"


def test_the_functions_are_those_that_lambda_calls() -> None:
    assert {SWEEP, CLEAN, CANARY, SEND} == {source.name for source in entry.app.event_sources}
    assert (scheduled.SWEEP, scheduled.CLEAN, scheduled.CANARY, scheduled.SEND) == (SWEEP, CLEAN, CANARY, SEND)


def test_nobody_may_do_what_only_another_needs() -> None:
    api, sweep, clean, canary = map(granted, (API, SWEEP, CLEAN, CANARY))

    # The API does no cleanup.
    assert not {"ReceiveMessage", "DeleteMessage"} & on(api, ":sqs:")
    assert listed(API) == ["answers/*"]
    assert listed(SWEEP) == ["answers/*"]
    assert "BatchWriteItem" not in on(api, "prod-appdata")
    # The cleanup functions need nothing that serves requests of users. The sweep erases users who left.
    for function in (sweep, clean):
        assert not on(function, ":secret:")
    assert not on(clean, "-grants") | on(clean, "/answers/")
    assert on(sweep, "-grants") == {"GetItem", "Query", "DeleteItem", "BatchWriteItem"}
    assert on(sweep, ":s3:") == {"ListBucket", "DeleteObject"}
    # What `clean` deletes of posts, and the sweep of installs, are events.
    assert on(sweep, "-ephemeral") == on(clean, "-ephemeral") == {"PutItem"}
    # The function that sends events reads the endpoints and their secrets, and the log.
    send = granted(SEND)
    assert on(send, ":secret:") == on(send, "-secret-keys-") == {"GetSecretValue"}
    assert not on(send, ":s3:") | on(send, ":sqs:")
    tables = {resource.split("/")[1] for action, resource in send if action.startswith("dynamodb:")}
    assert tables == {"engawa-prod-directory", "engawa-prod-ephemeral", "engawa-prod-records"}
    assert on(sweep, "prod-appdata") == {"Query", "BatchWriteItem", "BatchGetItem", "DeleteItem"}
    assert on(sweep, "-directory") == {"GetItem", "BatchGetItem", "Query", "UpdateItem", "DeleteItem"}
    assert not on(sweep, "-comments") | on(sweep, "-favorites")
    assert not on(clean, "-appdata")
    # The canary makes and counts its user, app and install, and makes a token; it reads and deletes nothing by itself.
    assert on(canary, ":dynamodb:") == {"PutItem", "UpdateItem", "ConditionCheckItem"}
    assert {resource.rpartition("/")[2] for action, resource in canary if action.startswith("dynamodb:")} == {
        "engawa-prod-appdata",
        "engawa-prod-directory",
        "engawa-prod-records",
    }
    # Each stores its last run, and reads none. The sweep erases the reports of users who leave.
    assert {frozenset(on(each, "-records")) for each in (canary, send)} == {frozenset({"PutItem"})}
    assert on(sweep, "-records") == {"PutItem", "Query", "BatchWriteItem"}
    assert on(canary, ":secret:") == on(canary, "-token-keys-") == {"GetSecretValue"}
    assert not on(canary, ":s3:") | on(canary, ":sqs:")
    assert "PutItem" not in on(clean, "-comments") | on(clean, "-favorites") | on(clean, "-directory")


@pytest.mark.parametrize("function", policies.FUNCTIONS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_policy_names_actions_and_the_stage_s_own_resources(function: str, stage: str) -> None:
    document = json.loads((FOLDER / stage / f"{function}.json").read_text())

    assert len(json.dumps(document, separators=(",", ":"))) < 10_240  # The limit of a role's inline policies.
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        assert "dynamodb:PartiQLSelect" not in statement["Action"]
        # Only a migration scans (store/migration.py), and only the API migrates.
        assert "dynamodb:Scan" not in statement["Action"] or function == "api_handler"
        assert f"engawa-{stage}" in statement["Resource"]
        if statement["Sid"] != "Logs":
            assert statement["Condition"]["StringEquals"] == {"aws:ResourceAccount": "${aws:PrincipalAccount}"}
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)


def test_keys_are_listed_below_their_prefix_alone() -> None:
    document = json.loads((FOLDER / "prod" / f"{CLEAN}.json").read_text())

    [listing] = [each for each in document["Statement"] if "s3:ListBucket" in each["Action"]]
    assert listing["Action"] == ["s3:ListBucket"]
    assert listing["Resource"] == "arn:aws:s3:::engawa-prod-*"
    assert listing["Condition"]["StringLike"] == {"s3:prefix": "images/*"}


def test_what_is_declared_is_there() -> None:
    """Every table, index and queue is in the template, and every secret is among a stage's settings."""
    resources = yaml.safe_load(stack.TEMPLATE.read_text())["Resources"].values()

    def names(kind: str, key: str) -> set[str]:
        found = (each["Properties"][key]["Fn::Sub"] for each in resources if each["Type"] == kind)
        return {name.removeprefix("engawa-${Stage}-") for name in found}

    indexes = {
        f"table/{table['Properties']['TableName']['Fn::Sub'].removeprefix('engawa-${Stage}-')}/index/{index['IndexName']}"
        for table in resources
        for index in table["Properties"].get("GlobalSecondaryIndexes", [])
    }
    tables = {f"table/{name}" for name in names("AWS::DynamoDB::Table", "TableName")}
    by_service = {
        service: {need.resource for need in NEEDS if need.service == service} for service in {n.service for n in NEEDS}
    }
    assert by_service["dynamodb"] == tables | indexes
    assert all(name.endswith(f"/index/{LISTING}") for name in indexes)
    assert by_service["sqs"] == names("AWS::SQS::Queue", "QueueName") - {"cleaning-dead"}
    for stage in STAGES:
        variables = CONFIG["stages"][stage]["environment_variables"]
        secrets = {value for name, value in variables.items() if name.endswith("_SECRET")}
        assert {f"engawa-{stage}-{name}" for name in by_service["secretsmanager"]} == secrets


def test_a_policy_is_a_sum() -> None:
    needs = [
        on_table("feeds", "Query", by=(API, SWEEP)),
        on_table("feeds", "GetItem", "Query"),
        on_objects("images/", "PutObject"),
        on_queue("cleaning", "SendMessage", by=(SWEEP,)),
        on_secret("token-keys"),
    ]

    api = {each["Sid"]: (each["Action"], each["Resource"]) for each in policies.policy(API, "dev", needs)["Statement"]}
    sweep = {each["Sid"] for each in policies.policy(SWEEP, "dev", needs)["Statement"]}

    logs = ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert api == {
        "DynamodbFeeds": (["dynamodb:GetItem", "dynamodb:Query"], "arn:aws:dynamodb:*:*:table/engawa-dev-feeds"),
        "S3Images": (["s3:PutObject"], "arn:aws:s3:::engawa-dev-*/images/*"),
        "SecretsmanagerTokenKeys": (
            ["secretsmanager:GetSecretValue"],
            "arn:aws:secretsmanager:*:*:secret:engawa-dev-token-keys-??????",
        ),
        "Logs": (logs, "arn:aws:logs:*:*:log-group:/aws/lambda/engawa-dev:*"),
    }
    assert sweep == {"DynamodbFeeds", "SqsCleaning", "Logs"}


def test_traces_are_sent_only_where_they_are_made() -> None:
    traced = policies.policy(SWEEP, "dev", [], traced=True)["Statement"][-1]

    assert traced["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    assert "xray" not in json.dumps(policies.policy(SWEEP, "dev", []))
    assert all(
        CONFIG["stages"][stage].get("xray", False) == ("xray:" in str(granted(SWEEP, stage))) for stage in STAGES
    )


def test_a_service_that_no_policy_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="Nobody said what a policy calls topic of sns"):
        policies.policy(API, "dev", [IamNeed("sns", "topic", frozenset({"Publish"}), (API,))])


def test_what_no_test_can_see_says_why() -> None:
    unseen = [need for need in NEEDS if need.unseen]

    assert {action for need in unseen for action in need.actions} == {
        "ReceiveMessage",
        "DeleteMessage",
        "GetQueueAttributes",
    }
    assert {need.by for need in unseen} == {(CLEAN,)}


def test_nothing_is_encrypted_with_a_key_that_a_policy_would_have_to_name() -> None:
    """AWS's own keys need no permission to read; a customer's key would need kms:Decrypt in each policy."""
    for path in sorted((policies.ROOT / "infra").glob("*.yaml")):
        for name, resource in (yaml.safe_load(path.read_text()).get("Resources") or {}).items():
            assert (resource or {}).get("Type") != "AWS::KMS::Key", f"{path.name}: {name}"
            assert not {"KmsMasterKeyId", "KMSMasterKeyId", "KmsKeyId"} & set(_keys_in(resource)), (
                f"{path.name}: {name}"
            )


def _keys_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for each in value.values() for key in _keys_in(each))]
    return [key for each in value for key in _keys_in(each)] if isinstance(value, list) else []
