"""A model of API Gateway's REST API around a function: its events, and the responses that it passes on.

It uses the routing and the events of the local gateway (local/gateway.py), and also refuses and renames:

| what | behaviour | source |
|---|---|---|
| no route, or no such method | MISSING_AUTHENTICATION_TOKEN; INVALID_SIGNATURE with an `Authorization` | 1 |
| a request over 10 MB, an event over 6 MB | REQUEST_TOO_LARGE | 1, 2 |
| headers over 10,240 bytes, with names and line ends | 413, in words of its own | 2, 8 |
| `context.requestId` in gateway responses | the id that the event and `x-amzn-RequestId` also have | 7 |
| no response in 29 seconds; the function fails, or returns no response | INTEGRATION_TIMEOUT; DEFAULT_5XX, 502 | 1 |
| hop-by-hop headers in requests | do not reach the function | 3 |
| such headers and `WWW-Authenticate` in responses | renamed `x-amzn-Remapped-…`; `Transfer-Encoding` is dropped | 3 |
| a body of a binary type | base64; other bodies are text, and bytes that are not UTF-8 are lost | 4 |
| a base64 response | becomes bytes if the first type of `Accept` is binary; otherwise it is sent unchanged | 4 |
| a body with `Content-Encoding` that is not so encoded, or in another coding | UNSUPPORTED_MEDIA_TYPE | 6 |
| a response from `MIN_COMPRESSED` bytes | compressed, if the client prefers gzip or deflate; other headers stay | 6 |
| `path` | as the client sent it, encoded | 5 |
| path parameters | as sent, or decoded: reports differ, so tests try both (`decodes_paths`) | 5 |

1 docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
2 …/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html,
  …/lambda/latest/dg/gettingstarted-limits.html
3 …/apigateway/latest/developerguide/api-gateway-known-issues.html, measured in architect/architect#879
4 …/apigateway/latest/developerguide/lambda-proxy-binary-media.html
5 encoded: aws/chalice#511 and #688, middleapi/standard-server#93; decoded: dherault/serverless-offline#638
6 …/apigateway/latest/developerguide/api-gateway-make-request-with-compressed-payload.html,
  …/api-gateway-receive-response-with-compressed-payload.html. Whether a body that was unpacked still has its
  `Content-Encoding` is not said; here it has, so that the app refuses it
7 …/api-gateway-gatewayResponse-definition.html
8 the status and the words are of SalesforceCommerceCloud/pwa-kit#2160; AWS gives the limit alone
"""

from __future__ import annotations

import base64
import gzip
import json
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chalice.app import Chalice

from local.gateway import Answer, Gateway, Request, compressed
from local.lambda_runtime import EventTooLarge, Function, FunctionError, TimedOut

MAX_REQUEST, MAX_HEADERS = 10_485_760, 10_240
HOST = "a1b2c3d4e5.execute-api.ap-northeast-1.amazonaws.com"
_HOP = {
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "trailer",
}
REMAPPED = frozenset({*_HOP, "authorization", "date", "host", "upgrade", "user-agent", "www-authenticate"})
DROPPED = frozenset({*_HOP, "te", "transfer-encoding", "upgrade", "www-authenticate"})
_STATUS = {
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "INVALID_SIGNATURE": 403,
    "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "INTEGRATION_TIMEOUT": 504,
}
_UNPACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": lambda body: zlib.decompress(body),
}

Responses = Mapping[str, Mapping[str, Any]]
"""`x-amazon-apigateway-gateway-responses` of an API's definition."""


class NoAnswer(Exception):
    """A result of a function that API Gateway does not accept as a response."""


class _Routed:
    """The parts of an app that the local gateway needs: the routes and the binary types."""

    def __init__(self, app: Chalice) -> None:
        self.routes = app.routes
        self.api = app.api


class ApiGateway(Gateway):
    """A deployed stage: `function` handles the routes of `app`; `responses` are the gateway responses."""

    def __init__(self, app: Chalice, function: Function, responses: Responses, *, decodes_paths: bool = False) -> None:
        super().__init__(_Routed(app))  # type: ignore[arg-type]
        self.function = function
        self.decodes_paths = decodes_paths
        self.events: list[dict[str, Any]] = []
        """The last ten events, for tests to inspect."""
        self._responses = responses

    def handle(self, request: Request) -> Answer:
        """Return the response to a request sent to the stage's own address. Never raises."""
        path = request.target.partition("?")[0]
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        route, parameters = self._match(path)
        request_id = str(uuid.uuid4())
        if sum(len(f"{name}: {value}\r\n") for name, value in request.headers) > MAX_HEADERS:
            said = f"HTTP header is larger than {MAX_HEADERS} bytes.".encode()
            return Answer(413, [("Content-Type", "text/plain"), *_traces(request_id)], said)
        if len(request.body) > MAX_REQUEST:
            return self._own("REQUEST_TOO_LARGE", request_id)
        if route is None or request.method not in self._app.routes[route]:
            kind = "INVALID_SIGNATURE" if request.header("authorization") else "MISSING_AUTHENTICATION_TOKEN"
            return self._own(kind, request_id)
        try:
            request = replace(request, body=_unpacked(request))
        except (OSError, EOFError, zlib.error, LookupError):
            return self._own("UNSUPPORTED_MEDIA_TYPE", request_id)
        if not self.decodes_paths:
            sent = zip(route.split("/"), path.split("/"), strict=True)
            parameters = {name[1:-1]: value for name, value in sent if name.startswith("{")}
        event = self._event(request, path, route, parameters)
        event["requestContext"]["requestId"] = request_id
        self.events = [*self.events[-9:], event]
        try:
            answer = self._passed_on(self.function.invoke(event), request.header("accept"))
        except EventTooLarge:
            return self._own("REQUEST_TOO_LARGE", request_id)
        except TimedOut:
            return self._own("INTEGRATION_TIMEOUT", request_id)
        except (FunctionError, NoAnswer):
            return self._own("DEFAULT_5XX", request_id, 502)
        return compressed(request, replace(answer, headers=[*answer.headers, *_traces(request_id)]))

    def _event(self, request: Request, path: str, route: str, parameters: dict[str, str]) -> dict[str, Any]:
        headers = [(name, value) for name, value in request.headers if name.lower() not in {*DROPPED, "host"}]
        forwarded = ", ".join([*filter(None, [request.header("x-forwarded-for")]), request.source_ip])
        headers = [(name, value) for name, value in headers if not name.lower().startswith("x-forwarded-")]
        added = [
            ("Host", HOST),
            ("X-Forwarded-For", forwarded),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
        ]
        seen = Request(request.method, request.target, [*headers, *added], request.body, request.source_ip)
        event = super()._event(seen, path, route, parameters)
        event["requestContext"] |= {"path": f"/api{path}", "domainName": HOST, "apiId": HOST.partition(".")[0]}
        return event

    def _body(self, request: Request) -> tuple[str | None, bool]:
        if not request.body or self._is_binary(request.header("content-type")):
            return super()._body(request)
        return request.body.decode("utf-8", "replace"), False

    def _is_binary(self, types: str) -> bool:
        first = types.partition(",")[0].partition(";")[0].strip().lower()
        return any(kind in self._app.api.binary_types for kind in (first, first.partition("/")[0] + "/*", "*/*"))

    def _passed_on(self, given: Any, accept: str) -> Answer:
        """Return the response in a function's result. Raises NoAnswer."""
        known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
        if not isinstance(given, dict) or not given.keys() <= known or not isinstance(given.get("body") or "", str):
            raise NoAnswer(str(given)[:200])
        several = {**(given.get("multiValueHeaders") or {})}
        found = [(name, value) for name, value in (given.get("headers") or {}).items() if name not in several]
        found += [(name, value) for name, values in several.items() for value in values]
        if not all(isinstance(value, str | int) for _, value in found):
            raise NoAnswer("headers")
        headers = [(name, str(value)) for name, value in found if name.lower() != "transfer-encoding"]
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "application/json"))
        headers = [(f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name, value) for name, value in headers]
        body = (given.get("body") or "").encode("utf-8")
        if given.get("isBase64Encoded") and self._is_binary(accept):
            body = base64.b64decode(body)
        return Answer(int(given["statusCode"]), headers, body)

    def _own(self, kind: str, request_id: str, status: int = 0) -> Answer:
        """Return the gateway response of `kind`, or else the API's default for 4xx or 5xx, or API Gateway's own."""
        status = status or _STATUS[kind]
        said = self._responses.get(kind) or self._responses.get(f"DEFAULT_{status // 100}XX") or {}
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
        for name, value in (said.get("responseParameters") or {}).items():
            inserted = request_id if value == "context.requestId" else value.removeprefix("'").removesuffix("'")
            headers[name.removeprefix("gatewayresponse.header.")] = inserted
        body = json.dumps({"message": kind})
        for media_type, template in (said.get("responseTemplates") or {}).items():
            body = template.replace("$context.requestId", request_id)
            headers.setdefault("Content-Type", media_type)
        return Answer(int(said.get("statusCode") or status), [*headers.items(), *_traces(request_id)], body.encode())


def _unpacked(request: Request) -> bytes:
    """Return the body without its `Content-Encoding`. Raises LookupError for an unknown coding, others for a body."""
    coding = request.header("content-encoding").strip().lower() or "identity"
    if coding == "identity" or not request.body:
        return request.body
    return _UNPACKED[coding](request.body)


def _traces(request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", request_id), ("x-amz-apigw-id", "AbCdEfGhIjKlMnO=")]
