"""Serves the app over the embedded AWS, a process for each connection, and some die: `python -m tests.kit.mortal`.

A request with the header `X-Dies: before 2` ends its process by SIGKILL instead of the second call to AWS, with `after`
when that has been answered; nothing is cleaned up, and the client gets no answer. Other answers tell in `X-Calls` how
many calls there were. PORT, EMULATOR_PORT and ENGAWA_LOCAL_DIR are those of local/environment.py.
"""

from __future__ import annotations

import os
import signal
import socketserver
import sys
import threading
from dataclasses import replace
from importlib import import_module
from typing import Any

from local import keys
from local.embedded import Emulator
from local.environment import STAGE, Environment
from local.gateway import Answer, Gateway, Request
from local.server import Server

LATE = ("chalicelib.api.oauth.server", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "multipart")
"""What the app imports with the first request that needs it, which here would be each one."""


class Fate:
    """When this process dies: `when` is "before" or "after", 0 is never."""

    def __init__(self) -> None:
        self.when, self.turn, self.calls = "", 0, 0
        self._lock = threading.Lock()

    def meet(self, request: Any, **_: Any) -> None:
        """What botocore does before it sends a request."""
        from botocore.httpsession import URLLib3Session

        with self._lock:
            self.calls += 1
            if self.calls == self.turn:
                if self.when == "after":
                    URLLib3Session().send(request)
                os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Gateway):
    """A gateway whose requests say when their process dies."""

    def __init__(self, app: Any, fate: Fate) -> None:
        super().__init__(app)
        self._fate = fate

    def handle(self, request: Request) -> Answer:
        """Answer a request, or die."""
        if dies := request.header("x-dies"):
            self._fate.when, turn = dies.split()
            self._fate.turn = int(turn)
        answer = super().handle(request)
        return replace(answer, headers=[*answer.headers, ("X-Calls", str(self._fate.calls))])


class Forking(socketserver.ForkingMixIn, Server):
    """A process for each connection."""


def main() -> None:
    """Serve until SIGTERM."""
    environment = Environment.read()
    environment.directory.mkdir(parents=True, exist_ok=True)
    emulator = Emulator(environment)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        emulator.await_start()
        environment.apply()
        keys.ensure(environment.token_keys)
        keys.ensure_secret(environment.secret_keys)
        # Only now: what these import reads the environment.
        import boto3

        import app
        from chalicelib import bootstrap
        from local import stack

        stack.create(boto3.client("dynamodb"), boto3.client("s3"), boto3.client("sqs"), STAGE)
        fate = Fate()
        bootstrap._session().register("before-send", fate.meet)
        # Once for all processes: the clients have no connection yet.
        assert bootstrap.platform().images
        for name in LATE:
            import_module(name)
        server = Forking(environment.port)
        server.gateway = Mortal(app.app, fate)
        server.server_activate()
        server.serve_forever(0.05)
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
