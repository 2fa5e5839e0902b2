"""Requests that are carried out once, however often they are sent with the same `Idempotency-Key`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.core.errors import StillRunning
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.transactions import Write

if TYPE_CHECKING:
    from chalicelib.store.idempotency_records import Lambda

Keep = Callable[[dict[str, Any]], Sequence[Write]]
"""The last writes of the transaction that does what is asked: those that keep its answer."""


def keep_none(answer: object) -> Sequence[Write]:
    """For a request without a key."""
    return ()


def check_kept(lost: Lost, first: int) -> None:
    """Raise StillRunning where the answer, from position `first` of the transaction on, was not this process's to keep.

    Then its time was over, and another that was sent the same request has followed.
    """
    if any(position >= first for position in lost.failed):
        raise StillRunning from None


class Once:
    """Answers, kept for 24 hours in the ephemeral table. `clock` gives milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def answer(
        self,
        name: Sequence[str],
        said: Mapping[str, Any],
        context: "Lambda",
        make: Callable[[Keep], dict[str, Any]],
    ) -> dict[str, Any]:
        """What `make` returns the first time, then that again. `name` is whose key it is, for what, and the key.

        `make` does what is asked in one transaction with the writes that keep its answer. `said` is what the request
        says, as JSON. Raises KeyReused (the key came with another request), StillRunning (the first has not ended, and
        Lambda's time for it is not over; or this one's was), Unavailable, and what `make` raises: a refused request is
        forgotten.
        """
        # Most requests bring no key: they do not wait for this import.
        from chalicelib.store.idempotency_records import Records, run_once

        records = Records(self._dynamo, self._table, self._clock, int(context.get_remaining_time_in_millis()))
        return run_once(records, name, said, context, make)
