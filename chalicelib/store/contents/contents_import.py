"""Import of feeds, comments and favorites with their ids and times. Their items: items.py.

The entries of a list are imported in the order of their numbers, and the numbers between them become holes. So an
import continues after its own entries, and refuses a list in which others have posted since.
"""

from collections.abc import Sequence

from chalicelib.core.bulk_import import Following, RecordResult, stored, would_be_created
from chalicelib.core.contents_records import CommentRecord, FavoriteRecord, FeedRecord
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, Unavailable
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, PRESENT
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.formats import ATTRIBUTE
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place, typed
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.cleanup_notes import CleanupNotes
from chalicelib.store.contents.favorites import Favorites
from chalicelib.store.contents.images import Images
from chalicelib.store.contents.items import (
    Tables,
    comment_item,
    content_of,
    feed_item,
    feed_key,
    generation_of,
    head_item,
    head_key,
    hidden_at,
    hidden_feed_key,
    hidden_since,
    number_in,
    of_generation,
    prefix_of,
)
from chalicelib.store.contents.numbered_lists import (
    LIST_PART,
    MOST_SKIPPED,
    NumberedLists,
    entry_key,
    hidden_key,
    holder_key,
    new_holder,
)
from chalicelib.store.contents.post_rows import PostRows
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("feeds", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem"),
    on_table("comments", "PutItem", "UpdateItem", "BatchGetItem"),
    on_table("directory", "BatchGetItem", "ConditionCheckItem"),
    on_table("records", "PutItem"),
)


_IMPORTED = {"by": "import"}


class ContentsImport:
    """The import of contents. With `check`, nothing is stored, and the result is that of a dry run."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        users: Users,
        pages: Pages,
        favorites: Favorites,
        images: Images,
        notes: CleanupNotes,
        rows: PostRows,
        lists: tuple[NumberedLists, NumberedLists],
        favorite_shards: int,
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = users
        self._pages = pages
        self._favorites = favorites
        self._images = images
        self._notes = notes
        self._rows = rows
        self._feeds, self._comments = lists
        self._shards = favorite_shards

    def feed(self, record: FeedRecord, *, check: bool = False) -> RecordResult:
        """Store a feed with its images. Raises NotFound (page, poster), Conflict, ParameterInvalid and Unavailable."""
        page, content = record.page, content_of(record.page, record.draft.content_uri or "")
        keys = [feed_key(page, record.id), hidden_feed_key(page, record.id)]
        key = keys[0] if record.hidden is None else keys[1]
        plain = feed_item(
            key,
            record.generation,
            record.poster,
            record.draft,
            record.source_name,
            record.images,
            record.created,
        )
        item = plain | hidden_since(record.hidden)
        head_place, holder_place = (self._tables.comments, head_key(content)), (self._tables.feeds, holder_key(page))
        feed_places = [(self._tables.feeds, each) for each in keys]
        for wait in races():
            found = self._found(page, record.poster, [head_place, *feed_places, holder_place])
            there = next((found[place] for place in feed_places if place in found), None)
            if head_place in found or there:
                return _unchanged(there, item, "feed")
            needs = self._needs(found, page, record.poster)
            self._need(needs, check=check)
            holder, number = found.get(holder_place), record.number
            follows = None if number is None else _following(f"feeds {page}", holder, number)
            if follows:
                follows.check_order(follows.last)
            if check:
                return would_be_created(*needs, follows=follows)
            try:
                if number is None:
                    self._store_feed(record, content, item)
                elif holder is None:
                    self._begin(page)
                    continue
                elif int(holder["nx"]["N"]) < number:
                    self._feeds.skip(page, "", int(holder["nx"]["N"]), number, PRESENT)
                    continue
                else:
                    self._store_feed(record, content, item)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return stored(True)
        raise Unavailable

    def _store_feed(self, record: FeedRecord, content: str, item: Item) -> None:
        """Store a feed and its images. Raises Lost, and Unavailable."""
        page, number = record.page, record.number
        if record.files:
            self._note_upload(record.generation, content)
            self._images.restore(record.files)
        write = Transaction()
        write.put("feed", self._tables.feeds, item, ABSENT)
        head = head_item(content, item, self._shards)
        write.put("head", self._tables.comments, head, ABSENT)
        write.check("page", *self._pages.place(page), ALIVE)
        write.check("poster", *self._users.place(record.poster), ALIVE)
        if record.hidden is not None:
            self._rows.hidden(write, head, None, record.hidden, _IMPORTED)
        if number is not None and record.hidden is None:
            self._feeds.restore(write, page, number, PRESENT)
        elif number is not None:
            self._feeds.restore_hidden(write, page, "", number, PRESENT, {})
        if record.files:
            self._notes.uploaded(write, record.generation)
        self._dynamo.commit(write)

    def _note_upload(self, generation: str, content: str) -> None:
        """Write the note of an upload. Raises Lost if the feed is stored, Unavailable if an older try is being cleared.

        A note of a feed that is stored would clear its images.
        """

        def check_head(write: Transaction) -> None:
            write.check("head", self._tables.comments, head_key(content), ABSENT)

        try:
            self._notes.uploading(generation, check_head)
        except Lost as lost:
            if lost.failed("head"):
                raise
            if "doomed" in (lost.stored("note") or {}):
                raise Unavailable from None

    def comment(self, record: CommentRecord, *, check: bool = False) -> RecordResult:
        """Store a comment. Raises NotFound (page, content, poster), Conflict, ParameterInvalid and Unavailable."""
        comment, content = record.comment, content_of(record.page, record.content_uri)
        head_place = (self._tables.comments, head_key(content))
        named = number_in(comment.id)
        if named is None or named[0] < 1:
            raise ParameterInvalid("id is not the id of a comment")
        number, random = named
        for wait in races():
            found = self._found(record.page, comment.poster, [head_place])
            head = found.get(head_place)
            needs = self._needs(found, record.page, comment.poster)
            if head is None:
                needs.append(f"content {record.page} {record.content_uri}")
            self._need(needs, check=check)
            follows = _following(f"comments {record.page} {record.content_uri}", head, number)
            if head is None:
                return would_be_created(*needs, follows=follows)
            prefix, alive = prefix_of(head), of_generation(generation_of(head))
            keys = [make(content, prefix, number) for make in (entry_key, hidden_key)]
            key = keys[0] if comment.hidden is None else keys[1]
            plain = comment_item(key, comment.poster, comment.text, random, comment.created)
            item = plain | hidden_since(comment.hidden)
            places = [(self._tables.comments, each) for each in keys]
            if there := self._dynamo.batch_get(places, consistent=True):
                return _unchanged(next(iter(there.values())), item, "comment")
            follows.check_order(follows.last)
            if check:
                return would_be_created(*needs, follows=follows)
            try:
                if int(head["nx"]["N"]) < number:
                    self._comments.skip(content, prefix, int(head["nx"]["N"]), number, alive)
                    continue
                write = Transaction()
                write.put("comment", self._tables.comments, item, ABSENT)
                if comment.hidden is None:
                    self._comments.restore(write, content, number, alive)
                else:
                    self._comments.restore_hidden(write, content, prefix, number, alive, {"hc": 1})
                    self._rows.hidden(write, head, number, comment.hidden, _IMPORTED)
                write.check("poster", *self._users.place(comment.poster), ALIVE)
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return stored(True)
        raise Unavailable

    def favorite(self, record: FavoriteRecord, *, check: bool = False) -> RecordResult:
        """Store a favorite. Raises NotFound (page, content, user), Conflict (another time) and Unavailable."""
        content = content_of(record.page, record.content_uri)
        head_place = (self._tables.comments, head_key(content))
        for wait in races():
            found = self._found(record.page, record.user, [head_place])
            head = found.get(head_place)
            needs = self._needs(found, record.page, record.user)
            if head is None:
                needs.append(f"content {record.page} {record.content_uri}")
            self._need(needs, check=check)
            if head is None:
                return would_be_created(*needs)
            created = self._favorites.restored(content, head, record.user, record.created, check=check)
            if created and check:
                return would_be_created(*needs)
            if created is not None:
                return stored(created)
            self._dynamo.rest(wait)
        raise Unavailable

    def _found(self, page: str, user: str, places: Sequence[Place]) -> dict[Place, Item]:
        wanted = [*places, self._pages.place(page), self._users.place(user)]
        return self._dynamo.batch_get(wanted, consistent=True)

    def _needs(self, found: dict[Place, Item], page: str, user: str) -> list[str]:
        """Return the page and the user, as far as they do not exist."""
        places = {f"page {page}": self._pages.place(page), f"user {user}": self._users.place(user)}
        return [name for name, place in places.items() if place not in found or "gone" in found[place]]

    def _need(self, needs: Sequence[str], *, check: bool) -> None:
        if needs and not check:
            raise NotFound("There is no " + needs[0])

    def _begin(self, page: str) -> None:
        """Create the page's list of feeds. Raises Lost."""
        write = Transaction()
        write.put(LIST_PART, self._tables.feeds, typed(holder_key(page)) | new_holder(), ABSENT)
        write.check("page", *self._pages.place(page), ALIVE)
        self._dynamo.commit(write)


def _following(name: str, holder: Item | None, number: int) -> Following:
    """Return the place of a record in a list, whose holder may not exist yet."""
    return Following(name, int(holder["nx"]["N"]) - 1 if holder else 0, number, MOST_SKIPPED)


def _unchanged(there: Item | None, item: Item, kind: str) -> RecordResult:
    """Return the result for an item that is stored as it would be imported. Raises Conflict for another one."""
    if there is None:
        raise Conflict(f"The page has another {kind} with this contentUri")
    if hidden_at(there) != hidden_at(item):
        raise Conflict(f"The {kind} is there, but a moderator has hidden it or shown it again")
    # An import sets neither the format, nor the app that is told of the comment's end, nor the row of newest posts.
    if {name: value for name, value in there.items() if name not in (ATTRIBUTE, "ap", "o")} != item:
        raise Conflict(f"There is another {kind} with this id")
    return stored(False)
