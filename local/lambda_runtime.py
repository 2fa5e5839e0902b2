"""Lambda around a function, as far as the function can tell: the Runtime API, to which AWS's own runtime client speaks.

The function's process is `awslambdaric`, what Lambda's images for Python run. It has the unpacked zip and the client,
and nothing of the tests' virtual environment: what the zip lacks is not found. Events and answers have Lambda's limits,
one is worked on at a time, and a process that fails or takes too long is replaced.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from local.runtime_api import MAX_PAYLOAD, Invocation, RuntimeApi

START_SECONDS = 30
CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


class EventTooLarge(Exception):
    """Lambda does not take the event."""


class FunctionError(Exception):
    """The function raised, ended, or answered with more than Lambda carries; the text says which."""


class TimedOut(FunctionError):
    """The function did not answer in time."""


class Function:
    """A function of the zip that is unpacked in `code`; `environment` is what the deployment sets for it."""

    def __init__(
        self, handler: str, code: Path, environment: Mapping[str, str], seconds: float = 29, *, sampled: bool = False
    ) -> None:
        """`handler` is Lambda's name for it, such as `app.app`; `code` has the runtime client beside it (`lay_out`).

        `sampled`: its invocations are traced.
        """
        self.handler = handler
        self.starts = 0
        self._code = code
        self.seconds = seconds
        self._turn = threading.Lock()
        self._log = code.parent / f"{handler}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._api = RuntimeApi(sampled=sampled)
        self._environment = {
            **environment,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": f"engawa-{handler}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": environment["AWS_DEFAULT_REGION"],
            "LAMBDA_TASK_ROOT": str(code),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": handler,
            "PYTHONPATH": f"{code}:{code.parent / 'runtime'}",
            "PYTHONUNBUFFERED": "1",
        }

    def invoke(self, event: Any) -> Any:
        """What the function answers to an event. Raises EventTooLarge, FunctionError."""
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if len(payload) > MAX_PAYLOAD:
            raise EventTooLarge(f"{len(payload)} bytes")
        with self._turn:
            self._start()
            invocation = Invocation(payload, time.time() + self.seconds)
            self._api.events.put(invocation)
            self._await(invocation)
        if invocation.error is not None:
            raise FunctionError(invocation.error)
        return json.loads(invocation.answer)

    def log(self) -> str:
        """All that its processes printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def peak(self) -> int:
        """The most memory that its process has had, in bytes, as Lambda reckons it."""
        assert self._process
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) * 1024

    def stop(self) -> None:
        """End its process and the Runtime API."""
        self._kill()
        self._api.shutdown()
        self._api.server_close()

    def _start(self) -> None:
        """Start a process where there is none, and wait until it asks for work, as Lambda's init phase does."""
        if self._process is not None and self._process.poll() is None:
            return
        self.starts += 1
        self._api.ready.clear()
        self._api.failure = None
        # Without site-packages: the interpreter of a virtual environment would lend its libraries.
        command = [sys.executable, "-S", "-m", "awslambdaric", self.handler]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._code, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._api.ready.wait(0.01):
            if self._api.failure or self._process.poll() is not None or time.monotonic() > deadline:
                self._kill()
                raise FunctionError(f"init: {self._api.failure or self.log()[-2000:]}")

    def _await(self, invocation: Invocation) -> None:
        assert self._process
        while not invocation.ended.wait(0.05):
            if time.time() > invocation.deadline:
                self._kill()
                raise TimedOut(f"Task timed out after {self.seconds} seconds")
            if self._process.poll() is not None:
                self._process = None
                raise FunctionError(f"Runtime exited: {self.log()[-2000:]}")

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        # Whoever still waited for work is gone.
        self._api.forget()


def lay_out(directory: Path) -> Path:
    """Put the runtime client into `directory`/runtime, as Lambda's image has it; `directory`/task is for the zip."""
    runtime = directory / "runtime"
    for name in CLIENT:
        for file in distribution(name).files or ():
            if "__pycache__" in file.parts or ".." in file.parts:
                continue
            target = runtime / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
    return directory / "task"
