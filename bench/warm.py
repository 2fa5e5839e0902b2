"""The CPU time of warm requests, from the event to the response and the line in the log, beside a plain client's.

Machines differ, so the bound of a row is a ratio: the time of the request, divided by the time that a client of
botocore's default session takes for the same calls alone. DynamoDB's answers come from memory, below botocore, so that
the measured code is the code that runs on AWS.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from chalice.local import LambdaContext
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

import app as entry
from bench.rows import ROWS
from chalicelib import bootstrap
from chalicelib.store.aws.client import SentCall
from chalicelib.web import logs
from local.in_process import REGION, World, empty_aws

SECONDS = 1.0
"""How long a row is measured, in turn with the plain client."""
MOST: Mapping[str, float] = {
    "read own data": 1.39,
    "write 2 of 20 small pairs": 1.29,
    "read 100 friends, one key": 0.55,
    "read 1,000 friends, one key": 0.54,
    "feeds: the first 20 of 100, by 20 posters": 0.70,
    "comments: the first 20": 0.78,
    "people: 100 friends": 0.58,
}
"""The maximum ratio of each measured row of the cost ledger, some tenth above the measured one.

A platform over botocore's own parser, which unpacks every ledger, checks every token's signature and logs by
powertools' formatter, has 1.98, 1.84, 1.56, 1.69, 1.43, 1.52 and 1.29.
"""


@dataclass(frozen=True)
class Warm:
    """The median CPU milliseconds of a row's request, and of a plain client's calls for it."""

    row: str
    request: float
    calls: float

    @property
    def ratio(self) -> float:
        """The request's time divided by that of the calls."""
        return self.request / self.calls

    @property
    def kept(self) -> bool:
        """Return whether the ratio is within its bound."""
        return self.ratio <= MOST[self.row]


class _World(World):
    """A world whose DynamoDB client is that of a deployment."""

    @cached_property
    def dynamodb(self) -> Any:
        return bootstrap.client("dynamodb")


def measure(directory: Path, rows: Container[str] = MOST, seconds: float = SECONDS) -> Iterator[Warm]:
    """Measure these rows of the cost ledger, each in a world of its own whose files are in `directory`."""
    for row in ROWS:
        if row.name in rows:
            with empty_aws(), _logging():
                os.environ["AWS_DEFAULT_REGION"] = REGION
                bootstrap.session.cache_clear()
                World(directory)  # Creates the stack: a deployment's client only sends operations on items.
                world = _World(directory, True)
                send = row.scenario(world)
                yield Warm(row.name, *_medians(world, send, seconds))


def _medians(world: World, send: Callable[[], object], seconds: float) -> tuple[float, float]:
    answers = _Answers()
    asked = _record(world, send, answers)
    plain = botocore.session.get_session().create_client("dynamodb", region_name=REGION)
    for client in (world.dynamodb, plain):
        answers.serve(client)
    sent = [call for call in world.calls if call.answer is not None]
    # As app.py does on Lambda, where moto's objects do not exist.
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(entry.COLLECT_AFTER)
    request: list[float] = []
    calls: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends or len(request) < 5:
        request.append(_taken(lambda: _answered(world, asked)))
        calls.append(_taken(lambda: _repeat(plain, sent)))
    gc.set_threshold(*before)
    gc.unfreeze()
    return median(request) * 1000, median(calls) * 1000


def _record(world: World, send: Callable[[], object], answers: _Answers) -> dict[str, Any]:
    """Send the row's request; return its event. `answers` and `world.calls` then have the calls that it made."""
    events: list[dict[str, Any]] = []
    gateway: Any = world.gateway
    app = gateway._app

    class _Listening:
        routes, api = app.routes, app.api

        def __call__(self, event: dict[str, Any], context: object) -> Any:
            events.append(event)
            return app(event, context)

    gateway._app = _Listening()
    answers.record(world.dynamodb)
    world.calls.clear()
    send()
    return events[-1]


def _answered(world: World, event: dict[str, Any]) -> None:
    answer = world.app(event, LambdaContext("engawa", 1024, 29_000))
    if answer["statusCode"] != 200:
        raise RuntimeError(answer)


def _repeat(client: Any, calls: list[SentCall]) -> None:
    for call in calls:
        getattr(client, call.operation)(**call.request)


def _taken(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


class _Answers:
    """DynamoDB's answers, recorded from moto. A request with another body, such as a write, gets that of its kind."""

    def __init__(self) -> None:
        self._of_request: dict[tuple[bytes, bytes], bytes] = {}
        self._of_kind: dict[bytes, bytes] = {}

    def record(self, client: Any) -> None:
        """Record the answers of moto that the client gets from now on."""

        def answer(request: Any, **more: Any) -> AWSResponse:
            given: Any = botocore_stubber(request=request, **more)
            kind, body = request.headers["X-Amz-Target"], request.body
            self._of_request[kind, body] = self._of_kind[kind] = given.content
            return AWSResponse(request.url, given.status_code, HTTPHeaders(), MockRawResponse(given.content))

        self._answer(client, answer)

    def serve(self, client: Any) -> None:
        """Answer the client from memory."""

        def answer(request: Any, **_: object) -> AWSResponse:
            kind = request.headers["X-Amz-Target"]
            content = self._of_request.get((kind, request.body), self._of_kind[kind])
            return AWSResponse(request.url, 200, HTTPHeaders(), MockRawResponse(content))

        self._answer(client, answer)

    def _answer(self, client: Any, answer: Callable[..., AWSResponse]) -> None:
        # botocore calls all handlers: moto's would also run, and evict our code from the CPU caches.
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.unregister("before-send.dynamodb", unique_id="bench")
        client.meta.events.register_first("before-send.dynamodb", answer, unique_id="bench")


@contextmanager
def _logging() -> Iterator[None]:
    """Log as on Lambda, but discard the output."""
    with open(os.devnull, "w") as nowhere, logs.started(nowhere):
        yield
