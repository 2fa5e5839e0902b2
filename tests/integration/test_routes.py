"""No route is open: each declares its token and scope, and refuses others."""

from collections.abc import Callable
from typing import Any

import pytest

import app as entry
from chalicelib.web.face import Token
from tests.kit.routes import routes, target
from tests.kit.worlds import HANA, World, no_platform

ROUTES = [pytest.param(method, path, view, id=f"{method} {path}") for method, path, view in routes()]


def every_route(wanted: Callable[[Any], bool] = lambda view: True) -> pytest.MarkDecorator:
    """Return a mark that runs a test for each route whose view is wanted."""
    return pytest.mark.parametrize(("method", "path", "view"), [each for each in ROUTES if wanted(each.values[2])])


every_token_route = every_route(lambda view: view.declaration.token is not Token.NONE)
every_route_with_a_scope = every_route(lambda view: view.declaration.scope is not None)
every_route_with_a_scope_for_users = every_route(lambda view: view.declaration.user_scope is not None)
every_route_of_one_kind = every_route(lambda view: view.declaration.token in (Token.USER, Token.CLIENT))
WITHOUT_TOKEN = {
    "POST /2/token": "client credentials",
    "POST /2/authorize/revoke": "the refresh token",
    "GET /.well-known/oauth-authorization-server": "public",
    "GET /connect_authorize.pl": "the user's session",
    "POST /connect_authorize.pl": "the session's csrf value",
    "GET /connect_authorize_success.html": "public",
    "GET /": "public; the user's session adds the user's own lists",
    "GET /favicon.ico": "public",
    "GET /run_page_apps.pl": "public; the user's session only adds the viewer",
    "GET /run_page_appli.pl": "public; the user's session only adds the viewer",
    "GET /launch/{certificate}": "public",
    "GET /js/opensocial.js": "public",
    "GET /js/opensocial.mjs": "public",
    "GET /js/opensocial.d.ts": "public",
    "GET /docs": "public",
    "GET /docs/{language}": "public",
    "GET /docs/{language}/{section}/{name}": "public",
    "GET /docs/assets/{name}": "public",
    "GET /llms.txt": "public",
    "GET /openapi.json": "public",
    "GET /pages/{page}/feeds/{feed}": "public",
    "GET /health": "public",
}
"""Every route that takes no access token, and its protection; HEAD, which exists for each GET, is left out."""


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/2/apps/appdata/{user}/{group}", {"GET", "POST", "PUT", "PATCH", "DELETE"}),
        ("/2/pages/{page}", {"GET"}),
        ("/2/pages/{page}/feeds", {"GET", "POST", "DELETE"}),
        ("/2/pages/{page}/comments", {"GET", "POST"}),
        ("/2/pages/{page}/comments/{comment}", {"DELETE"}),
        ("/2/pages/{page}/favorites", {"GET", "POST"}),
        ("/2/pages/{page}/favorites/{favorite}", {"DELETE"}),
    ],
)
def test_the_apis_are_there(path, methods):
    assert {method for method, of, _ in routes() if of == path} - {"OPTIONS"} == methods


@every_route()
def test_each_route_says_which_token_and_scope_it_takes(method, path, view):
    assert isinstance(view.declaration.token, Token)
    assert view.declaration.scope is None or view.declaration.scope
    # If a route accepts both kinds of token, a user's token needs a scope that the user has granted.
    assert view.declaration.token is not Token.ANY or view.declaration.scope or view.declaration.user_scope
    assert view.__doc__


def test_routes_without_a_token_are_these_and_no_others():
    found = {
        f"{method} {path}": view.declaration.instead
        for method, path, view in routes()
        if view.declaration.token is Token.NONE and not view.declaration.page
    }
    heads = {name.replace("GET ", "HEAD "): instead for name, instead in WITHOUT_TOKEN.items() if "GET " in name}
    # Preflights do nothing; test_cors.py tests which paths have one.
    assert {
        name: instead for name, instead in found.items() if not name.startswith("OPTIONS ")
    } == WITHOUT_TOKEN | heads


def test_head_is_answered_where_get_needs_no_token_and_nowhere_else():
    found = {(method, path): view.declaration.token for method, path, view in routes() if method in ("GET", "HEAD")}
    for (method, path), token in found.items():
        assert (("HEAD", path) in found) == (token is Token.NONE), (method, path)


@every_route()
def test_a_route_has_a_token_or_something_instead(method, path, view):
    assert (view.declaration.token is Token.NONE) == bool(view.declaration.instead)


@every_token_route
def test_no_route_answers_without_a_token(world: World, method, path, view):
    reply = world.send(method, target(path), user=None)
    assert (reply.status, reply.json["error"]) == (401, "invalid_request")
    assert reply.headers["www-authenticate"] == "OAuth error='invalid_request'"
    assert world.calls == []


@every_route_with_a_scope
def test_no_route_answers_to_a_token_without_its_scope(world: World, method, path, view):
    for user in (HANA, None):
        reply = world.send(method, target(path), token=world.token(user, "another"))
        assert (reply.status, reply.json["error"]) == (403, "insufficient_scope")
        assert view.declaration.scope in reply.headers["www-authenticate"]
    assert world.calls == []


@every_route_with_a_scope_for_users
def test_a_route_that_takes_either_token_asks_a_user_s_for_its_scope(world: World, method, path, view):
    assert view.declaration.token is Token.ANY
    reply = world.send(method, target(path), token=world.token(HANA, "another"))
    assert (reply.status, reply.json["error"]) == (403, "insufficient_scope")
    assert view.declaration.user_scope in reply.headers["www-authenticate"]
    assert world.calls == []
    for token in (world.token(HANA, view.declaration.user_scope), world.token(None, "another")):
        assert world.send(method, target(path), token=token).status not in (401, 403)


@every_route_of_one_kind
def test_no_route_answers_to_the_wrong_kind_of_token(world: World, method, path, view):
    wrong = None if view.declaration.token is Token.USER else HANA
    reply = world.send(method, target(path), token=world.token(wrong, view.declaration.scope or "any"))
    assert reply.error == (403, "permission_denied", f"This needs a {view.declaration.token.value}'s access token")
    assert world.calls == []


@every_route()
def test_each_route_is_called_with_any_content_type(method, path, view):
    """If a route declared content types, Chalice would answer 415 with a message of its own."""
    assert entry.create_app(no_platform).routes[path][method].content_types == []


PAGES = {
    "the user's session",
    "the session's csrf value",
    "the user's session and a role",
    "the session's csrf value and a role",
    "public",
    "public; the user's session only adds the name",
    "a one-time link",
    "a one-time link, and the session's csrf value",
}
"""What protects pages for people; docs/reference/web-pages.md lists them."""


@every_route(lambda view: view.declaration.page)
def test_a_page_is_protected_by_the_session_its_csrf_value_or_a_role(method, path, view):
    declaration = view.declaration
    assert declaration.instead in PAGES
    assert (method == "POST") == ("csrf value" in declaration.instead)
    assert (declaration.action is not None) == path.startswith("/console") == ("role" in declaration.instead)
