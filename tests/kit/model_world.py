"""A small world for one example, created through `/admin`, and the checks after the example."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.core.limits import Limits
from chalicelib.store.contents.items import content_of
from tests.kit import invariants, invariants_contents
from tests.kit.content_pair import ADDRESS, URIS, ContentPair
from tests.kit.data_pair import DataPair
from tests.kit.pair import LIMITS, SHARDS
from tests.model.answers import Face
from tests.model.community import Page, Token, Told
from tests.model.contents import Draft
from tests.model.people import ALL, Query

CLEANING_SECONDS = 60
PEOPLE = (
    ("はな Hana", True, ("everyone", "friends", "friendsOfFriends", "nobody")),
    ("ken", True, ("friends", "everyone", "nobody", "friendsOfFriends")),
    ("Mei", True, ("everyone", "everyone", "friends", "friends")),
    ("Taro", False, ("friendsOfFriends", "nobody", "everyone", "everyone")),
)
"""Name, visibility to apps that are not installed, and the publication of address, birthday, age and gender."""


@dataclass
class World(DataPair, ContentPair):
    """A world of people, apps and pages, with small numbers that never change as their names."""

    users: list[str] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    begun: int = field(default_factory=lambda: int(time.time() * 1000) - 1_000)
    """The time (ms) before the first event."""

    def make(self, apps: list[str]) -> None:
        """Create four people and two pages, all different."""
        model = self.model
        self.apps, model.apps = apps, {app: f"App {turn}" for turn, app in enumerate(apps)}
        for turn, (name, visible, published) in enumerate(PEOPLE):
            made = {
                "displayName": name,
                "thumbnailUrl": f"https://people.example/{turn}.jpg" if turn % 2 else "",
                "profileUrl": "",
                "bloodType": "AB" if turn % 2 else None,
                "address": "京都",
                "birthday": "2001-02-03",
                "age": 24 if turn else None,
                "gender": "female",
                "visible": visible,
                "publication": dict(zip(("address", "birthday", "age", "gender"), published, strict=True)),
            }
            user = self.asker.admin("POST", "users", made)["id"]
            self.users.append(user)
            model.users[user] = made
        for turn, shows in enumerate(("administrators", "everyone")):
            told = {"name": f"Page {turn}", "category": "local", "feedSource": shows, **ADDRESS}
            page = self.asker.admin("POST", "pages", told)["id"]
            self.pages.append(page)
            model.pages[page] = Page(page, told["name"], shows)
        one, another, third, fourth = self.users
        for user in (one, another, third):
            self.install(apps[0], user, there=True)
        for pair in ((one, another), (one, third), (another, fourth)):
            self.befriend(*pair, there=True)
        for page in self.pages:
            self.add_module(page, apps[0], "1")
        self.set_role("administrators", self.pages[0], one, there=True)
        for page in self.pages:
            # The most requested content is the newest: its deletion leaves a hole before all others.
            for number, user in ((2, one), (1, another), (0, one)):
                self.post(Token(apps[0], user, user), page, Draft(f"Feed {number}", uri=URIS[number]))
        for user in (one, another, third):
            self.comment(Token(apps[0], user, user), self.pages[0], URIS[0], f"by {self.users.index(user)}")
            self.favorite(Token(apps[0], user, user), self.pages[0], URIS[0])

    def read_all_back(self) -> None:
        """Read everything, and compare it with the model."""
        for user, owner in zip(self.users, [*self.users[1:], self.users[0]], strict=True):
            token = Token(self.apps[0], user, owner)
            self.people(token, Face.RPC, self.users, [ALL], 0)
            self.friends(token, Face.TWO, user, Query(), [ALL], 0)
            self.people(Token(self.apps[0], user, user), Face.OS, self.users, [ALL], 0)
        for app, user in self.model.held:
            token = Token(app, user, user)
            self.read(token, Face.TWO, [user], None, 0)
            self.usage(token)
        token = Token(self.apps[0], self.users[0], self.users[0])
        for page in self.pages:
            self.walk(token, page, None, 1)
            for uri in self.model.pages[page].feeds if page in self.model.pages else ():
                self.feed(token, page, uri)
                self.walk(token, page, uri, 2)
                self.favorites_of(token, page, uri)

    def check_tables(self) -> None:
        """Check that the stored items are consistent, and that deleted things leave no items behind."""
        dynamodb = self.crowd.dynamodb
        limits = Limits(writes=LIMITS.writes)
        for user in self.users:
            for app in self.apps:
                tables = invariants.of_user(dynamodb, app, user)
                assert tables.wrongs(limits) == []
                held = self.model.held.get((app, user))
                assert {key: each.data for key, each in tables.held.items()} == (
                    {(app, user): held.data} if held else {}
                )
        contents = [content_of(page, uri) for page, uri in self.posted]
        end = time.monotonic() + CLEANING_SECONDS
        while True:
            found = invariants_contents.of_pages(dynamodb, self.pages, contents, shards=SHARDS)
            if not found.remains() or time.monotonic() > end:
                break
            time.sleep(0.05)
        assert found.remains() == []
        assert found.wrongs() == []
        self.check_events()

    def check_events(self) -> None:
        """Check that the apps are told of exactly what has happened.

        While a page is deleted, its comments and favorites may end one by one, if their users are erased meanwhile, or
        with it.
        """

        def is_sure(told: Told) -> bool:
            single = told.kind in ("comment.deleted", "favorite.removed")
            return not (single and told.where[0] not in self.model.pages)

        found = Counter(
            Told(app, event.kind.value, event.data["user"], event.sequence, _where(event.data))
            for app in self.apps
            for event in self.crowd.events(app, self.begun)
            if event.data["user"] in self.users
        )
        expected = Counter(self.model.told)
        wrong = {
            told: (expected[told], found[told])
            for told in (found | expected)
            if is_sure(told) and expected[told] != found[told]
        }
        assert not wrong, f"events by the model, and by the server: {wrong}"


def _where(data: Mapping[str, Any]) -> tuple[str, ...]:
    if "page" in data:
        return data["page"], data["contentUri"]
    return ("*",) if "all" in data else tuple(data.get("keys", ()))
