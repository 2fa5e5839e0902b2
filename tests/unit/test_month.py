"""The calculation of the cost of a month, and that the documentation quotes it."""

from pathlib import Path

import pytest

from bench import month
from bench.rows import ROWS
from tests.kit.routes import routes

DOC = Path(__file__).parents[2] / "docs" / "operating" / "costs.md"


@pytest.mark.parametrize(("units", "dollars"), [(0, 0), (9, 18), (10, 20), (11, 21), (110, 120), (111, 120.5)], ids=str)
def test_each_tier_has_its_price(units: float, dollars: float) -> None:
    assert month.price(((10, 2), (100, 1), (float("inf"), 0.5)), units) == pytest.approx(dollars)


def test_every_price_holds_for_any_volume() -> None:
    assert all(tiers[-1][0] == float("inf") for tiers in month.PRICES.values())


def test_the_mix_is_of_rows_of_the_ledger() -> None:
    names = {asked.row for asked in month.MIX}
    assert names <= {row.name for row in ROWS}
    assert names == set(month.LEDGER)


def test_units_are_those_of_the_ledger_times_the_mix() -> None:
    ledger = {row: month.Cost(calls=2, rru=3, wru=5) for row in month.LEDGER}
    sent = 1000 * sum(asked.times for asked in month.MIX)
    used = month.quantities(1000, ledger)
    assert used["API Gateway"] == sent
    assert used["DynamoDB reads"] == pytest.approx(3 * sent)
    assert used["DynamoDB writes"] == pytest.approx(5 * sent)
    assert used["Lambda GB-seconds"] == pytest.approx(
        sent * (month.BASE_MS + 2 * month.CALL_MS) / 1000 * month.MEMORY_GB
    )


def test_the_bill_has_a_line_for_every_price() -> None:
    assert set(month.bill(month.quantities(1))) == set(month.PRICES)


def test_a_million_requests_to_the_gateway_cost_what_aws_says() -> None:
    assert month.bill({"API Gateway": 1e6}) == {"API Gateway": pytest.approx(4.25)}


def test_a_function_url_costs_nothing_and_changes_nothing_else() -> None:
    used = month.quantities(1_000_000)
    saved = sum(month.bill(used).values()) - sum(month.bill(month.behind_url(used)).values())
    assert saved == pytest.approx(month.bill(used)["API Gateway"])
    assert saved == pytest.approx(548.25)


def test_no_lever_takes_off_more_than_what_it_is_about() -> None:
    used = month.quantities(1_000_000)
    assert all(0 < saved < sum(month.bill(used).values()) for saved in month.levers(used).values())


def test_the_busiest_second_is_so_many_times_the_mean() -> None:
    mean = month.requests(1_000_000) / (month.DAYS * 86_400)
    assert month.peaks(1_000_000)["requests"] == pytest.approx(month.PEAK * mean)


def test_the_documentation_quotes_the_output() -> None:
    quoted = f"$ .venv/bin/python -m bench.month\n{month.report()}```" in DOC.read_text()
    assert quoted, f"{DOC.name} quotes another output: paste what `.venv/bin/python -m bench.month` prints"


def test_all_metrics_that_there_may_be_are_within_the_first_price() -> None:
    served = sum(1 for _ in routes())
    # Six metrics for each route, for each function without a route, and for the stage.
    most = 6 * (served + 2 + 1)
    assert most < month.PRICES["Metrics"][0][0]
