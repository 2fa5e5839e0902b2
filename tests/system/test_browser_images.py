"""Images are taken and shown in colours as a real browser shows them."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms

from chalicelib.core import colour_profile
from chalicelib.core.images import ImageBounds
from chalicelib.web.images import render
from tests.pictures import chunk, encoded, header, jpeg, png_of, segment
from tests.system.browser import DESKTOP, Open, browse

__all__ = ["browse"]

SIDE = 16
COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (128, 128, 128), (230, 180, 60), (20, 90, 140)]
GREYS = [(20,), (77,), (128,), (200,)]
SHOW = """
const [url, done] = arguments, image = new Image();
image.onerror = () => done(null);
image.onload = () => {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  done([canvas.width, canvas.height, Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data)]);
};
image.src = url;
"""
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDE = colour_profile.of_code_points(12, 13) or b""
GAMMA = chunk(b"gAMA", struct.pack(">I", 100_000))
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000))


def stripes(*before: bytes, colours: Any = COLOURS) -> bytes:
    """A png with a stripe of each colour, and chunks before its pixels."""
    kind = 2 if len(colours[0]) == 3 else 0
    row = b"\0" + b"".join(bytes(colour) * SIDE for colour in colours)
    return png_of(header(SIDE * len(colours), SIDE, 8, kind), row * SIDE, before)


def photo(*segments: bytes, **options: Any) -> bytes:
    """A jpeg of the same stripes, with segments of our own behind its first one."""
    picture = Image.open(io.BytesIO(stripes()))
    data = encoded(picture, "JPEG", quality=100, subsampling=0, **options)
    return data[:20] + b"".join(segments) + data[20:]


def profile(content: bytes) -> bytes:
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(content))


FILES = {
    "a png": stripes(),
    "a wide profile": stripes(profile(WIDE)),
    "a grey profile": stripes(profile(colour_profile.of_gamma(1.0)), colours=GREYS),
    "a grey profile on colours": stripes(profile(colour_profile.of_gamma(1.0))),
    "a colour profile on grey": stripes(profile(WIDE), colours=GREYS),
    "gamma and primaries": stripes(GAMMA, PRIMARIES),
    "gamma alone": stripes(GAMMA),
    "primaries alone": stripes(PRIMARIES),
    "gamma and primaries of grey": stripes(GAMMA, PRIMARIES, colours=GREYS),
    "gamma beside sRGB": stripes(GAMMA, PRIMARIES, chunk(b"sRGB", b"\0")),
    "code points of Display P3": stripes(chunk(b"cICP", b"\x0c\x0d\0\1")),
    "code points of BT.2020": stripes(chunk(b"cICP", b"\x09\x01\0\1")),
    "code points beside a profile": stripes(chunk(b"cICP", b"\x01\x0d\0\1"), profile(WIDE)),
    "a wrong checksum of a text": stripes(chunk(b"tEXt", b"a\0b")[:-1] + b"x"),
    "a wrong checksum of a profile": stripes(profile(WIDE)[:-1] + b"x"),
    "a jpeg": photo(),
    "a jpeg with a wide profile": photo(icc_profile=WIDE),
    "junk before a segment": photo(b"junk\0junk"),
    "a stray restart": photo(b"\xff\xd3"),
    "a JFIF segment that is too short": jpeg()[:2] + segment(0xE0, b"JFIF\0\1") + photo()[20:],
}


def shown(browser: Any, data: bytes) -> tuple[tuple[int, int], list[tuple[int, ...]]] | None:
    """Size and colours, stripe by stripe, as the browser shows a file; None if it shows none."""
    kind = "png" if data.startswith(b"\x89") else "jpeg"
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    found = browser.execute_async_script(SHOW, url)
    if found is None:
        return None
    width, height, samples = found
    middle = (height // 2) * width
    places = range(SIDE // 2, width, SIDE)
    return (width, height), [tuple(samples[4 * (middle + x) : 4 * (middle + x) + 3]) for x in places]


def test_colours_are_those_that_a_browser_shows(browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get("about:blank")
    differences = {}
    for name, data in FILES.items():
        original, ours = shown(browser, data), shown(browser, render(data, ImageBounds())[0].body)
        assert original, f"the browser does not show {name}"
        assert ours
        assert ours[0] == original[0], name
        far = max(
            abs(one - other)
            for pair in zip(ours[1], original[1], strict=True)
            for one, other in zip(*pair, strict=True)
        )
        if far > 4:
            differences[name] = (original[1], ours[1])
    assert not differences
