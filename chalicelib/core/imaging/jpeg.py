"""The segments of a jpeg file (ISO/IEC 10918-1), checked and reduced to those that a decoder needs."""

import re
import struct
from collections.abc import Iterator, Sequence

from chalicelib.core.imaging import colour_profile
from chalicelib.core.imaging.picture import MAX_PROFILE, NoPicture, Picture, orientation_of

SIGNATURE = b"\xff\xd8\xff"
MAX_SEGMENTS = 4_096
MAX_SCANS = 64
"""Scans of one file. A progressive file has about ten. Each scan costs a pass over the whole picture."""

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SOI, _TEM = 0xD8, 0x01
_EOI, _SOS, _DHT, _DQT, _DRI, _DAC = 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xCC
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_COLOURS = {_APP0: 14, _APP14: 12}
"""The minimum length of a segment that says how colours are coded."""
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
"""Baseline, extended and progressive; Huffman and arithmetic coding. No viewer shows other kinds."""
_TABLES = {_DHT, _DQT, _DRI, _DAC}
_NEEDED = {*_FRAMES, *_TABLES, _SOS}
# Possessive, so that no byte is read twice: else a long run of 0xff would be searched again from each of its bytes.
_MARKER = re.compile(rb"\xff++([^\x00\xff])")
_CODED = re.compile(rb"(?:[^\xff]++|\xff++[\x00\xd0-\xd7])*+")
"""Coded pixels up to a marker, with stuffed bytes and restart markers."""


def read(data: bytes) -> Picture:
    """Return the picture in a file that begins with SIGNATURE. Raises NoPicture.

    If the file has several pictures in a row, as cameras write them, return the first.
    """
    kept, frame, scans, exif = [], b"", 0, b""
    profile: list[bytes] = []
    about_colours: dict[int, bytes] = {}
    for marker, content, coded in _segments(data):
        if marker in _FRAMES:
            if frame:
                raise NoPicture("is not a valid jpeg: it has more than one frame")
            frame = content
            kept.append(_segment(marker, content))
        elif marker in _TABLES or marker == _SOS:
            scans += marker == _SOS
            kept += [_segment(marker, content), coded]
        elif marker & 0xF0 == 0xC0:
            raise NoPicture("is a jpeg of a kind that is not supported")
        elif scans:
            continue  # After the first scan, no segment changes how the picture is decoded.
        elif marker == _APP1 and content.startswith(b"Exif\0\0"):
            exif = exif or content[6:]
        elif marker == _APP2 and content.startswith(b"ICC_PROFILE\0"):
            profile.append(content[12:])
        elif (marker, content[:5]) in ((_APP0, b"JFIF\0"), (_APP14, b"Adobe")) and len(content) >= _COLOURS[marker]:
            # They say how colours are coded. The last segment of each kind counts; one that is too short does not.
            about_colours[marker] = _segment(marker, content[:14])
        if scans > MAX_SCANS:
            raise NoPicture(f"is a jpeg with too many scans (max={MAX_SCANS})")
    if len(frame) < 6 or not scans:
        raise NoPicture("is not a valid jpeg: it has no picture")
    depth, height, width, samples = struct.unpack(">BHHB", frame[:6])
    body = b"".join([_START, *about_colours.values(), *kept, _END])
    colours = colour_profile.fitting(_joined(profile), samples)
    return Picture("JPEG", width, height, depth, body, orientation_of(exif), colours)


def _joined(parts: Sequence[bytes]) -> bytes:
    """Join the parts of a profile, each after its number and their count; empty unless each is there once."""
    in_order = sorted(parts)
    numbers = [(number, len(parts)) for number in range(1, len(parts) + 1)]
    if [tuple(part[:2]) for part in in_order] != numbers or sum(map(len, parts)) > MAX_PROFILE + 2 * len(parts):
        return b""
    return b"".join(part[2:] for part in in_order)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, content and coded pixels (after SOS) of every segment up to the end of the picture."""
    position = len(_START)
    for _ in range(MAX_SEGMENTS):
        # Bytes between two segments are skipped, as decoders do.
        found = _MARKER.search(data, position)
        if found is None:
            raise NoPicture("is truncated" if position >= len(data) - 1 else "is not a valid jpeg: a marker is missing")
        marker, position = found[1][0], found.end()
        if marker == _EOI:
            return
        if marker == _SOI:
            raise NoPicture("is not a valid jpeg: a marker is in the wrong place")
        if 0xD0 <= marker <= 0xD7 or marker == _TEM:
            continue
        if position + 2 > len(data):
            raise NoPicture("is truncated")
        (length,) = struct.unpack_from(">H", data, position)
        end = position + length
        if length < 2:
            # The length includes itself. Decoders treat such a segment as empty if they do not need it.
            if marker in _NEEDED:
                raise NoPicture("is not a valid jpeg: a segment is too short")
            end = position + 2
        if end > len(data):
            raise NoPicture("is truncated")
        content, position = data[position + 2 : end], end
        coded = b""
        if marker == _SOS:
            pixels = _CODED.match(data, position)
            coded = pixels[0] if pixels else b""
            position += len(coded)
            if not _MARKER.match(data, position):
                raise NoPicture("is truncated")
        yield marker, content, coded
    raise NoPicture(f"is not a valid jpeg: it has too many segments (max={MAX_SEGMENTS})")


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
