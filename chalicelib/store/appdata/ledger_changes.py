"""Changing a ledger under a condition on its version, and telling for certain what became of it.

Every accepted change raises the version and leaves its id in the ledger, so a lost race is seen (the version has
moved on), told apart from a lost answer (the id is there: this very change landed), and retried without reading
again (DynamoDB returns the old item with the failed condition), unless the wait before it was long.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from chalicelib.core.errors import NotFound, PermissionDenied, Unavailable
from chalicelib.core.window import Rate
from chalicelib.store.appdata import own_values
from chalicelib.store.appdata.abandoned_values import AbandonedValues
from chalicelib.store.appdata.ledger import SORT_KEY, Ledger, from_item, new_write, partition, to_item
from chalicelib.store.appdata.placement import PlacedValues
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, Condition, equals
from chalicelib.store.aws.failures import Lost, TransactionConflict, Uncertain
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.transactions import Transaction

NEEDS = (
    on_table("appdata", "GetItem", "PutItem", "DeleteItem"),
    # The install, which comes and goes with the ledger, where there is such a user.
    on_table("directory", "PutItem", "DeleteItem", "ConditionCheckItem"),
    # The grant, which ends with the install.
    on_table("grants", "DeleteItem"),
)

LEDGER = "ledger"

FRESH = 0.05
"""Seconds; what was seen before a longer wait is old by now where many write, and a read costs less than to lose."""


@dataclass(frozen=True)
class LedgerChange:
    """A ledger's next state with the own items that go with it.

    `leaves_behind` is a ledger whose own values nothing counts any more after this.
    """

    placed: PlacedValues
    rate: Rate
    leaves_behind: Ledger | None = None


Prepare = Callable[[Ledger, bytes], LedgerChange]
"""Works out the change to a ledger, carrying the given id of the write; raises a Refusal where there is to be none."""


class Ledgers:
    """The ledgers of one table: read, created, changed and removed, each under its condition."""

    def __init__(self, dynamo: Dynamo, table: str, trash: AbandonedValues) -> None:
        self._dynamo = dynamo
        self._table = table
        self._trash = trash

    def find(self, app: str, user: str) -> Ledger | None:
        """The ledger as of now, strongly consistent; None where the user has not installed the app."""
        item = self._dynamo.get(self._table, (partition(app, user), SORT_KEY), consistent=True)
        return from_item(item) if item else None

    def need(self, app: str, user: str) -> Ledger:
        """As `find`; raises PermissionDenied where there is none: the permission matrix's Viewer, not installed."""
        ledger = self.find(app, user)
        if ledger is None:
            raise PermissionDenied
        return ledger

    def create(self, placed: PlacedValues, also: Callable[[Transaction], None]) -> bool:
        """Store a ledger that does not exist yet, with the parts that `also` adds; return whether it did not exist.

        Raises NotFound if a condition among those parts fails, and Unavailable.
        """
        token = str(uuid4())
        write = self._write(placed, ABSENT)
        also(write)
        for wait in races():
            try:
                # One token for all tries: where one landed unseen, the next is that same success, though the ledger
                # may have been changed or removed since.
                self._dynamo.transact(write, token)
            except Lost as lost:
                if not lost.failed(LEDGER):
                    raise NotFound("There is no such user") from None
                there = lost.stored(LEDGER)
                return there is not None and from_item(there).epoch == placed.ledger.epoch
            except (TransactionConflict, Uncertain):
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable

    def change(self, app: str, user: str, prepare: Prepare) -> LedgerChange:
        """Apply what `prepare` makes of the ledger; what was written is the returned change, exactly once.

        Raises what `prepare` raises, PermissionDenied where there is no ledger, and Unavailable where the race was
        lost too often or where nobody can tell any more whether the write landed.
        """
        write = new_write()
        tried: dict[int, LedgerChange] = {}
        unanswered = False
        ledger = self.need(app, user)
        for wait in races():
            change = tried[ledger.version + 1] = prepare(ledger, write)
            current: Ledger | None = None
            try:
                self._send(change, _unchanged(ledger))
                return change
            except Lost as lost:
                current = from_item(lost.item) if lost.item else None
                unanswered |= lost.resent
            except TransactionConflict:
                current = ledger
            except Uncertain:
                unanswered = True
            current = current or self.need(app, user)
            landed = current.landed(write)
            if landed is not None:
                return tried[landed]
            if unanswered and not current.remembers(ledger):
                break
            if current.version != ledger.version:
                unanswered = False  # The version that the unanswered try needed is gone: it can never land now.
            ledger = current
            self._dynamo.rest(wait)
            if wait > FRESH and not unanswered:  # An unanswered try may land now, and would have to be looked for.
                ledger = self.need(app, user)
        raise Unavailable

    def remove(self, app: str, user: str, also: Callable[[Transaction, Ledger], None]) -> bool:
        """Delete a ledger, with the parts that `also` adds for it; return whether there was one.

        The parts are made anew if a condition has failed, the ledger's or one of theirs.
        """
        ledger, token = self.find(app, user), str(uuid4())
        write: Transaction | None = None
        for wait in races():
            if ledger is None:
                return False
            if write is None:
                write = Transaction()
                write.delete(LEDGER, self._table, (ledger.partition, SORT_KEY), _unchanged(ledger))
                also(write, ledger)
            try:
                self._dynamo.transact(write, token)
            except Lost as lost:
                # Had an earlier try landed unseen, its token would have made a success of this one: someone else wrote.
                if lost.failed(LEDGER):
                    there = lost.stored(LEDGER)
                    ledger = from_item(there) if there else None
                write, token = None, str(uuid4())
            except (TransactionConflict, Uncertain):
                pass  # The same transaction once more, under the same token.
            else:
                return True
            self._dynamo.rest(wait)
        raise Unavailable

    def _send(self, change: LedgerChange, condition: Condition) -> None:
        left = change.leaves_behind
        if change.placed.is_one_item and not (left and left.has_own):
            self._dynamo.put(self._table, to_item(change.placed.ledger), condition)
            return
        write = self._write(change.placed, condition)
        if left:
            self._trash.note(write, left)
        self._dynamo.transact(write, str(uuid4()))

    def _write(self, placed: PlacedValues, condition: Condition) -> Transaction:
        """The ledger under its condition; own values need none, since they only ever change together with it."""
        ledger, write = placed.ledger, Transaction()
        write.put(LEDGER, self._table, to_item(ledger), condition)
        for key, value in placed.puts.items():
            write.put(f"value {key}", self._table, own_values.to_item(ledger, key, value))
        for key in placed.deletes:
            write.delete(f"value {key}", self._table, ledger.own_key(key))
        return write


def _unchanged(ledger: Ledger) -> Condition:
    """Nobody has written since: neither a change, nor a new install that began counting versions again."""
    return equals("v", ledger.version) & equals("e", ledger.epoch)


def emptied(ledger: Ledger, epoch: str) -> PlacedValues:
    """The ledger without any value, in a new epoch that leaves the own values of the old one behind."""
    empty = replace(ledger, epoch=epoch, total=0, inline={}, listed={}, unlisted=0)
    return PlacedValues(empty, {}, frozenset())
