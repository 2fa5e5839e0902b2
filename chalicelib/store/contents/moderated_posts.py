"""Moderation of posts, without a permission check: hide a feed or a comment, show it again, delete it. Items: items.py.

Hiding takes an entry out of its list, as a deletion does, but keeps it under another key: so lists and counts need not
know hidden posts. A feed's head says that it is hidden. Each change is one transaction.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from chalicelib.core.errors import NotFound, Unavailable
from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.directory import Page, User
from chalicelib.core.moderation import Post
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, PRESENT, absent, equals, exists
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, Place, key_of, typed
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.contents.comments import Comments
from chalicelib.store.contents.feeds import Feeds
from chalicelib.store.contents.items import (
    Tables,
    content_of,
    feed_key,
    generation_of,
    head_key,
    hidden_at,
    hidden_feed_key,
    hidden_since,
    is_shown,
    no_content,
    number_in,
    of_generation,
    poster_of,
    prefix_of,
    to_comment,
    to_feed,
)
from chalicelib.store.contents.numbered_lists import (
    GENERATION,
    NumberedLists,
    entry_key,
    hidden_key,
    number_of,
)
from chalicelib.store.contents.post_rows import PostRows
from chalicelib.store.directory import page_items
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("feeds", "BatchGetItem", "PutItem", "DeleteItem", "UpdateItem"),
    on_table("comments", "BatchGetItem", "PutItem", "DeleteItem", "UpdateItem"),
    on_table("records", "PutItem", "DeleteItem"),
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


class ModeratedPosts:
    """The posts of one deployment, as moderators change them. `offset` is its UTC offset in minutes."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        users: Users,
        pages: Pages,
        feeds: Feeds,
        comments: Comments,
        rows: PostRows,
        lists: tuple[NumberedLists, NumberedLists],
        offset: int,
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = users
        self._pages = pages
        self._feeds = feeds
        self._comments = comments
        self._rows = rows
        self._feed_lists, self._comment_lists = lists
        self._offset = offset
        self._clock = clock

    def find_feed(self, post: Post) -> FoundFeed:
        """Return the feed of a post, hidden or not, in one call (strongly consistent). Raises NotFound."""
        page = post.page
        if len(post.feed) > GENERATION:
            raise no_content()
        places = [(self._tables.feeds, key) for key in (feed_key(page, post.feed), hidden_feed_key(page, post.feed))]
        found = self._dynamo.batch_get([*places, self._pages.place(page)], consistent=True)
        self._pages.check(page, found)
        feed = next((found[place] for place in places if place in found), None)
        if feed is None:
            raise no_content()
        return FoundFeed(found[self._pages.place(page)], feed)

    def find(self, post: Post) -> FoundPost:
        """Return a post, hidden or not, in two calls (strongly consistent). Raises NotFound."""

        def read() -> FoundPost:
            feed = self.find_feed(post)
            return _found(post, feed, self._dynamo.batch_get(self._places(post, feed.feed), consistent=True))

        try:
            return read()
        except NotFound:
            return read()  # It may have been hidden or shown again while both of its keys were read.

    def get(self, post: Post) -> tuple[Page, Feed, Comment | None]:
        """Return a feed with its page, and the comment if the post is one, hidden or not. Raises NotFound."""
        return self._shown(self.find(post))

    def with_people(
        self, post: Post, feed: FoundFeed | None, users: Iterable[str] = ()
    ) -> tuple[tuple[Page, Feed, Comment | None] | None, Mapping[str, User]]:
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

    def hide(self, post: Post, note: Mapping[str, str]) -> bool:
        """Hide a post; return False if it already was hidden. `note`: `by` and `re`, who hides it and why.

        Raises NotFound and Unavailable.
        """

        def change(write: Transaction, found: FoundPost) -> None:
            at = self._clock()
            self._rows.hidden(write, found.head, found.number, at, note)
            self._move(write, found, hidden_since(at))

        return self._change(post, hide=True, change=change)

    def show(self, post: Post) -> bool:
        """Show a hidden post again; return False if it was not hidden. Raises NotFound and Unavailable."""

        def change(write: Transaction, found: FoundPost) -> None:
            self._rows.no_longer_hidden(write, found.head["pk"]["S"], found.number, found.item)
            self._move(write, found, {})

        return self._change(post, hide=False, change=change)

    def delete(self, post: Post) -> None:
        """Delete a post, hidden or not. Raises NotFound and Unavailable."""
        for wait in races():
            found = self.find(post)
            if found.comment is None:
                done = self._feeds.remove(found.head)
            else:
                done = self._comments.remove(found.comment, generation_of(found.head), found.head)
            if done:
                return
            self._dynamo.rest(wait)  # It was hidden, shown again or deleted between the two calls.
        raise Unavailable

    def _places(self, post: Post, feed: Item) -> list[Place]:
        """Return the places of a feed's head and, if the post is a comment, of the comment, shown and hidden."""
        content = content_of(post.page, feed["u"]["S"])
        keys = [head_key(content)]
        if asked := number_in(post.comment or ""):
            keys += [key(content, f"{generation_of(feed)}#", asked[0]) for key in (entry_key, hidden_key)]
        return [(self._tables.comments, key) for key in keys]

    def _shown(self, found: FoundPost) -> tuple[Page, Feed, Comment | None]:
        comment = to_comment(found.comment, self._offset) if found.comment else None
        return page_items.from_item(found.page), to_feed(found.feed, found.head), comment

    def _change(self, post: Post, *, hide: bool, change: Callable[[Transaction, FoundPost], None]) -> bool:
        for wait in races():
            found = self.find(post)
            if (hidden_at(found.item) is not None) is hide:
                return False
            write = Transaction()
            change(write, found)
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)  # Another moderator was first, or the post was deleted.
            else:
                return True
        raise Unavailable

    def _move(self, write: Transaction, found: FoundPost, mark: Item) -> None:
        """Store a post as hidden if there is a `mark` (its `hd`), else as shown."""
        if found.comment is not None:
            self._move_comment(write, found.head, found.comment, mark)
            return
        feed, head = found.feed, found.head
        page, alive = feed["pk"]["S"], of_generation(generation_of(feed))
        as_before = absent("hd") if mark else exists("hd")
        key = key_of(feed)
        if is_shown(key[1]):
            number = number_of(feed)
            key = hidden_key(page, "", number) if mark else entry_key(page, "", number)
            self._replace(write, self._tables.feeds, feed, key, mark)
            change = self._feed_lists.hide if mark else self._feed_lists.show
            change(write, page, "", number, PRESENT)
        else:
            hidden = Update({"hd": mark["hd"]}) if mark else Update(removes=["hd"])
            write.update("post", self._tables.feeds, key, hidden, alive & as_before)
        change_of_head = Update({"f": key[1], **mark}, removes=[] if mark else ["hd"])
        write.update("head", self._tables.comments, key_of(head), change_of_head, alive & as_before)

    def _move_comment(self, write: Transaction, head: Item, comment: Item, mark: Item) -> None:
        content, prefix, number = head["pk"]["S"], prefix_of(head), number_of(comment)
        key = hidden_key(content, prefix, number) if mark else entry_key(content, prefix, number)
        self._replace(write, self._tables.comments, comment, key, mark)
        change = self._comment_lists.hide if mark else self._comment_lists.show
        change(write, content, prefix, number, of_generation(generation_of(head)), {"hc": 1 if mark else -1})

    def _replace(self, write: Transaction, table: str, item: Item, key: Key, mark: Item) -> None:
        """Store an item under another key, with or without the mark of a hidden post."""
        write.delete("post", table, key_of(item), equals("c", item["c"]) & equals("list", item["list"]))
        rest = {name: value for name, value in item.items() if name != "hd"}
        write.put("moved post", table, rest | typed(key) | mark, ABSENT)


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
