"""Checks requests against the parts of AWS's service models that botocore does not check: lengths, values, patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import ServiceModel, Shape

from tests.kit.dynamodb_expressions import BrokenRule


def check(service: ServiceModel, operation: str, request: Mapping[str, Any]) -> None:
    """Check the parameters of an operation. Raises BrokenRule."""
    shape = service.operation_model(operation).input_shape
    if shape is not None and is_limited(service, shape.name):
        _check(service, shape, request, operation)


def is_limited(service: ServiceModel, name: str) -> bool:
    """Return whether a shape has limits, in itself or in a shape inside it."""
    if service.service_name not in _LIMITED:
        _LIMITED[service.service_name] = _limited(service)
    return name in _LIMITED[service.service_name]


_LIMITED: dict[str, frozenset[str]] = {}
"""The shapes with limits, by service: each client has its own service model, made from the same file."""


def _limited(service: ServiceModel) -> frozenset[str]:
    """Return the names of the shapes with limits."""
    shapes = [service.shape_for(name) for name in service.shape_names]
    limited = {each.name for each in shapes if {"min", "max", "enum", "pattern"} & each.metadata.keys()}
    limited |= {each.name for each in shapes if getattr(each, "enum", None)}
    while more := {each.name for each in shapes if each.name not in limited and limited & _inner_names(each)}:
        limited |= more
    return frozenset(limited)


def _inner_names(shape: Shape) -> set[str]:
    described: Any = shape
    members: dict[str, Any] = {
        "structure": lambda: described.members.values(),
        "list": lambda: [described.member],
        "map": lambda: [described.key, described.value],
    }
    return {each.name for each in members[shape.type_name]()} if shape.type_name in members else set()


def _check(service: ServiceModel, shape: Any, value: Any, path: str) -> None:
    limits = shape.metadata
    size = value if shape.type_name in ("integer", "long", "float", "double") else _length(value)
    if size is not None and not limits.get("min", size) <= size <= limits.get("max", size):
        raise BrokenRule(f"{path} is {size}, but {limits.get('min', 0)} to {limits.get('max', 'any')} is allowed")
    if getattr(shape, "enum", None) and value not in shape.enum:
        raise BrokenRule(f"{path} is {value!r}, not one of {shape.enum}")
    if "pattern" in limits and isinstance(value, str) and not _pattern(limits["pattern"]).fullmatch(value):
        raise BrokenRule(f"{path} does not match {limits['pattern']}")
    if shape.type_name == "structure":
        for name, inner in shape.members.items():
            if name in value and is_limited(service, inner.name):
                _check(service, inner, value[name], f"{path}.{name}")
    elif shape.type_name == "list" and is_limited(service, shape.member.name):
        for each in value:
            _check(service, shape.member, each, f"{path}[]")
    elif shape.type_name == "map":
        for name, each in value.items():
            if is_limited(service, shape.key.name):
                _check(service, shape.key, name, f"{path} key")
            if is_limited(service, shape.value.name):
                _check(service, shape.value, each, f"{path}[{name}]")


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | bytes | list | tuple | dict) else None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern of a service model, which is in Java's syntax: a class of letters by Unicode becomes any one."""
    return re.compile(re.sub(r"\\p\{[^}]*\}", r"\\w", text))
