"""Posting of feeds: the permission, the source name, and the one transaction that stores a feed. Items: items.py.

An administrator's feed replaces a feed of the same contentUri that the page does not show: that one is deleted in the
transaction that stores the new one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, PermissionDenied, Refusal, Unavailable
from chalicelib.core.events import EventKind, ToldApp
from chalicelib.core.imaging.renditions import Rendition
from chalicelib.core.model.contents import Draft, Feed
from chalicelib.core.model.directory import FeedSource
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, PRESENT
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place, typed
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import AnswerRecord, Transaction
from chalicelib.store.contents.cleanup_notes import UPLOAD, CleanupNotes
from chalicelib.store.contents.events import ContentEvents
from chalicelib.store.contents.images import Images
from chalicelib.store.contents.items import (
    Tables,
    content_of,
    feed_id,
    feed_item,
    generation_of,
    head_item,
    head_key,
    is_shown,
    of_generation,
    shard_key,
    shards_of,
    to_feed,
    unshown_key,
)
from chalicelib.store.contents.numbered_lists import (
    LIST_PART,
    NumberedLists,
    Ticket,
    entry_key,
    holder_key,
    new_holder,
    new_id,
)
from chalicelib.store.contents.post_rows import PostRows
from chalicelib.store.directory import page_items
from chalicelib.store.directory.directory import Directory

NEEDS = (
    # The feed, its entry in its page's list, and the note of its upload, which is deleted when the feed is stored.
    on_table("feeds", "PutItem", "UpdateItem", "DeleteItem"),
    on_table("comments", "BatchGetItem", "PutItem"),
    # The counts of a feed that is replaced.
    on_table("favorites", "DeleteItem"),
    # The poster, the app, and the check that the page still exists.
    on_table("directory", "BatchGetItem", "ConditionCheckItem"),
    # The response to a request with an Idempotency-Key, and events.
    on_table("ephemeral", "UpdateItem", "PutItem"),
    # The row of a new feed, and that of a hidden one that is replaced.
    on_table("records", "PutItem", "DeleteItem"),
)


@dataclass(frozen=True)
class FeedSettings:
    """The settings for new feeds: `detail` returns the URL of a feed's page from page and id."""

    detail: Callable[[str, str], str]
    favorite_shards: int


@dataclass(frozen=True)
class Admission:
    """The permission of a user to post a feed to a page with that source name; `shown`: the page will show it.

    `administers`: the poster is an administrator, whose feed replaces one that is not shown; `standing` is that one's
    head. `told` is the app, which is told of the content's events of the kinds that it asked for.
    """

    page: str
    poster: str
    source_name: str
    shown: bool
    administers: bool = False
    standing: Item | None = None
    told: ToldApp | None = None

    def gives_way(self, head: Item | None) -> bool:
        """Return True if there is no feed with that head or if this post may replace it."""
        return head is None or (self.administers and not is_shown(head["f"]["S"]))


def leave(write: Transaction, tables: Tables, notes: CleanupNotes, head: Item) -> None:
    """Delete a feed in a transaction, except its head and its entry in the page's list; note what is left behind."""
    content, generation = head["pk"]["S"], generation_of(head)
    feed = (head["pg"]["S"], head["f"]["S"])
    write.delete("old feed", tables.feeds, feed, of_generation(generation))
    notes.deleted(write, generation, content, shards_of(head))
    for shard in range(1, shards_of(head)):
        write.delete(f"favorites {shard}", tables.favorites, shard_key(content, shard))


class FeedPosting:
    """The posting of feeds."""

    def __init__(
        self,
        dynamo: Dynamo,
        tables: Tables,
        directory: Directory,
        images: Images,
        notes: CleanupNotes,
        events: ContentEvents,
        rows: PostRows,
        settings: FeedSettings,
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._tables = tables
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._images = images
        self._notes = notes
        self._events = events
        self._rows = rows
        self._lists = NumberedLists(dynamo, tables.feeds, clock)
        self._settings = settings
        self._clock = clock

    def admit(
        self,
        page: str,
        poster: str,
        app: str,
        draft: Draft,
        asked: Callable[[], frozenset[EventKind]] = frozenset,
    ) -> Admission:
        """Check whether a feed may be posted, before its image is handled.

        `asked` returns the kinds of events that the app asked for; it is called if the app itself need not be read.

        Raises NotFound (no such page), PermissionDenied (no such user, the app is not installed on the page),
        ParameterInvalid (`source` is no module of this app there) and Conflict (the page has a feed of that contentUri
        that may not be replaced). It takes one call, and in parallel one to the index if no source is named.
        """
        pages, users, apps = self._pages, self._users, self._apps
        module = pages.module_place(page, draft.source) if draft.source else apps.place(app)
        head: Place | None = None
        places = [pages.place(page), users.place(poster), pages.members.administrator(page, poster), module]
        if draft.content_uri:
            head = (self._tables.comments, head_key(content_of(page, draft.content_uri)))
            places.append(head)
        found: dict[Place, Item] = {}
        on_page: list[bool] = []
        side_by_side(
            [
                lambda: found.update(self._dynamo.batch_get(places, consistent=True)),
                lambda: on_page.append(draft.source is None and pages.has_app(page, app)),
            ]
        )
        held = pages.check(page, found)
        users.check_poster(found.get(users.place(poster)))
        name = self._source_name(found.get(module), app, draft.source, on_page=on_page[0])
        known = None if draft.source else apps.from_item(found.get(module), with_secret=False)
        told = ToldApp(app, known.events if known else asked())
        administers = pages.members.administrator(page, poster) in found
        source = page_items.from_item(held).feed_source
        shown = administers or source is FeedSource.EVERYONE
        standing = found.get(head) if head else None
        admission = Admission(page, poster, name, shown, administers, standing, told)
        if not admission.gives_way(admission.standing):
            raise _taken()
        return admission

    def admit_administrator(self, page: str, poster: str, source_name: str) -> Admission:
        """Check whether an administrator may post a feed without an app, on the web pages, before its image is handled.

        `source_name` stands for the app's name; no app is told of the feed's events. It takes one call. Raises NotFound
        (no such page) and PermissionDenied (no such user, or no administrator of the page).
        """
        administrator = self._pages.members.administrator(page, poster)
        user = self._users.place(poster)
        found = self._dynamo.batch_get([self._pages.place(page), user, administrator], consistent=True)
        self._pages.check(page, found)
        self._users.check_poster(found.get(user))
        if administrator not in found:
            raise PermissionDenied
        return Admission(page, poster, source_name, shown=True, administers=True)

    def _source_name(self, item: Item | None, app: str, source: str | None, *, on_page: bool) -> str:
        if source is not None:
            module = page_items.to_module(item) if item else None
            if module is None or module.app != app:
                raise ParameterInvalid("sourceId is not the id of a module of this app on the page")
            return module.name
        known = self._apps.from_item(item, with_secret=False)
        if known is None or not on_page:
            raise PermissionDenied("The app is not installed on the page")
        return known.name

    def post(
        self,
        admission: Admission,
        draft: Draft,
        renditions: Sequence[Rendition] = (),
        record: AnswerRecord | None = None,
    ) -> Feed:
        """Store a feed with its image, and its contentUri with the `record` of an Idempotency-Key; return it as stored.

        Raises Conflict (contentUri), NotFound (the page was deleted meanwhile), StillRunning and Unavailable; and if an
        administrator's feed would replace another, Conflict if they were removed meanwhile, and PermissionDenied if
        they are being erased. No image is left behind: until the feed is stored, a note says what to clear if that
        never happens.
        """
        generation = new_id(self._clock())
        if not renditions:
            return self._store(admission, draft, generation, (), record)
        self._notes.uploading(generation)
        keys = self._images.keep(generation, renditions)
        try:
            return self._store(admission, draft, generation, keys, record)
        except Unavailable:
            raise  # The feed may have been stored; if not, the note remains.
        except Refusal:
            self._images.remove(keys)
            self._notes.end(generation)
            raise

    def _store(
        self,
        admission: Admission,
        draft: Draft,
        generation: str,
        images: tuple[str, ...],
        record: AnswerRecord | None,
    ) -> Feed:
        page, standing = admission.page, admission.standing
        for wait in races():
            ticket = self._draw(page) if admission.shown else None
            key = entry_key(page, "", ticket.number) if ticket else unshown_key(page, generation)
            feed_in = feed_id(typed(key) | {"g": {"S": generation}})
            named = draft if draft.content_uri else replace(draft, content_uri=self._settings.detail(page, feed_in))
            item = feed_item(key, generation, admission.poster, named, admission.source_name, images, self._clock())
            content = content_of(page, named.content_uri or "")
            as_found = of_generation(generation_of(standing)) if standing else ABSENT
            write = Transaction()
            write.put("feed", self._tables.feeds, item, ABSENT)
            head = head_item(content, item, self._settings.favorite_shards, admission.told)
            write.put("head", self._tables.comments, head, as_found)
            write.check("page", *self._pages.place(page), ALIVE)
            if ticket:
                self._lists.use(write, page, ticket, PRESENT)
            if images:
                self._notes.uploaded(write, generation)
            if standing:
                # Who was removed or is being erased since `admit` replaces nothing of others.
                write.check("administrator", *self._pages.members.administrator(page, admission.poster), PRESENT)
                write.check("poster", *self._users.place(admission.poster), ALIVE)
                leave(write, self._tables, self._notes, standing)
                self._events.deleted(write, standing)
                self._rows.no_longer_hidden(write, standing["pk"]["S"], None, standing)
            self._events.posted(write, head)
            self._rows.posted(write, head, int(item["c"]["N"]))
            feed = to_feed(item, None)
            if record:
                record.join(write, feed.content_uri)
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                if not self._was_ours(lost, generation):
                    if record:
                        record.check(lost)
                    self._refuse(lost, admission, draft, ticket, images)
                    if lost.failed("head") and draft.content_uri:
                        standing = lost.stored("head")
                    self._dynamo.rest(wait)
                    continue
            if ticket:
                self._lists.end_late(page, "", ticket, PRESENT)
            if standing:
                self._notes.send(generation_of(standing))
            return feed
        raise Unavailable

    def _was_ours(self, lost: Lost, generation: str) -> bool:
        """Return whether the stored feed is this one, from a try whose response was lost."""
        head = lost.stored("head")
        return head is not None and generation_of(head) == generation

    def _refuse(
        self, lost: Lost, admission: Admission, draft: Draft, ticket: Ticket | None, images: tuple[str, ...]
    ) -> None:
        """Raise the error that the failed conditions mean; return if the post is to be tried again with another ticket.

        It is tried again if the ticket is gone, if another feed has the URL of this detail page as its contentUri, and
        if the contentUri now belongs to another feed that may be replaced, or to none.
        """
        page = admission.page
        if ticket and not lost.failed(LIST_PART):
            self._lists.give_up(page, "", ticket, PRESENT)
        if lost.failed("page"):
            raise NotFound(f"There is no page {page}")
        if lost.failed("poster"):
            raise PermissionDenied
        if lost.failed("administrator"):
            raise _taken()
        if lost.failed("head") and draft.content_uri and not admission.gives_way(lost.stored("head")):
            raise _taken()
        if lost.failed(UPLOAD):
            self._images.remove(images)  # Too late: the image is cleared, perhaps before all was stored.
            raise Unavailable

    def _draw(self, page: str) -> Ticket:
        try:
            return self._lists.draw(page, PRESENT)
        except Lost:
            self._begin(page)
        try:
            return self._lists.draw(page, PRESENT)
        except Lost:
            raise NotFound(f"There is no page {page}") from None

    def _begin(self, page: str) -> None:
        """Create the page's list, for the first feed that the page shows."""
        write = Transaction()
        write.put(LIST_PART, self._tables.feeds, typed(holder_key(page)) | new_holder(), ABSENT)
        write.check("page", *self._pages.place(page), ALIVE)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            if lost.failed("page"):
                raise NotFound(f"There is no page {page}") from None


def _taken() -> Conflict:
    return Conflict("The page already has a feed with this contentUri")
