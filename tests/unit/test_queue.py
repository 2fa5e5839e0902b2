"""Sending to the queue: nothing is created before it is needed, and a failed send does not fail the request."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.store.contents.cleanup_queue import CleanupQueue

UNREACHABLE = EndpointConnectionError(endpoint_url="https://sqs.example")
ABSENT = ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue", "Message": ""}}, "GetQueueUrl")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "SendMessage")


class Sqs:
    """A client that raises each given failure once, and records its calls."""

    def __init__(self) -> None:
        self.made = 0
        self.asked: list[str] = []
        self.sent: list[tuple[str, str]] = []
        self.failures: dict[str, list[Exception]] = {"url": [], "send": []}

    def make(self) -> Any:
        self.made += 1
        return self

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        self._fail("url")
        self.asked.append(QueueName)
        return {"QueueUrl": f"https://sqs.example/0/{QueueName}"}

    def send_message(self, QueueUrl: str, MessageBody: str) -> dict[str, str]:
        self._fail("send")
        self.sent.append((QueueUrl, MessageBody))
        return {}

    def _fail(self, call: str) -> None:
        if self.failures[call]:
            raise self.failures[call].pop()


@pytest.fixture
def sqs() -> Sqs:
    return Sqs()


@pytest.fixture
def queue(sqs: Sqs) -> CleanupQueue:
    return CleanupQueue(sqs.make, "engawa-dev-cleaning")


def test_nothing_is_made_or_asked_before_the_first_message(sqs: Sqs, queue: CleanupQueue) -> None:
    assert (sqs.made, sqs.asked) == (0, [])


def test_client_and_url_are_found_once(sqs: Sqs, queue: CleanupQueue) -> None:
    assert [queue.tell(message) for message in ("a", "b")] == [True, True]

    url = "https://sqs.example/0/engawa-dev-cleaning"
    assert sqs.sent == [(url, "a"), (url, "b")]
    assert (sqs.made, sqs.asked) == (1, ["engawa-dev-cleaning"])


@pytest.mark.parametrize(
    ("call", "failure"), [("url", ABSENT), ("url", UNREACHABLE), ("send", THROTTLED), ("send", UNREACHABLE)]
)
def test_a_failure_is_told_logged_and_over_with_the_next_message(
    call: str, failure: Exception, sqs: Sqs, queue: CleanupQueue, caplog: pytest.LogCaptureFixture
) -> None:
    sqs.failures[call].append(failure)

    with caplog.at_level(logging.WARNING):
        assert not queue.tell("note-1")

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "engawa-dev-cleaning" in record.getMessage()
    assert "note-1" in record.getMessage()
    assert queue.tell("note-2")
    assert [body for _, body in sqs.sent] == ["note-2"]
