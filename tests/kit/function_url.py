"""A model of a Lambda function URL with AuthType NONE and without `Cors`: its events, and the responses it passes on.

| what | behaviour | source |
|---|---|---|
| a `Host` other than the URL's | 403 | 1 |
| an event over 6 MB | 413; counted as Lambda counts, with a body in base64 | 2 |
| the function fails, takes too long, or returns what is no response | 502 | 3 |
| no instance is free, or ten requests a second for each reserved one are exceeded | 429 | 4 |
| names of headers | in lower case; several lines of one header are joined by commas | 5 |
| cookies | in `cookies`, not in `headers`; of a response only those in `cookies` are set | 5 |
| `rawPath`, `rawQueryString` | as sent, encoded | 5, 6 |
| a body | text if its type is text/*, JSON, XML or JavaScript; else base64, forms and bodies without a type too | 7 |
| `X-Forwarded-For` | reports differ: here only its first address, which a client can choose | 6 |
| `WWW-Authenticate` in responses | renamed `x-amzn-Remapped-www-authenticate` | 8 |
| a response without `Content-Type` | gets application/json | 5 |
| `OPTIONS`, `HEAD`, unknown paths and methods | reach the function | 5 |
| responses | have `x-amzn-RequestId`, which is `requestContext.requestId`, and `X-Amzn-Trace-Id` | 6 |

1 github.com/aws/aws-cdk/issues/20090; docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/
  using-managed-origin-request-policies.html (AllViewerExceptHostHeader)
2 docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; 6,291,456 bytes: "Deep Dive: Lambda's Request Payload
  Size Limit" by Z. Charles
3 …/lambda/latest/dg/urls-monitoring.html: 5xx are function errors and timeouts
4 …/lambda/latest/dg/urls-configuration.html#urls-throttling
5 …/lambda/latest/dg/urls-invocation.html, …/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
6 measured by the authors of emulators (ministack, services/lambda_svc.py)
7 measured in ministackorg/ministack#766
8 reported by users of function URLs; AWS documents it for API Gateway alone
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import quote
from zlib import crc32

from chalice.local import LambdaContext

from chalicelib.web.requests import PROXY_KEY
from local.gateway import MAX_PAYLOAD, Answer, Gateway, Request, payload_size
from local.lambda_runtime import EventTooLarge, FunctionError

HOST = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.ap-northeast-1.on.aws"
_TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
_DROPPED = {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


class Throttled(Exception):
    """No instance of the function is free."""


class Invoked(Protocol):
    """A function that takes an event."""

    def invoke(self, event: Any) -> Any:
        """Return its response. Raises EventTooLarge, FunctionError, Throttled."""


class FunctionUrl:
    """The URL of a function."""

    def __init__(self, function: Invoked) -> None:
        self.function = function
        self.events: list[dict[str, Any]] = []
        """The last ten events, for tests to inspect."""

    def handle(self, request: Request) -> Answer:
        """Return the response to a request sent to the URL itself. Never raises."""
        request_id = str(uuid.uuid4())
        if request.header("host") != HOST:
            return _own(403, {"Message": None}, request_id)
        event = self._event(request, request_id)
        self.events = [*self.events[-9:], event]
        try:
            return _passed_on(self.function.invoke(event), request_id)
        except EventTooLarge:
            return _own(413, {"message": "Request Entity Too Large"}, request_id)
        except Throttled:
            return _own(429, {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}, request_id)
        except (FunctionError, NoAnswer):
            return Answer(502, [("Content-Type", "text/plain"), *_traces(request_id)], b"Internal Server Error")

    def _event(self, request: Request, request_id: str) -> dict[str, Any]:
        path, _, query = (quote(part, safe=_SENT, encoding="latin-1") for part in request.target.partition("?"))
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for name, value in ((name.lower(), value.strip()) for name, value in request.headers):
            if name == "cookie":
                cookies += [each.strip() for each in value.split(";") if each.strip()]
            elif name not in _DROPPED:
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        headers["x-forwarded-for"] = headers.get("x-forwarded-for", request.source_ip).partition(",")[0].strip()
        headers |= {"x-forwarded-port": "443", "x-forwarded-proto": "https", "x-amzn-tls-version": "TLSv1.3"}
        headers["x-amzn-trace-id"] = "Root=1-62ecd163-5f302e550dcde3b12402207d"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            **({"cookies": cookies} if cookies else {}),
            "headers": headers,
            "requestContext": {
                "accountId": "anonymous",
                "apiId": HOST.partition(".")[0],
                "domainName": HOST,
                "domainPrefix": HOST.partition(".")[0],
                "http": {
                    "method": request.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": request.source_ip,
                    "userAgent": request.header("user-agent"),
                },
                "requestId": request_id,
                "routeKey": "$default",
                "stage": "$default",
                "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
                "timeEpoch": time.time_ns() // 1_000_000,
            },
            "isBase64Encoded": False,
        }
        if request.body:
            media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
            if _TEXT.fullmatch(media_type):
                event["body"] = request.body.decode("utf-8", "replace")
            else:
                event |= {"body": base64.b64encode(request.body).decode("ascii"), "isBase64Encoded": True}
        return event


class UrlFront:
    """CloudFront and a function URL around an app in this process. Errors of AWS itself keep AWS's words."""

    def __init__(self, app: Callable[[Any, Any], Any], key: str, milliseconds: int = 600_000) -> None:
        """Wrap an app. `key` is the one that CloudFront sends; empty for requests that bypass CloudFront."""
        self._app = app
        self._key = key
        self._milliseconds = milliseconds
        self.url = FunctionUrl(self)

    def handle(self, request: Request) -> Answer:
        """Return the response to a client's request."""
        added = {
            "host": HOST,
            "cloudfront-viewer-address": f"{request.source_ip}:46532",
            **({PROXY_KEY: self._key} if self._key else {}),
        }
        headers = [(name, value) for name, value in request.headers if name.lower() not in added]
        answer = self.url.handle(replace(request, headers=[*headers, *added.items()], source_ip="198.51.100.9"))
        given_back = [(name.removeprefix("x-amzn-Remapped-"), value) for name, value in answer.headers]
        return Answer(answer.status, given_back, answer.body)

    def invoke(self, event: Any) -> Any:
        """Call the app. Raises EventTooLarge, FunctionError."""
        if payload_size(event) > MAX_PAYLOAD:
            raise EventTooLarge
        try:
            return json.loads(json.dumps(self._app(event, LambdaContext("engawa-local", 512, self._milliseconds))))
        except Exception as error:
            raise FunctionError(repr(error)) from error


class BothFronts:
    """A gateway that sends one of five requests through a function URL, the same ones in each run."""

    def __init__(self, gateway: Gateway, app: Callable[[Any, Any], Any], key: str) -> None:
        self._gateway, self._url = gateway, UrlFront(app, key)

    def handle(self, request: Request) -> Answer:
        """Return the response to a client's request."""
        by_url = crc32(repr(request).encode("utf-8", "surrogatepass")) % 5 == 0
        return (self._url if by_url else self._gateway).handle(request)


class NoAnswer(Exception):
    """A result of a function that is no response in payload format 2.0, or one that AWS's pages advise against."""


# What a client may send in a path or a query; other bytes are encoded.
_SENT = "".join(map(chr, range(0x21, 0x7F)))


def _passed_on(given: Any, request_id: str) -> Answer:
    """Return the response in a function's result. Raises NoAnswer."""
    known = {"statusCode", "headers", "body", "cookies", "isBase64Encoded"}
    if not isinstance(given, dict) or not given.keys() <= known or not isinstance(given.get("body", ""), str):
        raise NoAnswer(str(given)[:200])
    headers, cookies = given.get("headers", {}), given.get("cookies", [])
    if not all(isinstance(value, str) for value in [*headers.values(), *cookies]):
        raise NoAnswer("headers")
    if "set-cookie" in {name.lower() for name in headers}:
        raise NoAnswer("Set-Cookie must be in cookies")
    lines = [
        ("x-amzn-Remapped-www-authenticate" if name.lower() == "www-authenticate" else name, value)
        for name, value in headers.items()
        if name.lower() not in _DROPPED
    ]
    if not any(name.lower() == "content-type" for name, _ in lines):
        lines.append(("Content-Type", "application/json"))
    lines += [("Set-Cookie", value) for value in cookies]
    body: str = given.get("body", "")
    content = base64.b64decode(body) if given.get("isBase64Encoded") else body.encode("utf-8")
    return Answer(int(given["statusCode"]), [*lines, *_traces(request_id)], content)


def _own(status: int, body: dict[str, Any], request_id: str) -> Answer:
    return Answer(status, [("Content-Type", "application/json"), *_traces(request_id)], json.dumps(body).encode())


def _traces(request_id: str) -> list[tuple[str, str]]:
    trace = "Root=1-62ecd163-5f302e550dcde3b12402207d;Parent=0123456789abcdef;Sampled=0"
    return [("x-amzn-RequestId", request_id), ("X-Amzn-Trace-Id", trace)]
