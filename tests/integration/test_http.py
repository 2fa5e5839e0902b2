"""HTTP rules for all faces: HEAD, `/health`, encoded bodies, headers on several lines."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

import chalicelib
from local.gateway import Request
from tests.kit.routes import routes, target
from tests.kit.sessions import begin_session
from tests.kit.worlds import APP, HANA, ME, Reply, World, reply

TOKEN_FREE = sorted(path for method, path, _ in routes() if method == "HEAD")
ENCODED = (415, "unsupported_media_type", "Content-Encoding must be identity or absent, not gzip")
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def send(world: World, method: str, path: str, *headers: tuple[str, str], body: bytes = b"", user: Any = HANA) -> Reply:
    """Send a request; a header may occur twice."""
    sent = [*headers, *([("Authorization", f"OAuth {world.token(user)}")] if user else [])]
    return reply(world.gateway.handle(Request(method, path, sent, body)))


# --- HEAD


@pytest.mark.parametrize("path", TOKEN_FREE)
def test_head_is_get_without_the_body(world: World, path: str) -> None:
    where = target(path).replace("@me", "current.pem" if path.startswith("/launch") else "1")
    got, asked = (world.gateway.handle(Request(method, where)) for method in ("GET", "HEAD"))
    ids = ("X-Request-Id", "Set-Cookie")
    assert asked.status == got.status
    assert [each for each in asked.headers if each[0] not in ids] == [
        each for each in got.headers if each[0] not in ids
    ]
    # The server in front computes Content-Length from the body, and does not send the body.
    if "Set-Cookie" not in dict(got.headers):
        assert len(asked.body) == len(got.body)


def test_head_of_a_file_the_reader_has(world: World) -> None:
    tag = send(world, "HEAD", "/docs", user=None).headers["etag"]
    assert send(world, "HEAD", "/docs", ("If-None-Match", tag), user=None).status == 304


def test_head_elsewhere_is_405_with_what_the_path_takes(world: World) -> None:
    for path, methods in ((ME, "DELETE, GET, OPTIONS, PATCH, POST, PUT"), ("/2/token", "OPTIONS, POST")):
        answer = send(world, "HEAD", path)
        assert (answer.status, answer.headers["allow"]) == (405, methods)
    assert send(world, "POST", "/health").headers["allow"] == "GET, HEAD"


def test_head_is_told_of_by_its_name(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="chalicelib.web.telemetry"):
        send(world, "HEAD", "/health", user=None)
    assert [record.route for record in caplog.records] == ["HEAD /health"]  # type: ignore[attr-defined]


# --- /health


def test_health_tells_the_version_without_a_token_or_a_table(world: World) -> None:
    world.calls.clear()
    answer = send(world, "GET", "/health", user=None)
    assert answer.status == 200
    assert answer.json == {"status": "ok", "version": chalicelib.VERSION, "commit": "unknown"}
    assert "no-cache" in answer.headers["cache-control"]
    assert world.calls == []


# --- Content-Encoding


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ME),
        ("PUT", ME),
        ("DELETE", ME),
        ("POST", "/rpc"),
        ("POST", "/os/0.8/appdata/@me/@self/@app"),
    ],
)
@pytest.mark.parametrize("body", [gzip.compress(b'{"k": "v"}', mtime=0), b'{"k": "v"}'])
def test_an_encoded_body_is_refused_by_its_encoding(world: World, method: str, path: str, body: bytes) -> None:
    answer = send(world, method, path, JSON, ("Content-Encoding", "gzip"), body=body)
    assert answer.error == ENCODED
    assert answer.headers["accept-encoding"] == "identity"
    assert world.calls == []
    assert send(world, "GET", ME).json["entry"][0]["data"] == {}


@pytest.mark.parametrize("path", ["/2/token", "/2/authorize/revoke", "/connect_authorize.pl", "/settings/apps"])
def test_an_encoded_form_is_refused_by_its_encoding(world: World, path: str) -> None:
    body = gzip.compress(b"grant_type=client_credentials", mtime=0)
    answer = send(world, "POST", path, FORM, ("Content-Encoding", "gzip"), body=body, user=None)
    if path.startswith("/2/"):
        assert answer.error == ENCODED
    else:
        assert (answer.status, answer.headers["content-type"]) == (415, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["GZip"], "GZip"),
        (["identity, br"], "br"),
        (["identity", "deflate"], "deflate"),
        (["x" * 500], "x" * 64),
    ],
)
def test_the_encoding_is_named(world: World, lines: list[str], named: str) -> None:
    answer = send(world, "POST", ME, JSON, *(("Content-Encoding", line) for line in lines), body=b'{"k": "v"}')
    assert answer.error[2] == f"Content-Encoding must be identity or absent, not {named}"


@pytest.mark.parametrize("lines", [["identity"], ["Identity, identity"], [""], ["identity", "IDENTITY"]])
def test_what_is_not_encoded_is_taken(world: World, lines: list[str]) -> None:
    headers = (("Content-Encoding", line) for line in lines)
    assert send(world, "POST", ME, JSON, *headers, body=b'{"k": "v"}').status == 200


def test_without_a_body_nothing_is_encoded(world: World) -> None:
    assert send(world, "GET", ME, ("Content-Encoding", "gzip")).status == 200
    assert send(world, "DELETE", ME, ("Content-Encoding", "gzip")).status == 200


def test_token_and_scope_come_before_the_encoding(world: World) -> None:
    gzipped = ("Content-Encoding", "gzip")
    assert send(world, "POST", ME, JSON, gzipped, body=b"x", user=None).status == 401
    token = world.token(HANA, "another")
    refused = send(world, "POST", ME, JSON, gzipped, ("Authorization", f"OAuth {token}"), body=b"x", user=None)
    assert refused.status == 403
    assert send(world, "POST", "/2/apps/appdata/@me/@nobody", JSON, gzipped, body=b"x").error == ENCODED


# --- headers on several lines


def test_several_lines_are_one_list_of_tags(world: World) -> None:
    write = (world, "POST", ME, JSON)
    tag = send(*write, body=b'{"k": "v"}').headers["etag"]
    for shape in ("other {}", "{} other", " {}"):
        lines = [line.replace("other", '"other"') for line in shape.format(tag).split(" ")]
        written = send(*write, *(("If-Match", line) for line in lines), body=b'{"k": "v"}')
        assert written.status == 200, lines
        tag = written.headers["etag"]
    assert send(*write, ("If-Match", '"a"'), ("If-Match", '"b"'), body=b'{"k": "w"}').status == 412
    for lines in (['"other"', tag], [tag, '"other"']):
        none = [("If-None-Match", line) for line in lines]
        assert send(world, "GET", ME, *none).status == 304
        assert send(world, "GET", "/os/0.8/appdata/@me/@self/@app", *none).status == 304
        assert send(*write, *none, body=b'{"k": "w"}').status == 412
        assert send(world, "POST", "/os/0.8/appdata/@me/@self/@app", JSON, *none, body=b'{"k": "w"}').status == 412
    assert send(*write, ("If-Match", "*"), ("If-Match", tag), body=b'{"k": "w"}').status == 400


def test_several_lines_of_a_files_tag(world: World) -> None:
    tag = send(world, "GET", "/openapi.json", user=None).headers["etag"]
    for lines in (['"other"', tag], [tag, '"other"']):
        headers = [("if-none-match", line) for line in lines]
        assert send(world, "GET", "/openapi.json", *headers, user=None).status == 304


def test_lines_that_differ_in_their_letter_case_are_one_header(world: World) -> None:
    """API Gateway passes each spelling as a separate header."""
    tag = send(world, "POST", ME, JSON, body=b'{"k": "v"}').headers["etag"]
    event = world.gateway._event(
        Request("GET", ME, [("Authorization", f"OAuth {world.token()}")]),
        ME,
        "/2/apps/appdata/{user}/{group}",
        {"user": "@me", "group": "@self"},
    )
    event["multiValueHeaders"] |= {"If-None-Match": ['"other"'], "if-none-match": [tag]}
    context = type("Context", (), {"get_remaining_time_in_millis": lambda self: 29_000})()
    assert world.app(event, context)["statusCode"] == 304


def test_two_tokens_on_two_lines_are_two_tokens(world: World) -> None:
    one, other = (("Authorization", f"{scheme} {world.token()}") for scheme in ("OAuth", "Bearer"))
    assert send(world, "GET", ME, one, ("Authorization", "Bearer other"), user=None).status == 400
    assert send(world, "GET", ME, one, one, user=None).status == 200
    assert send(world, "GET", ME, other, user=None).status == 200


def test_two_idempotency_keys_are_none(world: World) -> None:
    keys = [("Idempotency-Key", key) for key in ("a", "b")]
    token = ("Authorization", f"OAuth {world.token(HANA, 'w_pagefeed')}")
    answer = send(world, "POST", "/2/pages/1/feeds", JSON, token, *keys, body=b'{"title": "t"}', user=None)
    assert answer.error == (400, "parameter_invalid", "Idempotency-Key must be 1 to 255 visible ASCII characters")


def test_cookies_on_several_lines(world: World) -> None:
    """HTTP/2 splits cookies into several lines."""
    session = begin_session(world, HANA)
    cookie = world.platform.sessions.cookie(session).partition(";")[0]
    for lines in (["a=b", cookie], [cookie, "a=b"]):
        shown = send(world, "GET", "/settings", *(("Cookie", line) for line in lines), user=None)
        assert 'name="password"' not in shown.text


def test_languages_on_several_lines(world: World) -> None:
    lines = [("Accept-Language", "en;q=0.1"), ("Accept-Language", "ja")]
    assert send(world, "GET", "/settings", *lines[::-1], user=None).headers["content-language"] == "ja"


# --- a write without pairs


@pytest.mark.parametrize("path", [ME, "/os/0.8/appdata/@me/@self/@app"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}", b"[]", b"null"])
def test_a_body_without_pairs(world: World, method: str, path: str, body: bytes) -> None:
    refused = (400, "parameter_invalid", "No key/value pairs")
    assert send(world, method, path, JSON, body=body).error == refused
    assert world.calls == []
    untyped = send(world, method, path, body=body)
    assert untyped.error == (refused if not body.strip() else (400, "bad_request", "Bad request"))
    assert send(world, method, path, FORM, body=body).error == (400, "bad_request", "Bad request")


@pytest.mark.parametrize("path", [ME, "/os/0.8/appdata/@me/@self/@app"])
@pytest.mark.parametrize("body", [b"0", b"false", b'""', b"[[]]", b'[{"k": "v"}]', b'"{}"'])
def test_json_that_holds_no_pairs_at_all(world: World, path: str, body: bytes) -> None:
    assert send(world, "POST", path, JSON, body=body).error == (400, "bad_request", "The body must be a JSON object")


@pytest.mark.parametrize("method", ["appdata.update", "appdata.create"])
def test_a_call_without_pairs(world: World, method: str) -> None:
    def told(**params: Any) -> tuple[int, str]:
        call = {"method": method, "id": "1", "params": {"userId": "@me", "groupId": "@self", "appId": APP, **params}}
        error = send(world, "POST", "/rpc", JSON, body=json.dumps(call).encode()).json["error"]
        return error["code"], error["message"]

    without: list[dict[str, Any]] = [{}, {"data": None}, {"data": {}}, {"data": []}]
    for params in without:
        assert told(**params) == (400, "No key/value pairs"), params
    others: list[Any] = ["", 0, False, [{}], "{}"]
    for data in others:
        assert told(data=data) == (400, "data must be a JSON object"), data
