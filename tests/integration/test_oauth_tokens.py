"""The token endpoint: every grant, both dialects, what is stored, what it costs, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from chalicelib.core import passwords
from chalicelib.core.directory import App, Dialect, User
from chalicelib.core.errors import TokenRefused
from local.gateway import Request
from tests.pages import Browser, Page

HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
QUEST, ALBUM, OLD = "6d1f0c2ab4e79853", "c07be4915fa2d386", "00ff00ff00ff00ff"
SECRET, PASSWORD = "s3cret-of-quest", "correct horse battery"
BACK = "https://quest.example/back?from=engawa"
ALBUM_BACK = "com.example.album:/back"
SCOPES = ("mixi_apps2", "r_profile", "w_pagefeed", "openid")
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def here(make_world: Callable[..., Any]) -> Any:
    world = make_world()
    world.platform.users.create(User(HANA, "花", login="hana"), passwords.hash_password(PASSWORD))
    world.platform.users.create(User(KEN, "健", login="ken"), passwords.hash_password(PASSWORD))
    apps = world.platform.apps
    apps.create(App(QUEST, "クエスト", True, SECRET, (BACK, "https://quest.example/other"), scopes=SCOPES))
    apps.create(App(OLD, "Old", True, SECRET, (BACK,), scopes=SCOPES, dialect=Dialect.DRAFT10))
    apps.create(App(ALBUM, "Album", False, None, (ALBUM_BACK,), scopes=("r_profile", "mixi_apps2", "admin")))
    world.calls.clear()
    return world


@pytest.fixture
def browser(here: Any) -> Browser:
    return browser_of(here)


def browser_of(here: Any) -> Browser:
    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], str]:
        answer = here.gateway.handle(Request(method, target, list(headers.items()), body))
        return answer.status, answer.headers, answer.body.decode()

    return Browser(send)


def allow(browser: Browser, app: str = QUEST, login: str = "hana", **more: str) -> Page:
    asked = {"client_id": app, "response_type": "code", "scope": "r_profile mixi_apps2", "state": "s"} | more
    page = browser.open("/connect_authorize.pl", **asked)
    if "password" in page.forms[0].fields:
        page = browser.sign_in(page, login, PASSWORD)
    return browser.submit(page.form("decision"), decision="allow")


def code_of(browser: Browser, app: str = QUEST, **more: str) -> str:
    return allow(browser, app, **more).told["code"]


def album_code(browser: Browser) -> str:
    return code_of(browser, ALBUM, code_challenge=CHALLENGE, code_challenge_method="S256")


def post(here: Any, path: str = "/2/token", raw: bytes | None = None, *, kind: str | None = None, **form: str) -> Any:
    body = urlencode(form).encode() if raw is None else raw
    return here.send("POST", path, body, user=None, headers={"Content-Type": kind} if kind else None)


def token(here: Any, app: str = QUEST, **form: str) -> Any:
    credentials = {"client_id": app} | ({} if app == ALBUM else {"client_secret": SECRET})
    return post(here, **(credentials | form))


def by_code(here: Any, code: str, app: str = QUEST, **form: str) -> Any:
    return token(here, app, grant_type="authorization_code", code=code, **form)


def by_refresh(here: Any, refresh: str, app: str = QUEST, **form: str) -> Any:
    return token(here, app, grant_type="refresh_token", refresh_token=refresh, **form)


def calls(here: Any) -> Iterator[str]:
    return (call.operation for call in here.calls)


def refused(answer: Any) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json.keys() == {"error", "error_description"}
    assert "www-authenticate" not in answer.headers
    return answer.status, answer.json["error"]


# Answers


def test_a_code_becomes_tokens(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    here.calls.clear()
    answer = by_code(here, code, redirect_uri=BACK)
    assert list(calls(here)) == ["batch_get_item", "transact_write_items"]
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json.keys() == {"refresh_token", "expires_in", "access_token", "token_type", "scope"}
    assert answer.json["expires_in"] == 900
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "mixi_apps2 r_profile"
    access = here.platform.tokens.check(answer.json["access_token"])
    assert (access.app, access.viewer, access.owner) == (QUEST, HANA, HANA)
    assert access.scopes == {"mixi_apps2", "r_profile"}


def test_granting_installs_the_app_and_the_token_works(here: Any, browser: Browser) -> None:
    answer = by_code(here, code_of(browser))
    stored = here.send("POST", "/2/apps/appdata/@me/@self", {"a": "1"}, token=answer.json["access_token"], user=None)
    assert stored.status == 200


def test_without_mixi_apps2_nothing_is_installed(here: Any, browser: Browser) -> None:
    code_of(browser, scope="r_profile")
    assert here.platform.directory.installs(HANA)[0] == []


def test_the_older_dialect_has_no_token_type(here: Any, browser: Browser) -> None:
    answer = by_code(here, code_of(browser, OLD), OLD)
    assert answer.json.keys() == {"refresh_token", "expires_in", "access_token", "scope"}


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain; charset=x", "multipart/form-data", "nonsense"])
def test_the_body_is_a_form_whatever_it_is_called(here: Any, browser: Browser, kind: str | None) -> None:
    form = {"grant_type": "authorization_code", "client_id": QUEST, "client_secret": SECRET, "code": code_of(browser)}
    assert post(here, kind=kind, **form).status == 200


@pytest.mark.parametrize("sent", [BACK, quote(BACK, safe=""), quote(BACK)])
def test_the_redirect_uri_may_come_unencoded(here: Any, browser: Browser, sent: str) -> None:
    code = code_of(browser)
    raw = f"grant_type=authorization_code&client_id={QUEST}&client_secret={SECRET}&redirect_uri={sent}&code={code}"
    assert post(here, raw=raw.encode()).status == 200


def test_an_unencoded_redirect_uri_may_have_parameters_of_its_own(here: Any, browser: Browser) -> None:
    both = "https://quest.example/back?a=1&b=2"
    here.platform.apps.change(QUEST, redirect_uris=(both,))
    code = code_of(browser, redirect_uri=both)
    raw = f"grant_type=authorization_code&client_id={QUEST}&redirect_uri={both}&client_secret={SECRET}&code={code}"
    assert post(here, raw=raw.encode()).status == 200


def test_a_confidential_app_keeps_its_refresh_token(here: Any, browser: Browser) -> None:
    first = by_code(here, code_of(browser)).json
    here.calls.clear()
    for _ in range(2):
        again = by_refresh(here, first["refresh_token"])
        assert again.status == 200
        assert again.json["refresh_token"] == first["refresh_token"]
        assert again.json["scope"] == first["scope"]
    assert list(calls(here)) == ["batch_get_item", "transact_write_items"] * 2


def test_a_public_app_gets_a_new_refresh_token_each_time(here: Any, browser: Browser) -> None:
    first = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json
    second = by_refresh(here, first["refresh_token"], ALBUM).json
    third = by_refresh(here, second["refresh_token"], ALBUM).json
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3


@pytest.mark.parametrize("turn", [0, 1])
def test_a_refresh_token_used_again_ends_all_that_came_of_it(here: Any, browser: Browser, turn: int) -> None:
    tokens = [by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]]
    for _ in range(2):
        tokens.append(by_refresh(here, tokens[-1], ALBUM).json["refresh_token"])
    assert refused(by_refresh(here, tokens[turn], ALBUM)) == (400, "invalid_grant")
    assert refused(by_refresh(here, tokens[-1], ALBUM)) == (400, "invalid_grant")


def test_an_app_gets_tokens_of_its_own(here: Any) -> None:
    answer = token(here, grant_type="client_credentials")
    assert list(calls(here)) == ["batch_get_item", "transact_write_items"]
    assert answer.json.keys() == {"refresh_token", "expires_in", "access_token", "token_type", "scope"}
    assert answer.json["scope"] == ""
    assert here.platform.tokens.check(answer.json["access_token"]).viewer is None
    again = by_refresh(here, answer.json["refresh_token"])
    assert again.json["refresh_token"] == answer.json["refresh_token"]
    assert here.platform.tokens.check(again.json["access_token"]).viewer is None


def test_an_operators_app_gets_the_operators_scope_by_asking(here: Any) -> None:
    here.platform.apps.change(QUEST, scopes=("admin",))
    assert token(here, grant_type="client_credentials").json["scope"] == ""
    assert token(here, grant_type="client_credentials", scope="admin").json["scope"] == "admin"


def test_many_tokens_of_an_app_make_room(here: Any) -> None:
    first = token(here, grant_type="client_credentials").json["refresh_token"]
    for _ in range(100):
        here.clock.now += 1
        last = token(here, grant_type="client_credentials").json["refresh_token"]
    assert len(here.items("grants")) == 101
    assert refused(by_refresh(here, first)) == (400, "invalid_grant")
    assert by_refresh(here, last).status == 200


def test_fewer_scopes_may_be_asked_for_and_come_back(here: Any, browser: Browser) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    assert by_refresh(here, refresh, scope="r_profile").json["scope"] == "r_profile"
    assert by_refresh(here, refresh).json["scope"] == "mixi_apps2 r_profile"


def test_a_scope_taken_from_the_app_is_gone_with_the_next_refresh(here: Any, browser: Browser) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    here.platform.apps.change(QUEST, scopes=("r_profile",))
    assert by_refresh(here, refresh).json["scope"] == "r_profile"


def test_what_is_stored_is_hashed_and_goes_by_itself(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    seconds = here.clock.now // 1000
    (family,) = (item for item in here.items("grants") if item["pk"]["S"].startswith("family#"))
    assert int(family["ttl"]["N"]) == seconds + 180
    refresh = by_code(here, code).json["refresh_token"]
    items = here.items("grants")
    assert {int(item["ttl"]["N"]) for item in items} == {seconds + 90 * 24 * 3600}
    for secret in (code, code[:32], code[32:], refresh, refresh[32:]):
        assert secret not in repr(items)


# Lifetimes


@pytest.mark.parametrize(("seconds", "status"), [(179, 200), (180, 400)])
def test_a_code_lives_three_minutes(here: Any, browser: Browser, seconds: int, status: int) -> None:
    code = code_of(browser)
    here.clock.now += seconds * 1000
    assert by_code(here, code).status == status


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 400)])
def test_a_refresh_token_lives_ninety_days(here: Any, browser: Browser, seconds: int, status: int) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    here.clock.now += (90 * 24 * 3600 + seconds) * 1000
    assert by_refresh(here, refresh).status == status


def test_a_server_state_is_asked_for_again_with_the_code(here: Any, browser: Browser) -> None:
    here.calls.clear()
    made = post(here, grant_type="server_state", client_id=QUEST)
    assert (made.status, made.json.keys()) == (200, {"server_state"})
    assert list(calls(here)) == ["batch_get_item", "put_item"]
    state = made.json["server_state"]
    assert state not in repr(here.items("ephemeral"))
    code = code_of(browser, scope="openid", server_state=state)
    assert refused(by_code(here, code)) == (400, "invalid_grant")
    assert refused(by_code(here, code, server_state="other")) == (400, "invalid_grant")
    assert by_code(here, code, server_state=state).status == 200
    again = browser.open(
        "/connect_authorize.pl", client_id=QUEST, response_type="code", scope="openid", server_state=state
    )
    assert again.told["error"] == "invalid_request"


@pytest.mark.parametrize(("seconds", "status"), [(1799, 200), (1800, 302)])
def test_a_server_state_lives_half_an_hour(here: Any, browser: Browser, seconds: int, status: int) -> None:
    state = post(here, grant_type="server_state", client_id=QUEST).json["server_state"]
    here.clock.now += seconds * 1000
    page = browser.open(
        "/connect_authorize.pl", client_id=QUEST, response_type="code", scope="r_profile", server_state=state
    )
    assert page.status == status


def test_a_server_state_is_one_apps(here: Any, browser: Browser) -> None:
    state = post(here, grant_type="server_state", client_id=OLD).json["server_state"]
    page = browser.open(
        "/connect_authorize.pl", client_id=QUEST, response_type="code", scope="r_profile", server_state=state
    )
    assert page.told["error"] == "invalid_request"
    assert refused(post(here, grant_type="server_state", client_id="nobody")) == (401, "invalid_client")


# Refusals


def test_a_replayed_code_ends_what_its_first_use_made(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    refresh = by_code(here, code).json["refresh_token"]
    assert by_refresh(here, refresh).status == 200
    here.clock.now += 3600_000
    here.calls.clear()
    assert refused(by_code(here, code)) == (400, "invalid_grant")
    assert len(here.calls) <= 3
    assert refused(by_refresh(here, refresh)) == (400, "invalid_grant")
    assert here.platform.grants.of_user(HANA) == []


def test_another_consent_survives_a_replay(here: Any, browser: Browser) -> None:
    other = by_code(here, code_of(browser)).json["refresh_token"]
    here.clock.now += 1000
    code = code_of(browser)
    by_code(here, code)
    by_code(here, code)
    assert by_refresh(here, other).status == 200


def test_of_two_who_use_a_code_at_once_nobody_keeps_anything(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    _, family = here.platform.grants.find(QUEST, code)
    refresh = here.platform.grants.redeem(family, code)
    assert here.platform.grants.redeem(family, code) is None
    assert refused(by_code(here, code)) == (400, "invalid_grant")
    assert refused(by_refresh(here, refresh)) == (400, "invalid_grant")


@pytest.mark.parametrize("app", [QUEST, OLD])
def test_wrong_credentials(here: Any, browser: Browser, app: str) -> None:
    code = code_of(browser, app)
    form = {"grant_type": "authorization_code", "client_id": app, "code": code}
    answers = [
        post(here, **form),
        post(here, **form, client_secret="wrong"),
        post(here, **form, client_secret="ほかの秘密"),
        post(here, **form | {"client_id": "0000000000000000"}, client_secret=SECRET),
        post(here, **form | {"client_id": "x" * 3000}, client_secret=SECRET),
        post(here, grant_type="authorization_code", code=code, client_secret=SECRET),
    ]
    assert {refused(answer) for answer in answers} == {(401, "invalid_client")}
    assert len({answer.text for answer in answers}) == 1
    assert by_code(here, code, app).status == 200


def test_basic_credentials_are_not_looked_at(here: Any, browser: Browser) -> None:
    basic = base64.b64encode(f"{QUEST}:{SECRET}".encode()).decode()
    body = urlencode({"grant_type": "client_credentials", "client_id": QUEST}).encode()
    answer = here.send("POST", "/2/token", body, user=None, headers={"Authorization": f"Basic {basic}"})
    assert refused(answer) == (401, "invalid_client")


@pytest.mark.parametrize(("app", "status"), [(QUEST, 400), (OLD, 401)])
def test_a_wrong_grant_has_the_status_of_the_apps_dialect(here: Any, app: str, status: int) -> None:
    for text in ("", "x", "0" * 96, "0" * 9999, "花", "code#"):
        if text:
            assert refused(by_code(here, text, app)) == (status, "invalid_grant")
            assert refused(by_refresh(here, text, app)) == (status, "invalid_grant")
    assert refused(by_code(here, "", app)) == (400, "invalid_request")


def test_a_code_of_another_app(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    assert refused(by_code(here, code, OLD)) == (401, "invalid_grant")
    assert by_code(here, code).status == 200


def test_a_refresh_token_of_another_app(here: Any, browser: Browser) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    assert refused(by_refresh(here, refresh, OLD)) == (401, "invalid_grant")
    assert refused(by_refresh(here, refresh, ALBUM)) == (400, "invalid_grant")
    assert by_refresh(here, refresh).status == 200


def test_a_code_is_no_refresh_token_nor_the_reverse(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    assert refused(by_refresh(here, code)) == (400, "invalid_grant")
    refresh = by_code(here, code).json["refresh_token"]
    assert refused(by_code(here, refresh)) == (400, "invalid_grant")
    assert by_refresh(here, refresh).status == 200


@pytest.mark.parametrize(
    "sent", ["https://quest.example/other", "https://quest.example/back", "https://evil.example/", BACK + "&x"]
)
def test_another_redirect_uri_than_the_codes(here: Any, browser: Browser, sent: str) -> None:
    code = code_of(browser)
    assert refused(by_code(here, code, redirect_uri=sent)) == (400, "invalid_grant")
    assert by_code(here, code, redirect_uri=BACK).status == 200


def test_a_redirect_uri_that_was_sent_is_needed_again(here: Any, browser: Browser) -> None:
    code = code_of(browser, redirect_uri=BACK)
    assert refused(by_code(here, code)) == (400, "invalid_grant")
    assert by_code(here, code, redirect_uri=BACK).status == 200


def test_pkce(here: Any, browser: Browser) -> None:
    code = album_code(browser)
    assert refused(by_code(here, code, ALBUM))[0] == 400
    assert refused(by_code(here, code, ALBUM, code_verifier="w" * 43)) == (400, "invalid_grant")
    assert refused(by_code(here, code, ALBUM, code_verifier=CHALLENGE)) == (400, "invalid_grant")
    assert by_code(here, code, ALBUM, code_verifier=VERIFIER).status == 200


def test_a_confidential_app_may_use_pkce_and_is_held_to_it(here: Any, browser: Browser) -> None:
    code = code_of(browser, code_challenge=CHALLENGE, code_challenge_method="S256")
    assert refused(by_code(here, code))[0] == 400
    assert by_code(here, code, code_verifier=VERIFIER).status == 200


def test_a_verifier_for_a_code_without_challenge(here: Any, browser: Browser) -> None:
    assert refused(by_code(here, code_of(browser), code_verifier=VERIFIER)) == (400, "invalid_grant")


def test_a_public_app_has_no_tokens_of_its_own(here: Any) -> None:
    assert refused(token(here, ALBUM, grant_type="client_credentials"))[1] in ("invalid_client", "unauthorized_client")
    assert here.items("grants") == []


@pytest.mark.parametrize("scope", ["r_voice", "admin", "r_profile admin", "unknown"])
def test_an_app_gets_no_scope_for_itself_that_it_is_not_allowed(here: Any, scope: str) -> None:
    assert refused(token(here, grant_type="client_credentials", scope=scope)) == (400, "invalid_scope")


def test_a_refresh_widens_nothing(here: Any, browser: Browser) -> None:
    here.platform.apps.change(QUEST, scopes=(*SCOPES, "admin"))
    told = by_code(here, code_of(browser, scope="r_profile"), scope="r_profile admin").json
    assert told["scope"] == "r_profile"
    for scope in ("r_profile mixi_apps2", "admin", "r_profile admin"):
        assert refused(by_refresh(here, told["refresh_token"], scope=scope)) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit", "scopes": "admin", "user": HANA, "client": "x"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
    ],
)
def test_malformed_requests(here: Any, form: dict[str, str], error: str) -> None:
    assert refused(token(here, **form)) == (400, error)


@pytest.mark.parametrize(
    "raw",
    [b"\xff\xfe", b"grant_type=a&grant_type=b", b"&".join(b"a%d=1" % n for n in range(60)), b'{"grant_type":"x"}'],
)
def test_bodies_that_are_no_forms(here: Any, raw: bytes) -> None:
    answer = post(here, raw=raw)
    assert answer.status == 400
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json.keys() == {"error", "error_description"}


def test_a_form_too_large(here: Any) -> None:
    assert post(here, raw=b"a=" + b"b" * 65_534).status == 400
    assert post(here, raw=b"a=" + b"b" * 65_535).status == 413


def test_parameters_that_oauthlib_would_take_for_its_own(here: Any, browser: Browser) -> None:
    answer = by_code(
        here, code_of(browser, scope="r_profile"), scopes="admin", user=KEN, client="x", scope="mixi_apps2"
    )
    assert answer.json["scope"] == "r_profile"
    assert here.platform.tokens.check(answer.json["access_token"]).viewer == HANA
    own = token(here, grant_type="client_credentials", scopes="admin", user=HANA)
    assert own.json["scope"] == ""


def test_no_secret_is_logged(here: Any, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = code_of(browser)
    told = by_code(here, code).json
    secret = {SECRET, PASSWORD, code, told["refresh_token"], told["access_token"], *browser.cookies.values()}
    by_code(here, code)
    by_refresh(here, told["refresh_token"])
    token(here, client_secret="wrong-" + SECRET, grant_type="client_credentials")
    here.send("GET", "/2/people/@me/@self", token=told["access_token"] + "x")
    # What AWS's own client sees at that level is everything, so it is never set that low.
    others = ("botocore", "moto", "urllib3", "asyncio")
    told_of = [record.getMessage() for record in caplog.records if not record.name.startswith(others)]
    assert not [line for line in told_of if any(each in line for each in secret)]
    assert logging.getLogger("oauthlib").getEffectiveLevel() >= logging.WARNING


def test_get_is_not_a_method_of_it(here: Any) -> None:
    assert here.send("GET", "/2/token", user=None).status == 405


# Ending


def test_revoking_ends_the_grant_and_access_tokens_live_on(here: Any, browser: Browser) -> None:
    made = by_code(here, code_of(browser)).json
    answer = post(here, "/2/authorize/revoke", token=made["refresh_token"])
    assert (answer.status, answer.text) == (200, "{}")
    assert answer.headers["cache-control"] == "no-store"
    assert refused(by_refresh(here, made["refresh_token"])) == (400, "invalid_grant")
    assert here.platform.grants.of_user(HANA) == []
    assert here.send("GET", "/2/apps/appdata/@me/@self", token=made["access_token"], user=None).status == 200


def test_revoking_with_credentials(here: Any, browser: Browser) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    revoke = "/2/authorize/revoke"
    assert refused(post(here, revoke, token=refresh, client_id=QUEST, client_secret="wrong")) == (401, "invalid_client")
    assert post(here, revoke, token=refresh, client_id=OLD, client_secret=SECRET).status == 200
    assert by_refresh(here, refresh).status == 200
    assert post(here, revoke, token=refresh, client_id=QUEST, client_secret=SECRET).status == 200
    assert by_refresh(here, refresh).status == 400


def test_revoking_what_is_not_there(here: Any) -> None:
    for text in ("x", "0" * 96, "花"):
        assert post(here, "/2/authorize/revoke", token=text).status == 200
    assert refused(post(here, "/2/authorize/revoke")) == (400, "invalid_request")


def test_ending_a_grant_ends_codes_and_refresh_tokens_of_that_app_alone(here: Any, browser: Browser) -> None:
    kept = by_code(here, code_of(browser, OLD), OLD).json["refresh_token"]
    first = by_code(here, code_of(browser)).json["refresh_token"]
    here.clock.now += 1
    waiting = code_of(browser)
    assert here.platform.grants.end(HANA, QUEST)
    assert not here.platform.grants.end(HANA, QUEST)
    assert refused(by_refresh(here, first)) == (400, "invalid_grant")
    assert refused(by_code(here, waiting)) == (400, "invalid_grant")
    assert by_refresh(here, kept, OLD).status == 200


def test_erasing_leaves_nothing_of_a_user(here: Any, browser: Browser) -> None:
    by_code(here, code_of(browser))
    here.clock.now += 1
    code_of(browser)
    other = browser_of(here)
    kens = by_code(here, code_of(other, login="ken")).json["refresh_token"]
    here.platform.grants.erase(HANA)
    assert HANA not in repr(here.items("grants"))
    assert by_refresh(here, kens).status == 200


def test_a_user_keeps_the_newest_twenty_consents(here: Any, browser: Browser) -> None:
    tokens = []
    for _ in range(21):
        here.clock.now += 1
        tokens.append(by_code(here, code_of(browser)).json["refresh_token"])
    assert len(here.items("grants")) == 21
    assert refused(by_refresh(here, tokens[0])) == (400, "invalid_grant")
    assert by_refresh(here, tokens[1]).status == 200


def test_a_deleted_app_gets_nothing(here: Any, browser: Browser) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    here.platform.apps.delete(QUEST)
    assert refused(by_refresh(here, refresh)) == (401, "invalid_client")


# Metadata, and what a route may not accept


def test_the_metadata(here: Any) -> None:
    told = here.send("GET", "/.well-known/oauth-authorization-server", user=None).json
    assert told["issuer"] == "http://127.0.0.1:8000"
    assert told["token_endpoint"] == "http://127.0.0.1:8000/2/token"
    assert told["authorization_endpoint"] == "http://127.0.0.1:8000/connect_authorize.pl"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert "admin" not in told["scopes_supported"]


def test_a_session_is_no_access_token_nor_the_reverse(here: Any, browser: Browser) -> None:
    made = by_code(here, code_of(browser)).json
    with pytest.raises(TokenRefused):
        here.platform.tokens.check(browser.cookies["engawa"])
    browser.cookies["engawa"] = made["access_token"]
    assert "password" in browser.open("/settings").forms[0].fields
