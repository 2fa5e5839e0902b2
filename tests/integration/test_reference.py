"""`/docs`, `/openapi.json` and `/llms.txt`: public files that clients may cache."""

import json

import pytest

from chalicelib.api import reference as face
from infra import reference
from infra.site import builder
from tests.kit.worlds import World

HTML = "/docs/en/operations/write-data"
ANY = ("/docs", "/docs/ja", "/docs/en.md", HTML, f"{HTML}.md", "/docs/assets/site.css", "/llms.txt", "/openapi.json")


@pytest.fixture(scope="module")
def files() -> builder.Served:
    return builder.archived()


@pytest.mark.parametrize("path", [path for path in ANY if path != "/openapi.json"])
def test_it_is_what_has_been_built(world: World, files: builder.Served, path: str) -> None:
    answer = world.send("GET", path, user=None)
    media_type, content = files[path]
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.text == content.decode()
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert world.calls == []


def test_the_contract_is_made_of_openapi_yaml_and_says_where_the_server_is(world: World) -> None:
    """Generated clients take their base URL from the document."""
    answer = world.send("GET", "/openapi.json", user=None)
    issuer = world.platform.settings.issuer
    made = reference.files()["openapi.json"]
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.text == made.replace('"servers":[{"url":"/"', f'"servers":[{{"url":"{issuer}"')
    assert [server["url"] for server in json.loads(answer.text)["servers"]] == [issuer]
    assert world.calls == []


@pytest.mark.parametrize("path", ANY)
def test_who_has_it_is_told_so(world: World, path: str) -> None:
    etag = world.send("GET", path, user=None).headers["etag"]
    again = world.send("GET", path, user=None, headers={"If-None-Match": etag})
    assert (again.status, again.text, again.headers["etag"]) == (304, "", etag)
    assert again.headers["vary"] == "Accept-Encoding"
    assert world.send("GET", path, user=None, headers={"If-None-Match": '"another"'}).status == 200
    assert world.send("GET", path, user=None, headers={"If-None-Match": "none"}).status == 400


def test_a_page_may_load_only_files_of_this_server(world: World) -> None:
    answer = world.send("GET", "/docs", user=None)
    policy = answer.headers["content-security-policy"]
    assert policy == face.POLICY
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy
    assert "data:" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "content-security-policy" not in world.send("GET", f"{HTML}.md", user=None).headers


def test_a_page_that_sends_requests_may_also_fetch_a_large_answer(world: World) -> None:
    policy = world.send("GET", HTML, user=None).headers["content-security-policy"]
    kept = world.platform.oversized_answers.keep(b"{}", "application/json; charset=utf-8")
    folder = kept.partition("?")[0].rpartition("-/")[0]
    assert folder.endswith("/answers/")
    assert policy == face.POLICY.replace("connect-src 'self'", f"connect-src 'self' {folder}")


@pytest.mark.parametrize(
    "path",
    [
        "/docs/de",
        "/docs/en.txt",
        "/docs/en/operations/no-such-operation",
        "/docs/en/operations/write-data.html",
        "/docs/en/operations/WRITE-DATA",
        "/docs/en/operations/..",
        "/docs/en/../../openapi.json",
        "/docs/%2e%2e",
        "/docs/en/operations/..%2f..%2f..%2fopensocial.js",
        "/docs/en/%2e%2e/%2e%2e",
        "/docs/assets/..%2ffiles.json.xz",
        "/docs/assets/%2e%2e",
        "/docs/assets/files.json.xz",
        "/docs/assets/site.css%00",
        "/docs/assets/%2fetc%2fpasswd",
    ],
)
def test_what_is_not_a_page_is_not_found(world: World, path: str) -> None:
    answer = world.send("GET", path, user=None)
    assert answer.status == 404
    if answer.headers["content-type"].startswith("text/html"):
        assert "There is no such page" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    else:
        assert answer.json["error"] == "not_found"
    assert world.calls == []


def test_a_slash_at_the_end_changes_nothing(world: World) -> None:
    assert world.send("GET", "/docs/", user=None).text == world.send("GET", "/docs", user=None).text


def test_programs_read_it_from_pages_of_any_origin(world: World) -> None:
    answer = world.send("GET", "/openapi.json", user=None, headers={"Origin": "https://editor.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert json.loads(answer.text)["openapi"] == "3.1.1"


@pytest.mark.parametrize(
    ("method", "path", "word"),
    [
        ("GET", "/2/apps/appdata/@me/@friends?format=xml", "parameter_invalid"),
        ("GET", "/2/people/000000000000/@self", "insufficient_scope"),
        ("GET", "/js/nothing", "not_found"),
        ("GET", "/docs/assets/nothing", "not_found"),
    ],
)
def test_an_error_links_the_page_about_it(world: World, method: str, path: str, word: str) -> None:
    answer = world.send(method, path)
    assert answer.json["error"] == word
    link = answer.headers["link"]
    assert link in (
        f'<{world.platform.settings.issuer}/docs/en/errors/{word}>; rel="help"',
        # If no route answers, nothing knows the base URL.
        f'</docs/en/errors/{word}>; rel="help"' if path == "/js/nothing" else "",
    )


def test_an_error_of_json_rpc_has_no_word_to_link(world: World) -> None:
    answer = world.send("POST", "/rpc", body=b"[]", headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert "link" not in answer.headers
