"""The operator's side of a deployment: its input, its questions, and its messages if it cannot continue."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra import combine, keys, packaging, parameters, places, region_copy, releases, responses
from infra.deploy import Deployment
from infra.refusals import Refused
from infra.site import builder, upload
from infra.stage_settings import AppSettings
from local import stack

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "1f0c7d0b3a5e"


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="ap-northeast-1")


def run(*words: str, stdin: str = "", **environment: str) -> tuple[int, str, str]:
    """Run a command in a new process whose only credentials are those in `environment`."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-m", "infra", *words],
        cwd=ROOT,
        env=bare | nowhere | environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["deploy", "deploy-by-chalice"])
def test_without_credentials_one_sentence_says_so(command: str) -> None:
    status, said, complaint = run(command, "dev", AWS_DEFAULT_REGION="ap-northeast-1")

    assert (status, said) == (1, "")
    assert complaint == (
        "There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n"
    )


def test_without_a_region_one_sentence_says_so() -> None:
    status, _, complaint = run("deploy", "dev", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")

    assert (status, complaint) == (
        1,
        "There is no AWS region: set region in engawa.toml or AWS_DEFAULT_REGION, such as ap-northeast-1.\n",
    )


@pytest.mark.parametrize("command", ["package", "deploy"])
@pytest.mark.parametrize("stage", ["local", "nowhere"])
def test_a_stage_that_is_not_on_aws_is_refused(command: str, stage: str) -> None:
    status, _, complaint = run(command, stage)

    assert (status, complaint.count("\n")) == (1, 1)
    assert complaint.startswith(f"There is no stage '{stage}': ")


@pytest.mark.parametrize("answer", ["", "y\n", "prod\n"])
def test_destroy_asks_for_the_name_of_what_it_destroys(answer: str) -> None:
    status, question, complaint = run("destroy", "dev", stdin=answer)

    assert (status, complaint) == (1, "Nothing was done.\n")
    assert "WITH ALL DATA" in question


@pytest.mark.parametrize(
    ("command", "what"),
    [("forget-images", "old versions of all images of prod"), ("drop-copy", "copy of prod in Copy")],
)
def test_no_backup_is_deleted_unasked(command: str, what: str) -> None:
    status, question, complaint = run(command, "prod", stdin="y\n")

    assert (status, complaint) == (1, "Nothing was done.\n")
    assert f"This deletes the {what}" in question


def test_parameters_come_from_the_file_and_the_environment(session: boto3.Session) -> None:
    chosen = parameters.chosen("MonthlyBudget=7 PlainHttp=yes")

    made = Deployment("prod", session, chosen).parameters

    assert made == {"Monitoring": "full", "MonthlyBudget": "7", "PlainHttp": "yes", "Stage": "prod"}
    assert Deployment("prod", session).parameters["MonthlyBudget"] == "100"
    # Of the other stages the template's defaults hold: basic monitoring, no budget.
    assert Deployment("dev", session).parameters == {"Rollout": "at-once", "Stage": "dev"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Domian=x", "There is no parameter 'Domian' to set"),
        ("Stage=prod", "There is no parameter 'Stage' to set"),
        ("Domain", "'Domain' has no value"),
        ("Domain=api.example.com", "Domain needs a Certificate"),
    ],
)
def test_a_parameter_that_cannot_be_is_told(session: boto3.Session, text: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        Deployment("dev", session, parameters.chosen(text))


class Stacks:
    """A stand-in for the stacks that records the operations on them."""

    def __init__(
        self, name: str, done: list[Any], resources: list[tuple[str, str]], status: str | None = "CREATE_COMPLETE"
    ) -> None:
        self.name, self.done, self._resources, self._status = name, done, resources, status

    def make_ready(self) -> bool:
        return True

    def status(self) -> str | None:
        return self._status

    def resources(self) -> list[tuple[str, str]]:
        return self._resources

    def delete(self) -> None:
        self.done.append((self.name, "deleted"))

    def apply(
        self, template: dict[str, str], given: dict[str, str], tags: dict[str, str], meanwhile: object = None
    ) -> bool:
        self.done.append((self.name, template, given))
        return True

    def outputs(self) -> dict[str, str]:
        if self.name == "global":
            return {"ChallengeFunction": "arn:challenge:1", "Certificate": "arn:made-here"}
        if not any(each[0] == "main" for each in self.done):
            return {}
        return {
            "BaseUrl": "https://x.example",
            "DistributionDomain": "d1.cloudfront.net",
            "DistributionId": "E2EXAMPLE",
        }


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Return the operations on the stacks; the package is two small files."""
    done: list[Any] = []
    held = [("AWS::DynamoDB::Table", "engawa-dev-appdata"), ("AWS::S3::Bucket", "engawa-dev-123456789012")]
    monkeypatch.setattr(Deployment, "_stack", lambda self: Stacks("main", done, held))
    monkeypatch.setattr(Deployment, "_gateway_logs", lambda self: "yes")
    monkeypatch.setattr(Deployment, "_data_stack", lambda self: Stacks("data", done, [], None))
    monkeypatch.setattr(Deployment, "_global_stack", lambda self: Stacks("global", done, []))
    monkeypatch.setattr(Deployment, "_edge_watch_stack", lambda self: Stacks("edge", done, []))

    def package(stage: str, architecture: str, warm: str, front: str, app: AppSettings) -> Path:
        (tmp_path / "deployment.zip").write_bytes(b"zip")
        (tmp_path / "sam.yaml").write_text(
            "Parameters: {Stage: {}, Certificate: {}, ChallengeFunction: {}, Issuer: {}, OwnDomain: {}, Commit: {}}\n"
            "Resources: {APIHandler: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: ./deployment.zip}}}\n"
        )
        (tmp_path / "global.yaml").write_text("Parameters: {Stage: {}, WafRate: {}}\n")
        (tmp_path / "edge_watch.yaml").write_text("Parameters: {Stage: {}, AlarmEmail: {}, Distribution: {}}\n")
        return tmp_path

    monkeypatch.setattr(packaging, "package", package)
    monkeypatch.setattr(releases, "commit", lambda: COMMIT)
    monkeypatch.setattr(upload, "upload", lambda s3, bucket: None)
    monkeypatch.setattr(Deployment, "_drop_old_versions", lambda self: None)
    # moto does not know the condition of the bucket's policy, and would deny all access.
    monkeypatch.setattr(places, "ensure_bucket", lambda s3, bucket, region: _bucket(s3, bucket))
    return done


def _bucket(s3: Any, name: str) -> None:
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})


@pytest.mark.parametrize(
    ("held", "of_the_account", "wanted"), [([], "", "yes"), ([], "arn:role", "no"), (["yes"], "arn:role", "yes")]
)
def test_the_role_for_the_gateway_s_logs_is_made_once_and_then_kept(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch, held: list[str], of_the_account: str, wanted: str
) -> None:
    resources = [("AWS::ApiGateway::Account", "account") for _ in held]
    account = SimpleNamespace(get_account=lambda: {"cloudwatchRoleArn": of_the_account})
    monkeypatch.setattr(Deployment, "_stack", lambda self: Stacks("main", [], resources))
    monkeypatch.setattr(Deployment, "_client", lambda self, service, region=None: account)

    assert Deployment("dev", session)._gateway_logs() == wanted


def test_a_deployment_makes_the_keys_the_global_stack_and_then_the_other(
    session: boto3.Session, done: list[Any], tmp_path: Path
) -> None:
    made = Deployment("dev", session, say=lambda words: None).deploy("arm64", combine.COLD)

    assert made["BaseUrl"] == "https://x.example"
    # Without full monitoring there are no alarms over CloudFront.
    assert [each[0] for each in done] == ["global", "main", "edge"]
    assert done[2] == ("edge", "deleted")
    assert done[0][2] == {"Stage": "dev"}
    assert done[1][2] == {
        "Stage": "dev",
        "Commit": COMMIT,
        "ChallengeFunction": "arn:challenge:1",
        "Certificate": "arn:made-here",
        "GatewayLogs": "yes",
    }
    bucket = "engawa-deploy-123456789012-ap-northeast-1"
    assert f"CodeUri: s3://{bucket}/dev/deployment-" in (tmp_path / "sam.yaml").read_text()
    assert done[1][1]["TemplateURL"].startswith("https://s3.ap-northeast-1.amazonaws.com/engawa-deploy-")
    assert len(session.client("secretsmanager").list_secrets()["SecretList"]) == len(keys.FRESH)


@pytest.mark.parametrize("has_bucket", [False, True], ids=["first", "later"])
def test_the_pages_of_the_documentation_are_uploaded_before_cloudfront_shows_them_if_there_is_a_bucket(
    session: boto3.Session, done: list[Any], monkeypatch: pytest.MonkeyPatch, has_bucket: bool
) -> None:
    name = "engawa-dev-123456789012"
    if has_bucket:
        _bucket(session.client("s3"), name)
    monkeypatch.setattr(upload, "upload", lambda s3, bucket: done.append(("pages", bucket)))

    Deployment("dev", session, say=lambda words: None).deploy("arm64", combine.COLD)

    pages = ("pages", name)
    assert done.count(pages) == 1
    main = next(place for place, each in enumerate(done) if each[0] == "main")
    assert (done.index(pages) < main) == has_bucket


def test_pages_are_uploaded_once_each_at_its_address(session: boto3.Session) -> None:
    s3 = session.client("s3")
    _bucket(s3, "engawa-dev-123456789012")
    builder.refresh()
    for _ in range(2):
        upload.upload(s3, "engawa-dev-123456789012")

    base = upload.folder()
    page = s3.get_object(Bucket="engawa-dev-123456789012", Key=f"{base}/docs/en/operations/write-data")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", upload.KEPT)
    script = s3.get_object(Bucket="engawa-dev-123456789012", Key=f"{base}/docs/assets/search.js")
    assert script["ContentType"] == "text/javascript; charset=utf-8"


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/own"
URL_FRONT = {"ApiConcurrency": "10", "Certificate": CERTIFICATE}


def test_a_first_deployment_with_a_function_url_tells_the_functions_cloudfront_s_name(
    session: boto3.Session, done: list[Any]
) -> None:
    def deploy(**chosen: str) -> list[dict[str, str]]:
        begun = len(done)
        made = Deployment("dev", session, URL_FRONT | chosen, say=lambda words: None, front=combine.URL)
        assert made.deploy("arm64", combine.COLD)["BaseUrl"] == "https://x.example"
        return [each[2] for each in done[begun:] if each[0] == "main"]

    shared = {"Stage": "dev", "Commit": COMMIT, "ChallengeFunction": "arn:challenge:1", "Certificate": CERTIFICATE}
    assert deploy() == [shared, shared | {"OwnDomain": "d1.cloudfront.net"}]
    # The first template, which did not know the name, is nothing to go back to.
    [first] = Deployment("dev", session).list_releases()
    assert first.parameters == shared | {"OwnDomain": "d1.cloudfront.net"}
    # Later ones know it at once; with an issuer of one's own, it is not needed.
    assert deploy() == [shared | {"OwnDomain": "d1.cloudfront.net"}]
    assert deploy(Issuer="https://y.example") == [shared | {"Issuer": "https://y.example"}]
    done.clear()
    assert deploy(Issuer="https://y.example") == [shared | {"Issuer": "https://y.example"}]


@pytest.mark.parametrize("chosen", [{}, {"ApiConcurrency": "0"}])
def test_a_function_url_needs_a_limit(session: boto3.Session, chosen: dict[str, str]) -> None:
    with pytest.raises(Refused, match="FRONT=url needs ApiConcurrency, the instances reserved for the API: the"):
        Deployment("dev", session, chosen, front=combine.URL)


def test_a_parameter_of_api_gateway_does_nothing_with_a_function_url(session: boto3.Session) -> None:
    with pytest.raises(Refused, match="There is no parameter 'ThrottleRate' to set with FRONT=url"):
        Deployment("dev", session, URL_FRONT | {"ThrottleRate": "5"}, front=combine.URL)


@pytest.mark.parametrize("command", ["deploy", "deploy-by-chalice", "package"])
def test_a_front_that_is_none_is_refused(command: str) -> None:
    status, _, complaint = run(command, "dev", FRONT="http", AWS_DEFAULT_REGION="ap-northeast-1")

    assert (status, complaint) == (1, "FRONT must be rest or url, not 'http'.\n")


def test_by_chalice_there_is_no_function_url(session: boto3.Session) -> None:
    with pytest.raises(Refused, match="FRONT=url needs the whole stack"):
        Deployment("dev", session, URL_FRONT, front=combine.URL).deploy_by_chalice("arm64")


def test_a_certificate_of_ones_own_goes_before_the_one_made_here(session: boto3.Session, done: list[Any]) -> None:
    chosen = {"Domain": "api.example.com", "Certificate": CERTIFICATE}

    Deployment("dev", session, chosen, say=lambda words: None).deploy("arm64", combine.COLD)

    assert done[1][2]["Certificate"] == CERTIFICATE


def test_a_rollback_applies_what_was_deployed_before_at_once(session: boto3.Session, done: list[Any]) -> None:
    chosen = URL_FRONT | {"Issuer": "https://x.example", "Rollout": "steps"}
    for issuer in ("https://x.example", "https://y.example"):
        made = Deployment("dev", session, chosen | {"Issuer": issuer}, lambda words: None, combine.URL)
        made.deploy("arm64", combine.COLD)
    first, second = (each for each in done if each[0] == "main")
    said: list[str] = []
    done.clear()

    # With the settings of today, whatever they are.
    outputs = Deployment("dev", session, say=said.append).roll_back(None)

    assert outputs["BaseUrl"] == "https://x.example"
    assert done == [("main", first[1], first[2] | {"Rollout": "at-once"})]
    assert [first[1] == second[1], len(said)] == [False, 1]
    assert [bool(each.repeats) for each in Deployment("dev", session).list_releases()] == [True, False, False]


@pytest.mark.parametrize("command", ["rollback", "releases"])
def test_a_stage_that_is_none_has_no_releases(command: str) -> None:
    status, said, complaint = run(command, "nowhere")

    assert (status, said) == (1, "")
    assert complaint.startswith("There is no stage 'nowhere'")


def test_the_alarms_over_cloudfront_are_deployed_last(session: boto3.Session, done: list[Any]) -> None:
    Deployment("dev", session, {"Monitoring": "full", "WafRate": "100"}, say=lambda words: None).deploy(
        "arm64", combine.COLD
    )

    assert [each[0] for each in done] == ["global", "main", "edge"]
    assert done[2][1]["TemplateBody"].startswith("Parameters: ")
    assert done[2][2] == {"Stage": "dev", "Distribution": "E2EXAMPLE"}


@pytest.mark.parametrize(
    ("stage", "chosen", "says"),
    [("dev", {}, False), ("dev", {"Monitoring": "full"}, True), ("prod", {"Monitoring": "basic"}, True)],
)
def test_a_deployment_whose_alarms_reach_nobody_says_so_twice(
    session: boto3.Session, done: list[Any], stage: str, chosen: dict[str, str], says: bool
) -> None:
    said: list[str] = []

    Deployment(stage, session, chosen, say=said.append).deploy("arm64", combine.COLD)

    sentence = f"Nobody gets the alarms of {stage}: there is no AlarmEmail. Set it in engawa.toml, "
    told = [words for words in said if words.startswith(sentence)]
    assert told == ([said[0], said[-1]] if says else [])


def test_a_mail_that_is_not_confirmed_is_told(
    session: boto3.Session, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, said = "operator@example.com", list[str]()
    topics = {region: f"arn:aws:sns:{region}:123456789012:alarms" for region in ("ap-northeast-1", "us-east-1")}
    pending = {"Endpoint": address, "SubscriptionArn": "PendingConfirmation"}
    confirmed = {"Endpoint": address, "SubscriptionArn": f"{topics['us-east-1']}:1"}
    other = {"Endpoint": "other@example.com", "SubscriptionArn": "PendingConfirmation"}
    subscriptions = {topics["ap-northeast-1"]: [[other], [pending]], topics["us-east-1"]: [[other, confirmed]]}
    before, outputs = Deployment._client, Stacks.outputs

    def paginate(TopicArn: str) -> list[dict[str, Any]]:
        return [{"Subscriptions": page} for page in subscriptions[TopicArn]]

    def client(self: Deployment, service: str, region: str | None = None) -> Any:
        pages = SimpleNamespace(get_paginator=lambda name: SimpleNamespace(paginate=paginate))
        return pages if service == "sns" else before(self, service, region)

    def outputs_with_topic(self: Stacks) -> dict[str, str]:
        topic = {"main": topics["ap-northeast-1"], "edge": topics["us-east-1"]}.get(self.name)
        return outputs(self) | ({"AlarmsTopic": topic} if topic else {})

    monkeypatch.setattr(Deployment, "_client", client)
    monkeypatch.setattr(Stacks, "outputs", outputs_with_topic)
    deployment = Deployment("prod", session, {"AlarmEmail": address}, say=said.append)

    deployment.deploy("arm64", combine.COLD)

    told = f"{address} gets no alarms of {topics['ap-northeast-1']} yet: confirm the mail that AWS has sent there."
    assert [words for words in said if "alarms" in words] == [told, told]
    assert said[-1] == told

    def refuse(TopicArn: str) -> list[dict[str, Any]]:
        raise ClientError({"Error": {"Code": "AuthorizationError"}}, "ListSubscriptionsByTopic")

    said.clear()
    monkeypatch.setattr(
        Deployment,
        "_client",
        lambda self, service, region=None: (
            SimpleNamespace(get_paginator=lambda name: SimpleNamespace(paginate=refuse))
            if service == "sns"
            else before(self, service, region)
        ),
    )
    deployment.deploy("arm64", combine.COLD)
    assert not [words for words in said if "alarms" in words]


def test_destroying_takes_the_data_along_but_in_prod(session: boto3.Session, done: list[Any]) -> None:
    dynamodb, s3 = session.client("dynamodb"), session.client("s3")
    dynamodb.create_table(
        TableName="engawa-dev-appdata",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        # As that of a stage which was restored from prod.
        DeletionProtectionEnabled=True,
    )
    _bucket(s3, "engawa-dev-123456789012")
    enabled: Any = {"Status": "Enabled"}
    s3.put_object(Bucket="engawa-dev-123456789012", Key="images/of-a-time-before-versions", Body=b"")
    s3.put_bucket_versioning(Bucket="engawa-dev-123456789012", VersioningConfiguration=enabled)
    for key in ("images/one", "images/one", "images/two"):
        s3.put_object(Bucket="engawa-dev-123456789012", Key=key, Body=b"")
    s3.delete_object(Bucket="engawa-dev-123456789012", Key="images/two")
    keys.ensure(session.client("secretsmanager"), "dev")

    Deployment("prod", session, say=lambda words: None).destroy()
    assert dynamodb.list_tables()["TableNames"] == ["engawa-dev-appdata"]
    for _ in range(2):  # Twice, as after an interrupted run.
        Deployment("dev", session, say=lambda words: None).destroy()

    assert (dynamodb.list_tables()["TableNames"], s3.list_buckets()["Buckets"]) == ([], [])
    assert session.client("secretsmanager").list_secrets()["SecretList"] == []
    assert done == [(name, "deleted") for name in ("edge", "main", "data", "global")] * 3


def test_data_whose_stack_an_earlier_run_has_deleted_are_deleted_by_their_names(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deployment, "_stack", lambda self: Stacks("main", [], []))
    monkeypatch.setattr(Deployment, "_global_stack", lambda self: Stacks("global", [], []))
    stack.create(session.client("dynamodb"), session.client("s3"), session.client("sqs"), "dev")
    _bucket(session.client("s3"), "engawa-dev-123456789012")
    session.client("logs").create_log_group(logGroupName="/aws/lambda/engawa-dev")

    Deployment("dev", session, say=lambda words: None).destroy()

    assert session.client("dynamodb").list_tables()["TableNames"] == []
    # local/stack.py makes the bucket of another account's name.
    assert [each["Name"] for each in session.client("s3").list_buckets()["Buckets"]] == ["engawa-dev-000000000000"]
    assert session.client("logs").describe_log_groups()["logGroups"] == []


def test_the_bucket_of_a_copy_is_there_before_images_are_replicated_to_it_and_tables_before_their_replicas(
    session: boto3.Session, done: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "copy.yaml").write_text((combine.INFRA / "copy.yaml").read_text())
    monkeypatch.setattr(Deployment, "_copy_stack", lambda self: Stacks("copy", done, []))
    for kind in ("tables", "secrets"):
        monkeypatch.setattr(region_copy, kind, lambda *asked, kind=kind: done.append((kind,)))

    Deployment("dev", session, {"CopyRegion": "ap-northeast-3"}, say=lambda words: None).deploy("arm64", combine.COLD)

    assert [each[0] for each in done] == ["global", "copy", "main", "tables", "secrets", "edge"]
    assert done[1][2] == {"Stage": "dev"}


@pytest.fixture
def without_tables(done: list[Any], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The same, without a whole stack."""
    monkeypatch.setattr(Deployment, "_stack", lambda self: Stacks("main", done, [], None))
    return done


def test_preparing_makes_the_data_stack_and_the_keys(session: boto3.Session, without_tables: list[Any]) -> None:
    said: list[str] = []

    for _ in range(2):
        Deployment("dev", session, {"Encryption": "kms"}, said.append).prepare()

    name, template, given = without_tables[0]
    assert (name, given) == ("data", {"Encryption": "kms", "Stage": "dev"})
    # CloudFormation's limit for a template that is sent as such.
    assert len(template["TemplateBody"].encode()) <= 51_200
    assert said == [f"Created the secret {keys.secret('dev', name)}." for name in keys.FRESH]


def test_what_a_whole_stack_has_is_not_prepared(session: boto3.Session, done: list[Any]) -> None:
    with pytest.raises(Refused, match="The stack engawa-dev has the tables and the functions of dev: make deploy"):
        Deployment("dev", session).prepare()
    with pytest.raises(Refused, match="The stack engawa-dev has the tables and the functions of dev: make deploy"):
        Deployment("dev", session).deploy_by_chalice("arm64")

    assert done == []
    assert session.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_bucket_name_that_is_taken_is_said_before_anything_is_made(
    session: boto3.Session, without_tables: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "taken_by_another", lambda s3, bucket: True)

    with pytest.raises(Refused, match="The bucket name engawa-dev-123456789012 is already taken"):
        Deployment("dev", session).prepare()

    assert without_tables == []


def test_a_whole_stack_does_not_take_the_tables_of_the_data_stack(
    session: boto3.Session, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deployment, "_data_stack", lambda self: Stacks("data", done, []))

    with pytest.raises(Refused, match="The stack engawa-dev-data has the tables of dev"):
        Deployment("dev", session).deploy("arm64", combine.COLD)

    assert done == []


@pytest.mark.parametrize("issuer", ["https://mixi.example", None])
def test_by_chalice_what_is_missing_is_prepared(
    session: boto3.Session, without_tables: list[Any], monkeypatch: pytest.MonkeyPatch, issuer: str | None
) -> None:
    variables = {"ENGAWA_BUCKET": "b"} | ({"ENGAWA_ISSUER": issuer} if issuer else {})
    config = SimpleNamespace(
        config_from_disk={"stages": {"dev": {"environment_variables": variables}}}, api_gateway_stage="api"
    )

    def by_chalice(self: Deployment, factory: Any, config: Any) -> dict[str, str]:
        assert variables["ENGAWA_BUCKET"] == "engawa-dev-123456789012"
        assert len(session.client("secretsmanager").list_secrets()["SecretList"]) == len(keys.FRESH)
        return {"rest_api_id": "abc", "rest_api_url": "https://abc.example/api/"}

    put: list[tuple[str, str]] = []

    def put_responses(client: Any, api: str, stage: str) -> int:
        put.append((api, stage))
        return 14

    monkeypatch.setattr(packaging, "chalice", lambda stage, architecture, app: nullcontext((None, config)))
    monkeypatch.setattr(Deployment, "_by_chalice", by_chalice)
    monkeypatch.setattr(responses, "put", put_responses)

    base = Deployment("dev", session, say=lambda words: None).deploy_by_chalice("arm64")

    assert base == (issuer or "https://abc.example/api")
    assert [name for name, *_ in without_tables] == ["data"]
    assert put == [("abc", "api")]
