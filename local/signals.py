"""Signals that ask a process to stop.

Python runs a handler in the main thread and may interrupt any code for it, even another handler. A handler that takes a
lock could wait for itself forever, so no handler here takes a lock.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType


def asking_to_stop() -> Iterator[signal.Signals]:
    """Yield the signals of Ctrl-C, `kill`, and the terminal's end; the last one not if it is ignored (nohup)."""
    yield signal.SIGINT
    yield signal.SIGTERM
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


class Wakeup:
    """A wait of the main thread for a signal that asks to stop, or for a call of `wake`.

    The handlers do nothing: for each signal Python itself writes a byte into a pipe, and this byte ends the wait.
    """

    def __init__(self) -> None:
        """Handle the signals from now on. Call it in the main thread only."""
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in asking_to_stop():
            signal.signal(number, _nothing)

    def wait(self) -> None:
        """Return when a signal has arrived or `wake` was called."""
        os.read(self._reading, 1)

    def wake(self) -> None:
        """Let `wait` return. Any thread may call this."""
        # A full pipe also ends the wait.
        with suppress(BlockingIOError):
            os.write(self._writing, b"\0")


def interrupt_once() -> None:
    """Let the first signal that asks to stop raise KeyboardInterrupt, and ignore the later ones.

    So a later signal does not interrupt the cleanup.
    """
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    for number in asking_to_stop():
        signal.signal(number, interrupt)


def _nothing(number: int, frame: FrameType | None) -> None:
    pass
