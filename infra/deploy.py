"""The deployment of a stage: `make deploy` and `make destroy`, and `chalice deploy` for the functions alone."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import yaml

from infra import combine, keys, packaging, places, releases, responses, restore, rollout, stage_settings
from infra.recovery import Recovery
from infra.refusals import Refused, in_a_sentence
from infra.site import upload
from infra.stage import GLOBAL_REGION, passing_over

_HELD_BY_TYPE = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup")


class Deployment(Recovery):
    """The commands that make, change and delete a stage."""

    def deploy(self, architecture: str, warm: str) -> dict[str, str]:
        """Create or update the whole stage; return the outputs of the stack. Raises Refused."""
        with in_a_sentence():
            self._say_if_alarms_reach_nobody()
            bucket = self._deploy_bucket
            s3 = self._client("s3")
            # The first deployment creates the bucket.
            has_bucket = places.exists(s3, self.files_bucket)
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
            if has_bucket:
                upload.upload(s3, self.files_bucket)
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
            if not has_bucket:
                upload.upload(s3, self.files_bucket)
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

    def seal_anew(self) -> int:
        """Seal all secrets of apps and endpoints with the newest secret-key; return their number. Raises Refused."""
        with in_a_sentence():
            config = packaging.configuration(self.stage, self.settings.app)
            os.environ.update(config["stages"][self.stage]["environment_variables"])
            os.environ["AWS_DEFAULT_REGION"] = self.region
            from chalicelib.bootstrap import platform

            here = platform()
            return here.app_secrets.seal_anew() + here.endpoints.seal_anew()

    def _refuse_data_stack(self) -> None:
        """Raise Refused if `prepare` has made the tables, since a table belongs to one stack at most."""
        name = f"engawa-{self.stage}-data"
        if self._data_stack().status() is not None:
            raise Refused(
                f"The stack {name} has the tables of {self.stage}. To use the whole stack instead, run "
                f".venv/bin/chalice delete --stage {self.stage} and aws cloudformation delete-stack --stack-name "
                f"{name}; tables, bucket and keys stay, and this command then adopts them."
            )

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
                    f"Nobody gets the alarms of {self.stage}: there is no AlarmEmail. Set it in engawa.toml, "
                    "or with PARAMETERS=AlarmEmail=operator@example.com."
                )
            return
        for stack, region in ((self._stack(), self.region), (self._edge_watch_stack(), GLOBAL_REGION)):
            topic = stack.outputs().get("AlarmsTopic")
            if topic and self._is_pending(topic, region, address):
                self._say(f"{address} gets no alarms of {topic} yet: confirm the mail that AWS has sent there.")

    def _is_pending(self, topic: str, region: str, address: str) -> bool:
        """Return whether an address has not confirmed its subscription to a topic; False if that cannot be asked."""
        with passing_over("AuthorizationError", "AuthorizationErrorException", "AccessDenied", "NotFound"):
            pages = self._client("sns", region).get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            return any(
                each["Endpoint"] == address and each["SubscriptionArn"] == "PendingConfirmation"
                for page in pages
                for each in page["Subscriptions"]
            )
        return False

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
            with passing_over("ResourceNotFoundException", "NoSuchBucket"):
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
