"""The ephemeral table: what is of use for minutes or a day and goes by itself (TTL).

| item | pk | sk | attributes |
|---|---|---|---|
| used server_state | `state#<hash>` | `#` | `ttl` |
| nonce of a signature | `nonce#<hash>` | `#` | `by` the request that used it, `ttl` |
| failed sign-ins | `signin#<kind>#<hash>` | `#` | `failures`, `latest` (ms), `ttl` |
| Idempotency-Key | `once#<hash>` | `#` | `said` (hash), `runner`, `deadline` (ms), `answer`, `expires`, `ttl` |

DynamoDB deletes an item some time after its `ttl`: whoever reads one judges its time.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from enum import Enum

from chalicelib.core.errors import Unavailable
from chalicelib.core.oauth import STATE_SECONDS, hashed
from chalicelib.core.signin import ACCOUNT_FREE, ADDRESS_FREE, FORGET_SECONDS, Failures
from chalicelib.store.dynamo import Condition, Dynamo, Key, races, typed
from chalicelib.store.failures import Lost
from chalicelib.store.itemsize import Item
from chalicelib.store.needs import on_table
from chalicelib.store.transactions import (
    ABSENT,
    PRESENT,
    Update,
    Write,
    commit,
    insist,
    put,
    update,
)

NEEDS = (on_table("ephemeral", "GetItem", "PutItem", "UpdateItem", "DeleteItem"),)


class UsedStates:
    """The server_states that have been used: each is good for one authorization, and kept until it would have ended."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def has(self, text: str) -> bool:
        """Whether this one has been used."""
        return self._dynamo.get(self._table, _state_key(text), consistent=True) is not None

    def use(self, text: str) -> Write:
        """Return the write that uses one up, for the transaction that stores the code; it fails for a used one."""
        ttl = {"N": str(self._clock() // 1000 + STATE_SECONDS)}
        return put(self._table, typed(_state_key(text)) | {"ttl": ttl}, ABSENT)


class Nonces:
    """The nonces of signed requests (OAuth 1.0a), each good for one request of an app and timestamp.

    One is kept `seconds` beyond its timestamp, as long as that timestamp is accepted.
    """

    def __init__(self, dynamo: Dynamo, table: str, seconds: int) -> None:
        self._dynamo = dynamo
        self._table = table
        self._seconds = seconds

    def use(self, app: str, timestamp: int, nonce: str) -> bool:
        """Use one up; whether it was fresh. Raises Unavailable."""
        by = {"S": secrets.token_hex(8)}
        ttl = {"N": str(timestamp + self._seconds + 1)}
        item = typed(_nonce_key(app, timestamp, nonce)) | {"by": by, "ttl": ttl}
        try:
            insist(self._dynamo, lambda _: self._dynamo.put(self._table, item, ABSENT))
        except Lost as lost:
            # Its own first try, whose answer was lost, may be what it met.
            return lost.item is not None and lost.item["by"] == by
        return True


class Kind(Enum):
    """What failed sign-ins are counted for."""

    ACCOUNT = "account"
    ADDRESS = "address"

    @property
    def free(self) -> int:
        """Failures that cost no time."""
        return ACCOUNT_FREE if self is Kind.ACCOUNT else ADDRESS_FREE


class Attempts:
    """Failed sign-ins, counted by account and by address.

    A try is counted before the password is looked at, and forgiven if it was right: however many try at once, no more
    are looked at than the rule (core/signin.py) lets. What changes a count is a transaction of one item, so that a
    write whose answer was lost is not counted twice when it is sent again.
    """

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def begin(self, kind: Kind, name: str) -> int:
        """Count a try; the whole seconds that it has to wait instead (0: it may go on, and was counted)."""
        key = _signin_key(kind, name)
        known: Item | None = None
        for pause in races():
            now = self._clock()
            before = _failures(known)
            if wait := before.wait(now, kind.free):
                return wait
            try:
                counted = typed(key) | _attributes(before.one_more(now))
                commit(self._dynamo, [put(self._table, counted, _as_known(known))])
                return 0
            except Lost as lost:
                # The first loss only tells what is stored; those after it are races.
                if known is not None:
                    self._dynamo.rest(pause)
                known = lost.item
        raise Unavailable

    def forgive(self, kind: Kind, name: str) -> None:
        """The try was right: an account's failures are forgotten, an address has one less."""
        key = _signin_key(kind, name)
        # Lost: forgiven, or gone by itself, already.
        with suppress(Lost):
            if kind is Kind.ACCOUNT:
                insist(self._dynamo, lambda _: self._dynamo.delete(self._table, key, PRESENT))
            else:
                counted = Condition("failures > :none", {":none": {"N": "0"}})
                commit(self._dynamo, [update(self._table, key, Update(adds={"failures": -1}), counted)])


def _state_key(text: str) -> Key:
    return f"state#{hashed(text)}", "#"


def _nonce_key(app: str, timestamp: int, nonce: str) -> Key:
    # Neither an app's id nor a timestamp has a space in it, so no two names are one.
    return f"nonce#{hashed(f'{app} {timestamp} {nonce}')}", "#"


def _signin_key(kind: Kind, name: str) -> Key:
    # Hashed: a name may be of any length, and what people type there is sometimes their password.
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
    return Condition(
        "failures = :failures AND latest = :latest", {":failures": item["failures"], ":latest": item["latest"]}
    )
