"""The sign-in, consent and settings pages: contents, redirects, stored items and refusals."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from chalicelib.core import passwords
from chalicelib.core.dates import w3cdtf
from chalicelib.core.model.directory import App, User
from chalicelib.core.model.publication import Publication
from chalicelib.store.grants.ephemeral import AttemptKind, Wait
from chalicelib.web.auth import jwt, sessions
from local.gateway import Request
from local.in_process import BUCKET
from tests.kit.html_checks import links as links_of
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.sessions import granted

HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
QUEST, ALBUM = "6d1f0c2ab4e79853", "c07be4915fa2d386"
PASSWORD = "correct horse battery"
BACK = "https://quest.example/back?from=engawa"
HOSTILE = "\"><script>alert(1)</script><b a='"
AUTHORIZE = "/connect_authorize.pl"
ISSUER = "http://127.0.0.1:8000"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()


@pytest.fixture
def here(make_world: Callable[..., Any]) -> Any:
    return populated(make_world())


def populated(world: Any) -> Any:
    world.platform.users.create(User(HANA, "花", login="hana"), passwords.hash_password(PASSWORD))
    world.platform.users.create(User(KEN, HOSTILE, login="ken"), passwords.hash_password(PASSWORD))
    world.platform.users.create(User("nopassword00", "No", login="nopass"))
    scopes = ("mixi_apps2", "r_profile", "openid", "admin", "x_new")
    world.platform.apps.create(App(QUEST, "クエスト", True, "secret", (BACK,), scopes=scopes))
    world.platform.apps.create(App(ALBUM, HOSTILE, False, None, ("com.example.album:/back",), scopes=("r_profile",)))
    return world


@pytest.fixture
def browser(here: Any) -> Browser:
    return browser_of(here)


def browser_of(here: Any, address: str = "127.0.0.1") -> Browser:
    return browser_at(here.gateway, address)


def ask(browser: Browser, **more: str | None) -> Page:
    asked = {"client_id": QUEST, "response_type": "code", "scope": "r_profile"} | more
    return browser.open(AUTHORIZE, **{name: value for name, value in asked.items() if value is not None})


def signed_in(browser: Browser, login: str = "hana", **more: str | None) -> Page:
    return browser.sign_in(ask(browser, **more), login, PASSWORD)


# Contents of the pages


def test_signing_in_and_allowing_are_one_post_each(browser: Browser) -> None:
    page = ask(browser, state="a b&c", scope="r_profile mixi_apps2")
    assert page.status == 200
    assert "クエスト" in page.text
    page = browser.sign_in(page, "hana", PASSWORD)
    assert page.status == 200
    assert "花" in page.text
    assert "see your profile, your friends and their profiles" in page.text
    assert "This installs" not in page.text
    assert "Allowing this installs the app" in page.text
    assert [value for _, value in page.form("decision").buttons] == ["allow", "deny"]
    page = browser.submit(page.form("decision"), decision="allow")
    assert page.status == 302
    assert page.location.startswith(BACK + "&code=")
    assert page.told["state"] == "a b&c"
    assert page.told["from"] == "engawa"
    assert page.told["iss"] == ISSUER
    assert re.fullmatch("[0-9a-f]{96}", page.told["code"])


@pytest.mark.parametrize("asked", ["w_voice r_profile r_diary", "w_voice"])
def test_scopes_without_an_api_are_granted_and_not_offered(here: Any, browser: Browser, asked: str) -> None:
    old = "0123456789abcdef"
    here.platform.apps.create(App(old, "Voices", False, None, (BACK,), scopes=(*asked.split(), "x_removed")))
    more = {"client_id": old, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}

    page = signed_in(browser, scope=asked, lang="en", **more)

    headings = {True: "Voices would like to", False: "Voices asks you to allow it"}
    assert headings["r_profile" in asked] in page.text
    assert page.tags.count("li") == int("r_profile" in asked)
    page = browser.submit(page.form("decision"), decision="allow")
    code = page.told["code"]
    form = {"grant_type": "authorization_code", "client_id": old, "code": code, "code_verifier": "v" * 43}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    told = here.send("POST", "/2/token", urlencode(form).encode(), user=None, headers=headers).json
    assert sorted(told["scope"].split()) == sorted(asked.split())
    settings = browser.open("/settings/apps", lang="en").text
    assert "Voices" in settings
    assert "w_voice" not in settings
    assert ("It may" in settings) == ("r_profile" in asked)


def test_refusing_tells_the_app_and_stores_nothing(here: Any, browser: Browser) -> None:
    page = signed_in(browser, state="s")
    page = browser.submit(page.form("decision"), decision="deny")
    assert page.status == 302
    assert page.location == BACK + f"&error=access_denied&state=s&iss={quote(ISSUER, safe='')}"
    assert granted(here) == []


def test_a_session_lasts_and_the_question_is_asked_every_time(browser: Browser) -> None:
    page = signed_in(browser)
    browser.submit(page.form("decision"), decision="allow")
    page = ask(browser)
    assert "password" not in page.forms[0].fields
    assert page.form("decision")


def test_another_user_may_sign_in(browser: Browser) -> None:
    page = signed_in(browser)
    page = browser.submit(page.form("session", "end"), session="end")
    assert page.form("password").fields["client_id"] == QUEST
    assert "password" in ask(browser).forms[0].fields


@pytest.mark.parametrize(
    ("accepted", "asked", "language"),
    [
        ("ja", None, "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", None, "ja"),
        ("en-US,ja;q=0.5", None, "en"),
        ("fr,ja;q=0.2,en;q=0.1", None, "ja"),
        ("fr", None, "en"),
        ("", None, "en"),
        ("ja;q=0", None, "en"),
        ("ja;q=x,,;;", None, "en"),
        ("ja", "en", "en"),
        ("en", "ja", "ja"),
        ("en", "<b>", "en"),
    ],
)
def test_the_language(browser: Browser, accepted: str, asked: str | None, language: str) -> None:
    browser.headers["Accept-Language"] = accepted
    page = ask(browser, lang=asked)
    assert page.headers["content-language"] == language
    assert ("ログイン名" in page.text) == (language == "ja")
    page = browser.sign_in(page, "hana", PASSWORD)
    assert page.headers["content-language"] == language
    assert ("許可する" in page.text) == (language == "ja")


@pytest.mark.parametrize("display", ["", "pc", "touch", "smartphone", "popup", HOSTILE])
def test_display_changes_nothing(browser: Browser, display: str) -> None:
    assert ask(browser, display=display).status == 200


def test_no_script_frame_or_cache(browser: Browser) -> None:
    for page in (
        ask(browser),
        signed_in(browser),
        browser.open("/settings"),
        browser.open("/settings/apps"),
        ask(browser, client_id="x"),
        browser.open("/connect_authorize_success.html"),
    ):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script" not in page.tags
        assert not re.search(r"\son\w+=", page.html)


def test_a_form_may_lead_to_the_redirect_uri_and_nowhere_else(browser: Browser) -> None:
    page = signed_in(browser)
    assert "form-action 'self' https://quest.example;" in page.headers["content-security-policy"]
    assert "form-action 'self';" in browser.open("/settings").headers["content-security-policy"]


def test_the_cookie_is_for_this_server_alone(here: Any, make_world: Callable[..., Any], browser: Browser) -> None:
    cookie = ask(browser).headers["set-cookie"]
    assert cookie.startswith("engawa=")
    assert "; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax" in cookie
    secure = browser_of(make_world(ENGAWA_ISSUER="https://api.example.com"))
    cookie = ask(secure).headers["set-cookie"]
    assert cookie.startswith("__Host-engawa=")
    assert cookie.endswith("; Secure")


# Redirects


@pytest.mark.parametrize(
    "sent",
    [
        "https://evil.example/",
        "https://quest.example/back",
        "https://quest.example.evil.example/back?from=engawa",
        BACK + "&x=1",
        BACK + "#f",
        BACK.upper(),
        "//evil.example",
        "javascript:alert(1)",
        "/connect_authorize.pl",
        "https://quest.example/back?from=engawa\r\nSet-Cookie: a=b",
        HOSTILE,
    ],
)
def test_a_redirect_uri_that_is_not_registered_leads_nowhere(here: Any, browser: Browser, sent: str) -> None:
    page = ask(browser, redirect_uri=sent)
    assert page.status == 400
    assert "location" not in page.headers
    assert "script" not in page.tags
    page = browser.submit(signed_in(browser).form("decision"), decision="allow", redirect_uri=sent)
    assert page.status == 400
    assert granted(here) == []


@pytest.mark.parametrize("client", ["", "x", "0000000000000000", HOSTILE, "x" * 3000])
def test_an_unknown_app_leads_nowhere(browser: Browser, client: str) -> None:
    page = ask(browser, client_id=client)
    assert (page.status, "location" in page.headers) == (400, False)


def test_an_app_without_a_redirect_uri_leads_nowhere(here: Any, browser: Browser) -> None:
    here.platform.apps.change(QUEST, redirect_uris=())
    assert ask(browser).status == 400


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "r_voice"}, "invalid_scope"),
        ({"scope": "r_profile admin"}, "invalid_scope"),
        ({"scope": "x_new"}, "invalid_scope"),
        ({"scope": "admin", "grant_type": "client_credentials"}, "invalid_scope"),
        ({"scope": "admin", "scopes": "r_profile"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_request"),
        ({"server_state": "nobody's"}, "invalid_request"),
        ({"code_challenge": "c" * 43}, "invalid_request"),
        ({"code_challenge": "c" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_to_the_app(browser: Browser, asked: dict[str, str | None], error: str) -> None:
    page = ask(browser, state="s", **asked)
    assert page.status == 302
    assert page.location.startswith(BACK + "&error=")
    assert (page.told["error"], page.told["state"], page.told["iss"]) == (error, "s", ISSUER)


@pytest.mark.parametrize("kind", [None, ""])
def test_without_a_response_type_it_is_a_code(browser: Browser, kind: str | None) -> None:
    page = browser.submit(signed_in(browser, response_type=kind).form("decision"), decision="allow")
    assert re.fullmatch("[0-9a-f]{96}", page.told["code"])


def test_a_used_server_state_is_told_with_the_issuer(here: Any, browser: Browser) -> None:
    state = here.platform.states.make(QUEST)
    form = signed_in(browser, server_state=state).form("decision")
    assert "code" in browser.submit(form, decision="allow").told
    again = browser.submit(form, decision="allow")
    assert (again.told["error"], again.told["iss"]) == ("invalid_request", ISSUER)


@pytest.mark.parametrize(
    ("registered", "sent"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://[::1]/cb", "http://[::1]:1024/cb"),
        ("com.example.album:/back", "com.example.album:/back"),
        ("com.example.album:///back", "com.example.album:///back"),
    ],
)
def test_a_native_app_comes_by_its_code(here: Any, browser: Browser, registered: str, sent: str) -> None:
    here.platform.apps.change(ALBUM, redirect_uris=(registered,))
    asked = {"client_id": ALBUM, "redirect_uri": sent, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    page = browser.submit(signed_in(browser, **asked).form("decision"), decision="allow")
    assert page.location.startswith(f"{sent}?code=")
    form = {
        "grant_type": "authorization_code",
        "client_id": ALBUM,
        "code": page.told["code"],
        "code_verifier": "v" * 43,
    }
    for uri, status in (("http://127.0.0.1:49153/cb", 400), (sent, 200)):
        body = urlencode(form | {"redirect_uri": uri, "code_verifier": "v" * 43}).encode()
        assert here.send("POST", "/2/token", body, user=None).status == status


def test_another_port_than_that_of_a_registered_one_leads_nowhere(here: Any, browser: Browser) -> None:
    here.platform.apps.change(ALBUM, redirect_uris=("http://127.0.0.1:8000/cb",))
    page = ask(browser, client_id=ALBUM, redirect_uri="http://127.0.0.1:8001/cb")
    assert (page.status, "location" in page.headers) == (400, False)


def test_the_form_of_a_request_may_be_multipart(here: Any) -> None:
    fields = {"client_id": QUEST, "scope": "r_profile"}
    parts = [f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
    body = "".join([*parts, "--xyz--\r\n"]).encode()
    answer = here.send(
        "POST", AUTHORIZE, body, user=None, headers={"Content-Type": "multipart/form-data; boundary=xyz"}
    )
    assert answer.status == 200
    assert "クエスト" in answer.text


# The last page of an installed client

SUCCESS = "/connect_authorize_success.html"


@pytest.mark.parametrize(("accepted", "language"), [("ja", "ja"), ("en", "en")])
def test_an_installed_client_has_a_last_page(browser: Browser, accepted: str, language: str) -> None:
    browser.headers["Accept-Language"] = accepted
    page = browser.open(SUCCESS, code="c0de" * 24, state=HOSTILE, iss=ISSUER)
    assert page.status == 200
    assert page.headers["content-language"] == language
    assert ("許可されました" in page.text) == (language == "ja")
    assert ("You have allowed the app" in page.text) == (language == "en")
    for shown in ("c0de", HOSTILE, "script", ISSUER):
        assert shown not in page.html
    assert "set-cookie" not in page.headers
    denied = browser.open(SUCCESS, error="access_denied", state="st4te", error_description=HOSTILE)
    assert ("許可されませんでした" in denied.text) == (language == "ja")
    for shown in ("st4te", HOSTILE, "script"):
        assert shown not in denied.html


def test_the_last_page_can_be_registered(here: Any, browser: Browser) -> None:
    here.platform.apps.change(QUEST, redirect_uris=(ISSUER + SUCCESS,))
    page = browser.submit(signed_in(browser).form("decision"), decision="allow")
    shown = browser.open(page.location.removeprefix(ISSUER))
    assert shown.status == 200
    assert page.told["code"] not in shown.html


@pytest.mark.parametrize("owner", ["ken", "@owner", f"mixi.jp:{KEN}", HOSTILE, "k" * 3000])
def test_what_is_no_user_s_id_is_no_owner(browser: Browser, owner: str) -> None:
    page = ask(browser, state="s", owner=owner)
    assert (page.told["error"], page.told["state"]) == ("invalid_request", "s")


@pytest.mark.parametrize("owner", [KEN, "nobodynobody"])
def test_an_owner_who_has_not_the_app_is_told_to_the_app_once_someone_has_signed_in(
    here: Any, browser: Browser, owner: str
) -> None:
    """A stranger cannot find out who has installed an app."""
    page = ask(browser, state="s", owner=owner)
    assert page.status == 200
    page = browser.sign_in(page, "hana", PASSWORD)
    assert (page.status, page.told["error"], page.told["state"]) == (302, "invalid_request", "s")
    assert page.told["error_description"] == "The owner has not installed the app"
    signed_in(browser)
    assert ask(browser, owner=owner).told["error"] == "invalid_request"
    # The same error if an app sends the form itself.
    form = ask(browser).form("decision")
    assert browser.submit(form, decision="allow", owner=owner).told["error"] == "invalid_request"
    assert granted(here) == here.items("appdata") == []


def test_an_owner_who_has_the_app_is_carried_on(here: Any, browser: Browser) -> None:
    here.platform.appdata.install(QUEST, KEN)
    page = ask(browser, owner=KEN)
    assert page.form("password").fields["owner"] == KEN
    page = browser.sign_in(page, "hana", "wrong")
    page = browser.sign_in(page, "hana", PASSWORD)
    assert page.form("decision").fields["owner"] == KEN
    (link,) = re.findall(r'href="(connect_authorize[^"]*)" hreflang="ja"', page.html)
    other = browser.open("/" + unescape(link))
    assert other.form("decision").fields["owner"] == KEN
    assert "code" in browser.submit(other.form("decision"), decision="allow").told


def test_an_owner_costs_no_further_call(here: Any, browser: Browser) -> None:
    here.platform.appdata.install(QUEST, KEN)
    counts = []
    for owner in (None, KEN):
        here.calls.clear()
        ask(browser, owner=owner)
        counts.append(len(here.calls))
    assert counts == [1, 1]


def test_a_public_app_needs_pkce(browser: Browser) -> None:
    page = ask(browser, client_id=ALBUM)
    assert page.location.startswith("com.example.album:/back?error=invalid_request")
    page = ask(browser, client_id=ALBUM, code_challenge="c" * 43, code_challenge_method="S256")
    assert page.status == 200


def test_a_parameter_that_stands_twice(browser: Browser) -> None:
    page = browser.open(f"{AUTHORIZE}?client_id={QUEST}&client_id={ALBUM}&response_type=code&scope=r_profile")
    assert page.status == 400


def test_a_state_cannot_break_out_of_the_redirect(browser: Browser) -> None:
    state = "s\r\nSet-Cookie: a=b\r\n\r\n<script>&code=evil#花"
    page = browser.submit(signed_in(browser, state=state).form("decision"), decision="allow")
    assert page.location.isascii()
    assert not re.search(r"[\r\n<># ]", page.location)
    assert page.told["state"] == state
    assert page.location.count("code=") == 1


def test_names_and_parameters_are_shown_as_text(browser: Browser) -> None:
    hostile = {"client_id": ALBUM, "state": HOSTILE, "code_challenge": "c" * 43, "code_challenge_method": "S256"}
    page = ask(browser, **hostile)
    for each in (page, browser.sign_in(page, HOSTILE, "wrong"), browser.sign_in(page, "ken", PASSWORD)):
        assert "script" not in each.tags
        assert HOSTILE not in each.html
        assert each.form("csrf").fields["state"] == HOSTILE
    settings = browser.open("/settings")
    assert HOSTILE in settings.text.replace("&quot;", '"') or "<script>" in settings.text
    assert "script" not in settings.tags


# Signing in


@pytest.mark.parametrize("login", ["hana", "HANA", "  hana "])
def test_a_login_name_in_any_letter_case(browser: Browser, login: str) -> None:
    assert browser.sign_in(ask(browser), login, PASSWORD).form("decision")


def test_nothing_tells_whether_an_account_exists(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str | None] = []
    right = passwords.matches

    def matches(*given: Any) -> bool:
        worked.append(given[1])
        return right(*given)

    monkeypatch.setattr(passwords, "matches", matches)
    texts = set()
    for turn, login in enumerate(("hana", "nobody", "nopass", "x" * 5000, "花")):
        page = browser_of(here, f"10.0.0.{turn}").sign_in(ask(browser_of(here)), login, "wrong")
        assert page.status == 200  # Without the cookie of the form, it has expired and the password is not checked.
        browser = browser_of(here, f"10.0.0.{turn}")
        page = browser.sign_in(ask(browser), login, "wrong")
        assert page.status == 403
        csrf = page.form("csrf").fields["csrf"]
        texts.add(page.html.replace(csrf, "").replace(f'value="{login}"', ""))
    assert len(texts) == 1
    assert len(worked) == 5
    assert sum(each is not None for each in worked) == 1


def test_failures_slow_an_account_down(here: Any) -> None:
    for turn in range(5):
        browser = browser_of(here, f"10.0.{turn}.1")
        assert browser.sign_in(ask(browser), "hana", "wrong").status == 403
    browser = browser_of(here, "10.1.0.1")
    for wait in (1, 2, 4):
        page = browser.sign_in(ask(browser), "hana", PASSWORD)
        assert (page.status, page.headers["retry-after"]) == (429, str(wait))
        assert f"before you try again: {wait}." in page.text
        here.clock.now += wait * 1000
        assert browser.sign_in(ask(browser), "hana", "wrong").status == 403
    here.clock.now += 8000
    assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")
    # A success clears no other client's count; otherwise that client could infer that the account exists.
    fresh = browser_of(here, "10.1.0.2")
    assert fresh.sign_in(ask(fresh), "hana", "wrong").status == 403
    page = fresh.sign_in(ask(fresh), "hana", "wrong")
    assert (page.status, page.headers["retry-after"]) == (429, "16")


def test_an_account_that_does_not_exist_is_slowed_just_so(here: Any, browser: Browser) -> None:
    page = ask(browser)
    assert [browser.sign_in(page, "nobody", "wrong").status for _ in range(6)] == [403] * 5 + [429]


def test_failures_slow_an_address_down(here: Any, browser: Browser) -> None:
    page = ask(browser)
    statuses = [browser.sign_in(page, f"user{turn}", "wrong").status for turn in range(21)]
    assert statuses == [403] * 20 + [429]
    elsewhere = browser_of(here, "10.0.0.9")
    assert elsewhere.sign_in(ask(elsewhere), "hana", PASSWORD).form("decision")


def test_right_passwords_are_not_counted(here: Any, browser: Browser) -> None:
    for _ in range(25):
        page = browser.sign_in(ask(browser), "hana", PASSWORD)
        browser.cookies.clear()
    assert page.form("decision")
    assert here.items("ephemeral") == []


def test_an_hour_forgets(here: Any, browser: Browser) -> None:
    page = ask(browser)
    for _ in range(5):
        browser.sign_in(page, "hana", "wrong")
    (stored,) = (item for item in here.items("ephemeral") if "account" in item["pk"]["S"])
    assert int(stored["ttl"]["N"]) == here.clock.now // 1000 + 3600
    assert "hana" not in repr(stored)
    here.clock.now += 3600_000
    assert browser.sign_in(page, "hana", PASSWORD).form("decision")


def test_a_forwarded_address_counts_as_far_as_it_is_trusted(here: Any, make_world: Callable[..., Any]) -> None:
    assert last_of_21_tries(here) == 429
    assert last_of_21_tries(make_world(ENGAWA_PROXIES="2")) == 403


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("shown", ["", "not-the-key-of-the-proxy", "a-key-of-the-proxy-alone-"])
def test_who_comes_around_the_proxies_cannot_forge_an_address(make_world: Callable[..., Any], shown: str) -> None:
    around = make_world(ENGAWA_PROXIES="2", ENGAWA_PROXY_KEY="a-key-of-the-proxy-alone")

    assert last_of_21_tries(around, shown) == 429


@pytest.mark.usefixtures("here")
def test_who_comes_through_them_is_counted_by_the_own_address(make_world: Callable[..., Any]) -> None:
    through = make_world(ENGAWA_PROXIES="2", ENGAWA_PROXY_KEY="a-key-of-the-proxy-alone")

    assert last_of_21_tries(through, "a-key-of-the-proxy-alone") == 403


def last_of_21_tries(world: Any, key: str = "") -> int:
    """Return the status of the last of 21 wrong sign-ins from one address, each with another forwarded address."""
    browser = browser_of(world)
    page = ask(browser)
    if key:
        browser.headers["X-Engawa-Proxy-Key"] = key
    for turn in range(21):
        browser.headers["X-Forwarded-For"] = f"1.2.3.{turn}, 9.9.9.9, 130.176.0.1"
        shown = browser.sign_in(page, f"user{turn}", "wrong")
    return shown.status


def test_a_password_hash_of_old_parameters_is_made_anew(here: Any, browser: Browser, monkeypatch: Any) -> None:
    monkeypatch.setattr(passwords, "N", 8)
    here.platform.users.set_password(HANA, passwords.hash_password(PASSWORD))
    monkeypatch.undo()
    signed_in(browser)
    assert here.platform.users.credential("hana")[1].startswith("scrypt$16$")


def test_a_new_hash_does_not_undo_a_new_password(here: Any, browser: Browser, monkeypatch: Any) -> None:
    """The password is changed between the check and the new hash of the old one."""
    monkeypatch.setattr(passwords, "N", 8)
    here.platform.users.set_password(HANA, passwords.hash_password(PASSWORD))
    monkeypatch.undo()
    make = passwords.hash_password
    changed = make("another password")

    def meanwhile(password: str) -> str:
        here.platform.users.set_password(HANA, changed)
        return make(password)

    monkeypatch.setattr(passwords, "hash_password", meanwhile)
    browser.sign_in(ask(browser), "hana", PASSWORD)
    assert here.platform.users.credential("hana") == (HANA, changed)


def test_signing_in_changes_the_session(browser: Browser) -> None:
    page = ask(browser)
    before = dict(browser.cookies)
    page = browser.sign_in(page, "hana", PASSWORD)
    assert browser.cookies != before
    assert page.form("csrf").fields["csrf"] not in before["engawa"]


def test_who_signs_in_takes_back_no_failure_of_another(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another sign-in to the account fails while the correct password is being checked."""
    browser, other = browser_of(here, "10.1.1.1"), browser_of(here, "10.1.1.1")
    matches, guesses = passwords.matches, iter(["wrong"])

    def looked_at(password: str, known: str | None) -> bool:
        for guess in guesses:
            assert other.sign_in(ask(other), "hana", guess).status == 403
        return matches(password, known)

    monkeypatch.setattr(passwords, "matches", looked_at)
    assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")
    counted = [item["failures"]["N"] for item in here.items("ephemeral") if "failures" in item]
    assert counted == ["1", "1"], "of the account and of the address"


# A browser that has signed in before


def device_of(browser: Browser) -> str:
    return browser.cookies["engawa-device"]


def known_browser(here: Any, login: str = "hana", address: str = "127.0.0.1") -> Browser:
    """Return a browser in which a user signed in before: without a session, with a device cookie."""
    browser = browser_of(here, address)
    assert browser.sign_in(ask(browser), login, PASSWORD).form("decision")
    del browser.cookies["engawa"]
    return browser


def lock_out(here: Any, login: str = "hana") -> None:
    """Fail so often in unknown browsers that the next unknown browser has to wait, about two minutes."""
    for _ in range(12):
        while isinstance(begun := here.platform.sign_in_attempts.begin(AttemptKind.ACCOUNT, login), Wait):
            here.clock.now += begun.seconds * 1000


def test_an_attacker_who_never_rests_keeps_no_known_browser_out(here: Any) -> None:
    browser = known_browser(here)
    waits = []
    for turn in range(16):
        attacker = browser_of(here, f"10.7.{turn}.7")
        while (page := attacker.sign_in(ask(attacker), "hana", "wrong")).status == 429:
            wait = page.headers["retry-after"]
            waits.append(int(wait))
            stranger = browser_of(here, f"10.8.{turn}.8")
            assert stranger.sign_in(ask(stranger), "hana", PASSWORD).status == 429
            assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")
            del browser.cookies["engawa"]
            # The attacker cannot notice it: the wait is unchanged, and the next try is still the attacker's.
            assert attacker.sign_in(ask(attacker), "hana", "wrong").headers["retry-after"] == wait
            here.clock.now += int(wait) * 1000
        assert page.status == 403
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]


def test_a_known_browser_is_not_kept_out_by_its_own_network(here: Any) -> None:
    browser = known_browser(here, address="10.6.6.6")
    attacker = browser_of(here, "10.6.6.6")
    for turn in range(21):
        page = attacker.sign_in(ask(attacker), f"user{turn}", "wrong")
    assert page.status == 429
    assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")


def test_guessing_in_a_known_browser_is_slowed_too(here: Any) -> None:
    browser, other = known_browser(here), known_browser(here)
    assert [browser.sign_in(ask(browser), "hana", "wrong").status for _ in range(6)] == [403] * 5 + [429]
    page = browser.sign_in(ask(browser), "hana", PASSWORD)
    assert (page.status, page.headers["retry-after"]) == (429, "1")
    # It delays neither other browsers nor other users of this browser.
    for each in (other, browser_of(here)):
        assert each.sign_in(ask(each), "hana", "wrong").status == 403
    assert browser.sign_in(ask(browser), "ken", "wrong").status == 403
    here.clock.now += 1000
    assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")
    # The success clears the browser's own failures.
    del browser.cookies["engawa"]
    assert [browser.sign_in(ask(browser), "hana", "wrong").status for _ in range(6)] == [403] * 5 + [429]


def test_a_device_cookie_is_of_the_user_who_has_signed_in(here: Any) -> None:
    """The device cookie of an attacker's own account does not help with other accounts."""
    attacker = known_browser(here, "ken", "10.6.6.6")
    lock_out(here)
    assert attacker.sign_in(ask(attacker), "hana", PASSWORD).status == 429


@pytest.mark.parametrize("login", ["hana", "nobody", "nopass"])
def test_with_another_s_device_cookie_all_accounts_are_alike(here: Any, login: str) -> None:
    attacker = known_browser(here, "ken", "10.6.6.6")
    pages = [attacker.sign_in(ask(attacker), login, "wrong") for _ in range(6)]
    assert [page.status for page in pages] == [403] * 5 + [429]
    assert not [page for page in pages if page.set_cookies]


def test_a_browser_of_several_people_knows_each_of_them(here: Any) -> None:
    browser = known_browser(here)
    for login in ("ken", "hana", "ken"):
        page = browser.sign_in(ask(browser), login, PASSWORD)
        assert page.form("decision")
        browser.submit(page.form("session", "end"), session="end")
    lock_out(here, "hana")
    lock_out(here, "ken")
    for login in ("hana", "ken"):
        page = browser.sign_in(ask(browser), login, PASSWORD)
        assert page.form("decision")
        browser.submit(page.form("session", "end"), session="end")


def test_another_password_ends_the_device_cookies_of_the_one_before(here: Any) -> None:
    """A person with the old password may have many device cookies, each with a counter of its own."""
    browser = known_browser(here)
    here.platform.users.set_password(HANA, passwords.hash_password("another password"))
    lock_out(here)
    assert browser.sign_in(ask(browser), "hana", "another password").status == 429


def test_a_hash_that_is_made_anew_does_not_end_them(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "N", 8)
    here.platform.users.set_password(HANA, passwords.hash_password(PASSWORD))
    monkeypatch.undo()
    browser = known_browser(here)
    lock_out(here)
    assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")


def test_a_forged_or_damaged_device_cookie_is_none(here: Any, make_world: Callable[..., Any]) -> None:
    browser = known_browser(here)
    elsewhere = known_browser(make_world(ENGAWA_ISSUER="http://elsewhere.example"))
    good, foreign = device_of(browser), device_of(elsewhere)
    head, claims, signature = good.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"device+jwt"}').rstrip(b"=").decode()
    session = browser_of(here)
    signed_in(session)
    forged = [
        foreign,
        session.cookies["engawa"],
        f"{unsigned}.{claims}.",
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}AAAA",
        f"{head}.{device_of(known_browser(here, 'ken')).split('.')[1]}.{signature}",
        "",
        "é;=",
    ]
    lock_out(here)
    for cookie in forged:
        forger = browser_of(here)
        forger.cookies["engawa-device"] = cookie
        assert forger.sign_in(ask(forger), "hana", PASSWORD).status == 429, cookie
    browser.cookies["engawa-device"] = good
    assert browser.sign_in(ask(browser), "hana", PASSWORD).form("decision")


def test_a_device_cookie_opens_nothing(here: Any, browser: Browser) -> None:
    browser.cookies["engawa"] = device_of(known_browser(here))
    assert "password" in browser.open("/settings").forms[0].fields
    headers = [("Authorization", f"OAuth {device_of(known_browser(here))}")]
    assert here.gateway.handle(Request("GET", "/2/people/@me/@self", headers)).status == 401


def test_a_device_cookie_is_for_this_server_alone_and_ends(
    here: Any, make_world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = signed_in(browser_of(here))
    assert len(page.set_cookies) == 2
    assert page.set_cookies[1].startswith("engawa-device=")
    assert page.set_cookies[1].endswith("; Path=/; Max-Age=15552000; HttpOnly; SameSite=Strict")
    assert "hana" not in str(jwt.unverified(device_of(known_browser(here))))
    secure = browser_of(make_world(ENGAWA_ISSUER="https://api.example.com"))
    cookie = signed_in(secure).set_cookies[1]
    assert cookie.startswith("__Host-engawa-device=")
    assert cookie.endswith("; Secure")
    monkeypatch.setattr(sessions, "DEVICE_SECONDS", -1)
    old = known_browser(here)
    lock_out(here)
    assert old.sign_in(ask(old), "hana", PASSWORD).status == 429


def test_only_a_success_makes_a_device(here: Any, browser: Browser) -> None:
    page = ask(browser)
    assert len(page.set_cookies) == 1
    assert browser.sign_in(page, "hana", "wrong").set_cookies == []
    assert browser.sign_in(browser.open("/settings"), "hana", PASSWORD).set_cookies[1:]


# Forged forms


@pytest.mark.parametrize("csrf", ["", "0" * 32, "花", None])
def test_a_form_of_someone_elses_making_changes_nothing(here: Any, browser: Browser, csrf: str | None) -> None:
    form = signed_in(browser).form("decision")
    page = browser.submit(form, decision="allow", csrf=csrf)
    assert page.status == 200
    assert "expired" in page.text
    page = browser.submit(browser.open("/settings/profile").form("version"), csrf=csrf, publish_address="everyone")
    assert "expired" in page.text
    assert granted(here) == []
    assert here.platform.users.get(HANA).publication["address"] is Publication.FRIENDS


@pytest.mark.parametrize("csrf", ["", "0" * 32, "花", None])
@pytest.mark.parametrize("button", ["end", "uninstall"])
def test_a_form_of_someone_elses_making_ends_no_access(
    here: Any, browser: Browser, button: str, csrf: str | None
) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")

    page = browser.submit(browser.open("/settings/apps").form(button, QUEST), csrf=csrf, **{button: QUEST})

    assert (page.status, "expired" in page.text) == (400, True), page.text
    assert granted(here) != []
    assert here.platform.friends_and_installs.installs(HANA)[0] == [QUEST]


def test_the_value_of_a_form_is_masked_anew_on_each_page_and_holds_on_all(here: Any, browser: Browser) -> None:
    """Otherwise the lengths of compressed pages that repeat a guess would tell it apart."""
    signed_in(browser)
    shown = [browser.open("/settings/profile").form("version") for _ in range(3)]
    values = [each.fields["csrf"] for each in shown]
    assert len({value[:8] for value in values}) == len({value[-8:] for value in values}) == 3
    for form, address in zip(shown, ("everyone", "nobody", "friends"), strict=True):
        form.fields["version"] = browser.open("/settings/profile").form("version").fields["version"]
        assert browser.submit(form, publish_address=address).status == 303
        assert here.platform.users.get(HANA).publication["address"] is Publication(address)
    # Half a value, the bare secret, and a value with a flipped bit are no form's.
    flipped = f"{int(values[0], 16) ^ 1:064x}"
    for wrong in (values[0][:32], _xor_of_halves(values[0]), flipped, values[0] + "00"):
        assert "expired" in browser.submit(shown[0], csrf=wrong).text


def _xor_of_halves(value: str) -> str:
    return f"{int(value[:32], 16) ^ int(value[32:], 16):032x}"


def test_a_value_from_the_forger_s_own_session_opens_no_other_s(here: Any, browser: Browser) -> None:
    forger = browser_of(here)
    known = forger.sign_in(ask(forger), "ken", PASSWORD).form("csrf").fields["csrf"]
    page = browser.submit(signed_in(browser).form("decision"), decision="allow", csrf=known)
    assert "expired" in page.text
    # The forged form does not sign the user in as the forger, who could then see the user's input.
    fresh = browser_of(here)
    page = fresh.submit(ask(fresh).form("password"), login="ken", password=PASSWORD, csrf=known)
    assert "expired" in page.text
    assert granted(here) == []


def test_a_form_without_its_cookie_changes_nothing(here: Any, browser: Browser) -> None:
    form = signed_in(browser).form("decision")
    browser.cookies.clear()
    page = browser.submit(form, decision="allow")
    assert "password" in page.forms[0].fields
    assert granted(here) == []


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-2], lambda text: "x" + text, lambda text: "", lambda text: "é;="]
)
def test_a_damaged_cookie_is_none(browser: Browser, damage: Callable[[str], str]) -> None:
    signed_in(browser)
    browser.cookies["engawa"] = damage(browser.cookies["engawa"])
    assert "password" in ask(browser).forms[0].fields


def test_a_session_lives_an_hour(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    import chalicelib.web.auth.sessions as module

    monkeypatch.setattr(module, "SECONDS", -1)
    signed_in(browser)
    assert "password" in ask(browser).forms[0].fields


def test_a_deleted_user_is_signed_out(here: Any, browser: Browser) -> None:
    form = signed_in(browser).form("decision")
    here.platform.users.close(HANA)
    page = browser.submit(form, decision="allow")
    assert "password" in page.forms[0].fields
    assert granted(here) == []


# Settings


def test_settings_show_and_end_what_was_granted(here: Any, browser: Browser) -> None:
    page = signed_in(browser, scope="r_profile mixi_apps2", lang="en")
    browser.submit(page.form("decision"), decision="allow")
    page = browser.open("/settings/apps", lang="en")
    assert "クエスト" in page.text
    assert "see your profile, your friends and their profiles" in page.text
    assert "Installed" in page.text
    page = browser.submit(page.form("end", QUEST), end=QUEST)
    assert (page.status, page.location) == (303, f"/settings/apps?ended={QUEST}")
    page = browser.open(page.location)
    assert "You have ended the access of クエスト." in page.text
    assert here.platform.grants.of_user(HANA) == []
    assert here.platform.friends_and_installs.installs(HANA)[0] == [QUEST]
    here.platform.oversized_answers.keep(b"{}", "application/json", HANA)
    page = browser.submit(page.form("uninstall", QUEST), uninstall=QUEST)
    assert (page.status, page.location) == (303, f"/settings/apps?uninstalled={QUEST}")
    assert "Contents" not in here.s3.list_objects_v2(Bucket=BUCKET, Prefix="answers/")
    assert here.platform.friends_and_installs.installs(HANA)[0] == []
    page = browser.open(page.location)
    assert "クエスト is uninstalled" in page.text
    assert "You have not allowed or installed any apps." in page.text


def test_ending_twice_says_that_nothing_changed(browser: Browser) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    page = browser.open("/settings/apps", lang="en")
    for button in ("end", "uninstall"):
        form = page.form(button, QUEST)
        assert button in browser.submit(form, **{button: QUEST}).location
        again = browser.submit(form, **{button: QUEST})
        assert (again.status, again.location) == (303, "/settings/apps?done=unchanged")
        assert "Nothing was changed" in browser.open(again.location).text


def test_a_link_cannot_claim_that_an_access_was_ended(browser: Browser) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    for query in ("ended", "uninstalled"):
        assert "role=status" not in browser.open(f"/settings/apps?{query}={QUEST}").html.replace('"', "")
        assert HOSTILE not in browser.open("/settings/apps", **{query: HOSTILE}).html
        assert browser.open(f"/settings/apps?{query}={'x' * 3000}").status == 200
    gone = browser.open("/settings/apps", ended="0" * 16, lang="en")
    assert "the access of An app that is no longer offered" in gone.text


def test_settings_show_who_makes_an_app_and_when_it_was_used(here: Any, browser: Browser) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    links = {"homepage_url": "https://quest.example/about", "privacy_url": "https://quest.example/privacy"}
    here.platform.apps.change(QUEST, icon_url="https://icons.example/q.png", developer=HOSTILE, **links)
    (grant,) = here.platform.grants.of_user(HANA)

    page = browser.open("/settings/apps", lang="en")

    day = w3cdtf(grant.used, here.platform.settings.utc_offset)[:10]
    assert f"Allowed on {day} · Last used on {day}" in page.text
    assert {*links.values()} <= {*links_of(page.html)}
    assert HOSTILE in page.text
    assert HOSTILE not in page.html
    assert "img-src 'self' https://icons.example" in page.headers["content-security-policy"]
    assert 'src="https://icons.example/q.png"' in page.html
    here.platform.apps.change(QUEST, icon_url="", developer="", homepage_url="", privacy_url="")
    bare = browser.open("/settings/apps", lang="en")
    assert not {"Homepage", "Privacy policy", "By"} & {*bare.text.split()}


def test_uninstalling_ends_the_grant(here: Any, browser: Browser) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    page = browser.open("/settings/apps", lang="en")
    assert "Uninstalling ends the app's access" in page.text
    page = browser.open(browser.submit(page.form("uninstall", QUEST), uninstall=QUEST).location)
    assert "You have not allowed or installed any apps." in page.text
    assert granted(here) == here.items("appdata") == []


def test_settings_lead_to_each_part_of_the_account(browser: Browser) -> None:
    page = browser.open("/settings")
    assert browser.sign_in(page, "hana", "wrong").status == 403
    page = browser.sign_in(page, "hana", PASSWORD)
    assert (page.status, page.location) == (303, "/settings")
    page = browser.open("/settings")
    assert "花" in page.text
    assert [form.action for form in page.forms] == ["/sign_out"]
    parts = ["profile", "apps", "password", "sessions", "data", "delete"]
    assert {*(f"/settings/{part}" for part in parts), "/reports"} <= {*links_of(page.html)}
    assert [browser.open(f"/settings/{part}").status for part in parts] == [200] * len(parts)


def test_settings_keep_the_language_that_a_link_asks_for(browser: Browser) -> None:
    signed_in(browser)
    for path in ("/settings", "/settings/apps"):
        for language in ("ja", "en"):
            assert browser.open(path, lang=language).headers["content-language"] == language
            assert browser.open(path).headers["content-language"] == language


def test_a_form_that_is_sent_after_the_session_can_be_sent_again(here: Any, browser: Browser) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    form = browser.open("/settings/apps").form("end", QUEST)
    here.platform.sessions_of_users.end_all(HANA)
    browser.headers["Sec-Fetch-Site"] = "same-origin"

    page = browser.sign_in(browser.submit(form, end=QUEST), "hana", PASSWORD)
    assert granted(here) != []
    page = browser.submit(page.form("end"))

    assert page.location == f"/settings/apps?ended={QUEST}"
    assert here.platform.grants.of_user(HANA) == []


@pytest.mark.parametrize("fields", [{}, {"end": HOSTILE}, {"uninstall": "x" * 3000}])
def test_a_form_that_names_no_app_changes_nothing(here: Any, browser: Browser, fields: dict[str, str]) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    assert browser.submit(browser.open("/settings/apps").form("end"), **fields).status == 400
    assert granted(here) != []


def test_nothing_of_another_user_can_be_ended(here: Any, browser: Browser) -> None:
    browser.submit(signed_in(browser).form("decision"), decision="allow")
    ken = browser_of(here)
    signed_in(ken, "ken")
    form = ken.open("/settings/profile").form("csrf")
    form.action = "/settings/apps"
    assert ken.submit(form, end=QUEST).location == "/settings/apps?done=unchanged"
    assert len(here.platform.grants.of_user(HANA)) == 1


# Other pages


def test_with_an_external_issuer_nobody_signs_in_here(make_world: Callable[..., Any]) -> None:
    external = {"ENGAWA_OPENID_ISSUER": "https://id.example", "ENGAWA_OPENID_JWKS": "https://id.example/jwks"}
    browser = browser_of(populated(make_world(**external)))
    for page in (ask(browser), browser.open("/settings")):
        assert page.status == 404
        assert "https://id.example" in page.text


def test_an_unexpected_error_is_a_page_without_detail(here: Any, browser: Browser, monkeypatch: Any) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(here.platform.grants, "find_with_owner", broken)
    page = ask(browser)
    assert page.status == 500
    assert "secret detail" not in page.html
    assert page.headers["content-type"] == "text/html; charset=utf-8"
