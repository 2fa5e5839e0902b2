"""Texts of users inside our sentences, if they are written from right to left or contain invisible directions."""

import unicodedata

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_ISOLATE, _END = "\u2068", "\u2069"
_MARKS = "\u200e\u200f\u061c"


def isolated(text: str) -> str:
    """Return a text to put into a sentence, so that the sentence around it keeps its order.

    Characters that only set a direction are left out: they could lead out of their place. Elements of their own have
    `<bdi>` or `dir="auto"` instead.
    """
    kinds = [unicodedata.bidirectional(each) for each in text]
    if not (_RIGHT_TO_LEFT | _DIRECTIONS).intersection(kinds):
        return text
    plain = (each for each, kind in zip(text, kinds, strict=True) if kind not in _DIRECTIONS and each not in _MARKS)
    return f"{_ISOLATE}{''.join(plain)}{_END}"
