"""The documents of docs/ that are served, and their Markdown.

A link between documents leads to the page of the other one; a link to a file that is not served becomes plain text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from infra.site.languages import DOCS, JAPANESE, ROOT, Language, translation

SECTIONS = ("guide", "reference", "errors", "operating")
"""The folders of docs/ with served documents; each is the first part of their names."""
_SUMMARY = 200
"""The most characters of a summary."""
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")

Target = Callable[[str], str | None]
"""A function that returns the address of a link's target for a page, or None if it is not served."""


@dataclass(frozen=True)
class Document:
    """A document in one language. `written_in` is the language of its text."""

    name: str
    section: str
    source: Path
    written_in: Language
    markdown: str

    @cached_property
    def title(self) -> str:
        """The text of its first heading."""
        return self.headings[0][2]

    @cached_property
    def summary(self) -> str:
        """The beginning of its first paragraph, as plain text."""
        return shortened(next((plain(token) for _, token in self._parts("paragraph_open")), ""))

    @cached_property
    def headings(self) -> list[tuple[int, str, str]]:
        """The level, the id and the text of each heading."""
        taken: set[str] = set()
        found = [(int(opening.tag[1]), plain(token)) for opening, token in self._parts("heading_open")]
        return [(level, _free(slug(text), taken), text) for level, text in found]

    @cached_property
    def _tokens(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.markdown)

    def _parts(self, opening: str) -> Iterator[tuple[Token, Token]]:
        """Yield the opening tokens of this type, each with the text that follows."""
        return ((before, token) for before, token in pairwise(self._tokens) if before.type == opening)


def shortened(text: str) -> str:
    """Return the first sentences of a text, or its first words if the first sentence is too long for a summary."""
    if len(text) <= _SUMMARY:
        return text
    beginning = text[:_SUMMARY]
    sentences = max(beginning.rfind(". "), beginning.rfind("。")) + 1
    # In Japanese there may be no space at all.
    return beginning[:sentences] if sentences else f"{beginning.rpartition(' ')[0] or beginning} …"


def documents(language: Language) -> list[Document]:
    """Return all served documents, in the order in which docs/README.md names them."""
    order = _order()
    found = []
    for section in SECTIONS:
        sources = sorted(
            (DOCS / section).rglob("*.md"), key=lambda path: (order.get(path, len(order)), path.as_posix())
        )
        found += [_read(source, section, language) for source in sources]
    return found


def name_of(source: Path) -> str:
    """Return the name of a document's page: `reference/oauth` for docs/reference/protocol/oauth.md."""
    return f"{source.relative_to(DOCS).parts[0]}/{source.stem}"


def _read(source: Path, section: str, language: Language) -> Document:
    translated = JAPANESE / source.relative_to(DOCS)
    if language == "ja" and translated.is_file():
        return Document(name_of(source), section, source, "ja", translation(translated).text)
    return Document(name_of(source), section, source, "en", source.read_text(encoding="utf-8"))


@cache
def _order() -> dict[Path, int]:
    readme = DOCS / "README.md"
    named = [(DOCS / target).resolve() for _, target in _LINK.findall(readme.read_text(encoding="utf-8"))]
    return {path: index for index, path in reversed([*enumerate(named)])}


def resolved_link(source: Path, href: str) -> tuple[str, str]:
    """Return the file of the project that a relative link of a document names, and its fragment with `#`."""
    path, hash_sign, fragment = href.partition("#")
    if not path:
        return source.relative_to(ROOT).as_posix(), hash_sign + fragment
    found = posixpath.normpath(posixpath.join(source.parent.relative_to(ROOT).as_posix(), path))
    return found, hash_sign + fragment


def slug(heading: str) -> str:
    """Return the id of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Html:
    """Markdown as HTML, with ids for headings and regions for what may be wider than the page."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._parser = MarkdownIt("commonmark").enable("table")
        for rule in (self._table_open, self._table_close, self._fence):
            self._parser.add_render_rule(rule.__name__.lstrip("_"), rule)

    def text(self, markdown: str) -> Markup:
        """Return Markdown as HTML. It is our own text."""
        return self._rendered(self._parser.parse(markdown))

    def line(self, markdown: str) -> Markup:
        """Return Markdown of one line as HTML without a paragraph."""
        return self._rendered(self._parser.parseInline(markdown))

    def _rendered(self, tokens: list[Token]) -> Markup:
        taken: set[str] = set()
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                token.attrSet("id", _free(slug(plain(tokens[index + 1])), taken))
            if token.type == "th_open" and not tokens[index + 1].children:
                # A corner without a text heads nothing.
                token.tag = tokens[index + 2].tag = "td"
            if token.children:
                token.children = [*self._linked(token.children)]
        return Markup(self._parser.renderer.render(tokens, self._parser.options, {}))  # noqa: S704

    def _linked(self, children: Sequence[Token]) -> Iterator[Token]:
        """Yield the parts of a line; a link that leads nowhere is left out, and its text stays."""
        kept = True
        for token in children:
            if token.type == "link_open":
                address = self._target(str(token.attrGet("href")))
                kept = address is not None
                if address is not None:
                    token.attrSet("href", address)
            if kept or token.type not in ("link_open", "link_close"):
                yield token

    def _table_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return '<div class="wide" tabindex="0" role="group">\n<table>\n'

    def _table_close(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return "</table>\n</div>\n"

    def _fence(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return str(Markup('<pre tabindex="0"><code>{}</code></pre>\n').format(tokens[index].content))


def with_targets(markdown: str, target: Target) -> str:
    """Return Markdown whose links lead to what is served; text in blocks of code stays as it is."""

    def replaced(link: re.Match[str]) -> str:
        address = target(link[2])
        return link[1] if address is None else f"[{link[1]}]({address})"

    pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(piece if piece.startswith("```") else _LINK.sub(replaced, piece) for piece in pieces)


def plain(token: Token) -> str:
    """Return the text of an inline token without marks."""
    return "".join(" " if each.type == "softbreak" else each.content for each in token.children or ()).strip()


def _free(name: str, taken: set[str]) -> str:
    """Return an id that is not taken yet, as GitHub numbers them."""
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found
