"""Many users at a time who use the local platform over HTTP, and checks of the stored data."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from chalicelib import settings
from chalicelib.bootstrap import Platform, wire
from chalicelib.core.events import Event, EventKind
from chalicelib.core.model.directory import User
from chalicelib.store.aws.client import Dynamo
from tests.kit import invariants

if TYPE_CHECKING:
    from tests.kit.served import Served

T = TypeVar("T")
BUCKET = "engawa-local-000000000000"
PATH = "/2/apps/appdata/@me/@self"
SERVER_SECONDS = 10
"""In a shorter time than this, the server gives up a race only because all its tries were lost."""
TOO_OFTEN = "appdata update frequency is too high"


@dataclass(frozen=True)
class Sent:
    """An answered write or delete."""

    changes: dict[str, str | None] | None
    """None if everything was deleted."""
    answer: httpx.Response
    begun: float
    ended: float

    @property
    def accepted(self) -> bool:
        return self.answer.status_code == 200

    @property
    def version(self) -> int:
        """The number of this write among the user's writes, in the order in which they took effect."""
        return int(self.answer.headers["ETag"].strip('"').rpartition(".")[2])

    @property
    def error(self) -> str:
        description: str = self.answer.json()["error_description"]
        return description

    @property
    def lost_the_race(self) -> bool:
        """Whether the server gave up because of too many concurrent writes."""
        return self.answer.status_code == 503 and self.error != TOO_OFTEN

    @property
    def out_of_time(self) -> bool:
        """Whether the server gave up because its time was over, as on a busy machine, not because of lost tries."""
        return self.lost_the_race and self.ended - self.begun >= SERVER_SECONDS


@dataclass
class Person:
    """A user who has installed the app."""

    crowd: Crowd
    user: str
    token: str = field(repr=False)

    def get(self, group: str = "@self", **query: str) -> httpx.Response:
        return self.crowd.http.get(PATH.replace("@self", group), params=query, headers=self._headers)

    def read(self, **query: str) -> dict[str, str]:
        """Return the person's own data, also through the redirect (303) of a large response."""
        answer = self.get(**query)
        if answer.status_code == 303:
            # Without the Authorization header, which S3 would refuse beside a presigned URL.
            answer = httpx.get(answer.headers["Location"], timeout=60)
        assert answer.status_code == 200, answer.text
        data: dict[str, str] = answer.json()["entry"][0]["data"]
        return data

    def write(self, pairs: dict[str, str]) -> Sent:
        return self._send(dict(pairs), "POST", json=pairs)

    def patch(self, changes: Mapping[str, Any], key: str = "") -> httpx.Response:
        """Change the data, with `key` as the Idempotency-Key if it is given."""
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return self.crowd.http.patch(PATH, json=changes, headers=headers)

    def delete(self, *keys: str) -> Sent:
        """Delete the keys, or everything if none is given."""
        return self._send(dict.fromkeys(keys) or None, "DELETE", params={"fields": ",".join(keys)})

    def usage(self) -> int:
        """Return the number of used bytes."""
        used: int = self.get("@usage").json()["entry"]["bytes"]["used"]
        return used

    def tables(self) -> invariants.Tables:
        return invariants.of_user(self.crowd.dynamodb, self.crowd.app, self.user)

    def check(self, data: dict[str, str]) -> None:
        """Check that exactly these data are stored, and that the stored items are consistent."""
        tables = self.tables()
        assert tables.wrongs() == []
        held = tables.held[self.crowd.app, self.user]
        assert held.data == data
        assert self.usage() == held.ledger.total

    def leave(self) -> None:
        """Uninstall the app, so that other tests need not read these data."""
        self.crowd.platform.appdata.uninstall(self.crowd.app, self.user)

    def _send(self, changes: dict[str, str | None] | None, method: str, **request: Any) -> Sent:
        begun = time.monotonic()
        answer = self.crowd.http.request(method, PATH, headers=self._headers, **request)
        return Sent(changes, answer, begun, time.monotonic())

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"OAuth {self.token}"}


def wired(issuer: str, directory: Path, clients: Mapping[str, Any], clock: Callable[[], int] | None = None) -> Platform:
    """Return another platform with the keys in a directory and clients of "dynamodb", "s3" and, optionally, "sqs"."""
    read = settings.read(
        {
            "ENGAWA_STAGE": "local",
            "ENGAWA_BUCKET": BUCKET,
            "ENGAWA_ISSUER": issuer,
            "ENGAWA_TOKEN_KEYS_FILE": str(directory / "token-keys.json"),
            "ENGAWA_SECRET_KEYS_FILE": str(directory / "secret-keys.json"),
        }
    )
    return wire(read, Dynamo(clients["dynamodb"]), lambda: clients["s3"], clock, lambda: clients["sqs"])


class Crowd:
    """A maker of people on a running platform."""

    def __init__(self, served: Served) -> None:
        self.app: str = served.demo["apps"]["quest"]["id"]
        self.asked: frozenset[EventKind] = frozenset()
        """The kinds of events that the people's app asks for."""
        self.http = httpx.Client(base_url=served.base_url, timeout=60, limits=httpx.Limits(max_connections=64))
        self.dynamodb = served.aws("dynamodb")
        clients = {"dynamodb": self.dynamodb, "s3": served.aws("s3"), "sqs": served.aws("sqs")}
        self.platform = wired(served.base_url, served.local_dir, clients)

    def tell(self, app: str) -> None:
        """Let an app ask for all kinds of events, as an endpoint does; nothing is sent without one."""
        if app == self.app:
            self.asked = frozenset(EventKind)
        self.dynamodb.update_item(
            TableName="engawa-local-directory",
            Key={"pk": {"S": f"app#{app}"}, "sk": {"S": "#"}},
            UpdateExpression="SET ev = :kinds",
            ExpressionAttributeValues={":kinds": {"SS": [kind.value for kind in EventKind]}},
        )

    def events(self, app: str, since: int) -> Iterator[Event]:
        """Yield the events of an app from `since` (ms) on, oldest first."""
        cursor: str | None = None
        while True:
            part, cursor = self.platform.event_log.part(app, since, 10**14, cursor, 100)
            yield from (each.event for each in part)
            if cursor is None:
                return

    def person(self, friends: Iterable[Person] = ()) -> Person:
        user = secrets.token_hex(6)
        self.platform.users.create(User(user, f"user {user}"))
        self.platform.appdata.install(self.app, user)
        for friend in friends:
            self.platform.friends_and_installs.befriend(user, friend.user)
        issue = self.platform.tokens.issue
        token = issue(app=self.app, viewer=user, scopes=("mixi_apps2",), lifetime=3600, events=self.asked)
        return Person(self, user, token)


def at_once(count: int, job: Callable[[int], T]) -> list[T]:
    """Run `job(0)`, `job(1)`, … in `count` threads that start together, and return the results."""
    ready = threading.Barrier(count)

    def run(number: int) -> T:
        ready.wait()
        return job(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@contextmanager
def meanwhile(job: Callable[[], T], *, threads: int = 1) -> Iterator[list[T]]:
    """Repeat `job` in separate threads while the block runs; the yielded list collects the results."""
    results: list[T] = []
    ended = threading.Event()

    def repeat() -> None:
        while not ended.is_set():
            results.append(job())

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(repeat) for _ in range(threads)]
        try:
            yield results
        finally:
            ended.set()
    for each in running:
        each.result()


def replay(sent: Iterable[Sent], data: dict[str, str] | None = None) -> dict[str, str]:
    """Return the data after all accepted writes, applied in the order of their versions."""
    data = dict(data or {})
    accepted = sorted((each for each in sent if each.accepted), key=lambda each: each.version)
    versions = [each.version for each in accepted]
    assert versions == list(range(versions[0], versions[0] + len(versions))), "a version was skipped or given twice"
    for each in accepted:
        changes = dict.fromkeys(data) if each.changes is None else each.changes
        data = {key: value for key, value in {**data, **changes}.items() if value is not None}
    return data
