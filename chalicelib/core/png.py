"""The chunks of a png file (PNG, W3C Recommendation), checked and cut down to those that make the picture."""

import struct
import zlib
from collections.abc import Iterator, Mapping

from chalicelib.core import colour_profile
from chalicelib.core.picture import MAX_PROFILE, NoPicture, Picture, orientation_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
"""Chunks of one file; encoders write one for each 8 or 64 KB of pixels."""

_KEPT = (b"PLTE", b"tRNS")
_COLOURS = (b"cICP", b"iCCP", b"sRGB", b"cHRM", b"gAMA")
"""What says which colours are meant, the strongest first."""
_SRGB_PRIMARIES = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_MISPLACED = "is not a valid png: its chunks are out of order"


def read(data: bytes) -> Picture:
    """The picture in a file that begins with SIGNATURE. Raises NoPicture.

    Of an animation, it is the picture that those see who do not animate it.
    """
    header, kept, pixels, exif = b"", {}, [], b""
    colours: dict[bytes, bytes] = {}
    for kind, content in _chunks(data):
        if (kind == b"IHDR") != (not header):
            raise NoPicture(_MISPLACED)
        if kind == b"IHDR":
            header = content
        elif kind == b"IDAT":
            pixels.append(content)
        elif kind == b"eXIf":
            exif = content
        elif kind in _COLOURS:
            # The first of each alone: a small file holds a thousand profiles that inflate to megabytes each.
            colours.setdefault(kind, content)
        elif kind in _KEPT:
            if kind in kept or pixels:
                raise NoPicture(_MISPLACED)
            kept[kind] = content
        elif kind[0:1].isupper() and kind != b"IEND":
            raise NoPicture("is not a valid png: a part of it is of an unknown kind")
    if len(header) != 13:
        raise NoPicture("is not a valid png: its header is broken")
    width, height, depth = struct.unpack(">IIB", header[:9])
    chunks = [(b"IHDR", header), *kept.items(), (b"IDAT", b"".join(pixels)), (b"IEND", b"")]
    body = SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)
    return Picture("PNG", width, height, depth, body, orientation_of(exif), _profile(colours, grey=not header[9] & 2))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every chunk up to IEND; an ancillary one with a wrong checksum is left out."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 12 > len(data):
            raise NoPicture("is truncated")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if not kind.isalpha():
            raise NoPicture("is not a valid png: what should be a part of it is none")
        if end + 4 > len(data):
            raise NoPicture("is truncated")
        if zlib.crc32(data[position + 4 : end]) == struct.unpack_from(">I", data, end)[0]:
            yield kind, data[position + 8 : end]
        elif kind[0:1].isupper():
            raise NoPicture("is not a valid png: a checksum is wrong")
        if kind == b"IEND":
            return
        position = end + 4
    raise NoPicture(f"is not a valid png: it has too many parts (max={MAX_CHUNKS})")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _profile(colours: Mapping[bytes, bytes], *, grey: bool) -> bytes | None:
    """The profile of the colours that a file's chunks name, as browsers choose; None: sRGB.

    cICP stands above iCCP, iCCP above sRGB, and sRGB above gAMA, with which cHRM counts.
    """
    if len(cicp := colours.get(b"cICP", b"")) == 4 and cicp[2:] == b"\0\1" and not grey:
        return colour_profile.of_code_points(cicp[0], cicp[1])
    if profile := _inflated(colours.get(b"iCCP", b"")):
        return profile
    chromaticities, gamma = colours.get(b"cHRM", _SRGB_PRIMARIES), colours.get(b"gAMA", b"")
    if b"sRGB" in colours or len(gamma) != 4 or len(chromaticities) != 32:
        return None
    (exponent,) = struct.unpack(">I", gamma)
    if not 1_000 <= exponent <= 1_000_000:
        return None
    if grey:
        return colour_profile.of_gamma(100_000 / exponent)
    places = [each / 100_000 for each in struct.unpack(">8I", chromaticities)]
    white, red, green, blue = zip(places[::2], places[1::2], strict=True)
    return colour_profile.of_chromaticities(white, red, green, blue, (100_000 / exponent,))


def _inflated(content: bytes) -> bytes | None:
    """The profile in an iCCP chunk: a name, its end, the method 0, and compressed data; None for a broken one."""
    _, _, rest = content.partition(b"\0")
    inflating = zlib.decompressobj()
    try:
        profile = inflating.decompress(rest[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if inflating.eof else None
