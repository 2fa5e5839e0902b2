"""The models of API Gateway and CloudFront: they refuse and change what AWS refuses and changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Chalice

from infra import combine
from local.gateway import Answer, Request
from local.lambda_runtime import EventTooLarge, FunctionError, TimedOut
from tests.kit.api_gateway import MAX_HEADERS, MAX_REQUEST, ApiGateway
from tests.kit.cloudfront import MAX_GENERATED, MAX_HEAD, MAX_URL, CloudFront, traces

Json = dict[str, Any]


def gateway(invoke: Callable[[Json], Any]) -> ApiGateway:
    app = SimpleNamespace(routes={"/a": {"GET": None, "POST": None}}, api=Chalice("fake").api)
    return ApiGateway(app, SimpleNamespace(invoke=invoke), combine.gateway_responses())  # type: ignore[arg-type]


def failing(failure: Exception) -> Callable[[Json], Any]:
    def invoke(event: Json) -> Any:
        raise failure

    return invoke


def said(event: Json) -> Json:
    return {"statusCode": 200, "headers": {}, "body": event["requestContext"]["requestId"]}


@pytest.mark.parametrize(
    ("request_", "invoke", "status"),
    [
        (Request("GET", "/b"), said, 404),
        (Request("GET", "/b", [("Authorization", "OAuth x")]), said, 404),
        (Request("POST", "/a", body=b"x" * (MAX_REQUEST + 1)), said, 413),
        (Request("POST", "/a", [("Content-Encoding", "br")], b"x"), said, 415),
        (Request("GET", "/a"), failing(EventTooLarge()), 413),
        (Request("GET", "/a"), failing(FunctionError("x")), 502),
        (Request("GET", "/a"), failing(TimedOut("x")), 504),
    ],
)
def test_every_own_answer_of_api_gateway_has_its_request_id(
    request_: Request, invoke: Callable[[Json], Any], status: int
) -> None:
    front = gateway(invoke)
    one, other = (front.handle(request_) for _ in range(2))

    assert (one.status, one.body) == (status, other.body)
    assert json.loads(one.body).keys() == {"error", "error_description"}
    ids = [dict(each.headers)["X-Request-Id"] for each in (one, other)]
    assert ids == [dict(each.headers)["x-amzn-RequestId"] for each in (one, other)]
    assert ids[0] != ids[1]
    assert [each["requestContext"]["requestId"] for each in front.events] in ([], ids)


def test_an_answer_of_the_function_has_the_request_id_of_its_event() -> None:
    answer: Answer = gateway(said).handle(Request("GET", "/a"))

    assert dict(answer.headers)["x-amzn-RequestId"] == answer.body.decode()


def test_api_gateway_refuses_too_many_headers() -> None:
    front, room = gateway(said), MAX_HEADERS - len("X-Long: \r\n")
    answers = [front.handle(Request("GET", "/a", [("X-Long", "x" * size)])) for size in (room, room + 1)]

    assert [each.status for each in answers] == [200, 413]
    assert len(front.events) == 1


def test_api_gateway_renames_and_drops_headers() -> None:
    sent = {"WWW-Authenticate": "OAuth", "Date": "now", "Server": "x", "Transfer-Encoding": "chunked", "ETag": "1"}
    front = gateway(lambda event: {"statusCode": 401, "headers": sent, "body": ""})
    answer = front.handle(
        Request("GET", "/a", [("Connection", "close"), ("TE", "x"), ("Expect", "y"), ("X-Kept", "z")])
    )

    assert [name for name, _ in answer.headers[:4]] == [
        "x-amzn-Remapped-WWW-Authenticate",
        "x-amzn-Remapped-Date",
        "x-amzn-Remapped-Server",
        "ETag",
    ]
    [event] = front.events
    assert not {"Connection", "TE", "Expect"} & event["headers"].keys()
    assert event["headers"]["X-Kept"] == "z"


class Edge:
    """An edge function that changes the response with `change`; `seen` is its last event."""

    def __init__(self, change: Callable[[Json], Any] = lambda response: response) -> None:
        self._change = change
        self.seen: Json | None = None

    def __call__(self, event: Json) -> Any:
        self.seen = event["Records"][0]["cf"]
        return self._change(json.loads(json.dumps(self.seen["response"])))


def through(edge: Edge, answer: Answer, request: Request | None = None) -> Answer:
    front = CloudFront(lambda _: None, lambda _: answer, edge)
    return front.handle(request or Request("GET", "/"))


HEADERS = [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked"), ("Via", "1.1 origin")]
SECRET = [
    ("x-amzn-RequestId", "1"),
    ("X-Cache", "2"),
    ("Connection", "close"),
    ("X-Amz-Cf-Pop", "3"),
    ("X-Edge-A", "4"),
]
ORIGIN = Answer(200, [*HEADERS, *SECRET], b"origin")


def test_an_edge_function_does_not_see_what_the_viewer_gets() -> None:
    edge = Edge()
    answer = through(edge, ORIGIN, Request("GET", "/", [("X-Forwarded-Proto", "https"), ("X-Amz-Cf-Id", "guessed")]))

    assert edge.seen
    shown = {name: [each["value"] for each in lines] for name, lines in edge.seen["response"]["headers"].items()}
    assert shown == {"content-type": ["text/plain"], "transfer-encoding": ["chunked"], "via": ["1.1 origin"]}
    assert edge.seen["request"]["headers"] == {}
    request_id = edge.seen["config"]["requestId"]
    assert sorted(answer.headers) == sorted([*ORIGIN.headers, *traces(request_id)])
    assert (answer.status, answer.body) == (200, b"origin")


def test_cloudfront_gives_each_request_an_id_and_sends_it_to_the_origin() -> None:
    sent: list[Request] = []

    def api(request: Request) -> Answer:
        sent.append(request)
        return ORIGIN

    front = CloudFront(lambda _: None, api, Edge())
    answers = [front.handle(Request("GET", "/")) for _ in range(2)]

    assert [each.header("x-amz-cf-id") for each in sent] == [each.headers[-1][1] for each in answers]
    assert sent[0].header("x-amz-cf-id") != sent[1].header("x-amz-cf-id")


def header(name: str, lines: Any) -> Callable[[Json], Any]:
    return lambda response: {**response, "headers": {**response["headers"], name: lines}}


def changed(**fields: Any) -> Callable[[Json], Any]:
    return lambda response: {**response, **fields}


def without(name: str) -> Callable[[Json], Any]:
    return lambda response: {**response, "headers": {k: v for k, v in response["headers"].items() if k != name}}


ROOM = MAX_GENERATED - len("".join(f"{name}: {value}\r\n" for name, value in HEADERS))


@pytest.mark.parametrize(
    "change",
    [
        *(
            header(name, [{"key": name, "value": "x"}])
            for name in ("x-amzn-requestid", "x-amzn-errortype", "x-amz-cf-any", "x-edge-any", "x-cache", "connection")
        ),
        header("via", [{"key": "Via", "value": "other"}]),
        header("transfer-encoding", []),
        without("via"),
        header("x-a", "x"),
        header("x-a", {"key": "x-a", "value": "x"}),
        header("x-a", ["x"]),
        header("x-a", [{"key": "x-a"}]),
        header("x-a", [{"key": "x-a", "value": 1}]),
        header("x-a", [{"key": "x-b", "value": "x"}]),
        header("x-a", [{"key": "x-a", "value": "x", "more": "x"}]),
        header("X-A", [{"key": "X-A", "value": "x"}]),
        changed(status=200),
        changed(status="20"),
        changed(status="2000"),
        changed(status=None),
        changed(headers=[]),
        changed(body="x" * (ROOM + 1)),
        changed(body="78", bodyEncoding="hex"),
        changed(body="not base64!", bodyEncoding="base64"),
        changed(body=None),
        lambda response: None,
    ],
)
def test_a_result_of_an_edge_function_that_is_not_valid_is_502(change: Callable[[Json], Any]) -> None:
    answer = through(Edge(change), ORIGIN)

    assert answer.status == 502
    assert dict(answer.headers)["X-Cache"] == "LambdaValidationError from cloudfront"
    assert b"failed validation" in answer.body


@pytest.mark.parametrize(
    ("change", "status", "body"),
    [
        (header("x-a", [{"value": "x"}]), 200, b"origin"),
        (header("x-a", [{"key": "X-A", "value": "x"}, {"key": "x-a", "value": "y"}]), 200, b"origin"),
        (without("content-type"), 200, b"origin"),
        (changed(status="404"), 404, b"origin"),
        (changed(body=""), 200, b""),
        (changed(body="x" * ROOM), 200, b"x" * ROOM),
        (changed(body=base64.b64encode(b"\xff").decode(), bodyEncoding="base64"), 200, b"\xff"),
    ],
)
def test_a_valid_result_of_an_edge_function_is_sent(change: Callable[[Json], Any], status: int, body: bytes) -> None:
    answer = through(Edge(change), ORIGIN)

    assert (answer.status, answer.body) == (status, body)
    assert [each for each in answer.headers if each in SECRET] == SECRET


URL_ROOM = MAX_URL - len("https://a.example/")
HEAD_ROOM = MAX_HEAD - len("POST / HTTP/1.1\r\nHost: a.example\r\nX-Long: \r\n")


@pytest.mark.parametrize(
    ("method", "path", "long", "body", "status"),
    [
        ("GET", "x" * URL_ROOM, "", b"", 200),
        ("GET", "x" * (URL_ROOM + 1), "", b"", 413),
        ("POST", "", "x" * HEAD_ROOM, b"", 200),
        ("POST", "", "x" * (HEAD_ROOM + 1), b"", 413),
        ("POST", "", "", b"x", 200),
        ("GET", "", "", b"x", 403),
        ("HEAD", "", "", b"x", 403),
    ],
)
def test_cloudfront_refuses_some_requests_itself(method: str, path: str, long: str, body: bytes, status: int) -> None:
    edge = Edge()
    answer = through(
        edge, Answer(200, [], b""), Request(method, f"/{path}", [("Host", "a.example"), ("X-Long", long)], body)
    )

    assert answer.status == status
    assert (edge.seen is None) == (status != 200)
    assert dict(answer.headers).get("X-Cache") == (None if status == 200 else "Error from cloudfront")
    assert [name for name, _ in answer.headers[-2:]] == ["Via", "X-Amz-Cf-Id"]


def test_cloudfront_refuses_an_answer_with_too_many_headers() -> None:
    room = MAX_HEAD - len("X-Long: \r\n")
    answers = [through(Edge(), Answer(200, [("X-Long", "x" * size)])) for size in (room, room + 1)]

    assert [each.status for each in answers] == [200, 502]
