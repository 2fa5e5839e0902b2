"""A model of CloudFront as in infra/edge.yaml: images and pages come from the bucket, all other requests go to the API.

infra/edge.js runs on every response of the API, and of the bucket for pages, as Lambda@Edge runs it (origin response).
It runs in Node if installed, otherwise in Deno, which every development environment has.

- CloudFront itself refuses a GET or HEAD with a body (403), and a URL or a request that is too long (413), with an HTML
  page; such answers never pass the function: …/RequestAndResponseBehaviorCustomOrigin.html. (Other statuses, 414 and
  494, are said to exist, too.) A response of the origin with too many headers becomes 502: …/cloudfront-limits.html
- `Accept-Encoding` reaches the API as the viewer sent it, like every header: no cache policy of the API's own answers
  has it in its key:
  docs.aws.amazon.com/cloudfront/latest/APIReference/API_ParametersInCacheKeyAndForwardedToOrigin.html
- Some headers are hidden from the function and still reach the viewer; some it may only read. If it returns one of
  them, or a header, a status or a body in another form, or too much, the response is 502:
  …/edge-function-restrictions-all.html, …/lambda-event-structure.html, …/cloudfront-limits.html
- `config.requestId` is `X-Amz-Cf-Id`, which the viewer and the API also get, beside `Via`:
  …/lambda-event-structure.html, …/standard-logs-reference.html (`x-edge-request-id`)

… is docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from botocore.exceptions import ClientError
from deno import find_deno_bin

from infra.combine import edge_code
from local.gateway import Answer, Request
from local.images import ABSENT
from tests.kit.api_gateway import HOST

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EDGE_IP = "198.51.100.9"
"""The address that API Gateway or the function URL sees."""
MAX_URL, MAX_HEAD = 8_192, 20_480
"""The bytes of a URL, and of a request or a response without its body."""
MAX_GENERATED = 1_048_576
"""The bytes of a response with a body that the function has made."""
HIDDEN = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-amzn-auth",
        "x-amzn-cf-billing",
        "x-amzn-cf-id",
        "x-amzn-cf-xff",
        "x-amzn-errortype",
        "x-amzn-fle-profile",
        "x-amzn-header-count",
        "x-amzn-header-order",
        "x-amzn-lambda-integration-tag",
        "x-amzn-requestid",
        "x-cache",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""Headers that edge functions neither see nor add, beside X-Amz-Cf-* and X-Edge-*."""
READ_ONLY = frozenset({"transfer-encoding", "via"})
"""Headers that functions for origin responses see, but neither add nor change nor remove."""
# Reads one line and writes one line for each event.
_HARNESS = """
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
const exports = {};
new Function("exports", "require", readFileSync(process.argv[2], "utf8"))(exports, undefined);
for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try { told = { answer: await exports.handler(JSON.parse(line)) }; } catch (error) { told = { error: String(error) }; }
  process.stdout.write(JSON.stringify(told) + "\\n");
}
"""


class EdgeFunction:
    """infra/edge.js in a process of its own."""

    def __init__(self, directory: Path, command: list[str] | None = None) -> None:
        harness, edge = directory / "harness.mjs", directory / "edge.js"
        harness.write_text(_HARNESS, encoding="utf-8")
        edge.write_text(edge_code(), encoding="utf-8")
        command = command or runtimes()[0]
        self._process = subprocess.Popen(
            [*command, str(harness), str(edge)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory
        )
        self._turn = threading.Lock()

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the function's result for an event. Raises ValueError if it throws."""
        process = self._process
        assert process.stdin
        assert process.stdout
        with self._turn:
            process.stdin.write(json.dumps(event).encode() + b"\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
        if "error" in told:
            raise ValueError(told["error"])
        answer: dict[str, Any] = told["answer"]
        return answer

    def stop(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.communicate()


def runtimes() -> list[list[str]]:
    """Return the commands that run JavaScript here: Node, as at the edge, if installed, and Deno."""
    node = shutil.which("node")
    return [*([[node]] if node else []), [find_deno_bin(), "run", "--quiet", "--no-config", "--allow-read"]]


class NotValid(Exception):
    """A result of the function that CloudFront does not accept."""


class CloudFront:
    """A distribution: `images` serves images/*, `pages` docs/*, `api` all other paths.

    `edge` processes the responses of `pages` and `api`. `key` is sent to the API as proof that a request comes through
    this distribution; `host` is the API's name.
    """

    def __init__(
        self,
        images: Callable[[Request], Answer | None],
        api: Callable[[Request], Answer],
        edge: Callable[[dict[str, Any]], dict[str, Any]],
        key: str = "",
        host: str = HOST,
        pages: Callable[[Request], Answer | None] = lambda request: None,
    ) -> None:
        self._images = images
        self._pages = pages
        self._api = api
        self._edge = edge
        self._own = {"host": host, "via": "2.0 cloudfront", "x-engawa-proxy-key": key}

    def handle(self, request: Request) -> Answer:
        """Return the response to a viewer's request."""
        request_id = f"{secrets.token_urlsafe(40)}=="
        answer = _refused(request) or self._images(request)
        if not answer and (page := self._pages(request)):
            answer = self._edged(request, page, request_id, origin="s3")
        answer = answer or self._from_api(request, request_id)
        return Answer(answer.status, [*answer.headers, *traces(request_id)], answer.body)

    def _from_api(self, request: Request, request_id: str) -> Answer:
        forwarded = ", ".join([*filter(None, [request.header("x-forwarded-for")]), request.source_ip])
        # The policy AllViewerExceptHostHeader also adds headers about the viewer, such as this one.
        viewer = {"x-forwarded-for": forwarded, "cloudfront-viewer-address": f"{request.source_ip}:46532"}
        own = self._own | viewer | {"x-amz-cf-id": request_id}
        headers = [(name, value) for name, value in request.headers if name.lower() not in own]
        headers += [(name.title(), value) for name, value in own.items()]
        sent = Request(request.method, request.target, headers, request.body, EDGE_IP)
        answer = self._api(sent)
        return self._edged(request, answer, request_id)

    def _edged(self, request: Request, answer: Answer, request_id: str, origin: str = "custom") -> Answer:
        if _length(answer.headers) > MAX_HEAD:
            return _page(502, "Error from cloudfront")
        given = self._edge(origin_response(request, answer, request_id, origin))
        try:
            return _validated(given, answer)
        except NotValid as failure:
            return _page(502, "LambdaValidationError from cloudfront", f"failed validation: {failure}")


def traces(request_id: str) -> list[tuple[str, str]]:
    """Return the headers that CloudFront adds to every answer."""
    return [("Via", "1.1 0123456789abcdef.cloudfront.net (CloudFront)"), ("X-Amz-Cf-Id", request_id)]


def is_hidden(name: str) -> bool:
    """Return whether edge functions neither see nor add the header `name`."""
    return name.lower() in HIDDEN or name.lower().startswith(("x-amz-cf-", "x-edge-"))


class BucketPages:
    """The answers of S3 to CloudFront for docs/*, from a folder of a bucket.

    CloudFront may read objects and not list them, so an object that does not exist is a 403 with XML:
    docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. A key has at most 1,024 bytes, decoded:
    docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html, .../API/ErrorResponses.html (KeyTooLongError)
    """

    def __init__(self, client: S3Client, bucket: str, folder: str) -> None:
        self._client = client
        self._bucket = bucket
        self._folder = folder

    def __call__(self, request: Request) -> Answer | None:
        """Return the answer to a request; None if its path is not below docs/."""
        path = request.target.partition("?")[0]
        if not path.startswith("/docs/"):
            return None
        key = unquote_to_bytes(self._folder + path)
        if len(key) > 1_024:
            return _xml(400, "KeyTooLongError")
        try:
            stored = self._client.get_object(Bucket=self._bucket, Key=key.decode("utf-8", "replace"))
        except ClientError as failed:
            if failed.response["Error"]["Code"] not in ABSENT:
                raise
            return _xml(403, "AccessDenied")
        headers = [(name, stored[key]) for name, key in _OF_OBJECTS.items()]  # type: ignore[literal-required]
        return Answer(200, headers, stored["Body"].read())


def _xml(status: int, code: str) -> Answer:
    return Answer(status, [("Content-Type", "application/xml")], f"<Error><Code>{code}</Code></Error>".encode())


_OF_OBJECTS = {"Content-Type": "ContentType", "Cache-Control": "CacheControl", "ETag": "ETag"}


def origin_response(
    request: Request, answer: Answer, request_id: str = "AbC==", origin: str = "custom"
) -> dict[str, Any]:
    """Return the event of Lambda@Edge for a response of the origin, which is `custom` or `s3`."""
    config = {
        "distributionDomainName": "d111111abcdef8.cloudfront.net",
        "distributionId": "EXAMPLE",
        "eventType": "origin-response",
        "requestId": request_id,
    }
    return {
        "Records": [
            {
                "cf": {
                    "config": config,
                    "request": {
                        "clientIp": request.source_ip,
                        "method": request.method,
                        "uri": request.target.partition("?")[0],
                        "querystring": request.target.partition("?")[2],
                        "headers": _grouped(request.headers),
                        "origin": {origin: {"domainName": "origin.example", "path": ""}},
                    },
                    "response": {
                        "status": str(answer.status),
                        "statusDescription": "",
                        "headers": _grouped(answer.headers),
                    },
                }
            }
        ]
    }


def _refused(request: Request) -> Answer | None:
    """Return CloudFront's own refusal of a request, or None."""
    url = f"https://{request.header('host')}{request.target}"
    line = f"{request.method} {request.target} HTTP/1.1\r\n"
    if len(url) > MAX_URL or len(line) + _length(request.headers) > MAX_HEAD:
        return _page(413, "Error from cloudfront")
    if request.body and request.method in ("GET", "HEAD"):
        return _page(403, "Error from cloudfront")
    return None


def _page(status: int, cache: str, said: str = "") -> Answer:
    body = f"<HTML>The request could not be satisfied. {said}</HTML>\n"
    return Answer(status, [("Content-Type", "text/html"), ("X-Cache", cache)], body.encode())


def _length(headers: list[tuple[str, str]]) -> int:
    """Return the bytes of headers, each in a line."""
    return sum(len(f"{name}: {value}\r\n") for name, value in headers)


def _validated(given: Any, answer: Answer) -> Answer:
    """Return the response that the function's result makes of the origin's `answer`. Raises NotValid."""
    if not isinstance(given, dict) or not isinstance(given.get("headers", {}), dict):
        raise NotValid("not a response")
    status = given.get("status")
    if not isinstance(status, str) or not re.fullmatch("[1-5][0-9]{2}", status):
        raise NotValid("status")
    headers = [each for name, several in given.get("headers", {}).items() for each in _lines(name, several)]
    read_only = [sorted(each for each in lines if each[0].lower() in READ_ONLY) for lines in (answer.headers, headers)]
    if read_only[0] != read_only[1]:
        raise NotValid("a read-only header")
    body = _generated(given, answer)
    if "body" in given and len(body) + _length(headers) > MAX_GENERATED:
        raise NotValid("size")
    kept = [each for each in answer.headers if is_hidden(each[0])]
    return Answer(int(status), [*kept, *headers], body)


def _lines(name: str, several: Any) -> list[tuple[str, str]]:
    """Return the lines of one header in the function's result. Raises NotValid."""
    if is_hidden(name):
        raise NotValid(f"the header {name}")
    if name != name.lower() or not isinstance(several, list):
        raise NotValid(f"the form of the header {name}")
    lines = []
    for one in several:
        if not isinstance(one, dict) or not {"value"} <= one.keys() <= {"key", "value"}:
            raise NotValid(f"the form of the header {name}")
        key, value = one.get("key", name), one["value"]
        if not isinstance(key, str) or key.lower() != name or not isinstance(value, str):
            raise NotValid(f"the form of the header {name}")
        lines.append((key, value))
    return lines


def _generated(given: dict[str, Any], answer: Answer) -> bytes:
    """Return the body: the one that the function has made, or else the origin's. Raises NotValid."""
    if "body" not in given:
        return answer.body
    body, encoding = given["body"], given.get("bodyEncoding", "text")
    if not isinstance(body, str) or encoding not in ("text", "base64"):
        raise NotValid("the body")
    try:
        return base64.b64decode(body, validate=True) if encoding == "base64" else body.encode()
    except binascii.Error as failure:
        raise NotValid("the body") from failure


def _grouped(headers: list[tuple[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Return headers as an edge function sees them."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for name, value in headers:
        if not is_hidden(name):
            grouped.setdefault(name.lower(), []).append({"key": name, "value": value})
    return grouped
