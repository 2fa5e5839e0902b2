"""The people that an app may see (docs/reference/protocol/people.md, docs/reference/protocol/sharing.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.model.answers import Face, denied
from tests.model.community import Community, Token

BASIC = ("id", "displayName", "thumbnailUrl", "profileUrl", "thumbnailDetails", "bloodType")
PUBLISHED = {name: name for name in ("address", "birthday", "age", "gender")} | {"location": "address"}
"""Fields of the profile, each with its publication setting."""
SHARED = {"addresses": "address", "dateOfBirth": "birthday"}
"""OpenSocial's names, in `/rpc` and `/os/0.8`: each field with its publication setting."""
DEFAULT = ("id", "displayName", "thumbnailUrl", "profileUrl")
OWN = ("nickname", "isViewer", "isOwner", "hasApp")
"""Fields of `/rpc` and `/os/0.8` only."""
ALL = "@all"
REACH = ("nobody", "friends", "friendsOfFriends", "everyone")

Entry = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """The parameters of a list of friends; `followers` is the page that they must follow."""

    start: int = 0
    count: int = 20
    by_name: bool = False
    descending: bool = False
    has_app: bool = False
    followers: str | None = None


class People(Community):
    """The part of the model that reads people."""

    def people(self, token: Token, face: Face, users: Sequence[str], fields: Sequence[str]) -> list[Entry]:
        """Return named users. `/2` accepts the viewer or one friend; the other faces any user."""
        installed = self.has(token.app, token.viewer)
        named = all(user == token.viewer or (installed and self.are_friends(user, token.viewer)) for user in users)
        if face is Face.TWO and not named:
            raise denied()
        found = [user for user in users if self.may_see(token, user)]
        if not found and len(users) == 1:
            raise denied()
        return [self._entry(token, face, user, fields) for user in found]

    def friends(
        self, token: Token, face: Face, of: str, query: Query, fields: Sequence[str]
    ) -> tuple[list[Entry], int]:
        """Return a part of a user's friends, and how many pass the filter; the owner's friends not in `/2`."""
        listed = of == token.viewer or (face is not Face.TWO and of == token.owner)
        if not (listed and self.has(token.app, of)):
            raise denied()
        friends = [
            each for each in self.friends_of(of) if self.may_see(token, each) and self._passes(token, each, query)
        ]

        def order(user: str) -> tuple[str, str]:
            return (self.users[user]["displayName"].casefold() if query.by_name else "", user)

        friends.sort(key=order, reverse=query.descending)
        part = friends[query.start : query.start + query.count]
        return [self._entry(token, face, user, fields) for user in part], len(friends)

    def may_see(self, token: Token, user: str) -> bool:
        """Return whether the app may see a user: one with the app, else only a visible friend of another owner.

        A viewer without the app sees no one as the viewer's friend, only the owner and the owner's friends.
        """
        if user not in self.users:
            return False
        if not self.has(token.app, user):
            return self._is_seen_by_owner(token, user)
        if self.has(token.app, token.viewer) or not self.are_friends(user, token.viewer):
            return True
        return self.has(token.app, token.owner) and (user == token.owner or self.are_friends(user, token.owner))

    def _is_seen_by_owner(self, token: Token, user: str) -> bool:
        """Return the row "Owner: friends, not installed" (▲, △); the viewer's rows apply if the viewer is the owner."""
        others = token.owner != token.viewer and self.has(token.app, token.owner) and user != token.viewer
        return others and self.are_friends(user, token.owner) and bool(self.users[user]["visible"])

    def _may_see_field(self, token: Token, user: str, field: str) -> bool:
        setting = {**PUBLISHED, **SHARED}.get(field)
        if setting is None:
            return True
        publication = self.users[user]["publication"][setting]
        if self.limits.strict and self._closeness(token.viewer, user) < 4 - REACH.index(publication):
            return False
        return bool(publication != "nobody" if self.has(token.app, user) else publication == "everyone")

    def _closeness(self, viewer: str, user: str) -> int:
        """Return 3 for the viewer or a friend, 2 for a friend of a friend, 1 for anyone else."""
        if user == viewer or self.are_friends(user, viewer):
            return 3
        return 2 if set(self.friends_of(viewer)) & set(self.friends_of(user)) else 1

    def _passes(self, token: Token, user: str, query: Query) -> bool:
        followers = self.pages[query.followers].followers if query.followers in self.pages else set()
        return (not query.has_app or self.has(token.app, user)) and (query.followers is None or user in followers)

    def _entry(self, token: Token, face: Face, user: str, fields: Sequence[str]) -> Entry:
        known, own = self.users[user], () if face is Face.TWO else OWN
        every = {**known, "id": user, "location": known["address"], "nickname": known["displayName"]}
        every["thumbnailDetails"] = [
            {"value": url, "url": url, "width": 76, "height": 76} for url in [known["thumbnailUrl"]] if url
        ]
        every["name"] = dict.fromkeys(("formatted", "unstructured"), known["displayName"])
        every |= {"isViewer": user == token.viewer, "isOwner": user == token.owner, "hasApp": self.has(token.app, user)}
        every["dateOfBirth"] = known["birthday"]
        address = dict.fromkeys(("formatted", "unstructuredAddress"), known["address"])
        every["addresses"] = known["address"] and [address]
        shared = () if face is Face.TWO else SHARED
        known_names = (*BASIC, *PUBLISHED, *shared, *own, *(("name",) if own else ()))
        names = known_names if ALL in fields else ("id", *(fields or (*DEFAULT, *own)))
        return {
            name: every[name]
            for name in names
            if name in known_names and every[name] is not None and self._may_see_field(token, user, name)
        }
