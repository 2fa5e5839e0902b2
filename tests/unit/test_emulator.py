"""The embedded AWS saves after writes, and only after writes; and web pages cannot reach it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local import emulator
from local.emulator import Checkpoints
from local.fence import Fence


def saves_after(monkeypatch: pytest.MonkeyPatch, method: str, target: str | None) -> bool:
    """Return whether a request makes it save."""
    monkeypatch.setattr(emulator, "_CHECKPOINT_SECONDS", 0.01)
    saved: list[bool] = []
    headers = [(b"X-Amz-Target", target.encode())] if target else []

    async def answer(*_: Any) -> None:
        pass

    async def run() -> None:
        checkpoints = Checkpoints(answer, lambda: saved.append(True))
        await checkpoints({"type": "http", "method": method, "headers": headers}, None, None)
        saving = asyncio.create_task(checkpoints.run())
        await asyncio.sleep(0.1)
        saving.cancel()

    asyncio.run(run())
    return bool(saved)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "DynamoDB_20120810.PutItem"),
        ("POST", "DynamoDB_20120810.TransactWriteItems"),
        ("POST", "AmazonSQS.SendMessage"),
        ("POST", "AmazonSQS.DeleteMessage"),
        ("POST", "AmazonSQS.CreateQueue"),
        ("PUT", None),
        ("DELETE", None),
    ],
)
def test_what_was_written_is_saved(method: str, target: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert saves_after(monkeypatch, method, target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "DynamoDB_20120810.GetItem"),
        ("POST", "DynamoDB_20120810.Query"),
        ("POST", "AmazonSQS.ReceiveMessage"),
        ("POST", "AmazonSQS.GetQueueUrl"),
        ("GET", None),
    ],
)
def test_a_platform_that_only_looks_saves_nothing(
    method: str, target: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not saves_after(monkeypatch, method, target)


def sent_through(kind: str, host: str, **headers: str) -> list[str]:
    """Return the types of the messages that the fence sends back, or "passed" for a request that it lets through."""
    sent: list[str] = []

    async def behind(*_: Any) -> None:
        sent.append("passed")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    path = headers.pop("path", "/")
    named = [(name.encode(), value.encode()) for name, value in {"host": host, **headers}.items()]
    scope = {"type": kind, "method": "GET", "path": path, "query_string": b"", "headers": named}
    asyncio.run(Fence(behind)(scope, None, send))
    return sent


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4570", "localhost:4570", "LOCALHOST", "bucket.localhost:4570", "d1.cloudfront.net"]
)
def test_programs_pass_the_fence_by_names_that_nobody_else_can_give(host: str) -> None:
    assert sent_through("http", host) == ["passed"]


@pytest.mark.parametrize("host", ["", "evil.example:4570", "127.0.0.1.evil.example", "evil.example:127.0.0.1"])
def test_a_page_of_another_name_does_not(host: str) -> None:
    assert sent_through("http", host) == ["http.response.start", "http.response.body"]


def test_an_app_that_is_deployed_there_decides_about_origins_itself() -> None:
    page = "https://quest.example"
    assert sent_through("http", "localhost", origin=page, path="/_aws/execute-api/1/api/rpc") == ["passed"]
    assert sent_through("http", "d1.cloudfront.net", origin=page, path="/rpc") == ["passed"]
    assert sent_through("http", "localhost", origin=page, path="/engawa-dev/x")[0] == "http.response.start"


def test_nobody_speaks_by_web_sockets() -> None:
    assert sent_through("websocket", "localhost") == ["websocket.close"]
    assert sent_through("http", "localhost", origin="http://localhost:8000")[0] == "http.response.start"
