"""The appdata table: what each user stores in each app. Its layout is in ledger.py, own_values.py and trash.py.

A write reads the ledger and writes it under a condition; a read of one's own small data is one call; a read of all
friends is two, whatever their number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.core.appdata import Balance, settle, utf8_bytes
from chalicelib.core.conditions import Conditions
from chalicelib.core.errors import ParameterInvalid, PermissionDenied, TooFrequent, Unavailable
from chalicelib.core.limits import Limits
from chalicelib.core.permission import AppRun, MatrixRow, may_obtain_data, status
from chalicelib.core.window import Rate, WriteWindow
from chalicelib.store.appdata.abandoned_values import AbandonedValues
from chalicelib.store.appdata.ledger import SORT_KEY, Ledger, from_item, new_epoch, partition
from chalicelib.store.appdata.ledger_changes import LedgerChange, Ledgers, emptied
from chalicelib.store.appdata.many_users import gather
from chalicelib.store.appdata.placement import place
from chalicelib.store.appdata.snapshot import AskedKeys, Values
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls

NEEDS = (
    on_table("appdata", "BatchGetItem"),
    # Friendships and installs, read in one call with ledgers, or beside it.
    on_table("directory", "BatchGetItem"),
)

READ_TRIES = 8
"""How often a read that other writes tear is begun again; each try reads only what has changed since the last."""


@dataclass(frozen=True)
class Receipt:
    """What an accepted write or delete left: the new entity tag, and the write window."""

    etag: str
    rate: Rate


@dataclass(frozen=True)
class Reading:
    """One user's asked values, as of the moment that `etag` names; `data` is None where the reader has that state."""

    etag: str
    data: dict[str, str] | None


@dataclass(frozen=True)
class Usage:
    """What a user holds in an app, and the write window."""

    balance: Balance
    rate: Rate


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

    def install(self, app: str, user: str, data: Mapping[str, str] | None = None) -> bool:
        """Install an app for a user, with `data` to begin with; whether it was not installed.

        `data` has at most 97 pairs: each may take an item of the transaction, which also has ledger, install and user.
        Uses up nothing of the write window. Raises NotFound (no such user), ParameterInvalid and Unavailable.
        """
        data = dict(data or {})
        sizes = {key: utf8_bytes(value) for key, value in data.items()}
        total = settle(Balance(0, 0), {}, sizes, self._limits).total
        placed = place(Ledger(app, user, new_epoch(), total=total), data, {})
        return self._ledgers.create(placed, lambda write: self._directory.put_install(write, user, app))

    def uninstall(self, app: str, user: str, also: Callable[[Transaction], None] = lambda write: None) -> bool:
        """Uninstall an app for a user and erase the data there; return whether it was installed.

        `also` adds what belongs in the same transaction; it is called again if a condition of it fails. Raises
        Unavailable.
        """

        def beside(write: Transaction, ledger: Ledger) -> None:
            self._trash.note(write, ledger)
            self._directory.delete_install(write, user, app)
            also(write)

        return self._ledgers.remove(app, user, beside)

    def write(self, app: str, user: str, changes: Mapping[str, str | None], conditions: Conditions) -> Receipt:
        """Store (a value) or delete (None) the changed keys, at most 99, all or none; other keys stay.

        Raises PermissionDenied (not installed), PreconditionFailed, TooFrequent, ParameterInvalid (quota or number of
        keys) in this order, and Unavailable; each has changed nothing, but an Unavailable whose answer was lost.
        """
        sizes = {key: None if value is None else utf8_bytes(value) for key, value in changes.items()}

        def prepare(ledger: Ledger, write: bytes) -> LedgerChange:
            window, before, after = self._admit(ledger, conditions)
            # A write in between fails the condition.
            fetched = Values(self._dynamo, self._table).sizes_of_unlisted(ledger, frozenset(changes))
            known = {key: size for key in changes if (size := _known_size(ledger, key)) is not None}
            try:
                total = settle(ledger.balance, known | fetched, sizes, self._limits).total
            except ParameterInvalid as refusal:
                refusal.rate = before
                raise
            return LedgerChange(place(replace(ledger.successor(write, window), total=total), changes, fetched), after)

        return _receipt(self._ledgers.change(app, user, prepare))

    def clear(self, app: str, user: str, conditions: Conditions) -> Receipt:
        """Delete every key. Raises as `write`, but for the quota."""

        def prepare(ledger: Ledger, write: bytes) -> LedgerChange:
            window, _, after = self._admit(ledger, conditions)
            placed = emptied(ledger.successor(write, window), new_epoch())
            return LedgerChange(placed, after, leaves_behind=ledger)

        return _receipt(self._ledgers.change(app, user, prepare))

    def read(self, app: str, user: str, keys: AskedKeys, conditions: Conditions | None = None) -> Reading:
        """A user's own data, strongly consistent and as of one moment. Raises PermissionDenied and Unavailable."""
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
        """Another user's data, where the permission rule lets the viewer have them, else PermissionDenied."""
        ledger_place = self._place(app, owner)
        friendship = self._directory.friendship(viewer, owner)
        install = self._directory.install(viewer, app)
        found = self._dynamo.batch_get([ledger_place, friendship, install], consistent=False)
        # Owner's friend or not makes no difference to persistent data, so the running app's owner is not asked about.
        running = AppRun.own(viewer, installed=install in found, friends={owner} if friendship in found else ())
        installed = status(ledger_place in found)
        if not running.may_name(owner) or not may_obtain_data(running.whose(owner), installed):
            raise PermissionDenied
        ledger = from_item(found[ledger_place])
        if conditions.unchanged(ledger.etag, has_data=ledger.balance.keys > 0):
            return Reading(ledger.etag, None)
        data = Values(self._dynamo, self._table).collect(ledger, keys, consistent=False)
        return Reading(ledger.etag, data) if data is not None else self.read(app, owner, keys)

    def read_friends(
        self, app: str, viewer: str, keys: AskedKeys, *, owner: str | None = None, of: str | None = None
    ) -> list[tuple[str, dict[str, str]]]:
        """The data of those of a user's friends who have any in the asked keys, in order of id.

        Friends are the viewer's, or those of `of`, who else can be the running app's `owner` alone. Each friend's data
        are as of one moment. Raises PermissionDenied (anyone else's friends; the user of that list has not installed
        the app) and TooLarge (more bytes than one answer may carry).
        """
        of = of or viewer
        friends, running = self._friends(app, viewer, owner or viewer, of)
        if not running.may_list_friends(of):
            raise PermissionDenied
        # A friend with a ledger has installed the app: a row that may be obtained.
        items = self._dynamo.batch_get([self._place(app, friend) for friend in friends], consistent=False)
        data = self._gather(app, map(from_item, items.values()), keys)
        return [(friend, data[friend]) for friend in friends if data.get(friend)]

    def read_named(self, app: str, viewer: str, users: Sequence[str], keys: AskedKeys) -> dict[str, dict[str, str]]:
        """The data of those of the users, whoever they are, who have installed the app, in the order named.

        The viewer's own are strongly consistent. Raises TooLarge (more bytes than one answer may carry).
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
        """What a user holds in an app. Raises PermissionDenied where it is not installed."""
        ledger = self._ledgers.need(app, user)
        return Usage(ledger.balance, self._rate(ledger.window, self._clock()))

    def sweep(self, seconds: float) -> int:
        """Clear what deletions left behind, for about so long; how many own values went."""
        return self._trash.sweep(seconds)

    def _friends(self, app: str, viewer: str, owner: str, of: str) -> tuple[list[str], AppRun]:
        """The friends of a user, and the running app as far as it decides whether they may be listed."""
        if of == viewer:
            friends, installed = self._directory.friends_with_install(viewer, app)
            return friends, AppRun.own(viewer, installed=installed, friends=friends)
        if of != owner:
            return [], AppRun(owner, viewer, owner_installed=False, viewer_installed=False)
        friends, owner_installed = self._directory.friends_with_install(owner, app)
        # The viewer's install makes no difference to the owner's list, so it is not read.
        return friends, AppRun(owner, viewer, owner_installed, viewer_installed=False, owner_friends=friends)

    def _read_own(self, app: str, viewer: str, keys: AskedKeys) -> dict[str, dict[str, str]]:
        data = self._reread(app, viewer, keys)
        return {} if data is None else {viewer: data}

    def _read_others(self, app: str, users: Sequence[str], keys: AskedKeys) -> dict[str, dict[str, str]]:
        places = {user: self._place(app, user) for user in users}
        found = self._dynamo.batch_get(list(places.values()), consistent=False)
        # Owner, anyone's friend or neither makes no difference to persistent data, so friends are not read.
        known = [user for user in users if may_obtain_data(MatrixRow.OTHER, status(places[user] in found))]
        return self._gather(app, (from_item(found[places[user]]) for user in known), keys)

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
        """The window with one more write, and its rate before and after. Raises PreconditionFailed and TooFrequent."""
        conditions.check(ledger.etag, has_data=ledger.balance.keys > 0)
        now, span, window = self._clock(), self._limits.window_ms, ledger.window
        before = self._rate(window, now)
        if not window.admits(now, limit=self._limits.writes, span=span):
            raise TooFrequent(retry_after=before.reset, rate=before)
        after = window.with_write(now, span=span)
        return after, before, self._rate(after, now)

    def _rate(self, window: WriteWindow, now: int) -> Rate:
        return window.rate(now, limit=self._limits.writes, span=self._limits.window_ms)

    def _reread(self, app: str, user: str, keys: AskedKeys) -> dict[str, str] | None:
        """Return a user's data of this moment, or None if the user has not installed the app (or not any more)."""
        try:
            return self.read(app, user, keys).data
        except PermissionDenied:
            return None


def _known_size(ledger: Ledger, key: str) -> int | None:
    if key in ledger.inline:
        return utf8_bytes(ledger.inline[key])
    listed = ledger.listed.get(key)
    return listed.size if listed else None


def _receipt(change: LedgerChange) -> Receipt:
    return Receipt(change.placed.ledger.etag, change.rate)
