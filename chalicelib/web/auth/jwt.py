"""The one door to PyJWT: signing, checking and reading JWTs.

PyJWT imports cryptography wherever it can, which takes longer than all else before a first answer, and needs it for
asymmetric keys alone. So it is imported without, until there is such a key; then once more, with it.
"""

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

Claims = dict[str, Any]
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
"""What only the private form of a JWK has (RFC 7518 §6.2.2 and §6.3.2)."""

_lock = threading.Lock()
_loaded: Any = None


class Invalid(Exception):
    """A token, or a key, that does not hold. The text says nothing of what is in it."""


class Expired(Invalid):
    """A token past its time that else holds."""


class SigningKey:
    """A JWK that signs and checks, together with the library that made it."""

    def __init__(self, library: Any, jwk: Mapping[str, Any]) -> None:
        """Raises Invalid for a kind of key that the library does not know, and for one that is none."""
        self._library = library
        try:
            self._key = library.PyJWK.from_dict(jwk)
            # The library checks by an RSA key's public part alone.
            public = {name: value for name, value in jwk.items() if name not in _PRIVATE}
            self._public = self._key if jwk["kty"] == "oct" else library.PyJWK.from_dict(public)
        # What the library raises may quote the key.
        except (library.exceptions.PyJWTError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError):
            raise Invalid("a key that is no JWK") from None
        self.id: str | None = self._key.key_id
        self.algorithm: str = self._key.algorithm_name

    def sign(self, claims: Claims, kind: str) -> str:
        """A token with these claims; `kind` is its `typ`."""
        headers = {"typ": kind, "kid": self.id}
        token: str = self._library.encode(claims, self._key, self.algorithm, headers=headers)
        return token

    def claims(self, token: str, *, issuer: str, audience: str | None = None, required: Sequence[str]) -> Claims:
        """What a token says that this key has signed, for this issuer and audience, with all that is `required`.

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
    """The keys of a JWK Set, by their ids. Raises Invalid for one that is no key, or has no id of its own."""
    found = [*jwks]
    library = _library(asymmetric=any(jwk.get("kty") != "oct" for jwk in found))
    made = [SigningKey(library, jwk) for jwk in found]
    if not all(key.id for key in made):
        raise Invalid("a key without an id")
    return {str(key.id): key for key in made}


def header(token: str) -> Mapping[str, Any]:
    """The header of a token; nothing is checked. Raises Invalid where there is none."""
    return _header(token.partition(".")[0])


# The tokens of a key have one header, and reading it again takes as long as checking the rest.
@lru_cache(maxsize=64)
def _header(encoded: str) -> Mapping[str, Any]:
    library = _library()
    try:
        read: Mapping[str, Any] = library.get_unverified_header(f"{encoded}..")
    except library.InvalidTokenError:
        raise Invalid from None
    return read


def unverified(token: str) -> Claims:
    """What a token says of itself; nothing is checked. Raises Invalid where it is none."""
    library = _library()
    try:
        claims: Claims = library.decode(token, options={"verify_signature": False})
    except library.InvalidTokenError:
        raise Invalid from None
    return claims


def _library(*, asymmetric: bool = False) -> Any:
    """PyJWT, able to use asymmetric keys where that is asked for."""
    global _loaded
    with _lock:
        if _loaded is None and not asymmetric and "jwt" not in sys.modules:
            _loaded = _without_cryptography()
        # Keys that were made before go on with the library that made them.
        if _loaded is None or (asymmetric and not _loaded.algorithms.has_crypto):
            import jwt

            _loaded = jwt
        return _loaded


def _without_cryptography() -> Any:
    """PyJWT for shared keys alone. Whoever else imports it gets the whole one."""
    hidden = _Hidden("cryptography")
    sys.meta_path.insert(0, hidden)
    try:
        import jwt
    finally:
        sys.meta_path.remove(hidden)
        for name in [name for name in sys.modules if name.partition(".")[0] == "jwt"]:
            del sys.modules[name]
    return jwt


class _Hidden:
    """An import hook for which a module does not exist in the thread that made the hook; others find it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._name and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
