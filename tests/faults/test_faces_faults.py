"""Tests that each request of each face is right whatever happens to a call to AWS, and wherever the process dies.

For each request, each fault and each call: the response is right, or it is a 503 with Retry-After and nothing has
changed (unless a response was lost); the repeated request ends right, sent to another process if the first one died;
and all tables are consistent with each other at every moment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from chalicelib.store.aws import deadline
from chalicelib.store.aws.deadline import CALL_SECONDS
from tests.faults.faces import OPERATIONS, RequestScene, furnish
from tests.faults.fault import ANSWER_LOST, FAULTS, Act, go, no_strike
from tests.faults.scene import Operation, Processes
from tests.kit.calls import Call
from tests.kit.request_stage import BUSY, RequestStage
from tests.kit.tally import tried

LAMBDA_SECONDS = 29.0
Scenes = Callable[[Operation], RequestScene]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)


@pytest.fixture(scope="module")
def scene(keys_in: Path) -> Scenes:
    @cache
    def processes(cold: bool) -> Processes:
        return Processes(
            lambda cloud, client: RequestStage(keys_in, cloud, client, cold=cold and client is not cloud), furnish
        )

    return cache(lambda operation: RequestScene(operation, processes(operation.cold)))


@each_operation
def test_a_fault_breaks_no_promise(scene: Scenes, operation: Operation) -> None:
    here = scene(operation)
    (outcome,), _, _ = here.right(1)
    assert outcome == "done" or outcome[:3] in ("200", "201", "204", "302", "303", "403")
    for fault in FAULTS:
        here.meet(fault)


@each_operation
def test_the_order_of_a_transaction_means_nothing(scene: Scenes, operation: Operation) -> None:
    scene(operation).reorder()


@each_operation
def test_a_request_that_aws_keeps_waiting_ends_in_time(
    scene: Scenes, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, now = scene(operation), [0.0]
    right = [here.right(times) for times in range(3)]
    monkeypatch.setattr(deadline, "_now", lambda: now[0])
    ways = {"slow answers for good": go, "no answers for good, after their time": ANSWER_LOST}
    for first, (name, act) in product(range(len(here.calls)), ways.items()):

        def meet(call: Call, first: int = first, act: Act = act) -> Any:
            if call.turn < first:
                return call.go()
            now[0] += CALL_SECONDS
            return act(call, no_strike)

        here.reset()
        here.asked.gateway.longest = 0.0
        assert here.run(meet) in (BUSY, *right[1].outcomes)
        longest = here.asked.gateway.longest
        assert longest <= LAMBDA_SECONDS, f"{longest} seconds: {name}, after {first} calls"
        here.reached()
        assert here.run() in right[2].outcomes
        assert here.reached()[1] in (right[1].end, right[2].end)
        tried("faces", operation.name, name)


def test_every_route_that_calls_aws_is_tried(scene: Scenes) -> None:
    used: set[tuple[str, str | None]] = set()
    for operation in OPERATIONS:
        here = scene(operation)
        here.reset()
        here.asked.gateway.asked.clear()
        here.run()
        used |= here.asked.gateway.asked
    here = scene(OPERATIONS[0])
    routes = {(method, route) for route, methods in here.asked.app.routes.items() for method in methods}
    # HEAD uses the view of GET.
    left = {(method, route) for method, route in routes - used if method not in ("OPTIONS", "HEAD")}
    # The same views under the names that old clients use.
    left -= {(method, f"{route}.json") for method, route in used}
    left -= {("GET", "/run_page_appli.pl")}
    # Pages of the documentation, which are in the zip; these names of theirs do not exist.
    left -= {(method, route) for method, route in left if route and route.startswith("/docs/")}

    here.reset()
    here.client.begin()
    for method, route in left:
        assert here.asked.send(method, route, user=None).status == 200, f"{method} {route} is in no list of faces.py"
    assert here.client.calls == [], f"not tried: {sorted(left)}"
