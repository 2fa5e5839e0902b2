"""The cleanup after deletions: by the queue, or by the scheduled sweep if a message was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.api import scheduled
from chalicelib.core.errors import Conflict
from chalicelib.core.model.directory import Page
from chalicelib.store.contents import cleanup
from chalicelib.store.contents.cleanup import ROUNDS
from chalicelib.store.contents.cleanup_notes import AGAIN_MS, SOON_MS
from chalicelib.web.telemetry import RunFailed
from tests.kit.page_api import FEEDS, PAGE, URI, ask, comment, favorite, populated, post, send
from tests.kit.worlds import HANA, KEN, MEI, Reply, World, sweep, without_queue

pytestmark = pytest.mark.moto

Operator = Callable[..., Reply]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(populated)


def contents(world: World) -> list[dict[str, Any]]:
    """Return all items that belong to feeds, and the cleanup notes."""
    items = [*world.items("comments"), *world.items("favorites")]
    return items + [item for item in world.items("feeds") if item["pk"]["S"] == "trash"]


def queued(world: World) -> int:
    """Return the number of messages that are not received yet."""
    url = world.sqs.get_queue_url(QueueName="engawa-local-cleaning")["QueueUrl"]
    found = world.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def filled(world: World) -> None:
    """Create a feed with two comments and two favorites."""
    post(world, contentUri=URI)
    for user in (HANA, KEN):
        comment(world, user=user)
        favorite(world, user=user)


def delete_feed(world: World) -> None:
    assert send(world, "DELETE", FEEDS, user=MEI, contentUri=URI).status == 204
    assert ask(world, FEEDS, contentUri=URI).status == 404


def test_what_hung_on_a_deleted_feed_goes_with_its_message(world: World) -> None:
    filled(world)
    delete_feed(world)
    assert (queued(world), len(contents(world)) > 4) == (1, True)

    assert world.clean() == 1

    assert (contents(world), queued(world)) == ([], 0)


def test_what_is_not_done_in_its_time_goes_on_with_another_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "CLEAN_SECONDS", 0)
    post(world, contentUri=URI)
    for number in range(201):
        world.platform.comments.post(PAGE, URI, HANA, f"comment {number}")
    delete_feed(world)

    messages = world.clean()

    assert (contents(world), queued(world)) == ([], 0)
    assert messages == 3


def test_a_chain_ends_before_lambda_stops_it_and_the_next_sweep_begins_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "CLEAN_SECONDS", 0)
    monkeypatch.setattr(cleanup, "_AT_ONCE", 1)
    post(world, contentUri=URI)
    for number in range(20):
        world.platform.comments.post(PAGE, URI, HANA, f"comment {number}")
    delete_feed(world)

    assert (world.clean(), queued(world)) == (ROUNDS, 0)
    assert contents(world)
    sweep(world)

    assert 0 < world.clean() < ROUNDS
    assert (contents(world), queued(world)) == ([], 0)


@pytest.mark.parametrize("number", ["", " ", " x", " 0", " -1", " 2 3"])
def test_a_message_without_a_proper_round_is_worked_off_and_its_chain_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setattr(scheduled, "CLEAN_SECONDS", 0)
    monkeypatch.setattr(cleanup, "_AT_ONCE", 1)
    post(world, contentUri=URI)
    for each in range(20):
        world.platform.comments.post(PAGE, URI, HANA, f"comment {each}")
    with without_queue(world):
        delete_feed(world)
    [note] = [item["sk"]["S"] for item in contents(world) if item["pk"]["S"] == "trash"]
    world.platform.queue.tell(note + number)

    assert (world.clean(), queued(world)) == (ROUNDS + (number == " 0"), 0)


def test_two_chains_for_one_note_do_no_harm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "CLEAN_SECONDS", 0)
    monkeypatch.setattr(cleanup, "_AT_ONCE", 1)
    filled(world)
    delete_feed(world)
    world.clock.now += SOON_MS
    sweep(world)
    assert queued(world) == 2

    world.clean()

    assert (contents(world), queued(world)) == ([], 0)


def test_a_lost_message_is_sent_by_the_sweep_once_it_is_due(world: World) -> None:
    filled(world)
    with without_queue(world):
        delete_feed(world)
    assert queued(world) == 0
    world.clock.now += SOON_MS - 1
    sweep(world)
    assert queued(world) == 0

    world.clock.now += 1
    sweep(world)

    assert (queued(world), world.clean(), contents(world)) == (1, 1, [])


def test_the_sweep_tells_a_second_time_only_after_long(world: World) -> None:
    filled(world)
    delete_feed(world)
    world.clock.now += SOON_MS
    sweep(world)
    told = queued(world)
    world.clock.now += AGAIN_MS - 1
    sweep(world)
    assert (told, queued(world)) == (2, 2)

    world.clock.now += 1
    sweep(world)

    assert queued(world) == 3
    assert (world.clean(), contents(world)) == (3, [])


def test_the_sweep_that_cannot_reach_the_queue_tells_the_next_time(world: World) -> None:
    filled(world)
    delete_feed(world)
    world.clock.now += SOON_MS
    with without_queue(world):
        sweep(world)
    assert queued(world) == 1

    sweep(world)

    assert queued(world) == 2


def test_a_message_about_what_is_cleared_already_is_over(world: World) -> None:
    for note in ("never-was", "page#1", "user#nobody"):
        assert world.platform.queue.tell(note)

    assert world.clean() == 3
    assert queued(world) == 0


def test_a_message_that_fails_stays_in_the_queue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.worker.HIDDEN_SECONDS", 0)
    world.platform.queue.tell("broken")
    broken = {"pk": {"S": "trash"}, "sk": {"S": "broken"}, "p": {"S": "content"}}
    world.dynamodb.put_item(TableName="engawa-local-feeds", Item=broken)

    with pytest.raises(RunFailed, match=r"^clean failed: KeyError$"):
        world.clean()

    assert queued(world) == 1


def test_a_deleted_page_is_gone_at_once_and_its_feeds_soon(world: World, operator: Operator) -> None:
    filled(world)
    other = post(world, contentUri="http://quest.example/2")
    assert other
    world.platform.pages.members.add_follower(PAGE, HANA)

    assert operator("DELETE", f"/pages/{PAGE}").json == {"id": PAGE, "changed": True}

    for path in (f"/2/pages/{PAGE}", FEEDS):
        assert ask(world, path).status == 404
    assert ask(world, FEEDS, contentUri=URI).status == 404
    assert send(world, "POST", FEEDS, {"title": "late"}).status == 404
    with pytest.raises(Conflict):
        world.platform.pages.create(Page(PAGE, "Another"))
    assert world.clean() == 3
    assert world.items("feeds") == contents(world) == []
    assert not [item for item in world.items("directory") if item["pk"]["S"] == f"page#{PAGE}"]

    world.platform.pages.create(Page(PAGE, "Another"))
    assert ask(world, FEEDS).json["totalResults"] == 0


def test_deleting_a_page_again_goes_on(world: World, operator: Operator) -> None:
    filled(world)
    with without_queue(world):
        assert operator("DELETE", f"/pages/{PAGE}").json["changed"] is True
    assert operator("DELETE", f"/pages/{PAGE}").json["changed"] is True

    world.clean()

    assert operator("DELETE", f"/pages/{PAGE}").json["changed"] is False
    assert world.items("feeds") == []


def test_many_feeds_of_a_page_go_over_many_messages(
    world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "CLEAN_SECONDS", 0)
    for number in range(5):
        post(world, contentUri=f"http://quest.example/{number}")
    operator("DELETE", f"/pages/{PAGE}")

    world.clean()

    assert world.items("feeds") == contents(world) == []
    assert not [item for item in world.items("directory") if item["pk"]["S"] == f"page#{PAGE}"]


def test_a_page_without_feeds_is_gone_without_a_message(world: World, operator: Operator) -> None:
    assert operator("DELETE", f"/pages/{PAGE}").json["changed"] is True

    assert queued(world) == 0
    assert not [item for item in world.items("directory") if item["pk"]["S"] == f"page#{PAGE}"]
