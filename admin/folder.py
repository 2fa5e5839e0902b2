"""An export on disk: a folder, or a zip file of it, with a manifest and a JSON Lines file for each kind of records."""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from admin.failures import Failure
from admin.output import as_json
from admin.records import Record
from chalicelib.core.bulk_import import KINDS
from chalicelib.core.contents_records import IMAGE_FILE_BYTES
from chalicelib.core.imaging.renditions import is_key

FORMAT, VERSION = "engawa-export", 1
MANIFEST = "manifest.json"
_OF_PEOPLE = ("users", "apps", "friendships", "installs", "data", "grants")
SCOPES: Mapping[str, tuple[str, ...]] = {
    "platform": KINDS,
    "app": _OF_PEOPLE,
    "user": _OF_PEOPLE,
    "page": ("pages", "modules", "administrators", "followers", "feeds", "comments", "favorites"),
}
"""The kinds of records of each scope of an export."""
IMAGES = "images"
"""The folder with the images of feeds, under the names of their keys."""
_MOST_MANIFEST = 1_000_000
_BLOCK = 1 << 20
_MOST_OF_DISK = 0.9
"""The part of the free space that an unpacked zip file may take."""


def file_of(folder: Path, kind: str) -> Path:
    """Return the file of a kind of records."""
    return folder / f"{kind}.jsonl"


def is_plain(folder: Path, name: str) -> bool:
    """Return whether a file of an export is a regular file in its folder. A link could name any file of the machine."""
    path = folder / name
    return path.is_file() and path.resolve() == folder.resolve() / name


def take_images_out(folder: Path, record: dict[str, Any]) -> None:
    """Move the bytes of a feed's images from its record into files. Raises Failure for a key that is none."""
    for key, text in record.pop("imageFiles", {}).items():
        if not is_key(key):
            raise Failure(f"The platform returned an image with the key {key[:64]!r}")
        path = folder / key
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(base64.b64decode(text))


def put_images_in(folder: Path, records: Iterator[Record]) -> Iterator[Record]:
    """Yield the records of feeds with the bytes of their images, which are files of a folder."""
    for record in records:
        keys = record.value.get("images") if record.value else None
        if not record.value or not keys or not isinstance(keys, list) or "imageFiles" in record.value:
            yield record
            continue
        files, problem = {}, None
        for key in keys:
            if not isinstance(key, str) or not is_key(key):
                problem = "images must be keys of images, as an export writes them"
            elif not is_plain(folder, key) or (folder / key).stat().st_size > IMAGE_FILE_BYTES:
                problem = f"The image {key} is missing, or too large"
            else:
                files[key] = base64.b64encode((folder / key).read_bytes()).decode()
        if problem:
            yield replace(record, value=None, problem=problem, raw=as_json(record.value))
        else:
            yield replace(record, value=record.value | {"imageFiles": files})


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
    for name in (MANIFEST, *(file_of(folder, kind).name for kind in KINDS)):
        if os.path.lexists(folder / name) and not is_plain(folder, name):
            raise Failure(f"{folder / name} is not a regular file")
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


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder, which is created for its owner only. Raises Failure if another run has locked it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Failure(f"{folder} cannot be used: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"{folder} is in use by another run") from None
        yield
    finally:
        os.close(handle)


def pack(folder: Path, target: Path) -> None:
    """Pack a finished export into a zip file, and delete the folder."""
    fresh = target.with_name(f"{target.name}.new")
    with (
        open(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if _is_part(name):
                archive.write(path, name)
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
    with locked(folder):
        _unpack(path, folder)
        yield folder
        for part in folder.rglob("*.json*"):
            if _is_part(part.relative_to(folder).as_posix()):
                part.unlink()
        shutil.rmtree(folder / IMAGES, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            for name in names:
                if not _is_part(name):
                    raise Failure(f"{path} contains {name[:64]!r}, which is no file of an export")
            if len(set(names)) < len(names):
                raise Failure(f"{path} contains a file twice")
            # A file cannot be longer than the zip file declares: its CRC would be wrong.
            size, free = sum(each.file_size for each in archive.infolist()), shutil.disk_usage(folder).free
            if size > free * _MOST_OF_DISK:
                raise Failure(f"{path} has {size} bytes when it is unpacked, and {free} are free")
            for name in names:
                (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with (
                    archive.open(name) as source,
                    open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy,
                ):
                    shutil.copyfileobj(source, copy, _BLOCK)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise Failure(f"{path} cannot be unpacked: {error or type(error).__name__}") from None


def _is_part(name: str) -> bool:
    """Return whether this is the name of a file of an export, relative to its folder."""
    return name == MANIFEST or name in {f"{kind}.jsonl" for kind in KINDS} or is_key(name)
