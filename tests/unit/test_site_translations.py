"""A link of a translation is relative to the translation's own file, and leads to the page in its language."""

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
