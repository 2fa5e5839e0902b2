"""The watch over AWS calls: it sees the caller, the function, the action and the resource of each call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from chalice.local import LambdaContext

from chalicelib.api.scheduled import CANARY, SEND, SWEEP
from chalicelib.core.events import EventKind
from chalicelib.core.model.directory import App, User
from chalicelib.core.moderation import Post
from chalicelib.store.aws import side_by_side
from chalicelib.store.aws.iam_needs import API, CLEAN
from chalicelib.store.contents.cleanup_notes import SOON_MS
from chalicelib.web.telemetry import RunFailed
from local import keys
from local.environment import free_port
from tests.kit.aws_calls import Ask, Seen, asks, watched
from tests.kit.page_api import FEEDS, PAGE, URI, comment, favorite, objects, populated, post, send
from tests.kit.watch import Watch, declarations, told
from tests.kit.worlds import APP, BUCKET, HANA, KEN, ME, MEI, SCHEDULED, Reply, World, sweep, without_queue

pytestmark = pytest.mark.moto

Worlds = Callable[..., World]
KEYS = ("token-keys", "secret-keys", "launch-keys")
OTHER_URI, GONE = "http://www.application.com/other", "http://www.application.com/gone"


def asked(do: Callable[[], Any]) -> set[Seen]:
    seen: set[Seen] = set()
    with watched(seen.add):
        do()
    return seen


def dynamodb(function: str | None, sender: str, resource: str, *actions: str) -> set[Seen]:
    return {Seen(function, sender, Ask("dynamodb", f"table/{resource}", action)) for action in actions}


# The permissions that IAM requires


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "engawa-prod-feeds"}, [("table/feeds", "GetItem")]),
        ("dynamodb", "Query", {"TableName": "engawa-dev-feeds"}, [("table/feeds", "Query")]),
        (
            "dynamodb",
            "Query",
            {"TableName": "engawa-dev-feeds", "IndexName": "listing"},
            [("table/feeds/index/listing", "Query")],
        ),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"engawa-dev-feeds": {}, "engawa-dev-comments": {}}},
            [("table/feeds", "BatchGetItem"), ("table/comments", "BatchGetItem")],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "engawa-dev-feeds"}},
                    {"Update": {"TableName": "engawa-dev-feeds"}},
                    {"Delete": {"TableName": "engawa-dev-comments"}},
                    {"ConditionCheck": {"TableName": "engawa-dev-directory"}},
                ]
            },
            [
                ("table/feeds", "PutItem"),
                ("table/feeds", "UpdateItem"),
                ("table/comments", "DeleteItem"),
                ("table/directory", "ConditionCheckItem"),
            ],
        ),
        ("s3", "PutObject", {"Key": "images/a/b.png"}, [("images/", "PutObject")]),
        ("s3", "ListObjectsV2", {"Prefix": "images/a/"}, [("images/", "ListBucket")]),
        (
            "s3",
            "DeleteObjects",
            {"Delete": {"Objects": [{"Key": "images/a/b.png"}, {"Key": "answers/c"}]}},
            [("images/", "DeleteObject"), ("answers/", "DeleteObject")],
        ),
        ("sqs", "GetQueueUrl", {"QueueName": "engawa-dev-cleaning"}, [("cleaning", "GetQueueUrl")]),
        ("sqs", "SendMessage", {"QueueUrl": "https://sqs/1/engawa-dev-cleaning"}, [("cleaning", "SendMessage")]),
        ("secretsmanager", "GetSecretValue", {"SecretId": "engawa-dev-keys"}, [("keys", "GetSecretValue")]),
    ],
)
def test_a_call_asks_for_actions_on_resources(
    service: str, operation: str, request_: dict[str, Any], expected: Sequence[tuple[str, str]]
) -> None:
    assert list(asks(service, operation, request_)) == [Ask(service, *each) for each in expected]


@pytest.mark.parametrize(("service", "operation"), [("sns", "Publish"), ("s3", "ListBuckets"), ("dynamodb", "Nothing")])
def test_a_call_that_nobody_has_thought_of_cannot_pass(service: str, operation: str) -> None:
    with pytest.raises(KeyError):
        list(asks(service, operation, {}))


# The callers


def test_a_request_asks_for_the_api_and_a_test_for_itself(world: World) -> None:
    by_request = asked(lambda: world.send("POST", ME, {"k": "v"}))
    by_test = asked(lambda: world.platform.users.get(HANA))

    assert by_request == dynamodb(API, "store/appdata/ledger_changes.py", "appdata", "GetItem", "PutItem")
    assert by_test == dynamodb(None, "store/directory/users.py", "directory", "GetItem")
    assert asked(lambda: world.items("appdata")) == set()


def test_a_transaction_is_its_sender_s_with_all_its_elements(world: World) -> None:
    assert asked(lambda: world.platform.appdata.install(APP, "t6w4j1nnr8sd")) == {
        *dynamodb(None, "store/appdata/ledger_changes.py", "appdata", "PutItem"),
        *dynamodb(None, "store/appdata/ledger_changes.py", "directory", "PutItem", "UpdateItem", "ConditionCheckItem"),
    }


def test_calls_made_side_by_side_are_of_those_who_have_them_made(world: World) -> None:
    users = world.platform.users
    jobs: list[Callable[[], Any]] = [partial(users.get, HANA), partial(users.get_many, [KEN])]

    seen = asked(lambda: side_by_side.side_by_side(jobs))
    friends = asked(lambda: world.send("GET", "/2/apps/appdata/@me/@friends"))

    assert seen == dynamodb(None, "store/directory/users.py", "directory", "GetItem", "BatchGetItem")
    assert {each.function for each in friends} == {API}
    assert {each.sender for each in friends} == {"store/directory/friends_and_installs.py", "store/appdata/appdata.py"}


def test_a_presigned_url_is_for_what_its_reader_does(world: World) -> None:
    assert asked(lambda: world.platform.oversized_answers.keep(b"{}", "application/json")) == {
        Seen(None, "store/oversized_answers.py", Ask("s3", "answers/", action)) for action in ("PutObject", "GetObject")
    }


def test_what_a_user_leaves_in_the_bucket_is_looked_for_in_one_folder(world: World) -> None:
    world.platform.oversized_answers.keep(b"{}", "application/json", HANA)
    assert asked(lambda: world.platform.oversized_answers.clear(HANA)) == {
        Seen(None, "store/oversized_answers.py", Ask("s3", "answers/", action))
        for action in ("ListBucket", "DeleteObject")
    }


def test_the_queue_s_function_asks_for_itself(make_world: Worlds) -> None:
    world = make_world(populated)
    post(world, contentUri=URI)
    by_api = asked(lambda: send(world, "DELETE", FEEDS, user=MEI, contentUri=URI))
    by_clean = asked(world.clean)

    assert {each.function for each in by_api} == {API}
    assert {each.function for each in by_clean} == {CLEAN}
    assert dynamodb(CLEAN, "store/contents/cleanup.py", "comments", "Query") <= by_clean


# The first calls of a function in a new process


def test_the_sweep_finds_the_queue_by_its_name(make_world: Worlds) -> None:
    world = make_world(populated)
    post(world, contentUri=URI)
    with without_queue(world):
        send(world, "DELETE", FEEDS, user=MEI, contentUri=URI)
    fresh = make_world()
    fresh.clock.now = world.clock.now + SOON_MS

    seen = asked(lambda: sweep(fresh))

    told_queue = {
        Seen(SWEEP, "store/contents/cleanup_queue.py", Ask("sqs", "cleaning", each))
        for each in ("GetQueueUrl", "SendMessage")
    }
    assert told_queue <= seen
    assert {each.function for each in seen} == {SWEEP}
    assert fresh.clean() == 1


@pytest.fixture
def world_of_secrets(make_world: Worlds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world that has read none of its keys; they are in Secrets Manager."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    make_world()
    keys.ensure_launch(tmp_path / "launch-keys.json")
    settings: dict[str, str] = {}
    for name in KEYS:
        boto3.client("secretsmanager").create_secret(
            Name=f"engawa-local-{name}", SecretString=(tmp_path / f"{name}.json").read_text()
        )
        variable = f"ENGAWA_{name.upper().replace('-', '_')}"
        settings |= {f"{variable}_FILE": "", f"{variable}_SECRET": f"engawa-local-{name}"}
    # Nothing listens here.
    return make_world(**settings, ENGAWA_ISSUER=f"http://127.0.0.1:{free_port()}")


def secrets_asked(action: Callable[[], object]) -> set[Seen]:
    return {each for each in asked(action) if each.ask.service == "secretsmanager"}


def test_the_api_reads_the_secrets_that_hold_its_keys(make_world: Worlds, world_of_secrets: World) -> None:
    issuer = world_of_secrets.platform.settings.issuer
    operator = make_world(ENGAWA_ISSUER=issuer).token(None, "admin", app="operator")

    def requests() -> None:
        made = world_of_secrets.send("POST", "/admin/apps", {"name": "Quest"}, user=None, token=operator)
        assert made.status == 201, made.text
        assert world_of_secrets.send("GET", "/launch/none.pem", user=None).status == 404

    assert secrets_asked(requests) == {
        Seen(API, "bootstrap.py", Ask("secretsmanager", name, "GetSecretValue")) for name in KEYS
    }


def test_the_canary_reads_the_secret_of_the_token_keys(world_of_secrets: World) -> None:
    def run() -> None:
        with pytest.raises(RunFailed, match="CanaryFailed"):
            world_of_secrets.app.handler_map[CANARY](SCHEDULED, LambdaContext("canary", 512, 40_000))

    assert secrets_asked(run) == {Seen(CANARY, "bootstrap.py", Ask("secretsmanager", "token-keys", "GetSecretValue"))}


def test_the_sending_of_events_reads_the_secret_of_the_secret_keys(make_world: Worlds, world_of_secrets: World) -> None:
    here = make_world().platform
    here.apps.create(App(APP, "Quest"))
    here.endpoints.create(APP, "https://quest.example/events", [EventKind.INSTALLED])

    def run() -> None:
        assert world_of_secrets.app.handler_map[SEND](SCHEDULED, LambdaContext("send", 512, 60_000)) == 0

    assert secrets_asked(run) == {Seen(SEND, "bootstrap.py", Ask("secretsmanager", "secret-keys", "GetSecretValue"))}


# The calls that both the API and the queue's function make


@pytest.mark.parametrize("by", [API, CLEAN])
def test_what_a_user_has_posted_is_erased_by_a_request_or_what_was_late_by_the_queue_s_function(
    make_world: Worlds, one_thread: None, by: str
) -> None:
    """The contents count favorites in one shard or in four; one is deleted, but not cleaned up yet."""
    four = populated(make_world(ENGAWA_FAVORITE_SHARDS="4"))
    one = make_world()
    post(four, contentUri=URI)
    post(one, contentUri=OTHER_URI)
    post(one, contentUri=GONE)
    post(four, user=KEN, contentUri="http://www.application.com/of-ken")
    for uri in (URI, OTHER_URI, GONE):
        comment(one, user=KEN, uri=uri)
        favorite(one, user=KEN, uri=uri)
    with without_queue(four):
        send(four, "DELETE", FEEDS, user=MEI, contentUri=GONE)
    of_ken = four.platform.feeds.get(PAGE, "http://www.application.com/of-ken")[0].id
    other = four.platform.feeds.get(PAGE, OTHER_URI)[0].id
    for each in (Post(PAGE, of_ken), Post(PAGE, other, comment(one, user=KEN, uri=OTHER_URI))):
        assert four.platform.moderated_posts.hide(each, {"by": "a moderator"})
    four.clock.now += 1
    fresh = make_world(ENGAWA_FAVORITE_SHARDS="4")
    fresh.clock.now = four.clock.now
    if by == API:
        operator = four.token(None, "admin", app="operator")
        seen = asked(lambda: fresh.send("DELETE", f"/admin/users/{KEN}", user=None, token=operator))
    else:
        assert four.platform.users.delete(KEN)
        note = {"pk": {"S": "trash"}, "sk": {"S": f"user#{KEN}"}, "due": {"N": "0"}}
        four.dynamodb.put_item(TableName="engawa-local-feeds", Item=note)
        four.platform.queue.tell(note["sk"]["S"])
        seen = asked(fresh.clean)

    assert {each.function for each in seen} == {by}
    for table in ("comments", "favorites"):
        assert dynamodb(by, "store/contents/favorites.py", table, "UpdateItem") <= seen  # For counted favorites.
    assert dynamodb(by, "store/contents/favorites.py", "favorites", "BatchWriteItem") <= seen  # For a deleted feed.
    assert dynamodb(by, "store/contents/posts_of_user.py", "comments", "BatchWriteItem") <= seen
    assert dynamodb(by, "store/contents/feeds.py", "favorites", "DeleteItem") <= seen
    for sender in ("feeds", "comments"):
        assert dynamodb(by, f"store/contents/{sender}.py", "records", "DeleteItem") <= seen  # For hidden posts.
    assert [item for item in fresh.items("records") if item["pk"]["S"] == "hidden"] == []
    fresh.clean()
    left = [item for table in ("comments", "favorites", "feeds") for item in fresh.items(table) if KEN in str(item)]
    assert [item for item in left if item["sk"]["S"] != f"user#{KEN}"] == []


def test_an_upload_that_came_to_nothing_is_cleared_by_the_queue_s_function(make_world: Worlds) -> None:
    world = make_world()
    note = {"pk": {"S": "trash"}, "sk": {"S": "0000000000000"}, "due": {"N": "0"}}
    world.dynamodb.put_item(TableName="engawa-local-feeds", Item=note)
    world.s3.put_object(Bucket=BUCKET, Key="images/0000000000000/left.png", Body=b"")
    world.platform.queue.tell(note["sk"]["S"])

    seen = asked(world.clean)

    assert dynamodb(CLEAN, "store/contents/cleanup_notes.py", "feeds", "UpdateItem") <= seen
    assert {
        Seen(CLEAN, "store/contents/images.py", Ask("s3", "images/", each)) for each in ("ListBucket", "DeleteObject")
    } <= seen
    assert (objects(world), world.items("feeds")) == ([], [])


def test_a_kept_answer_is_read_where_the_refused_write_does_not_bring_it(make_world: Worlds) -> None:
    world = make_world(populated)

    def say() -> Reply:
        return send(world, "POST", FEEDS, {"title": "title"}, headers={"Idempotency-Key": "key"})

    first, again = say(), []
    world.dynamodb.meta.events.register("after-call.dynamodb.PutItem", lambda parsed, **_: parsed.pop("Item", None))
    seen = asked(lambda: again.append(say()))

    assert again[0].json == first.json
    assert dynamodb(API, "store/idempotency_records.py", "ephemeral", "GetItem") <= seen


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run everything in one thread, since moto's transactions are not thread-safe."""
    before = side_by_side.lane.set(((0, 0),))
    yield
    side_by_side.lane.reset(before)


# Declared calls


def test_a_test_that_sees_an_undeclared_call_is_told(world: World) -> None:
    watch = Watch()
    [missing] = dynamodb(API, "store/appdata/ledger_changes.py", "appdata", "PutItem")
    watch.declared.remove(missing)

    with watch.watching():
        world.send("GET", ME)
        assert watch.undeclared == set()
        world.send("POST", ME, {"k": "v"})

    assert watch.undeclared == {missing}
    with pytest.raises(pytest.fail.Exception, match=told(missing)):
        finished(watch.pytest_runtest_teardown())
    finished(watch.pytest_runtest_teardown())  # The next test starts clean.


def test_what_a_test_asks_of_a_store_is_declared_for_any_function(world: World) -> None:
    watch = Watch()

    with watch.watching():
        world.platform.users.create(User("n3w1u5er00000", "new"))
        world.platform.appdata.sweep(1)

    assert watch.undeclared == set()
    assert {each.function for each in watch.seen} == {None}
    assert watch.declared.isdisjoint(watch.seen)


def test_one_function_s_declaration_is_no_other_s() -> None:
    declared = declarations()

    assert dynamodb(SWEEP, "store/appdata/abandoned_values.py", "appdata", "BatchWriteItem") <= declared
    assert not dynamodb(API, "store/appdata/abandoned_values.py", "appdata", "BatchWriteItem") & declared


def finished(hook: Any) -> None:
    """Run a hook wrapper around a hook that returns nothing."""
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(None)
