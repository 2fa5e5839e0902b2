"""The models of API Gateway and CloudFront: they refuse and change what AWS refuses and changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Chalice

from infra import combine
from local.gateway import Answer, Request
from local.lambda_runtime import EventTooLarge, FunctionError, TimedOut
from tests.kit.api_gateway import MAX_REQUEST, ApiGateway

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
