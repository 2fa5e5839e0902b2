"""Keeps web pages out of the embedded AWS, which asks nobody who they are and lets pages of every origin read.

Programs on this machine send no `Origin` and ask for 127.0.0.1. A page in a browser sends its origin with whatever
could change something or be read, and one whose own name was made to lead here (DNS rebinding) asks for that name.
What pages may have is what a presigned URL names: a browser follows the app's redirect to an oversized answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

_READS = ("GET", "HEAD", "OPTIONS")
_REFUSAL = b'{"error":"permission_denied","error_description":"The embedded AWS is not for web pages."}'


class Fence:
    """An ASGI application in front of ministack's, which is served on `port`."""

    def __init__(self, app: Callable[..., Any], port: int) -> None:
        self._app = app
        self._hosts = {f"{host}:{port}".encode() for host in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on, or answer it 403."""
        if scope["type"] == "lifespan" or self._admits(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_REFUSAL)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})
        else:
            await send({"type": "websocket.close"})

    def _admits(self, scope: dict[str, Any]) -> bool:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if scope["type"] != "http" or headers.get(b"host") not in self._hosts:
            return False
        if b"origin" not in headers:
            return True
        return scope["method"] in _READS and "X-Amz-Signature" in parse_qs(scope["query_string"].decode("latin-1"))
