"""The members of a platform, for the search: any number of users, many of whom share the beginning of a name."""

from collections.abc import Iterator
from typing import Any

from bench.row import Requests
from bench.scenes import asking
from chalicelib.core.model.directory import User
from chalicelib.core.search import END, search_text, to_search_cursor
from chalicelib.store.aws.items import Item, typed
from chalicelib.store.directory import keys
from chalicelib.store.directory.search_rows import texts_of
from chalicelib.store.directory.user_items import to_item
from local.in_process import World

FAMILIES = (
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "山本",
    "中村",
    "小林",
    "サトウ",
    "スズキ",
    "はやし",
    "もり",
)
GIVEN = ("花", "陽菜", "結衣", "葵", "さくら", "美咲", "蓮", "翔太", "健", "ハナ", "ケン", "Mei", "Yuki", "はる")
LOGINS = ("hana", "ken", "mei", "taro", "yuki", "aoi", "ren")
SHARED = FAMILIES[0][0]
"""The beginning of every thirteenth name."""


def member(number: int) -> User:
    """Return the user of that number; half of them have a login."""
    name = f"{FAMILIES[number % len(FAMILIES)]} {GIVEN[number % len(GIVEN)]}"
    login = None if number % 2 else f"{LOGINS[number % len(LOGINS)]}{number}"
    return User(f"u{number:011}", name, login=login, created=1_700_000_000_000 + number)


def member_items(members: int) -> Iterator[Item]:
    """Return the items that a search may read: the users, and the rows of the index."""
    for number in range(members):
        item = to_item(member(number))
        yield item
        for text in sorted(texts_of(item)):
            yield typed(keys.search_key("user", text, member(number).id))


def finding(world: World, text: str, **more: Any) -> Requests:
    """Return a function that searches for users as an operator."""
    headers = {"Authorization": f"Bearer {world.token(None, 'admin')}"}
    return asking(world, "GET", "/admin/users", headers=headers, find=text, **more)


def finding_from_the_middle(world: World, members: int) -> Requests:
    """Return a function that searches for the shared beginning, and continues in the middle of what it finds."""
    sharing = range(0, members, len(FAMILIES))
    middle = member(sharing[len(sharing) // 2])
    row = f"{search_text(middle.display_name)}{END}{middle.id}"
    return finding(world, SHARED, cursor=to_search_cursor(row))
