"""A program that sends pairs of signals to many processes: `python -m tests.system.pairs_of_signals NAME COUNT`.

NAME is a key of PROCESSES. Each process is forked, which takes a hundredth of the time of a start. It gets a SIGTERM
and a SIGINT with a gap of 0 to 200 microseconds, either when it runs or while it starts. The program prints, as JSON,
the number of processes for each end: "0" or another exit status, or "hung" for processes that had to be killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from tempfile import TemporaryDirectory

from bench.load import served
from local import parts
from local.__main__ import Launcher
from local.environment import Environment, free_port
from local.gateway import Answer, Gateway, Request
from local.server import Server
from local.signals import Wakeup, interrupt_once

GAPS = 200
"""The largest gap between the two signals, in microseconds."""
PATIENCE = 20
"""Seconds until a process counts as hung; normally it ends within milliseconds."""


Tell = Callable[[str], object]
"""A function that a process calls with "starts" when it begins to handle signals, and with "runs" when it runs."""


class _Answering(Gateway):
    """A gateway without an app."""

    def __init__(self) -> None:
        """Do nothing."""

    def handle(self, request: Request) -> Answer:
        """Return an empty response."""
        return Answer(200, [])


class _Light(Launcher):
    """The launcher with its server, but without the parts that take seconds to start."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(Environment.read())
        self._tell = tell

    def _claim(self) -> None:
        self._tell("starts")
        self._server = Server(self._environment.port)

    def _start(self, wakeup: Wakeup) -> None:
        self._check()
        threading.Thread(target=parts.sweep, args=(self, self._ended), daemon=True).start()
        self._serve(_Answering())
        self._tell("runs")

    def sweep(self) -> None:
        """Do nothing."""


def serve(tell: Tell) -> int:
    """Run `make serve`."""
    return _Light(tell).run()


def load(tell: Tell) -> int:
    """Run `make load`, with a sleeping process in place of the platform."""
    interrupt_once()
    process = subprocess.Popen(["sleep", "60"])
    try:
        try:
            tell("runs")
            while True:
                # Wait as for Locust: one long call would miss a signal that came just before it.
                time.sleep(0.01)
        finally:
            served.end(process)
    except KeyboardInterrupt:
        return 0 if process.poll() is not None else 2


PROCESSES = {"serve": serve, "load": load}


def one(process: Callable[[Tell], int], gap: float, when: str) -> str:
    """Send a pair of signals, `gap` microseconds apart, to a new process when it starts or runs. Return its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = process(lambda told: os.write(writing, b"\0") if told == when else None)
        finally:
            os._exit(status)
    os.read(reading, 1)
    first, second = random.sample((signal.SIGTERM, signal.SIGINT), 2)
    begun = time.perf_counter()
    os.kill(child, first)
    while time.perf_counter() - begun < gap / 1e6:
        pass
    os.kill(child, second)
    ended = _end_of(child)
    os.close(reading)
    os.close(writing)
    return ended


def _end_of(child: int) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return str(os.waitstatus_to_exitcode(status))
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def main(name: str, count: int) -> None:
    """Send the pairs, and print the ends of all processes."""
    ends: Counter[str] = Counter()
    with TemporaryDirectory() as directory:
        for turn in range(count):
            os.environ.update(PORT=str(free_port()), EMULATOR_PORT="1", ENGAWA_LOCAL_DIR=directory)
            when = "starts" if name == "serve" and turn % 2 else "runs"
            ends[one(PROCESSES[name], turn * GAPS / count, when)] += 1
            if ends["hung"]:
                break
    print(json.dumps(ends))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
