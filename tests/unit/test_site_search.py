"""The index of the documentation's search, and the sizes of what a reader loads for it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from infra.site import builder, search

PAGE = search.Page("/docs/en/guide/one", "One", (), "")


def indexed(**changes: Any) -> Any:
    return json.loads(search.index([replace(PAGE, **changes)]))[0]


def test_a_page_is_its_url_its_title_its_headings_and_its_text() -> None:
    text = "# One\n\nThe text.\n\n## Before\n\nMore.\n\n## After\n"
    assert indexed(headings=("Before", "After"), text=text) == [
        "/docs/en/guide/one",
        "One",
        "Before\nAfter",
        "The text. Before More. After",
    ]


def test_pages_keep_their_order() -> None:
    pages = [replace(PAGE, url=f"/docs/en/{name}") for name in "cab"]
    assert [each[0] for each in json.loads(search.index(pages))] == ["/docs/en/c", "/docs/en/a", "/docs/en/b"]


def test_markup_is_not_in_the_text() -> None:
    text = "A [link](https://x.example/y), `code`, **bold**\nand\n\n* an entry\n\n| a | b |\n|---|---|\n| `c` | d |\n"
    assert indexed(text=text)[3] == "A link, code, bold and an entry a b c d"


def test_what_looks_like_markup_stays_text() -> None:
    assert indexed(title="<b>", text="Write `<script>` <i>& go")[1:] == ["<b>", "", "Write <script> <i>& go"]


def test_width_and_white_space_are_folded() -> None:
    found = indexed(title="ＡＰＩ　ｶﾞｲﾄﾞ", headings=("㍉  ①",), text="ｺﾒﾝﾄ\n\n\tを 書く")
    assert found[1:] == ["API ガイド", "ミリ 1", "コメント を 書く"]


def test_the_code_of_a_guide_can_be_found_but_not_what_all_operations_have_alike() -> None:
    text = "Do this:\n\n```sh\ncurl -d grant_type=x\n```\n"
    assert "grant_type" in indexed(text=text)[3]
    assert indexed(is_operation=True, text=text)[3] == "Do this:"


@pytest.mark.parametrize("heading", ["Errors", "エラー"])
def test_the_errors_of_an_operation_are_found_at_their_own_pages(heading: str) -> None:
    text = f"# One\n\n## Answers\n\n200\n\n## {heading}\n\n- 400 no\n\n### 401\n\nno\n\n## After\n\nyes\n"
    assert indexed(is_operation=True, text=text)[3] == "Answers 200 After yes"
    assert indexed(text=text)[3] == f"Answers 200 {heading} 400 no 401 no After yes"


@pytest.fixture(scope="module")
def files() -> builder.Served:
    return builder.archived()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_index_of_the_pages_is_small_and_its_addresses_are_pages(files: builder.Served, language: str) -> None:
    media_type, content = files[f"/docs/assets/search-{language}.json"]
    assert media_type == "application/json; charset=utf-8"
    assert len(gzip.compress(content, 6)) <= 160_000
    urls = [url for url, *_ in json.loads(content)]
    pages = {url for url, (kind, _) in files.items() if kind == builder.HTML and url.startswith(f"/docs/{language}/")}
    assert sorted(urls) == sorted(pages)


def test_the_style_of_try_it_and_search_has_only_colours_that_the_pages_have(files: builder.Served) -> None:
    style, ours = (files[f"/docs/assets/{name}"][1].decode() for name in ("site.css", "try.css"))
    used = {each.partition(")")[0] for each in ours.split("var(")[1:]}
    assert used
    assert not [each for each in used if f"{each}:" not in style]
