"""Pages and their rows (modules, administrators, followers) as items of the directory table.

A page's item counts its followers (`followers`) and has the highest module number so far (`m`). A user's item counts
the pages that the user administers or follows (`pages`), and an app's item counts its modules (`modules`). A page also
has the attributes in ATTRIBUTES, `c` created, `q` (search_rows.py), and `gone` while it is being deleted. A module has
`app` and `n` name.
"""

from typing import Any

from chalicelib.core.model.directory import Category, FeedSource, Module, Page
from chalicelib.store.aws.items import Item
from chalicelib.store.directory import keys
from chalicelib.store.directory.counted_rows import Count, Row
from chalicelib.store.directory.keys import ADMINISTRATOR, FOLLOWER, MODULE
from chalicelib.store.directory.search_rows import with_texts

LIST = "pages"
ATTRIBUTES = {
    "name": "n",
    "category": "k",
    "details": "d",
    "zip_code": "z",
    "address": "a",
    "pc_url": "up",
    "mobile_url": "um",
    "smartphone_url": "us",
    "birthday": "b",
    "thumbnail_large": "tl",
    "thumbnail_medium": "tm",
    "thumbnail_small": "ts",
    "feed_source": "f",
}


def administers(user: str) -> str:
    """Return the name of the list of the pages that a user administers."""
    return f"administers#{user}"


def follows(user: str) -> str:
    """Return the name of the list of the pages that a user follows."""
    return f"follows#{user}"


def administrator_row(page: str, user: str) -> Row:
    """Return the row of an administrator; the user's item counts it."""
    item = keys.row(keys.of_page(page, ADMINISTRATOR, user), administers(user))
    return Row(item, (Count(keys.user_key(user), "pages"),), (keys.page_key(page),))


def follower_row(page: str, user: str) -> Row:
    """Return the row of a follower; the page's and the user's items count it."""
    item = keys.row(keys.of_page(page, FOLLOWER, user), follows(user))
    return Row(item, (Count(keys.page_key(page), "followers"), Count(keys.user_key(user), "pages")))


def module_item(module: Module) -> Item:
    """Return the item that stores a module."""
    row = keys.row(keys.of_page(module.page, MODULE, module.id), f"modules#{module.app}")
    return row | {"app": {"S": module.app}, "n": {"S": module.name}}


def to_module(item: Item) -> Module:
    """Return the module that an item stores."""
    return Module(keys.named(item, "pk"), keys.named(item), item["app"]["S"], item["n"]["S"])


def module_row(item: Item) -> Row:
    """Return the row of a stored module; the app's item counts it."""
    return Row(item, (Count(keys.app_key(item["app"]["S"]), "modules"),))


def to_attribute(value: Any) -> dict[str, str]:
    """Return a text field's value as an attribute."""
    return {"S": value.value if isinstance(value, Category | FeedSource) else value}


def to_item(page: Page) -> Item:
    """Return the item that stores a new page."""
    texts = {short: to_attribute(getattr(page, name)) for name, short in ATTRIBUTES.items()}
    return with_texts(keys.row(keys.page_key(page.id), LIST) | texts | {"c": {"N": str(page.created)}})


def from_item(item: Item) -> Page:
    """Return the page that an item stores."""
    values = {name: item[short]["S"] if short in item else "" for name, short in ATTRIBUTES.items()}
    category, source = Category(values.pop("category")), FeedSource(values.pop("feed_source"))
    return Page(
        id=keys.named(item, "pk"),
        **values,
        category=category,
        feed_source=source,
        followers=int(item.get("followers", {"N": "0"})["N"]),
        created=int(item["c"]["N"]),
    )
