"""The embedded AWS saves after what was written, and only after that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local import emulator
from local.emulator import Checkpoints


def saves_after(monkeypatch: pytest.MonkeyPatch, method: str, target: str | None) -> bool:
    """Whether a request makes it save."""
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
