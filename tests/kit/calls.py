"""A wrapper of a boto3 client (or that of memory.py) that passes each call through a function of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

BATCH_GET, TRANSACTION = "batch_get_item", "transact_write_items"
READS = frozenset({"get_item", BATCH_GET, "query"})
WRITES = frozenset({"put_item", "update_item", "delete_item", TRANSACTION})
BATCHES = frozenset({BATCH_GET, "batch_write_item"})


class Killed(BaseException):
    """The simulated end of the process."""


class Client:
    """A client that wraps another one. Its calls go through `meet`, one at a time."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._lock = threading.RLock()
        self.begin()

    def begin(self, meet: Callable[[Call], Any] | None = None, *, pieces: int | None = None) -> None:
        """Forget all calls, and pass each later call through `meet`.

        With `pieces`, a response to a batch or a query has at most so many entries.
        """
        self.calls: list[str] = []
        self.late: list[tuple[Call, bool]] = []
        self.pieces = pieces
        self._meet = meet or Call.go

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        # Signing a URL makes no call.
        is_call = operation != "generate_presigned_url"
        return partial(self._call, operation) if is_call else self._real.generate_presigned_url

    def _call(self, operation: str, **request: Any) -> Any:
        with self._lock:
            call = Call(self, operation, request, len(self.calls))
            self.calls.append(operation)
            if operation in WRITES:
                self.deliver(lambda late, after: not after)
            try:
                return self._meet(call)
            finally:
                if operation in WRITES:
                    self.deliver(lambda late, after: after and late is not call)

    def deliver(self, is_due: Callable[[Call, bool], bool] = lambda late, after: True) -> None:
        """Carry out delayed writes whose callers have given up."""
        due = [late for late, after in self.late if is_due(late, after)]
        self.late = [each for each in self.late if each[0] not in due]
        for late in due:
            with suppress(ClientError):
                late.go()

    def carry_out(self, operation: str, request: dict[str, Any]) -> Any:
        """Make the real call."""
        held_back: dict[str, Any] = {}
        if self.pieces and operation == "query":
            request = {**request, "Limit": self.pieces}
        if self.pieces and operation in BATCHES:
            first, held_back = split(request["RequestItems"], self.pieces)
            request = {"RequestItems": first}
        answer = getattr(self._real, operation)(**request)
        return answer | ({unprocessed(operation): held_back} if held_back else {})


@dataclass(eq=False)
class Call:
    """A call in progress; `turn` counts from 0."""

    client: Client
    operation: str
    request: dict[str, Any]
    turn: int

    def go(self) -> Any:
        """Make the call without a fault."""
        return self.client.carry_out(self.operation, self.request)


def split(wanted: dict[str, Any], most: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a batch of at most so many keys or writes, and one of the rest, both in the form of the API."""
    first: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for table, asked in wanted.items():
        each = asked if isinstance(asked, list) else asked["Keys"]
        room = max(0, most - sum(len(part if isinstance(part, list) else part["Keys"]) for part in first.values()))
        for target, part in ((first, each[:room]), (rest, each[room:])):
            if part:
                target[table] = part if isinstance(asked, list) else {**asked, "Keys": part}
    return first, rest


def unprocessed(operation: str) -> str:
    """Return the name of the unprocessed part in the response to a batch."""
    return "UnprocessedKeys" if operation == BATCH_GET else "UnprocessedItems"
