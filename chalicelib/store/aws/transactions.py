"""Changes of one item, and transactions with named parts.

    write = Transaction()
    write.put("feed", table, feed_item, ABSENT)
    write.check("page", table, page_key, ALIVE)
    try:
        dynamo.commit(write)
    except Lost as lost:
        if lost.failed("page"): ...

The order of the parts does not matter: a failed transaction is queried by the names of its parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chalicelib.store.aws import formats
from chalicelib.store.aws.conditions import AttributeValue, Condition, Path, Placeholders
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.items import Item, Key, typed

MOST_ITEMS = 100
"""The most items of one transaction (AWS: TransactWriteItems in its API reference)."""


@dataclass(frozen=True)
class Update:
    """A change of an item. A dot in a name leads into a map; names have no other restriction.

    An item without a format number, such as a new one, gets the newest (formats.py).

    `sets` has values, or a Path: the value of that other attribute before the change. `adds` are added to numbers (an
    absent number is 0), `removes` are attributes to remove, and `discards` are members to remove from sets.
    """

    sets: Mapping[str, AttributeValue | Path] = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: Sequence[str] = ()
    discards: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def parameters(self, condition: Condition | None) -> dict[str, Any]:
        """Return UpdateItem's parameters for this change under `condition` (None: unconditional)."""
        placeholders = Placeholders()
        name, value = placeholders.name, placeholders.value
        sets = [
            f"{name(each)} = {name(to.text) if isinstance(to, Path) else value(to)}" for each, to in self.sets.items()
        ]
        if formats.ATTRIBUTE not in self.sets:
            number = name(formats.ATTRIBUTE)
            sets.append(f"{number} = if_not_exists({number}, {value(formats.NUMBER)})")
        clauses = {
            "SET": sets,
            "ADD": [f"{name(each)} {value(number)}" for each, number in self.adds.items()],
            "REMOVE": [name(each) for each in self.removes],
            "DELETE": [f"{name(each)} {value(members)}" for each, members in self.discards.items()],
        }
        expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
        return {"UpdateExpression": expression} | conditional(condition, placeholders)


class AnswerRecord(Protocol):
    """The record of a request's `Idempotency-Key`. It joins the transaction that carries out the request."""

    def join(self, transaction: "Transaction", answer: str) -> None:
        """Add the part that stores the answer."""

    def check(self, lost: Lost) -> None:
        """Raise StillRunning if this process passed its deadline and another took over its record."""


class Transaction:
    """A group of writes to several items that all happen or none; each part has its own name.

    At most 100 parts and 4 MB, and no item twice.
    """

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, Any]] = {}
        """The parts by name, each in the form of TransactWriteItems."""

    def put(self, name: str, table: str, item: Item, condition: Condition | None = None) -> None:
        """Write an item under `condition` (None: unconditionally)."""
        self._add(name, "Put", {"TableName": table, "Item": formats.numbered(item)} | conditional(condition))

    def delete(self, name: str, table: str, key: Key, condition: Condition | None = None) -> None:
        """Delete an item under `condition` (None: unconditionally, even if it does not exist)."""
        self._add(name, "Delete", {"TableName": table, "Key": typed(key)} | conditional(condition))

    def update(self, name: str, table: str, key: Key, change: Update, condition: Condition | None = None) -> None:
        """Change an item under `condition` (None: unconditionally; a missing item is created)."""
        self._add(name, "Update", {"TableName": table, "Key": typed(key)} | change.parameters(condition))

    def check(self, name: str, table: str, key: Key, condition: Condition) -> None:
        """Change nothing, but let the transaction succeed only under `condition`."""
        self._add(name, "ConditionCheck", {"TableName": table, "Key": typed(key)} | conditional(condition))

    def __len__(self) -> int:
        return len(self.parts)

    def _add(self, name: str, kind: str, parameters: dict[str, Any]) -> None:
        if name in self.parts:
            raise ValueError(f"two parts of one transaction are called {name}")
        self.parts[name] = {kind: parameters}


def conditional(condition: Condition | None, placeholders: Placeholders | None = None) -> dict[str, Any]:
    """Return a write's parameters for its condition. They request the old item if the condition fails.

    `placeholders` has the names and values that the write's update expression has already registered.
    """
    placeholders = placeholders or Placeholders()
    if condition is None:
        return placeholders.parameters()
    expression = condition.expression(placeholders)
    return {
        "ConditionExpression": expression,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    } | placeholders.parameters()
