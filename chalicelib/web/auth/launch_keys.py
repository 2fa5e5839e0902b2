"""The keys that sign the launches of page apps: RSA keys, each with a certificate, as JSON.

`{"keys": [{"kid": "…", "key": "<PEM>", "certificate": "<PEM>"}, …]}`: the first key signs, and all certificates are
published by their `kid`. To rotate a key, put a new one first, and remove the old one when no app uses its certificate
any more.
"""

import json
import time
from collections.abc import Callable

from chalicelib.core.launch import LaunchKey

RELOAD_SECONDS = 60
"""A request for an unknown certificate reloads the keys, at most once in this time."""


class LaunchKeys:
    """The launch keys, loaded at first use. `load` returns them as JSON text."""

    def __init__(self, load: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._keys: dict[str, LaunchKey] = {}
        self._loaded: float | None = None

    def signing(self) -> LaunchKey:
        """Return the key that signs."""
        if self._loaded is None:
            self._reload()
        return next(iter(self._keys.values()))

    def certificate(self, kid: str) -> str | None:
        """Return the certificate (PEM) of the key with this id, or None if the key is unknown."""
        if kid not in self._keys and (self._loaded is None or self._now() - self._loaded >= RELOAD_SECONDS):
            self._reload()
        key = self._keys.get(kid)
        return key.certificate if key else None

    def _reload(self) -> None:
        keys = json.loads(self._load())["keys"]
        self._keys = {each["kid"]: LaunchKey(each["kid"], each["key"], each["certificate"]) for each in keys}
        self._loaded = self._now()
