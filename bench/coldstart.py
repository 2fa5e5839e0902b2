"""Cold start: the time from the start of Lambda's runtime client to the first response, compared with a floor.

"Ours" is the deployed zip; it reads the caller's own data from an embedded AWS, with an access token, and its keys from
Secrets Manager. The floor is an empty Chalice app that creates a DynamoDB client and responds without using it. Both
run under `awslambdaric` with the same libraries and their bytecode, in turn, with a new process each time.
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
MOST = 0.95
"""The maximum ratio of a cold start to the floor, by their medians."""
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
    """The seconds of each start: wall-clock time and CPU time."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ColdStarts:
    """The measured starts of ours and of the floor."""

    ours: Started
    floor: Started

    @property
    def ratio(self) -> float:
        """The ratio of the medians of wall-clock time."""
        return median(self.ours.clock) / median(self.floor.clock)

    @property
    def processor_ratio(self) -> float:
        """The ratio of the medians of CPU time: steadier if the machine has other work."""
        return median(self.ours.processor) / median(self.floor.processor)


def measure(directory: Path, runs: int = RUNS) -> ColdStarts:
    """Start both `runs` times in turn, with their files in `directory`; return the times."""
    ours, floor = _laid_out(directory / "ours"), _floor(directory)
    taken = ColdStarts(Started(), Started())
    with running(directory) as (environment, token):
        data = event("GET", "/2/apps/appdata/{user}/{group}", ME, {"user": "@me", "group": "@self"}, token)
        nothing = event("GET", "/", "/", None, token)
        # The first start of each is not counted: it reads files from the disk that later starts find in memory.
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
    """Return the CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _laid_out(directory: Path) -> Path:
    """Build the zip for this Python and this CPU, and unpack it beside the runtime client."""
    python, architecture = "{}.{}".format(*sys.version_info), MACHINES[platform.machine().lower()]
    bundle.build(directory / "deployment.zip", bundle.ROOT / "build" / "tests", architecture, python)
    task = lay_out(directory)
    with zipfile.ZipFile(directory / "deployment.zip") as made:
        made.extractall(task)
    return task


def _floor(directory: Path) -> Path:
    """Create the floor's app, with the libraries of `directory`/ours."""
    ours, floor = directory / "ours", directory / "floor"
    (floor / "task").mkdir(parents=True)
    (floor / "runtime").symlink_to(ours / "runtime")
    for library in (ours / "task").iterdir():
        if library.name not in ("app.py", "chalicelib", "__pycache__"):
            (floor / "task" / library.name).symlink_to(library)
    (floor / "task" / "app.py").write_text(FLOOR)
    return floor / "task"
