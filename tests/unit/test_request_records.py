"""The rules of records of requests, and of the overview: what is kept, what a cause says, which state a job has."""

from __future__ import annotations

import pytest

from chalicelib.api.console.overview import BAR_HEIGHT, bars, refusal_rows
from chalicelib.core.errors import NotFound, PermissionDenied, Unavailable
from chalicelib.core.overview import LATE_MS, JobRun, JobState, Overview
from chalicelib.core.request_records import (
    MOST_FAILED,
    MOST_OF_APPS,
    MOST_OTHERS,
    RATE_LIMITED,
    RequestRecord,
    Sampling,
    by_kind,
    cause_of,
    is_kind,
    is_request_id,
)
from chalicelib.store.directory.keys import page_key

SECRET = "Kamogawa-1984"


def record(number: int, status: int, kind: str = "not_found", app: str | None = None, route: str = "") -> RequestRecord:
    return RequestRecord(f"id{number}", number, route or f"GET /{number}", status, kind, "", app, "1", 1)


@pytest.mark.parametrize(
    ("status", "kind", "app", "most"),
    [(500, "internal_error", None, MOST_FAILED), (403, "a", "quest", MOST_OF_APPS), (401, "b", None, MOST_OTHERS)],
)
def test_each_sort_of_records_has_a_bound_of_its_own(status: int, kind: str, app: str | None, most: int) -> None:
    found = Sampling()
    for number in range(most):
        found.add(record(number, status, kind, app))
    assert len(found.records) == most, "the last one that is kept"
    found.add(record(most, status, kind, app))
    assert len(found.records) == most, "the first one that is not"
    found.add(record(99, 500 if status < 500 else 404))
    assert len(found.records) == most + 1, "another sort is kept"
    assert found.counts[status, kind] == most + 1, "all are counted"


def test_a_loop_of_one_refusal_is_kept_once() -> None:
    found = Sampling()
    for number in range(5):
        found.add(record(number, 404, app="quest", route="GET /a"))
        found.add(record(number, 503, RATE_LIMITED, app="quest", route="GET /a"))
        found.add(record(number, 500, "internal_error", app="quest", route="GET /a"))
    kept = [(each.status, each.kind) for each in found.records]
    assert sorted(kept) == [(404, "not_found"), *[(500, "internal_error")] * 5, (503, RATE_LIMITED)]


def test_a_cause_has_types_and_places_and_nothing_of_the_request() -> None:
    def refuse() -> None:
        try:
            page_key(1 / 0)  # type: ignore[arg-type]
        except ZeroDivisionError as error:
            raise NotFound(f"There is no user {SECRET}") from error

    with pytest.raises(NotFound) as refused:
        refuse()
    told = cause_of(refused.value)
    assert told == "NotFound: Not found ← ZeroDivisionError"
    assert cause_of(PermissionDenied(SECRET)) == "PermissionDenied: Permission denied"


def test_a_cause_names_the_last_place_in_our_code() -> None:
    with pytest.raises(TypeError) as failed:
        by_kind([(None, None, None, None)])  # type: ignore[list-item]
    assert cause_of(failed.value).startswith("TypeError (core/request_records.py:")
    assert cause_of(failed.value).endswith(" by_kind)")


def test_a_cause_ends() -> None:
    error: BaseException | None = None
    for _ in range(50):
        deeper = Unavailable(SECRET * 100)
        deeper.__cause__ = error
        error = deeper
    assert error is not None
    assert len(cause_of(error)) <= 400


@pytest.mark.parametrize("text", ["", "a" * 129, "a b", "é", "a/b", "a#b", "a\n"])
def test_what_cannot_be_an_id(text: str) -> None:
    assert not is_request_id(text)
    assert is_request_id("a" * 128)
    assert is_request_id("5f1c6a52-0d0f-4f4e-9d35-0c2f3a5b7a10")


@pytest.mark.parametrize("text", ["", "A", "a b", "a" * 65, "a#b", "a\n"])
def test_what_cannot_be_a_kind(text: str) -> None:
    assert not is_kind(text)
    assert is_kind("http_404")


def test_the_state_of_a_job() -> None:
    assert JobRun("sweep", 0, 1, 1).state(LATE_MS) is JobState.OK
    assert JobRun("sweep", 0, 1, 1).state(LATE_MS + 1) is JobState.LATE
    assert JobRun("clean", 0, 1, 1).state(LATE_MS + 1) is JobState.OK, "it runs when there is work"
    assert JobRun("sweep", 0, 1, 1, "KeyError").state(0) is JobState.FAILED


def overview(*runs: JobRun, refusals: list[tuple[str, int, str, int]] | None = None) -> Overview:
    return Overview(1_775_001_600_000, {}, runs, [], {}, refusals or [])


def test_a_platform_is_healthy_unless_a_job_is_late_or_failed() -> None:
    now = overview().now
    assert overview().healthy
    assert overview(JobRun("sweep", now, 1, 1)).healthy
    assert not overview(JobRun("sweep", now - LATE_MS - 1, 1, 1)).healthy
    assert not overview(JobRun("send", now, 1, 1, "KeyError")).healthy


def test_refusals_are_in_order_and_by_day() -> None:
    found = [("2026-04-01", 404, "not_found", 9), ("2026-03-31", 500, "internal_error", 1)]
    rows = refusal_rows(overview(refusals=[*found, ("2026-04-01", 500, "internal_error", 2)]))
    assert [(row["kind"], row["sum"]) for row in rows] == [("internal_error", 3), ("not_found", 9)]
    assert [row["numbers"] for row in rows] == [[0, 0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 0, 9]]


def test_bars_show_the_smallest_number_too() -> None:
    assert [bar.height for bar in bars([0, 1, 1_000_000])] == [1, 3, BAR_HEIGHT]
    assert all(bar.top + bar.height == BAR_HEIGHT for bar in bars([0, 1, 7, 9]))
    assert [bar.height for bar in bars([0, 0])] == [1, 1]
