"""An export on disk: a folder, or a zip file of it, with a manifest and a JSON Lines file for each kind of records."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.failures import Failure
from admin.output import as_json
from chalicelib.core.bulk_import import KINDS

FORMAT, VERSION = "engawa-export", 1
MANIFEST = "manifest.json"
_OF_PEOPLE = ("users", "apps", "friendships", "installs", "data")
SCOPES: Mapping[str, tuple[str, ...]] = {
    "platform": KINDS,
    "app": _OF_PEOPLE,
    "user": _OF_PEOPLE,
    "page": ("pages", "modules", "administrators", "followers"),
}
"""The kinds of records of each scope of an export."""
_MOST_MANIFEST = 1_000_000
_BLOCK = 1 << 20


def file_of(folder: Path, kind: str) -> Path:
    """Return the file of a kind of records."""
    return folder / f"{kind}.jsonl"


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically. Only its owner may read it: exports hold personal data."""
    fresh = path.with_name(f"{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def write_manifest(folder: Path, scope: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Write the manifest, which completes an export."""
    files = {}
    for kind, count in counts.items():
        path = file_of(folder, kind)
        files[path.name] = {"records": count, "bytes": path.stat().st_size, "sha256": _digest(path)}
    told = {"format": FORMAT, "version": VERSION, **scope, "files": files}
    write_private(folder / MANIFEST, as_json(told, indent=1) + "\n")


@dataclass(frozen=True)
class Manifest:
    """The manifest of an export: its scope (platform, app, page or user), and the expectations of its files."""

    scope: str
    files: Mapping[str, Mapping[str, Any]]


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder, after a check of its files. Raises Failure if the export cannot be used."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MOST_MANIFEST:
            raise ValueError
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT or type(told["version"]) is not int:
            raise ValueError
        version, manifest = told["version"], Manifest(told["scope"], told.get("files", {}))
        known = {file_of(folder, kind).name for kind in KINDS}
        if not isinstance(manifest.files, dict) or not all(isinstance(each, dict) for each in manifest.files.values()):
            raise ValueError
    except FileNotFoundError:
        raise Failure(f"{folder} has no {MANIFEST}: it is not an export, or its export is not finished") from None
    except (ValueError, KeyError, TypeError):
        raise Failure(f"{path} is not the manifest of an export") from None
    if version != VERSION:
        raise Failure(f"{path} has version {version}; this command reads version {VERSION}")
    if manifest.scope not in SCOPES:
        raise Failure(f"{path} has an unknown scope; the scopes are {', '.join(SCOPES)}")
    for name in manifest.files:
        if name not in known:
            raise Failure(f"{path} names {name[:64]!r}, which is no file of an export")
        _check(folder / name, manifest.files[name])
    return manifest


def _check(path: Path, expected: Mapping[str, Any]) -> None:
    """Raise Failure unless a file is as its manifest says; a manifest written by hand need not say anything."""
    if not path.exists():
        raise Failure(f"{path} is missing")
    size = path.stat().st_size
    if expected.get("bytes", size) != size:
        raise Failure(f"{path} has {size} bytes instead of {expected['bytes']}: the export is damaged")
    if "sha256" in expected and expected["sha256"] != _digest(path):
        raise Failure(f"{path} is not as it was exported: its SHA-256 differs from the manifest's")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def pack(folder: Path, target: Path) -> None:
    """Pack a finished export into a zip file, and delete the folder."""
    fresh = target.with_name(f"{target.name}.new")
    with (
        open(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in _names():
            if (folder / name).exists():
                archive.write(folder / name, name)
    fresh.replace(target)
    shutil.rmtree(folder)


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Yield the folder of an export; a zip file is unpacked beside it.

    The unpacked files are deleted after a success. After a failure they stay, with the progress of the import and the
    refused records. Raises Failure for a file that is no export.
    """
    if path.is_dir():
        yield path
        return
    folder = path.with_name(f"{path.name}.unpacked")
    folder.mkdir(mode=0o700, exist_ok=True)
    _unpack(path, folder)
    yield folder
    for name in _names():
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name not in _names():
                    raise Failure(f"{path} contains {name[:64]!r}, which is no file of an export")
                with (
                    archive.open(name) as source,
                    open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy,
                ):
                    shutil.copyfileobj(source, copy, _BLOCK)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Failure(f"{path} cannot be unpacked: {error or type(error).__name__}") from None


def _names() -> tuple[str, ...]:
    return MANIFEST, *(f"{kind}.jsonl" for kind in KINDS)
