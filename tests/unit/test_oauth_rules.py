"""The rules of OAuth, of delays after failed sign-ins, and of texts on pages; and an external issuer's tokens."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from http.client import IncompleteRead
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import settings
from chalicelib.core.errors import BadRequest, GrantRefused, ParameterInvalid, TokenRefused, Unavailable
from chalicelib.core.model.directory import App
from chalicelib.core.oauth import (
    OPERATOR,
    REPEAT_SECONDS,
    SERVED_SCOPES,
    USER_SCOPES,
    AuthorizationRequest,
    Family,
    RedirectedError,
    basic_credentials,
    check_scopes,
    family_of,
    hashed,
    is_challenge,
    may_ask,
    new_salt,
    new_token,
    offered,
    pruned,
    registered_redirect,
    same,
    scopes_in,
    successor,
    with_credentials,
)
from chalicelib.core.sign_in_delays import DEVICE_MARKS, Device, Failures, mark_of, network
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.auth.external_issuer import Issuer
from chalicelib.web.auth.oauth_forms import MOST_PARAMETERS, form_target, location, parse_form, redirects_sent
from chalicelib.web.html.texts import Language, preferred, scope_words
from chalicelib.web.html.texts.consent import SCOPES

ISSUER, HERE = "https://id.example", "https://api.example"


def test_tokens_are_of_a_family_and_never_the_same() -> None:
    code, other = new_token(), new_token()
    refresh = new_token(code)
    assert len(code) == len(refresh) == 96
    assert family_of(code) == family_of(refresh) != family_of(other)
    assert code != refresh
    assert code[:32] not in str(family_of(code))


def test_a_successor_needs_the_old_token_and_the_salt() -> None:
    token, salt = new_token(), new_salt()
    fresh = successor(token, salt)
    assert fresh == successor(token, salt)
    assert len(fresh) == 96
    assert family_of(fresh) == family_of(token)
    assert len({token, fresh, successor(token, new_salt()), successor(new_token(token), salt)}) == 4
    assert salt not in fresh
    assert len(salt) == 64


ROTATED = 1_800_000_000_000


@pytest.mark.parametrize(("later", "again"), [(0, True), (1000 * REPEAT_SECONDS - 1, True), (30_000, False)])
def test_the_token_before_gets_the_present_one_for_half_a_minute(later: int, again: bool) -> None:
    token, salt = new_token(), new_salt()
    fresh = successor(token, salt)
    family = Family("f", "app", "hana", frozenset(), 0, 0, refresh=hashed(fresh), salt=salt, rotated=ROTATED)
    assert family.repeated(token, ROTATED + later) == (fresh if again else None)
    for other in (fresh, new_token(token), "", "花", "\ud800"):
        assert family.repeated(other, ROTATED + later) is None


def test_a_family_that_was_never_rotated_repeats_nothing() -> None:
    token = new_token()
    assert Family("f", "app", "hana", frozenset(), 0, 0, refresh=hashed(token)).repeated(token, 1) is None


@pytest.mark.parametrize("text", ["", "0" * 95, "0" * 97, "G" * 96, "A" * 96, "0" * 95 + "\n", "０" * 96])
def test_what_cannot_be_a_token_has_no_family(text: str) -> None:
    assert family_of(text) is None


@pytest.mark.parametrize("server_state", [None, "s"])
@pytest.mark.parametrize(("owner", "stored"), [(None, None), ("hana", None), ("ken", "ken")])
def test_what_a_user_allows_is_stored_as_it_was_asked(
    owner: str | None, stored: str | None, server_state: str | None
) -> None:
    asked = AuthorizationRequest(
        App("app", "Quest"), "https://a.example/", True, ("b", "a"), "state", "challenge", server_state, owner
    )
    assert asked.family("hana") == Family(
        id="",
        app="app",
        user="hana",
        scopes=frozenset({"a", "b"}),
        created=0,
        expires=0,
        redirect_uri="https://a.example/",
        redirect_sent=True,
        challenge="challenge",
        server_state=hashed("s") if server_state else None,
        owner=stored,
    )


def asks_for_owner(owner: str | None, *, installed: bool) -> AuthorizationRequest:
    return AuthorizationRequest(
        App("app", "Quest"),
        "https://a.example/",
        redirect_sent=True,
        scopes=("a",),
        state="state",
        challenge=None,
        server_state=None,
        owner=owner,
        owner_installed=installed,
    )


@pytest.mark.parametrize(
    ("owner", "installed"), [(None, False), (None, True), ("hana", False), ("hana", True), ("ken", True)]
)
def test_the_owner_is_the_viewer_or_has_installed_the_app(owner: str | None, installed: bool) -> None:
    asks_for_owner(owner, installed=installed).check_owner("hana")


def test_an_owner_without_the_app_is_refused_and_the_app_is_told() -> None:
    with pytest.raises(RedirectedError) as caught:
        asks_for_owner("ken", installed=False).check_owner("hana")
    told = caught.value
    assert (told.redirect_uri, told.state) == ("https://a.example/", "state")
    assert (told.refusal.error, told.refusal.description, told.refusal.status) == (
        "invalid_request",
        "The owner has not installed the app",
        400,
    )


def test_an_error_that_an_app_is_told_keeps_where_to() -> None:
    error = RedirectedError(GrantRefused("access_denied", "No.", status=401), "https://a.example/", "state")
    assert (str(error), error.redirect_uri, error.state) == ("No.", "https://a.example/", "state")
    assert (error.refusal.error, error.refusal.description, error.refusal.status) == ("access_denied", "No.", 401)
    assert GrantRefused("invalid_grant", "No.").status == 400


def test_secrets_are_compared_whole() -> None:
    assert same("a", "a")
    assert not same("a", "ab")
    assert not same(None, None)
    assert not same("花", "a")
    assert hashed("\ud800") != hashed("?")


@pytest.mark.parametrize(("there", "gone"), [(0, 0), (19, 0), (20, 1), (25, 6)])
def test_the_oldest_families_make_room(there: int, gone: int) -> None:
    labels = [f"{turn:015d}#f" for turn in range(there)]
    keep, old = pruned(reversed(labels), 20)
    assert old == labels[:gone]
    assert keep == set(labels[gone:])


@pytest.mark.parametrize(
    ("asked", "user", "allowed"),
    [
        (["r_profile"], True, True),
        (["r_profile", "r_voice"], True, False),
        ([], True, False),
        ([], False, True),
        ([OPERATOR], True, False),
        ([OPERATOR], False, True),
        (["x_unknown"], True, False),
        (["x_unknown"], False, False),
        ([""], True, False),
    ],
)
def test_who_may_ask_what(asked: list[str], user: bool, allowed: bool) -> None:
    assert may_ask(["r_profile", OPERATOR, "x_unknown"], asked, user=user) is allowed


def test_scopes_are_sorted_and_separated_by_spaces_or_commas() -> None:
    assert scopes_in(" w_voice,r_profile  r_profile ") == ["r_profile", "w_voice"]
    assert scopes_in(" , ") == []


@pytest.mark.parametrize(("text", "good"), [("a" * 43, True), ("a" * 42, False), ("a" * 44, False), ("=" * 43, False)])
def test_a_challenge_is_a_hash(text: str, good: bool) -> None:
    assert is_challenge(text) is good


def test_forms() -> None:
    assert parse_form(b"a=1&b=&c=%E8%8A%B1+x&d") == {"a": "1", "c": "花 x"}
    assert len(parse_form(b"&".join(b"a%d=1" % turn for turn in range(MOST_PARAMETERS)))) == MOST_PARAMETERS


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        ("", None),
        ("Bearer eDp5", None),
        ("OAuth eDp5", None),
        ("basically eDp5", None),
        (basic("id:secret"), ("id", "secret")),
        ("  bAsIc   " + basic("id:secret").partition(" ")[2] + " ", ("id", "secret")),
        (basic("id:"), ("id", "")),
        (basic("id:a:b"), ("id", "a:b")),
        (basic("i%2Bd:se+cr%3Aet%25%E8%8A%B1"), ("i+d", "se cr:et%花")),
    ],
)
def test_credentials_in_a_header(header: str, credentials: tuple[str, str] | None) -> None:
    assert basic_credentials(header) == credentials


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic :",
        "Basic 花",
        basic("no colon"),
        "Basic aWQ6cw",
        "Basic aWQ6*cw==",
        "Basic /////w==",
        basic("id:%ff"),
        basic("%ff:secret"),
    ],
)
def test_credentials_that_cannot_be_read_are_wrong(header: str) -> None:
    with pytest.raises(GrantRefused) as caught:
        basic_credentials(header)
    refusal = caught.value
    assert (refusal.error, refusal.description, refusal.status) == (
        "invalid_client",
        "The credentials in the header cannot be read",
        401,
    )


def test_a_form_gets_the_credentials_of_its_header() -> None:
    form = {"grant_type": "x", "client_id": "id"}
    assert with_credentials(form, None) == form
    assert with_credentials(form, ("id", "secret")) == form | {"client_secret": "secret"}
    assert with_credentials({}, ("id", "")) == {"client_id": "id"}
    assert with_credentials({}, ("", "")) == {}


@pytest.mark.parametrize("form", [{"client_secret": "secret"}, {"client_id": "other"}])
def test_credentials_in_two_places_are_refused(form: dict[str, str]) -> None:
    with pytest.raises(GrantRefused) as caught:
        with_credentials(form, ("id", "secret"))
    refusal = caught.value
    assert (refusal.error, refusal.description, refusal.status) == (
        "invalid_request",
        "The credentials must be in the header or in the body, not in both",
        400,
    )


TWICE, NO_FORM = "A parameter appears twice", "The parameters are not form-encoded UTF-8"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a=1&a=1", TWICE),
        (b"a=1&a=", TWICE),
        (b"a=%ff", NO_FORM),
        (b"\xff", NO_FORM),
        (b"&".join(b"a%d=1" % turn for turn in range(MOST_PARAMETERS + 1)), NO_FORM),
    ],
)
def test_what_is_no_form(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_form(body)
    assert caught.value.description == said


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ("a=1", None),
        ("redirect_uri=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd&code=1", "https://a.example/b?c=d"),
        ("redirect_uri=https://a.example/b?c=d&e=f&code=1", "https://a.example/b?c=d&e=f"),
        ("code=1&redirect_uri=https://a.example/b+c%20d", "https://a.example/b c d"),
        ("code=1&redirect_uri=https://a.example/b+c%20d", "https://a.example/b+c%20d"),
    ],
)
def test_what_a_redirect_uri_may_mean(body: str, meant: str | None) -> None:
    readings = redirects_sent(body.encode())
    assert (meant in readings) if meant else readings == set()


def test_a_redirect_uri_that_is_not_utf_8_means_no_registered_one() -> None:
    assert redirects_sent(b"redirect_uri=https://a.example/\xff") == {"https://a.example/\ufffd"}


REGISTERED = (
    "https://a.example/cb",
    "http://127.0.0.1/cb",
    "http://[::1]/cb?x=1",
    "http://127.0.0.1:8000/fixed",
    "http://localhost/cb",
    "com.example.app:/cb",
)


@pytest.mark.parametrize(
    "sent",
    [
        *REGISTERED,
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:49152/cb?x=1",
    ],
)
def test_where_an_authorization_may_lead(sent: str) -> None:
    assert registered_redirect(REGISTERED, sent)


@pytest.mark.parametrize(
    "sent",
    [
        "https://a.example:444/cb",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.1:49152/",
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:49152/cb#f",
        "http://127.0.0.1:49152\n/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:1٢/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://x@127.0.0.1:80/cb",
        "http://127.0.0.2:49152/cb",
        "http://127.0.0.1.evil.example:80/cb",
        "http://[::1]:49152/cb",
        "http://[::2]:49152/cb?x=1",
        "http://127.0.0.1:49152/fixed",
        "http://127.0.0.1/fixed",
        "http://localhost:49152/cb",
        "com.example.app:49152/cb",
        "",
    ],
)
def test_where_no_authorization_may_lead(sent: str) -> None:
    assert not registered_redirect(REGISTERED, sent)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("com.example.app:/cb", "com.example.app:/cb?code=1"),
        ("com.example.app:cb", "com.example.app:cb?code=1"),
        ("com.example.app://cb", "com.example.app://cb?code=1"),
        ("com.example.app:///cb", "com.example.app:///cb?code=1"),
        ("com.example.app:", "com.example.app:?code=1"),
        ("http://127.0.0.1:49152/cb?", "http://127.0.0.1:49152/cb?code=1"),
        ("http://[::1]:49152", "http://[::1]:49152?code=1"),
    ],
)
def test_a_redirect_leads_to_the_letter_of_what_is_registered(uri: str, target: str) -> None:
    assert location(uri, code="1") == target


def test_a_redirect_begins_a_query_or_goes_on_with_it() -> None:
    assert location("https://a.example/#top", code="a b", state=None) == "https://a.example/?code=a+b"
    assert location("https://a.example/?b=c", state="\ud800") == "https://a.example/?b=c&state=%3F"


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_redirect_holds_any_state_and_stays_one_header(state: str, code: str) -> None:
    target = location("https://a.example/b?c=花#fragment", code=code, state=state, error=None)
    assert target.startswith("https://a.example/b?c=")
    assert target.isascii()
    assert not set(target) & set("\r\n <>\"'#") - {"'"}
    told = parse_qs(urlsplit(target).query, keep_blank_values=True)
    assert told["state"] == [state.encode("utf-8", "replace").decode()]
    assert "error" not in told


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("https://a.example/b?c", "https://a.example"),
        ("http://127.0.0.1:8000/b", "http://127.0.0.1:8000"),
        ("https://user@A.example:444/", "https://a.example:444"),
        ("https://a.example;script-src 'x'/", "https:"),
        ("https://[::1]:8000/", "https:"),
        ("com.example.app:/back", "com.example.app:"),
        ("nothing", None),
    ],
)
def test_where_a_form_may_lead(uri: str, target: str | None) -> None:
    assert form_target(uri) == target


# Failed sign-ins


@pytest.mark.parametrize(
    ("count", "wait"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (16, 900), (99_999, 900)]
)
def test_each_failure_doubles_the_wait(count: int, wait: int) -> None:
    now = 10**12
    failures = Failures(count, now)
    assert failures.wait(now, 5) == wait
    assert failures.wait(now + max(0, wait * 1000 - 1), 5) == min(wait, 1)
    assert failures.wait(now + max(0, wait * 1000 - 1001), 5) == min(wait, 2)
    assert failures.wait(now + wait * 1000, 5) == 0


def test_an_hour_without_a_failure_forgets() -> None:
    failures = Failures(50, 0)
    assert failures.one_more(3_599_999) == Failures(51, 3_599_999)
    assert failures.one_more(3_600_000) == Failures(1, 3_600_000)
    assert failures.wait(3_600_000, 5) == 0


def test_a_mark_is_of_one_device_one_login_and_one_password() -> None:
    given = ("device", "hana", "scrypt$16$8$1$salt$key")
    mark = mark_of(*given)
    assert mark == mark_of(*given)
    assert re.fullmatch("[0-9a-f]{32}", mark)
    others = {
        mark_of(*(each + "x" if turn == place else each for turn, each in enumerate(given))) for place in range(3)
    }
    assert len(others | {mark}) == 4
    assert mark_of("devicehana", "", "h") != mark_of("device", "hana", "h")
    assert mark_of("device", "\ud800", "h")


def test_a_device_knows_those_who_have_signed_in_last() -> None:
    device = Device("id")
    assert not device.knows("")
    for turn in range(6):
        device = device.with_mark(str(turn), instead_of=[""])
    assert device == Device("id", ("5", "4", "3", "2"))
    assert len(device.marks) == DEVICE_MARKS
    assert device.knows("2")
    assert not device.knows("1")
    assert device.with_mark("3", instead_of=["3"]).marks == ("3", "5", "4", "2")
    assert device.with_mark("new", instead_of=["4"]).marks == ("new", "5", "3", "2")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_the_network_of_one_person(address: str, counted: str) -> None:
    assert network(address) == counted


# Texts on pages


def test_every_scope_has_words_in_both_languages() -> None:
    assert set(SERVED_SCOPES) == SCOPES.keys()
    for scope in SERVED_SCOPES:
        assert {scope_words(language, scope) for language in Language}.isdisjoint({scope, ""})


@pytest.mark.parametrize("scope", [*USER_SCOPES, OPERATOR])
def test_every_scope_of_the_original_exists(scope: str) -> None:
    check_scopes([scope, "r_profile"])


@pytest.mark.parametrize("scope", ["", "r_profil", "r_profiles", "R_PROFILE", "mixi_apps", "r_profile w_voice"])
def test_other_scopes_are_refused_by_name(scope: str) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        check_scopes(["r_profile", scope])

    assert refused.value.description.startswith(f"There is no scope {scope!r}; the scopes are mixi_apps2, r_profile, ")
    assert all(each in refused.value.description for each in (*SERVED_SCOPES, OPERATOR))


def test_scopes_without_an_api_are_not_offered() -> None:
    assert offered(["w_voice", "r_profile", "openid", "mixi_apps2", "x_new"]) == ["r_profile", "mixi_apps2"]
    assert set(offered((*USER_SCOPES, OPERATOR))) == set(SERVED_SCOPES)


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [(None, "ja", "ja"), (None, "en;q=0.1,ja;q=0.2", "ja"), ("en", "ja", "en"), ("de", "ja", "ja"), (None, "*", "en")],
)
def test_the_preferred_language(asked: str | None, accepted: str, language: str) -> None:
    assert preferred(asked, accepted).value == language


# Settings

GIVEN = {
    "ENGAWA_STAGE": "dev",
    "ENGAWA_BUCKET": "b",
    "ENGAWA_ISSUER": HERE,
    "ENGAWA_TOKEN_KEYS_FILE": "f",
    "ENGAWA_SECRET_KEYS_FILE": "f",
}
JWKS_URL = "https://id.example/jwks"


def test_an_external_issuer_and_proxies_are_settings() -> None:
    read = settings.read(GIVEN)
    assert (read.openid_issuer, read.openid_jwks, read.proxies) == (None, None, 0)
    given = {"ENGAWA_OPENID_ISSUER": ISSUER, "ENGAWA_OPENID_JWKS": JWKS_URL, "ENGAWA_PROXIES": "1"}
    read = settings.read(GIVEN | given)
    assert (read.openid_issuer, read.openid_jwks, read.proxies) == (ISSUER, JWKS_URL, 1)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ENGAWA_OPENID_JWKS", {"ENGAWA_OPENID_ISSUER": ISSUER}),
        ("ENGAWA_OPENID_ISSUER", {"ENGAWA_OPENID_JWKS": JWKS_URL}),
        ("ENGAWA_OPENID_JWKS", {"ENGAWA_OPENID_ISSUER": ISSUER, "ENGAWA_OPENID_JWKS": "http://id.example/jwks"}),
        ("ENGAWA_OPENID_JWKS", {"ENGAWA_OPENID_ISSUER": ISSUER, "ENGAWA_OPENID_JWKS": "file:///etc/passwd"}),
        ("ENGAWA_PROXIES", {"ENGAWA_PROXIES": "6"}),
    ],
)
def test_wrong_settings_are_named(name: str, given: dict[str, str]) -> None:
    with pytest.raises(settings.WrongSetting, match=name):
        settings.read(GIVEN | given)


# An external issuer

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
JWKS = {
    "keys": [
        json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "rsa", "alg": "RS256", "use": "sig"},
        json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC.public_key())) | {"kid": "ec", "alg": "ES256"},
        {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "oct", "alg": "HS256"},
        {"kty": "RSA", "kid": "enc", "use": "enc"},
        {"kty": "nonsense", "kid": "nonsense"},
        {"kty": "RSA"},
    ]
}


def nobody(app: str) -> bool:
    """Return that no app is suspended."""
    return False


class Fetched:
    """A source of an issuer's JWK Set that counts its requests."""

    def __init__(self) -> None:
        self.count = 0
        self.now = 0.0
        self.answer: Callable[[], bytes] = lambda: json.dumps(JWKS).encode()
        self.issuer = Issuer(ISSUER, "https://id.example/jwks", HERE, nobody, fetch=self.fetch, now=lambda: self.now)

    def fetch(self, url: str) -> bytes:
        assert url == "https://id.example/jwks"
        self.count += 1
        return self.answer()


def signed(key: Any = RSA, algorithm: str = "RS256", kid: str = "rsa", **changed: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": [HERE, "other"],
        "sub": "k3v9x2mtq7ra",
        "client_id": "6d1f0c2ab4e79853",
        "scope": "r_profile admin",
        "exp": int(time.time()) + 60,
        "owner": "a8d1p0zzk4wn",
    } | changed
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm, headers={"kid": kid})


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec")])
def test_an_external_issuers_token_is_a_users(key: Any, algorithm: str, kid: str) -> None:
    fetched = Fetched()
    ours = AccessTokens(TokenKeys(lambda: '{"keys": []}'), HERE, fetched.issuer)
    access = ours.check(signed(key, algorithm, kid))
    assert (access.viewer, access.owner, access.app) == ("k3v9x2mtq7ra", "k3v9x2mtq7ra", "6d1f0c2ab4e79853")
    assert access.scopes == {"r_profile"}
    ours.check(signed(key, algorithm, kid, client_id=None, azp="6d1f0c2ab4e79853"))
    assert fetched.count == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"sub": None},
        {"sub": "user#k3v9x2mtq7ra"},
        {"sub": "x" * 65},
        {"client_id": None},
        {"client_id": "a b"},
        {"client_id": 7},
        {"scope": ["r_profile"]},
        {"nbf": 10**11},
    ],
)
def test_an_external_token_that_does_not_hold(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        Fetched().issuer.check(signed(**changed))


@pytest.mark.parametrize(
    "token",
    [
        signed(kid="ec"),
        signed(kid="unknown"),
        signed(kid="enc"),
        signed("secretsecretsecretsecretsecretsecret", "HS256", "oct"),
        signed("secretsecretsecretsecretsecretsecret", "HS256", "rsa"),
        signed(rsa.generate_private_key(65537, 2048)),
        signed(None, "none"),
    ],
)
def test_an_external_token_of_another_key(token: str) -> None:
    with pytest.raises(TokenRefused):
        Fetched().issuer.check(token)


def test_an_external_issuers_name_is_no_proof() -> None:
    fetched = Fetched()
    assert not fetched.issuer.issued("nonsense")
    assert not fetched.issuer.issued(signed(iss="https://other.example"))
    assert fetched.issuer.issued(signed())


def test_the_keys_are_asked_for_seldom_and_kept() -> None:
    fetched = Fetched()
    for _ in range(3):
        with pytest.raises(TokenRefused):
            fetched.issuer.check(signed(kid="new"))
    assert fetched.count == 1
    fetched.now = 60
    with pytest.raises(TokenRefused):
        fetched.issuer.check(signed(kid="new"))
    assert fetched.count == 2
    fetched.now = 3600 + 60
    fetched.answer = lambda: b"nonsense"
    assert fetched.issuer.check(signed()).viewer
    assert fetched.count == 3


def test_without_any_key_it_is_unavailable_and_asked_again_in_a_minute() -> None:
    fetched = Fetched()

    def down() -> bytes:
        raise TimeoutError

    fetched.answer = down
    for _ in range(3):
        with pytest.raises(Unavailable):
            fetched.issuer.check(signed())
    assert fetched.count == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"kty": "oct"},
        {"kty": "oct", "k": 1},
        {"kty": "RSA", "n": 1, "e": "AQAB"},
        {"kty": "RSA", "n": "AQ", "e": ""},
        {"kty": "RSA", "n": JWKS["keys"][0]["n"], "e": "AQAB", "alg": "none"},
        {"kty": "EC", "crv": ["P-256"], "x": "AQ", "y": "AQ"},
        {"kty": ["RSA"]},
    ],
)
def test_a_broken_key_takes_no_other_with_it(broken: dict[str, Any]) -> None:
    fetched = Fetched()
    fetched.answer = lambda: json.dumps({"keys": [broken | {"kid": "broken"}, JWKS["keys"][0]]}).encode()
    assert fetched.issuer.check(signed()).viewer
    with pytest.raises(TokenRefused):
        fetched.issuer.check(signed(kid="broken"))


@pytest.mark.parametrize("answer", [b"[" * 60_000, b'{"keys": {}}', b'{"keys": [7]}', b"\xff", IncompleteRead(b"")])
def test_an_answer_that_is_no_jwk_set(answer: bytes | IncompleteRead) -> None:
    def fetch(_: str) -> bytes:
        if isinstance(answer, IncompleteRead):
            raise answer
        return answer

    with pytest.raises(Unavailable):
        Issuer(ISSUER, JWKS_URL, HERE, nobody, fetch=fetch).check(signed())


def test_an_external_issuer_may_speak_for_an_app_and_never_for_an_operator() -> None:
    access = Fetched().issuer.check(signed(sub="6d1f0c2ab4e79853", scope="admin r_profile"))
    assert (access.viewer, access.scopes) == (None, {"r_profile"})


def test_a_jwk_set_is_fetched_over_http(tmp_path: Any) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            moved = self.path == "/moved"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", "/jwks")
            self.end_headers()
            self.wfile.write(b" " * (70_000 if self.path == "/large" else 0) + json.dumps(JWKS).encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        assert Issuer(ISSUER, f"{base}/jwks", HERE, nobody).check(signed()).viewer
        for path in ("/moved", "/large"):
            with pytest.raises(Unavailable):
                Issuer(ISSUER, base + path, HERE, nobody).check(signed())
    finally:
        server.shutdown()
        server.server_close()
