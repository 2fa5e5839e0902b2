"""Tokens of the demo world for the forms of the documentation, on the local platform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from local import keys
from local.demo_data import APPS, USERS
from local.demo_tokens import DemoTokens
from local.gateway import Answer, Request

HOST = "127.0.0.1:8000"
HANA = b'{"user":"hana"}'


@pytest.fixture
def tokens(tmp_path: Path) -> AccessTokens:
    keys.ensure(tmp_path / "keys.json")
    return AccessTokens(TokenKeys((tmp_path / "keys.json").read_text), f"http://{HOST}")


def ask(
    tokens: AccessTokens,
    method: str = "POST",
    body: bytes = HANA,
    host: str = HOST,
    origin: str | None = f"http://{HOST}",
    path: str = "/local/tokens",
) -> Answer | None:
    headers = [("Host", host), *([("Origin", origin)] if origin is not None else [])]
    return DemoTokens(tokens, f"http://{HOST}")(Request(method, path, headers, body))


def said(answer: Answer | None) -> tuple[int, Any]:
    assert answer
    return answer.status, json.loads(answer.body)


def test_a_page_of_this_server_gets_a_token_of_a_user(tokens: AccessTokens) -> None:
    answer = ask(tokens)
    status, body = said(answer)
    assert (status, body["expiresIn"]) == (200, 900)
    access = tokens.check(body["token"])
    assert (access.app, access.viewer) == (APPS["quest"], USERS["hana"])
    assert {"mixi_apps2", "r_profile", "w_pagefeed", "r_page"} <= set(access.scopes)
    assert "admin" not in access.scopes
    assert answer
    assert dict(answer.headers)["Cache-Control"] == "no-store"
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_read_names_the_users_and_gives_no_token(tokens: AccessTokens) -> None:
    assert said(ask(tokens, "GET", b"", origin=None)) == (200, {"users": ["hana", "ken", "mei", "yuki"]})


def test_localhost_is_this_machine(tokens: AccessTokens) -> None:
    assert said(ask(tokens, host="localhost:8000", origin="http://localhost:8000"))[0] == 200


@pytest.mark.parametrize(
    "origin", [None, "", "null", "https://evil.example", "http://127.0.0.1", "http://127.0.0.1:9", f"https://{HOST}"]
)
def test_another_page_gets_no_token(tokens: AccessTokens, origin: str | None) -> None:
    assert said(ask(tokens, origin=origin))[0] == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:9"])
def test_another_name_of_this_machine_gets_nothing(tokens: AccessTokens, method: str, host: str) -> None:
    status, body = said(ask(tokens, method, host=host, origin=f"http://{host}"))
    assert (status, body["error"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"1",
        b"null",
        b'{"user":null}',
        b'{"user":[]}',
        b'{"user":"taro"}',
        b"\xff",
        b"{",
        b"[" * 200_000,
    ],
)
def test_a_user_who_is_not_offered_gets_no_token(tokens: AccessTokens, body: bytes) -> None:
    status, told = said(ask(tokens, body=body))
    assert (status, told["error"]) == (400, "parameter_invalid")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(tokens: AccessTokens, method: str) -> None:
    answer = ask(tokens, method)
    assert answer
    assert (answer.status, dict(answer.headers)["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("path", ["/", "/local", "/local/tokens/", "/local/tokensx", "/sample"])
def test_other_paths_are_left_to_others(tokens: AccessTokens, path: str) -> None:
    assert ask(tokens, path=path) is None
