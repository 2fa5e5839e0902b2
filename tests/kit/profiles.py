"""Colour profiles made by hand, tag by tag."""

from __future__ import annotations

import struct

from chalicelib.core.imaging.colour_profile import RGB

XYZ = b"XYZ \0\0\0\0" + struct.pack(">3i", 30_000, 20_000, 10_000)
CURVE = b"curv" + struct.pack(">IIH", 0, 1, 0x0233)
MATRIX = {b"rXYZ": XYZ, b"gXYZ": XYZ, b"bXYZ": XYZ, b"rTRC": CURVE, b"gTRC": CURVE, b"bTRC": CURVE}


def profile_of(
    tags: dict[bytes, bytes], space: bytes = RGB, kind: bytes = b"mntr", connection: bytes = b"XYZ "
) -> bytes:
    """Return a profile with these tags, each with its own content, and the illuminant D50."""
    start, directory, content = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        directory += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag
    head = struct.pack(">I4sI", start + len(content), b"", 0x04200000) + kind + space + connection
    light = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return (head.ljust(36, b"\0") + b"acsp".ljust(32, b"\0") + light).ljust(128, b"\0") + directory + content


def table(steps: int = 2, kind: bytes = b"mft1", inks: int = 4, values: bytes = b"") -> bytes:
    """Return a lookup table from inks to three values, which are zero unless `values` is given."""
    size, ends = (1, 256) if kind == b"mft1" else (2, 2)
    curve = bytes(range(256)) if kind == b"mft1" else b"\0\0\xff\xff"
    head = kind + bytes(4) + bytes([inks, 3, steps, 0])
    head += struct.pack(">9i", *[0x10000 * (place % 4 == 0) for place in range(9)])
    head += b"" if kind == b"mft1" else struct.pack(">HH", ends, ends)
    return head + curve * inks + (values or bytes(steps**inks * 3 * size)) + curve * 3
