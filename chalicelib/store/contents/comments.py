"""Comments on contents. Their items are described in items.py, and their lists in numbered_lists.py."""

import secrets
from collections.abc import Callable
from functools import partial

from chalicelib.core.base36 import base36
from chalicelib.core.errors import NotFound, ParameterInvalid, PermissionDenied, Refusal, Unavailable
from chalicelib.core.model.contents import Comment, ContentsPart
from chalicelib.core.paging import Paging
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, PRESENT
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import AnswerRecord, Transaction, Update
from chalicelib.store.contents.events import ContentEvents
from chalicelib.store.contents.items import (
    RANDOM,
    VISIBLE,
    NoteOfDeletion,
    comment_item,
    content_of,
    feed_of,
    generation_of,
    head_key,
    hidden_at,
    hidden_comments,
    no_content,
    number_in,
    of_generation,
    poster_of,
    prefix_of,
    tells_its_end,
    to_comment,
    told_app,
    visible,
)
from chalicelib.store.contents.numbered_lists import (
    LIST_PART,
    NumberedLists,
    Ticket,
    entry_key,
    hidden_key,
    number_of,
    total,
)
from chalicelib.store.contents.post_rows import PostRows
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (
    on_table("comments", "BatchGetItem", "PutItem"),
    # Comments are deleted by their posters, or erased with their posters; the head says how to tell the app of it.
    on_table("comments", "GetItem", "DeleteItem", "UpdateItem", by=(API, CLEAN)),
    # Posters, and the page.
    on_table("directory", "BatchGetItem"),
    # The response to a request with an Idempotency-Key.
    on_table("ephemeral", "UpdateItem"),
    # Events.
    on_table("ephemeral", "PutItem", by=(API, CLEAN)),
    # The rows of newest and of hidden posts.
    on_table("records", "PutItem"),
    on_table("records", "DeleteItem", by=(API, CLEAN)),
)


class Comments:
    """The comments of one deployment. `offset` is its UTC offset in minutes; `clock` returns milliseconds."""

    def __init__(
        self,
        dynamo: Dynamo,
        table: str,
        users: Users,
        pages: Pages,
        events: ContentEvents,
        rows: PostRows,
        offset: int,
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._users = users
        self._pages = pages
        self._events = events
        self._rows = rows
        self._offset = offset
        self._clock = clock
        self._lists = NumberedLists(dynamo, table, clock)

    def post(
        self,
        page: str,
        content_uri: str,
        user: str,
        text: str,
        record: AnswerRecord | None = None,
    ) -> Comment:
        """Store a comment, and its id with the `record` of an Idempotency-Key; return it as stored.

        Raises NotFound (page, content, or a hidden one), PermissionDenied (no such user), StillRunning and Unavailable.
        It takes two calls, whatever the number of comments and of concurrent posts.
        """
        content = content_of(page, content_uri)
        for wait in races():
            ticket = self._draw(page, content, user)
            generation = generation_of(ticket.holder)
            prefix, alive = prefix_of(ticket.holder), of_generation(generation)
            random = base36(secrets.randbelow(36**RANDOM), RANDOM)
            key, told = entry_key(content, prefix, ticket.number), told_app(ticket.holder)
            created = self._clock()
            first = self._rows.first_of(ticket.holder, ticket.number, created)
            item = comment_item(key, user, text, random, created, told, ticket.number - first)
            made = to_comment(item, self._offset)
            write = Transaction()
            write.put("comment", self._table, item, ABSENT)
            opened = self._rows.commented(write, ticket.holder, ticket.number, first, created)
            self._lists.use(write, content, ticket, alive, opened)
            self._events.commented(write, ticket.holder, made)
            if record:
                record.join(write, made.id)
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                if not _is(lost.stored("comment"), random):
                    if record:
                        record.check(lost)
                    if lost.stored(LIST_PART) is None:
                        raise no_content() from None
                    # The ticket expired, or the content now belongs to another feed: draw another ticket.
                    self._dynamo.rest(wait)
                    continue
            self._lists.end_late(content, prefix, ticket, alive)
            return made
        raise Unavailable

    def _draw(self, page: str, content: str, user: str) -> Ticket:
        tickets: list[Ticket] = []
        found: dict[Place, Item] = {}
        places = [self._users.place(user), self._pages.place(page)]
        try:
            side_by_side(
                [
                    lambda: tickets.append(self._lists.draw(content, VISIBLE)),
                    lambda: found.update(self._dynamo.batch_get(places, consistent=False)),
                ]
            )
        except Lost:
            raise no_content() from None
        try:
            self._pages.check(page, found)
            self._users.check_poster(found.get(places[0]))
        except Refusal:
            head = tickets[0].holder
            self._lists.give_up(content, prefix_of(head), tickets[0], of_generation(generation_of(head)))
            raise
        return tickets[0]

    def part(self, page: str, content_uri: str, paging: Paging, *, hidden: bool = False) -> ContentsPart[Comment]:
        """Return a part of a content's comments, without hidden ones.

        Raises NotFound (page, content; also for a hidden feed, unless `hidden`) and ParameterInvalid (cursor).
        """
        try:
            cut = self._lists.part(content_of(page, content_uri), paging, prefix_of)
        except ParameterInvalid:
            self._pages.check(page, self._dynamo.batch_get([self._pages.place(page)], consistent=False))
            raise  # The page exists, so the cursor is invalid.
        if cut is None:
            raise no_content()
        visible(cut.holder, hidden=hidden)
        posters = {poster_of(item) for item in cut.entries}
        places = [*map(self._users.place, posters), self._pages.place(page)]
        found = self._dynamo.batch_get(places, consistent=False)
        self._pages.check(page, found)
        return ContentsPart(
            [to_comment(item, self._offset) for item in cut.entries],
            total(cut.holder),
            paging.index,
            cut.following,
            self._users.among(posters, found),
        )

    def delete(self, page: str, content_uri: str, comment: str, user: str, note: NoteOfDeletion | None = None) -> None:
        """Delete a comment. If it is another's, `note` adds to the transaction what tells of it.

        Raises NotFound (page, content, comment), PermissionDenied (the user is neither its poster nor an administrator
        of the page) and Unavailable.
        """
        head_place = (self._table, head_key(content_of(page, content_uri)))
        administrator = self._pages.members.administrator(page, user)
        for wait in races():
            found = self._dynamo.batch_get([head_place, administrator, self._pages.place(page)], consistent=True)
            self._pages.check(page, found)
            head = visible(found.get(head_place), hidden=True)
            item = self.find(head, comment)
            hidden = hidden_at(head) is not None or (item is not None and hidden_at(item) is not None)
            allowed = administrator in found or (item is not None and poster_of(item) == user)
            if item is None or (hidden and not allowed):
                raise NotFound("There is no such comment")
            if not allowed:
                raise PermissionDenied
            poster = poster_of(item)
            noted = partial(note, feed=feed_of(head), poster=poster) if note and poster != user else None
            if self.remove(item, generation_of(head), head, noted):
                return
            self._dynamo.rest(wait)  # It was deleted, hidden or shown again.
        raise Unavailable

    def find(self, head: Item, comment: str) -> Item | None:
        """Return the stored comment with that id, hidden or not (strongly consistent), or None.

        Hiding moves a comment to another key, and showing it moves it back, also between two of these reads.
        """
        asked = number_in(comment)
        if asked is None:
            return None
        for key in (entry_key, hidden_key, entry_key)[: 3 if hidden_comments(head) else 2]:
            item = self._dynamo.get(self._table, key(head["pk"]["S"], prefix_of(head), asked[0]), consistent=True)
            if item is not None:
                return item if _is(item, asked[1]) else None
        return None

    def remove(
        self,
        item: Item,
        generation: str,
        head: Item | None = None,
        note: Callable[[Transaction], None] | None = None,
    ) -> bool:
        """Delete a comment of that generation, without a permission check; return whether it existed.

        `head` is the content's head, if the caller knows it; it is read if an app is told. Raises Unavailable.
        """
        content, alive = item["pk"]["S"], of_generation(generation)
        if head is None and tells_its_end(item):
            head = self._dynamo.get(self._table, head_key(content), consistent=True)
        write = Transaction()
        write.delete("comment", self._table, (content, item["sk"]["S"]), PRESENT)
        if hidden_at(item) is None:
            self._lists.remove(write, content, f"{generation}#", number_of(item), alive)
        else:
            write.update(LIST_PART, self._table, head_key(content), Update(adds={"hc": -1}), alive)
            self._rows.no_longer_hidden(write, content, number_of(item), item)
        if head:
            self._events.uncommented(write, head, to_comment(item, self._offset))
        if note:
            note(write)
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        return True


def _is(item: Item | None, random: str) -> bool:
    """Return whether a stored comment has that random part in its id."""
    return item is not None and item["r"]["S"] == random
