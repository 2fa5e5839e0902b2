"""Counts the calls of a platform to DynamoDB and S3, the calls in sequence, and their capacity.

A meter listens to the events of the platform's own boto3 clients, so it sees all that is sent. The cost of an operation
depends on the whole items in the table. The meter reads them with its own client before and after the call, and does
not count these reads.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from bench import capacity
from bench.operations import Request, places, reads, writes
from chalicelib.store.aws.items import Item, Place, key_of, typed
from chalicelib.store.aws.side_by_side import Lane, lane, longest_chain

Found = dict[Place, Item]


@dataclass(frozen=True)
class Charge:
    """The cost of one call to DynamoDB (RRU, WRU), and its place among the calls."""

    operation: str
    lane: Lane
    rru: float
    wru: float


@dataclass(frozen=True)
class Figures:
    """The cost of a request: calls to DynamoDB in sequence and in all, transactions among them, RRU, WRU, S3 calls."""

    in_sequence: int
    in_all: int
    transactions: int
    rru: float
    wru: float
    s3: int


class Meter:
    """A counter of the calls of these DynamoDB and S3 clients while `counting`; it refuses calls without a rule."""

    def __init__(self, dynamodb: Any, s3: Any) -> None:
        self._peek = boto3.client("dynamodb", region_name=dynamodb.meta.region_name)
        self._counts = False
        self._charges: list[Charge] = []
        self._s3 = 0
        self._checked: set[str] = set()
        dynamodb.meta.events.register("before-parameter-build.dynamodb", self._before)
        dynamodb.meta.events.register("after-call.dynamodb", self._after)
        s3.meta.events.register("after-call.s3", self._after_s3)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count from zero while the block runs."""
        self._charges.clear()
        self._s3, self._counts = 0, True
        try:
            yield
        finally:
            self._counts = False

    @property
    def figures(self) -> Figures:
        """The last count."""
        charges = self._charges
        return Figures(
            in_sequence=longest_chain([charge.lane for charge in charges]),
            in_all=len(charges),
            transactions=sum(charge.operation.startswith("Transact") for charge in charges),
            rru=sum(charge.rru for charge in charges),
            wru=sum(charge.wru for charge in charges),
            s3=self._s3,
        )

    def _before(self, params: Request, model: Any, context: dict[str, Any], **_: Any) -> None:
        if self._counts:
            context["bench"] = (dict(params), self._touched(model.name, params))

    def _after(self, parsed: Request, model: Any, context: dict[str, Any], **_: Any) -> None:
        if self._counts:
            request, before = context["bench"]
            if parsed.get("UnprocessedKeys") or parsed.get("UnprocessedItems"):
                raise NotImplementedError("a batch that was not done whole")
            rru, wru = self._capacity(model.name, request, parsed, before)
            self._charges.append(Charge(model.name, lane.get(), rru, wru))

    def _after_s3(self, **_: Any) -> None:
        self._s3 += self._counts

    def _capacity(self, operation: str, request: Request, answer: Request, before: Found) -> tuple[float, float]:
        if operation == "Query":
            items = before.values() if _in_part(request) else answer["Items"]
            return capacity.range_read(items, consistent=request.get("ConsistentRead", False)), 0
        rru = sum(
            capacity.keyed_read(before.get(read.place), consistent=read.consistent)
            for read in reads(operation, request)
        )
        changes, transaction = writes(operation, request), operation == "TransactWriteItems"
        after = self._items(write.place for write in changes)
        wru = sum(
            capacity.written(before.get(write.place), write.item or after.get(write.place), transaction=transaction)
            for write in changes
        )
        return rru, wru

    def _touched(self, operation: str, request: Request) -> Found:
        """Return the current items in the table that an operation reads or writes."""
        if operation == "Query":
            return self._queried(request) if _in_part(request) else {}
        return self._items(places(operation, request))

    def _queried(self, request: Request) -> Found:
        """Return the whole items of a query that returns only a part of each."""
        whole = {name: value for name, value in request.items() if name != "ProjectionExpression"}
        items = self._peek.query(**whole)["Items"]
        return {(request["TableName"], key_of(item)): item for item in items}

    def _items(self, wanted_places: Iterable[Place]) -> Found:
        """Return the items at these places that exist."""
        wanted: dict[str, Any] = {}
        for table, key in wanted_places:
            self._check_table(table)
            wanted.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(typed(key))
        if not wanted:
            return {}
        found = self._peek.batch_get_item(RequestItems=wanted)["Responses"]
        return {(table, key_of(item)): item for table, items in found.items() for item in items}

    def _check_table(self, table: str) -> None:
        """Refuse a table with an index that capacity.indexed does not count."""
        if table not in self._checked:
            described = self._peek.describe_table(TableName=table)["Table"]
            for index in described.get("GlobalSecondaryIndexes", []) + described.get("LocalSecondaryIndexes", []):
                names = {key["AttributeName"] for key in index["KeySchema"]}
                if names != {"list", "pk"} or index["Projection"]["ProjectionType"] != "KEYS_ONLY":
                    raise NotImplementedError(f"{table} has an index that capacity.indexed does not count")
            self._checked.add(table)


def _in_part(request: Request) -> bool:
    """Return whether a query returns only parts of the items that it reads; an index has no more than it returns."""
    if request.keys() & {"FilterExpression", "Select"}:
        raise NotImplementedError("a query with a filter, or that counts")
    if "IndexName" in request and "ProjectionExpression" in request:
        raise NotImplementedError("a query that returns parts of an index")
    return "ProjectionExpression" in request
