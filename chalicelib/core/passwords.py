"""Passwords, stored as memory-hard hashes (scrypt, RFC 7914).

A hash is a text, `scrypt$<n>$<r>$<p>$<salt>$<key>`, with salt and key in base64. It contains its parameters, so they
can be raised later. `is_outdated` finds the hashes to replace when their user next signs in.

The parameters are one of OWASP's equivalent minimums (Password Storage Cheat Sheet): N=2^17 and p=1, 2^16 and 2, 2^15
and 3, and so on, with r=8. This one takes the least processor time and little memory; a function has 0.58 of a
processor.
"""

import base64
import hashlib
import hmac
import re
import secrets

N, R, P = 2**15, 8, 3
"""One check takes 32 MB and about 250 milliseconds."""
_SALT_BYTES = 16
_KEY_BYTES = 32
_MOST_WORK, _MOST_MEMORY = 4 * N * R * P, 128 << 20
"""The most work (n * r * p) and memory of one check: a hash from elsewhere must not stop the platform."""
_HASH = re.compile(r"scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})", re.ASCII)


def hash_password(password: str) -> str:
    """Return a new hash of a password, which core/codecs/checks.py has already checked."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _text(N, R, P, salt, _key(password, salt, N, R, P))


def matches(password: str, known: str | None) -> bool:
    """Return whether `known` is the password's hash, in constant time.

    None (no such account, or an account without a password) takes the same time and never matches. A hash with smaller
    parameters takes the same time, too: otherwise a fast refusal would show that the account exists.
    """
    _, n, r, p, salt, key = (known or _NOBODY).split("$")
    derived = _key(password, base64.b64decode(salt), int(n), int(r), int(p))
    # The work is proportional to n * r * p; what a smaller hash lacks is added in steps of N * R.
    missing = P - int(n) * int(r) * int(p) // (N * R)
    if missing > 0:
        _key(password, bytes(_SALT_BYTES), N, R, missing)
    return hmac.compare_digest(derived, base64.b64decode(key)) and known is not None


def is_outdated(known: str) -> bool:
    """Return whether a hash was made with other parameters than the current ones."""
    return known.split("$")[1:4] != [str(N), str(R), str(P)]


def is_hash(text: str) -> bool:
    """Return whether a text is a hash that `matches` can check, with a bounded amount of work and memory."""
    found = _HASH.fullmatch(text)
    if not found:
        return False
    n, r, p = map(int, found.group(1, 2, 3))
    try:
        salt, key = (base64.b64decode(part, validate=True) for part in found.group(4, 5))
    except ValueError:
        return False
    powers_of_two = n >= 2 and n & (n - 1) == 0
    bounded = r >= 1 and p >= 1 and n * r * p <= _MOST_WORK and 128 * n * r <= _MOST_MEMORY
    return powers_of_two and bounded and 8 <= len(salt) <= 64 and len(key) == _KEY_BYTES


def _key(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # OpenSSL's default limit is just below the memory that these parameters need: slightly over 128 * n * r bytes.
    most = 2 * 128 * n * r
    secret = password.encode(errors="surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=_KEY_BYTES)


def _text(n: int, r: int, p: int, salt: bytes, key: bytes) -> str:
    return f"scrypt${n}${r}${p}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


_NOBODY = _text(N, R, P, bytes(_SALT_BYTES), bytes(_KEY_BYTES))
