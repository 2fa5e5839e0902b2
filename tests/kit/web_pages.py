"""The web pages that tests walk, in the demo world (local/demo.py). Each new page adds a row to PAGES.

tests/integration/test_web_pages.py reads them in both languages and checks their markup, size and cost;
tests/system/test_browser_web_pages.py opens them in a browser. This file has no more than the rows, so that rows of
several branches can be merged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.bootstrap import Platform
from chalicelib.core.roles import Role
from local.demo_data import CAFE


@dataclass(frozen=True)
class WebPage:
    """A page: its path, or a function that makes in the demo world what the page shows and returns the path.

    `user` is the login of who opens it (None: signed out), `role` the role that they have. `status` is the status of
    the answer. `confirmed`: the user has given the password again before.
    `calls` is the largest number of calls in sequence.
    """

    name: str
    path: str | Callable[[Platform], str]
    user: str | None = None
    role: Role | None = None
    status: int = 200
    confirmed: bool = False
    calls: int = 3

    def made(self, platform: Platform) -> str:
        """Return the path, after making what the page shows."""
        return self.path if isinstance(self.path, str) else self.path(platform)


def _feed(platform: Platform) -> str:
    return f"/pages/{CAFE.id}/feeds/1"


PAGES = [
    # The frame.
    WebPage("front, signed out", "/"),
    WebPage("front", "/", "hana"),
    WebPage("sign in", "/sign_in"),
    WebPage("settings, signed out", "/settings"),
    WebPage("settings", "/settings", "hana", calls=4),
    WebPage("feed, signed out", _feed, calls=5),
    WebPage("console", "/console", "hana", Role.OPERATOR),
    WebPage("console of a moderator", "/console", "hana", Role.MODERATOR),
    WebPage("console, without a role", "/console", "hana", status=404),
    WebPage("console, signed out", "/console"),
]
