"""Friendships and installs in the directory table. The keys are in keys.py.

An install is an item here, in addition to its ledger (one transaction creates both, and one deletes both). So the query
that lists a user's friends also shows whether the user has the app.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.limits import MOST_FRIENDS
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ALIVE
from chalicelib.store.aws.iam_needs import API, SWEEP, on_index, on_table
from chalicelib.store.aws.items import Place, beginning
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.directory import keys
from chalicelib.store.directory.counted_rows import Count, CountedRows, Row
from chalicelib.store.directory.counts import Counts, Kind
from chalicelib.store.directory.keys import FRIEND, INSTALL, CursorPart

NEEDS = (
    on_table("directory", "BatchGetItem"),
    on_table("directory", "Query", by=(API, SWEEP)),
    on_index("directory"),
)

FRIENDS = "friends"
"""The attribute of a user that counts friends."""
COUNT = 100


class FriendsAndInstalls:
    """Users' friendships and installs."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table
        self._counted = CountedRows(dynamo, table)
        self._counts = Counts(dynamo, table)

    def befriend(self, one: str, other: str) -> bool:
        """Make two users friends of each other, both sides or neither. Return False if they already were friends.

        Raises ParameterInvalid (both are the same user, or one of them has 1,000 friends), NotFound (no such user) and
        Unavailable.
        """
        if one == other:
            raise ParameterInvalid("A user cannot be a friend of themselves")
        return self._counted.add(_friendship(one, other))

    def unfriend(self, one: str, other: str) -> bool:
        """End a friendship, both sides or neither. Return whether it existed. Raises NotFound and Unavailable."""
        return one != other and self._counted.remove(_friendship(one, other))

    def friends(self, user: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of a user's friends, in order of id. Raises ParameterInvalid for a malformed cursor."""
        return self._of_user(user, FRIEND, cursor, count)

    def all_friends(self, user: str) -> frozenset[str]:
        """Return the ids of all friends of a user, at most 1,000 (eventually consistent)."""
        items = self._dynamo.query(self._table, keys.user_key(user)[0], beginning(FRIEND), consistent=False)
        return frozenset(map(keys.named, items))

    def friends_with_install(self, user: str, app: str) -> tuple[list[str], bool]:
        """Return the ids of a user's friends, in order, and whether the user has installed `app` (one query)."""
        # "friend#" sorts before "install#", so one range of the partition holds both.
        pk, last = keys.of_user(user, INSTALL, app)
        items = self._dynamo.query(self._table, pk, (FRIEND, last), consistent=False)
        found = [item["sk"]["S"] for item in items]
        return [key.removeprefix(FRIEND) for key in found if key.startswith(FRIEND)], last in found

    def installs(self, user: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of the apps that a user has installed, in order of id (strongly consistent)."""
        return self._of_user(user, INSTALL, cursor, count)

    def installed_users(self, app: str, cursor: str | None = None, count: int = COUNT) -> CursorPart[str]:
        """Return ids of the users who have installed an app, in order of id. The index may lag."""
        span = keys.after("user#", cursor)
        items = self._dynamo.listed(self._table, _installs(app), span, limit=count + 1)
        return keys.part((keys.named(item, "pk") for item in items), count)

    def having(self, app: str, users: Sequence[str]) -> list[str]:
        """Return those of the users who have installed an app (eventually consistent, 100 per call)."""
        found = self._dynamo.batch_get([self.install(user, app) for user in users], consistent=False)
        return [user for user in users if self.install(user, app) in found]

    def there(self, places: Sequence[Place]) -> set[Place]:
        """Return those places of friendships and installs that exist (strongly consistent)."""
        return set(self._dynamo.batch_get(places, consistent=True))

    def friendship(self, user: str, friend: str) -> Place:
        """Return the place of the item that exists exactly while `friend` is a friend of `user`."""
        return self._table, keys.of_user(user, FRIEND, friend)

    def install(self, user: str, app: str) -> Place:
        """Return the place of the item that exists exactly while `user` has installed `app`."""
        return self._table, keys.of_user(user, INSTALL, app)

    def put_install(self, write: Transaction, user: str, app: str) -> None:
        """Add the install to the transaction that creates the ledger. The part "user" fails without such a user."""
        row = keys.row(keys.of_user(user, INSTALL, app), _installs(app))
        write.put("install", self._table, self._counts.add(write, Kind.INSTALLS, row))
        write.check("user", self._table, keys.user_key(user), ALIVE)

    def delete_install(self, write: Transaction, user: str, app: str, *, counted: bool) -> None:
        """Add the deletion of the install to the transaction that deletes the ledger.

        The part "install" fails if the install is counted and `counted` is False, or the reverse: only versions that
        did not count leave installs that are not counted.
        """
        key = keys.of_user(user, INSTALL, app)
        unchanged = self._counts.subtract(write, Kind.INSTALLS, key, counted=counted)
        write.delete("install", self._table, key, unchanged)

    def end_friendships(self, user: str) -> None:
        """End all friendships of a user who is being deleted. Raises Unavailable; a repeated call continues."""
        pk = keys.user_key(user)[0]

        def find() -> Sequence[tuple[Row, Row]]:
            found = self._dynamo.query(self._table, pk, beginning(FRIEND), consistent=True)
            return [_friendship(user, keys.named(item)) for item in found]

        self._counted.clear(find)

    def has_installs(self, user: str) -> bool:
        """Return whether a user has any app installed (strongly consistent)."""
        return bool(self.installs(user, count=1)[0])

    def _of_user(self, user: str, kind: str, cursor: str | None, count: int) -> CursorPart[str]:
        span = keys.after(kind, cursor)
        items: Iterator[dict[str, object]] = self._dynamo.query(
            self._table, keys.user_key(user)[0], span, consistent=True, limit=count + 1
        )
        return keys.part(map(keys.named, islice(items, count + 1)), count)


def _friendship(one: str, other: str) -> tuple[Row, Row]:
    """Return both sides of a friendship in a fixed order, so that rival transactions collide at the first item."""
    first, second = sorted((one, other))
    return _side(first, second), _side(second, first)


def _side(user: str, friend: str) -> Row:
    count = Count(keys.user_key(user), FRIENDS, MOST_FRIENDS)
    return Row(keys.row(keys.of_user(user, FRIEND, friend)), (count,))


def _installs(app: str) -> str:
    return f"installs#{app}"
