"""Error pages: a text for each status in the reader's language, ways on, and the request id."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.api.error_pages import error_page
from chalicelib.api.menu import MENU
from chalicelib.api.visit import Visit
from chalicelib.core import errors
from chalicelib.core.model.directory import User
from chalicelib.core.passwords import hash_password
from chalicelib.core.roles import Role
from chalicelib.web.face import Face, Token
from local.gateway import Request
from tests.kit import contract
from tests.kit.html_checks import faults, links
from tests.kit.plain_browser import Browser, Page, browser_at
from tests.kit.worlds import World

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def opened(world: World, method: str, target: str, **headers: str) -> Page:
    answer = world.gateway.handle(Request(method, target, [*headers.items()]))
    return Page(answer.status, answer.headers, answer.body.decode())


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("target", ["/no/such/path", "/people/nobody-there"])
def test_an_unknown_path_is_a_page_for_a_browser(world: World, target: str, language: str) -> None:
    page = opened(world, "GET", f"{target}?lang={language}", **BROWSER)
    wanted = {"/no/such/path": 404, "/people/nobody-there": 200}  # signed out, a person's page is the sign-in page
    assert page.status == wanted[target]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert faults(page.html, language) == []
    assert "/" in links(page.html)


@pytest.mark.parametrize("accepted", ["*/*", "application/json", "", "application/xhtml+xml"])
def test_all_other_clients_get_json(world: World, accepted: str) -> None:
    headers = {"Accept": accepted} if accepted else {}
    answer = world.send("GET", "/no/such/path", user=None, headers=headers)
    assert (answer.status, answer.json["error"]) == (404, "not_found")
    answer = world.send("DELETE", "/settings", user=None, headers=headers)
    assert (answer.status, answer.json["error"]) == (405, "method_not_allowed")


def test_a_wrong_method_is_a_page_for_a_browser(world: World) -> None:
    page = opened(world, "GET", "/sign_out?lang=en", **BROWSER)
    assert (page.status, page.headers["allow"]) == (405, "POST")
    assert "cannot be opened in this way" in page.text
    assert world.send("GET", "/sign_out", user=None).status == 405


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    "refusal",
    [
        errors.BadRequest("An English sentence"),
        errors.PermissionDenied("An English sentence"),
        errors.NotFound("An English sentence"),
        errors.MethodNotAllowed("An English sentence"),
        errors.Conflict("An English sentence"),
        errors.PreconditionFailed("An English sentence"),
        errors.TooLarge("An English sentence"),
        errors.UnsupportedEncoding("An English sentence"),
        errors.KeyReused("An English sentence"),
        errors.Unavailable("An English sentence", retry_after=7),
        ValueError("a secret"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_each_status_has_a_text_in_the_reader_s_language(world: World, refusal: Exception, language: str) -> None:
    face = Face()

    @face.route("/fails", methods=["GET"], token=Token.NONE, instead="public", refused=error_page, page=True)
    def fails(here: Any, request: Any) -> Any:
        raise refusal

    face.register(world.app, lambda: world.platform)
    world.gateway._router = type(world.gateway._router)(world.app.routes)
    with patch.object(contract, "_require"):
        page = opened(world, "GET", f"/fails?lang={language}&q=1", Referer="http://127.0.0.1:8000/apps?cursor=a")

    assert page.status == getattr(refusal, "status", 500)
    assert faults(page.html, language) == []
    assert "a secret" not in page.html
    assert ("An English sentence" in page.html) == (language == "en" and page.status < 500)
    # Home, the page before, the other language.
    other = "en" if language == "ja" else "ja"
    assert {"/", "/apps?cursor=a", f"/fails?q=1&lang={other}"} <= {*links(page.html)}
    assert page.headers["x-request-id"] in page.text
    assert page.headers.get("retry-after") == ("7" if page.status == 503 else None)


@pytest.mark.parametrize(
    "referrer",
    [
        "https://evil.example/",
        "http://127.0.0.1:8000.evil.example/",
        "http://127.0.0.1:8000",
        "javascript:alert(1)",
        "http://127.0.0.1:8000/no/such",
        "http://127.0.0.1:8000/" + 3000 * "a",
        "http://127.0.0.1:8000//evil.example/x",
    ],
)
def test_an_error_page_leads_back_to_our_own_pages_alone(world: World, referrer: str) -> None:
    page = opened(world, "GET", "/no/such", Referer=referrer, **BROWSER)
    assert [link for link in links(page.html) if "evil" in link or "alert" in link or "aaa" in link] == []
    assert len(links(page.html)) == 3


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/\\evil.example", "/\\/evil.example"])
def test_the_links_of_an_error_page_stay_here_although_its_path_looks_like_another_host(
    world: World, path: str
) -> None:
    page = opened(world, "GET", path, **BROWSER)
    assert page.status == 404
    assert [link for link in links(page.html) if link.startswith(("//", "/\\")) or not link.startswith("/")] == []


ERRORS = [
    errors.BadRequest("An English sentence"),
    errors.PermissionDenied("An English sentence"),
    errors.NotFound("An English sentence"),
    errors.Conflict("An English sentence"),
    ValueError("a secret"),
]


@pytest.mark.parametrize("read_before", [True, False])
@pytest.mark.parametrize("error", ERRORS, ids=lambda each: type(each).__name__)
def test_an_error_page_has_the_navigation_of_whoever_is_signed_in(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, read_before: bool
) -> None:
    browser = signed_in(world)
    failing(monkeypatch, world, error, read_before=read_before)

    page = browser.open("/fails?lang=ja")

    known = read_before or isinstance(error, errors.Refusal)
    reached = {*links(page.html)}
    assert ({target for target, _ in MENU} <= reached, "/console" in reached) == (known, known)
    assert ([form.action for form in page.forms] == ["/sign_out"]) == known
    assert faults(page.html, "ja") == []
    assert "English sentence" not in page.text
    if known:
        assert browser.submit(page.forms[0]).location == "/?done=signed_out"


def test_an_unknown_path_has_the_navigation_too(world: World) -> None:
    browser = signed_in(world)
    browser.headers = BROWSER
    page = browser.open("/no/such/path?done=saved")
    assert page.status == 404
    assert {target for target, _ in MENU} <= {*links(page.html)}
    assert "Your changes" not in page.text


@pytest.mark.parametrize("status", [404, 503])
def test_an_error_page_is_shown_without_navigation_if_the_session_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    browser = signed_in(world)
    failing(monkeypatch, world, errors.NotFound() if status == 404 else errors.Unavailable())
    with patch.object(world.platform.sessions_of_users, "read", side_effect=errors.Unavailable) as read:
        page = browser.open("/fails")
    assert page.status == status
    assert "/settings" not in links(page.html)
    assert read.called == (status == 404)  # Busy tables are not read once more.


def signed_in(world: World) -> Browser:
    """Return the browser of an operator who has signed in."""
    world.platform.users.create(User("user00000001", "Hana", login="hana"), hash_password("sakura"))
    world.platform.roles.give("user00000001", Role.OPERATOR)

    browser = browser_at(world.gateway)
    assert browser.sign_in(browser.open("/sign_in"), "hana", "sakura").status == 303
    return browser


def failing(monkeypatch: pytest.MonkeyPatch, world: World, error: Exception, *, read_before: bool = False) -> None:
    """Add the route `/fails`, which raises an error, after reading who is signed in or before."""
    face = Face()

    @face.route("/fails", methods=["GET"], token=Token.NONE, instead="public", refused=error_page, page=True)
    def fails(here: Any, request: Any) -> Any:
        if read_before:
            Visit.of(here, request)
        raise error

    face.register(world.app, lambda: world.platform)
    world.gateway._router = type(world.gateway._router)(world.app.routes)
    monkeypatch.setattr(contract, "_require", lambda *_, **__: None)
