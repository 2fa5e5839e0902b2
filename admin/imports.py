"""`import`: import records of one kind from a file of any length, or an export."""

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from admin.client import Client
from admin.dry_run import LineResult, Seen, check, read_all
from admin.failures import INTERRUPTED, REJECTS, Failure
from admin.folder import SCOPES, file_of, opened, read_manifest
from admin.load import Loaded, load
from admin.progress import Progress, Tally
from admin.records import Record
from admin.session import Session, common

MOST_WORKERS = 32
_ONE_WORKER = frozenset({"modules", "administrators", "followers", "feeds", "comments", "favorites"})
"""Kinds whose neighbours in a file change the same page or content: parallel requests would wait for each other. Feeds
and comments must be imported in order.
"""


@click.group("import")
def import_() -> None:
    """Import an export, or records of one kind from a file of any length.

    FILE is JSON Lines (.jsonl, .ndjson) or CSV (.csv, whose first row names the fields), in UTF-8. EXPORT is a folder
    or a .zip file that `export` has written.

    It can be stopped at any time, and run again: it continues where it stopped (its progress is stored in
    FILE.progress.json). A record that exists already stays as it is, so importing twice is harmless. Refused records
    do not stop it; they are written to FILE.rejects.jsonl, with line and reason, and the exit status is 4.

    With --dry-run, nothing is stored: it prints each line that would be refused, and the number of records that would
    be created.
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--dry-run", is_flag=True, help="Store nothing; print what is wrong, line by line."),
        click.option("--verbose", is_flag=True, help="With --dry-run: also print the lines that would be imported."),
        click.option("--restart", is_flag=True, help="Start again from the beginning."),
        click.option(
            "--workers", type=click.IntRange(1, MOST_WORKERS), default=8, show_default=True, help="Parallel requests."
        ),
    ):
        command = option(command)
    return command


def _file(command: Callable[..., None]) -> Callable[..., None]:
    argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    return argument(_options(command))


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
def import_users(session: Session, file: Path, **options: Any) -> None:
    """Import users. Each record has an `id` and a `displayName`."""
    _import_file(session, "users", file, **options)


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
def import_friendships(session: Session, file: Path, **options: Any) -> None:
    """Import friendships, each once, of users that exist."""
    _import_file(session, "friendships", file, **options)


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
def import_installs(session: Session, file: Path, **options: Any) -> None:
    """Import installs of apps by users."""
    _import_file(session, "installs", file, **options)


@import_.command(
    "apps",
    epilog="""\b
JSON Lines: every field of the API, and optionally a secret. A confidential app without one gets a new secret.
  {"id": "6d1f0c2ab4e79853", "name": "Quest", "redirectUris": ["https://game.example/back"], "scopes": ["mixi_apps2"]}
""",
)
@_file
@common
def import_apps(session: Session, file: Path, **options: Any) -> None:
    """Import apps. Each record has an `id` and a `name`."""
    _import_file(session, "apps", file, **options)


@import_.command(
    "data",
    epilog="""\b
JSON Lines, with at most 99 values in a line; a user's data may be in several lines.
  {"user": "k3v9x2mtq7ra", "app": "6d1f0c2ab4e79853", "data": {"level": "6", "name": "花"}}
""",
)
@_file
@common
def import_data(session: Session, file: Path, **options: Any) -> None:
    """Import users' data in apps that they have installed. It does not count as writing."""
    _import_file(session, "data", file, **options)


@import_.command("pages")
@_file
@common
def import_pages(session: Session, file: Path, **options: Any) -> None:
    """Import pages. Each record has an `id` and a `name`."""
    _import_file(session, "pages", file, **options)


@import_.command("modules")
@_file
@common
def import_modules(session: Session, file: Path, **options: Any) -> None:
    """Import modules of pages: `page`, `id`, `app` and `name`."""
    _import_file(session, "modules", file, **options)


@import_.command("administrators")
@_file
@common
def import_administrators(session: Session, file: Path, **options: Any) -> None:
    """Import administrators of pages: `page` and `user`."""
    _import_file(session, "administrators", file, **options)


@import_.command("followers")
@_file
@common
def import_followers(session: Session, file: Path, **options: Any) -> None:
    """Import followers of pages: `page` and `user`."""
    _import_file(session, "followers", file, **options)


@import_.command("feeds")
@_file
@common
def import_feeds(session: Session, file: Path, **options: Any) -> None:
    """Import feeds, those of a page in the order of their ids. Their images are in the folder images beside FILE."""
    _import_file(session, "feeds", file, **options)


@import_.command("comments")
@_file
@common
def import_comments(session: Session, file: Path, **options: Any) -> None:
    """Import comments, those of a feed in the order of their ids."""
    _import_file(session, "comments", file, **options)


@import_.command("favorites")
@_file
@common
def import_favorites(session: Session, file: Path, **options: Any) -> None:
    """Import favorites: `page`, `contentUri`, `user`, `created`."""
    _import_file(session, "favorites", file, **options)


@import_.command("grants")
@_file
@common
def import_grants(session: Session, file: Path, **options: Any) -> None:
    """Import grants with the hashes of refresh tokens, as an export writes them."""
    _import_file(session, "grants", file, **options)


def _export_command(scope: str, contents: str) -> None:
    """Add the command that imports an export of a scope."""

    @import_.command(scope, help=f"Import an export of {contents}, made by `export {scope}`.")
    @click.argument("export", type=click.Path(exists=True, path_type=Path))
    @_options
    @common
    def import_export(session: Session, export: Path, **options: Any) -> None:
        with opened(export) as folder:
            _import_folder(session, scope, folder, **options)


for _scope, _contents in (
    ("platform", "a whole platform"),
    ("app", "an app"),
    ("user", "a user"),
    ("page", "a page"),
):
    _export_command(_scope, _contents)


def _import_file(
    session: Session, kind: str, path: Path, *, dry_run: bool, verbose: bool, workers: int, restart: bool
) -> None:
    if dry_run:
        _dry_run(session, {kind: path}, workers=workers, verbose=verbose)
        return
    progress = _run(session, kind, path, workers, restart=restart)
    progress.finish()
    _report(session, kind, progress)
    if progress.tally.refused:
        raise Failure(f"The refused records are in {progress.rejects}", REJECTS, "records_refused")


def _import_folder(
    session: Session, scope: str, folder: Path, *, dry_run: bool, verbose: bool, workers: int, restart: bool
) -> None:
    manifest = read_manifest(folder)
    if manifest.scope != scope:
        raise Failure(f"{folder} is an export of another kind: use import {manifest.scope}")
    files = {kind: file_of(folder, kind) for kind in SCOPES[scope] if file_of(folder, kind).exists()}
    if dry_run:
        _dry_run(session, files, workers=workers, verbose=verbose)
        return
    done: dict[str, Progress] = {}
    for kind, path in files.items():
        # The progress of a finished file stays until all are finished: the next run then skips the file.
        done[kind] = _run(session, kind, path, workers, restart=restart)
    for kind, progress in done.items():
        progress.finish()
        _report(session, kind, progress)
    if rejects := [str(progress.rejects) for progress in done.values() if progress.tally.refused]:
        raise Failure(f"The refused records are in {', '.join(rejects)}", REJECTS, "records_refused")


def _dry_run(session: Session, files: Mapping[str, Path], *, workers: int, verbose: bool) -> None:
    client = session.connect(connections=workers)
    refused = 0
    with closing(client), closing(Seen()) as seen:
        for kind, path in files.items():
            tally = Tally()
            for result in check(client, kind, path, seen, workers=workers, tally=tally):
                if verbose or result.status == "refused":
                    _print_line(session, path, result)
            refused += tally.refused
            sentence = f"{kind}: {tally.created} would be created, {tally.unchanged} unchanged, {tally.refused} refused"
            session.out.done(sentence, {"kind": kind, "dryRun": True, **asdict(tally)})
    if refused:
        raise Failure(f"{refused} records would be refused", REJECTS, "records_refused")


def _print_line(session: Session, path: Path, result: LineResult) -> None:
    told = {"file": path.name, "line": result.line, "status": result.status}
    reason = f"{result.status} ({result.error}: {result.description})" if result.error else result.status
    if result.error:
        told |= {"error": result.error, "error_description": result.description or ""}
    session.out.done(f"{path.name}:{result.line}: {reason}", told)


def _run(session: Session, kind: str, path: Path, workers: int, *, restart: bool) -> Progress:
    """Import the records of a file that are left, and return the progress, which is saved and not finished."""
    stopping = threading.Event()
    workers = 1 if kind in _ONE_WORKER else workers
    client = session.connect(connections=workers, sleep=stopping.wait)
    with closing(client), path.open("rb") as file:
        progress = Progress.begin(path, file, kind, client.base_url, restart=restart)
        if progress.place.offset:
            session.out.note(f"Continuing after line {progress.place.line}.")
        _load(session, client, kind, path, progress, workers, stopping)
    return progress


def _load(
    session: Session, client: Client, kind: str, path: Path, progress: Progress, workers: int, stopping: threading.Event
) -> None:
    # Another handle of the file holds the lock.
    with path.open("rb") as source, _bar(session, path, progress) as bar:
        task = bar.add_task(kind, total=path.stat().st_size, completed=progress.place.offset, tally=progress.tally)
        records = read_all(kind, path, source, progress.place)
        loaded = load(client, kind, records, workers=workers, stopping=stopping)
        try:
            with closing(loaded):
                for part in loaded:
                    take_in(progress, part)
                    bar.update(task, completed=progress.place.offset, tally=progress.tally)
        except KeyboardInterrupt:
            again = f"Stopped after line {progress.place.line}; the same command continues from there"
            raise Failure(again, INTERRUPTED, "interrupted") from None
        bar.update(task, completed=path.stat().st_size)


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
                refused.append({"line": record.line, **reason, "record": _shown(record)})
    progress.reject(refused)
    progress.place = part.after
    progress.save()


def _shown(record: Record) -> Any:
    """Return a record without the bytes of images, which are in files beside it; or the line that is no record."""
    if record.value is None:
        return record.raw
    return {name: value for name, value in record.value.items() if name != "imageFiles"}


def _report(session: Session, kind: str, progress: Progress) -> None:
    tally: Tally = progress.tally
    sentence = f"{kind}: {tally.created} created, {tally.unchanged} unchanged, {tally.refused} refused"
    told = {"kind": kind, **asdict(tally)} | ({"rejects": str(progress.rejects)} if tally.refused else {})
    session.out.done(sentence, told)


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
