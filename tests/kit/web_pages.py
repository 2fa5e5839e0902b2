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
from local.demo_data import CAFE, USERS


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


def _invited(platform: Platform) -> str:
    token, _ = platform.one_time_links.make_invitation("陸 (Riku)")
    return f"/join?link={token}"


def _reset(platform: Platform) -> str:
    token, _ = platform.one_time_links.make_reset(USERS["hana"])
    return f"/reset?link={token}"


def _leaving(platform: Platform) -> str:
    platform.leaving_users.leave(USERS["ken"])
    return "/settings/delete"


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
    # The account.
    WebPage("profile", "/settings/profile", "hana"),
    WebPage("password", "/settings/password", "hana"),
    WebPage("sessions", "/settings/sessions", "hana"),
    WebPage("data", "/settings/data", "hana"),
    WebPage("delete", "/settings/delete", "hana"),
    WebPage("delete, leaving", _leaving, "ken"),
    WebPage("profile, signed out", "/settings/profile"),
    WebPage("invitation", _invited),
    WebPage("reset link", _reset),
    WebPage("dead link", "/reset?link=none", status=404),
]
