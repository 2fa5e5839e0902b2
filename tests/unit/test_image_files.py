"""Image files without their pixels: the parts that are kept, errors for broken files, sizes and keys."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.imaging import jpeg, png
from chalicelib.core.imaging.colour_profile import of_code_points
from chalicelib.core.imaging.picture import MAX_PROFILE, NoPicture, Picture, orientation_of
from chalicelib.core.imaging.renditions import Rendition, fitted, image_key, is_key
from tests.kit.pictures import PNG_SIGNATURE, chunk, exif, header, png_of, segment

START, END = b"\xff\xd8", b"\xff\xd9"
FRAME = struct.pack(">BHHB", 8, 30, 40, 3) + b"\1\2\3"
SOF, SOS = segment(0xC0, FRAME), segment(0xDA, b"scan")
PIXELS = b"a\xff\0b\xff\xd0c\xff\xd7"
"""Coded pixels with a stuffed byte and restart markers."""
ICC = b"ICC_PROFILE\0"
WIDE = of_code_points(12, 13) or b""


def profile_of_size(size: int) -> bytes:
    """Return a profile of a size, padded with zeros."""
    return struct.pack(">I", size) + WIDE[4:].ljust(size - 4, b"\0")


def jpeg_of(*segments: bytes, end: bytes = SOF + SOS + PIXELS + END) -> bytes:
    return START + b"".join(segments) + end


def kept(*segments: bytes, end: bytes = SOF + SOS + PIXELS + END) -> bytes:
    return jpeg.read(jpeg_of(*segments, end=end)).data


def no_jpeg(data: bytes) -> str:
    with pytest.raises(NoPicture) as caught:
        jpeg.read(data)
    return str(caught.value)


def no_png(*parts: bytes) -> str:
    with pytest.raises(NoPicture) as caught:
        png.read(PNG_SIGNATURE + b"".join(parts))
    return str(caught.value)


# PNG


def test_of_a_png_the_picture_is_kept() -> None:
    profile = chunk(b"iCCP", b"name\0\0" + zlib.compress(WIDE))
    palette = [chunk(b"PLTE", b"abc"), chunk(b"tRNS", b"\x7f")]
    others = [chunk(b"tEXt", b"secret"), chunk(b"gAMA", b"1"), chunk(b"eXIf", exif(6)[6:])]
    pixels = [chunk(b"IDAT", b"one"), chunk(b"IDAT"), chunk(b"IDAT", b"two")]
    head = header(40, 30, 4, 3)

    read = png.read(b"".join([PNG_SIGNATURE, head, profile, *palette, *others, *pixels, chunk(b"IEND"), b"more"]))

    body = b"".join([PNG_SIGNATURE, head, *palette, chunk(b"IDAT", b"onetwo"), chunk(b"IEND")])
    assert read == Picture("PNG", 40, 30, 4, body, 6, WIDE)
    assert png.read(png_of(header(1, 2, 16), b"")).upright_size == (1, 2)
    large = png.read(png_of(header(2**32 - 1, 2**31, 255), b""))
    assert (large.width, large.height, large.depth) == (2**32 - 1, 2**31, 255)


ORDER, UNKNOWN = "its chunks are out of order", "a chunk is of an unknown type"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], ORDER),
        ([chunk(b"IHDR")], "its header is broken"),
        ([chunk(b"IHDR", b"\0" * 12)], "its header is broken"),
        ([chunk(b"IHDR", b"\0" * 14)], "its header is broken"),
        ([chunk(b"IDAT")], ORDER),
        ([header(1, 1), header(1, 1)], ORDER),
        ([header(1, 1, 8, 3), chunk(b"IDAT"), chunk(b"PLTE", b"abc")], ORDER),
        ([header(1, 1, 8, 3), chunk(b"PLTE", b"abc"), chunk(b"PLTE", b"abc")], ORDER),
        ([header(1, 1), chunk(b"EVIL")], UNKNOWN),
        ([header(1, 1), chunk(b"EviL")], UNKNOWN),
        ([header(1, 1), chunk(b"EV1L")], "a chunk has no valid type"),
        ([header(1, 1), chunk(b"IDAT")[:-1] + b"x"], "a checksum is wrong"),
        ([header(1, 1), chunk(b"EviL")[:-1] + b"x"], "a checksum is wrong"),
        ([header(1, 1), *[chunk(b"IDAT")] * png.MAX_CHUNKS], "it has too many chunks (max=100000)"),
    ],
)
def test_what_is_no_png(parts: list[bytes], said: str) -> None:
    assert no_png(*parts, chunk(b"IEND")) == f"is not a valid png: {said}"


@pytest.mark.parametrize("kind", [b"tEXt", b"tRNS", b"iCCP", b"eXIf", b"gAMA", b"pHYs"])
def test_an_ancillary_chunk_with_a_wrong_checksum_is_left_out(kind: bytes) -> None:
    broken = chunk(kind, b"content")[:-1] + b"x"
    assert png.read(png_of(header(1, 1), b"\0", [broken])) == png.read(png_of(header(1, 1), b"\0"))


def test_the_checksum_of_the_end_is_of_no_use() -> None:
    whole = png_of(header(1, 1), b"\0")
    assert png.read(whole[:-1] + b"x").data == whole


BEFORE = [chunk(b"eXIf", exif(6)[6:]), chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"tRNS", bytes(6))]


def test_what_describes_the_pixels_stands_before_them_and_the_first_holds() -> None:
    plain, described = png_of(header(1, 1), b"\0"), png_of(header(1, 1), b"\0", BEFORE)
    assert png.read(described) != png.read(plain)
    assert png.read(png_of(header(1, 1), b"\0", after=BEFORE)) == png.read(plain)
    others = [chunk(b"eXIf", exif(3)[6:]), chunk(b"gAMA", struct.pack(">I", 50_000)), chunk(b"tRNS", b"\1" * 6)]
    assert png.read(png_of(header(1, 1), b"\0", [*BEFORE, *others])) == png.read(described)


@pytest.mark.parametrize(
    ("depth", "colour", "sent", "left"),
    [
        (8, 0, b"\0\7", b"\0\7"),
        (8, 0, b"\1\7", b"\0\7"),
        (1, 0, b"\0\7", b"\0\1"),
        (16, 0, b"\1\7", b"\1\7"),
        (8, 0, b"\7", b""),
        (8, 0, b"\0\7x", b"\0\7"),
        (8, 2, b"\1\2\3\4\5\6", b"\0\2\0\4\0\6"),
        (8, 2, b"\0" * 5, b""),
        (8, 4, b"\0\7", b""),
        (8, 6, b"\0" * 6, b""),
    ],
)
def test_transparency_that_does_not_fit_the_pixels_is_left_out(
    depth: int, colour: int, sent: bytes, left: bytes
) -> None:
    head = header(1, 1, depth, colour)
    kept = [chunk(b"tRNS", left)] if left else []
    assert png.read(png_of(head, b"\0", [chunk(b"tRNS", sent)])).data == png_of(head, b"\0", kept)


def test_transparency_of_a_palette_stands_behind_it() -> None:
    head, palette, clear = header(1, 1, 8, 3), chunk(b"PLTE", b"abc"), chunk(b"tRNS", b"\7")
    assert png.read(png_of(head, b"\0", [palette, clear])).data == png_of(head, b"\0", [palette, clear])
    assert png.read(png_of(head, b"\0", [clear, palette])).data == png_of(head, b"\0", [palette])


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_a_palette_without_use_is_left_out(colour: int) -> None:
    head, palette = header(1, 1, 8, colour), chunk(b"PLTE", b"abc")
    assert png.read(png_of(head, b"\0", [palette, palette], [palette])).data == png_of(head, b"\0")


def test_a_png_ends_with_its_last_chunk() -> None:
    whole = png_of(header(1, 1), b"\0")
    assert png.read(whole).data == whole
    body = whole.removeprefix(PNG_SIGNATURE)
    for end in range(len(body)):
        assert no_png(body[:end]) == "is truncated"
    assert no_png(b"\xff\xff\xff\xff", body[4:]) == "is truncated"


@pytest.mark.parametrize(("size", "there"), [(MAX_PROFILE, True), (MAX_PROFILE + 1, False)])
def test_a_profile_of_four_million_bytes_is_the_largest(size: int, there: bool) -> None:
    profile = profile_of_size(size)
    packed = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))
    most = 65_519
    parts = [profile[place : place + most] for place in range(0, size, most)]
    numbered = [segment(0xE2, ICC + bytes([turn + 1, len(parts)]) + part) for turn, part in enumerate(parts)]

    assert png.read(png_of(header(1, 1), b"", [packed])).profile == (WIDE if there else None)
    assert jpeg.read(jpeg_of(*numbered)).profile == (WIDE if there else None)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"name",
        b"name\0",
        b"name\0\0nonsense",
        b"name\0\0" + zlib.compress(b"p" * 999),
        b"name\0\0" + zlib.compress(WIDE)[:-1],
        b"name\0\1" + zlib.compress(WIDE),
        b"\0\0" + zlib.compress(WIDE),
    ],
)
def test_a_broken_profile_is_none(broken: bytes) -> None:
    assert png.read(png_of(header(1, 1), b"", [chunk(b"iCCP", broken)])).profile is None


# JPEG


def test_of_a_jpeg_the_picture_is_kept() -> None:
    tables = [segment(marker, b"table") for marker in (0xDB, 0xC4, 0xDD, 0xCC)]
    others = [segment(marker, b"secret") for marker in (0xE0, 0xEE, 0xE5, 0xFE, 0xE1)]
    about = [segment(0xE0, b"JFIF\0" + b"x" * 20), segment(0xEE, b"Adobe" + b"y" * 20)]
    short = [segment(0xE0, b"JFIF\0" + b"x" * 9), segment(0xEE, b"Adobe" + b"y" * 9)]
    orientation = segment(0xE1, b"Exif\0\0" + exif(8)[6:])

    # A wrong prefix, or a segment that is not read.
    wrong = [segment(marker, name + exif(3)[6:]) for marker, name in ((0xE1, b"Exif\0x"), (0xE5, b"Exif\0\0"))]

    read = jpeg.read(jpeg_of(*about, *about, *wrong, orientation, *others, *tables) + b"more")

    assert read == Picture("JPEG", 40, 30, 8, jpeg_of(*short, *tables), 8, None)
    assert read.upright_size == (30, 40)


def test_the_first_of_two_orientations_holds() -> None:
    parts = [segment(0xE1, b"Exif\0\0" + exif(turn)[6:]) for turn in (5, 1)]
    read = jpeg.read(jpeg_of(*parts))
    assert (read.orientation, read.upright_size) == (5, (30, 40))


@pytest.mark.parametrize(
    "content",
    [
        (0xE0, b"JFIF\0".ljust(14)),
        (0xEE, b"Adobe".ljust(14)),
        (0xE1, b"Exif\0\0" + exif(6)[6:]),
        (0xE2, ICC + b"\1\1" + WIDE),
    ],
)
def test_what_describes_a_picture_stands_before_its_pixels(content: tuple[int, bytes]) -> None:
    described = segment(*content)
    plain = jpeg.read(jpeg_of())
    assert jpeg.read(jpeg_of(described)) == jpeg.read(jpeg_of(SOF, described, end=SOS + PIXELS + END)) != plain
    assert jpeg.read(jpeg_of(end=SOF + SOS + PIXELS + described + END)) == plain


def test_the_last_word_on_how_colours_are_coded_holds() -> None:
    first, last = (segment(0xEE, b"Adobe" + each * 9) for each in (b"x", b"y"))
    assert kept(first, last) == kept(last) != kept(first)


def in_parts(*parts: tuple[bytes, bytes]) -> bytes | None:
    """Return the profile of a jpeg with these parts of a profile, each with its numbers."""
    return jpeg.read(jpeg_of(*(segment(0xE2, ICC + numbers + part) for numbers, part in parts))).profile


def test_a_profile_is_put_together_by_its_numbers() -> None:
    one, two = WIDE[:200], WIDE[200:]
    assert in_parts((b"\1\1", WIDE)) == WIDE
    assert in_parts((b"\1\2", one), (b"\2\2", two)) == in_parts((b"\2\2", two), (b"\1\2", one)) == WIDE
    for parts in (
        [(b"\1\2", WIDE)],
        [(b"\2\1", WIDE)],
        [(b"\0\1", WIDE)],
        [(b"\1\0", WIDE)],
        [(b"\1\2", one), (b"\2\3", two)],
        [(b"\1\3", one), (b"\2\3", two)],
        [(b"\0\2", one), (b"\1\2", two)],
        [(b"\1\2", one), (b"\1\2", one), (b"\2\2", two)],
        [(b"", b"")],
        [(b"\1", b"")],
    ):
        assert in_parts(*parts) is None
    others = segment(0xE2, b"NO_PROFILE.\0\1\1" + WIDE), segment(0xE5, ICC + b"\1\1" + WIDE)
    for other in others:
        assert jpeg.read(jpeg_of(other)).profile is None


@pytest.mark.parametrize("samples", [1, 3, 4])
def test_a_profile_fits_the_samples_of_a_picture(samples: int) -> None:
    frame = segment(0xC0, struct.pack(">BHHB", 8, 30, 40, samples))
    read = jpeg.read(jpeg_of(segment(0xE2, ICC + b"\1\1" + WIDE), end=frame + SOS + PIXELS + END))
    assert read.profile == (None if samples == 4 else WIDE)


@pytest.mark.parametrize("junk", [b"x", b"\0" * 999, b"\xff\0", b"a\xff\0b", b"\xff\x01", b"\xff\xd0", b"\xff\xd7x"])
def test_junk_between_segments_is_left_out(junk: bytes) -> None:
    assert kept(junk, segment(0xDB, b"t"), junk, junk) == kept(segment(0xDB, b"t"))


@pytest.mark.parametrize("length", [b"\0\0", b"\0\1"])
@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xEE, 0xFE, 0xDC])
def test_a_segment_that_is_shorter_than_can_be_is_empty(marker: int, length: bytes) -> None:
    assert kept(bytes([0xFF, marker]) + length) == kept()


@pytest.mark.parametrize(
    ("marker", "name", "least"), [(0xE0, b"JFIF\0", 14), (0xEE, b"Adobe", 12)], ids=["JFIF", "Adobe"]
)
def test_a_segment_that_is_too_short_to_tell_of_colours_is_left_out(marker: int, name: bytes, least: int) -> None:
    for size in range(len(name), least):
        assert kept(segment(marker, name.ljust(size, b"x"))) == kept()
    whole = segment(marker, name.ljust(least, b"x"))
    assert kept(segment(marker, name), whole) == kept(whole) == jpeg_of(whole)


def test_fill_bytes_before_a_marker_are_passed_over() -> None:
    filled = b"\xff\xff" + segment(0xDB, b"t")
    assert kept(filled) == kept(segment(0xDB, b"t"))
    assert kept(end=SOF + SOS + b"a\xff" + END) == kept(end=SOF + SOS + b"a" + END)


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC9, 0xCA])
def test_frames_that_are_shown(marker: int) -> None:
    data = jpeg_of(segment(marker, FRAME), end=SOS + PIXELS + END)
    assert jpeg.read(data).data == data


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC8, 0xCB, 0xCF])
def test_frames_that_nobody_shows(marker: int) -> None:
    assert no_jpeg(jpeg_of(segment(marker, FRAME))) == "is a jpeg of a kind that is not supported"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (jpeg_of(SOF), "it has more than one frame"),
        (jpeg_of(end=SOF + END), "it has no picture"),
        (jpeg_of(end=SOS + END), "it has no picture"),
        (jpeg_of(segment(0xC0, FRAME[:5]), end=SOS + END), "it has no picture"),
        (START + b"xy", "a marker is missing"),
        (START + b"\xff\xc0\0\1", "a segment is too short"),
        (jpeg_of(START), "a marker is in the wrong place"),
        *((jpeg_of(bytes([0xFF, marker, 0, 1])), "a segment is too short") for marker in (0xC0, 0xC4, 0xDA, 0xDB)),
        (jpeg_of(*[segment(0xFE, b"")] * jpeg.MAX_SEGMENTS), "it has too many segments (max=4096)"),
    ],
)
def test_what_is_no_jpeg(data: bytes, said: str) -> None:
    assert no_jpeg(data) == f"is not a valid jpeg: {said}"


def test_a_frame_of_six_bytes_and_an_empty_segment_are_enough() -> None:
    data = jpeg_of(segment(0xDB, b""), segment(0xC0, FRAME[:6]), end=SOS + END)
    assert jpeg.read(data).data == data


def test_a_jpeg_ends_with_its_last_marker() -> None:
    whole = jpeg_of(segment(0xDB, b"t"))
    for end in range(2, len(whole)):
        assert no_jpeg(whole[:end]) == "is truncated"
    assert no_jpeg(jpeg_of(end=SOF + SOS + b"a\xff\xff")) == "is truncated"


def test_scans_after_a_comment_are_kept() -> None:
    assert kept(end=SOF + SOS + PIXELS + segment(0xFE, b"text") + SOS + PIXELS + END) == jpeg_of(
        end=SOF + (SOS + PIXELS) * 2 + END
    )


def test_a_side_has_16_bits() -> None:
    read = jpeg.read(jpeg_of(end=segment(0xC0, struct.pack(">BHHB", 12, 65_500, 40_000, 1)) + SOS + END))
    assert (read.width, read.height, read.depth) == (40_000, 65_500, 12)


@pytest.mark.parametrize("more", [0, 1])
def test_64_scans_are_the_most(more: int) -> None:
    data = jpeg_of(end=SOF + (SOS + b"a") * (jpeg.MAX_SCANS + more) + END)
    if more:
        assert no_jpeg(data) == "is a jpeg with too many scans (max=64)"
    else:
        assert jpeg.read(data).data == data


# Orientation


def tiff(*entries: tuple[int, int, int, int], order: str = "<", start: int = 8) -> bytes:
    """Return a TIFF structure whose first directory has these entries, as Exif writes them."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    listed = b"".join(struct.pack(f"{order}HHIH2x", *entry) for entry in entries)
    return head.ljust(start, b"\0") + struct.pack(f"{order}H", len(entries)) + listed


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("value", "read"), [(0, 1), (1, 1), (2, 2), (8, 8), (9, 1)])
def test_an_orientation_wherever_it_stands(order: str, value: int, read: int) -> None:
    other = (0x010E, 3, 1, 5)
    for entries in ([(0x0112, 3, 1, value)], [other, (0x0112, 3, 1, value), (0x0112, 3, 1, 7)]):
        assert orientation_of(tiff(*entries, order=order, start=20)) == read


@pytest.mark.parametrize("entry", [(0x0113, 3, 1, 6), (0x0112, 4, 1, 6), (0x0112, 3, 2, 6)])
def test_other_entries_are_no_orientation(entry: tuple[int, int, int, int]) -> None:
    assert orientation_of(tiff(entry)) == 1
    # Data after the last entry is not an entry.
    assert orientation_of(tiff(entry) + tiff((0x0112, 3, 1, 6))[10:]) == 1


def test_an_orientation_that_is_cut_off_is_none() -> None:
    whole = tiff((0x0112, 3, 1, 6))
    assert [orientation_of(whole[:end]) for end in (len(whole), len(whole) - 2)] == [6, 6]
    assert {orientation_of(whole[:end]) for end in range(len(whole) - 2)} == {1}
    assert orientation_of(b"II*\1" + whole[4:]) == 1


@given(
    st.binary(max_size=64), st.sampled_from([b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08\xff\xff"])
)
def test_an_orientation_is_from_1_to_8_whatever_is_read(data, beginning):
    assert 1 <= orientation_of(beginning + data) <= 8


# Renditions


@given(st.integers(1, 70_000), st.integers(1, 70_000), st.integers(1, 1024))
def test_a_picture_fits_and_keeps_its_shape(width, height, edge):
    across, down = fitted(width, height, edge)
    assert max(across, down) == min(edge, max(width, height))
    assert 1 <= across <= width
    assert 1 <= down <= height
    assert abs(across * height - down * width) <= max(width, height)


@pytest.mark.parametrize(
    ("size", "made"),
    [
        ((180, 1), (180, 1)),
        ((181, 361), (90, 180)),
        ((360, 3), (180, 2)),
        ((361, 1), (180, 1)),
        ((720, 1), (180, 1)),
    ],
)
def test_half_a_pixel_is_a_whole_one_and_none_is_less_than_one(size: tuple[int, int], made: tuple[int, int]) -> None:
    assert fitted(*size, 180) == made
    assert fitted(size[1], size[0], 180) == (made[1], made[0])


def test_keys_name_the_content() -> None:
    jpeg, other, png = (
        image_key("feeds/42-a_B", Rendition("large", body, media_type, 1, 1))
        for body, media_type in ((b"a", "image/jpeg"), (b"b", "image/jpeg"), (b"a", "image/png"))
    )
    # SHA-256 of "a" begins with these digits.
    assert jpeg == "images/feeds/42-a_B/ca978112ca1bbdcafac231b39a23dc4d.jpg"
    assert png == jpeg.replace(".jpg", ".png")
    assert other != jpeg
    assert all(map(is_key, (jpeg, other, png)))


@pytest.mark.parametrize(
    "text",
    [
        "answers/f/0123456789abcdef0123456789abcdef.jpg",
        "images/0123456789abcdef0123456789abcdef.jpg",
        "images//0123456789abcdef0123456789abcdef.jpg",
        "images/../0123456789abcdef0123456789abcdef.jpg",
        "images/f/0123456789abcdef0123456789abcdef.gif",
        "images/f/0123456789abcdef0123456789abcdef.jpg\n",
        "images/f/0123456789ABCDEF0123456789ABCDEF.jpg",
        "images/f/0123.jpg",
        "images/f/0123456789abcdef0123456789abcdef.jpg?x",
    ],
)
def test_what_is_no_key(text):
    assert not is_key(text)
    assert is_key("images/f/0123456789abcdef0123456789abcdef.jpg")
