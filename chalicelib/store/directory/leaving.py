"""Users who delete their own account: they are erased 14 days later, and can undo it until then.

A leaving user's item has `lv`, the time at which the erasure is due. A row in the directory table is on the list
`leaving` of the index, in the order of that time, so the sweep finds those that are due in one query.

| item | pk | sk | list |
|---|---|---|---|
| account to erase | `leaving#<ms, 15 digits>#<user>` | `#` | `leaving` |
"""

from collections.abc import Callable

from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.model.directory import User
from chalicelib.core.overview import Waiting
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, SWEEP, on_index, on_table
from chalicelib.store.aws.items import Key
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys
from chalicelib.store.directory.user_items import from_item

NEEDS = (
    on_table("directory", "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
    on_table("directory", "DeleteItem", by=(SWEEP,)),
    # The overview counts the accounts.
    on_index("directory", by=(API, SWEEP)),
)

LEAVING_MS = 14 * 86_400_000
"""The time in which the deletion of an account can be undone."""
_LIST = "leaving"


class LeavingUsers:
    """The users of one deployment who leave. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def leave(self, user: str) -> int:
        """Let a user leave; return the time at which they are erased, in ms. Idempotent: the first time stays.

        Raises NotFound, Conflict (the user has a role) and Unavailable.
        """
        for wait in races():
            known = self._need(user)
            if known.leaving is not None:
                return known.leaving
            if known.role is not None:
                raise Conflict("A user with a role cannot be deleted; take the role away first")
            due = self._clock() + LEAVING_MS
            write = Transaction()
            stays = ALIVE & absent("lv") & absent("ro")
            write.update("user", self._table, keys.user_key(user), Update({"lv": due}), stays)
            write.put("row", self._table, keys.row(_key(due, user), _LIST), ABSENT)
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return due
        raise Unavailable

    def stay(self, user: str) -> bool:
        """Undo `leave`; return whether the user was leaving.

        Raises NotFound (also if it is too late) and Unavailable.
        """
        for wait in races():
            known = self._need(user)
            if known.leaving is None:
                return False
            if known.leaving <= self._clock():
                raise NotFound("The account is being deleted")
            write = Transaction()
            leaves = ALIVE & equals("lv", known.leaving)
            write.update("user", self._table, keys.user_key(user), Update(removes=["lv"]), leaves)
            write.delete("row", self._table, _key(known.leaving, user))
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable

    def due(self, limit: int) -> list[tuple[int, str]]:
        """Return accounts that are due, the oldest first: their time and user; at most `limit`."""
        span = "leaving#", f"leaving#{self._clock():015d}"
        rows = self._dynamo.listed(self._table, _LIST, span, limit=limit)
        texts = [keys.named(row, "pk").partition("#") for row in rows]
        return [(int(due), user) for due, _, user in texts]

    def waiting(self, limit: int) -> Waiting:
        """Return the accounts that will be erased, at most `limit`, and the time of the first (a query)."""
        rows = list(self._dynamo.listed(self._table, _LIST, limit=limit))
        first = int(keys.named(rows[0], "pk").partition("#")[0]) if rows else None
        return Waiting(len(rows), len(rows) == limit, first)

    def forget(self, due: int, user: str) -> None:
        """Delete the row of an account that was erased. Idempotent. Raises Unavailable."""
        self._dynamo.settle(lambda: self._dynamo.delete(self._table, _key(due, user)))

    def _need(self, user: str) -> User:
        known = from_item(self._dynamo.get(self._table, keys.user_key(user), consistent=True))
        if known is None:
            raise NotFound(f"There is no user {user}")
        return known


def _key(due: int, user: str) -> Key:
    return f"leaving#{due:015d}#{user}", keys.ITSELF
