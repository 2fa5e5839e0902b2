"""What may go wrong with each call of a request, to whichever of AWS's services, and the death of the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.integration.faults import (
    Sending,
    cancelling,
    delaying,
    killing,
    losing,
    part_of,
    refusing,
    resending,
    timeout,
)
from tests.integration.memory import client_error

READS = frozenset({"get_item", "batch_get_item", "query"})
WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})
TRANSACTION = frozenset({"transact_write_items"})
DYNAMO = READS | WRITES | {"batch_write_item"}
BATCHES = frozenset({"batch_get_item", "batch_write_item"})
BUCKET = frozenset({"put_object", "list_objects_v2", "delete_objects"})
QUEUE = frozenset({"get_queue_url", "send_message"})
SECRETS = frozenset({"get_secret_value"})
OTHERS = BUCKET | QUEUE | SECRETS


Meeting = Callable[[Sending, Any], Any]


@dataclass(frozen=True)
class Trouble:
    """What happens to a call and, with several, to those of the same kinds after it; `lasting`: the last goes on."""

    name: str
    acts: Sequence[Meeting]
    on: frozenset[str]
    bearable: frozenset[str] = field(default_factory=frozenset)
    """The operations whose caller must answer as if nothing had been."""
    loses_answers: bool = False
    lasting: bool = False


def colliding(sending: Sending, strike: Any) -> Any:
    """Another transaction holds an item."""
    if sending.operation == "transact_write_items":
        return cancelling("TransactionConflict", last=True)(sending, strike)
    raise client_error("TransactionConflictException")


DROPPED, UNANSWERED = refusing(timeout), losing(timeout)
THROTTLED = refusing(partial(client_error, "ThrottlingException", resent=1))
FAILING = refusing(partial(client_error, "SlowDown", 503, resent=1))
IN_PROGRESS = refusing(partial(client_error, "TransactionInProgressException"))
COLLISION = Trouble("collision", [colliding], WRITES, WRITES)
TROUBLES = [
    Trouble("throttled", [THROTTLED], DYNAMO | SECRETS),
    Trouble("a throttled item", [cancelling("ThrottlingError", last=True)], TRANSACTION),
    Trouble("request lost", [DROPPED], DYNAMO | OTHERS, WRITES | QUEUE),
    Trouble("answer lost", [UNANSWERED], DYNAMO | OTHERS, WRITES | QUEUE, loses_answers=True),
    Trouble("answer lost twice", [UNANSWERED] * 2, WRITES, WRITES, loses_answers=True),
    COLLISION,
    Trouble("answer lost, then a collision", [UNANSWERED, colliding], WRITES, WRITES, loses_answers=True),
    Trouble("request late, after a collision", [delaying(after=True), colliding], WRITES, WRITES, loses_answers=True),
    Trouble("answer lost, in progress", [UNANSWERED, IN_PROGRESS], TRANSACTION, TRANSACTION, loses_answers=True),
    Trouble("request late, before the next", [delaying(after=False)], WRITES, WRITES, loses_answers=True),
    Trouble("request late, after the next", [delaying(after=True)], WRITES, WRITES, loses_answers=True),
    Trouble("sent again by the SDK", [resending([])], WRITES, WRITES),
    Trouble("S3, SQS or Secrets Manager fails", [FAILING], OTHERS, QUEUE),
    Trouble("none of a batch processed", [part_of(0)], BATCHES, BATCHES),
    Trouble("one of a batch processed", [part_of(1)], BATCHES, BATCHES),
    Trouble("one of a batch processed, then throttled", [part_of(1), THROTTLED], BATCHES),
    Trouble("killed before", [killing(landed=False)], DYNAMO | OTHERS),
    Trouble("killed after", [killing(landed=True)], DYNAMO | OTHERS, loses_answers=True),
    Trouble("throttled for good", [THROTTLED], DYNAMO, lasting=True),
    Trouble("no answer for good", [UNANSWERED], WRITES, loses_answers=True, lasting=True),
    Trouble("collisions for good", [colliding], WRITES, lasting=True),
]
IN_TRANSACTIONS = [each for each in TROUBLES if each.bearable >= TRANSACTION and not each.lasting]
"""What those who come between do not keep a transaction from happening by."""
