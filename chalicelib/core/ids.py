"""The forms of ids."""

import re

_IDS = {
    "user": re.compile(r"[a-z0-9]{12}"),
    "app": re.compile(r"[0-9a-f]{16}"),
    "page": re.compile(r"[1-9][0-9]{0,19}"),
    "module": re.compile(r"[1-9][0-9]{0,8}"),
}


def is_id(kind: str, text: str) -> bool:
    """Return whether `text` has the form of an id of that kind: user, app, page or module."""
    return _IDS[kind].fullmatch(text) is not None
