"""Export of feeds, comments and favorites, in the order in which contents_import.py can import them.

The cursor within a page names the last feed that is finished (its sort key), or a feed and the last of its comments or
favorites: `<sort key>|`, or `<sort key>|<place>`.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from chalicelib.core.contents_records import comment_record, favorite_record, feed_record
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item
from chalicelib.store.contents.images import Images
from chalicelib.store.contents.items import (
    Tables,
    content_of,
    favorite_key,
    feed_id,
    feed_key,
    generation_of,
    head_key,
    hidden_comments,
    poster_of,
    prefix_of,
    shards_of,
    to_comment,
    to_feed,
)
from chalicelib.store.contents.numbered_lists import entry_key, hidden_key, number_of, total
from chalicelib.store.directory.keys import CursorPart

NEEDS = (
    on_table("feeds", "Query"),
    on_table("comments", "Query", "BatchGetItem"),
    on_table("favorites", "Query"),
)

_FEEDS_AT_ONCE = 100
"""The most feeds of a page whose comments or favorites one part has."""
_HIGHEST = 9_999_999_999
_IN_ORDER = (("a#",), ("c", "C"))
"""The prefixes of sort keys in the order of an export: unshown feeds, then shown and hidden ones together."""
_LAST = "~"
"""Sorts after every character of a sort key."""

Record = dict[str, Any]
Entries = Callable[[Item, Item, str], Iterator[tuple[str, Record]]]
"""A function of a feed, its head and a place that yields records after that place, each with its own place."""


class ContentsExport:
    """The export of contents. `offset` is the deployment's UTC offset in minutes."""

    def __init__(self, dynamo: Dynamo, tables: Tables, images: Images, offset: int) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._images = images
        self._offset = offset

    def feeds(self, page: str, cursor: str | None, count: int) -> CursorPart[Record]:
        """Return records of a page's feeds, also of those that it does not show, oldest first, with their images."""
        items = list(islice(self._feeds(page, cursor or ""), count + 1))
        following = _sort_key(items[count - 1]) if len(items) > count else None
        feeds = [(to_feed(item, None), generation_of(item)) for item in items[:count]]
        files = self._images.read([key for feed, _ in feeds for key in feed.images])
        records = []
        for feed, generation in feeds:
            own = {key: files[key] for key in feed.images if key in files}
            if len(own) == len(set(feed.images)):
                records.append(feed_record(feed, generation, own))
        return records, following

    def comments(self, page: str, cursor: str | None, count: int) -> CursorPart[Record]:
        """Return records of the comments on a page's feeds, those of a feed oldest first."""
        return self._of_feeds(page, cursor, count, self._comments)

    def favorites(self, page: str, cursor: str | None, count: int) -> CursorPart[Record]:
        """Return records of the favorites of a page's feeds."""
        return self._of_feeds(page, cursor, count, self._favorites)

    def _of_feeds(self, page: str, cursor: str | None, count: int, entries: Entries) -> CursorPart[Record]:
        """Return the entries of up to _FEEDS_AT_ONCE feeds, at most `count`."""
        begun, _, place = (cursor or "").partition("|")
        feeds = list(islice(self._feeds(page, begun, including=bool(place)), _FEEDS_AT_ONCE + 1))
        heads = self._heads(page, feeds[:_FEEDS_AT_ONCE])
        records: list[Record] = []
        for feed in feeds[:_FEEDS_AT_ONCE]:
            head = heads.get(content_of(page, feed["u"]["S"]))
            after = place if _sort_key(feed) == begun else ""
            if head is None or generation_of(head) != generation_of(feed):
                continue
            for last, record in entries(feed, head, after):
                records.append(record)
                if len(records) == count:
                    return records, f"{_sort_key(feed)}|{last}"
        return records, f"{_sort_key(feeds[_FEEDS_AT_ONCE - 1])}|" if len(feeds) > _FEEDS_AT_ONCE else None

    def _comments(self, feed: Item, head: Item, after: str) -> Iterator[tuple[str, Record]]:
        if not total(head) and not hidden_comments(head):
            return
        page, uri, content, prefix = feed["pk"]["S"], feed["u"]["S"], head["pk"]["S"], prefix_of(head)
        first = int(after or 0) + 1
        spans = [(key(content, prefix, first)[1], key(content, prefix, _HIGHEST)[1]) for key in (entry_key, hidden_key)]
        kinds = [self._dynamo.query(self._tables.comments, content, span, consistent=True) for span in spans]
        for item in heapq.merge(*kinds[: 2 if hidden_comments(head) else 1], key=number_of):
            yield str(number_of(item)), comment_record(page, uri, to_comment(item, self._offset))

    def _favorites(self, feed: Item, head: Item, after: str) -> Iterator[tuple[str, Record]]:
        page, uri, content, generation = feed["pk"]["S"], feed["u"]["S"], head["pk"]["S"], generation_of(head)
        first, _, user = after.partition("#")
        for shard in range(int(first or 0), shards_of(head)):
            pk, start = favorite_key(content, shard, generation, user if shard == int(first or 0) else "")
            # "!" sorts before every character that an id can have.
            span = (start + "!", favorite_key(content, shard, generation, _LAST)[1])
            for item in self._dynamo.query(self._tables.favorites, pk, span, consistent=True):
                owner = poster_of(item)
                yield f"{shard}#{owner}", favorite_record(page, uri, owner, int(item["c"]["N"]))

    def _feeds(self, page: str, after: str, *, including: bool = False) -> Iterator[Item]:
        """Yield a page's feeds after a sort key, first those that the page does not show, with hidden ones in place."""
        for prefixes in _IN_ORDER:
            if after > prefixes[0] + _LAST:
                continue
            kinds = []
            for prefix in prefixes:
                rest = prefix + after[len(prefix) :] + ("" if including else "!")
                start = rest if after.startswith(prefixes[0]) else prefix
                kinds.append(self._dynamo.query(self._tables.feeds, page, (start, prefix + _LAST), consistent=True))
            yield from heapq.merge(*kinds, key=_sort_key)

    def _heads(self, page: str, feeds: list[Item]) -> dict[str, Item]:
        places = [(self._tables.comments, head_key(content_of(page, feed["u"]["S"]))) for feed in feeds]
        return {key[0]: item for (_, key), item in self._dynamo.batch_get(places, consistent=True).items()}


def _sort_key(item: Item) -> str:
    """Return the sort key of a feed; of a hidden one, the key that it has when it is shown."""
    return feed_key(item["pk"]["S"], feed_id(item))[1]
