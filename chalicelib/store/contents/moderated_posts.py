"""Moderation of posts, without a permission check: hide a feed or a comment, show it again, delete it. Items: items.py.

Hiding takes an entry out of its list, as a deletion does, but keeps it under another key: so lists and counts need not
know hidden posts. A feed's head says that it is hidden. Each change is one transaction.
"""

from collections.abc import Callable, Mapping

from chalicelib.core.errors import Unavailable
from chalicelib.core.moderation import Post
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, PRESENT, absent, equals, exists
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, key_of, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.contents.comments import Comments
from chalicelib.store.contents.feeds import Feeds
from chalicelib.store.contents.items import (
    Tables,
    generation_of,
    hidden_at,
    hidden_since,
    is_shown,
    of_generation,
    prefix_of,
)
from chalicelib.store.contents.numbered_lists import NumberedLists, entry_key, hidden_key, number_of
from chalicelib.store.contents.post_rows import PostRows
from chalicelib.store.contents.stored_posts import FoundPost, StoredPosts

NEEDS = (
    on_table("feeds", "PutItem", "DeleteItem", "UpdateItem"),
    on_table("comments", "PutItem", "DeleteItem", "UpdateItem"),
    on_table("records", "PutItem", "DeleteItem"),
)


class ModeratedPosts:
    """The posts of one deployment, as moderators change them. `lists` are those of feeds and of comments."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        posts: StoredPosts,
        feeds: Feeds,
        comments: Comments,
        rows: PostRows,
        lists: tuple[NumberedLists, NumberedLists],
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._posts = posts
        self._feeds = feeds
        self._comments = comments
        self._rows = rows
        self._feed_lists, self._comment_lists = lists
        self._clock = clock

    def hide(self, post: Post, note: Mapping[str, str], also: Callable[[Transaction], None] | None = None) -> bool:
        """Hide a post; return False if it already was hidden. `note`: `by` and `re`, who hides it and why.

        `also` adds its parts to the transaction, each time that it is made. Raises NotFound and Unavailable, and what
        `also` raises.
        """

        def change(write: Transaction, found: FoundPost) -> None:
            at = self._clock()
            self._rows.hidden(write, found.head, found.number, at, note)
            self._move(write, found, hidden_since(at))
            if also:
                also(write)

        return self._change(post, hide=True, change=change)

    def show(self, post: Post) -> bool:
        """Show a hidden post again; return False if it was not hidden. Raises NotFound and Unavailable."""

        def change(write: Transaction, found: FoundPost) -> None:
            self._rows.no_longer_hidden(write, found.head["pk"]["S"], found.number, found.item)
            self._move(write, found, {})

        return self._change(post, hide=False, change=change)

    def delete(self, post: Post, also: Callable[[Transaction], None] | None = None) -> None:
        """Delete a post, hidden or not. `also` joins the transaction. Raises as `hide`."""
        for wait in races():
            found = self._posts.find(post)
            if found.comment is None:
                done = self._feeds.remove(found.head, also)
            else:
                done = self._comments.remove(found.comment, generation_of(found.head), found.head, also)
            if done:
                return
            self._dynamo.rest(wait)  # It was hidden, shown again or deleted between the two calls.
        raise Unavailable

    def _change(self, post: Post, *, hide: bool, change: Callable[[Transaction, FoundPost], None]) -> bool:
        for wait in races():
            found = self._posts.find(post)
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
