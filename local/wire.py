"""HTTP/1.1 on a connection, with h11: requests are read with limits, responses are written in one piece."""

from __future__ import annotations

import re
import socket
import time
from email.utils import formatdate
from http import HTTPStatus

import h11

from local.gateway import Answer, Request

MAX_HEAD = 65_536
"""Maximum bytes of the request line and headers together."""
MAX_BODY = 16_777_216
"""Maximum bytes of a body; far more than the gateway accepts."""
MAX_DRAINED = 67_108_864
"""Bytes of a refused body that are still read, so that the client receives the response."""

_PIECE = 65_536
_NO_BODY = frozenset({204, 304})
_OURS = frozenset({"date", "content-length", "connection", "transfer-encoding"})


class BadRequest(Exception):
    """The request is not valid HTTP; the text says what is wrong."""


class BodyTooLarge(Exception):
    """The body is larger than MAX_BODY."""


class Connection:
    """The server's side of one connection: receive a request, send its response, repeat while `send` returns True."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._method = ""

    def receive(self) -> Request | None:
        """Read one request; None if the client has closed the connection.

        Raises BadRequest and BodyTooLarge: then send a response, and no other request can follow.
        """
        try:
            head = self._next_event()
            if not isinstance(head, h11.Request):
                return None
            if head.http_version not in (b"1.0", b"1.1"):
                raise BadRequest("The request must be HTTP/1.0 or HTTP/1.1.")
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()]
            if {name.lower() for name, _ in headers} >= {"content-length", "transfer-encoding"}:
                raise BadRequest("Transfer-Encoding must be chunked, without Content-Length.")
            self._method = head.method.decode("latin-1")
            target = _origin_form(head.target.decode("latin-1"))
            return Request(self._method, target, headers, self._body(), self._client.getpeername()[0])
        except h11.RemoteProtocolError as wrong:
            raise BadRequest(f"The request is not HTTP: {wrong}.") from None

    def send(self, answer: Answer) -> bool:
        """Send the response in one piece; return whether another request may follow."""
        headers = [("Date", formatdate(usegmt=True))]
        headers += [(name, value) for name, value in answer.headers if name.lower() not in _OURS]
        if answer.status not in _NO_BODY:
            headers.append(("Content-Length", str(len(answer.body))))
        # h11 itself adds `Connection: close` if no request can follow because of the request or its errors.
        if self._http.their_state is not h11.DONE:
            headers.append(("Connection", "close"))
        encoded = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        events: list[h11.Event] = [
            h11.Response(status_code=answer.status, headers=encoded, reason=_phrase(answer.status)),
            h11.EndOfMessage(),
        ]
        if self._method != "HEAD" and answer.status not in _NO_BODY:
            events.insert(1, h11.Data(data=answer.body))
        self._client.sendall(b"".join(self._http.send(event) or b"" for event in events))
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def linger(self, seconds: float) -> None:
        """Read and discard the remaining input, for `seconds` and MAX_DRAINED bytes at most.

        If a socket is closed with unread input, the kernel may discard the response.
        """
        self._client.shutdown(socket.SHUT_WR)
        self._client.settimeout(seconds)
        left, end = MAX_DRAINED, time.monotonic() + seconds
        while left > 0 and time.monotonic() < end and (data := self._client.recv(_PIECE)):
            left -= len(data)

    def _body(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while isinstance(event := self._next_event(), h11.Data):
            size += len(event.data)
            if size > MAX_BODY:
                raise BodyTooLarge
            parts.append(bytes(event.data))
        return b"".join(parts)

    def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                waiting = self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
                self._client.sendall(waiting or b"")
            self._http.receive_data(self._client.recv(_PIECE))
        return event  # type: ignore[return-value]


def _origin_form(target: str) -> str:
    """Return the path and query of a target that may be a whole URL."""
    if not target.startswith("/"):
        target = re.sub(r"^https?://[^/?]*", "", target, flags=re.IGNORECASE)
    return target if target.startswith("/") else f"/{target}"


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
