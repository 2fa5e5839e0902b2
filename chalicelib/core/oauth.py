"""The rules of OAuth 2 (RFC 6749, 7636, 9700) on this platform: scopes, lifetimes, redirect URIs, families.

One consent of a user creates a *family*: an authorization code, then the refresh tokens that follow from it. A *grant*
is the access of an app to a user's account: the families of one user and one app. The settings page revokes them
together.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from chalicelib.core.errors import GrantRefused, ParameterInvalid
from chalicelib.core.model.directory import App

CODE_SECONDS = 180
ACCESS_SECONDS = 900
REFRESH_SECONDS = 90 * 24 * 3600
STATE_SECONDS = 1800
"""Lifetimes of a code, an access token, a refresh token (from its issue) and a server_state."""
REPEAT_SECONDS = 30
"""How long a rotated refresh token still gets its successor, if the successor is unused."""
USER_FAMILIES = 20
CLIENT_FAMILIES = 100
"""The maximum number of families of a user in an app, and of an app for itself. A new one replaces the oldest."""

OPERATOR = "admin"
"""The operator's scope. An app with this scope gets it only for itself, never from a user."""
USER_SCOPES = (
    "mixi_apps2",
    "r_profile",
    "r_profile_name",
    "r_profile_gender",
    "r_profile_birthday",
    "r_profile_blood_type",
    "r_profile_location",
    "r_profile_hometown",
    "r_profile_about_me",
    "r_profile_occupation",
    "r_profile_interests",
    "r_profile_favorite_things",
    "r_profile_organizations",
    "r_profile_status",
    "r_profile_last_login",
    "w_profile",
    "r_updates",
    "r_voice",
    "w_voice",
    "r_share",
    "w_share",
    "r_photo",
    "w_photo",
    "r_message",
    "w_message",
    "r_diary",
    "w_diary",
    "r_checkin",
    "w_checkin",
    "r_calendar",
    "w_calendar",
    "r_page",
    "r_pagefollow",
    "w_pagefeed",
    "openid",
    "profile",
    "email",
)
"""The scopes that a user can grant. The app's settings say which of them the app may request."""
SERVED_SCOPES = (
    "mixi_apps2",
    "r_profile",
    "r_profile_birthday",
    "r_profile_blood_type",
    "r_profile_gender",
    "r_profile_location",
    "r_page",
    "w_pagefeed",
)
"""The scopes of a user that have an API here. Old clients also ask for the others, and are allowed them."""

_FAMILY_DIGITS = 32
_TOKEN = re.compile(r"[0-9a-f]{96}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)", re.DOTALL)


@dataclass(frozen=True)
class Family:
    """A family as stored. `code` and `refresh` are hashes. There is a refresh token once the code has been used.

    `user` is None in a family that an app has for itself. `owner` is the user who owns the app (None: `user`).
    `expires` (seconds) is the expiry of the newer of code and refresh token. `redirect_sent` is True if the request
    contained the redirect URI, False if the URI was only registered. `created` is in ms. `salt` and `rotated` (ms)
    belong to the latest rotation: the current refresh token is derived from the previous one and the salt.
    """

    id: str
    app: str
    user: str | None
    scopes: frozenset[str]
    created: int
    expires: int
    code: str | None = None
    refresh: str | None = None
    redirect_uri: str = ""
    redirect_sent: bool = False
    challenge: str | None = None
    server_state: str | None = None
    salt: str | None = None
    rotated: int = 0
    owner: str | None = None

    @property
    def label(self) -> str:
        """The name of the family in its grant. Labels sort by age."""
        return f"{self.created:015d}#{self.id}"

    def repeated(self, token: str, now: int) -> str | None:
        """Return the current refresh token if `token` is the previous one; None for another token, or if too late.

        `now` is in ms. The current token is unused, since its use would have replaced it.
        """
        if self.salt is None or now >= self.rotated + REPEAT_SECONDS * 1000:
            return None
        present = successor(token, self.salt)
        return present if same(hashed(present), self.refresh) else None


@dataclass(frozen=True)
class Grant:
    """The grant of a user (None: the app itself) to an app. `created` and `used` are in ms, `families` are labels."""

    app: str
    user: str | None
    scopes: frozenset[str]
    created: int
    used: int
    families: frozenset[str]


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid authorization request: the consent page may show it, and the response may go to `redirect_uri`.

    `owner` is the user who shall own the app (None: the user who allows it). `owner_installed` says whether that user
    has installed the app.
    """

    app: App
    redirect_uri: str
    redirect_sent: bool
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    server_state: str | None
    owner: str | None = None
    owner_installed: bool = False

    def check_owner(self, viewer: str) -> None:
        """Raise RedirectedError unless the owner has installed the app or is the viewer, who installs it by consent.

        This is checked only after sign-in: others must not learn which users have an app.
        """
        if self.owner not in (None, viewer) and not self.owner_installed:
            refusal = GrantRefused("invalid_request", "The owner has not installed the app", status=400)
            raise RedirectedError(refusal, self.redirect_uri, self.state)

    def family(self, user: str) -> Family:
        """Return the family to store if the user allows the request."""
        return Family(
            id="",
            app=self.app.id,
            user=user,
            scopes=frozenset(self.scopes),
            created=0,
            expires=0,
            redirect_uri=self.redirect_uri,
            redirect_sent=self.redirect_sent,
            challenge=self.challenge,
            server_state=hashed(self.server_state) if self.server_state else None,
            owner=None if self.owner == user else self.owner,
        )


class RedirectedError(Exception):
    """An error in an authorization request that a redirect reports to the app."""

    def __init__(self, refusal: GrantRefused, redirect_uri: str, state: str | None) -> None:
        super().__init__(refusal.description)
        self.refusal = refusal
        self.redirect_uri = redirect_uri
        self.state = state


def new_token(family: str | None = None) -> str:
    """Return a code or refresh token, 96 hex digits: a family (of the token `family` if given), 256 random bits."""
    head = family[:_FAMILY_DIGITS] if family else secrets.token_hex(_FAMILY_DIGITS // 2)
    return head + secrets.token_hex(32)


def new_salt() -> str:
    """Return the salt of a rotation, 64 hex digits."""
    return secrets.token_hex(32)


def successor(token: str, salt: str) -> str:
    """Return the refresh token that follows `token` in its family.

    It needs both: the stored salt alone reveals nothing about a token, and neither does the old token alone.
    """
    return token[:_FAMILY_DIGITS] + hmac.digest(token.encode(errors="surrogatepass"), salt.encode(), "sha256").hex()


def hashed(token: str) -> str:
    """Return the hash of a code, refresh token or server_state, as it is stored."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def family_of(token: str) -> str | None:
    """Return the id of the family of a code or refresh token; None if the text cannot be one."""
    return hashed(token[:_FAMILY_DIGITS]) if _TOKEN.fullmatch(token) else None


def same(one: str | None, other: str | None) -> bool:
    """Return whether two secrets are equal, in constant time. None equals nothing."""
    if one is None or other is None:
        return False
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def is_one_of(known: Iterable[str], given: str | None) -> bool:
    """Return whether a secret is one of those known. The time does not show which one, or how much of it fits."""
    # A list, since any() of a generator would stop at the first that fits.
    found = [same(each, given) for each in known]
    return any(found)


def pruned(families: Iterable[str], most: int) -> tuple[set[str], list[str]]:
    """Return the labels to keep, so that one more makes at most `most`, and the oldest labels, to delete."""
    by_age = sorted(families)
    gone = max(0, len(by_age) + 1 - most)
    return set(by_age[gone:]), by_age[:gone]


def scopes_in(text: str) -> list[str]:
    """Return the words of a scope parameter, distinct and sorted, separated by spaces or commas (from old clients)."""
    return sorted(set(text.replace(",", " ").split()))


def check_scopes(scopes: Iterable[str]) -> None:
    """Raise ParameterInvalid, which names the scopes with an API here, if one of `scopes` does not exist."""
    for scope in scopes:
        if scope not in (*USER_SCOPES, OPERATOR):
            known = ", ".join((*SERVED_SCOPES, OPERATOR))
            raise ParameterInvalid(
                f"There is no scope {scope[:64]!r}; the scopes are {known}, and the original's, which have no API here"
            )


def offered(scopes: Iterable[str]) -> list[str]:
    """Return those of `scopes` that have an API here, so that a page can say what they give."""
    return [scope for scope in scopes if scope in SERVED_SCOPES]


def may_ask(app_scopes: Sequence[str], asked: Sequence[str], *, user: bool) -> bool:
    """Return whether an app may request these scopes, from a user or for itself; a user cannot grant `admin`."""
    allowed = set(app_scopes) & ({*USER_SCOPES} if user else {*USER_SCOPES, OPERATOR})
    return (bool(asked) or not user) and allowed.issuperset(asked)


def is_challenge(text: str) -> bool:
    """Return whether this can be an S256 code challenge (RFC 7636 §4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Return the client id and secret of an `Authorization: Basic` header; None for a header of another scheme.

    Both are form-encoded within it (RFC 6749 §2.3.1). Raises GrantRefused for a header that cannot be read.
    """
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError
        return unquote_plus(client, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        raise GrantRefused("invalid_client", "The credentials in the header cannot be read", status=401) from None


def with_credentials(form: Mapping[str, str], credentials: tuple[str, str] | None) -> dict[str, str]:
    """Return a form with the credentials of the request's header, if there are any.

    Raises GrantRefused for credentials in both places (RFC 6749 §2.3).
    """
    if credentials is None:
        return dict(form)
    client, secret = credentials
    if "client_secret" in form or form.get("client_id", client) != client:
        raise GrantRefused("invalid_request", "The credentials must be in the header or in the body, not in both")
    sent = {"client_id": client, "client_secret": secret}
    return {**form, **{name: value for name, value in sent.items() if value}}


def registered_redirect(registered: Iterable[str], sent: str) -> bool:
    """Return whether a response may be redirected to `sent`: it must equal a registered redirect URI exactly.

    A registered URI with a loopback address and no port allows every port (RFC 8252 §7.3).
    """
    known = frozenset(registered)
    if sent in known:
        return True
    loopback = _LOOPBACK.fullmatch(sent)
    port = loopback[2] if loopback else None
    return bool(loopback and port and int(port) <= 65_535 and loopback[1] + loopback[3] in known)
