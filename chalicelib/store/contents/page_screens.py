"""Reads for the web pages of a page and of a feed: everything that a screen shows, in three calls in sequence.

The first calls read in parallel who asks (the caller's `viewer`) and what needs no other answer, then comes the list,
then one BatchGet for everything that is named in it. Feeds and comments are described in items.py.
"""

from collections.abc import Callable

from chalicelib.core.errors import NotFound
from chalicelib.core.model.contents import ContentsPart
from chalicelib.core.model.directory import Module
from chalicelib.core.model.page_screens import (
    FeedScreen,
    PageScreen,
    PostScreen,
)
from chalicelib.core.moderation import sees_hidden
from chalicelib.core.paging import Paging
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place, beginning
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.favorites import favorite_id, more_favorites
from chalicelib.store.contents.items import (
    Tables,
    content_of,
    favorite_key,
    feed_key,
    generation_of,
    head_key,
    hidden_at,
    hidden_feed_key,
    no_content,
    number_in,
    poster_of,
    prefix_of,
    shard_of,
    to_comment,
    to_feed,
)
from chalicelib.store.contents.numbered_lists import (
    GENERATION,
    ListSlice,
    NumberedLists,
    entry_key,
    hidden_key,
    total,
)
from chalicelib.store.directory import page_items
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.page_administration import PageAdministration, Viewer

NEEDS = (
    on_table("feeds", "BatchGetItem", "GetItem"),
    on_table("comments", "BatchGetItem", "Query"),
    on_table("favorites", "BatchGetItem"),
    on_table("directory", "BatchGetItem"),
)

MOST_MODULES = 20
"""The most apps that the screen of a page shows."""

MOST_HIDDEN = 20
"""The most hidden comments that the screen of a feed shows, to those who may see them."""


class PageScreens:
    """The screens of pages and feeds. `offset` is the deployment's UTC offset in minutes."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        directory: Directory,
        administration: PageAdministration,
        offset: int,
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._administration = administration
        self._offset = offset
        self._feeds = NumberedLists(dynamo, tables.feeds, clock)
        self._comments = NumberedLists(dynamo, tables.comments, clock)

    def page(self, page: str, paging: Paging, viewer: Viewer, *, consistent: bool = False) -> PageScreen:
        """Return the screen of a page. Raises NotFound (page) and ParameterInvalid (cursor).

        `consistent` is for the first read after a change by the user who asks; it doubles the cost of the list and of
        the last call.
        """
        users: list[str | None] = []
        modules: list[Module] = []
        slices: list[ListSlice | None] = []

        def read_feeds() -> None:
            slices.append(self._feeds.part(page, paging, lambda holder: "", consistent=consistent))

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
        places = [*heads, *map(self._users.place, posters), *apps, *self._administration.places(page, users[0])]
        found = self._dynamo.batch_get(places, consistent=consistent)
        known = page_items.from_item(self._pages.check(page, found))
        by_content = self._tables.heads(found)
        more = more_favorites(self._dynamo, self._tables, by_content)
        feeds = []
        for item in items:
            content = content_of(page, item["u"]["S"])
            head = by_content.get(content)
            # Else it was deleted, deleted and posted again, or hidden between the two calls.
            if head is not None and generation_of(head) == generation_of(item) and hidden_at(head) is None:
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
            self._administration.membership(page, users[0], found),
        )

    def feed(self, page: str, feed: str, cursor: str | None, viewer: Viewer, *, consistent: bool = False) -> FeedScreen:
        """Return the screen of a feed. Raises NotFound (page, feed) and ParameterInvalid (cursor).

        A hidden feed is not found, except by its poster, the page's administrators and moderators.
        `consistent` is for the first read after a change by the user who asks; it doubles the cost of what is read.
        """
        if not _is_id(feed):
            raise no_content()
        users: list[str | None] = []
        feeds: dict[Place, Item] = {}
        keys = [(self._tables.feeds, key) for key in (feed_key(page, feed), hidden_feed_key(page, feed))]
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: feeds.update(self._dynamo.batch_get(keys, consistent=consistent)),
            ]
        )
        item, user = next(iter(feeds.values()), None), users[0]
        if item is None or (hidden_at(item) is not None and user is None):
            raise no_content()
        content, generation = content_of(page, item["u"]["S"]), generation_of(item)
        paging = Paging(cursor=cursor)
        hidden: list[Item] = []
        slices: list[ListSlice | None] = []

        def read_comments() -> None:
            slices.append(self._comments.part(content, paging, prefix_of, consistent=consistent))

        reads: list[Callable[[], None]] = [read_comments]
        if user and not cursor:
            reads.append(lambda: hidden.extend(self._hidden(content, generation)))
        # With a cursor, the list makes two calls in parallel, which only a thread of its own can do.
        side_by_side(reads) if len(reads) > 1 else reads[0]()
        cut = slices[0]
        if cut is None or generation_of(cut.holder) != generation:
            raise no_content()
        head = cut.holder
        posters = [poster_of(item), *map(poster_of, cut.entries), *map(poster_of, hidden)]
        places = [*map(self._users.place, posters), *self._administration.places(page, user)]
        if user:
            places.append(self._users.place(user))
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
        member = self._administration.membership(page, user, found)
        asker = self._users.from_item(found.get(self._users.place(user))) if user else None

        def sees(post: Item) -> bool:
            moderates = asker is not None and asker.role is not None
            return sees_hidden(viewer=user, poster=poster_of(post), administers=member.administers, moderates=moderates)

        if hidden_at(item) is not None and not sees(item):
            raise no_content()
        return FeedScreen(
            known,
            to_feed(item, head, more[0]),
            ContentsPart(
                [to_comment(each, self._offset) for each in cut.entries], total(head), paging.index, cut.following
            ),
            self._users.among(posters, found),
            member,
            favorite_id(favorite) if favorite else None,
            [to_comment(each, self._offset) for each in hidden if sees(each)],
        )

    def _hidden(self, content: str, generation: str) -> list[Item]:
        """Return the newest hidden comments of a content, at most MOST_HIDDEN."""
        span = beginning(hidden_key(content, f"{generation}#", 0)[1][:-10])
        found = self._dynamo.query(
            self._tables.comments, content, span, consistent=False, limit=MOST_HIDDEN, backwards=True
        )
        return list(found)

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
        found: dict[Place, Item] = {}
        if not _is_id(feed):
            raise no_content()
        keys = [(self._tables.feeds, key) for key in (feed_key(page, feed), hidden_feed_key(page, feed))]
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: found.update(self._dynamo.batch_get(keys, consistent=True)),
            ]
        )
        item, user = next(iter(found.values()), None), users[0]
        if item is None:
            raise no_content()
        content_uri, text = item["u"]["S"], item["t"]["S"]
        hidden = hidden_at(item) is not None
        if comment is not None:
            item = self._comment(content_of(page, content_uri), generation_of(item), comment)
            text, hidden = item["t"]["S"], hidden or hidden_at(item) is not None
        poster = poster_of(item)
        places = [self._users.place(poster), *self._administration.places(page, user)]
        found = self._dynamo.batch_get(places, consistent=True)
        known, member = (
            page_items.from_item(self._pages.check(page, found)),
            self._administration.membership(page, user, found),
        )
        if hidden and not sees_hidden(viewer=user, poster=poster, administers=member.administers, moderates=False):
            raise no_content()
        of = self._users.from_item(found.get(self._users.place(poster)))
        return PostScreen(known, content_uri, text, poster, of, member)

    def _comment(self, content: str, generation: str, comment: str) -> Item:
        """Return a stored comment, hidden or not. Raises NotFound."""
        asked = number_in(comment)
        if asked is not None:
            keys = [key(content, f"{generation}#", asked[0]) for key in (entry_key, hidden_key)]
            found = self._dynamo.batch_get([(self._tables.comments, key) for key in keys], consistent=True)
            for item in found.values():
                if item["r"]["S"] == asked[1]:
                    return item
        raise NotFound("There is no such comment")


def _is_id(feed: str) -> bool:
    return len(feed) <= GENERATION
