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
from local.demo_data import CAFE, CONTENT_URI, USERS


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


def _of_cafe(part: str = "", administrator: str | None = None) -> Callable[[Platform], str]:
    """Return a function that makes a user (a login) an administrator of the cafe; the path is below that page."""

    def make(platform: Platform) -> str:
        if administrator:
            platform.pages.members.add_administrator(CAFE.id, USERS[administrator])
        return f"/pages/{CAFE.id}{part}"

    return make


def _own_comment(platform: Platform) -> str:
    comment = platform.comments.post(CAFE.id, CONTENT_URI, USERS["ken"], "c" * 600)
    return f"/pages/{CAFE.id}/feeds/1/delete?comment={comment.id}"


def _leaving(platform: Platform) -> str:
    """Return the page on which the administrator Mei leaves."""
    return _of_cafe("/administrators", "mei")(platform) + f"?remove={USERS['mei']}"


PAGES = [
    # The frame.
    WebPage("front, signed out", "/"),
    WebPage("front", "/", "hana"),
    WebPage("sign in", "/sign_in"),
    WebPage("settings, signed out", "/settings"),
    WebPage("settings", "/settings", "hana", calls=4),
    WebPage("console", "/console", "hana", Role.OPERATOR),
    WebPage("console of a moderator", "/console", "hana", Role.MODERATOR),
    WebPage("console, without a role", "/console", "hana", status=404),
    WebPage("console, signed out", "/console"),
    # Pages.
    WebPage("page, signed out", _of_cafe()),
    WebPage("page", _of_cafe(), "hana"),
    WebPage("page of an administrator", _of_cafe("", "mei"), "mei"),
    WebPage("page, done", _of_cafe("?done=followed"), "hana"),
    WebPage("feed, signed out", _of_cafe("/feeds/1")),
    WebPage("feed", _of_cafe("/feeds/1"), "hana"),
    WebPage("feed of an administrator", _of_cafe("/feeds/1", "mei"), "mei"),
    WebPage("deletion of a feed", _of_cafe("/feeds/1/delete", "mei"), "mei"),
    WebPage("deletion of a comment", _own_comment, "ken"),
    WebPage("deletion of a feed of another", _of_cafe("/feeds/1/delete"), "hana", status=403),
    WebPage("new post", _of_cafe("/post", "mei"), "mei"),
    WebPage("page settings", _of_cafe("/settings", "mei"), "mei"),
    WebPage("page settings of another", _of_cafe("/settings"), "hana", status=403),
    WebPage("page administrators", _of_cafe("/administrators", "mei"), "mei"),
    WebPage("last page administrator", _leaving, "mei", calls=4),
    WebPage("page apps", _of_cafe("/apps", "mei"), "mei"),
    WebPage("page that is not there", "/pages/1", "hana", status=404),
]
