"""No route is open: each says whose token and which scope it takes, and keeps to it."""

import re
from collections.abc import Iterator

import pytest

import app as entry
from chalicelib.web.face import Token
from tests.integration.conftest import HANA, World


def routes() -> Iterator[tuple[str, str, object]]:
    """Method, path and view of every route of the app."""

    def never() -> None:
        raise AssertionError("making the app opened something")

    for path, methods in entry.create_app(never).routes.items():
        for method, route in methods.items():
            yield method, path, route.view_function


ROUTES = [pytest.param(method, path, view, id=f"{method} {path}") for method, path, view in routes()]
every_route = pytest.mark.parametrize(("method", "path", "view"), ROUTES)


def target(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "@me", path)


def test_the_persistence_api_is_there():
    path = "/2/apps/appdata/{user}/{group}"
    assert {method for method, of, _ in routes() if of == path} == {"GET", "POST", "PUT", "DELETE"}


@every_route
def test_each_route_says_which_token_and_scope_it_takes(method, path, view):
    assert isinstance(view.token, Token)
    assert view.scope is None or view.scope
    assert view.__doc__


@every_route
def test_no_route_answers_without_a_token(world: World, method, path, view):
    reply = world.send(method, target(path), user=None)
    assert (reply.status, reply.json["error"]) == (401, "invalid_request")
    assert reply.headers["www-authenticate"] == "OAuth error='invalid_request'"
    assert world.calls == []


@every_route
def test_no_route_answers_to_a_token_without_its_scope(world: World, method, path, view):
    if view.scope is None:
        pytest.skip("takes a token of any scope")
    for user in (HANA, None):
        reply = world.send(method, target(path), token=world.token(user, "another"))
        assert (reply.status, reply.json["error"]) == (403, "insufficient_scope")
        assert view.scope in reply.headers["www-authenticate"]
    assert world.calls == []


@every_route
def test_no_route_answers_to_the_wrong_kind_of_token(world: World, method, path, view):
    if view.token is Token.ANY:
        pytest.skip("takes both kinds")
    wrong = None if view.token is Token.USER else HANA
    reply = world.send(method, target(path), token=world.token(wrong, view.scope or "any"))
    assert reply.error == (403, "permission_denied", f"This needs a {view.token.value}'s access token")
    assert world.calls == []


@every_route
def test_each_route_is_called_with_any_content_type(method, path, view):
    """Chalice would answer 415 in words of its own where a route names content types."""
    assert entry.create_app(lambda: None).routes[path][method].content_types == []
