"""Records of refused and failed requests, and counts of them by day, in the table records.

| item | pk | sk | attributes |
|---|---|---|---|
| record | `request#<id>` | `#` | `t` time, `r` route, `s` status, `k` kind, `c` cause, `p` app, `v`, `ms`, `ttl` |
| the same, in the list of its kind | `failures#<kind>` | `<time>#<id>` | the same |
| counts of a day, one of SHARDS | `refusals` | `<day>#<shard>` | `<status> <kind>`: a number, `ttl` |

`v` is the version, `ms` the time that the request took. A day is one of UTC. Counts are added without a retry, so that
no answer waits for them: one may be missing, or twice.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.request_records import KEPT_DAYS, RequestRecord, Sampling
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import API, on_table
from chalicelib.store.aws.items import Item, typed
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Update

NEEDS = (on_table("records", "GetItem", "Query", "UpdateItem", "BatchWriteItem", by=(API,)),)

SHARDS = 8
COUNTS = "refusals"
_DAY_SECONDS = 86_400
_DIGITS = 13


class RequestLog:
    """The records of a deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def write(self, found: Sampling) -> None:
        """Store counts and records: two calls side by side. Raises Unavailable and StoreFailure."""
        jobs = [partial(self._count, found)]
        if found.records:
            jobs.append(partial(self._keep, found))
        side_by_side(jobs)

    def _count(self, found: Sampling) -> None:
        now = self._clock()
        key = COUNTS, f"{day_of(now)}#{random.randrange(SHARDS)}"  # noqa: S311 (no secret)
        adds = {f"{status} {kind}": number for (status, kind), number in found.counts.items()}
        self._dynamo.update(self._table, key, Update({"ttl": self._ttl(now)}, adds=adds))

    def _keep(self, found: Sampling) -> None:
        items = [item for record in found.records for item in self._items(record)]
        self._dynamo.put_all(self._table, items)

    def get(self, id: str) -> RequestRecord | None:
        """Return the record of a request, or None (eventually consistent)."""
        item = self._dynamo.get(self._table, (f"request#{id}", "#"), consistent=False)
        return replace(_from_item(item), id=id) if item else None

    def of_kind(self, kind: str, cursor: str | None, count: int) -> tuple[list[RequestRecord], str | None]:
        """Return records of a kind, the latest first, and the next cursor. Raises ParameterInvalid for a malformed one.

        The cursor is the time of the last record: of several in the same millisecond, some may be left out.
        """
        before = from_cursor(cursor) if cursor else "~"
        if cursor and not (before.isdigit() and len(before) == _DIGITS):
            raise ParameterInvalid("cursor does not belong to this list")
        span = ("0", before)
        read = partial(self._dynamo.query, self._table, f"failures#{kind}", span, consistent=False)
        found = [_from_item(item) for item in read(limit=count + 1, backwards=True)]
        return found[:count], to_cursor(_moment(found[count - 1].at)) if len(found) > count else None

    def counts(self, days: int) -> list[tuple[str, int, str, int]]:
        """Return the counts of the last `days` days: day, status, kind and number (one query)."""
        first = day_of(self._clock() - (days - 1) * _DAY_SECONDS * 1000)
        found: dict[tuple[str, int, str], int] = {}
        for item in self._dynamo.query(self._table, COUNTS, (first, "~"), consistent=False):
            day = item["sk"]["S"].partition("#")[0]
            for status, kind, number in _counted(item):
                found[day, status, kind] = found.get((day, status, kind), 0) + number
        return [(*each, number) for each, number in sorted(found.items())]

    def _items(self, record: RequestRecord) -> Iterator[Item]:
        texts = {"r": record.route, "k": record.kind, "c": record.cause, "v": record.version, "p": record.app or ""}
        numbers = {"t": record.at, "s": record.status, "ms": record.milliseconds, "ttl": self._ttl(record.at)}
        values = {name: {"S": text} for name, text in texts.items() if text}
        values |= {name: {"N": str(number)} for name, number in numbers.items()}
        yield typed((f"request#{record.id}", "#")) | values
        yield typed((f"failures#{record.kind}", f"{_moment(record.at)}#{record.id}")) | values

    def _ttl(self, now: int) -> int:
        return now // 1000 + KEPT_DAYS * _DAY_SECONDS


def _moment(time: int) -> str:
    return f"{time:0{_DIGITS}}"


def day_of(now: int) -> str:
    """Return the day of a time (ms) in UTC: "2026-11-29"."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=now)).date().isoformat()


def _counted(item: Item) -> Iterator[tuple[int, str, int]]:
    for name, value in item.items():
        status, _, kind = name.partition(" ")
        if kind:
            yield int(status), kind, int(value["N"])


def _from_item(item: Item) -> RequestRecord:
    def text(name: str) -> str:
        return item[name]["S"] if name in item else ""

    return RequestRecord(
        id=item["sk"]["S"].partition("#")[2],
        at=int(item["t"]["N"]),
        route=text("r"),
        status=int(item["s"]["N"]),
        kind=text("k"),
        cause=text("c"),
        app=text("p") or None,
        version=text("v"),
        milliseconds=int(item["ms"]["N"]),
    )
