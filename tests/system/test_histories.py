"""Histories of eight concurrent clients over HTTP, checked: their requests could have run one after the other.

HISTORIES is the number of histories of each kind. They are checked against the promises of
docs/internals/architecture.md; the emulator is one process, so its reads never lag as DynamoDB's may.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.kit.content_histories import check_content, content_history
from tests.kit.crowd import Crowd
from tests.kit.histories import CLIENTS, SETTINGS, Recorder, check_data, data_history
from tests.kit.served import running

HISTORIES = int(os.environ.get("HISTORIES", "5"))
TURNS = 20
SEED = int(os.environ.get("HISTORIES_SEED", "1"))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with running(tmp_path_factory.mktemp("histories"), **SETTINGS) as served:
        crowd = Crowd(served)
        crowd.tell(crowd.app)
        yield crowd


def figures(kind: str, recorders: list[Recorder], states: int, seconds: tuple[float, float]) -> str:
    operations = sum(len(each.operations) for each in recorders)
    unknown, busy = sum(each.unknown for each in recorders), sum(each.busy for each in recorders)
    return (
        f"{kind}: {operations} operations of {CLIENTS} clients in {len(recorders)} histories, {seconds[0]:.0f} s; "
        f"{unknown} outcomes unknown, of which {busy} gave up; {states} states in {seconds[1]:.1f} s"
    )


def test_one_users_data(crowd: Crowd, record_property: Callable[[str, object], None]) -> None:
    begun = time.monotonic()
    made = [data_history(crowd, TURNS, SEED + turn) for turn in range(HISTORIES)]
    recorded = time.monotonic()
    states = sum(check_data(operations) for _, operations in made)
    seconds = recorded - begun, time.monotonic() - recorded
    print(told := figures("data", [recorder for recorder, _ in made], states, seconds))
    record_property("data", told)


def test_one_content(crowd: Crowd, record_property: Callable[[str, object], None]) -> None:
    begun = time.monotonic()
    made = [content_history(crowd, TURNS, SEED + turn) for turn in range(HISTORIES)]
    recorded = time.monotonic()
    states = sum(check_content(whole, comments) for _, whole, comments in made)
    seconds = recorded - begun, time.monotonic() - recorded
    print(told := figures("contents", [recorder for recorder, _, _ in made], states, seconds))
    record_property("contents", told)
