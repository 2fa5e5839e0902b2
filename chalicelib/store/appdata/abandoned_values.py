"""Notes of the values that a deletion of everything leaves behind: written in its transaction, cleared afterwards.

A note names the partition and epoch of own values that no ledger counts any more. No write can use that epoch again
(every write has a condition on the ledger's epoch), so a note may be handled late, twice or by several processes.

| item | pk | sk |
|---|---|---|
| note | `trash` | `<app>#<user>#<epoch>` |
"""

import time
from collections.abc import Callable

from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import API, SWEEP, on_table
from chalicelib.store.aws.items import beginning, key_of, typed
from chalicelib.store.aws.transactions import Transaction

# Notes are made in the transactions of ledger_changes.py.
NEEDS = (
    on_table("appdata", "BatchWriteItem", by=(SWEEP,)),
    # The overview counts the notes.
    on_table("appdata", "Query", by=(API, SWEEP)),
)

PARTITION = "trash"


class AbandonedValues:
    """The notes of abandoned values in one table."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def note(self, write: Transaction, ledger: Ledger) -> None:
        """Add a note of this ledger's own values to a transaction, or nothing if all its values are inline."""
        if ledger.has_own:
            write.put("note", self._table, typed((PARTITION, f"{ledger.partition}#{ledger.epoch}")))

    def waiting(self, limit: int) -> int:
        """Return the number of notes, at most `limit`."""
        return sum(1 for _ in self._dynamo.query(self._table, PARTITION, consistent=False, limit=limit))

    def sweep(self, seconds: float, now: Callable[[], float] = time.monotonic) -> int:
        """Delete the values that notes name, then the notes, for about `seconds`; return the number of deleted values.

        A note is deleted after all its values, so the next sweep continues one that was interrupted.
        """
        end, swept = now() + seconds, 0
        for note in self._dynamo.query(self._table, PARTITION, consistent=False):
            key = key_of(note)
            partition, epoch = key[1].rsplit("#", 1)
            left = self._dynamo.query(self._table, partition, beginning(epoch), consistent=True, only="pk, sk")
            swept += self._dynamo.delete_all(self._table, map(key_of, left))
            self._dynamo.delete_all(self._table, [key])
            if now() >= end:
                break
        return swept
