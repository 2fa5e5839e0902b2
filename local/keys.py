"""The local platform's keys, in files of mode 600.

They are a JWK Set that signs tokens, Fernet keys that encrypt apps' secrets, and RSA keys with certificates that sign
the launches of page apps. `python -m local.keys rotate` puts a new key first among the token keys; `rotate-secret` and
`rotate-launch` do so for the others. The old keys are kept, so that tokens and secrets made with them stay valid. The
server reads the files when it starts.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.environment import Environment

Key = dict[str, Any] | str
"""A JWK, a Fernet key, or an RSA key with its certificate."""
_CERTIFICATE_YEARS = 20


def ensure(path: Path) -> None:
    """Create the JWK Set at `path` with one HS256 key of 32 random bytes, unless the file exists."""
    try:
        _write(path, [fresh_token()])
    except FileExistsError:
        return


def rotate(path: Path) -> str:
    """Put a new key first in the JWK Set at `path`; create the file if needed. Returns the new key's id."""
    fresh = fresh_token()
    _prepend(path, fresh)
    return str(fresh["kid"])


def ensure_secret(path: Path) -> None:
    """Create the Fernet keys at `path` with one new key, unless the file exists."""
    try:
        _write(path, [fresh_secret()])
    except FileExistsError:
        return


def rotate_secret(path: Path) -> None:
    """Put a new key first among the Fernet keys at `path`; create the file if needed."""
    _prepend(path, fresh_secret())


def ensure_launch(path: Path) -> None:
    """Create the launch keys at `path` with one new key, unless the file exists."""
    if not path.exists():  # Checked first, since creating a key is slow.
        try:
            _write(path, [fresh_launch()])
        except FileExistsError:
            return


def rotate_launch(path: Path) -> str:
    """Put a new key first among the launch keys at `path`; create the file if needed. Returns the new key's id."""
    fresh = fresh_launch()
    _prepend(path, fresh)
    return str(fresh["kid"])


def _prepend(path: Path, fresh: Key) -> None:
    keys = json.loads(path.read_text(encoding="ascii"))["keys"] if path.exists() else []
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    _write(beside, [fresh, *keys])
    beside.replace(path)


def fresh_secret() -> str:
    """Return a new Fernet key: 32 random bytes in base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def _kid() -> str:
    return f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"


def fresh_token() -> dict[str, Any]:
    """Return a new JWK for HS256 of 32 random bytes."""
    return {"kty": "oct", "alg": "HS256", "kid": _kid(), "k": fresh_secret().rstrip("=")}


def fresh_launch() -> dict[str, Any]:
    """Return a new RSA key with a self-signed certificate: page apps verify signatures with a certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    kid, now = _kid(), datetime.now(UTC)
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Engawa {kid}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _CERTIFICATE_YEARS))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return {
        "kid": kid,
        "key": key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode("ascii"),
        "certificate": certificate.public_bytes(pem).decode("ascii"),
    }


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
        case ["rotate-launch"]:
            print(rotate_launch(Environment.read().launch_keys))
        case _:
            sys.exit("usage: .venv/bin/python -m local.keys rotate | rotate-secret | rotate-launch")
