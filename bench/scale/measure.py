"""Measures the requests of an axis: their cost by AWS's rules, and their time in the emulator."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from chalice.app import Chalice

from bench.emulator import emulated_aws
from bench.meter import Figures, Meter
from bench.month import CALL_MS, PRICES, price
from bench.preload import preload
from bench.scale.axes import Axis
from local.gateway import Answer, Request
from local.in_process import World
from local.timing import HEADER, Spent, TimedGateway, spent, watch

REPEATS, SECONDS = 7, 10
"""How often a request is timed, and for how many seconds at most; the median is used."""


@dataclass(frozen=True)
class Point:
    """A request to a world of a size: its figures, and its times in the emulator (None: it can be sent only once)."""

    request: str
    size: int
    figures: Figures
    taken: Spent | None

    @property
    def dollars(self) -> float:
        """US dollars of a million such requests to DynamoDB, on demand."""
        reads, writes = PRICES["DynamoDB reads"], PRICES["DynamoDB writes"]
        return price(reads, self.figures.rru * 1e6) + price(writes, self.figures.wru * 1e6)

    @property
    def emulated(self) -> float | None:
        """Milliseconds in the emulator."""
        return self.taken.total if self.taken else None

    @property
    def cpu(self) -> float | None:
        """Milliseconds of CPU time on this machine for the app and its DynamoDB client."""
        return self.taken.cpu + self.taken.aws_cpu if self.taken else None

    @property
    def computed(self) -> float | None:
        """Milliseconds: the calls in sequence, at CALL_MS each (assumed, not measured on AWS), plus the CPU time."""
        return None if self.cpu is None else self.figures.in_sequence * CALL_MS + self.cpu


class Noting(TimedGateway):
    """A gateway that keeps the times that its responses report."""

    def __init__(self, app: Chalice) -> None:
        # The emulator is slower than AWS: its slowness must not make a request time out.
        super().__init__(app, milliseconds=600_000)
        self.told: list[Spent] = []

    def handle(self, request: Request) -> Answer:
        """Answer a request, as Gateway does."""
        answer = super().handle(request)
        self.told += filter(None, (spent(value) for name, value in answer.headers if name == HEADER))
        return answer


def points(axis: Axis) -> Iterator[Point]:
    """Yield every request at every size, in order of size; each size has its own emulator."""
    for size in axis.sizes:
        with TemporaryDirectory(prefix="engawa-scale-") as directory:
            with emulated_aws(Path(directory)):
                World(Path(directory))  # It makes the tables.
            preload(Path(directory), "engawa-local-directory", axis.directory(size))
            with emulated_aws(Path(directory)):
                world = World(Path(directory), True, **axis.environment)
                axis.fill(world, size)
                yield from _of(world, axis, size)


def _of(world: World, axis: Axis, size: int) -> Iterator[Point]:
    """Send each request once to count its calls, then again to time it."""
    world.gateway = gateway = Noting(world.app)
    meter = Meter(world.dynamodb, world.s3)
    watch(world.dynamodb.meta.events)
    for request, ask in axis.asks.items():
        send = ask(world, size)
        with meter.counting():
            send()
        gateway.told, end = [], time.monotonic() + SECONDS
        while request not in axis.once and len(gateway.told) < REPEATS and time.monotonic() < end:
            send()
        yield Point(request, size, meter.figures, _median(gateway.told) if gateway.told else None)


def _median(told: list[Spent]) -> Spent:
    """Return the median of each part."""

    def middle(name: str) -> float:
        return float(median(getattr(each, name) for each in told))

    return Spent(middle("total"), middle("aws"), middle("cpu"), middle("aws_cpu"), round(middle("calls")))
