"""Tests that nothing is changed without an entry in the action log, whatever happens to a call to AWS.

The operations of faces.py have one for each route that calls AWS. Each of them that uses a logged route is made without
a fault, with each fault at each of its calls, and with a death of the process before and after each call.
"""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.actions import ActionFilter, LoggedAction, Outcome
from tests.faults.faces import OPERATIONS, RequestScene, furnish
from tests.faults.fault import FAULTS
from tests.faults.scene import Operation, Processes
from tests.kit.request_stage import RequestStage
from tests.kit.signing import SECRET
from tests.kit.tally import tried

LOGGED = ("/admin/", "/console/")
"""The beginnings of the paths whose changes are logged."""
OF_PAGE_ADMINISTRATORS = {"delete another's comment"}
"""The operations by which an administrator of a page changes what others posted."""
WITHOUT_CHANGE = {"try an import", "console: end no old secret of an endpoint"}
"""The operations of logged routes that change nothing."""
READS = {"console: see a value", "console: export a person"}
"""The operations that are logged although they change nothing: somebody saw a user's data."""
NOT_LOGGED: dict[str, str] = {}
"""Routes below LOGGED that change nothing of the platform, and why."""


@pytest.fixture(scope="module")
def scenes(keys_in: Path) -> Any:
    processes = cache(lambda: Processes(lambda cloud, client: RequestStage(keys_in, cloud, client), furnish))
    return cache(lambda operation: RequestScene(operation, processes()))


def entries(scene: RequestScene) -> list[LoggedAction]:
    """Return the entries that the log has, the newest first."""
    return scene.rival.platform.action_log.part(ActionFilter(0, scene.rival.clock.now + 1), None, 100)[0]


def state(scene: RequestScene) -> Any:
    """Return all items, but for the log."""
    items = scene.rival.cloud.memory.items
    return {place: repr(item) for place, item in items.items() if not place[1].startswith("log#")}


def routes_of(scene: RequestScene) -> set[str]:
    """Make the operation, and return the logged routes that it asked."""
    scene.reset()
    scene.asked.gateway.asked.clear()
    scene.run()
    asked = {f"{method} {route}" for method, route in scene.asked.gateway.asked if method not in ("GET", "HEAD")}
    return {each for each in asked if is_logged(each)} | (asked if is_by_page_administrator(scene.operation) else set())


def is_logged(route: str) -> bool:
    return route.partition(" ")[2].startswith(LOGGED)


def is_by_page_administrator(operation: Operation) -> bool:
    return operation.name in OF_PAGE_ADMINISTRATORS


def test_every_route_that_changes_something_leaves_an_entry(scenes: Any) -> None:
    seen: set[str] = set()
    for operation in OPERATIONS:
        scene = scenes(operation)
        scene.reset()
        before = state(scene)
        if not (used := routes_of(scene)):
            continue
        found = entries(scene)
        if operation.name in WITHOUT_CHANGE:
            assert (found, state(scene)) == ([], before), operation.name
            continue
        # Handling a report may also hide or delete the post, which is an action of its own.
        assert {each.outcome for each in found} == {Outcome.DONE}, operation.name
        assert len({each.kind for each in found}) == len(found)
        assert found[0].request != "unknown"
        text = json.dumps([found[0].before, found[0].after], ensure_ascii=False)
        assert not any(secret in text for secret in (SECRET, "whsec_", "scrypt", "name of ", "login-of-")), text
        seen |= used
    routes = {f"{method} {path}" for path, methods in scene.asked.app.routes.items() for method in methods}
    wanted = {each for each in routes if is_logged(each) and each.split()[0] not in ("GET", "HEAD", "OPTIONS")}
    missing = wanted - seen - NOT_LOGGED.keys()
    assert missing == set(), "these routes change something and no operation of faces.py shows that they are logged"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_no_fault_leaves_a_change_without_an_entry(scenes: Any, operation: Operation) -> None:
    scene = scenes(operation)
    if operation.name in WITHOUT_CHANGE or not routes_of(scene):
        return
    scene.reset()
    before, calls = state(scene), scene.calls
    for fault in FAULTS:
        for turn, call in enumerate(calls):
            if call not in fault.on or fault.rivals:
                continue
            scene.reset()
            outcome = scene.run(fault.meeting(turn, partial(scene.strike, ())))
            found = entries(scene)
            changed = state(scene) != before
            assert found or not changed, f"{fault.name} met call {turn} of {calls}: changed, and not logged"
            assert len({each.kind for each in found}) == len(found)
            if outcome in ("killed", "Unavailable"):
                may_be_done = changed or operation.name in READS
                assert all(each.outcome is not Outcome.DONE or may_be_done for each in found)
            tried("action log", operation.name, fault.name)
