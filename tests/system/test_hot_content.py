"""Many concurrent requests for one content: no item is lost or doubled, and deleted items stay deleted."""

from __future__ import annotations

import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from chalicelib.core.model.directory import Page, User, new_page_id, new_user_id
from chalicelib.core.paging import Paging
from chalicelib.store.contents.items import content_of
from tests.kit.crowd import Crowd, at_once
from tests.kit.served import Served

CLIENTS = 64
ROUNDS = 6
GAVE_UP = 0.05
"""The share of requests that may give up under this load; the server tries each 16 times."""


@dataclass
class Content:
    """A content on a page of its own, with people who may post on it."""

    crowd: Crowd
    page: str
    uri: str
    people: list[str]
    refused: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def ask(self, method: str, kind: str, user: str | None = None, **request: Any) -> httpx.Response:
        """Send one request about the content, as a user or as the app."""
        scopes = ("w_pagefeed",) if user else ()
        token = self.crowd.platform.tokens.issue(app=self.crowd.app, viewer=user, scopes=scopes, lifetime=600)
        query = {"contentUri": self.uri} | request.pop("params", {})
        headers = {"Authorization": f"OAuth {token}"}
        path = f"/2/pages/{self.page}/{kind}"
        return self.crowd.http.request(method, path, params=query, headers=headers, **request)

    def insist(self, method: str, kind: str, user: str, **request: Any) -> httpx.Response:
        """Send a request, and repeat it after each 503, within the time of its Retry-After."""
        while True:
            answer = self.ask(method, kind, user, **request)
            self.sent.append(1)
            if answer.status_code != 503:
                return answer
            self.refused.append(1)
            time.sleep(int(answer.headers["Retry-After"]) * random.random())

    def post_feed(self, user: str) -> httpx.Response:
        body = {"title": "Hot", "contentUri": self.uri, "sourceId": "1"}
        return self.ask("POST", "feeds", user, json=body, params={"contentUri": ""})

    def comments(self) -> tuple[list[str], int]:
        """Return the ids of all comments, newest first, and the total in the last part of the list."""
        ids: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            part = self.ask("GET", "comments", params={"count": "100", **cursor}).json()
            ids += [entry["id"] for entry in part["entry"]]
            if "nextCursor" not in part:
                return ids, part["totalResults"]
            cursor = {"cursor": part["nextCursor"]}

    def favorites(self) -> int:
        count: int = self.ask("GET", "favorites").json()["count"]
        return count

    def stored(self) -> list[tuple[str, str]]:
        """Return the keys of all stored items of the content, except leaves, which record holes."""
        content = content_of(self.page, self.uri)
        keys = [
            (item["pk"]["S"], item["sk"]["S"])
            for table in ("comments", "favorites")
            for part in self.crowd.dynamodb.get_paginator("scan").paginate(TableName=f"engawa-local-{table}")
            for item in part["Items"]
        ]
        # A user's id may begin like the key of a leaf, but it is longer.
        return [key for key in keys if key[0].startswith(content) and not re.search(r"#b\d{7}$", key[1])]


@pytest.fixture(scope="module")
def make_content(served: Served) -> Iterator[Callable[..., Content]]:
    crowd = Crowd(served)

    def make(people: int) -> Content:
        platform, page = crowd.platform, new_page_id()
        users = [platform.users.create(User(new_user_id(), f"user {turn}")).id for turn in range(people)]
        platform.pages.create(Page(page, "Hot"))
        platform.pages.add_module(page, crowd.app, "Quest")
        platform.pages.members.add_administrator(page, users[0])
        return Content(crowd, page, f"http://quest.example/hot/{secrets.token_hex(4)}", users)

    yield make
    crowd.http.close()


def test_comments_and_favorites_of_64_clients_at_once(make_content: Callable[..., Content]) -> None:
    content = make_content(CLIENTS)
    assert content.post_feed(content.people[0]).status_code == 201

    def live(turn: int) -> tuple[set[str], bool]:
        """Run one client. Return its remaining comments, and whether its favorite remains."""
        user, comments, favorite = content.people[turn], set(), ""
        for round_ in range(ROUNDS):
            posted = content.insist("POST", "comments", user, json={"comment": f"{turn}.{round_}"})
            assert posted.status_code == 201, posted.text
            comments.add(posted.json()["id"])
            made = content.insist("POST", "favorites", user)
            assert made.status_code == 201, made.text
            assert favorite in ("", made.json()["id"])
            favorite = made.json()["id"]
            if (turn + round_) % 3 == 0:
                gone = comments.pop()
                assert content.insist("DELETE", f"comments/{gone}", user).status_code in (204, 404)
            if (turn + round_) % 2 == 0:
                assert content.insist("DELETE", f"favorites/{favorite}", user).status_code in (204, 404)
                favorite = ""
        return comments, bool(favorite)

    lives = at_once(CLIENTS, live)
    left = set().union(*(comments for comments, _ in lives))
    listed, total = content.comments()
    assert len(listed) == len(set(listed)) == total
    assert set(listed) == left
    assert content.favorites() == sum(favorite for _, favorite in lives)
    stored = content.stored()
    assert len([key for key in stored if "#" not in key[0] and "#c" in key[1]]) == total
    assert len([key for key in stored if "#" in key[0]]) == content.favorites()
    deep = content.ask("GET", "comments", params={"startIndex": str(total - 5), "count": "100"}).json()
    assert [entry["id"] for entry in deep["entry"]] == listed[-5:]
    assert len(content.refused) <= GAVE_UP * len(content.sent)


def test_a_feed_deleted_in_the_midst_of_it_takes_all_along(make_content: Callable[..., Content]) -> None:
    content = make_content(16)
    assert content.post_feed(content.people[0]).status_code == 201
    deleted = threading.Event()

    def storm(turn: int) -> None:
        user = content.people[turn]
        if turn == 0:
            time.sleep(0.5)
            assert content.insist("DELETE", "feeds", user).status_code == 204
            deleted.set()
            return
        while not deleted.is_set():
            comment = content.insist("POST", "comments", user, json={"comment": "storm"})
            favorite = content.insist("POST", "favorites", user)
            assert {comment.status_code, favorite.status_code} <= {201, 404}

    at_once(16, storm)
    assert content.ask("GET", "comments").status_code == 404
    assert content.post_feed(content.people[0]).status_code == 201
    assert content.comments() == ([], 0)
    assert content.favorites() == 0
    deadline = time.monotonic() + 60
    while len(content.stored()) > 1 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert [key[1] for key in content.stored()] == ["h"]


def test_of_those_who_post_one_content_at_once_one_does(make_content: Callable[..., Content]) -> None:
    content = make_content(1)
    answers = at_once(16, lambda _: content.post_feed(content.people[0]))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    feeds = content.ask("GET", "feeds", params={"contentUri": content.uri}).json()
    assert feeds["entry"]["contentUri"] == content.uri
    assert content.crowd.platform.feeds.part(content.page, Paging()).total == 1


def test_an_administrator_posts_over_a_feed_that_is_not_shown_in_the_midst_of_it(
    make_content: Callable[..., Content],
) -> None:
    """The content exists all the time, and nothing of the replaced feed is left."""
    content = make_content(16)
    assert content.post_feed(content.people[1]).status_code == 201
    posted = threading.Event()

    def storm(turn: int) -> None:
        user = content.people[turn]
        if turn == 0:
            time.sleep(0.5)
            while content.post_feed(user).status_code == 503:
                pass
            posted.set()
            return
        after = 0
        while after < 2:
            after += posted.is_set()
            if turn == 1:
                assert content.ask("GET", "feeds").status_code == 200
                assert content.ask("GET", "comments").status_code == 200
            elif turn == 2:
                assert content.post_feed(user).status_code in (409, 503)
            else:
                comment = content.insist("POST", "comments", user, json={"comment": "storm"})
                favorite = content.insist("POST", "favorites", user)
                assert {comment.status_code, favorite.status_code} == {201}

    at_once(16, storm)
    entry = content.ask("GET", "feeds").json()["entry"]
    assert entry["user"]["id"] == content.people[0]
    assert content.crowd.platform.feeds.part(content.page, Paging()).total == 1
    listed, total = content.comments()
    assert (len(listed), len(listed)) == (total, entry["commentCount"])
    assert content.favorites() == entry["favoriteCount"] == 13
    deadline = time.monotonic() + 60
    while len(content.stored()) > 1 + total + 13 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(content.stored()) == 1 + total + 13
