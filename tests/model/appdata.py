"""Persistent data (docs/reference/protocol/persistence.md, docs/reference/protocol/sharing.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.model.answers import Face, Moment, Refused, denied, invalid
from tests.model.community import VERSIONS, Community, Held, Token, Told

NUMBER = re.compile(r"-?[0-9]{1,18}")
KEY = re.compile(r"[A-Za-z0-9_.\-]{1,255}")
ANY = "*"
Demand = tuple[str, int | str] | None
"""A condition on the version: ("If-Match" or "If-None-Match", a version or ANY)."""
Keys = frozenset[str] | None
"""None: every key."""
Changes = Mapping[str, str | None] | Callable[[Mapping[str, str]], Mapping[str, str | None]] | None
"""New values by key (None: delete), a function that returns them for the present values, or None: delete every key."""


def size(data: Mapping[str, str]) -> int:
    return sum(len(value.encode()) for value in data.values())


class AppData(Community):
    """The part of the model that reads and writes app data."""

    def own(self, token: Token) -> Held:
        if not self.has(token.app, token.viewer):
            raise denied()
        return self.held[token.app, token.viewer]

    def read(self, token: Token, face: Face, users: Sequence[str], keys: Keys) -> dict[str, dict[str, str]]:
        """Return the data of named users. `/2` accepts the viewer or one friend; the others any user with the app."""
        if face is Face.TWO:
            self.own(token)
            if users[0] != token.viewer and not self.are_friends(users[0], token.viewer):
                raise denied()
        found = {user: self.held[token.app, user].of(keys) for user in users if self.has(token.app, user)}
        if not found and len(users) == 1:
            raise denied()
        return found

    def read_friends(self, token: Token, face: Face, of: str, keys: Keys) -> dict[str, dict[str, str]]:
        """Return the data, by id, of the friends who have some: of the viewer's or, except in `/2`, of the owner's."""
        listed = of == token.viewer or (face is not Face.TWO and of == token.owner)
        if not (listed and self.has(token.app, of)):
            raise denied()
        friends = [friend for friend in self.friends_of(of) if self.has(token.app, friend)]
        return {friend: data for friend in friends if (data := self.held[token.app, friend].of(keys))}

    def usage(self, token: Token, now: Moment) -> tuple[int, int, range]:
        """Return the bytes and keys used, and the range of writes that may be left."""
        own, (least, most) = self.own(token), self.in_window(token, now)
        return size(own.data), len(own.data), range(self.limits.writes - most, self.limits.writes - least + 1)

    def write(self, token: Token, pairs: object, demand: Demand, now: Moment, *, room: bool) -> range:
        """Store the pairs, all or none; other keys are kept."""
        return self._change(token, self._checked(pairs), demand, now, room)

    def patch(
        self, token: Token, changes: Mapping[str, Mapping[str, Any]], demand: Demand, now: Moment, *, room: bool
    ) -> tuple[dict[str, str], range]:
        """Carry out valid changes, all or none; return the new values, and how many writes may be left."""

        def results(before: Mapping[str, str]) -> dict[str, str | None]:
            if any("if" in change and before.get(key) != change["if"] for key, change in changes.items()):
                raise Refused(412, "precondition_failed")
            return {key: _result(change, before.get(key)) for key, change in changes.items()}

        left = self._change(token, results, demand, now, room)
        return self.own(token).of(frozenset(changes)), left

    def delete(self, token: Token, keys: Keys, demand: Demand, now: Moment, *, room: bool) -> range:
        """Delete the keys, whether they exist or not."""
        if keys is not None and len(keys) > self.limits.pairs:
            raise self._too_many()
        return self._change(token, None if keys is None else dict.fromkeys(keys), demand, now, room)

    def in_window(self, token: Token, now: Moment) -> tuple[int, int]:
        """Return how many writes the window counts, at least and at most: the server's exact times are not known."""
        writes, span = self.own(token).writes, self.limits.seconds
        return sum(each.begun > now.ended - span for each in writes), sum(
            each.ended > now.begun - span for each in writes
        )

    def _checked(self, pairs: object) -> dict[str, str]:
        if pairs is None or pairs in ({}, []):
            raise invalid("No key/value pairs")
        if not isinstance(pairs, dict):
            raise Refused(400, "bad_request")
        if len(pairs) > self.limits.pairs:
            raise self._too_many()
        if not all(map(KEY.fullmatch, pairs)):
            raise invalid()
        if not all(isinstance(value, str) for value in pairs.values()):
            raise Refused(400, "bad_request", "No value associated with specified key.")
        for key, value in pairs.items():
            if len(value.encode()) > self.limits.value:
                raise invalid(f"Value of key {key} is too long (max={self.limits.value})")
        return pairs

    def _too_many(self) -> Refused:
        return Refused(413, "request_entity_too_large", f"Too many key/value pairs (max={self.limits.pairs})")

    def _change(self, token: Token, changes: Changes, demand: Demand, now: Moment, room: bool) -> range:
        """Return how many writes may be left afterwards. `room`: the window had room, if only the server can know."""
        own, limits = self.own(token), self.limits
        if demand is not None and _matches(own, demand[1]) != (demand[0] == "If-Match"):
            raise Refused(412, "precondition_failed")
        least, most = self.in_window(token, now)
        if least >= limits.writes or (most >= limits.writes and not room):
            raise Refused(503, "service_unavailable", "appdata update frequency is too high", 417)
        deletes_all = changes is None
        if callable(changes):
            changes = changes(own.data)
        changed = dict.fromkeys(own.data) if changes is None else changes
        after = {key: value for key, value in {**own.data, **changed}.items() if value is not None}
        if size(after) > limits.quota and size(after) > size(own.data):
            raise invalid(f"Limit exceeded size quota (max={limits.quota})", 417)
        if len(after) > limits.keys and len(after) > len(own.data):
            raise invalid(f"Too many keys (max={limits.keys})")
        own.data, own.version = after, next(VERSIONS)
        own.writes.append(now)
        keys = ("*",) if deletes_all else tuple(sorted(changed))
        self.told.append(Told(token.app, "data.changed", token.viewer, len(own.writes), keys))
        return range(limits.writes - most - 1, limits.writes - least)


def _result(change: Mapping[str, Any], stored: str | None) -> str | None:
    """Return the new value that one valid change gives."""
    match change:
        case {"set": value}:
            return str(value)
        case {"delete": True}:
            return None
        case {"append": value}:
            try:
                entries = [] if stored is None else json.loads(stored)
            except ValueError:
                raise invalid() from None
            if not isinstance(entries, list):
                raise invalid()
            entries = [*entries, value][-change.get("last", len(entries) + 1) :]
            return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    if stored is not None and not NUMBER.fullmatch(stored):
        raise invalid()
    (operation,) = change.keys() & {"add", "max", "min"}
    number = int(change[operation])
    if operation != "add":
        return str(number if stored is None else {"max": max, "min": min}[operation](int(stored), number))
    total = int(stored or 0) + number
    if not int(change.get("atLeast", total)) <= total <= int(change.get("atMost", total)):
        raise Refused(409, "bound_exceeded")
    return str(total)


def _matches(own: Held, version: int | str) -> bool:
    return bool(own.data) if version == ANY else own.version == version
