"""Posts with an `Idempotency-Key`: a repetition gets the first response and changes nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.core.errors import StillRunning, Unavailable
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Lost, Uncertain
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.idempotency_records import RECORD
from local.gateway import Gateway
from tests.kit.page_api import (
    COMMENTS,
    FAVORITES,
    FEEDS,
    OTHER_APP,
    PAGE,
    URI,
    asked,
    nothing_changes,
    objects,
    populated,
    post,
    send,
)
from tests.kit.pictures import jpeg, png
from tests.kit.worlds import HANA, KEN, MEI, Reply, World

pytestmark = pytest.mark.moto

DAY_MS = 24 * 60 * 60 * 1000
REUSED = (422, "idempotency_conflict", "This Idempotency-Key was already used for a different request")
RUNNING = (
    409,
    "idempotency_in_progress",
    "The first request with this Idempotency-Key is still running",
)
TABLE = "engawa-local-ephemeral"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return a world with a page and one feed."""
    made = make_world(populated)
    post(made, contentUri=URI)
    made.calls.clear()
    return made


def say(world: World, text: str = "hello", key: str = "key", user: str = HANA, **more: Any) -> Reply:
    """Post a comment with an idempotency key."""
    more = {"contentUri": URI} | more
    return send(world, "POST", COMMENTS, {"comment": text}, user, headers={"Idempotency-Key": key}, **more)


def post_feed(world: World, key: str = "key", **fields: Any) -> Reply:
    return send(world, "POST", FEEDS, {"title": "t"} | fields, headers={"Idempotency-Key": key})


def post_form(world: World, boundary: str, image: bytes, title: str = "t") -> Reply:
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="request"\r\n\r\n{{"title":"{title}"}}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="image1"; filename="{boundary}"\r\n\r\n'
    ).encode() + image + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Idempotency-Key": "key"}
    return send(world, "POST", FEEDS, body, headers=headers)


def comments(world: World) -> list[str]:
    return [entry["comment"] for entry in asked(world, COMMENTS, contentUri=URI)["entry"]]


def record(world: World) -> dict[str, Any]:
    """Return the only record."""
    [item] = world.items("ephemeral")
    return item


def test_a_comment_is_posted_once_however_often_it_is_sent(world: World):
    first = say(world)
    assert first.status == 201
    again = [say(world) for _ in range(3)]
    # Each request has an id of its own.
    assert len({each.headers.pop("x-request-id") for each in (first, *again)}) == 4
    assert [(each.status, each.text, each.headers) for each in again] == [(201, first.text, first.headers)] * 3
    assert comments(world) == ["hello"]


def test_a_feed_is_posted_once_however_often_it_is_sent(world: World):
    for fields in ({}, {"contentUri": URI + "6"}):
        before = asked(world)["totalResults"]
        replies = [post_feed(world, str(len(fields)), **fields) for _ in range(3)]
        assert {(each.status, each.text) for each in replies} == {(201, replies[0].text)}
        assert asked(world)["totalResults"] == before + 1


def test_without_a_key_each_request_is_its_own(world: World):
    for _ in range(2):
        send(world, "POST", COMMENTS, {"comment": "hello"}, HANA, contentUri=URI)
    assert comments(world) == ["hello", "hello"]
    assert world.items("ephemeral") == []


def test_another_key_is_another_request(world: World):
    assert say(world, key="a").json != say(world, key="b").json
    assert len(comments(world)) == 2


@pytest.mark.parametrize(
    "other",
    [{"user": KEN}, {"app": OTHER_APP}],
    ids=["another user's", "another app's"],
)
def test_a_key_is_a_user_s_in_an_app(world: World, other: dict[str, str]):
    assert say(world).json != say(world, **other).json
    assert len(comments(world)) == 2


def test_a_key_is_for_one_route(world: World):
    assert say(world, user=MEI).status == 201
    assert post_feed(world).status == 201


def test_a_key_says_nothing_to_a_favorite(world: World):
    for _ in range(2):
        reply = send(world, "POST", FAVORITES, user=HANA, headers={"Idempotency-Key": "key"}, contentUri=URI)
        assert reply.status == 201
    assert world.items("ephemeral") == []


def test_the_same_key_with_another_request_is_refused(world: World):
    post(world, contentUri=URI + "6")
    say(world)
    with nothing_changes(world):
        assert say(world, "another").error == REUSED
        assert say(world, contentUri=URI + "6").error == REUSED
    assert say(world).status == 201


@pytest.mark.parametrize(
    "fields",
    [{"title": "u"}, {"body": "b"}, {"contentUri": URI + "6"}, {"sourceId": "3"}, {"urls": {"pcUrl": "http://a.example"}}],
)  # fmt: skip
def test_every_field_of_a_feed_tells_requests_apart(world: World, fields: dict[str, Any]):
    post_feed(world)
    with nothing_changes(world):
        assert post_feed(world, **fields).error == REUSED


def test_the_page_tells_requests_apart(world: World):
    post_feed(world)
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS.replace(PAGE, "1"), {"title": "t"}, headers={"Idempotency-Key": "key"})
    assert reply.error == REUSED


def test_how_a_request_is_written_does_not_tell_it_apart(world: World):
    first = post_feed(world, contentUri=URI + "6", sourceId="3")
    written = f'{{ "sourceId":3, "unknown":1, "body":null,\n"contentUri":"{URI}6","title":"\\u0074", }}'.encode()
    headers = {"Idempotency-Key": "key", "Content-Type": "text/json; charset=utf8"}
    again = send(world, "POST", f"{FEEDS}.json", written, headers=headers)
    assert (again.status, again.text) == (201, first.text)


def test_a_form_is_the_same_with_another_boundary_and_not_with_another_image(world: World):
    first = post_form(world, "one", jpeg())
    assert first.status == 201
    kept = objects(world)
    again = post_form(world, "two", jpeg())
    assert (again.status, again.text) == (201, first.text)
    with nothing_changes(world):
        assert post_form(world, "one", png()).error == REUSED
        assert post_form(world, "one", jpeg(), "u").error == REUSED
    assert objects(world) == kept
    assert asked(world)["totalResults"] == 2


def test_a_refused_request_is_not_remembered(world: World):
    assert say(world, contentUri=URI + "6").error[0] == 404
    assert world.items("ephemeral") == []
    post(world, contentUri=URI + "6")
    assert say(world, contentUri=URI + "6").status == 201
    assert post_feed(world, "a", contentUri=URI).error[0] == 409
    assert post_feed(world, "a", contentUri=URI + "7").status == 201


def test_a_request_that_cannot_be_read_is_refused_whatever_its_key(world: World):
    say(world)
    with nothing_changes(world):
        assert say(world, "").error[:2] == (400, "parameter_invalid")


def test_an_answer_is_kept_for_24_hours(world: World):
    first = say(world)
    world.clock.now += DAY_MS - 1000
    assert say(world).text == first.text
    assert say(world, "another").error == REUSED
    world.clock.now += 1000
    second = say(world, "another")
    assert second.status == 201
    assert comments(world) == ["another", "hello"]
    assert say(world, "another").text == second.text


def test_a_record_goes_by_itself(world: World):
    say(world)
    item = record(world)
    assert item["pk"]["S"].startswith("once#")
    assert item["ttl"] == item["expires"] == {"N": str((world.clock.now + DAY_MS) // 1000)}
    assert "hello" not in json.dumps(item)


@pytest.mark.parametrize("key", ["!", "a" * 255, "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_a_key_is_1_to_255_visible_ascii_characters(world: World, key: str):
    assert say(world, key=key).text == say(world, key=key).text
    assert len(comments(world)) == 1


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "\x7f", "é", "a\tb"])
def test_a_key_is_nothing_else(world: World, key: str):
    with nothing_changes(world):
        said = (400, "parameter_invalid", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        assert say(world, key=key).error == said
        assert post_feed(world, key).error == said


def test_a_request_beside_the_first_is_told_to_wait(world: World):
    replies = []
    comments_store = world.platform.comments
    real = comments_store.post

    def slow(*given: Any) -> Any:
        replies.append(say(world))
        replies.append(say(world, "another"))
        return real(*given)

    with patch.object(comments_store, "post", slow):
        first = say(world)
    beside, other = replies
    assert beside.error == RUNNING
    assert beside.headers["retry-after"] == "1"
    assert other.error == REUSED
    assert first.status == 201
    assert say(world).text == first.text
    assert comments(world) == ["hello"]


class Died(BaseException):
    """The end of a process; no code catches it."""


def die(*_: Any) -> Any:
    raise Died


def test_who_died_is_followed_once_its_time_is_over(world: World):
    world.gateway = Gateway(world.app)
    with patch.object(world.platform.comments, "post", die):
        say_and_die(world)
    deadline = int(record(world)["deadline"]["N"])
    left = deadline - world.clock.now
    # Lambda gives a request 29 seconds; a part of them is already used.
    assert 25_000 < left <= 29_000
    world.clock.now = deadline - 1
    assert say(world).error == RUNNING
    world.clock.now = deadline
    assert say(world).status == 201
    assert say(world).status == 201
    assert comments(world) == ["hello"]


def say_and_die(world: World) -> None:
    """Post a comment, in a process that dies before the end."""
    with pytest.raises(Died):
        say(world)


def test_who_outlives_its_time_does_nothing_that_who_followed_has_done(world: World):
    world.gateway = Gateway(world.app)
    store = world.platform.comments
    real = store.post

    def late(*given: Any) -> Any:
        with patch.object(store, "post", real):
            world.clock.now += 30_000
            followers.append(say(world))
        return real(*given)

    def late_and_refused(*given: Any) -> Any:
        with suppress(StillRunning):
            late(*given)
        raise StillRunning

    for number, slow in enumerate((late, late_and_refused), 1):
        followers: list[Reply] = []
        with patch.object(store, "post", slow):
            late_one = send(
                world, "POST", COMMENTS, {"comment": "hello"}, HANA, headers={"Idempotency-Key": "key"}, contentUri=URI
            )
        [follower] = followers
        assert follower.status == 201
        assert late_one.error == RUNNING
        assert say(world).text == follower.text
        assert len(comments(world)) == number
        world.clock.now += DAY_MS


def failing(operation: str, failure: Exception, times: int = 1_000) -> Any:
    """Return a patch under which the first `times` calls of `operation` on the records table fail."""
    real = getattr(Dynamo, operation)
    left = [times]

    def fail(dynamo: Dynamo, table: str, *given: Any, **more: Any) -> Any:
        if table == TABLE and left[0]:
            left[0] -= 1
            raise failure
        return real(dynamo, table, *given, **more)

    return patch.object(Dynamo, operation, fail)


def test_a_key_that_cannot_be_written_down_stops_the_request(world: World):
    with nothing_changes(world), failing("put", Unavailable()):
        reply = say(world)
    assert reply.error[:2] == (503, "service_unavailable")
    assert reply.headers["retry-after"] == "1"
    assert say(world).status == 201


@pytest.mark.parametrize("image", [None, jpeg()], ids=["without an image", "with an image"])
def test_who_dies_after_all_is_done_has_kept_the_answer(world: World, image: bytes | None):
    real = Dynamo.transact

    def done_and_dead(dynamo: Dynamo, transaction: Transaction, token: str) -> None:
        real(dynamo, transaction, token)
        if RECORD in transaction.parts:
            raise Died

    def post_it() -> Reply:
        return post_form(world, "one", image) if image else say(world)

    with patch.object(Dynamo, "transact", done_and_dead), pytest.raises(Died):
        post_it()
    assert post_it().status == 201
    assert post_it().text == post_it().text
    assert (len(comments(world)), len(asked(world)["entry"])) == ((0, 2) if image else (1, 1))


def test_a_request_that_is_told_busy_and_was_carried_out_is_not_carried_out_again(world: World):
    real = Dynamo.transact

    def unanswered(dynamo: Dynamo, transaction: Transaction, token: str) -> None:
        with suppress(Lost):
            real(dynamo, transaction, token)
        raise Uncertain("no answer")

    with patch.object(Dynamo, "transact", unanswered), patch.object(Dynamo, "rest", lambda *_: None):
        busy = say(world)
    assert busy.error[:2] == (503, "service_unavailable")
    assert say(world).status == 201
    assert comments(world) == ["hello"]


def test_a_refusal_is_told_also_where_its_record_stays(world: World):
    with failing("delete", Unavailable()):
        reply = say(world, contentUri=URI + "6")
    assert reply.error[0] == 404
    assert "answer" not in record(world)


def test_a_write_without_an_answer_is_found_to_be_ours(world: World):
    real = Dynamo.put

    def unanswered(dynamo: Dynamo, table: str, *given: Any) -> Any:
        real(dynamo, table, *given)
        if table == TABLE and not seen:
            seen.append(table)
            raise Uncertain("no answer")

    seen: list[str] = []
    with patch.object(Dynamo, "put", unanswered):
        assert say(world).status == 201
    assert seen == [TABLE]
    assert comments(world) == ["hello"]


def test_writes_without_an_answer_are_tried_again(world: World):
    with failing("put", Uncertain("no answer"), 2):
        first = say(world)
    assert first.status == 201
    assert say(world).text == first.text


def test_a_key_costs_one_call_and_so_does_a_repetition(world: World):
    send(world, "POST", COMMENTS, {"comment": "hello"}, HANA, contentUri=URI)
    plain = len(world.calls)
    world.calls.clear()
    say(world)
    assert len(world.calls) == plain + 1
    world.calls.clear()
    say(world)
    assert [(call.operation, call.request["TableName"]) for call in world.calls] == [("put_item", TABLE)]


def test_nothing_that_was_sent_is_logged(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    say(world, key="first")
    # By default, the library does not propagate its log.
    monkeypatch.setattr(logging.getLogger("aws_lambda_powertools"), "propagate", True)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="aws_lambda_powertools"):
        for text in ("secret words", "secret words", "other words"):
            say(world, text, key="secret-key")
        post_feed(world, "secret-key", title="secret words", contentUri="http://secret.example/")
    ours = [
        each.getMessage() for each in caplog.records if each.name.startswith(("aws_lambda_powertools", "chalicelib"))
    ]
    assert ours
    assert not [said for said in ours if "secret" in said or "words" in said]


@pytest.mark.parametrize("name", ["POWERTOOLS_DEV", "AWS_LAMBDA_FUNCTION_NAME"])
def test_records_do_not_depend_on_the_environment(world: World, monkeypatch: pytest.MonkeyPatch, name: str):
    first = say(world)
    monkeypatch.setenv(name, "true")
    assert say(world).text == first.text


def test_only_a_request_with_a_key_waits_for_the_import():
    """A cold start does not import the idempotency library."""
    told = subprocess.run(
        [sys.executable, "-c", "import app, sys; print(*(m for m in sys.modules if m.startswith('aws_lambda')))"],
        cwd=Path(__file__).resolve().parents[2],
        env={"ENGAWA_STAGE": "local", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == ""
