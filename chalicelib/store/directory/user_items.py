"""Users as items of the directory table.

An item has `n` display name, `up` and `ut` URLs of profile and thumbnail, `b` blood type, `a` address, `d` birthday,
`y` age, `g` gender, `s` visible, `l` login, `c` created, and `gone` while the user is being deleted. `pa`, `pd`, `py`
and `pg` are the publication of address, birthday, age and gender. `friends` counts friends, and `pages` counts the
pages that the user administers or follows. `ro` is the role, and `su` the time of suspension; most users have neither.
`lv` is the time at which the account is due to be erased, and `se` the epoch of the valid sessions (absent: "").
`q` is in search_rows.py.
"""

import secrets
from typing import Any

from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.roles import Role
from chalicelib.store.aws.conditions import Condition, absent, equals
from chalicelib.store.aws.items import Item
from chalicelib.store.aws.transactions import Update
from chalicelib.store.directory import keys
from chalicelib.store.directory.search_rows import with_texts

_TEXTS = {
    "display_name": "n",
    "profile_url": "up",
    "thumbnail_url": "ut",
    "blood_type": "b",
    "address": "a",
    "birthday": "d",
    "gender": "g",
}
_PUBLICATION = {"address": "pa", "birthday": "pd", "age": "py", "gender": "pg"}


def text_attribute(item: Item, name: str) -> str | None:
    """Return a text attribute of an item, or None if it is absent."""
    return item[name]["S"] if name in item else None


def new_epoch() -> str:
    """Return a new value for `se`, which ends all sessions of the user."""
    return secrets.token_hex(12)


def of_epoch(epoch: str) -> Condition:
    """Return the condition that the user's sessions have this epoch."""
    return equals("se", epoch) if epoch else absent("se")


def number_attribute(item: Item, name: str) -> int | None:
    """Return a number of an item, or None if it is absent."""
    return int(item[name]["N"]) if name in item else None


def changed(fields: dict[str, Any]) -> Update:
    """Return the update of a user's item for these changed fields."""
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "publication":
            values |= {_PUBLICATION[each]: {"S": setting.value} for each, setting in value.items()}
        elif name == "age":
            values["y"] = None if value is None else {"N": str(value)}
        elif name == "visible":
            values["s"] = {"BOOL": value}
        elif name == "login":
            values["l"] = {"S": value} if value else None
        else:
            values[_TEXTS[name]] = {"S": value} if value else None
    return Update(
        {name: value for name, value in values.items() if value is not None},
        removes=[name for name, value in values.items() if value is None],
    )


def to_item(user: User) -> Item:
    """Return the item that stores a new user."""
    fields = {name: getattr(user, name) for name in (*_TEXTS, "age", "publication", "visible", "login")}
    key = keys.row(keys.user_key(user.id), f"users#{keys.shard(user.id)}")
    return with_texts(key | dict(changed(fields).sets) | {"c": {"N": str(user.created)}})


def from_item(item: Item | None) -> User | None:
    """Return the user that an item stores, or None for no item or for a user who is being deleted."""
    if item is None or "gone" in item:
        return None
    texts = {name: text_attribute(item, short) for name, short in _TEXTS.items()}
    return User(
        id=keys.named(item, "pk"),
        display_name=texts["display_name"] or "",
        profile_url=texts["profile_url"] or "",
        thumbnail_url=texts["thumbnail_url"] or "",
        blood_type=texts["blood_type"],
        address=texts["address"],
        birthday=texts["birthday"],
        age=number_attribute(item, "y"),
        gender=texts["gender"],
        publication={name: Publication(item[_PUBLICATION[name]]["S"]) for name in PROFILE_FIELDS},
        visible=item["s"]["BOOL"],
        login=text_attribute(item, "l"),
        created=int(item["c"]["N"]),
        friends=int(item["friends"]["N"]) if "friends" in item else 0,
        role=Role(item["ro"]["S"]) if "ro" in item else None,
        suspended=number_attribute(item, "su"),
        leaving=number_attribute(item, "lv"),
        session_epoch=text_attribute(item, "se") or "",
    )
