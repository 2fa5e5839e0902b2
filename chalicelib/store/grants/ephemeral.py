"""The ephemeral table: items that are needed for minutes or a day and then expire (TTL). Events: store/events/log.py.

| item | pk | sk | attributes |
|---|---|---|---|
| used server_state | `state#<hash>` | `#` | `ttl` |
| nonce of a signature | `nonce#<hash>` | `#` | `by` the request that used it, `ttl` |
| failed sign-ins | `signin#<kind>#<hash>` | `#` | `failures`, `latest` (ms), `ttl` |
| one-time link | `link#<hash>` | `#` | in one_time_links.py |
| count of a day | `daily#<hash>` | `#` | `times`, `ttl` |
| Idempotency-Key | `once#<hash>` | `#` | `said` (hash), `runner`, `deadline` (ms), `answer`, `expires`, `ttl` |

DynamoDB deletes an item some time after its `ttl`, so every reader checks the time.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from chalicelib.core.errors import Unavailable
from chalicelib.core.oauth import STATE_SECONDS, hashed
from chalicelib.core.sign_in_delays import ACCOUNT_FREE, ADDRESS_FREE, DEVICE_FREE, FORGET_SECONDS, Failures
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, PRESENT, Condition, equals, less, more
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import Transaction, Update

NEEDS = (on_table("ephemeral", "GetItem", "PutItem", "UpdateItem", "DeleteItem"),)


class UsedStates:
    """The used server_states: each is valid for one authorization, and kept until it would have expired."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def has(self, text: str) -> bool:
        """Return whether this server_state has been used."""
        return self._dynamo.get(self._table, _state_key(text), consistent=True) is not None

    def use(self, write: Transaction, text: str) -> None:
        """Mark it as used in the transaction that stores the code; the part "server state" fails if it was used."""
        ttl = {"N": str(self._clock() // 1000 + STATE_SECONDS)}
        write.put("server state", self._table, typed(_state_key(text)) | {"ttl": ttl}, ABSENT)


class Nonces:
    """The nonces of signed requests (OAuth 1.0a), each valid for one request of an app and timestamp.

    A nonce is kept for `seconds` after its timestamp, as long as that timestamp is accepted.
    """

    def __init__(self, dynamo: Dynamo, table: str, seconds: int) -> None:
        self._dynamo = dynamo
        self._table = table
        self._seconds = seconds

    def use(self, app: str, timestamp: int, nonce: str) -> bool:
        """Mark a nonce as used; return whether it was unused. Raises Unavailable."""
        by = {"S": secrets.token_hex(8)}
        ttl = {"N": str(timestamp + self._seconds + 1)}
        item = typed(_nonce_key(app, timestamp, nonce)) | {"by": by, "ttl": ttl}
        try:
            self._dynamo.settle(lambda: self._dynamo.put(self._table, item, ABSENT))
        except Lost as lost:
            # The stored item may come from our own first try, if its response was lost.
            return lost.item is not None and lost.item["by"] == by
        return True


class AttemptKind(Enum):
    """The kinds of counts of failed sign-ins."""

    ACCOUNT = "account"
    ADDRESS = "address"
    DEVICE = "device"
    """One user in one browser (core/sign_in_delays.py)."""

    @property
    def free(self) -> int:
        """The number of failures that cause no delay."""
        return _FREE[self]


_FREE = {AttemptKind.ACCOUNT: ACCOUNT_FREE, AttemptKind.ADDRESS: ADDRESS_FREE, AttemptKind.DEVICE: DEVICE_FREE}


@dataclass(frozen=True)
class Attempt:
    """A counted try, with the stored failures before and after it."""

    kind: AttemptKind
    name: str
    before: Failures
    counted: Failures


@dataclass(frozen=True)
class Wait:
    """A try that was not counted, and has to wait this many whole seconds."""

    seconds: int


class DailyCounts:
    """Counts of what a user may do only so often in a day (UTC): uploading a picture, downloading one's data."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def is_left(self, kind: str, user: str, most: int) -> bool:
        """Return whether `count` would count now: to ask before work that is expensive (one read)."""
        key, _ = self._today(kind, user)
        item = self._dynamo.get(self._table, key, consistent=True)
        return item is None or int(item["times"]["N"]) < most

    def count(self, kind: str, user: str, most: int) -> bool:
        """Count once more; return False, and count nothing, if it was `most` times today. Raises Unavailable."""
        key, day = self._today(kind, user)
        write = Transaction()  # It counts once, even if it is sent again.
        change = Update({"ttl": 86_400 * (day + 2)}, adds={"times": 1})
        write.update("count", self._table, key, change, ABSENT | less("times", most))
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        return True

    def next_day(self) -> int:
        """Return when the next day begins and counts begin anew, in milliseconds since the epoch."""
        return (self._clock() // 86_400_000 + 1) * 86_400_000

    def _today(self, kind: str, user: str) -> tuple[Key, int]:
        day = self._clock() // 86_400_000
        return (f"daily#{hashed(f'{kind} {user} {day}')}", "#"), day


class SignInAttempts:
    """Failed sign-ins, counted by account and by address, or by device.

    A try is counted before the password is checked, and forgiven if the password was right. So even for parallel
    tries, no more passwords are checked than the rule (core/sign_in_delays.py) allows. A count changes in a transaction
    of one item: if the response is lost and the write is sent again, it is not counted twice.
    """

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def begin(self, kind: AttemptKind, name: str) -> Attempt | Wait:
        """Count a try, or return how long it has to wait. Raises Unavailable."""
        key = _signin_key(kind, name)
        known: Item | None = None
        for pause in races():
            now = self._clock()
            before = _failures(known)
            if wait := before.wait(now, kind.free):
                return Wait(wait)
            counted = before.one_more(now)
            try:
                write = Transaction()
                write.put("failures", self._table, typed(key) | _attributes(counted), _as_known(known))
                self._dynamo.commit(write)
                return Attempt(kind, name, before, counted)
            except Lost as lost:
                # The first Lost only returns the stored item; later ones are races.
                if known is not None:
                    self._dynamo.rest(pause)
                known = lost.item
        raise Unavailable

    def forgive(self, attempt: Attempt) -> None:
        """Undo the count of a try that was right, or that another count refused. Raises Unavailable.

        For a device, all counted failures are deleted. Those of an account or address may come from another person:
        they stay as before the try, so that they do not reveal that someone has signed in.
        """
        key = _signin_key(attempt.kind, attempt.name)
        counted = _attributes(attempt.counted)
        if attempt.kind is AttemptKind.DEVICE:
            with suppress(Lost):  # Already deleted.
                self._dynamo.settle(lambda: self._dynamo.delete(self._table, key, PRESENT))
            return
        write = Transaction()
        if attempt.counted.count > 1:
            write.put("failures", self._table, typed(key) | _attributes(attempt.before), _as_known(counted))
        else:
            write.delete("failures", self._table, key, _as_known(counted))
        try:
            self._dynamo.commit(write)
        except Lost:
            # There were other tries since: subtract one. Lost again: the count has expired.
            write = Transaction()
            write.update("failures", self._table, key, Update(adds={"failures": -1}), more("failures", 0))
            with suppress(Lost):
                self._dynamo.commit(write)


def _state_key(text: str) -> Key:
    return f"state#{hashed(text)}", "#"


def _nonce_key(app: str, timestamp: int, nonce: str) -> Key:
    # App ids and timestamps have no spaces, so different inputs give different names.
    return f"nonce#{hashed(f'{app} {timestamp} {nonce}')}", "#"


def _signin_key(kind: AttemptKind, name: str) -> Key:
    # Hashed: a name may have any length, and people sometimes type their password there.
    return f"signin#{kind.value}#{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}", "#"


def _failures(item: Item | None) -> Failures:
    return Failures(int(item["failures"]["N"]), int(item["latest"]["N"])) if item else Failures()


def _attributes(failures: Failures) -> Item:
    return {
        "failures": {"N": str(failures.count)},
        "latest": {"N": str(failures.at)},
        "ttl": {"N": str(failures.at // 1000 + FORGET_SECONDS)},
    }


def _as_known(item: Item | None) -> Condition:
    if item is None:
        return ABSENT
    return equals("failures", item["failures"]) & equals("latest", item["latest"])
