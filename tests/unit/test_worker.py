"""Between queue and function, the local platform behaves like Lambda."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from chalice.app import SQSEvent
from moto import mock_aws
from moto.sqs import models

from local import stack, worker
from local.worker import Worker

NAME = "engawa-local-cleaning"
OWN: dict[str, Any] = {
    "region_name": "ap-northeast-1",
    "aws_access_key_id": "engawa",
    "aws_secret_access_key": "engawa",
}


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("sqs", **OWN)
        stack.create(boto3.client("dynamodb", **OWN), boto3.client("s3", **OWN), client, "local")
        yield client


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the queue's clock, in seconds; it does not advance by itself."""
    now = [time.time()]
    monkeypatch.setattr(models, "unix_time_millis", lambda: now[0] * 1000)
    monkeypatch.setattr(models, "unix_time", lambda: now[0])
    return now


@pytest.fixture
def run(sqs: Any) -> Iterator[Callable[[worker.Function], None]]:
    """Yield a function that starts a worker, which runs until the test ends."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def start(function: worker.Function) -> None:
        threads.append(threading.Thread(target=Worker(sqs, NAME, function).run, args=(ended,)))
        threads[-1].start()

    yield start
    ended.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def send(sqs: Any, *bodies: str) -> None:
    for body in bodies:
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=NAME)["QueueUrl"], MessageBody=body)


def left(sqs: Any, name: str = NAME) -> int:
    """Return how many messages a queue has, including hidden ones."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def eventually(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_a_message_comes_as_the_event_that_lambda_makes_of_it(sqs: Any) -> None:
    events: list[dict[str, Any]] = []
    send(sqs, "note-1")

    assert Worker(sqs, NAME, lambda event, _: events.append(event)).one()

    [event] = events
    assert [message.body for message in SQSEvent(event, None)] == ["note-1"]
    [record] = event["Records"]
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "ap-northeast-1")
    url = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    assert record["eventSourceARN"] == arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_what_is_worked_off_is_deleted(sqs: Any, run: Callable[[worker.Function], None]) -> None:
    done: list[str] = []
    send(sqs, "a", "b", "c")

    run(lambda event, _: done.append(event["Records"][0]["body"]))

    assert eventually(lambda: len(done) == 3 and left(sqs) == 0)
    assert sorted(done) == ["a", "b", "c"]


def test_what_fails_comes_five_times_and_then_lies_among_the_dead_letters(
    sqs: Any, run: Callable[[worker.Function], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_RETRY_SECONDS", 0)
    tried: list[str] = []

    def fail_at_poison(event: Any, _: Any) -> None:
        tried.append(event["Records"][0]["body"])
        if tried[-1] == "poison":
            raise ValueError("poison")

    send(sqs, "poison", "a", "b")
    run(fail_at_poison)

    assert eventually(lambda: left(sqs, f"{NAME}-dead") == 1 and left(sqs) == 0)
    assert (tried.count("poison"), sorted(set(tried))) == (5, ["a", "b", "poison"])
    [dead] = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName=f"{NAME}-dead")["QueueUrl"])["Messages"]
    assert dead["Body"] == "poison"


def test_what_failed_once_is_done_the_second_time(
    sqs: Any, run: Callable[[worker.Function], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_RETRY_SECONDS", 0)
    tried: list[str] = []

    def fail_once(event: Any, _: Any) -> None:
        tried.append(event["Records"][0]["body"])
        if len(tried) == 1:
            raise ConnectionError

    send(sqs, "a")
    run(fail_once)

    assert eventually(lambda: len(tried) == 2 and left(sqs) == 0)
    assert left(sqs, f"{NAME}-dead") == 0


def test_a_message_stays_hidden_for_as_long_as_it_is_worked_on(
    sqs: Any, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue's clock advances here only after the message has been hidden again."""
    monkeypatch.setattr(worker, "_KEEP_SECONDS", 0.02)
    hidden: queue.Queue[float] = queue.Queue()
    seen: list[bool] = []

    class Seen(Worker):
        def _hide(self, message: Any, seconds: int) -> None:
            begun = clock[0]
            super()._hide(message, seconds)
            hidden.put(begun)

    def work(event: Any, _: Any) -> None:
        other = Worker(sqs, NAME, lambda *_: None)
        for _ in range(5):
            while hidden.get(timeout=30) < clock[0]:
                pass
            clock[0] += worker.HIDDEN_SECONDS - 1
            seen.append(other.one())

    send(sqs, "a")
    Seen(sqs, NAME, work).one()

    assert seen == [False] * 5
    assert left(sqs) == 0


def test_a_message_that_nobody_works_on_any_more_comes_again(sqs: Any, clock: list[float]) -> None:
    def die(*_: Any) -> None:
        raise SystemExit

    send(sqs, "a")
    with pytest.raises(SystemExit):
        Worker(sqs, NAME, die).one()

    done: list[Any] = []
    second = Worker(sqs, NAME, lambda event, _: done.append(event))
    assert not second.one()
    clock[0] += worker.HIDDEN_SECONDS + 1
    assert second.one()
    assert done[0]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_function_that_does_not_end_its_chain_is_cut_at_the_17th_call(sqs: Any) -> None:
    called: list[str] = []

    def send_on(event: Any, _: Any) -> None:
        called.append(event["Records"][0]["body"])
        send(boto3.client("sqs", **OWN), "again")

    send(sqs, "again")
    one = Worker(sqs, NAME, send_on)

    assert sum(1 for _ in iter(one.one, False)) == 17

    assert (len(called), left(sqs), left(sqs, f"{NAME}-dead")) == (16, 0, 1)


def test_messages_from_outside_begin_chains_of_their_own(sqs: Any) -> None:
    called: list[str] = []
    one = Worker(sqs, NAME, lambda event, _: called.append(event["Records"][0]["body"]))

    for number in range(20):
        send(sqs, str(number))
        assert one.one()

    assert (len(called), left(sqs, f"{NAME}-dead")) == (20, 0)
