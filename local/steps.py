"""The lines that say what a start does, and how many seconds each step takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print a step before it begins, and its seconds on the same line when it ends."""
    print(f"{text} ...", end=" ", flush=True)
    started = time.monotonic()
    ended = "stopped"
    try:
        yield
        ended = f"{time.monotonic() - started:.1f} s"
    finally:
        print(ended, flush=True)
