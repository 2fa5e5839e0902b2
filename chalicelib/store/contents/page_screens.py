"""Reads for the web pages of a page and of a feed: everything that a screen shows, in three calls in sequence.

The first calls read in parallel who asks (the caller's `viewer`) and what needs no other answer, then comes the list,
then one BatchGet for everything that is named in it. Feeds and comments are described in items.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib.core.errors import NotFound
from chalicelib.core.model.contents import ContentsPart
from chalicelib.core.model.directory import Module, Page
from chalicelib.core.model.page_screens import (
    FeedScreen,
    Membership,
    MembersScreen,
    ModulesScreen,
    PageScreen,
    PostScreen,
)
from chalicelib.core.paging import Paging
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.favorites import favorite_id, more_favorites
from chalicelib.store.contents.items import (
    Tables,
    content_of,
    favorite_key,
    feed_key,
    generation_of,
    head_key,
    no_content,
    number_in,
    poster_of,
    prefix_of,
    shard_of,
    to_comment,
    to_feed,
)
from chalicelib.store.contents.numbered_lists import GENERATION, ListSlice, NumberedLists, entry_key, total
from chalicelib.store.directory import page_items
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.keys import CursorPart

NEEDS = (
    on_table("feeds", "GetItem", "BatchGetItem"),
    on_table("comments", "BatchGetItem", "GetItem"),
    on_table("favorites", "BatchGetItem"),
    on_table("directory", "BatchGetItem", "Query"),
)

MOST_MODULES = 20
"""The most apps that the screen of a page shows."""
MOST_MEMBERS = 20
"""The administrators, or modules, of one screen."""

Viewer = Callable[[], str | None]
"""A function that returns the id of the user who asks, or None; it may make one call."""


class PageScreens:
    """The screens of pages and feeds. `offset` is the deployment's UTC offset in minutes."""

    def __init__(
        self, dynamo: Dynamo, tables: Tables, directory: Directory, offset: int, clock: Callable[[], int]
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._offset = offset
        self._feeds = NumberedLists(dynamo, tables.feeds, clock)
        self._comments = NumberedLists(dynamo, tables.comments, clock)

    def page(self, page: str, paging: Paging, viewer: Viewer, *, consistent: bool = False) -> PageScreen:
        """Return the screen of a page. Raises NotFound (page) and ParameterInvalid (cursor).

        `consistent` is for the first read after a change by the user who asks; it doubles the cost of the last call.
        """
        users: list[str | None] = []
        modules: list[Module] = []
        slices: list[ListSlice | None] = []

        def read_feeds() -> None:
            slices.append(self._feeds.part(page, paging, lambda holder: ""))

        first: list[Callable[[], None]] = [
            lambda: users.append(viewer()),
            lambda: modules.extend(self._pages.modules(page, None, MOST_MODULES)[0]),
        ]
        # With a cursor, the list makes two calls in parallel, which only a thread of its own can do.
        side_by_side(first if paging.cursor else [*first, read_feeds])
        if paging.cursor:
            read_feeds()
        cut = slices[0]
        items = cut.entries if cut else []
        heads = [(self._tables.comments, head_key(content_of(page, item["u"]["S"]))) for item in items]
        posters = [poster_of(item) for item in items]
        apps = [self._apps.place(module.app) for module in modules]
        places = [*heads, *map(self._users.place, posters), *apps, *self._of_page(page, users[0])]
        found = self._dynamo.batch_get(places, consistent=consistent)
        known = page_items.from_item(self._pages.check(page, found))
        by_content = {key[0]: item for (table, key), item in found.items() if table == self._tables.comments}
        more = more_favorites(self._dynamo, self._tables, by_content)
        feeds = []
        for item in items:
            content = content_of(page, item["u"]["S"])
            head = by_content.get(content)
            # Else it was deleted, or deleted and posted again, between the two calls.
            if head is not None and generation_of(head) == generation_of(item):
                feeds.append(to_feed(item, head, more[content]))
        known_apps = (self._apps.from_item(found.get(place), with_secret=False) for place in apps)
        return PageScreen(
            known,
            ContentsPart(
                feeds,
                total(cut.holder) if cut else 0,
                paging.index,
                cut.following if cut else None,
                self._users.among(posters, found),
            ),
            modules,
            {app.id: app for app in known_apps if app},
            self._membership(page, users[0], found),
        )

    def feed(self, page: str, feed: str, cursor: str | None, viewer: Viewer, *, consistent: bool = False) -> FeedScreen:
        """Return the screen of a feed. Raises NotFound (page, feed) and ParameterInvalid (cursor).

        `consistent` is for the first read after a change by the user who asks; it doubles the cost of the last call.
        """
        if not _is_id(feed):
            raise no_content()
        users: list[str | None] = []
        feeds: list[Item | None] = []
        key = feed_key(page, feed)
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: feeds.append(self._dynamo.get(self._tables.feeds, key, consistent=consistent)),
            ]
        )
        item, user = feeds[0], users[0]
        if item is None:
            raise no_content()
        content = content_of(page, item["u"]["S"])
        paging = Paging(cursor=cursor)
        cut = self._comments.part(content, paging, prefix_of)
        if cut is None or generation_of(cut.holder) != generation_of(item):
            raise no_content()
        head = cut.holder
        posters = [poster_of(item), *map(poster_of, cut.entries)]
        places = [*map(self._users.place, posters), *self._of_page(page, user)]
        if user:
            own = favorite_key(content, shard_of(user, head), generation_of(head), user)
            places.append((self._tables.favorites, own))
        found: dict[Place, Item] = {}
        more: list[int] = []
        side_by_side(
            [
                lambda: found.update(self._dynamo.batch_get(places, consistent=consistent)),
                lambda: more.append(more_favorites(self._dynamo, self._tables, {content: head})[content]),
            ]
        )
        known = page_items.from_item(self._pages.check(page, found))
        favorite = found.get((self._tables.favorites, own)) if user else None
        return FeedScreen(
            known,
            to_feed(item, head, more[0]),
            ContentsPart(
                [to_comment(each, self._offset) for each in cut.entries], total(head), paging.index, cut.following
            ),
            self._users.among(posters, found),
            self._membership(page, user, found),
            favorite_id(favorite) if favorite else None,
        )

    def content_uri(self, page: str, feed: str) -> str:
        """Return the contentUri of the feed with an id, in one call. Raises NotFound."""
        item = self._dynamo.get(self._tables.feeds, feed_key(page, feed), consistent=True) if _is_id(feed) else None
        if item is None:
            raise no_content()
        uri: str = item["u"]["S"]
        return uri

    def post(self, page: str, feed: str, comment: str | None, viewer: Viewer) -> PostScreen:
        """Return a feed, or a comment on it, before it is deleted (strongly consistent). Raises NotFound.

        It takes three calls in sequence: the feed, the comment, the poster.
        """
        users: list[str | None] = []
        feeds: list[Item | None] = []
        if not _is_id(feed):
            raise no_content()
        key = feed_key(page, feed)
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: feeds.append(self._dynamo.get(self._tables.feeds, key, consistent=True)),
            ]
        )
        item, user = feeds[0], users[0]
        if item is None:
            raise no_content()
        content_uri, title = item["u"]["S"], item["t"]["S"]
        if comment is not None:
            asked = number_in(comment)
            prefix = f"{generation_of(item)}#"
            own = asked and entry_key(content_of(page, content_uri), prefix, asked[0])
            item = self._dynamo.get(self._tables.comments, own, consistent=True) if own else None
            if not (asked and item and item["r"]["S"] == asked[1]):
                raise NotFound("There is no such comment")
        poster = poster_of(item)
        places = [self._users.place(poster), *self._of_page(page, user)]
        found = self._dynamo.batch_get(places, consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        text = title if comment is None else item["t"]["S"]
        of = self._users.from_item(found.get(self._users.place(poster)))
        return PostScreen(known, content_uri, text, poster, of, self._membership(page, user, found))

    def administrators(self, page: str, cursor: str | None, viewer: Viewer) -> MembersScreen:
        """Return part of a page's administrators, in order of id. Raises NotFound and ParameterInvalid (cursor)."""
        users: list[str | None] = []
        parts: list[CursorPart[str]] = []
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: parts.append(self._pages.members.administrators(page, cursor, MOST_MEMBERS)),
            ]
        )
        ids, following = parts[0]
        found = self._dynamo.batch_get([*map(self._users.place, ids), *self._of_page(page, users[0])], consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        member = self._membership(page, users[0], found)
        return MembersScreen(known, ids, self._users.among(ids, found), following, member)

    def modules(self, page: str, cursor: str | None, viewer: Viewer) -> ModulesScreen:
        """Return part of a page's modules with their apps. Raises NotFound and ParameterInvalid (cursor)."""
        users: list[str | None] = []
        parts: list[CursorPart[Module]] = []
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: parts.append(self._pages.modules(page, cursor, MOST_MEMBERS)),
            ]
        )
        modules, following = parts[0]
        places = [self._apps.place(module.app) for module in modules]
        found = self._dynamo.batch_get([*places, *self._of_page(page, users[0])], consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        apps = (self._apps.from_item(found.get(place), with_secret=False) for place in places)
        member = self._membership(page, users[0], found)
        return ModulesScreen(known, modules, {app.id: app for app in apps if app}, following, member)

    def member(self, page: str, user: str) -> tuple[Page, Membership]:
        """Return a page and a user's relation to it, strongly consistent, in one call. Raises NotFound (page)."""
        found = self._dynamo.batch_get(self._of_page(page, user), consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        return known, self._membership(page, user, found)

    def _of_page(self, page: str, user: str | None) -> Sequence[Place]:
        members = self._pages.members
        rows: Iterable[Place] = (members.follower(page, user), members.administrator(page, user)) if user else ()
        return [self._pages.place(page), *rows]

    def _membership(self, page: str, user: str | None, found: Mapping[Place, Item]) -> Membership:
        if user is None:
            return Membership()
        members = self._pages.members
        return Membership(members.follower(page, user) in found, members.administrator(page, user) in found)


def _is_id(feed: str) -> bool:
    return len(feed) <= GENERATION
