"""docs/operating/security.md names only existing tests, and names every face."""

from __future__ import annotations

import re

import pytest

from tests.kit.documents import DOCS, cells, runs
from tests.kit.routes import routes

PAGE = (DOCS / "operating" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_is_there_and_runs(file: str, test: str) -> None:
    assert runs(file, test)


def test_every_line_of_defence_has_a_test() -> None:
    rows = [row for row in cells(section("Lines of defence")) if row[:2] != ["line", "held by"]]
    for row in rows:
        assert "::" in row[1], row[0]
    assert len(rows) > 50


def test_every_face_is_there_with_what_it_trusts() -> None:
    named = {path for row in cells(section("What each face trusts")) for path in re.findall(r"`(/[^`]*)`", row[0])}
    paths = {path for _, path, _ in routes()}
    for path in paths:
        known = any(leads(each, path) for each in named)
        assert known, f'"What each face trusts" in docs/operating/security.md needs a row for {path}'
    for each in named:
        assert [path for path in paths if leads(each, path)], each


def leads(beginning: str, path: str) -> bool:
    """Return whether a row for `beginning` is about a path; `/` is the front page alone."""
    return path == "/" if beginning == "/" else path.startswith(beginning)
