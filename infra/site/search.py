"""The index of the search: the texts of all pages in one language, which assets/search.js looks through.

index(pages) -> str

The script reads the texts themselves, without a list of words: a search in Japanese looks for pairs of characters,
which are simply there, and the script needs the text anyway to show the place that it found. Text is brought into
Unicode's form NFKC here, so that half-width and full-width characters are the same; letter case and kana are folded by
the script, which changes no position.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from infra.site.languages import texts

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Page:
    """A page: the path of its URL, its title, its headings without the title, and its whole text as Markdown."""

    url: str
    title: str
    headings: tuple[str, ...]
    text: str
    is_operation: bool = False


def index(pages: Sequence[Page]) -> str:
    """Return the index as JSON: a list of `[url, title, headings, text]`, in the order of the pages."""
    entries = [
        [page.url, _folded(page.title), "\n".join(map(_folded, page.headings)), _folded(plain(page))] for page in pages
    ]
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))


def plain(page: Page) -> str:
    """Return the text without its markup and its title.

    An operation's text is without its code and its errors: those of all operations are alike, and each error has a page
    of its own, which is a better result.
    """
    tokens = _MARKDOWN.parse(page.text)
    if [each.tag for each in tokens[:1]] == ["h1"]:
        tokens = tokens[3:]
    found: list[str] = []
    left_out = False
    before = ""
    for token in tokens:
        if token.type == "inline":
            text = "".join(_texts(token.children or ()))
            if page.is_operation and before == "h2":
                left_out = text in texts()["errors"].values()
            if not left_out:
                found.append(text)
        elif token.type in ("fence", "code_block") and not page.is_operation:
            found.append(token.content)
        before = token.tag
    return "\n".join(found)


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type in ("text", "code_inline"):
            yield token.content


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
