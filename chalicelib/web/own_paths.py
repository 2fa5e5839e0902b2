"""Paths of our own pages: that of a request, and those to which a form may lead back."""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from chalice.app import Request

from chalicelib.web.requests import OPENED, UNKNOWN, decoded, parameters

MOST_CHARACTERS = 2_000
"""The length limit of a path to which signing in returns."""
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path on this site, in ASCII: no scheme, no host (also not as `//host` or `/\\host`), no space, no line break."""


def own_path(text: str | None) -> str:
    """Return a path of this site to which a form may lead back, or `/` if the text is not one."""
    return text if text and len(text) <= MOST_CHARACTERS and _OWN_PATH.fullmatch(text) else "/"


def path_of(request: Request) -> str:
    """Return the path of a request without the stage of API Gateway, with its parameters, encoded."""
    if request.path == UNKNOWN:
        # A browser would take `//host/path` in a link for another host.
        return "/" + str(request.context.get("path") or "").lstrip("/\\")
    return _filled(request.path, request)


def url_of(request: Request, without: Sequence[str] = (), **more: str) -> str:
    """Return path and query of a request, without these parameters and with more."""
    path, query = path_of(request), request.query_params
    names = [name for name in query or () if name not in without]
    text = urlencode([*((name, value) for name in names for value in parameters(request, name)), *more.items()])
    return f"{path}?{text}" if text else path


def opened_url(request: Request, without: Sequence[str] = (), **more: str) -> str:
    """Return the URL to which links of an answer lead: that of the request, as url_of.

    For a POST to a route without GET, it is the nearest parent that takes GET, without the query: a link is opened by
    GET, and behind API Gateway, the app could not even answer that with a page.
    """
    route = vars(request).get(OPENED, request.path)
    if route == request.path:
        return url_of(request, without, **more)
    path = _filled(route, request)
    return f"{path}?{urlencode(more)}" if more else path


def _filled(route: str, request: Request) -> str:
    given = {name: quote(decoded(value), safe="") for name, value in (request.uri_params or {}).items()}
    return route.format(**given)
