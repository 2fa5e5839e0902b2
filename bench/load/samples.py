"""What was seen of each request under load, and what is told of it: by operation, and by second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from local.timing import Spent, spent

ALL = "all"


@dataclass(frozen=True)
class Sample:
    """One request: when it was sent (seconds since the epoch), how long its sender waited (ms), what went wrong (empty:
    nothing), and what the server says it spent (None: no answer came)."""

    operation: str
    sent: float
    waited: float
    error: str
    spent: Spent | None


@dataclass(frozen=True)
class Line:
    """What is told of an operation: requests, errors, waiting times (ms), and by the mean of those that went well calls
    to AWS, milliseconds in them, in the app (and its 99th percentile), between server and sender, and of the processor
    outside of calls and in them.
    """

    operation: str
    requests: int
    a_second: float
    errors: int
    p50: float
    p99: float
    calls: float
    aws: float
    app: float
    app_p99: float
    between: float
    cpu: float
    aws_cpu: float

    @property
    def share(self) -> float:
        """The calls' part of the time in the server, 0 to 1."""
        return self.aws / (self.aws + self.app) if self.aws + self.app else 0.0


def read(row: Sequence[object]) -> Sample:
    """A sample as bench/load/locustfile.py writes it."""
    operation, sent, waited, error, timing = row
    return Sample(str(operation), float(str(sent)), float(str(waited)), str(error), spent(str(timing)))


def percentile(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least `share` (0 to 1) of all do not exceed; 0 of none.

    Always one that was seen, never one between two.
    """
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


def lines(samples: Sequence[Sample], operations: Iterable[str], seconds: float) -> list[Line]:
    """A line for each of the operations, in their order, and one for all together."""
    told = [_line(name, [each for each in samples if each.operation == name], seconds) for name in operations]
    return [*told, _line(ALL, samples, seconds)]


def _line(name: str, samples: Sequence[Sample], seconds: float) -> Line:
    well = [(each.waited, each.spent) for each in samples if not each.error and each.spent]
    waits = [waited for waited, _ in well]

    def mean(values: Iterable[float]) -> float:
        return fmean(values) if well else 0.0

    return Line(
        operation=name,
        requests=len(samples),
        a_second=len(samples) / seconds,
        errors=len(samples) - len(well),
        p50=percentile(waits, 0.5),
        p99=percentile(waits, 0.99),
        calls=mean(each.calls for _, each in well),
        aws=mean(each.aws for _, each in well),
        app=mean(each.total - each.aws for _, each in well),
        app_p99=percentile((each.total - each.aws for _, each in well), 0.99),
        between=mean(waited - each.total for waited, each in well),
        cpu=mean(each.cpu for _, each in well),
        aws_cpu=mean(each.aws_cpu for _, each in well),
    )


def by_second(samples: Sequence[Sample]) -> list[tuple[int, int, float]]:
    """For each second since the first request: which, how many were sent in it, and their 99th percentile (ms)."""
    first = min((each.sent for each in samples), default=0.0)
    seconds: dict[int, list[float]] = {}
    for each in samples:
        seconds.setdefault(int(each.sent - first), []).append(each.waited)
    return [(second, len(waits), percentile(waits, 0.99)) for second, waits in sorted(seconds.items())]
