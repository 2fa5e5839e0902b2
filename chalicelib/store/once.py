"""Requests that are carried out once, however often they are sent with the same `Idempotency-Key`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.store.dynamo import Dynamo

if TYPE_CHECKING:
    from chalicelib.store.idempotency import Lambda


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
        make: Callable[[], dict[str, Any]],
    ) -> dict[str, Any]:
        """What `make` returns the first time, then that again. `name` is whose key it is, for what, and the key.

        `said` is what the request says, as JSON. Raises KeyReused (the key came with another request), StillRunning
        (the first has not ended, and Lambda's time for it is not over), Unavailable, and what `make` raises: a refused
        request is forgotten. An answer that cannot be kept is given all the same.
        """
        # Most requests bring no key: they do not wait for this import.
        from chalicelib.store.idempotency import Records, run_once

        records = Records(self._dynamo, self._table, self._clock, int(context.get_remaining_time_in_millis()))
        return run_once(records, name, said, context, make)
