"""No call begins if it could end after the function's deadline."""

from __future__ import annotations

import pytest

from chalicelib.bootstrap import client
from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import deadline
from chalicelib.store.aws.deadline import CALL_SECONDS, within
from chalicelib.store.aws.side_by_side import side_by_side


def is_over() -> bool:
    try:
        deadline.check()
    except Unavailable:
        return True
    return False


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    time = [1_000.0]
    monkeypatch.setattr(deadline, "_now", lambda: time[0])
    return time


def test_the_last_call_has_the_time_that_a_call_may_take(now: list[float]) -> None:
    with within(29):
        now[0] += 29 - CALL_SECONDS - 0.1
        assert not is_over()
        now[0] += 0.1
        assert is_over()


def test_outside_there_is_no_end(now: list[float]) -> None:
    assert not is_over()
    with within(0):
        assert is_over()
    assert not is_over()


def test_calls_side_by_side_have_the_same_end(now: list[float]) -> None:
    with within(29):
        now[0] += 29
        assert side_by_side([is_over, is_over]) == [True, True]
    assert side_by_side([is_over, is_over]) == [False, False]


def test_a_call_takes_no_longer_than_is_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    config = client("secretsmanager").meta.config
    tries = config.retries["total_max_attempts"]
    waits = tries - 1  # The first wait is at most 1 second.
    assert tries == 2
    assert tries * (config.connect_timeout + config.read_timeout) + waits <= CALL_SECONDS
