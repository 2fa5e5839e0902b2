"""Sends records in batches, a few at a time, and yields the results in order.

Memory does not grow with the input: at most `2 * workers` batches exist at a time. Results arrive in input order, so
one place in the input is enough to resume an interrupted run.
"""

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from admin.client import Client
from admin.failures import Unreachable
from admin.records import Place, Record

MOST_RECORDS = 100
MOST_PASSWORDS = 20
"""Records with a password in one request: the server's password hashing is slow on purpose."""
MOST_BYTES = 1_000_000
BUSY_TRIES = 10
Batch = list[Record]
Outcome = Mapping[str, Any]


@dataclass(frozen=True)
class Loaded:
    """A batch that the platform has answered: its records and the outcome of each."""

    records: Batch
    outcomes: list[Outcome]

    @property
    def after(self) -> Place:
        """The place of the next batch."""
        return self.records[-1].after


def batches(records: Iterable[Record]) -> Iterator[Batch]:
    """Yield the records in batches, each as large as one request may be."""
    batch: Batch = []
    passwords = size = 0
    for record in records:
        has_password = record.value is not None and "password" in record.value
        weight = len(str(record.value)) * 3
        if batch and (
            len(batch) == MOST_RECORDS or (has_password and passwords == MOST_PASSWORDS) or size + weight > MOST_BYTES
        ):
            yield batch
            batch, passwords, size = [], 0, 0
        batch.append(record)
        passwords += has_password
        size += weight
    if batch:
        yield batch


def load(
    client: Client,
    kind: str,
    records: Iterable[Record],
    *,
    workers: int,
    stopping: threading.Event,
    more: Mapping[str, Any] | None = None,
) -> Generator[Loaded, None, None]:
    """Send all records of a kind, and yield each answered batch, in order. Raises Refused and Unreachable.

    Each request also has the fields `more`.

    Sets `stopping` at its end, also an early one, so that no thread keeps waiting for another try.
    """
    waiting: deque[tuple[Batch, Future[list[Outcome]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="import")
    try:
        for batch in batches(records):
            waiting.append((batch, pool.submit(_send, client, kind, batch, stopping, more or {})))
            if len(waiting) >= 2 * workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        stopping.set()
        pool.shutdown(cancel_futures=True)


def _next(waiting: "deque[tuple[Batch, Future[list[Outcome]]]]") -> Loaded:
    batch, future = waiting.popleft()
    return Loaded(batch, future.result())


def _send(client: Client, kind: str, batch: Batch, stopping: threading.Event, more: Mapping[str, Any]) -> list[Outcome]:
    """Send a batch and return the outcome of each record. Records refused as "busy" are sent again."""
    outcomes: list[Outcome | None] = [_unreadable(record) for record in batch]
    for turn in range(BUSY_TRIES):
        left = [index for index, outcome in enumerate(outcomes) if outcome is None]
        if not left:
            break
        if stopping.is_set():
            raise Unreachable("The import was stopped")
        if turn:
            stopping.wait(min(10.0, 0.2 * 2**turn))
        answer = client.send("POST", ("import",), {kind: [batch[index].value for index in left], **more})
        for index, outcome in zip(left, answer[kind], strict=True):
            if outcome.get("error") != "service_unavailable":
                outcomes[index] = outcome
    found = [outcome for outcome in outcomes if outcome is not None]
    if len(found) < len(batch):
        raise Unreachable(f"{client.base_url} stays busy")
    return found


def _unreadable(record: Record) -> Outcome | None:
    if record.value is not None:
        return None
    return {"status": "refused", "error": "bad_request", "error_description": record.problem}
