"""Items, keys and places in the form of DynamoDB's low-level API.

Every table has a string partition key `pk` and a string sort key `sk`.
"""

import sys
from typing import Any

Item = dict[str, Any]
"""An item: attribute name → {type: value}."""
Key = tuple[str, str]
"""Partition key and sort key."""
Place = tuple[str, Key]
"""Table name and key of one item."""
Span = tuple[str, str]
"""First and last sort key of a range, both inclusive."""


def typed(key: Key) -> Item:
    """Return a key in the form of the low-level API."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def key_of(item: Item) -> Key:
    """Return the key of an item."""
    return item["pk"]["S"], item["sk"]["S"]


def beginning(prefix: str) -> Span:
    """Return the range of the sort keys that begin with `prefix`."""
    return prefix, prefix + chr(sys.maxunicode)
