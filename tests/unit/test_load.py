"""The figures of a run under load, made from its samples (bench/load/), and the mix in the documentation."""

import json
from pathlib import Path
from random import Random
from statistics import fmean

import pytest

from bench import quality
from bench.figures import to_json
from bench.load import mix, report
from bench.load.samples import Sample, by_second, lines, percentile, read
from bench.month import MIX
from local.timing import Spent, spent

DOCS = Path(__file__).parents[2] / "docs" / "internals"
TIMING = 'total;dur=9.200, aws;dur=6.100;desc="2 calls", cpu;dur=2.400, aws-cpu;dur=1.900'
SPENT = Spent(total=9.2, aws=6.1, cpu=2.4, aws_cpu=1.9, calls=2)


@pytest.mark.parametrize(
    ("share", "value"), [(0.01, 1), (0.5, 5), (0.51, 6), (0.9, 9), (0.91, 10), (0.99, 10), (1, 10)], ids=str
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    values = list(range(1, 11))
    Random(1).shuffle(values)
    assert percentile(values, share) == value


def test_the_99th_of_200_leaves_two_above_it() -> None:
    assert percentile(range(1, 201), 0.99) == 198
    assert percentile([], 0.99) == 0
    assert percentile([7], 0.01) == 7


def test_a_sample_is_read_as_locust_noted_it() -> None:
    row = json.loads(json.dumps(["read own data", 1_800_000_000.25, 11.5, "", TIMING]))
    assert read(row) == Sample("read own data", 1_800_000_000.25, 11.5, "", SPENT)


@pytest.mark.parametrize("header", ["", "cdn-cache;desc=HIT", TIMING.replace("aws;", "other;"), TIMING.split(",")[0]])
def test_a_header_that_is_not_ours_says_nothing(header: str) -> None:
    assert spent(header) is None


def _samples() -> list[Sample]:
    """Return ten reads in two seconds, one of them failed, and two writes."""
    reads = [Sample("read", 100 + turn / 5, 10 + turn, "", SPENT) for turn in range(9)]
    failed = Sample("read", 101.9, 5_000, "503: later", Spent(1, 0, 1, 0, 0))
    writes = [Sample("write", 100.5, 20, "", Spent(20, 10, 1, 1, 2)), Sample("write", 100.6, 40, "", None)]
    return [*reads, failed, *writes]


def test_times_are_of_what_went_well_and_errors_are_counted() -> None:
    first, second, third, together = lines(_samples(), ["read", "write", "never"], 2)
    assert (first.requests, first.a_second, first.errors) == (10, 5, 1)
    assert (first.p50, first.p99) == (14, 18)
    assert first.calls == 2
    assert (first.aws, first.app, first.app_p99) == pytest.approx((6.1, 3.1, 3.1))
    assert first.between == pytest.approx(fmean(range(10, 19)) - 9.2)
    assert first.share == pytest.approx(6.1 / 9.2)
    # Without a header, the time cannot be divided.
    assert (second.requests, second.errors, second.p99) == (2, 1, 20)
    assert (third.requests, third.p50, third.share) == (0, 0, 0)
    assert (together.operation, together.requests, together.errors) == ("all", 12, 2)


def test_the_run_second_by_second() -> None:
    assert by_second(_samples()) == [(0, 7, 40), (1, 5, 5_000)]


def test_the_table_has_a_row_for_each_operation() -> None:
    rows = report.table(lines(_samples(), ["read", "write"], 2)).splitlines()
    assert len({row.count("|") for row in rows}) == 1
    assert rows[2] == "| read | 10 | 5.0 | 1 | 14.0 | 18.0 | 2.0 | 6.1 | 66% | 3.1 | 3.1 | 2.4 | 1.9 |"
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| read", "| write", "| **all**"]


def test_the_processor_of_a_request_says_how_many_one_serves() -> None:
    (together,) = lines([Sample("read", 100, 10, "", SPENT)], [], 1)
    assert "takes 4.3 ms of the server's processor, so that one processor serves 233 a second" in report.capacity(
        together
    )
    (nothing,) = lines([], [], 1)
    assert "takes 0.0 ms of the server's processor, were it" in report.capacity(nothing)


def test_the_figure_has_its_series() -> None:
    samples = _samples()
    figure = report.figure(lines(samples, ["read", "write"], 2), samples)
    (latency, parts), (rate, tail) = json.loads(to_json(figure))["rows"]
    assert [series["name"] for series in latency["series"]] == ["p50", "p99"]
    assert latency["series"][1]["x"] == parts["series"][0]["x"] == ["read", "write", "all"]
    assert latency["series"][1]["y"] == [18, 20, 20]
    assert sum(series["y"][0] for series in parts["series"]) == pytest.approx(14)
    assert rate["series"][0]["y"] == [7, 5]
    assert tail["series"][0]["y"] == [40, 5_000]
    assert all(panel["x_label"] and panel["title"] for panel in (latency, parts, rate, tail))


def test_the_mix_is_the_months_but_for_the_code() -> None:
    assert {asked.row for asked in MIX} - set(mix.WEIGHTS) == {"token for a code"}
    assert {asked.row: asked.times for asked in MIX if asked.row != "token for a code"} == mix.WEIGHTS
    assert set(mix.REQUESTS) == set(mix.WEIGHTS)


@pytest.mark.parametrize("name", mix.REQUESTS)
def test_a_seed_always_asks_for_the_same(name: str) -> None:
    actor = mix.Actor("of-the-user", "to-refresh", "of-the-app", "client", "secret")
    asked, again = (mix.REQUESTS[name](actor, Random(3)) for _ in range(2))
    assert asked == again
    assert asked.path.startswith("/")
    assert asked.headers.get("Authorization", "OAuth ").startswith("OAuth ")


def test_figures_go_between_their_markers_alone() -> None:
    before = (
        "a\n<!-- make load -->\nold\n<!-- end of make load -->\nb\n<!-- make scale -->\n<!-- end of make scale -->\n"
    )
    after = quality.filled(before, "make load", "\\1 new\n")
    assert after == before.replace("old", "\\1 new")
    assert quality.filled(after, "make scale", "x") == after.replace("scale -->\n<", "scale -->\nx\n<")
    with pytest.raises(ValueError, match="make bench"):
        quality.filled(before, "make bench", "x")


def test_the_documentation_shows_a_run_of_this_mix() -> None:
    shown = quality.QUALITY.read_text(encoding="utf-8").split("<!-- make load -->")[1].split("<!-- end")[0]
    rows = [line.split(" | ")[0] for line in shown.splitlines() if line.startswith("| ")]
    assert rows == ["| request", *(f"| {name}" for name in mix.WEIGHTS), "| **all**"]
    plot = (DOCS / "load.svg").read_text(encoding="utf-8")
    assert all(f">{name}</text>" in plot for name in [*mix.WEIGHTS, "p50", "p99", "in DynamoDB (the emulator)"])
    # Text takes the reader's colour.
    assert "fill: currentColor" in plot
    assert "prefers-color-scheme:dark" in plot
