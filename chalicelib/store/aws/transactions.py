"""Writes: changes of one item, and transactions whose parts have names.

    write = Transaction()
    write.put("feed", table, feed_item, ABSENT)
    write.check("page", table, page_key, ALIVE)
    try:
        dynamo.commit(write)
    except Lost as lost:
        if lost.failed("page"): ...

The order of the parts means nothing: a failed transaction is asked by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chalicelib.store.aws.conditions import AttributeValue, Condition, Path, Placeholders
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.items import Item, Key, typed

MOST_ITEMS = 100
"""Items of one transaction (AWS: TransactWriteItems in its API reference)."""


@dataclass(frozen=True)
class Update:
    """A change of an item. A dot in a name leads into a map; any other attribute name will do.

    `sets` has values, or a Path: the value that this other attribute has before the change. `adds` are added to numbers
    (an absent one is 0), `removes` are removed, and `discards` are taken out of sets.
    """

    sets: Mapping[str, AttributeValue | Path] = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: Sequence[str] = ()
    discards: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def parameters(self, condition: Condition | None) -> dict[str, Any]:
        """Return UpdateItem's parameters for this change under `condition` (None: in any case)."""
        placeholders = Placeholders()
        name, value = placeholders.name, placeholders.value
        clauses = {
            "SET": [
                f"{name(each)} = {name(to.text) if isinstance(to, Path) else value(to)}"
                for each, to in self.sets.items()
            ],
            "ADD": [f"{name(each)} {value(number)}" for each, number in self.adds.items()],
            "REMOVE": [name(each) for each in self.removes],
            "DELETE": [f"{name(each)} {value(members)}" for each, members in self.discards.items()],
        }
        expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
        return {"UpdateExpression": expression} | conditional(condition, placeholders)


class AnswerRecord(Protocol):
    """The record of a request's `Idempotency-Key`: it joins the transaction that does what the request asks."""

    def join(self, transaction: "Transaction", answer: str) -> None:
        """Add the part that keeps the answer."""

    def check(self, lost: Lost) -> None:
        """Raise StillRunning if this process passed its deadline and another took over its record."""


class Transaction:
    """Writes of several items that happen all together or not at all; each part has a name of its own.

    At most 100 parts and 4 MB, no item twice.
    """

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, Any]] = {}
        """By name, each as TransactWriteItems has it."""

    def put(self, name: str, table: str, item: Item, condition: Condition | None = None) -> None:
        """Write an item under `condition` (None: in any case)."""
        self._add(name, "Put", {"TableName": table, "Item": item} | conditional(condition))

    def delete(self, name: str, table: str, key: Key, condition: Condition | None = None) -> None:
        """Delete an item under `condition` (None: in any case, also if there is none)."""
        self._add(name, "Delete", {"TableName": table, "Key": typed(key)} | conditional(condition))

    def update(self, name: str, table: str, key: Key, change: Update, condition: Condition | None = None) -> None:
        """Change an item under `condition` (None: in any case, also if there is none yet)."""
        self._add(name, "Update", {"TableName": table, "Key": typed(key)} | change.parameters(condition))

    def check(self, name: str, table: str, key: Key, condition: Condition) -> None:
        """Change nothing; the transaction happens only under `condition`."""
        self._add(name, "ConditionCheck", {"TableName": table, "Key": typed(key)} | conditional(condition))

    def __len__(self) -> int:
        return len(self.parts)

    def _add(self, name: str, kind: str, parameters: dict[str, Any]) -> None:
        if name in self.parts:
            raise ValueError(f"two parts of one transaction are called {name}")
        self.parts[name] = {kind: parameters}


def conditional(condition: Condition | None, placeholders: Placeholders | None = None) -> dict[str, Any]:
    """Return a write's parameters for its condition, which ask for the old item if it fails.

    `placeholders` has what an update expression beside it has registered already.
    """
    placeholders = placeholders or Placeholders()
    if condition is None:
        return placeholders.parameters()
    expression = condition.expression(placeholders)
    return {
        "ConditionExpression": expression,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    } | placeholders.parameters()
