"""A platform over moto in this process, or over the emulator at AWS_ENDPOINT_URL (bench/emulator.py), and a client.

The client calls the app as API Gateway does, in one thread.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import botocore.session
from moto import mock_aws

import app as entry
from chalicelib import settings
from chalicelib.api.scheduled import CLEAN
from chalicelib.bootstrap import Platform, wire
from chalicelib.core.model.directory import User
from chalicelib.store.aws.botocore_session import lean_session
from chalicelib.store.aws.client import Dynamo, SentCall
from local import keys, stack
from local.gateway import Answer, Gateway, Request
from local.worker import Worker

APP = "6d1f0c2ab4e79853"
HANA, KEN, MEI, TARO, YUKI = "k3v9x2mtq7ra", "a8d1p0zzk4wn", "m5c2e7uub9fh", "t6w4j1nnr8sd", "y2b7g5hhv3qx"
ME = "/2/apps/appdata/@me/@self"
BUCKET = "engawa-local-000000000000"
REGION = "ap-northeast-1"


@contextmanager
def empty_aws() -> Iterator[None]:
    """Provide an empty AWS in this process; all worlds created inside the block share it."""
    with patch.dict(os.environ), mock_aws():
        os.environ.pop("AWS_ENDPOINT_URL", None)
        yield


@cache
def _session() -> botocore.session.Session:
    """Return one session for all worlds: it caches the service models; reading them takes longer than most tests."""
    return lean_session()


def _client(service: str) -> Any:
    return _session().create_client(service, region_name=REGION)


class Clock:
    """A clock that returns `now`, in milliseconds since the epoch; only its user changes `now`."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Reply:
    """A response, with header names in lower case and its JSON."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.text)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, `error` and `error_description`."""
        return self.status, self.json["error"], self.json["error_description"]


class Caller:
    """A client that calls the app of a deployment."""

    platform: Platform
    gateway: Gateway
    clock: Clock

    def token(self, user: str | None = HANA, *scopes: str, app: str = APP, lifetime: int = 900, **more: Any) -> str:
        """Return an access token of `user`, by default for `mixi_apps2`."""
        wanted = scopes or ("mixi_apps2",)
        return self.platform.tokens.issue(app=app, viewer=user, scopes=wanted, lifetime=lifetime, **more)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = HANA,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Reply:
        """Send a request as `user`; a body that is not bytes is sent as JSON."""
        sent = dict(headers or {})
        if user is not None or token:
            sent.setdefault("Authorization", f"OAuth {token or self.token(user)}")
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        target = path + ("?" + urlencode(query) if query else "")
        return reply(self.gateway.handle(Request(method, target, list(sent.items()), body or b"")))


class World(Caller):
    """A deployment over moto. `directory` gets its key files; `environment` adds settings.

    With `has_stack` its tables, bucket and queues exist already.
    """

    def __init__(self, directory: Path, has_stack: bool = False, /, **environment: str) -> None:
        self.clock = Clock()
        self.calls: list[SentCall] = []
        self.waits: list[float] = []
        if not has_stack:
            stack.create(self.dynamodb, self.s3, self.sqs, "local")
        keys_file = directory / "token-keys.json"
        keys.ensure(keys_file)
        secret_keys_file = directory / "secret-keys.json"
        keys.ensure_secret(secret_keys_file)
        read = settings.read(
            {
                "ENGAWA_STAGE": "local",
                "ENGAWA_BUCKET": BUCKET,
                "ENGAWA_ISSUER": "http://127.0.0.1:8000",
                "ENGAWA_TOKEN_KEYS_FILE": str(keys_file),
                "ENGAWA_SECRET_KEYS_FILE": str(secret_keys_file),
            }
            | environment
        )
        dynamo = Dynamo(self.dynamodb, sleep=self.waits.append, watch=self.calls.append)
        self.platform = wire(read, dynamo, lambda: self.s3, self.clock, lambda: self.sqs)
        self.app = entry.create_app(lambda: self.platform)
        # moto is slower than AWS: its slowness must not make a request time out.
        self.gateway = Gateway(self.app, milliseconds=600_000)

    @cached_property
    def dynamodb(self) -> Any:
        """A client of DynamoDB."""
        return _client("dynamodb")

    @cached_property
    def s3(self) -> Any:
        """A client of S3, which most tests do without."""
        return _client("s3")

    @cached_property
    def sqs(self) -> Any:
        """A client of SQS, which most tests do without."""
        return _client("sqs")

    def populate(self, *users: str) -> None:
        """Create users with these ids, so that they can have friends and install apps."""
        for user in users:
            self.platform.users.create(User(user, f"user {user}"))

    def clean(self) -> int:
        """Process the messages of the cleaning queue until it is empty; return their number. Errors are passed on."""
        worker = Worker(self.sqs, self.platform.settings.cleaning_queue, self.app.handler_map[CLEAN])
        return sum(1 for _ in iter(worker.one, False))

    def send_events(self) -> int:
        """Send events as the schedule does every minute; return the number of attempts."""
        return self.platform.event_sending.run(40)

    def items(self, table: str = "appdata") -> list[dict[str, Any]]:
        """Return all items of a table."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=f"engawa-local-{table}")
        return [item for page in pages for item in page["Items"]]


def reply(answer: Answer) -> Reply:
    """Convert the gateway's response to a Reply."""
    return Reply(answer.status, {name.lower(): value for name, value in answer.headers}, answer.body.decode())
