"""The invariants of users, apps, pages and grants, which hold between any two writes. They are checked by scans.

A scan is not a snapshot, so no client may write during it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.core.roles import Role
from chalicelib.store.aws.items import Item, key_of
from chalicelib.store.directory.counts import COUNTED, counter_key, kind_of
from chalicelib.store.directory.keys import (
    ADMINISTRATOR,
    COUNTS,
    FOLLOWER,
    FRIEND,
    INSTALL,
    ITSELF,
    MODULE,
    ROLES,
    app_key,
    login_key,
    of_user,
    page_key,
    search_key,
    user_key,
)
from chalicelib.store.directory.roles import COUNT
from chalicelib.store.directory.search_rows import TEXTS, expected, is_named, texts_of
from chalicelib.store.grants.grant_items import GRANT, family_key
from chalicelib.store.grants.sessions import SESSION


class People:
    """The directory and the grants, as found by scans."""

    def __init__(self, directory: Iterable[Item], grants: Iterable[Item]) -> None:
        self.rows = {key_of(item): item for item in directory}
        self.grants = {key_of(item): item for item in grants}

    def wrongs(self) -> list[str]:
        """Return all violated invariants."""
        return [
            *self._counts(),
            *self._totals(),
            *self._holders(),
            *self._logins(),
            *self._search(),
            *self._families(),
            *self._sessions(),
            *self._leaving(),
        ]

    def _of_kind(self, kind: str) -> Iterator[tuple[str, str, Item]]:
        """Yield the owner's id, the named id and the item of every row of a kind."""
        for (pk, sk), item in self.rows.items():
            if sk.startswith(kind) and sk != ITSELF:
                yield pk.partition("#")[2], sk.removeprefix(kind), item

    def _counts(self) -> Iterator[str]:
        counted: Counter[tuple[tuple[str, str], str]] = Counter()
        for user, friend, _ in self._of_kind(FRIEND):
            counted[user_key(user), "friends"] += 1
            if of_user(friend, FRIEND, user) not in self.rows:
                yield f"a friendship has one side: {user} {friend}"
        for page, user, _ in self._of_kind(FOLLOWER):
            counted[user_key(user), "pages"] += 1
            counted[page_key(page), "followers"] += 1
        for _, user, _ in self._of_kind(ADMINISTRATOR):
            counted[user_key(user), "pages"] += 1
        for _, _, item in self._of_kind(MODULE):
            counted[app_key(item["app"]["S"]), "modules"] += 1
        for key, item in self.rows.items():
            if "ro" in item:
                counted[ROLES, COUNT] += item["ro"]["S"] == Role.OPERATOR.value
                if "su" in item or "gone" in item:
                    yield f"a user with a role is suspended or deleted: {key}"
        names = ("friends", "pages", "followers", "modules", COUNT)
        told = {(key, name): int(item[name]["N"]) for key, item in self.rows.items() for name in names if name in item}
        for place in counted.keys() | told.keys():
            if counted[place] != told.get(place, 0):
                yield f"{place} says {told.get(place, 0)}, there are {counted[place]}"

    def _totals(self) -> Iterator[str]:
        """Compare each shard of the counters of users, apps, pages and installs with the items that it counts."""
        counted: Counter[tuple[str, str]] = Counter()
        for key, item in self.rows.items():
            if (kind := kind_of(item)) and COUNTED in item:
                counted[counter_key(kind, key)] += 1
        told = {key: int(item["n"]["N"]) for key, item in self.rows.items() if key[0] == COUNTS}
        for shard in counted.keys() | told.keys():
            if counted[shard] != told.get(shard, 0):
                yield f"the counter {shard} says {told.get(shard, 0)}, there are {counted[shard]}"

    def _holders(self) -> Iterator[str]:
        for pk, sk in self.rows:
            if pk != COUNTS and not pk.startswith("find#") and (pk, ITSELF) not in self.rows:
                yield f"a row of what is not there: {pk} {sk}"
        for user, app, _ in self._of_kind(INSTALL):
            if app_key(app) not in self.rows:
                yield f"{user} has installed an app that is not there: {app}"

    def _logins(self) -> Iterator[str]:
        given = {
            login_key(item["l"]["S"]): key
            for key, item in self.rows.items()
            if key[0].startswith("user#") and "l" in item
        }
        stored = {key: user_key(item["u"]["S"]) for key, item in self.rows.items() if key[0].startswith("login#")}
        if odd := given.items() ^ stored.items():
            yield f"a login without its user, or the reverse: {sorted(odd)}"

    def _search(self) -> Iterator[str]:
        named = {key: item for key, item in self.rows.items() if is_named(item)}
        for key, item in named.items():
            # Items of versions before the search and the counters have neither, until a migration.
            if expected(item) != texts_of(item) and (TEXTS in item or COUNTED in item):
                yield f"the search has {sorted(texts_of(item))} of {key}, not {sorted(expected(item))}"
        wanted = {
            search_key(key[0].partition("#")[0], text, key[0].partition("#")[2])
            for key, item in named.items()
            for text in texts_of(item)
        }
        if odd := wanted ^ {key for key in self.rows if key[0].startswith("find#")}:
            yield f"a row of the search without its item, or the reverse: {sorted(odd)}"

    def _families(self) -> Iterator[str]:
        named: dict[tuple[str, str], tuple[str, str]] = {}
        for key, item in self.grants.items():
            if key[1].startswith(GRANT):
                named |= {family_key(label.partition("#")[2]): key for label in item.get("families", {}).get("SS", ())}
                if key[0].startswith("user#") and (key[0], ITSELF) not in self.rows:
                    yield f"a grant of a user who is not there: {key}"
        stored = {key for key in self.grants if key[0].startswith("family#")}
        if odd := named.keys() ^ stored:
            yield f"a code or refresh token without its grant, or the reverse: {sorted(odd)}"

    def _sessions(self) -> Iterator[str]:
        for pk, sk in self.grants:
            if sk.startswith(SESSION) and (pk, ITSELF) not in self.rows:
                yield f"a session of a user who is not there: {pk}"

    def _leaving(self) -> Iterator[str]:
        """Yield the leaving users without their row. A row without its user is left only until the next sweep."""
        for (pk, sk), item in self.rows.items():
            if sk == ITSELF and "lv" in item:
                due = int(item["lv"]["N"])
                if (f"leaving#{due:015d}#{pk.partition('#')[2]}", ITSELF) not in self.rows:
                    yield f"a leaving user whom no sweep finds: {pk}"


def scan(dynamodb: Any, prefix: str = "engawa-local-") -> People:
    """Return the directory and the grants of a deployment, read with a boto3 client."""

    def items(table: str) -> list[Item]:
        pages = dynamodb.get_paginator("scan").paginate(TableName=prefix + table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    return People(items("directory"), items("grants"))
