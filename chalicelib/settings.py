"""Every setting: its environment variable, its default, and what it means.

A missing or wrong setting stops the start with one sentence that names it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.core.limits import Limits


class WrongSetting(Exception):
    """A setting that is missing or out of range; the message names it."""


@dataclass(frozen=True)
class Settings:
    """A deployment's settings, as `read` takes them from the environment."""

    stage: str
    """ENGAWA_STAGE: local, dev or prod; the tables are `engawa-<stage>-…`."""
    bucket: str
    """ENGAWA_BUCKET: the bucket for files and oversized answers."""
    issuer: str
    """ENGAWA_ISSUER: the public base URL, without a slash at the end; issuer and audience of the access tokens."""
    token_keys_file: str | None
    """ENGAWA_TOKEN_KEYS_FILE: path of the JWK Set that signs and verifies tokens, or"""
    token_keys_secret: str | None
    """ENGAWA_TOKEN_KEYS_SECRET: id of the Secrets Manager secret that holds it."""
    limits: Limits
    """The limits that a deployment may set: ENGAWA_QUOTA_BYTES, ENGAWA_MAX_KEYS, ENGAWA_FRIENDS_BYTES,
    ENGAWA_RATE_WRITES and ENGAWA_RATE_SECONDS."""

    def table(self, name: str) -> str:
        """The full name of a table."""
        return f"engawa-{self.stage}-{name}"


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in an environment. Raises WrongSetting."""
    keys_file = environment.get("ENGAWA_TOKEN_KEYS_FILE")
    keys_secret = environment.get("ENGAWA_TOKEN_KEYS_SECRET")
    if bool(keys_file) == bool(keys_secret):
        raise WrongSetting("Set one of ENGAWA_TOKEN_KEYS_FILE and ENGAWA_TOKEN_KEYS_SECRET")
    whole = _whole_numbers(environment)
    defaults = Limits()
    return Settings(
        stage=_text(environment, "ENGAWA_STAGE"),
        bucket=_text(environment, "ENGAWA_BUCKET"),
        issuer=_base_url(environment, "ENGAWA_ISSUER"),
        token_keys_file=keys_file,
        token_keys_secret=keys_secret,
        limits=Limits(
            quota_bytes=whole("ENGAWA_QUOTA_BYTES", defaults.quota_bytes, 1, 100_000_000),
            keys=whole("ENGAWA_MAX_KEYS", defaults.keys, 1, 100_000),
            friends_bytes=whole("ENGAWA_FRIENDS_BYTES", defaults.friends_bytes, 1, 100_000_000),
            # The ledger keeps the exact time of every write in the window: more of them would not fit it.
            writes=whole("ENGAWA_RATE_WRITES", defaults.writes, 1, 180),
            window_ms=whole("ENGAWA_RATE_SECONDS", defaults.window_ms // 1000, 1, 180) * 1000,
        ),
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise WrongSetting(f"{name} is not set")
    return value


def _base_url(environment: Mapping[str, str], name: str) -> str:
    value = _text(environment, name)
    if not value.startswith(("http://", "https://")) or value.endswith("/"):
        raise WrongSetting(f"{name} must be an http(s) URL without a slash at its end, not {value!r}")
    return value


def _whole_numbers(environment: Mapping[str, str]) -> Callable[[str, int, int, int], int]:
    def whole(name: str, default: int, least: int, most: int) -> int:
        text = environment.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            raise WrongSetting(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return whole
