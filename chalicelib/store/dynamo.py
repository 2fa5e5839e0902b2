"""The one door to DynamoDB: it sends, follows pages and unprocessed keys, and tells what became of a write.

Every table has a string partition key `pk` and a string sort key `sk`. Items and conditions are built by the stores.
"""

import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store.failures import Uncertain, sort_out
from chalicelib.store.fanout import Lane, lane, side_by_side
from chalicelib.store.itemsize import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Key = tuple[str, str]
Place = tuple[str, Key]
"""Where one item is: table name and key."""
Span = tuple[str, str]
"""First and last sort key of a range, both included."""

BATCH_GET = 100
BATCH_WRITE = 25
TRANSACTION = 100
_RESENDS = 8


@dataclass(frozen=True)
class Condition:
    """A condition expression with its values; attribute names stand in it as they are."""

    expression: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """The parameters of a conditional write that asks for the old item where the condition fails."""
        told: dict[str, Any] = {
            "ConditionExpression": self.expression,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return told | ({"ExpressionAttributeValues": dict(self.values)} if self.values else {})


@dataclass(frozen=True)
class Call:
    """One call as it was made, for those who count: operation, request, answer (None: it failed), and its lane."""

    operation: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    lane: Lane


Watcher = Callable[[Call], None]


def backoff(base: float, cap: float, tries: int) -> Iterator[float]:
    """Upper bounds in seconds for the waits between `tries` tries: doubling from `base` up to `cap`."""
    for turn in range(tries):
        yield min(cap, base * 2**turn)


class Dynamo:
    """A DynamoDB client that raises ours: Unavailable for a client to see, StoreFailure for a store to act on."""

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
        """Wait a random time up to `bound` seconds, so that those who collided do not meet again."""
        self._sleep(random.uniform(0, bound))  # noqa: S311 (jitter, not a secret)

    def get(self, table: str, key: Key, *, consistent: bool) -> Item | None:
        """The item with that key, or None."""
        answer = self._read("get_item", TableName=table, Key=typed(key), ConsistentRead=consistent)
        item: Item | None = answer.get("Item")
        return item

    def batch_get(self, places: Iterable[Place], *, consistent: bool) -> dict[Place, Item]:
        """Those of the items that exist, 100 a call and the calls side by side."""
        distinct = list(dict.fromkeys(places))
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
                found.update(((table, key_of(item)), item) for item in items)
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return found
            self.rest(wait)
        raise Unavailable

    def query(
        self, table: str, partition: str, keys: Span | None = None, *, consistent: bool, only: str | None = None
    ) -> Iterator[Item]:
        """Every item of a partition whose sort key is in `keys`, in key order; a page (1 MB) a call.

        `only` names the attributes to return (comma-separated); what is read, and paid, is the whole item.
        """
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ConsistentRead": consistent,
        }
        if keys:
            request["KeyConditionExpression"] += " AND sk BETWEEN :first AND :last"
            request["ExpressionAttributeValues"] |= {":first": {"S": keys[0]}, ":last": {"S": keys[1]}}
        if only:
            request["ProjectionExpression"] = only
        while True:
            answer = self._read("query", **request)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, table: str, item: Item, condition: Condition) -> None:
        """Write an item where `condition` holds. Raises Lost, Conflict, Uncertain or Unavailable."""
        self._write("put_item", TableName=table, Item=item, **condition.parameters())

    def transact(self, writes: Sequence[Mapping[str, Any]], token: str) -> None:
        """Write all (at most 100 items and 4 MB) or none. The same `token` sent again is the same transaction.

        Raises Lost (with the old item of the first condition that failed), Conflict, Uncertain or Unavailable.
        """
        self._write("transact_write_items", TransactItems=list(writes), ClientRequestToken=token)

    def delete_all(self, table: str, keys: Iterable[Key]) -> int:
        """Delete the items with those keys, 25 a call, one call after the other; how many there were."""
        deletes = [{"DeleteRequest": {"Key": typed(key)}} for key in keys]
        for start in range(0, len(deletes), BATCH_WRITE):
            unprocessed: dict[str, Any] = {table: deletes[start : start + BATCH_WRITE]}
            for wait in backoff(0.05, 1.0, _RESENDS):
                unprocessed = self._read("batch_write_item", RequestItems=unprocessed).get("UnprocessedItems") or {}
                if not unprocessed:
                    break
                self.rest(wait)
            else:
                raise Unavailable
        return len(deletes)

    def _read(self, operation: str, **request: Any) -> Any:
        """A call that may be made again at will, so that no answer is as good as a no."""
        try:
            return self._write(operation, **request)
        except Uncertain as failure:
            raise Unavailable from failure

    def _write(self, operation: str, **request: Any) -> Any:
        answer = None
        try:
            answer = getattr(self._client, operation)(**request)
        except ClientError as error:
            raise sort_out(error) from error
        except BotoCoreError as error:
            raise Uncertain(str(error)) from error
        finally:
            if self._watch:
                self._watch(Call(operation, request, answer, lane.get()))
        return answer


def typed(key: Key) -> Item:
    """A key as the low-level API has it."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def beginning(prefix: str) -> Span:
    """The sort keys that begin with `prefix`."""
    return prefix, prefix + chr(sys.maxunicode)


def key_of(item: Item) -> Key:
    """The key of an item."""
    return item["pk"]["S"], item["sk"]["S"]
