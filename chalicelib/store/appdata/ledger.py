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
from chalicelib.store.appdata.packing import ListedValue, pack_data, pack_window, unpack_data, unpack_window
from chalicelib.store.aws.items import Item, Key

SORT_KEY = "#"
WRITE_ID_BYTES = 6
WRITE_IDS = 8
"""A writer that got no response can still recognize its own write after this number of writes."""


@dataclass(frozen=True)
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
    writes: tuple[bytes, ...] = ()

    @property
    def partition(self) -> str:
        """The partition key of all data of this user in this app."""
        return partition(self.app, self.user)

    @property
    def window(self) -> WriteWindow:
        """The write window, unpacked on demand: a read of 1,000 friends needs no windows."""
        return unpack_window(self.packed_window)

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
            writes=(write, *self.writes)[:WRITE_IDS],
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
        "i": {"B": b"".join(ledger.writes)},
    }
    if ledger.unlisted:
        item["c"] = {"N": str(ledger.unlisted)}
    return item


def from_item(item: Item) -> Ledger:
    """Return the ledger that an item stores."""
    app, user = item["pk"]["S"].rsplit("#", 1)
    inline, listed = unpack_data(item["d"]["B"])
    ids = bytes(item["i"]["B"])
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
        tuple(ids[start : start + WRITE_ID_BYTES] for start in range(0, len(ids), WRITE_ID_BYTES)),
    )
