"""Favorites of contents: at most one per user and content, counted in one of the content's shards. Items: items.py."""

from collections import Counter
from collections.abc import Callable, Mapping

from chalicelib.core.base36 import base36
from chalicelib.core.errors import Conflict, NotFound, PermissionDenied, Unavailable
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_table
from chalicelib.store.aws.items import Item, key_of, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.contents.events import ContentEvents
from chalicelib.store.contents.items import (
    Tables,
    by,
    content_in,
    content_of,
    favorite_key,
    favorites_in,
    generation_in,
    generation_of,
    head_key,
    of_generation,
    poster_of,
    shard_key,
    shard_of,
    shards_of,
    visible,
)
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("favorites", "PutItem", "BatchGetItem"),
    # The head of a content, which counts favorites, is in the table of comments.
    on_table("comments", "BatchGetItem", "ConditionCheckItem"),
    # Favorites are removed by their owners, or erased with them, and the count is decreased if it still exists.
    on_table("comments", "GetItem", "UpdateItem", by=(API, CLEAN)),
    on_table("favorites", "DeleteItem", "UpdateItem", "BatchWriteItem", by=(API, CLEAN)),
    # Events.
    on_table("ephemeral", "PutItem", by=(API, CLEAN)),
    # The user, and the page.
    on_table("directory", "BatchGetItem"),
)


class Favorites:
    """The favorites of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        users: Users,
        pages: Pages,
        events: ContentEvents,
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = users
        self._pages = pages
        self._events = events
        self._clock = clock

    def add(self, page: str, content_uri: str, user: str) -> str:
        """Make a content a user's favorite; return the favorite's id, which is unchanged if it already was one.

        It takes two calls, and one more for the first favorite in a shard. Raises NotFound (page, content),
        PermissionDenied (no such user) and Unavailable.
        """
        content = content_of(page, content_uri)
        head_place, user_place = (self._tables.comments, head_key(content)), self._users.place(user)
        for wait in races():
            places = [head_place, user_place, self._pages.place(page)]
            found = self._dynamo.batch_get(places, consistent=True)
            head = visible(found.get(head_place))
            self._pages.check(page, found)
            self._users.check_poster(found.get(user_place))
            item = self._item(content, head, user)
            there = self._add(content, head, item)
            if there is not None:
                return favorite_id(there)
            self._dynamo.rest(wait)
        raise Unavailable

    def restored(self, content: str, head: Item, user: str, created: int, *, check: bool) -> bool | None:
        """Import a favorite with its time; return whether it is new, or None if the head has changed meanwhile.

        With `check`, nothing is stored. Raises Conflict (it exists with another time).
        """
        item = self._item(content, head, user, created)
        if check:
            place = (self._tables.favorites, key_of(item))
            there = self._dynamo.batch_get([place], consistent=True).get(place)
            if there is None:
                return True
        else:
            there = self._add(content, head, item)
            if there is None or there is item:
                return None if there is None else True
        if int(there["c"]["N"]) != created:
            raise Conflict("The favorite exists, and has another time")
        return False

    def _item(self, content: str, head: Item, user: str, created: int | None = None) -> Item:
        key = favorite_key(content, shard_of(user, head), generation_of(head), user)
        return typed(key) | {"list": {"S": by(user)}, "c": {"N": str(created or self._clock())}}

    def _add(self, content: str, head: Item, item: Item) -> Item | None:
        """Return the favorite that is then stored; None if the head has changed or another write created the shard."""
        generation, shard = generation_of(head), shard_of(poster_of(item), head)
        write = Transaction()
        write.put("favorite", self._tables.favorites, item, ABSENT)
        self._count(write, content, shard, generation, 1)
        self._events.liked(write, head, favorite_id(item), poster_of(item))
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            if there := lost.stored("favorite"):
                return there
            if shard == 0 or lost.stored("count"):
                return None
        else:
            return item
        write = Transaction()
        write.put("favorite", self._tables.favorites, item, ABSENT)
        begun = typed(shard_key(content, shard)) | {"g": {"S": generation}, "fv": {"N": "1"}}
        write.put("count", self._tables.favorites, begun, ABSENT)
        write.check("head", self._tables.comments, head_key(content), of_generation(generation))
        self._events.liked(write, head, favorite_id(item), poster_of(item))
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            return lost.stored("favorite")
        return item

    def remove(self, page: str, content_uri: str, favorite: str, user: str) -> None:
        """Remove a favorite.

        Raises NotFound (page, content, favorite), PermissionDenied (another user's favorite) and Unavailable.
        """
        owner, created = favorite.rpartition("-")[0], _created(favorite)
        head_place = (self._tables.comments, head_key(content_of(page, content_uri)))
        found = self._dynamo.batch_get([head_place, self._pages.place(page)], consistent=True)
        self._pages.check(page, found)
        head = visible(found.get(head_place))
        if not owner or created is None:
            raise NotFound("There is no such favorite")
        if owner != user:
            raise PermissionDenied
        if not self._take(self._item(head["pk"]["S"], head, user), head, created):
            raise NotFound("There is no such favorite")

    def _take(self, item: Item, head: Item, created: int) -> bool:
        shard = shard_of(poster_of(item), head)
        write = Transaction()
        write.delete("favorite", self._tables.favorites, key_of(item), equals("c", created))
        self._count(write, head["pk"]["S"], shard, generation_of(head), -1)
        stored = item | {"c": {"N": str(created)}}
        self._events.unliked(write, head, favorite_id(stored), poster_of(stored))
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        return True

    def erase(self, item: Item) -> bool:
        """Remove a stored favorite without a permission check; return whether it existed. Raises Unavailable."""
        head = self._dynamo.get(self._tables.comments, head_key(content_in(item)), consistent=True)
        if head is None or generation_of(head) != generation_in(item):
            return self._dynamo.delete_all(self._tables.favorites, [key_of(item)]) > 0
        return self._take(item, head, int(item["c"]["N"]))

    def count(self, page: str, content_uri: str) -> int:
        """Return how many users have made a content a favorite. Raises NotFound (content).

        It takes one call, and a second if the content has shards. The page is not read, because that would double the
        cost: while a page is being deleted, a count is returned until the feed is cleared.
        """
        content = content_of(page, content_uri)
        head = visible(self._dynamo.get(self._tables.comments, head_key(content), consistent=False))
        return favorites_in(head) + more_favorites(self._dynamo, self._tables, {content: head})[content]

    def _count(self, write: Transaction, content: str, shard: int, generation: str, change: int) -> None:
        table, key = self._tables.favorites if shard else self._tables.comments, shard_key(content, shard)
        write.update("count", table, key, Update(adds={"fv": change}), of_generation(generation))


def favorite_id(item: Item) -> str:
    """Return a favorite's id: its user and the time of its creation."""
    return f"{poster_of(item)}-{base36(int(item['c']['N']), 1)}"


def _created(favorite: str) -> int | None:
    """Return the time in a favorite's id, or None if the text cannot be such an id."""
    time = favorite.rpartition("-")[2]
    return int(time, 36) if time.isascii() and time.isalnum() and time == time.upper() and len(time) <= 10 else None


def more_favorites(dynamo: Dynamo, tables: Tables, heads: Mapping[str, Item]) -> Counter[str]:
    """Return by content the favorites that its shards count in addition to its head.

    It takes one call, or none if no content has shards.
    """
    places = {
        (tables.favorites, shard_key(content, shard)): content
        for content, head in heads.items()
        for shard in range(1, shards_of(head))
    }
    more: Counter[str] = Counter()
    for place, item in dynamo.batch_get(places, consistent=False).items():
        if generation_of(item) == generation_of(heads[places[place]]):
            more[places[place]] += favorites_in(item)
    return more
