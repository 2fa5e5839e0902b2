"""Pages and their modules, administrators and followers.

The keys are in keys.py, the attributes in page_items.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.model.directory import Module, Page
from chalicelib.core.search import index_texts
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, Condition, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, on_index, on_table
from chalicelib.store.aws.items import Item, Place, key_of
from chalicelib.store.aws.transactions import AnswerRecord, Transaction, Update
from chalicelib.store.directory import keys, search_rows
from chalicelib.store.directory.counted_rows import CountedRows, Rows
from chalicelib.store.directory.counts import Counts, Kind, close
from chalicelib.store.directory.keys import ADMINISTRATOR, FOLLOWER, ITSELF, MODULE, CursorPart
from chalicelib.store.directory.page_items import (
    ATTRIBUTES,
    LIST,
    administrator_row,
    follower_row,
    from_item,
    module_item,
    module_row,
    to_attribute,
    to_item,
    to_module,
)
from chalicelib.store.directory.page_members import PageMembers
from chalicelib.store.directory.search_rows import NamedItems

NEEDS = (
    on_table("directory", "BatchGetItem", "PutItem", "UpdateItem"),
    on_index("directory"),
    # The response to a request with an Idempotency-Key.
    on_table("ephemeral", "UpdateItem"),
    # A page that has feeds is deleted by the queue.
    on_table("directory", "GetItem", "Query", "DeleteItem", by=(API, CLEAN)),
)

COUNT = 100
_AT_ONCE = 1_000
"""The most rows of a page (or modules of an app) that are read and removed at once."""


class Pages:
    """The pages of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock
        self._counted = CountedRows(dynamo, table)
        self._named = NamedItems(dynamo, table)
        self._counts = Counts(dynamo, table)
        self.members = PageMembers(dynamo, table, self._counted)

    def create(self, page: Page) -> Page:
        """Store a new page and return it as stored. Raises Conflict (its id is taken) and Unavailable."""
        page = replace(page, created=page.created or self._clock(), followers=0)
        write = Transaction()
        item = to_item(page)
        write.put("page", self._table, self._counts.add(write, Kind.PAGES, item), ABSENT)
        search_rows.add(write, self._table, item)
        try:
            self._dynamo.commit(write)
        except Lost:
            raise Conflict(f"There is a page {page.id} already") from None
        return page

    def get_many(self, pages: Iterable[str]) -> dict[str, Page]:
        """Return the pages that exist, by id (eventually consistent, 100 per call)."""
        places = [(self._table, keys.page_key(page)) for page in pages]
        found = self._dynamo.batch_get(places, consistent=False)
        known = [from_item(item) for item in found.values() if "gone" not in item]
        return {page.id: page for page in known}

    def get(self, page: str) -> Page | None:
        """Return a page (strongly consistent), or None if it does not exist."""
        item = self._dynamo.get(self._table, keys.page_key(page), consistent=True)
        return from_item(item) if item and "gone" not in item else None

    def check(self, page: str, found: Mapping[Place, Item]) -> Item:
        """Return the page's item among the found items. Raises NotFound if the page is missing or being deleted."""
        item = found.get(self.place(page))
        if item is None or "gone" in item:
            raise _no_page(page)
        return item

    def place(self, page: str) -> Place:
        """Return the place of the item that `from_item` converts to a page."""
        return self._table, keys.page_key(page)

    def change(self, page: str, *, instead_of: Page | None = None, **fields: Any) -> Page:
        """Change fields of a page and return the changed page.

        With `instead_of`, nothing changes if one of these fields is no longer as in that page. Raises NotFound,
        Conflict (`instead_of`) and Unavailable.
        """
        sets = {ATTRIBUTES[name]: to_attribute(value) for name, value in fields.items()}
        expected: dict[str, dict[str, str]] = {}
        if instead_of:
            expected = {ATTRIBUTES[name]: to_attribute(getattr(instead_of, name)) for name in fields}
        if "name" in fields:
            if not self._named.change(keys.page_key(page), Update(sets), index_texts(fields["name"]), expected):
                raise _no_page(page)
        elif sets:
            condition = ALIVE
            for attribute, value in expected.items():
                condition &= equals(attribute, value)
            try:
                self._update(page, Update(sets), condition)
            except Lost as lost:
                if lost.item is None or "gone" in lost.item:
                    raise _no_page(page) from None
                # An earlier try may have made the change, and its answer was lost.
                if any(lost.item.get(name) != value for name, value in sets.items()):
                    raise Conflict("The page was changed in the meantime") from None
        changed = self.get(page)
        if changed is None:
            raise _no_page(page)
        return changed

    def list_part(self, cursor: str | None = None, count: int = COUNT) -> CursorPart[Page]:
        """Return part of the list of pages, in order of id. The index may lag."""
        span = keys.after("page#", cursor)
        found = [key_of(item) for item in self._dynamo.listed(self._table, LIST, span, limit=count + 1)]
        ids, following = keys.part((key[0].removeprefix("page#") for key in found), count)
        items = self._dynamo.batch_get([self.place(page) for page in ids], consistent=False)
        present = [items[self.place(page)] for page in ids if self.place(page) in items]
        return [from_item(item) for item in present if "gone" not in item], following

    def close(self, page: str) -> bool:
        """Begin to delete a page: it is no longer found, and nothing can be added to it. Return whether it exists."""
        return close(self._dynamo, self._counts, self._table, Kind.PAGES, keys.page_key(page))

    def delete(self, page: str) -> bool:
        """Delete a page with its modules, administrators and followers. Return whether it existed.

        Raises Unavailable if something is left; a repeated call continues.
        """
        if not self.close(page):
            return False
        self.finish(page)
        return True

    def is_closed(self, page: str) -> bool:
        """Return whether a page exists and is being deleted."""
        item = self._dynamo.get(self._table, keys.page_key(page), consistent=True)
        return item is not None and "gone" in item

    def finish(self, page: str) -> None:
        """Delete a page that is already closed. Raises Unavailable; a repeated call continues."""
        self._counted.clear(lambda: self._some_of(page))
        with suppress(Lost):  # Another call has deleted it.
            self._dynamo.settle(lambda: self._dynamo.delete(self._table, keys.page_key(page), equals("gone", True)))

    def add_module(
        self, page: str, app: str, name: str, module: str | None = None, record: AnswerRecord | None = None
    ) -> Module:
        """Install an app on a page, under the next number or the given one, with the `record` of an Idempotency-Key.

        Raises NotFound (no such page or app), Conflict (the page has that module), StillRunning and Unavailable.
        """
        holder = keys.page_key(page)
        for wait in races():
            item = self._dynamo.get(self._table, holder, consistent=True)
            if item is None or "gone" in item:
                raise _no_page(page)
            highest = int(item["m"]["N"]) if "m" in item else 0
            added = Module(page, module or str(highest + 1), app, name)
            unchanged = ALIVE & (equals("m", highest) if highest else absent("m"))
            write = Transaction()
            write.put("module", self._table, module_item(added), ABSENT)
            write.update("page", self._table, holder, Update({"m": max(highest, int(added.id))}), unchanged)
            write.update("app", self._table, keys.app_key(app), Update(adds={"modules": 1}), ALIVE)
            if record:
                record.join(write, added.id)
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                if record:
                    record.check(lost)
                if lost.failed("app"):
                    raise NotFound(f"There is no app {app}") from None
                if lost.failed("module") and (module or not lost.failed("page")):
                    raise Conflict(f"The page has a module {added.id} already") from None
                self._dynamo.rest(wait)
            else:
                return added
        raise Unavailable

    def remove_module(self, page: str, module: str) -> bool:
        """Remove a module from a page. Return whether it existed. Raises Unavailable."""
        item = self._dynamo.get(self._table, keys.of_page(page, MODULE, module), consistent=True)
        return item is not None and self._counted.remove([module_row(item)])

    def module(self, page: str, module: str) -> Module | None:
        """Return a module of a page, or None if it does not exist."""
        item = self._dynamo.get(self._table, keys.of_page(page, MODULE, module), consistent=False)
        return to_module(item) if item else None

    def module_place(self, page: str, module: str) -> Place:
        """Return the place of the item that `to_module` converts to a module."""
        return self._table, keys.of_page(page, MODULE, module)

    def has_app(self, page: str, app: str) -> bool:
        """Return whether an app is installed on a page. The index may lag."""
        pk = keys.page_key(page)[0]
        return any(True for _ in self._dynamo.listed(self._table, f"modules#{app}", (pk, pk), limit=1))

    def modules(self, page: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[Module]:
        """Return part of a page's modules, in order of their numbers as text."""
        items = keys.rows_of_page(self._dynamo, self._table, page, MODULE, cursor, count + 1)
        _, following = keys.part(map(keys.named, items), count)
        return [to_module(item) for item in items[:count]], following

    def end_modules(self, app: str) -> None:
        """Remove an app that is being deleted from every page. Raises Unavailable; a repeated call continues."""

        def find() -> Sequence[Rows]:
            found = [key_of(item) for item in self._dynamo.listed(self._table, f"modules#{app}", limit=_AT_ONCE)]
            items = self._dynamo.batch_get([(self._table, key) for key in found], consistent=True)
            return [[module_row(item)] for item in items.values()]

        self._counted.clear(find)

    def _update(self, page: str, change: Update, condition: Condition) -> None:
        self._dynamo.settle(lambda: self._dynamo.update(self._table, keys.page_key(page), change, condition))

    def _some_of(self, page: str) -> Sequence[Rows]:
        """Return some of the rows of a page."""
        makers = {ADMINISTRATOR: administrator_row, FOLLOWER: follower_row}
        span = (ITSELF + "!", "~")
        found = self._dynamo.query(self._table, keys.page_key(page)[0], span, consistent=True, limit=_AT_ONCE)
        kinds = [(item, item["sk"]["S"].partition("#")[0] + "#") for item in found]
        return [[module_row(item) if kind == MODULE else makers[kind](page, keys.named(item))] for item, kind in kinds]


def _no_page(page: str) -> NotFound:
    return NotFound(f"There is no page {page}")
