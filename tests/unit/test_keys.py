"""The local keys: created once, readable only by their owner, and rotated without loss."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local import keys


def read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["keys"]
    return found


def test_makes_one_key_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"

    keys.ensure(path)
    [key] = read(path)
    keys.ensure(path)

    assert read(path) == [key]
    assert (key["kty"], key["alg"]) == ("oct", "HS256")
    assert len(base64.urlsafe_b64decode(key["k"] + "=")) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_rotating_puts_a_fresh_key_first_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys.ensure(path)
    [old] = read(path)

    kid = keys.rotate(path)

    first, second = read(path)
    assert first["kid"] == kid != old["kid"]
    assert second == old
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_a_launch_key_has_a_certificate_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys.ensure_launch(path)
    [old] = read(path)
    keys.ensure_launch(path)
    assert read(path) == [old]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    kid = keys.rotate_launch(path)

    first, second = read(path)
    assert first["kid"] == kid != old["kid"]
    assert second == old
    for each in (first, second):
        private = load_pem_private_key(each["key"].encode(), None)
        certificate = x509.load_pem_x509_certificate(each["certificate"].encode())
        assert isinstance(private, rsa.RSAPrivateKey)
        assert private.key_size == 2048
        assert certificate.public_key() == private.public_key()
        assert each["kid"] in certificate.subject.rfc4514_string()
        certificate.verify_directly_issued_by(certificate)
