"""Reads and deletions of the feeds of pages; feed_posting.py posts them. Their items are described in items.py."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from chalicelib.core.errors import ParameterInvalid, PermissionDenied, Unavailable
from chalicelib.core.model.contents import ContentsPart, Feed
from chalicelib.core.model.directory import User
from chalicelib.core.paging import Paging
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import PRESENT
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.cleanup_notes import CleanupNotes
from chalicelib.store.contents.events import ContentEvents
from chalicelib.store.contents.favorites import more_favorites
from chalicelib.store.contents.feed_posting import leave
from chalicelib.store.contents.items import (
    NoteOfDeletion,
    Tables,
    content_of,
    feed_of,
    generation_of,
    head_key,
    hidden_at,
    is_listed,
    no_content,
    of_generation,
    poster_of,
    to_feed,
    visible,
)
from chalicelib.store.contents.numbered_lists import NumberedLists, number_of, total
from chalicelib.store.contents.post_rows import PostRows
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("feeds", "BatchGetItem"),
    # The head of a feed is in the table of comments.
    on_table("comments", "GetItem"),
    # A feed is deleted by its poster, or with its poster or page; then it leaves its list and a note is written.
    on_table("feeds", "DeleteItem", "PutItem", "UpdateItem", by=(API, CLEAN)),
    on_table("comments", "BatchGetItem", "DeleteItem", by=(API, CLEAN)),
    on_table("favorites", "DeleteItem", by=(API, CLEAN)),
    # Events.
    on_table("ephemeral", "PutItem", by=(API, CLEAN)),
    # The entry of the action log, if an administrator of the page deletes it.
    on_table("records", "PutItem"),
    # The row of a hidden feed.
    on_table("records", "DeleteItem", by=(API, CLEAN)),
    # Posters, the page, and its administrators.
    on_table("directory", "BatchGetItem"),
)

FeedWithPoster = tuple[Feed, Mapping[str, User]]
"""A feed, and its poster by id if that user still exists."""


class Feeds:
    """The feeds of one deployment. Reads are eventually consistent, except those that decide about a write."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        users: Users,
        pages: Pages,
        notes: CleanupNotes,
        lists: NumberedLists,
        events: ContentEvents,
        rows: PostRows,
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = users
        self._pages = pages
        self._notes = notes
        self._lists = lists
        self._events = events
        self._rows = rows

    def get(self, page: str, content_uri: str) -> FeedWithPoster:
        """Return the feed of a content, whether or not the page shows it, and its poster. Raises NotFound."""
        # Another feed may replace the found one between the two calls; then it is read once more.
        for consistent in (False, True):
            if found := self._get(page, content_uri, consistent=consistent):
                return found
        raise no_content()

    def _get(self, page: str, content_uri: str, *, consistent: bool) -> FeedWithPoster | None:
        """Return the feed of a content, or None if the stored feed no longer matches the head. Raises NotFound."""
        found_head = self._dynamo.get(
            self._tables.comments, head_key(content_of(page, content_uri)), consistent=consistent
        )
        head = visible(found_head)
        feed = (self._tables.feeds, (page, head["f"]["S"]))
        places = [feed, self._users.place(head["p"]["S"]), self._pages.place(page)]
        found = self._dynamo.batch_get(places, consistent=consistent)
        if feed not in found or generation_of(found[feed]) != generation_of(head):
            return None
        entries, posters = self._feeds([found[feed]], {head["pk"]["S"]: head}, found, page)
        if not entries:
            raise no_content()
        return entries[0], posters

    def part(self, page: str, paging: Paging) -> ContentsPart[Feed]:
        """Return a part of the feeds that a page shows. Raises NotFound (page) and ParameterInvalid (cursor)."""
        try:
            cut = self._lists.part(page, paging, lambda holder: "")
        except ParameterInvalid:
            self._pages.check(page, self._dynamo.batch_get([self._pages.place(page)], consistent=False))
            raise  # The page exists, so the cursor is invalid.
        items = cut.entries if cut else []
        found = self._dynamo.batch_get(self._beside(items, page), consistent=False)
        entries, posters = self._feeds(items, self._tables.heads(found), found, page)
        following = cut.following if cut else None
        return ContentsPart(entries, total(cut.holder) if cut else 0, paging.index, following, posters)

    def delete(self, page: str, content_uri: str, user: str, note: NoteOfDeletion | None = None) -> None:
        """Delete a feed with its comments, favorites and images; later reads find none of them.

        If it is another's, `note` adds to the transaction what tells of it.

        Raises NotFound (page, content), PermissionDenied (the user is neither its poster nor an administrator of the
        page) and Unavailable. Data left behind are cleared through the queue.
        """
        head_place = (self._tables.comments, head_key(content_of(page, content_uri)))
        administrator = self._pages.members.administrator(page, user)
        for wait in races():
            found = self._dynamo.batch_get([head_place, administrator, self._pages.place(page)], consistent=True)
            self._pages.check(page, found)
            allowed = administrator in found or (head_place in found and found[head_place]["p"]["S"] == user)
            head = visible(found.get(head_place), hidden=allowed)
            if not allowed:
                raise PermissionDenied
            poster = head["p"]["S"]
            noted = partial(note, feed=feed_of(head), poster=poster) if note and poster != user else None
            if self.remove(head, noted):
                return
            self._dynamo.rest(wait)  # The feed was deleted or replaced.
        raise Unavailable

    def remove(self, head: Item, note: Callable[[Transaction], None] | None = None) -> bool:
        """Delete the feed of a head without a permission check; return whether it existed. Raises Unavailable."""
        generation, page, feed = generation_of(head), head["pg"]["S"], head["f"]["S"]
        write = Transaction()
        write.delete("head", self._tables.comments, head_key(head["pk"]["S"]), of_generation(generation))
        leave(write, self._tables, self._notes, head)
        self._events.deleted(write, head)
        self._rows.no_longer_hidden(write, head["pk"]["S"], None, head)
        if is_listed(feed):
            self._lists.remove(write, page, "", number_of({"sk": {"S": feed}}), PRESENT)
        if note:
            note(write)
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        self._notes.send(generation)
        return True

    def heads_of(self, feeds: Iterable[Item]) -> list[Item]:
        """Return the heads of feeds, strongly consistent, as far as they still exist."""
        places = [self._head_place(feed) for feed in feeds]
        return list(self._dynamo.batch_get(places, consistent=True).values())

    def _head_place(self, feed: Item) -> Place:
        return self._tables.comments, head_key(content_of(feed["pk"]["S"], feed["u"]["S"]))

    def _beside(self, feeds: Sequence[Item], page: str) -> list[Place]:
        """Return the places to read in addition to feeds: their heads, their posters and the page."""
        heads = [self._head_place(feed) for feed in feeds]
        return [*heads, *(self._users.place(poster_of(feed)) for feed in feeds), self._pages.place(page)]

    def _feeds(
        self, feeds: Sequence[Item], heads: dict[str, Item], found: dict[Place, Item], page: str
    ) -> tuple[list[Feed], Mapping[str, User]]:
        """Return the feeds with their counts, and their posters, from the found items. Raises NotFound (page)."""
        self._pages.check(page, found)
        more = more_favorites(self._dynamo, self._tables, heads)
        entries = []
        for item in feeds:
            content = content_of(page, item["u"]["S"])
            head = heads.get(content)
            # Else it was deleted, or deleted and posted again, between the two calls.
            same = head is not None and generation_of(head) == generation_of(item)
            if same and hidden_at(item) is None:
                entries.append(to_feed(item, head, more[content]))
        return entries, self._users.among(map(poster_of, feeds), found)
