"""The rules of OAuth 2 (RFC 6749, 7636, 9700) as this platform has them: scopes, lifetimes, redirect URIs, families.

What one consent of a user makes is a *family*: its authorization code, then the refresh tokens that follow from it.
A *grant* is what a user lets an app do: the families of one user and app, ended together on the settings page.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from chalicelib.core.errors import GrantRefused
from chalicelib.core.model.directory import App

CODE_SECONDS = 180
ACCESS_SECONDS = 900
REFRESH_SECONDS = 90 * 24 * 3600
STATE_SECONDS = 1800
"""Lifetimes of a code, an access token, a refresh token (from when it was issued) and a server_state."""
REPEAT_SECONDS = 30
"""How long a rotated refresh token still gets its successor, if nobody has used that one."""
USER_FAMILIES = 20
CLIENT_FAMILIES = 100
"""How many families a user may have in an app, and an app for itself; the oldest makes room for one more."""

OPERATOR = "admin"
"""The operator's scope: an app that is allowed it gets it for itself, never from a user."""
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
"""What a user can be asked for; which of them an app may ask for is the app's setting."""
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
"""The scopes of a user that open something here; the others have no API."""

_FAMILY_DIGITS = 32
_TOKEN = re.compile(r"[0-9a-f]{96}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)", re.DOTALL)


@dataclass(frozen=True)
class Family:
    """What is stored of a family. `code` and `refresh` are hashes; there is a refresh token once the code was used.

    `user` is None in a family that an app has for itself; `owner` is the user whose app it is (None: `user`);
    `expires` (seconds) is when the newest of both ends; `redirect_sent` tells whether the redirect URI was in the
    request or only registered; `created` is in ms. `salt` and `rotated` (ms) are of the latest rotation: the present
    refresh token is derived from the one before by that salt.
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
        """How its grant names it: labels sort by age."""
        return f"{self.created:015d}#{self.id}"

    def repeated(self, token: str, now: int) -> str | None:
        """Return the present refresh token for the one just before it; None for any other token, or too late.

        `now` is in ms. The present token is unused, since its use would have replaced it.
        """
        if self.salt is None or now >= self.rotated + REPEAT_SECONDS * 1000:
            return None
        present = successor(token, self.salt)
        return present if same(hashed(present), self.refresh) else None


@dataclass(frozen=True)
class Grant:
    """What a user (None: the app itself) has granted to an app; `created` and `used` in ms, labels of its families."""

    app: str
    user: str | None
    scopes: frozenset[str]
    created: int
    used: int
    families: frozenset[str]


@dataclass(frozen=True)
class AuthorizationRequest:
    """What an app asks a user for, checked: the page may show it, and its answer may go to `redirect_uri`.

    `owner` is the user whose app it is to be (None: whoever allows it); `owner_installed` says whether that user has
    the app.
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
        """Raise RedirectedError unless the owner is the viewer, who installs the app by allowing it, or has the app.

        It is asked once someone has signed in: nobody else learns who has an app.
        """
        if self.owner not in (None, viewer) and not self.owner_installed:
            refusal = GrantRefused("invalid_request", "The owner has not installed the app", status=400)
            raise RedirectedError(refusal, self.redirect_uri, self.state)

    def family(self, user: str) -> Family:
        """What is stored when the user allows it."""
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
    """A request that is wrong in a way that its app is told, by a redirect."""

    def __init__(self, refusal: GrantRefused, redirect_uri: str, state: str | None) -> None:
        super().__init__(refusal.description)
        self.refusal = refusal
        self.redirect_uri = redirect_uri
        self.state = state


def new_token(family: str | None = None) -> str:
    """A code or refresh token, 96 hex digits: its family (that of `family`, a token, if given) and 256 random bits."""
    head = family[:_FAMILY_DIGITS] if family else secrets.token_hex(_FAMILY_DIGITS // 2)
    return head + secrets.token_hex(32)


def new_salt() -> str:
    """Return the salt of a rotation, 64 hex digits."""
    return secrets.token_hex(32)


def successor(token: str, salt: str) -> str:
    """Return the refresh token that follows `token` in its family.

    It needs both: the salt alone, which is stored, tells nothing about a token, and neither does the old token alone.
    """
    return token[:_FAMILY_DIGITS] + hmac.digest(token.encode(errors="surrogatepass"), salt.encode(), "sha256").hex()


def hashed(token: str) -> str:
    """The form in which codes, refresh tokens and server_states are stored."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def family_of(token: str) -> str | None:
    """The id of the family that a code or refresh token belongs to; None for what cannot be one."""
    return hashed(token[:_FAMILY_DIGITS]) if _TOKEN.fullmatch(token) else None


def same(one: str | None, other: str | None) -> bool:
    """Whether two secrets are equal, in constant time; None equals nothing."""
    return one is not None and other is not None and hmac.compare_digest(one.encode(), other.encode())


def pruned(families: Iterable[str], most: int) -> tuple[set[str], list[str]]:
    """Labels to keep so that one more makes at most `most`, and the oldest, which go."""
    by_age = sorted(families)
    gone = max(0, len(by_age) + 1 - most)
    return set(by_age[gone:]), by_age[:gone]


def scopes_in(text: str) -> list[str]:
    """The words of a scope parameter, each once, sorted; commas separate as spaces do (old clients send both)."""
    return sorted(set(text.replace(",", " ").split()))


def may_ask(app_scopes: Sequence[str], asked: Sequence[str], *, user: bool) -> bool:
    """Whether an app may ask a user (or get for itself) these scopes; a user is never asked for the operator's."""
    allowed = set(app_scopes) & ({*USER_SCOPES} if user else {*USER_SCOPES, OPERATOR})
    return (bool(asked) or not user) and allowed.issuperset(asked)


def is_challenge(text: str) -> bool:
    """Whether this can be an S256 code challenge (RFC 7636 §4.2)."""
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
    """Whether an authorization may lead to `sent`: one of the registered redirect URIs, to the letter.

    A registered URI of a loopback address without a port stands for every port (RFC 8252 §7.3).
    """
    known = frozenset(registered)
    if sent in known:
        return True
    loopback = _LOOPBACK.fullmatch(sent)
    port = loopback[2] if loopback else None
    return bool(loopback and port and int(port) <= 65_535 and loopback[1] + loopback[3] in known)
