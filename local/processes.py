"""Other processes, by their ids."""

from __future__ import annotations

import os
import time

_POLL_SECONDS = 0.2


def is_running(pid: int) -> bool:
    """Return whether this user has a process with this id."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def await_end(pid: int) -> None:
    """Return when the process has ended. It need not be a child of this one."""
    while is_running(pid):
        time.sleep(_POLL_SECONDS)
