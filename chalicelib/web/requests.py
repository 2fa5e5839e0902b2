"""Reading requests: the token in its four places, query parameters, selectors, formats, and JSON without surprises."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from chalice.app import Request

from chalicelib.core.errors import BadRequest, ParameterInvalid, TokenRefused
from chalicelib.web.dialect import Dialect

_BYTE_ORDER_MARK = "\ufeff"
_JSON_TYPES = {"application/json", "text/json"}


def parameters(request: Request, name: str) -> list[str]:
    """Every value of a query parameter, in order; none where it is absent."""
    query = request.query_params
    return query.getlist(name) if query and name in query else []


def token_in(request: Request) -> tuple[str | None, Dialect]:
    """The access token and the dialect it came in.

    In `Authorization: OAuth T` or `Bearer T`, in `?oauth_token=T` or `?access_token=T`. Raises TokenRefused (400) where
    two different tokens are sent.
    """
    found: dict[str, Dialect] = {}
    scheme, _, credentials = request.headers.get("authorization", "").strip().partition(" ")
    for dialect in Dialect:
        if scheme.lower() == dialect.value.lower() and credentials.strip():
            found[credentials.strip()] = dialect
    for name, dialect in (("oauth_token", Dialect.OAUTH), ("access_token", Dialect.BEARER)):
        for token in parameters(request, name):
            if token:
                found.setdefault(token, dialect)
    if len(found) > 1:
        raise TokenRefused("invalid_request", "More than one access token was sent", status=400)
    return next(iter(found.items())) if found else (None, Dialect.OAUTH)


def check_format(request: Request, name: str, allowed: Sequence[str] = ("json",)) -> str:
    """The last segment of a path without its format suffix, once the format asked for is one of `allowed`.

    A format is asked for by `?format=` or by a suffix such as `.json`; the parameter wins. Raises ParameterInvalid.
    """
    bare, dot, suffix = name.partition(".")
    asked = parameters(request, "format")[-1:] or ([suffix] if dot else [])
    for wanted in asked:
        if wanted not in allowed:
            raise ParameterInvalid(f"Format must be one of: {', '.join(allowed)}")
    return bare


def decoded(segment: str) -> str:
    """A path segment as the client meant it: `%40me` is `@me`, whether or not what stands in front has decoded it."""
    return unquote(segment)


def check_json_type(request: Request) -> None:
    """Raise BadRequest unless the content type is JSON, in any letter case and with any parameters."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _JSON_TYPES:
        raise BadRequest


def json_body(request: Request) -> Any:
    """The body as JSON. Raises BadRequest for another content type and for what is not plain JSON in UTF-8.

    Refused with the rest: names that stand twice in one object, NaN and Infinity, and nesting that no client means.
    """
    check_json_type(request)
    raw = request.raw_body
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        return json.loads(text.removeprefix(_BYTE_ORDER_MARK), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8") from None
    except RecursionError:
        raise BadRequest("The JSON is nested too deeply") from None
    except ValueError:
        raise BadRequest("The body is not valid JSON") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise BadRequest("A name stands twice in one JSON object")
    return named


def _constant(name: str) -> None:
    raise BadRequest(f"{name} is not JSON")
