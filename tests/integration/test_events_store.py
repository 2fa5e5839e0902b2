"""Events to apps: written with their changes, sent to endpoints, and tried again until they are accepted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
from chalice.local import LambdaContext

from chalicelib.api.scheduled import CLEAN, SEND
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.events import (
    ATTEMPTS,
    BY_OPERATOR,
    DEAD,
    DEAD_MS,
    ENDPOINTS,
    GONE,
    KEEP_DAYS,
    Endpoint,
    EventKind,
    Outcome,
    ToldApp,
    delay_ms,
)
from chalicelib.core.model.contents import Draft
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.item_size import item_size, write_units
from chalicelib.store.contents import posts_of_user
from chalicelib.store.contents.cleanup_notes import LATE_MS
from chalicelib.store.events.sending import MOST_FAILURES, WORKERS, EventSending
from tests.kit.log_lines import logged
from tests.kit.page_api import (
    COMMENTS,
    FAVORITES,
    FEEDS,
    OTHER_APP,
    PAGE,
    URI,
    comment,
    favorite,
    populated,
    post,
    send,
)
from tests.kit.worlds import APP, HANA, KEN, MEI, SCHEDULED, World

URL = "https://quest.example/events"
MINUTE = 60_000


class Receiver:
    """Receivers of events at any URL. `answers` has the status for each URL (None: no answer), or 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, Any]] = []
        self.answers: dict[str, int | None] = {}

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        self.got.append((url, headers["webhook-id"], json.loads(body)))
        return self.answers.get(url, 200)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the received events, in order of their ids."""
        return [body["type"] for _, _, body in sorted(self.got, key=lambda each: (each[1], each[0]))]


class Scene:
    """A world with a receiver in place of the network."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.receiver = Receiver()
        here = world.platform
        self.sending = EventSending(here.event_log, here.endpoints, self.receiver, world.clock)
        here.event_sending = self.sending

    def endpoint(self, *kinds: EventKind, url: str = URL, app: str = APP) -> Endpoint:
        """Register an endpoint, by default for all kinds."""
        return self.world.platform.endpoints.create(app, url, kinds or EventKind)

    def install(self, user: str = HANA) -> None:
        """Install the app."""
        app = self.world.platform.apps.get(APP)
        assert app
        self.world.platform.user_data.install(app, user)

    def run(self, minutes: int = 0) -> int:
        """Let time pass, and run the function that sends events; return the number of attempts."""
        self.world.clock.now += minutes * MINUTE
        attempts: int = self.world.app.handler_map[SEND](SCHEDULED, LambdaContext("send", 512, 60_000))
        return attempts

    def outcomes(self) -> list[tuple[str, list[Outcome]]]:
        """Return all events of the app with their outcomes."""
        found, _ = self.world.platform.event_log.part(APP, 0, self.world.clock.now + 1, None, 100)
        return [(each.event.kind.value, [one.outcome for one in each.deliveries]) for each in found]

    def due(self) -> list[dict[str, Any]]:
        """Return the stored attempts."""
        return [item for item in self.world.items("ephemeral") if item["pk"]["S"] == "attempt"]


@pytest.fixture
def scene(make_world: Callable[..., World]) -> Scene:
    return Scene(make_world(populated))


def events(world: World) -> list[dict[str, Any]]:
    return [item for item in world.items("ephemeral") if item["pk"]["S"].startswith("event#")]


def test_an_app_without_endpoints_has_no_events(scene: Scene) -> None:
    scene.install()
    post(scene.world, contentUri=URI)
    comment(scene.world)
    favorite(scene.world)
    scene.world.platform.user_data.erase(HANA)
    assert (scene.run(), events(scene.world), scene.receiver.got) == (0, [], [])


def test_the_life_of_an_install(scene: Scene) -> None:
    scene.endpoint()
    scene.install()
    scene.world.clock.now += 1
    scene.world.platform.user_data.uninstall(APP, HANA)
    scene.install(KEN)
    scene.world.clock.now += 1
    scene.world.platform.user_data.erase(KEN)
    assert scene.run() == 5
    told = [(body["type"], body["data"]["user"], body["data"]["sequence"]) for _, _, body in scene.receiver.got]
    assert sorted(told) == [
        ("app.installed", KEN, 1),
        ("app.installed", HANA, 1),
        ("app.uninstalled", KEN, 2),
        ("app.uninstalled", HANA, 2),
        ("user.erased", KEN, 3),
    ]
    assert {body["data"]["subject"] for _, _, body in scene.receiver.got} == {f"install/{HANA}", f"install/{KEN}"}


def test_what_did_not_happen_is_not_told(scene: Scene) -> None:
    scene.endpoint()
    scene.world.platform.user_data.uninstall(APP, HANA)
    scene.install()
    scene.install()
    with pytest.raises(NotFound):
        scene.install("nobody000000")
    assert scene.run() == 1


def everything(world: World) -> None:
    """Make and remove a feed, comments and favorites."""
    for act in (
        lambda: post(world, contentUri=URI),
        lambda: comment(world),
        lambda: favorite(world, HANA),
        lambda: send(world, "DELETE", f"{FAVORITES}/{favorite(world, HANA)}", None, HANA, contentUri=URI),
        lambda: send(world, "DELETE", f"{COMMENTS}/{comment(world, 'b', KEN)}", None, KEN, contentUri=URI),
        lambda: send(world, "DELETE", FEEDS, None, MEI, contentUri=URI),
    ):
        act()
        world.clock.now += 1


def test_the_life_of_a_content(scene: Scene) -> None:
    scene.endpoint()
    everything(scene.world)
    scene.run()
    assert scene.receiver.kinds == [
        "feed.posted",
        "comment.posted",
        "favorite.added",
        "favorite.removed",
        *sorted(["comment.posted", "comment.deleted"], key=scene.receiver.kinds[4:6].index),
        "feed.deleted",
    ]
    assert {(body["data"]["page"], body["data"]["contentUri"]) for _, _, body in scene.receiver.got} == {(PAGE, URI)}
    for _, _, body in scene.receiver.got:
        made = body["type"].endswith(("posted", "added"))
        assert body["data"]["sequence"] == (1 if made else 2)


def test_another_apps_request_is_told_to_the_app_that_posted(scene: Scene) -> None:
    scene.endpoint()
    scene.endpoint(app=OTHER_APP, url="https://album.example/")
    post(scene.world, contentUri=URI)
    send(scene.world, "POST", FAVORITES, None, HANA, OTHER_APP, contentUri=URI)
    scene.run()
    assert {(url, body["data"]["app"]) for url, _, body in scene.receiver.got} == {(URL, APP)}
    assert sorted(scene.receiver.kinds) == ["favorite.added", "feed.posted"]


def test_a_feed_from_before_the_endpoint_tells_nothing(scene: Scene) -> None:
    post(scene.world, contentUri=URI)
    scene.endpoint()
    comment(scene.world)
    assert (scene.run(), events(scene.world)) == (0, [])


def test_with_a_source_the_token_says_whether_the_app_is_told(scene: Scene) -> None:
    draft = Draft("title", content_uri=URI, source="3")
    asked = frozenset({EventKind.FEED_POSTED})
    for kinds in (frozenset[EventKind](), asked):
        admission = scene.world.platform.feed_posting.admit(PAGE, MEI, APP, draft, partial(frozenset, kinds))
        assert admission.told == ToldApp(APP, kinds)
    tokens = scene.world.platform.tokens
    token = tokens.issue(app=APP, viewer=MEI, scopes=["w_pagefeed"], lifetime=9, events=asked)
    body = {"title": "a", "sourceId": "3", "contentUri": URI}
    assert scene.world.send("POST", FEEDS, body, token=token).status == 201
    assert [event["k"]["S"] for event in events(scene.world)] == ["feed.posted"]


def test_the_posts_of_an_erased_user_are_told(scene: Scene) -> None:
    scene.endpoint(EventKind.COMMENT_DELETED, EventKind.FAVORITE_REMOVED, EventKind.FEED_DELETED)
    post(scene.world, contentUri=URI)
    comment(scene.world, user=HANA)
    favorite(scene.world, user=HANA)
    scene.world.platform.user_data.erase(HANA)
    scene.run()
    assert sorted(scene.receiver.kinds) == ["comment.deleted", "favorite.removed"]
    scene.receiver.got.clear()
    scene.world.platform.cleanup.delete_page(PAGE)
    scene.world.platform.cleanup.process(f"page#{PAGE}", 60)
    scene.run()
    assert scene.receiver.kinds == ["feed.deleted"]


def test_posts_that_the_queue_s_function_deletes_are_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts_of_user, "_AT_ONCE", 1)
    scene.endpoint(EventKind.COMMENT_DELETED, EventKind.FAVORITE_REMOVED, EventKind.FEED_DELETED)
    for uri in (URI, URI + "2"):
        post(scene.world, HANA, contentUri=uri)
        comment(scene.world, user=HANA, uri=uri)
        favorite(scene.world, user=HANA, uri=uri)
    # The request deletes one favorite, and has no time for more.
    times = iter([0.0])
    scene.world.platform.user_data.erase(HANA, lambda: next(times, 100.0))
    scene.run()
    assert scene.receiver.kinds == ["favorite.removed"]
    scene.receiver.got.clear()
    scene.world.clock.now += LATE_MS
    message = {"Records": [{"body": f"user#{HANA}", "receiptHandle": "1"}]}
    scene.world.app.handler_map[CLEAN](message, LambdaContext("clean", 512, 60_000))
    scene.run()
    told = sorted(scene.receiver.kinds)
    assert told == [*["comment.deleted"] * 2, *["favorite.removed"], *["feed.deleted"] * 2]


def test_only_the_kinds_that_an_endpoint_asked_for(scene: Scene) -> None:
    scene.endpoint(EventKind.INSTALLED, url=URL)
    scene.endpoint(EventKind.FEED_POSTED, url=URL + "2")
    scene.install()
    post(scene.world, contentUri=URI)
    scene.run()
    told = {(url, body["type"]) for url, _, body in scene.receiver.got}
    assert told == {(URL, "app.installed"), (URL + "2", "feed.posted")}


def test_an_event_is_sent_once_and_its_outcome_is_listed(scene: Scene) -> None:
    endpoint = scene.endpoint()
    scene.install()
    assert (scene.run(), scene.run(1), scene.run(10)) == (1, 0, 0)
    assert scene.outcomes() == [("app.installed", [Outcome.DELIVERED])]
    found, _ = scene.world.platform.event_log.part(APP, 0, scene.world.clock.now, None, 10)
    one = found[0].deliveries[0]
    assert (one.endpoint, one.attempts, one.status) == (endpoint.id, 1, 200)


def test_a_failed_event_is_tried_for_three_days_with_the_same_id(scene: Scene) -> None:
    scene.endpoint()
    scene.receiver.answers[URL] = 500
    scene.install()
    began = scene.world.clock.now
    runs = [scene.run(minutes) for minutes in [0, *[30] * 150]]
    # After three days, the endpoint itself is off; the event had all its attempts before.
    assert sum(runs) == ATTEMPTS == len(scene.receiver.got)
    assert len({event for _, event, _ in scene.receiver.got}) == 1
    assert scene.outcomes() == [("app.installed", [Outcome.FAILED])]
    assert scene.due() == []
    assert scene.world.clock.now - began > DEAD_MS


def test_it_is_delivered_when_the_endpoint_answers_again(scene: Scene) -> None:
    scene.endpoint()
    scene.receiver.answers[URL] = None
    scene.install()
    assert scene.run() == 1
    assert scene.outcomes() == [("app.installed", [Outcome.WAITING])]
    assert scene.world.platform.endpoints.of_app(APP)[0].failing == scene.world.clock.now
    del scene.receiver.answers[URL]
    assert scene.run(1) == 1
    assert scene.outcomes() == [("app.installed", [Outcome.DELIVERED])]
    assert scene.world.platform.endpoints.of_app(APP)[0].failing is None
    assert scene.due() == []


def test_410_switches_the_endpoint_off(scene: Scene) -> None:
    scene.endpoint()
    scene.receiver.answers[URL] = 410
    scene.install()
    scene.run()
    assert scene.world.platform.endpoints.of_app(APP)[0].off == GONE
    assert (scene.outcomes(), scene.due()) == ([("app.installed", [Outcome.FAILED])], [])
    app = scene.world.platform.apps.get(APP)
    assert app
    assert app.events == frozenset()
    scene.install(KEN)
    assert len(events(scene.world)) == 1


@pytest.mark.parametrize("reason", [GONE, DEAD, BY_OPERATOR])
def test_the_other_endpoints_are_told_that_one_is_off(scene: Scene, reason: str) -> None:
    here = scene.world.platform.endpoints
    bad = scene.endpoint(EventKind.INSTALLED, EventKind.DISABLED)
    scene.endpoint(EventKind.DISABLED, url=URL + "/told")
    scene.endpoint(EventKind.UNINSTALLED, url=URL + "/other")
    scene.receiver.answers[URL] = 410 if reason == GONE else 503
    scene.install()
    with logged() as log:
        scene.run()
        if reason == DEAD:
            scene.run(DEAD_MS // MINUTE)
    at = scene.world.clock.now
    if reason == BY_OPERATOR:
        here.change(APP, bad.id, is_on=False)
        here.change(APP, bad.id, is_on=False)
    [off] = [each for each in here.of_app(APP) if each.off]
    assert (off.id, off.off, off.disabled) == (bad.id, reason, at)
    automatic = reason != BY_OPERATOR
    assert [line.get("DisabledEndpoints") for line in log.of("run")][-1:] == [1 if automatic else None]
    scene.receiver.got.clear()
    scene.run(1)
    [(url, _, body)] = scene.receiver.got
    data = {"app": APP, "subject": f"endpoint/{bad.id}/{at}", "sequence": 1, "endpoint": bad.id, "reason": reason}
    assert (url, body["type"], body["data"]) == (URL + "/told", "endpoint.disabled", data)


def test_an_app_whose_other_endpoints_did_not_ask_is_not_told_that_one_is_off(scene: Scene) -> None:
    one = scene.endpoint(EventKind.DISABLED)
    scene.endpoint(EventKind.INSTALLED, url=URL + "/other")
    scene.world.platform.endpoints.change(APP, one.id, is_on=False)
    assert events(scene.world) == []


def test_what_waits_for_ten_minutes_is_late(scene: Scene) -> None:
    scene.endpoint()
    scene.install()
    with logged() as log:
        scene.run(9)
        scene.install(KEN)
        scene.run(11)
        scene.receiver.answers[URL] = 503
        scene.install(MEI)
        scene.run()
        scene.run(30)
    assert [line.get("LateEvents") for line in log.of("run")] == [None, 1, None, 1]


def test_an_endpoint_that_stays_dead_is_switched_off_and_its_attempts_end(scene: Scene) -> None:
    endpoint = scene.endpoint()
    scene.receiver.answers[URL] = 503
    scene.install()
    scene.run()
    scene.world.clock.now += DEAD_MS - MINUTE
    scene.run()
    assert scene.world.platform.endpoints.of_app(APP)[0].off == ""
    scene.install(KEN)
    scene.run(2)
    assert scene.world.platform.endpoints.of_app(APP)[0].off == DEAD
    scene.run(24 * 60)
    assert scene.due() == []
    assert {outcome for _, each in scene.outcomes() for outcome in each} == {Outcome.FAILED}
    scene.world.platform.endpoints.change(APP, endpoint.id, is_on=True)
    del scene.receiver.answers[URL]
    found, _ = scene.world.platform.event_log.part(APP, 0, scene.world.clock.now, None, 10)
    for each in found:
        scene.world.platform.event_log.send_again(APP, each.event.id, endpoint.id)
    assert scene.run() == 2
    assert {outcome for _, each in scene.outcomes() for outcome in each} == {Outcome.DELIVERED}


def test_a_dead_endpoint_delays_no_other(scene: Scene) -> None:
    scene.endpoint(url=URL)
    scene.endpoint(url=URL + "dead")
    scene.receiver.answers[URL + "dead"] = None
    users = [f"user{turn:08}" for turn in range(60)]
    scene.world.populate(*users)
    for user in users:
        scene.install(user)
    scene.run()
    urls = [url for url, _, _ in scene.receiver.got]
    assert urls.count(URL) == 60
    assert urls.count(URL + "dead") <= WORKERS * MOST_FAILURES
    # What was not tried is not lost.
    assert len(scene.due()) == 60
    del scene.receiver.answers[URL + "dead"]
    scene.receiver.got.clear()
    scene.run(10)
    assert {event for url, event, _ in scene.receiver.got if url == URL + "dead"} == {
        item["sk"]["S"] for item in events(scene.world)
    }


def test_an_endpoint_is_told_of_nothing_from_before_its_registration(scene: Scene) -> None:
    first = scene.endpoint()
    scene.install()
    scene.world.platform.endpoints.delete(APP, first.id)
    scene.world.clock.now += 1
    scene.endpoint(url=URL + "2")
    assert (scene.run(), scene.receiver.got) == (0, [])


def test_many_handled_events_are_not_read_again(scene: Scene) -> None:
    scene.endpoint(EventKind.INSTALLED)
    users = [f"user{turn:08}" for turn in range(300)]
    scene.world.populate(*users)
    for user in users:
        scene.world.clock.now += 100
        scene.install(user)
    assert sum(scene.run() for _ in range(2)) == 300
    # The newest events stay in reach for as long as a late transaction may add one among them.
    scene.run(5)
    scene.install(HANA)
    assert scene.run() == 1
    scene.world.calls.clear()
    assert scene.run() == 0
    read = sum(len(call.answer["Items"]) for call in scene.world.calls if call.operation == "query" and call.answer)
    assert read < 60


def test_an_app_has_a_few_endpoints(scene: Scene) -> None:
    for turn in range(ENDPOINTS):
        scene.endpoint(url=f"{URL}{turn}")
    with pytest.raises(Conflict):
        scene.endpoint()
    with pytest.raises(NotFound):
        scene.endpoint(app="0000000000000000")


def test_secrets_are_rotated_with_two_at_a_time_and_are_not_stored_in_plain_text(scene: Scene) -> None:
    made = scene.endpoint()
    endpoints = scene.world.platform.endpoints
    second, third = (endpoints.new_secret(APP, made.id) for _ in range(2))
    assert [each.secrets for each in endpoints.active()] == [(third, second)]
    endpoints.end_old_secret(APP, made.id)
    assert [each.secrets for each in endpoints.active()] == [(third,)]
    assert "whsec_" not in json.dumps(scene.world.items("directory"), default=str)
    assert endpoints.seal_anew() == 1
    assert [each.secrets for each in endpoints.active()] == [(third,)]


def test_an_endpoint_whose_secrets_no_key_opens_holds_up_no_other(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = scene.endpoint(), scene.endpoint(url="https://other.example/events")
    [item] = [each for each in scene.world.items("directory") if each["sk"]["S"].endswith(broken.id)]
    table = scene.world.platform.settings.table("directory")
    scene.world.dynamodb.put_item(TableName=table, Item=item | {"x": {"L": [{"S": "of other keys"}]}})

    scene.install()

    assert scene.run() == 1
    assert [each.id for each in scene.world.platform.endpoints.active()] == [whole.id]
    assert f"endpoint {broken.id} of app {APP}: no key opens its secrets" in caplog.text


def test_a_deleted_app_leaves_no_endpoint(scene: Scene) -> None:
    scene.endpoint()
    post(scene.world, contentUri=URI)
    assert scene.world.platform.user_data.erase_app(APP)[1]
    assert scene.world.platform.endpoints.active() == []
    comment(scene.world)
    assert scene.run() == 0


class Died(BaseException):
    """The end of a process, which no handler of errors sees."""


@pytest.mark.parametrize("is_sent", [False, True], ids=["before a call", "after a call"])
def test_no_event_is_lost_wherever_the_sender_dies(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch, is_sent: bool
) -> None:
    """The first run dies at each of its calls in turn; the runs after it deliver every event, with its own id."""
    write = Dynamo._write
    scene = Scene(make_world(populated))
    scene.endpoint(url=URL)
    scene.endpoint(url=URL + "2")
    users = iter([f"user{turn:08}" for turn in range(200)])
    deaths = 0
    for turn in range(100):
        here = [next(users), next(users)]
        scene.world.populate(*here)
        for user in here:
            scene.install(user)
        scene.receiver.got.clear()
        scene.receiver.answers[URL + "2"] = 500
        calls = 0

        def dying(dynamo: Dynamo, *given: Any, turn: int = turn, **request: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == turn + 1:
                if is_sent:
                    write(dynamo, *given, **request)
                raise Died
            return write(dynamo, *given, **request)

        with monkeypatch.context() as patched:
            patched.setattr(Dynamo, "_write", dying)
            try:
                scene.run()
            except Died:
                deaths += 1
            else:
                break
        scene.receiver.answers.clear()
        scene.run(10)
        scene.run(10)
        for url in (URL, URL + "2"):
            got = [(body["data"]["user"], event) for to, event, body in scene.receiver.got if to == url]
            assert {user for user, _ in got} == set(here), turn
            assert len(set(got)) == 2, turn
        assert {outcome for _, each in scene.outcomes() for outcome in each} == {Outcome.DELIVERED}
        assert scene.due() == []
    assert deaths > 8


def test_an_event_costs_three_write_units(scene: Scene) -> None:
    """Two in the transaction of its change, and one when it is handled: in Tokyo 2.15 dollars a million."""
    scene.endpoint()
    post(scene.world, contentUri="http://quest.example/" + "a" * 200)
    [item] = events(scene.world)
    assert 2 * write_units(item_size(item)) == 2
    scene.world.calls.clear()
    scene.run()
    [item] = events(scene.world)
    assert write_units(item_size(item)) == 1
    writes = [call.operation for call in scene.world.calls if call.operation not in ("query", "batch_get_item")]
    assert writes == ["update_item"]


def test_an_event_that_expired_meanwhile_is_not_stored_again(scene: Scene) -> None:
    scene.endpoint()
    scene.receiver.answers[URL] = 500
    scene.install()
    scene.run()
    [item] = events(scene.world)
    scene.world.dynamodb.delete_item(
        TableName="engawa-local-ephemeral", Key={name: item[name] for name in ("pk", "sk")}
    )
    log = scene.world.platform.event_log
    assert log.get(APP, item["sk"]["S"]) is None
    assert scene.run(1) == 0
    assert (events(scene.world), scene.due()) == ([], [])


def test_events_can_be_listed_for_thirty_days_and_sent_again_by_id_or_by_time(scene: Scene) -> None:
    endpoint = scene.endpoint()
    users = [f"user{turn:08}" for turn in range(230)]
    scene.world.populate(*users)
    began = scene.world.clock.now
    for user in users:
        scene.install(user)
        scene.world.clock.now += 1000
    assert scene.run() == len(users)
    operator = scene.world.token(None, "admin", app="operator")
    path = f"/admin/apps/{APP}/events"
    scene.world.clock.now = began + KEEP_DAYS * 86_400_000 - 1
    assert {int(item["ttl"]["N"]) for item in events(scene.world)} == {
        (began + turn * 1000) // 1000 + KEEP_DAYS * 86_400 for turn in range(len(users))
    }

    listed: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        part = scene.world.send("GET", path, token=operator, **cursor).json
        listed += part["entry"]
        if "nextCursor" not in part:
            break
        cursor = {"cursor": part["nextCursor"]}
    assert [each["data"]["user"] for each in listed] == users
    assert {each["deliveries"][0]["state"] for each in listed} == {"delivered"}

    first = {event: body for _, event, body in scene.receiver.got}
    scene.receiver.got.clear()
    body = {"event": listed[7]["id"], "endpoint": endpoint.id}
    assert scene.world.send("POST", f"{path}/resend", body, token=operator).json["deliveries"] == 1
    assert scene.run() == 1
    assert scene.receiver.got == [(URL, listed[7]["id"], first[listed[7]["id"]])]

    scene.receiver.got.clear()
    body = {"since": began + 5_000, "until": began + 215_000}
    sizes = []
    while True:
        answer = scene.world.send("POST", f"{path}/resend", body, token=operator).json
        sizes.append(answer["events"])
        if "nextCursor" not in answer:
            break
        body["cursor"] = answer["nextCursor"]
    assert sizes == [100, 100, 10]
    assert scene.run() == 210
    assert {event: body for _, event, body in scene.receiver.got} == {
        each["id"]: first[each["id"]] for each in listed[5:215]
    }
    assert len(scene.receiver.got) == 210


@pytest.mark.parametrize("seed", range(5))
def test_the_attempts_of_an_event_are_at_the_times_of_the_schedule(scene: Scene, seed: int) -> None:
    random.seed(seed)
    scene.endpoint()
    scene.receiver.answers[URL] = 503
    scene.install()
    times: list[int] = []
    for minute in range(3 * 24 * 60):
        if scene.run(1 if minute else 0):
            times.append(scene.world.clock.now)
    assert len(times) == ATTEMPTS
    for number, (before, after) in enumerate(pairwise(times), 1):
        most = delay_ms(number, 0)
        assert most
        # A run each minute.
        assert 0.8 * most <= after - before <= most + MINUTE
    assert times[-1] - times[0] <= DEAD_MS
    [(_, [outcome])] = scene.outcomes()
    assert outcome is Outcome.FAILED


def test_an_endpoint_of_another_app_that_hangs_takes_no_time_of_the_others(scene: Scene) -> None:
    """A dead endpoint holds its own workers only: the others have theirs, and all begin at once."""
    scene.endpoint(url=URL)
    scene.endpoint(url=URL + "dead", app=OTHER_APP)
    users = [f"user{turn:08}" for turn in range(40)]
    scene.world.populate(*users)
    for user in users:
        scene.install(user)
        other = scene.world.platform.apps.get(OTHER_APP)
        assert other
        scene.world.platform.user_data.install(other, user)
    done = Event()
    told: list[str] = []

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> int | None:
        if url.endswith("dead"):
            # It does not answer before all others were told.
            assert done.wait(10)
            return None
        told.append(url)
        if len(told) == len(users):
            done.set()
        return 204

    here = scene.world.platform
    EventSending(here.event_log, here.endpoints, post, scene.world.clock).run(40)
    assert done.is_set()
    assert told == [URL] * len(users)
