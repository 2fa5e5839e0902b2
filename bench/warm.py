"""What a warm request costs the processor outside of botocore: from the event to the answer and the line in the log."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from chalice.local import LambdaContext

from bench.coldstart import event
from bench.world import APP, HANA, ME, World, empty_aws
from chalicelib.web import logs

RUNS, WARM_UP = 300, 20
MOST_MS = 0.5
"""Milliseconds at the median."""
ROUTE, PARAMETERS = "/2/apps/appdata/{user}/{group}", {"user": "@me", "group": "@self"}


def measure(directory: Path, runs: int = RUNS) -> dict[str, float]:
    """Milliseconds at the median of reading and of writing small data, with a world's files in `directory`."""
    with empty_aws(), _logging():
        world = World(directory)
        world.populate(HANA)
        world.platform.appdata.install(APP, HANA, {"level": "5", "name": "縁"})
        read = event("GET", ROUTE, ME, PARAMETERS, world.token())
        write = event("POST", ROUTE, ME, PARAMETERS, world.token(), '{"level": "6"}')
        return {"GET": _median(world, read, runs), "POST": _median(world, write, runs)}


def _median(world: World, asked: dict[str, Any], runs: int) -> float:
    context, taken = LambdaContext("engawa", 1024), []
    with _botocore() as of_botocore:
        for _ in range(WARM_UP + runs):
            # A user who writes every ten seconds.
            world.clock.now += 10_000
            before, began = of_botocore(), time.process_time()
            answer = world.app(asked, context)
            taken.append(time.process_time() - began - (of_botocore() - before))
            if answer["statusCode"] != 200:
                raise RuntimeError(answer)
    return median(taken[WARM_UP:]) * 1000


@contextmanager
def _botocore() -> Iterator[Callable[[], float]]:
    """How much of the processor's time botocore, and the AWS behind it, have taken since the block began."""
    send, spent = BaseClient._make_api_call, [0.0]  # type: ignore[attr-defined]

    def sending(client: Any, operation: str, request: Any) -> Any:
        began = time.process_time()
        try:
            return send(client, operation, request)
        finally:
            spent[0] += time.process_time() - began

    with patch.object(BaseClient, "_make_api_call", sending):
        yield lambda: spent[0]


@contextmanager
def _logging() -> Iterator[None]:
    """Log as on Lambda, to nowhere."""
    with open(os.devnull, "w") as nowhere, logs.started(nowhere):
        yield
