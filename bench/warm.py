"""The CPU time of a warm request outside of botocore: from the event to the response and the line in the log.

DynamoDB's responses come from memory, below botocore, so that the measured code runs with the same code as on AWS.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from chalice.local import LambdaContext
from moto.core.models import botocore_stubber

from chalicelib.web import logs
from local.in_process import APP, HANA, ME, World, empty_aws
from local.lambda_event import event

RUNS, WARM_UP = 500, 50
MOST_MS = 0.5
"""The maximum median in milliseconds."""
WRITES = 18
"""The user's writes in the write window: one every ten seconds."""
ROUTE, PARAMETERS = "/2/apps/appdata/{user}/{group}", {"user": "@me", "group": "@self"}


def measure(directory: Path, runs: int = RUNS) -> dict[str, float]:
    """Return the median milliseconds of reading and of writing small data, with a world's files in `directory`."""
    with empty_aws(), _logging():
        world = World(directory)
        world.populate(HANA)
        world.platform.appdata.install(APP, HANA, {"level": "5", "name": "縁"})
        for _ in range(WRITES):
            world.clock.now += 10_000
            world.send("POST", ME, {"level": "6"})
        _answer_from_memory(world.dynamodb)
        gc.collect()
        gc.freeze()  # As app.py does on Lambda, where moto's objects do not exist.
        read = event("GET", ROUTE, ME, PARAMETERS, world.token())
        write = event("POST", ROUTE, ME, PARAMETERS, world.token(), '{"level": "7"}')
        return {"GET": _median(world, read, runs), "POST": _median(world, write, runs)}


def _median(world: World, asked: dict[str, Any], runs: int) -> float:
    taken = []
    with _botocore(world.dynamodb) as of_botocore:
        for _ in range(WARM_UP + runs):
            context = LambdaContext("engawa", 1024, 29_000)
            before, began = of_botocore(), time.process_time()
            answer = world.app(asked, context)
            taken.append(time.process_time() - began - (of_botocore() - before))
            if answer["statusCode"] != 200:
                raise RuntimeError(answer)
    return median(taken[WARM_UP:]) * 1000


def _answer_from_memory(dynamodb: Any) -> None:
    """Answer the client's reads with the user's current ledger, and its writes with success."""
    key = {"pk": {"S": f"{APP}#{HANA}"}, "sk": {"S": "#"}}
    item = dynamodb.get_item(TableName="engawa-local-appdata", Key=key, ConsistentRead=True)["Item"]
    stored = json.dumps({"Item": item}, default=lambda binary: base64.b64encode(binary).decode()).encode()

    def answer(request: Any, **_: object) -> AWSResponse:
        reads = request.headers["X-Amz-Target"].endswith(b".GetItem")
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(stored if reads else b"{}"))

    # botocore calls all handlers: moto's would also run, and evict our code from the CPU caches.
    dynamodb.meta.events.unregister("before-send", botocore_stubber)
    dynamodb.meta.events.register_first("before-send.dynamodb", answer)


class _Raw(io.BytesIO):
    """A body with the methods of urllib3 that botocore uses."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def _botocore(client: Any) -> Iterator[Callable[[], float]]:
    """Yield a function that returns the CPU time of this client's calls since the block began."""
    spent = [0.0]

    def timed(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(**request: Any) -> Any:
            began = time.process_time()
            try:
                return call(**request)
            finally:
                spent[0] += time.process_time() - began

        return calling

    with ExitStack() as patches:
        for name in ("get_item", "put_item"):
            patches.enter_context(patch.object(client, name, timed(getattr(client, name))))
        yield lambda: spent[0]


@contextmanager
def _logging() -> Iterator[None]:
    """Log as on Lambda, but discard the output."""
    with open(os.devnull, "w") as nowhere, logs.started(nowhere):
        yield
