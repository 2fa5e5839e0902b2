"""Every request of every face keeps its promises whatever becomes of whichever call to AWS, and wherever it dies.

For each request, each trouble and each call: it is answered right, or with a 503 that says when to come again and has
changed nothing (unless an answer was lost); the same request sent again, to another process where the first one died,
ends right; and all tables agree with one another at every moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

import pytest

from chalicelib.core import passwords
from chalicelib.store.aws import deadline
from chalicelib.store.aws.deadline import CALL_SECONDS
from local import keys
from tests.integration.contents import one_after_the_other
from tests.integration.faces import Faces
from tests.integration.faces_asking import Deed, prepare
from tests.integration.faces_deeds import DEEDS
from tests.integration.faults import Sending, losing, timeout
from tests.integration.suffering import BUSY, Ground, Scene, nobody, suffer
from tests.integration.troubles import TROUBLES
from tests.tally import tried

LAMBDA_SECONDS = 29.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Deed], Scene]]:
    directory = tmp_path_factory.mktemp("keys")
    keys.ensure(directory / "token-keys.json")
    keys.ensure_secret(directory / "secret-keys.json")
    keys.ensure_launch(directory / "launch-keys.json")

    @cache
    def ground(cold: bool) -> Ground:
        return Ground(lambda cloud, client: Faces(directory, cloud, client, cold=cold and client is not cloud))

    @cache
    def make(deed: Deed) -> Scene:
        return Scene(deed, ground(deed.cold), prepare)

    with pytest.MonkeyPatch.context() as patches, one_after_the_other():
        patches.setattr(passwords, "N", 16)  # What a hash costs is not what is tried here.
        yield make


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_trouble_breaks_no_promise(scene: Callable[[Deed], Scene], deed: Deed) -> None:
    here = scene(deed)
    outcome, _, _ = here.right(1)
    assert outcome == "done" or outcome[:3] in ("200", "201", "204", "302", "303", "403")
    for trouble in TROUBLES:
        suffer(here, trouble, "faces")


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_request_that_aws_keeps_waiting_ends_in_time(
    scene: Callable[[Deed], Scene], deed: Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, now = scene(deed), [0.0]
    right = [here.right(times) for times in range(3)]
    monkeypatch.setattr(deadline, "_now", lambda: now[0])
    gateway: Any = here.stage.gateway  # type: ignore[attr-defined]
    ways: dict[str, Callable[[Sending], Any]] = {
        "slow answers for good": Sending.go,
        "no answers for good, after their time": lambda sending: losing(timeout)(sending, nobody),
    }
    for first, (name, act) in product(range(len(here.calls)), ways.items()):

        def meet(sending: Sending, first: int = first, act: Callable[[Sending], Any] = act) -> Any:
            if sending.turn < first:
                return sending.go()
            now[0] += CALL_SECONDS
            return act(sending)

        here.reset()
        gateway.longest = 0.0
        assert here.run(meet) in (BUSY, right[1][0])
        assert gateway.longest <= LAMBDA_SECONDS, f"{gateway.longest} seconds: {name}, after {first} calls"
        here.reached()
        assert here.run() in (right[1][0], right[2][0])
        assert here.reached()[1] in (right[1][2], right[2][2])
        tried("faces", deed.name, name)


def test_every_route_that_calls_aws_is_tried(scene: Callable[[Deed], Scene]) -> None:
    gateway: Any = scene(DEEDS[0]).stage.gateway  # type: ignore[attr-defined]
    tried_here: set[tuple[str, str]] = set()
    for deed in DEEDS:
        here = scene(deed)
        here.reset()
        asked = here.stage.gateway.asked  # type: ignore[attr-defined]
        asked.clear()
        here.run()
        tried_here |= asked
    routes = {(method, route) for route, methods in gateway._app.routes.items() for method in methods}
    # HEAD has the view of GET.
    left = {(method, route) for method, route in routes - tried_here if method not in ("OPTIONS", "HEAD")}
    # The same views under the names that old clients know.
    left -= {(method, f"{route}.json") for method, route in tried_here}
    left -= {("GET", "/run_page_appli.pl")}

    here = scene(DEEDS[0])
    here.reset()
    for method, route in left:
        assert here.stage.send(method, route, user=None).status == 200  # type: ignore[attr-defined]
    assert here.client.calls == [], f"not tried: {sorted(left)}"
