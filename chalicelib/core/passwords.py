"""Passwords, kept as memory-hard hashes (scrypt, RFC 7914).

A hash is text, `scrypt$<n>$<r>$<p>$<salt>$<key>` with salt and key in base64: the parameters stand with it, so they can
be raised later, and `is_outdated` tells which hashes to make anew when their user next signs in.
"""

import base64
import hashlib
import hmac
import secrets

N, R, P = 2**15, 8, 1
"""32 MB and some 80 milliseconds a check."""
_SALT_BYTES = 16
_KEY_BYTES = 32


def hash_password(password: str) -> str:
    """A fresh hash of a password (checked before: core/codecs/checks.py)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _text(N, R, P, salt, _key(password, salt, N, R, P))


def matches(password: str, known: str | None) -> bool:
    """Whether `known` is the password's hash, in constant time.

    None (no such account, or one without a password) takes as long and never matches.
    """
    _, n, r, p, salt, key = (known or _NOBODY).split("$")
    derived = _key(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, base64.b64decode(key)) and known is not None


def is_outdated(known: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return known.split("$")[1:4] != [str(N), str(R), str(P)]


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # OpenSSL's own bound is just under what these parameters take: 128 * n * r bytes and a little more.
    most = 2 * 128 * n * r
    secret = password.encode(errors="surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=_KEY_BYTES)


def _text(n: int, r: int, p: int, salt: bytes, key: bytes) -> str:
    return f"scrypt${n}${r}${p}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


_NOBODY = _text(N, R, P, bytes(_SALT_BYTES), bytes(_KEY_BYTES))
