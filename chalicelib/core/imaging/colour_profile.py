"""Colour profiles, reduced to a simple description of a colour space: white point, primaries, curves.

The profile in a file may be hostile: its tags may refer to each other, or to a chain of thousands of elements, and a
library that follows them works for seconds. So this module accepts only three kinds of input profiles: three primaries
with curves; grey with a curve; three primaries or four inks with one table of a fixed layout. It writes a new profile
with only those tags. Every other profile counts as no profile. Sources: ICC.1:2022 (tags `rXYZ`, `rTRC`, `kTRC`,
`A2B0`, types `curv`, `para`, `XYZ `, `mft1`, `mft2`), PNG third edition (gAMA, cHRM, cICP), ITU-T H.273 (tables 2 and
3).
"""

import struct
from collections.abc import Sequence

RGB, GREY, CMYK = b"RGB ", b"GRAY", b"CMYK"
MAX_TAGS = 200
MAX_CURVE = 4_096
"""Entries of a curve."""
MAX_TABLE = 2_000_000
"""Bytes of a table. A table with 17 steps for each of four inks has half a million."""
MAX_VERSION = 4

ColourMatrix = tuple[tuple[float, float, float], ...]
Chromaticity = tuple[float, float]

_HEADER = 128
_FITTING = {1: (GREY, RGB), 3: (RGB,), 4: (CMYK,)}
"""The colour spaces that fit an image, by the number of colour samples in a pixel."""
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD: ColourMatrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_BRADFORD_BACK: ColourMatrix = (
    (0.9869929, -0.1470543, 0.1599627),
    (0.4323053, 0.5183603, 0.0492912),
    (-0.0085287, 0.0400428, 0.9684867),
)
_PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers a parametric curve has, by its kind."""
_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_PRIMARIES: dict[int, tuple[Chromaticity, Chromaticity, Chromaticity, Chromaticity]] = {
    1: (_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    4: (_C, (0.670, 0.330), (0.210, 0.710), (0.140, 0.080)),
    5: (_D65, (0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: (_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
"""White, red, green and blue, by H.273's number: 1 is BT.709 and sRGB, 9 is BT.2020, 12 is Display P3."""
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709_CURVE = (2.4,)
"""The curve of BT.709 displays (ITU-R BT.1886), as browsers use it. The curve of cameras is not its inverse."""
_CURVES: dict[int, tuple[float, ...]] = {
    1: _BT709_CURVE,
    4: (2.2,),
    5: (2.8,),
    6: _BT709_CURVE,
    8: (1.0,),
    13: _SRGB_CURVE,
    14: _BT709_CURVE,
    15: _BT709_CURVE,
}
"""Transfer functions, by H.273's number. Those of high dynamic range (16 and 18) are not supported."""


def fitting(profile: bytes, samples: int) -> bytes | None:
    """Return the simple profile for an image with `samples` colour samples in a pixel; None if it does not fit.

    A grey picture may have a grey profile or an RGB profile. In RGB, its colours are the diagonal.
    """
    space = space_of(profile)
    return simple(profile, space) if space in _FITTING.get(samples, ()) else None


def space_of(profile: bytes) -> bytes:
    """Return the colour space of a profile: RGB, GREY or CMYK."""
    return profile[16:20]


def simple(profile: bytes, space: bytes) -> bytes | None:
    """Return a profile of this colour space with only the simple tags; None if the given one does not allow it."""
    tags = _tags(profile)
    if tags is None or space_of(profile) != space or profile[12:16] not in (b"mntr", b"scnr", b"prtr", b"spac"):
        return None
    table = tags.get(b"A2B0") or tags.get(b"A2B1", b"")
    connection = b"XYZ "
    if space != GREY and _is_table(table, 4 if space == CMYK else 3):
        # A table takes precedence over primaries and curves. It converts to the space that the profile names.
        kept, connection = {b"A2B0": table}, profile[20:24]
    elif space == RGB:
        kept = {name: _colour(tags.get(name, b"")) for name in (b"rXYZ", b"gXYZ", b"bXYZ")}
        kept |= {name: _curve(tags.get(name, b"")) for name in (b"rTRC", b"gTRC", b"bTRC")}
    else:
        kept = {b"kTRC": _curve(tags.get(b"kTRC", b""))} if space == GREY else {}
    if not kept or not all(kept.values()) or connection not in (b"XYZ ", b"Lab "):
        return None
    return _written(space, connection, kept)


def of_chromaticities(
    white: Chromaticity, red: Chromaticity, green: Chromaticity, blue: Chromaticity, curve: Sequence[float]
) -> bytes | None:
    """Return the profile of these primaries, each as x and y, with a parametric curve; None if they span no space.

    `curve` is only a gamma, or gamma, a, b, c and d as in type 3 of ICC's parametric curves.
    """
    if any(not 0 <= part <= 1 for place in (white, red, green, blue) for part in place):
        return None
    primaries = [_xyz(each) for each in (red, green, blue)]
    light = _xyz(white)
    if light is None or None in primaries:
        return None
    columns: ColourMatrix = tuple(zip(*(each for each in primaries if each), strict=True))
    inverse = _inverse(columns)
    if inverse is None:
        return None
    shares = _times(inverse, light)
    to_d50 = _adaptation(light)
    colours = [
        _times(to_d50, tuple(part * share for part in each or ()))
        for each, share in zip(primaries, shares, strict=True)
    ]
    if any(abs(part) > 8 for colour in colours for part in colour):
        return None
    parametric = _parametric(curve)
    tags = {name: _fixed(b"XYZ ", colour) for name, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours, strict=True)}
    return _written(RGB, b"XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), parametric))


def of_code_points(primaries: int, transfer: int) -> bytes | None:
    """Return the profile for two of H.273's numbers; None if one of them is not supported."""
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        return None
    return of_chromaticities(*_PRIMARIES[primaries], _CURVES[transfer])


def _tags(profile: bytes) -> dict[bytes, bytes] | None:
    """Return the tags of a profile, as its directory locates them; None if the profile is not complete."""
    if len(profile) < _HEADER + 4 or profile[36:40] != b"acsp" or profile[8] > MAX_VERSION:
        return None
    (length,) = struct.unpack_from(">I", profile)
    if length > len(profile):
        return None
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    if count > MAX_TAGS or len(profile) < _HEADER + 4 + 12 * count:
        return None
    found: dict[bytes, bytes] = {}
    for turn in range(count):
        name, start, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * turn)
        found.setdefault(name, profile[start : start + size])
    return found


def _colour(tag: bytes) -> bytes:
    """Return an XYZ tag with one colour; empty for any other tag."""
    return tag[:20] if tag[:4] == b"XYZ " and len(tag) >= 20 else b""


def _curve(tag: bytes) -> bytes:
    """Return a curve, cut to its length; empty for any other tag."""
    if len(tag) < 12:
        return b""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        return tag[: 12 + 2 * count] if count <= MAX_CURVE and len(tag) >= 12 + 2 * count else b""
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        size = 12 + 4 * _PARAMETERS[kind] if kind < len(_PARAMETERS) else 0
        return tag[:size] if len(tag) >= size else b""
    return b""


def _is_table(tag: bytes, samples: int) -> bool:
    """Return whether a tag is a table for `samples` samples, in a layout whose header gives the size."""
    if len(tag) < 52 or len(tag) > MAX_TABLE or tag[8:10] != bytes([samples, 3]):
        return False
    steps = tag[10]
    places = steps**samples * 3
    if tag[:4] == b"mft1":
        return steps > 1 and len(tag) >= 48 + 256 * samples + places + 256 * 3
    if tag[:4] == b"mft2":
        before, after = struct.unpack_from(">HH", tag, 48)
        if not (2 <= before <= MAX_CURVE and 2 <= after <= MAX_CURVE):
            return False
        return steps > 1 and len(tag) >= 52 + 2 * (before * samples + places + after * 3)
    return False


def _parametric(curve: Sequence[float]) -> bytes:
    kind = 0 if len(curve) == 1 else 3
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(_number, curve))


def _fixed(kind: bytes, numbers: Sequence[float]) -> bytes:
    return kind + b"\0\0\0\0" + b"".join(map(_number, numbers))


def _number(number: float) -> bytes:
    """Return a number as ICC's s15Fixed16."""
    return struct.pack(">i", round(number * 65_536))


def _written(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a version 4 profile with these tags."""
    tags = {b"wtpt": _fixed(b"XYZ ", _D50)} | tags
    directory, content = struct.pack(">I", len(tags)), b""
    start = _HEADER + 4 + 12 * len(tags)
    for name, tag in tags.items():
        directory += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    kind = b"prtr" if space == CMYK else b"mntr"
    header = struct.pack(">I4sI", start + len(content), b"\0\0\0\0", 0x04200000) + kind + space + connection
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    header = header.ljust(68, b"\0") + b"".join(map(_number, _D50))
    return header.ljust(_HEADER, b"\0") + directory + content


def _xyz(place: Chromaticity) -> tuple[float, float, float] | None:
    x, y = place
    return (x / y, 1.0, (1 - x - y) / y) if y > 0.001 else None


def _times(matrix: ColourMatrix, vector: Sequence[float]) -> tuple[float, ...]:
    return tuple(sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix)


def _inverse(matrix: ColourMatrix) -> ColourMatrix | None:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    if abs(determinant) < 1e-6:
        return None
    return tuple((x / determinant, y / determinant, z / determinant) for x, y, z in cofactors)


def _adaptation(white: Sequence[float]) -> ColourMatrix:
    """Return the matrix that converts colours under this white to colours under D50 (Bradford)."""
    now, then = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    scaled: ColourMatrix = tuple(
        (row[0] * ratio, row[1] * ratio, row[2] * ratio)
        for row, ratio in zip(_BRADFORD, (t / n for t, n in zip(then, now, strict=True)), strict=True)
    )
    columns = tuple(zip(*scaled, strict=True))
    return tuple(
        tuple(sum(x * y for x, y in zip(row, column, strict=True)) for column in columns) for row in _BRADFORD_BACK
    )
