"""Access tokens: the content of a valid one, and everything that makes one invalid (RFC 9068)."""

import base64
import json
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest

from chalicelib.core.errors import TokenRefused
from chalicelib.core.events import EventKind
from chalicelib.core.model.access import Access
from chalicelib.web.auth import access_tokens
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys, WrongKeys

ISSUER = "http://127.0.0.1:8000"
APP, HANA, KEN = "6d1f0c2ab4e79853", "k3v9x2mtq7ra", "a8d1p0zzk4wn"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key(kid: str, secret: bytes | None = None) -> dict[str, str]:
    return {"kty": "oct", "alg": "HS256", "kid": kid, "k": encoded(secret or kid.encode().ljust(32, b"."))}


class Vault:
    """A store of keys that counts how often they are read."""

    def __init__(self, *kids: str) -> None:
        self.keys = [key(kid) for kid in kids]
        self.loads = 0
        self.now = 1000.0

    def load(self) -> str:
        self.loads += 1
        return json.dumps({"keys": self.keys})

    def tokens(self, issuer: str = ISSUER) -> AccessTokens:
        return AccessTokens(TokenKeys(self.load, lambda: self.now), issuer)


def issue(tokens: AccessTokens, viewer: str | None = HANA, lifetime: int = 900, **more: Any) -> str:
    return tokens.issue(app=APP, viewer=viewer, scopes=["r_profile", "mixi_apps2"], lifetime=lifetime, **more)


def forged(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, kid: str = "one") -> str:
    """Return a token signed with a right key, with some claims (None: left out) and header fields replaced."""
    now = int(time.time())
    right = {"iss": ISSUER, "aud": ISSUER, "sub": HANA, "client_id": APP, "scope": "mixi_apps2", "jti": "x",
             "iat": now, "exp": now + 900}  # fmt: skip
    told = {name: value for name, value in (right | (claims or {})).items() if value is not None}
    secret = kid.encode().ljust(32, b".")
    return jwt.encode(told, secret, "HS256", headers={"typ": "at+jwt", "kid": kid} | (header or {}))


def refused(token: str, tokens: AccessTokens | None = None) -> str:
    with pytest.raises(TokenRefused) as caught:
        (tokens or Vault("one").tokens()).check(token)
    assert caught.value.status == 401
    return caught.value.error


def test_a_user_s_token_says_who_asks_through_which_app_and_with_which_scopes():
    tokens = Vault("one").tokens()
    assert tokens.check(issue(tokens)) == Access(APP, HANA, HANA, frozenset({"r_profile", "mixi_apps2"}))


def test_an_app_s_own_token_has_no_viewer_and_no_owner():
    tokens = Vault("one").tokens()
    assert tokens.check(issue(tokens, viewer=None)) == Access(APP, None, None, frozenset({"r_profile", "mixi_apps2"}))


def test_the_owner_is_the_viewer_unless_the_token_says_otherwise():
    tokens = Vault("one").tokens()
    assert tokens.check(issue(tokens, owner=KEN)).owner == KEN
    assert tokens.check(issue(tokens, owner=HANA)).owner == HANA
    assert "owner" not in jwt.decode(issue(tokens, owner=HANA), options={"verify_signature": False})


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ({EventKind.DATA_CHANGED, EventKind.FEED_POSTED}, {EventKind.DATA_CHANGED, EventKind.FEED_POSTED}),
        ({EventKind.INSTALLED, EventKind.ERASED}, set()),
        (set(), set()),
        (None, None),
    ],
)
def test_a_token_says_which_events_the_app_asked_for_or_that_it_does_not_know(asked, known):
    tokens = Vault("one").tokens()
    assert tokens.check(issue(tokens, events=asked)).events == known


def test_a_kind_of_events_of_a_newer_version_is_passed_over():
    tokens = Vault("one").tokens()
    assert tokens.check(forged({"events": "data.changed data.read"})).events == {EventKind.DATA_CHANGED}


def test_a_token_has_the_claims_and_header_of_rfc_9068():
    token = issue(Vault("one").tokens(), lifetime=900)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": "one"}
    assert claims.keys() == {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti", "events"}
    assert claims["iss"] == claims["aud"] == ISSUER
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (HANA, APP, "mixi_apps2 r_profile")
    assert claims["exp"] - claims["iat"] == 900


def test_no_two_tokens_are_the_same():
    tokens = Vault("one").tokens()
    assert issue(tokens) != issue(tokens)


def test_a_token_past_its_time_is_told_apart():
    tokens = Vault("one").tokens()
    assert refused(issue(tokens, lifetime=-1), tokens) == "expired_token"
    assert refused(issue(tokens, lifetime=0), tokens) == "expired_token"
    assert tokens.check(issue(tokens, lifetime=30))


def test_a_token_that_was_checked_before_expires_all_the_same():
    tokens = Vault("one").tokens()
    valid, expired = issue(tokens), issue(tokens, lifetime=-1)
    access = tokens.check(valid)
    checked = tokens._checked[valid]
    assert checked.expires == jwt.decode(valid, options={"verify_signature": False})["exp"]

    # Only a remembered token is not read again.
    tokens._checked[expired] = checked
    assert tokens.check(expired) == access
    tokens._checked[expired] = replace(checked, expires=int(time.time()))
    assert refused(expired, tokens) == "expired_token"


def test_a_token_whose_key_was_removed_is_refused_although_it_was_checked_before():
    vault = Vault("one", "two")
    tokens, of_one = vault.tokens(), issue(vault.tokens())
    assert tokens.check(of_one)
    vault.keys = [key("two")]
    vault.now += 60
    with pytest.raises(TokenRefused):
        tokens.check(forged(header={"kid": "unknown"}))
    assert refused(of_one, tokens) == "invalid_token"


def test_a_token_is_checked_again_if_the_keys_were_loaded_while_it_was_checked(monkeypatch):
    vault = Vault("one", "two")
    tokens, of_one = vault.tokens(), issue(vault.tokens())
    tokens.check(forged())
    check = tokens._keys.claims

    def checked_meanwhile(token, *arguments, **more):
        claims = check(token, *arguments, **more)
        vault.keys = [key("two")]
        tokens._keys._reload()
        return claims

    monkeypatch.setattr(tokens._keys, "claims", checked_meanwhile)
    assert tokens.check(of_one)
    monkeypatch.undo()
    assert refused(of_one, tokens) == "invalid_token"


def test_the_number_of_remembered_tokens_is_bounded(monkeypatch):
    monkeypatch.setattr(access_tokens, "REMEMBERED", 3)
    tokens = Vault("one").tokens()
    for _ in range(10):
        assert tokens.check(issue(tokens))
        assert len(tokens._checked) <= 3


def test_a_rightly_forged_token_passes_so_that_the_refusals_below_mean_something():
    access = Access(APP, HANA, HANA, frozenset({"mixi_apps2"}), events=None)
    assert Vault("one").tokens().check(forged()) == access


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_passes_in_any_case_and_written_out(typ):
    assert Vault("one").tokens().check(forged(header={"typ": typ}))


@pytest.mark.parametrize("typ", ["JWT", "", "jwt+at", "id+jwt", None])
def test_a_token_of_another_type_is_invalid(typ):
    assert refused(forged(header={"typ": typ})) == "invalid_token"


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti", "sub", "client_id"])
def test_a_token_without_a_claim_that_rfc_9068_requires_is_invalid(name):
    assert refused(forged({name: None})) == "invalid_token"


@pytest.mark.parametrize(
    "claims",
    [{"iss": "http://elsewhere"}, {"aud": "http://elsewhere"}, {"aud": []}, {"exp": "soon"}, {"sub": 5},
     {"iat": time.time() + 3600}, {"nbf": time.time() + 3600}],
    ids=["iss", "aud", "no aud", "exp", "sub", "iat", "nbf"],
)  # fmt: skip
def test_a_token_with_a_wrong_claim_is_invalid(claims):
    assert refused(forged(claims)) == "invalid_token"


def test_one_of_several_audiences_is_enough():
    assert Vault("one").tokens().check(forged({"aud": ["http://elsewhere", ISSUER]}))


def test_a_token_without_scope_has_none():
    assert Vault("one").tokens().check(forged({"scope": None})).scopes == frozenset()


def test_an_unsigned_token_is_invalid():
    header, claims, _ = forged().split(".")
    told = json.loads(base64.urlsafe_b64decode(header + "=="))
    for alg in ("none", "None", "NONE"):
        unsigned = encoded(json.dumps(told | {"alg": alg}).encode())
        assert refused(f"{unsigned}.{claims}.") == "invalid_token"


@pytest.mark.parametrize("alg", ["HS384", "HS512"])
def test_a_token_signed_by_another_algorithm_than_the_key_s_is_invalid(alg):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": ISSUER, "sub": HANA, "client_id": APP, "jti": "x", "iat": now, "exp": now + 9}
    token = jwt.encode(claims, b"one".ljust(64, b"."), alg, headers={"typ": "at+jwt", "kid": "one"})
    assert refused(token) == "invalid_token"


def test_a_changed_token_is_invalid():
    header, claims, signature = forged().split(".")
    other = forged({"sub": KEN}).split(".")[1]
    assert refused(f"{header}.{other}.{signature}") == "invalid_token"
    assert refused(f"{header}.{claims}.{signature[:-2]}") == "invalid_token"


def test_a_token_signed_with_another_key_of_the_same_id_is_invalid():
    vault = Vault("one")
    vault.keys = [key("one", b"another secret of 32 characters!")]
    assert refused(forged(), vault.tokens()) == "invalid_token"


@pytest.mark.parametrize(
    "text",
    ["", "T", "a.b", "a.b.c", "....", "é.縁.側", "\x00", " ", "." * 4096, encoded(b"[]") + ".e30.x",
     encoded(b"\xff") + ".e30.x", encoded(b'{"kid":{"a":1},"typ":5}') + ".e30.x", encoded(b'{"alg":"HS256"}') + "..",
     encoded(b'{"a":' + b"[" * 2900) + ".e30.x", encoded(b'{"a":' + b"9" * 3000 + b"}") + ".e30.x"],
)  # fmt: skip
def test_what_is_no_token_is_invalid(text):
    assert refused(text) == "invalid_token"


def test_a_token_of_more_than_4096_characters_is_refused_unread():
    vault = Vault("one")
    tokens = vault.tokens()
    room = 4096 - len(forged({"scope": ""}))
    longest = next(token for size in range(room // 4 * 3, 0, -1) if len(token := forged({"scope": "x" * size})) <= 4096)
    assert len(longest) > 4090
    assert tokens.check(longest)
    assert refused(forged({"scope": "x" * room}), tokens) == "invalid_token"
    vault.now += 60
    assert refused(forged({"scope": "x" * room}, kid="new"), tokens) == "invalid_token"
    assert vault.loads == 1


def test_the_first_key_signs_and_every_key_verifies():
    old, both = Vault("one"), Vault("two", "one")
    tokens = both.tokens()
    assert jwt.get_unverified_header(issue(tokens))["kid"] == "two"
    assert tokens.check(issue(old.tokens())).viewer == HANA
    assert tokens.check(issue(tokens)).viewer == HANA


def test_a_dropped_key_no_longer_verifies():
    assert refused(issue(Vault("one").tokens()), Vault("two").tokens()) == "invalid_token"


def test_a_new_key_is_found_while_running():
    vault = Vault("one")
    tokens = vault.tokens()
    tokens.check(issue(tokens))
    vault.keys.insert(0, key("two"))
    vault.now += 60
    assert tokens.check(issue(Vault("two").tokens())).viewer == HANA
    assert jwt.get_unverified_header(issue(tokens))["kid"] == "two"


def test_unknown_keys_make_the_set_be_read_again_at_most_once_a_minute():
    vault = Vault("one")
    tokens = vault.tokens()
    for second in range(120):
        vault.now = 1000.0 + second
        assert refused(forged(kid=f"unknown{second}"), tokens) == "invalid_token"
    assert vault.loads == 2
    vault.now = 1120.0
    refused(forged(kid="unknown"), tokens)
    assert vault.loads == 3


def test_known_keys_are_read_once():
    vault = Vault("one")
    tokens = vault.tokens()
    for _ in range(5):
        tokens.check(issue(tokens))
        vault.now += 3600
    assert vault.loads == 1


# The keys, and their other uses


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is not a JWK Set"),
        ("[]", "it is not a JWK Set"),
        ('{"keys": {"a": {}}}', "it is not a JWK Set"),
        ('{"keys": ["s3cr3t"]}', "it is not a JWK Set"),
        ('{"keys": null}', "it is not a JWK Set"),
        ('{"keys": []}', "it has no keys"),
        ('{"keys": [{"kty": "oct", "kid": "a"}]}', "it has a key that is no JWK"),
        ('{"keys": [{"kty": "oct", "k": "s3cr3ts3cr3t"}]}', "it has a key without an id"),
        (
            '{"keys": [{"kty": "RSA", "kid": "a", "e": "AQAB", "n": "wYyWHhzjfxOcbcVuUIqD3QaqKMfjFd0gd2UZ8W5oLwE"}]}',
            "its first key has no private part, so it cannot sign",
        ),
    ],
)
def test_keys_that_cannot_sign_are_told_apart_without_a_word_of_them(text: str, told: str) -> None:
    with pytest.raises(WrongKeys) as wrong:
        TokenKeys(lambda: text).check()

    assert str(wrong.value) == told
    assert wrong.value.__suppress_context__ or wrong.value.__context__ is None


def test_keys_that_were_right_stay_where_what_is_read_later_is_wrong() -> None:
    vault = Vault("one")
    tokens = vault.tokens()
    token = issue(tokens)
    vault.keys, vault.now = [{"kty": "oct"}], vault.now + 61

    with pytest.raises(WrongKeys):
        tokens.check(forged(kid="two"))

    assert tokens.check(token).viewer == HANA


def test_a_pseudonym_is_of_a_user_and_of_the_first_key() -> None:
    vault = Vault("one", "two")
    keys = TokenKeys(vault.load)
    assert keys.pseudonym(HANA) is None
    keys.check()
    vault.keys.reverse()
    others = TokenKeys(vault.load)
    others.check()

    assert keys.pseudonym(HANA) == keys.pseudonym(HANA) != keys.pseudonym(KEN)
    assert keys.pseudonym(HANA) != others.pseudonym(HANA)
