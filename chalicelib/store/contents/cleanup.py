"""The cleanup of data that deletions and crashed posts left behind, note by note (cleanup_notes.py).

The data that a note names can no longer be reached, so they may be cleared late, twice, or by several processes at
once. A note is deleted after all that it names, so the next message or sweep continues an interrupted cleanup.
"""

import time
from collections.abc import Iterable
from itertools import islice

from chalicelib.core.imaging.renditions import picture_folder
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_table
from chalicelib.store.aws.items import Item, Key, beginning, key_of
from chalicelib.store.contents.cleanup_notes import PAGE, SOON_MS, USER, CleanupNotes
from chalicelib.store.contents.feeds import Feeds
from chalicelib.store.contents.images import Images
from chalicelib.store.contents.items import SORT_KEYS, Tables, favorite_key
from chalicelib.store.contents.posts_of_user import PostsOfUser
from chalicelib.store.directory.pages import Pages

NEEDS = (
    # A page without feeds is deleted by the API, one with feeds by the function `clean`.
    on_table("feeds", "Query", by=(API, CLEAN)),
    on_table("feeds", "BatchWriteItem", by=(CLEAN,)),
    on_table("comments", "Query", "BatchWriteItem", by=(CLEAN,)),
    on_table("favorites", "Query", "BatchWriteItem", by=(CLEAN,)),
)

ROUNDS = 12
"""The maximum number of messages in a chain: Lambda stops a function after about 16 calls that it causes itself."""
_AT_ONCE = 100


class Cleanup:
    """The cleanup of one deployment."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        feeds: Feeds,
        pages: Pages,
        posts: PostsOfUser,
        images: Images,
        notes: CleanupNotes,
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._feeds = feeds
        self._pages = pages
        self._posts = posts
        self._images = images
        self._notes = notes

    def due(self, limit: int = _AT_ONCE) -> list[str]:
        """Return notes, at most `limit`, that were not handled in time."""
        return self._notes.due(limit)

    def remind(self) -> int:
        """Send the notes that are due to the queue; return the number of notes sent. Raises Unavailable."""
        told = [note for note in self.due() if self._notes.send(note)]
        for note in told:
            self._notes.told(note)
        return len(told)

    def process(self, message: str, seconds: float) -> None:
        """Work on a message, `<note>` or `<note> <round>`, for about `seconds`. Raises Unavailable.

        If work is left, send the next round; after the last one, the next sweep begins a new chain. A round that is not
        a number is the first: the rounds after it are counted, so its chain ends too.
        """
        note, _, text = message.partition(" ")
        number = int(text) if text.isdecimal() else 1
        if self.work(note, seconds):
            return
        if number < ROUNDS:
            self._notes.send(note, number + 1)
        else:
            self._notes.release(note)

    def work(self, note: str, seconds: float) -> bool:
        """Clear what a note names, for about `seconds`; return whether nothing is left to do. Raises Unavailable."""
        item = self._notes.get(note)
        if item is None:
            return True
        end = time.monotonic() + seconds
        if note.startswith(PAGE):
            done = self._page(note.removeprefix(PAGE), end)
        elif note.startswith(USER):
            if not self._notes.is_due(item):
                return True
            user = note.removeprefix(USER)
            done = self._posts.erase(user, end, time.monotonic) == 0
            if done:
                self._images.clear(picture_folder(user))
        elif "p" in item:
            done = self._content(note, item, end)
        else:
            return self._upload(note, item)
        if done:
            self._notes.end(note)
        return done

    def delete_page(self, page: str) -> bool:
        """Delete a page with all that belongs to it; return whether it existed.

        Raises Unavailable; a repeated call continues. From now on the page is not found. If it has feeds, they are
        cleared through the queue. The page's item is deleted last: until then, no other page can have that id.
        """
        if not self._pages.close(page):
            return False
        if not any(True for _ in self._dynamo.query(self._tables.feeds, page, consistent=True, limit=1)):
            return self._pages.delete(page)
        self._notes.leave(PAGE + page, SOON_MS)
        self._notes.send(PAGE + page)
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
        """Delete items until `end`; return whether all were deleted."""
        every = iter(keys)
        while some := list(islice(every, _AT_ONCE)):
            self._dynamo.delete_all(table, some)
            if time.monotonic() >= end:
                return next(every, None) is None
        return True

    def _upload(self, generation: str, note: Item) -> bool:
        if not self._notes.is_due(note):
            return True  # Its request may still be running.
        try:
            self._notes.doom(generation)
        except Lost:
            return True  # The feed was stored.
        self._images.clear(generation)
        self._notes.end(generation)
        return True

    def _page(self, page: str, end: float) -> bool:
        if not self._pages.is_closed(page):
            return True  # The page is deleted already; if one with this id exists, it is a new one.
        for span in map(beginning, SORT_KEYS):
            while feeds := list(self._dynamo.query(self._tables.feeds, page, span, consistent=True, limit=_AT_ONCE)):
                for head in self._feeds.heads_of(feeds):
                    self._feeds.remove(head)
                if time.monotonic() >= end:
                    return False
        left = self._dynamo.query(self._tables.feeds, page, consistent=True, only="pk, sk")
        self._dynamo.delete_all(self._tables.feeds, map(key_of, left))
        self._pages.finish(page)
        return True
