"""API Gateway and Lambda around the app, without sockets: a request becomes an event, the app's result an answer."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from chalice.app import Chalice
from chalice.local import LambdaContext

from chalicelib.web.error_answers import help_link
from chalicelib.web.requests import UNKNOWN
from chalicelib.web.routing import Router, without_last_slash
from chalicelib.web.telemetry import REQUEST_ID

MAX_PAYLOAD = 6_291_456
"""The maximum size of an event, and of a response, as JSON in Lambda, in bytes."""

TIMEOUT_MS = 29_000
"""How long API Gateway waits for a response, so how long a request may take."""

MIN_COMPRESSED = 1_400
"""The size of a body, in bytes, from which it is compressed: `minimum_compression_size` in .chalice/config.json."""

_STAGE = "api"
_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1, mtime=0),
    "deflate": lambda body: zlib.compress(body, 1),
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """An HTTP request. `target` and the header values are the bytes received, decoded as Latin-1."""

    method: str
    target: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    def header(self, name: str) -> str:
        """Return the last value of the header `name` (in lower case), sent in any letter case; empty if not sent."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


@dataclass(frozen=True)
class Answer:
    """An HTTP response; the server adds Content-Length and the headers of the connection."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


def own_hosts(base_url: str) -> frozenset[str]:
    """Return the values of `Host` by which only this machine reaches a platform.

    A page that reaches this machine by DNS rebinding sends the name of its own site instead.
    """
    port = urlsplit(base_url).port
    return frozenset(f"{host}:{port}" for host in ("127.0.0.1", "localhost"))


def error(status: int, code: str, description: str, *headers: tuple[str, str], request_id: str | None = None) -> Answer:
    """Return an error response in Engawa's form; without a `request_id` it gets a new one."""
    body = json.dumps({"error": code, "error_description": description}, separators=(",", ":"))
    named = [("Content-Type", "application/json; charset=utf-8"), (REQUEST_ID, request_id or str(uuid.uuid4()))]
    named.append(("Link", help_link(code)))
    return Answer(status, [*named, *headers], body.encode())


def too_large() -> Answer:
    """Return the response to a request that is too large for Lambda."""
    return error(413, "request_entity_too_large", f"Request is too large (max={MAX_PAYLOAD} bytes as a Lambda event)")


class Gateway:
    """A gateway that calls a Chalice app as API Gateway and Lambda would. It is as thread-safe as its app."""

    def __init__(
        self, app: Chalice, *files: Callable[[Request], Answer | None], milliseconds: int = TIMEOUT_MS
    ) -> None:
        """Wrap an app. `files` are tried before the app, like content that a distribution in front of it serves itself.

        `milliseconds` is the time that the app's context says is left for a request.
        """
        self._app = app
        self._files = files
        self._milliseconds = milliseconds
        self._router = Router(app.routes)

    def handle(self, request: Request) -> Answer:
        """Answer a request. Never raises: an exception of the app is logged and answered with 500.

        A browser that opens an unknown path gets the app's page, as behind a function URL.
        """
        for files in self._files:
            if answer := files(request):
                return answer
        path = without_last_slash(request.target.partition("?")[0])
        route, parameters = self._match(path)
        opens_page = "text/html" in request.header("accept")
        if route is None and not opens_page:
            return error(404, "not_found", "No such resource.")
        methods = self._app.routes[route] if route else {}
        if request.method not in methods and not opens_page:
            return error(405, "method_not_allowed", "Method not allowed.", ("Allow", ", ".join(sorted(methods))))
        event = self._event(request, path, route or UNKNOWN, parameters)
        if payload_size(event) > MAX_PAYLOAD:
            return too_large()
        try:
            return compressed(
                request, _answer(self._app(event, LambdaContext("engawa-local", 512, self._milliseconds)))
            )
        except Exception:
            request_id = event["requestContext"]["requestId"]
            _log.exception("%s %s failed, request %s", request.method, route, request_id)
            return error(500, "internal_error", "Internal error.", request_id=request_id)

    def _match(self, path: str) -> tuple[str | None, dict[str, str]]:
        return self._router.match([_unquote(segment) for segment in path.split("/")])

    def _event(self, request: Request, path: str, route: str, parameters: dict[str, str]) -> dict[str, Any]:
        query = parse_qs(_utf8(request.target.partition("?")[2]), keep_blank_values=True)
        headers: dict[str, list[str]] = {}
        spelling: dict[str, str] = {}
        for name, value in request.headers:
            headers.setdefault(spelling.setdefault(name.lower(), name), []).append(value)
        body, is_base64 = self._body(request)
        return {
            "resource": route,
            "path": path,
            "httpMethod": request.method,
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourceId": hashlib.sha256(route.encode()).hexdigest()[:6],
                "resourcePath": route,
                "httpMethod": request.method,
                "path": path,
                "stage": _STAGE,
                "protocol": "HTTP/1.1",
                "requestId": str(uuid.uuid4()),
                "requestTimeEpoch": time.time_ns() // 1_000_000,
                "identity": {"sourceIp": request.source_ip, "userAgent": request.header("user-agent") or None},
            },
            "body": body,
            "isBase64Encoded": is_base64,
        }

    def _body(self, request: Request) -> tuple[str | None, bool]:
        if not request.body:
            return None, False
        media_type = request.header("content-type").partition(";")[0].strip().lower()
        kinds = (media_type, media_type.partition("/")[0] + "/*", "*/*")
        if not any(kind in self._app.api.binary_types for kind in kinds):
            try:
                return request.body.decode("utf-8"), False
            except UnicodeDecodeError:
                pass  # Not text, whatever its type says; Lambda can carry it only in base64.
        return base64.b64encode(request.body).decode("ascii"), True


def payload_size(payload: Mapping[str, Any]) -> int:
    """Return the bytes that Lambda counts for an event or a response: its JSON, not ASCII-escaped."""
    return len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def compressed(request: Request, answer: Answer) -> Answer:
    """Return a response as API Gateway compresses it, if it is large enough, in the coding that the client prefers.

    It changes no other header, so an `ETag` stays a strong one.
    """
    coding = _preferred_coding(request.header("accept-encoding"))
    encoded = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    if coding not in _CODINGS or encoded or len(answer.body) < MIN_COMPRESSED:
        return answer
    return Answer(answer.status, [*answer.headers, ("Content-Encoding", coding)], _CODINGS[coding](answer.body))


def _preferred_coding(accepted: str) -> str:
    """Return the coding with the highest weight in `Accept-Encoding`, the first of several; "" if there is none."""
    best, weight_of_best = "", 0.0
    for each in accepted.lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        try:
            weight = float(dict(part.split("=") for part in parameters).get("q", "1"))
        except ValueError:
            continue
        if weight > weight_of_best:
            best, weight_of_best = coding, weight
    return best


def _answer(response: dict[str, Any]) -> Answer:
    if (size := payload_size(response)) > MAX_PAYLOAD:
        raise ValueError(f"an answer of {size} bytes is more than Lambda carries (max={MAX_PAYLOAD})")
    headers = [(name, str(value)) for name, value in (response.get("headers") or {}).items()]
    for name, values in (response.get("multiValueHeaders") or {}).items():
        headers += [(name, str(value)) for value in values]
    if any("\r" in text or "\n" in text for header in headers for text in header):
        raise ValueError("a header of the answer contains a line break")
    body = response.get("body") or ""
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode("utf-8")
    return Answer(int(response["statusCode"]), headers, content)


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _unquote(text: str) -> str:
    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8", "replace")
