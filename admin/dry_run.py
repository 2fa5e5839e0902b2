"""The dry run of an import: what each line would change, and what is wrong with it."""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from admin.client import Client
from admin.folder import put_images_in
from admin.load import load
from admin.progress import Tally
from admin.records import Place, Record, read


@dataclass(frozen=True)
class LineResult:
    """The result that a line would have: its `status`, and `error` and `error_description` if it would be refused."""

    line: int
    status: str
    error: str | None = None
    description: str | None = None


class Seen:
    """The things that earlier lines of a dry run would create, in a temporary file: memory does not grow with them."""

    def __init__(self) -> None:
        # Only the thread that reads the results uses it.
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE seen (name TEXT PRIMARY KEY, digest BLOB) WITHOUT ROWID")

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def add(self, name: str, record: Mapping[str, Any]) -> bool | None:
        """Add a thing; return None if it is new, else whether an earlier line has an equal record of it."""
        digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()
        known = self._find(name)
        if known is not None:
            return known == digest
        self._database.execute("INSERT INTO seen VALUES (?, ?)", (name, digest))
        return None

    def close(self) -> None:
        """Delete the temporary file."""
        self._database.close()

    def _find(self, name: str) -> bytes | None:
        found = self._database.execute("SELECT digest FROM seen WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None


def read_all(kind: str, path: Path, source: BinaryIO, start: Place) -> Iterator[Record]:
    """Yield the records of a file from `start` on, feeds with their images."""
    records = read(path, source, start)
    return put_images_in(path.parent, records) if kind == "feeds" else records


def check(client: Client, kind: str, path: Path, seen: Seen, *, workers: int, tally: Tally) -> Iterator[LineResult]:
    """Yield the result that each record of a file would have, and count them. Raises Refused and Unreachable."""
    stopping = threading.Event()
    with path.open("rb") as source:
        records = read_all(kind, path, source, Place())
        loaded = load(client, kind, records, workers=workers, stopping=stopping, more={"dryRun": True})
        with closing(loaded):
            for part in loaded:
                for record, outcome in zip(part.records, part.outcomes, strict=True):
                    result = _result(kind, record, outcome, seen)
                    match result.status:
                        case "created":
                            tally.created += 1
                        case "unchanged":
                            tally.unchanged += 1
                        case _:
                            tally.refused += 1
                    yield result


def _result(kind: str, record: Record, outcome: Mapping[str, Any], seen: Seen) -> LineResult:
    if outcome["status"] != "created" or record.value is None:
        return LineResult(record.line, outcome["status"], outcome.get("error"), outcome.get("error_description"))
    for need in outcome.get("needs", ()):
        if need not in seen:
            what, _, name = need.partition(" ")
            user, _, app = name.partition(" ")
            missing = f"There is no {need}"
            if what == "install":
                missing = f"The user {user} has not installed the app {app}"
            return LineResult(record.line, "refused", "not_found", missing)
    status = "created"
    for name in _names(kind, record.value):
        earlier = seen.add(name, record.value)
        if earlier is False:
            return LineResult(
                record.line, "refused", "conflict", f"An earlier line has another {name.split()[0]} like this"
            )
        if earlier:
            status = "unchanged"
    return LineResult(record.line, status)


def _names(kind: str, record: Mapping[str, Any]) -> list[str]:
    """Return the names of the things that a valid record creates: "user k3v9x2mtq7ra", "login hana"."""
    match kind:
        case "users":
            login = record.get("login")
            return [f"user {record['id']}", *([f"login {login.lower()}"] if login else [])]
        case "apps":
            return [f"app {record['id']}"]
        case "pages":
            return [f"page {record['id']}"]
        case "friendships":
            return ["friendship {} {}".format(*sorted((record["user"], record["friend"])))]
        case "installs":
            return [f"install {record['user']} {record['app']}"]
        case "modules":
            return [f"module {record['page']} {record['id']}"]
        case "administrators" | "followers":
            return [f"{kind[:-1]} {record['page']} {record['user']}"]
        case "grants":
            return [f"grant {record['user']} {record['app']}"]
        case "feeds":
            return [f"content {record['page']} {record['contentUri']}", f"feed {record['page']} {record['id']}"]
        case "comments":
            return [f"comment {record['page']} {record['contentUri']} {record['id']}"]
        case "favorites":
            return [f"favorite {record['page']} {record['contentUri']} {record['user']}"]
        case _:
            # A user's data are in several records, each with other keys.
            return []
