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
from collections.abc import Sequence
from typing import NamedTuple


class Page(NamedTuple):
    """A page as plain text, without markup."""

    url: str
    title: str
    headings: tuple[str, ...]
    text: str


def index(pages: Sequence[Page]) -> str:
    """Return the index as JSON: a list of `[url, title, headings, text]`, in the order of the pages."""
    entries = [
        [page.url, _plain(page.title), "\n".join(map(_plain, page.headings)), _plain(page.text)] for page in pages
    ]
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
