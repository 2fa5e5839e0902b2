"""The size of an item and the capacity units of an operation on it, as DynamoDB counts them.

AWS publishes the rules ("DynamoDB item sizes and formats" and "Read and write operations" in its developer guide). The
layout of items (store/appdata/placement.py) and the cost ledger in bench/ are based on them.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

READ_UNIT = 4096
WRITE_UNIT = 1024


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: the UTF-8 bytes of its attribute names and the size of each value."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(typed: Mapping[str, Any]) -> int:
    """Return the bytes of one attribute value, `{"S": "text"}` and so on."""
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return number_size(value)
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(element.encode()) for element in value)
        case "NS":
            return sum(number_size(element) for element in value)
        case "BS":
            return sum(len(element) for element in value)
        case "L":
            return 3 + sum(1 + value_size(element) for element in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_size(element) for name, element in value.items())
    raise ValueError(f"no such attribute type: {kind}")


def number_size(digits: str) -> int:
    """Return the bytes of a number, from its decimal text: one for each two significant digits, and one more."""
    significant = digits.lstrip("-").replace(".", "").strip("0")
    return ceil(len(significant) / 2) + 1 + digits.startswith("-")


def read_units(size: int, *, consistent: bool) -> float:
    """Return the RRU of reading `size` bytes, rounded up to 4 KB; an eventually consistent read costs half."""
    return max(1, ceil(size / READ_UNIT)) * (1.0 if consistent else 0.5)


def write_units(size: int) -> int:
    """Return the WRU of writing an item of `size` bytes (the larger of before and after), rounded up to 1 KB.

    A delete costs the same as a write.
    """
    return max(1, ceil(size / WRITE_UNIT))
