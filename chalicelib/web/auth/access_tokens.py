"""Access tokens: JWTs (RFC 9068) that are checked without a look-up.

Claims: `sub` is the user (the client id in a token that an app got for itself), `client_id` the app; `scope`; `owner`
if the app's owner is not the viewer; `events`, the kinds of events that the app asked for (core/events.py); and `iss`,
`aud`, `exp`, `iat`, `jti`. Keys are a JWK Set (RFC 7517): the first key signs, and all keys verify, chosen by `kid`. To
rotate a key, put a new one first, and remove the old one when the tokens that it signed have expired.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.core.errors import TokenRefused
from chalicelib.core.events import EventKind, claim, claimed
from chalicelib.core.model.access import Access
from chalicelib.web.auth import jwt

if TYPE_CHECKING:
    from chalicelib.web.auth.external_issuer import Issuer

TYPE = "at+jwt"
MOST_CHARACTERS = 4096
"""A longer token is refused without parsing it."""
RELOAD_SECONDS = 60
"""A token with an unknown `kid` reloads the keys, at most once in this time."""
REMEMBERED = 1_000
"""Checked tokens that a process remembers: checking the signature again takes longer than the rest of a small read."""
_PURPOSE = b"engawa: viewers in logs"
_CLAIMS = ["iss", "aud", "exp", "iat", "jti", "sub", "client_id"]


class WrongKeys(Exception):
    """An invalid JWK Set. The text says what is wrong and contains no part of a key."""

    loggable = True


class TokenKeys:
    """The token keys, loaded at first use, and again if a token names an unknown key.

    `load` returns the JWK Set as JSON text.
    """

    def __init__(self, load: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._keys: dict[str, jwt.SigningKey] = {}
        self._pepper: bytes | None = None
        self._loaded: float | None = None
        self.generation = 0
        """How often the keys have been loaded. A token that was checked with other keys must be checked again."""

    def signing(self) -> jwt.SigningKey:
        """Return the key that signs."""
        if self._loaded is None:
            self._reload()
        return next(iter(self._keys.values()))

    def verifying(self, kid: str) -> jwt.SigningKey | None:
        """Return the key with this id, or None if it is unknown."""
        if kid not in self._keys and (self._loaded is None or self._now() - self._loaded >= RELOAD_SECONDS):
            self._reload()
        return self._keys.get(kid)

    def claims(
        self,
        token: str,
        is_kind: Callable[[object], bool],
        *,
        issuer: str,
        audience: str | None = None,
        required: Sequence[str],
    ) -> jwt.Claims:
        """Return the claims of a token that one of the keys has signed and whose `typ` passes `is_kind`.

        SigningKey.claims describes the other parameters. Raises jwt.Expired and jwt.Invalid.
        """
        header = jwt.header(token)
        key = self.verifying(str(header.get("kid")))
        if key is None or not is_kind(header.get("typ")):
            raise jwt.Invalid
        return key.claims(token, issuer=issuer, audience=audience, required=required)

    def check(self) -> None:
        """Raise WrongKeys if there is no key to sign with."""
        if self._loaded is None:
            self._reload()
        if not self._keys:
            raise WrongKeys("it has no keys")
        if self._pepper is None:
            raise WrongKeys("its first key has no private part, so it cannot sign")

    def pseudonym(self, user: str) -> str | None:
        """Return a pseudonym of a user for logs, or None before the keys are read.

        A user's pseudonym is the same until the first key changes. Only that key can link it to the user.
        """
        return hmac.digest(self._pepper, user.encode(), "sha256").hex()[:16] if self._pepper else None

    def _reload(self) -> None:
        try:
            jwks = json.loads(self._load())["keys"]
            keys = jwt.keys(jwks)
            secret = str(jwks[0].get("k") or jwks[0].get("d") or "") if jwks else ""
        except jwt.Invalid as wrong:
            raise WrongKeys(f"it has {wrong}") from None
        # The texts of these exceptions may quote the keys.
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WrongKeys("it is not a JWK Set") from None
        self._pepper = hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest() if secret else None
        self._keys, self._loaded = keys, self._now()
        self.generation += 1


@dataclass(frozen=True, slots=True)
class _Checked:
    """The access of a valid token, until it expires (seconds since the epoch) or the keys are loaded again."""

    access: Access
    expires: int
    generation: int


class AccessTokens:
    """The access tokens of one deployment, named by its `issuer` (also their audience): issues and checks them."""

    def __init__(self, keys: TokenKeys, issuer: str, external: "Issuer | None" = None) -> None:
        self._keys = keys
        self._issuer = issuer
        self._external = external
        self._checked: dict[str, _Checked] = {}

    def issue(
        self,
        *,
        app: str,
        viewer: str | None,
        scopes: Iterable[str],
        lifetime: int,
        owner: str | None = None,
        events: Set[EventKind] | None = frozenset(),
    ) -> str:
        """Return a token for `viewer` (None: for the app itself) that expires in `lifetime` seconds.

        `events` has the kinds of events that the app asked for, so that a request knows them without a read. With None,
        requests with this token read them.
        """
        key, now = self._keys.signing(), int(time.time())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": viewer or app,
            "client_id": app,
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_hex(8),
        }
        if owner and owner != viewer:
            claims["owner"] = owner
        if events is not None:
            claims["events"] = claim(events)
        return key.sign(claims, TYPE)

    def check(self, token: str) -> Access:
        """Return the access that a token gives, whether it is ours or the external issuer's.

        Raises TokenRefused (`expired_token` for an expired token, else `invalid_token`), and Unavailable if the
        external issuer's keys cannot be fetched.
        """
        known = self._checked.get(token)
        if known and known.generation == self._keys.generation and time.time() < known.expires:
            return known.access
        if self._external and len(token) <= MOST_CHARACTERS and self._external.issued(token):
            return self._external.check(token)
        # Read before the check: another thread may load other keys meanwhile, which have not checked this token.
        generation = self._keys.generation
        claims = self._claims(token)
        viewer, app = claims["sub"], claims["client_id"]
        access = Access(
            app=app,
            viewer=None if viewer == app else viewer,
            owner=claims.get("owner", None if viewer == app else viewer),
            scopes=frozenset(claims.get("scope", "").split()),
            events=claimed(str(claims["events"])) if "events" in claims else None,
        )
        self._remember(token, _Checked(access, int(claims["exp"]), generation))
        return access

    def _remember(self, token: str, checked: "_Checked") -> None:
        if len(self._checked) >= REMEMBERED:
            self._checked.clear()
        self._checked[token] = checked

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            if len(token) > MOST_CHARACTERS:
                raise jwt.Invalid
            return self._keys.claims(
                token, _is_access_token, issuer=self._issuer, audience=self._issuer, required=_CLAIMS
            )
        except jwt.Expired:
            raise TokenRefused("expired_token", "The access token has expired") from None
        except jwt.Invalid:
            raise TokenRefused("invalid_token", "The access token is not valid") from None


def _is_access_token(kind: object) -> bool:
    """Return whether a `typ` is that of access tokens: a media type, with or without `application/` (RFC 9068 §4)."""
    return str(kind).lower().removeprefix("application/") == TYPE
