"""Reading of `multipart/form-data`: the post of a feed, with the parts `request` and `image1`; and plain forms.

File names and types are ignored: old clients send names without an extension and with a second quote at the end
(`filename="1300000000.12345""`), and the content identifies an image. Lines end in CRLF, as all known clients send it.
Sources: Page API ("Posting a feed with an attached image"), RFC 7578.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalice.app import Request

from chalicelib.core.errors import BadRequest, ParameterInvalid, TooLarge

if TYPE_CHECKING:
    from multipart import MultipartSegment

REQUEST, IMAGE = "request", "image1"
"""The names of the two parts."""
MAX_REQUEST = 262_144
"""Bytes of the part `request`: more than the longest feed needs if every character is escaped."""
MAX_FILE = 4_500_000
"""Bytes of a file in a form of our pages: Lambda takes no larger request, which carries the file in base 64."""
MAX_HEADER = 4_096
"""Bytes of one header of a part."""
MAX_HEADERS = 8
"""Headers of one part."""
MAX_BOUNDARY = 256
"""Characters of the boundary; RFC 2046 allows 70, but clients ignore that limit."""

_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([ -!#-~]*)"|([!-:<-~]+))', re.IGNORECASE)
"""With or without quotes: clients omit them even around characters that need them."""
_ENCODINGS = ("", "7bit", "8bit", "binary")


@dataclass(frozen=True)
class MultipartForm:
    """A posted form: the text of the part `request`, and the bytes of `image1`.

    The image is None if there is no such part, or if the part has neither a file name nor content.
    """

    request: str
    image: bytes | None


def is_multipart(request: Request) -> bool:
    """Return whether the content type is `multipart/form-data`, in any letter case and with any parameters."""
    media_type: str = request.headers.get("content-type", "")
    return media_type.partition(";")[0].strip().lower() == "multipart/form-data"


def holds_parts(request: Request) -> bool:
    """Return whether the body really is `multipart/form-data`: some clients declare it but send another form."""
    found = _BOUNDARY.search(request.headers.get("content-type", "")) if is_multipart(request) else None
    if found is None:
        return False
    raw: bytes | str = request.raw_body
    opening = f"--{found[1] or found[2] or ''}"
    return (raw.encode() if isinstance(raw, str) else raw).lstrip(b"\r\n").startswith(opening.encode())


def read_fields(request: Request, most: int) -> dict[str, str]:
    """Return the texts of a form by their names, without empty ones.

    Raises BadRequest for more than `most`, for a repeated name, and for text that is not UTF-8; else as `read_form`.
    """
    return _texts(_read(request, _any_name(most)))


def read_upload(request: Request, file: str, most: int) -> tuple[dict[str, str], bytes | None]:
    """Return the texts of a form by their names, and the content of the field `file`, or None if no file was chosen.

    Raises as `read_fields`, and TooLarge for texts of more than MAX_REQUEST bytes. The caller checks the file's size.
    """
    parts = _read(request, _any_name(most))
    content = parts.pop(file, b"") or None
    if sum(map(len, parts.values())) > MAX_REQUEST:
        raise TooLarge(f"The form is too large (max={MAX_REQUEST} bytes)")
    return _texts(parts), content


def read_form(request: Request) -> MultipartForm:
    """Return the form in a request's body. The caller checks the size of the image.

    Raises BadRequest for an invalid form, ParameterInvalid for missing or other parts, and TooLarge if a part or its
    headers exceed the limits above.
    """
    parts = _read(request, _name)
    if REQUEST not in parts:
        raise ParameterInvalid(f'The part "{REQUEST}" is missing')
    try:
        text = parts[REQUEST].decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f'The part "{REQUEST}" is not UTF-8') from None
    return MultipartForm(text, parts.get(IMAGE))


def _read(request: Request, name_of: "Callable[[MultipartSegment, Collection[str]], str]") -> dict[str, bytes]:
    """Return the content of each part by its name, which `name_of` returns."""
    from multipart import MultipartError, ParserLimitReached

    try:
        raw = request.raw_body
        return _parts(raw if isinstance(raw, bytes) else raw.encode(), _boundary(request), name_of)
    except ParserLimitReached:
        raise TooLarge(
            f"A part has too many headers (max={MAX_HEADERS}) or too long ones (max={MAX_HEADER} bytes)"
        ) from None
    except MultipartError as reason:
        raise BadRequest(f"The multipart body is broken: {reason}") from None


def _texts(parts: Mapping[str, bytes]) -> dict[str, str]:
    try:
        # The parser reads names as Latin-1.
        named = {name.encode("latin-1").decode(): content.decode() for name, content in parts.items()}
    except UnicodeDecodeError:
        raise BadRequest("The parameters are not UTF-8") from None
    return {name: value for name, value in named.items() if value}


def _boundary(request: Request) -> str:
    if not is_multipart(request):
        raise BadRequest("The content type must be multipart/form-data")
    found = _BOUNDARY.search(request.headers["content-type"])
    boundary = (found[1] or found[2] or "") if found else ""
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise BadRequest(f"The content type must have a boundary (max={MAX_BOUNDARY} characters)")
    return boundary


def _parts(
    body: bytes, boundary: str, name_of: "Callable[[MultipartSegment, Collection[str]], str]"
) -> dict[str, bytes]:
    """Return the content of each part by its name. Raises MultipartError, or a Refusal at the first refused part."""
    from multipart import MultipartSegment, PushMultipartParser

    parts: dict[str, bytes] = {}
    name, named = "", False
    # Only the names of the parts are needed from the headers. As Latin-1, a file's name may be in any encoding.
    limits = {"max_header_size": MAX_HEADER, "max_header_count": MAX_HEADERS}
    with PushMultipartParser(boundary, header_charset="latin-1", **limits) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                name = name_of(event, parts)
                parts[name] = b""
                named = bool(event.filename)
            elif event is None and name == IMAGE and not named and not parts[name]:
                # A browser sends this if no file is chosen.
                del parts[name]
            elif event:
                parts[name] += event
                if name == REQUEST and len(parts[name]) > MAX_REQUEST:
                    raise TooLarge(f'The part "{REQUEST}" is too large (max={MAX_REQUEST} bytes)')
    return parts


def _any_name(most: int) -> "Callable[[MultipartSegment, Collection[str]], str]":
    """Return the function that gives the name of a part of a form with any names, at most `most`."""

    def name_of(part: "MultipartSegment", seen: Collection[str]) -> str:
        name = str(part.name or "")
        if name in seen:
            raise BadRequest("A parameter appears twice")
        if len(seen) >= most:
            raise BadRequest(f"The form has too many parameters (max={most})")
        return _plain(part, name)

    return name_of


def _name(part: "MultipartSegment", seen: Collection[str]) -> str:
    """Return the name of a part. Raises ParameterInvalid for an unknown or repeated name; else as `_plain`."""
    name = part.name or ""
    if name not in (REQUEST, IMAGE):
        said = "only one image can be attached" if re.fullmatch("image[0-9]+", name) else "there is no other"
        raise ParameterInvalid(f'The parts must be named "{REQUEST}" and "{IMAGE}"; {said}')
    if name in seen:
        raise ParameterInvalid(f'The part "{name}" appears twice; only one is allowed')
    return _plain(part, name)


def _plain(part: "MultipartSegment", name: str) -> str:
    """Return the name of a part. Raises BadRequest if the part has a transfer encoding."""
    if part.header("Content-Transfer-Encoding", "").strip().lower() not in _ENCODINGS:
        raise BadRequest(f'The part "{name}" must be sent as it is, without a transfer encoding')
    return name
