"""Numbers in base 36, as in the ids of the original API: digits and upper-case letters."""

import string

_DIGITS = string.digits + string.ascii_uppercase


def base36(number: int, width: int) -> str:
    """Return a number (0 or more) in base 36, with at least `width` digits."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, "0")


def from_base36(text: str) -> int:
    """Return the number that `text` encodes. Raises ValueError."""
    return int(text, 36)
