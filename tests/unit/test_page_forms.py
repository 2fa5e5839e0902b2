"""The rules of the forms of a page's web pages: what is stored, and what is wrong with each field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import Category, FeedSource, Page
from chalicelib.core.page_forms import (
    PAGE_FIELDS,
    POST_FIELDS,
    Problem,
    changed_settings,
    problem_of,
    read_comment_text,
    read_new_module,
    read_post,
    read_settings,
    settings_of,
    shown_options,
    texts_of,
    version_of,
)
from chalicelib.web.html.texts import is_known

PAGE = Page("1", "Cafe", Category.LOCAL, "tea", zip_code="150", address="Tokyo", birthday="1990-05-20")


def test_texts_have_plain_line_ends_and_no_other_fields():
    assert texts_of({"title": "a\r\nb", "other": "x"}, POST_FIELDS) == {"title": "a\nb", "body": "", "link": ""}


def test_a_post_is_read_as_the_api_reads_it():
    draft, problems = read_post({"title": " t ", "body": " b\n", "link": " https://a.example/ "})
    assert draft is not None
    assert (draft.title, draft.body, draft.pc_url, problems) == ("t", " b\n", "https://a.example/", {})
    assert (draft.content_uri, draft.source, draft.image_url) == (None, None, None)


def test_all_problems_of_a_post_are_found_at_once():
    draft, problems = read_post({"title": "", "body": "b" * 10_001, "link": "no"})
    assert draft is None
    assert problems == {
        "title": Problem("field_empty"),
        "body": Problem("field_long", {"max": "10,000"}),
        "link": Problem("field_url"),
    }


@pytest.mark.parametrize("title", ["\u200b", "\ufeff\u2060", " \u3164 "])
def test_a_title_can_be_seen(title: str):
    assert read_post({"title": title, "body": "", "link": ""}) == (None, {"title": Problem("field_empty")})


@pytest.mark.parametrize(("length", "word"), [(255, None), (256, "field_long")])
def test_a_title_has_255_characters_at_most(length: int, word: str | None):
    _, problems = read_post({"title": "題" * length, "body": "", "link": ""})
    assert problems.get("title") == (Problem(word, {"max": "255"}) if word else None)


@pytest.mark.parametrize(
    ("text", "stored", "word"),
    [
        (" a\r\nb ", " a\nb ", None),
        ("c" * 10_000, "c" * 10_000, None),
        ("c" * 10_001, None, "field_long"),
        ("", None, "field_empty"),
        (" \r\n　", None, "field_empty"),
        ("\ud800", None, "field_characters"),
    ],
)
def test_a_comment(text: str, stored: str | None, word: str | None):
    read, problems = read_comment_text(text)
    assert read == stored
    assert [problem.word for problem in problems.values()] == ([word] if word else [])


def test_settings_are_read_and_written_as_the_same_texts():
    texts = settings_of(PAGE)
    assert texts.keys() == set(PAGE_FIELDS)
    fields, problems = read_settings(texts)
    assert problems == {}
    assert changed_settings(PAGE, fields) == {}
    fields, _ = read_settings(texts | {"feedSource": "everyone", "name": " New "})
    assert changed_settings(PAGE, fields) == {"feed_source": FeedSource.EVERYONE, "name": "New"}


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164", "\u2800", "\ufe0f", "\U000e0041", "\u0301"])
def test_a_name_has_something_to_see(name: str):
    _, problems = read_settings(settings_of(PAGE) | {"name": name})
    assert problems == {"name": Problem("field_empty")}


@pytest.mark.parametrize("name", ["x", "縁", "☕", "0", "\u202eevil", "가"])
def test_a_name_may_be_one_character(name: str):
    assert read_settings(settings_of(PAGE) | {"name": name})[1] == {}


@pytest.mark.parametrize("change", [{"details": "coffee"}, {"feed_source": FeedSource.EVERYONE}, {"birthday": ""}])
def test_the_version_changes_with_a_setting(change: dict[str, Any]):
    assert version_of(replace(PAGE, **change)) != version_of(PAGE)
    assert version_of(replace(PAGE, followers=9)) == version_of(PAGE)


@pytest.mark.parametrize(
    ("category", "shown"),
    [
        (Category.CELEBRITY, ["birthday"]),
        (Category.OTHER, []),
        *((each, ["zipCode", "address"]) for each in Category if each.value not in ("celebrity", "other")),
    ],
)
def test_the_category_decides_what_is_shown(category: Category, shown: list[str]):
    assert [name for name, _ in shown_options(replace(PAGE, category=category))] == shown
    assert shown_options(Page("1", "empty", category)) == []


@pytest.mark.parametrize(
    ("app", "name", "problems"),
    [
        ("0" * 16, "", {}),
        (" " + "A" * 16, " n ", {}),
        ("", "", {"app": "field_empty"}),
        ("x", "n" * 101, {"app": "field_id", "name": "field_long"}),
        ("0" * 16, "a\0", {"name": "field_characters"}),
        ("0" * 16, "\u200b", {"name": "field_empty"}),
    ],
)
def test_a_new_module(app: str, name: str, problems: dict[str, str]):
    fields, found = read_new_module({"app": app, "name": name})
    assert {field: problem.word for field, problem in found.items()} == problems
    assert fields == {"app": app.strip().lower(), "name": name.strip()}


@pytest.mark.parametrize(
    "said",
    [
        "a is missing",
        "a is too long (max=3)",
        "a must be an absolute URL",
        "a must be a date, YYYY-MM-DD",
        "a must be 7",
    ],
)
def test_every_problem_has_a_text(said: str):
    assert is_known(problem_of(ParameterInvalid(said)).word)
