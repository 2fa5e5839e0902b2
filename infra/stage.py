"""A stage in an account of AWS: its settings, its stacks, and the names of its buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError, NoRegionError

from infra import keys, stage_settings
from infra.stacks import Stack

GLOBAL_REGION = "us-east-1"


class Stage:
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

    @property
    def _deploy_bucket(self) -> str:
        """The name of the bucket of deployments."""
        return self.settings.deploy_bucket or f"engawa-deploy-{self.account}-{self.region}"

    def _client(self, service: str, region: str | None = None) -> Any:
        return self._session.client(service, region_name=region)  # type: ignore[call-overload]

    def _stack(self) -> Stack:
        return Stack(self._client("cloudformation"), f"engawa-{self.stage}", self._say)

    def _data_stack(self) -> Stack:
        """The stack of `prepare`."""
        return Stack(self._client("cloudformation"), f"engawa-{self.stage}-data", self._say)

    def _global_stack(self) -> Stack:
        return Stack(self._client("cloudformation", GLOBAL_REGION), f"engawa-{self.stage}-global", self._say)

    def _edge_watch_stack(self) -> Stack:
        return Stack(self._client("cloudformation", GLOBAL_REGION), f"engawa-{self.stage}-edge-alarms", self._say)

    def _copy_stack(self) -> Stack:
        client = self._client("cloudformation", self.copy_region)
        return Stack(client, f"engawa-{self.stage}-copy", self._say)

    def _ensure_keys(self) -> None:
        for name in keys.ensure(self._client("secretsmanager"), self.stage):
            self._say(f"Created the secret {keys.secret(self.stage, name)}.")

    def _delete_bucket(self, name: str, region: str) -> None:
        """Delete a bucket with all versions and delete markers, if it exists."""
        with passing_over("NoSuchBucket"):
            bucket = self._session.resource("s3", region_name=region).Bucket(name)
            bucket.object_versions.all().delete()
            bucket.delete()


@contextmanager
def passing_over(*codes: str) -> Iterator[None]:
    """Ignore errors of AWS with these codes."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
