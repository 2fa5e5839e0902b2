"""The result of an uploaded image: four renditions without any other data, or a refusal."""

import io
import random
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from chalicelib.core.errors import ParameterInvalid, Refusal, TooLarge
from chalicelib.core.imaging.jpeg import MAX_SCANS, MAX_SEGMENTS
from chalicelib.core.imaging.renditions import WIDE_BYTES, ImageBounds, Rendition, page_key
from chalicelib.web.render_images import examine, render
from tests.kit.pictures import (
    BLUE,
    GREEN,
    PNG_SIGNATURE,
    RED,
    WHITE,
    chunk,
    chunks,
    encoded,
    exif,
    header,
    jpeg,
    png,
    png_of,
    quarters,
    segment,
    with_segments,
)  # fmt: skip

BOUNDS = ImageBounds()


def opened(rendition: Rendition) -> Image.Image:
    return Image.open(io.BytesIO(rendition.body))


def rendered(data: bytes, name: str = "large") -> Image.Image:
    return opened(next(each for each in render(data, BOUNDS) if each.name == name))


def pixel(image: Image.Image, place: tuple[int, int]) -> Any:
    """Return the samples of a pixel; Pillow's types for them are too vague."""
    return image.getpixel(place)


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the colours near the four corners, with each sample reduced to full, none or between."""
    colours = image.convert("RGB")
    width, height = colours.size
    places = [(x, y) for y in (height // 8, height - 1 - height // 8) for x in (width // 8, width - 1 - width // 8)]
    return [tuple(255 if s > 235 else 0 if s < 20 else 128 for s in pixel(colours, place)) for place in places]


def refused(data: bytes, bounds: ImageBounds = BOUNDS) -> Refusal:
    with pytest.raises(Refusal) as caught:
        render(data, bounds)
    assert caught.value.description.startswith("The image ")
    return caught.value


def invalid(data: bytes, bounds: ImageBounds = BOUNDS) -> str:
    refusal = refused(data, bounds)
    assert type(refusal) is ParameterInvalid
    return refusal.description


# Renditions


@pytest.mark.parametrize(("data", "media_type"), [(jpeg(), "image/jpeg"), (png(), "image/png")])
def test_renditions_of_the_kind_that_was_sent(data, media_type):
    made = render(data, BOUNDS)
    assert [(each.name, each.width, each.height) for each in made] == [
        ("large", 180, 135),
        ("medium", 76, 57),
        ("small", 40, 30),
        ("wide", 400, 300),
    ]
    for each in made:
        assert each.media_type == media_type == Image.MIME[opened(each).format or ""]
        assert opened(each).size == (each.width, each.height)
        assert corners(opened(each)) == [RED, GREEN, BLUE, WHITE]


def test_the_longest_edge_is_a_setting():
    made = render(jpeg(30, 60), ImageBounds(edges=(50, 20, 10)))
    assert [(each.width, each.height) for each in made] == [(25, 50), (10, 20), (5, 10), (30, 60)]


@pytest.mark.parametrize(
    ("sent", "edge", "made"),
    [
        ((1200, 900), 1200, (1200, 900)),
        ((1201, 900), 1200, (1200, 899)),
        ((900, 2400), 1200, (450, 1200)),
        ((40, 30), 1200, (40, 30)),
        ((700, 400), 320, (320, 183)),
    ],
)
@pytest.mark.parametrize("make", [jpeg, png])
def test_the_wide_rendition_is_for_desktops_and_never_enlarged(make, sent, edge, made):
    wide = render(make(*sent), ImageBounds(wide_edge=edge))[-1]
    assert (wide.name, wide.width, wide.height) == ("wide", *made)
    assert opened(wide).size == made
    assert corners(opened(wide)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_wide_png_of_many_bytes_becomes_a_jpeg_on_white(mode):
    noise = Image.frombytes(mode, (1300, 1300), random.Random(1).randbytes(1300 * 1300 * len(mode.strip())))
    if mode.endswith("A"):
        noise.paste((0,) * len(mode), (0, 0, 650, 650))
    wide = render(encoded(noise, "PNG"), replace(BOUNDS, bytes=10_000_000))[-1]
    assert wide.media_type == "image/jpeg"
    assert len(wide.body) <= WIDE_BYTES
    assert max(wide.width, wide.height) in (1200, 900, 600)
    if mode.endswith("A"):
        assert min(pixel(opened(wide).convert("RGB"), (20, 20))) > 250


def test_a_wide_png_of_few_bytes_keeps_its_transparency():
    drawing = Image.new("RGBA", (1300, 1300), (0, 0, 0, 0))
    wide = render(encoded(drawing, "PNG"), BOUNDS)[-1]
    assert (wide.media_type, opened(wide).mode) == ("image/png", "RGBA")


@pytest.mark.parametrize(("sent", "made"), [((180, 90), (180, 90)), ((181, 90), (180, 90)), ((1, 1), (1, 1))])
def test_nothing_is_enlarged(sent, made):
    assert rendered(png(*sent)).size == made


@pytest.mark.parametrize(("width", "height"), [(5000, 1), (1, 5000), (65_500, 3), (3, 65_500)])
@pytest.mark.parametrize("make", [jpeg, png])
def test_a_line_stays_a_line(make, width, height):
    assert rendered(make(width, height)).size == ((180, 1) if width > height else (1, 180))


def test_the_same_bytes_make_the_same_renditions():
    for data in (jpeg(1200, 900), png(1200, 900)):
        assert render(data, BOUNDS) == render(data, BOUNDS)


def test_a_page_shows_the_wide_rendition_or_the_large_one_of_older_feeds():
    assert page_key(("l", "m", "s", "w")) == "w"
    assert page_key(("l", "m", "s")) == "l"
    assert page_key(()) is None


def test_a_picture_is_scaled_in_strips_without_seams():
    picture = Image.linear_gradient("L").resize((3000, 2000))
    made = rendered(encoded(picture, "PNG"))
    wanted = picture.resize((180, 120), Image.Resampling.LANCZOS)
    assert max(abs(one - other) for one, other in zip(made.tobytes(), wanted.tobytes(), strict=True)) <= 3


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 2}, {"optimize": True, "quality": 30}])
def test_jpegs_of_every_usual_kind(options):
    assert corners(rendered(jpeg(**options))) == [RED, GREEN, BLUE, WHITE]


# Colours and transparency


def test_cmyk_becomes_rgb():
    made = rendered(encoded(quarters().convert("CMYK"), "JPEG", quality=95))
    assert (made.format, made.mode) == ("JPEG", "RGB")
    assert corners(made) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey_stays_grey(kind):
    made = rendered(encoded(Image.new("L", (300, 300), 77), kind))
    assert (made.mode, made.getpixel((9, 9))) == ("L", 77)


def test_16_bits_become_8():
    rows = b"".join(b"\0" + struct.pack(">300H", *[0x4D00 + column % 200 for column in range(300)]) for _ in range(300))
    made = rendered(png_of(header(300, 300, 16, 0), rows))
    assert (made.mode, made.getpixel((9, 9))) == ("L", 0x4D)

    rows = b"".join(b"\0" + struct.pack(">3H", 0xFF80, 0x0010, 0x8000) * 300 for _ in range(300))
    assert rendered(png_of(header(300, 300, 16, 2), rows)).getpixel((9, 9)) == (255, 0, 128)


def test_one_bit_a_pixel():
    made = rendered(encoded(Image.new("1", (300, 300), 1), "PNG"))
    assert (made.mode, made.getpixel((9, 9))) == ("L", 255)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_kept(mode):
    picture = quarters().convert(mode)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    made = rendered(encoded(picture, "PNG"))
    assert made.mode == mode
    assert [made.getchannel("A").getpixel((90, y)) for y in (0, 134)] == [1, 254]


def test_what_is_transparent_does_not_colour_what_is_beside_it():
    picture = Image.new("RGBA", (720, 720), (0, 255, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 361, 720))
    made = rendered(encoded(picture, "PNG"))
    row = [pixel(made, (x, 90)) for x in range(180)]
    assert {alpha for *_, alpha in row} > {0, 255}
    assert all(red > 250 and green < 5 for red, green, _, alpha in row if alpha)


def test_a_palette_with_transparency():
    picture = quarters().quantize(4)
    clear = picture.getpixel((0, 0))
    made = rendered(encoded(picture, "PNG", transparency=clear))
    assert made.mode == "RGBA"
    assert [pixel(made, place)[3] for place in ((10, 10), (170, 125))] == [0, 255]
    assert rendered(encoded(picture, "PNG")).mode == "RGB"


@pytest.mark.parametrize(
    ("depth", "colour", "clear", "other", "see_through"),
    [
        (1, 0, 0b0000_0000, 0b1111_1111, b"\0\0"),
        (2, 0, 0b0101_0101, 0b1010_1010, b"\0\1"),
        (4, 0, 0x33, 0x44, b"\0\3"),
        (8, 0, 7, 8, b"\0\7"),
    ],
)
def test_a_grey_that_stands_for_transparency(depth, colour, clear, other, see_through):
    length = 320 * depth // 8
    rows = (b"\0" + bytes([clear]) * length) * 160 + (b"\0" + bytes([other]) * length) * 160
    made = rendered(png_of(header(320, 320, depth, colour), rows, [chunk(b"tRNS", see_through)]))
    assert made.mode == "LA"
    assert [pixel(made, (90, y))[1] for y in (10, 170)] == [0, 255]


def test_a_16_bit_grey_that_stands_for_transparency_is_one_of_65536():
    rows = b"".join(b"\0" + struct.pack(">H", 0x0700 + (row >= 160)) * 320 for row in range(320))
    made = rendered(png_of(header(320, 320, 16, 0), rows, [chunk(b"tRNS", b"\7\0")]))
    assert [made.getpixel((90, y)) for y in (10, 170)] == [(0, 0), (7, 255)]


@pytest.mark.parametrize(("depth", "sample"), [(8, ">B"), (16, ">H")])
def test_a_colour_that_stands_for_transparency(depth, sample):
    most = 2**depth - 1
    clear, other = (
        b"".join(struct.pack(sample, each) for each in colour) for colour in ((most, 0, most), (0, most, 0))
    )
    rows = (b"\0" + clear * 300) * 150 + (b"\0" + other * 300) * 150
    made = rendered(png_of(header(300, 300, depth, 2), rows, [chunk(b"tRNS", struct.pack(">3H", most, 0, most))]))
    assert [made.getpixel((90, y)) for y in (10, 170)] == [(0, 0, 0, 0), (0, 255, 0, 255)]


def test_colours_of_a_profile_become_srgb_and_the_profile_goes():
    lab = ImageCms.createProfile("LAB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Red and blue are swapped, as far from sRGB as a profile can be.
    swapped = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    for data in (jpeg(icc_profile=swapped), png(icc_profile=swapped)):
        made = rendered(data)
        assert corners(made) == [BLUE, GREEN, RED, WHITE]
        assert "icc_profile" not in made.info
    for broken in (b"no profile", profile[:200], ImageCms.ImageCmsProfile(lab).tobytes(), b"\0" * 300_000):
        for data in (jpeg(icc_profile=broken), png(icc_profile=broken)):
            assert corners(rendered(data)) == [RED, GREEN, BLUE, WHITE]


# Orientation, metadata, and what else may be in a file


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(9))
def test_a_picture_stands_upright(orientation, order):
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    # A camera stores the picture turned the other way.
    stored = quarters().transpose(turned[orientation]) if orientation in turned else quarters()
    for kind in ("JPEG", "PNG"):
        data = encoded(stored, kind, exif=exif(orientation, order))
        [large, *_] = render(data, BOUNDS)
        assert (large.width, large.height) == (180, 135)
        assert corners(opened(large)) == [RED, GREEN, BLUE, WHITE]


def test_no_metadata_are_kept():
    secrets: dict[str, Any] = {"exif": exif(1), "comment": b"a secret word", "xmp": b"<x>a secret mark</x>"}
    sent = jpeg(dpi=(72, 72), **secrets)
    assert sent.count(b"a secret") == 3
    for each in render(sent, BOUNDS):
        assert b"secret" not in each.body
        made = opened(each)
        assert not made.getexif()
        assert set(made.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}

    texts = [chunk(b"tEXt", b"Comment\0a secret"), chunk(b"zTXt", b"C\0\0" + zlib.compress(b"a secret"))]
    sent = png(exif=exif(1), dpi=(72, 72))
    for data in (sent[:33] + b"".join(texts) + sent[33:], sent[:-12] + b"".join(texts) + sent[-12:]):
        for each in render(data, BOUNDS):
            assert {kind for kind, _ in chunks(each.body)} == {b"IHDR", b"IDAT", b"IEND"}


def archive() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as made:
        made.writestr("evil.html", "<script>alert(1)</script>")
    return body.getvalue()


@pytest.mark.parametrize(
    "more", [archive(), b"<html><script>alert(1)</script>", jpeg(50, 50), png(50, 50), b"\xff" * 99]
)
@pytest.mark.parametrize("make", [jpeg, png])
def test_nothing_that_stands_behind_an_image_is_kept(make, more):
    assert render(make() + more, BOUNDS) == render(make(), BOUNDS)
    assert not zipfile.is_zipfile(io.BytesIO(render(make() + more, BOUNDS)[0].body))


def test_nothing_that_is_hidden_inside_an_image_is_kept():
    script = b"<script>alert(1)</script>"
    hidden = with_segments(jpeg(), segment(0xFE, script), segment(0xE5, script), segment(0xE0, b"JFIF\0" + script))
    assert all(b"script" not in each.body for each in render(hidden, BOUNDS))
    palette = quarters().quantize(4)
    palette.putpalette((palette.getpalette() or [])[:12] + list(script))
    assert all(b"script" not in each.body for each in render(encoded(palette, "PNG"), BOUNDS))


def test_an_animation_becomes_its_still_picture():
    frames = [Image.new("RGB", (300, 300), colour) for colour in (GREEN, BLUE)]
    animated = encoded(quarters(), "PNG", save_all=True, append_images=frames)
    assert getattr(Image.open(io.BytesIO(animated)), "n_frames", 1) == 3
    assert render(animated, BOUNDS) == render(png(), BOUNDS)

    several = encoded(quarters(), "MPO", quality=95, subsampling=0, save_all=True, append_images=frames)
    assert Image.open(io.BytesIO(several)).format == "MPO"
    made = rendered(several)
    assert (made.format, corners(made)) == ("JPEG", [RED, GREEN, BLUE, WHITE])


# Refusals


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG",
        encoded(quarters(), "GIF"),
        encoded(quarters(), "WEBP"),
        encoded(quarters(), "BMP"),
        encoded(quarters(), "TIFF"),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!doctype html><title>photo.jpg</title>",
        b"GIF89a" + jpeg(),
        b" " + png(),
        archive() + jpeg(),
    ],
)
def test_whatever_is_no_jpeg_and_no_png(data):
    assert invalid(data) == "The image must be a jpeg or a png"


def test_the_largest_number_of_bytes():
    data = jpeg()
    assert render(data, ImageBounds(bytes=len(data)))
    refusal = refused(data, ImageBounds(bytes=len(data) - 1))
    assert isinstance(refusal, TooLarge)
    assert refusal.description == f"The image is too large (max={len(data) - 1} bytes)"


@pytest.mark.parametrize("make", [jpeg, png])
def test_the_largest_number_of_pixels(make):
    assert render(make(40, 30), ImageBounds(pixels=1200))
    assert invalid(make(40, 30), ImageBounds(pixels=1199)) == "The image has too many pixels (max=1199)"


def test_the_longest_side():
    rows = b"\0\0" * 65_501
    assert invalid(png_of(header(1, 65_501, 8, 0), rows)) == "The image is too wide or too high (max=65500 pixels)"
    assert rendered(png_of(header(1, 65_500, 8, 0), rows[2:])).size == (1, 180)


@pytest.mark.parametrize("size", [(50_000, 50_000), (2**31 - 1, 1), (2**32 - 1, 2**32 - 1), (6325, 6325)])
def test_a_header_that_promises_a_bomb_is_refused_before_anything_is_decoded(size):
    assert invalid(png_of(header(*size), b"")) == "The image has too many pixels (max=40000000)"


def test_a_jpeg_that_promises_a_bomb():
    data = jpeg()
    frame = data.index(b"\xff\xc0")
    promised = data[: frame + 5] + struct.pack(">HH", 65_000, 65_000) + data[frame + 9 :]
    assert invalid(promised) == "The image has too many pixels (max=40000000)"


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (0, 0)])
def test_an_image_without_pixels(size):
    assert invalid(png_of(header(*size), b"")) == "The image has no pixels"
    data = jpeg()
    frame = data.index(b"\xff\xc0")
    assert invalid(data[: frame + 5] + struct.pack(">HH", *size) + data[frame + 9 :]) == "The image has no pixels"


@pytest.mark.parametrize("data", [jpeg(), jpeg(progressive=True), png()])
def test_a_truncated_image_wherever_it_ends(data):
    for end in {*range(12, len(data) - 1, max(1, len(data) // 97)), len(data) - 1}:
        assert invalid(data[:end]) in {"The image is truncated", "The image cannot be decoded"}


def test_a_png_with_fewer_pixels_than_it_promises():
    assert invalid(png_of(header(300, 300), b"\0" * 1000)) == "The image cannot be decoded"
    assert invalid(png_of(header(300, 300), b"")) == "The image cannot be decoded"
    assert invalid(PNG_SIGNATURE + header(300, 300) + chunk(b"IEND")) == "The image cannot be decoded"


def test_a_png_whose_checksums_are_wrong():
    data = png()
    for place in (20, 60, len(data) - 20):
        broken = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert invalid(broken) == "The image is not a valid png: a checksum is wrong"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [chunk(b"IDAT", b"")],
        [header(10, 10), header(10, 10)],
        [chunk(b"IHDR", b"\0" * 12)],
        [header(10, 10, 8, 3), chunk(b"IDAT", b""), chunk(b"PLTE", b"abc")],
        [header(10, 10, 8, 3), chunk(b"PLTE", b"abc"), chunk(b"PLTE", b"abc")],
        [header(10, 10), chunk(b"EVIL", b"")],
        [header(10, 10), chunk(b"12\0\n", b"")],
        [header(10, 10, 7, 9), chunk(b"IDAT", zlib.compress(b"\0" * 400))],
        [header(10, 10, 8, 3), chunk(b"IDAT", b"not compressed")],
    ],
)
def test_a_png_that_is_none(parts):
    invalid(PNG_SIGNATURE + b"".join(parts) + chunk(b"IEND"))


def test_a_png_with_many_pixel_chunks():
    pixels = zlib.compress(b"\0" + b"\7" * 100)
    parts = [header(100, 1, 8, 0), *(chunk(b"IDAT", pixels[i : i + 1]) for i in range(len(pixels))), chunk(b"IEND")]
    empty = [chunk(b"IDAT")] * (100_000 - len(parts))
    assert rendered(PNG_SIGNATURE + b"".join([parts[0], *empty, *parts[1:]])).getpixel((9, 0)) == 7
    assert "too many chunks (max=100000)" in invalid(
        PNG_SIGNATURE + b"".join([parts[0], chunk(b"IDAT"), *empty, *parts[1:]])
    )


def parts_of_a_jpeg() -> tuple[bytes, bytes]:
    """Return a progressive jpeg up to its first scan, and its last scan without the end marker."""
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last], data[last:-2]


def test_a_jpeg_with_many_scans():
    before, scan = parts_of_a_jpeg()
    has = before.count(b"\xff\xda")
    assert 5 < has < MAX_SCANS
    assert render(before + scan * (MAX_SCANS - has) + b"\xff\xd9", BOUNDS)
    told = invalid(before + scan * (MAX_SCANS - has + 1) + b"\xff\xd9")
    assert told == f"The image is a jpeg with too many scans (max={MAX_SCANS})"


def test_a_jpeg_with_many_segments():
    data = jpeg()
    own = data[: data.index(b"\xff\xda")].count(b"\xff\xdb") + data.count(b"\xff\xc4") + 4
    assert render(with_segments(data, *[segment(0xFE, b"")] * (MAX_SEGMENTS - own)), BOUNDS)
    told = invalid(with_segments(data, *[segment(0xE1, b"Exif\0\0")] * (MAX_SEGMENTS + 1)))
    assert told == f"The image is not a valid jpeg: it has too many segments (max={MAX_SEGMENTS})"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xfe\x00\x01\xff\xd9",
        with_segments(jpeg(), jpeg()[jpeg().index(b"\xff\xc0") :][:19]),
        jpeg().replace(b"\xff\xc0", b"\xff\xc3", 1),
        jpeg().replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc1\x00\x11\x0c", 1),
        jpeg()[:2] + b"junk" + jpeg()[2:],
        jpeg()[: jpeg().index(b"\xff\xda")] + b"\xff\xd9",
    ],
)
def test_a_jpeg_that_is_none(data):
    invalid(data)


@given(st.sampled_from([jpeg(64, 48), jpeg(64, 48, progressive=True), png(64, 48)]), st.data())
def test_whatever_is_broken_in_a_file_is_refused_or_rendered(data, more):
    broken = bytearray(data)
    for _ in range(more.draw(st.integers(1, 4))):
        place = more.draw(st.integers(0, len(data) - 1))
        broken[place] = more.draw(st.integers(0, 255))
    if data.startswith(PNG_SIGNATURE):
        position, mended = 8, bytearray(PNG_SIGNATURE)
        while position + 8 <= len(broken):
            (length,) = struct.unpack_from(">I", broken, position)
            mended += chunk(bytes(broken[position + 4 : position + 8]), bytes(broken[position + 8 :][:length]))
            position += length + 12
        broken = mended
    try:
        made = render(bytes(broken), BOUNDS)
    except ParameterInvalid:
        return
    assert [each.name for each in made] == ["large", "medium", "small", "wide"]


# Cost


@pytest.mark.parametrize(
    "kind", ["rgba", "palette", "interlaced", "progressive", "fill", "texts", "profile", "inflating"]
)
def test_decoding_takes_no_more_memory_than_8_bytes_a_pixel(kind, tmp_path):
    """Use a separate process: only the system can measure a decoder's memory and stop one that takes too long."""
    side = 4000
    bounds = ImageBounds(pixels=side * side)
    rows = (b"\0" + b"\x55" * side * 4) * side
    if kind == "rgba":
        data = png_of(header(side, side, 8, 6), rows)
    elif kind == "palette":
        # A transparent colour expands each pixel from one byte to four.
        data = png_of(header(side, side, 8, 3), rows[: (side + 1) * side].replace(b"U", b"\0"),
                      [chunk(b"PLTE", b"abc"), chunk(b"tRNS", b"\x7f")])  # fmt: skip
    elif kind == "interlaced":
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 1))
        data = png_of(head, b"\0" * (side * side * 2))
    elif kind == "progressive":
        data = encoded(Image.new("RGB", (side, side), RED), "JPEG", progressive=True, subsampling=0)
    elif kind == "fill":
        # Any number of these bytes may precede a marker, but no marker follows.
        data = jpeg()[:-2] + b"\xff" * 4_000_000 + b"\0\xff\xd9"
    elif kind == "texts":
        bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 50_000_000, 9))
        data = png_of(header(9, 9, 8, 0), b"\0" * 90, [bomb] * 20)
    elif kind == "profile":
        bomb = chunk(b"iCCP", b"p\0\0" + zlib.compress(b"\0" * 100_000_000, 9))
        data = png_of(header(9, 9, 8, 0), b"\0" * 90, [bomb] * 10)
    else:
        data = png_of(header(9, 9, 8, 0), b"\0" * 250_000_000)
    assert len(data) <= bounds.bytes
    (tmp_path / "image").write_bytes(data)
    program = f"""
import resource, sys
from PIL import Image, ImageCms, ImageChops, JpegImagePlugin, PngImagePlugin
from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.web.render_images import render
data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
render(data, ImageBounds(pixels={side * side}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "image"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )
    assert int(done.stdout) * 1024 <= 8 * side * side + 30_000_000


def test_of_many_profiles_one_is_inflated(monkeypatch):
    inflated: list[Any] = []
    make = zlib.decompressobj

    def inflater() -> Any:
        inflated.append(make())
        return inflated[-1]

    monkeypatch.setattr(zlib, "decompressobj", inflater)
    bomb = chunk(b"iCCP", b"p\0\0" + zlib.compress(b"\0" * 3_000_000, 9))
    examine(png_of(header(9, 9, 8, 0), b"\0" * 90, [bomb] * 1000), BOUNDS)
    assert len(inflated) == 1


def test_examining_decodes_nothing():
    picture = examine(png_of(header(6000, 6000), b""), BOUNDS)
    assert (picture.kind, picture.width, picture.height) == ("PNG", 6000, 6000)
