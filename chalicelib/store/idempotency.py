"""Requests that are carried out once, even if they are sent again with the same `Idempotency-Key`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.transactions import AnswerRecord

if TYPE_CHECKING:
    from chalicelib.store.idempotency_records import LambdaContext


class Idempotency:
    """Answers, kept in the ephemeral table for 24 hours. `clock` returns milliseconds since the epoch."""

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
        """Return the answer of `post`, or its earlier answer for the same `name` (key owner, operation, key).

        `post` carries out the request in one transaction, which the record joins; `said` is the request's content as
        JSON. Raises KeyReused (the key came with a different request), StillRunning (the first request has not ended
        and is within its Lambda's time; or this request's time is over), Unavailable, and the errors of `post`: a
        refused request is forgotten.
        """
        # Most requests have no key, and so do not wait for this import.
        from chalicelib.store.idempotency_records import IdempotencyRecords, run_once

        records = IdempotencyRecords(
            self._dynamo, self._table, self._clock, int(context.get_remaining_time_in_millis())
        )
        return run_once(records, name, said, context, post)
