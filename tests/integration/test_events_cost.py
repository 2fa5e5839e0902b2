"""An app that did not ask for a kind of events pays nothing for it: no call, no unit and no transaction more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.meter import Meter
from chalicelib.core.events import LIVES, EventKind
from local.in_process import World
from tests.kit.page_api import COMMENTS, FAVORITES, FEEDS, URI, populated
from tests.kit.worlds import APP, HANA, MEI

pytestmark = pytest.mark.moto

ME = "/2/apps/appdata/@me/@self"
USER = f"/admin/users/{HANA}"
INSTALL = f"{USER}/installs/{APP}"
NEW = {"title": "t", "contentUri": URI}

Costs = tuple[int, int, float, float]
"""Calls in sequence, transactions, RRU and WRU."""


class Scene:
    """A world with the app's tokens, as if they were issued after its endpoint was registered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: frozenset[EventKind] = frozenset()

    def ask_for(self, kinds: frozenset[EventKind]) -> None:
        """Register an endpoint for these kinds, if there are any."""
        self.asked = kinds
        if kinds:
            self.world.platform.endpoints.create(APP, "https://quest.example/events", kinds)

    def send(self, method: str, path: str, body: Any = None, user: str | None = HANA, **query: Any) -> Any:
        """Send a request, which must succeed; return the JSON of its answer."""
        if user is None:
            token = self.world.token(None, "admin", app="operator")
        else:
            token = self.world.token(user, "w_pagefeed", "mixi_apps2", events=self.asked)
        reply = self.world.send(method, path, body, token=token, **query)
        assert 200 <= reply.status < 300, reply
        return reply.json if reply.text else None


def install(scene: Scene) -> None:
    scene.send("PUT", INSTALL, user=None)


def feed(scene: Scene) -> None:
    scene.send("POST", FEEDS, NEW, MEI)


def commented(scene: Scene) -> str:
    feed(scene)
    path: str = scene.send("POST", COMMENTS, {"comment": "c"}, contentUri=URI)["id"]
    return f"{COMMENTS}/{path}"


def liked(scene: Scene) -> str:
    feed(scene)
    path: str = scene.send("POST", FAVORITES, contentUri=URI)["id"]
    return f"{FAVORITES}/{path}"


def after(ready: Callable[[Scene], Any], *request: Any, **query: str) -> Callable[[Scene], Callable[[], object]]:
    """Return a function that prepares a scene and returns the act: a request, to the path that `ready` returned."""

    def prepare(scene: Scene) -> Callable[[], object]:
        made = ready(scene)
        method, path, *rest = request
        return lambda: scene.send(method, path or made, *rest, **query)

    return prepare


def nothing(scene: Scene) -> None: ...


K = EventKind
ACTS: dict[str, tuple[Callable[[Scene], Callable[[], object]], set[EventKind], Costs]] = {
    "install": (after(nothing, "PUT", INSTALL, None, None), {K.INSTALLED}, (4, 1, 1, 11)),
    "uninstall": (after(install, "DELETE", INSTALL, None, None), {K.UNINSTALLED}, (5, 1, 2, 11)),
    "erase": (after(install, "DELETE", USER, None, None), {K.UNINSTALLED, K.ERASED}, (26, 2, 13, 20)),
    "post a feed": (after(nothing, "POST", FEEDS, NEW, MEI), {K.FEED_POSTED}, (5, 2, 5, 17)),
    "post a feed of a module": (
        after(nothing, "POST", FEEDS, NEW | {"sourceId": "3"}, MEI),
        {K.FEED_POSTED},
        (5, 2, 5, 17),
    ),
    "delete a feed": (after(feed, "DELETE", FEEDS, None, MEI, contentUri=URI), {K.FEED_DELETED}, (2, 1, 3, 11)),
    "comment": (
        after(feed, "POST", COMMENTS, {"comment": "c"}, contentUri=URI),
        {K.COMMENT_POSTED},
        # The first of its feed in an hour.
        (2, 1, 1, 8),
    ),
    "delete a comment": (after(commented, "DELETE", "", contentUri=URI), {K.COMMENT_DELETED}, (3, 1, 4, 7)),
    "add a favorite": (after(feed, "POST", FAVORITES, contentUri=URI), {K.FAVORITE_ADDED}, (2, 1, 3, 5)),
    "remove a favorite": (after(liked, "DELETE", "", contentUri=URI), {K.FAVORITE_REMOVED}, (2, 1, 2, 5)),
    "write": (after(install, "POST", ME, {"a": "1"}), {K.DATA_CHANGED}, (2, 0, 1, 1)),
    "patch": (after(install, "PATCH", ME, {"a": {"add": "1"}}), {K.DATA_CHANGED}, (2, 0, 1, 1)),
    "delete a key": (after(install, "DELETE", ME, fields="a"), {K.DATA_CHANGED}, (2, 0, 1, 1)),
    "delete everything": (after(install, "DELETE", ME), {K.DATA_CHANGED}, (2, 0, 1, 1)),
}
"""Each act, the kinds of its events, and its cost without events. Those of `/admin` are logged: two calls and 2 WRU."""


class KeyedMeter(Meter):
    """A meter that does not count queries of indexes, which the other meter refuses: events read none."""

    def _capacity(self, operation: str, request: Any, answer: Any, before: Any) -> tuple[float, float]:
        return (0, 0) if "IndexName" in request else super()._capacity(operation, request, answer, before)

    def _touched(self, operation: str, request: Any) -> Any:
        return {} if "IndexName" in request else super()._touched(operation, request)


def cost(world: World, act: str, kinds: frozenset[EventKind]) -> tuple[Costs, list[EventKind]]:
    """Return the cost of an act for an app that asks for these kinds, and the kinds of the events that it wrote."""
    scene = Scene(populated(world))
    scene.ask_for(kinds)
    perform = ACTS[act][0](scene)
    meter = KeyedMeter(world.dynamodb, world.s3)
    log = world.platform.event_log
    before = len(log.part(APP, 0, world.clock.now + 1, None, 100)[0])
    with meter.counting():
        perform()
    figures = meter.figures
    told = [each.event.kind for each in log.part(APP, 0, world.clock.now + 1, None, 100)[0]]
    return (figures.in_sequence, figures.transactions, figures.rru, figures.wru), told[before:]


def test_every_kind_has_an_act() -> None:
    # Only an app with two endpoints has the event that one is off.
    kinds = set(EventKind) - {EventKind.DISABLED}
    assert set().union(*(kinds for _, kinds, _ in ACTS.values())) == kinds
    assert {kind for life in LIVES for kind in life} == kinds - {EventKind.DATA_CHANGED}


@pytest.mark.parametrize("asked", ["nothing", "all other kinds"])
@pytest.mark.parametrize("act", ACTS)
def test_an_act_that_is_not_told_costs_what_it_costs_without_events(
    act: str, asked: str, make_world: Callable[..., World]
) -> None:
    kinds = frozenset(EventKind) - ACTS[act][1] if asked != "nothing" else frozenset[EventKind]()
    found, told = cost(make_world(), act, kinds)
    assert told == []
    assert found == ACTS[act][2]


@pytest.mark.parametrize("act", ACTS)
def test_an_event_costs_no_call_and_two_units_more(act: str, make_world: Callable[..., World]) -> None:
    _, kinds, (calls, transactions, rru, wru) = ACTS[act]
    found, told = cost(make_world(), act, frozenset(kinds))
    assert sorted(told, key=str) == sorted(kinds, key=str)
    # A write becomes a transaction, whose units count twice.
    own = 1 if kinds == {K.DATA_CHANGED} else 0
    assert found == (calls, transactions + own, rru, wru + own + 2 * len(kinds))
