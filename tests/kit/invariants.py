"""What must be true of the stored app data at every moment between two writes, looked at from outside: by scans.

A scan is not of one moment, so nothing may write meanwhile.
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
    """What one user holds in one app."""

    ledger: Ledger
    own: dict[str, own_values.OwnValue] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, str]:
        """Every key with its value."""
        return self.ledger.inline | {key: each.value for key, each in self.own.items()}

    def wrongs(self, limits: Limits) -> Iterator[str]:
        """What is not as it must be."""
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
    """The two tables, as scans found them."""

    def __init__(self, appdata: list[Item], directory: list[Item]) -> None:
        self.held: dict[tuple[str, str], Held] = {}
        """By app and user."""
        self.notes: set[tuple[str, str]] = set()
        """Partition and epoch of what deletions left behind."""
        self.left: Counter[tuple[str, str]] = Counter()
        """How many own values no ledger counts, by partition and epoch."""
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
        """Everything that is not as it must be: nothing, where all is well."""
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
        """What a sweep should have taken away."""
        return [f"{count} values of {left}" for left, count in self.left.items()] + [
            f"a note of {n}" for n in self.notes
        ]


def scan(dynamodb: Any, prefix: str = "engawa-local-") -> Tables:
    """The two tables of a deployment, through a boto3 client."""
    return Tables(*(_items(dynamodb, "scan", TableName=prefix + table) for table in ("appdata", "directory")))


def of_user(dynamodb: Any, app: str, user: str, prefix: str = "engawa-local-") -> Tables:
    """As `scan`, of what one user has in one app."""

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
