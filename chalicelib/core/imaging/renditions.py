"""Images of feeds: the limits of an image, and its four stored renditions.

A rendition is scaled down by the longest edge, never up. Its key contains a hash of its content, so caches may keep it
forever. Source: Page API ("images": large, medium, small; jpeg and png). Decision: a fourth, wide, for the web pages.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

API_NAMES = ("large", "medium", "small")
"""The renditions that the Page API returns."""
WIDE = "wide"
"""The rendition for the web pages. Feeds posted before it existed do not have it."""
NAMES = (*API_NAMES, WIDE)
"""The renditions of an image, in the order of their keys."""
WIDE_BYTES = 280_000
"""The most bytes of the wide rendition, below the most of an image in an import (IMAGE_FILE_BYTES)."""
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}
"""The supported media types, and the file extensions of their keys."""
MAX_SIDE = 65_500
"""The longest side that jpeg decoders accept. It is also the limit for png."""

_KEY = re.compile(r"images(?:/[A-Za-z0-9_-]{1,128}){1,4}/[0-9a-f]{32}\.(?:jpg|png)")


@dataclass(frozen=True)
class ImageBounds:
    """The maximum size of an uploaded or fetched image, and the longest edges of its renditions.

    `edges` are those of API_NAMES, large to small; `wide_edge` is that of the rendition for the web pages.
    """

    bytes: int = 5_000_000
    pixels: int = 40_000_000
    edges: tuple[int, int, int] = (180, 76, 40)
    wide_edge: int = 1_200


@dataclass(frozen=True)
class Rendition:
    """One size of an image, encoded. `name` is one of NAMES, `media_type` one of EXTENSIONS."""

    name: str
    body: bytes
    media_type: str
    width: int
    height: int


def fitted(width: int, height: int, edge: int) -> tuple[int, int]:
    """Return the size that a picture is scaled to: longest edge at most `edge`, each side at least one pixel."""
    longest = max(width, height)
    if longest <= edge:
        return width, height
    # Halves are rounded up in integer arithmetic, so the result is the same on every machine.
    return tuple(max(1, (2 * side * edge + longest) // (2 * longest)) for side in (width, height))  # type: ignore[return-value]


def image_key(folder: str, rendition: Rendition) -> str:
    """Return the key of a rendition in a folder: `images/<folder>/<hash of its bytes>.<jpg|png>`."""
    digest = hashlib.sha256(rendition.body).hexdigest()[:32]
    return f"images/{folder}/{digest}.{EXTENSIONS[rendition.media_type]}"


def picture_folder(user: str) -> str:
    """Return the folder of the pictures that a user has uploaded for their profile."""
    return f"people/{user}"


def page_key(keys: Sequence[str]) -> str | None:
    """Return the key of the rendition for the web pages: the wide one, the large one of older feeds, None if none."""
    if not keys:
        return None
    return keys[NAMES.index(WIDE)] if len(keys) == len(NAMES) else keys[0]


def is_key(text: str) -> bool:
    """Return whether this is a key as `image_key` returns it."""
    return _KEY.fullmatch(text) is not None


def media_type_of(key: str) -> str:
    """Return the media type of the rendition with a key."""
    extension = key.rpartition(".")[2]
    return next(media_type for media_type, known in EXTENSIONS.items() if known == extension)
