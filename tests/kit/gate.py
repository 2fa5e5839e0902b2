"""Stands in front of a server and lets requests wait, so that a test knows how far whoever sends them has come.

with Gate("http://127.0.0.1:4570", lambda request: b"Delete" in request.body) as gate:
    ...                    # what is tested asks gate.url
    gate.await_held()      # it waits now
    gate.open()            # from here on nothing waits
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
"""Seconds within which what is tested has to come as far."""
_OF_THE_CONNECTION = {"connection", "content-length", "expect", "host", "keep-alive", "transfer-encoding"}


class Gate:
    """Passes everything on to `target`, but holds back the requests that `holds` is true for until it is opened."""

    def __init__(self, target: str, holds: Callable[[Request], bool]) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._held, self._open = threading.Event(), threading.Event()
        self._server = Server(port)
        self._server.serve(_Passing(urlsplit(target).netloc, self._wait))
        self._holds = holds

    def await_held(self) -> None:
        """Return when a request waits here."""
        assert self._held.wait(PATIENCE), "no request came that the gate holds back"

    def open(self) -> None:
        """Let all requests pass that wait, and all that come."""
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
    """Has a server of its own answer."""

    def __init__(self, netloc: str, wait: Callable[[Request], None]) -> None:
        self._netloc = netloc
        self._wait = wait

    def handle(self, request: Request) -> Answer:
        """The answer of the server, once the request may pass."""
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
