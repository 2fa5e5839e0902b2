"""What the console shows about one user, in few calls: friends, apps with grants, sessions, pages and posts.

A part of a list takes two calls in sequence: its keys, and one read of all items that it names. Names of what was
deleted meanwhile are left out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import NotFound
from chalicelib.core.model.directory import App, Page, User
from chalicelib.core.moderation import Post
from chalicelib.core.oauth import Grant
from chalicelib.core.search import from_key_cursor, to_key_cursor
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_index, on_table
from chalicelib.store.aws.items import Item, Key, Place, key_of
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.items import Tables, by, feed_id, feed_of, head_key, to_comment
from chalicelib.store.directory import page_items
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.keys import CursorPart
from chalicelib.store.grants.grant_items import grant_key, to_grant
from chalicelib.store.grants.sessions import UserSession, UserSessions

NEEDS = (
    on_index("feeds"),
    on_index("comments"),
    on_table("feeds", "BatchGetItem"),
    on_table("comments", "BatchGetItem"),
    on_table("directory", "BatchGetItem"),
    on_table("grants", "BatchGetItem"),
)

T = TypeVar("T")
ListOfUser = tuple[User, list[T], str | None]
"""A user, part of a list, and the cursor of the next part."""

SHOWN = 5
"""The entries of each list on the page of a user."""
POSTS = 10
"""The posts of a part of their list: a post has at most 40 KB of text."""


@dataclass(frozen=True)
class InstalledApp:
    """An app that a user has installed (None: it was deleted meanwhile), and the user's grant to it."""

    id: str
    app: App | None
    grant: Grant | None


@dataclass(frozen=True)
class MemberPage:
    """A page that a user administers or follows."""

    page: Page
    administers: bool


@dataclass(frozen=True)
class PostLine:
    """A feed or a comment of a user: when it was posted (W3C date) and how it begins."""

    post: Post
    date: str
    text: str


@dataclass(frozen=True)
class UserOverview:
    """A user, and the beginnings of the lists of what belongs to them; the cursors of the rest are None at the end."""

    user: User
    friends: CursorPart[User]
    apps: CursorPart[InstalledApp]
    pages: Sequence[MemberPage]
    more_pages: bool
    sessions: Sequence[UserSession]


class UserOverviews:
    """The overviews of the users of one deployment. `offset` is its UTC offset in minutes."""

    def __init__(
        self,
        dynamo: Dynamo,
        directory: Directory,
        sessions: UserSessions,
        tables: Tables,
        grants_table: str,
        offset: int,
    ) -> None:
        self._dynamo = dynamo
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._directory = directory.friends_and_installs
        self._sessions = sessions
        self._tables = tables
        self._grants_table = grants_table
        self._offset = offset

    def overview(self, user: str) -> UserOverview:
        """Return the overview of a user (two calls in sequence). Raises NotFound and Unavailable."""
        members = self._pages.members
        known: list[User | None] = []
        friends: list[CursorPart[str]] = []
        apps: list[CursorPart[str]] = []
        administered: list[CursorPart[str]] = []
        followed: list[CursorPart[str]] = []
        rows: list[Sequence[UserSession]] = []
        side_by_side(
            [
                lambda: known.append(self._users.get(user)),
                lambda: friends.append(self._directory.friends(user, count=SHOWN)),
                lambda: apps.append(self._directory.installs(user, count=SHOWN)),
                lambda: administered.append(members.administered(user, count=SHOWN)),
                lambda: followed.append(members.followed(user, count=SHOWN)),
                lambda: rows.append(self._sessions.stored_of(user)),
            ]
        )
        if known[0] is None:
            raise NotFound(f"There is no user {user}")
        (friend_ids, more_friends), (app_ids, more_apps) = friends[0], apps[0]
        pages = {**dict.fromkeys(followed[0][0], False), **dict.fromkeys(administered[0][0], True)}
        places = [self._users.place(friend) for friend in friend_ids]
        places += [place for app in app_ids for place in self._places_of_app(user, app)]
        places += [self._pages.place(page) for page in pages]
        found = self._dynamo.batch_get(places, consistent=False)
        return UserOverview(
            known[0],
            (self._known_users(friend_ids, found), more_friends),
            (self._installed(user, app_ids, found), more_apps),
            self._member_pages(pages, found),
            administered[0][1] is not None or followed[0][1] is not None,
            self._sessions.valid_of(known[0], rows[0]),
        )

    def friends(self, user: str, cursor: str | None, count: int) -> ListOfUser[User]:
        """Return a user, and part of the user's friends in order of id. All lists take two calls in sequence.

        Raises NotFound, ParameterInvalid (cursor) and Unavailable.
        """
        known, (ids, following) = self._beside_user(user, lambda: self._directory.friends(user, cursor, count))
        return known, self._known_users(ids, self._read(map(self._users.place, ids))), following

    def apps(self, user: str, cursor: str | None, count: int) -> ListOfUser[InstalledApp]:
        """Return a user, and part of the user's apps in order of id."""
        known, (ids, following) = self._beside_user(user, lambda: self._directory.installs(user, cursor, count))
        found = self._read(place for app in ids for place in self._places_of_app(user, app))
        return known, self._installed(user, ids, found), following

    def pages(self, user: str, cursor: str | None, count: int, *, administered: bool) -> ListOfUser[MemberPage]:
        """Return a user, and part of the pages that the user administers, or else follows, in order of id."""
        members = self._pages.members
        listed = members.administered if administered else members.followed
        known, (ids, following) = self._beside_user(user, lambda: listed(user, cursor, count))
        found = self._read(map(self._pages.place, ids))
        return known, self._member_pages(dict.fromkeys(ids, administered), found), following

    def feeds(self, user: str, cursor: str | None, count: int = POSTS) -> ListOfUser[PostLine]:
        """Return a user, and part of the user's feeds in no order."""
        table = self._tables.feeds
        known, (keys, following) = self._beside_user(user, lambda: self._posts(table, user, cursor, count))
        items = self._read((table, key) for key in keys)
        found = [items.get((table, key)) for key in keys]
        return known, [self._line(item, _feed_post(item), item["b"]["S"]) for item in found if item], following

    def comments(self, user: str, cursor: str | None, count: int = POSTS) -> ListOfUser[PostLine]:
        """Return a user, and part of the user's comments in no order."""
        table = self._tables.comments
        known, (keys, following) = self._beside_user(user, lambda: self._posts(table, user, cursor, count))
        heads = {key: (table, head_key(key[0])) for key in keys}
        items = self._read([*((table, key) for key in keys), *heads.values()])
        found = [(items.get((table, key)), items.get(heads[key])) for key in keys]
        lines = []
        for item, head in found:
            if item and head:
                comment = to_comment(item, self._offset)
                lines.append(self._line(item, Post(head["pg"]["S"], feed_of(head), comment.id), comment.text))
        return known, lines, following

    def user_and_app(self, user: str, app: str) -> tuple[User, App | None]:
        """Return a user and an app, in one call. Raises NotFound (no such user) and Unavailable."""
        places = [self._users.place(user), self._apps.place(app)]
        found = self._dynamo.batch_get(places, consistent=False)
        known = self._users.from_item(found.get(places[0]))
        if known is None:
            raise NotFound(f"There is no user {user}")
        return known, self._apps.from_item(found.get(places[1]), with_secret=False)

    def _beside_user(self, user: str, read: Callable[[], T]) -> tuple[User, T]:
        known: list[User | None] = []
        found: list[T] = []
        side_by_side([lambda: known.append(self._users.get(user)), lambda: found.append(read())])
        if known[0] is None:
            raise NotFound(f"There is no user {user}")
        return known[0], found[0]

    def _posts(self, table: str, user: str, cursor: str | None, count: int) -> CursorPart[Key]:
        after = from_key_cursor(cursor) if cursor else None
        keys = [key_of(item) for item in self._dynamo.listed(table, by(user), limit=count + 1, after=after)]
        return keys[:count], to_key_cursor(keys[count - 1]) if len(keys) > count else None

    def _line(self, item: Item, post: Post, text: str) -> PostLine:
        return PostLine(post, w3cdtf(int(item["c"]["N"]), self._offset), text[:200])

    def _read(self, places: Iterable[Place]) -> dict[Place, Item]:
        return self._dynamo.batch_get(list(dict.fromkeys(places)), consistent=False)

    def _places_of_app(self, user: str, app: str) -> tuple[Place, Place]:
        return self._apps.place(app), (self._grants_table, grant_key(app, user))

    def _known_users(self, ids: Sequence[str], found: dict[Place, Item]) -> list[User]:
        known = self._users.among(ids, found)
        return [known[user] for user in ids if user in known]

    def _installed(self, user: str, ids: Sequence[str], found: dict[Place, Item]) -> list[InstalledApp]:
        apps = []
        for app in ids:
            place, grant_place = self._places_of_app(user, app)
            grant = found.get(grant_place)
            known = self._apps.from_item(found.get(place), with_secret=False)
            apps.append(InstalledApp(app, known, to_grant(grant) if grant else None))
        return apps

    def _member_pages(self, pages: dict[str, bool], found: dict[Place, Item]) -> list[MemberPage]:
        items = {page: found.get(self._pages.place(page)) for page in pages}
        return [
            MemberPage(page_items.from_item(item), pages[page])
            for page, item in items.items()
            if item and "gone" not in item
        ]


def _feed_post(item: Item) -> Post:
    page, _ = key_of(item)
    return Post(page, feed_id(item))
