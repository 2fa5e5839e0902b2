"""What deleting everything leaves behind, noted in the same transaction and cleared afterwards.

A note names the partition and epoch of own values that no ledger counts any more. Nobody can write into that epoch
again (every write is conditioned on the ledger's), so the notes may be worked off late, twice or by several at once.

| item | pk | sk |
|---|---|---|
| note | `trash` | `<app>#<user>#<epoch>` |
"""

import time
from collections.abc import Callable

from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import SWEEP, on_table
from chalicelib.store.aws.items import beginning, key_of, typed
from chalicelib.store.aws.transactions import Transaction

# Notes are made in the transactions of ledger_changes.py.
NEEDS = (on_table("appdata", "Query", "BatchWriteItem", by=(SWEEP,)),)

PARTITION = "trash"


class AbandonedValues:
    """The notes of one table."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def note(self, write: Transaction, ledger: Ledger) -> None:
        """Add to a transaction the note of what this ledger leaves behind; nothing if all its values are inline."""
        if ledger.has_own:
            write.put("note", self._table, typed((PARTITION, f"{ledger.partition}#{ledger.epoch}")))

    def sweep(self, seconds: float, now: Callable[[], float] = time.monotonic) -> int:
        """Delete what notes name, then the notes, for about `seconds`; how many own values went.

        A note goes only after all that it names, so one that is cut short is taken up again by the next sweep.
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
