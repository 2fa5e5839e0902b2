"""Clearing away what deletions and crashed posts left behind, note by note (notes.py).

Whatever a note names is out of everybody's reach already, so clearing may come late, twice, or by several at once; and
a note goes only after all that it names, so that what was cut short goes on with the next message or sweep.
"""

import time
from collections.abc import Callable, Iterable
from itertools import islice

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_table
from chalicelib.store.aws.items import Item, Key, beginning, key_of
from chalicelib.store.contents.cleanup_notes import PAGE, SOON_MS, USER, CleanupNotes
from chalicelib.store.contents.cleanup_queue import CleanupQueue
from chalicelib.store.contents.feeds import Feeds
from chalicelib.store.contents.images import Images
from chalicelib.store.contents.items import SORT_KEYS, Tables, favorite_key
from chalicelib.store.contents.posts_of_user import PostsOfUser
from chalicelib.store.directory.pages import Pages

NEEDS = (
    # Whether a page has feeds decides who deletes it.
    on_table("feeds", "Query", by=(API, CLEAN)),
    on_table("feeds", "BatchWriteItem", by=(CLEAN,)),
    on_table("comments", "Query", "BatchWriteItem", by=(CLEAN,)),
    on_table("favorites", "Query", "BatchWriteItem", by=(CLEAN,)),
)

_AT_ONCE = 100


class Cleanup:
    """What is to be cleared away in one deployment."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        feeds: Feeds,
        pages: Pages,
        posts: PostsOfUser,
        images: Images,
        notes: CleanupNotes,
        queue: CleanupQueue,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._feeds = feeds
        self._pages = pages
        self._posts = posts
        self._images = images
        self._notes = notes
        self._queue = queue
        self._now = now

    def due(self, limit: int = _AT_ONCE) -> list[str]:
        """The notes that nothing has come of in time."""
        return self._notes.due(limit)

    def remind(self) -> int:
        """Tell the queue of the notes that are due; of how many. Raises Unavailable."""
        told = [note for note in self.due() if self._queue.tell(note)]
        for note in told:
            self._notes.told(note)
        return len(told)

    def work(self, note: str, seconds: float) -> bool:
        """Clear what a note names, for about so many seconds; whether all of it is. Raises Unavailable."""
        item = self._notes.get(note)
        if item is None:
            return True
        end = self._now() + seconds
        if note.startswith(PAGE):
            done = self._page(note.removeprefix(PAGE), end)
        elif note.startswith(USER):
            if not self._notes.is_due(item):
                return True
            done = self._posts.erase(note.removeprefix(USER), end, self._now) == 0
        elif "p" in item:
            done = self._content(note, item, end)
        else:
            return self._upload(note, item)
        if done:
            self._notes.end(note)
        return done

    def delete_page(self, page: str) -> bool:
        """Delete a page with all that belongs to it; whether it existed. Raises Unavailable; again, it goes on.

        From now on it is not found. Its feeds, if it has any, are cleared by way of the queue, and the page's item,
        without which nobody can make another of that id, goes last.
        """
        if not self._pages.close(page):
            return False
        if not any(True for _ in self._dynamo.query(self._tables.feeds, page, consistent=True, limit=1)):
            return self._pages.delete(page)
        self._notes.leave(PAGE + page, SOON_MS)
        self._queue.tell(PAGE + page)
        return True

    def _content(self, generation: str, note: Item, end: float) -> bool:
        content = note["p"]["S"]
        partitions = [(self._tables.comments, content)]
        partitions += [
            (self._tables.favorites, favorite_key(content, shard, generation, "")[0])
            for shard in range(int(note["k"]["N"]))
        ]
        for table, partition in partitions:
            span = beginning(f"{generation}#")
            left = self._dynamo.query(table, partition, span, consistent=True, only="pk, sk")
            if not self._delete(table, map(key_of, left), end):
                return False
        self._images.clear(generation)
        return True

    def _delete(self, table: str, keys: Iterable[Key], end: float) -> bool:
        """Delete items while there is time; whether there was enough."""
        every = iter(keys)
        while some := list(islice(every, _AT_ONCE)):
            self._dynamo.delete_all(table, some)
            if self._now() >= end:
                return next(every, None) is None
        return True

    def _upload(self, generation: str, note: Item) -> bool:
        if not self._notes.is_due(note):
            return True  # Its request may be at work yet.
        try:
            self._notes.doom(generation)
        except Lost:
            return True  # The feed was stored.
        self._images.clear(generation)
        self._notes.end(generation)
        return True

    def _page(self, page: str, end: float) -> bool:
        if not self._pages.is_closed(page):
            return True  # It is deleted, and if there is a page of that id, it is another.
        for span in map(beginning, SORT_KEYS):
            while feeds := list(self._dynamo.query(self._tables.feeds, page, span, consistent=True, limit=_AT_ONCE)):
                for head in self._feeds.heads_of(feeds):
                    self._feeds.remove(head)
                if self._now() >= end:
                    return False
        left = self._dynamo.query(self._tables.feeds, page, consistent=True, only="pk, sk")
        self._dynamo.delete_all(self._tables.feeds, map(key_of, left))
        self._pages.finish(page)
        return True
