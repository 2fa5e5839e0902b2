"""Output: tables for people, JSON for programs. Notes are printed to standard error, so that output can be piped."""

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 200
_TIMES = {"created", "disabled", "expires", "first", "handled", "hidden", "latest", "seen", "suspended", "time"} | {
    "used",
    "oldSecretUntil",
    "oldSecretUsed",
    "secretCreated",
    "secretUsed",
}
"""Fields of responses that hold milliseconds since the epoch."""
_LEFT_BY_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line separators and surrogates that `json.dumps` leaves unescaped in a string."""

Rows = Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]]
"""A function that returns the rows of a table for an entry of a list."""


def one_row(thing: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the entry as its only row."""
    return (thing,)


class Output:
    """The output of a command. With `as_json`, it is one JSON object per line, and one line per entry of a list."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def one(self, thing: Mapping[str, Any]) -> None:
        """Print one object: its names and values."""
        if self.as_json:
            self.line(thing)
            return
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for name, value in _flat(thing):
            if value not in (None, "", []):
                table.add_row(name, _cell(name, value))
        self._print(table)

    def many(self, things: Iterable[Mapping[str, Any]], columns: Sequence[str], rows: Rows = one_row) -> None:
        """Print a list as a table with these fields of the rows of each entry as columns."""
        if self.as_json:
            for thing in things:
                self.line(thing)
            return
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold", no_wrap=column == "id")
        for row in (row for thing in things for row in rows(thing)):
            flat = dict(_flat(row))
            table.add_row(*(_cell(column, flat.get(column)) for column in columns))
        self._print(table)

    def line(self, thing: Any) -> None:
        """Print one line of JSON."""
        click.echo(as_json(thing))

    def done(self, sentence: str, told: Mapping[str, Any]) -> None:
        """Print the result of a change: `told` as JSON, or `sentence` for people."""
        if self.as_json:
            self.line(told)
        else:
            click.echo(printable(sentence))

    def note(self, sentence: str) -> None:
        """Print a note to standard error, for people only."""
        if not self.as_json:
            click.echo(printable(sentence), err=True)

    def _print(self, table: Table) -> None:
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        console = Console(width=width, highlight=False)
        with console.capture() as captured:
            console.print(table)
        for line in captured.get().splitlines():
            if line.strip():
                click.echo(line.rstrip())


def printable(text: str) -> str:
    """Return text without terminal control sequences: control characters are replaced, except line ends."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) == "Cc" and each != "\n" else each for each in text
    )


def as_json(thing: Any, indent: int | None = None) -> str:
    """Return JSON that is safe for a terminal: control characters are escaped, other text is kept."""
    text = json.dumps(thing, ensure_ascii=False, indent=indent)
    return _LEFT_BY_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _flat(thing: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in thing.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _cell(name: str, value: Any) -> Text:
    if name in _TIMES and type(value) is int:
        value = datetime.fromtimestamp(value / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
    match value:
        case None:
            return Text("")
        case bool():
            return Text("yes" if value else "no")
        case list():
            return Text("\n".join(printable(str(each)) for each in value))
    return Text(printable(str(value)))
