"""Passwords, stored as memory-hard hashes (scrypt, RFC 7914).

A hash is a text, `scrypt$<n>$<r>$<p>$<salt>$<key>`, with salt and key in base64. It contains its parameters, so they
can be raised later. `is_outdated` finds the hashes to replace when their user next signs in.
"""

import base64
import hashlib
import hmac
import secrets

N, R, P = 2**15, 8, 1
"""One check takes 32 MB and about 80 milliseconds."""
_SALT_BYTES = 16
_KEY_BYTES = 32


def hash_password(password: str) -> str:
    """Return a new hash of a password, which core/codecs/checks.py has already checked."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _text(N, R, P, salt, _key(password, salt, N, R, P))


def matches(password: str, known: str | None) -> bool:
    """Return whether `known` is the password's hash, in constant time.

    None (no such account, or an account without a password) takes the same time and never matches.
    """
    _, n, r, p, salt, key = (known or _NOBODY).split("$")
    derived = _key(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, base64.b64decode(key)) and known is not None


def is_outdated(known: str) -> bool:
    """Return whether a hash was made with other parameters than the current ones."""
    return known.split("$")[1:4] != [str(N), str(R), str(P)]


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # OpenSSL's default limit is just below the memory that these parameters need: slightly over 128 * n * r bytes.
    most = 2 * 128 * n * r
    secret = password.encode(errors="surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=_KEY_BYTES)


def _text(n: int, r: int, p: int, salt: bytes, key: bytes) -> str:
    return f"scrypt${n}${r}${p}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


_NOBODY = _text(N, R, P, bytes(_SALT_BYTES), bytes(_KEY_BYTES))
