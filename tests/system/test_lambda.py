"""The deployed zip under Lambda's runtime client, behind stand-ins for API Gateway, a function URL and CloudFront."""

from __future__ import annotations

import base64
import gzip
import json
import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from PIL import ImageCms

import app as entry
from chalicelib.api.canary import APP, USER
from infra import combine
from infra.site import upload
from local.gateway import Answer, Request
from local.lambda_runtime import EventTooLarge, Function, FunctionError, TimedOut
from local.runtime_api import MAX_PAYLOAD
from tests.kit.api_gateway import MAX_REQUEST, ApiGateway
from tests.kit.cloudfront import CloudFront, EdgeFunction, origin_response, runtimes, traces
from tests.kit.deployed import Deployed
from tests.kit.function_url import HOST, Throttled
from tests.kit.pictures import header, png, png_of
from tests.kit.plain_browser import Browser
from tests.kit.served import ROOT
from tests.kit.worlds import SCHEDULED

MINE = "/2/apps/appdata/@me/@self"
UNKNOWN = {"error": "not_found", "error_description": "There is no such path, or it has no such method"}


OURS = ("Content-Type", "application/json; charset=utf-8")
AWS_ID = ("x-amzn-RequestId", "of-aws")


def always(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _: answer


def test_old_clients_see_their_challenge(by_any_front: Deployed) -> None:
    inside = by_any_front.inside(Request("GET", MINE))
    outside = httpx.get(by_any_front.base_url + MINE)

    renamed = {name.lower(): value for name, value in inside.headers}
    assert "www-authenticate" not in renamed
    assert renamed["x-amzn-remapped-www-authenticate"] == "OAuth error='invalid_request'"
    assert outside.headers["WWW-Authenticate"] == "OAuth error='invalid_request'"
    assert not [name for name in outside.headers if "remapped" in name.lower()]


@pytest.mark.parametrize("runtime", runtimes(), ids=lambda command: Path(command[0]).name)
def test_the_edge_gives_back_one_header_and_an_id_and_changes_no_other(tmp_path: Path, runtime: list[str]) -> None:
    edge = EdgeFunction(tmp_path, runtime)
    headers = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Request-Id", "7")]
    challenges = [("x-amzn-Remapped-WWW-Authenticate", "OAuth x"), ("X-Amzn-Remapped-Www-Authenticate", "Bearer y")]
    try:
        for status, given, wanted in (
            (200, headers, headers),
            (
                401,
                [*headers, *challenges],
                [*headers, ("WWW-Authenticate", "OAuth x"), ("WWW-Authenticate", "Bearer y")],
            ),
            (200, [AWS_ID, ("X-Request-Id", "of-app")], [AWS_ID, ("X-Request-Id", "of-app")]),
            (404, [AWS_ID, OURS, ("X-Request-Id", "of-gateway")], [AWS_ID, OURS, ("X-Request-Id", "of-gateway")]),
            (304, [AWS_ID], [AWS_ID, ("X-Request-Id", "of-cloudfront")]),
            (404, [AWS_ID, OURS], [AWS_ID, OURS, ("X-Request-Id", "of-cloudfront")]),
        ):
            front = CloudFront(lambda _: None, always(Answer(status, given, b"text")), edge)
            answer = front.handle(Request("GET", "/"))
            request_id = dict(answer.headers)["X-Amz-Cf-Id"]
            headers = [(name, value.replace("of-cloudfront", request_id)) for name, value in wanted]
            assert answer == Answer(status, [*headers, *traces(request_id)], b"text")
        untouched = origin_response(Request("GET", "/"), Answer(204, headers))
        assert edge(untouched) == untouched["Records"][0]["cf"]["response"]
    finally:
        edge.stop()


@pytest.mark.parametrize("runtime", runtimes(), ids=lambda command: Path(command[0]).name)
def test_the_edge_words_the_errors_of_aws(tmp_path: Path, runtime: list[str]) -> None:
    edge = EdgeFunction(tmp_path, runtime)
    theirs = [("Content-Type", "application/json"), AWS_ID, ("Content-Encoding", "gzip")]
    try:
        for status, kind in (
            (400, "DEFAULT_4XX"),
            (403, "ACCESS_DENIED"),
            (404, "MISSING_AUTHENTICATION_TOKEN"),
            (413, "REQUEST_TOO_LARGE"),
            (429, "THROTTLED"),
            (500, "DEFAULT_5XX"),
            (502, "INTEGRATION_FAILURE"),
            (504, "INTEGRATION_TIMEOUT"),
        ):
            front = CloudFront(lambda _: None, always(Answer(status, theirs, b'{"message":null}')), edge)
            got = front.handle(Request("GET", "/"))
            said = combine.gateway_responses()[kind]
            assert (got.status, got.body.decode()) == (status, said["responseTemplates"]["application/json"])
            headers = dict(got.headers)
            request_id = headers["X-Amz-Cf-Id"]
            word = json.loads(got.body)["error"]
            assert headers.pop("Retry-After", None) == ("1" if status in (429, 504) else None)
            assert headers == {
                **dict([OURS]),
                "Access-Control-Allow-Origin": "*",
                "X-Request-Id": request_id,
                "Link": f'</docs/en/errors/{word}>; rel="help"',
                **dict([AWS_ID, *traces(request_id)]),
            }
            assert front.handle(Request("HEAD", "/")).body == b'{"message":null}'
        # What the app has said stays.
        own = Answer(403, [("Content-Type", "text/html"), ("X-Request-Id", "1")], b"<p>No.</p>")
        got = CloudFront(lambda _: None, always(own), edge).handle(Request("GET", "/"))
        assert (got.status, got.headers[:2], got.body) == (own.status, own.headers, own.body)
    finally:
        edge.stop()


def test_pages_of_the_documentation_come_from_the_bucket(deployed: Deployed) -> None:
    before = deployed.events
    page = httpx.get(f"{deployed.base_url}/docs/en/operations/write-data")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == upload.KEPT
    assert "<h1" in page.text
    markdown = httpx.get(f"{deployed.base_url}/docs/en/operations/write-data.md")
    assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
    gone = httpx.get(f"{deployed.base_url}/docs/en/operations/never")
    assert (gone.status_code, gone.json()["error"]) == (404, "not_found")
    assert gone.headers["x-request-id"]
    for name in ("%E7%B8%81" * 100, "a" * 1_100):
        gone = httpx.get(f"{deployed.base_url}/docs/assets/{name}")
        assert (gone.status_code, gone.json()["error"]) == (404, "not_found")
    assert deployed.events == before
    # The first page comes from the zip.
    assert httpx.get(f"{deployed.base_url}/docs").status_code == 200
    assert deployed.events != before


def test_what_never_reaches_lambda_is_refused_in_our_form(deployed: Deployed) -> None:
    before = deployed.gateway.events
    answers = [
        httpx.get(deployed.base_url + "/no/such/path"),
        httpx.request("LOCK", deployed.base_url + MINE),
        httpx.get(deployed.base_url + "/no/such/path", headers={"Authorization": "OAuth x"}),
        httpx.post(deployed.base_url + MINE, content=b"x" * (MAX_REQUEST + 1)),
    ]

    assert [answer.json() for answer in answers[:3]] == [UNKNOWN] * 3
    assert [answer.status_code for answer in answers] == [404, 404, 404, 413]
    assert answers[3].json()["error"] == "request_entity_too_large"
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json; charset=utf-8"}
    assert all(answer.headers["X-Request-Id"] == answer.headers["x-amzn-RequestId"] for answer in answers)
    assert deployed.gateway.events == before


def test_headers_that_only_api_gateway_refuses_are_refused_in_our_form(deployed: Deployed) -> None:
    answer = httpx.get(deployed.base_url + MINE, headers={"X-Long": "x" * 10_240})

    assert (answer.status_code, answer.json()["error"]) == (413, "request_entity_too_large")
    # Not a gateway response, so the function at the edge words it.
    assert answer.headers["X-Request-Id"] == answer.headers["X-Amz-Cf-Id"]


def test_the_largest_event(deployed: Deployed) -> None:
    """An event of Lambda's maximum size reaches the app, which returns its own error; one byte more does not."""
    token = deployed.token("mixi_apps2")
    request = Request("POST", MINE, [("Authorization", f"OAuth {token}"), ("Content-Type", "application/json")], b"x")
    deployed.gateway.handle(request)
    empty = len(json.dumps(deployed.gateway.events[-1], ensure_ascii=False, separators=(",", ":")).encode()) - 1
    sizes = {}
    for more in (0, 1):
        body = b"x" * (MAX_PAYLOAD - empty + more)
        answer = deployed.gateway.handle(Request("POST", MINE, request.headers, body))
        sizes[more] = (answer.status, json.loads(answer.body)["error"])

    assert sizes == {0: (400, "bad_request"), 1: (413, "request_entity_too_large")}


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (FunctionError("KeyError"), 502, "internal_error"),
        (TimedOut("29 seconds"), 504, "service_unavailable"),
        ({"colour": "red"}, 502, "internal_error"),
        ({"statusCode": 200, "headers": {"X-List": ["1"]}, "body": ""}, 502, "internal_error"),
    ],
)
def test_a_function_that_fails_is_told_in_our_form(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, outcome: Any, status: int, error: str
) -> None:
    def invoke(event: Any) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(deployed.gateway, "function", SimpleNamespace(invoke=invoke))
    answer = deployed.gateway.handle(Request("GET", MINE))

    assert answer.status == status
    assert json.loads(answer.body).keys() == {"error", "error_description"}
    assert json.loads(answer.body)["error"] == error


@pytest.mark.parametrize(
    ("coding", "body", "named"),
    [
        ("gzip", gzip.compress(b'{"k": "v"}', mtime=0), ", not gzip"),
        ("deflate", zlib.compress(b'{"k": "v"}'), ", not deflate"),
        # API Gateway refuses these by itself.
        ("gzip", b'{"k": "v"}', ""),
        ("gzip", gzip.compress(b'{"k": "v"}', mtime=0)[:-9], ""),
        ("deflate", b'{"k": "v"}', ""),
        ("br", b'{"k": "v"}', ""),
    ],
)
def test_a_body_that_is_encoded_is_refused_whoever_sees_it_first(
    deployed: Deployed, coding: str, body: bytes, named: str
) -> None:
    headers = {"Authorization": f"OAuth {deployed.token('mixi_apps2')}", "Content-Type": "application/json"}
    answer = httpx.post(deployed.base_url + MINE, content=body, headers={**headers, "Content-Encoding": coding})

    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")
    assert answer.json()["error_description"] == f"Content-Encoding must be identity or absent{named}"


def test_a_compressed_answer_keeps_its_version_behind_cloudfront(deployed: Deployed) -> None:
    headers = {"Authorization": f"OAuth {deployed.token('mixi_apps2')}"}
    url = deployed.base_url + MINE
    assert httpx.post(url, json={"text": "縁" * 1000}, headers=headers).status_code == 200
    plain, packed = (httpx.get(url, headers={**headers, "Accept-Encoding": coding}) for coding in ("br", "gzip, br"))

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) == len(packed.content)
    assert packed.headers["ETag"] == plain.headers["ETag"]
    once = {**headers, "If-Match": packed.headers["ETag"]}
    assert [httpx.post(url, json={"text": "x"}, headers=once).status_code for _ in range(2)] == [200, 412]
    # Other tests expect Hana's data of the demo world.
    assert httpx.delete(url, params={"fields": "text"}, headers=headers).status_code == 200


@pytest.mark.parametrize("decodes", [False, True])
@pytest.mark.parametrize("path", [MINE, MINE.replace("@", "%40"), MINE.replace("@", "%40") + ".json"])
def test_path_parameters_may_come_decoded_or_not(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, path: str, decodes: bool
) -> None:
    monkeypatch.setattr(deployed.gateway, "decodes_paths", decodes)

    answer = httpx.get(deployed.base_url + path, headers={"Authorization": f"OAuth {deployed.token('mixi_apps2')}"})

    assert answer.status_code == 200
    sent = deployed.gateway.events[-1]["pathParameters"]["user"]
    assert sent == ("%40me" if "%40" in path and not decodes else "@me")


def test_an_image_passes_as_base64_and_a_text_as_text(by_any_front: Deployed) -> None:
    deployed = by_any_front
    headers, url = {"Authorization": f"OAuth {deployed.token('w_pagefeed', user='mei')}"}, _cafe(deployed) + "/feeds"
    on = {"contentUri": f"https://quest.example/{uuid.uuid4()}"}
    # A separate library in the zip reads the profile.
    image = png(icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    answer = httpx.post(
        url, headers=headers, files={"request": (None, json.dumps({"title": "x", **on})), "image1": image}
    )

    assert (answer.status_code, answer.json()) == (201, on)
    event = deployed.events[-1]
    assert event["isBase64Encoded"] is True
    assert image in base64.b64decode(event["body"])
    answer = httpx.post(url.replace("feeds", "comments"), params=on, headers=headers, json={"comment": "縁"})
    assert answer.status_code == 201
    assert deployed.events[-1]["isBase64Encoded"] is False
    assert httpx.delete(url, params=on, headers=headers).status_code == 204


def test_the_viewer_s_address_is_the_one_before_cloudfront_s(deployed: Deployed) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.1", "x-engawa-proxy-key": "guessed"}
    httpx.get(deployed.base_url + MINE, headers=claimed | {"Connection": "close", "Expect": "x"})

    event = deployed.gateway.events[-1]
    # The client's claim, the client, CloudFront: with ENGAWA_PROXIES=1 the app uses the second.
    assert event["headers"]["X-Forwarded-For"] == "203.0.113.1, 127.0.0.1, 198.51.100.9"
    # It does so because the request has CloudFront's key, and no other key.
    keys = [value for name, value in event["multiValueHeaders"].items() if name.lower() == "x-engawa-proxy-key"]
    assert keys == [[deployed.environment()["ENGAWA_PROXY_KEY"]]]
    assert not {"connection", "expect", "content-length"} & {name.lower() for name in event["headers"]}


# The function URL.


def test_only_cloudfront_may_call_the_function_url(by_url: Deployed) -> None:
    token = by_url.token("mixi_apps2")
    for key in ("", "guessed-by-somebody"):
        headers = [("Host", HOST), ("X-Engawa-Proxy-Key", key), ("Authorization", f"OAuth {token}")]
        before = by_url.api.log()
        answer = by_url.url.handle(Request("GET", MINE, headers[: 1 if not key else 3]))
        assert (answer.status, json.loads(answer.body)["error"]) == (403, "permission_denied")
        assert by_url.api.log() == before
    assert by_url.url.handle(Request("GET", MINE, [("Host", "d1.cloudfront.net")])).status == 403
    # A viewer's own key is overwritten.
    guessed = {"X-Engawa-Proxy-Key": "guessed-by-somebody", "Authorization": f"OAuth {token}"}
    assert httpx.get(by_url.base_url + MINE, headers=guessed).status_code == 200


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (EventTooLarge("6 MB"), 413, "request_entity_too_large"),
        (Throttled("no instance"), 429, "service_unavailable"),
        (FunctionError("KeyError"), 502, "internal_error"),
        (TimedOut("29 seconds"), 502, "internal_error"),
        ({"statusCode": 200, "multiValueHeaders": {}, "headers": {}, "body": ""}, 502, "internal_error"),
        ({"statusCode": 200, "headers": {"Set-Cookie": "a=1"}, "body": ""}, 502, "internal_error"),
    ],
)
def test_what_the_function_url_says_itself_is_told_in_our_form(
    by_url: Deployed, monkeypatch: pytest.MonkeyPatch, outcome: Any, status: int, error: str
) -> None:
    def invoke(event: Any) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(by_url.url, "function", SimpleNamespace(invoke=invoke))
    answer = httpx.get(by_url.base_url + MINE)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    # AWS's own id is hidden from the function at the edge, so the answer has CloudFront's.
    assert answer.headers["X-Request-Id"] == answer.headers["X-Amz-Cf-Id"] != answer.headers["x-amzn-RequestId"]
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_the_largest_event_of_a_function_url(by_url: Deployed) -> None:
    token = by_url.token("mixi_apps2")
    request = Request("POST", MINE, [("Authorization", f"OAuth {token}"), ("Content-Type", "application/json")], b"x")
    by_url.front.handle(request)
    empty = len(json.dumps(by_url.events[-1], ensure_ascii=False, separators=(",", ":")).encode()) - 1
    sizes = {}
    for more in (0, 1):
        answer = by_url.front.handle(replace(request, body=b"x" * (MAX_PAYLOAD - empty + more)))
        sizes[more] = (answer.status, json.loads(answer.body)["error"])

    assert sizes == {0: (400, "bad_request"), 1: (413, "request_entity_too_large")}


def test_paths_and_methods_are_refused_by_the_app_behind_a_function_url(by_url: Deployed) -> None:
    unknown, wrong = httpx.get(by_url.base_url + "/no/such/path"), httpx.request("LOCK", by_url.base_url + MINE)

    assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "DELETE, GET, OPTIONS, PATCH, POST, PUT"
    assert {each.headers["Access-Control-Allow-Origin"] for each in (unknown, wrong)} == {"*"}
    assert all(each.headers["X-Request-Id"] == each.headers["x-amzn-RequestId"] for each in (unknown, wrong))


def test_failed_sign_ins_are_counted_by_the_viewer_s_address_behind_a_function_url(by_url: Deployed) -> None:
    def tried(login: str, address: str) -> int:
        browser = Browser(
            lambda method, target, headers, body: _seen(
                by_url.front.handle(Request(method, target, [*headers.items()], body, address))
            )
        )
        return browser.sign_in(browser.open("/settings"), login, "wrong").status

    # The waiting times are 1, 2, 4, ... seconds: on a slow machine, an attempt can take longer than the first of them.
    statuses = [tried(f"nobody{turn}", "192.0.2.33") for turn in range(20)]
    late = (tried(f"nobody{turn}", "192.0.2.33") for turn in range(20, 27))

    assert set(statuses) == {403}
    assert 429 in late
    assert tried("nobody", "192.0.2.34") == 403


# Functions that run without a request.


def test_what_a_deleted_feed_leaves_is_cleared_by_the_function_of_the_queue(deployed: Deployed) -> None:
    deployed.deliver()
    before = deployed.notes()
    headers, url = {"Authorization": f"OAuth {deployed.token('w_pagefeed', user='mei')}"}, _cafe(deployed) + "/feeds"
    on = {"contentUri": f"https://quest.example/{uuid.uuid4()}"}
    assert httpx.post(url, headers=headers, json={"title": "x", **on}).status_code == 201
    assert httpx.delete(url, params=on, headers=headers).status_code == 204
    assert len(deployed.notes() - before) == 1

    assert deployed.deliver() >= 1

    assert deployed.notes() <= before


def test_what_deleted_values_leave_is_cleared_by_the_scheduled_function(deployed: Deployed) -> None:
    headers = {"Authorization": f"OAuth {deployed.token('mixi_apps2', user='yuki')}"}
    url, large = deployed.base_url + MINE, {"large": "x" * 5_000}
    before = httpx.get(url, headers=headers).json()["entry"][0]["data"]
    assert httpx.post(url, headers=headers, json=large).status_code == 200
    assert len(_kept(deployed, "yuki")) == 2
    assert httpx.delete(url, headers=headers).status_code == 200

    assert isinstance(deployed.sweep.invoke(SCHEDULED), int)

    assert _kept(deployed, "yuki") == {"#"}
    # The platform is shared, and other tests expect yuki's data.
    assert httpx.post(url, headers=headers, json=before).status_code == 200


@pytest.fixture
def canary(deployed: Deployed) -> Iterator[Function]:
    """Return the canary. Its user and its app are deleted after the test, since the platform is shared."""
    yield deployed.canary
    table = deployed.served.aws("dynamodb")
    for name in ("engawa-local-appdata", "engawa-local-directory"):
        for item in table.scan(TableName=name)["Items"]:
            if {USER, APP} & set(item["pk"]["S"].split("#")):
                table.delete_item(TableName=name, Key={key: item[key] for key in ("pk", "sk")})


def test_the_canary_passes_through_the_front_and_leaves_nothing(deployed: Deployed, canary: Function) -> None:
    canary.invoke(SCHEDULED)
    canary.invoke(SCHEDULED)

    runs = [json.loads(line) for line in canary.log().splitlines() if line.startswith("{")]
    assert [(line["message"], line["route"], line["status"]) for line in runs] == [("run", "canary", 200)] * 2
    table = deployed.served.aws("dynamodb")
    items = table.scan(TableName="engawa-local-appdata")["Items"]
    assert [item["pk"]["S"] for item in items if USER in item["pk"]["S"]] == [f"{APP}#{USER}"]


def test_the_canary_fails_if_the_platform_does(deployed: Deployed, tmp_path: Path) -> None:
    (tmp_path / "task").symlink_to(deployed.task)
    (tmp_path / "runtime").symlink_to(deployed.task.parent / "runtime")
    # At this URL is the embedded AWS, which takes no such request.
    wrong = {"ENGAWA_ISSUER": deployed.served.emulator_url}
    function = Function("app.canary", tmp_path / "task", deployed.environment() | wrong, 40)
    try:
        with pytest.raises(FunctionError, match="canary failed: CanaryFailed"):
            function.invoke(SCHEDULED)
    finally:
        function.stop()
    [error, _run] = [json.loads(line) for line in function.log().splitlines() if line.startswith("{")]
    assert re.search(r"CanaryFailed: write: status \d+, X-Request-Id [A-Za-z0-9-]+", error["exception"])


def test_the_hardest_work_takes_half_of_the_memory(deployed: Deployed, canary: Function) -> None:
    """The work is the largest allowed picture, a password hash, and the other functions; `-s` prints the memory."""
    function = Function("app.app", deployed.task, deployed.environment())
    gateway = ApiGateway(entry.app, function, {})
    found = {}
    try:
        assert gateway.handle(Request("GET", MINE)).status == 401
        found["API, at its start"] = function.peak()
        browser = Browser(lambda *asked: _shown(gateway, *asked))
        assert browser.sign_in(browser.open("/settings"), "nobody", "wrong").status == 403
        found["API, a password"] = function.peak()
        picture = png_of(header(8000, 5000), bytes(5000 * (1 + 3 * 8000)))
        feed: Any = {"request": (None, json.dumps({"title": "x"})), "image1": ("x.png", picture)}
        sent = httpx.Request("POST", _cafe(deployed) + "/feeds", files=feed)
        token = ("Authorization", f"OAuth {deployed.token('w_pagefeed', user='mei')}")
        target = sent.url.raw_path.decode()
        answer = gateway.handle(Request("POST", target, [*sent.headers.items(), token], sent.read()))
        assert answer.status == 201, answer.body
        uri = json.loads(answer.body)["contentUri"]
        assert gateway.handle(Request("DELETE", f"{target}?contentUri={uri}", [token])).status == 204
        found["API, a picture of 40 million pixels"] = function.peak()
    finally:
        function.stop()
    deployed.deliver()
    deployed.sweep.invoke(SCHEDULED)
    canary.invoke(SCHEDULED)
    found |= {name: getattr(deployed, name).peak() for name in ("clean", "sweep", "canary")}
    print("", *(f"{name}: {size / 2**20:.0f} MB" for name, size in found.items()), sep="\n")

    settings = json.loads((ROOT / ".chalice" / "config.json").read_text())
    functions = settings["stages"]["prod"]["lambda_functions"]
    assert found["API, a picture of 40 million pixels"] < settings["lambda_memory_size"] * 2**20 / 2
    for name in ("clean", "sweep", "canary"):
        assert found[name] < functions[name]["lambda_memory_size"] * 2**20 / 2


WRONG: dict[str, tuple[str, Any, str]] = {
    "sweep without the issuer": ("app.sweep", {"ENGAWA_ISSUER": ""}, "ENGAWA_ISSUER is not set"),
    "a number": (
        "app.app",
        {"ENGAWA_QUOTA_BYTES": "many"},
        "ENGAWA_QUOTA_BYTES must be a whole number from 1 to 100000000, not 'many'",
    ),
    "no file": (
        "app.app",
        {"ENGAWA_TOKEN_KEYS_FILE": "/no/such/file"},
        "ENGAWA_TOKEN_KEYS_FILE cannot be read: No such file or directory",
    ),
    "no secret": (
        "app.app",
        {
            "ENGAWA_TOKEN_KEYS_FILE": "",
            "ENGAWA_TOKEN_KEYS_SECRET": "none",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:9",
        },
        "ENGAWA_TOKEN_KEYS_SECRET cannot be read: EndpointConnectionError",
    ),
    "no JSON": ("app.app", "s3cr3t", "ENGAWA_TOKEN_KEYS_FILE does not hold the token keys: it is not a JWK Set"),
    "no keys": ("app.app", '{"keys": []}', "ENGAWA_TOKEN_KEYS_FILE does not hold the token keys: it has no keys"),
    "no key": (
        "app.app",
        '{"keys": [{"kid": "a", "kty": "oct", "s3cr3t": "s3cr3t"}]}',
        "ENGAWA_TOKEN_KEYS_FILE does not hold the token keys: it has a key that is no JWK",
    ),
}
"""The handler, the wrong environment (or wrong token keys, if it is a text), and the expected error message."""


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_setting_stops_the_cold_start_and_is_told_in_a_sentence(
    deployed: Deployed, tmp_path: Path, name: str
) -> None:
    handler, wrong, told = WRONG[name]
    if isinstance(wrong, str):
        (tmp_path / "keys.json").write_text(wrong)
        wrong = {"ENGAWA_TOKEN_KEYS_FILE": str(tmp_path / "keys.json")}
    # Directory of its own, so that the function has a log of its own.
    (tmp_path / "task").symlink_to(deployed.task)
    (tmp_path / "runtime").symlink_to(deployed.task.parent / "runtime")
    function = Function(handler, tmp_path / "task", deployed.environment() | wrong)
    try:
        with pytest.raises(FunctionError, match=r"^init: ") as failed:
            function.invoke(SCHEDULED)
    finally:
        function.stop()
    reported = json.loads(str(failed.value).removeprefix("init: "))
    assert (reported["errorType"], reported["errorMessage"]) == ("WrongSetting", told)
    assert f"WrongSetting: {told}\n" in function.log()
    assert "s3cr3t" not in str(failed.value) + function.log()


def test_a_request_is_found_in_the_function_s_log_by_its_id(deployed: Deployed) -> None:
    token = deployed.token("mixi_apps2")
    answer = httpx.get(deployed.base_url + MINE, headers={"Authorization": f"OAuth {token}"}, params={"note": "s3cr3t"})

    lines = [json.loads(line) for line in deployed.api.log().splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line["request_id"] == answer.headers["X-Request-Id"]]
    assert (line["status"], line["route"], line["Requests"]) == (200, "GET /2/apps/appdata/{user}/{group}", 1)
    # The app asks DynamoDB to return these figures.
    assert (line["calls"], line["rru"] > 0) == (1, True)
    assert line["_aws"]["CloudWatchMetrics"]
    assert token not in deployed.api.log()
    assert "s3cr3t" not in deployed.api.log()


def _shown(
    gateway: ApiGateway, method: str, target: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], str]:
    """Return the API's response in the form that a Browser takes."""
    return _seen(gateway.handle(Request(method, target, [*headers.items()], body, "192.0.2.9")))


def _seen(answer: Answer) -> tuple[int, list[tuple[str, str]], str]:
    return answer.status, answer.headers, answer.body.decode()


def _cafe(deployed: Deployed) -> str:
    return f"{deployed.base_url}/2/pages/{deployed.served.demo['pages']['cafe']['id']}"


def _kept(deployed: Deployed, user: str) -> set[str]:
    """Return the sort keys of a demo user's items in quest."""
    demo = deployed.served.demo
    key = {":pk": {"S": f"{demo['apps']['quest']['id']}#{demo['users'][user]['id']}"}}
    query = {"TableName": "engawa-local-appdata", "KeyConditionExpression": "pk = :pk"}
    found = deployed.served.aws("dynamodb").query(**query, ExpressionAttributeValues=key)
    return {item["sk"]["S"] for item in found["Items"]}
