"""The items that an operation of DynamoDB's API touches, found from its request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.store.aws.items import Item, Place, key_of

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Read:
    """A read of one item by its key."""

    place: Place
    consistent: bool


@dataclass(frozen=True)
class Write:
    """A put, update, delete or check of one item. `item` is the item of a put; None for the others."""

    place: Place
    item: Item | None = None


def reads(operation: str, request: Request) -> list[Read]:
    """Return the reads by key of an operation."""
    match operation:
        case "GetItem":
            return [_read(request, request)]
        case "BatchGetItem":
            wanted = request["RequestItems"].items()
            return [_read({"TableName": table, "Key": key}, part) for table, part in wanted for key in part["Keys"]]
    return []


def writes(operation: str, request: Request) -> list[Write]:
    """Return the writes of an operation. Raises NotImplementedError for an unknown operation."""
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            return [_write(request)]
        case "TransactWriteItems":
            return [_write(action) for actions in request["TransactItems"] for action in actions.values()]
        case "BatchWriteItem":
            wanted = request["RequestItems"].items()
            return [
                _write({"TableName": table, **action})
                for table, parts in wanted
                for actions in parts
                for action in actions.values()
            ]
        case "GetItem" | "BatchGetItem" | "Query":
            return []
    raise NotImplementedError(f"nobody has said yet what {operation} costs")


def places(operation: str, request: Request) -> list[Place]:
    """Return the places of all items that an operation reads by key or writes. Raises like `writes`."""
    return [read.place for read in reads(operation, request)] + [write.place for write in writes(operation, request)]


def _read(one: Request, options: Request) -> Read:
    return Read((one["TableName"], key_of(one["Key"])), options.get("ConsistentRead", False))


def _write(one: Request) -> Write:
    item: Item | None = one.get("Item")
    return Write((one["TableName"], key_of(item or one["Key"])), item)
