"""A picture as read from an image file before decoding.

The content of a file decides its type. The reduced file holds only the pixels and the data needed to decode them. All
other data (texts, comments, previews, further frames, bytes after the end) are dropped, so that no decoder sees them.
Sources: ISO/IEC 10918-1 and PNG (W3C Recommendation), Exif 2.3 for the orientation.
"""

import struct
from dataclasses import dataclass

MAX_PROFILE = 4_000_000
"""The maximum size of a colour profile in bytes. A larger profile is ignored."""

_ORIENTATION = 0x0112
_SHORT = 3


class NoPicture(Exception):
    """A file that is not a valid image of its type. The message continues the sentence "The image …"."""


@dataclass(frozen=True)
class Picture:
    """A jpeg or png file, reduced to its pixels.

    `kind` is "JPEG" or "PNG". `data` is a file of that kind with only the data needed to decode `width` × `height`
    pixels. `depth` is the bits of a sample. `orientation` is Exif's, from 1 (upright) to 8. `profile` is the ICC
    profile of the colours, if there is one.
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
        """Width and height after the picture is rotated to its orientation."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def orientation_of(exif: bytes) -> int:
    """Return the orientation in Exif's TIFF structure; 1 if there is no valid orientation."""
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
        pass  # An offset points outside of the structure.
    return 1
