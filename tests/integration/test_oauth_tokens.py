"""The token endpoint: every grant, both dialects, stored items, costs and refusals."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from chalicelib.core import passwords
from chalicelib.core.errors import TokenRefused
from chalicelib.core.model.directory import App, AppDialect, User
from chalicelib.core.oauth import SERVED_SCOPES
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.sessions import granted

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
    apps.create(App(OLD, "Old", True, SECRET, (BACK,), scopes=SCOPES, dialect=AppDialect.DRAFT10))
    apps.create(App(ALBUM, "Album", False, None, (ALBUM_BACK,), scopes=("r_profile", "mixi_apps2", "admin")))
    world.calls.clear()
    return world


@pytest.fixture
def browser(here: Any) -> Browser:
    return browser_of(here)


def browser_of(here: Any) -> Browser:
    return browser_at(here.gateway)


def allow(browser: Browser, app: str = QUEST, login: str = "hana", **more: str) -> Page:
    asked = {"client_id": app, "response_type": "code", "scope": "r_profile mixi_apps2", "state": "s"} | more
    page = browser.open("/connect_authorize.pl", **asked)
    if "password" in page.forms[0].fields:
        page = browser.sign_in(page, login, PASSWORD)
    return browser.submit(page.form("decision"), decision="allow")


def code_of(browser: Browser, app: str = QUEST, **more: str) -> str:
    return allow(browser, app, **more).told["code"]


def album_code(browser: Browser, **more: str) -> str:
    return code_of(browser, ALBUM, code_challenge=CHALLENGE, code_challenge_method="S256", **more)


def post(here: Any, path: str = "/2/token", raw: bytes | None = None, *, kind: str | None = None, **form: Any) -> Any:
    body = urlencode(form).encode() if raw is None else raw
    return here.send("POST", path, body, user=None, headers={"Content-Type": kind} if kind else None)


def token(here: Any, app: str = QUEST, **form: Any) -> Any:
    credentials = {"client_id": app} | ({} if app == ALBUM else {"client_secret": SECRET})
    return post(here, **(credentials | form))


def by_code(here: Any, code: str, app: str = QUEST, **form: str) -> Any:
    return token(here, app, grant_type="authorization_code", code=code, **form)


def by_refresh(here: Any, refresh: str, app: str = QUEST, **form: str) -> Any:
    return token(here, app, grant_type="refresh_token", refresh_token=refresh, **form)


def calls(here: Any) -> Iterator[str]:
    return (call.operation for call in here.calls)


def for_the_token(here: Any) -> list[str]:
    """Return the calls, but for the note, once a day, that the secret was used."""
    return [call for call in calls(here) if call != "update_item"]


def refused(answer: Any) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json.keys() == {"error", "error_description"}
    assert "www-authenticate" not in answer.headers
    return answer.status, answer.json["error"]


def challenged(answer: Any) -> tuple[int, str]:
    assert answer.headers.pop("www-authenticate") == 'Basic realm="Engawa", charset="UTF-8"'
    return refused(answer)


def basic(client: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{quote(client)}:{quote(secret, safe='')}".encode()).decode()}


def post_basic(here: Any, client: str = QUEST, secret: str = SECRET, path: str = "/2/token", **form: str) -> Any:
    return here.send("POST", path, urlencode(form).encode(), user=None, headers=basic(client, secret))


def post_parts(here: Any, path: str = "/2/token", **form: str) -> Any:
    """Send a form as `multipart/form-data`."""
    parts = [f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{form[name]}\r\n' for name in form]
    body = "".join([*parts, "--xyz--\r\n"]).encode()
    return here.send("POST", path, body, user=None, headers={"Content-Type": "multipart/form-data; boundary=xyz"})


# Answers


def test_a_code_becomes_tokens(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    here.calls.clear()
    answer = by_code(here, code, redirect_uri=BACK)
    assert for_the_token(here) == ["batch_get_item", "get_item", "transact_write_items"]
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


@pytest.mark.parametrize("scope", ["r_profile", "w_pagefeed", "mixi_apps2"])
def test_a_consent_is_an_install_whatever_the_scope(here: Any, browser: Browser, scope: str) -> None:
    code_of(browser, scope=scope)
    assert here.platform.friends_and_installs.installs(HANA)[0] == [QUEST]


def test_a_profile_is_open_right_after_the_consent(here: Any, browser: Browser) -> None:
    made = by_code(here, code_of(browser, scope="r_profile")).json
    me = here.send("GET", "/2/people/@me/@self", token=made["access_token"])
    assert (me.status, me.json["entry"]["displayName"]) == (200, "花")
    # The token gives access only to the data of its scope.
    assert here.send("GET", "/2/apps/appdata/@me/@self", token=made["access_token"]).json["error"] == (
        "insufficient_scope"
    )


def test_a_consent_keeps_what_the_app_has_stored(here: Any, browser: Browser) -> None:
    here.platform.appdata.install(QUEST, HANA, {"level": "5"})
    code_of(browser, scope="r_profile")
    assert here.platform.appdata.read(QUEST, HANA, None).data == {"level": "5"}


def test_an_app_s_own_token_installs_nothing(here: Any) -> None:
    assert token(here, grant_type="client_credentials").status == 200
    assert here.items("appdata") == []


# The owner


def test_another_owner_stays_through_every_refresh(here: Any, browser: Browser) -> None:
    for app, ask in ((QUEST, code_of), (ALBUM, lambda browser, _, **more: album_code(browser, **more))):
        here.platform.appdata.install(app, KEN)
        proof = {"code_verifier": VERIFIER} if app == ALBUM else {}
        made = by_code(here, ask(browser, app, owner=KEN), app, **proof).json
        for _ in range(3):
            access = here.platform.tokens.check(made["access_token"])
            assert (access.app, access.viewer, access.owner) == (app, HANA, KEN)
            made = by_refresh(here, made["refresh_token"], app).json


def test_one_s_own_app_has_one_owner(here: Any, browser: Browser) -> None:
    """This also holds if the same consent installs the app."""
    for more in ({"owner": HANA}, {"owner": ""}, {}):
        made = by_code(here, code_of(browser, **more)).json
        assert here.platform.tokens.check(made["access_token"]).owner == HANA
    assert "owner" not in {name for item in granted(here) for name in item}


def test_an_owner_who_uninstalls_the_app_has_no_rows_any_more(here: Any, browser: Browser) -> None:
    here.platform.appdata.install(QUEST, KEN)
    made = by_code(here, code_of(browser, owner=KEN)).json

    def owner(made: Any) -> int:
        return here.send("GET", "/os/0.8/people/@owner/@self", token=made["access_token"]).status

    assert owner(made) == 200
    here.platform.user_data.uninstall(QUEST, KEN)
    assert owner(made) == owner(by_refresh(here, made["refresh_token"]).json) == 403


def test_the_older_dialect_has_no_token_type(here: Any, browser: Browser) -> None:
    answer = by_code(here, code_of(browser, OLD), OLD)
    assert answer.json.keys() == {"refresh_token", "expires_in", "access_token", "scope"}


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain; charset=x", "multipart/form-data", "nonsense"])
def test_the_body_is_a_form_whatever_it_is_called(here: Any, browser: Browser, kind: str | None) -> None:
    form: dict[str, Any] = {"grant_type": "authorization_code", "client_id": QUEST, "client_secret": SECRET}
    form["code"] = code_of(browser)
    assert post(here, kind=kind, **form).status == 200


def test_the_form_may_be_multipart(here: Any, browser: Browser) -> None:
    credentials = {"client_id": QUEST, "client_secret": SECRET}
    grant = {"grant_type": "authorization_code", "code": code_of(browser, redirect_uri=BACK)}
    assert refused(post_parts(here, **credentials, **grant)) == (400, "invalid_grant")
    answer = post_parts(here, **credentials, **grant, redirect_uri=BACK)
    assert answer.status == 200
    refresh = answer.json["refresh_token"]
    assert post_parts(here, **credentials, grant_type="refresh_token", refresh_token=refresh).status == 200
    assert post_parts(here, "/2/authorize/revoke", **credentials, token=refresh).status == 200
    assert refused(by_refresh(here, refresh)) == (400, "invalid_grant")
    assert refused(post_parts(here, **credentials | {"client_secret": "x"}, **grant)) == (401, "invalid_client")


def test_a_multipart_form_is_bounded(here: Any) -> None:
    assert post_parts(here, grant_type="x", a="b" * 65_536).error[:2] == (413, "request_entity_too_large")
    many = {f"a{turn}": "1" for turn in range(51)}
    assert post_parts(here, **many).error[:2] == (400, "bad_request")
    broken = here.send(
        "POST", "/2/token", b"--xyz\r\nno", user=None, headers={"Content-Type": "multipart/form-data; boundary=xyz"}
    )
    assert broken.error[:2] == (400, "bad_request")
    assert here.calls == []


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
    assert for_the_token(here) == ["batch_get_item", "get_item", "transact_write_items"] * 2


def test_a_public_app_gets_a_new_refresh_token_each_time(here: Any, browser: Browser) -> None:
    first = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json
    second = by_refresh(here, first["refresh_token"], ALBUM).json
    third = by_refresh(here, second["refresh_token"], ALBUM).json
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3


@pytest.mark.parametrize(("turn", "seconds"), [(0, 0), (1, 30), (1, 3600)])
def test_a_refresh_token_used_again_ends_all_that_came_of_it(
    here: Any, browser: Browser, turn: int, seconds: int
) -> None:
    tokens = [by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]]
    for _ in range(2):
        tokens.append(by_refresh(here, tokens[-1], ALBUM).json["refresh_token"])
    here.clock.now += 1000 * seconds
    assert refused(by_refresh(here, tokens[turn], ALBUM)) == (400, "invalid_grant")
    assert refused(by_refresh(here, tokens[-1], ALBUM)) == (400, "invalid_grant")
    assert here.platform.grants.of_user(HANA) == []


def test_a_rotated_token_gets_the_same_successor_for_half_a_minute(here: Any, browser: Browser) -> None:
    first = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    second = by_refresh(here, first, ALBUM).json["refresh_token"]
    stored = granted(here)
    here.calls.clear()
    for milliseconds in (0, 1, 29_998):
        here.clock.now += milliseconds
        again = by_refresh(here, first, ALBUM)
        assert again.json["refresh_token"] == second
        assert here.platform.tokens.check(again.json["access_token"]).viewer == HANA
    assert list(calls(here)) == ["batch_get_item", "get_item"] * 3
    assert granted(here) == stored
    third = by_refresh(here, second, ALBUM).json["refresh_token"]
    assert third not in (first, second)
    # A repetition with the second token returns the same third token, which works.
    assert by_refresh(here, second, ALBUM).json["refresh_token"] == third
    assert by_refresh(here, third, ALBUM).status == 200


def test_two_who_rotate_at_once_get_the_same_successor(here: Any, browser: Browser) -> None:
    token = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    grants = here.platform.grants
    _, family = grants.find(ALBUM, token)
    first, second = (grants.renew(family, token, rotate=True) for _ in range(2))
    assert first == second != token
    here.clock.now += 30_000
    assert grants.renew(family, token, rotate=True) is None
    assert by_refresh(here, first, ALBUM).status == 200


def test_a_rotation_of_a_grant_that_has_ended_gives_nothing(here: Any, browser: Browser) -> None:
    token = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    _, family = here.platform.grants.find(ALBUM, token)
    fresh = by_refresh(here, token, ALBUM).json["refresh_token"]
    here.platform.grants.end(HANA, ALBUM)
    assert here.platform.grants.renew(family, token, rotate=True) is None
    for each in (token, fresh):
        assert refused(by_refresh(here, each, ALBUM)) == (400, "invalid_grant")


def test_a_successor_is_not_stored_nor_known_to_who_has_the_tables(here: Any, browser: Browser) -> None:
    token = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    fresh = by_refresh(here, token, ALBUM).json["refresh_token"]
    for secret in (token, token[32:], fresh, fresh[32:]):
        assert secret not in repr(granted(here))


def test_another_app_gets_no_successor(here: Any, browser: Browser) -> None:
    token = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    fresh = by_refresh(here, token, ALBUM).json["refresh_token"]
    assert refused(by_refresh(here, token, QUEST)) == (400, "invalid_grant")
    assert refused(by_refresh(here, token, OLD)) == (401, "invalid_grant")
    assert by_refresh(here, fresh, ALBUM).status == 200


def test_a_repeated_token_widens_nothing(here: Any, browser: Browser) -> None:
    token = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    fresh = by_refresh(here, token, ALBUM).json["refresh_token"]
    assert refused(by_refresh(here, token, ALBUM, scope="admin")) == (400, "invalid_scope")
    assert by_refresh(here, token, ALBUM, scope="r_profile").json["scope"] == "r_profile"
    assert by_refresh(here, fresh, ALBUM).status == 200


def test_an_app_gets_tokens_of_its_own(here: Any) -> None:
    answer = token(here, grant_type="client_credentials")
    assert for_the_token(here) == ["batch_get_item", "transact_write_items"]
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
    assert len(granted(here)) == 101
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
    (family,) = (item for item in granted(here) if item["pk"]["S"].startswith("family#"))
    assert int(family["ttl"]["N"]) == seconds + 180
    refresh = by_code(here, code).json["refresh_token"]
    items = granted(here)
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
    assert list(calls(here)) == ["batch_get_item"]
    state = made.json["server_state"]
    assert here.items("ephemeral") == []
    code = code_of(browser, scope="openid", server_state=state)
    assert refused(by_code(here, code)) == (400, "invalid_grant")
    assert refused(by_code(here, code, server_state="other")) == (400, "invalid_grant")
    assert by_code(here, code, server_state=state).status == 200
    (used,) = (item for item in here.items("ephemeral") if item["pk"]["S"].startswith("state#"))
    assert state not in repr(used)
    assert int(used["ttl"]["N"]) == here.clock.now // 1000 + 1800
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


@pytest.mark.parametrize("kind", ["session", "access", "tampered", "long", "unsigned", "other issuer"])
def test_a_server_state_is_one_of_ours(here: Any, browser: Browser, kind: str, make_world: Callable[..., Any]) -> None:
    state = here.platform.states.make(QUEST)
    forged = {
        "session": here.platform.sessions.cookie(here.platform.sessions.begin(QUEST))
        .partition("=")[2]
        .partition(";")[0],
        "access": here.platform.tokens.issue(app=QUEST, viewer=None, scopes=(), lifetime=900),
        "tampered": state[:-4] + ("AAAA" if state[-4:] != "AAAA" else "BBBB"),
        "long": state + "A" * 5000,
        "unsigned": state.rpartition(".")[0] + ".",
        "other issuer": make_world(ENGAWA_ISSUER="https://other.example").platform.states.make(QUEST),
    }[kind]
    here.calls.clear()
    asked = {"client_id": QUEST, "response_type": "code", "scope": "r_profile"}
    assert browser.open("/connect_authorize.pl", **asked, server_state=forged).told["error"] == "invalid_request"
    assert list(calls(here)) == ["batch_get_item"]
    assert browser.open("/connect_authorize.pl", **asked, server_state=state).status == 200
    with pytest.raises(TokenRefused):
        here.platform.tokens.check(state)


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
    form: dict[str, Any] = {"grant_type": "authorization_code", "client_id": app, "code": code}
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


def test_credentials_in_the_header(here: Any, browser: Browser) -> None:
    code = code_of(browser)
    made = post_basic(here, grant_type="authorization_code", code=code)
    assert made.status == 200
    refresh = made.json["refresh_token"]
    assert post_basic(here, grant_type="refresh_token", refresh_token=refresh, client_id=QUEST).status == 200
    assert post_basic(here, grant_type="client_credentials").status == 200
    assert post_basic(here, grant_type="server_state").status == 200
    assert post_basic(here, path="/2/authorize/revoke", token=refresh).status == 200
    assert refused(by_refresh(here, refresh)) == (400, "invalid_grant")


def test_a_secret_in_the_header_is_form_encoded(here: Any) -> None:
    secret = "a+b c:d%2B花&="
    here.platform.apps.create(App("0123456789abcdef", "Odd", True, secret))
    assert post_basic(here, "0123456789abcdef", secret, grant_type="client_credentials").status == 200
    plain = base64.b64encode(f"0123456789abcdef:{secret}".encode()).decode()
    body = b"grant_type=client_credentials"
    answer = here.send("POST", "/2/token", body, user=None, headers={"Authorization": f"Basic {plain}"})
    assert challenged(answer) == (401, "invalid_client")


def test_a_public_app_has_an_empty_secret_in_the_header(here: Any, browser: Browser) -> None:
    grant = {"grant_type": "authorization_code", "code": album_code(browser), "code_verifier": VERIFIER}
    assert post_basic(here, ALBUM, "", **grant).status == 200


@pytest.mark.parametrize(
    ("client", "secret"), [(QUEST, "wrong"), (QUEST, ""), ("0000000000000000", SECRET), ("", ""), ("x" * 3000, SECRET)]
)
def test_wrong_credentials_in_the_header(here: Any, browser: Browser, client: str, secret: str) -> None:
    code = code_of(browser)
    answer = post_basic(here, client, secret, grant_type="authorization_code", code=code)
    assert challenged(answer) == (401, "invalid_client")
    if secret:
        answer = post_basic(here, client, secret, "/2/authorize/revoke", token=code)
        assert challenged(answer) == (401, "invalid_client")
    assert by_code(here, code).status == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !", "basic eDp5eg", "Basic " + base64.b64encode(b"x").decode()])
def test_a_header_that_cannot_be_read(here: Any, header: str) -> None:
    body = urlencode({"grant_type": "client_credentials", "client_id": QUEST, "client_secret": SECRET}).encode()
    for path in ("/2/token", "/2/authorize/revoke"):
        answer = here.send("POST", path, body, user=None, headers={"Authorization": header})
        assert challenged(answer) == (401, "invalid_client")
    assert here.calls == []


@pytest.mark.parametrize("header", ["Bearer x", "OAuth x", "basically x"])
def test_a_header_of_another_scheme_is_not_looked_at(here: Any, header: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": QUEST, "client_secret": SECRET}
    for secret, status in ((SECRET, 200), ("wrong", 401)):
        body = urlencode(form | {"client_secret": secret}).encode()
        answer = here.send("POST", "/2/token", body, user=None, headers={"Authorization": header})
        assert answer.status == status
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("path", ["/2/token", "/2/authorize/revoke"])
@pytest.mark.parametrize("form", [{"client_secret": SECRET}, {"client_id": OLD}])
def test_credentials_in_header_and_body(here: Any, path: str, form: dict[str, str]) -> None:
    answer = post_basic(here, path=path, grant_type="client_credentials", token="x", **form)
    assert refused(answer) == (400, "invalid_request")
    assert here.calls == []


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
    assert granted(here) == []


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
    # At that level AWS's own client logs everything, so the app never sets it that low.
    others = ("botocore", "moto", "urllib3", "asyncio")
    told_of = [record.getMessage() for record in caplog.records if not record.name.startswith(others)]
    assert not [line for line in told_of if any(each in line for each in secret)]
    assert logging.getLogger("oauthlib").getEffectiveLevel() >= logging.WARNING


def test_get_is_not_a_method_of_it(here: Any) -> None:
    assert here.send("GET", "/2/token", user=None).status == 405


# The end of grants


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


def test_revoking_by_a_token_that_was_just_rotated(here: Any, browser: Browser) -> None:
    token = by_code(here, album_code(browser), ALBUM, code_verifier=VERIFIER).json["refresh_token"]
    fresh = by_refresh(here, token, ALBUM).json["refresh_token"]
    assert post(here, "/2/authorize/revoke", token=token, client_id=ALBUM).status == 200
    assert refused(by_refresh(here, fresh, ALBUM)) == (400, "invalid_grant")


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


def test_ending_a_grant_leaves_the_app_installed(here: Any, browser: Browser) -> None:
    code_of(browser, scope="r_profile")
    here.platform.grants.end(HANA, QUEST)
    assert here.platform.friends_and_installs.installs(HANA)[0] == [QUEST]


def test_uninstalling_ends_codes_and_refresh_tokens_of_that_app_alone(here: Any, browser: Browser) -> None:
    kept = by_code(here, code_of(browser, OLD), OLD).json["refresh_token"]
    first = by_code(here, code_of(browser)).json["refresh_token"]
    here.clock.now += 1
    waiting = code_of(browser)
    assert here.platform.user_data.uninstall(QUEST, HANA)
    assert not here.platform.user_data.uninstall(QUEST, HANA)
    assert refused(by_refresh(here, first)) == (400, "invalid_grant")
    assert refused(by_code(here, waiting)) == (400, "invalid_grant")
    assert by_refresh(here, kept, OLD).status == 200
    assert [grant.app for grant in here.platform.grants.of_user(HANA)] == [OLD]
    # A new install does not restore the grant.
    here.platform.appdata.install(QUEST, HANA)
    assert refused(by_refresh(here, first)) == (400, "invalid_grant")
    assert not [item for item in granted(here) if QUEST in repr(item)]


def test_twenty_consents_are_uninstalled_in_one_transaction(here: Any, browser: Browser) -> None:
    for _ in range(20):
        here.clock.now += 1
        code_of(browser)
    here.calls.clear()
    assert here.platform.user_data.uninstall(QUEST, HANA)
    # The ledger with the app, which says whether it is told; the grant.
    assert list(calls(here)) == ["batch_get_item", "get_item", "transact_write_items"]
    assert granted(here) == []


def test_a_grant_without_its_install_goes_too(here: Any, browser: Browser) -> None:
    code_of(browser)
    here.platform.appdata.uninstall(QUEST, HANA)
    assert not here.platform.user_data.uninstall(QUEST, HANA)
    assert granted(here) == []


def test_there_is_no_grant_without_an_install(here: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user uninstalls the app between the two writes of a consent, and allows it again."""
    install = here.platform.appdata.install

    def undone(app: str, user: str, **more: Any) -> bool:
        return install(app, user, **more) and here.platform.user_data.uninstall(app, user)

    monkeypatch.setattr(here.platform.appdata, "install", undone)
    state = post(here, grant_type="server_state", client_id=QUEST).json["server_state"]
    page = allow(browser, server_state=state)
    assert (page.status, page.headers["retry-after"]) == (503, "1")
    assert [*granted(here), *here.items("appdata")] == []
    monkeypatch.undo()
    assert "code" in allow(browser, server_state=state).told


def test_erasing_leaves_nothing_of_a_user(here: Any, browser: Browser) -> None:
    by_code(here, code_of(browser))
    here.clock.now += 1
    code_of(browser)
    other = browser_of(here)
    kens = by_code(here, code_of(other, login="ken")).json["refresh_token"]
    here.platform.grants.erase(HANA)
    assert HANA not in repr(granted(here))
    assert by_refresh(here, kens).status == 200


def test_a_user_keeps_the_newest_twenty_consents(here: Any, browser: Browser) -> None:
    tokens = []
    for _ in range(21):
        here.clock.now += 1
        tokens.append(by_code(here, code_of(browser)).json["refresh_token"])
    assert len(granted(here)) == 21
    assert refused(by_refresh(here, tokens[0])) == (400, "invalid_grant")
    assert by_refresh(here, tokens[1]).status == 200


def test_a_deleted_app_gets_nothing(here: Any, browser: Browser) -> None:
    refresh = by_code(here, code_of(browser)).json["refresh_token"]
    here.platform.apps.delete(QUEST)
    assert refused(by_refresh(here, refresh)) == (401, "invalid_client")


# Metadata, and tokens that a route must not accept


def test_the_metadata(here: Any) -> None:
    told = here.send("GET", "/.well-known/oauth-authorization-server", user=None).json
    assert told["issuer"] == "http://127.0.0.1:8000"
    assert told["token_endpoint"] == "http://127.0.0.1:8000/2/token"
    assert told["authorization_endpoint"] == "http://127.0.0.1:8000/connect_authorize.pl"
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name in ("token", "revocation"):
        methods = told[f"{name}_endpoint_auth_methods_supported"]
        assert methods == ["client_secret_basic", "client_secret_post", "none"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["scopes_supported"] == sorted(SERVED_SCOPES)


def test_a_session_is_no_access_token_nor_the_reverse(here: Any, browser: Browser) -> None:
    made = by_code(here, code_of(browser)).json
    with pytest.raises(TokenRefused):
        here.platform.tokens.check(browser.cookies["engawa"])
    browser.cookies["engawa"] = made["access_token"]
    assert "password" in browser.open("/settings").forms[0].fields
