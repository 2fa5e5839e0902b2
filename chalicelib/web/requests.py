"""Reading of requests: the token in its four places, query parameters, selectors, formats, and strict JSON."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from chalice.app import Request

from chalicelib.core.errors import BadRequest, ParameterInvalid, TokenRefused, UnsupportedEncoding
from chalicelib.web.token_dialect import TokenDialect

PROXY_KEY = "x-engawa-proxy-key"
"""The header with which our proxies show that a request comes through them."""

UNKNOWN = "unknown"
"""The path, in Chalice's terms, of a request for a path without a route."""
OPENED = "engawa_opened"
"""The attribute of a POST to a page with the route to which links of its answer lead (`routing.opened`)."""
_BYTE_ORDER_MARK = "\ufeff"
_SIGNED = ("oauth_consumer_key", "oauth_signature", "oauth_signature_method", "oauth_timestamp", "oauth_nonce")
_SCHEMES = {"oauth": TokenDialect.OAUTH, "oauth2": TokenDialect.OAUTH, "bearer": TokenDialect.BEARER}
_SHOWN_CODING = 64
"""The number of characters of an encoding's name that a refusal repeats."""
_JSON_TYPES = {"application/json", "text/json"}
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
# One pass over any input: a string (to the end of the text if it is not closed) is one match; nothing backtracks.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_EMPTY_WITH_COMMA = r"[\[{][ \t\r\n]*+,"
_TRAILING_COMMA = r"(?P<trailing>,)(?=[ \t\r\n]*+[\]}])"
_TOKEN = re.compile(f"{_STRING}|{_EMPTY_WITH_COMMA}|{_TRAILING_COMMA}", re.DOTALL)


def parameters(request: Request, name: str) -> list[str]:
    """Return all values of a query parameter, in order; none if it is absent."""
    query = request.query_params
    return query.getlist(name) if query and name in query else []


def last_parameter(request: Request, name: str) -> str | None:
    """Return the last value of a query parameter, or None if it is absent."""
    return next(reversed(parameters(request, name)), None)


def other_parameters(request: Request, name: str) -> list[str]:
    """Return the names of all query parameters but one."""
    return [each for each in request.query_params or () if each != name]


def header_lines(request: Request, name: str) -> list[str]:
    """Return the value of each line of a header, in order; none if it is absent. `name` is in lower case.

    Chalice keeps only the last line.
    """
    lines = request.to_original_event().get("multiValueHeaders") or {}
    found = [value for key, values in lines.items() if key.lower() == name for value in values]
    return found or ([request.headers[name]] if name in request.headers else [])


def cookies(request: Request) -> Iterator[tuple[str, str]]:
    """Yield name and value of each cookie of a request, in order. A name may appear several times."""
    for pair in ";".join(header_lines(request, "cookie")).split(";"):
        name, _, value = pair.strip().partition("=")
        yield name, value


def takes_pages(request: Request) -> bool:
    """Return whether a request is of a browser that opens a page: whether it accepts `text/html` by name."""
    accepted = (header_list(request, "accept") or "").lower()
    return any(part.partition(";")[0].strip() == "text/html" for part in accepted.split(","))


def header_list(request: Request, name: str) -> str | None:
    """Return a header whose value is a list, or None if it is absent. Several lines are one list (RFC 9110 §5.3)."""
    lines = header_lines(request, name)
    return ", ".join(lines) if lines else None


def check_encoding(request: Request) -> None:
    """Raise UnsupportedEncoding if a body has a `Content-Encoding`, even if it is not really encoded."""
    for coding in (header_list(request, "content-encoding") or "").split(","):
        if (named := coding.strip()) and named.lower() != "identity" and request.raw_body:
            raise UnsupportedEncoding(f"Content-Encoding must be identity or absent, not {named[:_SHOWN_CODING]}")


def token_in(request: Request, also_in: str | None = None) -> tuple[str | None, TokenDialect]:
    """Return the access token, or None if there is none, and its dialect.

    The token may be in `Authorization: OAuth T`, `OAuth2 T` or `Bearer T`, in `?oauth_token=T` or `?access_token=T`,
    and in the query parameter `also_in`. Raises TokenRefused (400) if two different tokens are sent.
    """
    found: dict[str, TokenDialect] = {}
    for line in header_lines(request, "authorization"):
        scheme, _, credentials = line.strip().partition(" ")
        if (spoken := _SCHEMES.get(scheme.lower())) and credentials.strip():
            found.setdefault(credentials.strip(), spoken)
    places = {"oauth_token": TokenDialect.OAUTH, "access_token": TokenDialect.BEARER}
    if also_in:
        places[also_in] = TokenDialect.OAUTH
    for name, dialect in places.items():
        for token in parameters(request, name):
            if token:
                found.setdefault(token, dialect)
    if len(found) > 1:
        raise TokenRefused("invalid_request", "More than one access token was sent", status=400)
    return next(iter(found.items())) if found else (None, TokenDialect.OAUTH)


def is_form(request: Request) -> bool:
    """Return whether the content type says that the body is form-encoded."""
    media_type: str = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/x-www-form-urlencoded"


def is_signed(request: Request) -> bool:
    """Return whether a request is meant to be signed by OAuth 1.0a: whether it has a parameter of that protocol.

    The quotes in `Authorization: OAuth name="value", …` distinguish it from an access token.
    """
    scheme, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "oauth" and '="' in credentials:
        return True
    if any(name in (request.query_params or {}) for name in _SIGNED):
        return True
    return is_form(request) and any(f"{name}=".encode() in request.raw_body for name in _SIGNED)


def names_in_body(request: Request) -> bool:
    """Return whether a request that needs no body has one that may name things: any but a form of only a signature."""
    raw = request.raw_body
    body = (raw.encode() if isinstance(raw, str) else raw).strip()
    if not is_form(request):
        return bool(body)
    return not all(part.startswith((b"oauth_", b"xoauth_")) for part in body.split(b"&") if part)


def check_format(request: Request, name: str, allowed: Sequence[str] = ("json",)) -> str:
    """Return the last segment of a path without its format suffix.

    `?format=` or a suffix such as `.json` requests a format; the parameter takes precedence, unless it is empty. Raises
    ParameterInvalid if the format is not in `allowed`.
    """
    return asked_format(request, name, allowed)[0]


def asked_format(request: Request, name: str, allowed: Sequence[str]) -> tuple[str, str]:
    """Return the segment as `check_format` does, and the format: the first of `allowed` if none is requested."""
    bare, dot, suffix = name.partition(".")
    asked = [each for each in parameters(request, "format")[-1:] if each] or ([suffix] if dot else [])
    for wanted in asked:
        if wanted not in allowed:
            raise ParameterInvalid(f"Format must be one of: {', '.join(allowed)}")
    return bare, asked[0] if asked else allowed[0]


def decoded(segment: str) -> str:
    """Return a path segment as the client meant it: `%40me` is `@me`, even if a gateway has decoded it already."""
    return unquote(segment)


def idempotency_key(request: Request) -> str | None:
    """Return the header `Idempotency-Key`, or None if it is absent.

    Raises ParameterInvalid unless it is 1 to 255 visible ASCII characters.
    """
    key = header_list(request, "idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise ParameterInvalid("Idempotency-Key must be 1 to 255 visible ASCII characters")
    return key


def check_json_type(request: Request, *more: str) -> None:
    """Raise BadRequest unless the content type is JSON or one of `more`, in any letter case and with any parameters."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _JSON_TYPES and media_type not in more:
        raise BadRequest


def pairs_body(request: Request) -> Any:
    """Return the JSON of a write of pairs, or None for an empty body (content type optional). Raises BadRequest."""
    empty = not request.raw_body.strip()
    if not empty or request.headers.get("content-type", "").strip():
        check_json_type(request)
    return None if empty else json_text(request.raw_body)


def json_body(request: Request, *, lenient: bool = False) -> Any:
    """Return the body as JSON. Raises BadRequest for another content type, and as `json_text` does."""
    check_json_type(request)
    return json_text(request.raw_body, lenient=lenient)


def json_text(raw: bytes | str, *, lenient: bool = False) -> Any:
    """Return the parsed JSON of a request. Raises BadRequest unless it is plain JSON in UTF-8.

    Also refused are repeated names in one object, NaN and Infinity, and too deep nesting. `lenient` also accepts a
    comma after the last member of an object or list.
    """
    try:
        text = (raw if isinstance(raw, str) else raw.decode("utf-8")).removeprefix(_BYTE_ORDER_MARK)
        try:
            return _loads(text)
        except ValueError:
            if not lenient:
                raise
            return _loads(_TOKEN.sub(lambda match: "" if match["trailing"] else match[0], text))
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8") from None
    except RecursionError:
        raise BadRequest("The JSON is nested too deeply") from None
    except ValueError:
        raise BadRequest("The body is not valid JSON") from None


def _loads(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise BadRequest("A name appears twice in one JSON object")
    return named


def _constant(name: str) -> None:
    raise BadRequest(f"{name} is not JSON")
