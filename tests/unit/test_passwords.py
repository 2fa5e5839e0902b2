"""Passwords match only their own hash, and secrets are opened by the keys that sealed them."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from chalicelib.core import passwords
from chalicelib.store.directory.secret_sealing import Sealed, SecretSealing
from local import keys


def test_a_password_matches_its_own_hash_alone() -> None:
    known = passwords.hash_password("縁側で茶を")

    assert known.startswith("scrypt$32768$8$3$")
    assert [len(base64.b64decode(part)) for part in known.split("$")[4:]] == [16, 32]
    assert passwords.matches("縁側で茶を", known)
    assert not passwords.matches("縁側で茶", known)
    for wrong in ("", "\ud800"):
        assert not passwords.matches(wrong, known)
    assert passwords.hash_password("縁側で茶を") != known


def test_nobody_matches_nothing() -> None:
    assert not passwords.matches("", None)
    assert not passwords.matches("anything", None)


def test_a_hash_made_with_other_parameters_still_matches_and_is_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "N", 2**14)
    old = passwords.hash_password("correct horse")
    monkeypatch.undo()

    assert passwords.matches("correct horse", old)
    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(passwords.hash_password("correct horse"))


@pytest.mark.parametrize(("n", "p"), [(2**15, 1), (2**15, 2), (2**15, 3), (2**14, 2), (2**16, 1)])
def test_a_check_is_the_same_work_for_every_hash_and_for_none(n: int, p: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time of a refusal does not tell whether the account exists."""
    work: list[int] = []

    def derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
        work.append(n * r * p)
        return bytes(32)

    monkeypatch.setattr(passwords, "_key", derive)
    assert passwords.matches("right", passwords._text(n, 8, p, bytes(16), bytes(32)))
    assert not passwords.matches("wrong", passwords._text(n, 8, p, bytes(16), b"x" * 32))
    assert not passwords.matches("wrong", None)
    ours = passwords.N * passwords.R * passwords.P
    assert [sum(work[:-1]), work[-1]] == [2 * ours, ours]


def test_a_secret_is_sealed_otherwise_each_time_and_opened(tmp_path: Path) -> None:
    path = tmp_path / "secret-keys.json"
    keys.ensure_secret(path)
    keys.ensure_secret(path)
    seals = SecretSealing(path.read_text)

    one, other = seals.seal("secret"), seals.seal("secret")

    assert one != other
    assert "secret" not in one
    assert seals.open(one) == seals.open(other) == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(json.loads(path.read_text())["keys"]) == 1


def test_a_rotated_key_is_found_and_a_dropped_one_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "secret-keys.json"
    keys.ensure_secret(path)
    time = [0.0]
    running, old = SecretSealing(path.read_text, lambda: time[0]), SecretSealing(path.read_text)
    before = running.seal("secret")

    keys.rotate_secret(path)
    fresh = SecretSealing(path.read_text).seal("secret")

    assert SecretSealing(path.read_text).open(before) == "secret"
    with pytest.raises(Sealed):
        running.open(fresh)  # It has just read the keys, and still uses them.
    time[0] = 60.0
    assert running.open(fresh) == "secret"
    assert old.open(before) == "secret"

    newest = json.loads(path.read_text())["keys"][:1]
    path.write_text(json.dumps({"keys": newest}))
    with pytest.raises(Sealed):
        SecretSealing(path.read_text).open(before)
    with pytest.raises(Sealed):
        SecretSealing(path.read_text).open("no token at all")
