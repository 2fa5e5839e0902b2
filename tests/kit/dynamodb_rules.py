"""DynamoDB's published rules for requests, as far as moto, the emulator and tests/kit/memory.py do not keep them.

docs/internals/aws-rules.md names the page of each rule. `check` raises BrokenRule with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.store.aws.item_size import item_size
from tests.kit import dynamodb_expressions as expressions
from tests.kit.dynamodb_expressions import BrokenRule, Expression
from tests.kit.dynamodb_items import Table, check_index_keys, check_key, check_key_value, check_value, table

ITEM_BYTES = 400 * 1024
TRANSACTION_ITEMS, TRANSACTION_BYTES = 100, 4 * 1024 * 1024
BATCH_WRITES, BATCH_GETS, BATCH_BYTES = 25, 100, 16 * 1024 * 1024
SUBSTITUTION_BYTES = 2 * 1024 * 1024
SMALL_BYTES = 20_000
TOKEN_CHARACTERS = 36
SORT_OPERATORS = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})

_WITH_EXPRESSIONS = frozenset(
    {
        "ConditionExpression",
        "UpdateExpression",
        "ProjectionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
    }
)
_RETURNED = {
    "PutItem": {"NONE", "ALL_OLD"},
    "DeleteItem": {"NONE", "ALL_OLD"},
    "UpdateItem": {"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"},
}


_allowed: set[int] = set()
"""Hashes of the requests that AWS would allow; tests with faults send a request again and again."""


def check(operation: str, request: Mapping[str, Any]) -> None:
    """Check a request, with the names of the API's reference. Raises BrokenRule if AWS would refuse it."""
    if not 1 <= len(request.get("ClientRequestToken", "x")) <= TOKEN_CHARACTERS:
        raise BrokenRule(f"a ClientRequestToken has 1 to {TOKEN_CHARACTERS} characters")
    same = hash((operation, repr({**request, "ClientRequestToken": None})))
    if same not in _allowed:
        _check(operation, request)
        _allowed.add(same)


def _check(operation: str, request: Mapping[str, Any]) -> None:
    if operation == "TransactWriteItems":
        _check_transaction(request)
    elif operation == "BatchWriteItem":
        _check_batch_write(request["RequestItems"])
    elif operation == "BatchGetItem":
        _check_batch_get(request["RequestItems"])
    elif operation in ("PutItem", "UpdateItem", "DeleteItem", "GetItem"):
        _check_one(operation.removesuffix("Item"), request)
        if (returned := request.get("ReturnValues", "NONE")) not in _RETURNED.get(operation, {"NONE"}):
            raise BrokenRule(f"{operation} cannot return {returned}")
    elif operation in ("Query", "Scan"):
        _check_query(operation, request)


def _check_transaction(request: Mapping[str, Any]) -> None:
    parts = [next(iter(each.items())) for each in request["TransactItems"]]
    if any(len(each) != 1 for each in request["TransactItems"]):
        raise BrokenRule("each part of a transaction is one action")
    if not 1 <= len(parts) <= TRANSACTION_ITEMS:
        raise BrokenRule(f"a transaction has 1 to {TRANSACTION_ITEMS} parts, not {len(parts)}")
    _check_distinct("a transaction", (_place(part["TableName"], part) for _, part in parts))
    if sum(_check_one(kind, part) for kind, part in parts) > TRANSACTION_BYTES:
        raise BrokenRule(f"a transaction has more than {TRANSACTION_BYTES} bytes")


def _check_batch_write(tables: Mapping[str, Any]) -> None:
    parts = [(name, kind, part) for name, writes in tables.items() for each in writes for kind, part in each.items()]
    if not tables or not all(tables.values()) or not 1 <= len(parts) <= BATCH_WRITES:
        raise BrokenRule(f"a batch has 1 to {BATCH_WRITES} writes, not {len(parts)}")
    _check_distinct("a batch", (_place(name, part) for name, _, part in parts))
    sizes = [_check_one(kind.removesuffix("Request"), {"TableName": name, **part}) for name, kind, part in parts]
    if sum(sizes) > BATCH_BYTES:
        raise BrokenRule(f"a batch writes more than {BATCH_BYTES} bytes")


def _check_batch_get(tables: Mapping[str, Any]) -> None:
    places = [_place(name, {"Key": key}) for name, part in tables.items() for key in part["Keys"]]
    if not all(part["Keys"] for part in tables.values()) or not 1 <= len(places) <= BATCH_GETS:
        raise BrokenRule(f"a batch reads 1 to {BATCH_GETS} items, not {len(places)}")
    _check_distinct("a batch", places)
    for name, part in tables.items():
        for key in part["Keys"]:
            check_key(table(name), key)
        _check_expressions(part)


def _place(name: str, part: Mapping[str, Any]) -> tuple[str, ...]:
    item = part.get("Item") or part["Key"]
    return (name, *(str(item.get(attribute)) for attribute in table(name).key))


def _check_distinct(whole: str, places: Iterable[tuple[str, ...]]) -> None:
    seen: set[tuple[str, ...]] = set()
    for place in places:
        if place in seen:
            raise BrokenRule(f"{whole} has the item {place} twice")
        seen.add(place)


def _check_one(kind: str, part: Mapping[str, Any]) -> int:
    """Check one read or write of one item; return the bytes that it sends."""
    schema = table(part["TableName"])
    if part.get("ReturnValuesOnConditionCheckFailure") not in (None, "NONE", "ALL_OLD"):
        raise BrokenRule("ReturnValuesOnConditionCheckFailure is NONE or ALL_OLD")
    if kind == "Put":
        item = part["Item"]
        check_key(schema, {name: item[name] for name in schema.key if name in item})
        for value in item.values():
            check_value(value)
        check_index_keys(schema, item)
        check_item_size(item)
        size = size_bound(item)
    else:
        check_key(schema, part["Key"])
        size = size_bound(part["Key"])
    if kind == "ConditionCheck" and "ConditionExpression" not in part:
        raise BrokenRule("a ConditionCheck has no condition")
    if not part.keys() & _WITH_EXPRESSIONS:
        return size
    for expression in _check_expressions(part).values():
        for path, placeholder in expression.changes:
            head = str(expressions.resolved(path[:1], part)[0])
            if head in schema.key:
                raise BrokenRule(f"an update changes {head}, a part of the key")
            if placeholder and len(path) == 1 and head in schema.types:
                check_index_keys(schema, {**part["Key"], head: part["ExpressionAttributeValues"][placeholder]})
    return size + size_bound(part.get("ExpressionAttributeValues", {}))


def check_item_size(item: Mapping[str, Any]) -> None:
    """Raise BrokenRule if an item is larger than DynamoDB's items, also after an update."""
    size = size_bound(item)
    if size > ITEM_BYTES:
        raise BrokenRule(f"an item has {size} bytes, at most {ITEM_BYTES}")


def size_bound(attributes: Mapping[str, Any]) -> int:
    """Return the bytes of attributes, or an upper bound that is small even a hundred times."""
    # The texts of a value are in its representation, and a character has at most four bytes.
    bound = 4 * len(repr(attributes))
    return bound if bound <= SMALL_BYTES else item_size(attributes)


def _check_expressions(request: Mapping[str, Any]) -> Mapping[str, Expression]:
    """Check all expressions of a request with their names and values, and return them."""
    found = expressions.read(request)
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    for value in values.values():
        check_value(value)
    if len(repr(values)) > SMALL_BYTES and item_size(values) + _names_size(names) > SUBSTITUTION_BYTES:
        raise BrokenRule(f"names and values of expressions have more than {SUBSTITUTION_BYTES} bytes")
    for expression in found.values():
        for clause in expression.clauses:
            if clause.operator in ("BETWEEN", "attribute_type"):
                _check_texts(clause, values)
    return found


def _names_size(names: Mapping[str, str]) -> int:
    return sum(len(short) + len(name.encode()) for short, name in names.items())


def _check_texts(clause: expressions.Clause, values: Mapping[str, Any]) -> None:
    texts = [values[placeholder]["S"] for placeholder in clause.texts]
    if clause.operator == "BETWEEN" and len(texts) == 2 and texts[0].encode() > texts[1].encode():
        raise BrokenRule(f"the end of a range, {texts[1]!r}, is before its beginning, {texts[0]!r}")
    types = ("S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M")
    if clause.operator == "attribute_type" and not set(texts) <= set(types):
        raise BrokenRule(f"{texts} is no type of attributes")


def _check_query(operation: str, request: Mapping[str, Any]) -> None:
    schema, index = table(request["TableName"]), request.get("IndexName")
    if index is not None and index not in schema.indexes:
        raise BrokenRule(f"{request['TableName']} has no index {index}")
    key = schema.indexes[index] if index else schema.key
    if index and request.get("ConsistentRead"):
        raise BrokenRule("a global index cannot be read consistently")
    if request.get("Limit", 1) < 1:
        raise BrokenRule("Limit is at least 1")
    found = _check_expressions(request)
    if operation == "Query":
        _check_key_condition(found["KeyConditionExpression"], schema, key, request)
        filtered = found["FilterExpression"].clauses if "FilterExpression" in found else ()
        if any(expressions.resolved(path, request)[0] in key for clause in filtered for path in clause.paths):
            raise BrokenRule(f"a filter of a query names the key, {key}")
    _check_selection(request)
    projected = schema.projected.get(index) if index else None
    if projected is not None and request.get("Select") == "ALL_ATTRIBUTES":
        raise BrokenRule("a global index without all attributes cannot return ALL_ATTRIBUTES")
    if projected is not None and "ProjectionExpression" in found:
        heads = {str(expressions.resolved(path, request)[0]) for path in found["ProjectionExpression"].projected}
        if missing := heads - projected:
            raise BrokenRule(f"the index does not have {missing}")
    if start := request.get("ExclusiveStartKey"):
        if set(start) != {*schema.key, *key}:
            raise BrokenRule(f"ExclusiveStartKey has {sorted(start)}, not the keys of the table and the index")
        check_key(schema, {name: start[name] for name in schema.key})
        check_index_keys(schema, start)


def _check_key_condition(
    condition: Expression, schema: Table, key: tuple[str, ...], request: Mapping[str, Any]
) -> None:
    clauses = {tuple(expressions.resolved(path, request) for path in each.paths): each for each in condition.clauses}
    values = request.get("ExpressionAttributeValues", {})
    partition, sort = clauses.pop(((key[0],),), None), clauses.pop(((key[1],),), None)
    if not condition.is_conjunction or clauses or len(condition.clauses) != bool(partition) + bool(sort):
        raise BrokenRule(f"a key condition has one condition for each of {key}, connected by AND")
    if partition is None or partition.operator != "=":
        raise BrokenRule(f"a key condition compares the partition key, {key[0]}, by =")
    if sort and sort.operator not in SORT_OPERATORS:
        raise BrokenRule(f"a key condition cannot use {sort.operator}")
    if any(list(values[each]) != [schema.types[key[0]]] for each in condition.values):
        raise BrokenRule(f"a key condition compares a key attribute with a value of another type: {values}")
    check_key_value(schema, key[0], values[partition.texts[0]], is_sort=False)
    for each in sort.texts if sort else ():
        check_key_value(schema, key[1], values[each], is_sort=True)


def _check_selection(request: Mapping[str, Any]) -> None:
    select, projection = request.get("Select"), request.get("ProjectionExpression")
    if projection and select not in (None, "SPECIFIC_ATTRIBUTES"):
        raise BrokenRule(f"Select {select} does not allow a ProjectionExpression")
    if select == "SPECIFIC_ATTRIBUTES" and not projection:
        raise BrokenRule("Select SPECIFIC_ATTRIBUTES needs a ProjectionExpression")
    if select == "ALL_PROJECTED_ATTRIBUTES" and "IndexName" not in request:
        raise BrokenRule("Select ALL_PROJECTED_ATTRIBUTES needs an index")
