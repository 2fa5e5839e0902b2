"""The pages of `/docs`, with their Markdown twins, in both languages.

Every address is relative to the page, because a platform may be served below a path (API Gateway's stages).
"""

from __future__ import annotations

import hashlib
import json
import lzma
import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from infra import reference
from infra.site import snippets, tryit
from infra.site.documents import (
    Document,
    Html,
    documents,
    name_of,
    resolved_link,
    with_targets,
)
from infra.site.languages import DOCS, JAPANESE, LANGUAGES, ROOT, TEXTS, Language, texts
from infra.site.operations import Operation, Operations
from infra.site.search import Page, index

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
ASSETS = HERE / "assets"
STYLE = ROOT / "chalicelib" / "web" / "templates" / "style.css"
OUTPUT = reference.STATIC / "docs"
ARCHIVE = OUTPUT / "files.json.xz"
SOURCES = OUTPUT / ".sources"
HTML, MARKDOWN, PLAIN = (f"text/{kind}; charset=utf-8" for kind in ("html", "markdown", "plain"))
MEDIA_TYPES = {
    ".html": HTML,
    ".md": MARKDOWN,
    ".txt": PLAIN,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
}
ELSEWHERE = frozenset({"/", "/openapi.json", "/llms.txt", "/sample", "/settings", "/settings/apps", "/health"})
"""Paths that the pages link, and that other faces of the platform serve."""
_OUTSIDE = re.compile(r"[a-z]+:|//", re.IGNORECASE)

Served = dict[str, tuple[str, bytes]]
"""Files by the paths of their URLs, with their media types."""


def url_of(language: Language, name: str) -> str:
    """Return the path of a page's URL; the name of the index is empty."""
    return f"/docs/{language}/{name}".rstrip("/")


def relative(target: str, page: str) -> str:
    """Return the address of a path of the platform on the page at another path."""
    path, hash_sign, fragment = target.partition("#")
    if path == page and fragment:
        return hash_sign + fragment
    # Not relpath(path, …) alone: ".." would lead to the page's address with a slash at its end, from which all other
    # addresses are wrong.
    folder = posixpath.relpath(posixpath.dirname(path), posixpath.dirname(page))
    found = f"{folder}/{posixpath.basename(path)}"
    return (found if path == "/" else found.removeprefix("./")) + hash_sign + fragment


class Site:
    """All pages of one language."""

    def __init__(self, document: reference.Json, language: Language) -> None:
        self.language: Language = language
        self._document = document
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def word(self, key: str) -> str:
        """Return a text of the frame."""
        return texts()[key][self.language]

    @cached_property
    def operations(self) -> dict[str, list[Operation]]:
        """The operations of each tag."""
        return Operations(self._document, self.language, self.word).by_tag()

    @cached_property
    def documents(self) -> dict[str, list[Document]]:
        """The documents of each section."""
        found: dict[str, list[Document]] = {"guide": [], "reference": [], "errors": [], "operating": []}
        for each in documents(self.language):
            found[each.section].append(each)
        return found

    def files(self) -> Served:
        """Return the pages and their twins."""
        found: Served = {}
        for url in self._index_urls():
            found[url] = (HTML, self._index(url).encode())
        found[f"{url_of(self.language, '')}.md"] = (MARKDOWN, self.list_of_pages(MARKDOWN).encode())
        for operation in self._all_operations():
            url = url_of(self.language, operation.name)
            found[url] = (HTML, self._operation(operation, url).encode())
            found[f"{url}.md"] = (MARKDOWN, self._twins[operation.id].encode())
        for document in self._all_documents():
            url = url_of(self.language, document.name)
            found[url] = (HTML, self._document_page(document, url).encode())
            twin = with_targets(document.markdown, partial(self._target, document, f"{url}.md"))
            found[f"{url}.md"] = (MARKDOWN, twin.encode())
        return found

    def pages(self) -> Iterator[Page]:
        """Yield what can be searched."""
        for operation in self._all_operations():
            url, also = url_of(self.language, operation.name), (operation.id, operation.path)
            yield Page(url, operation.title, also, self._twins[operation.id], is_operation=True)
        for each in self._all_documents():
            named = tuple(text for level, _, text in each.headings if level > 1)
            yield Page(url_of(self.language, each.name), each.title, named, each.markdown)

    def list_of_pages(self, kind: str) -> str:
        """Return the list of all Markdown twins, for `/llms.txt` (text/plain) or as the twin of the index."""
        url = "/llms.txt" if kind == PLAIN else f"{url_of(self.language, '')}.md"
        return self._rendered("list.md", url, **self._contents())

    def _index_urls(self) -> list[str]:
        return [url_of(self.language, ""), *(["/docs"] if self.language == "en" else [])]

    def _all_operations(self) -> Iterator[Operation]:
        for each in self.operations.values():
            yield from each

    def _all_documents(self) -> Iterator[Document]:
        for each in self.documents.values():
            yield from each

    def _contents(self) -> dict[str, Any]:
        return {"operations": self.operations, "documents": self.documents, "info": self._document["info"]}

    def _index(self, url: str) -> str:
        return self._rendered("index.html", url, page="", title=self.word("site"), summary=self.word("lead"))

    def _operation(self, operation: Operation, url: str) -> str:
        return self._rendered(
            "operation.html",
            url,
            page=operation.name,
            title=operation.title,
            summary=operation.summary or f"{operation.method} {operation.path}",
            operation=operation,
            form=tryit.form(self._document, operation.id),
            snippets=snippets.of(operation.id),
        )

    @cached_property
    def _twins(self) -> dict[str, str]:
        """The operations as Markdown, by their ids."""
        return {each.id: self._operation_markdown(each) for each in self._all_operations()}

    def _operation_markdown(self, operation: Operation) -> str:
        url = f"{url_of(self.language, operation.name)}.md"
        made = self._rendered("operation.md", url, operation=operation, snippets=snippets.of(operation.id))
        return re.sub(r"\n{3,}", "\n\n", made)

    def _document_page(self, document: Document, url: str) -> str:
        html = Html(partial(self._target, document, url))
        parts = [each for each in document.headings if each[0] == 2]
        guides = self.documents["guide"]
        place = guides.index(document) if document in guides else None
        return self._rendered(
            "document.html",
            url,
            page=document.name,
            title=document.title,
            summary=document.summary,
            document=document,
            content=html.text(document.markdown),
            parts=parts if len(parts) > 2 else [],
            previous=guides[place - 1] if place else None,
            following=guides[place + 1] if place is not None and place + 1 < len(guides) else None,
        )

    def _rendered(self, template: str, url: str, **values: Any) -> str:
        html = Html(lambda href: self._known(href, url))
        other: Language = "en" if self.language == "ja" else "ja"
        name = values.get("page", "")
        given = {
            **self._contents(),
            "language": self.language,
            "other": other,
            "other_url": relative(url_of(other, name), url),
            "twin": relative(f"{url_of(self.language, name)}.md", url),
            "t": self.word,
            "url": lambda target: relative(target, url),
            "at": lambda named: relative(url_of(self.language, named), url),
            "text": html.text,
            "line": html.line,
            "root": relative("/", url),
            "errors": {each.name.partition("/")[2] for each in self.documents["errors"]},
            "page": name,
            **values,
        }
        made = self._environment.get_template(template).render(given)
        return _without_empty_lines(made) if template.endswith(".html") else made

    def _known(self, href: str, url: str) -> str | None:
        """Return the address of a path of the platform that our own texts name."""
        if _OUTSIDE.match(href) or href.startswith("#"):
            return href
        return relative(href, url) if href.startswith("/") else None

    def _target(self, document: Document, url: str, href: str) -> str | None:
        """Return the address, on the page `url`, of what a link of a document names; None if it is not served.

        A link of a translation is relative to the translation's place, or to that of the original.
        """
        if _OUTSIDE.match(href):
            return href
        if href.startswith("/"):
            path = href.partition("#")[0].rstrip("/") or "/"
            return relative(href, url) if path in ELSEWHERE or path.startswith("/docs") else None
        own = JAPANESE / document.source.relative_to(DOCS)
        places = [own] if document.written_in == "ja" else []
        found = [self._place(document, url, *resolved_link(place, href)) for place in (*places, document.source)]
        return next((each for each in found if each is not None), None)

    def _place(self, document: Document, url: str, named: str, fragment: str) -> str | None:
        """Return the address, on the page `url`, of a file of the project; None if it is not served."""
        ending = ".md" if url.endswith(".md") else ""
        if named == "openapi.yaml":
            return relative("/openapi.json", url)
        if named == "docs/README.md":
            return relative(url_of(self.language, "") + ending, url)
        file = ROOT / named
        if file.is_relative_to(JAPANESE):
            file = DOCS / file.relative_to(JAPANESE)
        if fragment and file == document.source:
            return fragment
        if any(file == each.source for each in self._all_documents()):
            return relative(url_of(self.language, name_of(file)) + ending + fragment, url)
        return None


def _without_empty_lines(html: str) -> str:
    """Return a page without empty lines, except those of its blocks of code."""
    parts = re.split(r"(<pre\b.*?</pre>)", html, flags=re.DOTALL)
    return "".join(part if index % 2 else re.sub(r"\n\s*\n+", "\n", part) for index, part in enumerate(parts))


def files() -> Served:
    """Return everything that is served: pages, twins, assets and `/llms.txt`, by the paths of their URLs."""
    document = reference.document()
    assets = _assets()
    found: Served = {}
    for language in LANGUAGES:
        site = Site(document, language)
        found |= site.files()
        assets[f"search-{language}.json"] = index([*site.pages()]).encode()
        if language == "en":
            found["/llms.txt"] = (PLAIN, site.list_of_pages(PLAIN).encode())
    for name, content in assets.items():
        found[f"/docs/assets/{name}"] = (MEDIA_TYPES[posixpath.splitext(name)[1]], content)
    return found


def _assets() -> dict[str, bytes]:
    """Return the files of assets/; the style begins with the colours of the platform's other pages."""
    found = {path.name: path.read_bytes() for path in sorted(ASSETS.iterdir()) if path.suffix in MEDIA_TYPES}
    colours, _, _ = STYLE.read_text(encoding="utf-8").partition("* {")
    found["site.css"] = colours.encode() + found["site.css"]
    return found


def sources() -> str:
    """Return a hash of all files that the pages are made of."""
    paths = [reference.SOURCE, Path(reference.__file__), STYLE, TEXTS, *DOCS.rglob("*"), *HERE.rglob("*")]
    found = hashlib.sha256()
    for path in sorted({each for each in paths if each.is_file() and "__pycache__" not in each.parts}):
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def refresh() -> bool:
    """Build the files unless they are made of the present sources; return whether they were built."""
    wanted = sources()
    if ARCHIVE.exists() and SOURCES.exists() and SOURCES.read_text(encoding="utf-8") == wanted:
        return False
    write()
    _replace(SOURCES, wanted.encode())
    return True


def write(made: Callable[[], Served] = files) -> None:
    """Write all files into one archive: pages that share most of their text take an eighth of the space so."""
    held = {url: [media_type, content.decode()] for url, (media_type, content) in made().items()}
    OUTPUT.mkdir(exist_ok=True)
    _replace(ARCHIVE, lzma.compress(json.dumps(held, ensure_ascii=False).encode(), preset=6))


def archived() -> Served:
    """Return the files of the archive."""
    held = json.loads(lzma.decompress(ARCHIVE.read_bytes()))
    return {url: (media_type, text.encode()) for url, (media_type, text) in held.items()}


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step, because another process may read or write it."""
    fresh = path.with_name(f"{path.name}.{hashlib.sha256(content).hexdigest()[:8]}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
