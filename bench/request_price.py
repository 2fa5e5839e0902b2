"""`python -m bench.request_price`: what the ten commonest requests cost on AWS, beside a textbook layout of the tables.

The textbook layout has an item for each key, comment and favorite, and an item for each user and app, with the quota
and the write window. Items that belong together are written by a transaction; what is read together is read by one
query or batch. docs/operating/costs.md quotes the output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.month import (
    CALL_MS,
    GB,
    LEDGER,
    LOG_BYTES,
    MEMORY_GB,
    MILLION,
    MIX,
    PRICES,
    SEND_MEMORY_GB,
    Asked,
    Cost,
    price,
    sent_bytes,
)
from chalicelib.store.aws.item_size import item_size, read_units, write_units
from chalicelib.store.aws.items import Item

COMMONEST = sorted(MIX, key=lambda asked: -asked.times)[:10]
PROCESSOR = 0.58
"""The share of a processor that 1,024 MB of memory have: AWS gives a whole one at 1,769 MB."""

# Measured by bench/warm.py on the machine that docs/internals/quality.md names.
CPU_MS: Mapping[str, float] = {
    "token for a refresh token": 1.19,
    "people: oneself": 0.54,
    "people: 100 friends": 2.51,
    "read own data": 0.47,
    "read 100 friends, one key": 2.45,
    "write 2 of 20 small pairs": 1.08,
    "feeds: the first 20 of 100, by 20 posters": 1.87,
    "comments: the first 20": 1.51,
    "favorites: count": 0.40,
    "rpc: own data": 0.53,
}
"""Milliseconds of processor time of a request."""

_KEYS: Item = {"pk": {"S": "6d1f0c2ab4e79853#k3v9x2mtq7ra"}, "sk": {"S": "score"}}
PAIR: Item = {**_KEYS, "value": {"S": "4200"}}
"""The item of a key."""
STATE: Item = {**_KEYS, "bytes": {"N": "100"}, "writes": {"L": [{"N": "1800000000000"}] * 20}}
"""The item of a user and app: the bytes that the quota counts, and the times of some writes in the window."""
INSTALL: Item = _KEYS


def reading(*items: Item, consistent: bool = False) -> float:
    """Return the RRU of reading items by their keys."""
    return sum(read_units(item_size(item), consistent=consistent) for item in items)


def writing(*items: Item) -> float:
    """Return the WRU of writing items in a transaction, which costs twice as much."""
    return 2 * sum(write_units(item_size(item)) for item in items)


TEXTBOOK: Mapping[str, Cost] = {
    **LEDGER,
    # The two old values and the state, since the quota needs the old sizes; then a transaction of all three.
    "write 2 of 20 small pairs": Cost(2, reading(PAIR, PAIR, STATE, consistent=True), writing(PAIR, PAIR, STATE)),
    # The list of friends, as here; then for each friend the key, and whether the friend has the app.
    "read 100 friends, one key": Cost(2, 0.5 + 100 * reading(PAIR, INSTALL), 0),
    # A user's keys and state are one partition: one query. Feeds with their counts, comments with their posters, people
    # and tokens are read and written as here.
}
"""The costs of the same requests in the textbook layout."""

# Measured by tests/integration/test_events_cost.py and by the row "sending 100 such events".
EVENTS: Mapping[str, float] = {"data.changed": 3, "every other kind": 2}
"""The WRU that an event adds to the change that it tells of: its item, in the change's transaction. A change of data
becomes a transaction by it."""
SENDING = Cost(calls=0, rru=0.1, wru=1)
"""The units that sending one event takes, if a run sends a hundred or more."""
ANSWER_MS, AT_ONCE = 100, 8
"""Assumed: an endpoint's time for an answer. The requests that it gets at once (store/events/sending.py)."""


@dataclass(frozen=True)
class Parts:
    """US dollars of a million requests, by what they pay for."""

    front: float
    function: float
    tables: float
    logs: float

    @property
    def whole(self) -> float:
        """The sum."""
        return self.front + self.function + self.tables + self.logs


def parts(asked: Asked, ledger: Mapping[str, Cost], front: str) -> Parts:
    """Return what a million of these requests cost behind the front `rest` or `url`; only `rest` has API Gateway."""
    cost = ledger[asked.row]
    names = ("CloudFront requests", "Lambda@Edge", *(["API Gateway"] if front == "rest" else []))
    milliseconds = CPU_MS[asked.row] / PROCESSOR + cost.calls * CALL_MS
    return Parts(
        front=sum(_first(name) for name in names) * MILLION
        + _first("CloudFront traffic") * sent_bytes(asked.answer) * MILLION / GB,
        function=_first("Lambda requests") * MILLION
        + _first("Lambda GB-seconds") * MEMORY_GB * milliseconds / 1000 * MILLION,
        tables=(_first("DynamoDB reads") * cost.rru + _first("DynamoDB writes") * cost.wru) * MILLION,
        logs=_first("Logs") * LOG_BYTES / GB * MILLION,
    )


def million_events(added: float) -> float:
    """Return what a million events cost, each of which adds so many WRU to its change and has one endpoint."""
    tables = _first("DynamoDB reads") * SENDING.rru + _first("DynamoDB writes") * (added + SENDING.wru)
    function = _first("Lambda GB-seconds") * SEND_MEMORY_GB * ANSWER_MS / AT_ONCE / 1000
    return (tables + function) * MILLION


def ratio(front: str | None) -> float:
    """Return the cost of the ten in the textbook layout by that of ours: whole, or of DynamoDB alone (None)."""
    sums = []
    for ledger in (TEXTBOOK, LEDGER):
        each = [(asked.times, parts(asked, ledger, front or "url")) for asked in COMMONEST]
        sums.append(sum(times * (part.whole if front else part.tables) for times, part in each))
    return sums[0] / sums[1]


def report() -> str:
    """Return the table, the ratios of all ten, weighted by how often they are sent, and the price of events."""
    names = ("REST", "URL", "Lambda", "DynamoDB", "logs", "all, REST", "all, URL", "textbook, REST", "textbook, URL")
    lines = ["US dollars of a million requests".ljust(44) + "".join(f"{name:>{_width(name)}}" for name in names)]
    for asked in COMMONEST:
        rest, url = (parts(asked, LEDGER, front) for front in ("rest", "url"))
        textbook = [parts(asked, TEXTBOOK, front).whole for front in ("rest", "url")]
        figures = (rest.front, url.front, url.function, url.tables, url.logs, rest.whole, url.whole, *textbook)
        cells = (f"{each:>{_width(name)}.2f}" for name, each in zip(names, figures, strict=True))
        lines.append(asked.row.ljust(44) + "".join(cells))
    said = (("whole, FRONT=rest", "rest"), ("whole, FRONT=url", "url"), ("DynamoDB alone", None))
    lines += ["", "The textbook layout costs, for all ten by how often they are sent:"]
    lines += [f"{name.ljust(44)}{ratio(front):5.2f} times as much" for name, front in said]
    lines += ["", "US dollars of a million events:"]
    lines += [f"{name.ljust(44)}{million_events(added):5.2f}" for name, added in EVENTS.items()]
    return "\n".join(lines) + "\n"


def _first(name: str) -> float:
    """Return the price of one unit in the first tier."""
    return price(PRICES[name], 1)


def _width(name: str) -> int:
    return max(len(name), 6) + 2


if __name__ == "__main__":
    print(report(), end="")
