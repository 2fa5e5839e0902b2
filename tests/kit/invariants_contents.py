"""The invariants of feeds, comments, favorites and images, which hold between any two writes. Scans check them.

A scan is not a snapshot, so no client may write during it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.core.numbered_list_index import FIRST, LEAF, WORD
from chalicelib.store.aws.item_size import WRITE_UNIT, item_size
from chalicelib.store.aws.items import Item, Key, key_of
from chalicelib.store.contents.cleanup_notes import PAGE, PARTITION, USER
from chalicelib.store.contents.items import (
    content_of,
    favorites_in,
    generation_of,
    hidden_comments,
    is_listed,
    is_shown,
    poster_of,
    shard_of,
    shards_of,
)
from chalicelib.store.contents.numbered_lists import GENERATION, HOLDER, number_of, total

IMAGES = "images/"


class Contents:
    """The three tables and the keys of the bucket, as found by scans. `pages` are the ids of the existing pages."""

    def __init__(
        self,
        feeds: Iterable[Item],
        comments: Iterable[Item],
        favorites: Iterable[Item],
        objects: Iterable[str],
        pages: Iterable[str],
    ) -> None:
        own = {key_of(item): item for item in feeds}
        self.notes = {key[1]: item for key, item in own.items() if key[0] == PARTITION}
        self.lists = {key[0]: item for key, item in own.items() if key[0] != PARTITION and key[1] == HOLDER}
        rest = {key: item for key, item in own.items() if key[0] != PARTITION and key[1] != HOLDER}
        self.page_leaves = {key: item for key, item in rest.items() if key[1].startswith("b")}
        self.feeds = {key: item for key, item in rest.items() if key not in self.page_leaves}
        self.heads: dict[str, Item] = {}
        """Heads by content."""
        self.hung: dict[str, dict[Key, Item]] = {}
        """Comments and leaves, by content."""
        for item in comments:
            content, sort_key = key_of(item)
            if sort_key == HOLDER:
                self.heads[content] = item
            else:
                self.hung.setdefault(content, {})[content, sort_key] = item
        self.shards: dict[tuple[str, int], Item] = {}
        self.favorites: dict[tuple[str, int], list[Item]] = {}
        """Shards and favorites, both by content and shard."""
        for item in favorites:
            content, _, shard = item["pk"]["S"].rpartition("#")
            if item["sk"]["S"] == HOLDER:
                self.shards[content, int(shard)] = item
            else:
                self.favorites.setdefault((content, int(shard)), []).append(item)
        self.objects = set(objects)
        self.pages = set(pages)

    def wrongs(self) -> list[str]:
        """Return all violated invariants."""
        found = [*self._feeds_and_heads(), *self._page_lists(), *self._notes(), *self._images()]
        for content, head in self.heads.items():
            found += [f"{head['pg']['S']} {head['f']['S']}: {wrong}" for wrong in self._counts(content, head)]
        found += [f"unreachable for ever: {left}" for left in self._left() if not self._is_noted(*left)]
        return found

    def remains(self) -> list[str]:
        """Return the leftovers that the cleanup should have deleted."""
        left = [f"{count} of {each}" for each, count in self._left().items()]
        return left + [f"a note of {note}" for note in self.notes]

    def lists_of(self, page: str) -> tuple[set[int], set[int], set[int]]:
        """Return three sets of numbers of a page's list: those with an entry, the holes and the drawn ones."""
        entries = {number_of(item) for key, item in self.feeds.items() if key[0] == page and is_listed(key[1])}
        leaves = [item for key, item in self.page_leaves.items() if key[0] == page]
        return entries, holes_in(leaves), drawn(self.lists.get(page))

    def comments_of(self, content: str, generation: str) -> tuple[list[Item], set[int], list[Item]]:
        """Return the comments of a generation, the holes in their list, and the hidden comments."""
        own = [item for key, item in self.hung.get(content, {}).items() if key[1].startswith(f"{generation}#")]
        kinds: dict[str, list[Item]] = {"b": [], "c": [], "C": []}
        for item in own:
            kinds[item["sk"]["S"][GENERATION + 1]].append(item)
        return kinds["c"], holes_in(kinds["b"]), kinds["C"]

    def _feeds_and_heads(self) -> Iterator[str]:
        by_feed = {(head["pg"]["S"], head["f"]["S"]): content for content, head in self.heads.items()}
        if odd := by_feed.keys() ^ self.feeds.keys():
            yield f"a feed without a head, or the reverse: {sorted(odd)}"
        for key in by_feed.keys() & self.feeds.keys():
            feed, head = self.feeds[key], self.heads[by_feed[key]]
            if generation_of(feed) != generation_of(head):
                yield f"feed and head are of two generations: {key}"
            if content_of(key[0], feed["u"]["S"]) != by_feed[key]:
                yield f"the head is not where its feed says: {key}"
            if feed.get("hd") != head.get("hd") or (is_shown(key[1]) and ("hd" in feed) == is_listed(key[1])):
                yield f"a feed and its head do not agree on whether it is hidden: {key}"
            if poster_of(feed) != head["p"]["S"]:
                yield f"the head names another poster: {key}"
            if key[0] not in self.pages:
                yield f"a feed of a page that is not there: {key}"

    def _page_lists(self) -> Iterator[str]:
        shown = {key[0] for key in self.feeds if is_shown(key[1])}
        for key, feed in self.feeds.items():
            if is_shown(key[1]) and "hd" in feed and number_of(feed) not in self.lists_of(key[0])[1]:
                yield f"a hidden feed is no hole of its list: {key}"
        for page in shown | {key[0] for key in self.page_leaves} | self.lists.keys():
            if PAGE + page in self.notes and page not in shown:
                continue  # The list of a page without feeds is deleted in any order; its note covers the leftovers.
            if page not in self.lists:
                yield f"entries without a holder: {page}"
            else:
                yield from (f"{page}: {wrong}" for wrong in _numbers(self.lists[page], *self.lists_of(page)))
            if page not in self.pages:
                yield f"a list of a page that is not there: {page}"

    def _counts(self, content: str, head: Item) -> Iterator[str]:
        generation = generation_of(head)
        comments, holes, hidden = self.comments_of(content, generation)
        yield from _numbers(head, set(map(number_of, comments)), holes, drawn(head))
        if len(comments) > len(set(map(number_of, comments))):
            yield "two comments have one number"
        if hidden_comments(head) != len(hidden):
            yield f"the head says {hidden_comments(head)} hidden comments, there are {len(hidden)}"
        if not all("hd" in item for item in hidden) or any("hd" in item for item in comments):
            yield "a comment is not where its mark says"
        if not set(map(number_of, hidden)) <= holes:
            yield "a hidden comment is no hole of its list"
        if item_size(head) > WRITE_UNIT:
            yield f"the head has {item_size(head)} bytes"
        for shard in range(shards_of(head)):
            there = [item for item in self.favorites.get((content, shard), []) if _generation(item) == generation]
            holder = head if shard == 0 else self.shards.get((content, shard))
            if holder is not None and generation_of(holder) != generation:
                yield f"shard {shard} counts for another generation"
            if (told := favorites_in(holder)) != len(there):
                yield f"shard {shard} says {told} favorites, there are {len(there)}"
            if any(shard_of(poster_of(item), head) != shard for item in there):
                yield f"a favorite is in shard {shard} that belongs elsewhere"
        for (at, shard), favorites in self.favorites.items():
            if at == content and shard >= shards_of(head) and generation in map(_generation, favorites):
                yield f"a favorite is in shard {shard}, which nobody counts"

    def _left(self) -> Counter[tuple[str, str, str]]:
        """Return the numbers of items of generations without a head, by table, content and generation."""
        alive = {content: generation_of(head) for content, head in self.heads.items()}
        left: Counter[tuple[str, str, str]] = Counter()
        for content, hung in self.hung.items():
            for _, sort_key in hung:
                if alive.get(content) != (generation := sort_key.partition("#")[0]):
                    left["comments", content, generation] += 1
        for (content, shard), favorites in self.favorites.items():
            for item in favorites:
                if alive.get(content) != _generation(item):
                    left[f"favorites {shard}", content, _generation(item)] += 1
        for (content, shard), item in self.shards.items():
            if alive.get(content) != generation_of(item) or shard >= shards_of(self.heads[content]):
                # Only the deletion of its feed removes this item.
                left[f"count {shard}", content, ""] += 1
        return left

    def _is_noted(self, table: str, content: str, generation: str) -> bool:
        note = self.notes.get(generation)
        if note is None or "p" not in note or note["p"]["S"] != content:
            return False
        return table == "comments" or int(table.rpartition(" ")[2]) < int(note["k"]["N"])

    def _notes(self) -> Iterator[str]:
        alive = set(map(generation_of, self.heads.values()))
        for note, item in self.notes.items():
            if note in alive:
                yield f"a note of what is there: {note}"
            if not (note.startswith((PAGE, USER)) or len(note) == GENERATION):
                yield f"a note of nothing known: {note}"
            if "due" not in item:
                yield f"a note that no sweep takes up: {note}"

    def _images(self) -> Iterator[str]:
        stored = {image["S"] for feed in self.feeds.values() for image in feed.get("i", {"L": []})["L"]}
        if missing := stored - self.objects:
            yield f"images that feeds name and that are not there: {sorted(missing)}"
        for key in self.objects - stored:
            # Pictures of profiles are cleared with their user.
            known = key.startswith(IMAGES + "people/") or key.split("/")[1] in self.notes
            if key.startswith(IMAGES) and not known:
                yield f"an image that is there for ever: {key}"


def drawn(holder: Item | None) -> set[int]:
    """Return the numbers that are drawn and not used yet."""
    return {int(number["N"]) for number in holder["dr"]["M"].values()} if holder else set()


def holes_in(leaves: Iterable[Item]) -> set[int]:
    """Return the numbers whose bits are set in the leaves."""
    return {
        int(leaf["sk"]["S"][-7:]) * LEAF + int(name[1:]) * WORD + place
        for leaf in leaves
        for name, value in leaf.items()
        if name[0] == "w"
        for place in range(int(value["N"]).bit_length())
        if int(value["N"]) >> place & 1
    }


def _numbers(holder: Item, entries: set[int], holes: set[int], given: set[int]) -> Iterator[str]:
    """Yield the errors in the numbers of a list."""
    if total(holder) != len(entries):
        yield f"the count says {total(holder)}, there are {len(entries)}"
    if twice := (entries & holes) | (entries & given) | (holes & given):
        yield f"numbers that are two things at once: {sorted(twice)}"
    if odd := (entries | holes | given) ^ set(range(FIRST, int(holder["nx"]["N"]))):
        yield f"numbers that nobody accounts for, or that were never given out: {sorted(odd)}"


def _generation(item: Item) -> str:
    sort_key: str = item["sk"]["S"]
    return sort_key.partition("#")[0]


def scan(dynamodb: Any, s3: Any, bucket: str, prefix: str = "engawa-local-") -> Contents:
    """Return the contents of a deployment, read with boto3 clients."""

    def items(table: str) -> list[Item]:
        pages = dynamodb.get_paginator("scan").paginate(TableName=prefix + table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    parts = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    objects = [each["Key"] for part in parts for each in part.get("Contents", [])]
    return Contents(items("feeds"), items("comments"), items("favorites"), objects, pages_in(items("directory")))


def of_pages(
    dynamodb: Any, pages: Iterable[str], contents: Iterable[str], shards: int, prefix: str = "engawa-local-"
) -> Contents:
    """Return the same as `scan` for some pages and all contents that they ever had, but without images.

    Notes of users are left out, since they always exist for ten minutes.
    """

    def partition(table: str, key: str) -> list[Item]:
        values = {":pk": {"S": key}}
        parts = dynamodb.get_paginator("query").paginate(
            TableName=prefix + table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )
        return [item for part in parts for item in part["Items"]]

    own, wanted = set(pages), set(contents)
    notes = [
        note
        for note in partition("feeds", PARTITION)
        if note.get("p", {}).get("S") in wanted or note["sk"]["S"].removeprefix(PAGE) in own
    ]
    feeds = notes + [item for page in own for item in partition("feeds", page)]
    comments = [item for content in wanted for item in partition("comments", content)]
    favorites = [
        item for content in wanted for shard in range(shards) for item in partition("favorites", f"{content}#{shard}")
    ]
    places = [{"pk": {"S": f"page#{page}"}, "sk": {"S": "#"}} for page in own]
    directory = [dynamodb.get_item(TableName=f"{prefix}directory", Key=key).get("Item") for key in places]
    return Contents(feeds, comments, favorites, [], pages_in(filter(None, directory)))


def pages_in(directory: Iterable[Item]) -> list[str]:
    """Return the ids of the pages in the directory, including those that are being deleted."""
    return [
        item["pk"]["S"].removeprefix("page#")
        for item in directory
        if item["pk"]["S"].startswith("page#") and item["sk"]["S"] == "#"
    ]
