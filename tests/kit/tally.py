"""A pytest plugin that counts the tried operations, faults and calls."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

TRIED: Counter[tuple[str, str, str]] = Counter()
"""The number of calls that met a fault, by kind of operation, operation and fault."""


def tried(kind: str, operation: str, fault: str) -> None:
    """Count one call of an operation that met a fault and still kept all its promises."""
    TRIED[kind, operation, fault] += 1


class Tally:
    """The counts of this process and the pytest-xdist workers, printed at the end."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the counts of a worker that has ended."""
        for *names, count in getattr(node, "workeroutput", {}).get("tried", []):
            TRIED[tuple(names)] += count

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["tried"] = [(*names, count) for names, count in TRIED.items()]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if TRIED:
            terminalreporter.section("operations, faults, and calls that met one")
            for kind in sorted({kind for kind, _, _ in TRIED}):
                terminalreporter.line(told(kind))


def told(kind: str) -> str:
    """Return the counts of one kind in words."""
    counts = {names[1:]: count for names, count in TRIED.items() if names[0] == kind}
    operations, faults = ({names[place] for names in counts} for place in (0, 1))
    pairs, calls = len(counts), sum(counts.values())
    return f"{kind}: {len(operations)} operations, {len(faults)} faults, {pairs:,} of both, {calls:,} calls"
