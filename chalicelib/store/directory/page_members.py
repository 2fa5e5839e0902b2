"""The administrators and followers of pages. The keys are in keys.py."""

from collections.abc import Sequence

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_index, on_table
from chalicelib.store.aws.items import Place, key_of
from chalicelib.store.directory import keys
from chalicelib.store.directory.counted_rows import CountedRows, Rows
from chalicelib.store.directory.keys import ADMINISTRATOR, FOLLOWER, CursorPart
from chalicelib.store.directory.page_items import (
    administers,
    administrator_row,
    follower_row,
    follows,
)

NEEDS = (
    on_table("directory", "BatchGetItem", "Query"),
    on_index("directory"),
)

COUNT = 100
_AT_ONCE = 1_000
"""Memberships of a user who is being deleted, found and removed at once."""


class PageMembers:
    """The users who administer pages, and those who follow them."""

    def __init__(self, dynamo: Dynamo, table: str, counted: CountedRows) -> None:
        self._dynamo = dynamo
        self._table = table
        self._counted = counted

    def add_administrator(self, page: str, user: str) -> bool:
        """Make a user an administrator of a page; whether they were none. Raises NotFound and Unavailable."""
        return self._counted.add([administrator_row(page, user)])

    def remove_administrator(self, page: str, user: str) -> bool:
        """Take that away; whether they were one. Raises NotFound (no such user) and Unavailable."""
        return self._counted.remove([administrator_row(page, user)])

    def administrators(self, page: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Ids of a page's administrators, in order of id."""
        return keys.part(
            map(keys.named, keys.rows_of_page(self._dynamo, self._table, page, ADMINISTRATOR, cursor, count + 1)), count
        )

    def administrator(self, page: str, user: str) -> Place:
        """Where the item is that exists exactly while `user` administers `page`."""
        return self._table, keys.of_page(page, ADMINISTRATOR, user)

    def add_follower(self, page: str, user: str) -> bool:
        """Make a user a follower of a page; whether they were none. Raises NotFound and Unavailable."""
        return self._counted.add([follower_row(page, user)])

    def remove_follower(self, page: str, user: str) -> bool:
        """Take that away; whether they were one. Raises NotFound (no such page or user) and Unavailable."""
        return self._counted.remove([follower_row(page, user)])

    def followers(self, page: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Ids of a page's followers, in order of id; how many there are stands in the page."""
        return keys.part(
            map(keys.named, keys.rows_of_page(self._dynamo, self._table, page, FOLLOWER, cursor, count + 1)), count
        )

    def follower(self, page: str, user: str) -> Place:
        """Where the item is that exists exactly while `user` follows `page`."""
        return self._table, keys.of_page(page, FOLLOWER, user)

    def administered(self, user: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Ids of the pages that a user administers, in order of id, as the index knows them."""
        return self._pages_of(administers(user), cursor, count)

    def followed(self, user: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Ids of the pages that a user follows, in order of id, as the index knows them."""
        return self._pages_of(follows(user), cursor, count)

    def end_memberships(self, user: str) -> None:
        """Take a user who is being deleted off all pages that the index knows of. Raises Unavailable.

        The index may lag: there is more to come while the user's item counts pages (`Users.delete` sees to it).
        """

        def find() -> Sequence[Rows]:
            names = ((administers(user), administrator_row), (follows(user), follower_row))
            listed = [
                make(keys.named(item, "pk"), user)
                for name, make in names
                for item in self._dynamo.listed(self._table, name, limit=_AT_ONCE)
            ]
            # The index may still list what is no more.
            places = [(self._table, key_of(row.item)) for row in listed]
            there = self._dynamo.batch_get(places, consistent=True)
            return [[row] for row in listed if (self._table, key_of(row.item)) in there]

        self._counted.clear(find)

    def _pages_of(self, name: str, cursor: str | None, count: int) -> CursorPart[str]:
        items = self._dynamo.listed(self._table, name, keys.after("page#", cursor), limit=count + 1)
        return keys.part((keys.named(item, "pk") for item in items), count)
