"""docs/internals/aws-rules.md names only existing tests, all cases of requests, and pages of AWS."""

from __future__ import annotations

import ast
import re

import pytest

from tests.kit.documents import DOCS, ROOT, cells, runs

PAGE = (DOCS / "internals" / "aws-rules.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
ROWS = [row for row in cells(PAGE) if row[:2] != ["rule", "page"]]
HOSTS = ("docs.aws.amazon.com", "aws.amazon.com", "repost.aws")


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_is_there_and_runs(file: str, test: str) -> None:
    assert runs(file, test)


def test_every_file_that_is_named_is_there() -> None:
    for file in re.findall(r"`(tests/[\w/]+\.py)", PAGE):
        assert (ROOT / file).is_file(), file


def test_the_rows_of_requests_name_all_cases() -> None:
    section = PAGE.split("\n## Requests to DynamoDB\n")[1].split("\n## ")[0]
    rows = [row for row in cells(section) if row[0] != "rule"]
    named = [case for row in rows for case in re.findall("`([^`]+)`", row[2])]
    tree = ast.parse((ROOT / "tests/unit/test_aws_requests.py").read_text(encoding="utf-8"))
    typed = [node for node in tree.body if isinstance(node, ast.AnnAssign)]
    [cases] = (node.value for node in typed if ast.unparse(node.target) == "CASES")
    assert isinstance(cases, ast.Dict)
    assert sorted(named) == sorted(ast.literal_eval(key) for key in cases.keys if key)


def test_every_rule_has_a_page_of_aws_and_a_test() -> None:
    assert len(ROWS) > 50
    for rule, page, test in ROWS:
        assert page, rule
        assert re.search(r"`tests/|the same test|not testable|`[\w ]+`", test), rule
        for host in re.findall(r"(?:https?://)?([\w-]+(?:\.[\w-]+)*\.(?:com|aws|org|net|io))/", page):
            assert host in HOSTS, f"{rule}: {host} is not a host of AWS"
