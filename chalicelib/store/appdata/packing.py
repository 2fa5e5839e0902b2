"""The packing of two ledger attributes, data and write window, into as few billed bytes as possible.

99 pairs with 3,600 bytes of any text, together with the longest write window, must fit into 4,096 bytes. So a pair may
take one byte more than its text, and a time little more than its information content.
"""

import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from chalicelib.core.window import WriteWindow

_PLAIN, _DEFLATED = b"\0", b"\1"
# Neither byte occurs in UTF-8 or in a key with a marked last byte: keys consist of A-Z a-z 0-9 _ . -
_VALUE_END, _SECTION_END = b"\xff", b"\xfe"
_LAST = 0x80
_MARKED_LETTER = {chr(byte): chr(byte | _LAST) for byte in range(_LAST)}
"""The letters of keys as the last byte of a key, in Latin-1."""
_MARKED_KEY = re.compile(rb"[\x00-\x7f]*[\x80-\xfd]")

_TIME_BYTES = 6
_RICE_BITS = 9
"""The low bits of a gap, written unchanged: 180 writes in 180 seconds are about two units of 512 ms apart."""
WINDOW_BYTES = _TIME_BYTES + -(-(179 * (_RICE_BITS + 1) + (180_000 >> _RICE_BITS)) // 8)
"""The longest packed window: 180 times within 180 seconds."""


@dataclass(frozen=True, slots=True)
class ListedValue:
    """An own value that the ledger lists: its size in bytes, and the version of the ledger whose write stored it."""

    size: int
    version: int


Piece = tuple[bytes, bytes]
"""One key in packed form: the marked key, and its value with the end mark or its size and version."""


def pack_data(inline: dict[str, str], listed: dict[str, ListedValue]) -> bytes:
    """Return the inline values and the list of own values as bytes; the first byte says whether they are deflated.

    There are four sections: inline keys, inline values, listed keys, and the size and version of each listed key as
    base-128 integers. The high bit marks the last byte of a key; a value ends with 0xFF, a section with 0xFE.
    """
    return pack_pieces(
        [inline_piece(key, value) for key, value in inline.items()],
        [listed_piece(key, own) for key, own in listed.items()],
    )


def inline_piece(key: str, value: str) -> Piece:
    """Return the packed form of an inline value."""
    return _marked(key), value.encode() + _VALUE_END


def listed_piece(key: str, own: ListedValue) -> Piece:
    """Return the packed form of a listed own value."""
    return _marked(key), _base128(own.size) + _base128(own.version)


def pack_pieces(inline: Collection[Piece], listed: Collection[Piece]) -> bytes:
    """Return the same as `pack_data`, from pieces that are encoded already."""
    sections = [b"".join([piece[part] for piece in pieces]) for pieces in (inline, listed) for part in (0, 1)]
    plain = _SECTION_END.join(sections)
    deflated = zlib.compress(plain, wbits=-zlib.MAX_WBITS)
    return _DEFLATED + deflated if len(deflated) < len(plain) else _PLAIN + plain


def unpack_data(packed: bytes) -> tuple[dict[str, str], dict[str, ListedValue]]:
    """Return the inline values and the list of own values that `pack_data` packed."""
    inline_keys, values, listed_keys, numbers = _sections(packed)
    inline = zip(_unpack_keys(inline_keys), (value.decode() for value in values.split(_VALUE_END)), strict=False)
    return dict(inline), dict(zip(_unpack_keys(listed_keys), _listed_values(numbers), strict=True))


def unpack_some(packed: bytes, keys: frozenset[str]) -> tuple[dict[str, str], dict[str, ListedValue], int]:
    """Return what `unpack_data` returns, but only for `keys`, and the number of listed values that are left out.

    A read of many users' data spends most of its time here, so values under other keys are not decoded.
    """
    inline_keys, values, listed_keys, numbers = _sections(packed)
    wanted = _wanted(keys)
    inline: dict[str, str] = {}
    names = _MARKED_KEY.findall(inline_keys)
    if not wanted.keys().isdisjoint(names):
        texts = values.split(_VALUE_END)
        inline = {wanted[name]: texts[at].decode() for at, name in enumerate(names) if name in wanted}
    listed: dict[str, ListedValue] = {}
    names = _MARKED_KEY.findall(listed_keys)
    if not wanted.keys().isdisjoint(names):
        known = zip(names, _listed_values(numbers), strict=True)
        listed = {wanted[name]: value for name, value in known if name in wanted}
    return inline, listed, len(names) - len(listed)


def pack_window(window: WriteWindow) -> bytes:
    """Return the newest time in 6 bytes, then the gaps between the times from new to old, Rice-coded.

    A gap is one 1 bit for each full 512 ms, a 0 bit, and the remainder in 9 bits; 0 bits fill the last byte.
    """
    if not window.times:
        return b""
    gaps = [newer - older for older, newer in reversed(list(pairwise(window.times)))]
    bits = "".join(f"{'1' * (gap >> _RICE_BITS)}0{gap % (1 << _RICE_BITS):0{_RICE_BITS}b}" for gap in gaps)
    size = -(-len(bits) // 8)
    return window.times[-1].to_bytes(_TIME_BYTES) + int(bits.ljust(size * 8, "0") or "0", 2).to_bytes(size)


def unpack_window(packed: bytes) -> WriteWindow:
    """Return the write window that `pack_window` packed."""
    if not packed:
        return WriteWindow()
    coded = packed[_TIME_BYTES:]
    bits = f"{int.from_bytes(coded):0{len(coded) * 8}b}" if coded else ""
    times = [int.from_bytes(packed[:_TIME_BYTES])]
    at = 0
    while len(bits) - at > _RICE_BITS:
        zero = bits.index("0", at)
        end = zero + 1 + _RICE_BITS
        times.append(times[-1] - ((zero - at << _RICE_BITS) + int(bits[zero + 1 : end], 2)))
        at = end
    return WriteWindow(tuple(reversed(times)))


def _sections(packed: bytes) -> list[bytes]:
    kind, body = packed[:1], packed[1:]
    plain = zlib.decompress(body, wbits=-zlib.MAX_WBITS) if kind == _DEFLATED else body
    return plain.split(_SECTION_END, 3)


@lru_cache(maxsize=8)
def _wanted(keys: frozenset[str]) -> dict[bytes, str]:
    """Return the keys by their packed form."""
    return {_marked(key): key for key in keys}


def _marked(key: str) -> bytes:
    return (key[:-1] + _MARKED_LETTER[key[-1]]).encode("latin-1")


def _unpack_keys(packed: bytes) -> list[str]:
    return [(key[:-1] + bytes((key[-1] & ~_LAST,))).decode() for key in _MARKED_KEY.findall(packed)]


def _base128(number: int) -> bytes:
    packed = bytearray()
    while number >= 0x80:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def _listed_values(packed: bytes) -> Iterator[ListedValue]:
    integers = _integers(packed)
    return (ListedValue(size, next(integers)) for size in integers)


def _integers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
