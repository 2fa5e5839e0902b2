"""The deployment of a stage: `make deploy` and `make destroy`, and `chalice deploy` for the functions alone."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, NoRegionError

from infra import combine, keys, packaging, parameters, places, responses, restore
from infra.refusals import Refused, in_a_sentence
from infra.stacks import Stack

GLOBAL_REGION = "us-east-1"
_HELD_BY_TYPE = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup")


class Deployment:
    """One stage of one account. Raises Refused if the stage or one of its parameters is unknown."""

    def __init__(
        self,
        stage: str,
        session: boto3.Session | None = None,
        chosen: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
        front: str = combine.REST,
    ) -> None:
        self.stage = packaging.checked_stage(stage)
        self.front = packaging.checked_front(front)
        self._session = session or boto3.Session()
        self._say = say
        self.parameters = parameters.of(stage, chosen or {}, front)

    @cached_property
    def account(self) -> str:
        """The account's id. Fails without a region or credentials."""
        if not self._session.region_name:
            raise NoRegionError
        return str(self._client("sts").get_caller_identity()["Account"])

    @property
    def region(self) -> str:
        """The region of all resources, except those that CloudFront requires in us-east-1."""
        return str(self._session.region_name)

    def deploy(self, architecture: str, warm: str, deploy_bucket: str | None = None) -> dict[str, str]:
        """Create or update the whole stage; return the outputs of the stack. Raises Refused."""
        with in_a_sentence():
            bucket = deploy_bucket or f"engawa-deploy-{self.account}-{self.region}"
            s3 = self._client("s3")
            if places.taken_by_another(s3, f"engawa-{self.stage}-{self.account}"):
                raise Refused(f"The bucket name engawa-{self.stage}-{self.account} is already taken.")
            self._refuse_data_stack()
            self._stack().make_ready()
            out = packaging.package(self.stage, architecture, warm, self.front)
            self._ensure_keys()
            given = self.parameters | self._deploy_global(out / "global.yaml")
            places.ensure_bucket(s3, bucket, self.region)
            code = places.upload(s3, bucket, out / "deployment.zip", self.stage)
            path = out / "sam.yaml"
            template = yaml.safe_load(path.read_text(encoding="utf-8"))
            for resource in template["Resources"].values():
                if resource["Type"] == "AWS::Serverless::Function":
                    resource["Properties"]["CodeUri"] = f"s3://{bucket}/{code}"
            combine.name(template, self.stage, self.account)
            known = {name: value for name, value in given.items() if name in template["Parameters"]}
            if self.front == combine.REST:
                known["GatewayLogs"] = self._gateway_logs()
            if known.get("OldProxyKey"):
                template = combine.read_key_again(template)
            needs_own = self.front == combine.URL and not (known.get("Domain") or known.get("Issuer"))
            own = self._stack().outputs().get("DistributionDomain")
            if needs_own and own:
                known["OwnDomain"] = own
            outputs = self._apply(template, known, warm, bucket, path)
            if needs_own and not own:
                self._say("CloudFront's name is known now; the functions get it as their issuer.")
                outputs = self._apply(
                    template, known | {"OwnDomain": outputs["DistributionDomain"]}, warm, bucket, path
                )
            if warm != combine.COLD:
                self._drop_old_versions()
            return outputs

    def _apply(
        self, template: combine.Template, known: Mapping[str, str], warm: str, bucket: str, path: Path
    ) -> dict[str, str]:
        """Create or update the main stack; return its outputs. `path`: where the template is kept."""
        made = copy.deepcopy(template)
        if warm != combine.COLD:
            combine.renew(made, known)
        path.write_text(yaml.safe_dump(made, sort_keys=False, allow_unicode=True), encoding="utf-8")
        s3 = self._client("s3")
        key = places.upload(s3, bucket, path, self.stage)
        stack = self._stack()
        url = f"{s3.meta.endpoint_url}/{bucket}/{key}"
        stack.apply({"TemplateURL": url}, known, {"engawa": self.stage})
        return stack.outputs()

    def prepare(self) -> None:
        """Create what the functions need: tables, bucket, queues and keys, those that are missing.

        Raises Refused if the whole stack exists.
        """
        with in_a_sentence():
            if self.account and self._stack().status() is not None:
                raise Refused(
                    f"The stack engawa-{self.stage} has the tables and the functions of {self.stage}: "
                    f"make deploy STAGE={self.stage}, without BY=chalice, keeps all of them up to date."
                )
            bucket = f"engawa-{self.stage}-{self.account}"
            if places.taken_by_another(self._client("s3"), bucket):
                raise Refused(f"The bucket name {bucket} is already taken.")
            body = (combine.INFRA / "data.yaml").read_text(encoding="utf-8")
            declared = yaml.safe_load(body)["Parameters"]
            given = {name: value for name, value in self.parameters.items() if name in declared}
            self._data_stack().apply({"TemplateBody": body}, given, {"engawa": self.stage})
            self._ensure_keys()

    def deploy_by_chalice(self, architecture: str) -> str:
        """Deploy the functions and the API by Chalice itself; return the base URL. Raises Refused."""
        if self.front != combine.REST:
            raise Refused("BY=chalice makes an API of API Gateway alone; FRONT=url needs the whole stack.")
        with in_a_sentence():
            self.prepare()
            bucket = f"engawa-{self.stage}-{self.account}"
            with packaging.chalice(self.stage, architecture) as (factory, config):
                variables = config.config_from_disk["stages"][self.stage]["environment_variables"]
                variables["ENGAWA_BUCKET"] = bucket
                deployed = self._by_chalice(factory, config)
                stage = config.api_gateway_stage
            changed = responses.put(self._client("apigateway"), deployed["rest_api_id"], stage)
            self._say(f"Gateway responses: {changed} restored.")
            return str(variables.get("ENGAWA_ISSUER") or deployed["rest_api_url"].rstrip("/"))

    def destroy(self) -> None:
        """Delete the stacks and, except in prod, also the data, the logs and the keys. Raises Refused."""
        with in_a_sentence():
            if self.account and self._stack().status() is None:
                self._say(f"There is no stack engawa-{self.stage}.")
            stacks = (self._stack(), self._data_stack())
            held = [each for stack in stacks for each in stack.resources() if each[0] in _HELD_BY_TYPE]
            for stack in stacks:
                stack.delete()
            if self.stage == "prod":
                self._say(
                    "Kept: tables, bucket, logs and keys of prod. make deploy STAGE=prod uses them again; "
                    "to delete them, do so by hand."
                )
            else:
                self._delete_held(held)
                keys.delete(self._client("secretsmanager"), self.stage)
            self._global_stack().delete()

    def restore_into(self, target: str, at: datetime | None = None) -> None:
        """Restore the tables as of a time and copy the keys, for a stage that is deployed later. Raises Refused."""
        with in_a_sentence():
            packaging.checked_stage(target)
            restore.tables(self._client("dynamodb"), self.stage, target, at, self._say)
            for name in keys.copy(self.keys(), self.stage, target):
                self._say(f"Copied the secret {keys.secret(target, name)}.")

    def seal_anew(self) -> int:
        """Seal the secrets of all apps with the newest of the secret-keys; return their number. Raises Refused."""
        with in_a_sentence():
            os.environ.update(packaging.stages()[self.stage]["environment_variables"])
            os.environ["AWS_DEFAULT_REGION"] = self.region
            from chalicelib.bootstrap import platform

            return platform().apps.seal_anew()

    def keys(self) -> Any:
        """Return the client of Secrets Manager, which stores the keys."""
        return self._client("secretsmanager")

    def _client(self, service: str, region: str | None = None) -> Any:
        return self._session.client(service, region_name=region)  # type: ignore[call-overload]

    def _stack(self) -> Stack:
        return Stack(self._client("cloudformation"), f"engawa-{self.stage}", self._say)

    def _data_stack(self) -> Stack:
        """The stack of `prepare`."""
        return Stack(self._client("cloudformation"), f"engawa-{self.stage}-data", self._say)

    def _refuse_data_stack(self) -> None:
        """Raise Refused if `prepare` has made the tables, since a table belongs to one stack at most."""
        name = f"engawa-{self.stage}-data"
        if self._data_stack().status() is not None:
            raise Refused(
                f"The stack {name} has the tables of {self.stage}. To use the whole stack instead, run "
                f".venv/bin/chalice delete --stage {self.stage} and aws cloudformation delete-stack --stack-name "
                f"{name}; tables, bucket and keys stay, and this command then adopts them."
            )

    def _global_stack(self) -> Stack:
        return Stack(self._client("cloudformation", GLOBAL_REGION), f"engawa-{self.stage}-global", self._say)

    def _ensure_keys(self) -> None:
        for name in keys.ensure(self._client("secretsmanager"), self.stage):
            self._say(f"Created the secret {keys.secret(self.stage, name)}.")

    def _deploy_global(self, path: Any) -> dict[str, str]:
        """Deploy the small stack in us-east-1; return those of its outputs that the main stack needs."""
        body = path.read_text(encoding="utf-8")
        known = yaml.safe_load(body)["Parameters"]
        given = {name: value for name, value in self.parameters.items() if name in known}
        stack = self._global_stack()
        stack.apply({"TemplateBody": body}, given, {"engawa": self.stage})
        # The operator's own certificate takes precedence.
        return {key: value for key, value in stack.outputs().items() if not self.parameters.get(key)}

    def _gateway_logs(self) -> str:
        """Return "no" if the account already has another role for API Gateway's logs, otherwise "yes".

        With "yes" the stack has or creates the role.
        """
        if any(kind == "AWS::ApiGateway::Account" for kind, _ in self._stack().resources()):
            return "yes"
        return "no" if self._client("apigateway").get_account().get("cloudwatchRoleArn") else "yes"

    def _by_chalice(self, factory: Any, config: Any) -> dict[str, Any]:
        from chalice.deploy.deployer import ChaliceDeploymentError
        from chalice.utils import UI

        session = factory.create_botocore_session()
        deployer = factory.create_default_deployer(session=session, config=config, ui=UI())
        try:
            deployed = deployer.deploy(config, chalice_stage_name=self.stage)
        except ChaliceDeploymentError as error:
            raise Refused(f"Chalice cannot deploy: {' '.join(str(error).split())}") from None
        api: dict[str, Any] = next(each for each in deployed["resources"] if each["resource_type"] == "rest_api")
        return api

    def _drop_old_versions(self, keep: int = 2) -> None:
        """Delete old function versions that the alias does not use. A stack retains them, and SnapStart bills each."""
        client, function = self._client("lambda"), f"engawa-{self.stage}"
        live = client.get_alias(FunctionName=function, Name=combine.ALIAS)["FunctionVersion"]
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        versions = [each["Version"] for page in pages for each in page["Versions"] if each["Version"] != "$LATEST"]
        for version in sorted(versions, key=int)[:-keep]:
            if version != live:
                client.delete_function(FunctionName=function, Qualifier=version)

    def _delete_held(self, held: list[tuple[str, str]]) -> None:
        """Delete the resources that a deleted stack has retained. Resources that no longer exist are skipped."""
        for kind, name in held:
            self._say(f"Deleting {name} ...")
            with _passing_over("ResourceNotFoundException", "NoSuchBucket"):
                if kind == "AWS::DynamoDB::Table":
                    self._client("dynamodb").delete_table(TableName=name)
                elif kind == "AWS::Logs::LogGroup":
                    self._client("logs").delete_log_group(logGroupName=name)
                else:
                    bucket = self._session.resource("s3").Bucket(name)
                    bucket.objects.all().delete()
                    bucket.delete()


@contextmanager
def _passing_over(*codes: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def from_environment(stage: str) -> Deployment:
    """Return the deployment that the environment describes: AWS_PROFILE and similar, FRONT and PARAMETERS."""
    with in_a_sentence():
        front = os.environ.get("FRONT") or combine.REST
        return Deployment(stage, chosen=parameters.chosen(os.environ.get("PARAMETERS", "")), front=front)
