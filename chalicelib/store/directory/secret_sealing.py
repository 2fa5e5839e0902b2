"""Encryption of values that must be readable again: the secrets of apps.

Keys are Fernet keys as JSON, `{"keys": ["<newest>", ...]}`: the first key encrypts, and all keys decrypt. To rotate a
key: put a new key first, encrypt the stored secrets again (`Apps.seal_anew`), and drop the old key.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

RELOAD_SECONDS = 60
"""If no key opens a secret, the keys are read again, at most once in this time."""


class Sealed(Exception):
    """The error that none of the deployment's keys opens a text."""


class SecretSealing:
    """Encryption and decryption of short texts. `load` returns the keys as JSON; it is first called when needed."""

    def __init__(self, load: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._fernet: MultiFernet | None = None
        self._loaded = 0.0

    def seal(self, text: str) -> str:
        """Return the encrypted text in printable ASCII; each call returns a different one."""
        return self._keys().encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return the decrypted text. Raises Sealed."""
        from cryptography.fernet import InvalidToken

        try:
            return self._keys().decrypt(sealed).decode()
        except InvalidToken:
            if self._now() - self._loaded < RELOAD_SECONDS:
                raise Sealed("no key opens it") from None
        self._fernet = None
        try:
            return self._keys().decrypt(sealed).decode()
        except InvalidToken:
            raise Sealed("no key opens it") from None

    def _keys(self) -> "MultiFernet":
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            self._fernet = MultiFernet([Fernet(key) for key in json.loads(self._load())["keys"]])
            self._loaded = self._now()
        return self._fernet
