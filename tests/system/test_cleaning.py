"""The queue of the served platform, which works as under Lambda: cleanup after deletions, and dead letters."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.embedded import Emulator
from local.environment import Environment, free_port
from local.gateway import Request
from tests.kit.gate import Gate
from tests.kit.served import eventually

if TYPE_CHECKING:
    from tests.kit.served import Served

CLEANING = "engawa-local-cleaning"
FEEDS, COMMENTS, FAVORITES = (f"engawa-local-{name}" for name in ("feeds", "comments", "favorites"))


def ask(served: Served, method: str, path: str, name: str = "mei", **more: Any) -> httpx.Response:
    """Send a request about the page cafe, as that user with the app quest."""
    headers = {"Authorization": f"OAuth {served.demo['tokens']['users'][name]['quest']}"}
    url = f"{served.base_url}/2/pages/{served.demo['pages']['cafe']['id']}/{path}"
    return httpx.request(method, url, headers=headers, timeout=30, **more)


def posted(served: Served, uri: str) -> dict[str, Any]:
    """Post a feed with a comment and a favorite. Return its head, which leads to all items of the feed."""
    before = {item["pk"]["S"] for item in items(served, COMMENTS)}
    answer = ask(served, "POST", "feeds", json={"title": "to be deleted", "contentUri": uri})
    assert answer.status_code == 201, answer.text
    on = {"contentUri": uri}
    assert ask(served, "POST", "comments", "hana", params=on, json={"comment": "soon gone"}).status_code == 201
    assert ask(served, "POST", "favorites", "ken", params=on).status_code == 201
    [head] = [item for item in items(served, COMMENTS) if item["pk"]["S"] not in before and "pg" in item]
    return head


def delete(served: Served, uri: str) -> None:
    assert ask(served, "DELETE", "feeds", params={"contentUri": uri}).status_code == 204


def items(served: Served, table: str) -> list[dict[str, Any]]:
    pages = served.aws("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def of(served: Served, head: dict[str, Any]) -> int:
    """Return the number of items of a content and its generation, including notes."""
    content, generation = head["pk"]["S"], head["g"]["S"]
    found = [*items(served, COMMENTS), *items(served, FAVORITES)]
    hanging = sum(item["pk"]["S"].startswith(content) for item in found)
    return hanging + sum(item["sk"]["S"] == generation for item in items(served, FEEDS))


def left(served: Served, queue: str = CLEANING) -> int:
    """Return the number of messages in a queue, including hidden ones."""
    sqs, names = served.aws("sqs"), ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def test_what_hung_on_a_deleted_feed_is_cleared(served: Served) -> None:
    uri = "http://quest.example/cleaning/1"
    head = posted(served, uri)
    assert of(served, head) >= 3

    delete(served, uri)

    assert ask(served, "GET", "feeds", params={"contentUri": uri}).status_code != 200
    assert eventually(lambda: of(served, head) == 0 and left(served) == 0)


def test_a_message_that_keeps_failing_lies_among_the_dead_letters(served: Served) -> None:
    dynamodb, sqs = served.aws("dynamodb"), served.aws("sqs")
    key = {"pk": {"S": "trash"}, "sk": {"S": "damaged"}}
    # A damaged note: it names a content to clean up, but not its number of shards.
    dynamodb.put_item(TableName=FEEDS, Item=key | {"p": {"S": "content"}, "due": {"N": "9999999999999"}})
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=CLEANING)["QueueUrl"], MessageBody="damaged")
    try:
        assert eventually(lambda: left(served, f"{CLEANING}-dead") == 1)
    finally:
        dynamodb.delete_item(TableName=FEEDS, Key=key)

    dead = sqs.get_queue_url(QueueName=f"{CLEANING}-dead")["QueueUrl"]
    [message] = sqs.receive_message(QueueUrl=dead, MessageSystemAttributeNames=["All"])["Messages"]
    assert message["Body"] == "damaged"
    assert int(message["Attributes"]["ApproximateReceiveCount"]) >= 5
    assert left(served) == 0
    # The cleanup of other contents continues.
    uri = "http://quest.example/cleaning/2"
    head = posted(served, uri)
    delete(served, uri)
    assert eventually(lambda: of(served, head) == 0)


def test_killed_in_the_midst_it_goes_on_after_the_next_start(emulator_port: int, serve: Callable[..., Served]) -> None:
    """The second batch of deletions is held back, so the platform waits there until it is killed."""
    uri = "http://quest.example/cleaning/3"
    deletions: list[Request] = []

    def second(request: Request) -> bool:
        if b"DeleteRequest" in request.body:
            deletions.append(request)
        return len(deletions) > 1

    with Gate(f"http://127.0.0.1:{emulator_port}", second) as gate:
        first = serve(AWS_ENDPOINT_URL=gate.url, EMULATOR_PORT=str(emulator_port))
        head = posted(first, uri)
        stuff(first, head, 500)
        delete(first, uri)
        gate.await_held()
        assert first.stop(signal.SIGKILL) == -signal.SIGKILL
        assert 0 < of(first, head) < 500

        gate.open()
        second_run = serve(**first.environment)
        assert eventually(lambda: of(second_run, head) == 0 and left(second_run) == 0, 120)
        assert left(second_run, f"{CLEANING}-dead") == 0


@pytest.fixture
def emulator_port(tmp_path: Path) -> Iterator[int]:
    """Return the port of an embedded AWS that no platform has started, so that none stops it."""
    port = free_port()
    directory = tmp_path / "aws"
    directory.mkdir()
    emulator = Emulator(replace(Environment.read(), directory=directory, emulator_port=port, endpoint=None))
    try:
        emulator.await_start()
        yield port
    finally:
        assert emulator.stop()


def stuff(served: Served, head: dict[str, Any], many: int) -> None:
    """Add that many comments to a content, directly in the table."""
    dynamodb = served.aws("dynamodb")
    prefix = f"{head['g']['S']}#"
    for start in range(0, many, 25):
        batch = [
            {"PutRequest": {"Item": {"pk": head["pk"], "sk": {"S": f"{prefix}~{number:06}"}, "b": {"S": "x"}}}}
            for number in range(start, start + 25)
        ]
        dynamodb.batch_write_item(RequestItems={COMMENTS: batch})
