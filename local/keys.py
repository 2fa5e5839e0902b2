"""The local platform's keys, in files of mode 600: a JWK Set that signs tokens, Fernet keys that seal apps' secrets.

`python -m local.keys rotate` puts a fresh key first among the token keys, `rotate-secret` among the others; the old
ones stay, so that what was signed or sealed with them still is good. The server reads the files when it starts.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.environment import Environment

Key = dict[str, Any] | str
"""A JWK, or a Fernet key."""


def ensure(path: Path) -> None:
    """Create the JWK Set at `path` with one HS256 key of 32 random bytes, unless the file exists."""
    try:
        _write(path, [_fresh()])
    except FileExistsError:
        return


def rotate(path: Path) -> str:
    """Put a fresh key first in the JWK Set at `path`, creating the file if need be. Returns the new key's id."""
    fresh = _fresh()
    _prepend(path, fresh)
    return str(fresh["kid"])


def ensure_secret(path: Path) -> None:
    """Create the Fernet keys at `path` with one fresh key, unless the file exists."""
    try:
        _write(path, [_random()])
    except FileExistsError:
        return


def rotate_secret(path: Path) -> None:
    """Put a fresh key first among the Fernet keys at `path`, creating the file if need be."""
    _prepend(path, _random())


def _prepend(path: Path, fresh: Key) -> None:
    keys = json.loads(path.read_text(encoding="ascii"))["keys"] if path.exists() else []
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    _write(beside, [fresh, *keys])
    beside.replace(path)


def _random() -> str:
    """A Fernet key: 32 random bytes in base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def _fresh() -> dict[str, Any]:
    kid = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"
    return {"kty": "oct", "alg": "HS256", "kid": kid, "k": _random().rstrip("=")}


def _write(path: Path, keys: list[Key]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        json.dump({"keys": keys}, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rotate"]:
            print(rotate(Environment.read().token_keys))
        case ["rotate-secret"]:
            rotate_secret(Environment.read().secret_keys)
        case _:
            sys.exit("usage: python -m local.keys rotate | rotate-secret")
