"""The sessions of users on the pages, as rows of the grants table.

| item | pk | sk | attributes |
|---|---|---|---|
| session | `user#<id>` | `session#<hash>` | `created`, `seen`, `device`, `epoch`, `expires`, `ttl` |

The hash is of the session's id, which the cookie has (web/auth/sessions.py). A session is valid if its row exists, has
not expired, and has the epoch of its user's item (`User.session_epoch`). So one write to the user's item ends all
sessions at once: a new password, a suspension and an erasure make that change in their own transaction, and a process
that dies afterwards leaves only rows that are worth nothing and expire.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.core.errors import NotFound, Unavailable
from chalicelib.core.model.directory import User
from chalicelib.core.oauth import hashed
from chalicelib.core.sessions import MOST_SESSIONS, SEEN_MS, SESSION_SECONDS
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, PRESENT, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, SWEEP, on_table
from chalicelib.store.aws.items import Item, Key, Place, beginning, key_of, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory.keys import login_key, user_key
from chalicelib.store.directory.user_items import from_item, new_epoch, of_epoch

NEEDS = (
    on_table("grants", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"),
    on_table("grants", "Query", "BatchWriteItem", by=(API, SWEEP)),
    on_table("directory", "BatchGetItem", "GetItem", "UpdateItem", "ConditionCheckItem"),
)

SESSION = "session#"


@dataclass(frozen=True)
class UserSession:
    """A session as stored. `name` is the hash of its id, `device` the words for the browser; times are in ms."""

    name: str
    created: int
    seen: int
    device: str
    epoch: str
    expires: int


class UserSessions:
    """The sessions of the users of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, directory_table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._directory_table = directory_table
        self._clock = clock

    def begin(self, user: User, password_hash: str, device: str) -> str | None:
        """Begin a session for a user whose password was right; return its id for the cookie.

        None if, since the password was checked, it was changed, all sessions were ended, or the user was suspended or
        erased. Raises Unavailable.
        """
        name = secrets.token_urlsafe(24)
        write = Transaction()
        write.put("session", self._table, self._new(user.id, name, device, user.session_epoch), ABSENT)
        still = ALIVE & absent("su") & of_epoch(user.session_epoch)
        write.check("user", self._directory_table, user_key(user.id), still)
        own = equals("u", user.id) & equals("h", password_hash)
        write.check("login", self._directory_table, login_key(user.login or ""), own)
        try:
            self._dynamo.commit(write)
        except Lost:
            return None
        return name

    def places(self, user: str, name: str) -> tuple[Place, Place]:
        """Return the places of a session, given by its id, and of its user: for `valid`, in reads of several tables."""
        return (self._table, _key(user, hashed(name))), (self._directory_table, user_key(user))

    def read(self, user: str, name: str) -> tuple[UserSession, User] | None:
        """Return a session, given by its id, and its user, in one read; None if it is not valid. Marks it as used."""
        places = self.places(user, name)
        found = self._dynamo.batch_get(places, consistent=True)
        return self.valid(found.get(places[0]), from_item(found.get(places[1])))

    def valid(self, item: Item | None, user: User | None) -> tuple[UserSession, User] | None:
        """Return the session that an item stores with its user, or None if it is not valid. Marks it as used."""
        if item is None or user is None or user.suspended is not None:
            return None
        session = _to_session(item)
        if not self._lasts(session, user):
            return None
        now = self._clock()
        if now - session.seen >= SEEN_MS:
            # The page is shown even if this fails: it is only information.
            with suppress(Lost, Unavailable):
                change = Update({"seen": now})
                self._dynamo.settle(lambda: self._dynamo.update(self._table, key_of(item), change, PRESENT))
        return session, user

    def of_user(self, user: User) -> Sequence[UserSession]:
        """Return the valid sessions of a user, the last used first; at most MOST_SESSIONS."""
        return self.valid_of(user, self.stored_of(user.id))

    def stored_of(self, user: str) -> Sequence[UserSession]:
        """Return the stored sessions of a user, valid or not; at most MOST_SESSIONS."""
        return [_to_session(item) for item in self._rows(user, MOST_SESSIONS)]

    def valid_of(self, user: User, found: Sequence[UserSession]) -> Sequence[UserSession]:
        """Return those of a user's stored sessions that are valid, the last used first."""
        valid = [session for session in found if self._lasts(session, user)]
        return sorted(valid, key=lambda session: session.seen, reverse=True)

    def end(self, user: str, name_hash: str) -> bool:
        """End a session, given by the hash of its id; return whether there was one. Idempotent."""
        write = Transaction()  # So that a try whose answer was lost is recognised.
        write.delete("session", self._table, _key(user, name_hash), PRESENT)
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        return True

    def end_all(self, user: str, keep: str | None = None) -> None:
        """End all sessions of a user, but the one with the id `keep`, in one transaction.

        Raises NotFound (no such user) and Unavailable.
        """
        for wait in races():
            item = self._dynamo.get(self._directory_table, user_key(user), consistent=True)
            known = from_item(item)
            if known is None:
                raise NotFound(f"There is no user {user}")
            epoch = new_epoch()
            write = Transaction()
            renewed = ALIVE & of_epoch(known.session_epoch)
            write.update("user", self._directory_table, user_key(user), Update({"se": {"S": epoch}}), renewed)
            self.keep(write, user, keep, epoch)
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                if lost.failed("session"):
                    keep = None  # It has ended in the meantime.
                self._dynamo.rest(wait)
            else:
                self.clear(user, epoch)
                return
        raise Unavailable

    def keep(self, write: Transaction, user: str, name: str | None, epoch: str) -> None:
        """Let a session go on in the transaction that gives its user a new epoch (None: none goes on)."""
        if name is not None:
            change = Update({"epoch": {"S": epoch}})
            write.update("session", self._table, _key(user, hashed(name)), change, PRESENT)

    def clear(self, user: str, epoch: str | None = None) -> None:
        """Delete the rows of sessions that ended with an earlier epoch, or (None) all. What is left expires."""
        rows = self._rows(user, 10 * MOST_SESSIONS)
        self._dynamo.delete_all(self._table, [key_of(row) for row in rows if epoch is None or _epoch(row) != epoch])

    def _lasts(self, session: UserSession, user: User) -> bool:
        return session.expires > self._clock() // 1000 and session.epoch == user.session_epoch

    def _rows(self, user: str, limit: int) -> list[Item]:
        span = beginning(SESSION)
        return list(self._dynamo.query(self._table, f"user#{user}", span, consistent=True, limit=limit))

    def _new(self, user: str, name: str, device: str, epoch: str) -> Item:
        now = self._clock()
        expires = {"N": str(now // 1000 + SESSION_SECONDS)}
        times = {"created": {"N": str(now)}, "seen": {"N": str(now)}, "expires": expires, "ttl": expires}
        return typed(_key(user, hashed(name))) | times | {"device": {"S": device}, "epoch": {"S": epoch}}


def _key(user: str, name_hash: str) -> Key:
    return f"user#{user}", SESSION + name_hash


def _epoch(item: Item) -> str:
    epoch: str = item["epoch"]["S"]
    return epoch


def _to_session(item: Item) -> UserSession:
    return UserSession(
        name=item["sk"]["S"].removeprefix(SESSION),
        created=int(item["created"]["N"]),
        seen=int(item["seen"]["N"]),
        device=item["device"]["S"],
        epoch=_epoch(item),
        expires=int(item["expires"]["N"]),
    )
