"""`/docs` and `/openapi.json`: public files that clients may cache."""

import base64
import hashlib
import json

import pytest

from infra import reference
from tests.kit.worlds import World

EACH = pytest.mark.parametrize(
    ("path", "name", "media_type"),
    [
        ("/docs", "reference.html", "text/html; charset=utf-8"),
        ("/openapi.json", "openapi.json", "application/json; charset=utf-8"),
    ],
)


@EACH
def test_it_is_what_is_made_of_openapi_yaml(world: World, path: str, name: str, media_type: str) -> None:
    answer = world.send("GET", path, user=None)
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    made = reference.files()[name]
    assert answer.text == made.replace(
        '"servers":[{"url":"/"', f'"servers":[{{"url":"{world.platform.settings.issuer}"'
    )
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert world.calls == []


def test_programs_read_where_the_server_is(world: World) -> None:
    """Generated clients take their base URL from the document."""
    (server,) = json.loads(world.send("GET", "/openapi.json", user=None).text)["servers"]
    assert server["url"] == world.platform.settings.issuer
    assert server["url"].startswith("http")


@EACH
def test_who_has_it_is_told_so(world: World, path: str, name: str, media_type: str) -> None:
    etag = world.send("GET", path, user=None).headers["etag"]
    again = world.send("GET", path, user=None, headers={"If-None-Match": etag})
    assert (again.status, again.text, again.headers["etag"]) == (304, "", etag)
    assert again.headers["vary"] == "Accept-Encoding"
    assert world.send("GET", path, user=None, headers={"If-None-Match": '"another"'}).status == 200
    assert world.send("GET", path, user=None, headers={"If-None-Match": "none"}).error[:2] == (400, "parameter_invalid")


def test_the_page_may_load_nothing_but_its_style(world: World) -> None:
    answer = world.send("GET", "/docs", user=None)
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["x-frame-options"] == "DENY"


def test_programs_read_it_from_pages_of_any_origin(world: World) -> None:
    answer = world.send("GET", "/openapi.json", user=None, headers={"Origin": "https://editor.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert json.loads(answer.text)["openapi"] == "3.1.1"
