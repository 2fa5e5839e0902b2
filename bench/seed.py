"""Fills a world with data before a measurement, through the stores instead of the faces."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib.bootstrap import Platform, wire
from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.conditions import Conditions
from chalicelib.core.limits import Limits
from chalicelib.store.aws import formats
from chalicelib.store.aws.client import BATCH_WRITE, Dynamo
from chalicelib.store.aws.items import Item
from local.in_process import APP, REGION, World

_UNIT_MS = 512
"""A gap in a packed window takes one bit for each of these (chalicelib/store/appdata/packing.py)."""


def put_items(client: Any, table: str, items: Iterable[Item]) -> None:
    """Put items into a table, and overwrite existing items; directly into moto, since a request takes milliseconds."""
    items = map(formats.numbered, items)
    if os.environ.get("AWS_ENDPOINT_URL"):
        puts: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        for start in range(0, len(puts), BATCH_WRITE):
            client.batch_write_item(RequestItems={table: puts[start : start + BATCH_WRITE]})
        return
    stored: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(table)
    for item in items:
        stored.put_item(item)


class _Unguarded:
    """A DynamoDB client whose transactions put and delete without a condition, since nobody else writes.

    It leaves out counts and checks, which nobody reads here.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, TransactItems: Sequence[Mapping[str, Any]], ClientRequestToken: str) -> None:
        """Write the items of a transaction."""
        puts: dict[str, list[Item]] = defaultdict(list)
        for action in TransactItems:
            ((kind, one),) = action.items()
            if kind == "Put":
                puts[one["TableName"]].append(one["Item"])
            elif kind == "Delete":
                self._client.delete_item(TableName=one["TableName"], Key=one["Key"])
        for table, items in puts.items():
            put_items(self._client, table, items)


class Seeder:
    """A fast writer of installs, friendships and data; it advances the world's clock so that no write is refused."""

    def __init__(self, world: World) -> None:
        self._clock = world.clock
        dynamo: Any = _Unguarded(world.dynamodb)
        self._platform: Platform = wire(
            world.platform.settings, Dynamo(dynamo), lambda: world.s3, world.clock, lambda: world.sqs
        )

    def install(self, user: str, data: Mapping[str, str] | None = None) -> None:
        """Install the app for `user`, with initial data (at most 99 pairs)."""
        self._platform.appdata.install(APP, user, data)

    def befriend(self, one: str, other: str) -> None:
        """Make two users friends."""
        self._platform.friends_and_installs.befriend(one, other)

    def store(self, user: str, data: Mapping[str, str]) -> None:
        """Store any number of pairs, in as many writes as they need, and let the write window pass."""
        for part in _requests(data):
            self._platform.appdata.write(APP, user, part, Conditions())
            self._clock.now += Limits.window_ms

    def fill_window(self, user: str, *, but: int = 0) -> None:
        """Fill the user's window except for `but` writes, at times that make it take as many bytes as possible."""
        for gap in [*_long_gaps(), 0][: Limits.writes - but]:
            self._platform.appdata.write(APP, user, {"window": None}, Conditions())
            self._clock.now += gap


def _requests(data: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Divide pairs into writes as large as a request may be."""
    part: dict[str, str] = {}
    for key, value in data.items():
        if len(part) == Limits.pairs or sum(map(utf8_bytes, [*part.values(), value])) > Limits.request_bytes:
            yield part
            part = {}
        part[key] = value
    if part:
        yield part


def _long_gaps() -> list[int]:
    """Return irregular gaps (milliseconds) of a full window with as many whole units of its coding as possible."""
    random = Random(0)
    gaps = [random.randint(0, 1) for _ in range(Limits.writes - 1)]
    for _ in range(Limits.window_ms // _UNIT_MS):
        gaps[random.randrange(len(gaps))] += _UNIT_MS
    return gaps
