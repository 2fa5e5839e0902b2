"""Requests through a function URL get the answers that they get through API Gateway, and nothing without the key."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.bootstrap import Platform
from chalicelib.web.requests import PROXY_KEY
from local.gateway import Answer, Request
from local.in_process import World
from tests.kit.function_url import HOST, UrlFront
from tests.kit.worlds import HANA, ME, befriended

KEY, OLD_KEY = "a-key-of-cloudfront-alone", "the-key-before-this-one"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(befriended, ENGAWA_PROXY_KEY=f"{KEY} {OLD_KEY}")


@pytest.fixture
def front(world: World) -> UrlFront:
    return UrlFront(world.app, KEY)


def shown(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return what a client makes of a response, without ids and the headers of a connection."""
    headers = {name.lower(): value for name, value in answer.headers}
    for name in ("x-request-id", "x-amzn-requestid", "x-amzn-trace-id", "date"):
        headers.pop(name, None)
    body = answer.body
    if answer.status in (404, 405) and body.startswith(b'{"error":'):
        # The local gateway answers these itself, in other words and with fewer headers.
        for name in ("cache-control", "x-content-type-options", "access-control-allow-origin"):
            headers.pop(name, None)
        body = json.dumps({"error": json.loads(body)["error"]}).encode()
    return answer.status, headers, body


ODD: dict[str, Callable[[str], Request]] = {
    "a read": lambda token: Request("GET", ME, [("Authorization", f"OAuth {token}")]),
    "no token": lambda token: Request("GET", ME),
    "a token in the query": lambda token: Request("GET", f"{ME}?oauth_token={token}"),
    "two equal tokens": lambda token: Request("GET", ME, [("Authorization", f"OAuth {token}")] * 2),
    "two tokens": lambda token: Request(
        "GET", ME, [("Authorization", f"OAuth {token}"), ("Authorization", f"Bearer {token}x")]
    ),
    "HEAD": lambda token: Request("HEAD", "/health"),
    "HEAD of what needs a token": lambda token: Request("HEAD", ME),
    "a preflight": lambda token: Request("OPTIONS", ME, [("Origin", "https://shop.example")]),
    "no such path": lambda token: Request("GET", "/no/such/path", [("Authorization", f"OAuth {token}")]),
    "no such method": lambda token: Request("PATCH", ME),
    "a method of nobody": lambda token: Request("BREW", ME),
    "OPTIONS of a page": lambda token: Request("OPTIONS", "/settings"),
    "an encoded slash": lambda token: Request("GET", "/2/apps%2Fappdata/@me/@self"),
    "an encoded slash in a parameter": lambda token: Request(
        "GET", "/2/apps/appdata/%2F/@self", [("Authorization", f"OAuth {token}")]
    ),
    "encoded letters": lambda token: Request(
        "GET", "/2/%61pps/appdata/%40me/%40self.json", [("Authorization", f"OAuth {token}")]
    ),
    "two slashes": lambda token: Request("GET", "//2/apps/appdata/@me/@self"),
    "an empty segment": lambda token: Request("GET", "/2/apps/appdata//@self", [("Authorization", f"OAuth {token}")]),
    "a slash at the end": lambda token: Request("GET", f"{ME}/", [("Authorization", f"OAuth {token}")]),
    "bytes that are no UTF-8": lambda token: Request(
        "GET", "/2/apps/appdata/%FF/@self?fields=%FF", [("Authorization", f"OAuth {token}")]
    ),
    "a broken escape": lambda token: Request("GET", f"{ME}?fields=%&%zz=1&=&&", [("Authorization", f"OAuth {token}")]),
    "a write": lambda token: Request("POST", ME, [("Authorization", f"OAuth {token}"), JSON], b'{"k":"\xe7\xb8\x81"}'),
    "a body without a type": lambda token: Request("POST", ME, [("Authorization", f"OAuth {token}")], b'{"k":"v"}'),
    "another type": lambda token: Request(
        "POST", ME, [("Authorization", f"OAuth {token}"), ("Content-Type", "image/png")], b"\x89PNG\xff"
    ),
    "two types": lambda token: Request(
        "POST", ME, [("Authorization", f"OAuth {token}"), ("Content-Type", "text/plain"), JSON], b'{"k":"v"}'
    ),
    "a form": lambda token: Request(
        "POST", "/2/token", [FORM], urlencode({"grant_type": "password", "client_id": "縁"}).encode()
    ),
    "a form that is none": lambda token: Request("POST", "/2/token", [FORM], b"\xff\x00&&=%"),
    "parts that are none": lambda token: Request(
        "POST",
        "/2/pages/20260401000000000002/feeds",
        [("Authorization", f"OAuth {token}"), ("Content-Type", "multipart/form-data; boundary=b,c")],
        b"--b,c\r\n\xff",
    ),
    "cookies": lambda token: Request("GET", "/settings", [("Cookie", "engawa=x; other=1"), ("Cookie", "engawa=y")]),
    "a condition in two lines": lambda token: Request(
        "GET", ME, [("Authorization", f"OAuth {token}"), ("If-None-Match", '"a"'), ("If-None-Match", '"b"')]
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_gets_the_same_answer_as_through_api_gateway(world: World, front: UrlFront, name: str) -> None:
    request = ODD[name](world.token(HANA))

    by_url, by_gateway = shown(front.handle(request)), shown(world.gateway.handle(request))

    # Each response has a form with new values.
    if name == "cookies":
        by_url, by_gateway = (by_url[0], by_url[1], b""), (by_gateway[0], by_gateway[1], b"")
        by_url[1].pop("set-cookie", None), by_gateway[1].pop("set-cookie", None)
    # Another write has come between.
    for headers in (by_url[1], by_gateway[1]):
        headers.pop("etag", None), headers.pop("x-ratelimit-remaining", None), headers.pop("x-ratelimit-reset", None)
    assert by_url == by_gateway


def test_a_request_of_6_mb_reaches_the_app_and_a_larger_one_does_not(world: World, front: UrlFront) -> None:
    headers = [("Host", HOST), (PROXY_KEY, KEY), ("Authorization", f"OAuth {world.token(HANA)}"), JSON]
    front.url.handle(Request("POST", ME, headers, b"x"))
    empty = len(json.dumps(front.url.events[-1], ensure_ascii=False, separators=(",", ":")).encode()) - 1

    answers = [front.url.handle(Request("POST", ME, headers, b"x" * (6_291_456 - empty + more))) for more in (0, 1)]

    assert [answer.status for answer in answers] == [400, 413]
    assert json.loads(answers[0].body)["error"] == "bad_request"


def test_a_large_answer_is_compressed_and_keeps_its_etag(front: UrlFront) -> None:
    plain, packed = (
        front.handle(Request("GET", "/openapi.json", [("Accept-Encoding", coding)])) for coding in ("identity", "gzip")
    )

    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 4
    assert dict(packed.headers)["ETag"] == dict(plain.headers)["ETag"]


def test_every_refusal_of_a_path_is_logged_without_the_path(
    world: World, front: UrlFront, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "chalicelib")

    answer = front.handle(Request("GET", "/s3cr3t"))

    [line] = [record for record in caplog.records if record.message == "request"]
    assert (vars(line)["route"], vars(line)["status"], vars(line)["error"]) == ("GET unknown", 404, "not_found")
    assert dict(answer.headers)["X-Request-Id"] == front.url.events[-1]["requestContext"]["requestId"]


@pytest.mark.parametrize("key", ["", "guessed-by-somebody", f"{KEY},{OLD_KEY}", KEY[:-1]])
@pytest.mark.parametrize("request_", [ODD["a read"], ODD["no such path"], ODD["a form that is none"]])
def test_without_the_key_nothing_is_done_or_logged(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    key: str,
    request_: Callable[[str], Request],
) -> None:
    caplog.set_level("INFO")
    request = request_(world.token(HANA))
    known = world.platform.settings
    routes = dict(world.app.routes)
    # The settings are all that is used of the platform.
    monkeypatch.setattr(world.app, "_platform", lambda: _settings_alone(known))

    answer = UrlFront(world.app, key).handle(request)

    assert answer.status == 403
    assert json.loads(answer.body) == {"error": "permission_denied", "error_description": "Permission denied"}
    assert dict(answer.headers)["X-Request-Id"]
    assert (world.calls, caplog.records, dict(world.app.routes)) == ([], [], routes)


def _settings_alone(settings: Any) -> Platform:
    made: Any = type("SettingsAlone", (), {"settings": settings})()
    return made


def test_without_a_key_in_the_settings_every_request_is_refused(make_world: Callable[..., World]) -> None:
    world = make_world(befriended)

    for key in ("", "guessed-by-somebody"):
        assert UrlFront(world.app, key).handle(Request("GET", "/health")).status == 403


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_both_keys_pass_while_the_key_changes(world: World, key: str) -> None:
    assert UrlFront(world.app, key).handle(Request("GET", "/health")).status == 200


def test_failed_sign_ins_are_counted_for_the_address_that_cloudfront_has_seen(world: World, front: UrlFront) -> None:
    from chalicelib.api.oauth.sign_in_page import address_of

    found: list[str] = []

    def seen(request: Any, get_response: Any) -> Any:
        found.append(address_of(request, 1, world.platform.settings.proxy_keys))
        return get_response(request)

    world.app.register_middleware(seen, "http")
    for claim in ({}, {"X-Forwarded-For": "203.0.113.1, 203.0.113.2"}, {"CloudFront-Viewer-Address": "1.2.3.4:5"}):
        front.handle(Request("GET", "/health", [*claim.items()], source_ip="192.0.2.7"))

    assert found == ["192.0.2.7"] * 3
