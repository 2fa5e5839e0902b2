"""OAuth 2 by oauthlib's server core, bound to our stores.

oauthlib knows the order of checks and the words of RFC 6749 and 7636; it asks the validator below, which answers from
what one read has fetched before (the app, and the family of the code or refresh token), and writes in one transaction.
What oauthlib does otherwise than this platform is in docs/decisions.md.
"""

import json
import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    FatalClientError,
    InvalidGrantError,
    OAuth2Error,
    RefreshTokenGrant,
    RequestValidator,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import UnsupportedResponseTypeError
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from chalicelib.core.directory import App, Dialect, secret_matches
from chalicelib.core.errors import BadRequest, GrantRefused
from chalicelib.core.oauth import (
    ACCESS_SECONDS,
    Asked,
    Family,
    Grant,
    RedirectedError,
    hashed,
    is_challenge,
    may_ask,
    same,
    scopes_in,
)
from chalicelib.store.ephemeral import ServerStates
from chalicelib.store.grants import Grants
from chalicelib.web.tokens import Tokens

# It would log tokens.
logging.getLogger("oauthlib").setLevel(logging.WARNING)

# oauthlib's request takes any parameter for an attribute of its own, "scopes" and "user" too.
_TOKEN_PARAMETERS = frozenset(
    {
        "grant_type",
        "client_id",
        "client_secret",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "scope",
        "server_state",
    }
)
_AUTHORIZE_PARAMETERS = frozenset(
    {"client_id", "response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
)

_DESCRIPTIONS = {
    "invalid_client": "The client is unknown, or its credentials are wrong",
    "invalid_grant": "The code or refresh token is not valid, has expired, or was used before",
    "unauthorized_client": "The app may not use this grant type",
    "invalid_scope": "The app may not ask for this scope",
    "unsupported_grant_type": "There is no such grant type",
    "unsupported_response_type": "The response type must be code",
    "invalid_request": "A parameter is missing or malformed",
}


@dataclass(frozen=True)
class Client:
    """An app as oauthlib wants it."""

    client_id: str
    app: App


class Authorization:
    """The authorization server over its stores."""

    def __init__(self, grants: Grants, states: ServerStates, tokens: Tokens) -> None:
        self._grants = grants
        self._states = states
        self._tokens = tokens

    def token(self, form: Mapping[str, str], redirects: frozenset[str]) -> dict[str, Any]:
        """The JSON of the token endpoint for a form; `redirects` are what its redirect_uri may mean.

        Raises GrantRefused. At most two calls one after the other, three where a code is replayed.
        """
        validator = self._validator(form, redirects)
        if form.get("grant_type") == "server_state":
            if validator.app is None:
                raise _refused("invalid_client", validator.app)
            return {"server_state": self._states.make(validator.app.id)}
        kinds: dict[str, Any] = {
            "authorization_code": _CodeGrant(validator),
            "refresh_token": RefreshTokenGrant(validator),
            "client_credentials": ClientCredentialsGrant(validator),
        }
        if "grant_type" not in form:
            raise _refused("invalid_request", validator.app, "The grant_type is missing")
        if form["grant_type"] not in kinds:
            raise _refused("unsupported_grant_type", validator.app)
        # The stubs want the name of a kind of token where oauthlib takes what makes tokens.
        made_by: Any = validator
        endpoint = TokenEndpoint("authorization_code", made_by, kinds)
        try:
            _, body, status = endpoint.create_token_response("/2/token", "POST", _only(form, _TOKEN_PARAMETERS))
        except OAuth2Error as error:
            raise _refused(str(error.error), validator.app, error.description) from None
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise _refused(answer["error"], validator.app, answer.get("error_description"))
        return answer

    def asked(self, parameters: Mapping[str, str]) -> Asked:
        """What an authorization request asks for.

        Raises BadRequest where the answer must not leave our pages (unknown app, or a redirect URI that is not
        registered), and RedirectedError for all else.
        """
        app = self._grants.app(parameters["client_id"]) if "client_id" in parameters else None
        validator = _Validator(self._grants, self._tokens, app, of_user=True)
        wanted = dict(parameters) | {"scope": " ".join(scopes_in(parameters.get("scope", "")))}
        request: Any = Request("/connect_authorize.pl", "GET", _only(wanted, _AUTHORIZE_PARAMETERS))
        try:
            _CodeGrant(validator).validate_authorization_request(request)
        except FatalClientError as error:
            raise BadRequest(error.description or "The client_id or redirect_uri is not known") from None
        except OAuth2Error as error:
            raise _redirected(request, str(error.error), error.description) from None
        challenge, server_state = parameters.get("code_challenge"), parameters.get("server_state")
        if app is None:
            raise BadRequest
        if challenge and not is_challenge(challenge):
            raise _redirected(request, "invalid_request", "The code_challenge is malformed")
        if server_state and not self._states.holds(app.id, server_state):
            raise _redirected(request, "invalid_request", "The server_state is not valid any more")
        if "openid" in request.scopes and not server_state:
            raise _redirected(request, "invalid_request", "The scope openid needs a server_state")
        return Asked(
            app=app,
            redirect_uri=request.redirect_uri,
            redirect_sent=not request.using_default_redirect_uri,
            scopes=tuple(sorted(request.scopes)),
            state=parameters.get("state"),
            challenge=challenge,
            server_state=server_state,
        )

    def revoke(self, form: Mapping[str, str]) -> None:
        """End what a refresh token came from. A token that is not valid is no error (RFC 7009 §2.2).

        The token itself is the proof, as old clients send nothing else; credentials that are sent must be right.
        Raises GrantRefused.
        """
        if "token" not in form:
            raise _refused("invalid_request", None, "The token is missing")
        app, family = self._grants.find(form.get("client_id", ""), form["token"])
        if "client_secret" in form and not secret_matches(app, form["client_secret"]):
            raise _refused("invalid_client", app)
        if family and same(family.refresh, hashed(form["token"])) and form.get("client_id", family.app) == family.app:
            self._grants.end_family(family)

    def _validator(self, form: Mapping[str, str], redirects: frozenset[str]) -> "_Validator":
        client, token = form.get("client_id", ""), form.get("code", "") or form.get("refresh_token", "")
        if form.get("grant_type") == "client_credentials":
            app, own = self._grants.find_own(client)
            return _Validator(self._grants, self._tokens, app, own=own)
        app, family = self._grants.find(client, token)
        return _Validator(self._grants, self._tokens, app, family=family, redirects=redirects)


class _CodeGrant(AuthorizationCodeGrant):
    """The code grant without the `plain` challenge."""

    _code_challenge_methods = {"S256": code_challenge_method_s256}  # noqa: RUF012 (oauthlib's own way)


class _Validator(RequestValidator):
    """What oauthlib asks, answered from what was read; and the token handler that makes the answer."""

    def __init__(
        self,
        grants: Grants,
        tokens: Tokens,
        app: App | None,
        *,
        family: Family | None = None,
        own: Grant | None = None,
        redirects: frozenset[str] = frozenset(),
        of_user: bool = False,
    ) -> None:
        super().__init__()
        self._of_user = of_user
        self.app = app
        self._grants = grants
        self._tokens = tokens
        self._family = family if family and app and family.app == app.id else None
        self._own = own
        self._redirects = redirects

    # The app

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return self.app is None or self.app.confidential

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        if not secret_matches(self.app, request.client_secret or ""):
            return False
        return self._present(request)

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return self._present(request)

    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return self._present(request)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return client.app.confidential or grant_type != "client_credentials"

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        if response_type != "code":
            raise UnsupportedResponseTypeError(request=request)
        return True

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return self.app is not None and redirect_uri in self.app.redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> Any:
        return self.app.redirect_uris[0] if self.app and self.app.redirect_uris else None

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        return self.app is not None and not self.app.confidential

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return []

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return may_ask(client.app.scopes, scopes or [], user=self._of_user)

    # The code

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        family = self._family
        if family is None or not same(family.code, hashed(code)):
            return False
        if family.refresh is not None:
            # Whoever came first may have been a thief, so what they got ends, too.
            self._grants.end_family(family)
            return False
        sent = self._redirects
        if family.redirect_uri not in sent and (sent or family.redirect_sent):
            return False
        if family.server_state and not same(family.server_state, hashed(getattr(request, "server_state", None) or "")):
            return False
        if request.code_verifier and not family.challenge:
            return False
        request.user = family.user
        request.scopes = sorted(family.scopes)
        return True

    def get_code_challenge(self, code: str, request: Any) -> Any:
        return self._family.challenge if self._family else None

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def confirm_redirect_uri(self, *args: Any, **kwargs: Any) -> bool:
        return True  # Judged with the code, for a wrong one is an invalid_grant (RFC 6749 §5.2).

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """Done where its refresh token is written."""

    # The refresh token

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        family = self._family
        if family is None or family.refresh is None:
            return False
        if not same(family.refresh, hashed(refresh_token)):
            if not client.app.confidential:
                self._grants.end_family(family)
            return False
        request.user = family.user
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        family = self._family
        return sorted(family.scopes.intersection(self.app.scopes)) if family and self.app else []

    # The answer

    def create_token(self, request: Any, refresh_token: bool = False) -> dict[str, Any]:
        """Issue the tokens: what is written is written here, and nothing has been before."""
        app, family = request.client.app, self._family
        scopes = sorted(set(request.scopes or ()) - {""})
        kept: str | None
        if request.grant_type == "client_credentials":
            kept = self._grants.begin_own(app.id, frozenset(scopes), self._own)
        elif family is None:
            kept = None
        elif request.grant_type == "authorization_code":
            kept = self._grants.redeem(family, request.code)
        else:
            kept = self._grants.renew(family, request.refresh_token, rotate=not app.confidential)
        if kept is None:
            if family and (request.grant_type == "authorization_code" or not app.confidential):
                # Someone else was faster with the same code or token.
                self._grants.end_family(family)
            raise InvalidGrantError(request=request)
        viewer = family.user if family else None
        answer: dict[str, Any] = {
            "refresh_token": kept,
            "expires_in": ACCESS_SECONDS,
            "access_token": self._tokens.issue(app=app.id, viewer=viewer, scopes=scopes, lifetime=ACCESS_SECONDS),
        }
        if app.dialect is not Dialect.DRAFT10:
            answer["token_type"] = "Bearer"  # noqa: S105 (no password)
        return answer | {"scope": " ".join(scopes)}

    def save_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Done where it is made."""

    def _present(self, request: Any) -> bool:
        if self.app is None:
            return False
        request.client = Client(self.app.id, self.app)
        return True


def _only(parameters: Mapping[str, str], names: Set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in parameters.items() if name in names and value]


def _refused(error: str, app: App | None, description: str | None = None) -> GrantRefused:
    old = app is not None and app.dialect is Dialect.DRAFT10
    status = 401 if error == "invalid_client" or (error == "invalid_grant" and old) else 400
    return GrantRefused(error, description or _DESCRIPTIONS.get(error, error), status=status)


def _redirected(request: Any, error: str, description: str | None) -> RedirectedError:
    return RedirectedError(_refused(error, None, description), request.redirect_uri, request.state)
