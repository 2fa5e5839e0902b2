"""Keeps web pages out of the embedded AWS, which asks nobody who they are and lets pages of every origin read.

Programs on this machine send no `Origin` and ask for a name that nobody else can give. A page in a browser sends its
origin with whatever could change something or be read, and one whose own name was made to lead here (DNS rebinding)
asks for that name. What pages may have is what the app's presigned URLs name, since a browser follows the redirect to
an oversized answer; and the app itself, where it is deployed here, which decides about origins of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

_NAMES = ("127.0.0.1", "localhost")
_SUFFIXES = (".localhost", ".cloudfront.net")
"""Names of this machine, and those that AWS alone gives, by which ministack knows a distribution."""
_ANSWERS = re.compile("/engawa-[^/]+/answers/")
_APIS = "/_aws/execute-api/"
_READS = ("GET", "HEAD", "OPTIONS")
_REFUSAL = b'{"error":"permission_denied","error_description":"The embedded AWS is not for web pages."}'


class Fence:
    """An ASGI application in front of ministack's."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on, or answer it 403."""
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
    if b"origin" not in headers or scope["path"].startswith(_APIS):
        return True
    signed = "X-Amz-Signature" in parse_qs(scope["query_string"].decode("latin-1"))
    return signed and scope["method"] in _READS and _ANSWERS.match(scope["path"]) is not None
