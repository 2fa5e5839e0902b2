"""Wires a platform from settings. Tests wire their own from clients of theirs."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import settings as settings_module
from chalicelib.core.errors import Unavailable
from chalicelib.core.signatures import WINDOW_SECONDS
from chalicelib.settings import Settings
from chalicelib.store import deadline
from chalicelib.store.answers import Answers
from chalicelib.store.appdata import AppData
from chalicelib.store.apps import Apps
from chalicelib.store.bulk import Bulk
from chalicelib.store.comments import Comments
from chalicelib.store.directory import Directory
from chalicelib.store.dynamo import Dynamo
from chalicelib.store.ephemeral import Attempts, Nonces, ServerStates
from chalicelib.store.favorites import Favorites
from chalicelib.store.feeds import Feeds
from chalicelib.store.grants import Grants
from chalicelib.store.images import Images
from chalicelib.store.leavings import Leavings
from chalicelib.store.needs import on_secret
from chalicelib.store.notes import Notes
from chalicelib.store.numbered import Numbered
from chalicelib.store.once import Once
from chalicelib.store.pages import Pages
from chalicelib.store.people import People
from chalicelib.store.personal import Personal
from chalicelib.store.posting import Posting, Tables
from chalicelib.store.posts import Posts
from chalicelib.store.queue import Queue
from chalicelib.store.sealing import Seals
from chalicelib.store.users import Users
from chalicelib.web.cors import Origins
from chalicelib.web.launch_keys import LaunchKeys
from chalicelib.web.sessions import Sessions
from chalicelib.web.signatures import Signatures
from chalicelib.web.tokens import Keys, Tokens

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Those who only clear away check no token and open no secret.
NEEDS = (on_secret("token-keys"), on_secret("secret-keys"), on_secret("launch-keys"))


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Platform:
    """Everything a face works with."""

    settings: Settings
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
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
    once: Once
    attempts: Attempts
    sessions: Sessions
    signatures: Signatures
    origins: Origins
    launch_keys: LaunchKeys | None
    """None where no page app is started."""
    queue: Queue
    posting: Posting
    feeds: Feeds
    comments: Comments
    favorites: Favorites
    images: Images
    leavings: Leavings

    def sweep(self, seconds: float = 60) -> int:
        """Clear what deletions left in appdata, for about so many seconds, and have the rest cleared; how many items
        went."""
        self.leavings.remind()
        return self.appdata.sweep(seconds)


def wire(
    settings: Settings,
    dynamo: Dynamo,
    s3: "S3Client",
    clock: Callable[[], int] | None = None,
    sqs: "Callable[[], SQSClient] | None" = None,
    secrets: "Callable[[], SecretsManagerClient] | None" = None,
) -> Platform:
    """A platform over these clients; `clock` gives milliseconds since the epoch, `sqs` and `secrets` make a client once
    needed."""
    clock, table = clock or _now, settings.table("directory")
    read = partial(_keys, secrets or (lambda: _client("secretsmanager")))
    directory = Directory(dynamo, table)
    pages = Pages(dynamo, table, clock)
    users = Users(dynamo, table, directory, pages, clock)
    apps = Apps(
        dynamo, table, Seals(lambda: read(settings.secret_keys_file, settings.secret_keys_secret)), pages, clock
    )
    keys = Keys(lambda: read(settings.token_keys_file, settings.token_keys_secret))
    external = None
    if settings.openid_issuer and settings.openid_jwks:
        from chalicelib.web.issuer import Issuer

        external = Issuer(settings.openid_issuer, settings.openid_jwks, settings.issuer)
    ephemeral = settings.table("ephemeral")
    appdata = AppData(dynamo, settings.table("appdata"), directory, settings.limits, clock)
    grants = Grants(dynamo, settings.table("grants"), table, apps, clock)
    queue = Queue(sqs or (lambda: _client("sqs")), settings.cleaning_queue)
    tables = Tables(*(settings.table(name) for name in ("feeds", "comments", "favorites")))
    images, notes = Images(s3, settings.bucket), Notes(dynamo, tables.feeds, clock)
    lists = Numbered(dynamo, tables.feeds, clock)
    feeds = Feeds(dynamo, tables, users, pages, notes, lists, queue)
    comments = Comments(dynamo, tables.comments, users, pages, settings.utc_offset, clock)
    favorites = Favorites(dynamo, tables, users, pages, clock)
    posts = Posts(dynamo, tables, users, feeds, comments, favorites, settings.utc_offset)
    return Platform(
        settings=settings,
        clock=clock,
        tokens=Tokens(keys, settings.issuer, external),
        directory=directory,
        users=users,
        apps=apps,
        pages=pages,
        people=People(dynamo, directory, users, pages),
        appdata=appdata,
        answers=Answers(s3, settings.bucket),
        grants=grants,
        personal=Personal(users, apps, pages, directory, appdata, grants, posts, notes),
        bulk=Bulk(users, apps, directory, appdata),
        states=ServerStates(dynamo, ephemeral, clock),
        once=Once(dynamo, ephemeral, clock),
        attempts=Attempts(dynamo, ephemeral, clock),
        sessions=Sessions(keys, settings.issuer),
        signatures=Signatures(
            apps.get,
            Nonces(dynamo, ephemeral, WINDOW_SECONDS).use,
            clock,
            (settings.issuer, *settings.signed_urls),
            body_hash=settings.body_hash,
        ),
        origins=Origins(apps.origins, settings.issuer),
        launch_keys=_launch_keys(settings, read),
        queue=queue,
        posting=Posting(
            dynamo,
            tables,
            users,
            apps,
            pages,
            images,
            notes,
            lists,
            lambda page, feed: f"{settings.issuer}/pages/{page}/feeds/{feed}",
            settings.favorite_shards,
            clock,
        ),
        feeds=feeds,
        comments=comments,
        favorites=favorites,
        images=images,
        leavings=Leavings(dynamo, tables, feeds, pages, posts, images, notes, queue),
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


def _launch_keys(settings: Settings, read: Callable[[str | None, str | None], str]) -> LaunchKeys | None:
    file, secret = settings.launch_keys_file, settings.launch_keys_secret
    return LaunchKeys(lambda: read(file, secret)) if file or secret else None


def _keys(client: "Callable[[], SecretsManagerClient]", file: str | None, secret: str | None) -> str:
    """The text of a file, or else of a secret. Raises Unavailable where that is not to be had."""
    if file:
        return Path(file).read_text(encoding="utf-8")
    if secret is None:
        raise ValueError("neither a file nor a secret")
    deadline.check()
    try:
        return client().get_secret_value(SecretId=secret)["SecretString"]
    except (BotoCoreError, ClientError) as failed:
        # Busy or not, and a secret that is missing or forbidden is told by nothing else.
        log.error("the secret %s cannot be read: %s", secret, failed)
        raise Unavailable from failed


def _now() -> int:
    return time.time_ns() // 1_000_000
