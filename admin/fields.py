"""From options to the fields of a request's body."""

from collections.abc import Iterable, Mapping
from typing import Any

import click


def camel(name: str) -> str:
    """`display_name` as the API spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, as fields. One that can be repeated and is given once as `""` is an empty list."""
    body: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, tuple):
            if value:
                body[camel(name)] = [each for each in value if each]
        elif value is not None:
            body[camel(name)] = value
    return body


def settings(option: str, words: Iterable[str]) -> dict[str, str]:
    """`("age=nobody",)` as `{"age": "nobody"}`. Raises UsageError for a word without `=`."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"{option} takes FIELD=WHOM, not {word!r}.")
        found[name] = value
    return found
