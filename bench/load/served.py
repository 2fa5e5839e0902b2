"""The platform under load: `python -m local` on free ports, with its own data."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from local.environment import ROOT, Environment, Refused, free_port
from local.ports import accepts

_START_SECONDS = 60
_STOP_SECONDS = 90


@contextmanager
def served(directory: Path) -> Iterator[Environment]:
    """Serve with the data in `directory`, and report the times of each request.

    Inside the block, this process has the environment of the platform. Raises Refused if it does not start.
    """
    own = {
        "PORT": free_port(),
        "EMULATOR_PORT": free_port(),
        "ENGAWA_LOCAL_DIR": directory,
        "ENGAWA_SERVER_TIMING": 1,
        "REQUESTS": "off",
    }
    with patch.dict(os.environ, {name: str(value) for name, value in own.items()}):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        log = directory / "serve.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "local"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            environment = Environment.read()
            _await(process, environment.port, log)
            environment.apply()
            yield environment
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop the platform and wait until it has ended, even if one interrupt arrives meanwhile."""
    try:
        _stop(process)
    except KeyboardInterrupt:
        # The interrupt may have come before the platform got its signal.
        _stop(process)
        raise


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Refused(f"The platform did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
