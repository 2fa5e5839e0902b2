"""`log`: list the actions that were logged, by this command line, the API, the console and administrators of pages."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from admin.fields import MOMENT
from admin.output import as_json
from admin.session import Session, common, listing, print_list, print_rest
from chalicelib.core.codecs.actions_json import csv_lines

_COLUMNS = ("time", "actor", "kind", "target", "reason", "before", "after", "outcome")


@click.command("log")
@click.option("--actor", metavar="WHO", help="user:ID, cli, cli:CLIENT, operator-token or operator-token:CLIENT.")
@click.option("--target", metavar="WHAT", help="user:ID, app:ID or page:ID, with all its parts; or one part.")
@click.option("--kind", metavar="KIND", help="A kind such as user.erased, or the word before its dot.")
@click.option("--since", type=MOMENT, help="The time of the first entry.")
@click.option("--until", type=MOMENT, help="The time after the last entry.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, in which no cell is a formula of a spreadsheet.")
@listing
@common
def log(session: Session, as_csv: bool, limit: int, cursor: str | None, **given: Any) -> None:
    """Print logged actions, the newest first: who changed what, when and why."""
    query = {name: str(value) for name, value in given.items() if value is not None}
    if not as_csv:
        print_list(session, ("log",), _COLUMNS, limit, cursor, query=query, rows=lambda entry: (_row(entry),))
        return
    click.echo(csv_lines([]), nl=False)
    for entry in _entries(session, limit, cursor, query):
        click.echo(csv_lines([entry], header=False), nl=False)


def _entries(session: Session, limit: int, cursor: str | None, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the entries, and say on standard error if there are more."""
    rest = yield from session.client.entries("log", limit=limit or None, cursor=cursor, **query)
    if rest:
        print_rest(session, rest)


def _row(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**entry, **{name: _words(entry[name]) for name in ("before", "after")}}


def _words(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}: {as_json(value)}" for name, value in values.items()]
