"""Serves a gateway over HTTP/1.1 on 127.0.0.1, a thread for each connection."""

from __future__ import annotations

import os
import socket
import socketserver
import sys
import threading
import time
from io import BufferedIOBase
from typing import Any, cast

from chalicelib.web.telemetry import REQUEST_ID
from local import wire
from local.environment import HOST
from local.gateway import Answer, Gateway, error, too_large

_IDLE_SECONDS = 75


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Binds its port when made; accepts from `serve_forever` until `stop`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int) -> None:
        """Bind 127.0.0.1:`port`. Raises OSError where the port is taken."""
        self.gateway: Gateway | None = None
        self._accepting = False
        self._busy = 0
        self._idle = threading.Condition()
        super().__init__((HOST, port), _Connection, bind_and_activate=False)
        try:
            self.server_bind()
        except OSError:
            self.server_close()
            raise

    def serve(self, gateway: Gateway) -> None:
        """Accept connections, in a thread of its own, and answer their requests by `gateway`."""
        self.gateway = gateway
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        self._accepting = True

    def stop(self, seconds: float = 10) -> None:
        """Accept no more and wait until the requests at work are answered, `seconds` at most."""
        if self._accepting:
            # Without the thread that accepts, this would wait for ever.
            self.shutdown()
        self.server_close()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what a connection's thread died of, unless it is that the client went away or fell silent."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def working(self, change: int) -> None:
        """Count a request in (1) or out (-1)."""
        with self._idle:
            self._busy += change
            self._idle.notify_all()


class _Connection(socketserver.StreamRequestHandler):
    # Buffered output goes out in one piece; with Nagle's algorithm a second piece would wait for the client's ACK.
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE_SECONDS

    def handle(self) -> None:
        while self._one():
            pass

    def _one(self) -> bool:
        """Answer one request; true where another may follow on the connection."""
        stream = self.rfile
        try:
            if (head := wire.read_head(stream)) is None:
                return False
            if head.expects_continue:
                self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = wire.read_body(stream, head)
        except wire.BadRequest as wrong:
            self._send(wire.to_bytes(error(400, "bad_request", str(wrong)), keep_alive=False))
            self._linger(stream, 1)
            return False
        except wire.BodyTooLarge:
            self._send(wire.to_bytes(too_large(), keep_alive=False))
            self._linger(stream, 30)
            return False
        server = cast(Server, self.server)
        server.working(1)
        try:
            started = time.monotonic()
            answer = cast(Gateway, server.gateway).handle(head.request(body, self.client_address[0]))
            self._send(wire.to_bytes(answer, method=head.method, keep_alive=head.keep_alive))
            _log(head, answer, started)
        finally:
            server.working(-1)
        return head.keep_alive

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _linger(self, stream: BufferedIOBase, seconds: float) -> None:
        """Closing with input unread makes the kernel take the answer back; so read on, within bounds."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(seconds)
        wire.drain(stream, seconds)


def _log(head: wire.Head, answer: Answer, started: float) -> None:
    # Never the query: old clients send their tokens there.
    if os.environ.get("ENGAWA_ACCESS_LOG") == "1":
        path = head.target.partition("?")[0]
        milliseconds = (time.monotonic() - started) * 1000
        request_id = dict(answer.headers).get(REQUEST_ID, "-")
        print(f"{head.method} {path} {answer.status} {milliseconds:.0f} {request_id}", file=sys.stderr)
