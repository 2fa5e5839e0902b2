"""Sessions on the pages: signed cookies that only the browser stores.

A session cookie is a JWT signed by the token keys. Its own `typ` tells it apart from access tokens. `sub` is the user
(absent before sign-in), `csrf` the secret that every form of the session must send back. It expires after an hour. The
server does not store it, so it cannot be revoked; deleting the user ends it, and it gives no access by itself.

After a sign-in, the browser also gets a device cookie of the same kind: `sub` is the browser's id, and `marks` stand
for the users who have signed in there (core/sign_in_delays.py). It gives no access; it only gives those users' next
attempts a separate counter. Each sign-in renews it.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from chalice.app import Request

from chalicelib.core.oauth import same
from chalicelib.core.sessions import SESSION_SECONDS
from chalicelib.core.sign_in_delays import Device
from chalicelib.web.auth import jwt
from chalicelib.web.auth.access_tokens import TokenKeys
from chalicelib.web.requests import cookies

SECONDS = 3600
CONFIRMED_SECONDS = 600
"""How long dangerous actions do not ask for the password again (decision: 10 minutes)."""
DEVICE_SECONDS = 180 * 86_400
_TYPE, _DEVICE_TYPE = "session+jwt", "device+jwt"
_CLAIMS, _DEVICE_CLAIMS = ["iss", "exp", "iat", "csrf"], ["iss", "exp", "iat", "sub", "marks"]


@dataclass(frozen=True)
class Session:
    """A browser's session. `user` is None before sign-in; `fresh` is true if the browser does not have the cookie yet.

    `device` is the content of the device cookie after the sign-in that began the session. `confirmed` is when the
    password was given again in it, in seconds since the epoch; 0: not yet.
    """

    user: str | None
    csrf: str
    fresh: bool = False
    device: Device | None = None
    confirmed: int = 0
    id: str = ""
    """The id by which the server knows the session of a user (store/grants/sessions.py); "" before sign-in."""

    def masked_csrf(self) -> str:
        """Return the secret for a form, under a mask of its own.

        Pages are compressed and repeat what a request says, so the length of a page would tell, try by try, whether a
        guess is right, if the page contained the same secret each time (BREACH).
        """
        secret = bytes.fromhex(self.csrf)
        mask = secrets.token_bytes(len(secret))
        return (mask + _xor(secret, mask)).hex()

    def accepts(self, masked_csrf: str | None) -> bool:
        """Return whether a form was made for this session."""
        return not self.fresh and same(self.csrf, _unmasked(masked_csrf or ""))


def _unmasked(masked: str) -> str | None:
    try:
        value = bytes.fromhex(masked)
    except ValueError:
        return None
    half = len(value) // 2
    return _xor(value[half:], value[:half]).hex() if len(value) == 2 * half else None


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


class Sessions:
    """The sessions of one deployment, named by its `issuer`."""

    def __init__(self, keys: TokenKeys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._secure = issuer.startswith("https://")
        # A browser accepts this prefix only over https and only from this exact host.
        self.cookie_name = "__Host-engawa" if self._secure else "engawa"
        self.device_cookie_name = f"{self.cookie_name}-device"

    def begin(self, user: str | None = None, device: Device | None = None, name: str = "") -> Session:
        """Return a new session. Each sign-in begins one, because an attacker may have planted the earlier session.

        `name` is the id of a user's session.
        """
        return Session(user, secrets.token_hex(16), fresh=True, device=device, id=name)

    def read(self, request: Request) -> Session:
        """Return the session of a request, or a new one if it has no valid session."""
        for claims in self._cookies(request, self.cookie_name, _TYPE, _CLAIMS):
            confirmed, name = int(claims.get("confirmed", 0)), str(claims.get("sid", ""))
            # A cookie of an earlier version has no id: its user signs in again.
            return Session(claims.get("sub") if name else None, str(claims["csrf"]), confirmed=confirmed, id=name)
        return self.begin()

    def confirm(self, session: Session) -> Session:
        """Return a session after its user has given the password again; its cookie replaces the earlier one."""
        return replace(session, fresh=True, confirmed=int(time.time()))

    def is_confirmed(self, session: Session) -> bool:
        """Return whether the password was given again in this session within CONFIRMED_SECONDS."""
        return 0 <= time.time() - session.confirmed < CONFIRMED_SECONDS

    def is_named_in(self, request: Request) -> bool:
        """Return whether a request has a session cookie, valid or not."""
        return any(True for _ in self._values(request, self.cookie_name))

    def device(self, request: Request) -> Device:
        """Return the browser that a request's device cookie names, or a new one if it has no valid cookie."""
        for claims in self._cookies(request, self.device_cookie_name, _DEVICE_TYPE, _DEVICE_CLAIMS):
            return Device(str(claims["sub"]), tuple(map(str, claims["marks"])))
        return Device(secrets.token_hex(16))

    def headers(self, session: Session) -> dict[str, str | list[str]]:
        """Return the response headers of this session: its cookies, if the client does not have them yet."""
        if not session.fresh:
            return {}
        return {
            "Set-Cookie": [self.cookie(session), *([self._device_cookie(session.device)] if session.device else [])]
        }

    def cookie(self, session: Session) -> str:
        """Return the `Set-Cookie` value of a session."""
        claims: jwt.Claims = {"csrf": session.csrf}
        claims |= {"sub": session.user, "sid": session.id} if session.user else {}
        claims |= {"confirmed": session.confirmed} if session.confirmed else {}
        seconds = SESSION_SECONDS if session.user else SECONDS
        return self._cookie(self.cookie_name, _TYPE, claims, seconds, "Lax")

    def _device_cookie(self, device: Device) -> str:
        # Only our own forms need it, so requests from other sites need not send it.
        claims = {"sub": device.id, "marks": [*device.marks]}
        return self._cookie(self.device_cookie_name, _DEVICE_TYPE, claims, DEVICE_SECONDS, "Strict")

    def _cookie(self, name: str, kind: str, claims: jwt.Claims, seconds: int, same_site: str) -> str:
        now = int(time.time())
        value = self._keys.signing().sign({"iss": self._issuer, "iat": now, "exp": now + seconds} | claims, kind)
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"

    def _cookies(self, request: Request, wanted: str, kind: str, required: list[str]) -> Iterator[jwt.Claims]:
        """Yield the claims of each valid cookie of this name and kind."""
        yield from filter(None, (self._check(value, kind, required) for value in self._values(request, wanted)))

    def _values(self, request: Request, wanted: str) -> Iterator[str]:
        return (value for name, value in cookies(request) if name == wanted)

    def _check(self, value: str, kind: str, required: list[str]) -> jwt.Claims | None:
        try:
            return self._keys.claims(value, lambda typ: typ == kind, issuer=self._issuer, required=required)
        except jwt.Invalid:
            return None
