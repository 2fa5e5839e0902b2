"""The dry run of an import: what each line would change, and what is wrong with it."""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from admin.client import Client
from admin.folder import put_images_in
from admin.load import load
from admin.progress import Tally
from admin.records import Place, Record, read
from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.bulk_import import PAIRS, THINGS, Addition, Following, compare_records, no_install, over
from chalicelib.core.contents_records import read_comment_record, read_feed
from chalicelib.core.errors import Conflict, NotFound, Refusal


@dataclass(frozen=True)
class LineResult:
    """The result that a line would have: its `status`, and `error` and `error_description` if it would be refused."""

    line: int
    status: str
    error: str | None = None
    description: str | None = None


class Seen:
    """The effects of earlier lines of a dry run, in a temporary file: memory does not grow with them.

    Only the thread that reads the results uses it.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        # The file is temporary: nothing is lost without a journal.
        self._database.executescript(
            """
            PRAGMA journal_mode = OFF;
            CREATE TABLE things (name TEXT PRIMARY KEY, record BLOB) WITHOUT ROWID;
            CREATE TABLE sums (name TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
            CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
            CREATE TABLE data (owner INTEGER, key TEXT, digest BLOB, PRIMARY KEY (owner, key)) WITHOUT ROWID;
            """
        )

    def __contains__(self, name: str) -> bool:
        return self.record(name) is not None

    def record(self, name: str) -> bytes | None:
        """Return the record by which an earlier line creates a thing, as `add` got it, or None."""
        found: bytes | None = self._one("SELECT record FROM things WHERE name = ?", name)
        return found

    def add(self, name: str, record: bytes) -> None:
        """Add a thing that is not there yet, with its record or a digest of that."""
        self._database.execute("INSERT INTO things VALUES (?, ?)", (name, record))

    def number(self, name: str) -> int:
        """Return the sum, or the last number of a list, of earlier lines."""
        found: int | None = self._one("SELECT number FROM sums WHERE name = ?", name)
        return found or 0

    def set_number(self, name: str, number: int) -> None:
        """Replace a sum, or the last number of a list."""
        self._database.execute("INSERT OR REPLACE INTO sums VALUES (?, ?)", (name, number))

    def values(self, owner: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the digests of the values that earlier lines store under these keys."""
        known = self._one("SELECT id FROM owners WHERE name = ?", owner)
        if known is None:
            return {}
        select = "SELECT digest FROM data WHERE owner = ? AND key = ?"
        found = {key: self._one(select, known, key) for key in keys}
        return {key: digest for key, digest in found.items() if digest is not None}

    def add_values(self, owner: str, digests: Mapping[str, bytes]) -> None:
        """Add values under keys that have none yet."""
        self._database.execute("INSERT OR IGNORE INTO owners (name) VALUES (?)", (owner,))
        known = self._one("SELECT id FROM owners WHERE name = ?", owner)
        rows = ((known, key, digest) for key, digest in digests.items())
        self._database.executemany("INSERT INTO data VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Delete the temporary file."""
        self._database.close()

    def _one(self, select: str, *parameters: Any) -> Any:
        found = self._database.execute(select, parameters).fetchone()
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
    try:
        return LineResult(record.line, _add_up(kind, record.value, outcome, seen))
    except Refusal as refusal:
        return LineResult(record.line, "refused", refusal.error, refusal.description)


def _add_up(kind: str, record: Mapping[str, Any], outcome: Mapping[str, Any], seen: Seen) -> str:
    """Add the effects of a record to those of earlier lines, and return its status. Raises Refusal."""
    names, own = _names(kind, record), _kept(kind, record)
    known = {name: there for name in names if (there := seen.record(name)) is not None}
    # As at the import, a feed that is there is compared before its page and poster are looked up.
    for need in () if known and kind == "feeds" else outcome.get("needs", ()):
        if need not in seen:
            raise _missing(need)
    if known:
        if names[0] in known and _is_same(kind, known[names[0]], own):
            return "unchanged"
        raise Conflict(f"An earlier line has another {next(iter(known)).split()[0]} like this")
    adds = [Addition(**each) for each in outcome.get("adds", ())]
    owner, digests = "", dict[str, bytes]()
    if kind == "data":
        owner = f"{record['user']} {record['app']}"
        digests = _new_digests(owner, {key: record["data"][key] for key in outcome["keys"]}, seen)
        new = {key: record["data"][key] for key in digests}
        if not new:
            return "unchanged"
        amounts = {"bytes": sum(map(utf8_bytes, new.values())), "keys": len(new)}
        adds = [replace(each, adds=amounts[each.name.split()[0]]) for each in adds]
    sums = {each.name: seen.number(each.name) + each.adds for each in adds}
    for each in adds:
        if each.stored + sums[each.name] > each.most:
            raise over(each)
    if "follows" in outcome:
        follows = Following(**outcome["follows"])
        follows.check(max(follows.last, seen.number(follows.name)))
        sums[follows.name] = follows.number
    # All is checked: a refused record adds nothing.
    for name in names:
        seen.add(name, own)
    for name, number in sums.items():
        seen.set_number(name, number)
    if digests:
        seen.add_values(owner, digests)
    return "created"


def _new_digests(owner: str, data: Mapping[str, str], seen: Seen) -> dict[str, bytes]:
    """Return the digests of the values that no earlier line stores. Raises Conflict if one stores another value."""
    digests = {key: hashlib.sha256(value.encode()).digest()[:16] for key, value in data.items()}
    earlier = seen.values(owner, digests)
    for key, there in earlier.items():
        if digests[key] != there:
            raise Conflict(f"The key {key} exists, and has another value")
    return {key: digest for key, digest in digests.items() if key not in earlier}


def _missing(need: str) -> NotFound:
    """Return the error of the import for a thing that does not exist: "install k3v9x2mtq7ra 6d1f0c2ab4e79853"."""
    what, _, name = need.partition(" ")
    return no_install(*name.split(" ")) if what == "install" else NotFound(f"There is no {need}")


def _kept(kind: str, record: Mapping[str, Any]) -> bytes:
    """Return what is kept of a record for a comparison with later ones."""
    if kind in PAIRS:
        return b""  # Their names say all.
    if kind in THINGS:
        return json.dumps(record).encode()
    if kind == "feeds":
        text = repr(replace(read_feed(record), files={}))
    elif kind == "comments":
        text = repr(read_comment_record(record))
    else:
        text = json.dumps(record, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _is_same(kind: str, earlier: bytes, own: bytes) -> bool:
    """Return whether a record would be unchanged after an earlier one with the same id."""
    if kind in THINGS:
        return compare_records(kind, json.loads(earlier), json.loads(own)).refusal is None
    return earlier == own


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
            families = [f"refresh-token {family['id']}" for family in record["families"]]
            return [f"grant {record['user']} {record['app']}", *families]
        case "feeds":
            return [f"feed {record['page']} {record['id']}", f"content {record['page']} {record['contentUri']}"]
        case "comments":
            return [f"comment {record['page']} {record['contentUri']} {record['id']}"]
        case "favorites":
            return [f"favorite {record['page']} {record['contentUri']} {record['user']}"]
        case _:
            # A user's data are in several records, each with other keys. They are compared key by key.
            return []
