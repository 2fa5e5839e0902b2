"""A pytest plugin that compares chalicelib/store/aws/iam_needs.py with the AWS calls of the app in tests.

A test fails if it sees an undeclared call. A whole run of tests/integration and tests/faults fails at its end if a
declared action was never seen from its function. If a test calls a store directly, the call must be declared, but it
does not count as seen from a function.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra import policies
from tests.kit.aws_calls import Ask, Seen, watched

SUITES = [Path(__file__).resolve().parents[1] / name for name in ("integration", "faults")]


def declarations() -> set[Seen]:
    """Return the declared actions, in the form of seen calls."""
    return {
        Seen(function, module, Ask(need.service, need.resource, action))
        for module, need in policies.declared()
        for function in need.by
        for action in need.actions
        if not need.unseen
    }


def told(seen: Seen) -> str:
    """Return a seen call in words."""
    whose = f"for {seen.function}" if seen.function else "for a test"
    return f"{seen.sender}: {seen.ask.service}:{seen.ask.action} on {seen.ask.resource} {whose}"


class Watch:
    """The calls seen in the tests of this process and of the other workers."""

    def __init__(self) -> None:
        self.declared = declarations()
        self.by_anyone = {each._replace(function=None) for each in self.declared}
        self.seen: set[Seen] = set()
        self.undeclared: set[Seen] = set()
        self.unused: list[Seen] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record the AWS calls inside the block."""
        with watched(self._tell):
            yield

    def _tell(self, seen: Seen) -> None:
        self.seen.add(seen)
        # A direct call of a store, without a face, may belong to any function.
        if seen not in (self.declared if seen.function else self.by_anyone):
            self.undeclared.add(seen)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        with self.watching():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        try:
            return (yield)
        finally:
            found, self.undeclared = sorted(map(told, self.undeclared)), set()
            if found:
                pytest.fail("not declared in NEEDS:\n" + "\n".join(found), pytrace=False)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the calls of a pytest-xdist worker that has ended."""
        seen = getattr(node, "workeroutput", {}).get("seen", [])
        self.seen |= {Seen(function, sender, Ask(*ask)) for function, sender, ask in seen}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["seen"] = [(each.function, each.sender, tuple(each.ask)) for each in self.seen]
        elif is_whole(session.config):
            self.unused = sorted(self.declared - self.seen)
            if self.unused and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.unused:
            terminalreporter.section("declared in NEEDS, and asked by no test", red=True)
            for each in self.unused:
                terminalreporter.line(told(each))


def is_whole(config: pytest.Config) -> bool:
    """Return whether the run includes all of tests/integration and tests/faults."""
    chosen = any(config.getoption(option, None) for option in ("keyword", "markexpr", "lf", "deselect", "ignore"))
    if chosen or config.option.collectonly:
        return False
    asked = [Path(config.invocation_params.dir, arg).resolve() for arg in config.args]
    return all(any(path == suite or path in suite.parents for path in asked) for suite in SUITES)
