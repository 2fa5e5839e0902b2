"""Lambda's Runtime API: the process of a function gets its events and returns its responses through it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

MAX_PAYLOAD = 6_291_456
"""The maximum size of an event, and of a response, in bytes."""
_API = "/2018-06-01/runtime/"


@dataclass
class Invocation:
    """An event and, once it has ended, its response or error."""

    payload: bytes
    deadline: float
    """Seconds since the epoch."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    error: str | None = None

    def end(self, answer: bytes = b"", error: str | None = None) -> None:
        """Set the result and wake the threads that wait for it."""
        self.answer, self.error = answer, error
        self.ended.set()


class RuntimeApi(ThreadingHTTPServer):
    """The Runtime API of one function."""

    daemon_threads = True

    def __init__(self) -> None:
        """Start the server."""
        super().__init__(("127.0.0.1", 0), _Asked)
        self.events: queue.Queue[Invocation | None] = queue.Queue()
        self.working: dict[str, Invocation] = {}
        self.ready = threading.Event()
        self.failure: str | None = None
        self._waiting = 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def next(self) -> Invocation | None:
        """Wait for the next event and return it; return None if the process that asked has been stopped."""
        self.ready.set()
        self._waiting += 1
        try:
            invocation = self.events.get()
        finally:
            self._waiting -= 1
        if invocation is not None:
            self.working[invocation.id] = invocation
        return invocation

    def forget(self) -> None:
        """Release the requests that wait for an event, and drop the events that were not taken."""
        with suppress(queue.Empty):
            while True:
                self.events.get_nowait()
        for _ in range(self._waiting):
            self.events.put(None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a broken connection: its process was stopped. Report other errors."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _trace() -> str:
    """Return the trace header of an invocation that is not traced."""
    root = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    return f"{root};Parent={uuid.uuid4().hex[:16]};Sampled=0"


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The response is sent in one piece: a second piece would wait for the client's ACK.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        api = cast(RuntimeApi, self.server)
        invocation = api.next() if self.path == _API + "invocation/next" else None
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:ap-northeast-1:000000000000:function:engawa",
            "Lambda-Runtime-Trace-Id": _trace(),
            "Content-Type": "application/json",
        }
        self._send(200, invocation.payload, headers)

    def do_POST(self) -> None:
        api, body = cast(RuntimeApi, self.server), self._body()
        if self.path == _API + "init/error":
            api.failure = body.decode("utf-8", "replace")
            self._send(202, b'{"status":"OK"}')
            return
        _, _, id, what = self.path.removeprefix("/2018-06-01/").split("/")
        invocation = api.working.pop(id)
        if what == "error":
            invocation.end(error=body.decode("utf-8", "replace"))
        elif len(body) > MAX_PAYLOAD:
            self._send(413, b'{"errorType":"RequestEntityTooLarge"}')
            invocation.end(error=f"Function.ResponseSizeTooLarge: {len(body)} bytes")
            return
        else:
            invocation.end(body)
        self._send(202, b'{"status":"OK"}')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
