"""The part that all commands share: the platform, the token and the output of a command."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import httpx

from admin.client import Client
from admin.failures import Failure
from admin.output import Output, Rows, one_row
from local.environment import Environment, Refused

URL_VARIABLE = "ENGAWA_ADMIN_URL"
TOKEN_VARIABLE = "ENGAWA_ADMIN_TOKEN"  # noqa: S105 (its name)


@dataclass
class Session:
    """The platform and output of one command. Connecting raises Failure if no platform or no token is known."""

    url: str | None
    token: str | None
    out: Output
    reason: str | None = None
    transport: httpx.BaseTransport | None = None

    @functools.cached_property
    def client(self) -> Client:
        """The connection to the platform."""
        return self.connect()

    def required_reason(self) -> str:
        """Return the reason of a command that needs one. Raises click.UsageError if it was not given."""
        if not self.reason:
            raise click.UsageError("Missing option '--reason'.", click.get_current_context())
        return self.reason

    def connect(self, **options: Any) -> Client:
        """Open a connection with its own options (see `Client`)."""
        url, token = target(self.url, self.token)
        return Client(url, token, transport=self.transport, reason=self.reason, **options)


def target(url: str | None, token: str | None) -> tuple[str, str]:
    """Return the base URL and the token: the given ones, or else those of the local platform.

    The local operator's token is used for the local platform only. Raises Failure if the URL or the token is missing.
    """
    local: dict[str, Any] = {}
    try:
        local = json.loads((Environment.read().directory / "demo.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass  # No local platform has run yet.
    except Refused as refused:
        raise Failure(str(refused)) from None
    url = (url or local.get("baseUrl", "")).rstrip("/")
    if not url:
        raise Failure(f"Which platform? Set --url or {URL_VARIABLE}, or start the local one: make serve")
    if not token and url == local.get("baseUrl"):
        token = local["tokens"]["operator"]
    if not token:
        raise Failure(f"No operator's token for {url}: give it in {TOKEN_VARIABLE} or with --token")
    return url, token


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every command has, and pass a Session as the first argument."""

    @click.option(
        "--url",
        metavar="URL",
        envvar=URL_VARIABLE,
        help=f"The platform's base URL [env {URL_VARIABLE}; default: the local platform's].",
    )
    @click.option(
        "--token",
        metavar="TOKEN",
        envvar=TOKEN_VARIABLE,
        help=f"An access token with the scope admin [env {TOKEN_VARIABLE}; default: the local operator's]. The "
        "variable keeps it out of the process list.",
    )
    @click.option(
        "--reason",
        metavar="TEXT",
        help="Why, for the action log; at most 500 characters. Reading needs none.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line, instead of tables.")
    @click.pass_context
    @functools.wraps(command)
    def run(
        context: click.Context,
        /,
        *words: Any,
        url: str | None,
        token: str | None,
        reason: str | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        session = Session(url, token, Output(as_json=as_json), reason, context.obj)
        try:
            command(session, *words, **options)
        except Failure as failure:
            failure.as_json = as_json
            raise

    return run


def listing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a command that prints a list that may be long."""
    command = click.option("--cursor", metavar="CURSOR", help="Continue where an earlier list ended.")(command)
    return click.option(
        "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Entries to print; 0 prints all."
    )(command)


def finding(
    group: click.Group, kind: str, columns: tuple[str, ...], names: str, examples: Sequence[str]
) -> Callable[..., None]:
    """Add the command `find` to a group: it lists what the platform's search finds among a `kind` such as "users"."""
    shown = "\n".join(f"  .venv/bin/python -m admin {kind} find {example}" for example in examples)

    @group.command(
        "find", help=f"Find {kind} by id, or by the beginning of {names}.", epilog=f"\b\nExamples:\n{shown}\n"
    )
    @click.argument("text")
    @listing
    @common
    def find(session: Session, text: str, limit: int, cursor: str | None) -> None:
        print_list(session, (kind,), columns, limit, cursor, query={"find": text})

    return find


def print_list(
    session: Session,
    path: tuple[str, ...],
    columns: tuple[str, ...],
    limit: int = 0,
    cursor: str | None = None,
    *,
    query: Mapping[str, str] | None = None,
    rows: Rows = one_row,
) -> None:
    """Print the entries of a list and, if there are more, the cursor for the next call.

    `query` limits the list; `rows` makes the rows of a table from an entry.
    """
    left: list[str] = []

    def entries() -> Any:
        rest = yield from session.client.entries(*path, limit=limit or None, cursor=cursor, **(query or {}))
        left.extend([rest] if rest else [])

    session.out.many(entries(), columns, rows)
    for rest in left:
        print_rest(session, rest)


def print_rest(session: Session, cursor: str) -> None:
    """Say on standard error that a list has more entries, with the cursor for the next call."""
    session.out.note(f"There are more: --cursor {cursor}")
    if session.out.as_json:
        click.echo(json.dumps({"nextCursor": cursor}), err=True)
