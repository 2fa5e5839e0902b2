"""Locust's users: each sends the requests of the mix, by their weights, as all stored users in turn.

Reads two variables that bench/load/__main__.py sets: ENGAWA_LOAD_PLAN, a JSON file with the actors and the requests per
second of each user; ENGAWA_LOAD_SAMPLES, the file for the samples (bench/load/samples.py).
"""

import json
import os
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from locust import FastHttpUser, constant_throughput, events, task

from bench.load.mix import REQUESTS, WEIGHTS, Actor

_plan = json.loads(Path(os.environ["ENGAWA_LOAD_PLAN"]).read_text(encoding="utf-8"))
_actors = cycle([Actor(**each) for each in _plan["actors"]])
_samples: list[tuple[str, float, float, str, str]] = []


class SimulatedUser(FastHttpUser):
    """One of the users who send requests at the same time."""

    wait_time = constant_throughput(_plan["rate"])
    connection_timeout = network_timeout = 30.0
    default_headers = {"Accept-Encoding": "identity"}  # noqa: RUF012

    def on_start(self) -> None:
        """Start the user's own random sequence, the same in every run."""
        self.random = Random(_plan["seeds"].pop())

    @task
    def ask(self) -> None:
        """Send one request; any status other than the expected one is an error."""
        (name,) = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        asked = REQUESTS[name](next(_actors), self.random)
        with self.client.request(
            asked.method,
            asked.path,
            name=name,
            data=asked.body,
            headers=dict(asked.headers),
            allow_redirects=False,
            catch_response=True,
        ) as answer:
            if answer.status_code == asked.status:
                answer.success()
            else:
                answer.failure(f"{answer.status_code}: {(answer.text or str(answer.error))[:200]}")


@events.request.add_listener
def _note(name: str, start_time: float, response_time: float, exception: Any, response: Any, **_: Any) -> None:
    headers = getattr(response, "headers", None) or {}
    error = str(exception) if exception else ""
    _samples.append((name, start_time, response_time, error, headers.get("server-timing", "")))


@events.quitting.add_listener
def _write(**_: Any) -> None:
    Path(os.environ["ENGAWA_LOAD_SAMPLES"]).write_text(json.dumps(_samples), encoding="utf-8")
