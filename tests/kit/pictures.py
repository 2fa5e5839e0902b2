"""Image files, valid and hostile, made on demand."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any

from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def quarters(width: int = 400, height: int = 300) -> Image.Image:
    """Return a picture that shows its orientation: red and green above, blue and white below."""
    picture = Image.new("RGB", (width, height), WHITE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    body = io.BytesIO()
    picture.save(body, kind, **options)
    return body.getvalue()


def jpeg(width: int = 400, height: int = 300, **options: Any) -> bytes:
    return encoded(quarters(width, height), "JPEG", **{"quality": 95, "subsampling": 0} | options)


def png(width: int = 400, height: int = 300, **options: Any) -> bytes:
    return encoded(quarters(width, height), "PNG", **options)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """Return the IHDR chunk of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png_of(head: bytes, rows: bytes, before: Iterable[bytes] = (), after: Iterable[bytes] = ()) -> bytes:
    """Return a PNG of an IHDR chunk and uncompressed rows, each of which begins with its filter byte."""
    pixels = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"".join([PNG_SIGNATURE, head, *before, pixels, *after, chunk(b"IEND")])


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the kind and content of every chunk of a PNG."""
    found, position = [], len(PNG_SIGNATURE)
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        found.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += length + 12
    return found


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with more segments at its beginning."""
    return data[:2] + b"".join(segments) + data[2:]


def exif(orientation: int, order: str = "<") -> bytes:
    """Return a TIFF structure with an orientation and a position in Osaka."""
    made = Image.Exif()
    made.endian = order
    made[0x0112] = orientation
    made[0x010E] = "a secret place"
    made.get_ifd(0x8825)[2] = (34.0, 41.0, 37.0)
    return made.tobytes()
