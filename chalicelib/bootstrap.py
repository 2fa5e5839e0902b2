"""Wires a platform from settings. Tests wire their own from clients of theirs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import settings as settings_module
from chalicelib.settings import Settings
from chalicelib.store.answers import Answers
from chalicelib.store.appdata import AppData
from chalicelib.store.directory import Directory
from chalicelib.store.dynamo import Dynamo
from chalicelib.web.tokens import Keys, Tokens

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Platform:
    """Everything a face works with."""

    settings: Settings
    tokens: Tokens
    directory: Directory
    appdata: AppData
    answers: Answers

    def sweep(self, seconds: float = 60) -> int:
        """Clear what deletions left behind, for about so many seconds; how many items went."""
        return self.appdata.sweep(seconds)


def wire(settings: Settings, dynamo: Dynamo, s3: "S3Client", clock: Callable[[], int] | None = None) -> Platform:
    """A platform over these clients; `clock` gives milliseconds since the epoch."""
    directory = Directory(dynamo, settings.table("directory"))
    return Platform(
        settings=settings,
        tokens=Tokens(Keys(lambda: _token_keys(settings)), settings.issuer),
        directory=directory,
        appdata=AppData(dynamo, settings.table("appdata"), directory, settings.limits, clock or _now),
        answers=Answers(s3, settings.bucket),
    )


@cache
def platform() -> Platform:
    """The platform of this process's environment, wired once. Raises WrongSetting."""
    settings = settings_module.read()
    return wire(settings, Dynamo(_client("dynamodb")), _client("s3"))


def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    # Short waits and few tries: a client waits for the whole request, and API Gateway for 29 seconds at the most.
    config = Config(
        connect_timeout=1,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=64,
        s3={"addressing_style": "path"},
        signature_version="s3v4" if service == "s3" else None,
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def _token_keys(settings: Settings) -> str:
    if settings.token_keys_file:
        return Path(settings.token_keys_file).read_text(encoding="utf-8")
    secret: str = _client("secretsmanager").get_secret_value(SecretId=settings.token_keys_secret)["SecretString"]
    return secret


def _now() -> int:
    return time.time_ns() // 1_000_000
