"""A fence that keeps web pages out of the embedded AWS: it has no authentication and lets pages of every origin read.

Programs on this machine send no `Origin`, and a `Host` that only this machine or AWS can have. A page in a browser
sends its origin with every request that could change data or be read. A page that uses DNS rebinding sends its own name
as the `Host`. Pages may read the app's presigned URLs, since a browser follows the redirect to an oversized answer.
They may also call the app itself if it is deployed here; the app checks origins on its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

_NAMES = ("127.0.0.1", "localhost")
_DISTRIBUTIONS = ".cloudfront.net"
_SUFFIXES = (".localhost", _DISTRIBUTIONS)
"""Suffixes of this machine's names, and of the names that only AWS assigns: ministack finds a distribution by them."""
_ANSWERS = re.compile("/engawa-[^/]+/answers/")
_APIS = "/_aws/execute-api/"
_READS = ("GET", "HEAD", "OPTIONS")
_REFUSAL = b'{"error":"permission_denied","error_description":"The embedded AWS is not for web pages."}'


class Fence:
    """An ASGI application in front of ministack's."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on, or answer with 403."""
        if scope["type"] == "lifespan" or _admits(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_REFUSAL)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})
        else:
            await send({"type": "websocket.close"})


def _admits(scope: dict[str, Any]) -> bool:
    headers = {name.lower(): value.decode("latin-1").lower() for name, value in scope["headers"]}
    host = headers.get(b"host", "").partition(":")[0]
    if scope["type"] != "http" or not (host in _NAMES or host.endswith(_SUFFIXES)):
        return False
    if b"origin" not in headers or scope["path"].startswith(_APIS) or host.endswith(_DISTRIBUTIONS):
        return True
    signed = "X-Amz-Signature" in parse_qs(scope["query_string"].decode("latin-1"))
    return signed and scope["method"] in _READS and _ANSWERS.match(scope["path"]) is not None
