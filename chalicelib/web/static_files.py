"""Files that are the same for every reader, with entity tags for conditional requests.

file(text, "text/javascript; charset=utf-8") -> File
file_answer(request, file, {"Cache-Control": …}) -> Response
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalice.app import Request, Response

from chalicelib.core.conditions import parse
from chalicelib.web.requests import header_list

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class File:
    """A text, its media type, and the entity tag of exactly that text."""

    text: str
    media_type: str
    etag: str


def file(text: str, media_type: str) -> File:
    """Return a text as a file."""
    return File(text, media_type, f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"')


def read_static(name: str) -> str:
    """Return the text of a file of `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")


def file_answer(request: Request, found: File, headers: Mapping[str, str]) -> Response:
    """Return a file, or 304 if the reader has it. Raises ParameterInvalid for a malformed `If-None-Match`."""
    # The gateway compresses files for clients that take that, and a proxy on the way may keep them.
    kept = {"ETag": found.etag, "Vary": "Accept-Encoding", **headers}
    if parse(None, header_list(request, "if-none-match")).unchanged(found.etag, has_data=True):
        return Response("", {**kept}, 304)
    return Response(found.text, {**kept, "Content-Type": found.media_type, "X-Content-Type-Options": "nosniff"}, 200)
