"""Colour profiles are cut down to what is simple, whatever else they hold."""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from chalicelib.core import colour_profile, png
from chalicelib.core.colour_profile import CMYK, GREY, MAX_CURVE, MAX_TAGS, RGB, simple
from tests.pictures import chunk, header, png_of

ROOT = Path(__file__).parents[2]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XYZ = b"XYZ \0\0\0\0" + struct.pack(">3i", 30_000, 20_000, 10_000)
CURVE = b"curv" + struct.pack(">IIH", 0, 1, 0x0233)
MATRIX = {b"rXYZ": XYZ, b"gXYZ": XYZ, b"bXYZ": XYZ, b"rTRC": CURVE, b"gTRC": CURVE, b"bTRC": CURVE}


def profile_of(tags: dict[bytes, bytes], space: bytes = RGB, kind: bytes = b"mntr") -> bytes:
    """A profile with tags, each with its own content."""
    start, directory, content = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        directory += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag
    head = struct.pack(">I4sI", start + len(content), b"", 0x04200000) + kind + space + b"XYZ "
    return head.ljust(36, b"\0").ljust(36) + b"acsp".ljust(92, b"\0") + directory + content


def converted(profile: bytes, *colours: tuple[int, ...], mode: str = "RGB") -> list[tuple[int, ...]]:
    """The colours in sRGB."""
    image = Image.new(mode, (len(colours), 1))
    image.putdata([each[0] if mode == "L" else each for each in colours])
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


def table(steps: int = 2, kind: bytes = b"mft1", inks: int = 4) -> bytes:
    """A table from inks to three values, all of them nothing."""
    head = kind + bytes(4) + bytes([inks, 3, steps, 0]) + bytes(36)
    if kind == b"mft1":
        return head + bytes(256 * inks + steps**inks * 3 + 256 * 3)
    return head + struct.pack(">HH", 2, 2) + bytes(2 * (2 * inks + steps**inks * 3 + 2 * 3))


@pytest.mark.parametrize("kind", [b"mft1", b"mft2"])
def test_inks_have_a_table_of_a_fixed_layout(kind: bytes) -> None:
    assert simple(profile_of({b"A2B0": table(kind=kind)}, CMYK, b"prtr"), CMYK)
    for broken in (table(kind=kind)[:-1], table(kind=kind, steps=1), table(kind=kind, inks=3), b"mAB " + bytes(9999)):
        assert simple(profile_of({b"A2B0": broken}, CMYK, b"prtr"), CMYK) is None


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


@pytest.mark.parametrize("place", [(0.3, 0.0), (0.3, 0.00001)])
def test_primaries_that_span_no_space_are_none(place: tuple[float, float]) -> None:
    white, red, green, blue = (0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)
    assert colour_profile.of_chromaticities(white, red, green, blue, (2.2,))
    assert colour_profile.of_chromaticities(place, red, green, blue, (2.2,)) is None
    assert colour_profile.of_chromaticities(white, place, green, blue, (2.2,)) is None
    assert colour_profile.of_chromaticities(white, red, red, blue, (2.2,)) is None


def named(*chunks: bytes, colour: int = 2) -> bytes | None:
    return png.read(png_of(header(1, 1, 8, colour), b"\0\0\0\0", chunks)).profile


def test_what_a_png_says_of_its_colours_by_order_of_strength() -> None:
    gamma = chunk(b"gAMA", struct.pack(">I", 45_455))
    primaries = chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000))
    srgb, wide = chunk(b"sRGB", b"\0"), chunk(b"cICP", b"\x0c\x0d\0\1")
    embedded = chunk(b"iCCP", b"p\0\0" + zlib.compress(SRGB))

    assert named(primaries) is None
    both = named(gamma, primaries)
    assert both == named(gamma)
    assert both
    assert named(gamma, primaries, srgb) is None
    assert named(gamma, primaries, srgb, embedded) == SRGB
    assert named(gamma, primaries, srgb, embedded, wide) == colour_profile.of_code_points(12, 13)
    assert named(gamma, primaries, embedded, chunk(b"cICP", b"\x0c\x0d\0\0")) == SRGB
    assert named(gamma, primaries, colour=0) == colour_profile.of_gamma(100_000 / 45_455)
    for broken in (b"", struct.pack(">I", 0), struct.pack(">I", 1_000_001)):
        assert named(chunk(b"gAMA", broken), primaries) is None


# Hostile profiles


def hostile() -> dict[str, bytes]:
    """Files whose profiles would keep a library busy, by what they hold."""
    element = b"curf" + struct.pack(">IHHf", 0, 1, 0, 1.0) + b"parf" + struct.pack(">IHH4f", 0, 0, 0, 1, 1, 0, 0)
    cvst = b"cvst" + struct.pack(">IHH", 0, 3, 3) + struct.pack(">6I", *[36, len(element)] * 3) + element
    count = 200_000
    chain = (
        b"mpet" + struct.pack(">IHHI", 0, 3, 3, count) + struct.pack(">2I", 16 + 8 * count, len(cvst)) * count + cvst
    )
    large = b"mAB " + struct.pack(">I4B5I", 0, 3, 3, 0, 0, 32, 32, 32, 32, 32) + bytes(1_000_000)
    return {
        "one element many times": profile_of(MATRIX | {b"D2B0": chain}),
        "a chain alone": profile_of({b"A2B0": chain}),
        "a large table": profile_of({b"A2B0": large}),
        "one tag many times": profile_of(dict.fromkeys((b"%04d" % turn for turn in range(2_000)), b"x")),
        "a table of 255 steps": profile_of({b"A2B0": table()[:10] + b"\xff" + table()[11:]}, CMYK, b"prtr"),
    }


@pytest.mark.parametrize("kind", hostile())
def test_a_hostile_profile_takes_little_time_and_memory(kind: str, tmp_path: Path) -> None:
    """In a process of its own, which the system ends if it takes more than seconds and megabytes."""
    packed = chunk(b"iCCP", b"p\0\0" + zlib.compress(hostile()[kind], 9))
    (tmp_path / "image").write_bytes(png_of(header(9, 9), (b"\0" + b"\x55" * 27) * 9, [packed]))
    program = """
import resource, sys
from PIL import Image, ImageCms, PngImagePlugin
from chalicelib.core.images import ImageBounds
from chalicelib.web.images import render
data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF)
resource.setrlimit(resource.RLIMIT_CPU, (int(before.ru_utime + before.ru_stime) + 3,) * 2)
render(data, ImageBounds())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "image"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000)),
    )
    assert int(done.stdout) * 1024 <= 40_000_000
