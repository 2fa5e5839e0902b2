"""The web pages of pages: what their screens and forms cost, for people with and without a session."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlencode

from bench.flood import flood
from bench.row import Bound, Requests, Row, Scenario
from bench.rows_pages import PAGE, POSTERS, URI, cafe
from chalicelib.core.model.directory import User
from chalicelib.core.passwords import hash_password
from local.gateway import Answer, Request
from local.in_process import World

PATH = f"/pages/{PAGE}"
FEED = f"{PATH}/feeds/1"
LOGIN, PASSWORD = "administrator", "correct horse battery"
MEMBER = "m00000000000"
_FORM = "application/x-www-form-urlencoded"


def populated(world: World, feeds: int) -> None:
    """Create the cafe with feeds by 20 posters and 100 comments, and a user with a login."""
    cafe(world, POSTERS, feeds)
    flood(world, PAGE, URI, 100, POSTERS)
    world.platform.users.create(User(MEMBER, "花", login=LOGIN), hash_password(PASSWORD))


def _send(world: World, method: str, path: str, cookies: Mapping[str, str], form: Mapping[str, str]) -> Answer:
    headers = [("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))] if cookies else []
    body = urlencode(form).encode()
    return world.gateway.handle(Request(method, path, [*headers, ("Content-Type", _FORM)] if form else headers, body))


def session(world: World) -> tuple[dict[str, str], str]:
    """Sign in; return the cookies of the browser, and the `csrf` value of its forms."""
    cookies: dict[str, str] = {}

    def keep(answer: Answer) -> Answer:
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                cookies[key] = rest.partition(";")[0]
        return answer

    form = {"login": LOGIN, "password": PASSWORD, "to": "/"}
    csrf = _csrf(keep(_send(world, "GET", "/sign_in", cookies, {})))
    signed_in = keep(_send(world, "POST", "/sign_in", cookies, form | {"csrf": csrf}))
    if signed_in.status != 303:
        raise AssertionError(f"signing in answered {signed_in.status}")
    return cookies, _csrf(_send(world, "GET", FEED, cookies, {}))


def _csrf(answer: Answer) -> str:
    found = re.search(rb'name="csrf" value="([0-9a-f]+)"', answer.body)
    return found[1].decode() if found else ""


def screen(
    path: str,
    *,
    signed_in: bool = True,
    administers: bool = False,
    status: int = 200,
    feeds: int = 1,
    before: Callable[[World], str | None] | None = None,
    **form: str,
) -> Scenario:
    """Return a scenario: a person opens a screen, or sends a form.

    `before` makes what the screen shows; it returns the rest of the path, if it makes that, too.
    """

    def scenario(world: World) -> Requests:
        populated(world, feeds)
        if administers:
            world.platform.pages.members.add_administrator(PAGE, MEMBER)
        target = path + ((before(world) if before else None) or "")
        cookies, csrf = session(world) if signed_in else ({}, "")
        sent = {**form, "csrf": csrf} if form else {}

        def send() -> None:
            answer = _send(world, "POST" if form else "GET", target, cookies, sent)
            if answer.status != status:
                raise AssertionError(f"{target} answered {answer.status}: {answer.body[:300]!r}")

        return send

    return scenario


_managed = partial(screen, administers=True)
SCREEN = Bound(3, 30, 0)
_KEY = "0123456789abcdef0123456789abcdef"
ROWS = [
    Row("page on the web, signed out", Bound(2, 18, 0), screen(PATH, signed_in=False, feeds=100)),
    Row("  signed in", SCREEN, screen(PATH, feeds=100)),
    Row("feed on the web, signed out", Bound(3, 17, 0), screen(FEED, signed_in=False)),
    Row("  signed in", SCREEN, screen(FEED)),
    Row("web: follow", Bound(2, 2, 7), screen(PATH, action="follow", status=303)),
    Row("web: favorite", Bound(4, 6, 5), screen(FEED, action="favorite", status=303)),
    Row("web: comment, once", Bound(5, 8, 11), screen(FEED, action="comment", comment="c", key=_KEY, status=303)),
    Row("web: the form of a post", SCREEN, _managed(f"{PATH}/post")),
    Row("web: page settings", SCREEN, _managed(f"{PATH}/settings")),
    Row("web: administrators", SCREEN, _managed(f"{PATH}/administrators")),
    Row("web: apps of a page", SCREEN, _managed(f"{PATH}/apps")),
    Row("web: ask to delete a feed", SCREEN, _managed(f"{FEED}/delete")),
]
