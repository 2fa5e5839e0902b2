"""The samples of requests under load, and their statistics by operation and by second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from local.timing import Spent, spent

ALL = "all"


@dataclass(frozen=True)
class Sample:
    """A request: the time of sending (seconds since the epoch), the time its sender waited (ms), its error (empty:
    none), and the times that the server reports (None: no response)."""

    operation: str
    sent: float
    waited: float
    error: str
    spent: Spent | None


@dataclass(frozen=True)
class Line:
    """The statistics of an operation: requests, errors, waiting times (ms), and means of successful requests.

    The means are calls to AWS and the milliseconds in them, in the app (also the 99th percentile), between server and
    sender, and of CPU time outside of calls and in them.
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
        """The share of calls to AWS in the server's time, 0 to 1."""
        return self.aws / (self.aws + self.app) if self.aws + self.app else 0.0


def read(row: Sequence[object]) -> Sample:
    """Parse a sample written by bench/load/locustfile.py."""
    operation, sent, waited, error, timing = row
    return Sample(str(operation), float(str(sent)), float(str(waited)), str(error), spent(str(timing)))


def percentile(values: Iterable[float], share: float) -> float:
    """Return the nearest-rank percentile: the smallest value that at least `share` (0 to 1) of all do not exceed.

    It is always one of the values, never interpolated; 0 if there are no values.
    """
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


def lines(samples: Sequence[Sample], operations: Iterable[str], seconds: float) -> list[Line]:
    """Return a line for each of the operations, in their order, and one for all together."""
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
    """Return for each second since the first request: its number, the requests, and their 99th percentile (ms)."""
    first = min((each.sent for each in samples), default=0.0)
    seconds: dict[int, list[float]] = {}
    for each in samples:
        seconds.setdefault(int(each.sent - first), []).append(each.waited)
    return [(second, len(waits), percentile(waits, 0.99)) for second, waits in sorted(seconds.items())]
