"""DynamoDB in a dictionary, as far as the stores use it, for tests that make very many calls.

moto takes milliseconds a call for the wire's sake; its conditions are used here. It also knows what moto does not: a
transaction that comes again under its ClientRequestToken is the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from chalicelib.store.dynamo import BATCH_GET, BATCH_WRITE, TRANSACTION, Key, key_of

Place = tuple[str, str, str]


class Memory:
    """A boto3 client of tables that need not be created; for one thread at a time."""

    def __init__(self) -> None:
        self.items: dict[Place, dict[str, Any]] = {}
        self.tokens: dict[str, Any] = {}

    def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> dict[str, Any]:
        item = self.items.get((TableName, *key_of(Key)))
        return {"Item": item} if item else {}

    def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:
        places = [(table, *key_of(key)) for table, asked in RequestItems.items() for key in asked["Keys"]]
        assert 0 < len(places) == len(set(places)) <= BATCH_GET
        answers: dict[str, Any] = {table: [] for table in RequestItems}
        for place in places:
            if place in self.items:
                answers[place[0]].append(self.items[place])
        return {"Responses": answers}

    def query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        ExpressionAttributeNames: Any,
        ExpressionAttributeValues: Any,
        ConsistentRead: bool,
        ProjectionExpression: str | None = None,
        ExclusiveStartKey: Any = None,
        Limit: int = 1_000_000,
    ) -> dict[str, Any]:
        assert KeyConditionExpression in ("#p = :p", "#p = :p AND #s BETWEEN :first AND :last")
        assert ExpressionAttributeNames.items() <= {"#p": "pk", "#s": "sk"}.items()
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        first, last = values.get(":first", "").encode(), values.get(":last", chr(0x10FFFF)).encode()
        after = key_of(ExclusiveStartKey)[1].encode() if ExclusiveStartKey else b""
        found = [
            (sort_key.encode(), item)
            for (table, partition, sort_key), item in self.items.items()
            if (table, partition) == (TableName, values[":p"])
            and first <= sort_key.encode() <= last
            and sort_key.encode() > after
        ]
        page = [item for _, item in sorted(found, key=lambda each: each[0])[:Limit]]
        names = ProjectionExpression.split(", ") if ProjectionExpression else None
        answer: dict[str, Any] = {"Items": [{n: item[n] for n in names} if names else item for item in page]}
        if len(page) == Limit:
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in ("pk", "sk")}
        return answer

    def put_item(self, **put: Any) -> dict[str, Any]:
        if (old := self._failing(put)) is not None:
            raise client_error("ConditionalCheckFailedException", **({"Item": old} if old else {}))
        self.items[_place(put)] = put["Item"]
        return {}

    def transact_write_items(self, *, TransactItems: Any, ClientRequestToken: str) -> dict[str, Any]:
        if ClientRequestToken in self.tokens:
            assert self.tokens[ClientRequestToken] == TransactItems, "another request under the same token"
            return {}
        writes = [next(iter(each.items())) for each in TransactItems]
        assert len({_place(write) for _, write in writes}) == len(writes) <= TRANSACTION
        failures = [self._failing(write) for _, write in writes]
        if any(old is not None for old in failures):
            raise cancelled(
                {turn: "ConditionalCheckFailed" for turn, old in enumerate(failures) if old is not None}, failures
            )
        for kind, write in writes:
            item = self._added(write) if kind == "Update" else write.get("Item")
            if kind != "ConditionCheck":
                self._apply("Put" if item else kind, _place(write), item)
        self.tokens[ClientRequestToken] = TransactItems
        return {}

    def batch_write_item(self, *, RequestItems: Any) -> dict[str, Any]:
        requests = [(table, *next(iter(each.items()))) for table, part in RequestItems.items() for each in part]
        assert 0 < len(requests) <= BATCH_WRITE
        for table, kind, request in requests:
            self._apply(kind.removesuffix("Request"), _place({"TableName": table, **request}), request.get("Item"))
        return {}

    def table(self, name: str) -> Iterator[dict[str, Any]]:
        """Everything that a table holds."""
        return (item for (table, _, _), item in self.items.items() if table == name)

    def _apply(self, kind: str, place: Place, item: Any) -> None:
        if kind == "Put":
            self.items[place] = item
        else:
            assert kind == "Delete"
            self.items.pop(place, None)

    def _added(self, update: Any) -> dict[str, Any]:
        """The item after an update, which may only add to numbers."""
        verb, *additions = update["UpdateExpression"].replace(",", "").split()
        assert verb == "ADD"
        item = self.items[_place(update)]
        for name, number in zip(additions[::2], additions[1::2], strict=True):
            name = update["ExpressionAttributeNames"][name]
            before = int(item.get(name, {"N": "0"})["N"])
            item = item | {name: {"N": str(before + int(update["ExpressionAttributeValues"][number]["N"]))}}
        return item

    def _failing(self, write: Any) -> dict[str, Any] | None:
        """The old item (if it is asked for) where the write's condition fails; None where it holds."""
        if "ConditionExpression" not in write:
            return None
        old = self.items.get(_place(write))
        condition = get_filter_expression(write["ConditionExpression"], {}, write.get("ExpressionAttributeValues"))
        if condition.expr(_moto_item(old) if old else None):
            return None
        return dict(old or {}) if write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}


def client_error(code: str, status: int = 400, *, resent: int = 0, **more: Any) -> ClientError:
    """The error that boto3 raises for a code; `resent` is how often the SDK had sent the request again."""
    response: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(response | {"ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": resent}}, "Any")


def cancelled(codes: dict[int, str], items: list[Any]) -> ClientError:
    """A cancelled transaction of as many items as `items`, for the reasons with their place in it."""
    reasons = [{"Code": codes.get(turn, "None")} | ({"Item": old} if old else {}) for turn, old in enumerate(items)]
    return client_error("TransactionCanceledException", CancellationReasons=reasons)


def _place(write: Any) -> Place:
    key: Key = key_of(write.get("Item") or write["Key"])
    return (write["TableName"], *key)


def _moto_item(item: dict[str, Any]) -> Item:
    return Item(DynamoType(item["pk"]), DynamoType(item["sk"]), item)
