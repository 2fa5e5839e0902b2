"""The server_states that apps fetch before they ask a user: each for one app, valid for 30 minutes, not stored.

A server_state is a JWT signed by the token keys, with its own `typ`: `sub` is the app, `until` its expiry in seconds.
So no request for one costs a write. store/grants/ephemeral.py records the used ones, each for one authorization.
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
        """Return a new server_state for an app."""
        until = self._clock() // 1000 + STATE_SECONDS
        claims = {"iss": self._issuer, "sub": app, "until": until, "jti": secrets.token_hex(16)}
        return self._keys.signing().sign(claims, _TYPE)

    def holds(self, app: str, text: str) -> bool:
        """Return whether this is a server_state of the app and has not expired."""
        try:
            if len(text) > MOST_CHARACTERS:
                raise jwt.Invalid
            claims = self._keys.claims(text, lambda typ: typ == _TYPE, issuer=self._issuer, required=_CLAIMS)
        except jwt.Invalid:
            return False
        return bool(claims["sub"] == app and int(claims["until"]) > self._clock() // 1000)
