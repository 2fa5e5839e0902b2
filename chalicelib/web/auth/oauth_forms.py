"""OAuth's forms and redirects on the wire: parameters, redirect URIs, and where a form's answer may lead."""

import re
from itertools import accumulate
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit

from chalicelib.core.errors import BadRequest

MOST_PARAMETERS = 50


_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


_HOST = re.compile(r"[a-z0-9.-]+")


def parse_form(body: bytes) -> dict[str, str]:
    """The parameters of a form-encoded body or a query; those without a value are as good as absent.

    Raises BadRequest for one that stands twice (RFC 6749 §3.1), for more than 50, and for what is not UTF-8.
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
    """Every redirect URI that a token request may mean: old clients send it without encoding it.

    Its own `&` then looks like the start of the next parameter, so each longer reading is one, too.
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
    """The redirect URI with parameters (None: left out), all ASCII and without line breaks; its own query stays."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None}, errors="replace")
    # Not by urlunsplit: it writes some URIs of private schemes otherwise than they were registered.
    own, _, query = redirect_uri.partition("#")[0].partition("?")
    return quote(f"{own}?{query}&{added}" if query else f"{own}?{added}", safe="%/:?#[]@!$&'()*+,;=-._~")


def form_target(redirect_uri: str) -> str | None:
    """The source expression that lets a form's answer redirect there (CSP `form-action`); None: it has no safe one."""
    parts = urlsplit(redirect_uri)
    if not _SCHEME.fullmatch(parts.scheme):
        return None
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    host, _, port = parts.netloc.lower().rpartition("@")[2].partition(":")
    if not _HOST.fullmatch(host) or not (port.isdecimal() or not port):
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
