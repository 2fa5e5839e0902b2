"""Which passwords people may choose: NIST SP 800-63B-4, section 3.1.1.2.

At least 15 characters (the minimum where a password is the only factor), at least 64 allowed, every character of
Unicode allowed and counted once, no rules on the kinds of characters, and no expiry. Passwords that are commonly used,
or that consist of the login, the name or the platform's name, are refused, with the reason.

The operator's API takes shorter passwords (core/codecs/checks.py): scripts give them to accounts of tests.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum

LEAST_CHARACTERS = 15
MOST_CHARACTERS = 200
_LEAST_LEFT = 6
"""The fewest different characters that a password must have besides common words."""

# fmt: off
COMMON = (
    "password", "passwort", "contrasena", "motdepasse", "パスワード", "passw0rd", "p@ssw0rd", "p@ssword", "letmein",
    "welcome", "iloveyou", "trustno1", "sunshine", "princess", "football", "baseball", "superman", "batman",
    "dragon", "monkey", "shadow", "master", "michael", "jordan", "starwars", "pokemon", "charlie", "freedom",
    "whatever", "liverpool", "chelsea", "arsenal", "ashley", "bailey", "jessica", "michelle", "daniel", "nicole",
    "hannah", "computer", "internet", "administrator", "admin", "root", "guest", "login", "user", "test", "secret",
    "changeme", "default", "access", "hello", "sakura", "doraemon", "naruto", "kawaii", "tokyo", "japan", "nippon",
    "arigato", "aishiteru", "correcthorsebatterystaple", "thequickbrownfox", "loremipsum", "qwertyuiop", "qwerty",
    "asdfghjkl", "asdfgh", "zxcvbnm", "zxcvbn", "1qaz2wsx", "3edc4rfv", "qazwsxedc", "qazwsx", "1q2w3e4r5t",
    "1q2w3e4r", "zaq12wsx", "q1w2e3r4", "qweasdzxc", "abcdefghijklmnopqrstuvwxyz", "abcdef", "1234567890",
    "0987654321", "123456789", "987654321", "12345678", "1234567", "123456", "654321", "12345", "54321", "1234",
    "4321", "123", "321", "abc123", "abc", "111", "000", "あいうえお", "いろはにほへと",
)
# fmt: on
"""Parts of commonly used passwords: the heads of the published lists, without those that contain another one."""
_ORDERED = sorted(COMMON, key=len, reverse=True)
_REPEATED = re.compile(r"(.{1,4}?)\1{2,}")


class PasswordProblem(Enum):
    """Why a password is refused."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    OWN_NAME = "own_name"


def normalized(password: str) -> str:
    """Return a password as it is hashed: in Unicode's form NFC, so that every keyboard gives the same one."""
    return unicodedata.normalize("NFC", password)


def problem_of(password: str, names: Iterable[str] = ()) -> PasswordProblem | None:
    """Return why a password is refused, or None. `names` are the login, the display name and the platform's name."""
    text = normalized(password)
    if len(text) < LEAST_CHARACTERS:
        return PasswordProblem.SHORT
    if len(text) > MOST_CHARACTERS:
        return PasswordProblem.LONG
    folded = _folded(text)
    left = _without(folded, (_folded(name) for name in names))
    if _is_little(left):
        return PasswordProblem.OWN_NAME if not _is_little(folded) else PasswordProblem.COMMON
    return PasswordProblem.COMMON if _is_little(_without(left, _ORDERED)) else None


def _folded(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if not each.isspace())


def _without(text: str, words: Iterable[str]) -> str:
    for word in words:
        if len(word) >= 3:
            text = text.replace(word, "")
    return _REPEATED.sub("", text)


def _is_little(text: str) -> bool:
    return len(set(text)) < _LEAST_LEFT
