"""The keys of the directory table.

| item | pk | sk | list |
|---|---|---|---|
| user | `user#<id>` | `#` | `users#<shard>` |
| login | `login#<login>` | `#` | |
| friendship, one on each side | `user#<id>` | `friend#<other id>` | |
| install | `user#<id>` | `install#<app>` | `installs#<app>` |
| app | `app#<id>` | `#` | `apps` |
| endpoint of an app | `app#<id>` | `endpoint#<id>` | `endpoints` |
| page | `page#<id>` | `#` | `pages` |
| module | `page#<id>` | `module#<number>` | `modules#<app>` |
| administrator | `page#<id>` | `admin#<user>` | `administers#<user>` |
| follower | `page#<id>` | `follower#<user>` | `follows#<user>` |
| account to erase (leaving.py) | `leaving#<time>#<user>` | `#` | `leaving` |
| shard of a counter (counts.py) | `counts` | `<kind>#<shard>` | |
| number of operators | `roles` | `#` | |
| search row of a user, app or page | `find#<kind>#<first character>` | `<folded name>\t<id>` | |

`list` is the partition key of the index `listing`. Every list may grow without bound: no list is a single item, and no
list is read by a scan. An item with `gone` is being deleted: nothing can be added to it any more.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.search import END
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.items import Item, Key, Span, beginning, typed

T = TypeVar("T")

ITSELF = "#"
"""The sort key of the item of a user, app or page itself."""
FRIEND, INSTALL = "friend#", "install#"
MODULE, ADMINISTRATOR, FOLLOWER = "module#", "admin#", "follower#"
ENDPOINT = "endpoint#"
COUNTS = "counts"
"""The partition of all counters."""
SHARDS = "0123456789abcdef"
ROLES: Key = "roles", ITSELF
"""The key of the item that counts the operators."""

CursorPart = tuple[list[T], str | None]
"""Part of a list, and the cursor of the next part (None: there is none)."""


def user_key(user: str) -> Key:
    """Return the key of a user's item."""
    return f"user#{user}", ITSELF


def login_key(login: str) -> Key:
    """Return the key of the item that maps a login name to its user."""
    return f"login#{login}", ITSELF


def app_key(app: str) -> Key:
    """Return the key of an app's item."""
    return f"app#{app}", ITSELF


def page_key(page: str) -> Key:
    """Return the key of a page's item."""
    return f"page#{page}", ITSELF


def search_key(kind: str, text: str, name: str = "") -> Key:
    """Return the key of the search row of a user, app or page (`kind`) with the id `name` under a folded text."""
    return f"find#{kind}#{text[0]}", f"{text}{END}{name}"


def of_user(user: str, kind: str, other: str) -> Key:
    """Return the key of a user's row: FRIEND and a user's id, or INSTALL and an app's id."""
    return f"user#{user}", kind + other


def of_app(app: str, kind: str, other: str) -> Key:
    """Return the key of an app's row: ENDPOINT and an endpoint's id."""
    return f"app#{app}", kind + other


def of_page(page: str, kind: str, other: str) -> Key:
    """Return the key of a page's row: MODULE and a number, or ADMINISTRATOR or FOLLOWER and a user's id."""
    return f"page#{page}", kind + other


def rows_of_page(dynamo: Dynamo, table: str, page: str, kind: str, cursor: str | None, count: int) -> list[Item]:
    """Read some of a page's rows of one kind: MODULE, ADMINISTRATOR or FOLLOWER (strongly consistent)."""
    return list(dynamo.query(table, page_key(page)[0], after(kind, cursor), consistent=True, limit=count))


def shard(user: str) -> str:
    """Return the shard of a user in the list of all users, a hexadecimal digit, so that no partition has all users."""
    return hashlib.sha256(user.encode()).hexdigest()[0]


def row(key: Key, name: str | None = None) -> Item:
    """Return an item that has only its key, on the list `name` (None: on no list)."""
    return typed(key) | ({"list": {"S": name}} if name else {})


def named(item: Item, attribute: str = "sk") -> str:
    """Return the id at the end of a key: "abc" for "user#abc" and "friend#abc"."""
    text: str = item[attribute]["S"]
    return text.partition("#")[2]


def after(prefix: str, cursor: str | None) -> Span:
    """Return the range of keys with `prefix` after the cursor. Raises ParameterInvalid for a malformed cursor."""
    first, last = beginning(prefix)
    # "!" sorts before every character that an id can have.
    return (first if cursor is None else first + from_cursor(cursor) + "!"), last


def part(ids: Iterable[str], count: int) -> CursorPart[str]:
    """Return the first `count` ids and the next cursor. `ids` has one more id if the list continues."""
    found = list(ids)
    return found[:count], to_cursor(found[count - 1]) if len(found) > count else None


def every(read: Callable[[str | None], CursorPart[T]]) -> Iterator[T]:
    """Yield all entries of a list, part by part: `every(lambda cursor: directory.friends(user, cursor))`."""
    cursor: str | None = None
    while True:
        entries, cursor = read(cursor)
        yield from entries
        if cursor is None:
            return
