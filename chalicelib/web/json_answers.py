"""JSON responses, with the headers that all faces share."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Response

from chalicelib.core.window import Rate

JSON = "application/json; charset=utf-8"
MOST_BYTES = 5_500_000
"""The largest body within the 6 MB (6,291,456 bytes) that Lambda returns; the rest is for headers and rounding."""

# json.dumps would make an encoder for each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(body: Any) -> str:
    """Return JSON as Engawa writes it: without ASCII escapes and without spaces."""
    return _ENCODER.encode(body)


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response. Only the client may cache it, and must revalidate it (by the `ETag`) before use."""
    shared = {"Content-Type": JSON, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(encode(body), {**shared, **(headers or {})}, status)


def data_answer(body: Any, headers: Mapping[str, str], keep: Callable[[bytes, str], str]) -> Response:
    """Return a JSON response of any size: if the body is too large for Lambda, a 303 to the URL from `keep`.

    `keep` takes the body and its content type, stores them and returns a URL. Lambda encodes our JSON once more, as a
    string, so the size of that string is measured.
    """
    return carried(json_answer(body, headers=headers), keep)


def carried(answer: Response, keep: Callable[[bytes, str], str]) -> Response:
    """Return a response with a text body, or the 303 to the URL from `keep`, as `data_answer` does."""
    # Each character takes at most six bytes there, so a short body is small enough without a measurement.
    if len(answer.body) * 6 <= MOST_BYTES or len(json.dumps(answer.body, ensure_ascii=False).encode()) <= MOST_BYTES:
        return answer
    location = keep(answer.body.encode(), str(answer.headers["Content-Type"]))
    kept = {name: str(value) for name, value in answer.headers.items() if name != "Content-Type"}
    return json_answer({"location": location}, 303, {**kept, "Location": location})


def unchanged_answer(etag: str) -> Response:
    """Return a 304: the reader already has this version."""
    return Response("", {"ETag": etag, "Cache-Control": "private, no-cache"}, 304)


def empty_answer() -> Response:
    """Return a 204: success without content."""
    return Response("", {"Cache-Control": "private, no-cache"}, 204)


def rate_headers(rate: Rate | None) -> dict[str, str]:
    """Return `X-RateLimit-Limit`, `-Remaining` and `-Reset` (whole seconds from now); none if the rate is unknown."""
    if rate is None:
        return {}
    return {
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(rate.remaining),
        "X-RateLimit-Reset": str(rate.reset),
    }
