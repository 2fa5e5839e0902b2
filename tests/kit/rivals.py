"""What another process does just before a transaction of the code under test."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest.mock import patch

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.transactions import Transaction


def meanwhile(act: Callable[[], object]) -> AbstractContextManager[object]:
    """Return a patch by which `act` comes once, between what the next transaction was made from and its commit."""
    commit = Dynamo.commit
    waiting = [act]

    def committing(dynamo: Dynamo, write: Transaction) -> None:
        if waiting:
            waiting.pop()()
        commit(dynamo, write)

    return patch.object(Dynamo, "commit", committing)
