"""Signals that ask a process to stop.

Python runs a handler in the main thread, in the midst of anything, another handler included: one that took a lock could
wait for itself for ever. So no handler here takes one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType


def asking_to_stop() -> Iterator[signal.Signals]:
    """Ctrl-C, `kill`, and the terminal's end, but where that is ignored, which means nohup."""
    yield signal.SIGINT
    yield signal.SIGTERM
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


class Wakeup:
    """What the main thread waits for: a signal that asks to stop, or a call of `wake`.

    The handlers do nothing. What wakes is the byte that Python itself writes into a pipe for each signal.
    """

    def __init__(self) -> None:
        """Take the signals from now on. In the main thread alone."""
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in asking_to_stop():
            signal.signal(number, _nothing)

    def wait(self) -> None:
        """Return once a signal has come, or `wake` was called."""
        os.read(self._reading, 1)

    def wake(self) -> None:
        """Have `wait` return. From any thread."""
        # A full pipe wakes as well.
        with suppress(BlockingIOError):
            os.write(self._writing, b"\0")


def interrupt_once() -> None:
    """Have the first signal that asks to stop raise KeyboardInterrupt, and the others do nothing.

    So what cleans up after the first one is not interrupted itself.
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
