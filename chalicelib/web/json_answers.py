"""Answers as JSON, with the headers all faces share."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Response

from chalicelib.core.window import Rate

JSON = "application/json; charset=utf-8"
MOST_BYTES = 5_500_000
"""What an answer may take of the 6 MB (6,291,456 bytes) that Lambda returns, headers and rounding left aside."""

# json.dumps would make one at each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(body: Any) -> str:
    """JSON as Engawa writes it: text as it is, not ASCII-escaped, and no spaces."""
    return _ENCODER.encode(body)


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. Nothing may keep it but who asked, and with an `ETag` only to ask again whether it still holds."""
    shared = {"Content-Type": JSON, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(encode(body), {**shared, **(headers or {})}, status)


def data_answer(body: Any, headers: Mapping[str, str], keep: Callable[[bytes, str], str]) -> Response:
    """A JSON answer of any size: 303 to where `keep` has put the body if it is more than Lambda should carry.

    `keep` takes the body and its content type and returns a URL. Lambda carries our JSON encoded once more as a
    string, so that is what is measured.
    """
    return carried(json_answer(body, headers=headers), keep)


def carried(answer: Response, keep: Callable[[bytes, str], str]) -> Response:
    """An answer with a text body, or the 303 to where `keep` has put it, as `data_answer` says."""
    # Each character takes at most six bytes there, so a short body need not be encoded to be known as small.
    if len(answer.body) * 6 <= MOST_BYTES or len(json.dumps(answer.body, ensure_ascii=False).encode()) <= MOST_BYTES:
        return answer
    location = keep(answer.body.encode(), str(answer.headers["Content-Type"]))
    kept = {name: str(value) for name, value in answer.headers.items() if name != "Content-Type"}
    return json_answer({"location": location}, 303, {**kept, "Location": location})


def unchanged_answer(etag: str) -> Response:
    """304: the reader already has this version."""
    return Response("", {"ETag": etag, "Cache-Control": "private, no-cache"}, 304)


def empty_answer() -> Response:
    """204: done, and nothing to tell."""
    return Response("", {"Cache-Control": "private, no-cache"}, 204)


def rate_headers(rate: Rate | None) -> dict[str, str]:
    """`X-RateLimit-Limit`, `-Remaining` and `-Reset` (whole seconds from now); none where the rate is not known."""
    if rate is None:
        return {}
    return {
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(rate.remaining),
        "X-RateLimit-Reset": str(rate.reset),
    }
