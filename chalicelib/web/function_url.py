"""Requests to a Lambda function URL: its events become those of API Gateway, which Chalice takes, and back.

An event has payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html. The path is
encoded, as the client has sent it; names of headers are in lower case, and several lines of one header are joined by
commas; cookies may be apart; a body of another type than text or JSON is in base64.

Anyone can call a function URL. CloudFront shows by a key that a request comes through it; until `has_key` has seen
that key, nothing else of the event is read.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote

from chalicelib.core.errors import BadRequest, Refusal
from chalicelib.core.oauth import is_one_of
from chalicelib.web.error_answers import help_link
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import PROXY_KEY, UNKNOWN
from chalicelib.web.routing import without_last_slash
from chalicelib.web.telemetry import REQUEST_ID

Match = Callable[[Sequence[str]], tuple[str | None, dict[str, str]]]
"""Returns the route and the parameters for the decoded segments of a path (web/routing.py)."""

LEAST_COMPRESSED = 1_400
"""The characters from which a body is compressed: a smaller one fits a packet."""
_GZIP = re.compile(r"(?:^|,)[ \t]*gzip[ \t]*(?:$|,|;[ \t]*q=(?:1|0\.0{0,2}[1-9]))", re.IGNORECASE)
_VIEWER = re.compile(r"\[?([0-9A-Fa-f:.]{2,45})\]?:[0-9]{1,5}")
"""CloudFront-Viewer-Address: an address and a port, IPv6 with or without brackets."""
# A quoted string, to the end of the text if it is not closed; nothing backtracks.
_PIECE = re.compile(r'[^",]++|"(?:[^"\\]++|\\.)*+"?|,', re.DOTALL)
_SINGLE = {
    "authorization": re.compile(r"[ \t]*[A-Za-z0-9._-]++ ++[^=, ]"),
    "content-type": re.compile(r"[ \t]*[A-Za-z0-9.+_-]++/[A-Za-z0-9.+_-]++[ \t]*(?:[;,]|$)"),
}
"""How a value begins, in headers that have one value: with a scheme and credentials, or with a type. A comma before
something else is part of the value, as in `OAuth name="value", …`."""


def has_key(event: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Return whether a request shows one of the keys of our CloudFront. Without keys, none does."""
    return is_one_of(keys, (event.get("headers") or {}).get(PROXY_KEY))


def rest_event(event: Mapping[str, Any], match: Match) -> dict[str, Any]:
    """Return the event that API Gateway would make of the same request; its body is bytes if it was in base64.

    Its `sourceIp` is the address that CloudFront has seen. Raises BadRequest for a body that is not base64.
    """
    context = event["requestContext"]
    method = context["http"]["method"]
    path = without_last_slash(event["rawPath"])
    route, parameters = match([unquote(segment) for segment in path.split("/")])
    query = parse_qs(event.get("rawQueryString") or "", keep_blank_values=True)
    headers = _headers(event)
    viewer = _VIEWER.fullmatch(headers.get("cloudfront-viewer-address", [""])[-1])
    last = {name: values[-1] for name, values in headers.items()}
    return {
        "resource": route or UNKNOWN,
        "path": path,
        "httpMethod": method,
        "headers": last,
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route or UNKNOWN,
            "httpMethod": method,
            "path": path,
            "requestId": context.get("requestId"),
            "identity": {
                "sourceIp": viewer[1] if viewer else context["http"].get("sourceIp"),
                "userAgent": last.get("user-agent"),
            },
        },
        "body": _body(event),
        "isBase64Encoded": False,
    }


def url_answer(answer: Mapping[str, Any], accepted: str = "") -> dict[str, Any]:
    """Return a response of Chalice in payload format 2.0: several lines of a header are joined, cookies are apart.

    A large text is compressed if `accepted`, the Accept-Encoding of the request, has gzip; an ETag stays as it is.
    """
    lines = [(name, str(value)) for name, value in answer["headers"].items()]
    lines += [(name, str(value)) for name, values in answer["multiValueHeaders"].items() for value in values]
    headers: dict[str, str] = {}
    cookies = []
    for name, value in lines:
        if name.lower() == "set-cookie":
            cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    made = {name: answer[name] for name in ("statusCode", "body", "isBase64Encoded") if name in answer}
    if cookies:
        made["cookies"] = cookies
    if len(made["body"]) >= LEAST_COMPRESSED and not made.get("isBase64Encoded") and _GZIP.search(accepted):
        made |= {"body": _compressed(made["body"]), "isBase64Encoded": True}
        headers["Content-Encoding"] = "gzip"
    return {**made, "headers": headers}


def refused(event: Mapping[str, Any], refusal: Refusal) -> dict[str, Any]:
    """Return a refusal that nothing has been done for: it is not even logged."""
    said = {"error": refusal.error, "error_description": refusal.description}
    request_id = str(event["requestContext"].get("requestId"))
    answer = json_answer(said, refusal.status, {REQUEST_ID: request_id, "Link": help_link(refusal.error)})
    return url_answer(answer.to_dict())


def _compressed(text: str) -> str:
    # 31: with gzip's header. The fastest level: the difference to the next ones is smaller than their time.
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return base64.b64encode(packer.compress(text.encode("utf-8")) + packer.flush()).decode("ascii")


def _headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of each header, without our key."""
    headers: dict[str, list[str]] = {}
    for name, value in (event.get("headers") or {}).items():
        if name == PROXY_KEY:
            continue
        begins = _SINGLE.get(name)
        headers[name] = _apart(value, begins) if begins and "," in value else [value]
    if cookies := event.get("cookies"):
        headers["cookie"] = ["; ".join(cookies)]
    return headers


def _apart(value: str, begins: re.Pattern[str]) -> list[str]:
    """Return the lines of a header that were joined by commas. Commas in quotes join nothing."""
    lines = [""]
    for piece in _PIECE.finditer(value):
        if piece[0] == "," and begins.match(value, piece.end()):
            lines.append("")
        else:
            lines[-1] += piece[0]
    return [line.strip() for line in lines]


def _body(event: Mapping[str, Any]) -> str | bytes | None:
    body: str | None = event.get("body")
    if not body:
        return None
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("The body is not base64") from None
