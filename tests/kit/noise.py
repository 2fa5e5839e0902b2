"""Text that hardly deflates, for values of a certain size."""

import random

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def noise(size: int, seed: int = 0) -> str:
    """Return text, allowed in a key, that does not deflate below three quarters."""
    return "".join(random.Random(seed).choices(_CHARACTERS, k=size))
