"""Requests to the gateway: the route that takes each, and the event that Lambda gets for it."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any
from unittest.mock import ANY

import pytest
from chalice.app import Chalice, Response

from chalicelib.api.route_table import EngawaApp
from local.gateway import MAX_PAYLOAD, Answer, Gateway, Request, payload_size
from tests.kit.worlds import no_platform


class Seen:
    """A stand-in for an app that records the events."""

    def __init__(self, *routes: str) -> None:
        self.routes = {route: {"GET": None, "POST": None} for route in routes}
        self.api = Chalice("fake").api
        self.api.binary_types.append("multipart/form-data")
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        self.events.append(event)
        return {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": "ok"}


def event(target: str, *routes: str, **request: Any) -> dict[str, Any]:
    app = Seen(*(routes or ("/a/{id}",)))
    answer = Gateway(app).handle(Request(request.pop("method", "GET"), target, **request))  # type: ignore[arg-type]
    assert answer.status == 200
    return app.events[0]


def test_the_whole_event() -> None:
    headers = [("Host", "h"), ("X-Many", "1"), ("x-many", "2"), ("User-Agent", "old phone")]
    request = Request("POST", "/a/b%2Fc/?q=1&q=2&empty=&k=%E3%81%82+x", headers, b'{"k":1}', "192.0.2.7")
    app = Seen("/a/{id}")

    Gateway(app).handle(request)  # type: ignore[arg-type]

    [made] = app.events
    context = made.pop("requestContext")
    assert made == {
        "resource": "/a/{id}",
        "path": "/a/b%2Fc",
        "httpMethod": "POST",
        "headers": {"Host": "h", "X-Many": "2", "User-Agent": "old phone"},
        "multiValueHeaders": {"Host": ["h"], "X-Many": ["1", "2"], "User-Agent": ["old phone"]},
        "queryStringParameters": {"q": "2", "empty": "", "k": "あ x"},
        "multiValueQueryStringParameters": {"q": ["1", "2"], "empty": [""], "k": ["あ x"]},
        "pathParameters": {"id": "b/c"},
        "stageVariables": None,
        "body": '{"k":1}',
        "isBase64Encoded": False,
    }
    assert len(context.pop("requestId")) == 36
    assert context.pop("requestTimeEpoch") > 1_600_000_000_000
    assert context.pop("resourceId")
    assert context == {
        "resourcePath": "/a/{id}",
        "httpMethod": "POST",
        "path": "/a/b%2Fc",
        "stage": "api",
        "protocol": "HTTP/1.1",
        "identity": {"sourceIp": "192.0.2.7", "userAgent": "old phone"},
    }


@pytest.mark.parametrize("target", ["/a/1", "/a/1?", "/a/1/", "/a/1/?"])
def test_no_query_is_none(target: str) -> None:
    made = event(target)

    assert made["queryStringParameters"] is None
    assert made["multiValueQueryStringParameters"] is None
    assert made["body"] is None
    assert made["path"] == "/a/1"


@pytest.mark.parametrize(
    ("segment", "parameter"),
    [
        ("%40me", "@me"),
        ("%2540me", "%40me"),
        ("a+b", "a+b"),
        ("%zz", "%zz"),
        ("%", "%"),
        ("%ff", "\ufffd"),
        ("あ".encode().decode("latin-1"), "あ"),
    ],
)
def test_a_path_parameter_is_decoded_once(segment: str, parameter: str) -> None:
    assert event(f"/a/{segment}")["pathParameters"] == {"id": parameter}


def test_bad_escapes_in_a_query() -> None:
    made = event("/a/1?%zz=%f&=&&" + "ä".encode().decode("latin-1"))

    assert made["queryStringParameters"] == {"%zz": "%f", "": "", "ä": ""}


@pytest.mark.parametrize(
    ("target", "resource"),
    [
        ("/a/b", "/a/b"),
        ("/a/c", "/a/{x}"),
        ("/b/b", "/{x}/b"),
        ("/a/b/d", "/a/b/{x}"),
        ("/a/x/d", "/a/{x}/d"),
        ("/%61/b", "/a/b"),
        ("/", "/"),
        ("/?a=b", "/"),
    ],
)
def test_concrete_segments_win(target: str, resource: str) -> None:
    routes = ("/{x}/b", "/a/{x}", "/a/b", "/a/{x}/d", "/a/b/{x}", "/")

    assert event(target, *routes)["resource"] == resource


@pytest.mark.parametrize("target", ["/", "/b", "/a", "/a/", "/a//", "/a/1/2", "/A/1", "*", ""])
def test_an_unknown_path(target: str) -> None:
    answer = Gateway(Seen("/a/{id}")).handle(Request("GET", target))  # type: ignore[arg-type]

    assert answer.status == 404
    assert json.loads(answer.body)["error"] == "not_found"
    assert answer.headers == [
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Request-Id", ANY),
        ("Link", '</docs/en/errors/not_found>; rel="help"'),
    ]


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "get"])
def test_a_wrong_method(method: str) -> None:
    answer = Gateway(Seen("/a")).handle(Request(method, "/a"))  # type: ignore[arg-type]

    assert answer.status == 405
    assert json.loads(answer.body)["error"] == "method_not_allowed"
    assert ("Allow", "GET, POST") in answer.headers


@pytest.mark.parametrize(
    ("media_type", "body", "is_base64"),
    [
        ("application/json", "あ".encode(), False),
        ("image/png", b"plain", True),
        ("Multipart/Form-Data; boundary=x", b"--x--", True),
        ("application/json", b"\xff", True),
        ("", b"text", False),
    ],
)
def test_bodies(media_type: str, body: bytes, is_base64: bool) -> None:
    made = event("/a/1", method="POST", headers=[("content-type", media_type)], body=body)

    assert made["isBase64Encoded"] is is_base64
    assert made["body"] == (base64.b64encode(body).decode() if is_base64 else body.decode())


def test_the_largest_event() -> None:
    app = Seen("/a")
    gateway = Gateway(app)  # type: ignore[arg-type]
    gateway.handle(Request("POST", "/a", body=b"x"))
    room = MAX_PAYLOAD - payload_size(app.events[0]) + 1

    largest = gateway.handle(Request("POST", "/a", body=b"x" * room))
    larger = gateway.handle(Request("POST", "/a", body=b"x" * (room + 1)))

    assert largest.status == 200
    assert payload_size(app.events[-1]) == MAX_PAYLOAD
    assert larger.status == 413
    assert json.loads(larger.body)["error"] == "request_entity_too_large"
    assert str(MAX_PAYLOAD) in json.loads(larger.body)["error_description"]


def test_each_thread_has_its_own_current_request() -> None:
    app = EngawaApp(no_platform)
    meeting = threading.Barrier(8, timeout=10)

    @app.route("/echo/{name}", methods=["POST"], content_types=[])
    def echo(name: str) -> Response:
        asked: Any = app.current_request
        before = asked.raw_body
        meeting.wait()
        return Response({"name": name, "before": before.decode(), "after": asked.raw_body.decode()})

    gateway = Gateway(app)
    answers: dict[str, Answer] = {}

    def call(name: str) -> None:
        answers[name] = gateway.handle(Request("POST", f"/echo/{name}", body=name.encode()))

    threads = [threading.Thread(target=call, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for name, answer in answers.items():
        assert json.loads(answer.body) == {"name": name, "before": name, "after": name}
    assert len(answers) == 8
