"""The calculation of the cost of a month, and that the documentation quotes it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bench import month
from bench.rows import ROWS
from infra import combine, keys, packaging
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
    used = month.quantities(1000, ledger, runs=0, sends=0)
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
    assert saved == pytest.approx(548.29, abs=0.005)


def test_a_copy_costs_what_is_stored_and_written_again_and_what_crosses_to_the_other_region() -> None:
    nothing = dict.fromkeys(month.PRICES, 0.0)
    assert month.copy(nothing) == pytest.approx(3 * 0.40)
    assert month.copy(nothing | {"DynamoDB storage": 1, "DynamoDB backup": 1, "S3 storage": 1}) == pytest.approx(
        1.2 + 0.285 + 0.228 + 0.025
    )
    # A million units write a million times 1,024 bytes at most.
    assert month.copy(nothing | {"DynamoDB writes": 1e6}) == pytest.approx(1.2 + 0.715 + 1.024 * 0.09)
    assert len(keys.FRESH) == month.COPIED_SECRETS
    # Reads, requests and logs are not copied.
    assert month.copy(nothing | {"DynamoDB reads": 1e9, "API Gateway": 1e9, "Logs": 1e9}) == pytest.approx(1.2)


def test_no_lever_takes_off_more_than_what_it_is_about() -> None:
    used = month.quantities(1_000_000)
    assert all(0 < saved < sum(month.bill(used).values()) for saved in month.levers(used).values())


def test_the_busiest_second_is_so_many_times_the_mean() -> None:
    mean = month.requests(1_000_000) / (month.DAYS * 86_400)
    assert month.peaks(1_000_000)["requests"] == pytest.approx(month.PEAK * mean)


def test_the_documentation_quotes_the_output() -> None:
    quoted = f"$ .venv/bin/python -m bench.month\n{month.report()}```" in DOC.read_text()
    assert quoted, f"{DOC.name} quotes another output: paste what `.venv/bin/python -m bench.month` prints"


_BILLED = (
    "CloudWatch::Alarm",
    "CloudWatch::Dashboard",
    "SecretsManager::Secret",
    "CloudWatch::CompositeAlarm",
    "KMS::Key",
    "Logs::MetricFilter",
)


def test_what_is_fixed_is_what_the_templates_make() -> None:
    main, edge = combine.merge_template()["Resources"], combine.edge_watch_template()["Resources"]
    # With full monitoring only, there is also the stack of alarms over CloudFront.
    resources = main | {f"Edge{name}": {**each, "Condition": "HasFullMonitoring"} for name, each in edge.items()}
    of = {kind: [each for each in resources.values() if each.get("Type") == f"AWS::{kind}"] for kind in _BILLED}
    watched: Counter[bool] = Counter()  # by whether only full monitoring has them
    for alarm in of["CloudWatch::Alarm"]:
        metrics = alarm["Properties"].get("Metrics", [{"MetricStat": "the alarm's own"}])
        watched[alarm.get("Condition") == "HasFullMonitoring"] += sum("MetricStat" in each for each in metrics)

    assert watched[False] == month.BASIC.alarms
    assert watched.total() == month.FULL.alarms
    assert [each.get("Condition") for each in of["CloudWatch::Dashboard"]] == [
        "HasFullMonitoring"
    ] * month.FULL.dashboards
    assert month.BASIC.dashboards == 0
    # A metric by a filter of logs is billed in hours in which there is such a line; both are of errors.
    by_filter = Counter(each.get("Condition") == "HasFullMonitoring" for each in of["Logs::MetricFilter"])
    assert by_filter[False] * month.ERROR_HOURS == month.BASIC.metrics
    assert by_filter.total() * month.ERROR_HOURS == pytest.approx(month.FULL.metrics % 1)
    assert not any(
        "DefaultValue" in made
        for each in of["Logs::MetricFilter"]
        for made in each["Properties"]["MetricTransformations"]
    )
    assert len(of["SecretsManager::Secret"]) + len(keys.FRESH) == month.SECRETS
    # Composite alarms, keys of one's own, and metrics by API Gateway would cost more.
    assert not [*of["CloudWatch::CompositeAlarm"], *of["KMS::Key"]]
    assert [each["MetricsEnabled"] for each in resources["RestAPI"]["Properties"]["MethodSettings"]] == [False]


def test_a_hundred_users_cost_less_than_three_dollars() -> None:
    assert sum(month.bill(month.quantities(100)).values()) < 3


def test_the_canary_costs_a_dime() -> None:
    cost = [sum(month.bill(month.quantities(0, runs=runs)).values()) for runs in (0, month.CANARY_RUNS)]
    assert cost[1] - cost[0] == pytest.approx(0.12, abs=0.005)


def test_large_answers_are_compressed_from_the_size_of_the_deployment() -> None:
    assert json.loads(packaging.CONFIG.read_text())["minimum_compression_size"] == month.COMPRESSED_FROM
    traffic = month.quantities(1_000_000)["CloudFront traffic"]
    images = month.IMAGES * month.IMAGE_BYTES * 1_000_000 / month.GB
    whole = sum(each.times * each.answer for each in month.MIX) * 1_000_000 / month.GB
    assert images + whole * month.COMPRESSED < traffic < images + whole


def test_no_price_that_was_not_seen_is_used_at_these_sizes() -> None:
    """The further tiers of these were not seen for Tokyo (docs/operating/costs.md)."""
    for users in month.SIZES:
        used = month.quantities(users, monitoring=month.FULL)
        for name in ("API Gateway", "Lambda GB-seconds"):
            assert used[name] < month.PRICES[name][0][0], name
        assert used["API Gateway"] < month.HTTP_API[0][0]


def test_all_metrics_that_there_may_be_are_within_the_first_price() -> None:
    served = sum(1 for _ in routes())
    # Six metrics for each route, for each function without a route, and for the stage.
    most = 6 * (served + 3 + 1)
    assert most < month.PRICES["Metrics"][0][0]
