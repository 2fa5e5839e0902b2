"""The stacks of `make deploy`, created and served by ministack, an emulator of AWS.

ministack runs the functions unchanged (the zip, in processes of its Python), behind its API Gateway, SQS and
EventBridge. It lacks some work of CloudFormation and API Gateway, which `_as_read` does on each template before the
change set: SAM's transform, by AWS's own aws-sam-translator; the parts of an API's definition besides its paths; and
the account's id in policies, since variables are not supported. Left out are alarms over several metrics, the
statements that allow access to the bucket and the queues over TLS only, and CodeDeploy: an alias gets its new version
at once, or, if `alarm_rings` in a rollout by steps, not at all, which ends the update as CodeDeploy ends it.

Backups: it says of no table that it was restored (`_summarized`), and its CloudFormation sets up no replication of a
bucket (`replicate_images`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
import yaml
from samtranslator.translator.transform import transform

from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from infra import bundle, combine, packaging, responses, stacks
from infra.deploy import Deployment
from infra.stage import GLOBAL_REGION
from local.environment import free_port
from local.gateway import Answer, Request
from tests.kit.deployed import architecture
from tests.kit.served import ROOT, await_answers

SERVICES = (
    "acm,apigateway,cloudformation,cloudfront,dynamodb,events,iam,lambda,logs,monitoring,route53,s3,secretsmanager,sns,"
    "sqs,sts,wafv2"
)
PYTHON = ROOT / ".local" / "emulator-venv" / "bin" / "python"
ACCOUNT, REGION, COPY_REGION = "000000000000", "ap-northeast-1", "ap-northeast-3"
BINARY = "x-amazon-apigateway-binary-media-types"
_STOP_SECONDS = 30


class Emulated:
    """An AWS account in its own emulator.

    `said` is the output of the deployments. `left_out` names the resources of the last template that ministack cannot
    create. If `leaves_out` is false, they stay in the template, and the deployment fails.
    """

    def __init__(self, directory: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.said: list[str] = []
        self.leaves_out = True
        self.alarm_rings = False
        self.left_out: set[str] = set()
        self._log = directory / "emulator.log"
        bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [PYTHON, "-m", "local.emulator", self.url.rpartition(":")[2], directory, SERVICES],
                cwd=ROOT,
                # IAM checks the roles of the functions; the credentials below are those of the account's root user.
                env=bare | {"AUTH": "true"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._restores: dict[str, tuple[str, datetime]] = {}
        self.session = self._session(REGION)
        self._elsewhere = self._session(COPY_REGION)

    def _session(self, region: str) -> boto3.Session:
        session = boto3.Session("engawa", "engawa", region_name=region)
        events: Any = session.events
        events.register("provide-client-params.cloudformation.CreateChangeSet", self._as_read)
        events.register("provide-client-params.dynamodb.RestoreTableToPointInTime", self._restored)
        events.register("after-call.dynamodb.DescribeTable", self._summarized)
        return session

    def await_answers(self) -> None:
        """Wait until the emulator answers. If it does not, fail with the end of its log."""
        await_answers(self.url, self._process, self._log)

    def deploy(self, stage: str, front: str = combine.REST, **chosen: str) -> dict[str, str]:
        """Do what `make deploy STAGE=… FRONT=…` does with these parameters, and return the outputs of the stack."""
        self.said.clear()
        return self.deployment(stage, front, **chosen).deploy(architecture(), combine.COLD)

    def deployment(self, stage: str, front: str = combine.REST, **chosen: str) -> Deployment:
        """Return the deployment of a stage."""
        return Deployment(stage, self.session, chosen, self.said.append, front)

    def deployment_elsewhere(self, stage: str, **chosen: str) -> Deployment:
        """Return the deployment of a stage in the region of copies."""
        return Deployment(stage, self._elsewhere, chosen, self.said.append)

    def deploy_elsewhere(self, stage: str, **chosen: str) -> dict[str, str]:
        """Do the same as `deploy` in the region of copies."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_DEFAULT_REGION", COPY_REGION)
            return self.deployment_elsewhere(stage, **chosen).deploy(architecture(), combine.COLD)

    def aws(self, service: Any) -> Any:
        """Return a boto3 client."""
        return self.session.client(service)

    def base_url(self, outputs: dict[str, str]) -> str:
        """Return the base URL of a stack's API: its execute-api address, in the form that needs no DNS name."""
        return f"{self.url}/_aws/execute-api/{outputs['RestAPIId']}/api"

    def put_gateway_responses(self, outputs: dict[str, str]) -> int:
        """Put the definition's gateway responses, which ministack does not read; return how many were missing."""
        return responses.put(self.aws("apigateway"), outputs["RestAPIId"], "api")

    def by_cloudfront(self, outputs: dict[str, str], path: str) -> httpx.Response:
        """Return the response of a stack's distribution to a GET by https."""
        headers = {"Host": outputs["DistributionDomain"], "X-Forwarded-Proto": "https"}
        return httpx.get(self.url + path, headers=headers, timeout=30)

    def origins(self, outputs: dict[str, str]) -> list[dict[str, Any]]:
        """Return the origins of a stack's distribution."""
        said = self.aws("cloudfront").get_distribution_config(Id=outputs["DistributionId"])["DistributionConfig"]
        return list(said["Origins"]["Items"])

    def resources(self, stack: str, region: str = REGION) -> dict[str, str]:
        """Return the states of a stack's resources, by logical name."""
        client = self.session.client("cloudformation", region_name=region)
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
        every = [each for page in pages for each in page["StackResourceSummaries"]]
        return {each["LogicalResourceId"]: each["ResourceStatus"] for each in every}

    def stacks(self, prefix: str) -> list[str]:
        """Return the names with this prefix of the stacks in all regions."""
        found = []
        for region in (REGION, GLOBAL_REGION, COPY_REGION):
            client = self.session.client("cloudformation", region_name=region)
            pages = client.get_paginator("describe_stacks").paginate()
            found += [each["StackName"] for page in pages for each in page["Stacks"]]
        return [name for name in found if name.startswith(prefix)]

    def variables(self, function: str) -> dict[str, str]:
        """Return the environment variables of a function."""
        said = self.aws("lambda").get_function_configuration(FunctionName=function)
        return dict(said["Environment"]["Variables"])

    def live(self, function: str) -> str:
        """Return the version of a function that gets the requests."""
        return str(self.aws("lambda").get_alias(FunctionName=function, Name=combine.ALIAS)["FunctionVersion"])

    def role(self, function: str) -> str:
        """Return the name of a function's role."""
        said = self.aws("lambda").get_function_configuration(FunctionName=function)
        return str(said["Role"].rpartition("/")[2])

    def invoke(self, function: str, event: dict[str, Any]) -> str:
        """Invoke a function with an event, and return its result or its error as text."""
        answer = self.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return str(answer["Payload"].read().decode())

    def operator(self, stage: str, issuer: str) -> str:
        """Return an operator's token of a stage, as `python -m admin token` makes it."""
        return self.token(stage, issuer, None, "operator", "admin")

    def token(self, stage: str, issuer: str, viewer: str | None, app: str, *scopes: str) -> str:
        """Return an access token of a stage, signed with its keys."""
        kept = self.aws("secretsmanager").get_secret_value(SecretId=f"engawa-{stage}-token-keys")["SecretString"]
        return AccessTokens(TokenKeys(lambda: kept), issuer).issue(
            app=app, viewer=viewer, scopes=[*scopes], lifetime=900
        )

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        pages = self.aws("dynamodb").get_paginator("list_tables").paginate()
        return [name for page in pages for name in page["TableNames"]]

    def notes(self, stage: str) -> set[str]:
        """Return the ids of the cleanup notes."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=f"engawa-{stage}-feeds")
        return {item["sk"]["S"] for page in pages for item in page["Items"] if item["pk"]["S"] == "trash"}

    def waiting(self, queue: str) -> int:
        """Return the number of messages in a queue, including those in progress."""
        sqs, kinds = self.aws("sqs"), ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*kinds])["Attributes"]
        return sum(int(counts[kind]) for kind in kinds)

    def logged(self, group: str) -> str:
        """Return the end of a log group."""
        pages = self.aws("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return "\n".join(event["message"] for page in pages for event in page["events"])[-8000:]

    def keep_every_second(self, stage: str) -> None:
        """Enable point-in-time recovery: the templates do, but ministack's CloudFormation ignores it."""
        spec = {"PointInTimeRecoveryEnabled": True}
        for name in self.tables():
            if name.startswith(f"engawa-{stage}-"):
                self.aws("dynamodb").update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=spec)

    def replicate_images(self, stage: str) -> None:
        """Have the bucket replicated as the template says, which ministack's CloudFormation ignores."""
        [has, replication, _] = combine.merge_template()["Resources"]["Files"]["Properties"][
            "ReplicationConfiguration"
        ]["Fn::If"]
        assert has == "HasCopy"
        [rule] = replication["Rules"]
        bucket = rule["Destination"]["Bucket"]["Fn::Sub"]
        for name, value in {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "Stage": stage}.items():
            bucket = bucket.replace(f"${{{name}}}", value)
        rule = {**rule, "ID": rule["Id"], "Destination": {"Bucket": bucket}}
        del rule["Id"]
        said = self.aws("cloudformation").describe_stack_resource(
            StackName=f"engawa-{stage}", LogicalResourceId="CopyRole"
        )
        role = said["StackResourceDetail"]["PhysicalResourceId"]
        self.aws("s3").put_bucket_replication(
            Bucket=f"engawa-{stage}-{ACCOUNT}",
            ReplicationConfiguration={"Role": f"arn:aws:iam::{ACCOUNT}:role/{role}", "Rules": [rule]},
        )

    def _restored(self, params: dict[str, Any], **_: Any) -> None:
        self._restores[params["TargetTableName"]] = params["SourceTableName"], params["RestoreDateTime"]

    def _summarized(self, parsed: dict[str, Any], **_: Any) -> None:
        """Say of a restored table from which one and as of when, as DynamoDB does and ministack does not."""
        table = parsed.get("Table", {})
        if known := self._restores.get(table.get("TableName", "")):
            source, moment = known
            arn = f"{table['TableArn'].rpartition('/')[0]}/{source}"
            table["RestoreSummary"] = {"SourceTableArn": arn, "RestoreDateTime": moment, "RestoreInProgress": False}

    def as_another(self, account: str) -> Any:
        """Return an S3 client of another account."""
        return boto3.client("s3", region_name=REGION, aws_access_key_id=account, aws_secret_access_key="other")

    def stop(self) -> None:
        """Stop the emulator."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(_STOP_SECONDS)

    def _as_read(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "TemplateURL" not in params:
            small = yaml.safe_load(params["TemplateBody"])
            kept = {name: each for name, each in small["Resources"].items() if "Metrics" not in each["Properties"]}
            small["Resources"] = kept
            _without_tls(small)
            return {**params, "TemplateBody": yaml.safe_dump(small)}
        s3, (bucket, _, key) = self.aws("s3"), params["TemplateURL"].removeprefix(f"{self.url}/").partition("/")
        template = yaml.safe_load(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        # The loader is only needed for policies that are given by name; these templates have none.
        template = transform(template, {}, SimpleNamespace(load=dict))
        resources = template["Resources"]
        self.left_out = {name for name, each in resources.items() if "Metrics" in each.get("Properties", {})}
        for name in self.left_out if self.leaves_out else ():
            del resources[name]
        self._roll_out(resources, params, template)
        _without_tls(template)
        if "RestAPI" in resources:
            api = resources["RestAPI"]["Properties"]
            api["BinaryMediaTypes"] = api["Body"][BINARY]
        # ministack's IAM does not support variables in policies.
        text = json.dumps(template, default=str).replace("${aws:PrincipalAccount}", ACCOUNT)
        s3.put_object(Bucket=bucket, Key=f"{key}.read", Body=text.encode())
        # ministack's validation mistakes a bucket to be imported for a name that is taken.
        return {**params, "TemplateURL": f"{params['TemplateURL']}.read", "DisableValidation": True}

    def _roll_out(self, resources: dict[str, Any], params: dict[str, Any], template: dict[str, Any]) -> None:
        """Take CodeDeploy out of a template. If it would stop the rollout, make the update of the alias fail."""
        for name, each in list(resources.items()):
            if each["Type"].startswith("AWS::CodeDeploy::"):
                del resources[name]
        given = {each["ParameterKey"]: each["ParameterValue"] for each in params["Parameters"]}
        rollout = given.get("Rollout", template["Parameters"]["Rollout"]["Default"])
        alias = resources["APIHandlerAliaslive"]
        del alias["UpdatePolicy"]
        if self.alarm_rings and rollout == combine.STEPS:
            alias["Properties"]["RoutingConfig"] = {"AdditionalVersionWeights": [{}]}


def _without_tls(template: dict[str, Any]) -> None:
    """Remove the statements that allow access over TLS only: the emulator serves http."""
    for name in ("FilesPolicy", "CleaningPolicy", "CleaningDeadPolicy"):
        if name in template["Resources"]:
            policy = template["Resources"][name]["Properties"]["PolicyDocument"]
            policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != "OnlyTLS"]


class Viewer:
    """Serves a distribution of the emulator on 127.0.0.1, since its own name leads nowhere."""

    def __init__(self, account: Emulated, domain: str) -> None:
        self._account = account
        self._client = httpx.Client(timeout=60)
        self.domain = domain

    def handle(self, request: Request) -> Answer:
        """Return the distribution's response to a request by https."""
        own = {"host": self.domain, "x-forwarded-proto": "https"}
        headers = [(name, value) for name, value in request.headers if name.lower() not in own]
        sent = httpx.Request(
            request.method, self._account.url, headers=[*headers, *own.items()], content=request.body or None
        )
        sent.url = sent.url.copy_with(raw_path=request.target.encode("latin-1"))
        answer = self._client.send(sent, stream=True)
        # As it was sent: `content` would be unpacked.
        body = b"".join(answer.iter_raw())
        # The server takes Content-Length from a body, which it does not send for HEAD.
        size = int(answer.headers.get("Content-Length", "0")) if request.method == "HEAD" else 0
        return Answer(answer.status_code, answer.headers.multi_items(), body or b" " * size)


@contextmanager
def emulated(directory: Path, zip_path: Path) -> Iterator[Emulated]:
    """Start an account whose deployments use this zip, which was made for the emulator's Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "PYTHON", python_version())
        patch.setattr(bundle, "build", lambda made, *_: shutil.copyfile(zip_path, made))
        patch.setattr(packaging, "BUILD", directory / "build")
        patch.setattr(stacks, "_POLL_SECONDS", 0.2)
        account = Emulated(directory)
        patch.setenv("AWS_ENDPOINT_URL", account.url)
        # The transform has no session, so it reads the region from the environment.
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        try:
            account.await_answers()
            yield account
        finally:
            account.stop()


def python_version() -> str:
    """Return the version of the emulator's Python, which runs the functions: `3.13`."""
    asked = [str(PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
