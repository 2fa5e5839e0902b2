"""Wires a platform from settings. Tests wire their own from clients of theirs."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import settings as settings_module
from chalicelib.platform import Platform
from chalicelib.settings import Settings
from chalicelib.store.dynamo import Dynamo
from chalicelib.store.needs import on_secret

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

__all__ = ["NEEDS", "Platform", "platform", "wire"]

# Those who only clear away check no token and open no secret.
NEEDS = (on_secret("token-keys"), on_secret("secret-keys"), on_secret("launch-keys"))


def wire(
    settings: Settings,
    dynamo: Dynamo,
    s3: "Callable[[], S3Client]",
    clock: Callable[[], int] | None = None,
    sqs: "Callable[[], SQSClient] | None" = None,
) -> Platform:
    """A platform over these clients; without `clock` and `sqs`, over the machine's and AWS's."""
    return Platform(settings, dynamo, s3, clock or _now, sqs or (lambda: _client("sqs")), _keys)


@cache
def platform() -> Platform:
    """The platform of this process's environment, wired once. Raises WrongSetting."""
    settings = settings_module.read()
    return wire(settings, Dynamo(_client("dynamodb")), lambda: _client("s3"))


@cache
def _session() -> Any:
    # botocore's own: boto3 adds nothing that is used here, and a fifth to a cold start.
    from botocore.session import get_session

    return get_session()


def _client(service: str) -> Any:
    from botocore.config import Config

    # A client waits for the whole request, and API Gateway for 29 seconds: a write without an answer and the read that
    # looks for it must both have given up by then.
    config = Config(
        connect_timeout=1,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=64,
        s3={"addressing_style": "path"},
        signature_version="s3v4" if service == "s3" else None,
    )
    return _session().create_client(service, config=config)


def _keys(file: str | None, secret: str | None) -> str:
    if file:
        return Path(file).read_text(encoding="utf-8")
    text: str = _client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return text


def _now() -> int:
    return time.time_ns() // 1_000_000
