"""`migrate`: rewrite stored items to the newest format, in the background."""

import json
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from admin.client import Client
from admin.failures import INTERRUPTED, Failure
from admin.imports import MOST_WORKERS
from admin.session import Session, common

STATE = "migrate.progress.json"


@dataclass
class Count:
    """The counts of a table: items read, old, newer, rewritten, and the write units of rewriting the old ones."""

    items: int = 0
    old: int = 0
    newer: int = 0
    rewritten: int = 0
    units: int = 0

    def add(self, answer: dict[str, Any]) -> None:
        """Add the counts of one answer."""
        self.items += answer["items"]
        self.old += answer["old"]
        self.newer += answer["newer"]
        self.rewritten += answer["rewritten"]
        self.units += answer["writeUnits"]


@dataclass
class Pass:
    """One pass over all tables, which only counts (`check`) or rewrites: the counts, and the cursors of what is left.

    A segment is `<table>/<number>`; its cursor is None at its beginning.
    """

    check: bool
    left: dict[str, str | None]
    counts: dict[str, Count] = field(default_factory=dict)

    @classmethod
    def begin(cls, known: dict[str, Any], *, check: bool) -> "Pass":
        """Return a pass that has read nothing yet. `known` is the platform's description of its migration."""
        segments = {f"{table}/{n}": None for table in known["tables"] for n in range(known["segments"])}
        return cls(check, dict(segments), {table: Count() for table in known["tables"]})

    @property
    def total(self) -> Count:
        """The counts of all tables."""
        whole = Count()
        for count in self.counts.values():
            for name, number in asdict(count).items():
                setattr(whole, name, getattr(whole, name) + number)
        return whole


@dataclass
class Saved:
    """A migration, saved in a file after each answer, so that the next run can resume it."""

    path: Path
    identity: dict[str, Any]
    estimate: int = 0
    """The number of items that the first pass found."""
    rewriting: Pass | None = None

    @classmethod
    def begin(cls, path: Path, identity: dict[str, Any], *, restart: bool) -> "Saved":
        """Return the saved migration in `path`, or a new one. Raises Failure if it is one of another platform."""
        made = cls(path, identity)
        if restart or not path.exists():
            return made
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
            known, made.estimate = saved["identity"], saved["estimate"]
            counts = {table: Count(**count) for table, count in saved["counts"].items()}
            made.rewriting = Pass(False, saved["left"], counts)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Failure(f"{path} cannot be read; --restart starts from the beginning") from None
        if known != identity:
            raise Failure(f"{path} is of another platform or format; --restart starts from the beginning")
        return made

    def save(self) -> None:
        """Save the migration atomically."""
        if self.rewriting is None:
            return
        counts = {table: asdict(count) for table, count in self.rewriting.counts.items()}
        told = {"identity": self.identity, "estimate": self.estimate, "left": self.rewriting.left, "counts": counts}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(self.path)


@click.command(
    epilog="""\b
Examples:
  .venv/bin/python -m admin migrate --check
  .venv/bin/python -m admin migrate --yes
"""
)
@click.option("--check", is_flag=True, help="Only count, and print what a migration would cost.")
@click.option("--yes", is_flag=True, help="Do not ask before rewriting.")
@click.option("--restart", is_flag=True, help="Start again from the beginning.")
@click.option(
    "--workers", type=click.IntRange(1, MOST_WORKERS), default=8, show_default=True, help="Parallel requests."
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    default=STATE,
    show_default=True,
    help="The file with the progress of an unfinished migration.",
)
@common
def migrate(session: Session, check: bool, yes: bool, restart: bool, workers: int, state: Path) -> None:
    """Rewrite all stored items to the newest format, while the platform runs.

    Run it after an upgrade, when all functions have the new version. First it counts (half a read unit for each 4 KB
    stored) and prints the cost. It can be stopped at any time, and run again: it continues where it stopped. Running it
    twice is harmless: an item in the newest format stays as it is.
    """
    client = session.connect(connections=workers)
    with closing(client):
        known = client.get("migrations")
        identity = {"url": client.base_url, "format": known["format"]}
        saved = Saved.begin(state, identity, restart=restart or check)
        if check or saved.rewriting is None:
            counting = Pass.begin(known, check=True)
            _run(session, client, counting, workers, None)
            if check or not counting.total.old:
                _report(session, known, counting)
                return
            _ask(session, counting.total, yes=yes)
            saved.estimate, saved.rewriting = counting.total.items, Pass.begin(known, check=False)
        else:
            session.out.note(f"Continuing after {saved.rewriting.total.items} items.")
        _run(session, client, saved.rewriting, workers, saved)
        state.unlink(missing_ok=True)
    _report(session, known, saved.rewriting)


def _ask(session: Session, found: Count, *, yes: bool) -> None:
    session.out.note(f"{found.old} of {found.items} items have an older format: about {found.units} write units.")
    if not yes:
        click.confirm("Rewrite them?", abort=True, err=True)


def _run(session: Session, client: Client, work: Pass, workers: int, saved: Saved | None) -> None:
    """Send requests for all segments of a pass, `workers` at a time; add each answer, and save the progress."""
    stopping = Event()

    def send(segment: str) -> Any:
        table, _, number = segment.partition("/")
        cursor = work.left[segment]
        body = {"table": table, "segment": int(number), "check": work.check} | ({"cursor": cursor} if cursor else {})
        return None if stopping.is_set() else client.send("POST", ("migrations",), body)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="migrate")
    with _bar(session) as bar:
        task = bar.add_task("counting" if work.check else "rewriting", total=saved.estimate if saved else None)
        asked: dict[Future[Any], str] = {pool.submit(send, segment): segment for segment in work.left}
        try:
            while asked:
                for future in wait(asked, return_when=FIRST_COMPLETED).done:
                    segment = asked.pop(future)
                    answer = future.result()
                    work.counts[segment.partition("/")[0]].add(answer)
                    if following := answer.get("nextCursor"):
                        work.left[segment] = following
                        asked[pool.submit(send, segment)] = segment
                    else:
                        del work.left[segment]
                _save(saved)
                bar.update(task, completed=work.total.items)
        except KeyboardInterrupt:
            more = "the same command continues from there" if saved else "nothing was rewritten"
            raise Failure(f"Stopped after {work.total.items} items; {more}", INTERRUPTED, "interrupted") from None
        finally:
            _save(saved)
            stopping.set()
            pool.shutdown(cancel_futures=True)


def _save(saved: Saved | None) -> None:
    if saved:
        saved.save()


def _report(session: Session, known: dict[str, Any], work: Pass) -> None:
    out, total = session.out, work.total
    if out.as_json:
        tables = {table: asdict(count) for table, count in work.counts.items()}
        out.line({"format": known["format"], "check": work.check, "tables": tables, "rollback": known["rollback"]})
        return
    columns = ("table", "items", "old", "rewritten", "newer")
    out.many(({"table": table, **asdict(count)} for table, count in work.counts.items()), columns)
    if not total.old:
        click.echo(f"All items have format {known['format']}.")
    elif work.check:
        click.echo(f"{total.old} items to rewrite to format {known['format']}: about {total.units} write units.")
    else:
        click.echo(f"{total.rewritten} items rewritten to format {known['format']}.")
        click.echo(f"Rollback: {known['rollback']}")
    if total.newer:
        click.echo(
            f"{total.newer} items were stored by a newer version; this version cannot read them. Deploy that one."
        )


def _bar(session: Session) -> Bar:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without a terminal, the report at the end is enough.
    return Bar(*columns, console=console, disable=session.out.as_json or not console.is_terminal)
