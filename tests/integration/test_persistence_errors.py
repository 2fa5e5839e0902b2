"""Error responses: always JSON in one shape, without internal details, wherever the error occurs."""

from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from chalice.local import LambdaContext

import app as entry
from chalicelib.settings import WrongSetting
from local.gateway import Gateway, Request
from tests.kit.appdata_api import FRIENDS, self_of
from tests.kit.worlds import HANA, KEN, ME, Reply, World, no_platform, reply

INTERNAL = (500, "internal_error", "Internal error")
SECRET = "no client may see this"
REQUESTS = [
    ("GET", ME, None, "read"),
    ("GET", self_of(KEN), None, "read_friend"),
    ("GET", FRIENDS, None, "read_friends"),
    ("GET", "/2/apps/appdata/@me/@usage", None, "usage"),
    ("POST", ME, {"k": "v"}, "write"),
    ("PUT", ME, {"k": "v"}, "write"),
    ("DELETE", ME, None, "clear"),
    ("DELETE", ME + "?fields=k", None, "write"),
]

every_request = pytest.mark.parametrize(("method", "path", "body", "store_method"), REQUESTS)


def check_shape(answer: Reply) -> None:
    assert answer.json.keys() == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def invoke(method: str, resource: str) -> Reply:
    """Call the app with an event for a route that API Gateway would have refused."""
    event = {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": {},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"user": "@me", "group": "@self"},
        "stageVariables": None,
        "requestContext": {"httpMethod": method, "resourcePath": resource},
        "body": None,
        "isBase64Encoded": False,
    }
    told = entry.create_app(no_platform)(event, LambdaContext("test", 128, 1000))
    headers = told["headers"] | {name: values[-1] for name, values in told["multiValueHeaders"].items()}
    return Reply(told["statusCode"], {name.lower(): value for name, value in headers.items()}, told["body"])


@every_request
def test_an_unforeseen_error_is_a_500_without_detail(
    world: World, monkeypatch, caplog, method, path, body, store_method
):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(world.platform.appdata, store_method, fail)
    answer = world.send(method, path, body)
    assert answer.error == INTERNAL
    check_shape(answer)
    assert SECRET not in answer.text + str(answer.headers)
    assert SECRET in caplog.text


@every_request
def test_a_refusal_of_the_database_that_nobody_expects_is_a_500_without_detail(
    world: World, monkeypatch, method, path, body, store_method
):
    def fail(*_: object, **__: object) -> None:
        answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": SECRET}, "ResponseMetadata": {}}
        raise ClientError(answer, "GetItem")

    for operation in ("get_item", "batch_get_item", "query"):
        monkeypatch.setattr(world.dynamodb, operation, fail)
    answer = world.send(method, path, body)
    assert answer.error == INTERNAL
    assert SECRET not in answer.text


@every_request
def test_a_database_that_does_not_answer_is_a_503_with_the_seconds_to_wait(
    world: World, monkeypatch, method, path, body, store_method
):
    def fail(*_: object, **__: object) -> None:
        raise ConnectTimeoutError(endpoint_url=SECRET)

    for operation in ("get_item", "batch_get_item", "query"):
        monkeypatch.setattr(world.dynamodb, operation, fail)
    answer = world.send(method, path, body)
    assert answer.error == (503, "service_unavailable", "The service is busy")
    assert answer.headers["retry-after"] == "1"
    check_shape(answer)


@pytest.mark.parametrize("path", ["/2", "/2/apps/appdata", "/2/apps/appdata/@me", ME + "/x", "//x", "/favicon.png"])
def test_an_unknown_path_is_a_404(world: World, path):
    answer = world.send("GET", path)
    assert (answer.status, answer.json["error"]) == (404, "not_found")
    check_shape(answer)


@pytest.mark.parametrize("method", ["LOCK", "HEAD", "TRACE", "nonsense"])
def test_another_method_is_a_405_that_names_the_possible_ones(world: World, method):
    answer = world.send(method, ME)
    assert (answer.status, answer.json["error"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, OPTIONS, PATCH, POST, PUT"
    check_shape(answer)


def test_a_method_that_reaches_the_app_all_the_same_is_a_405_too():
    answer = invoke("LOCK", "/2/apps/appdata/{user}/{group}")
    assert answer.error == (405, "method_not_allowed", "Method not allowed")
    assert sorted(answer.headers["allow"].split(", ")) == ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"]
    check_shape(answer)


def test_a_path_that_reaches_the_app_all_the_same_is_answered_in_our_form():
    answer = invoke("GET", "/nowhere")
    assert answer.status in (404, 405)
    check_shape(answer)


def test_an_app_that_cannot_be_set_up_says_so_to_nobody_but_the_log(caplog):
    def platform() -> NoReturn:
        raise WrongSetting(SECRET)

    gateway = Gateway(entry.create_app(platform))
    answer = reply(gateway.handle(Request("GET", ME, [("Authorization", "OAuth x")])))
    assert answer.error == INTERNAL
    assert SECRET not in answer.text
    assert SECRET in caplog.text


def test_a_request_larger_than_lambda_takes_is_a_413(world: World):
    answer = world.send("POST", ME, b"x" * 6_291_457, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["error"]) == (413, "request_entity_too_large")
    assert "6291456" in answer.json["error_description"]
    check_shape(answer)


def test_keys_that_cannot_be_read_are_a_500_without_detail(world: World, monkeypatch):
    monkeypatch.setattr(world.platform.tokens, "check", lambda _: dict[str, str]()[SECRET])
    answer = world.send("GET", ME, user=None, token="x")
    assert answer.error == INTERNAL
    assert HANA not in answer.text
    assert SECRET not in answer.text
