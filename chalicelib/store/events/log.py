"""The log of events in the table ephemeral: each event is written in the transaction of the change that it tells of.

| item | pk | sk | attributes |
|---|---|---|---|
| event | `event#<app>#<shard>` | `<event>` | `k` kind, `s` subject, `n` sequence, `d` data (JSON), `h`, `o`, `ttl` |
| attempt that is due | `attempt` | `<due>#<app>#<event>#<endpoint>` | `a` failed attempts, `ttl` |
| mark of a shard | `mark#<app>` | `<shard>` | `m` time |

`h` is there after the first attempts, or after the attempts that are left were stored; `o` has the outcome for each
endpoint: `s` state, `a` attempts, `c` status of the last answer (0: none), `t` time. All events before a mark have `h`.

An event's id begins with its time, which is taken before the transaction: a transaction may be stored later than one
with a newer id. So a mark stays LATE_MS behind.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any

from chalicelib.core.base36 import from_base36
from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.events import (
    DEAD_MS,
    KEEP_DAYS,
    SHARDS,
    Delivery,
    Event,
    EventKind,
    LoggedEvent,
    Outcome,
    first_id,
    is_event_id,
    new_event_id,
    time_in,
)
from chalicelib.core.overview import Waiting
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import PRESENT, AttributeValue, Path
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, SEND, on_table
from chalicelib.store.aws.items import Item, Key, Place, typed
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction, Update

NEEDS = (
    # Changes write events in their own transactions. The operator lists events and has them sent again.
    on_table("ephemeral", "PutItem", "Query", by=(API, SEND)),
    on_table("ephemeral", "GetItem", by=(API,)),
    on_table("ephemeral", "BatchGetItem", "UpdateItem", "DeleteItem", by=(SEND,)),
)

LATE_MS = 120_000
"""The time after which no transaction with an older id can still succeed: no function runs so long."""
ATTEMPTS = "attempt"
_TTL = KEEP_DAYS * 86_400


@dataclass(frozen=True)
class DueAttempt:
    """One more attempt for an event and an endpoint, from the time `due` (ms) on, after `failed` attempts."""

    due: int
    app: str
    event: str
    endpoint: str
    failed: int

    @property
    def key(self) -> Key:
        """The key of its item."""
        return ATTEMPTS, f"{self.due:013}#{self.app}#{self.event}#{self.endpoint}"


class EventLog:
    """The events of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def note(
        self,
        write: Transaction,
        app: str,
        kind: EventKind,
        subject: str,
        sequence: int,
        data: Mapping[str, Any],
    ) -> None:
        """Add an event to the transaction of the change that it tells of. It is one item of the transaction."""
        now = self._clock()
        event = Event(new_event_id(now), app, kind, subject, sequence, now, data)
        write.put(f"event {kind.value} {subject}", self._table, _to_item(event))

    def get(self, app: str, event: str) -> LoggedEvent | None:
        """Return an event (strongly consistent), or None if there is none or it has expired."""
        if not is_event_id(event):
            return None
        item = self._dynamo.get(self._table, _key(app, event), consistent=True)
        return _from_item(item) if item else None

    def get_many(self, attempts: list[DueAttempt]) -> dict[tuple[str, str], LoggedEvent]:
        """Return the events of attempts, by app and id, as far as they still exist."""
        places: list[Place] = [(self._table, _key(each.app, each.event)) for each in attempts]
        found = map(_from_item, self._dynamo.batch_get(dict.fromkeys(places), consistent=True).values())
        return {(each.event.app, each.event.id): each for each in found}

    def part(
        self, app: str, since: int, until: int, cursor: str | None, count: int
    ) -> tuple[list[LoggedEvent], str | None]:
        """Return events of an app from `since` (ms) on and before `until`, oldest first, and the next cursor.

        Raises ParameterInvalid for a malformed cursor.
        """
        first = first_id(since)
        if cursor is not None:
            after = from_cursor(cursor)
            if not is_event_id(after):
                raise ParameterInvalid("cursor does not belong to this list")
            first = max(first, after + "!")
        span = (first, first_id(until))
        if span[0] > span[1]:
            return [], None
        reads = [partial(self._read, app, shard, span, count + 1) for shard in range(SHARDS)]
        found = list(islice(merge(*side_by_side(reads), key=lambda each: each.event.id), count + 1))
        return found[:count], to_cursor(found[count - 1].event.id) if len(found) > count else None

    def unhandled(self, app: str, since: int) -> Iterator[LoggedEvent]:
        """Yield the events of an app from `since` (ms) on that were not handled, and advance the marks.

        An event that is created meanwhile may be left for the next call.
        """
        marks = {item["sk"]["S"]: int(item["m"]["N"]) for item in self._marks(app)}
        for shard in range(SHARDS):
            begin = mark = max(since, marks.get(str(shard), 0))
            passed, open_events = 0, False
            span = (first_id(begin), _LAST)
            for item in self._dynamo.query(self._table, _partition(app, shard), span, consistent=True):
                logged = _from_item(item)
                if logged.handled:
                    mark, passed = (mark, passed) if open_events else (logged.event.created, passed + 1)
                    continue
                if not open_events:
                    self._advance(app, shard, begin, mark, passed)
                open_events = True
                yield logged
            if not open_events:
                self._advance(app, shard, begin, mark, passed)

    def _advance(self, app: str, shard: int, begin: int, mark: int, passed: int) -> None:
        """Store the mark of a shard if enough handled events are before it: one for each event would cost too much."""
        mark = min(mark, self._clock() - LATE_MS)
        if mark > begin and passed >= _WORTH_A_MARK:
            item = typed((_marks_of(app), str(shard))) | {"m": {"N": str(mark)}}
            self._dynamo.settle(lambda: self._dynamo.put(self._table, item))

    def handled(self, logged: LoggedEvent, deliveries: list[Delivery]) -> None:
        """Store the outcomes of attempts for an event, which is handled from now on, unless it has expired."""
        sets: dict[str, AttributeValue | Path] = {f"o.{each.endpoint}": _outcome(each) for each in deliveries}
        change = Update({"h": True} | sets)
        key = _key(logged.event.app, logged.event.id)
        with suppress(Lost):
            self._dynamo.settle(lambda: self._dynamo.update(self._table, key, change, PRESENT))

    def due(self, limit: int) -> list[DueAttempt]:
        """Return the attempts that are due, the oldest first. Eventually consistent: the next run finds the newest."""
        span = ("0", f"{self._clock():013}{_LAST}")
        found = self._dynamo.query(self._table, ATTEMPTS, span, consistent=False, limit=limit)
        return [_to_attempt(item) for item in found]

    def waiting(self, limit: int) -> Waiting:
        """Return the attempts that are due and not made yet, at most `limit`."""
        found = self.due(limit)
        return Waiting(len(found), len(found) == limit, min((each.due for each in found), default=None))

    def later(self, attempt: DueAttempt) -> None:
        """Store an attempt that is due later."""
        ttl = (attempt.due + DEAD_MS) // 1000 + _TTL
        item = typed(attempt.key) | {"a": {"N": str(attempt.failed)}, "ttl": {"N": str(ttl)}}
        self._dynamo.settle(lambda: self._dynamo.put(self._table, item))

    def send_again(self, app: str, event: str, endpoint: str) -> None:
        """Make an event due for an endpoint at the next run, as if it had not been sent. Raises Unavailable."""
        self.later(DueAttempt(self._clock(), app, event, endpoint, 0))

    def end(self, attempt: DueAttempt) -> None:
        """Delete an attempt that was made."""
        self._dynamo.settle(lambda: self._dynamo.delete(self._table, attempt.key))

    def _marks(self, app: str) -> Iterator[Item]:
        return self._dynamo.query(self._table, _marks_of(app), consistent=True)

    def _read(self, app: str, shard: int, span: tuple[str, str], limit: int) -> list[LoggedEvent]:
        found = self._dynamo.query(self._table, _partition(app, shard), span, consistent=True, limit=limit)
        return [_from_item(item) for item in found]


_WORTH_A_MARK = 50
_LAST = "~"
"""A text that sorts after all ids."""


def _marks_of(app: str) -> str:
    return f"mark#{app}"


def _partition(app: str, shard: int) -> str:
    return f"event#{app}#{shard}"


def _key(app: str, event: str) -> Key:
    return _partition(app, from_base36(event[-1]) % SHARDS), event


def _to_item(event: Event) -> Item:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return typed(_key(event.app, event.id)) | {
        "k": {"S": event.kind.value},
        "s": {"S": event.subject},
        "n": {"N": str(event.sequence)},
        "d": {"S": data},
        "o": {"M": {}},
        "ttl": {"N": str(event.created // 1000 + _TTL)},
    }


def _from_item(item: Item) -> LoggedEvent:
    event = Event(
        id=item["sk"]["S"],
        app=item["pk"]["S"].split("#")[1],
        kind=EventKind(item["k"]["S"]),
        subject=item["s"]["S"],
        sequence=int(item["n"]["N"]),
        created=time_in(item["sk"]["S"]),
        data=json.loads(item["d"]["S"]),
    )
    outcomes = tuple(_to_delivery(endpoint, each["M"]) for endpoint, each in sorted(item["o"]["M"].items()))
    return LoggedEvent(event, "h" in item, outcomes)


def _outcome(each: Delivery) -> Item:
    return {
        "M": {
            "s": {"S": each.outcome.value},
            "a": {"N": str(each.attempts)},
            "c": {"N": str(each.status)},
            "t": {"N": str(each.time)},
        }
    }


def _to_delivery(endpoint: str, item: Item) -> Delivery:
    numbers = (int(item[name]["N"]) for name in ("a", "c", "t"))
    return Delivery(endpoint, Outcome(item["s"]["S"]), *numbers)


def _to_attempt(item: Item) -> DueAttempt:
    due, app, event, endpoint = item["sk"]["S"].split("#")
    return DueAttempt(int(due), app, event, endpoint, int(item["a"]["N"]))
