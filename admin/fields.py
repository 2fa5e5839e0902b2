"""The conversion of command-line options to the fields of a request body."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import click


def camel(name: str) -> str:
    """Return a name in the API's spelling: `displayName` for `display_name`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given options as fields. A repeatable option that is given once as `""` becomes an empty list."""
    body: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, tuple):
            if value:
                body[camel(name)] = [each for each in value if each]
        elif value is not None:
            body[camel(name)] = value
    return body


def settings(option: str, words: Iterable[str]) -> dict[str, str]:
    """Return `{"age": "nobody"}` for `("age=nobody",)`. Raises UsageError for a word without `=`."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"{option} takes FIELD=WHOM, not {word!r}.")
        found[name] = value
    return found


class Moment(click.ParamType[int]):
    """A date, or a date with a time, in W3C-DTF; it becomes milliseconds since the epoch."""

    name = "time"
    form = "2026-04-01 or 2026-04-01T09:30:00+09:00; without a zone, that of this computer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds. Fails with a usage error."""
        try:
            milliseconds = round(datetime.fromisoformat(value).timestamp() * 1000)
        except (ValueError, OverflowError):
            milliseconds = -1
        if milliseconds < 0:
            self.fail(f"{value!r} is not a time such as {self.form}.", param, ctx)
        return milliseconds


MOMENT = Moment()
