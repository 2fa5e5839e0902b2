"""Who has signed in to the pages: a signed cookie, kept by nobody but the browser.

It is a JWT of the token keys with a type of its own, so that neither passes for the other: `sub` the user (absent
before sign-in), `csrf` the secret that every form of the session has to send back. It lives an hour and is never
stored, so it cannot be called back either; deleting the user ends it, and no access follows from it alone.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from chalice.app import Request

from chalicelib.core.oauth import same
from chalicelib.web import jose
from chalicelib.web.requests import header_lines
from chalicelib.web.tokens import Keys

SECONDS = 3600
_TYPE = "session+jwt"
_CLAIMS = ["iss", "exp", "iat", "csrf"]


@dataclass(frozen=True)
class Session:
    """A browser's session; `user` is None before sign-in, `fresh` where the browser does not have its cookie yet."""

    user: str | None
    csrf: str
    fresh: bool = False

    def accepts(self, csrf: str | None) -> bool:
        """Whether a form was made for this session."""
        return not self.fresh and same(self.csrf, csrf)


class Sessions:
    """The sessions of one deployment, named by its `issuer`."""

    def __init__(self, keys: Keys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._secure = issuer.startswith("https://")
        # A browser takes the prefix only over https, and then from nobody but this very host.
        self.cookie_name = "__Host-engawa" if self._secure else "engawa"

    def begin(self, user: str | None = None) -> Session:
        """A new session; a browser that signs in gets one, so that no one has planted the one it had."""
        return Session(user, secrets.token_hex(16), fresh=True)

    def read(self, request: Request) -> Session:
        """The session of a request; a new one where it has none that holds."""
        return next(filter(None, map(self._check, self._values(request))), None) or self.begin()

    def is_named_in(self, request: Request) -> bool:
        """Return whether a request has a session's cookie, whether or not it holds."""
        return any(True for _ in self._values(request))

    def _values(self, request: Request) -> Iterator[str]:
        for pair in ";".join(header_lines(request, "cookie")).split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.cookie_name:
                yield value

    def headers(self, session: Session) -> dict[str, str]:
        """The headers of an answer in this session: its cookie, where the client does not have it yet."""
        return {"Set-Cookie": self.cookie(session)} if session.fresh else {}

    def cookie(self, session: Session) -> str:
        """The `Set-Cookie` that keeps a session."""
        key, now = self._keys.signing(), int(time.time())
        claims = {"iss": self._issuer, "iat": now, "exp": now + SECONDS, "csrf": session.csrf}
        if session.user:
            claims["sub"] = session.user
        value = key.sign(claims, _TYPE)
        secure = "; Secure" if self._secure else ""
        return f"{self.cookie_name}={value}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{secure}"

    def _check(self, value: str) -> Session | None:
        try:
            header = jose.header(value)
            key = self._keys.verifying(str(header.get("kid")))
            if key is None or header.get("typ") != _TYPE:
                return None
            claims = key.claims(value, issuer=self._issuer, required=_CLAIMS)
        except jose.Invalid:
            return None
        return Session(claims.get("sub"), str(claims["csrf"]))
