"""The action log: what an entry costs, and what a part of the list costs."""

from bench.row import Bound, Requests, Row, Scenario
from bench.scenes import asking
from chalicelib.core.actions import ActionKind
from local.in_process import HANA, KEN, World

DAY_MS = 86_400_000
_OPERATOR = "admin"


def _fill(world: World, months: int, entries: int) -> None:
    """Store entries in each of the last months."""
    log, now = world.platform.action_log, world.clock.now
    for month in range(months):
        for turn in range(entries):
            world.clock.now = now - month * 30 * DAY_MS - turn
            before, after = {"details": "x" * 90, "name": "Cafe"}, {"details": "y" * 90, "name": "Veranda"}
            more = {"reason": "x" * 60, "before": before, "after": after}
            log.begin(log.new(f"user:{HANA}", ActionKind.PAGE_CHANGED, "page:20260401000000000001", "r" * 36, **more))
    world.clock.now = now


def _list(months: int, entries: int, path: str = "/admin/log") -> Scenario:
    def scenario(world: World) -> Requests:
        _fill(world, months, entries)
        token = world.token(None, _OPERATOR)
        return asking(world, "GET", path, headers={"Authorization": f"Bearer {token}"})

    return scenario


def _befriend(world: World) -> Requests:
    world.populate(HANA, KEN)
    token = world.token(None, _OPERATOR)
    path = f"/admin/users/{HANA}/friends/{KEN}"
    return asking(world, "PUT", path, headers={"Authorization": f"Bearer {token}"})


ROWS = [
    Row("log: the newest 20 of 100", Bound(1, 30, 0), _list(1, 100)),
    Row("log: 20 of the last 13 months", Bound(2, 30, 0), _list(13, 1)),
    Row("log: a filter that finds nothing in 1,000", Bound(1, 30, 0), _list(1, 1_000, "/admin/log?kind=user")),
    Row("operator: befriend, with its entry", Bound(3), _befriend),
]
