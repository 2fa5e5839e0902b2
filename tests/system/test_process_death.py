"""Processes that die during a request: the tables stay correct, and a repetition of the request succeeds.

Over HTTP, on the embedded AWS: SIGKILL comes before and after the AWS calls of a request, in turn. All tables are
scanned after the death and after the second request, which another process answers.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chalicelib.core.events import EventKind
from chalicelib.core.model.directory import App, Page, User, new_user_id
from chalicelib.core.oauth import Family, hashed
from tests.kit import invariants, invariants_contents, invariants_directory, invariants_events, strict
from tests.kit.crowd import BUCKET, wired
from tests.kit.pictures import png
from tests.kit.served import ROOT, STOP_SECONDS, await_answers, fresh_environment
from tests.kit.tally import tried

APP, PUBLIC, PAGE = "6d1f0c2ab4e79853", "c07be4915fa2d386", "12345678901234567890"
DATA = "/2/apps/appdata/@me/@self"
FEEDS, COMMENTS, FAVORITES = (f"/2/pages/{PAGE}/{name}" for name in ("feeds", "comments", "favorites"))
DAY_MS = 86_400_000
MOST_TURNS = 6
"""The most calls of a request at which a process dies; tests/faults has deaths at every call."""


class Mortals:
    """A client of the processes that die, with direct access to their data."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.issuer = f"http://127.0.0.1:{environment['PORT']}"
        self.http = httpx.Client(base_url=self.issuer, timeout=30)
        self.now = time.time_ns() // 1_000_000
        directory, endpoint = Path(environment["ENGAWA_LOCAL_DIR"]), f"http://127.0.0.1:{environment['EMULATOR_PORT']}"
        self.clients = {name: aws_client(name, endpoint) for name in ("dynamodb", "s3", "sqs")}
        self.platform = wired(self.issuer, directory, self.clients, lambda: self.now)

    def populate(self) -> None:
        here = self.platform
        self.poster = self.user()
        here.apps.create(App(APP, "Quest", scopes=("mixi_apps2",)))
        # The app asks for all events. Nothing is sent to an endpoint that does not exist.
        self.clients["dynamodb"].update_item(
            TableName="engawa-local-directory",
            Key={"pk": {"S": f"app#{APP}"}, "sk": {"S": "#"}},
            UpdateExpression="SET ev = :kinds",
            ExpressionAttributeValues={":kinds": {"SS": [kind.value for kind in EventKind]}},
        )
        here.apps.create(App(PUBLIC, "Album", False, None, ("com.example.album:/back",), scopes=("r_profile",)))
        here.pages.create(Page(PAGE, "Cafe"))
        here.pages.members.add_administrator(PAGE, self.poster)
        here.pages.add_module(PAGE, APP, "menu name")

    def user(self) -> str:
        """Create a user. Return the id."""
        return self.platform.users.create(User(new_user_id(), "name")).id

    def send(self, method: str, path: str, user: str | None, dies: str = "", **more: Any) -> httpx.Response:
        """Send a request with a user's or the operator's token to a process that dies as `dies` says."""
        scopes = ("mixi_apps2", "w_pagefeed") if user else ("admin",)
        asked = frozenset(EventKind)
        token = self.platform.tokens.issue(app=APP, viewer=user, scopes=scopes, lifetime=3600, events=asked)
        # A process answers the requests of one connection, so each request has its own connection.
        headers = {"Authorization": f"OAuth {token}", "Connection": "close"} | ({"X-Dies": dies} if dies else {})
        return self.http.request(method, path, headers=headers, **more)

    def check(self) -> None:
        """Assert that all tables are correct."""
        contents = invariants_contents.scan(self.clients["dynamodb"], self.clients["s3"], BUCKET)
        assert contents.wrongs() == []
        data = invariants.scan(self.clients["dynamodb"])
        assert data.wrongs() == []
        events = invariants_events.scan(self.clients["dynamodb"])
        assert events.wrongs(contents) == []
        versions = {user: held.ledger.version for (app, user), held in data.held.items() if app == APP}
        assert events.wrongs_of_data(versions) == []
        assert invariants_directory.scan(self.clients["dynamodb"]).wrongs() == []

    def settle(self) -> None:
        """Advance the clock, run the sweep and the cleanup. Assert that nothing is left behind."""
        self.now += DAY_MS
        self.platform.appdata.sweep(40)
        while due := self.platform.cleanup.due():
            assert all(self.platform.cleanup.work(note, 40) for note in due)
        self.check()
        contents = invariants_contents.scan(self.clients["dynamodb"], self.clients["s3"], BUCKET)
        assert contents.remains() == []
        assert invariants.scan(self.clients["dynamodb"]).remains() == []


def aws_client(service: Any, endpoint: str) -> Any:
    import boto3

    session = boto3.Session("engawa", "engawa", region_name="ap-northeast-1")
    return session.client(service, endpoint_url=endpoint)


@pytest.fixture(scope="module")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortals]:
    directory = tmp_path_factory.mktemp("mortals")
    environment = fresh_environment(directory)
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.kit.mortal"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        await_answers(f"http://127.0.0.1:{environment['PORT']}", process, log)
        made = Mortals(environment)
        made.populate()
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    strict.look_into(log)


@dataclass
class Asked:
    """A request to send, a count of its effects, and the expected status of a repetition."""

    send: Callable[[str], httpx.Response]
    """Send the request; the argument says when its process dies."""
    count: Callable[[], int]
    """Return how often the request has taken effect."""
    again: int = 200
    """The status of a repetition if the request has taken effect before."""
    twice: int = 1
    """How often the request has taken effect after such a repetition."""


def writing(here: Mortals) -> Asked:
    user, pairs = here.user(), {"level": "6", "map": "m" * 5_000, "log": uuid4().hex * 200}
    here.platform.appdata.install(APP, user, {"level": "5", "map": "o" * 4_000})
    return Asked(
        lambda dies: here.send("POST", DATA, user, dies, json=pairs),
        lambda: int(here.platform.appdata.read(APP, user, None).data == pairs),
    )


def clearing(here: Mortals) -> Asked:
    user = here.user()
    here.platform.appdata.install(APP, user, {"level": "5", "map": uuid4().hex * 200})
    return Asked(
        lambda dies: here.send("DELETE", DATA, user, dies),
        lambda: int(here.platform.appdata.read(APP, user, None).data == {}),
    )


def installing(here: Mortals) -> Asked:
    user = here.user()
    path = f"/admin/users/{user}/installs/{APP}"
    return Asked(
        lambda dies: here.send("PUT", path, None, dies),
        lambda: int(here.platform.friends_and_installs.has_installs(user)),
    )


def posted(here: Mortals) -> str:
    """Post a feed. Return its contentUri."""
    uri = f"http://application.example/{uuid4().hex}"
    assert here.send("POST", FEEDS, here.poster, json={"title": "title", "contentUri": uri}).status_code == 201
    return uri


def counter(here: Mortals, uri: str, name: str) -> int:
    feed = here.send("GET", FEEDS, None, params={"contentUri": uri})
    return int(feed.json()["entry"][name])


def commenting(here: Mortals) -> Asked:
    uri = posted(here)
    return Asked(
        lambda dies: here.send(
            "POST", COMMENTS, here.poster, dies, json={"comment": "text"}, params={"contentUri": uri}
        ),
        lambda: len(here.platform.feeds.get(PAGE, uri) and comments(here, uri)),
        again=201,
        twice=2,
    )


def comments(here: Mortals, uri: str) -> Any:
    from chalicelib.core.paging import Paging

    return here.platform.comments.part(PAGE, uri, Paging(0, 100)).entries


def favoring(here: Mortals) -> Asked:
    uri, user = posted(here), here.user()
    return Asked(
        lambda dies: here.send("POST", FAVORITES, user, dies, params={"contentUri": uri}),
        lambda: here.platform.favorites.count(PAGE, uri),
        again=201,
    )


def exists(here: Mortals, uri: str) -> int:
    from chalicelib.core.errors import NotFound

    try:
        here.platform.feeds.get(PAGE, uri)
    except NotFound:
        return 0
    return 1


def posting(here: Mortals) -> Asked:
    uri = f"http://application.example/{uuid4().hex}"
    feed = f'{{"title": "title", "contentUri": "{uri}"}}'
    files = {"request": (None, feed), "image1": ("a.png", png(8, 6), "image/png")}
    return Asked(
        lambda dies: here.send("POST", FEEDS, here.poster, dies, files=files), lambda: exists(here, uri), again=409
    )


def deleting(here: Mortals) -> Asked:
    uri = posted(here)
    here.platform.favorites.add(PAGE, uri, here.poster)
    return Asked(
        lambda dies: here.send("DELETE", FEEDS, here.poster, dies, params={"contentUri": uri}),
        lambda: 1 - exists(here, uri),
        again=404,
    )


def told(here: Mortals, user: str, kind: EventKind) -> int:
    """Return how often the app was told of this about a user."""
    found = invariants_events.scan(here.clients["dynamodb"]).all
    return sum(each.kind is kind and each.data["user"] == user for each in found)


def uninstalling(here: Mortals) -> Asked:
    user = here.user()
    here.platform.appdata.install(APP, user, {"level": "5", "map": uuid4().hex * 200})
    return Asked(
        lambda dies: here.send("DELETE", f"/admin/users/{user}/installs/{APP}", None, dies),
        lambda: told(here, user, EventKind.UNINSTALLED),
    )


def erasing(here: Mortals) -> Asked:
    user = here.user()
    here.platform.appdata.install(APP, user, {"level": "5"})
    here.platform.comments.post(PAGE, posted(here), user, "a comment")
    return Asked(
        lambda dies: here.send("DELETE", f"/admin/users/{user}", None, dies),
        lambda: told(here, user, EventKind.ERASED),
    )


def refreshing(here: Mortals) -> Asked:
    user, grants = here.user(), here.platform.grants
    here.platform.appdata.install(PUBLIC, user)
    code = grants.allow(Family("", PUBLIC, user, frozenset({"r_profile"}), 0, 0))
    family = grants.find(PUBLIC, code)[1]
    assert family
    token = grants.redeem(family, code)
    form = {"grant_type": "refresh_token", "client_id": PUBLIC, "refresh_token": token}

    def used() -> int:
        known = grants.find(PUBLIC, token or "")[1]
        return int(known is None or known.refresh != hashed(token or ""))

    # The client never received the new token, so a repetition with the old token returns the same new one.
    return Asked(lambda dies: here.send("POST", "/2/token", user, dies, data=form), used)


REQUESTS = [
    writing,
    clearing,
    installing,
    uninstalling,
    erasing,
    commenting,
    favoring,
    posting,
    deleting,
    refreshing,
]


@pytest.mark.parametrize("make", REQUESTS, ids=lambda make: make.__name__)
def test_who_dies_is_followed_by_another(mortals: Mortals, make: Callable[[Mortals], Asked]) -> None:
    asked = make(mortals)
    answer = asked.send("")
    assert answer.is_success, answer.text
    assert asked.count() == 1
    calls = int(answer.headers["x-calls"])
    found = set()
    for turn in range(1, calls + 1, -(-calls // MOST_TURNS)):
        for when in ("before", "after"):
            asked = make(mortals)
            with pytest.raises(httpx.TransportError):
                asked.send(f"{when} {turn}")
            mortals.check()
            count = asked.count()
            found.add(count)
            again = asked.send("")
            assert again.status_code == (asked.again if count else answer.status_code), (when, turn, again.text)
            assert asked.count() == (asked.twice if count else 1)
            mortals.check()
            tried("death of the process, over HTTP", make.__name__, f"killed {when}")
    assert found == {0, 1}
    mortals.settle()
