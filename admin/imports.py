"""`import`: import users, friendships or installs from a file of any length."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from admin.failures import INTERRUPTED, REJECTS, Failure
from admin.load import Loaded, load
from admin.progress import Progress, Tally
from admin.records import read
from admin.session import Session, common

MOST_WORKERS = 32


@click.group("import")
def import_() -> None:
    """Import users, friendships or installs from a file, of any length.

    FILE is JSON Lines (.jsonl, .ndjson) or CSV (.csv, whose first row names the fields), in UTF-8.

    It can be stopped at any time, and run again: it continues where it stopped (its progress is stored in
    FILE.progress.json). A record that exists already stays as it is, so importing twice is harmless. Refused records
    do not stop it; they are written to FILE.rejects.jsonl, with line and reason, and the exit status is 4.
    """


def _file(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--restart", is_flag=True, help="Start again from the beginning."),
        click.option(
            "--workers", type=click.IntRange(1, MOST_WORKERS), default=8, show_default=True, help="Parallel requests."
        ),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command


@import_.command(
    "users",
    epilog="""\b
JSON Lines: every field of the API, and optionally a password.
  {"id": "k3v9x2mtq7ra", "displayName": "花", "login": "hana", "publication": {"age": "nobody"}}
\b
CSV: the same names; an empty cell is an absent field, a dot separates a field from the one inside it.
  id,displayName,login,birthday,publication.birthday
  k3v9x2mtq7ra,花,hana,1990-04-01,nobody
\b
Each user with a password takes about 0.25 seconds of the server's time: passwords are hashed slowly on purpose.
""",
)
@_file
@common
def import_users(session: Session, file: Path, workers: int, restart: bool) -> None:
    """Import users. Each record has an `id` and a `displayName`."""
    _run(session, "users", file, workers, restart)


@import_.command(
    "friendships",
    epilog="""\b
JSON Lines: {"user": "k3v9x2mtq7ra", "friend": "a8d1p0zzk4wn"}
CSV:        user,friend
            k3v9x2mtq7ra,a8d1p0zzk4wn
""",
)
@_file
@common
def import_friendships(session: Session, file: Path, workers: int, restart: bool) -> None:
    """Import friendships, each once, of users that exist."""
    _run(session, "friendships", file, workers, restart)


@import_.command(
    "installs",
    epilog="""\b
JSON Lines: {"user": "k3v9x2mtq7ra", "app": "6d1f0c2ab4e79853"}
CSV:        user,app
            k3v9x2mtq7ra,6d1f0c2ab4e79853
""",
)
@_file
@common
def import_installs(session: Session, file: Path, workers: int, restart: bool) -> None:
    """Import installs of apps by users."""
    _run(session, "installs", file, workers, restart)


def _run(session: Session, kind: str, path: Path, workers: int, restart: bool) -> None:
    stopping = threading.Event()
    client = session.connect(connections=workers, sleep=stopping.wait)
    with closing(client), path.open("rb") as file:
        progress = Progress.begin(path, file, kind, client.base_url, restart=restart)
        if progress.place.offset:
            session.out.note(f"Continuing after line {progress.place.line}.")
        # `file` holds the lock; records are read from a second handle.
        with path.open("rb") as source, _bar(session, path, progress) as bar:
            task = bar.add_task(kind, total=path.stat().st_size, completed=progress.place.offset, tally=progress.tally)
            loaded = load(client, kind, read(path, source, progress.place), workers=workers, stopping=stopping)
            try:
                with closing(loaded):
                    for part in loaded:
                        take_in(progress, part)
                        bar.update(task, completed=progress.place.offset, tally=progress.tally)
            except KeyboardInterrupt:
                again = f"Stopped after line {progress.place.line}; the same command continues from there"
                raise Failure(again, INTERRUPTED, "interrupted") from None
            bar.update(task, completed=path.stat().st_size)
        progress.finish()
    _report(session, kind, progress)


def take_in(progress: Progress, part: Loaded) -> None:
    """Save the outcomes of a batch: first the refused records, then the progress of the import."""
    tally, refused = progress.tally, []
    for record, outcome in zip(part.records, part.outcomes, strict=True):
        match outcome["status"]:
            case "created":
                tally.created += 1
            case "unchanged":
                tally.unchanged += 1
            case _:
                tally.refused += 1
                reason = {"error": outcome.get("error"), "error_description": outcome.get("error_description")}
                refused.append({"line": record.line, **reason, "record": record.value or record.raw})
    progress.reject(refused)
    progress.place = part.after
    progress.save()


def _report(session: Session, kind: str, progress: Progress) -> None:
    tally: Tally = progress.tally
    sentence = f"{kind}: {tally.created} created, {tally.unchanged} unchanged, {tally.refused} refused"
    told = {"kind": kind, **asdict(tally)} | ({"rejects": str(progress.rejects)} if tally.refused else {})
    session.out.done(sentence, told)
    if tally.refused:
        raise Failure(f"The refused records are in {progress.rejects}", REJECTS, "records_refused")


def _bar(session: Session, path: Path, progress: Progress) -> Bar:
    console = Console(stderr=True)
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(
            "{task.fields[tally].created} created, {task.fields[tally].unchanged} unchanged, "
            "{task.fields[tally].refused} refused"
        ),
        TimeRemainingColumn(),
        console=console,
        # Without a terminal, the report at the end is enough.
        disable=session.out.as_json or not console.is_terminal,
    )
