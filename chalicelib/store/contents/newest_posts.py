"""The newest posts and the hidden posts, for moderators, by the rows in the table records (post_rows.py).

A part of a list takes three calls in sequence: the rows; the comments and the heads of their feeds; the feeds, posters
and pages. It has the posts of at most ROWS rows. Rows neither move nor change, so a list that grows or shrinks while it
is paged neither repeats nor loses a post. All reads are eventually consistent.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.core.actions import user_of
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.moderation import ListedPost, PostKind, PostList
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.contents.items import (
    Tables,
    generation_of,
    head_key,
    hidden_at,
    poster_of,
    to_comment,
    to_feed,
)
from chalicelib.store.contents.numbered_lists import entry_key, hidden_key, number_of
from chalicelib.store.contents.post_rows import HIDDEN, MOST, NEWEST, post_in
from chalicelib.store.directory import page_items
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("records", "Query"),
    on_table("comments", "Query", "GetItem", "BatchGetItem"),
    on_table("feeds", "BatchGetItem"),
    on_table("directory", "BatchGetItem"),
)

ROWS = 6
"""The most rows of one part: half a read unit for each row, its feed, its page and each poster."""
SEARCHED = 1_000
"""The most rows that are searched for those of one page or kind: about 16 read units."""
_NOTES = {"by": "by", "re": "reason"}
_CURSOR = re.compile(r"([0-9]{13}#[A-Za-z0-9_-]{32}#[0-9]{0,10})\|([0-9]{1,10})")


@dataclass(frozen=True)
class _Position:
    """The last post of the part before: its row, and the number of its comment (0: the row is finished)."""

    row: str
    number: int


@dataclass(frozen=True)
class SearchedRows:
    """Rows of a part of a list: those that are `wanted`, and the last one if the search met its limit there."""

    partition: str
    after: _Position | None
    wanted: Sequence[Item]
    last: Item | None


@dataclass(frozen=True)
class _FoundRow:
    """A row with the head of its feed and its comments, newest first; without comments, it is the feed's row."""

    row: Item
    head: Item
    comments: Sequence[Item | None]


class NewestPosts:
    """The lists of posts of one deployment. `table` has the rows; `offset` is the UTC offset in minutes."""

    def __init__(self, dynamo: Dynamo, tables: Tables, table: str, users: Users, pages: Pages, offset: int) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._table = table
        self._users = users
        self._pages = pages
        self._offset = offset

    def newest(self, page: str | None, kind: PostKind | None, cursor: str | None, count: int) -> PostList:
        """Return part of the newest posts that are not hidden, of all pages or of one. Raises ParameterInvalid.

        The comments of a feed within ten minutes are listed together, at the time of the first of them.
        """
        return self.posts(self.rows(page, kind, cursor), count)

    def hidden(self, page: str | None, kind: PostKind | None, cursor: str | None, count: int) -> PostList:
        """Return part of the hidden posts, those that were hidden last first. Raises ParameterInvalid."""
        return self.posts(self.rows(page, kind, cursor, hidden=True), count)

    def rows(
        self, page: str | None, kind: PostKind | None, cursor: str | None, *, hidden: bool = False
    ) -> SearchedRows:
        """Return the rows of a part of the newest or of the hidden posts: its first call. Raises ParameterInvalid."""
        after = None if cursor is None else _from_cursor(cursor)
        partition, limit = HIDDEN if hidden else NEWEST, SEARCHED if page or kind else ROWS + 2
        span = (" ", after.row if after else "~")
        rows = list(self._dynamo.query(self._table, partition, span, consistent=False, limit=limit, backwards=True))
        wanted = [row for row in rows if _is_of(row, page, kind) and not _is_finished(row, after)]
        return SearchedRows(partition, after, wanted, rows[-1] if len(rows) == limit else None)

    def posts(self, searched: SearchedRows, count: int) -> PostList:
        """Return the posts of the rows that `rows` returned, at most `count` (two calls in sequence)."""
        partition, after, wanted = searched.partition, searched.after, searched.wanted
        found = self._found(partition, wanted[:ROWS], after)
        posts = [(each, comment) for each in found for comment in each.comments]
        following, until = None, None
        if len(posts) > count:
            last, comment = posts[count - 1]
            following = _Position(_name(last.row), number_of(comment) if comment else 0)
        elif len(wanted) > ROWS:
            following = _Position(_name(wanted[ROWS - 1]), 0)
        elif searched.last:
            following, until = _Position(_name(searched.last), 0), _sort_time(searched.last)
        return self._listed(partition, posts[:count], following, until)

    def _found(self, partition: str, rows: Sequence[Item], after: _Position | None) -> list[_FoundRow]:
        """Return the rows whose feeds exist, with those of their comments that exist and come after a position."""
        heads: dict[Place, Item] = {}
        comments: dict[str, list[Item]] = {}

        def read_heads() -> None:
            places = [(self._tables.comments, head_key(post_in(row)[1])) for row in rows]
            heads.update(self._dynamo.batch_get(places, consistent=False))

        def read_comments(row: Item) -> None:
            before = after.number if after and after.row == _name(row) else None
            comments[_name(row)] = self._comments_of(partition, row, before)

        of_comments = [row for row in rows if post_in(row)[2] is not None]
        reads: list[Callable[[], None]] = [read_heads, *(partial(read_comments, row) for row in of_comments)]
        side_by_side(reads)
        found = []
        for row in rows:
            head = heads.get((self._tables.comments, head_key(post_in(row)[1])))
            if head is not None and head["g"] == row["g"]:
                found.append(_FoundRow(row, head, comments.get(_name(row), [None])))
        return found

    def _comments_of(self, partition: str, row: Item, before: int | None) -> list[Item]:
        """Return the comments of a row, newest first, with numbers below `before` (None: all)."""
        _, content, first = post_in(row)
        prefix, number = f"{row['g']['S']}#", first or 0
        if partition == HIDDEN:
            key = hidden_key(content, prefix, number)
            item = self._dynamo.get(self._tables.comments, key, consistent=False)
            return [item] if item and _sort_time(row) == hidden_at(item) and before is None else []
        span = (entry_key(content, prefix, number)[1], entry_key(content, prefix, number + MOST - 1)[1])
        items = self._dynamo.query(self._tables.comments, content, span, consistent=False, backwards=True)
        own = [item for item in items if "o" in item and number_of(item) - int(item["o"]["N"]) == number]
        return [item for item in own if before is None or number_of(item) < before]

    def _listed(
        self,
        partition: str,
        posts: Sequence[tuple[_FoundRow, Item | None]],
        following: _Position | None,
        until: int | None,
    ) -> PostList:
        places: list[Place] = []
        for each, comment in posts:
            feed = self._feed(each.head)
            people = [each.head["p"]["S"], *([poster_of(comment)] if comment else []), _hider(each.row)]
            places += [feed, self._pages.place(each.head["pg"]["S"]), *map(self._users.place, filter(None, people))]
        found = self._dynamo.batch_get(places, consistent=False)
        entries = []
        for each, comment in posts:
            feed_item = found.get(self._feed(each.head))
            if feed_item is None or generation_of(feed_item) != generation_of(each.head):
                continue
            at = None if comment else hidden_at(feed_item)
            if not comment and at != (_sort_time(each.row) if partition == HIDDEN else None):
                continue  # It was hidden or shown again since.
            notes = {
                name: each.row[short]["S"] for short, name in (("by", "by"), ("re", "reason")) if short in each.row
            }
            shown = to_comment(comment, self._offset) if comment else None
            entries.append(ListedPost(to_feed(feed_item, each.head), shown, **notes))
        shown_people = {user for entry in entries for user in (entry.poster, entry.feed.poster, user_of(entry.by))}
        pages = {entry.feed.page for entry in entries}
        known = {page: found[self._pages.place(page)] for page in pages if self._pages.place(page) in found}
        return PostList(
            entries,
            self._users.among(filter(None, shown_people), found),
            {page: page_items.from_item(item) for page, item in known.items() if "gone" not in item},
            _to_cursor(following) if following else None,
            until,
        )

    def _feed(self, head: Item) -> Place:
        return self._tables.feeds, (head["pg"]["S"], head["f"]["S"])


def _name(row: Item) -> str:
    name: str = row["sk"]["S"]
    return name


def _sort_time(row: Item) -> int:
    return post_in(row)[0]


def _is_of(row: Item, page: str | None, kind: PostKind | None) -> bool:
    own = PostKind.FEED if post_in(row)[2] is None else PostKind.COMMENT
    return page in (None, row["pg"]["S"]) and kind in (None, own)


def _is_finished(row: Item, after: _Position | None) -> bool:
    return after is not None and after.number == 0 and after.row == _name(row)


def _to_cursor(position: _Position) -> str:
    return urlsafe_b64encode(f"{position.row}|{position.number}".encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> _Position:
    try:
        read = _CURSOR.fullmatch(urlsafe_b64decode(f"{cursor}==").decode())
    except ValueError:
        read = None
    if read is None:
        raise ParameterInvalid("cursor does not belong to this list")
    return _Position(read[1], int(read[2]))


def _hider(row: Item) -> str | None:
    """Return the user who hid a post, if it is hidden and it was one."""
    return user_of(row["by"]["S"]) if "by" in row else None
