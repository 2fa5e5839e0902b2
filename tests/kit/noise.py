"""Text that hardly compresses, for values of a certain size."""

import random

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def noise(size: int, seed: int = 0) -> str:
    """Return text of characters allowed in a key, which DEFLATE cannot compress below three quarters."""
    return "".join(random.Random(seed).choices(_CHARACTERS, k=size))
