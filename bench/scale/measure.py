"""Takes the figures of an axis: what requests cost, by AWS's rules, and how long they take in the emulator."""

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
from bench.scale.axes import Axis
from local.gateway import Answer, Request
from local.in_process import World
from local.timing import HEADER, Spent, TimedGateway, spent, watch

REPEATS, SECONDS = 7, 10
"""How often a request is timed, unless that takes longer; the median counts."""


@dataclass(frozen=True)
class Point:
    """A request to a world of a size: its figures, and what it took in the emulator (None: it can be sent but once)."""

    request: str
    size: int
    figures: Figures
    taken: Spent | None

    @property
    def dollars(self) -> float:
        """US dollars that DynamoDB takes for a million such requests, on demand."""
        reads, writes = PRICES["DynamoDB reads"], PRICES["DynamoDB writes"]
        return price(reads, self.figures.rru * 1e6) + price(writes, self.figures.wru * 1e6)

    @property
    def emulated(self) -> float | None:
        """Milliseconds in the emulator."""
        return self.taken.total if self.taken else None

    @property
    def cpu(self) -> float | None:
        """Milliseconds of this machine's processor for the app and its client of DynamoDB."""
        return self.taken.cpu + self.taken.aws_cpu if self.taken else None

    @property
    def computed(self) -> float | None:
        """Milliseconds: the calls in sequence, at CALL_MS each (assumed, not measured on AWS), and the processor's."""
        return None if self.cpu is None else self.figures.in_sequence * CALL_MS + self.cpu


class Noting(TimedGateway):
    """A gateway that keeps what its answers tell of their requests."""

    def __init__(self, app: Chalice) -> None:
        super().__init__(app)
        self.told: list[Spent] = []

    def handle(self, request: Request) -> Answer:
        """Answer a request, as Gateway does."""
        answer = super().handle(request)
        self.told += filter(None, (spent(value) for name, value in answer.headers if name == HEADER))
        return answer


def points(axis: Axis) -> Iterator[Point]:
    """Every request at every size, in order of size; each size in an emulator of its own."""
    for size in axis.sizes:
        with TemporaryDirectory(prefix="engawa-scale-") as directory, emulated_aws(Path(directory)):
            world = World(Path(directory), **axis.environment)
            axis.fill(world, size)
            yield from _of(world, axis, size)


def _of(world: World, axis: Axis, size: int) -> Iterator[Point]:
    """Each request is sent once to be counted, and then to be timed."""
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
    """Each part's median."""

    def middle(name: str) -> float:
        return float(median(getattr(each, name) for each in told))

    return Spent(middle("total"), middle("aws"), middle("cpu"), middle("aws_cpu"), round(middle("calls")))
