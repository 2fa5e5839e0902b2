"""Images of feeds: what is taken, and the three renditions that are kept of it.

A picture is scaled down to renditions by its longest edge, never up, and stored under keys that name its content, so
that whatever stands in front may cache it for ever. Source: Page API ("images": large, medium, small; jpeg and png).
"""

import hashlib
import re
from dataclasses import dataclass

NAMES = ("large", "medium", "small")
"""The renditions of an image, in the order of their keys."""
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}
"""The media types there are, and how the keys of each end."""
MAX_SIDE = 65_500
"""The longest side that decoders of jpegs take; a png is not taken with a longer one."""

_KEY = re.compile(r"images(?:/[A-Za-z0-9_-]{1,128}){1,4}/[0-9a-f]{32}\.(?:jpg|png)")


@dataclass(frozen=True)
class ImageBounds:
    """How large an image may be that is sent to us, and the longest edges of its renditions, large to small."""

    bytes: int = 5_000_000
    pixels: int = 40_000_000
    edges: tuple[int, int, int] = (180, 76, 40)


@dataclass(frozen=True)
class Rendition:
    """One size of an image, encoded; `name` is one of NAMES, `media_type` one of EXTENSIONS."""

    name: str
    body: bytes
    media_type: str
    width: int
    height: int


def fitted(width: int, height: int, edge: int) -> tuple[int, int]:
    """The size of a picture whose longest edge is `edge` at the most; at least one pixel each way."""
    longest = max(width, height)
    if longest <= edge:
        return width, height
    # Rounded halves up, in whole numbers: the same on every machine.
    return tuple(max(1, (2 * side * edge + longest) // (2 * longest)) for side in (width, height))  # type: ignore[return-value]


def image_key(folder: str, rendition: Rendition) -> str:
    """The key of a rendition in a folder: `images/<folder>/<hash of its bytes>.<jpg|png>`."""
    digest = hashlib.sha256(rendition.body).hexdigest()[:32]
    return f"images/{folder}/{digest}.{EXTENSIONS[rendition.media_type]}"


def is_key(text: str) -> bool:
    """Whether this is a key as `key_of` makes them."""
    return _KEY.fullmatch(text) is not None
