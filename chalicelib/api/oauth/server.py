"""OAuth 2: the server core of oauthlib with the stores of this platform.

oauthlib has the order of the checks and the error codes of RFC 6749 and 7636. It calls the validator
(oauthlib_validator.py), which uses the result of one earlier read (the app, and the family of the code or refresh
token) and writes in one transaction. Differences between oauthlib and this platform are in docs/internals/decisions.md.
"""

import json
import logging
from collections.abc import Mapping, Set
from functools import partial
from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import (
    ClientCredentialsGrant,
    FatalClientError,
    OAuth2Error,
    RefreshTokenGrant,
    TokenEndpoint,
)

from chalicelib.api.oauth.oauthlib_validator import CodeGrant, Validator
from chalicelib.core.client_secrets import WhichSecret
from chalicelib.core.errors import BadRequest, GrantRefused, PermissionDenied
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import App, AppDialect
from chalicelib.core.oauth import (
    AuthorizationRequest,
    RedirectedError,
    hashed,
    is_challenge,
    same,
    scopes_in,
)
from chalicelib.store.directory.app_secrets import AppSecrets
from chalicelib.store.grants.ephemeral import UsedStates
from chalicelib.store.grants.grants import Grants
from chalicelib.web.auth.access_tokens import AccessTokens
from chalicelib.web.auth.server_states import ServerStates

# At lower levels, oauthlib logs tokens.
logging.getLogger("oauthlib").setLevel(logging.WARNING)

# oauthlib's request makes every parameter an attribute of its own, even "scopes" and "user".
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
    "invalid_scope": "The app may not request this scope",
    "unsupported_grant_type": "There is no such grant type",
    "unsupported_response_type": "The response type must be code",
    "invalid_request": "A parameter is missing or malformed",
}

SUSPENDED = "The app is suspended"


class Authorization:
    """The authorization server of this platform."""

    def __init__(
        self,
        grants: Grants,
        secrets: AppSecrets,
        states: ServerStates,
        used_states: UsedStates,
        tokens: AccessTokens,
    ) -> None:
        self._grants = grants
        self._secrets = secrets
        self._states = states
        self._used_states = used_states
        self._tokens = tokens

    def token(self, form: Mapping[str, str], redirects: frozenset[str]) -> dict[str, Any]:
        """Return the JSON of the token endpoint for a form; `redirects` are the possible values of its redirect_uri.

        A suspended app gets nothing; a suspended user's code or refresh token is an invalid_grant. Raise GrantRefused.
        At most three calls in sequence, four if a code is replayed. Once a day, the secret's use is noted beside them.
        """
        validator, which = self._validator(form, redirects)
        app = validator.app
        if app is not None and app.suspended is not None:
            raise _refused("unauthorized_client", app, SUSPENDED)
        answer = partial(self._token_answer, form, validator)
        return self._secrets.noting_use(app, which, answer) if app and which else answer()

    def _token_answer(self, form: Mapping[str, str], validator: Validator) -> dict[str, Any]:
        if form.get("grant_type") == "server_state":
            if validator.app is None:
                raise _refused("invalid_client", validator.app)
            return {"server_state": self._states.make(validator.app.id)}
        kinds: dict[str, Any] = {
            "authorization_code": CodeGrant(validator),
            "refresh_token": RefreshTokenGrant(validator),
            "client_credentials": ClientCredentialsGrant(validator),
        }
        if "grant_type" not in form:
            raise _refused("invalid_request", validator.app, "The grant_type is missing")
        if form["grant_type"] not in kinds:
            raise _refused("unsupported_grant_type", validator.app)
        # The type stubs require the name of a token type, but oauthlib takes a token handler.
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

    def asked(self, parameters: Mapping[str, str]) -> AuthorizationRequest:
        """Return the checked authorization request.

        Raise BadRequest or PermissionDenied if the error must not be sent to the redirect URI (unknown or suspended
        app, or a redirect URI that is not registered), and RedirectedError for all other errors.
        """
        owner = parameters.get("owner")
        known = owner if owner and is_id("user", owner) else None
        app, owner_installed = self._grants.find_with_owner(parameters.get("client_id", ""), known)
        validator = Validator(self._grants, self._tokens, app, of_user=True)
        # Most samples of the original platform send no response_type.
        wanted = {"response_type": "code", **parameters, "scope": " ".join(scopes_in(parameters.get("scope", "")))}
        request: Any = Request("/connect_authorize.pl", "GET", _only(wanted, _AUTHORIZE_PARAMETERS))
        try:
            CodeGrant(validator).validate_authorization_request(request)
        except FatalClientError as error:
            raise BadRequest(error.description or "The client_id or redirect_uri is not known") from None
        except OAuth2Error as error:
            raise _redirected(request, str(error.error), error.description) from None
        challenge, server_state = parameters.get("code_challenge"), parameters.get("server_state")
        if app is None:
            raise BadRequest
        if app.suspended is not None:
            raise PermissionDenied(SUSPENDED)
        if challenge and not is_challenge(challenge):
            raise _redirected(request, "invalid_request", "The code_challenge is malformed")
        if server_state and (not self._states.holds(app.id, server_state) or self._used_states.has(server_state)):
            raise _redirected(request, "invalid_request", "The server_state is no longer valid")
        if owner and not known:
            raise _redirected(request, "invalid_request", "The owner must be the id of a user")
        if "openid" in request.scopes and not server_state:
            raise _redirected(request, "invalid_request", "The scope openid needs a server_state")
        return AuthorizationRequest(
            app=app,
            redirect_uri=request.redirect_uri,
            redirect_sent=not request.using_default_redirect_uri,
            scopes=tuple(sorted(request.scopes)),
            state=parameters.get("state"),
            challenge=challenge,
            server_state=server_state,
            owner=known,
            owner_installed=owner_installed,
        )

    def revoke(self, form: Mapping[str, str]) -> None:
        """End the family that a refresh token belongs to. An invalid token is no error (RFC 7009 §2.2).

        The token itself is the proof, because old clients send nothing else; if credentials are sent, they must be
        right. Raise GrantRefused.
        """
        if "token" not in form:
            raise _refused("invalid_request", None, "The token is missing")
        app, family = self._grants.find(form.get("client_id", ""), form["token"])
        if "client_secret" in form and not self._secrets.matching(app, form["client_secret"]):
            raise _refused("invalid_client", app)
        if family is None or form.get("client_id", family.app) != family.app:
            return
        # If an app did not receive the response to its last refresh, it may revoke with the token that it still knows.
        if same(family.refresh, hashed(form["token"])) or self._grants.repeated(family, form["token"]):
            self._grants.end_family(family)

    def _validator(self, form: Mapping[str, str], redirects: frozenset[str]) -> tuple[Validator, WhichSecret | None]:
        """Return the validator of a form, and which secret of the app the form has (None: none that is valid)."""
        client, token = form.get("client_id", ""), form.get("code", "") or form.get("refresh_token", "")
        if form.get("grant_type") == "client_credentials":
            app, own = self._grants.find_own(client)
            which = self._secrets.matching(app, form.get("client_secret", ""))
            return Validator(self._grants, self._tokens, app, own=own, authenticated=which is not None), which
        app, family = self._grants.find_active(client, token)
        which = self._secrets.matching(app, form.get("client_secret", ""))
        known = which is not None
        validator = Validator(self._grants, self._tokens, app, family=family, redirects=redirects, authenticated=known)
        return validator, which


def _only(parameters: Mapping[str, str], names: Set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in parameters.items() if name in names and value]


def _refused(error: str, app: App | None, description: str | None = None) -> GrantRefused:
    old = app is not None and app.dialect is AppDialect.DRAFT10
    status = 401 if error == "invalid_client" or (error == "invalid_grant" and old) else 400
    return GrantRefused(error, description or _DESCRIPTIONS.get(error, error), status=status)


def _redirected(request: Any, error: str, description: str | None) -> RedirectedError:
    return RedirectedError(_refused(error, None, description), request.redirect_uri, request.state)
