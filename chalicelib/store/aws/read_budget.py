"""How many items a request may read, where one request can ask for many reads (api/opensocial/rpc.py).

While a budget is counting, every read of the request, in whichever thread, is counted before it is sent. Otherwise
nothing is counted.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.core.errors import TooLarge

_current: ContextVar["Budget | None"] = ContextVar("budget", default=None)


class Budget:
    """A number of items that may still be read."""

    def __init__(self, items: int) -> None:
        self._items = items
        self._left = items
        self._lock = threading.Lock()

    def spend(self, items: int) -> None:
        """Count items that are about to be read. Raises TooLarge, and then the items are not to be read."""
        with self._lock:
            if items > self._left:
                raise TooLarge(f"The requests of the batch read too much (max={self._items} people and data)")
            self._left -= items

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the reads inside the block, which must not write: half way, nobody would know if a write had landed."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)


def spend(items: int) -> None:
    """Count items that are about to be read, if there is a budget. Raises TooLarge."""
    if budget := _current.get():
        budget.spend(items)
