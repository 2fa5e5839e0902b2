"""The results of a load test as a table and as a figure."""

from collections.abc import Sequence

from bench.figures import Panel, Rows, Series
from bench.load.samples import ALL, Line, Sample, by_second

HEADING = (
    "| request | requests | a second | errors | p50 ms | p99 ms | calls | DynamoDB ms | share | app ms | app p99 ms "
    "| app's CPU ms | calls' CPU ms |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def table(told: Sequence[Line]) -> str:
    """Return Markdown: the senders' waiting times, then mean times of the server; `share` is DynamoDB's part."""
    return "\n".join([HEADING, *map(_row, told)])


def capacity(together: Line) -> str:
    """Return a sentence about the CPU time of the server."""
    cpu = together.cpu + together.aws_cpu
    most = f", so that one processor serves {1000 / cpu:,.0f} a second" if cpu else ""
    return f"A request of this mix takes {cpu:.1f} ms of the server's processor{most}, were it the server's alone."


def _row(line: Line) -> str:
    name = f"**{ALL}**" if line.operation == ALL else line.operation
    cells = (
        name,
        f"{line.requests:,}",
        f"{line.a_second:.1f}",
        f"{line.errors:,}",
        f"{line.p50:.1f}",
        f"{line.p99:.1f}",
        f"{line.calls:.1f}",
        f"{line.aws:.1f}",
        f"{line.share:.0%}",
        f"{line.app:.1f}",
        f"{line.app_p99:.1f}",
        f"{line.cpu:.1f}",
        f"{line.aws_cpu:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def figure(told: Sequence[Line], samples: Sequence[Sample]) -> Rows:
    """Return the figure: latency and its parts by operation; below it the run, second by second."""
    names = [line.operation for line in told]
    seconds, counts, slowest = zip(*by_second(samples), strict=True)
    latency = Panel(
        "What its sender waits",
        "ms (logarithmic)",
        "",
        [Series("p50", names, [line.p50 for line in told]), Series("p99", names, [line.p99 for line in told])],
        kind="dots",
        log_x=True,
    )
    parts = Panel(
        "Where the mean goes",
        "ms",
        "",
        [
            Series("in DynamoDB (the emulator)", names, [line.aws for line in told]),
            Series("in the app", names, [line.app for line in told]),
            Series("between sender and server", names, [line.between for line in told]),
        ],
        kind="bars",
    )
    rate = Panel("Requests", "second of the run", "a second", [Series("requests", seconds, counts)])
    tail = Panel("What one in a hundred waits", "second of the run", "p99, ms", [Series("p99", seconds, slowest)])
    return [[latency, parts], [rate, tail]]
