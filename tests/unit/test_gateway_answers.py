"""Responses of the gateway: the HTTP response that it makes from Lambda's result."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest
from chalice.app import Chalice

from infra import packaging
from local.gateway import MAX_PAYLOAD, MIN_COMPRESSED, Answer, Gateway, Request, payload_size


class Saying:
    """A stand-in for an app that always returns the same response."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.routes = {"/a": {"GET": None}}
        self.api = Chalice("fake").api
        self.response = response

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        return self.response


def answered(response: dict[str, Any], *headers: tuple[str, str]) -> Answer:
    return Gateway(Saying(response)).handle(Request("GET", "/a", [*headers]))  # type: ignore[arg-type]


def test_what_json_has_to_escape_counts_as_escaped() -> None:
    assert payload_size({"b": 'あ"'}) == len(b'{"b":"xxx\\""}')


def test_the_largest_answer() -> None:
    response = {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": ""}
    room = MAX_PAYLOAD - payload_size(response)

    assert len(answered({**response, "body": "x" * room}).body) == room
    larger = answered({**response, "body": "x" * (room + 1)})
    assert larger.status == 500
    assert json.loads(larger.body)["error"] == "internal_error"


def test_headers_of_an_answer() -> None:
    answer = answered(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "X-Count": 3},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "あ",
        }
    )

    assert answer.status == 201
    assert answer.headers == [
        ("Content-Type", "text/plain"),
        ("X-Count", "3"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]
    assert answer.body == "あ".encode()


def test_an_answer_without_a_type_is_json() -> None:
    assert answered({"statusCode": 200, "headers": {}, "body": "{}"}).headers == [("Content-Type", "application/json")]


def test_a_binary_answer_is_decoded() -> None:
    body = base64.b64encode(b"\x89PNG").decode()

    assert answered({"statusCode": 200, "headers": {}, "body": body, "isBase64Encoded": True}).body == b"\x89PNG"


LARGE = {"statusCode": 200, "headers": {"ETag": '"1.7"', "Content-Type": "text/plain"}, "body": "x" * MIN_COMPRESSED}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("GZIP;q=0.5, deflate;q=0.4", "gzip"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("identity;q=0, deflate", "deflate"),
        # API Gateway compresses only in the coding with the highest priority.
        ("br, gzip", None),
        ("gzip;q=0.8, identity", None),
        ("gzip;q=0", None),
        ("identity", None),
        ("*", None),
        ("", None),
        ("gzip;q", None),
        ("gzip;q=much", None),
        (",;,", None),
    ],
)
def test_a_large_answer_is_compressed_as_the_client_prefers(accepted: str, coding: str | None) -> None:
    plain = answered(LARGE)
    answer = answered(LARGE, ("Accept-Encoding", accepted))

    opened = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}[coding](answer.body)  # type: ignore[operator]
    assert (answer.status, opened) == (200, plain.body)
    # The ETag stays as it is, a strong one.
    added = [] if coding is None else [("Content-Encoding", coding)]
    assert answer.headers == [("ETag", '"1.7"'), ("Content-Type", "text/plain"), *added]
    assert (len(answer.body) < len(plain.body)) is (coding is not None)


@pytest.mark.parametrize(
    "response",
    [
        {**LARGE, "body": "x" * (MIN_COMPRESSED - 1)},
        {**LARGE, "headers": {"content-encoding": "br"}},
        {"statusCode": 304, "headers": {"ETag": '"1.7"'}, "body": ""},
    ],
)
def test_other_answers_are_not(response: dict[str, Any]) -> None:
    assert answered(response, ("Accept-Encoding", "gzip")) == answered(response)


def test_the_api_on_aws_compresses_from_the_same_size() -> None:
    assert json.loads(packaging.CONFIG.read_text())["minimum_compression_size"] == MIN_COMPRESSED


@pytest.mark.parametrize(
    "response",
    [
        {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b=c"}, "body": ""},
        {"statusCode": "teapot", "headers": {}, "body": ""},
        {"headers": {}, "body": ""},
        {"statusCode": 200, "headers": {}, "body": "\ud800"},
    ],
)
def test_a_response_that_cannot_be_sent(response: dict[str, Any]) -> None:
    answer = answered(response)

    assert answer.status == 500
    assert json.loads(answer.body) == {"error": "internal_error", "error_description": "Internal error."}
