"""Users and their login names. The keys are in keys.py, the attributes of a user in user_items.py.

A login's item has `u` the user, and `h` the password hash (absent: no password, so no sign-in).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.core.cursor import from_cursor
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, Unavailable
from chalicelib.core.model.directory import User
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, Condition, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CANARY, CLEAN, on_index, on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys
from chalicelib.store.directory.counted_rows import counts_nothing
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.keys import CursorPart
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.user_items import changed, from_item, text_attribute, to_item

NEEDS = (
    on_table("directory", "BatchGetItem", "UpdateItem", "DeleteItem"),
    on_table("directory", "PutItem", by=(API, CANARY)),
    on_index("directory"),
    # Before a user's posts are erased: a check for a new user with the same id.
    on_table("directory", "GetItem", by=(API, CLEAN)),
)

COUNT = 100


class Users:
    """The users of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(
        self, dynamo: Dynamo, table: str, directory: FriendsAndInstalls, pages: Pages, clock: Callable[[], int]
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._directory = directory
        self._pages = pages
        self._clock = clock

    def create(self, user: User, password_hash: str | None = None) -> User:
        """Store a new user and return it as stored. A password hash needs a login.

        Raises Conflict (the id or the login is taken), ParameterInvalid and Unavailable.
        """
        if password_hash and not user.login:
            raise ParameterInvalid("login is missing")
        user = replace(user, created=user.created or self._clock(), friends=0)
        write = Transaction()
        write.put("user", self._table, to_item(user), ABSENT)
        if user.login:
            self._put_login(write, user.login, user.id, password_hash)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            raise Conflict(
                f"There is a user {user.id} already" if lost.failed("user") else f"The login {user.login} is taken"
            ) from None
        return user

    def get(self, user: str) -> User | None:
        """Return a user (strongly consistent), or None if they do not exist."""
        return from_item(self._item(user))

    def get_many(self, users: Iterable[str]) -> dict[str, User]:
        """Return the users who exist, by id (eventually consistent, 100 per call, calls in parallel)."""
        items = self._dynamo.batch_get(map(self.place, users), consistent=False)
        found = {keys.named(item, "pk"): from_item(item) for item in items.values()}
        return {name: user for name, user in found.items() if user}

    def place(self, user: str) -> Place:
        """Return the place of the item that `from_item` converts to a user: for reads of several tables at once."""
        return self._table, keys.user_key(user)

    def from_item(self, item: Item | None) -> User | None:
        """Return the user that an item stores, or None for no item or for a user who is being deleted."""
        return from_item(item)

    def among(self, users: Iterable[str], found: Mapping[Place, Item]) -> dict[str, User]:
        """Return the users who exist, by id, from the found items."""
        known = {user: from_item(found.get(self.place(user))) for user in users}
        return {name: user for name, user in known.items() if user}

    def change(self, user: str, **fields: Any) -> User:
        """Change fields of a user (not the id) and return the changed user.

        `publication` may have only some settings; the others stay. A new `login` keeps the password; None removes both.
        Raises NotFound, Conflict (the login is taken) and Unavailable; on each of them, nothing has changed.
        """
        change = changed(fields)
        for wait in races():
            item = self._need(user) if "login" in fields else {}
            try:
                if "login" in fields and fields["login"] != text_attribute(item, "l"):
                    self._dynamo.commit(self._renaming(item, user, change, fields["login"]))
                elif change.sets or change.removes:
                    self._update(keys.user_key(user), change, ALIVE)
            except Lost as lost:
                if fields.get("login") and lost.failed("login"):
                    raise Conflict(f"The login {fields['login']} is taken") from None
                if "login" not in fields:
                    raise _no_user(user) from None
                self._dynamo.rest(wait)
            else:
                now = from_item(self._need(user))
                if now:
                    return now
                raise _no_user(user)
        raise Unavailable

    def credential(self, login: str) -> tuple[str, str] | None:
        """Return id and password hash of a login (any letter case), or None if it cannot be used to sign in."""
        item = self._dynamo.get(self._table, keys.login_key(login.lower()), consistent=True)
        return (item["u"]["S"], item["h"]["S"]) if item and "h" in item else None

    def password_hashes(self, users: Iterable[User]) -> dict[str, str]:
        """Return the password hashes of those users who have one, by id (100 per call)."""
        logins = self._logins(user.login for user in users if user.login)
        return {item["u"]["S"]: item["h"]["S"] for item in logins.values() if "h" in item}

    def login_owners(self, logins: Iterable[str]) -> dict[str, str]:
        """Return the users who have these logins, by login (100 per call)."""
        return {login: item["u"]["S"] for login, item in self._logins(logins).items()}

    def _logins(self, logins: Iterable[str]) -> dict[str, Item]:
        places = [(self._table, keys.login_key(login)) for login in dict.fromkeys(logins)]
        found = self._dynamo.batch_get(places, consistent=True)
        return {keys.named(item, "pk"): item for item in found.values()}

    def set_password(self, user: str, password_hash: str | None, instead_of: str | None = None) -> bool:
        """Set (None: remove) a user's password hash, only if it is `instead_of` (None: any). Return whether it was set.

        Raises NotFound, Conflict (the user has no login) and Unavailable.
        """
        condition = _owned_by(user, instead_of)
        change = Update({"h": {"S": password_hash}}) if password_hash else Update(removes=["h"])
        for wait in races():
            login = text_attribute(self._need(user), "l")
            if login is None:
                raise Conflict("The user has no login")
            try:
                self._update(keys.login_key(login), change, condition)
            except Lost as lost:
                if instead_of is not None and lost.item and lost.item["u"]["S"] == user:
                    return False
                self._dynamo.rest(wait)  # The login was changed in the meantime.
            else:
                return True
        raise Unavailable

    def list_part(self, cursor: str | None = None, count: int = COUNT) -> CursorPart[User]:
        """Return part of the list of users, in the order of the index."""
        start = keys.SHARDS.index(keys.shard(from_cursor(cursor))) if cursor else 0
        ids = self._listed(keys.SHARDS[start], cursor, count + 1)
        if len(ids) <= count:
            later = [
                lambda shard=shard: self._listed(shard, None, count + 1 - len(ids))
                for shard in keys.SHARDS[start + 1 :]
            ]
            ids = [*ids, *(user for part in side_by_side(later) for user in part)]
        chosen, following = keys.part(ids[: count + 1], count)
        users = self.get_many(chosen)
        return [users[user] for user in chosen if user in users], following

    def close(self, user: str) -> bool:
        """Begin to delete a user: they are no longer found, cannot sign in, and nothing can be added to them.

        Returns whether they exist. Idempotent. Raises Unavailable.
        """
        change = Update({"gone": True}, removes=["l"])
        for wait in races():
            item = self._item(user)
            if item is None or "gone" in item:
                return item is not None
            login = text_attribute(item, "l")
            write = Transaction()
            write.update("user", self._table, keys.user_key(user), change, _has_login(login))
            if login:
                write.delete("login", self._table, keys.login_key(login), _owned_by(user))
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable

    def delete(self, user: str) -> bool:
        """Delete a user with login, friendships and page memberships. Return whether they existed.

        Raises Conflict if apps are still installed: uninstall them first (AppData.uninstall, after `close`), since that
        deletes their data. Raises Unavailable if something is left; a repeated call continues.
        """
        unused = equals("gone", True) & counts_nothing("friends") & counts_nothing("pages")
        for turn, wait in enumerate(races()):
            if not self.close(user):
                return turn > 0  # In a later turn: another call has deleted them.
            if self._directory.has_installs(user):
                raise Conflict("The user has apps installed")
            self._directory.end_friendships(user)
            self._pages.members.end_memberships(user)
            try:
                self._dynamo.settle(lambda: self._dynamo.delete(self._table, keys.user_key(user), unused))
            except Lost:
                self._dynamo.rest(wait)  # The index has not listed every page yet.
            else:
                return True
        raise Unavailable

    def _item(self, user: str) -> Item | None:
        return self._dynamo.get(self._table, keys.user_key(user), consistent=True)

    def _need(self, user: str) -> Item:
        item = self._item(user)
        if item is None or "gone" in item:
            raise _no_user(user)
        return item

    def _update(self, key: tuple[str, str], change: Update, condition: Condition) -> None:
        self._dynamo.settle(lambda: self._dynamo.update(self._table, key, change, condition))

    def _renaming(self, item: Item, user: str, change: Update, login: str | None) -> Transaction:
        """Return the transaction that changes a user's login, keeps the password, and makes the other changes."""
        old = text_attribute(item, "l")
        known = self._dynamo.get(self._table, keys.login_key(old), consistent=True) if old else None
        password_hash = text_attribute(known or {}, "h")
        write = Transaction()
        write.update("user", self._table, keys.user_key(user), change, _has_login(old))
        if login:
            self._put_login(write, login, user, password_hash)
        if old:
            write.delete("old login", self._table, keys.login_key(old), _owned_by(user, password_hash))
        return write

    def _put_login(self, write: Transaction, login: str, user: str, password_hash: str | None) -> None:
        item = keys.row(keys.login_key(login)) | {"u": {"S": user}}
        write.put("login", self._table, item | ({"h": {"S": password_hash}} if password_hash else {}), ABSENT)

    def _listed(self, shard: str, cursor: str | None, limit: int) -> list[str]:
        items = self._dynamo.listed(self._table, f"users#{shard}", keys.after("user#", cursor), limit=limit)
        return [keys.named(item, "pk") for item in items]


def _has_login(login: str | None) -> Condition:
    """Return the condition that the user exists and has this login (None: no login)."""
    return ALIVE & (absent("l") if login is None else equals("l", login))


def _owned_by(user: str, password_hash: str | None = None) -> Condition:
    """Return the condition that the login is this user's and has this password hash, if one is given."""
    own = equals("u", user)
    return own if password_hash is None else own & equals("h", password_hash)


def _no_user(user: str) -> NotFound:
    return NotFound(f"There is no user {user}")
