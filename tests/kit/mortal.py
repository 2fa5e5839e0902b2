"""Serves the app over the embedded AWS, in one process per connection, which may die: `python -m tests.kit.mortal`.

A request with the header `X-Dies: before 2` ends its process by SIGKILL instead of the second call to AWS; with
`after`, when that call has its response. No cleanup runs, and the client gets no response. Other responses have the
number of calls in `X-Calls`. PORT, EMULATOR_PORT and ENGAWA_LOCAL_DIR are those of local/environment.py.
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
from tests.kit import strict

LATE = ("chalicelib.api.oauth.server", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "multipart")
"""Modules that the app imports only when a request needs them. Here, every process would import them again."""


class Fate:
    """The end of this process: `when` is "before" or "after" the call number `turn`; 0 means never."""

    def __init__(self) -> None:
        self.when, self.turn, self.calls = "", 0, 0
        self._lock = threading.Lock()

    def meet(self, request: Any, **_: Any) -> None:
        """Count a call before botocore sends it, and kill the process if its turn has come."""
        from botocore.httpsession import URLLib3Session

        with self._lock:
            self.calls += 1
            if self.calls == self.turn:
                if self.when == "after":
                    URLLib3Session().send(request)
                os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Gateway):
    """A gateway whose requests can kill their process."""

    def __init__(self, app: Any, fate: Fate) -> None:
        super().__init__(app)
        self._fate = fate

    def handle(self, request: Request) -> Answer:
        """Return the response to a request, or die."""
        if dies := request.header("x-dies"):
            self._fate.when, turn = dies.split()
            self._fate.turn = int(turn)
        answer = super().handle(request)
        return replace(answer, headers=[*answer.headers, ("X-Calls", str(self._fate.calls))])


class Forking(socketserver.ForkingMixIn, Server):
    """A server with one process per connection."""


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
        # Imported only now, because these modules read the environment.
        import boto3

        import app
        from chalicelib import bootstrap
        from local import stack

        stack.create(boto3.client("dynamodb"), boto3.client("s3"), boto3.client("sqs"), STAGE)
        fate = Fate()
        session: Any = bootstrap.session()
        session.register("before-send", fate.meet)
        # Created once for all processes: the clients have no connection yet.
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
    with strict.strict():
        main()
