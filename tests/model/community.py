"""Users, friendships, installs, pages and their members (docs/reference/protocol/admin.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from tests.model.answers import Moment, Refused, invalid, not_found

VERSIONS = count(1)
"""Each accepted write and each install makes a new version."""
NUMBERS = count(1)
"""Numbers of feeds and comments in the order of posting."""


class Token(NamedTuple):
    """The caller: an app, for a viewer; `owner` is the user whose app runs."""

    app: str
    viewer: str
    owner: str


@dataclass(frozen=True)
class Limits:
    """The settings of a deployment. Bytes are UTF-8 bytes of values."""

    quota: int
    keys: int
    writes: int
    seconds: int
    pairs: int = 99
    value: int = 65_535
    strict: bool = False
    """Whether a field published to friends (of friends) requires that relation between viewer and user."""


@dataclass
class Held:
    """The data of a user in an app. It exists exactly while the app is installed."""

    data: dict[str, str] = field(default_factory=dict)
    version: int = field(default_factory=VERSIONS.__next__)
    writes: list[Moment] = field(default_factory=list)
    """The times of accepted writes and deletes."""

    def of(self, keys: frozenset[str] | None) -> dict[str, str]:
        """Return the existing values of the keys (None: all)."""
        return {key: value for key, value in self.data.items() if keys is None or key in keys}


@dataclass
class Comment:
    """A comment on a feed."""

    id: str
    text: str
    poster: str
    created: Moment
    hidden: bool = False
    """A moderator has hidden it."""
    number: int = field(default_factory=NUMBERS.__next__)


class Told(NamedTuple):
    """An event that an app is told of: `where` is the page and contentUri of a content, or the changed keys."""

    app: str
    kind: str
    user: str
    sequence: int
    where: tuple[str, ...] = ()


@dataclass
class Feed:
    """A feed of a page, with its comments and favorites. `app` has posted it and is told of its events."""

    uri: str
    title: str
    body: str
    urls: dict[str, str]
    poster: str
    source: str
    shown: bool
    created: Moment
    app: str
    comments: list[Comment] = field(default_factory=list)
    favorites: dict[str, str] = field(default_factory=dict)
    """The favorite's id, by user."""
    hidden: bool = False
    """A moderator has hidden it."""
    number: int = field(default_factory=NUMBERS.__next__)


@dataclass
class Page:
    """A page. `shows` is its feedSource setting."""

    id: str
    name: str
    shows: str = "administrators"
    administrators: set[str] = field(default_factory=set)
    followers: set[str] = field(default_factory=set)
    modules: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The app and the module's name, by id."""
    feeds: dict[str, Feed] = field(default_factory=dict)
    """The feeds by contentUri."""


@dataclass
class Community:
    """The whole community. Its methods that change it return whether something changed, as `/admin` does."""

    limits: Limits
    apps: dict[str, str] = field(default_factory=dict)
    """The names of the apps, by id."""
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The fields of `/admin/users`, by id."""
    friendships: set[frozenset[str]] = field(default_factory=set)
    held: dict[tuple[str, str], Held] = field(default_factory=dict)
    """The data by app and user."""
    pages: dict[str, Page] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    """The events; each app asks for all kinds."""

    def are_friends(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self.friendships

    def friends_of(self, user: str) -> list[str]:
        return sorted(other for other in self.users if self.are_friends(user, other))

    def has(self, app: str, user: str) -> bool:
        """Return whether the user has installed the app."""
        return (app, user) in self.held

    def page(self, page: str) -> Page:
        if page not in self.pages:
            raise not_found()
        return self.pages[page]

    def need_user(self, user: str) -> None:
        if user not in self.users:
            raise not_found()

    def befriend(self, one: str, other: str) -> bool:
        if one == other:
            raise invalid()
        self.need_user(one)
        self.need_user(other)
        return _put(self.friendships, frozenset((one, other)), there=True)

    def unfriend(self, one: str, other: str) -> bool:
        if one == other:
            return False
        self.need_user(one)
        self.need_user(other)
        return _put(self.friendships, frozenset((one, other)), there=False)

    def install(self, app: str, user: str) -> bool:
        self.need_user(user)
        if self.has(app, user):
            return False
        self.held[app, user] = Held()
        self.told.append(Told(app, "app.installed", user, 1))
        return True

    def uninstall(self, app: str, user: str) -> bool:
        """Uninstall the app and erase its data; a later install begins without data."""
        if self.held.pop((app, user), None) is None:
            return False
        self.told.append(Told(app, "app.uninstalled", user, 2))
        return True

    def tell(self, kind: str, sequence: int, page: str, feed: Feed, user: str) -> None:
        """Tell the app that posted a feed of an event of its contents."""
        self.told.append(Told(feed.app, kind, user, sequence, (page, feed.uri)))

    def change_user(self, user: str, fields: dict[str, Any]) -> None:
        self.need_user(user)
        known = self.users[user]
        publication = {**known["publication"], **fields.get("publication", {})}
        known.update({**fields, "publication": publication})

    def set_role(self, role: str, page: str, user: str, *, there: bool) -> bool:
        """Add a user to a role, or remove it. `role` is administrators or followers."""
        holders: set[str] = getattr(self.page(page), role)
        self.need_user(user)
        return _put(holders, user, there=there)

    def show(self, page: str, source: str) -> str:
        """Set whose posts a page shows from now on, administrators' or everyone's; each post is judged when posted."""
        self.page(page).shows = source
        return source

    def add_module(self, page: str, app: str, name: str, module: str) -> None:
        if module in self.page(page).modules:
            raise Refused(409, "conflict")
        self.page(page).modules[module] = (app, name)

    def remove_module(self, page: str, module: str) -> bool:
        return page in self.pages and self.pages[page].modules.pop(module, None) is not None

    def erase(self, user: str) -> dict[str, int]:
        """Erase a user and all the user's data; return the number of items of each kind."""
        friendships = {each for each in self.friendships if user in each}
        installs = [key for key in self.held if key[1] == user]
        roles = [each for page in self.pages.values() for each in (page.administrators, page.followers) if user in each]
        known = self.users.pop(user, None) is not None
        self.friendships -= friendships
        for app, _ in installs:
            self.uninstall(app, user)
            self.told.append(Told(app, "user.erased", user, 3))
        for holders in roles:
            holders.remove(user)
        counts = (int(known), len(friendships), len(installs), len(roles), self._erase_posts(user))
        return dict(zip(("profiles", "friendships", "installs", "page roles", "posts"), counts, strict=True))

    def _erase_posts(self, user: str) -> int:
        posts = 0
        for page in self.pages.values():
            for feed in page.feeds.values():
                if feed.favorites.pop(user, None) is not None:
                    posts += 1
                    self.tell("favorite.removed", 2, page.id, feed, user)
                for _ in (comment for comment in feed.comments if comment.poster == user):
                    posts += 1
                    self.tell("comment.deleted", 2, page.id, feed, user)
                feed.comments = [comment for comment in feed.comments if comment.poster != user]
            for feed in (feed for feed in page.feeds.values() if feed.poster == user):
                posts += 1
                self.tell("feed.deleted", 2, page.id, feed, user)
            page.feeds = {uri: feed for uri, feed in page.feeds.items() if feed.poster != user}
        return posts


def _put(holders: set[Any], each: Any, *, there: bool) -> bool:
    """Add `each` to the holders or remove it; return whether that is a change."""
    changed = (each in holders) != there
    (holders.add if there else holders.discard)(each)
    return changed
