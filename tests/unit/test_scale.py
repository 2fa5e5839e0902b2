"""The report of the figures along an axis (bench/scale/), and that the documentation shows these axes."""

from pathlib import Path

import pytest

from bench import quality
from bench.meter import Figures
from bench.month import CALL_MS
from bench.scale import report
from bench.scale.axes import AXES, Axis, powers
from bench.scale.measure import Point
from local.timing import Spent

DOCS = Path(__file__).parents[2] / "docs" / "internals"


def _figures(calls: int, rru: float, wru: float) -> Figures:
    return Figures(in_sequence=calls, in_all=calls, transactions=0, rru=rru, wru=wru, s3=0)


AXIS = Axis("keys", "keys of the user", powers(10), lambda world, size: None, dict.fromkeys(("read", "wipe"), None))  # type: ignore[arg-type]
POINTS = [
    Point("read", 1, _figures(1, 0.5, 0), Spent(total=9, aws=6, cpu=2, aws_cpu=1, calls=1)),
    Point("wipe", 1, _figures(2, 1, 10), None),
    Point("read", 10, _figures(3, 1000, 0), Spent(total=90, aws=60, cpu=20, aws_cpu=10, calls=3)),
    Point("wipe", 10, _figures(2, 1, 10), None),
]


def test_computed_is_the_calls_in_sequence_and_the_processor() -> None:
    assert POINTS[0].computed == CALL_MS + 3
    assert POINTS[2].computed == 3 * CALL_MS + 30
    assert POINTS[1].computed is None


def test_dollars_are_those_of_the_units() -> None:
    assert POINTS[0].dollars == pytest.approx(0.5 * 0.1425)
    assert POINTS[1].dollars == pytest.approx(0.1425 + 10 * 0.715)


def test_the_table_has_a_line_for_each_request_and_a_column_for_each_size() -> None:
    assert report.tables([(AXIS, POINTS)]).splitlines() == [
        "| keys of the user | 1 | 10 |",
        "|---|--:|--:|",
        "| read | 1 · 0.5 · 0 · 10 (9) | 3 · 1000 · 0 · 51 (90) |",
        "| wipe | 2 · 1 · 10 · – | 2 · 1 · 10 · – |",
    ]


def test_the_figures_have_their_series() -> None:
    ((cost,),), ((latency,),) = report.cost([(AXIS, POINTS)]), report.latency([(AXIS, POINTS)])
    assert [series.name for series in cost.series] == ["read", "wipe"]
    assert [list(series.x) for series in cost.series] == [[1, 10], [1, 10]]
    # An operation that was not timed has no line.
    assert [(series.name, series.dashed, list(series.y)) for series in latency.series] == [
        ("read", False, [10, 51]),
        ("read", True, [9, 90]),
    ]
    assert all(panel.log_x and panel.log_y and panel.x_label and panel.y_label for panel in (cost, latency))


def test_axes_go_as_far_as_they_say() -> None:
    assert {axis.name: axis.sizes[-1] for axis in AXES} == {
        "keys": 100_000,
        "friends": 1_000,
        "feeds": 1_000_000,
        "comments": 1_000_000,
        "members": 1_000_000,
    }
    assert all(axis.sizes[0] == 1 and axis.once <= axis.asks.keys() for axis in AXES)


def test_the_documentation_shows_these_axes() -> None:
    shown = quality.QUALITY.read_text(encoding="utf-8").split("<!-- make scale -->")[1].split("<!-- end")[0]
    plots = [(DOCS / f"scale-{name}.svg").read_text(encoding="utf-8") for name in ("cost", "latency")]
    for axis in AXES:
        assert f"| {axis.unit} | {' | '.join(f'{size:,}' for size in axis.sizes)} |" in shown
        for request in axis.asks:
            assert f"| {request} | " in shown
            drawn = (1 if request in axis.once else 2) if axis.drawn else 0
            assert [f">{request}</text>" in plot for plot in plots] == [drawn > 0, drawn > 1]
