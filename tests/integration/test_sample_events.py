"""The receiver of events in the sample: it lists what is signed, and each event once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.events import headers, new_signing_secret
from chalicelib.store.events.sending import EventSending
from local import demo
from local.demo_data import APPS, RECEIVER
from local.gateway import Answer, Request
from local.sample import EVENTS, Sample
from local.sample.events import KEPT, EventReceiver
from tests.kit.worlds import World

pytestmark = pytest.mark.moto

BASE = "http://127.0.0.1:8000"
BODY = b'{"type":"app.installed","timestamp":"2026-04-01T00:00:00.000Z","data":{}}'


class Scene:
    """The demo world, and its sample in place of the network."""

    def __init__(self, world: World, directory: Path) -> None:
        world.clock.now = int(time.time() * 1000)
        self.world = world
        here = world.platform
        demo.load(here, BASE, directory)
        self.sample = Sample(here.tokens, BASE, EventReceiver(here.endpoints))
        here.event_sending = EventSending(here.event_log, here.endpoints, self.post, world.clock)

    def send(self, method: str, body: bytes, sent: Mapping[str, str], host: str = "127.0.0.1:8000") -> Answer:
        """Send a request to the receiver."""
        answer = self.sample(Request(method, EVENTS, [("Host", host), *sent.items()], body))
        assert answer
        return answer

    def post(self, url: str, body: bytes, sent: Mapping[str, str]) -> int:
        """Send an event as the platform does."""
        assert url == BASE + EVENTS
        return self.send("POST", body, sent).status

    def signed(self, event: str = "0mywpiww0abcdefg", age: int = 0) -> dict[str, str]:
        """Return the headers of a message with the receiver's secret."""
        [secret] = [each.secrets[0] for each in self.world.platform.endpoints.active()]
        return headers(event, BODY, [secret], int(time.time()) - age)

    @property
    def received(self) -> list[dict[str, Any]]:
        """The events that the sample lists."""
        found: list[dict[str, Any]] = json.loads(self.send("GET", b"", {}).body)
        return found


@pytest.fixture
def scene(make_world: Callable[..., World], tmp_path: Path) -> Scene:
    return Scene(make_world(), tmp_path)


def test_the_feed_of_the_demo_world_is_told(scene: Scene) -> None:
    scene.world.send_events()
    kinds = sorted(each["type"] for each in scene.received)
    assert kinds == ["comment.posted"] * 2 + ["favorite.added"] * 3 + ["feed.posted"]
    assert {each["data"]["app"] for each in scene.received} == {APPS["quest"]}


def test_an_event_is_listed_once_and_the_newest_first(scene: Scene) -> None:
    for event in ("0mywpiww0abcdefg", "0mywpiww0abcdefh", "0mywpiww0abcdefg"):
        assert scene.send("POST", BODY, scene.signed(event)).status == 204
    assert [each["id"] for each in scene.received] == ["0mywpiww0abcdefh", "0mywpiww0abcdefg"]
    for turn in range(KEPT + 5):
        scene.send("POST", BODY, scene.signed(f"0mywpiww0abcd{turn:03}"))
    assert len(scene.received) == KEPT


def test_what_is_not_signed_is_refused(scene: Scene) -> None:
    good = scene.signed()
    stranger = headers("0mywpiww0abcdefg", BODY, [new_signing_secret()], int(time.time()))
    for body, sent in (
        (BODY + b" ", good),
        (BODY, {}),
        (BODY, {**good, "webhook-id": "0mywpiww0abcdefh"}),
        (BODY, {**good, "webhook-timestamp": "soon"}),
        (BODY, {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)}),
        (BODY, {**good, "webhook-signature": "v1,é"}),
        (BODY, scene.signed(age=301)),
        (BODY, stranger),
    ):
        assert scene.send("POST", body, sent).status == 401, sent
    assert scene.send("POST", BODY, good, host="evil.example").status == 403
    assert scene.send("PUT", BODY, good).status == 405
    assert scene.received == []


def test_during_a_rotation_both_secrets_are_accepted(scene: Scene) -> None:
    here, old = scene.world.platform.endpoints, scene.signed()
    here.new_secret(APPS["quest"], RECEIVER)
    assert scene.send("POST", BODY, old).status == 204
    here.end_old_secret(APPS["quest"], RECEIVER)
    assert scene.send("POST", BODY, old).status == 401
    assert scene.send("POST", BODY, scene.signed("0mywpiww0abcdefh")).status == 204
