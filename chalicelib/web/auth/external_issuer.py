"""Access tokens of an external OpenID issuer, accepted instead of signing in here.

The issuer signs JWTs with an asymmetric key of its JWK Set. `aud` has our own issuer, `sub` is the user's id here,
`client_id` (or `azp`) the app's id; `scope` has the scopes. A token never gives the operator's scope, and its owner is
always the viewer. The keys are fetched at first use and cached for an hour. If a token names an unknown key, they are
fetched again, at most once a minute. If the issuer does not respond, the cached keys stay in use.

The issuer does not know which apps are suspended here. So each valid token's app is looked up, once a minute in a
process.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, TypeGuard

from chalicelib.core.errors import TokenRefused, Unavailable
from chalicelib.core.model.access import Access
from chalicelib.core.oauth import OPERATOR
from chalicelib.web.auth import jwt

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
MOST_BYTES = 65_536
MOST_KEYS = 32
FETCH_SECONDS = 3
KEEP_SECONDS = 3600
AGAIN_SECONDS = 60
_CLAIMS = ["iss", "aud", "exp", "sub"]
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Issuer:
    """An external issuer. `suspended` returns whether an app is; `fetch` the bytes at a URL. `now` is in seconds."""

    def __init__(
        self,
        issuer: str,
        jwks: str,
        audience: str,
        suspended: Callable[[str], bool],
        *,
        fetch: Callable[[str], bytes] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._jwks = jwks
        self._audience = audience
        self._suspended = suspended
        self._fetch = fetch or _fetch
        self._now = now
        self._keys: dict[str, jwt.SigningKey] = {}
        self._asked: float | None = None

    def issued(self, token: str) -> bool:
        """Return whether a token claims to be this issuer's; nothing is checked."""
        try:
            return bool(jwt.unverified(token).get("iss") == self._issuer)
        except jwt.Invalid:
            return False

    def check(self, token: str) -> Access:
        """Return the access that a token gives.

        Raises TokenRefused, and Unavailable if there are no keys or the app cannot be read.
        """
        try:
            key = self._key(str(jwt.header(token).get("kid")))
            if key is None or key.algorithm not in ALGORITHMS:
                raise jwt.Invalid
            claims = key.claims(token, issuer=self._issuer, audience=self._audience, required=_CLAIMS)
        except jwt.Expired:
            raise TokenRefused("expired_token", "The access token has expired") from None
        except jwt.Invalid:
            raise TokenRefused("invalid_token", "The access token is not valid") from None
        viewer, app, scope = claims["sub"], claims.get("client_id", claims.get("azp")), claims.get("scope", "")
        if not (_is_id(viewer) and _is_id(app) and isinstance(scope, str)):
            raise TokenRefused("invalid_token", "The access token does not name a user and an app")
        if self._suspended(app):
            raise TokenRefused("invalid_token", "The app is suspended")
        user = None if viewer == app else viewer
        return Access(app=app, viewer=user, owner=user, scopes=frozenset(scope.split()) - {OPERATOR}, events=None)

    def _key(self, kid: str) -> jwt.SigningKey | None:
        age = None if self._asked is None else self._now() - self._asked
        if age is None or age >= KEEP_SECONDS or (kid not in self._keys and age >= AGAIN_SECONDS):
            self._reload()
        if not self._keys:
            raise Unavailable("The external issuer's keys cannot be fetched", retry_after=AGAIN_SECONDS)
        return self._keys.get(kid)

    def _reload(self) -> None:
        # Set before the response, so that not every request waits for an issuer that hangs.
        self._asked = self._now()
        try:
            found = json.loads(self._fetch(self._jwks))["keys"][:MOST_KEYS]
            keys = {str(key["kid"]): key for key in found if key.get("use", "sig") == "sig" and "kid" in key}
        except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            log.exception("the JWK Set of %s cannot be read", self._issuer)
            return
        self._keys = {kid: made for kid, key in keys.items() if (made := _made(key))}


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _made(key: dict[str, str]) -> jwt.SigningKey | None:
    try:
        return next(iter(jwt.keys([key]).values()))
    except jwt.Invalid:
        return None  # Broken or of an unsupported kind; the other keys are still used.


def _fetch(url: str) -> bytes:
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    # The URL is the operator's own setting: always https, except on this machine.
    with urllib.request.build_opener(Stay).open(url, timeout=FETCH_SECONDS) as answer:
        body: bytes = answer.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return body
