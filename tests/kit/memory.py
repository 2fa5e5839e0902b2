"""DynamoDB in a dictionary, as far as the stores use it, for tests with very many calls.

moto takes milliseconds per call, because it encodes requests and responses. Unlike moto, this also supports
ClientRequestToken: a repeated transaction with the same token is the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError

from chalicelib.store.aws.client import BATCH_GET, BATCH_WRITE
from chalicelib.store.aws.items import Key, key_of, typed
from chalicelib.store.aws.transactions import MOST_ITEMS
from tests.kit.dynamodb_rules import check_item_size

Place = tuple[str, str, str]
_TOKEN = re.compile(r"<=|[()<>,=]|:\w+|[#.\w]+")


class Memory:
    """A boto3 client of tables that need not be created. For one thread at a time."""

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
        ConsistentRead: bool = False,
        IndexName: str | None = None,
        ProjectionExpression: str | None = None,
        ExclusiveStartKey: Any = None,
        ScanIndexForward: bool = True,
        Limit: int = 1_000_000,
    ) -> dict[str, Any]:
        assert KeyConditionExpression in ("#p = :p", "#p = :p AND #s BETWEEN :first AND :last")
        key = ("list", "pk") if IndexName else ("pk", "sk")
        assert ExpressionAttributeNames.items() <= {"#p": key[0], "#s": key[1]}.items()
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        first, last = values.get(":first", "").encode(), values.get(":last", chr(0x10FFFF)).encode()
        assert first <= last, "DynamoDB refuses a range whose end is before its beginning"

        def order(item: Any) -> tuple[bytes, bytes]:
            return item[key[1]]["S"].encode(), item["sk"]["S"].encode()

        found = [
            item
            for (table, _, _), item in self.items.items()
            if table == TableName
            and item.get(key[0]) == {"S": values[":p"]}
            and first <= item[key[1]]["S"].encode() <= last
        ]
        found.sort(key=order, reverse=not ScanIndexForward)
        if ExclusiveStartKey:
            last_one = order(ExclusiveStartKey)
            found = [item for item in found if (order(item) > last_one) == ScanIndexForward and order(item) != last_one]
        page = found[:Limit]
        names = ProjectionExpression.split(", ") if ProjectionExpression else None
        names = ["pk", "sk", "list"] if IndexName else names
        answer: dict[str, Any] = {"Items": [{n: item[n] for n in names} if names else item for item in page]}
        if len(page) == Limit:
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in {"pk", "sk", key[0]}}
        return answer

    def scan(
        self, *, TableName: str, Segment: int, TotalSegments: int, Limit: int, ExclusiveStartKey: Any = None
    ) -> dict[str, Any]:
        assert 0 <= Segment < TotalSegments
        after = key_of(ExclusiveStartKey) if ExclusiveStartKey else ("", "")
        found = [
            item
            for key, item in sorted((key_of(item), item) for item in self.table(TableName))
            if crc32(key[0].encode()) % TotalSegments == Segment and key > after
        ]
        page = found[:Limit]
        last = {"LastEvaluatedKey": typed(key_of(page[-1]))} if len(page) == Limit else {}
        return {"Items": page} | last

    def update_item(self, **update: Any) -> dict[str, Any]:
        self._check(update)
        self.items[_place(update)] = changed(self.items.get(_place(update)) or dict(update["Key"]), update)
        return {"Attributes": self.items[_place(update)]} if update.get("ReturnValues") == "ALL_NEW" else {}

    def delete_item(self, **delete: Any) -> dict[str, Any]:
        self._check(delete)
        self.items.pop(_place(delete), None)
        return {}

    def put_item(self, **put: Any) -> dict[str, Any]:
        self._check(put)
        self.items[_place(put)] = put["Item"]
        return {}

    def transact_write_items(self, *, TransactItems: Any, ClientRequestToken: str) -> dict[str, Any]:
        if ClientRequestToken in self.tokens:
            assert self.tokens[ClientRequestToken] == TransactItems, "another request under the same token"
            return {}
        writes = [next(iter(each.items())) for each in TransactItems]
        assert len({_place(write) for _, write in writes}) == len(writes) <= MOST_ITEMS
        failures = [self._failing(write) for _, write in writes]
        if any(old is not None for old in failures):
            raise cancelled(
                {turn: "ConditionalCheckFailed" for turn, old in enumerate(failures) if old is not None}, failures
            )
        for kind, write in writes:
            old = self.items.get(_place(write)) or write.get("Key")
            item = changed(old, write) if kind == "Update" else write.get("Item")
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
        """Return all items of a table."""
        return (item for (table, _, _), item in self.items.items() if table == name)

    def _apply(self, kind: str, place: Place, item: Any) -> None:
        if kind == "Put":
            self.items[place] = item
        else:
            assert kind == "Delete"
            self.items.pop(place, None)

    def _check(self, write: Any) -> None:
        if (old := self._failing(write)) is not None:
            told: dict[str, Any] = {"Item": old} if old else {}
            raise client_error("ConditionalCheckFailedException", **told)

    def _failing(self, write: Any) -> dict[str, Any] | None:
        """Return None if the write's condition holds; otherwise the old item if it is requested, or {}."""
        if "ConditionExpression" not in write:
            return None
        old = self.items.get(_place(write))
        if _holds(write, old):
            return None
        return dict(old or {}) if write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}


class Bucket:
    """The part of S3 that the app uses."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, CacheControl: str) -> dict[str, Any]:
        self.objects[Key] = Body
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": BytesIO(self.objects[Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        return {"Contents": [{"Key": key} for key in keys]} if keys else {}

    def delete_objects(self, *, Bucket: str, Delete: Any) -> dict[str, Any]:
        for each in Delete["Objects"]:
            self.objects.pop(each["Key"], None)
        return {}

    def generate_presigned_url(self, operation: str, *, Params: Any, ExpiresIn: int) -> str:
        assert operation == "get_object"
        return f"https://{Params['Bucket']}.example/{Params['Key']}"


class Queue:
    """The part of SQS that the app uses."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:
        return {"QueueUrl": f"http://127.0.0.1/{QueueName}"}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:
        self.messages.append(MessageBody)
        return {}


class Secrets:
    """The part of Secrets Manager that the app uses."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:
        return {"SecretString": self.values[SecretId]}


class Cloud:
    """DynamoDB, S3, SQS and Secrets Manager behind one client, so that a client around it sees every call."""

    def __init__(self) -> None:
        self.memory, self.bucket, self.queue, self.secrets = Memory(), Bucket(), Queue(), Secrets()

    def __getattr__(self, operation: str) -> Any:
        for part in (self.memory, self.bucket, self.queue, self.secrets):
            if hasattr(part, operation):
                return getattr(part, operation)
        raise AttributeError(operation)

    def mark(self) -> Any:
        """Return the identities of all stored things. The same mark at two moments means the same contents.

        An item has its key, and is in one table; it is only replaced, never changed.
        """
        items = frozenset(map(id, self.memory.items.values()))
        return items, frozenset(self.bucket.objects), tuple(self.queue.messages)

    def save(self) -> Any:
        return dict(self.memory.items), dict(self.bucket.objects), list(self.queue.messages)

    def restore(self, saved: Any) -> None:
        items, objects, messages = saved
        self.memory.items, self.bucket.objects, self.queue.messages = dict(items), dict(objects), list(messages)


def _holds(write: Any, old: dict[str, Any] | None) -> bool:
    """Return whether a write's condition holds for the stored item. AND binds more tightly than OR."""
    tokens = _TOKEN.findall(write["ConditionExpression"])
    names, values = write.get("ExpressionAttributeNames", {}), write.get("ExpressionAttributeValues", {})

    def stored(path: str) -> Any:
        found: Any = {"M": old or {}}
        for step in path.split("."):
            found = found["M"].get(names[step]) if found else None
        return found

    def choice() -> bool:
        holds = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            holds = both() or holds
        return holds

    def both() -> bool:
        holds = clause()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            holds = clause() and holds
        return holds

    def clause() -> bool:
        first = tokens.pop(0)
        if first == "(":
            holds = choice()
            tokens.pop(0)
            return holds
        if first in ("attribute_exists", "attribute_not_exists"):
            _, path, _ = (tokens.pop(0) for _ in range(3))
            return bool((stored(path) is not None) == (first == "attribute_exists"))
        if first == "contains":
            _, path, _, member, _ = (tokens.pop(0) for _ in range(5))
            return bool(values[member]["S"] in (stored(path) or {}).get("SS", []))
        sign, value, found = tokens.pop(0), values[tokens.pop(0)], stored(first)
        if found is None:
            return False
        if sign == "=":
            return bool(_comparable(found) == _comparable(value))
        one, other = int(found["N"]), int(value["N"])
        return {"<": one < other, "<=": one <= other, ">": one > other}[sign]

    holds = choice()
    assert not tokens, f"DynamoDB would refuse {write['ConditionExpression']}"
    return holds


def _comparable(value: Any) -> Any:
    """Return a value in a form for comparison: a set has no order."""
    return frozenset(value["SS"]) if "SS" in value else value


def changed(item: dict[str, Any], update: Any) -> dict[str, Any]:
    """Return the item after an update. Raises BrokenRule if it is larger than DynamoDB allows."""
    names, values = update.get("ExpressionAttributeNames", {}), update.get("ExpressionAttributeValues", {})
    words = re.split(r"\b(SET|ADD|REMOVE|DELETE)\b", update["UpdateExpression"])[1:]
    before, after = item, dict(item)

    def value(operand: str) -> Any:
        if operand.startswith("if_not_exists("):
            path, default = operand.removeprefix("if_not_exists(").removesuffix(")").split(", ")
            return before.get(names[path], values[default])
        if " + " in operand:
            return {"N": str(sum(int(value(each)["N"]) for each in operand.split(" + ")))}
        return values[operand] if operand.startswith(":") else before[names.get(operand, operand)]

    for verb, clause in zip(words[::2], words[1::2], strict=True):
        for part in re.split(r", (?![^(]*\))", clause.strip()):
            path, _, operand = part.partition(" = " if verb == "SET" else " ")
            name, _, inner = path.partition(".")
            name, inner = names.get(name, name), names.get(inner, inner)
            if verb == "DELETE":
                left = set(after.pop(name, {"SS": []})["SS"]) - set(values[operand]["SS"])
                after |= {name: {"SS": sorted(left)}} if left else {}
            elif verb == "ADD":
                held = before.get(name, {"N": "0"})
                after[name] = {"N": str(int(held["N"]) + int(values[operand]["N"]))}
            elif inner:
                entries = {key: each for key, each in after[name]["M"].items() if key != inner}
                after[name] = {"M": entries | ({inner: value(operand)} if verb == "SET" else {})}
            elif verb == "SET":
                after[name] = value(operand)
            else:
                after.pop(name, None)
    check_item_size(after)
    return after


def client_error(code: str, status: int = 400, *, resent: int = 0, **more: Any) -> ClientError:
    """Return the error that boto3 raises for a code. `resent` is the number of retries by the SDK."""
    response: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(response | {"ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": resent}}, "Any")


def cancelled(codes: dict[int, str], items: list[Any]) -> ClientError:
    """Return the error of a cancelled transaction with as many parts as `items`; `codes` has the reasons by place."""
    reasons = [{"Code": codes.get(turn, "None")} | ({"Item": old} if old else {}) for turn, old in enumerate(items)]
    return client_error("TransactionCanceledException", CancellationReasons=reasons)


def _place(write: Any) -> Place:
    key: Key = key_of(write.get("Item") or write["Key"])
    return (write["TableName"], *key)
