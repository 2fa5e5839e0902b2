"""Names of apps that look like the platform's name: an app cannot bear it, since people would trust it as ours.

Names are compared by their skeletons: what is left if letters that look alike are one letter. This is the idea of
Unicode's UTS #39, with a small table of our own: the letters of other alphabets that can be taken for a Latin one, and
the kana that can be taken for a Chinese character.
"""

import unicodedata
from collections.abc import Iterable

from chalicelib.core.errors import ParameterInvalid

_LETTERS = {
    # Cyrillic
    "а": "a", "в": "b", "ь": "b", "с": "c", "ԁ": "d", "е": "e", "є": "e", "э": "e", "ғ": "f", "һ": "h", "н": "h",
    "і": "l", "ј": "j", "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s",
    "т": "t", "у": "y", "ү": "y", "ԝ": "w", "ш": "w", "х": "x", "и": "u",
    # Greek
    "α": "a", "β": "b", "ϲ": "c", "ς": "c", "σ": "o", "δ": "d", "ε": "e", "η": "n", "ι": "l", "κ": "k", "μ": "u",
    "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x", "γ": "y", "ω": "w", "ϳ": "j", "ζ": "z",
    # Latin, and digits in the place of letters
    "ı": "l", "i": "l", "1": "l", "ɩ": "l", "ɡ": "g", "ɢ": "g", "9": "g", "ɑ": "a", "4": "a", "ð": "d", "đ": "d",
    "ɗ": "d", "3": "e", "ɛ": "e", "ə": "e", "ħ": "h", "ł": "l", "ŋ": "n", "ɴ": "n", "ɲ": "n", "0": "o", "ø": "o",
    "ꜱ": "s", "5": "s", "ŧ": "t", "7": "t", "ʋ": "v", "ɯ": "w", "ʏ": "y", "ᴀ": "a", "ᴇ": "e", "ᴡ": "w",
    # Kana that look like Chinese characters
    "え": "工", "ろ": "口", "か": "力", "た": "夕", "に": "二", "は": "八", "と": "卜", "ー": "一", "み": "三",
}  # fmt: skip
"""For each letter in lower case, the letter that it can be taken for. Kana stand for hiragana and katakana."""
_PAIRS = {"rn": "m", "vv": "w", "cl": "d"}
_SHORT = 4
"""A name in Latin letters that is shorter is only compared as a whole: too many words contain it."""


def skeleton(name: str) -> str:
    """Return what is left of a name if letters that look alike are one letter.

    Width, case, accents, spaces, punctuation, symbols and invisible characters make no difference.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    plain = "".join(map(_plain, unicodedata.normalize("NFKC", folded)))
    for pair, letter in _PAIRS.items():
        plain = plain.replace(pair, letter)
    return plain


def _plain(letter: str) -> str:
    if "ァ" <= letter <= "ヶ":
        letter = chr(ord(letter) - 0x60)
    parts = unicodedata.normalize("NFD", letter)
    if "\u0300" <= parts[-1] <= "\u036f":
        letter = parts[0]  # An accent. The marks of kana are others: they make another sound.
    if unicodedata.category(letter)[0] not in "LN":
        return ""
    return _LETTERS.get(letter, letter)


def looks_like(name: str, platform: Iterable[str]) -> bool:
    """Return whether a name contains one of the names of the platform, or what can be taken for it.

    A short one in Latin letters (3 letters or fewer) only counts if it is the whole name.
    """
    seen = skeleton(name)
    for each in map(skeleton, platform):
        if each and (each == seen or (each in seen and (len(each) >= _SHORT or not each.isascii()))):
            return True
    return False


def check_app_name(name: str, platform: Iterable[str]) -> None:
    """Raise ParameterInvalid if the name of an app looks like one of the names of the platform."""
    if looks_like(name, platform):
        raise ParameterInvalid("name looks like the name of this platform; an app needs a name of its own")
