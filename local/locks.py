"""Lock files that the kernel releases when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


class Held(Exception):
    """Another process holds the lock; `pid` is its id, or 0 if it has not written its id yet."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


def hold(path: Path, seconds: float = 0) -> int:
    """Lock `path` until this process ends, and write the process id there.

    Waits up to `seconds`, then raises Held. Returns the open file; closing it releases the lock.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    while not _try(file):
        if time.monotonic() >= deadline:
            os.close(file)
            raise Held(holder(path))
        time.sleep(0.05)
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)
    return file


def is_held(path: Path) -> bool:
    """Return whether any process (also this one) holds the lock."""
    try:
        os.close(hold(path))
    except Held:
        return True
    return False


def holder(path: Path) -> int:
    """Return the id of the last process that has held the lock, or 0 if none has written its id yet."""
    pid = path.read_text(encoding="ascii")
    return int(pid) if pid.isdigit() else 0


def _try(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
