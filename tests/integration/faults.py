"""Faults between the store and DynamoDB: a client around a boto3 client, and what can happen to its calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.integration.deeds import Deed
from tests.integration.memory import cancelled, client_error

PUT, TRANSACTION = "put_item", "transact_write_items"
GET, BATCH_GET, QUERY = "get_item", "batch_get_item", "query"
BATCH_WRITE = "batch_write_item"
CONDITIONAL = frozenset({PUT, TRANSACTION})
READS = frozenset({GET, BATCH_GET, QUERY})
BATCHES = frozenset({BATCH_GET, BATCH_WRITE})
EVERY = CONDITIONAL | READS | BATCHES

Strike = Callable[[Sequence[Deed]], None]


class Killed(BaseException):
    """The process ends here."""


class Client:
    """A DynamoDB client over another, whose calls each go through `meet`, one at a time."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._lock = threading.RLock()
        self.begin()

    def begin(self, meet: Callable[[Sending], Any] | None = None, *, pieces: int | None = None) -> None:
        """Forget everything, and let each call from now on go through `meet`; batches and pages come in `pieces`."""
        self.calls: list[str] = []
        self.late: list[tuple[Sending, bool]] = []
        self.pieces = pieces
        self._meet = meet or Sending.go

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        # A URL is signed without a call.
        return (
            self._real.generate_presigned_url
            if operation == "generate_presigned_url"
            else partial(self._call, operation)
        )

    def _call(self, operation: str, **request: Any) -> Any:
        with self._lock:
            sending = Sending(self, operation, request, len(self.calls))
            self.calls.append(operation)
            if operation in CONDITIONAL:
                self.deliver(lambda late, after: not after)
            try:
                return self._meet(sending)
            finally:
                if operation in CONDITIONAL:
                    self.deliver(lambda late, after: after and late is not sending)

    def deliver(self, is_due: Callable[[Sending, bool], bool] = lambda late, after: True) -> None:
        """Carry out writes that have been under way since their calls gave up."""
        due = [late for late, after in self.late if is_due(late, after)]
        self.late = [each for each in self.late if each[0] not in due]
        for late in due:
            with suppress(ClientError):
                late.go()

    def really(self, operation: str, request: dict[str, Any]) -> Any:
        """Carry a call out, in pieces where that is said."""
        held_back: dict[str, Any] = {}
        if self.pieces and operation == QUERY:
            request = {**request, "Limit": self.pieces}
        if self.pieces and operation in BATCHES:
            now, held_back = split(request["RequestItems"], self.pieces)
            request = {"RequestItems": now}
        answer = getattr(self._real, operation)(**request)
        return answer | ({unprocessed(operation): held_back} if held_back else {})


@dataclass(eq=False)
class Sending:
    """One call under way."""

    client: Client
    operation: str
    request: dict[str, Any]
    turn: int

    def go(self) -> Any:
        """Carry it out."""
        return self.client.really(self.operation, self.request)


@dataclass(frozen=True)
class Fault:
    """What happens to one call, or with `lasting` to each from there on; `act` may strike with a rival's deeds."""

    name: str
    act: Callable[[Sending, Strike], Any]
    on: frozenset[str] = EVERY
    bearable_on: frozenset[str] = EVERY
    """The operations whose caller must carry on and answer as if nothing had been; elsewhere a 503 or death will do."""
    loses_answers: bool = False
    """Whether a write may have happened though its caller says 503."""
    lasting: bool = False


def split(wanted: dict[str, Any], most: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A batch of at most so many keys or writes, and one of the others, each as the API has it."""
    now: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for table, asked in wanted.items():
        each = asked if isinstance(asked, list) else asked["Keys"]
        room = max(0, most - sum(len(part if isinstance(part, list) else part["Keys"]) for part in now.values()))
        for target, part in ((now, each[:room]), (later, each[room:])):
            if part:
                target[table] = part if isinstance(asked, list) else {**asked, "Keys": part}
    return now, later


def unprocessed(operation: str) -> str:
    """Where a batch's answer has what was not done."""
    return "UnprocessedKeys" if operation == BATCH_GET else "UnprocessedItems"


def refusing(make: Callable[[], Exception]) -> Callable[[Sending, Strike], Any]:
    """Nothing happens, and the call says so."""

    def act(sending: Sending, strike: Strike) -> Any:
        raise make()

    return act


def cancelling(code: str, *, last: bool) -> Callable[[Sending, Strike], Any]:
    """The transaction is cancelled because of its first or its last item."""

    def act(sending: Sending, strike: Strike) -> Any:
        items = sending.request["TransactItems"]
        raise cancelled({len(items) - 1 if last else 0: code}, [None for _ in items])

    return act


def losing(make: Callable[[], Exception], rivals: Sequence[Deed] = ()) -> Callable[[Sending, Strike], Any]:
    """The call is carried out, and its answer lost; then rivals strike."""

    def act(sending: Sending, strike: Strike) -> Any:
        with suppress(ClientError):
            sending.go()
        strike(rivals)
        raise make()

    return act


def killing(*, landed: bool) -> Callable[[Sending, Strike], Any]:
    """The process ends, before the call or after it."""

    def act(sending: Sending, strike: Strike) -> Any:
        if landed:
            with suppress(ClientError):
                sending.go()
        raise Killed

    return act


def vanishing(rivals: Sequence[Deed]) -> Callable[[Sending, Strike], Any]:
    """The call gets nowhere, without an answer, and rivals strike."""

    def act(sending: Sending, strike: Strike) -> Any:
        strike(rivals)
        raise timeout()

    return act


def delaying(*, after: bool, rivals: Sequence[Deed] = ()) -> Callable[[Sending, Strike], Any]:
    """No answer comes; the write arrives only with the next one, just before or just after it."""

    def act(sending: Sending, strike: Strike) -> Any:
        sending.client.late.append((sending, after))
        strike(rivals)
        raise timeout()

    return act


def resending(rivals: Sequence[Deed], *, first_lands: bool = True) -> Callable[[Sending, Strike], Any]:
    """The SDK gets no answer to its first try and sends it again itself; rivals strike in between."""

    def act(sending: Sending, strike: Strike) -> Any:
        if first_lands:
            with suppress(ClientError):
                sending.go()
        strike(rivals)
        try:
            return sending.go()
        except ClientError as error:
            error.response["ResponseMetadata"]["RetryAttempts"] = 1
            raise

    return act


def striking(rivals: Sequence[Deed]) -> Callable[[Sending, Strike], Any]:
    """Rivals strike just before the call."""

    def act(sending: Sending, strike: Strike) -> Any:
        strike(rivals)
        return sending.go()

    return act


def part_of(count: int, rivals: Sequence[Deed] = ()) -> Callable[[Sending, Strike], Any]:
    """DynamoDB carries out only so many of a batch, and hands the rest back; then rivals strike."""

    def act(sending: Sending, strike: Strike) -> Any:
        now, later = split(sending.request["RequestItems"], count)
        answer = sending.client.really(sending.operation, {"RequestItems": now}) if now else {"Responses": {}}
        strike(rivals)
        return answer | {unprocessed(sending.operation): later}

    return act


def timeout() -> BotoCoreError:
    return ReadTimeoutError(endpoint_url="https://dynamodb")


THROTTLES = (
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
)
SILENCES: dict[str, Callable[[], Exception]] = {
    "a read timeout": timeout,
    "a closed connection": lambda: ConnectionClosedError(endpoint_url="https://dynamodb"),
    "an InternalServerError": lambda: client_error("InternalServerError", 500, resent=2),
    "a 503": lambda: client_error("ServiceUnavailable", 503, resent=2),
}
NO_CONNECTIONS: dict[str, Callable[[], Exception]] = {
    "no connection in time": lambda: ConnectTimeoutError(endpoint_url="https://dynamodb"),
    "no connection": lambda: EndpointConnectionError(endpoint_url="https://dynamodb"),
}
REASONS = {
    "TransactionConflict": True,
    "ThrottlingError": False,
    "ProvisionedThroughputExceeded": False,
    "ValidationError": False,
    "ItemCollectionSizeLimitExceeded": False,
}
"""Why DynamoDB cancels a transaction, and whether to try again is ours."""


def simple_faults() -> list[Fault]:
    """Every fault that needs no rival."""
    none: frozenset[str] = frozenset()
    made = [Fault(f"{code}", refusing(partial(client_error, code, resent=2)), EVERY, none) for code in THROTTLES]
    for name, make in (SILENCES | NO_CONNECTIONS).items():
        made.append(Fault(f"{name} before anything happened", refusing(make), EVERY, CONDITIONAL))
    for name, make in SILENCES.items():
        made.append(Fault(f"{name} after all had happened", losing(make), EVERY, CONDITIONAL, loses_answers=True))
    for reason, bearable in REASONS.items():
        for last in (False, True):
            on = frozenset({TRANSACTION})
            where = "last" if last else "first"
            made.append(
                Fault(f"{reason} of the {where} item", cancelling(reason, last=last), on, on if bearable else none)
            )
    conflict = refusing(partial(client_error, "TransactionConflictException"))
    in_progress = refusing(partial(client_error, "TransactionInProgressException"))
    return [
        *made,
        Fault("a TransactionConflictException", conflict, frozenset({PUT})),
        Fault("a TransactionInProgressException", in_progress, frozenset({TRANSACTION})),
        Fault("the write arrives just before the next", delaying(after=False), CONDITIONAL, loses_answers=True),
        Fault("the write arrives just after the next", delaying(after=True), CONDITIONAL, loses_answers=True),
        Fault("the process dies before it", killing(landed=False), EVERY, none),
        Fault("the process dies after it", killing(landed=True), EVERY, none, loses_answers=True),
        Fault("the SDK sends a landed write again", resending([]), CONDITIONAL),
        Fault("one of a batch is processed", part_of(1), BATCHES),
        Fault("none of a batch is processed", part_of(0), BATCHES),
        Fault("nothing is ever processed", part_of(0), BATCHES, none, lasting=True),
        Fault("one at a time is processed", part_of(1), BATCHES, none, lasting=True),
        Fault("throttled for good", refusing(partial(client_error, THROTTLES[0])), EVERY, none, lasting=True),
        Fault("no answer for good", refusing(timeout), EVERY, none, lasting=True),
        Fault("no answer for good, though all happens", losing(timeout), EVERY, none, loses_answers=True, lasting=True),
        Fault("conflicts for good", conflict, frozenset({PUT}), none, lasting=True),
    ]
