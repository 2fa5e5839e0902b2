"""Suspension and roles by the operator's API, and what a suspended user can no longer do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import passwords
from chalicelib.core.model.directory import App, Page, User
from local.gateway import Request
from tests.kit.page_api import COMMENTS, FAVORITES, FEEDS
from tests.kit.plain_browser import Browser, browser_at
from tests.kit.plain_browser import Page as Shown
from tests.kit.stage import PAGE
from tests.kit.worlds import Reply, World

Send = Callable[..., Reply]
HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
QUEST = "6d1f0c2ab4e79853"
PASSWORD = "correct horse battery"
BACK = "https://quest.example/back"
URI = "https://quest.example/level/5"


@pytest.fixture
def here(make_world: Callable[..., World]) -> World:
    world = make_world()
    platform = world.platform
    for user, login in ((HANA, "hana"), (KEN, "ken")):
        platform.users.create(User(user, login, login=login), passwords.hash_password(PASSWORD))
    scopes = ("mixi_apps2", "r_page", "w_pagefeed")
    platform.apps.create(App(QUEST, "クエスト", True, "secret", (BACK,), scopes=scopes))
    platform.pages.create(Page(PAGE, "カフェ"))
    platform.pages.members.add_administrator(PAGE, HANA)
    platform.pages.add_module(PAGE, QUEST, "Quest")
    return world


@pytest.fixture
def operator(here: World) -> Send:
    token = here.token(None, "admin", app="operator")
    return lambda method, path, body=None, **more: here.send(
        method, f"/admin{path}", body, user=None, token=token, **more
    )


def browser_of(here: World) -> Browser:
    return browser_at(here.gateway)


def ask(browser: Browser) -> Shown:
    return browser.open("/connect_authorize.pl", client_id=QUEST, response_type="code", scope="mixi_apps2")


def token(here: World, **form: str) -> Any:
    sent = {"client_id": QUEST, "client_secret": "secret"} | form
    body = "&".join(f"{name}={value}" for name, value in sent.items()).encode()
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    return here.gateway.handle(Request("POST", "/2/token", headers, body))


def code_of(browser: Browser) -> str:
    consent = browser.sign_in(ask(browser), "hana", PASSWORD)
    return browser.submit(consent.form("decision"), decision="allow").told["code"]


def suspended(operator: Send, user: str = HANA) -> None:
    assert operator("PUT", f"/users/{user}/suspension", {"reason": "spam"}).json == {"id": user, "changed": True}


def test_a_suspension_is_shown_repeated_and_ended(here: World, operator: Send) -> None:
    at = here.clock.now

    suspended(operator)
    assert operator("GET", f"/users/{HANA}").json["suspended"] == at
    assert operator("PUT", f"/users/{HANA}/suspension", {"reason": "again"}).json["changed"] is False
    assert operator("DELETE", f"/users/{HANA}/suspension", reason="sorry").json == {"id": HANA, "changed": True}
    assert operator("DELETE", f"/users/{HANA}/suspension").json["changed"] is False
    assert operator("GET", f"/users/{HANA}").json["suspended"] is None
    exported = operator("GET", f"/users/{HANA}/export").json["profile"]
    assert "suspended" not in exported
    assert "role" not in exported


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"/users/{HANA}/suspension", {}, 400),
        ("PUT", f"/users/{HANA}/suspension", {"reason": " "}, 400),
        ("PUT", f"/users/{HANA}/suspension", {"reason": 1}, 400),
        ("PUT", f"/users/{HANA}/suspension", [], 400),
        ("PUT", f"/users/{HANA}/suspension", {"reason": "r", "why": "r"}, 400),
        ("PUT", f"/users/{HANA}/suspension", {"reason": "a" * 501}, 400),
        ("PUT", "/users/000000000000/suspension", {"reason": "r"}, 404),
        ("PUT", "/users/nobody/suspension", {"reason": "r"}, 404),
        ("DELETE", "/users/000000000000/suspension", None, 404),
        ("PUT", f"/users/{HANA}/role", {}, 400),
        ("PUT", f"/users/{HANA}/role", {"role": "admin"}, 400),
        ("PUT", f"/users/{HANA}/role", {"role": ["operator"]}, 400),
        ("PUT", f"/users/{HANA}/role", {"role": "operator", "reason": 2}, 400),
        ("PUT", "/users/000000000000/role", {"role": "operator"}, 404),
    ],
)
def test_wrong_requests_change_nothing(
    here: World, operator: Send, method: str, path: str, body: Any, status: int
) -> None:
    before = here.items("directory")

    assert operator(method, path, body).status == status

    assert here.items("directory") == before


def test_roles_are_given_and_the_last_operator_keeps_it(operator: Send) -> None:
    assert operator("PUT", f"/users/{HANA}/role", {"role": "operator"}).json == {"id": HANA, "changed": True}
    assert operator("PUT", f"/users/{HANA}/role", {"role": "operator", "reason": "r"}).json["changed"] is False
    assert operator("GET", f"/users/{HANA}").json["role"] == "operator"
    assert operator("PUT", f"/users/{HANA}/role", {"role": None}).status == 409
    assert operator("PUT", f"/users/{HANA}/suspension", {"reason": "r"}).status == 409
    assert operator("DELETE", f"/users/{HANA}").status == 409
    assert operator("PUT", f"/users/{KEN}/role", {"role": "operator"}).status == 200
    assert operator("PUT", f"/users/{HANA}/role", {"role": None}).status == 200
    assert operator("DELETE", f"/users/{HANA}").status == 200


def test_a_suspended_user_cannot_sign_in_and_a_session_is_over(here: World, operator: Send) -> None:
    browser = browser_of(here)
    consent = browser.sign_in(ask(browser), "hana", PASSWORD)
    suspended(operator)

    assert 'name="password"' in browser.submit(consent.form("decision"), decision="allow").html
    assert 'name="password"' in ask(browser).html
    for page in (ask(browser), browser.open("/settings")):
        refused = browser.sign_in(page, "hana", PASSWORD)
        assert refused.status == 403
        assert "This account is suspended" in refused.text or "停止" in refused.text
    wrong = browser.sign_in(ask(browser), "hana", "wrong password")
    assert wrong.status == 403
    assert "suspended" not in wrong.text
    assert here.platform.grants.of_user(HANA) == []

    operator("DELETE", f"/users/{HANA}/suspension")
    other = browser_of(here)
    assert "hana" in other.sign_in(ask(other), "hana", PASSWORD).text


def test_codes_and_refresh_tokens_rest_while_a_user_is_suspended(here: World, operator: Send) -> None:
    code, later = code_of(browser_of(here)), code_of(browser_of(here))
    first = json.loads(token(here, grant_type="authorization_code", code=code, redirect_uri=BACK).body)
    suspended(operator)

    for form in (
        {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]},
        {"grant_type": "authorization_code", "code": later, "redirect_uri": BACK},
    ):
        answer = token(here, **form)
        assert (answer.status, json.loads(answer.body)["error"]) in ((400, "invalid_grant"), (401, "invalid_grant"))
    # The app's own token does not depend on a user.
    assert token(here, grant_type="client_credentials").status == 200

    operator("DELETE", f"/users/{HANA}/suspension")
    assert token(here, grant_type="refresh_token", refresh_token=first["refresh_token"]).status == 200
    assert token(here, grant_type="authorization_code", code=later, redirect_uri=BACK).status == 200


def test_a_suspended_user_cannot_post_although_the_token_lives(here: World, operator: Send) -> None:
    here.platform.appdata.install(QUEST, HANA)
    alive = here.token(HANA, "mixi_apps2", "r_page", "w_pagefeed", app=QUEST)
    feed = {"title": "t", "body": "b", "contentUri": URI}
    feeds, comments = FEEDS, COMMENTS
    assert here.send("POST", feeds, feed, token=alive).status == 201
    suspended(operator)
    before = len(here.items("feeds"))

    assert here.send("POST", feeds, feed | {"contentUri": URI + "6"}, token=alive).status == 403
    assert here.send("POST", comments, {"comment": "c"}, token=alive, contentUri=URI).status == 403
    assert here.send("POST", FAVORITES, token=alive, contentUri=URI).status == 403
    assert here.send("GET", "/2/apps/appdata/@me/@self", token=alive).status == 200
    assert len(here.items("feeds")) == before
    assert here.send("GET", COMMENTS, token=alive, contentUri=URI).json["entry"] == []
    assert here.items("favorites") == []
