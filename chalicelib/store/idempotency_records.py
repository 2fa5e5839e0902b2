"""Records of requests with an `Idempotency-Key` and of their answers: powertools' idempotency over our table.

Imported only if a request has a key. The items are in the ephemeral table (store/grants/ephemeral.py).
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Protocol

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from chalicelib.core.errors import KeyReused, Refusal, StillRunning
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT, Condition, absent, at_most, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import AnswerRecord, Transaction, Update

NEEDS = (on_table("ephemeral", "GetItem", "PutItem", "DeleteItem"),)

RECORD = "idempotency record"
"""The name of the record's part in a transaction."""
KIND = "once"
"""The prefix of the items' keys."""
DAY = 24 * 60 * 60

log = logging.getLogger(__name__)


class LambdaContext(Protocol):
    """The part of Lambda's context that is needed here."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long this process may still work on the request, in milliseconds."""


class IdempotencyRecords(BasePersistenceLayer):
    """The records of one request. `clock` returns milliseconds since the epoch; `remaining` is the request's time (ms).

    Each record names the process that works on it, so that a process past its deadline cannot damage the record of its
    successor. Only the condition of the write checks times: the records returned from here have none.
    """

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int], remaining: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._dynamo = dynamo
        self._table = table
        self._clock = clock
        self._remaining = remaining
        self._runner = token_hex(16)
        self._name = ""
        self._kept = False

    def join(self, transaction: Transaction, answer: str) -> None:
        """Add the part that stores the answer to the transaction that carries out the request: both happen, or neither.

        The part's condition fails if this process passed its deadline and another took over.
        """
        self._kept = True
        expires = self._get_expiry_timestamp()
        change = Update({"answer": json.dumps(answer), "expires": expires, "ttl": expires})
        transaction.update(RECORD, self._table, _key(self._name), change, self._ours())

    def check(self, lost: Lost) -> None:
        """Raise StillRunning if this process passed its deadline and another took over the record."""
        if lost.failed(RECORD):
            raise StillRunning from None

    def _get_expiry_timestamp(self) -> int:
        return self._clock() // 1000 + DAY

    def _get_record(self, idempotency_key: str) -> DataRecord:
        item = self._dynamo.get(self._table, _key(idempotency_key), consistent=True)
        if item is None:
            raise IdempotencyItemNotFoundError
        return _record(item)

    def _put_record(self, data_record: DataRecord) -> None:
        self._name = data_record.idempotency_key
        now = self._clock()
        # Never seen, or expired and deleted by DynamoDB:
        new = ABSENT
        # Expired, but not yet deleted by DynamoDB:
        forgotten = at_most("expires", now // 1000)
        # Its process has used all the time that Lambda gives, without an answer:
        died = absent("answer") & at_most("deadline", now)
        item = typed(_key(data_record.idempotency_key)) | {
            "said": {"S": data_record.payload_hash},
            "runner": {"S": self._runner},
            "deadline": {"N": str(now + self._remaining)},
            "expires": {"N": str(data_record.expiry_timestamp)},
            "ttl": {"N": str(data_record.expiry_timestamp)},
        }
        try:
            self._dynamo.settle(lambda: self._dynamo.put(self._table, item, new | forgotten | died))
        except Lost as lost:
            if lost.item is None:
                raise IdempotencyItemAlreadyExistsError from None
            if lost.item["runner"]["S"] == self._runner:
                return  # Our own first try succeeded, but its response was lost.
            found = _record(lost.item)
            self._validate_payload(data_payload=data_record, stored_data_record=found)
            raise IdempotencyItemAlreadyExistsError(old_data_record=found) from None

    def _update_record(self, data_record: DataRecord) -> None:
        if not self._kept:
            raise ValueError("what was done has not kept its answer")

    def _delete_record(self, data_record: DataRecord) -> None:
        # A record with an answer was carried out, even if its response was lost: it stays. The client gets the refusal
        # in any case; a record that is not deleted can be taken over after its deadline.
        key, unanswered = _key(data_record.idempotency_key), self._ours() & absent("answer")
        try:
            self._dynamo.settle(lambda: self._dynamo.delete(self._table, key, unanswered))
        except (Lost, Refusal) as failure:
            log.warning("could not forget a refused request (Idempotency-Key): %s", type(failure).__name__)

    def _ours(self) -> Condition:
        return equals("runner", self._runner)


def run_once(
    records: IdempotencyRecords,
    name: Sequence[str],
    said: Mapping[str, Any],
    context: LambdaContext,
    post: Callable[[AnswerRecord], str],
) -> str:
    """Return the answer of `post`, or its answer for the same `name` in the last 24 hours.

    `name` is the key's owner, the operation, and the key; `said` is the whole content of the request. Raises KeyReused,
    StillRunning, and the errors of `post`, which are not kept.
    """
    config = IdempotencyConfig(
        event_key_jmespath="name",
        payload_validation_jmespath="said",
        expires_after_seconds=DAY,
        hash_function="sha256",
        lambda_context=context,  # type: ignore[arg-type]
    )

    def answer(request: Mapping[str, Any]) -> str:
        return post(records)

    wrapped = idempotent_function(
        answer, data_keyword_argument="request", persistence_store=records, config=config, key_prefix=KIND
    )
    try:
        kept: str = wrapped(request={"name": list(name), "said": said})
    except IdempotencyValidationError:
        raise KeyReused from None
    except IdempotencyAlreadyInProgressError:
        raise StillRunning from None
    except IdempotencyPersistenceLayerError as failure:
        raise (failure.__cause__ or failure) from None
    return kept


def _key(key: str) -> Key:
    return key, "#"


def _record(item: Item) -> DataRecord:
    answer = item.get("answer", {}).get("S", "")
    return DataRecord(
        idempotency_key=item["pk"]["S"],
        status=STATUS_CONSTANTS["COMPLETED" if answer else "INPROGRESS"],
        response_data=answer,
        payload_hash=item["said"]["S"],
    )
