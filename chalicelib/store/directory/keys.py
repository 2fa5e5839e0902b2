"""The keys of the directory table.

| item | pk | sk | list |
|---|---|---|---|
| user | `user#<id>` | `#` | `users#<shard>` |
| login | `login#<login>` | `#` | |
| friendship, one on each side | `user#<id>` | `friend#<other id>` | |
| install | `user#<id>` | `install#<app>` | `installs#<app>` |
| app | `app#<id>` | `#` | `apps` |
| page | `page#<id>` | `#` | `pages` |
| module | `page#<id>` | `module#<number>` | `modules#<app>` |
| administrator | `page#<id>` | `admin#<user>` | `administers#<user>` |
| follower | `page#<id>` | `follower#<user>` | `follows#<user>` |

`list` is the partition key of the index `listing`. Every list may grow without bound: none is one item, none is read by
a scan. An item with `gone` is being deleted: nothing may be added to it any more.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.items import Item, Key, Span, beginning, typed

T = TypeVar("T")

ITSELF = "#"
"""The sort key of a user, app or page, beside what belongs to it."""
FRIEND, INSTALL = "friend#", "install#"
MODULE, ADMINISTRATOR, FOLLOWER = "module#", "admin#", "follower#"
SHARDS = "0123456789abcdef"

CursorPart = tuple[list[T], str | None]
"""Part of a list, and the cursor of what follows (None: nothing does)."""


def user_key(user: str) -> Key:
    """A user's item."""
    return f"user#{user}", ITSELF


def login_key(login: str) -> Key:
    """The item that says whose a login name is."""
    return f"login#{login}", ITSELF


def app_key(app: str) -> Key:
    """An app's item."""
    return f"app#{app}", ITSELF


def page_key(page: str) -> Key:
    """A page's item."""
    return f"page#{page}", ITSELF


def of_user(user: str, kind: str, other: str) -> Key:
    """What a user has: FRIEND and a user's id, INSTALL and an app's."""
    return f"user#{user}", kind + other


def of_page(page: str, kind: str, other: str) -> Key:
    """What a page has: MODULE and a number, ADMINISTRATOR or FOLLOWER and a user's id."""
    return f"page#{page}", kind + other


def rows_of_page(dynamo: Dynamo, table: str, page: str, kind: str, cursor: str | None, count: int) -> list[Item]:
    """Read some of what a page has of a kind (MODULE, ADMINISTRATOR, FOLLOWER), strongly consistent."""
    return list(dynamo.query(table, page_key(page)[0], after(kind, cursor), consistent=True, limit=count))


def shard(user: str) -> str:
    """The part of the list of all users that a user is in: one hexadecimal digit, so that no partition has them all."""
    return hashlib.sha256(user.encode()).hexdigest()[0]


def row(key: Key, name: str | None = None) -> Item:
    """An item that is nothing but its key, on the list `name`."""
    return typed(key) | ({"list": {"S": name}} if name else {})


def named(item: Item, attribute: str = "sk") -> str:
    """The id that ends a key: of "user#abc" and "friend#abc", "abc"."""
    text: str = item[attribute]["S"]
    return text.partition("#")[2]


def after(prefix: str, cursor: str | None) -> Span:
    """The keys that begin with `prefix` and come after the cursor's. Raises ParameterInvalid for a malformed one."""
    first, last = beginning(prefix)
    # "!" sorts before every character that an id can have.
    return (first if cursor is None else first + from_cursor(cursor) + "!"), last


def part(ids: Iterable[str], count: int) -> CursorPart[str]:
    """The first `count` of `ids`, of which one more was asked for, so as to know whether any follow."""
    found = list(ids)
    return found[:count], to_cursor(found[count - 1]) if len(found) > count else None


def every(read: Callable[[str | None], CursorPart[T]]) -> Iterator[T]:
    """All of a list, part by part: `every(lambda cursor: directory.friends(user, cursor))`."""
    cursor: str | None = None
    while True:
        entries, cursor = read(cursor)
        yield from entries
        if cursor is None:
            return
