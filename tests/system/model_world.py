"""A small world, made through `/admin` for one example, beside a model of it: what is asked is asked of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chalicelib.core.limits import Limits as ServerLimits
from chalicelib.store.content_items import content_of
from tests import invariants, invariants_contents
from tests.model.answers import Face, Moment, Refused
from tests.model.community import Comment, Limits, Page, Token
from tests.model.contents import Cursor, Draft
from tests.model.people import Query
from tests.model.platform import Platform
from tests.system.asking import Asker, Fault
from tests.system.crowd import Crowd

T = TypeVar("T")
LIMITS = Limits(quota=10_000, keys=5, writes=6, seconds=2, strict=True)
SETTINGS = {
    "ENGAWA_QUOTA_BYTES": str(LIMITS.quota),
    "ENGAWA_MAX_KEYS": str(LIMITS.keys),
    "ENGAWA_RATE_WRITES": str(LIMITS.writes),
    "ENGAWA_RATE_SECONDS": str(LIMITS.seconds),
    "ENGAWA_PROFILE_VISIBILITY": "strict",
    "ENGAWA_FAVORITE_SHARDS": "3",
}
"""Limits that a random sequence reaches."""
ADDRESS = {"zipCode": "150-0001", "address": "東京都", "pcUrl": "https://cafe.example/"}
URIS = [f"http://quest.example/contents/{number}" for number in range(3)]
ROLES = ("administrators", "followers")
CLEANING_SECONDS = 60
PEOPLE = (
    ("はな Hana", True, ("everyone", "friends", "friendsOfFriends", "nobody")),
    ("ken", True, ("friends", "everyone", "nobody", "friendsOfFriends")),
    ("Mei", False, ("everyone", "everyone", "friends", "friends")),
    ("Taro", True, ("friendsOfFriends", "nobody", "everyone", "everyone")),
)
"""Name, whether apps not installed see them, and to whom they publish address, birthday, age and gender."""


def outcome(ask: Callable[[], T]) -> T | Refused:
    """What came of it."""
    try:
        return ask()
    except Refused as refused:
        return refused


def same(expected: object, found: object) -> bool:
    """Whether the server answered what the model says."""
    if not (isinstance(expected, Refused) and isinstance(found, Refused)):
        return bool(expected == found)
    told = (found.code, found.error) if isinstance(found, Fault) else (found.status, found.error)
    meant = (expected.code if isinstance(found, Fault) else expected.status, expected.error)
    return told == meant and expected.text in (None, found.text)


@dataclass
class World:
    """The served platform and its model. People and pages are named by small numbers, which stay theirs."""

    crowd: Crowd
    asker: Asker
    model: Platform = field(default_factory=lambda: Platform(LIMITS))
    users: list[str] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    tags: dict[str, int] = field(default_factory=dict)
    """The versions that entity tags stand for."""
    cursors: list[tuple[str, Cursor, str, str | None]] = field(default_factory=list)
    """As the server gave it, as the model has it, and of which page and content."""
    uris: list[str] = field(default_factory=lambda: list(URIS))
    comments: list[str] = field(default_factory=lambda: ["00000ZABCDEFG-20260401000000"])
    favorites: list[str] = field(default_factory=lambda: ["nobody"])
    full_until: dict[tuple[str, str], float] = field(default_factory=dict)
    """When a full write window has room again, by app and user."""
    posted: set[tuple[str, str]] = field(default_factory=set)
    """Page and contentUri of every feed that there ever was."""

    def make(self, apps: list[str]) -> None:
        """Four people and two pages, unlike each other."""
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
            self.post(Token(apps[0], one, one), page, Draft("First", uri=URIS[0]))

    def befriend(self, one: str, other: str, *, there: bool) -> None:
        meant = self.model.befriend if there else self.model.unfriend
        self._relate(f"users/{one}/friends/{other}", there, lambda: meant(one, other))

    def install(self, app: str, user: str, *, there: bool) -> None:
        meant = self.model.install if there else self.model.uninstall
        self._relate(f"users/{user}/installs/{app}", there, lambda: meant(app, user))

    def _relate(self, path: str, there: bool, meant: Callable[[], bool]) -> None:
        """PUT or DELETE a relation, which tells whether that was a change."""
        found = outcome(lambda: self.asker.admin("PUT" if there else "DELETE", path)["changed"])
        self.agree(outcome(meant), found)

    def add_module(self, page: str, app: str, module: str) -> None:
        told = {"app": app, "name": f"Module {module}", "id": module}
        found = outcome(lambda: self.asker.admin("POST", f"pages/{page}/modules", told)["id"])
        self.agree(outcome(lambda: self.model.add_module(page, app, told["name"], module) or module), found)

    def change_user(self, user: str, told: dict[str, Any]) -> None:
        found = outcome(lambda: bool(self.asker.admin("PATCH", f"users/{user}", told)))
        self.agree(outcome(lambda: self.model.change_user(user, told) is None), found)

    def set_role(self, role: str, page: str, user: str, *, there: bool) -> None:
        """`role` is administrators or followers."""
        if there or page in self.model.pages:
            # Of a page that is being deleted there may still be something to take away.
            meant = lambda: self.model.set_role(role, page, user, there=there)  # noqa: E731
            self._relate(f"pages/{page}/{role}/{user}", there, meant)

    def set_module(self, page: str, app: str, module: str, *, there: bool) -> None:
        if there:
            self.add_module(page, app, module)
        elif page in self.model.pages:
            meant = lambda: self.model.remove_module(page, module)  # noqa: E731
            self._relate(f"pages/{page}/modules/{module}", there, meant)

    def show(self, page: str, source: str) -> None:
        """Whose posts the page shows from now on."""
        found = outcome(lambda: self.asker.admin("PATCH", f"pages/{page}", {"feedSource": source})["feedSource"])
        self.agree(outcome(lambda: self.model.show(page, source)), found)

    def agree(self, expected: object, found: object) -> None:
        """The server must have answered what the model says."""
        assert same(expected, found), f"\nmodel:  {expected}\nserver: {found}"

    def refused(self, expected: object, found: object) -> bool:
        """Whether a request was refused: both must say so, and the same."""
        if not (isinstance(expected, Refused) or isinstance(found, Refused)):
            return False
        self.agree(expected, found)
        return True

    def learn(self, token: Token, tag: str | None) -> None:
        """An entity tag is that of one version for ever, and each version has one."""
        if tag is not None:
            version = self.model.own(token).version
            assert self.tags.setdefault(tag, version) == version, "a tag of an older version"
            assert [each for each, known in self.tags.items() if known == version] == [tag], "two tags of one version"

    def write(self, token: Token, face: Face, pairs: object, demand: tuple[str, str] | None, way: int) -> None:
        """Store pairs; see `_change`."""
        self._change(
            token,
            None if face is Face.RPC else demand,  # It has no headers of its own for that.
            lambda headers: self.asker.write(token, face, pairs, headers, way),
            lambda version, now, told: self.model.write(token, pairs, version, now, told=told),
        )

    def delete(self, token: Token, face: Face, keys: frozenset[str] | None, demand: tuple[str, str] | None) -> Any:
        """Delete keys; see `_change`."""
        return self._change(
            token,
            None if face is Face.RPC else demand,  # It has no headers of its own for that.
            lambda headers: self.asker.delete(token, face, keys, headers),
            lambda version, now, told: self.model.delete(token, keys, version, now, told=told),
        )

    def _change(
        self, token: Token, demand: tuple[str, str] | None, send: Callable[..., Any], meant: Callable[..., range]
    ) -> Any:
        """A write or a delete under a demand, a header and its value."""
        version = demand and (demand[0], self.tags.get(demand[1], "*" if demand[1] == "*" else 0))
        begun = time.time()
        found = outcome(lambda: send(dict([demand] if demand else [])))
        now, told = Moment.since(begun), not isinstance(found, Refused)
        expected = outcome(lambda: meant(version, now, told))
        if self.refused(expected, found):
            if found.status == 503 or (found.code == 417 and found.retry_after):
                assert 1 <= found.retry_after <= LIMITS.seconds
                self.full_until[token.app, token.viewer] = time.time() + found.retry_after
            return found
        assert found.remaining is None or found.remaining in expected, (found.remaining, expected)
        self.learn(token, found.etag)
        return found

    def read(self, token: Token, face: Face, users: list[str], keys: frozenset[str] | None, way: int) -> None:
        """The data of named users, in the order named."""
        found = outcome(lambda: self.asker.read(token, face, users, keys, way))
        expected = outcome(lambda: self.model.read(token, face, users, keys))
        if self.refused(expected, found):
            return
        self.agree(list(expected.items()), list(found[0].items()))
        if users == [token.viewer]:
            self.learn(token, found[1])

    def read_if_changed(self, token: Token, tag: int) -> None:
        """One's own data, but not if they are what a tag stands for."""
        given = [*self.tags][-1 - tag % len(self.tags)] if self.tags else '"none"'
        found = outcome(lambda: self.asker.is_unchanged(token, given))
        self.agree(outcome(lambda: self.model.own(token).version == self.tags.get(given)), found)

    def usage(self, token: Token) -> None:
        begun = time.time()
        found = outcome(lambda: self.asker.usage(token))
        expected = outcome(lambda: self.model.usage(token, Moment.since(begun)))
        if self.refused(expected, found):
            return
        self.agree(expected[:2], found[:2])
        assert found[2] in expected[2]

    def read_friends(self, token: Token, face: Face, of: str, keys: frozenset[str] | None, way: int) -> None:
        """The data of friends, by id."""
        found = outcome(lambda: self.asker.read_friends(token, face, of, keys, way))
        expected = outcome(lambda: self.model.read_friends(token, face, of, keys))
        if not self.refused(expected, found):
            self.agree(list(expected.items()), list(found.items()))

    def people(self, token: Token, face: Face, users: list[str], fields: list[str], way: int) -> None:
        found = outcome(lambda: self.asker.people(token, face, users, fields, way))
        self.agree(outcome(lambda: self.model.people(token, face, users, fields)), found)

    def friends(self, token: Token, face: Face, of: str, query: Query, fields: list[str], way: int) -> None:
        if query.followers and query.followers not in self.model.pages:
            return  # Of a page that is being deleted, followers may be known until it is cleared.
        found = outcome(lambda: self.asker.friends(token, face, of, query, fields, way))
        self.agree(outcome(lambda: self.model.friends(token, face, of, query, fields)), found)

    def post(self, token: Token, page: str, draft: Draft) -> None:
        """Post a feed; where it gets the address of its own page, that is a new one."""
        body = {"title": draft.title, "body": draft.body, "contentUri": draft.uri, "sourceId": draft.source}
        begun = time.time()
        found = outcome(lambda: self.asker.page("POST", f"{page}/feeds", token, json=body)["contentUri"])
        expected = outcome(lambda: self.model.may_post(token, page, draft))
        if self.refused(expected, found):
            return
        if draft.uri is None:
            assert found.startswith(f"{self.crowd.platform.settings.issuer}/pages/{page}/feeds/")
            assert (page, found) not in self.posted, "an address that was given before"
            self.uris.append(found)
        else:
            self.agree(draft.uri, found)
        self.posted.add((page, found))
        self.model.post(token, page, draft, found, *expected, Moment.since(begun))

    def part(self, token: Token, page: str, uri: str | None, start: int, cursor: int | None, size: int) -> None:
        """Part of a list, from an index or from a cursor that some list gave."""
        given = self.cursors[cursor % len(self.cursors)] if cursor is not None and self.cursors else None
        query = {"cursor": given[0]} if given else {"startIndex": start}
        path = f"{page}/feeds" if uri is None else f"{page}/comments"
        found = outcome(lambda: self.asker.page("GET", path, token, contentUri=uri, count=size, **query))
        begin = given[1] if given else start
        expected = outcome(
            lambda: self.model.feeds(page, begin, size) if uri is None else self.model.comments(page, uri, begin, size)
        )
        if self.refused(expected, found):
            return
        following = found.pop("nextCursor", None)
        counters = {"itemsPerPage": len(expected.entries), "totalResults": expected.total}
        counters |= {} if given else {"startIndex": start}
        self.agree({"entry": expected.entries, **counters}, found)
        assert (following is None) == (expected.following is None)
        if expected.following:
            self.cursors.append((following, expected.following, page, uri))

    def feed(self, token: Token, page: str, uri: str) -> None:
        found = outcome(lambda: self.asker.page("GET", f"{page}/feeds", token, contentUri=uri)["entry"])
        self.agree(outcome(lambda: self.model.feed_entry(self.model.feed(page, uri))), found)

    def delete_feed(self, token: Token, page: str, uri: str) -> None:
        found = outcome(lambda: self.asker.page("DELETE", f"{page}/feeds", token, contentUri=uri))
        self.agree(outcome(lambda: self.model.delete_feed(token, page, uri)), found)

    def comment(self, token: Token, page: str, uri: str, text: str) -> None:
        """Comment; the id is a new one."""
        begun = time.time()
        told = {"comment": text}
        found = outcome(lambda: self.asker.page("POST", f"{page}/comments", token, json=told, contentUri=uri)["id"])
        expected = outcome(lambda: self.model.may_comment(token, page, uri, text))
        if self.refused(expected, found):
            return
        assert found not in self.comments, "an id that was given before"
        self.comments.append(found)
        expected.comments.append(Comment(found, text, token.viewer, Moment.since(begun)))

    def delete_comment(self, token: Token, page: str, uri: str, comment: str) -> None:
        found = outcome(lambda: self.asker.page("DELETE", f"{page}/comments/{comment}", token, contentUri=uri))
        self.agree(outcome(lambda: self.model.delete_comment(token, page, uri, comment)), found)

    def favorite(self, token: Token, page: str, uri: str) -> None:
        """Make a favorite; again, it is the same one."""
        found = outcome(lambda: self.asker.page("POST", f"{page}/favorites", token, contentUri=uri)["id"])
        expected = outcome(lambda: self.model.may_favorite(token, page, uri))
        if self.refused(expected, found):
            return
        self.agree(expected.favorites.setdefault(token.viewer, found), found)
        self.favorites.append(found)

    def unfavorite(self, token: Token, page: str, uri: str, favorite: str) -> None:
        path = f"{page}/favorites/{favorite}"
        found = outcome(lambda: self.asker.page("DELETE", path, token, contentUri=uri))
        self.agree(outcome(lambda: self.model.unfavorite(token, page, uri, favorite)), found)

    def favorites_of(self, token: Token, page: str, uri: str) -> None:
        found = outcome(lambda: self.asker.page("GET", f"{page}/favorites", token, contentUri=uri)["count"])
        if page not in self.model.pages and not isinstance(found, Refused):
            return  # Of a page that is being deleted, a count may be told until it is cleared.
        self.agree(outcome(lambda: len(self.model.feed(page, uri).favorites)), found)

    def page_information(self, token: Token, page: str) -> None:
        found = outcome(lambda: self.asker.page("GET", page, token)["entry"])
        expected = outcome(lambda: self.model.page_information(page))
        if not self.refused(expected, found):
            self.agree(expected, {name: found[name] for name in expected})
            assert found["options"] == ADDRESS

    def erase(self, user: str) -> None:
        """Erase a user. What waits to be cleared of deleted feeds may be counted among the posts, or not."""
        removed = self.asker.admin("DELETE", f"users/{user}")["removed"]
        expected = self.model.erase(user)
        assert removed.pop("posts") >= expected.pop("posts")
        self.agree({**expected, "grants": 0}, removed)

    def delete_page(self, page: str) -> None:
        """Delete a page; from now on there is no such page."""
        there = page in self.model.pages
        told = self.asker.admin("DELETE", f"pages/{page}")["changed"]
        assert told or not there
        self.model.pages.pop(page, None)

    def wait(self, token: Token) -> None:
        """Come again when a full window has said to: it has room by then."""
        until = self.full_until.pop((token.app, token.viewer), None)
        if until is not None and self.model.has(token.app, token.viewer):
            time.sleep(max(0.0, until - time.time()))
            assert not isinstance(self.delete(token, Face.TWO, frozenset(["none"]), None), Refused)

    def read_all_back(self) -> None:
        """Everything that can be read is as the model has it."""
        for user in self.users:
            for app in self.apps:
                token = Token(app, user, user)
                self.read(token, Face.TWO, [user], None, 0)
                self.usage(token)
        token = Token(self.apps[0], self.users[0], self.users[0])
        for page in self.pages:
            self.part(token, page, None, 0, None, 100)
            for uri in self.model.pages[page].feeds if page in self.model.pages else ():
                self.feed(token, page, uri)
                self.part(token, page, uri, 0, None, 100)
                self.favorites_of(token, page, uri)

    def check_tables(self) -> None:
        """What is stored is in order, and nothing is left of what was deleted."""
        dynamodb = self.crowd.dynamodb
        limits = ServerLimits(writes=LIMITS.writes)
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
            found = invariants_contents.of_pages(dynamodb, self.pages, contents, shards=3)
            if not found.remains() or time.monotonic() > end:
                break
            time.sleep(0.05)
        assert found.remains() == []
        assert found.wrongs() == []
