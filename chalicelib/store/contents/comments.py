"""Comments on contents. Their items are described in items.py, and their lists in numbered_lists.py."""

import secrets
from collections.abc import Callable

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
from chalicelib.store.aws.transactions import AnswerRecord, Transaction
from chalicelib.store.contents.events import ContentEvents
from chalicelib.store.contents.items import (
    RANDOM,
    comment_item,
    content_of,
    generation_of,
    head_key,
    no_content,
    number_in,
    of_generation,
    poster_of,
    prefix_of,
    tells_its_end,
    to_comment,
    told_app,
)
from chalicelib.store.contents.numbered_lists import LIST_PART, NumberedLists, Ticket, entry_key, number_of, total
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
        offset: int,
        clock: Callable[[], int],
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._users = users
        self._pages = pages
        self._events = events
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

        Raises NotFound (page, content), PermissionDenied (no such user), StillRunning and Unavailable. It takes
        two calls, whatever the number of comments and of concurrent posts.
        """
        content = content_of(page, content_uri)
        for wait in races():
            ticket = self._draw(page, content, user)
            generation = generation_of(ticket.holder)
            prefix, alive = prefix_of(ticket.holder), of_generation(generation)
            random = base36(secrets.randbelow(36**RANDOM), RANDOM)
            key, told = entry_key(content, prefix, ticket.number), told_app(ticket.holder)
            item = comment_item(key, user, text, random, self._clock(), told)
            made = to_comment(item, self._offset)
            write = Transaction()
            write.put("comment", self._table, item, ABSENT)
            self._lists.use(write, content, ticket, alive)
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
                    lambda: tickets.append(self._lists.draw(content, PRESENT)),
                    lambda: found.update(self._dynamo.batch_get(places, consistent=False)),
                ]
            )
        except Lost:
            raise no_content() from None
        try:
            self._pages.check(page, found)
            if self._users.from_item(found.get(places[0])) is None:
                raise PermissionDenied
        except Refusal:
            head = tickets[0].holder
            self._lists.give_up(content, prefix_of(head), tickets[0], of_generation(generation_of(head)))
            raise
        return tickets[0]

    def part(self, page: str, content_uri: str, paging: Paging) -> ContentsPart[Comment]:
        """Return a part of a content's comments. Raises NotFound (page, content) and ParameterInvalid (cursor)."""
        try:
            cut = self._lists.part(content_of(page, content_uri), paging, prefix_of)
        except ParameterInvalid:
            self._pages.check(page, self._dynamo.batch_get([self._pages.place(page)], consistent=False))
            raise  # The page exists, so the cursor is invalid.
        if cut is None:
            raise no_content()
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

    def delete(self, page: str, content_uri: str, comment: str, user: str) -> None:
        """Delete a comment.

        Raises NotFound (page, content, comment), PermissionDenied (the user is neither its poster nor an administrator
        of the page) and Unavailable.
        """
        content = content_of(page, content_uri)
        head_place, administrator = (self._table, head_key(content)), self._pages.members.administrator(page, user)
        found = self._dynamo.batch_get([head_place, administrator, self._pages.place(page)], consistent=True)
        self._pages.check(page, found)
        if head_place not in found:
            raise no_content()
        head, asked = found[head_place], number_in(comment)
        item = asked and self._dynamo.get(self._table, entry_key(content, prefix_of(head), asked[0]), consistent=True)
        if not (asked and item and _is(item, asked[1])):
            raise NotFound("There is no such comment")
        if poster_of(item) != user and administrator not in found:
            raise PermissionDenied
        if not self.remove(item, generation_of(head), head):
            raise NotFound("There is no such comment")

    def remove(self, item: Item, generation: str, head: Item | None = None) -> bool:
        """Delete a comment of that generation, without a permission check; return whether it existed.

        `head` is the content's head, if the caller knows it; it is read if an app is told. Raises Unavailable.
        """
        content, alive = item["pk"]["S"], of_generation(generation)
        if head is None and tells_its_end(item):
            head = self._dynamo.get(self._table, head_key(content), consistent=True)
        write = Transaction()
        write.delete("comment", self._table, (content, item["sk"]["S"]), PRESENT)
        self._lists.remove(write, content, f"{generation}#", number_of(item), alive)
        if head:
            self._events.uncommented(write, head, to_comment(item, self._offset))
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        return True


def _is(item: Item | None, random: str) -> bool:
    """Return whether a stored comment has that random part in its id."""
    return item is not None and item["r"]["S"] == random
