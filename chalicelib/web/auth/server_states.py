"""The server_states that apps fetch before they ask a user, each for one app and 30 minutes; they are not stored.

One is a JWT of the token keys with a type of its own: `sub` the app, `until` its end in seconds. So a request for one
costs no write, whoever makes it. store/grants/ephemeral.py keeps which of them were used, each for one authorization.
"""

import secrets
from collections.abc import Callable

from chalicelib.core.oauth import STATE_SECONDS
from chalicelib.web.auth import jwt
from chalicelib.web.auth.access_tokens import MOST_CHARACTERS, TokenKeys

_TYPE = "server-state+jwt"
_CLAIMS = ["iss", "sub", "until", "jti"]


class ServerStates:
    """The server_states of one deployment, named by its `issuer`. `clock` gives milliseconds since the epoch."""

    def __init__(self, keys: TokenKeys, issuer: str, clock: Callable[[], int]) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    def make(self, app: str) -> str:
        """Return a new one for an app."""
        until = self._clock() // 1000 + STATE_SECONDS
        claims = {"iss": self._issuer, "sub": app, "until": until, "jti": secrets.token_hex(16)}
        return self._keys.signing().sign(claims, _TYPE)

    def holds(self, app: str, text: str) -> bool:
        """Whether this is one of the app's, and not too old."""
        try:
            if len(text) > MOST_CHARACTERS:
                raise jwt.Invalid
            claims = self._keys.claims(text, lambda typ: typ == _TYPE, issuer=self._issuer, required=_CLAIMS)
        except jwt.Invalid:
            return False
        return bool(claims["sub"] == app and int(claims["until"]) > self._clock() // 1000)
