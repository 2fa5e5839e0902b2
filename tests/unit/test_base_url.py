"""The base URL of an API without ENGAWA_ISSUER: that of API Gateway's stage, and of no name that a client chooses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalice.local import LambdaContext

from app import create_app
from chalicelib import settings
from chalicelib.api.base_url import url_of_api
from chalicelib.bootstrap import wire
from chalicelib.platform import Platform

REGION = "ap-northeast-1"
CONTEXT = {"apiId": "a1b2c3d4e5", "stage": "api", "domainName": "evil.example"}
URL = "https://a1b2c3d4e5.execute-api.ap-northeast-1.amazonaws.com/api"


def test_it_is_the_address_of_the_stage() -> None:
    assert url_of_api(CONTEXT, REGION) == URL
    assert url_of_api(CONTEXT, "cn-north-1") == "https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/api"


@pytest.mark.parametrize(
    "over",
    [
        {"apiId": None},
        {"apiId": "a.example/b"},
        {"stage": None},
        {"stage": "$default"},
        {"stage": "a/b"},
        {"stage": "test-invoke-stage"},
    ],
)
def test_a_context_of_no_stage_gives_no_url(over: dict[str, Any]) -> None:
    assert url_of_api(CONTEXT | over, REGION) is None


@pytest.mark.parametrize("region", ["", "evil.example/", "ap-northeast"])
def test_a_region_that_is_none_gives_no_url(region: str) -> None:
    assert url_of_api(CONTEXT, region) is None


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform without ENGAWA_ISSUER, and without any AWS."""
    monkeypatch.setenv("AWS_REGION", REGION)
    read = settings.read(
        {
            "ENGAWA_STAGE": "dev",
            "ENGAWA_BUCKET": "files",
            "ENGAWA_TOKEN_KEYS_FILE": "/nowhere",
            "ENGAWA_SECRET_KEYS_FILE": "/nowhere",
        }
    )
    none: Any = None
    return wire(read, none, none)


def ask(platform: Platform, context: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Request the metadata of the authorization server; return the status and the body."""
    path = "/.well-known/oauth-authorization-server"
    event = {
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
        "multiValueHeaders": {"Host": ["evil.example"]},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {"resourcePath": path, "httpMethod": "GET", "path": f"/api{path}", "identity": {}} | context,
    }
    answer = create_app(lambda: platform, named_by_api=True)(event, LambdaContext("engawa-dev", 1024, 29_000))
    return answer["statusCode"], json.loads(answer["body"])


def test_the_first_request_names_the_platform(platform: Platform) -> None:
    status, body = ask(platform, CONTEXT)

    assert (status, body["issuer"]) == (200, URL)
    assert body["token_endpoint"] == f"{URL}/2/token"
    assert ask(platform, CONTEXT) == (status, body)


def test_a_request_of_another_stage_is_refused(platform: Platform) -> None:
    ask(platform, CONTEXT)

    assert ask(platform, CONTEXT | {"stage": "v2"})[0] == 500
    assert ask(platform, CONTEXT)[1]["issuer"] == URL


def test_a_request_that_no_stage_has_made_is_refused(platform: Platform) -> None:
    status, body = ask(platform, {})

    assert (status, body["error"]) == (500, "internal_error")
    assert ask(platform, CONTEXT)[1]["issuer"] == URL


def test_a_setting_takes_precedence(platform: Platform) -> None:
    platform.settings = platform.settings.named("https://mixi.example")

    assert ask(platform, CONTEXT)[1]["issuer"] == "https://mixi.example"
    assert ask(platform, {})[1]["issuer"] == "https://mixi.example"
