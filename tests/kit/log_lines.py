"""The log lines of a process, as on Lambda, and the document that describes their fields."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib.web import logs

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operating" / "operations.md"
Line = dict[str, Any]


class Log:
    """A log of JSON lines."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[Line]:
        """All lines so far. Raises ValueError if a line is not JSON."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of(self, message: str) -> list[Line]:
        """Return the lines with this message: those of requests or of runs."""
        return [line for line in self.lines if line["message"] == message]


@contextmanager
def logged() -> Iterator[Log]:
    """Log as on Lambda inside the block."""
    log = Log()
    with logs.started(log.stream):
        yield log


def documented_fields() -> dict[str, str]:
    """Return the fields of log lines in operations.md, each with the kinds of lines that it names."""
    section = OPERATIONS.read_text(encoding="utf-8").split("\n### Monitoring\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \| ([a-z, ]+) \|", section, re.MULTILINE)
    return {name: where for names, where in rows for name in re.findall(r"`(\w+)`", names)}
