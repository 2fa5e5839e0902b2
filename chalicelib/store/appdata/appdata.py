"""The appdata table: the data of each user in each app. Its layout: ledger.py, own_values.py, abandoned_values.py.

A write reads the ledger and writes it under a condition. A read of one's own small data takes one call, a read of all
friends two, whatever their number.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING

from chalicelib.core.appdata import Balance, absent_values, settle, utf8_bytes
from chalicelib.core.appdata_changes import Change, apply, keys_read
from chalicelib.core.conditions import Conditions
from chalicelib.core.errors import (
    BoundExceeded,
    ParameterInvalid,
    PermissionDenied,
    PreconditionFailed,
    TooFrequent,
    TooLarge,
    Unavailable,
)
from chalicelib.core.limits import Limits
from chalicelib.core.permission import AppRun, MatrixRow, may_obtain_data, status
from chalicelib.core.ranking import Ranking, RankingQuery, rank
from chalicelib.core.window import Rate, WriteWindow
from chalicelib.store.appdata.abandoned_values import AbandonedValues
from chalicelib.store.appdata.ledger import SORT_KEY, AskedKeys, Ledger, from_item, new_epoch, partition
from chalicelib.store.appdata.ledger_changes import LedgerChange, Ledgers, Outdated, emptied
from chalicelib.store.appdata.many_users import gather
from chalicelib.store.appdata.placement import MOST_OWN, PlacedValues, place
from chalicelib.store.appdata.snapshot import Values, unlisted_keys
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import AnswerRecord, Transaction
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls

if TYPE_CHECKING:
    from chalicelib.store.appdata.events import DataEvents

NEEDS = (
    on_table("appdata", "BatchGetItem"),
    # Friendships and installs, read in one call with ledgers or in a parallel call.
    on_table("directory", "BatchGetItem"),
)

MOST_ANSWER_BYTES = 300_000
"""The longest text that is kept for an Idempotency-Key: an item of DynamoDB has at most 400 KB."""
READ_TRIES = 8
"""Tries of a read that concurrent writes disturb; each try reads only what has changed since the last."""


@dataclass(frozen=True)
class Receipt:
    """The result of an accepted write or delete: the new entity tag, and the state of the write window."""

    etag: str
    rate: Rate


@dataclass(frozen=True)
class Patched:
    """The result of accepted changes, and the new values of the changed keys, without those that were deleted."""

    receipt: Receipt
    data: dict[str, str]


@dataclass(frozen=True)
class Reading:
    """The requested values of one user in the state that `etag` names; `data` is None if the reader has that state."""

    etag: str
    data: dict[str, str] | None


@dataclass(frozen=True)
class Usage:
    """The balance of a user in an app, and the state of the write window."""

    balance: Balance
    rate: Rate


@dataclass(frozen=True)
class StoredKeys:
    """The usage of a user in an app, the bytes of each value by key, and the number of keys that are not listed."""

    usage: Usage
    sizes: Mapping[str, int]
    unlisted: int


class _NothingNew(Exception):
    """Raised to end a change of a ledger that has all values already."""


class _Checked(Exception):
    """Raised to end a change of a ledger that would be accepted, and was only to be checked."""

    def __init__(self, new: Mapping[str, str], balance: Balance) -> None:
        super().__init__()
        self.new = new
        self.balance = balance


class AppData:
    """Persistent data by app and user. Times are milliseconds since the epoch, from `clock`."""

    def __init__(
        self, dynamo: Dynamo, table: str, directory: FriendsAndInstalls, limits: Limits, clock: Callable[[], int]
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._directory = directory
        self._limits = limits
        self._clock = clock
        self._trash = AbandonedValues(dynamo, table)
        self._ledgers = Ledgers(dynamo, table, self._trash)

    def install(
        self,
        app: str,
        user: str,
        data: Mapping[str, str] | None = None,
        also: Callable[[Transaction], None] = lambda write: None,
    ) -> bool:
        """Install an app for a user, with initial `data`; return whether it was not installed before.

        `data` has at most 95 pairs: each may take an item of the transaction, which also has ledger, install, user, the
        count of installs and an event.
        It does not count in the write window. `also` adds other parts to the transaction. Raises NotFound (no such
        user), ParameterInvalid and Unavailable.
        """

        def beside(write: Transaction) -> None:
            self._directory.put_install(write, user, app)
            also(write)

        data = dict(data or {})
        sizes = {key: utf8_bytes(value) for key, value in data.items()}
        total = settle(Balance(0, 0), {}, sizes, self._limits).total
        placed = place(Ledger(app, user, new_epoch(), total=total), data, {})
        return self._ledgers.create(placed, beside)

    def uninstall(
        self,
        app: str,
        user: str,
        also: Callable[[Transaction, Item | None], None] = lambda write, item: None,
        read: Place | None = None,
    ) -> bool:
        """Uninstall an app for a user and erase the data there; return whether it was installed.

        `also` adds other parts to the same transaction; it is called again if a condition in the transaction fails. It
        gets the item at `read`, which is read together with the ledger. Raises Unavailable.
        """

        turns = count()

        def beside(write: Transaction, ledger: Ledger, item: Item | None) -> None:
            self._trash.note(write, ledger)
            # Nearly every install is counted; a read of it would cost each uninstalling more than a second try.
            self._directory.delete_install(write, user, app, counted=next(turns) % 2 == 0)
            also(write, item)

        return self._ledgers.remove(app, user, beside, read)

    def write(
        self,
        app: str,
        user: str,
        changes: Mapping[str, str | None],
        conditions: Conditions,
        events: "DataEvents | None" = None,
    ) -> Receipt:
        """Store (a value) or delete (None) the changed keys, at most 99, all or none; keep all other keys.

        `events` tells the app, in the same transaction. Raises PermissionDenied (not installed), PreconditionFailed,
        TooFrequent, ParameterInvalid (quota or number of keys) in this order, TooLarge (events have no room) and
        Unavailable. Nothing has changed then, unless the response to a write was lost (Unavailable).
        """
        most = MOST_OWN - 1 if events else MOST_OWN

        def prepare(ledger: Ledger, write: bytes) -> LedgerChange:
            window, before, after = self._admit(ledger, conditions)
            with _refusing_at(before, ledger):
                placed = self._placed(ledger, ledger.successor(write, window), changes, most_own=most)
            return LedgerChange(placed, after, tell=_told(events, placed, changes))

        return _receipt(self._ledgers.change(app, user, prepare))

    def patch(
        self,
        app: str,
        user: str,
        changes: Mapping[str, Change],
        conditions: Conditions,
        record: AnswerRecord | None = None,
        answer: Callable[[Patched], str] = lambda patched: "",
        events: "DataEvents | None" = None,
    ) -> Patched:
        """Carry out the operations of the changes, at most 99, all or none; keep all other keys.

        The `record` of an Idempotency-Key keeps the text that `answer` returns. Raises the errors of `write`, also
        those of core/appdata_changes.py, StillRunning, and TooLarge if the record has no room (beside more than 98
        keys, or for more than 300,000 bytes of answer). Nothing has changed then.
        """
        # The record and the event are each one more item of the transaction.
        most = MOST_OWN - bool(record) - bool(events)
        if record and len(changes) > most:
            raise TooLarge(f"Too many key/value pairs with an Idempotency-Key (max={most})")
        tried: dict[int, Patched] = {}
        read, values_read, turns = keys_read(changes), Values(self._dynamo, self._table), count()

        def prepare(ledger: Ledger, write: bytes) -> LedgerChange:
            window, before, after = self._admit(ledger, conditions)
            # As in `read`: a value that lags behind the ledger is noticed, and then read strongly consistent.
            stored = values_read.collect(ledger, read, consistent=next(turns) > 0) if read else {}
            if stored is None:
                raise Outdated
            with _refusing_at(before, ledger):
                values = apply(changes, stored, self._limits)
                placed = self._placed(ledger, ledger.successor(write, window), values, read, stored, most)
            new = {key: value for key, value in values.items() if value is not None}
            patched = tried[placed.ledger.version] = Patched(Receipt(placed.ledger.etag, after), new)
            text = answer(patched) if record else ""
            if utf8_bytes(text) > MOST_ANSWER_BYTES:
                raise TooLarge(f"Too many bytes of new values for an Idempotency-Key (max={MOST_ANSWER_BYTES})")
            return LedgerChange(placed, after, answer=text, tell=_told(events, placed, changes))

        return tried[self._ledgers.change(app, user, prepare, record).placed.ledger.version]

    def restore(self, app: str, user: str, data: Mapping[str, str]) -> bool:
        """Store values, at most 99, under keys that do not exist yet; return whether one was new.

        It does not count in the write window. Raises PermissionDenied (not installed), Conflict (a key has another
        value), ParameterInvalid (quota or number of keys) and Unavailable; nothing has changed then.
        """
        try:
            self._ledgers.change(app, user, self._restoring(data))
        except _NothingNew:
            return False
        return True

    def restorable(self, app: str, user: str, data: Mapping[str, str]) -> tuple[Mapping[str, str], Balance]:
        """Return the values that `restore` would store, and the balance without them. Raises the errors of it."""
        try:
            self._ledgers.change(app, user, self._restoring(data, check=True))
        except _Checked as checked:
            return checked.new, checked.balance
        except _NothingNew:
            pass
        return {}, Balance(0, 0)

    def _restoring(self, data: Mapping[str, str], *, check: bool = False) -> Callable[[Ledger, bytes], LedgerChange]:
        def prepare(ledger: Ledger, write: bytes) -> LedgerChange:
            stored = Values(self._dynamo, self._table).collect(ledger, frozenset(data), consistent=True)
            if stored is None:
                raise Outdated
            new = absent_values(data, stored)
            if not new:
                raise _NothingNew
            placed = self._placed(ledger, ledger.successor(write, ledger.window), new, read=frozenset(new))
            if check:
                raise _Checked(new, ledger.balance)
            return LedgerChange(placed, self._rate(ledger.window, self._clock()))

        return prepare

    def clear(self, app: str, user: str, conditions: Conditions, events: "DataEvents | None" = None) -> Receipt:
        """Delete every key; `events` tells the app. Raises the errors of `write`, except those of the quota."""

        def prepare(ledger: Ledger, write: bytes) -> LedgerChange:
            window, _, after = self._admit(ledger, conditions)
            placed = emptied(ledger.successor(write, window), new_epoch())
            return LedgerChange(placed, after, leaves_behind=ledger, tell=_told(events, placed, None))

        return _receipt(self._ledgers.change(app, user, prepare))

    def read(self, app: str, user: str, keys: AskedKeys, conditions: Conditions | None = None) -> Reading:
        """Return a user's own data as of one moment, strongly consistent. Raises PermissionDenied and Unavailable."""
        values = Values(self._dynamo, self._table)
        for turn in range(READ_TRIES):
            ledger = self._ledgers.need(app, user)
            if conditions and conditions.unchanged(ledger.etag, has_data=ledger.balance.keys > 0):
                return Reading(ledger.etag, None)
            data = values.collect(ledger, keys, consistent=turn > 0)
            if data is not None:
                return Reading(ledger.etag, data)
        raise Unavailable

    def read_friend(self, app: str, viewer: str, owner: str, keys: AskedKeys, conditions: Conditions) -> Reading:
        """Return another user's data if the permission rules allow it, or raise PermissionDenied."""
        ledger_place = self._place(app, owner)
        friendship = self._directory.friendship(viewer, owner)
        install = self._directory.install(viewer, app)
        found = self._dynamo.batch_get([ledger_place, friendship, install], consistent=False)
        # For persistent data it makes no difference who is a friend of the running app's owner, so that is not read.
        running = AppRun.own(viewer, installed=install in found, friends={owner} if friendship in found else ())
        installed = status(ledger_place in found)
        if not running.may_name(owner) or not may_obtain_data(running.whose(owner), installed):
            raise PermissionDenied
        ledger = from_item(found[ledger_place])
        if conditions.unchanged(ledger.etag, has_data=ledger.balance.keys > 0):
            return Reading(ledger.etag, None)
        data = Values(self._dynamo, self._table).collect(ledger, keys, consistent=False)
        return Reading(ledger.etag, data) if data is not None else self.read(app, owner, keys)

    def ranking(
        self,
        app: str,
        viewer: str,
        query: RankingQuery,
        keys: AskedKeys,
        *,
        owner: str | None = None,
        of: str | None = None,
    ) -> Ranking:
        """Return the ranking of a user's friends by a key, with the user if the query asks for that.

        The users are those of `read_friends`, and its errors are raised. The user's own data are strongly consistent,
        so that a score just written counts.
        """
        of = of or viewer
        asked = None if keys is None else keys | {query.key}
        reads: list[Callable[[], dict[str, dict[str, str]]]] = [
            lambda: dict(self.read_friends(app, viewer, asked, owner=owner, of=of))
        ]
        if query.include_self:
            reads.append(partial(self._read_own, app, of, asked))
        data = {user: values for part in side_by_side(reads) for user, values in part.items()}
        return rank(query, data, of, keys)

    def read_friends(
        self, app: str, viewer: str, keys: AskedKeys, *, owner: str | None = None, of: str | None = None
    ) -> list[tuple[str, dict[str, str]]]:
        """Return the data of a user's friends who have values under the requested keys, in order of id.

        The user is `of`, or else the viewer; `of` may only be the viewer or the running app's `owner`. Each friend's
        data are as of one moment. Raises PermissionDenied (the friends of anyone else; the user whose friends they are
        has not installed the app) and TooLarge (more bytes than one response may have).
        """
        of = of or viewer
        friends, running = self._friends(app, viewer, owner or viewer, of)
        if not running.may_list_friends(of):
            raise PermissionDenied
        # A friend with a ledger has installed the app, and the matrix allows to obtain the data of such a friend.
        items = self._dynamo.batch_get([self._place(app, friend) for friend in friends], consistent=False)
        data = self._gather(app, (from_item(item, keys) for item in items.values()), keys)
        return [(friend, data[friend]) for friend in friends if data.get(friend)]

    def read_named(self, app: str, viewer: str, users: Sequence[str], keys: AskedKeys) -> dict[str, dict[str, str]]:
        """Return the data of those of the named users who have installed the app, in the order named.

        They may be any users. The viewer's own data are strongly consistent. Raises TooLarge (more bytes than one
        response may have).
        """
        others = [user for user in users if user != viewer]
        reads: list[Callable[[], dict[str, dict[str, str]]]] = []
        if others:
            reads.append(partial(self._read_others, app, others, keys))
        if len(others) < len(users):
            reads.append(partial(self._read_own, app, viewer, keys))
        data = {user: values for part in side_by_side(reads) for user, values in part.items()}
        return {user: data[user] for user in users if user in data}

    def usage(self, app: str, user: str) -> Usage:
        """Return the balance and rate of a user in an app. Raises PermissionDenied if it is not installed."""
        ledger = self._ledgers.need(app, user)
        return Usage(ledger.balance, self._rate(ledger.window, self._clock()))

    def stored_keys(self, app: str, user: str) -> StoredKeys:
        """Return the keys of a user in an app with the bytes of their values, as the ledger has them (one call).

        Raises PermissionDenied if the app is not installed. Keys that the ledger does not list are only counted.
        """
        ledger = self._ledgers.need(app, user)
        sizes = {key: utf8_bytes(value) for key, value in ledger.inline.items()}
        sizes |= {key: value.size for key, value in ledger.listed.items()}
        usage = Usage(ledger.balance, self._rate(ledger.window, self._clock()))
        return StoredKeys(usage, dict(sorted(sizes.items())), ledger.unlisted)

    def balances(self, app: str, users: Sequence[str]) -> dict[str, Balance]:
        """Return the balances of those users who have installed an app, in the order of `users`."""
        items = self._dynamo.batch_get([self._place(app, user) for user in users], consistent=False)
        ledgers = {user: items.get(self._place(app, user)) for user in users}
        return {user: from_item(item).balance for user, item in ledgers.items() if item}

    def sweep(self, seconds: float) -> int:
        """Delete abandoned values for about `seconds`; return the number of deleted values."""
        return self._trash.sweep(seconds)

    def waiting(self, limit: int) -> int:
        """Return the number of deletions, at most `limit`, whose values the next sweep will delete."""
        return self._trash.waiting(limit)

    def _friends(self, app: str, viewer: str, owner: str, of: str) -> tuple[list[str], AppRun]:
        """Return the friends of a user, and the facts about the running app that decide whether they may be listed."""
        if of == viewer:
            friends, installed = self._directory.friends_with_install(viewer, app)
            return friends, AppRun.own(viewer, installed=installed, friends=friends)
        if of != owner:
            return [], AppRun(owner, viewer, owner_installed=False, viewer_installed=False)
        friends, owner_installed = self._directory.friends_with_install(owner, app)
        # Whether the viewer has installed the app makes no difference to the owner's list, so it is not read.
        return friends, AppRun(owner, viewer, owner_installed, viewer_installed=False, owner_friends=friends)

    def _read_own(self, app: str, viewer: str, keys: AskedKeys) -> dict[str, dict[str, str]]:
        data = self._reread(app, viewer, keys)
        return {} if data is None else {viewer: data}

    def _read_others(self, app: str, users: Sequence[str], keys: AskedKeys) -> dict[str, dict[str, str]]:
        places = {user: self._place(app, user) for user in users}
        found = self._dynamo.batch_get(list(places.values()), consistent=False)
        # For persistent data it makes no difference who is the owner or a friend, so friends are not read.
        known = [user for user in users if may_obtain_data(MatrixRow.OTHER, status(places[user] in found))]
        return self._gather(app, (from_item(found[places[user]], keys) for user in known), keys)

    def _gather(self, app: str, ledgers: Iterable[Ledger], keys: AskedKeys) -> dict[str, dict[str, str]]:
        return gather(
            Values(self._dynamo, self._table),
            ledgers,
            keys,
            most=self._limits.friends_bytes,
            most_pairs=self._limits.friends_pairs,
            most_lookups=self._limits.friends_lookups,
            reread=lambda user: self._reread(app, user, keys),
        )

    def _place(self, app: str, user: str) -> tuple[str, tuple[str, str]]:
        return self._table, (partition(app, user), SORT_KEY)

    def _admit(self, ledger: Ledger, conditions: Conditions) -> tuple[WriteWindow, Rate, Rate]:
        """Return the window with this write, and the rates before and after it.

        Raises PreconditionFailed and TooFrequent.
        """
        conditions.check(ledger.etag, has_data=ledger.balance.keys > 0)
        now, span, window = self._clock(), self._limits.window_ms, ledger.window
        before = self._rate(window, now)
        if not window.admits(now, limit=self._limits.writes, span=span):
            raise TooFrequent(retry_after=before.reset, rate=before)
        after = window.with_write(now, span=span)
        return after, before, self._rate(after, now)

    def _placed(
        self,
        ledger: Ledger,
        successor: Ledger,
        changes: Mapping[str, str | None],
        read: frozenset[str] = frozenset(),
        stored: Mapping[str, str] = MappingProxyType({}),
        most_own: int = MOST_OWN,
    ) -> PlacedValues:
        """Return the successor of a ledger with the changes (None: delete).

        `stored` has the present values of the keys in `read`; the sizes of others are looked up. Raises
        ParameterInvalid (quota, number of keys).
        """
        # If another write comes in between, the condition fails.
        fetched = Values(self._dynamo, self._table).sizes_of_unlisted(ledger, frozenset(changes.keys() - read))
        fetched |= {key: utf8_bytes(stored[key]) for key in unlisted_keys(ledger, read) & stored.keys()}
        known = {key: size for key in changes if (size := _known_size(ledger, key)) is not None}
        sizes = {key: None if value is None else utf8_bytes(value) for key, value in changes.items()}
        total = settle(ledger.balance, known | fetched, sizes, self._limits).total
        placed = place(replace(successor, total=total), changes, fetched, most_own)
        if len(placed.puts) + len(placed.deletes) > most_own:
            raise TooLarge(f"Too many large key/value pairs for an app that is told of data.changed (max={most_own})")
        return placed

    def _rate(self, window: WriteWindow, now: int) -> Rate:
        return window.rate(now, limit=self._limits.writes, span=self._limits.window_ms)

    def _reread(self, app: str, user: str, keys: AskedKeys) -> dict[str, str] | None:
        """Return a user's data of this moment, or None if the user has not (or no longer) installed the app."""
        try:
            return self.read(app, user, keys).data
        except PermissionDenied:
            return None


def _told(
    events: "DataEvents | None", placed: PlacedValues, keys: Iterable[str] | None
) -> Callable[[Transaction], None] | None:
    """Return the function that adds the event of a change of these keys (None: of all), if the app asked for it."""
    return partial(events.changed, ledger=placed.ledger, keys=keys) if events else None


def _known_size(ledger: Ledger, key: str) -> int | None:
    if key in ledger.inline:
        return utf8_bytes(ledger.inline[key])
    listed = ledger.listed.get(key)
    return listed.size if listed else None


@contextmanager
def _refusing_at(before: Rate, ledger: Ledger) -> Iterator[None]:
    """Add the state of the write window, or the entity tag of the ledger, to a refusal that depends on stored data."""
    try:
        yield
    except (ParameterInvalid, BoundExceeded) as refusal:
        refusal.rate = before
        raise
    except PreconditionFailed as refusal:
        refusal.etag = ledger.etag
        raise


def _receipt(change: LedgerChange) -> Receipt:
    return Receipt(change.placed.ledger.etag, change.rate)
