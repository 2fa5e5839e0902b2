"""A proxy that holds back requests to a server, so that a test knows how far their sender has got.

with Gate("http://127.0.0.1:4570", lambda request: b"Delete" in request.body) as gate:
    ...                    # the code under test sends requests to gate.url
    gate.await_held()      # it waits now
    gate.open()            # from here on no request waits
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlsplit

from local.environment import free_port
from local.gateway import Answer, Gateway, Request
from local.server import Server

PATIENCE = 120
"""The seconds within which the code under test must get this far."""
_OF_THE_CONNECTION = {"connection", "content-length", "expect", "host", "keep-alive", "transfer-encoding"}


class Gate:
    """A proxy to `target` that holds back the requests for which `holds` is true, until it is opened."""

    def __init__(self, target: str, holds: Callable[[Request], bool]) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._held, self._open = threading.Event(), threading.Event()
        self._server = Server(port)
        self._server.serve(_Passing(urlsplit(target).netloc, self._wait))
        self._holds = holds

    def await_held(self) -> None:
        """Return as soon as a request is held back."""
        assert self._held.wait(PATIENCE), "no request came that the gate holds back"

    def open(self) -> None:
        """Let all waiting and all later requests pass."""
        self._open.set()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.open()
        self._server.stop()

    def _wait(self, request: Request) -> None:
        if not self._open.is_set() and self._holds(request):
            self._held.set()
            self._open.wait()


class _Passing(Gateway):
    """A gateway that passes requests on to another server."""

    def __init__(self, netloc: str, wait: Callable[[Request], None]) -> None:
        self._netloc = netloc
        self._wait = wait

    def handle(self, request: Request) -> Answer:
        """Return the response of the server, once the request may pass."""
        self._wait(request)
        connection = http.client.HTTPConnection(self._netloc, timeout=PATIENCE)
        try:
            connection.putrequest(request.method, request.target, skip_accept_encoding=True)
            for name, value in request.headers:
                if name.lower() not in _OF_THE_CONNECTION:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()
