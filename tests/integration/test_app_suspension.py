"""A suspended app: what stops at once, what stays, and what works again afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chalicelib.core import passwords
from chalicelib.core.events import EventKind
from chalicelib.core.model.directory import App, User
from chalicelib.core.oauth import Family
from chalicelib.store.directory.apps import RECENT_MS
from chalicelib.store.events.sending import EventSending
from chalicelib.web.auth import external_issuer
from tests.kit.plain_browser import Browser, browser_at
from tests.kit.signing import SECRET, signed
from tests.kit.worlds import APP, HANA, KEN, Reply, World

Send = Callable[..., Reply]
BACK = "https://game.example/back"
REASON = {"reason": "It asks for passwords"}
ISSUER = "https://id.example"
MINE = "/2/apps/appdata/@me/@self"
SUSPENSION = f"/apps/{APP}/suspension"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world()
    here = made.platform
    here.users.create(User(HANA, "花", login="hana"), passwords.hash_password("correct horse"))
    here.users.create(User(KEN, "健"))
    here.apps.create(App(APP, "Quest", secret=SECRET, redirect_uris=(BACK,), scopes=("mixi_apps2", "r_profile")))
    here.appdata.install(APP, HANA)
    return made


def post(world: World, **form: str) -> Reply:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    own = {"client_id": APP, "client_secret": SECRET}
    return world.send("POST", "/2/token", urlencode(own | form).encode(), user=None, headers=kind)


def code(world: World) -> str:
    asked = Family("", APP, HANA, frozenset({"r_profile"}), 0, 0, redirect_uri=BACK, redirect_sent=True)
    return world.platform.grants.allow(asked)


def grants_of(world: World) -> list[Callable[[], Reply]]:
    """Return requests to the token endpoint, each of which succeeds once."""
    refresh = post(world, grant_type="authorization_code", code=code(world), redirect_uri=BACK).json["refresh_token"]
    fresh = code(world)
    return [
        lambda: post(world, grant_type="authorization_code", code=fresh, redirect_uri=BACK),
        lambda: post(world, grant_type="refresh_token", refresh_token=refresh),
        lambda: post(world, grant_type="client_credentials"),
        lambda: post(world, grant_type="server_state"),
    ]


def test_tokens_end_at_once_and_come_back(world: World, operator: Send) -> None:
    asks = grants_of(world)

    assert operator("PUT", SUSPENSION, REASON).json == {"id": APP, "changed": True}
    for ask in asks:
        refused = ask()
        assert (refused.status, refused.json["error"]) == (400, "unauthorized_client")
        assert refused.json["error_description"] == "The app is suspended"
    assert operator("DELETE", SUSPENSION).json == {"id": APP, "changed": True}
    assert [ask().status for ask in asks] == [200] * len(asks)


def test_an_access_token_lives_out_its_15_minutes(world: World, operator: Send) -> None:
    operator("PUT", SUSPENSION, REASON)

    assert world.send("GET", "/2/apps/appdata/@me/@self").status == 200


def external(key: Ed25519PrivateKey, **claims: str) -> str:
    told = {"iss": ISSUER, "aud": "http://127.0.0.1:8000", "sub": HANA, "client_id": APP, "scope": "mixi_apps2"}
    return jwt.encode(told | {"exp": int(time.time()) + 600} | claims, key, "EdDSA", headers={"kid": "ed"})


@pytest.fixture
def elsewhere(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> tuple[World, Ed25519PrivateKey]:
    """Return a world whose users sign in at an external issuer, and the issuer's key."""
    key = Ed25519PrivateKey.generate()
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key())) | {"kid": "ed", "alg": "EdDSA"}
    monkeypatch.setattr(external_issuer, "_fetch", lambda url: json.dumps({"keys": [public]}).encode())
    made = make_world(ENGAWA_OPENID_ISSUER=ISSUER, ENGAWA_OPENID_JWKS=f"{ISSUER}/jwks")
    made.platform.users.create(User(HANA, "花"))
    made.platform.apps.create(App(APP, "Quest", scopes=("mixi_apps2",)))
    made.platform.appdata.install(APP, HANA)
    return made, key


def test_tokens_of_an_external_issuer_end_within_a_minute(elsewhere: tuple[World, Ed25519PrivateKey]) -> None:
    world, key = elsewhere
    token = external(key)

    def asked(method: str = "GET", body: object = None) -> tuple[int, int]:
        world.calls.clear()
        answer = world.send(method, MINE, body, token=token)
        if answer.status == 401:
            assert (answer.json["error"], answer.json["error_description"]) == ("invalid_token", "The app is suspended")
        return answer.status, len(world.calls)

    first, (status, without) = asked(), asked()
    assert (first, status) == ((200, without + 1), 200)
    world.platform.apps.suspend(APP, "spam")
    assert asked() == (200, without)
    world.clock.now += RECENT_MS
    assert [asked(), asked(), asked("POST", {"a": "1"})] == [(401, 1), (401, 0), (401, 0)]
    world.platform.apps.restore(APP)
    world.clock.now += RECENT_MS
    assert asked() == (200, without + 1)


def test_only_a_valid_token_of_an_external_issuer_reads_its_app(elsewhere: tuple[World, Ed25519PrivateKey]) -> None:
    world, key = elsewhere
    for forged in (external(Ed25519PrivateKey.generate()), external(key, aud="https://elsewhere.example")):
        world.calls.clear()
        assert world.send("GET", MINE, token=forged).status == 401
        assert world.calls == []
    counts = []
    for token in (world.token(HANA), external(key)):
        assert world.send("GET", MINE, token=token).status == 200
        counts.append(len(world.calls))
        world.calls.clear()
    assert counts == [1, 2]


def test_signed_requests_end_at_once(world: World, operator: Send) -> None:
    assert signed(world, "GET", "/os/0.8/people/@me/@self").status == 200
    operator("PUT", SUSPENSION, REASON)

    refused = signed(world, "GET", "/os/0.8/people/@me/@self")
    assert (refused.status, refused.json["error"]) == (401, "consumer_key_refused")
    wrong = signed(world, "GET", "/os/0.8/people/@me/@self", secret="0" * 40)
    assert (wrong.status, wrong.json["error"]) == (401, "signature_invalid")


def browser_of(world: World) -> Browser:
    return browser_at(world.gateway)


def test_there_are_no_new_grants_and_no_redirect_to_the_app(world: World, operator: Send) -> None:
    asked = {"client_id": APP, "response_type": "code", "scope": "r_profile", "redirect_uri": BACK}
    browser = browser_of(world)
    consent = browser.sign_in(browser.open("/connect_authorize.pl", **asked), "hana", "correct horse")
    operator("PUT", SUSPENSION, REASON)

    for page in (
        browser.open("/connect_authorize.pl", **asked),
        browser.submit(consent.form("decision"), decision="allow"),
    ):
        assert page.status == 403
        assert "location" not in page.headers
        assert "passwords" not in page.text
    assert world.platform.grants.of_user(HANA) == []


def test_it_gets_no_events_meanwhile_and_other_apps_do(world: World, operator: Send) -> None:
    here, other = world.platform, "0" * 16
    here.apps.create(App(other, "Album"))
    got: list[str] = []

    def post_event(url: str, body: bytes, headers: Any) -> int:
        got.append(url)
        return 500 if "later" in url else 200

    sending = EventSending(here.event_log, here.endpoints, post_event, world.clock)
    for app, url in ((APP, "https://a.example/"), (APP, "https://a.example/later"), (other, "https://b.example/")):
        here.endpoints.create(app, url, EventKind)
    installed, foreign = here.apps.get(APP), here.apps.get(other)
    assert installed
    assert foreign
    here.user_data.install(installed, KEN)
    assert sending.run(10) == 2
    operator("PUT", SUSPENSION, REASON)
    got.clear()
    world.clock.now += 3_600_000
    here.user_data.install(foreign, KEN)
    suspended = here.apps.get(APP)
    assert suspended
    assert suspended.events == frozenset()
    here.user_data.uninstall(APP, KEN)
    assert sending.run(10) == 1
    assert got == ["https://b.example/"]
    assert not [item for item in world.items("ephemeral") if item["pk"]["S"] == "attempt"]

    operator("DELETE", SUSPENSION)
    got.clear()
    restored = here.apps.get(APP)
    assert restored
    here.user_data.install(restored, KEN)
    world.clock.now += 60_000
    assert sending.run(10) == 2
    assert got[0].startswith("https://a.example/")


def test_a_suspension_needs_a_reason_and_tells_it_to_operators(world: World, operator: Send) -> None:
    body: Any
    for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": "a\nb"}, {"reason": 1}, []):
        assert operator("PUT", SUSPENSION, body).status == 400
    assert operator("GET", f"/apps/{APP}").json["suspended"] is None

    assert operator("PUT", SUSPENSION, {"reason": "x" * 500}).json["changed"]
    since = world.clock.now
    world.clock.now += 5_000
    assert operator("PUT", SUSPENSION, {"reason": "x" * 500}).json == {"id": APP, "changed": False}
    assert operator("PUT", SUSPENSION, REASON).json["changed"]
    told = operator("GET", f"/apps/{APP}").json
    assert (told["suspended"], told["suspensionReason"]) == (since, REASON["reason"])
    assert [each["suspended"] for each in operator("GET", "/apps").json["entry"]] == [since]
    operator("DELETE", SUSPENSION)
    assert operator("DELETE", SUSPENSION).json == {"id": APP, "changed": False}
    told = operator("GET", f"/apps/{APP}").json
    assert (told["suspended"], told["suspensionReason"]) == (None, "")


def test_an_unknown_app_cannot_be_suspended(world: World, operator: Send) -> None:
    for app in ("f" * 16, "nonsense"):
        assert operator("PUT", f"/apps/{app}/suspension", REASON).status == 404
        assert operator("DELETE", f"/apps/{app}/suspension").status == 404
    assert "f" * 16 not in str(world.items("directory"))
