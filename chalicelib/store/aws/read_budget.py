"""How much a request may read, where one request can ask for many reads (api/opensocial/rpc.py).

It counts 4 KB blocks of items, as DynamoDB does: a small item is one, and so is one that is not there. While a budget
counts, every read of the request is counted, in whichever thread. Otherwise nothing is counted.
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
    """A number of blocks that may still be read."""

    def __init__(self, blocks: int) -> None:
        self._most = blocks
        self._left = blocks
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise TooLarge if nothing is left."""
        if self._left <= 0:
            raise TooLarge(f"The requests of the batch read too much (max={self._most} people and data)")

    def spend(self, blocks: int, *, refuses: bool) -> None:
        """Count blocks. If it `refuses`, raises TooLarge for more than are left; then none is left."""
        with self._lock:
            refused = refuses and blocks > self._left
            self._left = max(0, self._left - blocks)
        if refused:
            self.check()

    @contextmanager
    def counting(self, *, refuses: bool = True) -> Iterator[None]:
        """Count the reads inside the block. Raises TooLarge if nothing is left.

        If it `refuses`, a read too many raises TooLarge. A write must not be refused half way, since nobody would know
        if it had landed.
        """
        self.check()
        before = _current.set((self, refuses))
        try:
            yield
        finally:
            _current.reset(before)


def spend(blocks: int) -> None:
    """Count blocks, or keys that are about to be read, if there is a budget. Raises TooLarge: do not read them then."""
    if current := _current.get():
        budget, refuses = current
        budget.spend(blocks, refuses=refuses)


def found(items: Iterable[Item]) -> None:
    """Count what items have beyond their first block, as soon as that is known. Raises TooLarge."""
    if _current.get():
        spend(sum(_blocks(item_size(item)) - 1 for item in items))


def queried(items: Iterable[Item]) -> None:
    """Count a page of a query, which is rounded up as a whole. Raises TooLarge."""
    if _current.get():
        spend(_blocks(sum(map(item_size, items))))


def _blocks(size: int) -> int:
    return int(read_units(size, consistent=True))
