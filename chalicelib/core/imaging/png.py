"""The chunks of a png file (PNG, W3C Recommendation), checked and reduced to those that a decoder needs."""

import struct
import zlib
from collections.abc import Iterator, Mapping

from chalicelib.core.imaging import colour_profile
from chalicelib.core.imaging.picture import MAX_PROFILE, NoPicture, Picture, orientation_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
"""Chunks of one file. Encoders write one chunk for each 8 or 64 KB of pixels."""

_DESCRIBING = {b"cICP", b"iCCP", b"sRGB", b"cHRM", b"gAMA", b"tRNS", b"eXIf"}
"""Ancillary chunks that change how the pixels look. They come before the pixels."""
_PALETTE = 3
_TRANSPARENT_SAMPLES = {0: 1, 2: 3}
"""The number of samples in a tRNS chunk, for grey and for colour without a palette."""
_SRGB_PRIMARIES = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_SRGB_GAMMA = 45_455
_MISPLACED = "is not a valid png: its chunks are out of order"


def read(data: bytes) -> Picture:
    """Return the picture in a file that begins with SIGNATURE. Raises NoPicture.

    For an animation, return the picture that viewers without animation show.
    """
    header, palette, pixels = b"", b"", []
    describing: dict[bytes, bytes] = {}
    for kind, content in _chunks(data):
        if (kind == b"IHDR") != (not header):
            raise NoPicture(_MISPLACED)
        if kind == b"IHDR":
            if len(content) != 13:
                raise NoPicture("is not a valid png: its header is broken")
            header = content
        elif kind == b"IDAT":
            pixels.append(content)
        elif kind == b"PLTE":
            # Only pixels that are indexes need a palette.
            if header[9] == _PALETTE:
                if palette or pixels:
                    raise NoPicture(_MISPLACED)
                palette = content
        elif kind in _DESCRIBING:
            # Only the first of each kind: a small file can hold a thousand profiles that inflate to megabytes each.
            if not pixels and not (kind == b"tRNS" and header[9] == _PALETTE and not palette):
                describing.setdefault(kind, content)
        elif kind[0:1].isupper() and kind != b"IEND":
            raise NoPicture("is not a valid png: a chunk is of an unknown type")
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    kept = {b"PLTE": palette, b"tRNS": _transparency(describing.get(b"tRNS", b""), depth, colour)}
    chunks = [(b"IHDR", header), *((kind, content) for kind, content in kept.items() if content)]
    chunks += [(b"IDAT", b"".join(pixels)), (b"IEND", b"")]
    body = SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)
    orientation = orientation_of(describing.get(b"eXIf", b""))
    return Picture("PNG", width, height, depth, body, orientation, _profile(describing, grey=not colour & 2))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of every chunk up to IEND, except ancillary chunks with a wrong checksum."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 12 > len(data):
            raise NoPicture("is truncated")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if not kind.isalpha():
            raise NoPicture("is not a valid png: a chunk has no valid type")
        if end + 4 > len(data):
            raise NoPicture("is truncated")
        if kind == b"IEND" or zlib.crc32(data[position + 4 : end]) == struct.unpack_from(">I", data, end)[0]:
            yield kind, data[position + 8 : end]
        elif kind[0:1].isupper():
            raise NoPicture("is not a valid png: a checksum is wrong")
        if kind == b"IEND":
            return
        position = end + 4
    raise NoPicture(f"is not a valid png: it has too many chunks (max={MAX_CHUNKS})")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _transparency(content: bytes, depth: int, colour: int) -> bytes:
    """Return the content of a tRNS chunk that fits the pixels; empty if it does not fit."""
    if colour == _PALETTE:
        return content
    form = f">{_TRANSPARENT_SAMPLES.get(colour, 0)}H"
    if len(content) < struct.calcsize(form):
        return b""
    # Bits beyond the depth do not count.
    return struct.pack(form, *(sample % (1 << depth) for sample in struct.unpack_from(form, content)))


def _profile(describing: Mapping[bytes, bytes], *, grey: bool) -> bytes | None:
    """Return the colour profile from a file's chunks, chosen as browsers do; None means sRGB.

    The order of precedence is cICP, iCCP, sRGB, gAMA (with cHRM). A chunk that is not usable is skipped.
    """
    cicp = describing.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2:] == b"\0\1" and (named := colour_profile.of_code_points(cicp[0], cicp[1])):
        return named
    if embedded := colour_profile.fitting(_inflated(describing.get(b"iCCP", b"")), 1 if grey else 3):
        return embedded
    gamma, chromaticities = describing.get(b"gAMA", b""), describing.get(b"cHRM", b"")
    if b"sRGB" in describing or len(gamma) != 4:
        return None
    if len(chromaticities) != len(_SRGB_PRIMARIES):
        chromaticities = _SRGB_PRIMARIES
    (exponent,) = struct.unpack(">I", gamma)
    if not 1_000 <= exponent <= 1_000_000 or (exponent, chromaticities) == (_SRGB_GAMMA, _SRGB_PRIMARIES):
        return None
    places = [each / 100_000 for each in struct.unpack(">8I", chromaticities)]
    white, red, green, blue = zip(places[::2], places[1::2], strict=True)
    return colour_profile.of_chromaticities(white, red, green, blue, (100_000 / exponent,))


def _inflated(content: bytes) -> bytes:
    """Return the profile in an iCCP chunk (name, NUL, method 0, compressed data); empty if the chunk is broken."""
    name, _, rest = content.partition(b"\0")
    inflating = zlib.decompressobj()
    try:
        profile = inflating.decompress(rest[1:], MAX_PROFILE)
    except zlib.error:
        return b""
    return profile if name and rest[:1] == b"\0" and inflating.eof else b""
