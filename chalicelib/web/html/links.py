"""Links and pictures on a page: which parts of users' texts and which stored URLs may become one."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9\-._~:/?#@!$&'()*+,;=%\[\]]*")
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_AFTER = ".,;:!?'"
"""Characters after a URL that belong to the sentence, not to the URL."""
_BRACKETS = {")": "(", "]": "["}
MOST_ORIGIN = 100
"""The most characters of an origin in a policy: a page has up to 50, and API Gateway sends 10 KB of headers."""
_HOST = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True)
class TextPiece:
    """A piece of text; `href` is the target of its link, or None if it is not a link."""

    text: str
    href: str | None = None


def pieces(text: str, most: int | None = None) -> list[TextPiece]:
    """Return a text as pieces, with its http(s) URLs as links. Joined, the pieces are the text; they are unescaped.

    Of a text with more than `most` characters, the last of these is an ellipsis.
    """
    found: list[TextPiece] = []
    end = 0
    for match in _URL.finditer(text):
        url = _without_what_follows(match.group())
        if not is_web(url):
            continue
        found += [TextPiece(text[end : match.start()]), TextPiece(url, url)]
        end = match.start() + len(url)
    whole = [piece for piece in [*found, TextPiece(text[end:])] if piece.text]
    return whole if most is None or len(text) <= most else _cut(whole, most - 1)


def is_web(url: str) -> bool:
    """Return whether a URL is http(s) with a host, so that a link may lead to it."""
    try:
        # The parser is not enough: it drops characters that browsers may read differently, such as leading spaces.
        return _WEB.match(url) is not None and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def origin_of(url: str) -> str | None:
    """Return the origin of a picture for a content security policy, or None if it is too long, or cannot be in one."""
    if not is_web(url):
        return None
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return origin if len(origin) <= MOST_ORIGIN and _HOST.fullmatch(origin) else None


def _cut(whole: list[TextPiece], left: int) -> list[TextPiece]:
    """Return the first `left` characters, and an ellipsis. A URL that is cut would lead elsewhere: it is no link."""
    found: list[TextPiece] = []
    for piece in whole:
        if len(piece.text) > left:
            return [*found, TextPiece(f"{piece.text[:left]}…")]
        found.append(piece)
        left -= len(piece.text)
    return found


def _without_what_follows(url: str) -> str:
    unopened = {close: url.count(close) - url.count(opening) for close, opening in _BRACKETS.items()}
    end = len(url)
    while end and (url[end - 1] in _AFTER or unopened.get(url[end - 1], 0) > 0):
        end -= 1
        if url[end] in unopened:
            unopened[url[end]] -= 1
    return url[:end]
