"""Conditions of writes: small values that compose with `&` and `|`.

    exists() & equals("g", generation)

Placeholders are not picked by hand: names and values get them when the request is built. A condition and the update
expression of the same request share one numbering. AWS: "Expressions in DynamoDB" in its developer guide (reserved
words, operators and their precedence).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

AttributeValue = str | int | bool | bytes | frozenset[str] | Mapping[str, Any]
"""A value as a Python type, or in the form of the low-level API: `{"S": "text"}`."""


class Path(NamedTuple):
    """The name of an attribute; a dot leads into a map."""

    text: str


class Operand(NamedTuple):
    """A value in an expression, in the form of the low-level API."""

    typed: Mapping[str, Any]


class Placeholders:
    """The names and values of one request, each with its own placeholder."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: list[Mapping[str, Any]] = []

    def name(self, path: str) -> str:
        """Return the placeholders of an attribute's path, one for each step, joined by dots."""
        return ".".join(self._names.setdefault(step, f"#{len(self._names)}") for step in path.split("."))

    def value(self, value: AttributeValue) -> str:
        """Return the placeholder of a value."""
        self._values.append(low_level(value))
        return f":{len(self._values) - 1}"

    def parameters(self) -> dict[str, Any]:
        """Return the request's parameters that define the placeholders."""
        parameters: dict[str, Any] = {}
        if self._names:
            parameters["ExpressionAttributeNames"] = {short: name for name, short in self._names.items()}
        if self._values:
            parameters["ExpressionAttributeValues"] = {f":{turn}": value for turn, value in enumerate(self._values)}
        return parameters


@dataclass(frozen=True)
class Condition:
    """A condition on one item, as the pieces of its expression. The functions below create conditions."""

    pieces: tuple[str | Path | Operand, ...]

    def __and__(self, other: "Condition") -> "Condition":
        return Condition((*self.pieces, " AND ", *other.pieces))

    def __or__(self, other: "Condition") -> "Condition":
        # AND binds more tightly than OR, so only the whole expression needs brackets.
        return Condition(("(", *self.pieces, " OR ", *other.pieces, ")"))

    def expression(self, placeholders: Placeholders) -> str:
        """Return the text of the condition, and register its names and values with `placeholders`."""
        return "".join(map(_rendering(placeholders), self.pieces))


def _rendering(placeholders: Placeholders) -> Any:
    def render(piece: str | Path | Operand) -> str:
        if isinstance(piece, Path):
            return placeholders.name(piece.text)
        return placeholders.value(piece.typed) if isinstance(piece, Operand) else piece

    return render


def exists(attribute: str = "pk") -> Condition:
    """Return the condition that the item has the attribute; by default, that the item exists."""
    return Condition(("attribute_exists(", Path(attribute), ")"))


def absent(attribute: str = "pk") -> Condition:
    """Return the condition that the item does not have the attribute; by default, that the item does not exist."""
    return Condition(("attribute_not_exists(", Path(attribute), ")"))


def equals(attribute: str, value: AttributeValue) -> Condition:
    """Return the condition that the attribute exists and has this value."""
    return _compared(attribute, " = ", value)


def less(attribute: str, value: int) -> Condition:
    """Return the condition that the attribute exists and is less than this number."""
    return _compared(attribute, " < ", value)


def at_most(attribute: str, value: int) -> Condition:
    """Return the condition that the attribute exists and is at most this number."""
    return _compared(attribute, " <= ", value)


def more(attribute: str, value: int) -> Condition:
    """Return the condition that the attribute exists and is more than this number."""
    return _compared(attribute, " > ", value)


def contains(attribute: str, member: str) -> Condition:
    """Return the condition that the attribute is a set that contains this member."""
    return Condition(("contains(", Path(attribute), ", ", Operand(low_level(member)), ")"))


def low_level(value: AttributeValue) -> Mapping[str, Any]:
    """Return a value in the form of the low-level API; a value already in that form is returned unchanged."""
    match value:
        case Mapping():
            return value
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
    return {"SS": sorted(value)}


def _compared(attribute: str, sign: str, value: AttributeValue) -> Condition:
    return Condition((Path(attribute), sign, Operand(low_level(value))))


ABSENT = absent()
"""The item does not exist."""
PRESENT = exists()
"""The item exists."""
ALIVE = exists() & absent("gone")
"""The item exists and is not being deleted (`close` of Users, Apps and Pages)."""
