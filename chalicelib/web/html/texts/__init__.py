"""The texts of the pages and the descriptions of the scopes, in Japanese and English.

Each part of the pages has a module here with `TEXTS: Mapping[str, tuple[str, str]]`: the name of a text, and the text
in Japanese and in English; `{name}` is replaced by a value. A name is in one part only (tests/unit/test_texts.py).
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from chalicelib.web.html.bidirectional import isolated


class Language(Enum):
    """The languages of the pages."""

    JAPANESE = "ja"
    ENGLISH = "en"

    @property
    def other(self) -> "Language":
        """Return the language to which a page links."""
        return next(each for each in Language if each is not self)


def parts() -> dict[str, Mapping[str, tuple[str, str]]]:
    """Return the texts of each part, by the name of its module."""
    return {each.name: import_module(f"{__name__}.{each.name}").TEXTS for each in iter_modules(__path__)}


def word(language: Language, name: str, /, **values: object) -> str:
    """Return a text of the pages, with its values filled in. Raises KeyError for an unknown name.

    Values are isolated, since they may be names that people chose: none changes the order of the sentence around it.
    """
    kept = {key: isolated(value) if isinstance(value, str) else value for key, value in values.items()}
    return _in(language, _texts()[name]).format(**kept)


def is_known(name: str) -> bool:
    """Return whether there is a text of this name."""
    return name in _texts()


def scope_words(language: Language, scope: str) -> str:
    """Return what a scope with an API here lets an app do. Raises KeyError for another."""
    from chalicelib.web.html.texts.consent import SCOPES

    return _in(language, SCOPES[scope])


def preferred(asked: str | None, accepted: str) -> Language:
    """Return a page's language: the one that a link asks for, else the first known of `Accept-Language`, or English."""
    for language in Language:
        if asked == language.value:
            return language
    known: list[tuple[float, int, Language]] = []
    for turn, part in enumerate(accepted.split(",")[:32]):
        tag, _, parameters = part.strip().lower().partition(";")
        for language in Language:
            if tag.partition("-")[0] == language.value and (weight := _weight(parameters)) > 0:
                known.append((-weight, turn, language))
    return min(known, key=lambda each: each[:2])[2] if known else Language.ENGLISH


@cache
def _texts() -> Mapping[str, tuple[str, str]]:
    # All parts together are small: importing them takes a few milliseconds, once in a process.
    return {name: both for texts in parts().values() for name, both in texts.items()}


def _in(language: Language, texts: tuple[str, str]) -> str:
    return texts[0 if language is Language.JAPANESE else 1]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
