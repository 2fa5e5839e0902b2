"""Signing, checking and reading of JWTs. Only this module imports PyJWT.

PyJWT imports cryptography if it is installed, but needs it only for asymmetric keys. That import takes a seventh of a
cold start. So PyJWT is imported without cryptography; the first asymmetric key imports it again, with cryptography.
"""

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

Claims = dict[str, Any]
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
"""The members that only a private JWK has (RFC 7518 §6.2.2 and §6.3.2)."""

_lock = threading.Lock()
_loaded: Any = None


class Invalid(Exception):
    """An invalid token or key. The text contains no part of it."""


class Expired(Invalid):
    """An expired token that is otherwise valid."""


class SigningKey:
    """A JWK that signs and verifies, together with the library that made it."""

    def __init__(self, library: Any, jwk: Mapping[str, Any]) -> None:
        """Raise Invalid for a broken key or a kind of key that the library does not know."""
        self._library = library
        try:
            self._key = library.PyJWK.from_dict(jwk)
            # The library verifies only with the public part of an RSA key.
            public = {name: value for name, value in jwk.items() if name not in _PRIVATE}
            self._public = self._key if jwk["kty"] == "oct" else library.PyJWK.from_dict(public)
        # The library's exceptions may quote the key.
        except (library.exceptions.PyJWTError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError):
            raise Invalid("a key that is no JWK") from None
        self.id: str | None = self._key.key_id
        self.algorithm: str = self._key.algorithm_name

    def sign(self, claims: Claims, kind: str) -> str:
        """Return a token with these claims; `kind` is its `typ`."""
        headers = {"typ": kind, "kid": self.id}
        token: str = self._library.encode(claims, self._key, self.algorithm, headers=headers)
        return token

    def claims(self, token: str, *, issuer: str, audience: str | None = None, required: Sequence[str]) -> Claims:
        """Return the claims of a token that this key signed for this issuer and audience, with all `required` claims.

        Raises Expired and Invalid.
        """
        try:
            claims: Claims = self._library.decode(
                token,
                self._public,
                algorithms=[self.algorithm],
                issuer=issuer,
                audience=audience,
                options={"require": [*required]},
            )
        except self._library.ExpiredSignatureError:
            raise Expired from None
        except self._library.InvalidTokenError:
            raise Invalid from None
        return claims


def keys(jwks: Iterable[Mapping[str, Any]]) -> dict[str, SigningKey]:
    """Return the keys of a JWK Set by their ids. Raises Invalid for a broken key or a key without an id."""
    found = [*jwks]
    library = _library(asymmetric=any(jwk.get("kty") != "oct" for jwk in found))
    made = [SigningKey(library, jwk) for jwk in found]
    if not all(key.id for key in made):
        raise Invalid("a key without an id")
    return {str(key.id): key for key in made}


def header(token: str) -> Mapping[str, Any]:
    """Return the header of a token; nothing is checked. Raises Invalid if it has none."""
    return _header(token.partition(".")[0])


# All tokens of a key have the same header, and parsing it takes as long as checking the rest.
@lru_cache(maxsize=64)
def _header(encoded: str) -> Mapping[str, Any]:
    library = _library()
    try:
        read: Mapping[str, Any] = library.get_unverified_header(f"{encoded}..")
    except library.InvalidTokenError:
        raise Invalid from None
    return read


def unverified(token: str) -> Claims:
    """Return the claims of a token; nothing is checked. Raises Invalid if it is not a token."""
    library = _library()
    try:
        claims: Claims = library.decode(token, options={"verify_signature": False})
    except library.InvalidTokenError:
        raise Invalid from None
    return claims


def _library(*, asymmetric: bool = False) -> Any:
    """Return PyJWT; with `asymmetric`, one that can use asymmetric keys."""
    global _loaded
    with _lock:
        if _loaded is None and not asymmetric and "jwt" not in sys.modules:
            _loaded = _without_cryptography()
        # Keys that exist already keep the library that made them.
        if _loaded is None or (asymmetric and not _loaded.algorithms.has_crypto):
            import jwt

            _loaded = jwt
        return _loaded


def _without_cryptography() -> Any:
    """Return PyJWT for shared keys only. Other code that imports PyJWT gets the complete library."""
    hidden = _Hidden("cryptography")
    sys.meta_path.insert(0, hidden)
    try:
        import jwt
    finally:
        sys.meta_path.remove(hidden)
        for name in [name for name in sys.modules if name.partition(".")[0] == "jwt"]:
            del sys.modules[name]
    return jwt


# PyJWT has no option to do without cryptography: it imports cryptography whenever it is installed, and it must be
# installed, for asymmetric keys and for the sealing of secrets. `sys.modules["cryptography"] = None` would be simpler,
# but it would also make imports of cryptography fail that other threads run at the same time.
class _Hidden:
    """An import hook that hides a module from the thread that made the hook; other threads find the module."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._name and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
