"""The pages of `/docs`: complete in both languages, linked without dead ends, small, and free of inline scripts."""

from __future__ import annotations

import gzip
import posixpath
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch
from urllib.parse import unquote

import pytest

from infra.reference import METHODS, document
from infra.site import builder, languages
from infra.site.documents import Document, Html, shortened, slug, with_targets
from infra.site.operations import kebab
from infra.site.schemas import Schemas
from tests.kit.contract import Contract

FIRST_PAINT = 60_000
"""The most bytes, compressed, of a page with its style and its scripts."""
SCRIPTS = 40_000
"""The most bytes of all scripts, compressed."""
DECLARED = {
    declared["operationId"]: declared
    for item in document()["paths"].values()
    for method, declared in item.items()
    if method in METHODS
}


class Outline(HTMLParser):
    """The parts of a page that the tests check."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language = ""
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.relations: dict[tuple[str, str], str] = {}
        self.loaded: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes |= given.keys()
        if tag == "html":
            self.language = given["lang"]
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "link":
            self.relations[given["rel"], given.get("type") or given.get("hreflang", "")] = given["href"]
        self.loaded += [given["src"]] if "src" in given else []
        self.loaded += [given["href"]] if given.get("rel") == "stylesheet" else []
        self.targets += [given[name] for name in ("href", "src") if name in given]


SHOWN: set[str] = set()
"""The texts of the frame that the pages show."""


@cache
def served() -> builder.Served:
    word = builder.Site.word

    def shown(site: builder.Site, key: str) -> str:
        SHOWN.add(key)
        return word(site, key)

    with patch.object(builder.Site, "word", shown):
        return builder.files()


@cache
def outlines() -> dict[str, Outline]:
    return {url: Outline(content.decode()) for url, (kind, content) in served().items() if kind == builder.HTML}


def is_served(path: str) -> bool:
    """Return whether the platform answers a path: with one of these pages, or by another route."""
    if path.startswith("/docs") or path in builder.ELSEWHERE:
        return path in served() or path in builder.ELSEWHERE
    return Contract.ours().find("GET", path)[0] is not None


def resolved(page: str, target: str) -> tuple[str, str]:
    """Return the path and the fragment that a relative address leads to."""
    path, _, fragment = target.partition("#")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    return found, unquote(fragment)


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_each_operation_has_a_page_two_clicks_from_the_overview(language: languages.Language) -> None:
    start = builder.url_of(language, "")
    linked = {resolved(start, target)[0] for target in outlines()[start].targets if not builder._OUTSIDE.match(target)}
    for operation, declared in DECLARED.items():
        url = f"/docs/{language}/operations/{kebab(operation)}"
        assert url in linked, operation
        text = served()[url][1].decode()
        title = languages.title_of(declared, language).title
        assert f"<h1>{title}</h1>".replace("'", "&#39;") in text
    assert outlines()["/docs"].tags == outlines()["/docs/en"].tags


def test_each_page_says_in_which_language_it_is_and_has_one_title() -> None:
    assert len(outlines()) > 150
    for url, page in outlines().items():
        assert page.language == ("ja" if url.startswith("/docs/ja") else "en")
        assert page.tags.count("h1") == 1, url
        assert page.tags.count("title") == page.tags.count("main") == page.tags.count("nav") == 1
        assert len(page.ids) == len(set(page.ids)), f"{url} has an id twice"
        assert "main" in page.ids


def test_each_page_has_its_twin_and_the_same_page_in_the_other_language() -> None:
    for url, page in outlines().items():
        twin, _ = resolved(url, page.relations["alternate", "text/markdown"])
        assert served()[twin][0] == builder.MARKDOWN
        assert served()[twin][1].startswith(b"# "), twin
        other = "en" if page.language == "ja" else "ja"
        found, _ = resolved(url, page.relations["alternate", other])
        assert found == re.sub("^/docs(/en|/ja)?", f"/docs/{other}", url)
        assert found in served()


def test_every_link_leads_to_a_page_and_every_fragment_to_a_place() -> None:
    for url, page in outlines().items():
        for target in page.targets:
            if builder._OUTSIDE.match(target):
                assert target.startswith(("https://", "http://127.0.0.1:")), f"{url} links {target}"
                continue
            assert not target.startswith("/"), f"{url} links {target}, which is not right below a path"
            path, fragment = resolved(url, target)
            assert is_served(path), f"{url} links {target}, which is not served"
            if fragment:
                assert unquote(fragment) in outlines()[path].ids, f"{url} links {target}, which has no such place"


def test_every_link_of_a_twin_leads_to_what_is_served() -> None:
    twins = {url: content.decode() for url, (kind, content) in served().items() if kind != builder.HTML}
    for url, text in twins.items():
        if not url.endswith((".md", ".txt")):
            continue
        without_code = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code):
            if not builder._OUTSIDE.match(target):
                path, _ = resolved(url, target)
                assert is_served(path), f"{url} links {target}"


def test_the_list_for_language_models_names_every_page() -> None:
    kind, content = served()["/llms.txt"]
    listed = {resolved("/llms.txt", target)[0] for target in re.findall(r"\]\(([^)\s]+)\)", content.decode())}
    assert kind == builder.PLAIN
    assert content.startswith(b"# Engawa\n\n> ")
    pages = {f"{url}.md" for url in outlines() if url.startswith("/docs/en/")}
    assert pages <= listed


def test_no_page_has_an_inline_script_or_style_and_loads_from_elsewhere() -> None:
    for url, page in outlines().items():
        assert "style" not in page.tags, url
        assert not {name for name in page.attributes if name == "style" or name.startswith("on")}, url
        assert all(resolved(url, each)[0].startswith("/docs/assets/") for each in page.loaded), url
        # A script between its tags would be text of the page.
        assert not re.search(rb"<script[^>]*>[^<]", served()[url][1]), url
    assert not [url for url, (_, content) in served().items() if url.endswith(".css") and b"url(" in content]


def test_a_page_is_small_enough_to_be_seen_at_once() -> None:
    sizes = {url: len(gzip.compress(content)) for url, (_, content) in served().items()}
    for url, page in outlines().items():
        whole = sizes[url] + sum(sizes[resolved(url, each)[0]] for each in set(page.loaded))
        assert whole <= FIRST_PAINT, f"{url} has {whole:,} bytes with what it loads, compressed"
    assert sum(size for url, size in sizes.items() if url.endswith(".js")) <= SCRIPTS


def test_the_archive_is_what_is_served_and_small() -> None:
    assert builder.archived() == served()
    assert builder.ARCHIVE.stat().st_size < 700_000


def test_it_is_built_again_only_if_a_source_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OUTPUT": tmp_path, "ARCHIVE": tmp_path / "a.xz", "SOURCES": tmp_path / ".sources"}.items():
        monkeypatch.setattr(builder, name, value)
    built: list[int] = []
    monkeypatch.setattr(builder, "write", lambda: built.append((tmp_path / "a.xz").write_bytes(b"")))
    assert builder.refresh()
    assert not builder.refresh()
    monkeypatch.setattr(builder, "sources", lambda: "others")
    assert builder.refresh()
    assert len(built) == 2


def test_every_text_of_the_frame_is_there_in_both_languages_and_used() -> None:
    for key, words in languages.texts().items():
        assert words.keys() == set(languages.LANGUAGES), f"{key} in infra/site/texts.yaml needs en and ja"
    served()
    # openapi.yaml decides which places of parameters there are, and why a request cannot be tried.
    unused = {each for each in languages.texts().keys() - SHOWN if not each.startswith(("in_", "try_why_"))}
    assert not unused, "remove these from infra/site/texts.yaml"


@pytest.mark.parametrize("operation", sorted(DECLARED))
def test_every_operation_has_a_japanese_title_of_its_present_title(operation: str) -> None:
    found = languages.titles().get(operation)
    assert found, f"docs/ja/reference.yaml needs {operation} with of, title and summary"
    assert found["of"] == DECLARED[operation]["summary"], (
        f"docs/ja/reference.yaml: the English title of {operation} has changed; translate it again, and change `of`"
    )
    assert re.search("[ぁ-んァ-ン一-龠]", found["title"])
    assert found["summary"].endswith("。")


TRANSLATED = sorted(languages.JAPANESE.rglob("*.md"))


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.relative_to(languages.JAPANESE).as_posix())
def test_a_translation_is_of_the_present_original(path: Path) -> None:
    found = languages.translation(path)
    name = path.relative_to(languages.ROOT)
    assert found.original == languages.original_of(path), f"{name} is not beside its original in docs/ja"
    assert found.is_current, (
        f"{name} is older than {found.original}: translate what has changed, then "
        f"python -m infra.site --translated {name}"
    )


def test_a_translation_is_marked_and_its_first_line_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ROOT": tmp_path, "DOCS": tmp_path / "docs", "JAPANESE": tmp_path / "docs" / "ja"}.items():
        monkeypatch.setattr(languages, name, value)
    original, translated = tmp_path / "docs" / "guide" / "a.md", tmp_path / "docs" / "ja" / "guide" / "a.md"
    for path, text in {original: "# A\n", translated: "# あ\n"}.items():
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")

    with pytest.raises(languages.WrongTranslation, match="first line"):
        languages.translation(translated)
    languages.mark_translated(translated)
    assert languages.translation(translated) == ("docs/guide/a.md", True, "# あ\n")
    original.write_text("# B\n", encoding="utf-8")
    assert not languages.translation(translated).is_current
    languages.mark_translated(translated)
    languages.mark_translated(translated)
    assert languages.translation(translated) == ("docs/guide/a.md", True, "# あ\n")


@pytest.mark.parametrize(
    ("target", "page", "address"),
    [
        ("/docs/en/operations/write-data", "/docs", "docs/en/operations/write-data"),
        ("/docs/en/operations/write-data", "/docs/en/operations/read-data", "write-data"),
        ("/docs/ja", "/docs/en/guide/a", "../../ja"),
        ("/docs/en", "/docs/en/guide/a", "../../en"),
        ("/docs/en", "/docs/en", "en"),
        ("/", "/docs/en/guide/a", "../../../"),
        ("/docs/en/guide/a#b", "/docs/en/guide/a", "#b"),
        ("/openapi.json", "/llms.txt", "openapi.json"),
    ],
)
def test_an_address_is_relative_to_its_page(target: str, page: str, address: str) -> None:
    assert builder.relative(target, page) == address


def test_a_link_that_leads_nowhere_is_text() -> None:
    shown = Html(lambda href: None).line("See [the *plan*](plan.md).")
    assert shown == "See the <em>plan</em>."
    assert with_targets("[a](b.md)\n```\n[a](b.md)\n```\n", lambda href: None) == "a\n```\n[a](b.md)\n```\n"


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("Short.", "Short."),
        ("One sentence. " + "word " * 50, "One sentence."),
        ("word " * 50, "word " * 39 + "word …"),
        ("一つ目の文です。" + "長" * 300, "一つ目の文です。"),
        ("長" * 300, "長" * 200 + " …"),
    ],
)
def test_a_summary_ends_with_a_sentence_or_a_word(text: str, summary: str) -> None:
    assert shortened(text) == summary


def test_guides_lead_to_the_next_and_the_previous_one() -> None:
    site = builder.Site(document(), "en")
    urls = [builder.url_of("en", guide.name) for guide in site.documents["guide"]]
    assert len(urls) >= 5
    for before, after in pairwise(urls):
        texts = served()[before][1].decode(), served()[after][1].decode()
        assert f'rel="next" href="{builder.relative(after, before)}"' in texts[0]
        assert f'rel="prev" href="{builder.relative(before, after)}"' in texts[1]


@pytest.mark.parametrize(
    ("schema", "labels"),
    [
        ("TokenRequest", ["`grant_type`: `authorization_code`", "`grant_type`: `refresh_token`"]),
        ("Changes", ["`set`, `if`", "`delete`, `if`", "`add`, `atLeast`, `atMost`, `if`"]),
    ],
)
def test_the_forms_of_a_value_are_told_apart(schema: str, labels: list[str]) -> None:
    shape = Schemas(document(), lambda key: languages.texts()[key]["en"]).shape(
        {"$ref": f"#/components/schemas/{schema}"}
    )
    assert [form.label for form in shape.forms][: len(labels)] == labels


def test_a_link_of_a_translation_is_relative_to_either_place() -> None:
    """GitHub reads it from the translation's place; a translator may also keep the link of the original."""
    page = Document("errors/a", "errors", languages.DOCS / "errors" / "a.md", "ja", "")
    site = builder.Site(document(), "ja")
    for href in ("../../reference/limits.md#pages", "../reference/limits.md#pages"):
        assert site._target(page, "/docs/ja/errors/a", href) == "../reference/limits#pages"
    assert site._target(page, "/docs/ja/errors/a", "invalid_token.md") == "invalid_token"
    assert site._target(page, "/docs/ja/errors/a", "../../internals/decisions.md") is None


def test_a_program_keeps_its_empty_lines() -> None:
    html = "<p>a</p>\n\n\n<pre><code>import a\n\n\nb</code></pre>\n \n<p>c</p>"
    assert builder._without_empty_lines(html) == "<p>a</p>\n<pre><code>import a\n\n\nb</code></pre>\n<p>c</p>"


def test_headings_have_the_ids_that_github_gives_them() -> None:
    assert slug("Rate headers (ours)") == "rate-headers-ours"
    shown = Html(lambda href: href).text("# A `b`\n\n## C\n\n## C\n")
    assert re.findall('id="([^"]+)"', shown) == ["a-b", "c", "c-1"]
