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
    secret_keys_file: str | None
    """ENGAWA_SECRET_KEYS_FILE: path of the Fernet keys that encrypt the secrets of apps (store/sealing.py), or"""
    secret_keys_secret: str | None
    """ENGAWA_SECRET_KEYS_SECRET: id of the Secrets Manager secret that holds them."""
    limits: Limits
    """The limits that a deployment may set: ENGAWA_QUOTA_BYTES, ENGAWA_MAX_KEYS, ENGAWA_FRIENDS_BYTES,
    ENGAWA_RATE_WRITES and ENGAWA_RATE_SECONDS."""
    strict_profiles: bool = False
    """ENGAWA_PROFILE_VISIBILITY: `lenient` (False, the default: the permission matrix as printed), or `strict`: what a
    user publishes to friends (of friends), an app gets only where its viewer is one."""

    proxies: int = 0
    """ENGAWA_PROXIES: how many proxies of ours (such as CloudFront) stand in front of API Gateway; the address whose
    failed sign-ins are counted is taken from `X-Forwarded-For` accordingly."""
    openid_issuer: str | None = None
    """ENGAWA_OPENID_ISSUER: the issuer whose access tokens are accepted instead of signing in here, with"""
    openid_jwks: str | None = None
    """ENGAWA_OPENID_JWKS: the URL of its JWK Set; both or none."""

    def table(self, name: str) -> str:
        """The full name of a table."""
        return f"engawa-{self.stage}-{name}"


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in an environment. Raises WrongSetting."""
    token_keys = _file_or_secret(environment, "ENGAWA_TOKEN_KEYS")
    secret_keys = _file_or_secret(environment, "ENGAWA_SECRET_KEYS")
    openid = _openid(environment)
    whole = _whole_numbers(environment)
    defaults = Limits()
    return Settings(
        stage=_text(environment, "ENGAWA_STAGE"),
        bucket=_text(environment, "ENGAWA_BUCKET"),
        issuer=_base_url(environment, "ENGAWA_ISSUER"),
        token_keys_file=token_keys[0],
        token_keys_secret=token_keys[1],
        secret_keys_file=secret_keys[0],
        secret_keys_secret=secret_keys[1],
        limits=Limits(
            quota_bytes=whole("ENGAWA_QUOTA_BYTES", defaults.quota_bytes, 1, 100_000_000),
            keys=whole("ENGAWA_MAX_KEYS", defaults.keys, 1, 100_000),
            friends_bytes=whole("ENGAWA_FRIENDS_BYTES", defaults.friends_bytes, 1, 100_000_000),
            # The ledger keeps the exact time of every write in the window: more of them would not fit it.
            writes=whole("ENGAWA_RATE_WRITES", defaults.writes, 1, 180),
            window_ms=whole("ENGAWA_RATE_SECONDS", defaults.window_ms // 1000, 1, 180) * 1000,
        ),
        strict_profiles=_one_of(environment, "ENGAWA_PROFILE_VISIBILITY", ("lenient", "strict")) == "strict",
        proxies=whole("ENGAWA_PROXIES", 0, 0, 5),
        openid_issuer=openid[0],
        openid_jwks=openid[1],
    )


def _file_or_secret(environment: Mapping[str, str], name: str) -> tuple[str | None, str | None]:
    """Where keys are: the path of a file, or the id of a secret. Raises WrongSetting unless one of them is set."""
    file, secret = environment.get(f"{name}_FILE") or None, environment.get(f"{name}_SECRET") or None
    if bool(file) == bool(secret):
        raise WrongSetting(f"Set one of {name}_FILE and {name}_SECRET")
    return file, secret


def _openid(environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    issuer, jwks = environment.get("ENGAWA_OPENID_ISSUER") or None, environment.get("ENGAWA_OPENID_JWKS") or None
    if bool(issuer) != bool(jwks):
        raise WrongSetting("Set both of ENGAWA_OPENID_ISSUER and ENGAWA_OPENID_JWKS, or none")
    if jwks and not jwks.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise WrongSetting(f"ENGAWA_OPENID_JWKS must be an https URL, not {jwks!r}")
    return issuer, jwks


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise WrongSetting(f"{name} is not set")
    return value


def _one_of(environment: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """The setting's value; the first of `allowed` where it is not set."""
    value = environment.get(name, allowed[0])
    if value not in allowed:
        raise WrongSetting(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
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
