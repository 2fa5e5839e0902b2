"""HTTP/1.1 on a connection: requests read with limits, answers written in one piece."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedIOBase

from local.gateway import Answer, Request

MAX_HEAD = 65_536
"""Bytes of request line and headers together."""
MAX_BODY = 16_777_216
"""Bytes of a body that are kept; far more than the gateway lets pass."""
MAX_DRAINED = 67_108_864
"""Bytes of a refused body that are still read, so that its sender gets to see the answer."""

_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) (HTTP/1\.[01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\0]*)")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(;[^\r\n]*)?\r?\n")


class BadRequest(Exception):
    """What arrived is not HTTP as it should be; the text says what is wrong."""


class BodyTooLarge(Exception):
    """The body is larger than MAX_BODY."""


class Head:
    """A request line and its headers, decoded as Latin-1."""

    def __init__(self, method: str, target: str, version: str, headers: list[tuple[str, str]]) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        connection = {option.strip().lower() for option in self._all("connection").split(",")}
        self.keep_alive = "close" not in connection and (version == "HTTP/1.1" or "keep-alive" in connection)
        self.expects_continue = version == "HTTP/1.1" and self._all("expect").lower() == "100-continue"
        self.length = self._length()

    def _all(self, name: str) -> str:
        return ",".join(value for key, value in self.headers if key.lower() == name)

    def _length(self) -> int | None:
        """The body's length, None for a chunked one."""
        lengths = {value for key, value in self.headers if key.lower() == "content-length"}
        if encoding := self._all("transfer-encoding"):
            if encoding.lower() != "chunked" or lengths:
                raise BadRequest("Transfer-Encoding must be chunked, without Content-Length.")
            return None
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise BadRequest("Content-Length must be one whole number.")
        return int(lengths.pop()) if lengths else 0

    def request(self, body: bytes, source_ip: str) -> Request:
        """The request as the gateway takes it."""
        return Request(self.method, self.target, self.headers, body, source_ip)


def read_head(stream: BufferedIOBase) -> Head | None:
    """Read up to the empty line after the headers; None where the connection ended. Raises BadRequest."""
    lines: list[str] = []
    left = MAX_HEAD
    while True:
        raw = stream.readline(left + 1)
        left -= len(raw)
        if left < 0:
            raise BadRequest(f"Request line and headers are too long (max={MAX_HEAD} bytes).")
        if not raw.endswith(b"\n"):
            if lines or raw:
                raise BadRequest("The request ended before its headers did.")
            return None
        line = raw.decode("latin-1").rstrip("\r\n")
        if line:
            lines.append(line)
        elif lines:
            return _parse(lines)


def _parse(lines: list[str]) -> Head:
    if not (found := _REQUEST_LINE.fullmatch(lines[0])):
        raise BadRequest("Malformed request line.")
    method, target, version = found.groups()
    if not target.startswith("/"):
        target = re.sub(r"^https?://[^/?]*", "", target, flags=re.IGNORECASE)
        target = target if target.startswith("/") else f"/{target}"
    headers = [_HEADER.fullmatch(line) for line in lines[1:]]
    if not all(headers):
        raise BadRequest("Malformed header.")
    return Head(method, target, version, [(header[1], header[2].strip(" \t")) for header in headers if header])


def read_body(stream: BufferedIOBase, head: Head) -> bytes:
    """Read the body. Raises BodyTooLarge before it is read to its end, BadRequest where it is cut or malformed."""
    if head.length is not None:
        if head.length > MAX_BODY:
            raise BodyTooLarge
        return _exactly(stream, head.length)
    parts: list[bytes] = []
    size = 0
    while chunk := _exactly(stream, _chunk_size(stream, MAX_BODY - size)):
        parts.append(chunk)
        size += len(chunk)
        if stream.readline(3).strip():
            raise BadRequest("Malformed chunk.")
    while stream.readline(MAX_HEAD).strip():
        pass  # Trailers have no meaning here.
    return b"".join(parts)


def _chunk_size(stream: BufferedIOBase, room: int) -> int:
    if not (found := _CHUNK.fullmatch(stream.readline(1024))):
        raise BadRequest("Malformed chunk.")
    if (size := int(found[1], 16)) > room:
        raise BodyTooLarge
    return size


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    if len(data := stream.read(size)) < size:
        raise BadRequest("The body is shorter than announced.")
    return data


def drain(stream: BufferedIOBase, seconds: float) -> None:
    """Read and forget what still comes, for `seconds` and MAX_DRAINED bytes at most."""
    left = MAX_DRAINED
    deadline = time.monotonic() + seconds
    while left > 0 and time.monotonic() < deadline and (data := stream.read1(MAX_HEAD)):
        left -= len(data)


def to_bytes(answer: Answer, *, method: str = "", keep_alive: bool) -> bytes:
    """The answer as it goes over the wire; without a body where HTTP allows none."""
    bodiless = answer.status in (204, 304)
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() not in _OURS]
    if not bodiless:
        lines.append(f"Content-Length: {len(answer.body)}")
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return head if bodiless or method == "HEAD" else head + answer.body


_OURS = {"date", "content-length", "connection", "transfer-encoding"}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
