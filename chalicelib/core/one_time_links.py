"""One-time links: a new password for a user who lost theirs, and invitations for new users.

A link has a random token, which is stored only as its hash. It works once and expires.
"""

import re
import secrets
from dataclasses import dataclass
from enum import Enum

MOST_TRIES = 30
"""The most forms sent with one link: a link must not serve to find out which logins are taken."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkKind(Enum):
    """What a link is for. The value is the last part of the path of its page."""

    RESET = "reset"
    INVITATION = "join"

    @property
    def seconds(self) -> int:
        """The time for which a link of this kind works."""
        return 86_400 if self is LinkKind.RESET else 14 * 86_400


@dataclass(frozen=True)
class OneTimeLink:
    """A link as stored. `user` is the user who gets a new password; `display_name` is suggested to who is invited.

    `expires` is in seconds since the epoch. `session_epoch` is that of the user when the link was made: a password that
    was changed since ends the link. `tries` is the number of forms sent with it.
    """

    kind: LinkKind
    expires: int
    user: str | None = None
    display_name: str = ""
    session_epoch: str = ""
    tries: int = 0


def new_link_token() -> str:
    """Return a new token: 256 random bits."""
    return secrets.token_urlsafe(32)


def is_link_token(text: str | None) -> bool:
    """Return whether a text can be a token of a link."""
    return text is not None and _TOKEN.fullmatch(text) is not None
