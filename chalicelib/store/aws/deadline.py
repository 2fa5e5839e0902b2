"""The latest time at which a request may start a call to AWS, so that it is answered before Lambda ends it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.core.errors import Unavailable

CALL_SECONDS = 13.0
"""The longest time of a started call: two tries (bootstrap.py) of 1 second to connect and 5 to read, and a wait of up
to 1 second between them."""

_end: ContextVar[float | None] = ContextVar("end", default=None)


def _now() -> float:
    return time.monotonic()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Allow calls inside the block to start only if they will end within so many seconds from now."""
    before = _end.set(_now() + seconds - CALL_SECONDS)
    try:
        yield
    finally:
        _end.reset(before)


def check() -> None:
    """Raise Unavailable if no further call may start; never outside of `within`."""
    end = _end.get()
    if end is not None and _now() >= end:
        raise Unavailable
