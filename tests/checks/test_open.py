"""Checks of what is open to everyone, and of refusals without a token. They write nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.site import Site, challenged, is_page, refused, require

APPDATA = "/2/apps/appdata/@me/@self"
NEED_A_TOKEN = [
    ("GET", APPDATA),
    ("POST", APPDATA),
    ("DELETE", APPDATA),
    ("GET", "/2/people/@me/@self"),
    ("GET", "/2/pages/1"),
    ("POST", "/2/pages/1/feeds"),
    ("POST", "/2/pages/1/comments"),
    ("POST", "/2/pages/1/favorites"),
    ("GET", "/os/0.8/people/@me/@self"),
    ("PUT", "/os/0.8/appdata/@me/@self/@app"),
    ("POST", "/rpc"),
    ("GET", "/admin/users"),
    ("DELETE", "/admin/users/000000000000"),
]
CHALLENGES = [
    ({"headers": {"Authorization": "OAuth nonsense"}}, "OAuth error='invalid_token'"),
    ({"params": {"oauth_token": "nonsense"}}, "OAuth error='invalid_token'"),
    ({"headers": {"Authorization": "Bearer nonsense"}}, 'Bearer error="invalid_token", error_description="'),
    ({"params": {"access_token": "nonsense"}}, 'Bearer error="invalid_token", error_description="'),
]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "OAuth x"}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize("path", ["/no", "/no/such/path", "/2/apps/appdata/@me", "/2/pages/1/feeds/2/3"])
def test_an_unknown_path_is_refused_in_our_form(site: Site, path: str, headers: dict[str, str]) -> None:
    refused(site.get(path, headers=headers), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/2/people/@me/@self"), ("PUT", "/rpc")])
def test_a_wrong_method_is_refused_in_our_form(site: Site, method: str, path: str) -> None:
    answer = site.send(method, path)
    # API Gateway gives the same response for an unknown path and for an unknown method of a path.
    refused(answer, (404, 405), "not_found" if answer.status_code == 404 else "method_not_allowed")
    require(answer, answer.status_code == 404 or "Allow" in answer.headers, "Allow")


@pytest.mark.parametrize(("method", "path"), NEED_A_TOKEN)
def test_without_a_token_nothing_is_told(site: Site, method: str, path: str) -> None:
    answer = site.send(method, path)
    refused(answer, 401, "invalid_request")
    challenged(answer, "OAuth error='invalid_request'")


@pytest.mark.parametrize(("given", "challenge"), CHALLENGES)
def test_a_wrong_token_is_answered_as_it_was_sent(site: Site, given: dict[str, Any], challenge: str) -> None:
    answer = site.get(APPDATA, **given)
    refused(answer, 401, "invalid_token")
    challenged(answer, challenge)


@pytest.mark.parametrize("path", [APPDATA.replace("@", "%40"), APPDATA + ".json", APPDATA + "?format=json&x=%E7%B8%81"])
def test_paths_may_be_escaped_and_have_a_format(site: Site, path: str) -> None:
    refused(site.get(path), 401, "invalid_request")


@pytest.mark.parametrize("megabytes", [7, 12])
def test_a_request_that_is_too_large(site: Site, megabytes: int) -> None:
    headers = {"Content-Type": "application/json"}
    refused(
        site.post(APPDATA, content=b"x" * (megabytes * 1_000_000), headers=headers), 413, "request_entity_too_large"
    )


def test_it_tells_programs_where_everything_is(site: Site) -> None:
    answer = site.get("/.well-known/oauth-authorization-server")
    require(answer, answer.status_code == 200, "200")
    told = answer.json()
    # Signatures, tokens and links contain the issuer: it must be the URL that clients use.
    require(answer, told["issuer"] == site.url, f"the issuer {site.url} (ENGAWA_ISSUER), not {told['issuer']}")
    require(answer, told["token_endpoint"] == f"{site.url}/2/token", f"{site.url}/2/token")


def test_unknown_clients_get_no_token(site: Site) -> None:
    form = {"grant_type": "client_credentials", "client_id": "0" * 16, "client_secret": "x"}
    refused(site.post("/2/token", data=form), 401, "invalid_client")
    answer = site.post("/2/token", data={"grant_type": "client_credentials"}, auth=("0" * 16, "x"))
    refused(answer, 401, "invalid_client")
    challenged(answer, "Basic realm=")


def test_the_last_page_of_an_installed_client(site: Site) -> None:
    answer = site.get("/connect_authorize_success.html", params={"code": "c0de"})
    require(answer, "c0de" not in is_page(answer), "nothing of the query")


def test_unknown_clients_get_a_page_and_no_redirect(site: Site) -> None:
    asked = {"client_id": "0" * 16, "response_type": "code", "redirect_uri": "https://evil.example/"}
    answer = site.get("/connect_authorize.pl", params=asked)
    is_page(answer, 400)
    require(answer, "Location" not in answer.headers, "no Location")


def test_settings_ask_to_sign_in(site: Site) -> None:
    is_page(site.get("/"))
    answer = site.get("/settings")
    page = is_page(answer)
    require(answer, 'name="password"' in page, "a form to sign in")
    cookie = answer.headers.get("Set-Cookie", "")
    require(answer, "HttpOnly" in cookie and "SameSite=Lax" in cookie, "a cookie with HttpOnly and SameSite=Lax")
    require(answer, site.url.startswith("http://") or "Secure" in cookie, "a cookie with Secure")


@pytest.mark.parametrize("path", ["/pages/1/feeds/0", "/run_page_apps.pl?page_id=1&module_id=999999999"])
def test_pages_that_there_are_not(site: Site, path: str) -> None:
    is_page(site.get(path), 404)


@pytest.mark.parametrize("name", ["opensocial.js", "opensocial.mjs", "opensocial.d.ts"])
def test_scripts(site: Site, name: str) -> None:
    answer = site.get(f"/js/{name}")
    require(answer, answer.status_code == 200 and "opensocial" in answer.text, "the script")
    require(answer, "charset=utf-8" in answer.headers["Content-Type"], "a type with charset=utf-8")
    require(answer, answer.headers.get("Access-Control-Allow-Origin") == "*", "Access-Control-Allow-Origin: *")
    again = site.get(f"/js/{name}", headers={"If-None-Match": answer.headers.get("ETag", "")})
    require(again, again.status_code == 304 and not again.content, "304 without a body")


def test_the_documentation(site: Site) -> None:
    page = is_page(site.get("/docs"))
    answer = site.get("/openapi.json")
    require(answer, answer.status_code == 200 and answer.json().get("openapi", "").startswith("3.1"), "OpenAPI 3.1")
    missing = [path for path in answer.json()["paths"] if path not in page]
    require(answer, not missing, "the same paths as /docs has")


def test_a_certificate_for_the_starts_of_page_apps(site: Site) -> None:
    answer = site.get("/launch/current.pem")
    if answer.status_code == 404:
        pytest.skip("this platform starts no page apps (it has no launch keys)")
    require(answer, answer.text.startswith("-----BEGIN CERTIFICATE-----"), "a certificate")


def test_images_that_there_are_not(site: Site) -> None:
    answer = site.get(f"/images/1/{'0' * 32}.png")
    require(answer, answer.status_code in (403, 404), "404, or S3's 403")


@pytest.mark.parametrize("path", [APPDATA, "/rpc", "/2/token", "/os/0.8/people/@me/@self"])
def test_browsers_may_ask_before_they_call(site: Site, path: str) -> None:
    asked = {"Origin": "https://game.example", "Access-Control-Request-Method": "POST"}
    answer = site.send("OPTIONS", path, headers=asked)
    require(answer, answer.status_code == 204, "204")
    require(answer, answer.headers.get("Access-Control-Allow-Origin") == "*", "Access-Control-Allow-Origin: *")
    allowed = answer.headers.get("Access-Control-Allow-Headers", "").lower()
    require(answer, "authorization" in allowed, "Access-Control-Allow-Headers with Authorization")


def test_a_page_of_another_origin_reads_why_it_is_refused(site: Site) -> None:
    answer = site.get(APPDATA, headers={"Origin": "https://game.example"})
    refused(answer, 401, "invalid_request")
    origin = answer.headers.get("Access-Control-Allow-Origin")
    require(answer, origin == "https://game.example", "Access-Control-Allow-Origin: https://game.example")
    require(answer, "Access-Control-Allow-Credentials" not in answer.headers, "no Access-Control-Allow-Credentials")


def test_it_is_well(site: Site) -> None:
    answer = site.get("/health")
    require(answer, answer.status_code == 200 and answer.json().get("status") == "ok", '200 and "status": "ok"')
    contract = site.get("/openapi.json")
    version = contract.json()["info"]["version"]
    require(answer, answer.json().get("version") == version, f"the version {version} of /openapi.json")


def test_head_has_no_body(site: Site) -> None:
    answer = site.send("HEAD", "/no/such/path")
    require(answer, answer.status_code == 404 and not answer.content, "404 without a body")


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/health", "/docs", "/openapi.json", "/js/opensocial.js", "/launch/current.pem"]
)
def test_head_is_get_without_its_body(site: Site, path: str) -> None:
    # A body that is compressed on the way has no Content-Length.
    plain = {"Accept-Encoding": "identity"}
    got, answer = site.get(path, headers=plain), site.send("HEAD", path, headers=plain)
    require(answer, answer.status_code == got.status_code and not answer.content, "GET's status without a body")
    require(answer, answer.headers.get("ETag") == got.headers.get("ETag"), "the ETag of GET")
    length = answer.headers.get("Content-Length")
    require(answer, length in (None, str(len(got.content))), f"Content-Length: {len(got.content)}, or none")


def test_an_encoded_body_is_refused(site: Site) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    answer = site.post("/2/token", content=b"grant_type=client_credentials", headers=headers)
    # API Gateway refuses it by itself, since the body is no gzip.
    refused(answer, 415, "unsupported_media_type", "Content-Encoding")


def test_a_large_answer_may_be_compressed_for_those_who_ask(site: Site) -> None:
    plain = site.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = site.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    require(plain, plain.headers.get("Content-Encoding") in (None, "identity"), "no Content-Encoding")
    require(packed, packed.headers.get("Content-Encoding") in (None, "identity", "gzip"), "gzip, or no coding")
    require(packed, packed.content == plain.content, "the same content")
    require(packed, packed.headers.get("ETag") == plain.headers.get("ETag"), "the same ETag, a strong one")


def test_answers_are_nobody_elses_to_keep(site: Site) -> None:
    answer = site.get(APPDATA)
    require(answer, "private" in answer.headers.get("Cache-Control", ""), "Cache-Control: private")
    require(answer, answer.headers.get("X-Content-Type-Options") == "nosniff", "X-Content-Type-Options: nosniff")


def test_an_operator_s_answers_are_an_operator_s(site: Site) -> None:
    refused(site.get("/admin/apps", "nonsense"), 401, "invalid_token")
