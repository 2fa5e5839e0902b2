"""The cost ledger as text and as JSON."""

from math import isinf
from typing import Any

from bench.row import Result

_NAME = 55
_COLUMNS = (("in sequence", 12), ("in all", 7), ("S3", 3), ("RRU", 16), ("WRU", 14))

HEADING = (
    "Calls to DynamoDB in sequence, RRU and WRU: counted / allowed; calls in all and to S3: counted.\n\n"
    + "".join(["request".ljust(_NAME), *(f"{name:>{width}}" for name, width in _COLUMNS)])
)


def line(result: Result) -> str:
    """Return a table row under `HEADING`: figures, limits, and `ok`, `BROKEN` with the reasons, or `-` (no limit)."""
    figures = result.figures
    cells = (
        _pair(figures.in_sequence, result.row.bound.calls),
        f"{figures.in_all}",
        f"{figures.s3}",
        _pair(figures.rru, result.rru_limit),
        _pair(figures.wru, result.wru_limit),
    )
    padded = (f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    return result.row.name.ljust(_NAME) + "".join(padded) + "  " + _verdict(result)


def described(result: Result) -> dict[str, Any]:
    """Return a row for programs; a missing bound is null."""
    figures = result.figures
    return {
        "request": result.row.name,
        "calls": {"inSequence": figures.in_sequence, "max": _finite(result.row.bound.calls), "inAll": figures.in_all},
        "transactions": figures.transactions,
        "s3": figures.s3,
        "rru": {"used": figures.rru, "max": _finite(result.rru_limit)},
        "wru": {"used": figures.wru, "max": _finite(result.wru_limit)},
        "broken": result.broken,
    }


def _verdict(result: Result) -> str:
    if result.broken:
        return "BROKEN: " + "; ".join(result.broken)
    limits = (result.row.bound.calls, result.rru_limit, result.wru_limit)
    return "-" if all(map(isinf, limits)) else "ok"


def _pair(figure: float, limit: float) -> str:
    return f"{figure:g}" if isinf(limit) else f"{figure:g} / {limit:g}"


def _finite(limit: float) -> float | None:
    return None if isinf(limit) else limit
