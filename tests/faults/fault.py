"""Faults of a call to AWS, and of the process that makes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.kit.calls import BATCHES, READS, TRANSACTION, WRITES, Call, Killed, split, unprocessed
from tests.kit.memory import cancelled, client_error

DYNAMO = READS | WRITES | BATCHES
QUEUE = frozenset({"get_queue_url", "send_message"})
SECRETS = frozenset({"get_secret_value"})
OTHERS = QUEUE | SECRETS | {"put_object", "list_objects_v2", "delete_objects"}
TRANSACTIONS = frozenset({TRANSACTION})
NO_CALL: frozenset[str] = frozenset()

Strike = Callable[[], None]
"""Lets the rivals of the fault act, if it has any."""
Act = Callable[[Call, Strike], Any]
"""Replaces a call: it returns the call's response or raises."""


@dataclass(frozen=True, eq=False)
class Fault:
    """A fault of a call and, with several acts, of the calls after it; `lasting`: the last act is repeated.

    `rivals` are operations of another process; the acts decide when they run.
    """

    name: str
    acts: Sequence[Act]
    on: frozenset[str]
    bearable: frozenset[str] = NO_CALL
    """The calls for which the caller must answer as if there were no fault; for others it may answer 503 or die."""
    loses_answers: bool = False
    """Whether a write may have happened although its caller answers 503."""
    lasting: bool = False
    rivals: Sequence[Any] = ()

    def meeting(self, turn: int, strike: Strike) -> Callable[[Call], Any]:
        """Return the function that carries out all calls, with the fault at the call of that turn."""

        def meet(call: Call) -> Any:
            after = call.turn - turn
            if after >= 0 and call.operation in self.on and (after < len(self.acts) or self.lasting):
                return self.acts[min(after, len(self.acts) - 1)](call, strike)
            return call.go()

        return meet

    def may_happen(self, operation: str) -> bool:
        """Return whether a call with the fault may happen although its caller fails."""
        return self.loses_answers and operation not in READS


def in_order(*acts: Act) -> Act:
    """Run the acts one after the other; return the result of the last one."""

    def act(call: Call, strike: Strike) -> Any:
        return [each(call, strike) for each in acts][-1]

    return act


def refuse(make: Callable[[], BaseException]) -> Act:
    """Raise an error without a call."""

    def act(call: Call, strike: Strike) -> Any:
        raise make()

    return act


def refuse_code(code: str, status: int = 400) -> Act:
    """Raise an error of AWS, as after one retry by the SDK."""
    return refuse(partial(client_error, code, status, resent=1))


def cancel(code: str, *, last: bool = True) -> Act:
    """Cancel the transaction because of its last or its first item."""

    def act(call: Call, strike: Strike) -> Any:
        items = call.request["TransactItems"]
        raise cancelled({len(items) - 1 if last else 0: code}, [None for _ in items])

    return act


def land(call: Call, strike: Strike) -> None:
    """Make the call, and drop its response."""
    with suppress(ClientError):
        call.go()


def go(call: Call, strike: Strike) -> Any:
    """Make the call."""
    return call.go()


def go_again(call: Call, strike: Strike) -> Any:
    """Make the call as a retry by the SDK after a missing response."""
    try:
        return call.go()
    except ClientError as error:
        error.response["ResponseMetadata"]["RetryAttempts"] = 1
        raise


def let_rivals_act(call: Call, strike: Strike) -> None:
    """Let the rivals act."""
    strike()


def delay(*, after: bool) -> Act:
    """Delay the write: it arrives just before or just after the next one."""
    return lambda call, strike: call.client.late.append((call, after))


def go_in_part(count: int) -> Act:
    """Process only `count` entries of a batch and return the rest as unprocessed; then let the rivals act."""

    def act(call: Call, strike: Strike) -> Any:
        first, rest = split(call.request["RequestItems"], count)
        answer = call.client.carry_out(call.operation, {"RequestItems": first}) if first else {"Responses": {}}
        strike()
        return answer | {unprocessed(call.operation): rest}

    return act


def collide(call: Call, strike: Strike) -> Any:
    """Refuse the call because another transaction holds an item."""
    if call.operation == TRANSACTION:
        cancel("TransactionConflict")(call, strike)
    raise client_error("TransactionConflictException")


def no_strike() -> None:
    """Do nothing; used if there are no rivals."""


NO_ANSWER = refuse(lambda: ReadTimeoutError(endpoint_url="https://dynamodb"))
ANSWER_LOST = in_order(land, let_rivals_act, NO_ANSWER)
THROTTLED = refuse_code("ThrottlingException")
IN_PROGRESS = refuse(partial(client_error, "TransactionInProgressException"))
LATE, LATER = (in_order(delay(after=after), let_rivals_act, NO_ANSWER) for after in (False, True))
SENT_AGAIN = in_order(land, let_rivals_act, go_again)
COLLISION = Fault("a collision", [collide], WRITES, WRITES)
FAULTS = [
    Fault("throttled", [THROTTLED], DYNAMO | SECRETS),
    Fault("ThrottlingError of the last item", [cancel("ThrottlingError")], TRANSACTIONS),
    Fault("request lost", [NO_ANSWER], DYNAMO | OTHERS, WRITES | QUEUE),
    Fault("answer lost", [ANSWER_LOST], DYNAMO | OTHERS, WRITES | QUEUE, loses_answers=True),
    Fault("answer lost twice", [ANSWER_LOST] * 2, WRITES, WRITES, loses_answers=True),
    COLLISION,
    Fault("answer lost, then a collision", [ANSWER_LOST, collide], WRITES, WRITES, loses_answers=True),
    Fault("request late, after a collision", [LATER, collide], WRITES, WRITES, loses_answers=True),
    Fault("answer lost, in progress", [ANSWER_LOST, IN_PROGRESS], TRANSACTIONS, TRANSACTIONS, loses_answers=True),
    Fault("request late, just before the next", [LATE], WRITES, WRITES, loses_answers=True),
    Fault("request late, just after the next", [LATER], WRITES, WRITES, loses_answers=True),
    Fault("sent again by the SDK", [SENT_AGAIN], WRITES, WRITES),
    Fault("S3, SQS or Secrets Manager fails", [refuse_code("SlowDown", 503)], OTHERS, QUEUE),
    Fault("none of a batch processed", [go_in_part(0)], BATCHES, BATCHES),
    Fault("one of a batch processed", [go_in_part(1)], BATCHES, BATCHES),
    Fault("one of a batch processed, then throttled", [go_in_part(1), THROTTLED], BATCHES),
    Fault("killed before", [refuse(Killed)], DYNAMO | OTHERS),
    Fault("killed after", [in_order(land, refuse(Killed))], DYNAMO | OTHERS, loses_answers=True),
    Fault("throttled for good", [THROTTLED], DYNAMO, lasting=True),
    Fault("no answer for good", [ANSWER_LOST], WRITES, loses_answers=True, lasting=True),
    Fault("collisions for good", [collide], WRITES, lasting=True),
]
"""The faults that every store and face is tested with."""

_CODES: dict[str, Act] = {
    "a closed connection": refuse(lambda: ConnectionClosedError(endpoint_url="https://dynamodb")),
    "an InternalServerError": refuse_code("InternalServerError", 500),
    "a 503": refuse_code("ServiceUnavailable", 503),
    "no connection in time": refuse(lambda: ConnectTimeoutError(endpoint_url="https://dynamodb")),
    "no connection": refuse(lambda: EndpointConnectionError(endpoint_url="https://dynamodb")),
}
_THROTTLES = ("ProvisionedThroughputExceededException", "RequestLimitExceeded")
_REASONS = ("ThrottlingError", "ProvisionedThroughputExceeded", "ValidationError", "ItemCollectionSizeLimitExceeded")
_FIRST = cancel("TransactionConflict", last=False)
VARIANTS = [
    *(Fault(code, [refuse_code(code)], DYNAMO) for code in _THROTTLES),
    *(Fault(f"{name} before anything happened", [act], DYNAMO, WRITES) for name, act in _CODES.items()),
    *(
        Fault(f"{name} after all had happened", [in_order(land, act)], DYNAMO, WRITES, loses_answers=True)
        for name, act in list(_CODES.items())[:3]
    ),
    *(Fault(f"{reason} of the first item", [cancel(reason, last=False)], TRANSACTIONS) for reason in _REASONS),
    *(Fault(f"{reason} of the last item", [cancel(reason)], TRANSACTIONS) for reason in _REASONS[1:]),
    Fault("TransactionConflict of the first item", [_FIRST], TRANSACTIONS, TRANSACTIONS),
    Fault("a TransactionInProgressException", [IN_PROGRESS], TRANSACTIONS, TRANSACTIONS),
    Fault("none of any batch is processed", [go_in_part(0)], BATCHES, lasting=True),
    Fault("one of each batch is processed", [go_in_part(1)], BATCHES, lasting=True),
    Fault("no request arrives", [NO_ANSWER], DYNAMO, lasting=True),
    Fault("no request is answered", [ANSWER_LOST], DYNAMO, loses_answers=True, lasting=True),
]
"""The same faults with other error codes of AWS; the stores treat them the same way."""


def unanswered(name: str, rivals: Sequence[Any], bearable: frozenset[str]) -> list[Fault]:
    """Return the faults in which a write gets no response, and rivals act before the retry."""
    kinds = [
        Fault("after a lost answer", [ANSWER_LOST], WRITES, bearable, loses_answers=True),
        Fault("while it is under way", [LATE], WRITES, bearable, loses_answers=True),
        Fault("before the SDK sends it again", [SENT_AGAIN], WRITES, bearable, loses_answers=True),
        Fault("before it arrives", [in_order(let_rivals_act, go_again)], WRITES, bearable),
        Fault("and it never arrives", [in_order(let_rivals_act, NO_ANSWER)], WRITES, bearable),
    ]
    return [replace(each, name=f"{name} {each.name}", rivals=rivals) for each in kinds]
