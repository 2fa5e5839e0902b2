"""The ledger: one small item per user and app, from which one read answers installed, quota, rate and data.

It exists exactly while the user has the app installed. Attribute names are one letter because every byte of them
counts against the 4,096 that an eventually consistent read of half a unit may have.

| name | type | what |
|---|---|---|
| pk, sk | S | `<app>#<user>`, `#` |
| t | N | bytes of all values |
| v | N | version: one more with every accepted write |
| e | S | epoch: 8 characters, new with each install and each deletion of everything; prefix of the own values' keys |
| w | B | write window (see `pack_window`) |
| d | B | deflated MessagePack of `[inline, listed]` |
| c | N | values that are items of their own and are not in `listed`; absent for none |
| i | B | ids of the newest writes, newest first, 6 bytes each |
"""

import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import msgpack

from chalicelib.core.appdata import Balance
from chalicelib.core.window import WriteWindow
from chalicelib.store.dynamo import Key
from chalicelib.store.itemsize import Item

SORT_KEY = "#"
WRITE_ID_BYTES = 6
WRITE_IDS = 8
"""How many writes back a writer that got no answer can still recognise its own."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An own value that the ledger knows: its bytes, and the version of the ledger whose write stored it."""

    size: int
    version: int


@dataclass(frozen=True)
class Ledger:
    """A ledger as read. A key is in `inline` (value here), in `listed` (an own item, known) or among `unlisted`."""

    app: str
    user: str
    epoch: str
    version: int = 0
    total: int = 0
    packed_window: bytes = b""
    inline: dict[str, str] = field(default_factory=dict)
    listed: dict[str, Listed] = field(default_factory=dict)
    unlisted: int = 0
    writes: tuple[bytes, ...] = ()

    @property
    def partition(self) -> str:
        """Partition key of everything this user has in this app."""
        return partition(self.app, self.user)

    @property
    def window(self) -> WriteWindow:
        """The write window; unpacked when asked for, since a read of 1,000 friends needs none of theirs."""
        return unpack_window(self.packed_window)

    @property
    def etag(self) -> str:
        """The strong entity tag of this state of the data; no other state ever has it."""
        return f'"{self.epoch}.{self.version}"'

    @property
    def balance(self) -> Balance:
        """Bytes and keys, as the quota counts them."""
        return Balance(self.total, len(self.inline) + len(self.listed) + self.unlisted)

    @property
    def has_own(self) -> bool:
        """Whether any value is an item of its own."""
        return bool(self.listed) or self.unlisted > 0

    def own_key(self, key: str) -> Key:
        """Where the value of `key` is stored when it is an item of its own."""
        return self.partition, self.epoch + key

    def landed(self, write: bytes) -> int | None:
        """The version that the write with that id made, or None where it is not among the newest writes."""
        return self.version - self.writes.index(write) if write in self.writes else None

    def successor(self, write: bytes, window: WriteWindow) -> "Ledger":
        """This ledger, one accepted write later."""
        return replace(
            self,
            version=self.version + 1,
            packed_window=pack_window(window),
            writes=(write, *self.writes)[:WRITE_IDS],
        )


def partition(app: str, user: str) -> str:
    """Partition key of one user's data in one app."""
    return f"{app}#{user}"


def new_epoch() -> str:
    """A fresh epoch: 8 characters that no other epoch of this user and app has had."""
    return secrets.token_urlsafe(6)


def new_write() -> bytes:
    """A fresh id of a write."""
    return secrets.token_bytes(WRITE_ID_BYTES)


def to_item(ledger: Ledger) -> Item:
    """The item that stores a ledger."""
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
    """The ledger that an item stores."""
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


def pack_data(inline: dict[str, str], listed: dict[str, Listed]) -> bytes:
    """`[{key: value}, {key: [bytes, version]}]` as MessagePack, deflated without a header."""
    plain = msgpack.packb([inline, {key: (own.size, own.version) for key, own in listed.items()}])
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(plain) + deflate.flush()


def unpack_data(packed: bytes) -> tuple[dict[str, str], dict[str, Listed]]:
    """The inverse of `pack_data`."""
    inline, listed = msgpack.unpackb(zlib.decompress(packed, wbits=-zlib.MAX_WBITS))
    return inline, {key: Listed(size, version) for key, (size, version) in listed.items()}


def pack_window(window: WriteWindow) -> bytes:
    """The newest time in 6 bytes, then the gaps back to the older ones as little-endian base-128 integers."""
    if not window.times:
        return b""
    packed = bytearray(window.times[-1].to_bytes(6))
    for older, newer in reversed(list(pairwise(window.times))):
        gap = newer - older
        while gap >= 0x80:
            packed.append(gap & 0x7F | 0x80)
            gap >>= 7
        packed.append(gap)
    return bytes(packed)


def unpack_window(packed: bytes) -> WriteWindow:
    """The inverse of `pack_window`."""
    if not packed:
        return WriteWindow()
    times = [int.from_bytes(packed[:6])]
    for gap in _gaps(packed[6:]):
        times.append(times[-1] - gap)
    return WriteWindow(tuple(reversed(times)))


def _gaps(packed: bytes) -> Iterator[int]:
    gap = shift = 0
    for byte in packed:
        gap |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield gap
            gap = shift = 0
