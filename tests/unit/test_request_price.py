"""The whole cost of a request: the table in docs/operating/costs.md, and the textbook layout beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import request_price
from bench.month import LEDGER, MIX, Asked
from bench.request_price import (
    AT_ONCE,
    COMMONEST,
    CPU_MS,
    EVENTS,
    PAIR,
    STATE,
    TEXTBOOK,
    million_events,
    parts,
    ratio,
    reading,
    writing,
)
from chalicelib.store.aws.item_size import item_size
from chalicelib.store.events import sending

DOC = Path(__file__).resolve().parents[2] / "docs" / "operating" / "costs.md"
WRITE, READ = "write 2 of 20 small pairs", "read own data"


def asked(row: str) -> Asked:
    return next(each for each in MIX if each.row == row)


def test_the_documentation_quotes_the_output() -> None:
    quoted = f"$ .venv/bin/python -m bench.request_price\n{request_price.report()}```" in DOC.read_text()
    assert quoted, f"{DOC.name} quotes another output: paste what `.venv/bin/python -m bench.request_price` prints"


def test_the_ten_commonest_are_measured() -> None:
    assert [each.row for each in COMMONEST] == list(dict.fromkeys(each.row for each in COMMONEST))
    assert {each.row for each in COMMONEST} == CPU_MS.keys()
    assert min(each.times for each in COMMONEST) >= max(each.times for each in MIX if each not in COMMONEST)


def test_items_of_the_textbook_layout_are_small() -> None:
    """All fit into one unit, so the layout is compared at its best."""
    assert max(item_size(PAIR), item_size(STATE)) <= 1024
    assert reading(PAIR) == 0.5
    assert reading(PAIR, STATE, consistent=True) == 2
    assert writing(PAIR, STATE) == 4


def test_a_row_is_the_sum_of_its_prices() -> None:
    """The figures are those of a pocket calculator, with the prices of costs.md."""
    of_rest, of_url = (parts(asked(WRITE), LEDGER, front) for front in ("rest", "url"))

    assert of_rest.front - of_url.front == pytest.approx(4.25)
    assert of_url.front == pytest.approx(1.20 + 0.61 + 0.114 * 0.2)
    assert of_url.tables == pytest.approx(0.1425 + 0.715)
    assert of_url.logs == pytest.approx(1.14)
    assert of_url.function == pytest.approx(0.20 + 13.3334 * (CPU_MS[WRITE] / 0.58 + 14) / 1000)
    assert of_url.whole == pytest.approx(of_url.front + of_url.tables + of_url.logs + of_url.function)


def test_the_textbook_layout_reads_three_items_and_writes_three_in_a_transaction() -> None:
    assert (TEXTBOOK[WRITE].rru, TEXTBOOK[WRITE].wru) == (3, 6)
    assert TEXTBOOK["read 100 friends, one key"].rru == 100.5
    assert TEXTBOOK[READ] == LEDGER[READ]


def test_the_ratio_is_weighted() -> None:
    tables = [
        (each.times, parts(each, TEXTBOOK, "url").tables, parts(each, LEDGER, "url").tables) for each in COMMONEST
    ]
    theirs, ours = (sum(times * each[of] for times, *each in tables) for of in (0, 1))
    assert ratio(None) == pytest.approx(theirs / ours)
    assert 1 < ratio("rest") < ratio("url") < ratio(None)


def test_a_million_events_of_any_kind_cost_at_most_three_dollars() -> None:
    assert AT_ONCE == sending.WORKERS
    assert all(2 < million_events(added) <= 3 for added in EVENTS.values())
