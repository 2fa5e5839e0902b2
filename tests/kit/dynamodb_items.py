"""DynamoDB's rules for keys and values of items. The tables are those of infra/data.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chalicelib.store.aws.item_size import value_size
from tests.kit.dynamodb_expressions import BrokenRule

PARTITION_KEY_BYTES, SORT_KEY_BYTES = 2048, 1024
DEPTH = 32
DIGITS = 38

_DATA = Path(__file__).resolve().parents[2] / "infra" / "data.yaml"


@dataclass(frozen=True)
class Table:
    """The key attributes of a table and of its global indexes (partition key, sort key), and the attributes' types."""

    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]
    projected: Mapping[str, frozenset[str] | None]
    """The attributes in each index; None: all."""


@cache
def table(name: str) -> Table:
    """Return the table of infra/data.yaml with this name in any stage; tests' own tables have the same key."""
    tables = _tables()
    return tables.get(re.sub("^engawa-[a-z0-9]+-", "", name), tables["directory"])


@cache
def _tables() -> dict[str, Table]:
    found = {}
    for resource in yaml.safe_load(_DATA.read_text(encoding="utf-8"))["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            name = properties["TableName"]["Fn::Sub"].removeprefix("engawa-${Stage}-")
            found[name] = described(properties)
    return found


def described(properties: Mapping[str, Any]) -> Table:
    """Return the table with these properties of CreateTable."""
    key = _names(properties["KeySchema"])
    indexes = {each["IndexName"]: each for each in properties.get("GlobalSecondaryIndexes", [])}
    keys = {name: _names(index["KeySchema"]) for name, index in indexes.items()}
    projected = {
        name: None
        if index["Projection"]["ProjectionType"] == "ALL"
        else frozenset({*key, *keys[name], *index["Projection"].get("NonKeyAttributes", [])})
        for name, index in indexes.items()
    }
    types = {each["AttributeName"]: each["AttributeType"] for each in properties["AttributeDefinitions"]}
    return Table(key, keys, types, projected)


def _names(schema: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in sorted(schema, key=lambda part: part["KeyType"]))


def check_key(schema: Table, key: Mapping[str, Any]) -> None:
    """Check the primary key of an item."""
    if set(key) != set(schema.key):
        raise BrokenRule(f"a key consists of {schema.key}, not of {tuple(key)}")
    for place, name in enumerate(schema.key):
        check_key_value(schema, name, key[name], is_sort=place == 1)


def check_index_keys(schema: Table, item: Mapping[str, Any]) -> None:
    """Check the attributes of an item that are keys of an index; an item without them is not in the index."""
    for names in schema.indexes.values():
        if any(name in item for name in names if name not in schema.key):
            for place, name in enumerate(names):
                if name in item:
                    check_key_value(schema, name, item[name], is_sort=place == 1)


def check_key_value(schema: Table, name: str, value: Mapping[str, Any], *, is_sort: bool) -> None:
    if list(value) != [schema.types[name]]:
        raise BrokenRule(f"the key attribute {name} is of type {schema.types[name]}, not {list(value)}")
    size, most = value_size(value), SORT_KEY_BYTES if is_sort else PARTITION_KEY_BYTES
    if not 1 <= size <= most:
        raise BrokenRule(f"the key attribute {name} has {size} bytes, but 1 to {most} are allowed")


def check_value(value: Mapping[str, Any], depth: int = 1) -> None:
    """Check a value and all inside it. The attribute itself is its first level, so this counts rather too strictly."""
    if len(value) != 1:
        raise BrokenRule(f"a value has exactly one type, not {list(value)}")
    if "S" in value and depth <= DEPTH:
        return
    if depth > DEPTH:
        raise BrokenRule(f"a value is nested more deeply than {DEPTH} levels")
    ((kind, held),) = value.items()
    if kind == "N":
        _check_number(held)
    elif kind in ("SS", "NS", "BS"):
        numbers_or_texts = [_check_number(each) for each in held] if kind == "NS" else held
        if not held or len(set(numbers_or_texts)) < len(held):
            raise BrokenRule("a set is empty or has an element twice")
    elif kind in ("L", "M"):
        for each in held.values() if kind == "M" else held:
            check_value(each, depth + 1)


def _check_number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BrokenRule(f"{text!r} is no number") from error
    if not number.is_finite():
        raise BrokenRule(f"{text!r} is no number that DynamoDB knows")
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > DIGITS:
        raise BrokenRule(f"{text} has more than {DIGITS} digits")
    if number and not -130 <= number.adjusted() <= 125:
        raise BrokenRule(f"{text} is outside the range of numbers")
    return number
