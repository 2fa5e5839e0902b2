"""What a process logs as on Lambda, and the document that says what stands in it."""

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
    """Lines of JSON, as they come."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[Line]:
        """All of them; raises ValueError where one is no JSON."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of(self, message: str) -> list[Line]:
        """Those of requests, or of runs."""
        return [line for line in self.lines if line["message"] == message]


@contextmanager
def logged() -> Iterator[Log]:
    """Log as on Lambda inside the block."""
    log = Log()
    with logs.started(log.stream):
        yield log


def documented_fields() -> dict[str, str]:
    """The fields of lines that operations.md has, each with what it says of the lines that have it."""
    section = OPERATIONS.read_text(encoding="utf-8").split("\n### What there is to watch\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \| ([a-z, ]+) \|", section, re.MULTILINE)
    return {name: where for names, where in rows for name in re.findall(r"`(\w+)`", names)}
