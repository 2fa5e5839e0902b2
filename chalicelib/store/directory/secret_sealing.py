"""Encryption of what must be kept in a form that can be read again: the secrets of apps.

Keys are Fernet keys as JSON, `{"keys": ["<newest>", ...]}`: the first encrypts, every one decrypts. So a key is rotated
by putting a new one first, sealing anew what is stored (`Apps.seal_anew`), and dropping the old one.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

RELOAD_SECONDS = 60
"""A secret that no key opens makes the keys be read again, at most this often."""


class Sealed(Exception):
    """None of the deployment's keys opens this."""


class SecretSealing:
    """Seals and opens short texts. `load` returns the keys as JSON text; it is called when they are first needed."""

    def __init__(self, load: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._fernet: MultiFernet | None = None
        self._loaded = 0.0

    def seal(self, text: str) -> str:
        """The text encrypted, in printable ASCII; another one each time."""
        return self._keys().encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The text that was sealed. Raises Sealed."""
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
