"""The languages of the pages: the texts of their frame, and the translations of what the frame shows.

A translation names its original and the hash of the original's text when it was translated, so a test can find
translations that are older than their originals.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
JAPANESE = DOCS / "ja"
REFERENCE = JAPANESE / "reference.yaml"
TEXTS = Path(__file__).with_name("texts.yaml")

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
_NAMES_ORIGINAL = re.compile(r"<!-- original: (?P<original>\S+) sha256:(?P<digest>[0-9a-f]{16}) -->\n")


class WrongTranslation(Exception):
    """A translation does not name its original; the text says what its first line must be."""


class Title(NamedTuple):
    """The title of an operation, and a sentence about it (or "")."""

    title: str
    summary: str


class Translation(NamedTuple):
    """The text of a translated document, without its first line."""

    original: str
    is_current: bool
    text: str


@cache
def texts() -> Mapping[str, Mapping[Language, str]]:
    """Return the texts of the frame by key and language."""
    read: Mapping[str, Mapping[Language, str]] = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    return read


@cache
def titles() -> Mapping[str, Mapping[str, str]]:
    """Return the Japanese titles and summaries of operations, by operationId; `of` is the English title."""
    read: Mapping[str, Mapping[str, str]] = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    return read


def title_of(operation: Mapping[str, Any], language: Language) -> Title:
    """Return the title of an operation in a language; in English it has no summary beside its description."""
    if language == "ja" and (found := titles().get(operation["operationId"])):
        return Title(found["title"], found["summary"])
    return Title(operation["summary"], "")


def digest(original: Path) -> str:
    """Return the hash of a document as translations write it: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(original.read_bytes()).hexdigest()[:16]


def translation(path: Path) -> Translation:
    """Return a translated document. Raises WrongTranslation if its first line does not name its original."""
    text = path.read_text(encoding="utf-8")
    named = _NAMES_ORIGINAL.match(text)
    if not named or not (ROOT / named["original"]).is_file():
        name = path.relative_to(ROOT)
        raise WrongTranslation(f"{name}: write the original into the first line: {first_line('docs/guide/name.md')}")
    is_current = digest(ROOT / named["original"]) == named["digest"]
    return Translation(named["original"], is_current, text[named.end() :].lstrip("\n"))


def first_line(original: str) -> str:
    """Return the first line of a translation of a document, with the hash of its present text."""
    path = ROOT / original
    return f"<!-- original: {original} sha256:{digest(path) if path.is_file() else 'HASH'} -->"


def original_of(path: Path) -> str:
    """Return the name of the original that belongs to a file below docs/ja."""
    name = path.resolve().relative_to(JAPANESE).as_posix()
    return name if name == "README.md" else f"docs/{name}"


def mark_translated(path: Path) -> None:
    """Write into a translation's first line that it has the present text of its original."""
    text = _NAMES_ORIGINAL.sub("", path.read_text(encoding="utf-8"), count=1)
    path.write_text(f"{first_line(original_of(path))}\n{text}", encoding="utf-8")
