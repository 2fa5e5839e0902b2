"""All that one user has posted to pages: told, and erased. The index `listing` of each table knows it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from chalicelib.core.model.contents import Comment, Feed
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import API, CLEAN, on_index, on_table
from chalicelib.store.aws.items import Item, Place, key_of
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.comments import Comments
from chalicelib.store.contents.favorites import Favorites
from chalicelib.store.contents.feeds import Feeds
from chalicelib.store.contents.items import (
    Tables,
    by,
    content_in,
    generation_in,
    generation_of,
    head_key,
    to_comment,
    to_feed,
)
from chalicelib.store.directory.users import Users

# What one call cannot erase, or what was on its way, goes by way of the queue.
NEEDS = (
    on_index("feeds", by=(API, CLEAN)),
    on_index("comments", by=(API, CLEAN)),
    on_index("favorites", by=(API, CLEAN)),
    on_table("feeds", "BatchGetItem", by=(API, CLEAN)),
    on_table("comments", "BatchGetItem", "BatchWriteItem", by=(API, CLEAN)),
    on_table("favorites", "BatchGetItem", by=(API, CLEAN)),
)

_AT_ONCE = 16


@dataclass(frozen=True)
class ContentAddress:
    """Which content a comment or a favorite is on."""

    page: str
    content_uri: str


@dataclass(frozen=True)
class PostedContents:
    """All that a user has posted; a favorite by when it was made (ms)."""

    feeds: Sequence[Feed]
    comments: Sequence[tuple[ContentAddress, Comment]]
    favorites: Sequence[tuple[ContentAddress, int]]


class PostsOfUser:
    """What users have posted in one deployment. `offset` is the deployment's, in minutes."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        users: Users,
        feeds: Feeds,
        comments: Comments,
        favorites: Favorites,
        offset: int,
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = users
        self._feeds = feeds
        self._comments = comments
        self._favorites = favorites
        self._offset = offset

    def export(self, user: str) -> PostedContents:
        """All that a user has posted, as the indexes know it."""
        feeds = [item for some in self._of(self._tables.feeds, user) for item in some]
        by_feed = {(head["pg"]["S"], head["f"]["S"]): head for head in self._feeds.heads_of(feeds)}
        comments = list(self._on(self._tables.comments, user))
        favorites = list(self._on(self._tables.favorites, user))
        return PostedContents(
            [to_feed(item, by_feed.get(key_of(item))) for item in feeds],
            [(on, to_comment(item, self._offset)) for on, item in comments],
            [(on, int(item["c"]["N"])) for on, item in favorites],
        )

    def erase(self, user: str, end: float, now: Callable[[], float]) -> int:
        """Delete what a user has posted, as far as the indexes know it, until `now()` is `end`; how much went.

        Where there is such a user, it is another of that id, made since: what is theirs stays.
        """
        another, erased = self._users.get(user), 0
        for table, take in (
            (self._tables.favorites, self._favorites.erase),
            (self._tables.comments, self._erase_comment),
            (self._tables.feeds, self._erase_feed),
        ):
            for some in self._of(table, user):
                old = [item for item in some if another is None or int(item["c"]["N"]) < another.created]
                erased += sum(side_by_side([partial(take, item) for item in old]))
                if now() >= end:
                    return erased
        return erased

    def _erase_comment(self, item: Item) -> bool:
        if self._comments.remove(item, generation_in(item)):
            return True
        # Of a feed that is deleted, and about to be cleared away; or gone by now.
        return self._dynamo.delete_all(self._tables.comments, [key_of(item)]) > 0

    def _erase_feed(self, item: Item) -> bool:
        # Deleted meanwhile, and posted anew, it may be somebody else's.
        heads = [head for head in self._feeds.heads_of([item]) if generation_of(head) == generation_of(item)]
        return any(map(self._feeds.remove, heads))

    def _of(self, table: str, user: str) -> Iterator[list[Item]]:
        """A user's items of a table, some at a time; an index may list what is no more."""
        keys = map(key_of, self._dynamo.listed(table, by(user)))
        while some := list(islice(keys, _AT_ONCE)):
            yield list(self._dynamo.batch_get([(table, key) for key in some], consistent=True).values())

    def _on(self, table: str, user: str) -> Iterator[tuple[ContentAddress, Item]]:
        """A user's comments or favorites, with the content each is on; none of those that are about to be cleared."""
        for some in self._of(table, user):
            heads = self._heads(set(map(content_in, some)))
            with_heads = [(heads[content_in(item)], item) for item in some if content_in(item) in heads]
            live = [(head, item) for head, item in with_heads if generation_of(head) == generation_in(item)]
            feeds = self._dynamo.batch_get([self._feed(head) for head, _ in live], consistent=True)
            for head, item in live:
                if feed := feeds.get(self._feed(head)):
                    yield ContentAddress(feed["pk"]["S"], feed["u"]["S"]), item

    def _heads(self, contents: Iterable[str]) -> dict[str, Item]:
        places = [(self._tables.comments, head_key(content)) for content in contents]
        return {key[0]: item for (_, key), item in self._dynamo.batch_get(places, consistent=True).items()}

    def _feed(self, head: Item) -> Place:
        return self._tables.feeds, (head["pg"]["S"], head["f"]["S"])
