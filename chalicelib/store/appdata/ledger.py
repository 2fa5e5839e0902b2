"""The ledger: one small item per user and app. One read of it gives install status, quota, rate and data.

It exists exactly while the user has the app installed. Attribute names have one letter, because each of their bytes
counts towards the 4,096 bytes that an eventually consistent read can return for half a unit.

| name | type | content |
|---|---|---|
| pk, sk | S | `<app>#<user>`, `#` |
| t | N | bytes of all values |
| v | N | version: increases by one with every accepted write |
| e | S | epoch: 8 characters, new with each install and each deletion of everything; prefix of the own values' keys |
| w | B | write window (packing.py) |
| d | B | inline values and the list of own values (packing.py) |
| c | N | number of values that are items of their own and not in `listed`; absent if 0 |
| i | B | ids of the newest writes, newest first, 6 bytes each |
"""

import secrets
from dataclasses import dataclass, field, replace

from chalicelib.core.appdata import Balance
from chalicelib.core.window import WriteWindow
from chalicelib.store.appdata.packing import (
    ListedValue,
    pack_data,
    pack_window,
    unpack_data,
    unpack_some,
    unpack_window,
)
from chalicelib.store.aws.items import Item, Key

AskedKeys = frozenset[str] | None
"""The requested keys; None for every key."""

SORT_KEY = "#"
WRITE_ID_BYTES = 6
WRITE_IDS = 8
"""A writer that got no response can still recognize its own write after this number of writes."""


# Not frozen: a frozen one takes twice as long to make, and a read of 1,000 friends makes 1,000. Nothing changes it.
@dataclass(slots=True)
class Ledger:
    """A ledger. A key is in `inline` (its value is here), in `listed` (a known own item) or counted in `unlisted`."""

    app: str
    user: str
    epoch: str
    version: int = 0
    total: int = 0
    packed_window: bytes = b""
    inline: dict[str, str] = field(default_factory=dict)
    listed: dict[str, ListedValue] = field(default_factory=dict)
    unlisted: int = 0
    packed_writes: bytes = b""
    left_out: int = 0
    """Listed values that were not unpacked. A ledger that was unpacked for some keys can only be read."""

    @property
    def partition(self) -> str:
        """The partition key of all data of this user in this app."""
        return partition(self.app, self.user)

    @property
    def window(self) -> WriteWindow:
        """The write window, unpacked on demand: a read of 1,000 friends needs no windows."""
        return unpack_window(self.packed_window)

    @property
    def writes(self) -> tuple[bytes, ...]:
        """The ids of the newest writes, newest first."""
        starts = range(0, len(self.packed_writes), WRITE_ID_BYTES)
        return tuple(self.packed_writes[start : start + WRITE_ID_BYTES] for start in starts)

    @property
    def etag(self) -> str:
        """The strong entity tag of this state of the data, never used for another state."""
        return f'"{self.epoch}.{self.version}"'

    @property
    def balance(self) -> Balance:
        """The bytes and keys that the quota counts."""
        return Balance(self.total, len(self.inline) + len(self.listed) + self.unlisted)

    @property
    def has_own(self) -> bool:
        """Whether any value is an item of its own."""
        return bool(self.listed) or self.unlisted > 0

    def own_key(self, key: str) -> Key:
        """Return the key of the item that stores the value of `key` if it is an item of its own."""
        return self.partition, self.epoch + key

    def landed(self, write: bytes) -> int | None:
        """Return the version that the write with that id produced, or None if it is not among the newest writes."""
        return self.version - self.writes.index(write) if write in self.writes else None

    def remembers(self, earlier: "Ledger") -> bool:
        """Return whether this is `earlier` or a later state of the same install, with the ids of all writes since."""
        passed = self.version - earlier.version
        if not 0 <= passed <= WRITE_IDS:
            return False
        return self.epoch == earlier.epoch or self.writes[passed : passed + 1] == earlier.writes[:1] != ()

    def successor(self, write: bytes, window: WriteWindow) -> "Ledger":
        """Return this ledger after one more accepted write."""
        return replace(
            self,
            version=self.version + 1,
            packed_window=pack_window(window),
            packed_writes=(write + self.packed_writes)[: WRITE_ID_BYTES * WRITE_IDS],
        )


def partition(app: str, user: str) -> str:
    """Return the partition key of one user's data in one app."""
    return f"{app}#{user}"


def new_epoch() -> str:
    """Return a new epoch: 8 characters that no other epoch of this user and app has had."""
    return secrets.token_urlsafe(6)


def new_write() -> bytes:
    """Return a new id for a write."""
    return secrets.token_bytes(WRITE_ID_BYTES)


def to_item(ledger: Ledger) -> Item:
    """Return the item that stores a ledger."""
    item: Item = {
        "pk": {"S": ledger.partition},
        "sk": {"S": SORT_KEY},
        "t": {"N": str(ledger.total)},
        "v": {"N": str(ledger.version)},
        "e": {"S": ledger.epoch},
        "w": {"B": ledger.packed_window},
        "d": {"B": pack_data(ledger.inline, ledger.listed)},
        "i": {"B": ledger.packed_writes},
    }
    if ledger.unlisted:
        item["c"] = {"N": str(ledger.unlisted)}
    return item


def from_item(item: Item, keys: AskedKeys = None) -> Ledger:
    """Return the ledger that an item stores; with `keys`, only with the values under these keys."""
    app, user = item["pk"]["S"].rsplit("#", 1)
    packed, left_out = item["d"]["B"], 0
    if keys is None:
        inline, listed = unpack_data(packed)
    else:
        inline, listed, left_out = unpack_some(packed, keys)
    return Ledger(
        app,
        user,
        item["e"]["S"],
        int(item["v"]["N"]),
        int(item["t"]["N"]),
        bytes(item["w"]["B"]),
        inline,
        listed,
        int(item["c"]["N"]) if "c" in item else 0,
        bytes(item["i"]["B"]),
        left_out,
    )
