"""Own values: a key's value in an item of its own, counted by the ledger.

| name | type | content |
|---|---|---|
| pk, sk | S | `<app>#<user>`, epoch followed by the key |
| v | N | version of the ledger whose write stored it |
| s | S | the value, or |
| z | B | the deflated value, if that saves a write unit |
"""

import zlib
from dataclasses import dataclass

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.limits import Limits
from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.aws.item_size import item_size, write_units
from chalicelib.store.aws.items import Item, typed


@dataclass(frozen=True, slots=True)
class OwnValue:
    """An own value as stored."""

    value: str
    version: int


def to_item(ledger: Ledger, key: str, value: str) -> Item:
    """Return the item that stores `value` under `key`, written together with `ledger`."""
    base: Item = {**typed(ledger.own_key(key)), "v": {"N": str(ledger.version)}}
    plain: Item = base | {"s": {"S": value}}
    if write_units(item_size(plain)) == 1:
        return plain
    deflated: Item = base | {"z": {"B": zlib.compress(value.encode(), wbits=-zlib.MAX_WBITS)}}
    return deflated if write_units(item_size(deflated)) < write_units(item_size(plain)) else plain


def from_item(item: Item) -> OwnValue:
    """Return the own value that an item stores."""
    value = zlib.decompress(item["z"]["B"], wbits=-zlib.MAX_WBITS).decode() if "z" in item else item["s"]["S"]
    return OwnValue(value, version_of(item))


def most_bytes(ledger: Ledger) -> int:
    """Return the most bytes that all own values of a ledger can have in the table, their keys included.

    A ledger does not know the keys that it does not list, so each counts as the longest possible key: even an empty
    value has an item with a key.
    """
    values = ledger.total - sum(map(utf8_bytes, ledger.inline.values()))
    around = item_size(typed(ledger.own_key("-" * Limits.key_characters)) | {"v": {"N": "9" * 10}, "s": {"S": ""}})
    return values + (len(ledger.listed) + ledger.left_out + ledger.unlisted) * around


def version_of(item: Item) -> int:
    """Return the version of the ledger whose write stored an own item."""
    return int(item["v"]["N"])


def key_in(item: Item, ledger: Ledger) -> str:
    """Return the key whose value an own item of this ledger stores."""
    sort_key: str = item["sk"]["S"]
    return sort_key[len(ledger.epoch) :]
