"""Making renditions of an image that someone has sent.

A file is hostile until it has been decoded: it is cut down to its pixels first (core/imaging/jpeg.py,
core/imaging/png.py), the bounds are checked by its header, and only files that we encode ourselves are returned. So
none of the file's own bytes is ever stored: no position, comment, preview or second content.
"""

import io
from typing import TYPE_CHECKING

from chalicelib.core.errors import ParameterInvalid, TooLarge
from chalicelib.core.imaging import colour_profile, jpeg, png
from chalicelib.core.imaging.picture import NoPicture, Picture
from chalicelib.core.imaging.renditions import MAX_SIDE, NAMES, ImageBounds, Rendition, fitted

if TYPE_CHECKING:
    from PIL.Image import Image

_STRIP_PIXELS = 1_000_000
"""Pixels that are converted at once, so that a conversion needs little memory beside the decoded image."""


def render(data: bytes, bounds: ImageBounds) -> tuple[Rendition, ...]:
    """The renditions of an image, large to small; the same bytes always make the same renditions.

    A jpeg becomes jpegs and a png pngs with its transparency, upright, in sRGB, without metadata, and none larger than
    the image. Of an animation it is the still picture. Decoding takes at most 8 bytes of memory for each pixel that
    `bounds` allows. Raises TooLarge over its bytes, and ParameterInvalid for everything else that is wrong.
    """
    picture = examine(data, bounds)
    try:
        image = _upright(_in_srgb(_scaled_down(picture, 2 * bounds.edges[0]), picture.profile), picture.orientation)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # What Pillow and its decoders raise for pixels that cannot be decoded.
        raise ParameterInvalid("The image cannot be decoded") from error
    size = picture.upright_size
    media_type = f"image/{picture.kind.lower()}"
    return tuple(
        _rendition(image, name, fitted(*size, edge), media_type) for name, edge in zip(NAMES, bounds.edges, strict=True)
    )


def examine(data: bytes, bounds: ImageBounds) -> Picture:
    """The picture in a file, once it is within the bounds; nothing is decoded. Raises as `render` does."""
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
    """The decoded picture in mode L, LA, RGB, RGBA or CMYK, its longest edge below twice `edge`."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.data), formats=[picture.kind]) as opened:
        if opened.size != (picture.width, picture.height):
            raise ValueError("two sizes in one file")
        # Of a jpeg, the decoder makes a half, a quarter or an eighth of the size, without the whole one.
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
    """Rows of an image without palette and without a colour that stands for transparency, 8 bits a sample."""
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
        # Pillow would clip these to 8 bits; what counts is the upper byte.
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
    """The image in sRGB, or in shades of grey; a profile that is of no use is ignored."""
    from PIL import Image, ImageCms

    alpha = image.getchannel("A") if image.mode.endswith("A") else None
    colours = image.convert(image.mode[:-1]) if alpha else image
    if profile:
        grey = colours.mode == "L"
        if grey and colour_profile.space_of(profile) == colour_profile.RGB:
            colours = colours.convert("RGB")
        # As browsers do; inks are darkened to black besides, as print is shown.
        intent = ImageCms.Intent.PERCEPTUAL if colours.mode == "CMYK" else ImageCms.Intent.RELATIVE_COLORIMETRIC
        try:
            source, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, source, srgb, intent, "RGB") or colours
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # Nobody is shown the profile: an image with a broken one is as good as one without.
        if grey:
            colours = colours.convert("L")
    if colours.mode == "CMYK":
        colours = colours.convert("RGB")
    if alpha is None:
        return colours
    return Image.merge(colours.mode + "A", (*colours.split(), alpha))


def _upright(image: "Image", orientation: int) -> "Image":
    """The image turned and mirrored as Exif's orientation (1 to 8) asks."""
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


def _rendition(image: "Image", name: str, size: tuple[int, int], media_type: str) -> Rendition:
    from PIL.Image import Resampling

    smaller = image.resize(size, Resampling.LANCZOS)
    # Pillow writes what it finds here into the file.
    smaller.info = {}
    body = io.BytesIO()
    if media_type == "image/png":
        smaller.save(body, "PNG", optimize=True)
    else:
        smaller.save(body, "JPEG", quality=88, optimize=True)
    return Rendition(name, body.getvalue(), media_type, *size)
