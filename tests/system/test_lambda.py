"""The zip that is deployed, under Lambda's own runtime client, behind what API Gateway and CloudFront do to it."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import app as entry
from local.gateway import Answer, Request
from tests.pages import Browser
from tests.pictures import header, png, png_of
from tests.system.api_gateway import MAX_REQUEST, ApiGateway
from tests.system.cloudfront import CloudFront, EdgeFunction, origin_response, runtimes
from tests.system.conftest import ROOT
from tests.system.deployed import Deployed
from tests.system.lambda_runtime import Function, FunctionError, TimedOut
from tests.system.runtime_api import MAX_PAYLOAD

MINE = "/2/apps/appdata/@me/@self"
UNKNOWN = {"error": "not_found", "error_description": "There is no such path, or it has no such method"}
SCHEDULED = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-11-01T00:00:00Z",
    "region": "ap-northeast-1",
    "resources": ["arn:aws:events:ap-northeast-1:000000000000:rule/sweep"],
    "detail": {},
}


def always(answer: Answer) -> Callable[[Request], Answer]:
    return lambda _: answer


def test_old_clients_see_their_challenge(deployed: Deployed) -> None:
    inside = deployed.gateway.handle(Request("GET", MINE))
    outside = httpx.get(deployed.base_url + MINE)

    renamed = dict(inside.headers)
    assert "WWW-Authenticate" not in renamed
    assert renamed["x-amzn-Remapped-WWW-Authenticate"] == "OAuth error='invalid_request'"
    assert outside.headers["WWW-Authenticate"] == "OAuth error='invalid_request'"
    assert not [name for name in outside.headers if "remapped" in name.lower()]


@pytest.mark.parametrize("runtime", runtimes(), ids=lambda command: Path(command[0]).name)
def test_the_edge_moves_one_header_and_no_other(tmp_path: Path, runtime: list[str]) -> None:
    edge = EdgeFunction(tmp_path, runtime)
    headers = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    challenges = [("x-amzn-Remapped-WWW-Authenticate", "OAuth x"), ("X-Amzn-Remapped-Www-Authenticate", "Bearer y")]
    try:
        for status, given, wanted in (
            (200, headers, headers),
            (
                401,
                [*headers, *challenges],
                [*headers, ("WWW-Authenticate", "OAuth x"), ("WWW-Authenticate", "Bearer y")],
            ),
        ):
            answer = Answer(status, given, b"text")
            front = CloudFront(lambda _: None, always(answer), edge)
            assert front.handle(Request("GET", "/")) == Answer(status, wanted, b"text")
        untouched = origin_response(Request("GET", "/"), Answer(204, headers))
        assert edge(untouched) == untouched["Records"][0]["cf"]["response"]
    finally:
        edge.stop()


def test_what_never_reaches_lambda_is_refused_in_our_form(deployed: Deployed) -> None:
    before = deployed.gateway.events
    answers = [
        httpx.get(deployed.base_url + "/no/such/path"),
        httpx.patch(deployed.base_url + MINE),
        httpx.get(deployed.base_url + "/no/such/path", headers={"Authorization": "OAuth x"}),
        httpx.post(deployed.base_url + MINE, content=b"x" * (MAX_REQUEST + 1)),
    ]

    assert [answer.json() for answer in answers[:3]] == [UNKNOWN] * 3
    assert [answer.status_code for answer in answers] == [404, 404, 404, 413]
    assert answers[3].json()["error"] == "request_entity_too_large"
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json; charset=utf-8"}
    assert deployed.gateway.events == before


def test_the_largest_event(deployed: Deployed) -> None:
    """As large as Lambda takes reaches the app, which says what it thinks of it; one byte more does not."""
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


def test_an_image_passes_as_base64_and_a_text_as_text(deployed: Deployed) -> None:
    headers, url = {"Authorization": f"OAuth {deployed.token('w_pagefeed', user='mei')}"}, _cafe(deployed) + "/feeds"
    on = {"contentUri": f"https://quest.example/{uuid.uuid4()}"}
    answer = httpx.post(
        url, headers=headers, files={"request": (None, json.dumps({"title": "x", **on})), "image1": png()}
    )

    assert (answer.status_code, answer.json()) == (201, on)
    event = deployed.gateway.events[-1]
    assert event["isBase64Encoded"] is True
    assert png() in base64.b64decode(event["body"])
    answer = httpx.post(url.replace("feeds", "comments"), params=on, headers=headers, json={"comment": "縁"})
    assert answer.status_code == 201
    assert deployed.gateway.events[-1]["isBase64Encoded"] is False
    assert httpx.delete(url, params=on, headers=headers).status_code == 204


def test_the_viewer_s_address_is_the_one_before_cloudfront_s(deployed: Deployed) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.1", "x-engawa-proxy-key": "guessed"}
    httpx.get(deployed.base_url + MINE, headers=claimed | {"Connection": "close", "Expect": "x"})

    event = deployed.gateway.events[-1]
    # What a client claims, the client, CloudFront: with ENGAWA_PROXIES=1 the app believes the second.
    assert event["headers"]["X-Forwarded-For"] == "203.0.113.1, 127.0.0.1, 198.51.100.9"
    # It does since CloudFront's key is there, and no other.
    keys = [value for name, value in event["multiValueHeaders"].items() if name.lower() == "x-engawa-proxy-key"]
    assert keys == [[deployed.environment()["ENGAWA_PROXY_KEY"]]]
    assert not {"connection", "expect", "content-length"} & {name.lower() for name in event["headers"]}


# The functions without a request.


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
    # The platform is shared, and other tests know what yuki has.
    assert httpx.post(url, headers=headers, json=before).status_code == 200


def test_the_hardest_work_takes_half_of_the_memory(deployed: Deployed) -> None:
    """The largest picture there may be, a password's hash, and the functions' own work; `-s` prints how much."""
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
        feed = {"request": (None, json.dumps({"title": "x"})), "image1": ("x.png", picture)}
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
    found |= {"clean": deployed.clean.peak(), "sweep": deployed.sweep.peak()}
    print("", *(f"{name}: {size / 2**20:.0f} MB" for name, size in found.items()), sep="\n")

    settings = json.loads((ROOT / ".chalice" / "config.json").read_text())
    functions = settings["stages"]["prod"]["lambda_functions"]
    assert found["API, a picture of 40 million pixels"] < settings["lambda_memory_size"] * 2**20 / 2
    assert max(found["clean"], found["sweep"]) < functions["clean"]["lambda_memory_size"] * 2**20 / 2


def test_a_missing_setting_is_named_in_a_sentence(deployed: Deployed) -> None:
    environment = deployed.environment()
    del environment["ENGAWA_ISSUER"]
    function = Function("app.sweep", deployed.task, environment)
    try:
        with pytest.raises(FunctionError, match="ENGAWA_ISSUER is not set"):
            function.invoke(SCHEDULED)
    finally:
        function.stop()


def _shown(
    gateway: ApiGateway, method: str, target: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], str]:
    """What a browser is shown by the API itself."""
    answer = gateway.handle(Request(method, target, [*headers.items()], body, "192.0.2.9"))
    return answer.status, {name.lower(): value for name, value in answer.headers}, answer.body.decode()


def _cafe(deployed: Deployed) -> str:
    return f"{deployed.base_url}/2/pages/{deployed.served.demo['pages']['cafe']['id']}"


def _kept(deployed: Deployed, user: str) -> set[str]:
    """The sort keys of what a user of the demo world has in quest."""
    demo = deployed.served.demo
    key = {":pk": {"S": f"{demo['apps']['quest']['id']}#{demo['users'][user]['id']}"}}
    query = {"TableName": "engawa-local-appdata", "KeyConditionExpression": "pk = :pk"}
    found = deployed.served.aws("dynamodb").query(**query, ExpressionAttributeValues=key)
    return {item["sk"]["S"] for item in found["Items"]}
