"""The colours of rendered images, compared with those of the originals in a real browser."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from itertools import product
from typing import Any

from PIL import Image

from chalicelib.core.imaging import colour_profile
from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.web.render_images import render
from tests.kit.browser import DESKTOP, Open
from tests.kit.pictures import chunk, encoded, exif, header, jpeg, png_of, segment
from tests.kit.profiles import MATRIX, profile_of, table

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
WIDE = colour_profile.of_code_points(12, 13) or b""
GAMMA = chunk(b"gAMA", struct.pack(">I", 100_000))
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000))


def stripes(*before: bytes, colours: Any = COLOURS) -> bytes:
    """Return a PNG with a stripe of each colour, and chunks before its pixels."""
    kind = 2 if len(colours[0]) == 3 else 0
    row = b"\0" + b"".join(bytes(colour) * SIDE for colour in colours)
    return png_of(header(SIDE * len(colours), SIDE, 8, kind), row * SIDE, before)


def photo(*segments: bytes, **options: Any) -> bytes:
    """Return a JPEG of the same stripes, with the given segments after its first one."""
    picture = Image.open(io.BytesIO(stripes()))
    data = encoded(picture, "JPEG", quality=100, subsampling=0, **options)
    return data[:20] + b"".join(segments) + data[20:]


def profile(content: bytes) -> bytes:
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(content))


def cicp(primaries: int, curve: int, *, whole: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, curve, 0, whole]))


def see_through(*before: bytes, after: tuple[bytes, ...] = ()) -> bytes:
    """Return a PNG of one colour, which a chunk can make transparent."""
    return png_of(header(SIDE, SIDE), (b"\0" + bytes((200, 40, 40)) * SIDE) * SIDE, before, after)


def grey_see_through(content: bytes) -> bytes:
    return png_of(header(SIDE, SIDE, 8, 0), (b"\0" + b"\7" * SIDE) * SIDE, [chunk(b"tRNS", content)])


def lying(*before: bytes, after: tuple[bytes, ...] = ()) -> bytes:
    """Return a PNG that is higher than wide."""
    return png_of(header(SIDE, 2 * SIDE, 8, 0), (b"\0" + b"\x64" * SIDE) * 2 * SIDE, before, after)


LINEAR = b"curv" + struct.pack(">II", 0, 0)
GREY_PROFILE = profile_of({b"kTRC": LINEAR}, colour_profile.GREY)
# Red and blue are exchanged, in Lab.
TABLE = profile_of(
    {b"A2B0": table(values=bytes(
        sample for r, g, b in product((0, 1), repeat=3)
        for sample in (70 * g + 60 * b + 100 * r, 128 - 80 * g + 70 * b + 20 * r, 128 + 60 * g + 60 * b - 90 * r)
    ), inks=3)},
    connection=b"Lab ",
)  # fmt: skip
RED_IS_CLEAR = chunk(b"tRNS", struct.pack(">3H", 200, 40, 40))
TURNED = chunk(b"eXIf", exif(6)[6:])


def part(number: int, count: int, content: bytes) -> bytes:
    """Return a segment with a part of a profile."""
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + content)


def adobe(transform: int) -> bytes:
    """Return a segment that declares the colour encoding."""
    return segment(0xEE, b"Adobe\0\x64" + bytes(4) + bytes([transform]))


FILES = {
    "a png": stripes(),
    "a wide profile": stripes(profile(WIDE)),
    "a table": stripes(profile(TABLE)),
    "a table beside primaries": stripes(profile(profile_of(MATRIX | {b"A2B0": table(inks=3)}))),
    "a profile that is cut": stripes(profile(WIDE[:-20]), GAMMA),
    "a profile of version 5": stripes(profile(WIDE[:8] + b"\5" + WIDE[9:])),
    "a profile without a name": stripes(chunk(b"iCCP", b"\0\0" + zlib.compress(WIDE))),
    "a profile behind the pixels": png_of(
        header(SIDE, SIDE), (b"\0" + b"\x64" * SIDE * 3) * SIDE, after=[profile(WIDE)]
    ),
    "a grey profile": stripes(profile(GREY_PROFILE), colours=GREYS),
    "a grey profile on colours": stripes(profile(GREY_PROFILE)),
    "a colour profile on grey": stripes(profile(colour_profile.of_code_points(12, 8) or b""), colours=GREYS),
    "a broken profile beside gamma": stripes(profile(b"x" * 200), GAMMA),
    "gamma and primaries": stripes(GAMMA, PRIMARIES),
    "gamma alone": stripes(GAMMA),
    "gamma of sRGB": stripes(chunk(b"gAMA", struct.pack(">I", 45_455))),
    "gamma of sRGB, other primaries": stripes(chunk(b"gAMA", struct.pack(">I", 45_455)), PRIMARIES),
    "gamma that is nothing": stripes(chunk(b"gAMA", bytes(4))),
    "gamma behind the pixels": lying(after=(GAMMA,)),
    "primaries alone": stripes(PRIMARIES),
    "primaries that are cut": stripes(GAMMA, chunk(b"cHRM", bytes(31))),
    "primaries that are nowhere": stripes(
        GAMMA, chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 164_000, *[30_000] * 5))
    ),
    "primaries that are one": stripes(GAMMA, chunk(b"cHRM", struct.pack(">8I", *[31_270, 32_900] * 4))),
    "gamma and primaries of grey": stripes(GAMMA, PRIMARIES, colours=GREYS),
    "gamma beside sRGB": stripes(GAMMA, PRIMARIES, chunk(b"sRGB", b"\0")),
    "code points beside a profile": stripes(cicp(1, 13), profile(WIDE)),
    "unknown code points beside gamma": stripes(cicp(2, 2), GAMMA),
    "code points of video beside gamma": stripes(cicp(12, 13, whole=0), GAMMA),
    "code points of grey": stripes(cicp(1, 8), colours=GREYS),
    **{f"code points of primaries {each}": stripes(cicp(each, 13)) for each in (1, 4, 5, 6, 7, 8, 9, 11, 12, 22)},
    **{f"code points of curve {each}": stripes(cicp(9, each)) for each in (1, 4, 5, 6, 8, 13, 14, 15)},
    "a wrong checksum of a text": stripes(chunk(b"tEXt", b"a\0b")[:-1] + b"x"),
    "a wrong checksum of a profile": stripes(profile(WIDE)[:-1] + b"x"),
    "a wrong checksum of the end": stripes()[:-1] + b"x",
    "a colour that is transparent": see_through(RED_IS_CLEAR),
    "transparency twice": see_through(RED_IS_CLEAR, chunk(b"tRNS", bytes(6))),
    "transparency that is cut": see_through(chunk(b"tRNS", b"\0\xc8")),
    "transparency behind the pixels": see_through(after=(RED_IS_CLEAR,)),
    "grey that is transparent, with bits beyond": grey_see_through(b"\1\7"),
    "grey that is transparent, cut": grey_see_through(b"\7"),
    "a palette without use": stripes(chunk(b"PLTE", b"abc")),
    "an orientation": lying(TURNED),
    "an orientation behind the pixels": lying(after=(TURNED,)),
    "a jpeg": photo(),
    "a jpeg with a wide profile": photo(icc_profile=WIDE),
    "a profile in two parts, the second first": photo(part(2, 2, WIDE[200:]), part(1, 2, WIDE[:200])),
    "a part of a profile": photo(part(1, 2, WIDE)),
    "a profile whose parts are at odds": photo(part(1, 2, WIDE[:200]), part(2, 3, WIDE[200:])),
    "a profile with a part twice": photo(part(1, 2, WIDE[:200]), part(1, 2, WIDE[:200]), part(2, 2, WIDE[200:])),
    "inks": encoded(Image.new("CMYK", (SIDE, SIDE), (50, 100, 150, 20)), "JPEG", quality=100),
    "a jpeg of grey with a grey profile": encoded(Image.new("L", (SIDE, SIDE), 77), "JPEG", icc_profile=GREY_PROFILE),
    "junk before a segment": photo(b"junk\0junk"),
    "a stray restart": photo(b"\xff\xd3"),
    "segments without a length": photo(b"\xff\xfe\0\0", b"\xff\xe5\0\1"),
    "a JFIF segment that is too short": jpeg()[:2] + segment(0xE0, b"JFIF\0\1") + photo()[20:],
    "two words on colours": photo()[:2] + adobe(0) + adobe(1) + photo()[20:],
    "the last word says RGB": photo()[:2] + adobe(1) + adobe(0) + photo()[20:],
}


def shown(browser: Any, data: bytes) -> tuple[tuple[int, int], list[tuple[int, ...]]] | None:
    """Return size and colours of each stripe as the browser shows a file, or None if it cannot show it."""
    kind = "png" if data.startswith(b"\x89") else "jpeg"
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    found = browser.execute_async_script(SHOW, url)
    if found is None:
        return None
    width, height, samples = found
    middle = (height // 2) * width
    places = range(SIDE // 2, width, SIDE)
    return (width, height), [tuple(samples[4 * (middle + x) :][:4]) for x in places]


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
