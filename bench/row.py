"""A row of the cost ledger: a request, its bound, and its measured cost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from bench.meter import Figures, Meter
from local.in_process import World

Requests = Callable[[], object]
Scenario = Callable[[World], Requests]
"""Prepares a new, empty world, and returns a function that sends the measured request."""
Allowance = float | Callable[[World], float]
"""A number of capacity units, or a function that computes it from a world prepared by the scenario."""
Check = Callable[[World], str]
"""Returns what is wrong with a world after the request; empty if nothing is."""


@dataclass(frozen=True)
class Bound:
    """The maximum cost of a request: calls to DynamoDB in sequence, RRU, WRU, and whether it may use transactions.

    Values that are left out are shown but not checked.
    """

    calls: float = inf
    rru: Allowance = inf
    wru: Allowance = inf
    transactions: bool = True


@dataclass(frozen=True)
class Row:
    """A request with its name, bound and scenario; `checks` are about the data that it leaves stored."""

    name: str
    bound: Bound
    scenario: Scenario
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Result:
    """The measured cost of a row, its limits (infinite: none), and what is wrong."""

    row: Row
    figures: Figures
    rru_limit: float
    wru_limit: float
    broken: list[str] = field(default_factory=list)


def measure(row: Row, world: World) -> Result:
    """Run a row's scenario in a new world, and measure its request."""
    meter = Meter(world.dynamodb, world.s3)
    send = row.scenario(world)
    bound = row.bound
    rru, wru = _units(bound.rru, world), _units(bound.wru, world)
    with meter.counting():
        send()
    figures = meter.figures
    judged = (
        ("calls in sequence", figures.in_sequence, bound.calls),
        ("RRU", figures.rru, rru),
        ("WRU", figures.wru, wru),
        ("transactions", figures.transactions, inf if bound.transactions else 0),
    )
    broken = [f"{figure:g} {name}, not {limit:g}" for name, figure, limit in judged if figure > limit]
    broken += [wrong for check in row.checks if (wrong := check(world))]
    return Result(row, figures, rru, wru, broken)


def _units(allowance: Allowance, world: World) -> float:
    return allowance(world) if callable(allowance) else allowance
