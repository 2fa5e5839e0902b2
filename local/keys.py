"""The local platform's token keys: a JWK Set in a file of mode 600.

`python -m local.keys rotate` puts a fresh key first; the others stay, so that tokens signed with them still verify.
The server reads the file when it starts.
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


def ensure(path: Path) -> None:
    """Create the JWK Set at `path` with one HS256 key of 32 random bytes, unless the file exists."""
    try:
        _write(path, [_fresh()])
    except FileExistsError:
        return


def rotate(path: Path) -> str:
    """Put a fresh key first in the JWK Set at `path`, creating the file if need be. Returns the new key's id."""
    keys = json.loads(path.read_text(encoding="ascii"))["keys"] if path.exists() else []
    fresh = _fresh()
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    _write(beside, [fresh, *keys])
    beside.replace(path)
    return str(fresh["kid"])


def _fresh() -> dict[str, Any]:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode("ascii")
    kid = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"
    return {"kty": "oct", "alg": "HS256", "kid": kid, "k": key}


def _write(path: Path, keys: list[dict[str, Any]]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        json.dump({"keys": keys}, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["rotate"]:
        sys.exit("usage: python -m local.keys rotate")
    print(rotate(Environment.read().token_keys))
