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
from chalicelib.store.apps import Apps
from chalicelib.store.bulk import Bulk
from chalicelib.store.directory import Directory
from chalicelib.store.dynamo import Dynamo
from chalicelib.store.ephemeral import Attempts, ServerStates
from chalicelib.store.grants import Grants
from chalicelib.store.pages import Pages
from chalicelib.store.people import People
from chalicelib.store.personal import Personal
from chalicelib.store.sealing import Seals
from chalicelib.store.users import Users
from chalicelib.web.sessions import Sessions
from chalicelib.web.tokens import Keys, Tokens

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Platform:
    """Everything a face works with."""

    settings: Settings
    tokens: Tokens
    directory: Directory
    users: Users
    apps: Apps
    pages: Pages
    people: People
    appdata: AppData
    answers: Answers
    grants: Grants
    personal: Personal
    bulk: Bulk
    states: ServerStates
    attempts: Attempts
    sessions: Sessions

    def sweep(self, seconds: float = 60) -> int:
        """Clear what deletions left behind, for about so many seconds; how many items went."""
        return self.appdata.sweep(seconds)


def wire(settings: Settings, dynamo: Dynamo, s3: "S3Client", clock: Callable[[], int] | None = None) -> Platform:
    """A platform over these clients; `clock` gives milliseconds since the epoch."""
    clock, table = clock or _now, settings.table("directory")
    directory = Directory(dynamo, table)
    pages = Pages(dynamo, table, clock)
    users = Users(dynamo, table, directory, pages, clock)
    apps = Apps(dynamo, table, Seals(lambda: _secret_keys(settings)), pages, clock)
    keys = Keys(lambda: _token_keys(settings))
    external = None
    if settings.openid_issuer and settings.openid_jwks:
        from chalicelib.web.issuer import Issuer

        external = Issuer(settings.openid_issuer, settings.openid_jwks, settings.issuer)
    ephemeral = settings.table("ephemeral")
    appdata = AppData(dynamo, settings.table("appdata"), directory, settings.limits, clock)
    grants = Grants(dynamo, settings.table("grants"), table, apps, clock)
    return Platform(
        settings=settings,
        tokens=Tokens(keys, settings.issuer, external),
        directory=directory,
        users=users,
        apps=apps,
        pages=pages,
        people=People(dynamo, directory, users, pages),
        appdata=appdata,
        answers=Answers(s3, settings.bucket),
        grants=grants,
        personal=Personal(users, apps, pages, directory, appdata, grants),
        bulk=Bulk(users, apps, directory, appdata),
        states=ServerStates(dynamo, ephemeral, clock),
        attempts=Attempts(dynamo, ephemeral, clock),
        sessions=Sessions(keys, settings.issuer),
    )


@cache
def platform() -> Platform:
    """The platform of this process's environment, wired once. Raises WrongSetting."""
    settings = settings_module.read()
    return wire(settings, Dynamo(_client("dynamodb")), _client("s3"))


def _client(service: str) -> Any:
    import boto3
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
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def _token_keys(settings: Settings) -> str:
    return _keys(settings.token_keys_file, settings.token_keys_secret)


def _secret_keys(settings: Settings) -> str:
    return _keys(settings.secret_keys_file, settings.secret_keys_secret)


def _keys(file: str | None, secret: str | None) -> str:
    if file:
        return Path(file).read_text(encoding="utf-8")
    text: str = _client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return text


def _now() -> int:
    return time.time_ns() // 1_000_000
