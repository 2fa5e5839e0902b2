"""Who has signed in to the pages: a signed cookie, kept by nobody but the browser.

It is a JWT of the token keys with a type of its own, so that neither passes for the other: `sub` the user (absent
before sign-in), `csrf` the secret that every form of the session has to send back. It lives an hour and is never
stored, so it cannot be called back either; deleting the user ends it, and no access follows from it alone.

A browser in which somebody has signed in gets another cookie of the same kind, the device cookie: `sub` the browser's
id and `marks` of the users who have signed in there (core/sign_in_delays.py). It opens nothing; it only gives those
users' next tries a counter of their own. Each sign-in renews it.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from chalice.app import Request

from chalicelib.core.oauth import same
from chalicelib.core.sign_in_delays import Device
from chalicelib.web.auth import jwt
from chalicelib.web.auth.access_tokens import TokenKeys
from chalicelib.web.requests import header_lines

SECONDS = 3600
DEVICE_SECONDS = 180 * 86_400
_TYPE, _DEVICE_TYPE = "session+jwt", "device+jwt"
_CLAIMS, _DEVICE_CLAIMS = ["iss", "exp", "iat", "csrf"], ["iss", "exp", "iat", "sub", "marks"]


@dataclass(frozen=True)
class Session:
    """A browser's session; `user` is None before sign-in, `fresh` where the browser does not have its cookie yet.

    `device` is the browser as the sign-in that began the session leaves it, for its cookie.
    """

    user: str | None
    csrf: str
    fresh: bool = False
    device: Device | None = None

    def accepts(self, csrf: str | None) -> bool:
        """Whether a form was made for this session."""
        return not self.fresh and same(self.csrf, csrf)


class Sessions:
    """The sessions of one deployment, named by its `issuer`."""

    def __init__(self, keys: TokenKeys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._secure = issuer.startswith("https://")
        # A browser takes the prefix only over https, and then from nobody but this very host.
        self.cookie_name = "__Host-engawa" if self._secure else "engawa"
        self.device_cookie_name = f"{self.cookie_name}-device"

    def begin(self, user: str | None = None, device: Device | None = None) -> Session:
        """A new session; a browser that signs in gets one, so that no one has planted the one it had."""
        return Session(user, secrets.token_hex(16), fresh=True, device=device)

    def read(self, request: Request) -> Session:
        """The session of a request; a new one where it has none that holds."""
        for claims in self._cookies(request, self.cookie_name, _TYPE, _CLAIMS):
            return Session(claims.get("sub"), str(claims["csrf"]))
        return self.begin()

    def is_named_in(self, request: Request) -> bool:
        """Return whether a request has a session's cookie, whether or not it holds."""
        return any(True for _ in self._values(request, self.cookie_name))

    def device(self, request: Request) -> Device:
        """The browser that a request comes from, as its cookie says; a new one where it has none that holds."""
        for claims in self._cookies(request, self.device_cookie_name, _DEVICE_TYPE, _DEVICE_CLAIMS):
            return Device(str(claims["sub"]), tuple(map(str, claims["marks"])))
        return Device(secrets.token_hex(16))

    def headers(self, session: Session) -> dict[str, str | list[str]]:
        """The headers of an answer in this session: its cookies, where the client does not have them yet."""
        if not session.fresh:
            return {}
        return {
            "Set-Cookie": [self.cookie(session), *([self._device_cookie(session.device)] if session.device else [])]
        }

    def cookie(self, session: Session) -> str:
        """The `Set-Cookie` that keeps a session."""
        claims = {"csrf": session.csrf} | ({"sub": session.user} if session.user else {})
        return self._cookie(self.cookie_name, _TYPE, claims, SECONDS, "Lax")

    def _device_cookie(self, device: Device) -> str:
        # Asked for by our own forms alone, so no other site's request needs to bring it.
        claims = {"sub": device.id, "marks": [*device.marks]}
        return self._cookie(self.device_cookie_name, _DEVICE_TYPE, claims, DEVICE_SECONDS, "Strict")

    def _cookie(self, name: str, kind: str, claims: jwt.Claims, seconds: int, same_site: str) -> str:
        now = int(time.time())
        value = self._keys.signing().sign({"iss": self._issuer, "iat": now, "exp": now + seconds} | claims, kind)
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"

    def _cookies(self, request: Request, wanted: str, kind: str, required: list[str]) -> Iterator[jwt.Claims]:
        """What the cookies of that name and kind say that hold."""
        yield from filter(None, (self._check(value, kind, required) for value in self._values(request, wanted)))

    def _values(self, request: Request, wanted: str) -> Iterator[str]:
        for pair in ";".join(header_lines(request, "cookie")).split(";"):
            name, _, value = pair.strip().partition("=")
            if name == wanted:
                yield value

    def _check(self, value: str, kind: str, required: list[str]) -> jwt.Claims | None:
        try:
            return self._keys.claims(value, lambda typ: typ == kind, issuer=self._issuer, required=required)
        except jwt.Invalid:
            return None
