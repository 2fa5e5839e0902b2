"""Reads DynamoDB's expressions with moto's parsers, and refuses those that AWS refuses.

What it reads depends only on the texts, the placeholders and the types of the values, so it is cached: tests send many
thousand requests with some hundred different expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from moto.dynamodb import comparisons as conditions
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing import ast_nodes
from moto.dynamodb.parsing import expressions as parsers
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

updates: Any = ast_nodes
update_parsers: Any = parsers
"""Modules of moto without types."""
EXPRESSION_BYTES = 4096
PLACEHOLDER_BYTES = 255
OPERATORS = 300
IN_OPERANDS = 100

Path = tuple[str | int, ...]
"""A document path: the names of attributes and the numbers of list elements."""
Names = tuple[tuple[str, str], ...]
"""The pairs of ExpressionAttributeNames. A name may stand for itself; then it stays a placeholder in the paths."""
Types = tuple[tuple[str, str], ...]
"""The placeholders of ExpressionAttributeValues, each with the type of its value."""

_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
RESERVED = frozenset(ReservedKeywords.get_reserved_keywords())
_SAMPLES = {"BOOL": True, "NULL": True, "L": [], "M": {}, "N": "1"}
_ORDERED = frozenset({"S", "N", "B"})
_SETS = frozenset({"SS", "NS", "BS"})
_COMPARATORS = (
    conditions.OpEqual,
    conditions.OpNotEqual,
    conditions.OpLessThan,
    conditions.OpLessThanOrEqual,
    conditions.OpGreaterThan,
    conditions.OpGreaterThanOrEqual,
)
_ACTIONS = (
    updates.UpdateExpressionSetAction,
    updates.UpdateExpressionRemoveAction,
    updates.UpdateExpressionAddAction,
    updates.UpdateExpressionDeleteAction,
)
_CLAUSES = (
    updates.UpdateExpressionSetClause,
    updates.UpdateExpressionRemoveClause,
    updates.UpdateExpressionAddClause,
    updates.UpdateExpressionDeleteClause,
)


class BrokenRule(AssertionError):
    """AWS would refuse this request."""


@dataclass(frozen=True)
class Clause:
    """One clause of a condition: its operator, the paths that it reads, and the placeholders of its string values."""

    operator: str
    paths: tuple[Path, ...]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expression:
    """What an expression uses."""

    names: frozenset[str]
    values: frozenset[str]
    clauses: tuple[Clause, ...] = ()
    """The clauses of a condition."""
    is_conjunction: bool = True
    """Whether AND alone connects the clauses."""
    changes: tuple[tuple[Path, str | None], ...] = ()
    """The paths that an update changes, each with the placeholder of its new value if it is only that."""
    projected: tuple[Path, ...] = ()
    written: frozenset[str] = frozenset()
    """The names that are in the text itself, without a placeholder."""


def read(request: Mapping[str, Any]) -> Mapping[str, Expression]:
    """Return the expressions of a request by their parameters; names stay placeholders if they can. Raises BrokenRule.

    `resolved` gives the names in a path.
    """
    names, values = request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
    for parameter, defined in (("ExpressionAttributeNames", names), ("ExpressionAttributeValues", values)):
        if defined is not None and not defined:
            raise BrokenRule(f"{parameter} is empty")
    texts = tuple((each, request[each]) for each in _PARAMETERS if each in request)
    types = tuple([(name, next(iter(value), "")) for name, value in values.items()]) if values else ()
    found, written = _read(texts, tuple([(name, name) for name in names]) if names else (), types)
    if names and len(written.union(names.values())) < len(names) + len(written):
        # Two spellings of one name: only now the names decide whether two paths are the same.
        found, _ = _read(texts, tuple(names.items()), types)
    return found


def resolved(path: Path, request: Mapping[str, Any]) -> Path:
    """Return a path with the names that the request defines."""
    names = request.get("ExpressionAttributeNames") or {}
    return tuple(names.get(step, step) for step in path)


@cache
def _read(
    texts: tuple[tuple[str, str], ...], names: Names, types: Types
) -> tuple[Mapping[str, Expression], frozenset[str]]:
    """Return the expressions, and the names that are written in them without a placeholder."""
    found = {parameter: _PARAMETERS[parameter](text, names, types) for parameter, text in texts}
    for parameter, mark, defined, used in (
        ("ExpressionAttributeNames", "#", names, [each.names for each in found.values()]),
        ("ExpressionAttributeValues", ":", types, [each.values for each in found.values()]),
    ):
        for name, _ in defined:
            if not re.fullmatch(rf"{mark}\w+", name, re.ASCII) or len(name) > PLACEHOLDER_BYTES:
                raise BrokenRule(
                    f"{name[:80]!r} is no placeholder: {mark}, then letters and digits, at most 255 in all"
                )
        if unused := {name for name, _ in defined}.difference(*used):
            raise BrokenRule(f"{parameter} defines {unused}, which no expression uses")
    return found, frozenset().union(*(each.written for each in found.values()))


def condition(text: str, names: Names, types: Types) -> Expression:
    """Return what a condition, a filter or a key condition uses. Raises BrokenRule."""
    _check_length(text)
    values = {name: {kind: _SAMPLES.get(kind, name)} for name, kind in types}
    parser = conditions.ConditionExpressionParser(text, dict(names), values)  # type: ignore[arg-type]
    try:
        tree = parser.parse()
    except KeyError as undefined:
        raise BrokenRule(f"{undefined.args[0]} in {text!r} is not defined") from undefined
    except (MockValidationException, ValueError, AssertionError, IndexError) as error:
        raise BrokenRule(f"{text!r} is no condition: {error}") from error
    used = set(parser.expr_attr_names_found)
    for name in used:
        _check_name(name, text)
    nodes = list(_conditions(tree))
    _check_operators(len(nodes), text)
    clauses = tuple(_clause(node, text) for node in nodes if not isinstance(node, _BOOLEANS | conditions.FuncSize))
    return Expression(
        frozenset(name for name in used if name.startswith("#")),
        frozenset(parser.expr_attr_values_found),
        clauses,
        not any(isinstance(node, conditions.OpOr | conditions.OpNot) for node in nodes),
        written=frozenset(name for name in used if not name.startswith(("#", "["))),
    )


_BOOLEANS = conditions.OpAnd | conditions.OpOr | conditions.OpNot


def _conditions(node: Any) -> Iterator[Any]:
    """Yield all operators and functions of a condition."""
    if isinstance(node, conditions.Op | conditions.Func):
        yield node
        for operand in _operands(node):
            yield from _conditions(operand)


def _operands(node: Any) -> tuple[Any, ...]:
    if isinstance(node, conditions.OpNot):
        return (node.lhs,)
    return (node.lhs, node.rhs) if isinstance(node, conditions.Op) else node.arguments


def _clause(node: Any, text: str) -> Clause:
    if isinstance(node, conditions.FuncBetween):
        operands, operator = (node.attr, node.start, node.end), "BETWEEN"
    elif isinstance(node, conditions.FuncIn):
        operands, operator = (node.attr, *node.possible_values), "IN"
        if len(node.possible_values) > IN_OPERANDS:
            raise BrokenRule(f"IN has more than {IN_OPERANDS} operands in {text!r}")
    else:
        operands, operator = _operands(node), getattr(node, "OP", "") or node.FUNC
    _check_operand_types(operator, operands, text)
    paths = tuple(tuple(each.path) for each in operands if isinstance(each, conditions.AttributePath))
    if isinstance(node, _COMPARATORS) and len(paths) == 2 and paths[0] == paths[1]:
        raise BrokenRule(f"both operands of {operator} are the same attribute in {text!r}")
    texts = (each.value for each in operands if isinstance(each, conditions.AttributeValue) and each.type == "S")
    return Clause(operator, paths, tuple(texts))


def _check_operand_types(operator: str, operands: tuple[Any, ...], text: str) -> None:
    """Check the types of values that are literal; DynamoDB compares the types of attributes only with the item."""
    types = [each.type for each in operands if isinstance(each, conditions.AttributeValue)]
    allowed = {"begins_with": {"S", "B"}, "attribute_type": {"S"}}.get(operator, _ORDERED)
    if operator in ("<", "<=", ">", ">=", "BETWEEN", "begins_with", "attribute_type") and not allowed.issuperset(types):
        raise BrokenRule(f"{operator} has an operand of type {types} in {text!r}")
    if operator == "BETWEEN" and len(set(types)) > 1:
        raise BrokenRule(f"the bounds of BETWEEN have different types in {text!r}")


def update(text: str, names: Names, types: Types) -> Expression:
    """Return what an update uses and changes. Raises BrokenRule."""
    _check_length(text)
    try:
        tree = update_parsers.UpdateExpressionParser.make(text)
    except (MockValidationException, AssertionError) as error:
        raise BrokenRule(f"{text!r} is no update: {error}") from error
    nodes = list(_nodes(tree))
    for kind in _CLAUSES:
        if sum(type(node) is kind for node in nodes) > 1:
            raise BrokenRule(f"a section appears twice in {text!r}")
    _check_operators(
        sum(isinstance(n, updates.ExpressionValueOperator | updates.UpdateExpressionFunction) for n in nodes), text
    )
    actions = [node for node in nodes if isinstance(node, _ACTIONS)]
    written = frozenset(node.get_attribute_name() for node in nodes if isinstance(node, updates.ExpressionAttribute))
    for name in written:
        _check_name(name, text)
    used = [n.get_attribute_name_placeholder() for n in nodes if isinstance(n, updates.ExpressionAttributeName)]
    held = [n.get_value_name() for n in nodes if isinstance(n, updates.ExpressionAttributeValue)]
    for name in [*used, *held]:
        if name not in dict(names) and name not in dict(types):
            raise BrokenRule(f"{name} in {text!r} is not defined")
    changes = tuple((_path(action.children[0], dict(names)), _only_value(action)) for action in actions)
    _check_overlaps([path for path, _ in changes], text)
    for node in nodes:
        _check_update_types(node, dict(types), text)
    return Expression(frozenset(used), frozenset(held), changes=changes, written=written)


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, updates.Node):
        yield node
        for child in node.children or []:
            yield from _nodes(child)


def _path(node: Any, names: dict[str, str]) -> Path:
    """Return a path with its placeholders resolved."""
    steps: list[str | int] = []
    for step in node.children:
        if isinstance(step, updates.ExpressionSelector):
            steps.append(step.get_index())
        elif isinstance(step, updates.ExpressionAttributeName):
            steps.append(names[step.get_attribute_name_placeholder()])
        elif isinstance(step, updates.ExpressionAttribute):
            steps.append(step.get_attribute_name())
    return tuple(steps)


def _only_value(action: Any) -> str | None:
    """Return the placeholder that is the whole new value of a path, if it is one."""
    held = action.children[1:]
    while held and isinstance(held[0], updates.UpdateExpressionValue) and len(held[0].children) == 1:
        held = held[0].children
    return held[0].get_value_name() if held and isinstance(held[0], updates.ExpressionAttributeValue) else None


def _check_overlaps(paths: list[Path], text: str) -> None:
    ordered = sorted(paths, key=lambda path: [str(step) for step in path])
    for one, other in pairwise(ordered):
        if other[: len(one)] == one:
            raise BrokenRule(f"the paths {one} and {other} overlap in {text!r}")


def _check_update_types(node: Any, types: dict[str, str], text: str) -> None:
    literals = [
        types[child.get_value_name()]
        for child in getattr(node, "children", None) or []
        if isinstance(child, updates.ExpressionAttributeValue)
    ]
    wrong: set[str] = set()
    if isinstance(node, updates.UpdateExpressionAddAction):
        wrong = set(literals) - _SETS - {"N"}
    elif isinstance(node, updates.UpdateExpressionDeleteAction):
        wrong = set(literals) - _SETS
    elif isinstance(node, updates.UpdateExpressionFunction) and node.get_function_name() == "list_append":
        wrong = set(literals) - {"L"}
    elif any(isinstance(child, updates.ExpressionValueOperator) for child in getattr(node, "children", None) or []):
        wrong = set(literals) - {"N"}
    if wrong:
        raise BrokenRule(f"an operand has the type {wrong} in {text!r}")


def projection(text: str, names: Names, _: Types) -> Expression:
    """Return what a projection uses. Raises BrokenRule."""
    _check_length(text)
    paths: list[Path] = []
    used: set[str] = set()
    written: set[str] = set()
    for part in text.split(","):
        steps = re.findall(r"\[(\d+)\]|([^.\[\]]+)", part.strip())
        path: list[str | int] = []
        for index, name in steps:
            if name.startswith("#"):
                used.add(name)
                if name not in dict(names):
                    raise BrokenRule(f"{name} in {text!r} is not defined")
            elif name:
                _check_name(name, text)
                written.add(name)
            path.append(int(index) if index else dict(names).get(name, name))
        if not path or isinstance(path[0], int):
            raise BrokenRule(f"{text!r} is no projection")
        paths.append(tuple(path))
    _check_overlaps(paths, text)
    return Expression(frozenset(used), frozenset(), projected=tuple(paths), written=frozenset(written))


_PARAMETERS: dict[str, Callable[[str, Names, Types], Expression]] = {
    "ConditionExpression": condition,
    "FilterExpression": condition,
    "KeyConditionExpression": condition,
    "UpdateExpression": update,
    "ProjectionExpression": projection,
}


def _check_length(text: str) -> None:
    if not text.strip():
        raise BrokenRule("an expression is empty")
    if len(text.encode()) > EXPRESSION_BYTES:
        raise BrokenRule(f"an expression is longer than {EXPRESSION_BYTES} bytes: {text[:80]!r}…")


def _check_operators(count: int, text: str) -> None:
    if count > OPERATORS:
        raise BrokenRule(f"an expression has {count} operators and functions, at most {OPERATORS}: {text[:80]!r}…")


def _check_name(name: str, text: str) -> None:
    """Check the name of an attribute that is written in an expression, not as a placeholder."""
    if name.startswith(("#", "[")):
        return
    if not _NAME.fullmatch(name):
        raise BrokenRule(
            f"{name} needs a placeholder in {text!r}: an attribute's name is a letter, then letters, digits"
        )
    if name.upper() in RESERVED:
        raise BrokenRule(f"{name} is a reserved word, in {text!r}")
