"""The checks of the fields of JSON objects, one for each kind of field, and their reading.

Each check takes the field's name in the JSON and the value from the JSON. It returns the value to store, or raises
ParameterInvalid with a sentence that names the field. Lengths are in characters, lengths of URLs in UTF-8 bytes.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import SplitResult, quote, urlsplit

from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication

NAME_CHARACTERS = 100
ADDRESS_CHARACTERS = 255
DETAILS_CHARACTERS = 1_000
URL_BYTES = 1_024
LIST_ENTRIES = 20
OLDEST_AGE = 150
LOGIN_CHARACTERS = 64
PASSWORD_CHARACTERS = (8, 200)

Check = Callable[[str, Any], Any]
Rules = dict[str, tuple[str, Check]]
"""For each field in the JSON, the name of the attribute, and the check."""
E = TypeVar("E", bound=Enum)

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are shown as nothing: the fillers of Hangul, and the pattern of Braille without a dot."""
_LOGIN = re.compile(rf"[a-z0-9][a-z0-9._@+\-]{{0,{LOGIN_CHARACTERS - 1}}}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,64}")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_NOT_IN_A_URL = re.compile(r"[^!#-;=?-\[\]_a-z~]|%(?![0-9A-Fa-f]{2})")
"""A character that is not allowed in a URL, or a % without two hexadecimal digits."""
_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+")


def read_fields(body: object, known: Rules, required: Sequence[str] = (), extra: Sequence[str] = ()) -> dict[str, Any]:
    """Return the attributes of a JSON object by name. The caller reads the fields in `extra`.

    Raises BadRequest (no object) and ParameterInvalid (an unknown or missing field, or one that its check refuses).
    """
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    check_names((name for name in body if name not in extra), known)
    for name in required:
        if name not in body:
            raise ParameterInvalid(f"{name} is missing")
    return {known[name][0]: known[name][1](name, value) for name, value in body.items() if name in known}


def check_names(given: Iterable[object], known: Collection[str]) -> None:
    """Raise ParameterInvalid, which lists the known names, if a given name is none of them."""
    for name in given:
        if name not in known:
            raise ParameterInvalid(f"There is no field {str(name)[:64]!r}; the fields are {', '.join(known)}")


def check_record(record: object, names: Sequence[str], needed: Sequence[str]) -> Mapping[str, Any]:
    """Return a record of an import, a JSON object with only these names. One that is needed must not be null.

    Raises BadRequest (no object) and ParameterInvalid.
    """
    if not isinstance(record, dict):
        raise BadRequest("A record must be a JSON object")
    check_names(record, names)
    for name in needed:
        if record.get(name) is None:
            raise ParameterInvalid(f"{name} is missing")
    return record


def check_id(kind: str) -> Check:
    """Return the check of an id: user (12 of `a-z 0-9`), app (16 hex digits), page (up to 20 digits), module."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or not is_id(kind, value):
            raise ParameterInvalid(f"{name} is not the id of {'an' if kind == 'app' else 'a'} {kind}")
        return value

    return check


def text(most: int, *, lines: bool = False, required: bool = False) -> Check:
    """Return the check of a text of at most `most` characters, without control characters.

    With `lines`, line ends and tabs are allowed. With `required`, at least one character must not be white space;
    without it, null is the same as `""`.
    """
    allowed = "\n\r\t" if lines else ""

    def check(name: str, value: Any) -> str:
        if value is None and not required:
            return ""
        if not isinstance(value, str):
            raise ParameterInvalid(f"{name} must be a string")
        if required and not value.strip():
            raise ParameterInvalid(f"{name} must not be empty")
        if len(value) > most:
            raise ParameterInvalid(f"{name} is too long (max={most})")
        # Cc: characters that could break out of a header or a log line; Cs: surrogates, which UTF-8 cannot encode.
        if any(unicodedata.category(each) in ("Cc", "Cs") and each not in allowed for each in value):
            raise ParameterInvalid(f"{name} must not contain control characters")
        return value

    return check


def optional(check: Check) -> Check:
    """Return a check that returns None for null and `""`, and applies `check` to other values."""
    return lambda name, value: None if value in (None, "") else check(name, value)


def url(name: str, value: Any, most: int = URL_BYTES) -> str:
    """Return an http(s) URL of at most `most` bytes, or `""` for null and `""`."""
    if value in (None, ""):
        return ""
    if _parts(name, value, most).scheme not in ("http", "https"):
        raise ParameterInvalid(f"{name} must be an http or https URL")
    return str(value)


def https_url(name: str, value: Any) -> str:
    """Return an https URL, or `""` for null and `""`."""
    found = url(name, value)
    if found and not found.lower().startswith("https:"):
        raise ParameterInvalid(f"{name} must be an https URL")
    return found


def redirect_uri(name: str, value: Any) -> str:
    """Return a redirect URI: http, https, or a private scheme with a dot in it (RFC 8252); without a fragment."""
    parts = _parts(name, value)
    if parts.scheme not in ("http", "https") and not _SCHEME.fullmatch(parts.scheme):
        raise ParameterInvalid(f"{name} must be http or https URLs, or have a scheme such as com.example.app")
    if "#" in value:
        raise ParameterInvalid(f"{name} must not have a fragment")
    return str(value)


def origin(name: str, value: Any) -> str:
    """Return a web origin as browsers send it: `https://game.example` or `http://127.0.0.1:8080`, in lower case."""
    parts = _parts(name, value)
    if parts.scheme not in ("http", "https") or value != f"{parts.scheme}://{parts.netloc}" or value != value.lower():
        raise ParameterInvalid(f"{name} must be web origins, such as https://game.example")
    return str(value)


def scope(name: str, value: Any) -> str:
    """Return a scope in the syntax of OAuth 2."""
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise ParameterInvalid(f"{name} must be scopes, such as mixi_apps2")
    return value


def list_of(check: Check) -> Check:
    """Return the check of a list of at most LIST_ENTRIES values; it returns a tuple without duplicates."""

    def check_list(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ParameterInvalid(f"{name} must be a list")
        if len(value) > LIST_ENTRIES:
            raise ParameterInvalid(f"{name} has too many entries (max={LIST_ENTRIES})")
        return tuple(dict.fromkeys(check(name, each) for each in value))

    return check_list


def one_of(kind: type[E]) -> Check:
    """Return the check of an Enum's value; it returns the member."""

    def check(name: str, value: Any) -> E:
        for member in kind:
            if isinstance(value, str) and member.value == value:
                return member
        raise ParameterInvalid(f"{name} must be one of {', '.join(member.value for member in kind)}")

    return check


def value_of(kind: type[Enum]) -> Check:
    """Return the check of an Enum's value; it returns the value, or None for null and `""`."""
    check = one_of(kind)
    return optional(lambda name, value: check(name, value).value)


def boolean(name: str, value: Any) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ParameterInvalid(f"{name} must be true or false")
    return value


def age(name: str, value: Any) -> int:
    """Return an age in years, 0 to 150."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= OLDEST_AGE:
        raise ParameterInvalid(f"{name} must be a whole number from 0 to {OLDEST_AGE}")
    return value


def day(name: str, value: Any) -> str:
    """Return a date, YYYY-MM-DD."""
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        raise ParameterInvalid(f"{name} must be a date, YYYY-MM-DD") from None
    return value


def is_visible(text: str) -> bool:
    """Return whether a text has a character that can be seen, so that a link with it can be found."""
    return any(unicodedata.category(each)[0] not in "CMZ" and each not in _BLANKS for each in text)


def is_login(text: str) -> bool:
    """Return whether a text in lower case can be a login name."""
    return _LOGIN.fullmatch(text) is not None


def login(name: str, value: Any) -> str:
    """Return a login name, converted to lower case."""
    if not isinstance(value, str) or not is_login(value.lower()):
        raise ParameterInvalid(f"{name} must be 1 to 64 of a-z 0-9 . _ @ + -, beginning with a letter or digit")
    return value.lower()


def password(name: str, value: Any) -> str:
    """Return a password of 8 to 200 characters."""
    least, most = PASSWORD_CHARACTERS
    if not isinstance(value, str) or not least <= len(value) <= most or not _is_unicode(value):
        raise ParameterInvalid(f"{name} must be {least} to {most} characters")
    return value


def publication(name: str, value: Any) -> Mapping[str, Publication]:
    """Return publication settings for some of PROFILE_FIELDS; the other settings do not change."""
    if not isinstance(value, dict):
        raise ParameterInvalid(f"{name} must be an object")
    for each in value:
        if each not in PROFILE_FIELDS:
            raise ParameterInvalid(f"{name} can have settings for {', '.join(PROFILE_FIELDS)} only")
    check = one_of(Publication)
    return {each: check(f"{name}.{each}", setting) for each, setting in value.items()}


def _parts(name: str, value: Any, most: int = URL_BYTES) -> SplitResult:
    """Return the parts of an absolute URI: printable ASCII, no user name or password; each % begins an escape."""
    try:
        if not isinstance(value, str) or not _ABSOLUTE.match(value):
            raise ValueError
        if found := _NOT_IN_A_URL.search(value):
            raise ParameterInvalid(f"{name} must be escaped: {_escape(found[0])}")
        parts = urlsplit(value)
        if not parts.scheme or "@" in parts.netloc or (parts.scheme in ("http", "https") and not parts.hostname):
            raise ValueError
        _ = parts.port
    except ValueError:
        raise ParameterInvalid(f"{name} must be an absolute URL") from None
    if len(value) > most:
        raise ParameterInvalid(f"{name} is too long (max={most})")
    return parts


def _escape(character: str) -> str:
    """Return how to escape a character that a URL cannot contain; an unprintable character is not repeated."""
    if character == "%":
        return "a % that is not followed by two hexadecimal digits is written %25"
    return (
        f'"{character}" is written {quote(character)}'
        if character.isprintable()
        else "it has a character that a URL does not hold"
    )


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
