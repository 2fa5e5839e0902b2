"""Which changed files make `chalice local` restart its worker.

Chalice's own search would also look into hidden folders, such as `.local/` with the data, which change with each write.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chalice.cli.filewatch import stat

from local.environment import ROOT

_UNWATCHED = frozenset({"__pycache__", "build"})
_WATCHED = ".chalice"
"""The only hidden folder with files that decide what is served."""


def watch_sources() -> None:
    """Make Chalice restart only for files that decide what is served.

    Chalice begins to look for changes while it imports the app. Until this function is called, it also restarts for
    files that the start itself has written.
    """
    known: dict[str, float] = {}

    def poll(self: stat.StatFileWatcher, root_dir: str, callback: Callable[[], None]) -> None:
        found = dict(_times(Path(root_dir)))
        changed = sorted(path for path, _ in known.items() ^ found.items()) if known else []
        known.clear()
        known.update(found)
        if changed:
            print(f"{changed[0]} has changed.", flush=True)
            callback()

    stat.StatFileWatcher._single_pass_poll = poll  # type: ignore[method-assign]
    try:
        from chalice.cli.filewatch import eventbased
    except ImportError:
        # watchdog, which Chalice prefers, is not installed.
        return
    root = Path.cwd()

    def on_any_event(self: Any, event: Any) -> None:
        paths = [Path(os.fsdecode(path)) for path in (event.src_path, getattr(event, "dest_path", "")) if path]
        if not event.is_directory and any(map(is_source, (path.relative_to(root) for path in paths))):
            self()

    eventbased.WatchdogRestarter.on_any_event = on_any_event  # type: ignore[method-assign]


def is_source(path: Path) -> bool:
    """Return whether a file of the project, by its relative path, decides what is served."""
    # Not at the top: this module must be imported quickly.
    from infra.site.builder import OUTPUT

    if path.is_relative_to(OUTPUT.relative_to(ROOT)):
        # A start builds the pages of the documentation if their sources have changed.
        return False
    return not any(part in _UNWATCHED or (part.startswith(".") and part != _WATCHED) for part in path.parts)


def _times(root: Path) -> Iterator[tuple[str, float]]:
    for folder, folders, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if is_source(inside / name)]
        for name in files:
            path = os.path.join(folder, name)
            try:
                if is_source(inside / name):
                    yield path, os.stat(path).st_mtime
            except FileNotFoundError:
                # Deleted since, or a link that leads nowhere.
                continue
