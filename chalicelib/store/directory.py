"""The directory table: who is whose friend, and who has installed what.

| item | pk | sk |
|---|---|---|
| friendship, one on each side | `user#<id>` | `friend#<other id>` |
| install | `user#<id>` | `install#<app>` |

An install stands here beside the ledger that it makes (both come and go in one transaction), so that the one query
that lists a user's friends also says whether the user has the app.
"""

from typing import Any
from uuid import uuid4

from chalicelib.store.dynamo import Dynamo, Key, Place, typed

_FRIEND = "friend#"
_INSTALL = "install#"


class Directory:
    """Users' friendships and installs."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table

    def befriend(self, one: str, other: str) -> None:
        """Make two users friends of each other: both sides or neither; again is no difference."""
        sides = (_friendship(one, other), _friendship(other, one))
        writes = [{"Put": {"TableName": self._table, "Item": typed(side)}} for side in sides]
        self._dynamo.transact(writes, str(uuid4()))

    def friends_with_install(self, user: str, app: str) -> tuple[list[str], bool]:
        """Ids of a user's friends, in order, and whether the user has installed `app`: in one query."""
        # "friend#" sorts before "install#", so one range of the partition holds both.
        span = (_FRIEND, _install(user, app)[1])
        items = self._dynamo.query(self._table, _user(user), span, consistent=False)
        keys = [item["sk"]["S"] for item in items]
        return [key.removeprefix(_FRIEND) for key in keys if key.startswith(_FRIEND)], span[1] in keys

    def friendship(self, user: str, friend: str) -> Place:
        """Where the item is that exists exactly while `friend` is a friend of `user`."""
        return self._table, _friendship(user, friend)

    def install(self, user: str, app: str) -> Place:
        """Where the item is that exists exactly while `user` has installed `app`."""
        return self._table, _install(user, app)

    def put_install(self, user: str, app: str) -> dict[str, Any]:
        """The write of that item, for the transaction that creates the ledger."""
        return {"Put": {"TableName": self._table, "Item": typed(_install(user, app))}}

    def delete_install(self, user: str, app: str) -> dict[str, Any]:
        """The deletion of that item, for the transaction that deletes the ledger."""
        return {"Delete": {"TableName": self._table, "Key": typed(_install(user, app))}}


def _user(user: str) -> str:
    return f"user#{user}"


def _friendship(user: str, friend: str) -> Key:
    return _user(user), _FRIEND + friend


def _install(user: str, app: str) -> Key:
    return _user(user), _INSTALL + app
