"""Text that deflate cannot shorten, to measure the worst case."""

from random import Random
from string import ascii_letters, digits

_FIRST_BYTES = (*range(0x80), *range(0xC2, 0xF5))
_VARIETY = 256
"""The number of characters to draw from for each possible first byte."""

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


def noise(size: int, seed: object = 0) -> str:
    """Return random text of exactly `size` UTF-8 bytes, always the same for a seed.

    All possible first bytes of a character are equally likely: UTF-8 text cannot be closer to random bytes.
    """
    text = "".join(Random(f"{seed}").choices(_CHARACTERS, k=size)).encode()[:size].decode(errors="ignore")
    return text + "." * (size - len(text.encode()))


def key_noise(size: int, seed: object = 0) -> str:
    """Return random text of `size` characters allowed in keys, the same for a seed; deflate can save a quarter."""
    return "".join(Random(f"{seed}").choices(f"{ascii_letters}{digits}._-", k=size))


def ascii_noise(size: int, seed: object = 0) -> str:
    """Return random printable ASCII of `size` bytes, always the same for a seed; deflate can save a fifth."""
    return "".join(Random(f"{seed}").choices(_PRINTABLE, k=size))


def _characters(first: int, random: Random) -> str:
    """Return random characters whose UTF-8 form begins with that byte."""
    if first < 0x80:
        return chr(first) * _VARIETY
    more = 1 if first < 0xE0 else 2 if first < 0xF0 else 3
    found = ""
    while len(found) < _VARIETY:
        character = bytes([first, *random.choices(range(0x80, 0xC0), k=more)])
        found += character.decode(errors="ignore")
    return found


_CHARACTERS = "".join(_characters(first, Random(first)) for first in _FIRST_BYTES)
