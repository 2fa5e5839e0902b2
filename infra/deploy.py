"""The deployment of a stage: `make deploy` and `make destroy`, and `chalice deploy` for the functions alone."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, NoRegionError

from infra import (
    combine,
    images,
    keys,
    packaging,
    places,
    region_copy,
    releases,
    responses,
    restore,
    rollout,
    stage_settings,
)
from infra.refusals import Refused, in_a_sentence
from infra.stacks import Stack

GLOBAL_REGION = "us-east-1"
_HELD_BY_TYPE = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup")


class Deployment:
    """One stage of one account. Raises Refused if the stage is unknown or one of its settings is wrong.

    `chosen` parameters and `front` take precedence over those of engawa.toml and the environment.
    """

    def __init__(
        self,
        stage: str,
        session: boto3.Session | None = None,
        chosen: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
        front: str | None = None,
    ) -> None:
        self.settings = stage_settings.read(stage, chosen, front)
        self.stage = stage
        self.front = self.settings.front
        self._session = session or boto3.Session(region_name=self.settings.region)
        self._say = say
        self.parameters = {**self.settings.parameters, "Stage": stage}

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

    def deploy(self, architecture: str, warm: str) -> dict[str, str]:
        """Create or update the whole stage; return the outputs of the stack. Raises Refused."""
        with in_a_sentence():
            self._say_if_alarms_reach_nobody()
            bucket = self._deploy_bucket
            s3 = self._client("s3")
            if places.taken_by_another(s3, f"engawa-{self.stage}-{self.account}"):
                raise Refused(f"The bucket name engawa-{self.stage}-{self.account} is already taken.")
            self._refuse_data_stack()
            self._stack().make_ready()
            out = packaging.package(self.stage, architecture, warm, self.front, self.settings.app)
            self._ensure_keys()
            given = self.parameters | self._deploy_global(out / "global.yaml")
            self._deploy_copy(out / "copy.yaml")
            places.ensure_bucket(s3, bucket, self.region)
            code = places.upload(s3, bucket, out / "deployment.zip", self.stage)
            path = out / "sam.yaml"
            template = yaml.safe_load(path.read_text(encoding="utf-8"))
            for resource in template["Resources"].values():
                if resource["Type"] == "AWS::Serverless::Function":
                    resource["Properties"]["CodeUri"] = f"s3://{bucket}/{code}"
            combine.name(template, self.stage, self.account)
            given["Commit"] = releases.commit()
            known = {name: value for name, value in given.items() if name in template["Parameters"]}
            if self.front == combine.REST:
                known["GatewayLogs"] = self._gateway_logs()
            if known.get("OldProxyKey"):
                template = combine.read_key_again(template)
            needs_own = self.front == combine.URL and not (known.get("Domain") or known.get("Issuer"))
            own = self._stack().outputs().get("DistributionDomain")
            if needs_own and own:
                known["OwnDomain"] = own
            release = self._apply(template, known, bucket, path)
            if needs_own and not own:
                self._say("CloudFront's name is known now; the functions get it as their issuer.")
                known = known | {"OwnDomain": self._stack().outputs()["DistributionDomain"]}
                release = self._apply(template, known, bucket, path)
            outputs = self._released(release, bucket)
            self._copy_tables_and_keys()
            self._watch_the_edge(out / "edge_watch.yaml", outputs)
            self._say_if_alarms_reach_nobody()
            return outputs

    def roll_back(self, to: str | None) -> dict[str, str]:
        """Apply the template and the parameters of an earlier release again, at once; return the stack's outputs.

        `to`: the time of the release; by default the one before the present one. Data and keys do not change. Raises
        Refused.
        """
        with in_a_sentence():
            bucket, s3 = self._deploy_bucket, self._client("s3")
            release = releases.before(releases.newest(s3, bucket, self.stage), to)
            self._say(f"Going back to {release.version} ({release.commit}), released {release.origin} ...")
            # At once, since the alarms of the present version may ring.
            known = dict(release.parameters) | {"Rollout": combine.AT_ONCE}
            self._bring_to(release, known, bucket)
            return self._released(releases.repeated(release), bucket)

    def list_releases(self) -> list[releases.Release]:
        """Return the newest releases, the newest first. Raises Refused."""
        with in_a_sentence():
            return releases.newest(self._client("s3"), self._deploy_bucket, self.stage)

    @property
    def _deploy_bucket(self) -> str:
        """The name of the bucket of deployments."""
        return self.settings.deploy_bucket or f"engawa-deploy-{self.account}-{self.region}"

    def _apply(self, template: combine.Template, known: Mapping[str, str], bucket: str, path: Path) -> releases.Release:
        """Create or update the main stack; return what it is now. `path`: where the template is kept."""
        made = copy.deepcopy(template)
        combine.renew(made, known)
        path.write_text(yaml.safe_dump(made, sort_keys=False, allow_unicode=True), encoding="utf-8")
        release = releases.new(places.upload(self._client("s3"), bucket, path, self.stage), known)
        self._bring_to(release, known, bucket)
        return release

    def _bring_to(self, release: releases.Release, known: Mapping[str, str], bucket: str) -> None:
        """Change the main stack to a release, with all parameters in `known`."""
        stack = self._stack()
        url = f"{self._client('s3').meta.endpoint_url}/{bucket}/{release.template}"
        base_url = stack.outputs().get("BaseUrl")
        meanwhile = rollout.requests_to(base_url) if base_url else lambda: None
        stack.apply({"TemplateURL": url}, known, {"engawa": self.stage}, meanwhile)

    def _released(self, release: releases.Release, bucket: str) -> dict[str, str]:
        """Store a release, unless it is the newest already, and return the outputs of the stack."""
        releases.keep(self._client("s3"), bucket, self.stage, release)
        self._drop_old_versions()
        return self._stack().outputs()

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
            # There is no stack in another region for a copy.
            declared = yaml.safe_load(body)["Parameters"].keys() - {"CopyRegion"}
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
            with packaging.chalice(self.stage, architecture, self.settings.app) as (factory, config):
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
            held = self._held()
            for stack in (self._edge_watch_stack(), self._stack(), self._data_stack()):
                stack.delete()
            if self.stage == "prod":
                self._say(
                    "Kept: tables, bucket, logs and keys of prod. make deploy STAGE=prod uses them again; "
                    "to delete them, do so by hand."
                )
            else:
                if self.copy_region:
                    self._delete_copy()
                self._delete_held(held)
                keys.delete(self._client("secretsmanager"), self.stage)
            self._global_stack().delete()
            releases.forget(self._client("s3"), self._deploy_bucket, self.stage)

    def restore_into(self, target: str, at: datetime | None = None) -> None:
        """Restore the tables as of a time and copy the keys, for a stage that is deployed later; then the images.

        The images follow in the first run after that deployment, which makes their bucket. In `CopyRegion` everything
        is read from the copy. Raises Refused.
        """
        with in_a_sentence():
            stage_settings.checked_stage(target)
            if target == self.stage:
                raise Refused(f"{target} cannot be restored into itself; restore it into another stage.")
            moment = restore.tables(self._client("dynamodb"), self.stage, target, at, self._say)
            for name in keys.copy(self.keys(), self.stage, target):
                self._say(f"Copied the secret {keys.secret(target, name)}.")
            s3, bucket = self._session.client("s3", config=images.CONFIG), f"engawa-{target}-{self.account}"
            if places.exists(s3, bucket):
                images.copy(s3, self._images(), bucket, moment, self._say)
            else:
                self._say(f"The images follow: make deploy STAGE={target}, then run this command again.")

    def restore_images(self, at: datetime) -> None:
        """Restore deleted images of a time in place: from old versions, then from the copy. Raises Refused."""
        with in_a_sentence():
            s3 = self._session.client("s3", config=images.CONFIG)
            if not places.exists(s3, self.files_bucket):
                raise Refused(f"There is no bucket {self.files_bucket}: restore {self.stage} into another stage.")
            for source in (self.files_bucket, *([self._copy_bucket] if self.copy_region else [])):
                images.copy(s3, source, self.files_bucket, at, self._say)

    def complete_copy(self) -> None:
        """Complete the copy in `CopyRegion`, also by the images that are older than the copy. Raises Refused."""
        with in_a_sentence():
            if not self.copy_region:
                raise Refused(f"{self.stage} has no copy: set CopyRegion, and deploy it.")
            self._copy_tables_and_keys()
            s3 = self._session.client("s3", region_name=self.copy_region, config=images.CONFIG)
            images.copy(s3, self.files_bucket, self._copy_bucket, datetime.now(UTC), self._say)

    def drop_copy(self) -> None:
        """Delete the copy in `CopyRegion`, with all its data. Raises Refused."""
        with in_a_sentence():
            if not self.copy_region:
                raise Refused(f"{self.stage} has no copy: name its region, as in PARAMETERS=CopyRegion=ap-northeast-3.")
            if self._stack().outputs().get("CopyRegion") == self.copy_region:
                raise Refused(f"{self.stage} still copies to {self.copy_region}: deploy it without CopyRegion first.")
            region_copy.drop_secrets(self.keys(), self.stage, self.copy_region)
            self._delete_copy()

    def forget_images(self) -> None:
        """Delete all old versions of images for good, also those of the copy. Raises Refused."""
        with in_a_sentence():
            regions = {self.files_bucket: self.region} | (
                {self._copy_bucket: self.copy_region} if self.copy_region else {}
            )
            for bucket, region in regions.items():
                self._say(f"{bucket}: {images.forget(self._client('s3', region), bucket):,} old versions deleted.")

    def seal_anew(self) -> int:
        """Seal the secrets of all apps with the newest of the secret-keys; return their number. Raises Refused."""
        with in_a_sentence():
            config = packaging.configuration(self.stage, self.settings.app)
            os.environ.update(config["stages"][self.stage]["environment_variables"])
            os.environ["AWS_DEFAULT_REGION"] = self.region
            from chalicelib.bootstrap import platform

            return platform().apps.seal_anew()

    def keys(self) -> Any:
        """Return the client of Secrets Manager, which stores the keys."""
        return self._client("secretsmanager")

    @property
    def files_bucket(self) -> str:
        """The stage's bucket."""
        return f"engawa-{self.stage}-{self.account}"

    @property
    def copy_region(self) -> str:
        """The region of the stage's copy, or an empty text."""
        return self.parameters.get("CopyRegion", "")

    @property
    def _copy_bucket(self) -> str:
        return f"{self.files_bucket}-copy"

    def _images(self) -> str:
        """Return the bucket from which images are restored: the copy, if the other is in a lost region or deleted."""
        if self.copy_region and (
            self.region == self.copy_region or not places.exists(self._client("s3"), self.files_bucket)
        ):
            return self._copy_bucket
        return self.files_bucket

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

    def _edge_watch_stack(self) -> Stack:
        return Stack(self._client("cloudformation", GLOBAL_REGION), f"engawa-{self.stage}-edge-alarms", self._say)

    def _watch_the_edge(self, path: Path, outputs: Mapping[str, str]) -> None:
        """Deploy the alarms over CloudFront, which only full monitoring has. `outputs` are those of the main stack."""
        stack = self._edge_watch_stack()
        if self.parameters.get("Monitoring") != "full":
            stack.delete()
            return
        body = path.read_text(encoding="utf-8")
        given = self.parameters | {"Distribution": outputs["DistributionId"]}
        known = {name: value for name, value in given.items() if name in yaml.safe_load(body)["Parameters"]}
        stack.apply({"TemplateBody": body}, known, {"engawa": self.stage})

    def _say_if_alarms_reach_nobody(self) -> None:
        """Say if there is no address for alarms, or one whose owner has not confirmed the subscription."""
        address = self.parameters.get("AlarmEmail")
        if not address:
            if self.stage == "prod" or self.parameters.get("Monitoring") == "full":
                self._say(
                    f"Nobody gets the alarms of {self.stage}: there is no AlarmEmail. Set it in infra/parameters.yaml, "
                    "or with PARAMETERS=AlarmEmail=operator@example.com."
                )
            return
        for stack, region in ((self._stack(), self.region), (self._edge_watch_stack(), GLOBAL_REGION)):
            topic = stack.outputs().get("AlarmsTopic")
            if topic and self._is_pending(topic, region, address):
                self._say(f"{address} gets no alarms of {topic} yet: confirm the mail that AWS has sent there.")

    def _is_pending(self, topic: str, region: str, address: str) -> bool:
        """Return whether an address has not confirmed its subscription to a topic; False if that cannot be asked."""
        with _passing_over("AuthorizationError", "AuthorizationErrorException", "AccessDenied", "NotFound"):
            pages = self._client("sns", region).get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            return any(
                each["Endpoint"] == address and each["SubscriptionArn"] == "PendingConfirmation"
                for page in pages
                for each in page["Subscriptions"]
            )
        return False

    def _copy_stack(self) -> Stack:
        client = self._client("cloudformation", self.copy_region)
        return Stack(client, f"engawa-{self.stage}-copy", self._say)

    def _deploy_copy(self, path: Path) -> None:
        """Deploy the stack of the copy in another region, if there is to be one. Raises Refused."""
        if not self.copy_region:
            return
        if self.copy_region == self.region:
            raise Refused(f"CopyRegion must be another region than {self.region}, in which {self.stage} is.")
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
        combine.name(template, self.stage, self.account)
        body = yaml.safe_dump(template, sort_keys=False)
        if self._copy_stack().apply({"TemplateBody": body}, {"Stage": self.stage}, {"engawa": self.stage}):
            self._say(f"Older images are copied once by: .venv/bin/python -m infra copy {self.stage}")

    def _copy_tables_and_keys(self) -> None:
        if self.copy_region:
            here, there = self._client("dynamodb"), self._client("dynamodb", self.copy_region)
            region_copy.tables(here, there, self.stage, self._say)
            region_copy.secrets(self.keys(), self.stage, self.copy_region, self._say)

    def _delete_copy(self) -> None:
        """Delete the tables and the bucket of the copy; its secrets are deleted with their originals."""
        here, there = self._client("dynamodb"), self._client("dynamodb", self.copy_region)
        region_copy.drop_tables(here, there, self.stage, self._say)
        self._copy_stack().delete()
        self._delete_bucket(self._copy_bucket, self.copy_region)

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

    def _held(self) -> list[tuple[str, str]]:
        """Return the kinds and names of the resources that outlive the stack; by their names if the stack is gone.

        An earlier run may have deleted the stack and failed then.
        """
        stacks = (self._stack(), self._data_stack())
        found = [each for stack in stacks for each in stack.resources()] or combine.named(self.stage, self.account)
        return [(kind, name) for kind, name in found if kind in _HELD_BY_TYPE]

    def _delete_held(self, held: list[tuple[str, str]]) -> None:
        """Delete the resources that a deleted stack has retained. Resources that no longer exist are skipped."""
        for kind, name in held:
            self._say(f"Deleting {name} ...")
            with _passing_over("ResourceNotFoundException", "NoSuchBucket"):
                if kind == "AWS::DynamoDB::Table":
                    client = self._client("dynamodb")
                    # A stage that was restored from prod has its protection.
                    restore.protect(client, name, False)
                    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=restore.WAIT)
                    client.delete_table(TableName=name)
                elif kind == "AWS::Logs::LogGroup":
                    self._client("logs").delete_log_group(logGroupName=name)
                else:
                    self._delete_bucket(name, self.region)

    def _delete_bucket(self, name: str, region: str) -> None:
        """Delete a bucket with all versions and delete markers, if it exists."""
        with _passing_over("NoSuchBucket"):
            bucket = self._session.resource("s3", region_name=region).Bucket(name)
            bucket.object_versions.all().delete()
            bucket.delete()


@contextmanager
def _passing_over(*codes: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise


def from_environment(stage: str, target: str | None = None) -> Deployment:
    """Return the deployment that engawa.toml and the environment describe, with AWS_PROFILE and similar.

    It works in the region of `target`, the stage that `stage` is restored into, if that is given.
    """
    with in_a_sentence():
        regions = [stage_settings.read(each).region for each in (stage, target) if each]
        if region := regions[-1]:
            # Chalice and the app make sessions of their own.
            os.environ["AWS_DEFAULT_REGION"] = region
        return Deployment(stage, boto3.Session(region_name=region))
