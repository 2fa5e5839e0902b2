"""`export`: export a platform, an app, a page or a user into a folder or a zip file."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from admin.client import Client
from admin.failures import INTERRUPTED, Failure
from admin.folder import IMAGES, MANIFEST, SCOPES, file_of, locked, pack, take_images_out, write_manifest, write_private
from admin.output import as_json
from admin.session import Session, common
from chalicelib.core.bulk_import import KINDS

PROGRESS = "export.progress.json"
COUNT = "100"


@click.group()
def export() -> None:
    """Export a platform, an app, a page or a user, for `import`.

    TARGET is a new folder, or a file that ends in .zip. It gets a JSON Lines file for each kind of records, and a
    manifest. An export can be stopped at any time: the same command continues where it stopped. The platform keeps
    running, and records may change during the export; for an exact copy, stop all writes first.
    """


def _target(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--secrets", is_flag=True, help="Also export password hashes and apps' secrets."),
        click.option("--grants", is_flag=True, help="Also export grants, with the hashes of their refresh tokens."),
        click.option("--restart", is_flag=True, help="Delete an unfinished export and start again."),
        click.argument("target", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


@export.command(
    "platform",
    epilog="""\b
Example:
  .venv/bin/python -m admin export platform 2026-11-29 --secrets
""",
)
@_target
@common
def export_platform(session: Session, target: Path, **options: bool) -> None:
    """Export all users, apps, friendships, installs, data, pages, feeds with images, comments and favorites."""
    _export(session, {"scope": "platform"}, target, **options)


@export.command(
    "app",
    epilog="""\b
Example:
  .venv/bin/python -m admin export app 6d1f0c2ab4e79853 quest.zip
""",
)
@click.argument("app")
@_target
@common
def export_app(session: Session, app: str, target: Path, **options: bool) -> None:
    """Export an app, the users who have installed it, their data in it, and the friendships among them."""
    _export(session, {"scope": "app", "id": app}, target, **options)


@export.command("user")
@click.argument("user")
@_target
@common
def export_user(session: Session, user: str, target: Path, **options: bool) -> None:
    """Export a user, the user's friendships, installs and data, and the apps that the user has installed."""
    _export(session, {"scope": "user", "id": user}, target, **options)


@export.command("page")
@click.argument("page")
@_target
@common
def export_page(session: Session, page: str, target: Path, **options: bool) -> None:
    """Export a page with modules, administrators, followers (ids of apps and users), feeds, comments and favorites."""
    _export(session, {"scope": "page", "id": page}, target, **options)


@dataclass
class ExportProgress:
    """The progress of an export, saved after every answer: steps that are finished, and the place in the next one."""

    identity: dict[str, Any]
    step: int = 0
    cursor: str | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, identity: dict[str, Any]) -> "ExportProgress":
        """Return the saved progress in a folder, or a new one. Raises Failure if it is of another export."""
        path = folder / PROGRESS
        if not path.exists():
            if any(folder.iterdir()):
                raise Failure(f"{folder} exists already, and has files in it")
            return cls(identity)
        try:
            saved = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise Failure(f"{path} cannot be read; --restart starts from the beginning") from None
        if saved.identity != identity:
            raise Failure(f"{folder} has an unfinished export of something else; --restart deletes it")
        return saved

    def save(self, folder: Path) -> None:
        """Save the progress atomically."""
        write_private(folder / PROGRESS, json.dumps(asdict(self)))


def _export(
    session: Session, scope: Mapping[str, str], target: Path, *, secrets: bool, restart: bool, grants: bool = False
) -> None:
    zipped = target.suffix.lower() == ".zip"
    folder = target.with_name(f"{target.name}.unfinished") if zipped else target
    if zipped and target.exists():
        if not folder.is_dir():
            raise Failure(f"{target} exists already")
        # Only a run that died after it had packed the file leaves its folder beside it.
        with locked(folder):
            shutil.rmtree(folder)
        session.out.done(f"An earlier run has exported to {target}.", {"output": str(target)})
        return
    client = session.client
    with locked(folder):
        if restart:
            for name in (PROGRESS, MANIFEST, *(f"{kind}.jsonl" for kind in KINDS)):
                (folder / name).unlink(missing_ok=True)
            shutil.rmtree(folder / IMAGES, ignore_errors=True)
        progress = ExportProgress.begin(folder, {**scope, "url": client.base_url, "secrets": secrets, "grants": grants})
        if progress.counts:
            session.out.note(f"Continuing after {sum(progress.counts.values())} records.")
        # From here on, the same command continues.
        progress.save(folder)
        try:
            export_to(client, folder, progress)
        except KeyboardInterrupt:
            raise Failure("Stopped; the same command continues from there", INTERRUPTED, "interrupted") from None
        created = datetime.now(UTC).isoformat(timespec="seconds")
        write_manifest(folder, {**progress.identity, "created": created}, progress.counts)
        # The progress is deleted last: an export that is cut short here is completed by the next run.
        if zipped:
            pack(folder, target)
        else:
            (folder / PROGRESS).unlink()
    counts = ", ".join(f"{count} {kind}" for kind, count in progress.counts.items())
    session.out.done(f"Exported to {target}: {counts}.", {"output": str(target), "records": progress.counts})


def export_to(client: Client, folder: Path, progress: ExportProgress) -> None:
    """Write the records that are left of an export into the files of a folder, and save the progress."""
    for kind in _kinds(progress.identity):
        path = file_of(folder, kind)
        path.touch(mode=0o600)
        progress.counts.setdefault(kind, 0)
        size = progress.sizes.setdefault(kind, 0)
        if path.stat().st_size < size:
            raise Failure(f"{path} is shorter than it was; --restart starts from the beginning")
        # Records written after the last save will be written again.
        os.truncate(path, size)
    for number, (kind, query) in enumerate(_steps(folder, progress.identity)):
        if number < progress.step:
            continue
        while True:
            place = {"cursor": progress.cursor} if progress.cursor else {}
            part = client.get("export", kind, count=COUNT, **query, **place)
            _append(file_of(folder, kind), part["entry"], kind, progress)
            progress.cursor = part.get("nextCursor")
            if not progress.cursor:
                progress.step = number + 1
            progress.save(folder)
            if not progress.cursor:
                break


def _append(path: Path, records: list[Any], kind: str, progress: ExportProgress) -> None:
    for record in records:
        if kind == "feeds":
            take_images_out(path.parent, record)
    with path.open("ab") as file:
        file.write("".join(as_json(record) + "\n" for record in records).encode("utf-8"))
        file.flush()
        # The progress must not reach the disk before the records, or a power cut would lose some.
        os.fsync(file.fileno())
        progress.sizes[kind] = file.tell()
    progress.counts[kind] += len(records)


def _steps(folder: Path, identity: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the lists to export: a kind, and the parameters that select its records. Data are a list for each app."""
    scope = identity["scope"]
    one = {} if scope == "platform" else {scope: identity["id"]}
    secrets = {"secrets": "true"} if identity["secrets"] else {}
    for kind in _kinds(identity):
        if kind == "data":
            yield from ((kind, one | {"app": app}) for app in _exported_apps(folder))
        else:
            yield kind, one | (secrets if kind in ("users", "apps") else {})


def _kinds(identity: Mapping[str, Any]) -> list[str]:
    return [kind for kind in SCOPES[identity["scope"]] if kind != "grants" or identity["grants"]]


def _exported_apps(folder: Path) -> Iterator[str]:
    with file_of(folder, "apps").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["id"]
