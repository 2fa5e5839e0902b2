"""Every alarm has its page, and every page is about an existing alarm."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("**Means.**", "**Users notice.**", "**Look.**", "**Do.**", "**Worry**")


def _alarms() -> set[str]:
    resources: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "watch.yaml").read_text())["Resources"]
    names = set()
    for resource in resources.values():
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
    resources: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "watch.yaml").read_text())["Resources"]
    basic = {
        resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("engawa-${Stage}-")
        for resource in resources.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in resource
    }
    text = (ROOT / "docs" / "operating" / "incidents.md").read_text().split("\n### ")[0]
    said = re.search(r"`Monitoring=basic` has only (.*?)\.", text, re.DOTALL)
    assert said
    assert set(re.findall(r"`([a-z-]+)`", said[1])) == basic


def test_each_section_says_what_whoever_is_woken_needs() -> None:
    lacking = {name: [part for part in PARTS if part not in text] for name, text in _sections().items()}
    assert not {name: parts for name, parts in lacking.items() if parts}
