"""Lambda as a function sees it: the Runtime API, used by AWS's own runtime client.

The function's process runs `awslambdaric`, as Lambda's images for Python do. It has the unpacked zip and the client,
and nothing of the tests' virtual environment: a library that the zip lacks is not found. Events and responses have
Lambda's limits, the function handles one event at a time, and a process that fails or takes too long is replaced.

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
    """The event is larger than Lambda accepts."""


class FunctionError(Exception):
    """The function raised, its process ended, or the response is larger than Lambda allows; the text says which."""


class TimedOut(FunctionError):
    """The function did not respond in time."""


class Function:
    """A function of the zip unpacked in `code`; `environment` has the variables that the deployment sets for it."""

    def __init__(self, handler: str, code: Path, environment: Mapping[str, str], seconds: float = 29) -> None:
        """Prepare the function; its process starts with the first invocation.

        `handler` is Lambda's name for it, such as `app.app`; the runtime client is beside `code` (`lay_out`).
        """
        self.handler = handler
        self.starts = 0
        self._code = code
        self.seconds = seconds
        self._turn = threading.Lock()
        self._log = code.parent / f"{handler}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._api = RuntimeApi()
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
        """Return the function's response to an event. Raises EventTooLarge, FunctionError."""
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
        """Return everything that its processes printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def peak(self) -> int:
        """Return the peak memory of its process in bytes, measured as Lambda does."""
        assert self._process
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) * 1024

    def stop(self) -> None:
        """Stop its process and the Runtime API."""
        self._kill()
        self._api.shutdown()
        self._api.server_close()

    def _start(self) -> None:
        """Start a process if none runs, and wait until it asks for an event, as Lambda's init phase does."""
        if self._process is not None and self._process.poll() is None:
            return
        self.starts += 1
        self._api.ready.clear()
        self._api.failure = None
        # -S: without it, the process could import the libraries of the virtual environment.
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
        # The process that waited for an event no longer exists.
        self._api.forget()


def lay_out(directory: Path) -> Path:
    """Copy the runtime client to `directory`/runtime, as in Lambda's image; return `directory`/task, for the zip."""
    runtime = directory / "runtime"
    for name in CLIENT:
        for file in distribution(name).files or ():
            if "__pycache__" in file.parts or ".." in file.parts:
                continue
            target = runtime / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
    return directory / "task"
