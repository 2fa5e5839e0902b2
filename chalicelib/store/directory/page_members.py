"""The administrators and followers of pages. The keys are in keys.py."""

from collections.abc import Sequence

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import API, SWEEP, on_index, on_table
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
    on_table("directory", "Query"),
    on_table("directory", "BatchGetItem", by=(API, SWEEP)),
    on_index("directory", by=(API, SWEEP)),
)

COUNT = 100
_AT_ONCE = 1_000
"""The most memberships of a user per list that are read and removed at once."""


class PageMembers:
    """The administrators and followers of pages."""

    def __init__(self, dynamo: Dynamo, table: str, counted: CountedRows) -> None:
        self._dynamo = dynamo
        self._table = table
        self._counted = counted

    def add_administrator(self, page: str, user: str) -> bool:
        """Make a user a page administrator. Return False if they already were. Raises NotFound and Unavailable."""
        return self._counted.add([administrator_row(page, user)])

    def remove_administrator(self, page: str, user: str, while_other: str | None = None) -> bool:
        """Remove an administrator. Return whether they were one.

        `while_other` must be an administrator, too, at that moment. Raises NotFound (no such user), Conflict
        (`while_other` is none any more) and Unavailable.
        """
        needs = [keys.of_page(page, ADMINISTRATOR, while_other)] if while_other else []
        return self._counted.remove([administrator_row(page, user)], needs)

    def administrators(self, page: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of a page's administrators, in order of id."""
        return keys.part(
            map(keys.named, keys.rows_of_page(self._dynamo, self._table, page, ADMINISTRATOR, cursor, count + 1)), count
        )

    def administrator(self, page: str, user: str) -> Place:
        """Return the place of the item that exists exactly while `user` administers `page`."""
        return self._table, keys.of_page(page, ADMINISTRATOR, user)

    def add_follower(self, page: str, user: str) -> bool:
        """Make a user a follower of a page. Return False if they already were. Raises NotFound and Unavailable."""
        return self._counted.add([follower_row(page, user)])

    def remove_follower(self, page: str, user: str) -> bool:
        """Remove a follower. Return whether they were one. Raises NotFound (no such page or user) and Unavailable."""
        return self._counted.remove([follower_row(page, user)])

    def followers(self, page: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of a page's followers, in order of id. The page's item has their number."""
        return keys.part(
            map(keys.named, keys.rows_of_page(self._dynamo, self._table, page, FOLLOWER, cursor, count + 1)), count
        )

    def follower(self, page: str, user: str) -> Place:
        """Return the place of the item that exists exactly while `user` follows `page`."""
        return self._table, keys.of_page(page, FOLLOWER, user)

    def administered(self, user: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of the pages that a user administers, in order of id. The index may lag."""
        return self._pages_of(administers(user), cursor, count)

    def followed(self, user: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of the pages that a user follows, in order of id. The index may lag."""
        return self._pages_of(follows(user), cursor, count)

    def end_memberships(self, user: str) -> None:
        """Remove a user who is being deleted from all pages that the index lists. Raises Unavailable.

        The index may lag: memberships are left while the user's item counts pages (`Users.delete` then repeats this).
        """

        def find() -> Sequence[Rows]:
            names = ((administers(user), administrator_row), (follows(user), follower_row))
            listed = [
                make(keys.named(item, "pk"), user)
                for name, make in names
                for item in self._dynamo.listed(self._table, name, limit=_AT_ONCE)
            ]
            # The index may still list removed rows.
            places = [(self._table, key_of(row.item)) for row in listed]
            there = self._dynamo.batch_get(places, consistent=True)
            return [[row] for row in listed if (self._table, key_of(row.item)) in there]

        self._counted.clear(find)

    def _pages_of(self, name: str, cursor: str | None, count: int) -> CursorPart[str]:
        items = self._dynamo.listed(self._table, name, keys.after("page#", cursor), limit=count + 1)
        return keys.part((keys.named(item, "pk") for item in items), count)
