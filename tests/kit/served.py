"""The real local platform, started like `make serve`, on free ports and with its own directory.

It runs under tests/kit/strict.py: it makes no request that AWS would refuse.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from local.environment import free_port
from tests.kit import contract, strict

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass
class Served:
    """A running local platform."""

    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        contract.watch(self.base_url)
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tests.kit.strict", "local"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['EMULATOR_PORT']}"

    @property
    def local_dir(self) -> Path:
        return Path(self.environment["ENGAWA_LOCAL_DIR"])

    @property
    def emulator_pid(self) -> int:
        return int((self.local_dir / "emulator.lock").read_text())

    @cached_property
    def demo(self) -> dict[str, Any]:
        """The ids, secrets and tokens of the demo world."""
        world: dict[str, Any] = json.loads((self.local_dir / "demo.json").read_text())
        return world

    def token(self, *, client: bool = False, **options: object) -> str:
        """Return a new access token: `token(user="hana", app="quest", scope="mixi_apps2", lifetime=60)`."""
        arguments = ["--client"] if client else []
        for name, value in options.items():
            arguments += [f"--{name}={value}"]
        command = [sys.executable, "-m", "local.token", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def aws(self, service: Any, **config: Any) -> Any:
        """Return a boto3 client of the embedded AWS. By default, it does not retry."""
        return boto3.client(
            service,
            endpoint_url=self.emulator_url,
            region_name="ap-northeast-1",
            aws_access_key_id="engawa",
            aws_secret_access_key="engawa",
            config=Config(**{"retries": {"total_max_attempts": 1}} | config),
        )

    def await_answers(self) -> None:
        """Wait until the platform answers by HTTP. If it does not, fail with the end of its log."""
        await_answers(self.base_url, self.process, self.log)

    def log_tail(self) -> str:
        """Return the last printed lines."""
        return log_tail(self.log)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal, wait for the end, and return the exit status (negative if a signal ended the process)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS)
        strict.look_into(self.log)
        return status


def await_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a started process answers by HTTP. If it does not, fail with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{process.args!r} did not start:\n{log_tail(log)}")


def log_tail(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


def fresh_environment(directory: Path, **overrides: str) -> dict[str, str]:
    """Return the environment of a platform with its own ports and directory."""
    own = {
        "PORT": str(free_port()),
        "EMULATOR_PORT": str(free_port()),
        "ENGAWA_LOCAL_DIR": str(directory / "local"),
    }
    return {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **own, **overrides}


def filled_environment(directory: Path, **overrides: str) -> dict[str, str]:
    """Return what `fresh_environment` returns, with the data of a platform that has been started once before.

    The first start creates the tables and the demo world, which takes a third of its processor time.
    """
    environment = fresh_environment(directory, **overrides)
    if "AWS_ENDPOINT_URL" not in overrides and not Path(environment["ENGAWA_LOCAL_DIR"]).exists():
        shutil.copytree(_first_start(), environment["ENGAWA_LOCAL_DIR"], ignore=shutil.ignore_patterns("*.lock"))
    return environment


@cache
def _first_start() -> Path:
    """Start a platform and stop it; return the directory with its data."""
    directory = Path(tempfile.mkdtemp(prefix="engawa-first-start-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    with _run(Served(fresh_environment(directory), directory / "serve.log")) as platform:
        return platform.local_dir


@contextmanager
def running(directory: Path, **environment: str) -> Iterator[Served]:
    """Run a platform with its data in `directory`, and check at the end that it exits with 0."""
    with _run(Served(filled_environment(directory, **environment), directory / "serve.log")) as platform:
        yield platform


@contextmanager
def _run(platform: Served) -> Iterator[Served]:
    try:
        platform.await_answers()
        yield platform
    finally:
        status = platform.stop()
    assert status == 0, platform.log_tail()


def copied_project(directory: Path) -> Path:
    """Copy what Chalice's commands need of the project, and return the folder."""
    directory.mkdir()
    for name in ("chalicelib", "infra", "local", ".chalice"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__", "deployed"))
    shutil.copy(ROOT / "app.py", directory)
    return directory


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Return whether the condition becomes true in time."""
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.1)
    return found
