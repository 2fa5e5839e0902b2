"""Cold start: from the start of Lambda's runtime client to the first answer, as a ratio to what cannot be less.

Ours is the zip that is deployed, asked by an access token for one's own data, which it reads from an embedded AWS, with
its keys from Secrets Manager. The floor is an empty Chalice app that makes a client of DynamoDB and answers without
asking it. Both run under `awslambdaric` with the same libraries and their bytecode, in turn, a new process each time.
"""

from __future__ import annotations

import platform
import resource
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.emulated import running
from infra import bundle
from local.in_process import ME
from local.lambda_event import event
from local.lambda_runtime import Function, lay_out

RUNS = 11
MOST = 1.25
"""How many times the floor a cold start may take, at the median."""
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
FLOOR = """
import boto3
from chalice.app import Chalice

app = Chalice(app_name="floor")
client = boto3.client("dynamodb")


@app.route("/", methods=["GET"])
def answer():
    return {}
"""


@dataclass
class Started:
    """Seconds of each start: on the clock, and of the processor's time."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ColdStarts:
    """What was measured of both."""

    ours: Started
    floor: Started

    @property
    def ratio(self) -> float:
        """Of the medians, on the clock."""
        return median(self.ours.clock) / median(self.floor.clock)

    @property
    def processor_ratio(self) -> float:
        """Of the medians, of the processor's time: steadier where the machine has other work."""
        return median(self.ours.processor) / median(self.floor.processor)


def measure(directory: Path, runs: int = RUNS) -> ColdStarts:
    """Start both so many times in turn, with their files in `directory`."""
    ours, floor = _laid_out(directory / "ours"), _floor(directory)
    taken = ColdStarts(Started(), Started())
    with running(directory) as (environment, token):
        data = event("GET", "/2/apps/appdata/{user}/{group}", ME, {"user": "@me", "group": "@self"}, token)
        nothing = event("GET", "/", "/", None, token)
        # The first of each reads from the disk what the others find in memory.
        for started in (ColdStarts(Started(), Started()), *[taken] * runs):
            _start(ours, environment, data, started.ours)
            _start(floor, environment, nothing, started.floor)
    return taken


def _start(code: Path, environment: Mapping[str, str], asked: Mapping[str, Any], told: Started) -> None:
    function = Function("app.app", code, environment)
    before = _processor()
    try:
        began = time.perf_counter()
        answer = function.invoke(asked)
        told.clock.append(time.perf_counter() - began)
    finally:
        function.stop()
    told.processor.append(_processor() - before)
    if answer["statusCode"] != 200:
        raise RuntimeError(f"{answer}\n{function.log()}")


def _processor() -> float:
    """Seconds of all processes that this one has started and seen the end of."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _laid_out(directory: Path) -> Path:
    """The zip for this Python and this processor, unpacked beside the runtime client."""
    python, architecture = "{}.{}".format(*sys.version_info), MACHINES[platform.machine().lower()]
    bundle.build(directory / "deployment.zip", bundle.ROOT / "build" / "tests", architecture, python)
    task = lay_out(directory)
    with zipfile.ZipFile(directory / "deployment.zip") as made:
        made.extractall(task)
    return task


def _floor(directory: Path) -> Path:
    """The floor's app, with the libraries of `directory`/ours."""
    ours, floor = directory / "ours", directory / "floor"
    (floor / "task").mkdir(parents=True)
    (floor / "runtime").symlink_to(ours / "runtime")
    for library in (ours / "task").iterdir():
        if library.name not in ("app.py", "chalicelib", "__pycache__"):
            (floor / "task" / library.name).symlink_to(library)
    (floor / "task" / "app.py").write_text(FLOOR)
    return floor / "task"
