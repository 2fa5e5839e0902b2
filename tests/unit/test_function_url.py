"""Events of a function URL as Chalice takes them, and its responses as the function URL takes them."""

from __future__ import annotations

import base64
import copy
import gzip
import hmac
import time
from typing import Any

import pytest

from chalicelib.core.errors import BadRequest, PermissionDenied
from chalicelib.web import function_url
from chalicelib.web.routing import Router

KEY, OLD_KEY = "a-key-of-cloudfront-alone", "the-key-before-this-one"
ROUTES = Router(["/a/{id}", "/a/own", "/"])
EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/a/b%2Fc",
    "rawQueryString": "q=1&q=2&empty=&k=%E3%81%82+x",
    "cookies": ["one=1", "two=2"],
    "headers": {
        "host": "x.lambda-url.ap-northeast-1.on.aws",
        "user-agent": "old phone",
        "x-engawa-proxy-key": KEY,
        "x-forwarded-for": "203.0.113.1",
        "cloudfront-viewer-address": "192.0.2.7:46532",
    },
    "requestContext": {
        "accountId": "anonymous",
        "http": {"method": "POST", "path": "/a/b%2Fc", "protocol": "HTTP/1.1", "sourceIp": "198.51.100.9"},
        "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
        "timeEpoch": 1583348638390,
    },
    "body": '{"k":1}',
    "isBase64Encoded": False,
}


def made(headers: dict[str, str] | None = None, **changed: Any) -> dict[str, Any]:
    """Return the event that Chalice gets for EVENT with changes; None removes a field."""
    event = {**copy.deepcopy(EVENT), **changed}
    event["headers"] |= headers or {}
    event = {name: value for name, value in event.items() if value is not None}
    return function_url.rest_event(event, ROUTES.match)


def test_the_whole_event() -> None:
    event = made()

    assert event["headers"].keys() == event["multiValueHeaders"].keys()
    assert event.pop("multiValueHeaders")["cookie"] == ["one=1; two=2"]
    assert event == {
        "resource": "/a/{id}",
        "path": "/a/b%2Fc",
        "httpMethod": "POST",
        # The key of CloudFront is not passed on, so nothing later can log it.
        "headers": {
            "host": "x.lambda-url.ap-northeast-1.on.aws",
            "user-agent": "old phone",
            "x-forwarded-for": "203.0.113.1",
            "cloudfront-viewer-address": "192.0.2.7:46532",
            "cookie": "one=1; two=2",
        },
        "queryStringParameters": {"q": "2", "empty": "", "k": "あ x"},
        "multiValueQueryStringParameters": {"q": ["1", "2"], "empty": [""], "k": ["あ x"]},
        "pathParameters": {"id": "b/c"},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/a/{id}",
            "httpMethod": "POST",
            "path": "/a/b%2Fc",
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "identity": {"sourceIp": "192.0.2.7", "userAgent": "old phone"},
        },
        "body": '{"k":1}',
        "isBase64Encoded": False,
    }


def test_what_a_request_need_not_have() -> None:
    event = made(cookies=None, body=None, isBase64Encoded=None, rawQueryString="")

    assert "cookie" not in event["headers"]
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    assert (event["queryStringParameters"], event["multiValueQueryStringParameters"]) == (None, None)


def test_cookies_may_stay_among_the_headers() -> None:
    assert made({"cookie": "three=3; four=4"}, cookies=None)["headers"]["cookie"] == "three=3; four=4"


@pytest.mark.parametrize(
    ("path", "route", "parameters"),
    [
        ("/a/own", "/a/own", None),
        ("/a/own/", "/a/own", None),
        ("/%61/%6fwn", "/a/own", None),
        ("/a/%40me", "/a/{id}", {"id": "@me"}),
        ("/a/%E3%81%82", "/a/{id}", {"id": "あ"}),
        ("/a/%FF", "/a/{id}", {"id": "�"}),
        ("/", "/", None),
        ("//", "/", None),
        ("/a/", "unknown", None),
        ("/a//", "unknown", None),
        ("//a/own", "unknown", None),
        ("/a%2Fown", "unknown", None),
        ("", "unknown", None),
        ("/no/such/path", "unknown", None),
        ("/unknown", "unknown", None),
        ("unknown", "unknown", None),
    ],
)
def test_the_route_of_a_path(path: str, route: str, parameters: Any) -> None:
    event = made(rawPath=path)

    assert (event["requestContext"]["resourcePath"], event["pathParameters"]) == (route, parameters)


@pytest.mark.parametrize(
    ("name", "sent", "lines"),
    [
        ("authorization", "OAuth t1,OAuth t2", ["OAuth t1", "OAuth t2"]),
        ("authorization", "Bearer t1, Basic eDp5", ["Bearer t1", "Basic eDp5"]),
        ("authorization", 'OAuth a="1",b="2", c="3"', ['OAuth a="1",b="2", c="3"']),
        ("authorization", 'OAuth realm="x,Bearer y",b="2"', ['OAuth realm="x,Bearer y",b="2"']),
        ("authorization", 'OAuth realm="x\\",Bearer y",b="2"', ['OAuth realm="x\\",Bearer y",b="2"']),
        ("authorization", 'OAuth a="1",b="2",Bearer t', ['OAuth a="1",b="2"', "Bearer t"]),
        ("authorization", 'OAuth a = "1", b = "2"', ['OAuth a = "1", b = "2"']),
        ("authorization", 'OAuth realm="x,Bearer y', ['OAuth realm="x,Bearer y']),
        ("authorization", "Bearer x,y,", ["Bearer x,y,"]),
        ("content-type", "application/json,text/plain", ["application/json", "text/plain"]),
        ("content-type", "multipart/form-data; boundary=a,b", ["multipart/form-data; boundary=a,b"]),
        ("content-type", 'multipart/form-data; boundary="a,b/c"', ['multipart/form-data; boundary="a,b/c"']),
        ("if-match", '"a","b"', ['"a","b"']),
    ],
)
def test_several_lines_of_a_header_with_one_value_are_told_apart(name: str, sent: str, lines: list[str]) -> None:
    event = made({name: sent})

    assert event["multiValueHeaders"][name] == lines
    assert event["headers"][name] == lines[-1]


@pytest.mark.parametrize("sent", ["Bearer x," * 8_000, 'a,"' * 20_000, '"\\' * 30_000, ", " * 30_000, "a/b,;" * 12_000])
@pytest.mark.parametrize("name", ["authorization", "content-type"])
def test_telling_lines_apart_takes_no_time(name: str, sent: str) -> None:
    begun = time.process_time()

    made({name: sent})

    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("seen", "address"),
    [
        ("192.0.2.7:46532", "192.0.2.7"),
        ("2406:2d40:728d:fa10::c4a:42838", "2406:2d40:728d:fa10::c4a"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("192.0.2.7", "198.51.100.9"),
        ("203.0.113.1:1,192.0.2.7:46532", "198.51.100.9"),
        ("guessed:80", "198.51.100.9"),
        ("", "198.51.100.9"),
    ],
)
def test_the_viewer_s_address_is_what_cloudfront_has_seen(seen: str, address: str) -> None:
    event = made({"cloudfront-viewer-address": seen})

    assert event["requestContext"]["identity"]["sourceIp"] == address


@pytest.mark.parametrize("data", [b"", b"a=1&b=2", bytes(range(256))])
def test_a_body_in_base64_becomes_bytes(data: bytes) -> None:
    event = made(body=base64.b64encode(data).decode(), isBase64Encoded=True)

    assert (event["body"], event["isBase64Encoded"]) == (data or None, False)


@pytest.mark.parametrize("body", ["a", "====", "not base64!", "縁"])
def test_a_body_that_is_said_to_be_base64_and_is_not(body: str) -> None:
    with pytest.raises(BadRequest):
        made(body=body, isBase64Encoded=True)


@pytest.mark.parametrize(
    ("shown", "known", "passes"),
    [
        (KEY, (KEY,), True),
        (KEY, (OLD_KEY, KEY), True),
        (OLD_KEY, (KEY, OLD_KEY), True),
        (OLD_KEY, (KEY,), False),
        (KEY, (), False),
        ("", (), False),
        (None, (), False),
        (None, (KEY,), False),
        ("", (KEY,), False),
        (f"{KEY},{KEY}", (KEY,), False),
        (f"{KEY},{OLD_KEY}", (KEY, OLD_KEY), False),
        ("\ud800", (KEY,), False),
    ],
)
def test_the_key_of_cloudfront(shown: str | None, known: tuple[str, ...], passes: bool) -> None:
    headers = {"x-engawa-proxy-key": shown} if shown is not None else None

    assert function_url.has_key({"headers": headers}, known) is passes


def test_every_key_is_compared_so_that_the_time_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    event = {"headers": {"x-engawa-proxy-key": KEY}}

    assert function_url.has_key(event, (KEY, OLD_KEY))
    assert compared == [(KEY.encode(), KEY.encode()), (OLD_KEY.encode(), KEY.encode())]


def test_a_refusal_has_our_form_and_the_request_s_id() -> None:
    answer = function_url.refused(EVENT, PermissionDenied())

    assert (answer["statusCode"], answer["body"]) == (
        403,
        '{"error":"permission_denied","error_description":"Permission denied"}',
    )
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert answer["headers"]["X-Request-Id"] == EVENT["requestContext"]["requestId"]


def test_cookies_of_an_answer_are_apart_and_other_lines_are_joined() -> None:
    given = {
        "statusCode": 201,
        "headers": {"Content-Type": "text/plain", "X-Count": 3, "set-cookie": "c=3"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "WWW-Authenticate": ["OAuth x", "Bearer y"]},
        "body": "あ",
    }

    assert function_url.url_answer(given) == {
        "statusCode": 201,
        "headers": {"Content-Type": "text/plain", "X-Count": "3", "WWW-Authenticate": "OAuth x, Bearer y"},
        "cookies": ["c=3", "a=1", "b=2"],
        "body": "あ",
    }


def test_an_answer_in_base64_stays_so() -> None:
    given = {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": "AA==", "isBase64Encoded": True}

    assert function_url.url_answer(given) == {
        "statusCode": 200,
        "headers": {},
        "body": "AA==",
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5, *", True),
        ("deflate,gzip ; q=1.0", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("identity", False),
        ("x-gzip", False),
        ("", False),
    ],
)
def test_a_large_answer_is_compressed_for_those_who_ask(accepted: str, packed: bool) -> None:
    text = "縁側" * 700
    given = {"statusCode": 200, "headers": {"ETag": '"1"'}, "multiValueHeaders": {}, "body": text}

    answer = function_url.url_answer(given, accepted)

    assert answer["headers"] == {"ETag": '"1"', **({"Content-Encoding": "gzip"} if packed else {})}
    assert answer.get("isBase64Encoded", False) is packed
    assert (gzip.decompress(base64.b64decode(answer["body"])).decode() if packed else answer["body"]) == text


def test_a_small_answer_and_one_in_base64_are_not_compressed() -> None:
    small = {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": "x" * 1_399}
    binary = {**small, "body": "A" * 2_000, "isBase64Encoded": True}

    assert function_url.url_answer(small, "gzip")["body"] == small["body"]
    assert function_url.url_answer(binary, "gzip")["body"] == binary["body"]
