"""Users and their login names. The keys are in keys.py, the attributes of a user in user_items.py.

A login's item has `u` the user, and `h` the password hash (absent: no password, so no sign-in).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.core.cursor import from_cursor
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, PermissionDenied, Unavailable
from chalicelib.core.model.directory import User
from chalicelib.core.search import index_texts
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, Condition, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CANARY, CLEAN, SWEEP, on_index, on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys, search_rows
from chalicelib.store.directory.counted_rows import counts_nothing
from chalicelib.store.directory.counts import COUNTED, Counts, Kind
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.keys import CursorPart
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.user_items import (
    changed,
    from_item,
    new_epoch,
    number_attribute,
    of_epoch,
    text_attribute,
    to_item,
)

NEEDS = (
    on_table("directory", "BatchGetItem"),
    on_table("directory", "PutItem", by=(API, CANARY)),
    # The sweep erases users who left.
    on_table("directory", "UpdateItem", by=(API, CANARY, SWEEP)),
    on_table("directory", "DeleteItem", by=(API, SWEEP)),
    # The one-time link that a new user or password uses up.
    on_table("ephemeral", "DeleteItem"),
    on_table("grants", "UpdateItem"),
    on_index("directory"),
    # Before a user's posts are erased: a check for a new user with the same id.
    on_table("directory", "GetItem", by=(API, CLEAN, SWEEP)),
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
        self._counts = Counts(dynamo, table)
        self._pages = pages
        self._clock = clock

    def create(
        self, user: User, password_hash: str | None = None, also: Callable[[Transaction], None] = lambda write: None
    ) -> User:
        """Store a new user and return it as stored. A password hash needs a login.

        `also` adds parts to the transaction. Raises Lost (only such a part failed), Conflict (the id or the login is
        taken), ParameterInvalid and Unavailable.
        """
        if password_hash and not user.login:
            raise ParameterInvalid("login is missing")
        user = replace(user, created=user.created or self._clock(), friends=0)
        write = Transaction()
        item = to_item(user)
        write.put("user", self._table, self._counts.add(write, Kind.USERS, item), ABSENT)
        search_rows.add(write, self._table, item)
        if user.login:
            self._put_login(write, user.login, user.id, password_hash)
        also(write)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            if not (lost.failed("user") or lost.failed("login")):
                raise
            raise Conflict(
                f"There is a user {user.id} already" if lost.failed("user") else f"The login {user.login} is taken"
            ) from None
        return user

    def get(self, user: str) -> User | None:
        """Return a user (strongly consistent), or None if they do not exist."""
        return from_item(self._item(user))

    def active(self, user: str | None) -> User | None:
        """Return a user who is not suspended (strongly consistent), or None. For users who act by themselves."""
        known = self.get(user) if user else None
        return None if known is None or known.suspended is not None else known

    def check_poster(self, item: Item | None) -> None:
        """Raise PermissionDenied if an item stores no user, or one who is suspended and so cannot post."""
        known = from_item(item)
        if known is None:
            raise PermissionDenied
        if known.suspended is not None:
            raise PermissionDenied("The user is suspended")

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
        change, named = changed(fields), not fields.keys().isdisjoint(("login", "display_name"))
        for wait in races():
            item = self._need(user) if named else {}
            try:
                if named and _names(item, fields) != _names(item, {}):
                    self._dynamo.commit(self._renaming(item, user, change, fields))
                elif change.sets or change.removes:
                    self._update(keys.user_key(user), change, ALIVE)
            except Lost as lost:
                if fields.get("login") and lost.failed("login"):
                    raise Conflict(f"The login {fields['login']} is taken") from None
                if not named:
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

    def set_password(
        self,
        user: str,
        password_hash: str | None,
        *,
        instead_of: str | None = None,
        session_epoch: str | None = None,
        also: Callable[[Transaction, str], None] = lambda write, epoch: None,
    ) -> bool:
        """Set (None: remove) a user's password hash, and end all sessions; return whether it was set.

        One transaction. With `instead_of`, only if that is the password's hash. With `session_epoch`, only if the
        sessions have that epoch and the user is not suspended. `also` gets the transaction and the new epoch, for a
        session to keep.

        Raises NotFound, Conflict (the user has no login), Lost (a part of `also` failed) and Unavailable.
        """
        change = Update({"h": {"S": password_hash}}) if password_hash else Update(removes=["h"])
        for wait in races():
            item = self._need(user)
            login = text_attribute(item, "l")
            if login is None:
                raise Conflict("The user has no login")
            known = text_attribute(item, "se") or ""
            if session_epoch is not None and (session_epoch != known or "su" in item):
                return False
            epoch = new_epoch()
            write = Transaction()
            write.update("login", self._table, keys.login_key(login), change, _owned_by(user, instead_of))
            renewed = _has_login(login) & of_epoch(known)
            renewed = renewed if session_epoch is None else renewed & absent("su")
            write.update("user", self._table, keys.user_key(user), Update({"se": {"S": epoch}}), renewed)
            also(write, epoch)
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                stored = lost.stored("login")
                if instead_of is not None and stored and stored["u"]["S"] == user:
                    return False  # Another password was set.
                if not (lost.failed("login") or lost.failed("user")):
                    raise
                self._dynamo.rest(wait)  # The login or the epoch was changed in the meantime.
            else:
                return True
        raise Unavailable

    def upgrade_hash(self, user: str, login: str, password_hash: str, instead_of: str) -> bool:
        """Replace the hash of the same password, only if it is `instead_of`; return whether it was replaced.

        Sessions continue. Raises Unavailable.
        """
        try:
            self._update(keys.login_key(login), Update({"h": {"S": password_hash}}), _owned_by(user, instead_of))
        except Lost as lost:
            # A try whose answer was lost may have stored it.
            return lost.item is not None and text_attribute(lost.item, "h") == password_hash
        return True

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

    def close(self, user: str, leaving: int | None = None) -> bool:
        """Begin to delete a user: they are no longer found, cannot sign in, and nothing can be added to them.

        With `leaving`, only if the user leaves at that time. Returns whether there is such a user.
        Idempotent. Raises Conflict (the user has a role) and Unavailable.
        """
        change = Update({"gone": True}, removes=["l", search_rows.TEXTS])
        for wait in races():
            item = self._item(user)
            if item is None or "gone" in item:
                return item is not None
            if "ro" in item:
                raise Conflict("A user with a role cannot be deleted; take the role away first")
            if leaving is not None and number_attribute(item, "lv") != leaving:
                return False
            login = text_attribute(item, "l")
            write, key = Transaction(), keys.user_key(user)
            unchanged = self._counts.subtract(write, Kind.USERS, key, counted=COUNTED in item)
            known = _has_login(login) & absent("ro") & unchanged & search_rows.unchanged(item)
            known = known if leaving is None else known & equals("lv", leaving)
            write.update("user", self._table, key, change, known)
            search_rows.remove(write, self._table, item)
            if login:
                write.delete("login", self._table, keys.login_key(login), _owned_by(user))
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable

    def is_closed(self, user: str) -> bool:
        """Return whether a user exists and is being deleted."""
        item = self._item(user)
        return item is not None and "gone" in item

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

    def _renaming(self, item: Item, user: str, change: Update, fields: dict[str, Any]) -> Transaction:
        """Return the transaction that changes a user's login or display name with the rows of the search, keeps the
        password, and makes the other changes.
        """
        old = text_attribute(item, "l")
        name, login = _names(item, fields)
        write = Transaction()
        found = search_rows.replace(write, self._table, item, index_texts(name, login))
        condition = _has_login(old) & search_rows.unchanged(item)
        write.update("user", self._table, keys.user_key(user), search_rows.joined(change, found), condition)
        if login == old:
            return write
        known = self._dynamo.get(self._table, keys.login_key(old), consistent=True) if old else None
        password_hash = text_attribute(known or {}, "h")
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


def _names(item: Item, fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the display name and the login of a user's item after a change of fields."""
    name, login = fields.get("display_name", text_attribute(item, "n")), fields.get("login", text_attribute(item, "l"))
    return name or None, login or None


def _has_login(login: str | None) -> Condition:
    """Return the condition that the user exists and has this login (None: no login)."""
    return ALIVE & (absent("l") if login is None else equals("l", login))


def _owned_by(user: str, password_hash: str | None = None) -> Condition:
    """Return the condition that the login is this user's and has this password hash, if one is given."""
    own = equals("u", user)
    return own if password_hash is None else own & equals("h", password_hash)


def _no_user(user: str) -> NotFound:
    return NotFound(f"There is no user {user}")
