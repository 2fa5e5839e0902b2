"""Files that an attacker or an accident made: each has one sentence and a line number, and nothing is half done."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from admin.folder import MANIFEST
from tests.kit.admin_world import AdminWorld
from tests.kit.memory import Cloud
from tests.kit.worlds import HANA, KEN, MemoryWorld

GOOD = json.dumps({"id": KEN, "displayName": "Ken"}).encode()
HEAD = b'{"id": "' + HANA.encode() + b'", "displayName": '


@pytest.fixture
def served(tmp_path: Path) -> AdminWorld:
    (tmp_path / "world").mkdir()
    return AdminWorld(MemoryWorld(tmp_path / "world", Cloud()))


def manifest(scope: str = "platform") -> str:
    return json.dumps({"format": "engawa-export", "version": 1, "scope": scope})


@pytest.mark.parametrize(
    "line",
    [
        HEAD + b'"Ha',
        HEAD + b'"\xff"}',
        HEAD + b'"\\ud800"}',
        HEAD + b"NaN}",
        HEAD + b"1e999}",
        HEAD + b"-Infinity}",
        HEAD + b"9" * 5_000 + b"}",
        HEAD + b'"' + b"x" * 2_000_000 + b'"}',
        HEAD + b"[" * 100_000 + b"}",
        HEAD + b'{"a": {"b": []}}}',
        HEAD + b"null}",
        b"[]",
        b"\x00" * 100,
        b"PK\x03\x04",
        b'{"id": 7, "displayName": "x"}',
        b'{"id": ["k3v9x2mtq7ra"], "displayName": "x"}',
        HEAD + b'"x", "passwordHash": "scrypt$99999999$8$1$aaaa$bbbb", "login": "hana"}',
        HEAD + b'"x", "created": 1e3}',
        HEAD + b'"x", "created": true}',
        HEAD + b'"x", "__class__": 1}',
    ],
    ids=range(20),
)
@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_a_broken_line_is_refused_alone(
    served: AdminWorld, tmp_path: Path, line: bytes, words: tuple[str, ...]
) -> None:
    path = tmp_path / "users.jsonl"
    path.write_bytes(GOOD + b"\n" + line)

    done = served.admin("import", "users", str(path), *words)

    assert done.exit_code == 4, done.output
    assert "1 created, 0 unchanged, 1 refused" in done.output.replace("would be ", "")
    if words:
        [told] = [each for each in done.output.splitlines() if each.startswith("users.jsonl:")]
        assert told.startswith("users.jsonl:2: refused (")
        assert len(told) < 400
    else:
        [reject] = map(json.loads, (tmp_path / "users.jsonl.rejects.jsonl").read_text("utf-8").splitlines())
        assert reject["line"] == 2
        assert reject["error_description"]
    assert [user["id"] for user in served.every("/users")] == ([] if words else [KEN])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, manifest())
        for name in ("users.jsonl", "data.jsonl"):
            archive.writestr(name, b"\0" * 60_000_000)


def twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(MANIFEST, manifest("app"))


def corrupt(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.jsonl", (GOOD + b"\n") * 1_000)
    whole = bytearray(path.read_bytes())
    whole[45:60] = b"\xff" * 15
    path.write_bytes(whole)


def cut(path: Path) -> None:
    bomb(path)
    path.write_bytes(path.read_bytes()[:50_000])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (bomb, "has 120000062 bytes when it is unpacked, and 100000000 are free"),
        (twice, "contains a file twice"),
        (corrupt, "cannot be unpacked: "),
        (cut, "cannot be unpacked: "),
    ],
)
def test_a_hostile_zip_file_is_refused_before_anything_is_sent(
    served: AdminWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], says: str
) -> None:
    free = type("Usage", (), {"free": 100_000_000})
    monkeypatch.setattr("admin.folder.shutil.disk_usage", lambda _: free)
    path = tmp_path / "x.zip"
    make(path)

    done = served.admin("import", "platform", str(path))

    assert done.exit_code == 1
    assert says in done.output
    assert done.output.count("\n") == 1
    assert served.requests == []


@pytest.mark.parametrize("name", [MANIFEST, "users.jsonl", "data.jsonl"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_file_that_is_no_regular_file_is_refused(served: AdminWorld, tmp_path: Path, name: str, kind: str) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    secret = tmp_path / "secret"
    secret.write_text(manifest() if name == MANIFEST else "the operator's own file\n")
    if name != MANIFEST:
        (folder / MANIFEST).write_text(manifest())
    match kind:
        case "link":
            (folder / name).symlink_to(secret)
        case "pipe":
            os.mkfifo(folder / name)
        case _:
            (folder / name).mkdir()

    done = served.admin("import", "platform", str(folder))

    assert done.exit_code == 1
    assert "is not a regular file" in done.output
    assert served.requests == []
