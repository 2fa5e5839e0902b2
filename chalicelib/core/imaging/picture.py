"""Reading what surrounds the pixels of an image file, before anything is decoded.

A file is known by its content. What comes back of it holds the pixels and what is needed to decode them; everything
else (texts, comments, previews, further frames, whatever follows the end) is left behind, so that no decoder ever sees
it. Sources: ISO/IEC 10918-1 and PNG (W3C Recommendation), Exif 2.3 for the orientation.
"""

import struct
from dataclasses import dataclass

MAX_PROFILE = 4_000_000
"""Bytes of a colour profile that is still looked at."""

_ORIENTATION = 0x0112
_SHORT = 3


class NoPicture(Exception):
    """The file is not what its beginning says; the text ends the sentence "The image …"."""


@dataclass(frozen=True)
class Picture:
    """A jpeg or png file, cut down to its pixels.

    `kind` is "JPEG" or "PNG". `data` is a file of that kind which has nothing in it but what decodes to
    `width` × `height` pixels. `depth` is the bits of a sample. `orientation` is Exif's, from 1 (upright) to 8;
    `profile` the ICC profile of the colours, where there is one.
    """

    kind: str
    width: int
    height: int
    depth: int
    data: bytes
    orientation: int = 1
    profile: bytes | None = None

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height once the picture is turned as its orientation asks."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def orientation_of(exif: bytes) -> int:
    """The orientation in a TIFF structure as Exif has it; 1 where there is none that makes sense."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for entry in range(count):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * entry)
            if (tag, kind, values) == (_ORIENTATION, _SHORT, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass  # It points outside of itself.
    return 1
