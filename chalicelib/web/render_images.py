"""Rendering of an uploaded image in several sizes (renditions).

A file is hostile until it has been decoded: it is first cut down to its pixels (core/imaging/jpeg.py,
core/imaging/png.py), its header is checked against the bounds, and only files that we encode ourselves are returned. So
no bytes of the original file are stored: no position, comment, preview or second content.
"""

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.errors import ParameterInvalid, TooLarge
from chalicelib.core.imaging import colour_profile, jpeg, png
from chalicelib.core.imaging.picture import NoPicture, Picture
from chalicelib.core.imaging.renditions import API_NAMES, MAX_SIDE, WIDE, WIDE_BYTES, ImageBounds, Rendition, fitted

if TYPE_CHECKING:
    from PIL.Image import Image

_STRIP_PIXELS = 1_000_000
"""The number of pixels converted at once, so that a conversion needs little memory beside the decoded image."""


def render(data: bytes, bounds: ImageBounds) -> tuple[Rendition, ...]:
    """Return the renditions of an image in the order of NAMES; the same bytes always give the same renditions.

    A jpeg gives jpegs, and a png gives pngs with its transparency, but a wide png of more than WIDE_BYTES becomes a
    jpeg on white. All are upright, in sRGB, without metadata, and not
    larger than the image. An animation gives its still picture. Decoding takes at most 8 bytes of memory for each pixel
    that `bounds` allows. Raises TooLarge for too many bytes, and ParameterInvalid for every other fault.
    """
    picture = examine(data, bounds)
    try:
        image = _upright(
            _in_srgb(_scaled_down(picture, max(bounds.wide_edge, 2 * bounds.edges[0])), picture.profile),
            picture.orientation,
        )
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow and its decoders raise these for pixels that they cannot decode.
        raise ParameterInvalid("The image cannot be decoded") from error
    size = picture.upright_size
    media_type = f"image/{picture.kind.lower()}"
    small = [
        _rendition(image, name, fitted(*size, edge), media_type)
        for name, edge in zip(API_NAMES, bounds.edges, strict=True)
    ]
    if max(size) <= bounds.edges[0]:
        return (*small, replace(small[0], name=WIDE))
    return (*small, _wide(image, size, bounds.wide_edge, media_type))


def examine(data: bytes, bounds: ImageBounds) -> Picture:
    """Return the picture in a file if it is within the bounds; nothing is decoded. Raises as `render` does."""
    if len(data) > bounds.bytes:
        raise TooLarge(f"The image is too large (max={bounds.bytes} bytes)")
    readers = {jpeg.SIGNATURE: jpeg.read, png.SIGNATURE: png.read}
    read = next((read for signature, read in readers.items() if data.startswith(signature)), None)
    if read is None:
        raise ParameterInvalid("The image must be a jpeg or a png")
    try:
        picture = read(data)
    except NoPicture as reason:
        raise ParameterInvalid(f"The image {reason}") from None
    if not picture.width or not picture.height:
        raise ParameterInvalid("The image has no pixels")
    if picture.width * picture.height > bounds.pixels:
        raise ParameterInvalid(f"The image has too many pixels (max={bounds.pixels})")
    if max(picture.width, picture.height) > MAX_SIDE:
        raise ParameterInvalid(f"The image is too wide or too high (max={MAX_SIDE} pixels)")
    return picture


def _scaled_down(picture: Picture, edge: int) -> "Image":
    """Return the decoded picture in mode L, LA, RGB, RGBA or CMYK, with its longest edge below twice `edge`."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.data), formats=[picture.kind]) as opened:
        if opened.size != (picture.width, picture.height):
            raise ValueError("two sizes in one file")
        # A jpeg can be decoded at a half, a quarter or an eighth of its size, without decoding the whole.
        opened.draft(None, fitted(*opened.size, edge))
        opened.load()
        across, down = (max(1, min(side, max(opened.size) // edge)) for side in opened.size)
        rows = max(1, _STRIP_PIXELS // (opened.width * down)) * down
        strips = [
            _plain(opened.crop((0, top, opened.width, min(top + rows, opened.height))), picture.depth).reduce(
                (across, down)
            )
            for top in range(0, opened.height, rows)
        ]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def _plain(strip: "Image", depth: int) -> "Image":
    """Return rows of an image with 8 bits a sample, without a palette or a colour that stands for transparency."""
    from PIL import Image, ImageChops

    see_through = strip.info.get("transparency")
    if strip.mode == "P":
        return strip.convert("RGB" if see_through is None else "RGBA")
    if strip.mode == "RGB" and isinstance(see_through, tuple):
        strip.info["transparency"] = tuple(sample >> (depth - 8) for sample in see_through)
        return strip.convert("RGBA")
    if strip.mode not in ("1", "L", "I;16"):
        return strip
    if strip.mode == "I;16":
        # Pillow would clip these to 8 bits, but the upper byte is needed.
        raw = strip.tobytes()
        high, low = (Image.frombytes("L", strip.size, raw[first::2]) for first in (1, 0))
    else:
        high, low = strip.convert("L"), None
    if not isinstance(see_through, int):
        return high
    wanted = see_through >> 8 if low else see_through * 255 // (2**depth - 1)
    opaque = high.point([255 * (sample != wanted) for sample in range(256)])
    if low:
        opaque = ImageChops.lighter(opaque, low.point([255 * (sample != see_through & 255) for sample in range(256)]))
    return Image.merge("LA", (high, opaque))


def _in_srgb(image: "Image", profile: bytes | None) -> "Image":
    """Return the image in sRGB or in shades of grey; an unusable profile is ignored."""
    from PIL import Image, ImageCms

    alpha = image.getchannel("A") if image.mode.endswith("A") else None
    colours = image.convert(image.mode[:-1]) if alpha else image
    if profile:
        grey = colours.mode == "L"
        if grey and colour_profile.space_of(profile) == colour_profile.RGB:
            colours = colours.convert("RGB")
        # As browsers do; CMYK inks are also darkened to black, as print is usually shown.
        intent = ImageCms.Intent.PERCEPTUAL if colours.mode == "CMYK" else ImageCms.Intent.RELATIVE_COLORIMETRIC
        try:
            source, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, source, srgb, intent, "RGB") or colours
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # The profile is never shown, so a broken profile counts as none.
        if grey:
            colours = colours.convert("L")
    if colours.mode == "CMYK":
        colours = colours.convert("RGB")
    if alpha is None:
        return colours
    return Image.merge(colours.mode + "A", (*colours.split(), alpha))


def _upright(image: "Image", orientation: int) -> "Image":
    """Return the image turned and mirrored as Exif's orientation (1 to 8) requires."""
    from PIL.Image import Transpose

    how = (
        None,
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )[orientation - 1]
    return image if how is None else image.transpose(how)


def _wide(image: "Image", size: tuple[int, int], edge: int, media_type: str) -> Rendition:
    """Return the rendition for the web pages: in the image's own kind, or as a jpeg that has at most WIDE_BYTES."""
    made = _rendition(image, WIDE, fitted(*size, edge), media_type)
    opaque: Image | None = None
    # Only noise needs the later ones: a photograph of 1,200 pixels has about 200,000 bytes.
    for edge_now in (edge, edge * 3 // 4, edge // 2):
        for quality in (85, 70, 50):
            if len(made.body) <= WIDE_BYTES:
                return made
            opaque = opaque or _on_white(image)
            made = _rendition(opaque, WIDE, fitted(*size, edge_now), "image/jpeg", quality)
    return made


def _on_white(image: "Image") -> "Image":
    """Return the image without transparency, for a jpeg."""
    from PIL import Image

    if not image.mode.endswith("A"):
        return image
    white = Image.new(image.mode[:-1], image.size, "white")
    white.paste(image.convert(white.mode), mask=image.getchannel("A"))
    return white


def _rendition(image: "Image", name: str, size: tuple[int, int], media_type: str, quality: int = 88) -> Rendition:
    from PIL.Image import Resampling

    smaller = image.resize(size, Resampling.LANCZOS)
    # Pillow would write this metadata into the file.
    smaller.info = {}
    body = io.BytesIO()
    if media_type == "image/png":
        # Optimizing a wide png takes a second and saves little.
        smaller.save(body, "PNG", optimize=name != WIDE)
    else:
        smaller.save(body, "JPEG", quality=quality, optimize=True)
    return Rendition(name, body.getvalue(), media_type, *size)
