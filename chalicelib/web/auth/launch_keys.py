"""The keys that sign the starts of page apps: RSA keys with a certificate each, as JSON.

`{"keys": [{"kid": "…", "key": "<PEM>", "certificate": "<PEM>"}, …]}`: the first signs, the certificates of all are
published by their `kid`. So a key is rotated by putting a new one first, and dropping the old one when no app goes by
its certificate any more.
"""

import json
import time
from collections.abc import Callable

from chalicelib.core.launch import LaunchKey

RELOAD_SECONDS = 60
"""A certificate that is not among those at hand makes the keys be read again, at most this often."""


class LaunchKeys:
    """The launch keys, read when first needed. `load` returns them as JSON text."""

    def __init__(self, load: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._keys: dict[str, LaunchKey] = {}
        self._loaded: float | None = None

    def signing(self) -> LaunchKey:
        """The key that signs."""
        if self._loaded is None:
            self._reload()
        return next(iter(self._keys.values()))

    def certificate(self, kid: str) -> str | None:
        """The certificate of the key with that id, in PEM."""
        if kid not in self._keys and (self._loaded is None or self._now() - self._loaded >= RELOAD_SECONDS):
            self._reload()
        key = self._keys.get(kid)
        return key.certificate if key else None

    def _reload(self) -> None:
        keys = json.loads(self._load())["keys"]
        self._keys = {each["kid"]: LaunchKey(each["kid"], each["key"], each["certificate"]) for each in keys}
        self._loaded = self._now()
