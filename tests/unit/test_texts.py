"""The texts of the pages: both languages are complete, each name is in one part, and every text is used."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from chalicelib.web.html.rendering import TEMPLATES
from chalicelib.web.html.texts import Language, is_known, parts, word

CODE = Path(__file__).parents[2] / "chalicelib"
TEXTS = {name: both for texts in parts().values() for name, both in texts.items()}
_JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


@cache
def sources() -> str:
    """Return everything that may use a text: the code without the texts, and the templates."""
    code = [path for path in CODE.rglob("*.py") if path.parent.name != "texts"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*code, *TEMPLATES.rglob("*.html")])
    return re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_a_name_does_not_change_the_order_of_the_sentence_around_it() -> None:
    assert word(Language.ENGLISH, "welcome", name="\u202eevil") == "Home of \u2068evil\u2069"
    assert word(Language.ENGLISH, "welcome", name="\u2068مرحبا\u2069") == "Home of \u2068مرحبا\u2069"
    assert word(Language.ENGLISH, "welcome", name="Hana") == "Home of Hana"


def test_a_name_is_in_one_part_only() -> None:
    names = Counter(name for texts in parts().values() for name in texts)
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("part", parts())
def test_both_languages_are_complete(part: str) -> None:
    for name, (japanese, english) in parts()[part].items():
        assert japanese.strip(), name
        assert english.strip(), name
        assert placeholders(japanese) == placeholders(english), name
        assert not _JAPANESE.search(english) or name == "other_language", name


def test_every_text_that_is_used_exists() -> None:
    used = re.findall(r"""\bword\((?:\w+(?:\.\w+)*, )?["'](\w+)["'](?! ?~)""", sources())
    assert len(used) > 50
    assert [name for name in used if not is_known(name)] == []
    done = re.findall(r"""\bdone=["'](\w+)["']""", sources())
    assert [name for name in done if not is_known(f"done_{name}")] == []


def test_every_text_is_used() -> None:
    prefixes = tuple({*re.findall(r"""f["'](\w+_)\{""", sources()), *re.findall(r"""["'](\w+_)["'] ?~""", sources())})
    unused = [
        name
        for name in TEXTS
        if not re.search(rf"""["']{name}["']""", sources())
        and not re.search(rf"""done=["']{name.removeprefix("done_")}["']""", sources())
        and not (not name.startswith("done_") and prefixes and name.startswith(prefixes))
    ]
    assert [name for name in unused if name != "done_saved"] == []


def test_a_text_is_filled_in() -> None:
    assert word(Language.ENGLISH, "signed_in_as", name="Hana") == "Signed in as Hana."
    with pytest.raises(KeyError):
        word(Language.ENGLISH, "no_such_text")
