"""The times of a request in its `Server-Timing` header (local/timing.py)."""

import threading

import pytest
from botocore.hooks import HierarchicalEmitter

from local import timing
from local.gateway import Answer, Gateway, Request
from local.timing import Tally, TimedGateway, covered, spent


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0),
        ([(1, 2)], 1),
        ([(1, 2), (3, 5)], 3),
        ([(1, 4), (2, 3)], 3),
        ([(2, 5), (1, 3)], 4),
        ([(1, 2), (1, 2)], 1),
    ],
    ids=str,
)
def test_calls_side_by_side_count_once(spans: list[timing.Span], seconds: float) -> None:
    assert covered(spans) == seconds


def test_the_processor_of_calls_in_the_requests_own_thread_is_not_the_apps() -> None:
    told = Tally()
    told.add((0, 0.010), 0.002)
    other = threading.Thread(target=told.add, args=((0.005, 0.020), 0.004))
    other.start()
    other.join()
    read = spent(told.header(total=0.030, cpu=0.005))
    assert read is not None
    assert (read.total, read.aws, read.calls) == (30, 20, 2)
    assert (read.cpu, read.aws_cpu) == pytest.approx((3, 6))


class _Calling(TimedGateway):
    """A gateway that answers after `calls` calls, reported as a client's events; the last call fails."""

    def __init__(self, events: HierarchicalEmitter, calls: int) -> None:
        self._events = events
        self._calls = calls


def _handle(self: _Calling, request: Request) -> Answer:
    for turn in range(self._calls):
        context: dict[str, object] = {}
        self._events.emit("before-parameter-build.dynamodb.GetItem", context=context, params={})
        ended = "after-call-error" if turn == self._calls - 1 else "after-call"
        self._events.emit(f"{ended}.dynamodb.GetItem", context=context)
    return Answer(200, [("Content-Type", "text/plain")], b"")


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_an_answer_tells_of_the_calls_of_its_own_request(calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gateway, "handle", _handle)
    events = HierarchicalEmitter()
    timing.watch(events)
    for _ in range(2):
        headers = dict(_Calling(events, calls).handle(Request("GET", "/")).headers)
        read = spent(headers["Server-Timing"])
        assert headers["Content-Type"] == "text/plain"
        assert read is not None
        assert read.calls == calls
        assert 0 <= read.aws <= read.total


def test_a_call_outside_of_any_request_is_nobodys() -> None:
    events = HierarchicalEmitter()
    timing.watch(events)
    context: dict[str, object] = {}
    events.emit("before-parameter-build.sqs.ReceiveMessage", context=context, params={})
    events.emit("after-call.sqs.ReceiveMessage", context=context)
    assert context == {}
