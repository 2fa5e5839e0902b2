"""A model of CloudFront as in infra/edge.yaml: images come from the bucket, all other requests go to the API.

infra/edge.js runs on every response of the API, as Lambda@Edge runs it (origin response). It runs in Node if installed,
otherwise in Deno, which every development environment has.

- GET and HEAD with a body are refused by CloudFront itself (403, an HTML page):
  docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
- `Accept-Encoding` reaches the API as the viewer sent it, like every header: no cache policy of the API's own answers
  has it in its key:
  docs.aws.amazon.com/cloudfront/latest/APIReference/API_ParametersInCacheKeyAndForwardedToOrigin.html
- If an edge function returns a header that it may not change, or in another form, the response is 502:
  …/edge-function-restrictions-all.html, …/lambda-event-structure.html
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deno import find_deno_bin

from infra.combine import edge_code
from local.gateway import Answer, Request
from tests.kit.api_gateway import HOST

EDGE_IP = "198.51.100.9"
"""The address that API Gateway or the function URL sees."""
_KEPT = (
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
)
"""Headers that edge functions neither see nor add."""
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


class CloudFront:
    """A distribution: `images` serves images/*, `api` all other paths, and `edge` processes the responses of `api`.

    `key` is sent to the API as proof that a request comes through this distribution; `host` is the API's name.
    """

    def __init__(
        self,
        images: Callable[[Request], Answer | None],
        api: Callable[[Request], Answer],
        edge: Callable[[dict[str, Any]], dict[str, Any]],
        key: str = "",
        host: str = HOST,
    ) -> None:
        self._images = images
        self._api = api
        self._edge = edge
        self._own = {"host": host, "via": "2.0 cloudfront", "x-amz-cf-id": "AbC=", "x-engawa-proxy-key": key}

    def handle(self, request: Request) -> Answer:
        """Return the response to a viewer's request."""
        if answer := self._images(request):
            return answer
        if request.body and request.method in ("GET", "HEAD"):
            return Answer(
                403, [("Content-Type", "text/html"), ("X-Cache", "Error from cloudfront")], b"<HTML></HTML>\n"
            )
        forwarded = ", ".join([*filter(None, [request.header("x-forwarded-for")]), request.source_ip])
        # The policy AllViewerExceptHostHeader also adds headers about the viewer, such as this one.
        own = self._own | {"x-forwarded-for": forwarded, "cloudfront-viewer-address": f"{request.source_ip}:46532"}
        headers = [(name, value) for name, value in request.headers if name.lower() not in own]
        headers += [(name.title(), value) for name, value in own.items()]
        return self._seen_by_edge(
            request, self._api(Request(request.method, request.target, headers, request.body, EDGE_IP))
        )

    def _seen_by_edge(self, request: Request, answer: Answer) -> Answer:
        kept = [(name, value) for name, value in answer.headers if name.lower() in _KEPT]
        event = origin_response(request, Answer(answer.status, [each for each in answer.headers if each not in kept]))
        given = self._edge(event)
        headers = [
            (one.get("key", name), one["value"]) for name, several in given["headers"].items() for one in several
        ]
        if any(name.lower() in _KEPT for name, _ in headers) or any(name != name.lower() for name in given["headers"]):
            return Answer(502, [("Content-Type", "text/html"), ("X-Cache", "LambdaValidationError from cloudfront")])
        return Answer(int(given["status"]), [*kept, *headers], given.get("body", "").encode() or answer.body)


def origin_response(request: Request, answer: Answer) -> dict[str, Any]:
    """Return the event of Lambda@Edge for a response of the origin."""
    return {
        "Records": [
            {
                "cf": {
                    "config": {"distributionId": "EXAMPLE", "eventType": "origin-response", "requestId": "example"},
                    "request": {
                        "clientIp": request.source_ip,
                        "method": request.method,
                        "uri": request.target.partition("?")[0],
                        "querystring": request.target.partition("?")[2],
                        "headers": _grouped(request.headers),
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


def _grouped(headers: list[tuple[str, str]]) -> dict[str, list[dict[str, str]]]:
    grouped: dict[str, list[dict[str, str]]] = {}
    for name, value in headers:
        grouped.setdefault(name.lower(), []).append({"key": name, "value": value})
    return grouped
