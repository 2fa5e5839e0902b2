"""A limit on the reads of a request that can ask for many reads (api/opensocial/rpc.py).

A budget counts 4 KB blocks of items, as DynamoDB does: a small item is one block, and so is a missing item. While a
budget is active, it counts every read of the request, in all threads. Otherwise nothing is counted.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chalicelib.core.errors import TooLarge
from chalicelib.store.aws.item_size import item_size, read_units
from chalicelib.store.aws.items import Item

_current: ContextVar["tuple[Budget, bool] | None"] = ContextVar("budget", default=None)


class Budget:
    """The number of blocks that may still be read."""

    def __init__(self, blocks: int) -> None:
        self._most = blocks
        self._left = blocks
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise TooLarge if nothing is left."""
        if self._left <= 0:
            raise TooLarge(f"The requests of the batch read too much (max={self._most} people and data)")

    def spend(self, blocks: int, *, refuses: bool) -> None:
        """Count blocks. If `refuses`, raises TooLarge for more blocks than are left; after that none are left."""
        with self._lock:
            refused = refuses and blocks > self._left
            self._left = max(0, self._left - blocks)
        if refused:
            self.check()

    @contextmanager
    def counting(self, *, refuses: bool = True) -> Iterator[None]:
        """Count the reads inside the `with` block. Raises TooLarge if nothing is left.

        If `refuses`, a read beyond the budget raises TooLarge. A write must not be refused halfway: its result would
        be unknown.
        """
        self.check()
        before = _current.set((self, refuses))
        try:
            yield
        finally:
            _current.reset(before)


def spend(blocks: int) -> None:
    """Count blocks, or keys before they are read, if a budget is active. If it raises TooLarge, do not read them."""
    if current := _current.get():
        budget, refuses = current
        budget.spend(blocks, refuses=refuses)


def found(items: Iterable[Item]) -> None:
    """Count the blocks of items after their first one, as soon as the sizes are known. Raises TooLarge."""
    if _current.get():
        spend(sum(_blocks(item_size(item)) - 1 for item in items))


def queried(items: Iterable[Item]) -> None:
    """Count one page of a query; its total size is rounded up. Raises TooLarge."""
    if _current.get():
        spend(_blocks(sum(map(item_size, items))))


def _blocks(size: int) -> int:
    return int(read_units(size, consistent=True))
