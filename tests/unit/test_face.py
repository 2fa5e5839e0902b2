"""Routes: each accepts the token and scope that it declares, and no others."""

import json
from types import SimpleNamespace

import pytest
from chalice.app import Chalice, Response

from chalicelib.api.opensocial.rpc import METHODS
from chalicelib.core.model.access import Access
from chalicelib.core.oauth import OPERATOR, SERVED_SCOPES, USER_SCOPES
from chalicelib.core.people import FIELDS
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.face import Face, Token
from local.gateway import Answer, Gateway, Request
from tests.kit.routes import routes

JWKS = '{"keys":[{"kty":"oct","alg":"HS256","kid":"one","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}'
TOKENS = AccessTokens(TokenKeys(lambda: JWKS), "http://127.0.0.1:8000")
USER, CLIENT = (TOKENS.issue(app="app", viewer=viewer, scopes=["good"], lifetime=3600) for viewer in ("hana", None))


def get(path: str, token: str) -> Answer:
    face, app = Face(), Chalice("test")
    for kind in (Token.USER, Token.CLIENT, Token.ANY):
        for scope in ("good", "other", None):

            @face.route(f"/{kind.value}/{scope}/{{id}}", methods=["GET"], token=kind, scope=scope)
            def view(here: object, request: object, access: Access, id: str) -> Response:
                return Response({"viewer": access.viewer, "id": id})

    face.register(app, lambda: SimpleNamespace(tokens=TOKENS))
    return Gateway(app).handle(Request("GET", path, [("Authorization", f"Bearer {token}")]))


@pytest.mark.parametrize(
    "declared",
    [
        {"token": Token.NONE, "scope": None},
        {"token": Token.NONE, "scope": "good", "instead": "a session"},
        {"token": Token.ANY, "scope": None, "instead": "a session"},
    ],
)
def test_a_route_without_a_token_says_what_protects_it_and_no_other_does(declared):
    with pytest.raises(ValueError, match="/open"):
        Face().route("/open", methods=["GET"], **declared)


@pytest.mark.parametrize(
    ("kind", "token", "viewer"),
    [("user", USER, "hana"), ("client", CLIENT, None), ("any", USER, "hana"), ("any", CLIENT, None)],
)
def test_a_token_of_the_declared_kind_is_taken(kind, token, viewer):
    for scope in ("good", None):
        answer = get(f"/{kind}/{scope}/%40me", token)
        assert (answer.status, json.loads(answer.body)) == (200, {"viewer": viewer, "id": "@me"})


@pytest.mark.parametrize(("kind", "token"), [("user", CLIENT), ("client", USER)])
def test_a_token_of_the_other_kind_is_refused(kind, token):
    for scope in ("good", None):
        answer = get(f"/{kind}/{scope}/x", token)
        assert (answer.status, json.loads(answer.body)) == (
            403,
            {"error": "permission_denied", "error_description": f"This needs a {kind}'s access token"},
        )


@pytest.mark.parametrize("kind", ["user", "client", "any"])
def test_a_token_without_the_scope_is_refused_before_its_kind_is_looked_at(kind):
    for token in (USER, CLIENT):
        answer = get(f"/{kind}/other/x", token)
        assert (answer.status, json.loads(answer.body)["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("kind", ["user", "client", "any"])
def test_a_route_that_takes_any_scope_still_wants_a_token(kind):
    assert get(f"/{kind}/None/x", "nonsense").status == 401


def test_the_scopes_that_are_served_are_those_that_open_something() -> None:
    declared = {scope for _, _, view in routes() for scope in (view.declaration.scope, view.declaration.user_scope)}
    opened = declared | {field.scope for field in FIELDS.values()} | {method.scope for method in METHODS.values()}
    assert set(SERVED_SCOPES) == opened - {None, OPERATOR}
    assert set(SERVED_SCOPES) < set(USER_SCOPES)
