"""Requests that never reach the app: the local platform always answers with JSON."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.kit.served import Served

APPDATA = "/2/apps/appdata/@me/@self"


def assert_error(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json()["error"] == code
    assert answer.json()["error_description"]
    assert "Server" not in answer.headers


def test_an_unknown_route(served: Served) -> None:
    assert_error(httpx.get(f"{served.base_url}/no/such/thing"), 404, "not_found")


def test_a_wrong_method(served: Served) -> None:
    answer = httpx.request("LOCK", f"{served.base_url}{APPDATA}")

    assert_error(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_head_answers_without_a_body(served: Served) -> None:
    answer = httpx.head(f"{served.base_url}/no/such/thing")

    assert answer.status_code == 404
    assert answer.content == b""


def test_head_says_how_long_get_is_and_another_request_follows(served: Served) -> None:
    length = len(httpx.get(f"{served.base_url}/openapi.json").content)
    heads = b"HEAD /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2

    answers = exchange(served, heads + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answers.count(f"Content-Length: {length}\r\n".encode()) == 2
    assert len(answers) < 5_000
    assert json.loads(answers.rpartition(b"\r\n\r\n")[2])["status"] == "ok"


def test_head_of_what_stands_beside_the_app(served: Served) -> None:
    for path in ("/sample", "/sample/style.css"):
        got, asked = httpx.get(served.base_url + path), httpx.head(served.base_url + path)
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        assert asked.headers["Content-Length"] == str(len(got.content))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_20_mb_sees_413(served: Served, chunked: bool) -> None:
    body = (b"x" * 1_000_000 for _ in range(20)) if chunked else b"x" * 20_000_000

    answer = httpx.post(f"{served.base_url}{APPDATA}", content=body, timeout=30)

    assert_error(answer, 413, "request_entity_too_large")
    assert "6291456" in answer.json()["error_description"]
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\n\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: ten\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_http_gets_400(served: Served, request_bytes: bytes) -> None:
    head, _, body = exchange(served, request_bytes).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nContent-Type: application/json; charset=utf-8\r\n" in head
    assert json.loads(body)["error"] == "bad_request"


def test_a_connection_serves_many_requests(served: Served) -> None:
    requests = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n" * 2 + b"GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    assert exchange(served, requests).count(b"HTTP/1.1 404 Not Found\r\n") == 3


def exchange(served: Served, data: bytes) -> bytes:
    """Send `data` and read until the server closes."""
    with socket.create_connection(("127.0.0.1", int(served.environment["PORT"])), timeout=30) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))
