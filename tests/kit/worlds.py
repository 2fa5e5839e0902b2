"""Worlds over moto (local/in_process.py) and their common data, and helpers for tests of whole requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.exceptions import EndpointConnectionError
from chalice.local import LambdaContext

from chalicelib.api.scheduled import SWEEP
from chalicelib.bootstrap import Platform
from chalicelib.core import passwords
from local.demo_data import APPS, CAFE, FOLLOWERS, FRIENDSHIPS, INSTALLS, PEOPLE, USERS
from local.in_process import APP, BUCKET, HANA, KEN, ME, MEI, TARO, YUKI, Clock, Reply, World, empty_aws, reply
from tests.kit.memory import Cloud
from tests.kit.moto_state import MotoState

__all__ = [
    "APP",
    "BUCKET",
    "HANA",
    "KEN",
    "ME",
    "MEI",
    "SCHEDULED",
    "TARO",
    "YUKI",
    "Clock",
    "Fill",
    "MemoryWorld",
    "Reply",
    "World",
    "as_made",
    "befriended",
    "cheap_passwords",
    "demo_people",
    "empty_aws",
    "fill_aws",
    "fill_memory",
    "no_platform",
    "reply",
    "sweep",
    "without_queue",
]


SCHEDULED = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-11-01T00:00:00Z",
    "region": "ap-northeast-1",
    "resources": ["arn:aws:events:ap-northeast-1:000000000000:rule/sweep"],
    "detail": {},
}
"""The event that EventBridge sends to a function."""


def no_platform() -> Platform:
    """Raise AssertionError: a test that only reads the routes of an app must not open a platform."""
    raise AssertionError("making the app opened something")


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Make password hashes that take no time; tests/unit/test_passwords.py tests the cost of real ones."""
    of_no_user = passwords._NOBODY.replace(f"${passwords.N}$", "$16$")
    with patch.multiple(passwords, N=16, _NOBODY=of_no_user):
        yield


class MemoryWorld(World):
    """A deployment over dictionaries (tests/kit/memory.py). A call takes microseconds; over moto, milliseconds."""

    def __init__(self, directory: Path, cloud: Cloud, **environment: str) -> None:
        self.dynamodb, self.s3, self.sqs = cloud.memory, cloud.bucket, cloud.queue
        super().__init__(directory, True, **environment)

    def items(self, table: str = "appdata") -> list[dict[str, Any]]:
        """Return all items of a table."""
        return list(self.dynamodb.table(f"engawa-local-{table}"))


Fill = Callable[[World], World]
"""A function that puts users, apps and pages into a world and returns it."""

_filled: dict[Fill, MotoState] = {}
_filled_in_memory: dict[Fill, tuple[Any, bytes]] = {}
"""The contents, and the keys of the secrets in them."""


def fill_memory(fill: Fill, cloud: Cloud, directory: Path) -> None:
    """Do for an empty memory what `fill_aws` does for moto."""
    keys = directory / "secret-keys.json"
    if fill in _filled_in_memory:
        saved, of_secrets = _filled_in_memory[fill]
        cloud.restore(saved)
        keys.write_bytes(of_secrets)
    else:
        fill(MemoryWorld(directory, cloud))
        _filled_in_memory[fill] = cloud.save(), keys.read_bytes()


def fill_aws(fill: Fill, directory: Path) -> None:
    """Fill an empty AWS as `fill` fills a world. `fill` runs once per process."""
    if fill in _filled:
        _filled[fill].restore()
    else:
        fill(World(directory))
        _filled[fill] = MotoState()


def as_made(world: World) -> World:
    """Return the world unchanged: empty tables, bucket and queues."""
    return world


def befriended(world: World) -> World:
    """Create Hana with three friends, Ken and Mei with the app and Taro without it. Hana and Yuki have the app too."""
    world.populate(HANA, KEN, MEI, TARO, YUKI)
    for one, other in ((HANA, KEN), (HANA, MEI), (HANA, TARO)):
        world.platform.friends_and_installs.befriend(one, other)
    for user in (HANA, KEN, MEI, YUKI):
        world.platform.appdata.install(APP, user)
    world.calls.clear()
    return world


def demo_people(made: World) -> World:
    """Put the people of local/demo_data.py into a world, with their friends and installs and a page."""
    for user in PEOPLE.values():
        made.platform.users.create(user)
    for one, other in FRIENDSHIPS:
        made.platform.friends_and_installs.befriend(USERS[one], USERS[other])
    for name in INSTALLS["quest"]:
        made.platform.appdata.install(APPS["quest"], USERS[name])
    made.platform.pages.create(CAFE)
    for name in FOLLOWERS:
        made.platform.pages.members.add_follower(CAFE.id, USERS[name])
    made.calls.clear()
    return made


def sweep(world: World) -> None:
    """Run the sweep, as the schedule does every few minutes."""
    world.app.handler_map[SWEEP](SCHEDULED, LambdaContext("sweep", 512, 60_000))


@contextmanager
def without_queue(world: World) -> Iterator[None]:
    """Let every message to the queue fail inside the block."""

    def lose(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs.example")

    world.sqs.meta.events.register("before-send.sqs.SendMessage", lose)
    try:
        yield
    finally:
        world.sqs.meta.events.unregister("before-send.sqs.SendMessage", lose)
