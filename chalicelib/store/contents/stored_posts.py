"""Reads of posts for moderators, hidden or not, without a permission check. Items: items.py."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from chalicelib.core.errors import NotFound
from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.directory import Page, User
from chalicelib.core.moderation import Post
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.items import (
    Tables,
    content_of,
    feed_key,
    generation_of,
    head_key,
    hidden_feed_key,
    no_content,
    number_in,
    poster_of,
    to_comment,
    to_feed,
)
from chalicelib.store.contents.numbered_lists import GENERATION, entry_key, hidden_key, number_of
from chalicelib.store.directory import page_items
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("feeds", "BatchGetItem"),
    on_table("comments", "BatchGetItem"),
    on_table("directory", "BatchGetItem"),
)


@dataclass(frozen=True)
class FoundFeed:
    """A stored feed, hidden or not: the items of its page and of the feed."""

    page: Item
    feed: Item


@dataclass(frozen=True)
class FoundPost:
    """A stored post: the items of its page, its feed's head and its feed, and of the comment, if it is one."""

    page: Item
    head: Item
    feed: Item
    comment: Item | None

    @property
    def item(self) -> Item:
        """The item of the post itself."""
        return self.comment or self.feed

    @property
    def number(self) -> int | None:
        """The number of the comment; None for a feed."""
        return number_of(self.comment) if self.comment else None


StoredPost = tuple[Page, Feed, Comment | None]
"""A feed with its page, and the comment if the post is one."""


class StoredPosts:
    """The posts of one deployment, hidden or not. `offset` is its UTC offset in minutes."""

    def __init__(self, dynamo: Dynamo, tables: Tables, users: Users, pages: Pages, offset: int) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = users
        self._pages = pages
        self._offset = offset

    def find_feed(self, post: Post) -> FoundFeed:
        """Return the feed of a post, hidden or not, in one call (strongly consistent). Raises NotFound."""
        if len(post.feed) > GENERATION:
            raise no_content()
        return self._found_feed(post, self._dynamo.batch_get(self._feed_places(post), consistent=True))

    def find(self, post: Post) -> FoundPost:
        """Return a post, hidden or not, in two calls (strongly consistent). Raises NotFound."""

        def read() -> FoundPost:
            feed = self.find_feed(post)
            return _found(post, feed, self._dynamo.batch_get(self._places(post, feed.feed), consistent=True))

        try:
            return read()
        except NotFound:
            return read()  # It may have been hidden or shown again while both of its keys were read.

    def get(self, post: Post) -> StoredPost:
        """Return a post, hidden or not. Raises NotFound."""
        return self._shown(self.find(post))

    def get_many(self, posts: Iterable[Post]) -> Mapping[Post, StoredPost]:
        """Return those of the posts that exist, as `get` does, in two calls (eventually consistent).

        It takes up to 3 read units for each post: its page, its head, and the feed and the comment at both of their
        keys.
        """
        feeds: dict[Post, FoundFeed] = {}
        places = {post: self._feed_places(post) for post in posts if len(post.feed) <= GENERATION}
        for post, items in self._read_many(places).items():
            with suppress(NotFound):
                feeds[post] = self._found_feed(post, items)
        found: dict[Post, StoredPost] = {}
        places = {post: self._places(post, feed.feed) for post, feed in feeds.items()}
        for post, items in self._read_many(places).items():
            with suppress(NotFound):
                found[post] = self._shown(_found(post, feeds[post], items))
        return found

    def with_people(
        self, post: Post, feed: FoundFeed | None, users: Iterable[str] = ()
    ) -> tuple[StoredPost | None, Mapping[str, User]]:
        """Return a post, as `get` does, with its poster and `users`; None for the post if it is gone.

        `feed` is what `find_feed` returned, None without one. It takes one call in sequence; for a comment whose poster
        is not among `users`, two.
        """
        asked = dict.fromkeys([*users, *([poster_of(feed.feed)] if feed and post.comment is None else [])])
        items: dict[Place, Item] = {}
        people: dict[str, User] = {}
        places = self._places(post, feed.feed) if feed else []
        side_by_side(
            [
                lambda: items.update(self._dynamo.batch_get(places, consistent=True)),
                lambda: people.update(self._users.get_many(asked)),
            ]
        )
        try:
            found = _found(post, feed, items) if feed else None
        except NotFound:
            found = None
        if found is None:
            return None, people
        poster = poster_of(found.item)
        more = {} if poster in asked else self._users.get_many([poster])
        return self._shown(found), {**people, **more}

    def _read_many(self, places: Mapping[Post, Sequence[Place]]) -> dict[Post, dict[Place, Item]]:
        """Return the items at the places of each post, in one call (eventually consistent)."""
        read = self._dynamo.batch_get(chain.from_iterable(places.values()), consistent=False)
        return {post: {place: read[place] for place in own if place in read} for post, own in places.items()}

    def _feed_places(self, post: Post) -> list[Place]:
        """Return the places of a post's feed, shown and hidden, and of its page."""
        keys = [key(post.page, post.feed) for key in (feed_key, hidden_feed_key)]
        return [*((self._tables.feeds, key) for key in keys), self._pages.place(post.page)]

    def _found_feed(self, post: Post, found: Mapping[Place, Item]) -> FoundFeed:
        """Return the feed of a post among the items at its places. Raises NotFound."""
        page = self._pages.check(post.page, found)
        *places, _ = self._feed_places(post)
        feed = next((found[place] for place in places if place in found), None)
        if feed is None:
            raise no_content()
        return FoundFeed(page, feed)

    def _places(self, post: Post, feed: Item) -> list[Place]:
        """Return the places of a feed's head and, if the post is a comment, of the comment, shown and hidden."""
        content = content_of(post.page, feed["u"]["S"])
        keys = [head_key(content)]
        if asked := number_in(post.comment or ""):
            keys += [key(content, f"{generation_of(feed)}#", asked[0]) for key in (entry_key, hidden_key)]
        return [(self._tables.comments, key) for key in keys]

    def _shown(self, found: FoundPost) -> StoredPost:
        comment = to_comment(found.comment, self._offset) if found.comment else None
        return page_items.from_item(found.page), to_feed(found.feed, found.head), comment


def _found(post: Post, feed: FoundFeed, items: Mapping[Place, Item]) -> FoundPost:
    """Return a post among the items at its places. Raises NotFound."""
    content = content_of(post.page, feed.feed["u"]["S"])
    head = next((item for (_, key), item in items.items() if key == head_key(content)), None)
    if head is None or generation_of(head) != generation_of(feed.feed):
        raise no_content()
    if post.comment is None:
        return FoundPost(feed.page, head, feed.feed, None)
    asked = number_in(post.comment)
    for (_, key), item in items.items():
        if asked and key[0] == content and key != head_key(content) and item["r"]["S"] == asked[1]:
            return FoundPost(feed.page, head, feed.feed, item)
    raise NotFound("There is no such comment")
