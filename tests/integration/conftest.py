"""A platform over moto, in process and in one thread, and a client that calls the app as API Gateway does."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from moto import mock_aws

import app as entry
from chalicelib import settings
from chalicelib.bootstrap import Platform, wire
from chalicelib.store.dynamo import Call, Dynamo
from local import keys, stack
from local.gateway import Answer, Gateway, Request

APP = "6d1f0c2ab4e79853"
HANA, KEN, MEI, TARO, YUKI = "k3v9x2mtq7ra", "a8d1p0zzk4wn", "m5c2e7uub9fh", "t6w4j1nnr8sd", "y2b7g5hhv3qx"
ME = "/2/apps/appdata/@me/@self"
BUCKET = "engawa-local-000000000000"


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Reply:
    """An answer with its headers in any letter case and its JSON."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> tuple[int, str, str]:
        return self.status, self.json["error"], self.json["error_description"]


class World:
    """One deployment over moto, as a test wants it."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.clock = Clock()
        self.calls: list[Call] = []
        self.waits: list[float] = []
        self.dynamodb = boto3.client("dynamodb", region_name="ap-northeast-1")
        self.s3 = boto3.client("s3", region_name="ap-northeast-1")
        stack.create(self.dynamodb, self.s3, "local")
        keys_file = directory / "token-keys.json"
        keys.ensure(keys_file)
        read = settings.read(
            {
                "ENGAWA_STAGE": "local",
                "ENGAWA_BUCKET": BUCKET,
                "ENGAWA_ISSUER": "http://127.0.0.1:8000",
                "ENGAWA_TOKEN_KEYS_FILE": str(keys_file),
            }
            | environment
        )
        dynamo = Dynamo(self.dynamodb, sleep=self.waits.append, watch=self.calls.append)
        self.platform: Platform = wire(read, dynamo, self.s3, self.clock)
        self.gateway = Gateway(entry.create_app(lambda: self.platform))

    def token(self, user: str | None = HANA, *scopes: str, app: str = APP, lifetime: int = 900, **more: Any) -> str:
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
        """Send a request as `user`; a body that is no bytes goes as JSON."""
        sent = dict(headers or {})
        if user is not None or token:
            sent.setdefault("Authorization", f"OAuth {token or self.token(user)}")
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        target = path + ("?" + urlencode(query) if query else "")
        return reply(self.gateway.handle(Request(method, target, list(sent.items()), body or b"")))

    def items(self, table: str = "appdata") -> list[dict[str, Any]]:
        """Everything a table holds."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=f"engawa-local-{table}")
        return [item for page in pages for item in page["Items"]]


def reply(answer: Answer) -> Reply:
    return Reply(answer.status, {name.lower(): value for name, value in answer.headers}, answer.body.decode())


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Makes a world, with settings of its own; several share one AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield lambda **environment: World(tmp_path, **environment)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Hana and Ken are friends and have the app; Mei is Hana's friend with the app, Taro without; Yuki has the app."""
    made = make_world()
    for one, other in ((HANA, KEN), (HANA, MEI), (HANA, TARO)):
        made.platform.directory.befriend(one, other)
    for user in (HANA, KEN, MEI, YUKI):
        made.platform.appdata.install(APP, user)
    made.calls.clear()
    return made
