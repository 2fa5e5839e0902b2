"""Conditional writes, built from named parts and sent until they are settled.

A condition that fails is an answer (Lost) and goes to the caller; a collision with another transaction or a lost answer
is tried again here, with jitter and a bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws.client import Condition, Dynamo, Key, races, typed
from chalicelib.store.aws.failures import Conflict, Uncertain
from chalicelib.store.aws.item_size import Item

Write = dict[str, Any]
"""One element of a transaction."""
T = TypeVar("T")

ABSENT = Condition("attribute_not_exists(pk)")
PRESENT = Condition("attribute_exists(pk)")
THERE = Condition("attribute_exists(pk) AND attribute_not_exists(gone)")
"""Present, and not about to be deleted (see `close` of Users, Apps and Pages)."""


@dataclass(frozen=True)
class Update:
    """Attributes to set, to remove, and numbers to add to (an absent one is 0). Any attribute name will do."""

    sets: Mapping[str, Any] = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: Sequence[str] = ()

    def under(self, condition: Condition | None) -> dict[str, Any]:
        """UpdateItem's parameters for this change where `condition` holds (None: in any case)."""
        names = {f"#{turn}": name for turn, name in enumerate([*self.sets, *self.adds, *self.removes])}
        alias = {name: short for short, name in names.items()}
        values: dict[str, Any] = {f":_{alias[name][1:]}": value for name, value in self.sets.items()}
        values |= {f":_{alias[name][1:]}": {"N": str(number)} for name, number in self.adds.items()}
        clauses = {
            "SET": [f"{alias[name]} = :_{alias[name][1:]}" for name in self.sets],
            "ADD": [f"{alias[name]} :_{alias[name][1:]}" for name in self.adds],
            "REMOVE": [alias[name] for name in self.removes],
        }
        told = condition.parameters() if condition else {}
        values |= told.pop("ExpressionAttributeValues", {})
        expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
        return (
            told
            | {"UpdateExpression": expression, "ExpressionAttributeNames": names}
            | ({"ExpressionAttributeValues": values} if values else {})
        )


def put(table: str, item: Item, condition: Condition) -> Write:
    """Write an item where `condition` holds."""
    return {"Put": {"TableName": table, "Item": item} | condition.parameters()}


def delete(table: str, key: Key, condition: Condition | None) -> Write:
    """Delete an item where `condition` holds (None: in any case, also where there is none)."""
    return {"Delete": {"TableName": table, "Key": typed(key)} | (condition.parameters() if condition else {})}


def update(table: str, key: Key, change: Update, condition: Condition | None) -> Write:
    """Change an item where `condition` holds (None: in any case, also where there is none yet)."""
    return {"Update": {"TableName": table, "Key": typed(key)} | change.under(condition)}


def check(table: str, key: Key, condition: Condition) -> Write:
    """Change nothing; the transaction happens only where `condition` holds."""
    return {"ConditionCheck": {"TableName": table, "Key": typed(key)} | condition.parameters()}


def insist(dynamo: Dynamo, send: Callable[[str], T]) -> T:
    """What `send` returns, tried until it is settled; it gets a ClientRequestToken for its transaction.

    Raises Lost where a condition failed, and Unavailable where it was never settled.
    """
    # One token for all tries: where one landed unseen, even late, the next is told as that same success, and never
    # meets its own work as somebody else's. DynamoDB remembers a token for ten minutes, and only of a transaction that
    # succeeded; one that a collision cancelled is tried afresh.
    token = str(uuid4())
    for wait in races():
        try:
            return send(token)
        except (Conflict, Uncertain):
            dynamo.rest(wait)
    raise Unavailable


def commit(dynamo: Dynamo, writes: Sequence[Write]) -> None:
    """Write all (at most 100, no item twice) or none. Raises Lost and Unavailable."""
    insist(dynamo, lambda token: dynamo.transact(writes, token))
