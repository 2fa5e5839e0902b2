"""Export and erasure of all posts of one user. The index `listing` of each table has the keys of the posts."""

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

# Posts that one call cannot erase, or that were still being stored, are erased through the queue.
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
    """The content that a comment or a favorite belongs to."""

    page: str
    content_uri: str


@dataclass(frozen=True)
class PostedContents:
    """All posts of a user; a favorite is the time when it was made (ms)."""

    feeds: Sequence[Feed]
    comments: Sequence[tuple[ContentAddress, Comment]]
    favorites: Sequence[tuple[ContentAddress, int]]


class PostsOfUser:
    """The posts of the users of one deployment. `offset` is its UTC offset in minutes."""

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
        """Return all posts of a user that the indexes list."""
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
        """Delete the posts of a user that the indexes list, until `now()` is `end`; return the number of deleted posts.

        If a user with this id exists, it was created after the erasure; its posts are kept.
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
        # Its feed is deleted and will be cleared soon, or the comment is already gone.
        return self._dynamo.delete_all(self._tables.comments, [key_of(item)]) > 0

    def _erase_feed(self, item: Item) -> bool:
        # The feed may have been deleted meanwhile and posted again by another user.
        heads = [head for head in self._feeds.heads_of([item]) if generation_of(head) == generation_of(item)]
        return any(map(self._feeds.remove, heads))

    def _of(self, table: str, user: str) -> Iterator[list[Item]]:
        """Yield a user's items of a table in batches, without those that the index lists but that no longer exist."""
        keys = map(key_of, self._dynamo.listed(table, by(user)))
        while some := list(islice(keys, _AT_ONCE)):
            yield list(self._dynamo.batch_get([(table, key) for key in some], consistent=True).values())

    def _on(self, table: str, user: str) -> Iterator[tuple[ContentAddress, Item]]:
        """Yield a user's comments or favorites with their contents, except those that will be cleared soon."""
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
