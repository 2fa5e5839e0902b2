"""The forms of the web pages of a page: their fields as texts, and what is wrong with each, as a word for a reader.

The rules are those of the API (core/codecs): a form is checked field by field, so that a reader sees all problems at
once. A problem is the name of a text (web/html/texts) with its values. Line ends are stored as "\\n": browsers send
"\\r\\n".
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.core.codecs.checks import is_visible
from chalicelib.core.codecs.contents_json import read_comment, read_draft
from chalicelib.core.codecs.directory_json import page_json, read_module, read_page
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import ADDRESS_CATEGORIES, BIRTHDAY_CATEGORIES, Page

POST_FIELDS = ("title", "body", "link")
PAGE_FIELDS = (
    *("name", "category", "details", "zipCode", "address", "birthday"),
    *("pcUrl", "smartphoneUrl", "mobileUrl", "thumbnailLarge", "thumbnailMedium", "thumbnailSmall", "feedSource"),
)
"""The settings of a page that a form changes, as the operator's API names them."""
REASON_CHARACTERS = 500
"""The longest reason of a deletion."""
KEY = re.compile(r"[0-9a-f]{32}")
"""The key that a form carries, so that a form that is sent twice is carried out once."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field: the name of a text, and its values."""

    word: str
    values: Mapping[str, Any] = field(default_factory=dict)


Problems = Mapping[str, Problem]
"""Problems by field."""

_KINDS = (
    (re.compile(r"is missing|must not be empty"), "field_empty"),
    (re.compile(r"is too long \(max=(?P<max>\d+)\)"), "field_long"),
    (re.compile(r"URL|must be escaped"), "field_url"),
    (re.compile(r"must be a date"), "field_date"),
    (re.compile(r"control characters|valid Unicode"), "field_characters"),
    (re.compile(r"is not the id of"), "field_id"),
)


def problem_of(refusal: ParameterInvalid) -> Problem:
    """Return the problem that a refusal of one field means."""
    for pattern, word in _KINDS:
        if found := pattern.search(refusal.description):
            return Problem(word, {name: f"{int(value):,}" for name, value in found.groupdict().items()})
    return Problem("field_wrong")


def texts_of(form: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of a form, without missing ones as ""; with plain line ends."""
    return {name: form.get(name, "").replace("\r\n", "\n") for name in names}


def read_post(texts: Mapping[str, str]) -> tuple[Draft | None, Problems]:
    """Return the feed that a form posts, or None and the problems of its fields.

    `link` is stored as the URL for PCs and, since the page shows one link for all, alone.
    """
    title = texts["title"].strip()
    fields = {"title": title, "body": texts["body"], "urls": {"pcUrl": texts["link"].strip()}}
    problems: dict[str, Problem] = {}
    for name, body in (
        ("title", {"title": title}),
        ("body", {"title": "-", "body": fields["body"]}),
        ("link", {"title": "-", "urls": fields["urls"]}),
    ):
        try:
            read_draft(body, "")
        except ParameterInvalid as refusal:
            problems[name] = problem_of(refusal)
    if "title" not in problems and not is_visible(title):
        problems["title"] = Problem("field_empty")
    return (None, problems) if problems else (read_draft(fields, " "), {})


def read_comment_text(text: str) -> tuple[str | None, Problems]:
    """Return the comment that a form posts, or None and its problem. A comment of only white space is empty."""
    try:
        return read_comment({"comment": text.replace("\r\n", "\n") if text.strip() else ""}), {}
    except ParameterInvalid as refusal:
        return None, {"comment": problem_of(refusal)}


def read_settings(texts: Mapping[str, str]) -> tuple[dict[str, Any], Problems]:
    """Return the fields of a page that a form sets, under the names of Page, and the problems of the others.

    Fields that the category does not show are kept as they are sent: a category can be changed back.
    """
    fields: dict[str, Any] = {}
    problems: dict[str, Problem] = {}
    for name in PAGE_FIELDS:
        value = texts[name] if name in ("details", "category", "feedSource") else texts[name].strip()
        try:
            fields |= read_page({name: value}, new=False)
        except ParameterInvalid as refusal:
            problems[name] = problem_of(refusal)
    if "name" not in problems and not is_visible(texts["name"]):
        problems["name"] = Problem("field_empty")
    return fields, problems


def settings_of(page: Page) -> dict[str, str]:
    """Return the settings of a page as the texts of its form."""
    return {name: str(value or "") for name, value in page_json(page).items() if name in PAGE_FIELDS}


def version_of(page: Page) -> str:
    """Return a digest of a page's settings: a form that carries another one is stale."""
    return hashlib.sha256(json.dumps(settings_of(page), sort_keys=True).encode()).hexdigest()[:32]


def changed_settings(page: Page, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields that differ from a page's."""
    return {name: value for name, value in fields.items() if getattr(page, name) != value}


def shown_options(page: Page) -> list[tuple[str, str]]:
    """Return the fields that a page of this category shows, by their names in the API, without empty ones."""
    options: list[tuple[str, str]] = []
    if page.category in ADDRESS_CATEGORIES:
        options += [("zipCode", page.zip_code), ("address", page.address)]
    if page.category in BIRTHDAY_CATEGORIES:
        options.append(("birthday", page.birthday))
    return [(name, value) for name, value in options if value]


def read_new_module(texts: Mapping[str, str]) -> tuple[dict[str, str], Problems]:
    """Return the app and the name of a module, and the problems of its fields. An empty name means the app's own."""
    fields = {"app": texts["app"].strip().lower(), "name": texts["name"].strip()}
    problems: dict[str, Problem] = {} if fields["app"] else {"app": Problem("field_empty")}
    known = {"app": "0" * 16, "name": "-"}
    for name in (name for name, value in fields.items() if value):
        try:
            read_module(known | {name: fields[name]})
        except ParameterInvalid as refusal:
            problems[name] = problem_of(refusal)
    if fields["name"] and "name" not in problems and not is_visible(fields["name"]):
        problems["name"] = Problem("field_empty")
    return fields, problems
