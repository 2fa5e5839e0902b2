"""Colour profiles are reduced to their simple parts, whatever else they contain."""

from __future__ import annotations

import io
import random
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from chalicelib.core.imaging import colour_profile, png
from chalicelib.core.imaging.colour_profile import CMYK, GREY, MAX_CURVE, MAX_TABLE, MAX_TAGS, RGB, simple
from tests.kit.pictures import chunk, encoded, header, png_of
from tests.kit.profiles import CURVE, MATRIX, XYZ, profile_of, table

ROOT = Path(__file__).parents[2]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def converted(profile: bytes, *colours: tuple[int, ...], mode: str = "RGB") -> list[tuple[int, ...]]:
    """Return the colours in sRGB."""
    image = Image.frombytes(mode, (len(colours), 1), bytes(sample for colour in colours for sample in colour))
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert made
    return [made.getpixel((place, 0)) for place in range(len(colours))]  # type: ignore[misc]


COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (10, 100, 200), (128, 128, 128), (0, 0, 0)]


def test_a_simple_profile_means_the_same_as_the_whole_one() -> None:
    made = simple(SRGB, RGB)
    assert made
    assert len(made) < len(SRGB)
    assert converted(made, *COLOURS) == COLOURS
    assert simple(made, RGB) == made


@pytest.mark.parametrize("missing", MATRIX)
def test_a_profile_without_one_of_its_tags_is_none(missing: bytes) -> None:
    assert simple(profile_of(MATRIX), RGB)
    assert simple(profile_of({name: tag for name, tag in MATRIX.items() if name != missing}), RGB) is None


@pytest.mark.parametrize(
    ("name", "tag", "taken"),
    [
        (b"rTRC", b"curv" + struct.pack(">II", 0, 0), True),
        (b"rTRC", b"curv" + struct.pack(">II", 0, MAX_CURVE) + bytes(2 * MAX_CURVE), True),
        (b"rTRC", b"curv" + struct.pack(">II", 0, MAX_CURVE + 1) + bytes(2 * MAX_CURVE + 2), False),
        (b"rTRC", b"curv" + struct.pack(">II", 0, 2) + b"\0\0\0", False),
        *((b"rTRC", b"para" + struct.pack(">IHH", 0, kind, 0) + bytes(4 * count), True)
          for kind, count in enumerate([1, 3, 4, 5, 7])),
        (b"rTRC", b"para" + struct.pack(">IHH", 0, 4, 0) + bytes(27), False),
        (b"rTRC", b"para" + struct.pack(">IHH", 0, 5, 0) + bytes(99), False),
        (b"rTRC", b"para" + struct.pack(">IHH", 0, 0xFFFF, 0) + bytes(99), False),
        (b"rTRC", b"curv" + struct.pack(">II", 0, 2**32 - 1) + bytes(99), False),
        (b"rTRC", b"mpet" + bytes(99), False),
        (b"rXYZ", XYZ[:-1], False),
        (b"rXYZ", b"Lab " + XYZ[4:], False),
    ],
)  # fmt: skip
def test_which_curves_and_colours_are_simple(name: bytes, tag: bytes, taken: bool) -> None:
    assert (simple(profile_of(MATRIX | {name: tag}), RGB) is not None) == taken


def test_other_tags_are_left_behind() -> None:
    evil = {name: b"mpet" + bytes(999) for name in (b"D2B0", b"A2B0", b"B2A0", b"gamt", b"desc", b"chad")}
    assert simple(profile_of(evil | MATRIX), RGB) == simple(profile_of(MATRIX), RGB)


def test_bytes_after_a_curve_or_colour_are_left_behind() -> None:
    assert simple(profile_of({name: tag + b"more" for name, tag in MATRIX.items()}), RGB) == simple(
        profile_of(MATRIX), RGB
    )


@pytest.mark.parametrize("kind", [b"mntr", b"scnr", b"prtr", b"spac"])
def test_devices_and_spaces_have_simple_profiles(kind: bytes) -> None:
    assert simple(profile_of(MATRIX, kind=kind), RGB) == simple(profile_of(MATRIX), RGB)


def test_a_profile_of_another_space_or_kind_is_none() -> None:
    assert simple(profile_of(MATRIX), GREY) is None
    assert simple(profile_of(MATRIX), CMYK) is None
    for kind in (b"link", b"abst", b"nmcl"):
        assert simple(profile_of(MATRIX, kind=kind), RGB) is None


@pytest.mark.parametrize(("count", "taken"), [(MAX_TAGS, True), (MAX_TAGS + 1, False)])
def test_a_profile_has_200_tags_at_the_most(count: int, taken: bool) -> None:
    more = {b"x%03d" % turn: b"" for turn in range(count - len(MATRIX))}
    assert (simple(profile_of(MATRIX | more), RGB) is not None) == taken


def test_grey_has_a_curve() -> None:
    made = simple(profile_of({b"kTRC": CURVE}, GREY), GREY)
    assert made
    assert converted(made, (0,), (255,), mode="L") == [(0, 0, 0), (255, 255, 255)]
    assert simple(profile_of({b"gTRC": CURVE}, GREY), GREY) is None


@pytest.mark.parametrize(("space", "inks"), [(CMYK, 4), (RGB, 3)])
@pytest.mark.parametrize("kind", [b"mft1", b"mft2"])
def test_a_table_has_a_fixed_layout(kind: bytes, space: bytes, inks: int) -> None:
    def taken(tag: bytes, name: bytes = b"A2B0") -> bool:
        return simple(profile_of({name: tag}, space, b"prtr"), space) is not None

    good = table(kind=kind, inks=inks)
    assert taken(good)
    assert taken(good, b"A2B1")
    assert not taken(good, b"B2A0")
    for broken in (
        good[:-1],
        table(kind=kind, steps=1, inks=inks),
        table(kind=kind, inks=7 - inks),
        good[:9] + b"\4" + good[10:],
        b"mAB " + good[4:],
        good.ljust(MAX_TABLE + 1, b"\0"),
        b"",
    ):
        assert not taken(broken)
    assert taken(good.ljust(MAX_TABLE, b"\0"))


@pytest.mark.parametrize("entries", [(1, 2), (2, 1), (MAX_CURVE + 1, 2), (2, MAX_CURVE + 1)])
def test_the_curves_of_a_table_are_bounded(entries: tuple[int, int]) -> None:
    good = table(kind=b"mft2", inks=3).ljust(60_000, b"\0")
    assert simple(profile_of({b"A2B0": good}, RGB), RGB)
    other = good[:48] + struct.pack(">HH", *entries) + good[52:]
    assert simple(profile_of({b"A2B0": other}, RGB), RGB) is None


INKS = bytes(
    sample
    for c, m, y, k in product((0, 1), repeat=4)
    for sample in (250 - 60 * c - 40 * m - 10 * y - 90 * k, 128 - 20 * c + 50 * m, 128 - 30 * c + 60 * y)
)
"""A table in Lab: the colour of each pair of inks."""


def test_a_table_means_the_same_as_in_the_whole_profile() -> None:
    whole = profile_of({b"A2B0": table(values=INKS), b"desc": b"text"}, CMYK, b"prtr", b"Lab ")
    made = simple(whole, CMYK)
    assert made
    assert made != whole
    inks = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (30, 200, 90, 10)]
    assert converted(made, *inks, mode="CMYK") == converted(whole, *inks, mode="CMYK")
    assert simple(made, CMYK) == made


def test_a_table_stands_above_primaries_and_curves() -> None:
    alone = simple(profile_of({b"A2B0": table(inks=3)}), RGB)
    assert simple(profile_of(MATRIX | {b"A2B0": table(inks=3)}), RGB) == alone != simple(profile_of(MATRIX), RGB)
    assert simple(profile_of(MATRIX | {b"A2B0": b"mAB " + bytes(99)}), RGB) == simple(profile_of(MATRIX), RGB)


def test_a_profile_is_whole_and_of_a_known_version() -> None:
    good = profile_of(MATRIX)
    assert simple(good + b"more", RGB) == simple(good, RGB)
    for length in (len(good) + 1, 2**32 - 1):
        assert simple(struct.pack(">I", length) + good[4:], RGB) is None
    assert simple(profile_of({}), RGB) is None
    assert simple(bytes(4) + good[4 : 128 + 4 + 12 * len(MATRIX) - 1], RGB) is None
    # An offset is no count from the end.
    place = 128 + 4 + 12 * (len(MATRIX) - 1) + 4
    assert simple(good[:place] + struct.pack(">i", -4 - len(CURVE)) + good[place + 4 :] + b"more", RGB) is None
    assert simple(good[:8] + b"\2" + good[9:], RGB)
    assert simple(good[:8] + b"\5" + good[9:], RGB) is None
    assert simple(good[:20] + b"Luv " + good[24:], RGB)
    assert simple(profile_of({b"A2B0": table()}, CMYK, b"prtr", b"Luv "), CMYK) is None


@given(st.binary(max_size=400), st.sampled_from([RGB, GREY, CMYK]))
def test_whatever_a_profile_is_it_is_read_or_none(rest: bytes, space: bytes) -> None:
    head = bytes(12) + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(88)
    made = simple(head + rest, space)
    assert made is None or simple(made, space) == made


# Colours that a png names without a profile


def test_code_points_of_srgb_change_nothing() -> None:
    made = colour_profile.of_code_points(1, 13)
    assert made
    assert converted(made, *COLOURS) == COLOURS


def test_a_wider_space_makes_colours_stronger() -> None:
    [(red, green, blue)] = converted(colour_profile.of_code_points(12, 13) or b"", (100, 150, 200))
    assert red < 100
    assert abs(green - 151) <= 2
    assert blue > 200


@pytest.mark.parametrize("points", [(1, 16), (1, 18), (2, 13), (0, 0), (255, 255)])
def test_unknown_code_points_are_none(points: tuple[int, int]) -> None:
    assert colour_profile.of_code_points(*points) is None


@pytest.mark.parametrize("place", [(0.3, 0.0), (0.3, 0.00001), (1.01, 0.3), (0.3, 1.01)])
def test_primaries_that_span_no_space_are_none(place: tuple[float, float]) -> None:
    white, red, green, blue = (0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)
    assert colour_profile.of_chromaticities(white, red, green, blue, (2.2,))
    assert colour_profile.of_chromaticities(place, red, green, blue, (2.2,)) is None
    assert colour_profile.of_chromaticities(white, place, green, blue, (2.2,)) is None
    assert colour_profile.of_chromaticities(white, red, red, blue, (2.2,)) is None


def test_the_smallest_and_largest_places_and_a_narrow_space_are_taken() -> None:
    white, green, blue = (0.3127, 0.329), (0.3, 0.6), (0.15, 0.06)
    assert colour_profile.of_chromaticities(white, (1, 0.3), green, blue, (2.2,))
    assert colour_profile.of_chromaticities(white, (0, 0.5), green, blue, (2.2,))
    assert colour_profile.of_chromaticities(white, (0.4, 0.33), (0.3, 0.4), (0.25, 0.25), (2.2,))
    # A primary of 8.3 is too strong.
    assert colour_profile.of_chromaticities((0.26, 0.85), (0.67, 0.11), (0.02, 0.04), (0.76, 0.27), (2.2,)) is None


def test_the_bytes_of_a_written_profile() -> None:
    light = "0000f6d6000100000000d32d"
    directory = "".join(
        name.encode().hex() + f"{start:08x}{size:08x}"
        for name, start, size in (
            ("wtpt", 216, 20), ("rXYZ", 236, 20), ("gXYZ", 256, 20), ("bXYZ", 276, 20),
            ("rTRC", 296, 16), ("gTRC", 312, 16), ("bTRC", 328, 16),
        )
    )  # fmt: skip
    colours = ("00006fa0000038f500000390", "000062970000b787000018d9", "0000249f00000f840000b6c3")
    expected = (
        "0000015800000000042000006d6e74725247422058595a2007ea000100010000000000006163737000".ljust(136, "0")
        + light.ljust(120, "0")
        + "00000007"
        + directory
        + "".join("58595a2000000000" + each for each in (light, *colours))
        + "70617261000000000000000000023333" * 3
    )
    made = colour_profile.of_chromaticities((0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06), (2.2,))
    assert made == bytes.fromhex(expected)


def test_a_written_table_is_padded_and_names_its_kind() -> None:
    made = simple(profile_of({b"A2B0": table() + b"x"}, CMYK), CMYK) or b""
    assert made[12:16] == b"prtr"
    assert len(made) % 4 == 0
    assert simple(profile_of({b"kTRC": CURVE}, CMYK), CMYK) is None
    assert colour_profile.fitting(made, 2) is None


@pytest.mark.parametrize("entries", [(MAX_CURVE, 2), (2, MAX_CURVE)])
def test_the_longest_curves_of_a_table_are_taken(entries: tuple[int, int]) -> None:
    good = table(kind=b"mft2", inks=3).ljust(60_000, b"\0")
    other = good[:48] + struct.pack(">HH", *entries) + good[52:]
    assert simple(profile_of({b"A2B0": other}, RGB), RGB)


def named(*chunks: bytes, colour: int = 2) -> bytes | None:
    return png.read(png_of(header(1, 1, 8, colour), b"\0\0\0\0", chunks)).profile


def test_what_a_png_says_of_its_colours_by_order_of_strength() -> None:
    gamma, dark = chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"gAMA", struct.pack(">I", 40_000))
    primaries = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000))
    p3 = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000))
    srgb, wide = chunk(b"sRGB", b"\0"), chunk(b"cICP", b"\x0c\x0d\0\1")
    embedded = chunk(b"iCCP", b"p\0\0" + zlib.compress(SRGB))

    inside, named_wide = simple(SRGB, RGB), colour_profile.of_code_points(12, 13)

    assert named(primaries) is None
    assert named(gamma) is named(gamma, primaries) is None
    both = named(dark, primaries)
    assert both
    assert both == named(dark) == named(dark, chunk(b"cHRM", bytes(31)))
    assert named(gamma, p3) not in {None, both}
    assert named(dark, primaries, srgb) is None
    assert named(dark, primaries, srgb, embedded) == inside
    assert named(dark, primaries, srgb, embedded, wide) == named_wide
    # A source without usable information is skipped for the next one.
    for useless in (b"\x0c\x0d\0\0", b"\x0c\x0d\1\1", b"\x09\x10\0\1", b"\2\2\0\1", b"\x0c\x0d\0\1\0", b""):
        assert named(dark, primaries, embedded, chunk(b"cICP", useless)) == inside
    for useless in (b"x" * 999, profile_of({b"kTRC": CURVE}, GREY)):
        assert named(dark, chunk(b"iCCP", b"p\0\0" + zlib.compress(useless))) == both
    assert named(dark, primaries, colour=0) == both
    assert named(embedded, colour=0) == inside
    assert named(wide, colour=0) == named_wide
    grey = profile_of({b"kTRC": CURVE}, GREY)
    assert named(chunk(b"iCCP", b"p\0\0" + zlib.compress(grey)), colour=0) == simple(grey, GREY)
    places = (0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)
    assert named(dark, p3) == colour_profile.of_chromaticities(*places, (2.5,))
    for limit in (1_000, 1_000_000):
        assert named(chunk(b"gAMA", struct.pack(">I", limit)), primaries)
    for broken in (b"", struct.pack(">I", 0), struct.pack(">I", 999), struct.pack(">I", 1_000_001)):
        assert named(chunk(b"gAMA", broken), primaries) is None


# Hostile profiles


def picture_with(profile: bytes, mode: str = "RGB") -> bytes:
    """Return a small image with a profile: a jpeg for CMYK, else a png."""
    if mode == "CMYK":
        return encoded(Image.new(mode, (9, 9), (30, 200, 90, 10)), "JPEG", icc_profile=profile)
    packed = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile, 9))
    samples, kind = (1, 0) if mode == "L" else (3, 2)
    return png_of(header(9, 9, 8, kind), (b"\0" + b"\x55" * 9 * samples) * 9, [packed])


def hostile() -> dict[str, bytes]:
    """Return files by description; their profiles would keep a library busy, or are as large as allowed."""
    element = b"curf" + struct.pack(">IHH", 0, 1, 0) + b"parf" + struct.pack(">IHH4f", 0, 0, 0, 1, 1, 0, 0)
    cvst = b"cvst" + struct.pack(">IHH", 0, 3, 3) + struct.pack(">6I", *[36, len(element)] * 3) + element
    count = 200_000
    chain = (
        b"mpet" + struct.pack(">IHHI", 0, 3, 3, count) + struct.pack(">2I", 16 + 8 * count, len(cvst)) * count + cvst
    )
    other = b"mAB " + struct.pack(">I4B5I", 0, 3, 3, 0, 0, 32, 32, 32, 32, 32) + bytes(1_000_000)
    steps = table()[:10] + b"\xff" + table()[11:]
    curve = b"curv" + struct.pack(">II", 0, MAX_CURVE) + b"\0\xff" * MAX_CURVE
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return {
        "one element many times": picture_with(profile_of(MATRIX | {b"D2B0": chain})),
        "a chain in place of a table": picture_with(profile_of({b"A2B0": chain})),
        "a large table of another layout": picture_with(profile_of({b"A2B0": other})),
        "many tags": picture_with(profile_of(dict.fromkeys((b"%04d" % turn for turn in range(2_000)), b"x"))),
        "a table of 255 steps": picture_with(profile_of({b"A2B0": steps}, CMYK, b"prtr"), "CMYK"),
        "the largest table of three": picture_with(profile_of({b"A2B0": table(69, b"mft2", 3)})),
        "the largest table of inks": picture_with(profile_of({b"A2B0": table(23, b"mft2")}, CMYK, b"prtr"), "CMYK"),
        "the longest curves": picture_with(profile_of(MATRIX | curves)),
    }


LIMITED = """
import resource, sys
from pathlib import Path
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin
from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.web.render_images import render

def used():
    return resource.getrusage(resource.RUSAGE_SELF)

files = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]
before = used().ru_maxrss
for data in files:
    so_far = used().ru_utime + used().ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (int(so_far) + 3, resource.RLIM_INFINITY))
    assert len(render(data, ImageBounds())) == 4
print(used().ru_maxrss - before)
"""


def render_within_limits(files: Iterable[bytes], directory: Path) -> None:
    """Render the files in a process; fail if one takes more than 3 seconds, or all add more than 60 MB of memory."""
    for turn, data in enumerate(files):
        assert len(data) < 5_000_000
        (directory / f"{turn:04}").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, directory],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000)),
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert int(done.stdout) * 1024 <= 60_000_000


@pytest.mark.parametrize("kind", hostile())
def test_a_hostile_profile_takes_little_time_and_memory(kind: str, tmp_path: Path) -> None:
    render_within_limits([hostile()[kind]], tmp_path)


def mutations() -> Iterator[bytes]:
    """Yield files with profiles of every accepted kind, with some bytes of each changed."""
    draw = random.Random(22)
    wholes = [
        ("RGB", SRGB),
        ("RGB", profile_of(MATRIX)),
        ("RGB", profile_of({b"A2B0": table(3, b"mft2", 3)}, connection=b"Lab ")),
        ("L", profile_of({b"kTRC": CURVE}, GREY)),
        ("CMYK", profile_of({b"A2B0": table(values=INKS)}, CMYK, b"prtr", b"Lab ")),
    ]
    for turn in range(500):
        mode, whole = wholes[turn % len(wholes)]
        changed = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            place = draw.choice([draw.randrange(128, 300), draw.randrange(len(whole))]) % len(whole)
            changed[place] = draw.choice([0, 1, 127, 128, 255, draw.randrange(256)])
        yield picture_with(bytes(changed), mode)


def test_whatever_is_changed_in_a_profile_the_picture_is_shown_at_little_cost(tmp_path: Path) -> None:
    render_within_limits(mutations(), tmp_path)


def test_a_curve_ends_with_its_last_entry() -> None:
    curve = b"curv" + struct.pack(">II3H", 0, 3, 0, 1000, 65_535)
    assert colour_profile._curve(curve + b"more") == curve
    assert colour_profile._curve(curve) == curve
    assert colour_profile._curve(curve[:-1]) == b""
