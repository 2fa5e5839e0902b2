"""Every alarm has its page, and every page is about an existing alarm."""

import re
from math import floor
from pathlib import Path
from typing import Any

import yaml

from bench import month

ROOT = Path(__file__).parents[2]
PARTS = ("**Means.**", "**Users notice.**", "**Look.**", "**Do.**", "**Worry**")


def _resources(*parts: str) -> list[dict[str, Any]]:
    read = (yaml.safe_load((ROOT / "infra" / f"{part}.yaml").read_text()) for part in parts)
    return [resource for template in read for resource in template["Resources"].values()]


def _alarms() -> set[str]:
    names = set()
    for resource in _resources("watch", "edge_watch"):
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            names.add(resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("engawa-${Stage}-"))
        if resource["Type"] == "AWS::Budgets::Budget":
            names.add("budget")
    return names


def _sections() -> dict[str, str]:
    text = (ROOT / "docs" / "operating" / "incidents.md").read_text()
    alarms = text.split("\n## Alarms\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^### ([a-z-]+)\n(.*?)(?=^### |\Z)", alarms, re.MULTILINE | re.DOTALL))


def test_each_alarm_has_its_section_and_each_section_its_alarm() -> None:
    assert set(_sections()) == _alarms()


def test_the_page_says_which_alarms_basic_monitoring_has() -> None:
    basic = {
        resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("engawa-${Stage}-")
        for resource in _resources("watch")
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource.get("Condition") != "HasFullMonitoring"
    }
    text = (ROOT / "docs" / "operating" / "incidents.md").read_text().split("\n### ")[0]
    said = re.search(r"`Monitoring=basic` has only (.*?)\.", text, re.DOTALL)
    assert said
    assert set(re.findall(r"`([a-z-]+)`", said[1])) == basic


def test_the_table_of_sizes_is_right() -> None:
    text = (ROOT / "docs" / "operating" / "incidents.md").read_text()
    rows = re.findall(r"^\| ([\d,]+) \| ([\d,]+)[^|]*\| ([\d,]+) \| ([\d,]+) \|$", text, re.MULTILINE)
    shares = [
        each["Properties"]["Threshold"]
        for each in _resources("watch")
        if each["Type"] == "AWS::CloudWatch::Alarm"
        and "requests" in each["Properties"].get("Metrics", [{}])[0].get("Expression", "")
        and "failures" in each["Properties"]["Metrics"][0]["Expression"]
    ]

    assert shares == [2, 0.1]
    assert len(rows) == 4
    for row in rows:
        users, asked, *errors = (int(cell.replace(",", "")) for cell in row)
        requests = month.requests(users) / (month.DAYS * 24 * 12) + 1
        assert round(requests) == asked
        assert errors == [floor(requests * share / 100) + 1 for share in shares]


def test_each_section_says_what_whoever_is_woken_needs() -> None:
    lacking = {name: [part for part in PARTS if part not in text] for name, text in _sections().items()}
    assert not {name: parts for name, parts in lacking.items() if parts}
