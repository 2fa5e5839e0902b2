"""The lines of `make serve` for requests: readable, and without anything secret."""

from __future__ import annotations

import io
import sys

import pytest

from local.gateway import Request
from local.request_lines import print_request, request_line


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/health", "/health"),
        ("/docs?", "/docs"),
        ("/2/people/@me/@friends?fields=id,age&count=5", "/2/people/@me/@friends?fields=id,age&count=5"),
        ("/2/people/@me/@self?oauth_token=SECRET", "/2/people/@me/@self?…"),
        ("/2/people/@me/@self?access_token=SECRET&fields=id&st=SECRET", "/2/people/@me/@self?fields=id&…"),
        ("/sample?code=SECRET&state=SECRET&lang=ja", "/sample?lang=ja&…"),
        ("/sample?%63ode=SECRET&fields%3DSECRET&SECRET&=SECRET", "/sample?…"),
        ("/docs?format=json?access_token=SECRET", "/docs?…"),
        ("/docs?format=json;access_token=SECRET&lang=ja", "/docs?lang=ja&…"),
        ("/\x1b[2J\r\x00\x85", "/�[2J���"),
        ("/" + 300 * "a", "/" + 199 * "a" + "…"),
    ],
)
def test_the_line_of_a_request(target: str, shown: str) -> None:
    assert request_line(Request("GET", target), 200, 1.6) == f"GET {shown} 200 2 ms"


def test_the_method_is_as_harmless_as_the_path() -> None:
    assert request_line(Request("G\x1bT", "/"), 405, 0) == "G�T / 405 0 ms"


def test_a_long_method_is_cut() -> None:
    assert len(request_line(Request(60_000 * "G", "/"), 405, 0)) < 300


def test_a_line_is_printed_with_its_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads print at once: between two calls of `write` there may be another thread's line."""
    printed: list[str] = []

    class Printed(io.StringIO):
        def write(self, text: str) -> int:
            printed.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Printed())

    print_request(Request("GET", "/health"), 200, 1.6)

    assert printed == ["GET /health 200 2 ms\n"]
