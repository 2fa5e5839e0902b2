"""The invariants of the stored app data, which hold between any two writes. They are checked from outside, by scans.

A scan is not a snapshot, so no client may write during it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.limits import Limits
from chalicelib.store.appdata import own_values
from chalicelib.store.appdata.ledger import SORT_KEY, WRITE_IDS, Ledger, from_item
from chalicelib.store.appdata.placement import LEDGER_BYTES
from chalicelib.store.aws.item_size import item_size
from chalicelib.store.aws.items import Item, key_of

TRASH = "trash"
EPOCH_CHARACTERS = 8


@dataclass
class Held:
    """The data of one user in one app."""

    ledger: Ledger
    own: dict[str, own_values.OwnValue] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, str]:
        """All keys with their values."""
        return self.ledger.inline | {key: each.value for key, each in self.own.items()}

    def wrongs(self, limits: Limits) -> Iterator[str]:
        """Yield the violated invariants."""
        ledger = self.ledger
        if (told := ledger.balance.total) != (stored := sum(map(utf8_bytes, self.data.values()))):
            yield f"the byte total says {told}, the values have {stored}"
        if (told := ledger.balance.keys) != (stored := len(ledger.inline) + len(self.own)):
            yield f"the key count says {told}, there are {stored} keys"
        if twice := self.ledger.inline.keys() & (self.own.keys() | ledger.listed.keys()):
            yield f"stored or listed in two places: {sorted(twice)}"
        for key, listed in ledger.listed.items():
            if (found := self.own.get(key)) is None:
                yield f"listed, and not there: {key}"
            elif (found.version, utf8_bytes(found.value)) != (listed.version, listed.size):
                yield f"listed otherwise than it is: {key}"
        if any(each.version > ledger.version for each in self.own.values()):
            yield "an own value is newer than its ledger"
        if (times := ledger.window.times) != tuple(sorted(times)) or len(times) > limits.writes:
            yield f"the write window is no window: {times}"
        if len(set(ledger.writes)) != min(ledger.version, WRITE_IDS):
            yield f"{len(set(ledger.writes))} writes are known by their ids after {ledger.version} versions"


class Tables:
    """The contents of the two tables, as found by scans."""

    def __init__(self, appdata: list[Item], directory: list[Item]) -> None:
        self.held: dict[tuple[str, str], Held] = {}
        """The data by app and user."""
        self.notes: set[tuple[str, str]] = set()
        """Partition and epoch of the leftovers of deletions."""
        self.left: Counter[tuple[str, str]] = Counter()
        """The number of own values that no ledger counts, by partition and epoch."""
        self._oversized = [key_of(item) for item in appdata if _is_ledger(item) and item_size(item) > LEDGER_BYTES]
        self._installs = {
            (item["sk"]["S"].removeprefix("install#"), item["pk"]["S"].removeprefix("user#"))
            for item in directory
            if item["sk"]["S"].startswith("install#")
        }
        ledgers = {ledger.partition: ledger for ledger in map(from_item, filter(_is_ledger, appdata))}
        self.held = {(ledger.app, ledger.user): Held(ledger) for ledger in ledgers.values()}
        for item in appdata:
            partition, sort_key = key_of(item)
            if partition == TRASH:
                whose, _, epoch = sort_key.rpartition("#")
                self.notes.add((whose, epoch))
            elif sort_key != SORT_KEY:
                ledger = ledgers.get(partition)
                if ledger and sort_key.startswith(ledger.epoch):
                    self.held[ledger.app, ledger.user].own[own_values.key_in(item, ledger)] = own_values.from_item(item)
                else:
                    self.left[partition, sort_key[:EPOCH_CHARACTERS]] += 1

    def wrongs(self, limits: Limits | None = None) -> list[str]:
        """Return all violated invariants."""
        found = [
            f"{app}#{user}: {wrong}"
            for (app, user), held in self.held.items()
            for wrong in held.wrongs(limits or Limits())
        ]
        found += [f"unreachable for ever: {left}" for left in self.left if left not in self.notes]
        found += [f"a ledger over {LEDGER_BYTES} bytes: {key}" for key in self._oversized]
        if odd := self._installs ^ self.held.keys():
            found.append(f"a ledger without an install, or the reverse: {sorted(odd)}")
        return found

    def remains(self) -> list[str]:
        """Return the leftovers that a sweep should have deleted."""
        return [f"{count} values of {left}" for left, count in self.left.items()] + [
            f"a note of {n}" for n in self.notes
        ]


def scan(dynamodb: Any, prefix: str = "engawa-local-") -> Tables:
    """Return the two tables of a deployment, read with a boto3 client."""
    return Tables(*(_items(dynamodb, "scan", TableName=prefix + table) for table in ("appdata", "directory")))


def of_user(dynamodb: Any, app: str, user: str, prefix: str = "engawa-local-") -> Tables:
    """Return the same as `scan`, but only for one user in one app."""

    def partition(table: str, key: str) -> list[Item]:
        values = {":pk": {"S": key}}
        condition = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
        return _items(dynamodb, "query", TableName=prefix + table, **condition)

    own_partition = f"{app}#{user}"
    notes = [note for note in partition("appdata", TRASH) if note["sk"]["S"].startswith(own_partition + "#")]
    installs = [item for item in partition("directory", f"user#{user}") if item["sk"]["S"] == f"install#{app}"]
    return Tables(partition("appdata", own_partition) + notes, installs)


def _items(dynamodb: Any, operation: str, **request: Any) -> list[Item]:
    pages = dynamodb.get_paginator(operation).paginate(ConsistentRead=True, **request)
    return [item for page in pages for item in page["Items"]]


def _is_ledger(item: Item) -> bool:
    partition, sort_key = key_of(item)
    return sort_key == SORT_KEY and partition != TRASH
