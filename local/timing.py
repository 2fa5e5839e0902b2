"""The time that a request takes in calls to AWS and in the app, as a `Server-Timing` header (W3C) of its response.

    Server-Timing: total;dur=9.2, aws;dur=6.1;desc="2 calls", cpu;dur=2.4, aws-cpu;dur=1.9

All times are in milliseconds. `total` is the time of the request in the gateway. `aws` is the part of it during which a
call of botocore was running (parallel calls count once). `cpu` is the CPU time of the request's thread outside of such
calls; `aws-cpu` is the CPU time of all calls, for building, signing and reading them. `total` minus `aws` also includes
the time that a thread waits for a CPU.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

from local.gateway import Answer, Gateway, Request

HEADER = "Server-Timing"
_METRIC = re.compile(r"([a-z-]+);dur=([0-9.]+)")
_CALLS = re.compile(r'desc="(\d+) calls"')

Span = tuple[float, float]
"""Beginning and end, in seconds of the same clock."""


@dataclass
class Tally:
    """The time that a request has spent so far; its calls add to it, from any thread."""

    thread: int = field(default_factory=threading.get_ident)
    calls: list[Span] = field(default_factory=list)
    own_cpu: list[float] = field(default_factory=list)
    """CPU seconds of calls in the request's own thread."""
    other_cpu: list[float] = field(default_factory=list)
    """CPU seconds of calls in other threads."""

    def add(self, call: Span, cpu: float) -> None:
        """Count a call that the current thread made."""
        self.calls.append(call)
        (self.own_cpu if threading.get_ident() == self.thread else self.other_cpu).append(cpu)

    def header(self, total: float, cpu: float) -> str:
        """Return the header's value for a request: `total` seconds, and `cpu` CPU seconds of its thread."""
        own, other = sum(self.own_cpu), sum(self.other_cpu)
        return (
            f'total;dur={total * 1000:.3f}, aws;dur={covered(self.calls) * 1000:.3f};desc="{len(self.calls)} calls", '
            f"cpu;dur={(cpu - own) * 1000:.3f}, aws-cpu;dur={(own + other) * 1000:.3f}"
        )


_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


class TimedGateway(Gateway):
    """A gateway that adds the header to each response; it counts the calls of clients passed to `watch`."""

    def handle(self, request: Request) -> Answer:
        """Answer a request, as Gateway does."""
        tally = Tally()
        before = _tally.set(tally)
        started, cpu = time.perf_counter(), time.thread_time()
        try:
            answer = super().handle(request)
        finally:
            _tally.reset(before)
        told = tally.header(time.perf_counter() - started, time.thread_time() - cpu)
        return replace(answer, headers=[*answer.headers, (HEADER, told)])


def _begin(context: dict[str, Any], **_: Any) -> None:
    context["engawa-timing"] = (time.perf_counter(), time.thread_time())


def _end(context: dict[str, Any], **_: Any) -> None:
    tally, began = _tally.get(), context.pop("engawa-timing", None)
    if tally is not None and began is not None:
        tally.add((began[0], time.perf_counter()), time.thread_time() - began[1])


_HANDLERS = (("before-parameter-build", _begin), ("after-call", _end), ("after-call-error", _end))


def watch(events: Any) -> None:
    """Time the calls of a botocore client, given its events.

    A call lasts from its parameters to its parsed response, including botocore's own retries and waits.
    """
    for event, handler in _HANDLERS:
        events.register(event, handler)


def watch_all() -> None:
    """Time the calls of all clients of sessions created from now on, both boto3's and botocore's own."""
    BUILTIN_HANDLERS.extend(_HANDLERS)


def covered(spans: Iterable[Span]) -> float:
    """Return the seconds that at least one of the spans covers."""
    seconds, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        seconds += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return seconds


@dataclass(frozen=True)
class Spent:
    """A request's `Server-Timing` in milliseconds, and its calls to AWS."""

    total: float
    aws: float
    cpu: float
    aws_cpu: float
    calls: int


def spent(header: str) -> Spent | None:
    """Parse a `Server-Timing` header; return None if it is not one of ours."""
    found = {name: float(value) for name, value in _METRIC.findall(header)}
    calls = _CALLS.search(header)
    if calls is None or not {"total", "aws", "cpu", "aws-cpu"} <= found.keys():
        return None
    return Spent(found["total"], found["aws"], found["cpu"], found["aws-cpu"], int(calls[1]))
