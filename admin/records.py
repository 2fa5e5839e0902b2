"""A reader of records from JSON Lines and CSV. Each record has the place at which the next one begins."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from admin.failures import Failure

LONGEST_LINE = 1_000_000
"""Bytes; a longer line is refused, and is not read into memory whole."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Place:
    """A place in a file: the number of bytes and lines before it."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True)
class Record:
    """A record of a file, with its line (from 1) and the place after it. `problem` says why it cannot be read."""

    line: int
    after: Place
    value: dict[str, Any] | None = None
    problem: str | None = None
    raw: str | None = None
    """The line that could not be read."""


class Lines:
    """The lines of a UTF-8 file from a place on, with or without a BOM. `place` is the beginning of the next line."""

    def __init__(self, file: BinaryIO, start: Place) -> None:
        self.place = start
        self._file = file
        file.seek(start.offset)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        size = len(line)
        long = size > LONGEST_LINE
        while long and line and not line.endswith(b"\n"):
            line = self._file.readline(LONGEST_LINE)
            size += len(line)
        first = self.place.offset == 0
        self.place = Place(self.place.offset + size, self.place.line + 1)
        if long:
            raise TooLong
        return (line.removeprefix(_BOM) if first else line).decode("utf-8", "surrogateescape")


class TooLong(Exception):
    """A line longer than LONGEST_LINE. Reading can continue after it."""


def read(path: Path, file: BinaryIO, start: Place) -> Iterator[Record]:
    """Yield the records of a file from `start` on. Raises Failure for a file that is neither JSON Lines nor CSV."""
    if path.suffix.lower() == ".csv":
        return _read_csv(file, start)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_json(Lines(file, start))
    raise Failure(f"{path} is not a .jsonl, .ndjson or .csv file")


def _read_json(lines: Lines) -> Iterator[Record]:
    while True:
        try:
            text = next(lines)
        except StopIteration:
            return
        except TooLong:
            yield Record(lines.place.line, lines.place, problem=f"The line is too long (max={LONGEST_LINE} bytes)")
            continue
        if not text.strip():
            continue
        try:
            value = json.loads(text, parse_constant=_refuse)
            _check_utf8(text)
            _check_utf8(json.dumps(value, ensure_ascii=False, allow_nan=False))
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield Record(lines.place.line, lines.place, value)
        else:
            yield Record(lines.place.line, lines.place, problem="The line is not a JSON object", raw=_shown(text))


def _read_csv(file: BinaryIO, start: Place) -> Iterator[Record]:
    lines = Lines(file, Place())
    names = _header(lines)
    if start.offset > lines.place.offset:
        lines = Lines(file, start)
    while True:
        first = lines.place.line + 1
        # A new reader for each row, so that a broken row cannot affect the next one.
        try:
            cells = next(csv.reader(lines, strict=True))
            _check_utf8("".join(cells))
        except StopIteration:
            return
        except (csv.Error, TooLong, ValueError) as error:
            why = "too long" if isinstance(error, TooLong) else "not UTF-8" if isinstance(error, ValueError) else error
            yield Record(first, lines.place, problem=f"The row cannot be read: {why}")
            continue
        if not any(cells):
            continue
        if len(cells) > len(names):
            problem = f"The row has {len(cells)} cells, the header {len(names)}"
            yield Record(first, lines.place, problem=problem, raw=_shown(",".join(cells)))
        else:
            yield Record(first, lines.place, _nested(dict(zip(names, cells, strict=False))))


def _header(lines: Lines) -> list[str]:
    try:
        names = [name.strip() for name in next(csv.reader(lines, strict=True))]
        _check_utf8("".join(names))
    except (StopIteration, csv.Error, TooLong, ValueError):
        names = []
    if not names or not all(names) or len(set(names)) < len(names):
        raise Failure("The first row of a CSV file must name the fields, each once: id,displayName,login")
    return names


def _nested(row: dict[str, str]) -> dict[str, Any]:
    """Return a row as an object. An empty cell is no field; `publication.age` is `age` inside `publication`."""
    record: dict[str, Any] = {}
    for name, text in row.items():
        if not text:
            continue
        value: Any = text
        if name in ("age", "created") and text.isdecimal():
            value = int(text)
        elif name == "visible" and text.lower() in ("true", "false"):
            value = text.lower() == "true"
        outer, dot, inner = name.partition(".")
        if dot:
            record.setdefault(outer, {})[inner] = value
        else:
            record[name] = value
    return record


def _refuse(name: str) -> None:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)


def _check_utf8(text: str) -> None:
    """Raise UnicodeEncodeError (a ValueError) if the bytes of the text were not UTF-8."""
    text.encode()


def _shown(text: str) -> str:
    return text.strip().encode("utf-8", "replace").decode()[:1000]
