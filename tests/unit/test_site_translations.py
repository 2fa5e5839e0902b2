"""The translations of guides: they have the programs of their originals, and their links lead to pages.

A link is relative to the translation's own file, and leads to the page in its language.
"""

from __future__ import annotations

import re

import pytest

from infra.site import builder, languages

_LINK = re.compile(r"\]\((?:\.\./\.\./)?((?:reference|operating)/(?:protocol/)?|)([\w-]+)\.md[#)]")
LINKS = sorted(
    {
        (path.stem, folder.split("/")[0] or "guide", name)
        for path in (languages.JAPANESE / "guide").glob("*.md")
        for folder, name in _LINK.findall(path.read_text(encoding="utf-8"))
    }
)


GUIDES = sorted(path.name for path in (languages.DOCS / "guide").glob("*.md"))


FOR_PEOPLE = ("members.md", "page-administrators.md")
"""Guides without programs."""


@pytest.mark.parametrize("guide", GUIDES)
def test_a_translation_has_the_programs_of_its_original(guide: str) -> None:
    original, translated = (
        re.findall(r"^```.*?^```$", (folder / "guide" / guide).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for folder in (languages.DOCS, languages.JAPANESE)
    )
    assert bool(original) == (guide not in FOR_PEOPLE)
    assert translated == original


@pytest.fixture(scope="module")
def pages() -> builder.Served:
    return builder.archived()


@pytest.mark.parametrize(("guide", "section", "name"), LINKS)
def test_a_link_of_a_translation_leads_to_a_page(guide: str, section: str, name: str, pages: builder.Served) -> None:
    assert f"/docs/ja/{section}/{name}" in pages
    text = re.search(r"<main.*</main>", pages[f"/docs/ja/guide/{guide}"][1].decode(), re.DOTALL)
    assert text
    address = name if section == "guide" else f"../{section}/{name}"
    assert re.search(f'href="{re.escape(address)}[#"]', text[0])
