"""The progress of an import, saved beside its input, so that the next run can resume it."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from admin.failures import Failure
from admin.output import as_json
from admin.records import Place

_HEAD = 1 << 20


@dataclass
class Tally:
    """The number of records per outcome."""

    created: int = 0
    unchanged: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        """The number of all records."""
        return self.created + self.unchanged + self.refused


@dataclass
class Progress:
    """The progress of one import. Call `save` after every batch, so that a killed run loses nothing."""

    path: Path
    rejects: Path
    identity: dict[str, Any]
    place: Place = field(default_factory=Place)
    tally: Tally = field(default_factory=Tally)
    rejects_bytes: int = 0

    @classmethod
    def begin(cls, source: Path, file: BinaryIO, kind: str, url: str, *, restart: bool) -> "Progress":
        """Return the saved progress of an import of `source`, or a new one. Raises Failure if it cannot be resumed.

        Locks the file for this run.
        """
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"{source} is being imported by another run") from None
        identity = {"kind": kind, "url": url, "input": _fingerprint(file)}
        made = cls(
            source.with_name(f"{source.name}.progress.json"), source.with_name(f"{source.name}.rejects.jsonl"), identity
        )
        if made.path.exists() and not restart:
            made._resume(source)
        else:
            made.rejects.unlink(missing_ok=True)
        return made

    def _resume(self, source: Path) -> None:
        try:
            saved = json.loads(self.path.read_text(encoding="utf-8"))
            known = {name: saved[name] for name in self.identity}
            self.place, self.tally = Place(**saved["place"]), Tally(**saved["tally"])
            self.rejects_bytes = int(saved["rejects_bytes"])
        except (ValueError, KeyError, TypeError):
            raise Failure(f"{self.path} cannot be read; --restart starts from the beginning") from None
        for name, what in (
            ("input", "the file was different"),
            ("kind", "as another kind"),
            ("url", "to another platform"),
        ):
            if known[name] != self.identity[name]:
                raise Failure(f"{source} was partly imported, but {what}; --restart starts from the beginning")
        if self.rejects.exists():
            # Entries written after the last save will be written again.
            os.truncate(self.rejects, min(self.rejects_bytes, self.rejects.stat().st_size))

    def reject(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Append to the file of refused records. Only its owner may read it, as records may hold passwords."""
        text = "".join(as_json(entry) + "\n" for entry in entries)
        if text:
            with open(os.open(self.rejects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
                file.write(text.encode("utf-8", "replace"))
                self.rejects_bytes = file.tell()

    def save(self) -> None:
        """Save the progress atomically."""
        told = self.identity | {
            "place": asdict(self.place),
            "tally": asdict(self.tally),
            "rejects_bytes": self.rejects_bytes,
        }
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(self.path)

    def finish(self) -> None:
        """Delete the saved progress: the import is complete."""
        self.path.unlink(missing_ok=True)


def _fingerprint(file: BinaryIO) -> str:
    """Return a value that identifies an input, without reading a large file whole."""
    file.seek(0)
    digest = hashlib.sha256(file.read(_HEAD)).hexdigest()
    return f"{os.fstat(file.fileno()).st_size}:{digest}"
