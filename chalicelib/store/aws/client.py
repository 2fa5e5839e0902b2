"""The only client of DynamoDB: it sends calls, follows pages and unprocessed keys, and reports how a write ended.

Every table has a string partition key `pk` and a string sort key `sk`; the index `listing`, where there is one, has the
partition key `list`, the sort key `pk`, and only the keys of each item. Items and conditions are built by stores.
"""

import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib import observed
from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import deadline, formats, read_budget
from chalicelib.store.aws.conditions import Condition
from chalicelib.store.aws.failures import TransactionConflict, Uncertain, sort_out
from chalicelib.store.aws.items import Item, Key, Place, Span, key_of, typed
from chalicelib.store.aws.side_by_side import Lane, lane, side_by_side
from chalicelib.store.aws.transactions import Transaction, Update, conditional

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

LISTING = "listing"
"""The index of the directory table by its attribute `list`."""
BATCH_GET = 100
BATCH_WRITE = 25
_RESENDS = 8
TRIES = 16
"""How often a write is sent if it loses every race."""


@dataclass(frozen=True)
class SentCall:
    """A sent call, for watchers that count calls: operation, request, response (None: it failed), and lane."""

    operation: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    lane: Lane


Watcher = Callable[[SentCall], None]


def backoff(base: float, cap: float, tries: int) -> Iterator[float]:
    """Yield upper bounds in seconds for the waits between `tries` tries: doubling from `base` up to `cap`."""
    for turn in range(tries):
        yield min(cap, base * 2**turn)


def races() -> Iterator[float]:
    """Return the bounds of the waits of a write that may lose a race: in all at most 5.6 s, on average half."""
    return backoff(0.01, 0.5, TRIES)


class Dynamo:
    """A DynamoDB client with our own errors: Unavailable for clients, StoreFailure for stores to handle."""

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        sleep: Callable[[float], None] = time.sleep,
        watch: Watcher | None = None,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._watch = watch

    def rest(self, bound: float) -> None:
        """Wait a random time up to `bound` seconds before trying again, so that colliding writes do not meet again.

        Raises Unavailable if there is no time to try again.
        """
        deadline.check()
        observed.tried_again()
        self._sleep(random.uniform(0, bound))  # noqa: S311 (jitter, not a secret)

    def get(self, table: str, key: Key, *, consistent: bool) -> Item | None:
        """Return the item with that key, or None."""
        read_budget.spend(1)
        answer = self._read("get_item", TableName=table, Key=typed(key), ConsistentRead=consistent)
        item: Item | None = answer.get("Item")
        found = [item] if item else []
        read_budget.found(found)
        formats.check(found)
        return item

    def batch_get(self, places: Iterable[Place], *, consistent: bool) -> dict[Place, Item]:
        """Return the items that exist, 100 per call, with the calls in parallel."""
        distinct = list(dict.fromkeys(places))
        read_budget.spend(len(distinct))
        chunks = [distinct[start : start + BATCH_GET] for start in range(0, len(distinct), BATCH_GET)]
        found: dict[Place, Item] = {}
        for part in side_by_side([partial(self._batch_get, chunk, consistent) for chunk in chunks]):
            found.update(part)
        return found

    def _batch_get(self, places: Sequence[Place], consistent: bool) -> dict[Place, Item]:
        wanted: dict[str, Any] = {}
        for table, key in places:
            wanted.setdefault(table, {"Keys": [], "ConsistentRead": consistent})["Keys"].append(typed(key))
        found: dict[Place, Item] = {}
        for wait in backoff(0.05, 1.0, _RESENDS):
            answer = self._read("batch_get_item", RequestItems=wanted)
            for table, items in answer["Responses"].items():
                read_budget.found(items)
                formats.check(items)
                found.update(((table, key_of(item)), item) for item in items)
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return found
            self.rest(wait)
        raise Unavailable

    def query(
        self,
        table: str,
        partition: str,
        keys: Span | None = None,
        *,
        consistent: bool,
        only: str | None = None,
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[Item]:
        """Yield every item of a partition whose sort key is in `keys`, in key order or `backwards`; 1 MB per call.

        `only` names the attributes to return (comma-separated); DynamoDB still reads and charges the whole item.
        `limit` is the maximum number of items.
        """
        request = _query(table, ("pk", "sk"), partition, keys) | {"ConsistentRead": consistent}
        if backwards:
            request["ScanIndexForward"] = False
        if only:
            request["ProjectionExpression"] = only
        return self._pages(request, limit)

    def listed(
        self,
        table: str,
        name: str,
        keys: Span | None = None,
        *,
        index: str = LISTING,
        limit: int | None = None,
        after: Key | None = None,
    ) -> Iterator[Item]:
        """Yield the keys of the items on the list `name`, in order of `pk`: only those in `keys`, at most `limit`.

        `after` is the key of the item before the first. An index lags behind its table, usually by less than a second;
        it cannot be read consistently.
        """
        request = _query(table, ("list", "pk"), name, keys) | {"IndexName": index}
        if after:
            request["ExclusiveStartKey"] = typed(after) | {"list": {"S": name}}
        return self._pages(request, limit)

    def scan(
        self, table: str, segment: int, segments: int, after: Key | None, *, limit: int
    ) -> tuple[list[Item], Key | None]:
        """Return at most `limit` items of a segment of a table, of any format, and the key to continue after.

        The key is None at the end of the segment. Eventually consistent, at most 1 MB.
        """
        request: dict[str, Any] = {"TableName": table, "Segment": segment, "TotalSegments": segments, "Limit": limit}
        if after:
            request["ExclusiveStartKey"] = typed(after)
        answer = self._read("scan", **request)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], key_of(last) if last else None

    def _pages(self, request: dict[str, Any], limit: int | None) -> Iterator[Item]:
        left = sys.maxsize if limit is None else limit
        whole = request.keys().isdisjoint(("ProjectionExpression", "IndexName"))
        while True:
            if limit is not None:
                request["Limit"] = left
            answer = self._read("query", **request)
            # The size of a page is known only after it is read; over the budget, the next page is not requested.
            read_budget.queried(answer["Items"])
            if whole:
                formats.check(answer["Items"])
            yield from answer["Items"]
            left -= len(answer["Items"])
            if left <= 0 or not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, table: str, item: Item, condition: Condition | None = None) -> None:
        """Write an item under `condition`, in one try. Raises Lost, Conflict, Uncertain or Unavailable."""
        self._write("put_item", TableName=table, Item=formats.numbered(item), **conditional(condition))

    def update(self, table: str, key: Key, change: Update, condition: Condition | None = None) -> None:
        """Change an item under `condition`, in one try. Raises Lost, Conflict, Uncertain or Unavailable."""
        self._write("update_item", TableName=table, Key=typed(key), **change.parameters(condition))

    def updated(self, table: str, key: Key, change: Update, condition: Condition | None = None) -> Item:
        """Change an item as `update` does, and return the new item."""
        parameters = change.parameters(condition)
        answer = self._write("update_item", TableName=table, Key=typed(key), ReturnValues="ALL_NEW", **parameters)
        item: Item = answer["Attributes"]
        formats.check([item])
        return item

    def delete(self, table: str, key: Key, condition: Condition | None = None) -> None:
        """Delete an item under `condition`, in one try. Raises Lost, Conflict, Uncertain or Unavailable."""
        self._write("delete_item", TableName=table, Key=typed(key), **conditional(condition))

    def transact(self, transaction: Transaction, token: str) -> None:
        """Write all parts of a transaction or none, in one try. The same `token` again is the same transaction.

        Raises Lost (which names the parts whose conditions failed), Conflict, Uncertain or Unavailable.
        """
        writes = list(transaction.parts.values())
        parts = tuple(transaction.parts)
        self._write("transact_write_items", parts, TransactItems=writes, ClientRequestToken=token)

    def commit(self, transaction: Transaction) -> None:
        """Write all parts of a transaction or none, with retries until it is settled. Raises Lost and Unavailable."""
        # One token for all tries: if an earlier try succeeded but its answer was lost, DynamoDB reports the next try as
        # that same success, not as a failed condition. DynamoDB remembers a token for ten minutes, and only if the
        # transaction succeeded; a transaction that a collision cancelled is tried again.
        token = str(uuid4())
        self.settle(lambda: self.transact(transaction, token))

    def settle(self, send: Callable[[], T]) -> T:
        """Call `send`, one try of a write, again with jitter until the outcome is known; return its result.

        A failed condition is an outcome (Lost). After a collision with another transaction or a lost answer it tries
        again. Raises Lost, and Unavailable if no try had an outcome.
        """
        for wait in races():
            try:
                return send()
            except (TransactionConflict, Uncertain):
                self.rest(wait)
        raise Unavailable

    def delete_all(self, table: str, keys: Iterable[Key]) -> int:
        """Delete the items with those keys, 25 per call, one call after the other; return the number of keys."""
        deletes = [{"DeleteRequest": {"Key": typed(key)}} for key in keys]
        self._write_all(table, deletes)
        return len(deletes)

    def put_all(self, table: str, items: Iterable[Item]) -> None:
        """Write items unconditionally, 25 per call, one call after the other. Raises Unavailable."""
        self._write_all(table, [{"PutRequest": {"Item": formats.numbered(item)}} for item in items])

    def _write_all(self, table: str, writes: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(writes), BATCH_WRITE):
            unprocessed: dict[str, Any] = {table: writes[start : start + BATCH_WRITE]}
            for wait in backoff(0.05, 1.0, _RESENDS):
                unprocessed = self._read("batch_write_item", RequestItems=unprocessed).get("UnprocessedItems") or {}
                if not unprocessed:
                    break
                self.rest(wait)
            else:
                raise Unavailable

    def _read(self, operation: str, **request: Any) -> Any:
        """Send a call that can safely be repeated, so that a lost answer counts as a failure."""
        try:
            return self._write(operation, **request)
        except Uncertain as failure:
            raise Unavailable from failure

    def _write(self, operation: str, parts: Sequence[str] = ("",), /, **request: Any) -> Any:
        deadline.check()
        answer = told = None
        try:
            answer = told = getattr(self._client, operation)(**request)
        except ClientError as error:
            told = error.response
            raise sort_out(error, parts) from error
        except ParamValidationError:
            raise  # Never sent: a bug in our code; a retry would not help.
        except BotoCoreError as error:
            raise Uncertain(str(error)) from error
        finally:
            if seen := observed.current():
                _observe(seen, operation, told or {})
            if self._watch:
                self._watch(SentCall(operation, request, answer, lane.get()))
        return answer


def _observe(seen: observed.Observed, operation: str, told: Mapping[str, Any]) -> None:
    """Count a call, its retries by the SDK and the capacity it consumed, if the answer says so."""
    if resent := told.get("ResponseMetadata", {}).get("RetryAttempts", 0):
        observed.tried_again(resent)
    consumed = told.get("ConsumedCapacity") or []
    units = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
    reads = operation in ("get_item", "batch_get_item", "query", "scan")
    seen.units.append((units, 0.0) if reads else (0.0, units))


def _query(table: str, names: Key, partition: str, keys: Span | None) -> dict[str, Any]:
    """Return a query's parameters for the partition and sort key attributes `names`."""
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": names[0]},
        "ExpressionAttributeValues": {":p": {"S": partition}},
    }
    if keys:
        request["KeyConditionExpression"] += " AND #s BETWEEN :first AND :last"
        request["ExpressionAttributeNames"]["#s"] = names[1]
        request["ExpressionAttributeValues"] |= {":first": {"S": keys[0]}, ":last": {"S": keys[1]}}
    return request
