"""A server that serves a gateway over HTTP/1.1 on 127.0.0.1, with a thread for each connection."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
import time
from typing import Any, cast

from local import wire
from local.environment import HOST
from local.gateway import Gateway, error, too_large
from local.request_lines import print_request

_IDLE_SECONDS = 75


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A server that binds its port when it is created, and accepts connections from `serve` until `stop`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int, *, requests: bool = False) -> None:
        """Bind 127.0.0.1:`port`; `requests` prints a line for each request. Raises OSError if the port is taken."""
        self.gateway: Gateway | None = None
        self.requests = requests
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
        """Accept connections, in a thread of their own, and let `gateway` answer their requests."""
        self.gateway = gateway
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        self._accepting = True

    def stop(self, seconds: float = 10) -> None:
        """Accept no more connections, and wait `seconds` at most until all running requests are answered."""
        if self._accepting:
            # Without the thread that accepts, this would wait for ever.
            self.shutdown()
        self.server_close()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report the error that ended a connection's thread, unless the client disconnected or timed out."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def working(self, change: int) -> None:
        """Count a request in (1) or out (-1)."""
        with self._idle:
            self._busy += change
            self._idle.notify_all()


class _Connection(socketserver.BaseRequestHandler):
    request: socket.socket

    def setup(self) -> None:
        # With Nagle's algorithm the second answer on a connection would wait for the client's ACK.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.request.settimeout(_IDLE_SECONDS)
        self.connection = wire.Connection(self.request)

    def handle(self) -> None:
        while self._one():
            pass

    def _one(self) -> bool:
        """Answer one request; return whether another may follow on the connection."""
        try:
            request = self.connection.receive()
        except wire.BadRequest as wrong:
            self.connection.send(error(400, "bad_request", str(wrong)))
            self.connection.linger(1)
            return False
        except wire.BodyTooLarge:
            self.connection.send(too_large())
            self.connection.linger(30)
            return False
        if request is None:
            return False
        server = cast(Server, self.server)
        server.working(1)
        try:
            started = time.monotonic()
            answer = cast(Gateway, server.gateway).handle(request)
            follows = self.connection.send(answer)
            if server.requests:
                milliseconds = (time.monotonic() - started) * 1000
                print_request(request, answer.status, milliseconds)
        finally:
            server.working(-1)
        return follows
