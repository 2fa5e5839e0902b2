"""What of people's text and of stored URLs may become a link or a picture on a page."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9\-._~:/?#@!$&'()*+,;=%\[\]]*")
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_AFTER = ".,;:!?'"
"""What ends a sentence after a URL rather than the URL."""
_BRACKETS = {")": "(", "]": "["}
_HOST = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True)
class TextPiece:
    """A piece of text; `href` is where it leads, None where it leads nowhere."""

    text: str
    href: str | None = None


def pieces(text: str) -> list[TextPiece]:
    """A text with its http(s) URLs as links; together the pieces are the text, to be escaped when they are printed."""
    found: list[TextPiece] = []
    end = 0
    for match in _URL.finditer(text):
        url = _without_what_follows(match.group())
        if not is_web(url):
            continue
        found += [TextPiece(text[end : match.start()]), TextPiece(url, url)]
        end = match.start() + len(url)
    return [piece for piece in [*found, TextPiece(text[end:])] if piece.text]


def is_web(url: str) -> bool:
    """Whether a URL is http(s) with a host: what a link may lead to."""
    try:
        # Not the parser alone: it drops what browsers may read otherwise, such as spaces in front.
        return _WEB.match(url) is not None and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def origin_of(url: str) -> str | None:
    """The origin of a picture as a content security policy names it; None where it has none that could stand there."""
    if not is_web(url):
        return None
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return origin if _HOST.fullmatch(origin) else None


def _without_what_follows(url: str) -> str:
    unopened = {close: url.count(close) - url.count(opening) for close, opening in _BRACKETS.items()}
    end = len(url)
    while end and (url[end - 1] in _AFTER or unopened.get(url[end - 1], 0) > 0):
        end -= 1
        if url[end] in unopened:
            unopened[url[end]] -= 1
    return url[:end]
