"""Starts the real local platform, as `make serve` does, on free ports and a directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config

from bench.emulator import free_port
from tests import contract

if TYPE_CHECKING:
    from tests.system.deployed import Deployed

ROOT = Path(__file__).resolve().parent.parent.parent
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
            command = [sys.executable, "-m", "local"]
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
        """The demo world's ids, secrets and tokens."""
        world: dict[str, Any] = json.loads((self.local_dir / "demo.json").read_text())
        return world

    def token(self, *, client: bool = False, **options: object) -> str:
        """A fresh access token: `token(user="hana", app="quest", scope="mixi_apps2", lifetime=60)`."""
        arguments = ["--client"] if client else []
        for name, value in options.items():
            arguments += [f"--{name}={value}"]
        command = [sys.executable, "-m", "local.token", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def aws(self, service: Any, **config: Any) -> Any:
        """A boto3 client of the embedded AWS; without `config` of its own, one that tries once."""
        return boto3.client(
            service,
            endpoint_url=self.emulator_url,
            region_name="ap-northeast-1",
            aws_access_key_id="engawa",
            aws_secret_access_key="engawa",
            config=Config(**{"retries": {"total_max_attempts": 1}} | config),
        )

    def await_answers(self) -> None:
        """Return when HTTP is answered; fail, with what was logged, where it is not."""
        await_answers(self.base_url, self.process, self.log)

    def log_tail(self) -> str:
        """The last lines that were printed."""
        return log_tail(self.log)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; returns the exit status, negative for a signal's."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def await_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when a process that was started answers by HTTP; fail, with the last that it logged, where it does not."""
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
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


def fresh_environment(directory: Path, **overrides: str) -> dict[str, str]:
    """The environment of a platform with ports and a directory of its own."""
    own = {
        "PORT": str(free_port()),
        "EMULATOR_PORT": str(free_port()),
        "ENGAWA_LOCAL_DIR": str(directory / "local"),
    }
    return {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **own, **overrides}


@contextmanager
def running(directory: Path, **environment: str) -> Iterator[Served]:
    """A platform with its data in `directory`, which is to end well."""
    platform = Served(fresh_environment(directory, **environment), directory / "serve.log")
    try:
        platform.await_answers()
        yield platform
    finally:
        status = platform.stop()
    assert status == 0, platform.log_tail()


@pytest.fixture(scope="session", autouse=True)
def _watching() -> Iterator[None]:
    """What served platforms answer to httpx is held against openapi.yaml."""
    with contract.watching():
        yield


@pytest.fixture(autouse=True)
def _as_documented() -> Iterator[None]:
    """A test fails for an undocumented answer also where its thread kept that to itself."""
    contract.told()
    yield
    assert contract.told() == []


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One platform for all tests that only talk to it."""
    with running(tmp_path_factory.mktemp("served")) as platform:
        yield platform


@pytest.fixture(scope="session")
def deployed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The zip under Lambda's runtime client, behind API Gateway and CloudFront, with the data of `served`."""
    from infra import combine
    from tests.system.deployed import Deployed, unpacked

    task = unpacked(tmp_path_factory.mktemp("deployed"))
    made = Deployed(served, task, combine.gateway_responses(), free_port())
    yield made
    made.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts a platform of the test's own: `serve(PORT="8123", ...)`; `serve(**old.environment)` starts it again."""
    started: list[Served] = []

    def start(**environment: str) -> Served:
        platform = Served(fresh_environment(tmp_path, **environment), tmp_path / "serve.log")
        started.append(platform)
        platform.await_answers()
        return platform

    yield start
    running = [platform for platform in started if platform.process.poll() is None]
    for platform in running:
        assert platform.stop() == 0, platform.log_tail()
