"""The appdata table: what each user stores in each app. Its layout is in ledger.py, own.py and trash.py.

A write reads the ledger and writes it under a condition; a read of one's own small data is one call; a read of all
friends is two, whatever their number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.core.appdata import Balance, settle, utf8_bytes
from chalicelib.core.conditions import Conditions
from chalicelib.core.errors import ParameterInvalid, PermissionDenied, TooFrequent, TooLarge, Unavailable
from chalicelib.core.limits import Limits
from chalicelib.core.permission import Running, may_obtain_data, status
from chalicelib.core.window import Rate, WriteWindow
from chalicelib.store import own
from chalicelib.store.commit import Change, Ledgers, emptied
from chalicelib.store.directory import Directory
from chalicelib.store.dynamo import Dynamo
from chalicelib.store.fanout import WORKERS, side_by_side
from chalicelib.store.ledger import SORT_KEY, Ledger, from_item, new_epoch, partition
from chalicelib.store.placement import place
from chalicelib.store.trash import Trash
from chalicelib.store.values import Keys, Values, asked_bytes, is_vague, unlisted_keys

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
        self, dynamo: Dynamo, table: str, directory: Directory, limits: Limits, clock: Callable[[], int]
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._directory = directory
        self._limits = limits
        self._clock = clock
        self._ledgers = Ledgers(dynamo, table)
        self._trash = Trash(dynamo, table)

    def install(self, app: str, user: str, data: Mapping[str, str] | None = None) -> bool:
        """Install an app for a user, with `data` to begin with; whether it was not installed.

        `data` has at most 97 pairs: each may take an item of the transaction, which also has ledger, install and user.
        Uses up nothing of the write window. Raises NotFound (no such user), ParameterInvalid and Unavailable.
        """
        data = dict(data or {})
        sizes = {key: utf8_bytes(value) for key, value in data.items()}
        total = settle(Balance(0, 0), {}, sizes, self._limits).total
        placed = place(Ledger(app, user, new_epoch(), total=total), data, {})
        return self._ledgers.create(placed, self._directory.put_install(user, app))

    def uninstall(self, app: str, user: str) -> bool:
        """Uninstall an app for a user and erase the data there; whether it was installed."""
        return self._ledgers.remove(
            app, user, lambda ledger: [*self._trash.notes(ledger), self._directory.delete_install(user, app)]
        )

    def write(self, app: str, user: str, changes: Mapping[str, str | None], conditions: Conditions) -> Receipt:
        """Store (a value) or delete (None) the changed keys, at most 99, all or none; other keys stay.

        Raises PermissionDenied (not installed), PreconditionFailed, TooFrequent, ParameterInvalid (quota or number of
        keys) in this order, and Unavailable; each has changed nothing, but an Unavailable whose answer was lost.
        """
        sizes = {key: None if value is None else utf8_bytes(value) for key, value in changes.items()}

        def prepare(ledger: Ledger, write: bytes) -> Change:
            window, before, after = self._admit(ledger, conditions)
            fetched = self._unlisted_sizes(ledger, frozenset(changes))
            known = {key: size for key in changes if (size := _known_size(ledger, key)) is not None}
            try:
                total = settle(ledger.balance, known | fetched, sizes, self._limits).total
            except ParameterInvalid as refusal:
                refusal.rate = before
                raise
            return Change(place(replace(ledger.successor(write, window), total=total), changes, fetched), after)

        return _receipt(self._ledgers.change(app, user, prepare))

    def clear(self, app: str, user: str, conditions: Conditions) -> Receipt:
        """Delete every key. Raises as `write`, but for the quota."""

        def prepare(ledger: Ledger, write: bytes) -> Change:
            window, _, after = self._admit(ledger, conditions)
            placed = emptied(ledger.successor(write, window), new_epoch())
            return Change(placed, after, self._trash.notes(ledger))

        return _receipt(self._ledgers.change(app, user, prepare))

    def read(self, app: str, user: str, keys: Keys, conditions: Conditions | None = None) -> Reading:
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

    def read_friend(self, app: str, viewer: str, owner: str, keys: Keys, conditions: Conditions) -> Reading:
        """Another user's data, where the permission rule lets the viewer have them, else PermissionDenied."""
        ledger_place = self._place(app, owner)
        friendship = self._directory.friendship(viewer, owner)
        install = self._directory.install(viewer, app)
        found = self._dynamo.batch_get([ledger_place, friendship, install], consistent=False)
        # Owner's friend or not makes no difference to persistent data, so the running app's owner is not asked about.
        running = Running.own(viewer, installed=install in found, friends={owner} if friendship in found else ())
        installed = status(ledger_place in found)
        if not running.may_name(owner) or not may_obtain_data(running.whose(owner), installed):
            raise PermissionDenied
        ledger = from_item(found[ledger_place])
        if conditions.unchanged(ledger.etag, has_data=ledger.balance.keys > 0):
            return Reading(ledger.etag, None)
        data = Values(self._dynamo, self._table).collect(ledger, keys, consistent=False)
        return Reading(ledger.etag, data) if data is not None else self.read(app, owner, keys)

    def read_friends(self, app: str, viewer: str, keys: Keys) -> list[tuple[str, dict[str, str]]]:
        """The data of those of the viewer's friends who have any in the asked keys, in order of id.

        Each friend's data are as of one moment. Raises PermissionDenied (the viewer has not installed the app) and
        TooLarge (more bytes than one answer may carry).
        """
        friends, installed = self._directory.friends_with_install(viewer, app)
        if not Running.own(viewer, installed=installed, friends=friends).may_list_friends(viewer):
            raise PermissionDenied
        # A friend with a ledger has installed the app: a row that may be obtained.
        items = self._dynamo.batch_get([self._place(app, friend) for friend in friends], consistent=False)
        ledgers = {ledger.user: ledger for ledger in map(from_item, items.values())}
        self._check_friends_bytes(sum(asked_bytes(ledger, keys) for ledger in ledgers.values()))

        values = Values(self._dynamo, self._table)
        values.prefetch(ledgers.values(), keys)

        def collect(ledger: Ledger) -> dict[str, str]:
            data = values.collect(ledger, keys, consistent=False)
            return data if data is not None else self._reread(app, ledger.user, keys)

        data = {user: collect(ledger) for user, ledger in ledgers.items() if not is_vague(ledger, keys)}
        vague = [ledger for ledger in ledgers.values() if is_vague(ledger, keys)]
        for start in range(0, len(vague), WORKERS):
            # Such a ledger cannot tell how much is coming: a few friends at a time, and count.
            part = vague[start : start + WORKERS]
            found = side_by_side([partial(collect, ledger) for ledger in part])
            data |= zip((ledger.user for ledger in part), found, strict=True)
            self._check_friends_bytes(sum(utf8_bytes(value) for each in data.values() for value in each.values()))
        return [(friend, data[friend]) for friend in friends if data.get(friend)]

    def usage(self, app: str, user: str) -> Usage:
        """What a user holds in an app. Raises PermissionDenied where it is not installed."""
        ledger = self._ledgers.need(app, user)
        return Usage(ledger.balance, self._rate(ledger.window, self._clock()))

    def sweep(self, seconds: float) -> int:
        """Clear what deletions left behind, for about so long; how many own values went."""
        return self._trash.sweep(seconds)

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

    def _unlisted_sizes(self, ledger: Ledger, keys: frozenset[str]) -> dict[str, int]:
        """Bytes of those of the keys that are own values and not listed; a write in between fails the condition."""
        places = [(self._table, ledger.own_key(key)) for key in unlisted_keys(ledger, keys)]
        if not places:
            return {}
        found = self._dynamo.batch_get(places, consistent=True).values()
        return {own.key_in(item, ledger): utf8_bytes(own.from_item(item).value) for item in found}

    def _reread(self, app: str, user: str, keys: Keys) -> dict[str, str]:
        """A friend's data after a torn read; nothing where the friend has uninstalled the app meanwhile."""
        try:
            return self.read(app, user, keys).data or {}
        except PermissionDenied:
            return {}

    def _check_friends_bytes(self, size: int) -> None:
        if size > self._limits.friends_bytes:
            raise TooLarge(f"The friends' data are too large for one answer (max={self._limits.friends_bytes})")


def _known_size(ledger: Ledger, key: str) -> int | None:
    if key in ledger.inline:
        return utf8_bytes(ledger.inline[key])
    listed = ledger.listed.get(key)
    return listed.size if listed else None


def _receipt(change: Change) -> Receipt:
    return Receipt(change.placed.ledger.etag, change.rate)
