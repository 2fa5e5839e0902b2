"""Requests that are carried out once, however often they are sent with the same `Idempotency-Key`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.transactions import AnswerRecord

if TYPE_CHECKING:
    from chalicelib.store.idempotency_records import LambdaContext


class Idempotency:
    """Answers, kept for 24 hours in the ephemeral table. `clock` gives milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def answer(
        self,
        name: Sequence[str],
        said: Mapping[str, Any],
        context: "LambdaContext",
        post: Callable[[AnswerRecord], str],
    ) -> str:
        """Return the answer of `post`, or the one it gave for the same `name` (whose key, for what, and the key).

        `post` does what is asked in one transaction that the record joins; `said` is what the request says, as JSON.
        Raises KeyReused (the key came with another request), StillRunning (the first has not ended, and its Lambda's
        time is not over; or this one's is), Unavailable, and what `post` raises: a refused request is forgotten.
        """
        # Most requests bring no key: they do not wait for this import.
        from chalicelib.store.idempotency_records import IdempotencyRecords, run_once

        records = IdempotencyRecords(
            self._dynamo, self._table, self._clock, int(context.get_remaining_time_in_millis())
        )
        return run_once(records, name, said, context, post)
