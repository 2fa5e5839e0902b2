"""Requests for app data and people, sent to both the server and the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.kit.asking import Wrote
from tests.kit.pair import LIMITS, Pair, outcome
from tests.model.answers import Face, Moment, Refused
from tests.model.community import Token
from tests.model.people import Query

Keys = frozenset[str] | None


@dataclass
class DataPair(Pair):
    """A pair for app data and people. In its methods, `demand` is a header and its value, an entity tag or `*`."""

    tags: dict[str, int] = field(default_factory=dict)
    """The versions by entity tag."""
    full: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    """The time at which a full write window has room again, and the version at that time, by app and user."""

    def tag_of(self, token: Token) -> str:
        """Return the tag of the viewer's current data, or `"none"` if no response has shown it."""
        held = self.model.held.get((token.app, token.viewer))
        return next((tag for tag, version in self.tags.items() if held and version == held.version), '"none"')

    def learn(self, token: Token, tag: str | None) -> None:
        """Record an entity tag, and check that each version has one tag and each tag one version."""
        if tag is not None:
            version = self.model.own(token).version
            assert self.tags.setdefault(tag, version) == version, "a tag of an older version"
            assert [each for each, known in self.tags.items() if known == version] == [tag], "two tags of one version"

    def write(self, token: Token, face: Face, pairs: object, demand: tuple[str, str] | None, way: int) -> None:
        """Store pairs; see `_change`."""
        self._change(
            token,
            None if face is Face.RPC else demand,  # /rpc has no conditional headers.
            lambda headers: self.asker.write(token, face, pairs, headers, way),
            lambda version, now, room: self.model.write(token, pairs, version, now, room=room),
        )

    def patch(self, token: Token, face: Face, changes: Any, demand: tuple[str, str] | None) -> None:
        """Change keys, and compare their new values; see `_change`."""
        new: list[dict[str, str]] = []

        def send(headers: dict[str, str]) -> Wrote:
            data, wrote = self.asker.patch(token, face, changes, headers)
            new.append(data)
            return wrote

        def meant(version: Any, now: Moment, room: bool) -> range:
            data, left = self.model.patch(token, changes, version, now, room=room)
            self.agree([data], new)
            return left

        self._change(token, None if face is Face.RPC else demand, send, meant)

    def delete(self, token: Token, face: Face, keys: Keys, demand: tuple[str, str] | None) -> Any:
        """Delete keys; see `_change`."""
        return self._change(
            token,
            None if face is Face.RPC else demand,  # /rpc has no conditional headers.
            lambda headers: self.asker.delete(token, face, keys, headers),
            lambda version, now, room: self.model.delete(token, keys, version, now, room=room),
        )

    def _change(
        self, token: Token, demand: tuple[str, str] | None, send: Callable[..., Any], meant: Callable[..., range]
    ) -> Any:
        """Send a write or a delete with an optional demand, compare it with the model, and return the outcome."""
        version = demand and (demand[0], self.tags.get(demand[1], "*" if demand[1] == "*" else 0))
        begun = time.time()
        found = outcome(lambda: send(dict([demand] if demand else [])))
        now, room = Moment.since(begun), not (isinstance(found, Refused) and found.retry_after)
        expected = outcome(lambda: meant(version, now, room))
        if (both := self.answers(expected, found)) is None:
            if isinstance(found, Refused) and found.retry_after:
                assert 1 <= found.retry_after <= LIMITS.seconds
                full = time.time() + found.retry_after, self.model.own(token).version
                self.full[token.app, token.viewer] = full
            return found
        left, answer = both
        assert answer.remaining is None or answer.remaining in left, (answer.remaining, left)
        self.learn(token, answer.etag)
        return found

    def wait(self, token: Token) -> None:
        """Wait for the Retry-After of a full window, and check that the window has room then."""
        until, version = self.full.pop((token.app, token.viewer), (0.0, 0))
        held = self.model.held.get((token.app, token.viewer))
        if held and held.version == version:
            time.sleep(max(0.0, until - time.time()))
            assert not isinstance(self.delete(token, Face.TWO, frozenset(["none"]), None), Refused)

    def read(self, token: Token, face: Face, users: list[str], keys: Keys, way: int) -> None:
        """Read and compare the data of named users, in the order of the names."""
        found = outcome(lambda: self.asker.read(token, face, users, keys, way))
        expected = outcome(lambda: self.model.read(token, face, users, keys))
        if both := self.answers(expected, found):
            data, (answer, tag) = both
            self.agree(list(data.items()), list(answer.items()))
            if users == [token.viewer]:
                self.learn(token, tag)

    def read_if_changed(self, token: Token, tag: int) -> None:
        """Read one's own data with a condition on a tag, and compare whether they are unchanged."""
        given = [self.tag_of(token), *self.tags][tag % (len(self.tags) + 1) if tag % 2 else 0]
        self.both(
            lambda: self.asker.is_unchanged(token, given),
            lambda: self.model.own(token).version == self.tags.get(given),
        )

    def usage(self, token: Token) -> None:
        begun = time.time()
        found = outcome(lambda: self.asker.usage(token))
        expected = outcome(lambda: self.model.usage(token, Moment.since(begun)))
        if both := self.answers(expected, found):
            (*used, left), (*told, remaining) = both
            self.agree(used, told)
            assert remaining in left

    def read_friends(self, token: Token, face: Face, of: str, keys: Keys, way: int) -> None:
        """Read and compare the data of friends, by id."""
        found = outcome(lambda: self.asker.read_friends(token, face, of, keys, way))
        expected = outcome(lambda: self.model.read_friends(token, face, of, keys))
        if both := self.answers(expected, found):
            self.agree(list(both[0].items()), list(both[1].items()))

    def people(self, token: Token, face: Face, users: list[str], fields: list[str], way: int) -> None:
        self.both(
            lambda: self.asker.people(token, face, users, fields, way),
            lambda: self.model.people(token, face, users, fields),
        )

    def friends(self, token: Token, face: Face, of: str, query: Query, fields: list[str], way: int) -> None:
        if query.followers and query.followers not in self.model.pages:
            return  # The server may return followers of a page that is being deleted, until it is cleared.
        self.both(
            lambda: self.asker.friends(token, face, of, query, fields, way),
            lambda: self.model.friends(token, face, of, query, fields),
        )
