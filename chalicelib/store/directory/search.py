"""Search of users, apps and pages by id, and by the beginning of a name. The rows are in search_rows.py.

A search takes two calls: a query of rows that begin with the text, and one read of the items that they name. It
costs about one read unit for 20 rows and half a unit for each item, whatever the number of users (decision: a partition
for each first character, so that a search of one character, usual in Japanese, is one query, too).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import App, Page, User
from chalicelib.core.search import END, MOST, from_search_cursor, matching, search_text, to_search_cursor
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place, beginning
from chalicelib.store.directory import keys, page_items
from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.keys import CursorPart
from chalicelib.store.directory.user_items import from_item

NEEDS = (on_table("directory", "Query", "BatchGetItem"),)

T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    """The items that a search found, in order, and the cursor of the next part."""

    items: Sequence[Item]
    following: str | None


class Search:
    """The search in one deployment's directory. `apps` converts items to apps."""

    def __init__(self, dynamo: Dynamo, table: str, apps: Apps) -> None:
        self._dynamo = dynamo
        self._table = table
        self._apps = apps

    def users(self, text: str, cursor: str | None = None, count: int = 20) -> CursorPart[User]:
        """Return part of the users whose id is `text`, or whose login or display name begins with it.

        The list is in order of the folded names. A part may have fewer than `count` users, although the list goes on.
        Eventually consistent. Raises ParameterInvalid (text, cursor) and Unavailable.
        """
        found = self._find("user", text, cursor, count)
        users = [from_item(item) for item in found.items]
        return [user for user in users if user], found.following

    def apps(self, text: str, cursor: str | None = None, count: int = 20) -> CursorPart[App]:
        """Return part of the apps whose id is `text`, or whose name begins with it, without secrets. As `users`."""
        found = self._find("app", text, cursor, count)
        apps = [self._apps.from_item(item, with_secret=False) for item in found.items]
        return [app for app in apps if app], found.following

    def pages(self, text: str, cursor: str | None = None, count: int = 20) -> CursorPart[Page]:
        """Return part of the pages whose id is `text`, or whose name begins with it. As `users`."""
        found = self._find("page", text, cursor, count)
        return [page_items.from_item(item) for item in found.items], found.following

    def _find(self, kind: str, text: str, cursor: str | None, count: int) -> _Found:
        wanted = search_text(text)
        partition, _ = keys.search_key(kind, wanted)
        first, last = beginning(wanted[:MOST].rstrip())
        if cursor is not None:
            first = from_search_cursor(cursor, wanted) + "!"
        rows = list(self._dynamo.query(self._table, partition, (first, last), consistent=False, limit=count + 1))
        names = [row["sk"]["S"] for row in rows[:count]]
        own = self._own_place(kind, text.strip().lower())
        places = [self._place(kind, name) for name in names]
        items = self._dynamo.batch_get([*dict.fromkeys([*own, *places])], consistent=False)
        shown = [items[place] for place in own if cursor is None and place in items]
        for name, place in zip(names, places, strict=True):
            item = items.get(place)
            # A user with several rows of this search is shown at the first of them.
            if item and place not in own and name.partition(END)[0] == _first_text(item, wanted):
                shown.append(item)
        following = to_search_cursor(names[-1]) if len(rows) > count else None
        return _Found([item for item in shown if "gone" not in item], following)

    def _own_place(self, kind: str, text: str) -> list[Place]:
        return [(self._table, (f"{kind}#{text}", keys.ITSELF))] if is_id(kind, text) else []

    def _place(self, kind: str, row: str) -> Place:
        return self._table, (f"{kind}#{row.partition(END)[2]}", keys.ITSELF)


def _first_text(item: Item, wanted: str) -> str | None:
    """Return the first text of the index under which a search finds this item, or None if it does not any more."""
    names = [item[name]["S"] for name in ("n", "l") if name in item]
    return min(matching(wanted, names), default=None)
