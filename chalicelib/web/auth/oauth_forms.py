"""OAuth's forms and redirects: parameters, redirect URIs, and the allowed targets of a form's redirect."""

import re
from itertools import accumulate
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit

from chalicelib.core.errors import BadRequest

MOST_PARAMETERS = 50


_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


_HOST = re.compile(r"[a-z0-9.-]+")


def parse_form(body: bytes) -> dict[str, str]:
    """Return the parameters of a form-encoded body or a query, without those that have no value.

    Raises BadRequest for a repeated parameter (RFC 6749 §3.1), for more than 50, and for text that is not UTF-8.
    """
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest("The parameters are not form-encoded UTF-8") from None
    named = dict(pairs)
    if len(named) < len(pairs):
        raise BadRequest("A parameter appears twice")
    return {name: value for name, value in named.items() if value}


def redirects_sent(body: bytes) -> set[str]:
    """Return every redirect URI that a token request may mean: old clients do not encode it.

    An `&` inside it then looks like the start of the next parameter, so each longer reading is returned, too.
    """
    parts = body.decode(errors="replace").split("&")
    for index, part in enumerate(parts):
        name, _, raw = part.partition("=")
        if name == "redirect_uri":
            readings = {unquote_plus(raw)}
            if "://" in raw:
                readings |= set(accumulate(parts[index + 1 :], "{}&{}".format, initial=raw))
            return readings
    return set()


def location(redirect_uri: str, **parameters: str | None) -> str:
    """Return the redirect URI with added parameters (None: omitted), in ASCII, no line breaks; its own query stays."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None}, errors="replace")
    # urlunsplit is not used: it changes some URIs of private schemes, which must stay as registered.
    own, _, query = redirect_uri.partition("#")[0].partition("?")
    return quote(f"{own}?{query}&{added}" if query else f"{own}?{added}", safe="%/:?#[]@!$&'()*+,;=-._~")


def form_target(redirect_uri: str) -> str | None:
    """Return the CSP `form-action` source that lets a form redirect to this URI, or None if there is no safe one."""
    parts = urlsplit(redirect_uri)
    if not _SCHEME.fullmatch(parts.scheme):
        return None
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    host, _, port = parts.netloc.lower().rpartition("@")[2].partition(":")
    if not _HOST.fullmatch(host) or not (port.isdecimal() or not port):
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
