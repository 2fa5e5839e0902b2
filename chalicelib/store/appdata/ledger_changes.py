"""Changes of a ledger under a condition on its version, with a certain outcome.

Every accepted change raises the version and stores its id in the ledger. So a lost race is detected (the version has
increased) and distinguished from a lost response (the id is there: this change succeeded). It is retried without
another read (DynamoDB returns the stored item with the failed condition), unless the wait before the retry was long.
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
from chalicelib.store.aws.iam_needs import API, CANARY, SWEEP, on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.transactions import AnswerRecord, Transaction

NEEDS = (
    on_table("appdata", "GetItem"),
    # The sweep uninstalls the apps of users who left.
    on_table("appdata", "BatchGetItem", "DeleteItem", by=(API, SWEEP)),
    # The canary installs its app.
    on_table("appdata", "PutItem", by=(API, CANARY)),
    # The app, which is told when it is uninstalled.
    on_table("directory", "BatchGetItem", by=(API, SWEEP)),
    # The install, which is created and deleted together with the ledger, and the check that the user exists.
    on_table("directory", "PutItem", "ConditionCheckItem", by=(API, CANARY)),
    # The count of installs.
    on_table("directory", "UpdateItem", by=(API, CANARY, SWEEP)),
    on_table("directory", "DeleteItem", by=(API, SWEEP)),
    # The grant, which is deleted together with the install.
    on_table("grants", "DeleteItem", by=(API, SWEEP)),
    # The answer to a request with an Idempotency-Key, and the events of installs and data.
    on_table("ephemeral", "UpdateItem"),
    on_table("ephemeral", "PutItem", by=(API, SWEEP)),
)

LEDGER = "ledger"

FRESH = 0.05
"""Seconds. After a longer wait, with many writers, the known ledger is stale; a read costs less than a lost race."""


@dataclass(frozen=True)
class LedgerChange:
    """A ledger's next state with the changes to own items.

    `leaves_behind` is a ledger whose own values no ledger counts after this change. `answer` is the request's answer,
    for the record of its Idempotency-Key. `tell` adds the event of this change to its transaction.
    """

    placed: PlacedValues
    rate: Rate
    leaves_behind: Ledger | None = None
    answer: str = ""
    tell: Callable[[Transaction], None] | None = None


class Outdated(Exception):
    """Raised by a `Prepare` if another write has changed the ledger: `change` reads it again."""


Prepare = Callable[[Ledger, bytes], LedgerChange]
"""A function that returns the change to a ledger for a write with the given id. Raises a Refusal, or Outdated."""


class Ledgers:
    """The ledgers of one table. Each is created, changed and removed under a condition."""

    def __init__(self, dynamo: Dynamo, table: str, trash: AbandonedValues) -> None:
        self._dynamo = dynamo
        self._table = table
        self._trash = trash

    def find(self, app: str, user: str) -> Ledger | None:
        """Return the ledger, strongly consistent, or None if the user has not installed the app."""
        item = self._dynamo.get(self._table, (partition(app, user), SORT_KEY), consistent=True)
        return from_item(item) if item else None

    def need(self, app: str, user: str) -> Ledger:
        """Return the ledger. Raises PermissionDenied if there is none (permission matrix: Viewer, not installed)."""
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
                # One token for all tries: if one succeeded but its response was lost, DynamoDB reports the next as that
                # same success, even if the ledger has been changed or removed since.
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

    def change(self, app: str, user: str, prepare: Prepare, record: AnswerRecord | None = None) -> LedgerChange:
        """Apply the change that `prepare` returns for the ledger, exactly once; return the change that was written.

        The `record` of an Idempotency-Key joins the write and stores the change's `answer`. Raises the errors of
        `prepare`, PermissionDenied if there is no ledger, StillRunning, and Unavailable if the race was lost too often
        or if it can no longer be found out whether the write succeeded.
        """
        write = new_write()
        tried: dict[int, LedgerChange] = {}
        unanswered = False
        ledger = self.need(app, user)
        for wait in races():
            current: Ledger | None = None
            try:
                change = tried[ledger.version + 1] = prepare(ledger, write)
                self._send(change, _unchanged(ledger), record)
                return change
            except Outdated:
                pass
            except Lost as lost:
                if record:
                    record.check(lost)
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
                unanswered = False  # That try needs a version that is gone, so it cannot succeed any more.
            ledger = current
            self._dynamo.rest(wait)
            # An unanswered try may succeed meanwhile, and a ledger read here is not searched for its id.
            if wait > FRESH and not unanswered:
                ledger = self.need(app, user)
        raise Unavailable

    def remove(
        self, app: str, user: str, also: Callable[[Transaction, Ledger, Item | None], None], beside: Place | None = None
    ) -> bool:
        """Delete a ledger, with the parts that `also` adds for it; return whether there was one.

        `beside` is the place of an item that `also` needs; it may be absent, and a few seconds old. The parts are
        created anew if a condition has failed: the ledger's or that of a part. Raises Unavailable.
        """
        ledger, other = self._find_with(app, user, beside) if beside else (self.find(app, user), None)
        token = str(uuid4())
        write: Transaction | None = None
        for wait in races():
            if ledger is None:
                return False
            if write is None:
                write = Transaction()
                write.delete(LEDGER, self._table, (ledger.partition, SORT_KEY), _unchanged(ledger))
                also(write, ledger, other)
            try:
                self._dynamo.transact(write, token)
            except Lost as lost:
                # Another write came first: if an earlier try had succeeded, the same token would report success again.
                if lost.failed(LEDGER):
                    there = lost.stored(LEDGER)
                    ledger = from_item(there) if there else None
                write, token = None, str(uuid4())
            except (TransactionConflict, Uncertain):
                pass  # Send the same transaction again with the same token.
            else:
                return True
            self._dynamo.rest(wait)
        raise Unavailable

    def _find_with(self, app: str, user: str, beside: Place) -> tuple[Ledger | None, Item | None]:
        """Return the ledger and another item, in one call that costs no more than the ledger, strongly consistent.

        Each costs half a unit, since both may be old: the condition of a deletion compares the ledger with the stored
        one. Only if there is no ledger, it is read again.
        """
        place = self._table, (partition(app, user), SORT_KEY)
        found = self._dynamo.batch_get([place, beside], consistent=False)
        ledger = from_item(found[place]) if place in found else self.find(app, user)
        return ledger, found.get(beside)

    def _send(self, change: LedgerChange, condition: Condition, record: AnswerRecord | None) -> None:
        left = change.leaves_behind
        if change.placed.is_one_item and not (left and left.has_own) and not record and not change.tell:
            self._dynamo.put(self._table, to_item(change.placed.ledger), condition)
            return
        write = self._write(change.placed, condition)
        if left:
            self._trash.note(write, left)
        if record:
            record.join(write, change.answer)
        if change.tell:
            change.tell(write)
        self._dynamo.transact(write, str(uuid4()))

    def _write(self, placed: PlacedValues, condition: Condition) -> Transaction:
        """Return the transaction; only the ledger needs a condition, as own values never change without it."""
        ledger, write = placed.ledger, Transaction()
        write.put(LEDGER, self._table, to_item(ledger), condition)
        for key, value in placed.puts.items():
            write.put(f"value {key}", self._table, own_values.to_item(ledger, key, value))
        for key in placed.deletes:
            write.delete(f"value {key}", self._table, ledger.own_key(key))
        return write


def _unchanged(ledger: Ledger) -> Condition:
    """Return the condition that no write came since: no change, and no new install, which counts versions anew."""
    return equals("v", ledger.version) & equals("e", ledger.epoch)


def emptied(ledger: Ledger, epoch: str) -> PlacedValues:
    """Return the ledger without values, in a new epoch; the own values of the old epoch are left behind."""
    empty = replace(ledger, epoch=epoch, total=0, inline={}, listed={}, unlisted=0)
    return PlacedValues(empty, {}, frozenset())
