"""A row of the cost ledger: a request, what it may cost, and what it did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from bench.meter import Figures, Meter
from local.in_process import World

Requests = Callable[[], object]
Scenario = Callable[[World], Requests]
"""Prepares a world, which is new and empty, and returns what sends the request that is measured."""
Allowance = float | Callable[[World], float]
"""A number of capacity units, or how they follow from what a world stores once the scenario has prepared it."""
Check = Callable[[World], str]
"""What is wrong with a world after the request; empty where nothing is."""


@dataclass(frozen=True)
class Bound:
    """What a request may cost at most: calls to DynamoDB in sequence, RRU, WRU, and whether by transactions.

    What is left out is shown and not judged.
    """

    calls: float = inf
    rru: Allowance = inf
    wru: Allowance = inf
    transactions: bool = True


@dataclass(frozen=True)
class Row:
    """A request by its name, its bound, and its scenario; `checks` are about what it leaves stored."""

    name: str
    bound: Bound
    scenario: Scenario
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Result:
    """What a row cost, the limits that were in force (infinite: none), and what is wrong."""

    row: Row
    figures: Figures
    rru_limit: float
    wru_limit: float
    broken: list[str] = field(default_factory=list)


def measure(row: Row, world: World) -> Result:
    """Run a row's scenario in a new world."""
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
