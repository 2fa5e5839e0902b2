"""The measured values of the axes as tables and as figures."""

from collections.abc import Mapping, Sequence

from bench.figures import Panel, Rows, Series
from bench.scale.axes import Axis
from bench.scale.measure import Point

Measured = Sequence[tuple[Axis, Sequence[Point]]]


def tables(measured: Measured) -> str:
    """Return Markdown: a table for each axis, a line for each request, a column for each size."""
    return "\n\n".join(_table(axis, points) for axis, points in measured)


def _table(axis: Axis, points: Sequence[Point]) -> str:
    cells: dict[str, dict[int, str]] = {}
    for point in points:
        cells.setdefault(point.request, {})[point.size] = _cell(point)
    lines = [
        f"| {axis.unit} | {' | '.join(f'{size:,}' for size in axis.sizes)} |",
        "|---|" + "--:|" * len(axis.sizes),
        *(f"| {request} | {' | '.join(by_size[size] for size in axis.sizes)} |" for request, by_size in cells.items()),
    ]
    return "\n".join(lines)


def _cell(point: Point) -> str:
    figures = point.figures
    times = "–" if point.computed is None else f"{point.computed:,.0f} ({point.emulated:,.0f})"
    return f"{figures.in_sequence} · {figures.rru:g} · {figures.wru:g} · {times}"


def cost(measured: Measured) -> Rows:
    """Return the figure of the DynamoDB cost of a million of each request."""
    return _grid(measured, "Cost by {}", "US dollars a million", {"dollars": False})


def latency(measured: Measured) -> Rows:
    """Return the figure of the time of each request: computed and, dashed, in the emulator."""
    return _grid(measured, "Latency by {} (dashed: emulator)", "ms", {"computed": False, "emulated": True})


def _grid(measured: Measured, title: str, unit: str, kinds: Mapping[str, bool]) -> Rows:
    """Return a panel for each axis, two in a row; `kinds` has the shown attributes of a point, and whether dashed."""
    panels = [
        Panel(
            title.format(axis.unit),
            axis.unit,
            unit,
            [
                Series(request, *line, dashed=dashed)
                for kind, dashed in kinds.items()
                for request in axis.asks
                if (line := _line(points, request, kind))[0]
            ],
            log_x=True,
            log_y=True,
        )
        for axis, points in measured
        if axis.drawn
    ]
    return [panels[start : start + 2] for start in range(0, len(panels), 2)]


def _line(points: Sequence[Point], request: str, name: str) -> tuple[list[float | str], list[float]]:
    """Return the sizes and values of a request, without missing values."""
    found = [(point.size, getattr(point, name)) for point in points if point.request == request]
    known = [(size, value) for size, value in found if value is not None]
    return [size for size, _ in known], [value for _, value in known]
