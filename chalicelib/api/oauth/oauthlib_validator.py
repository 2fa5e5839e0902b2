"""The request validator for oauthlib. It uses the result of one read: the app, and the family of its token."""

from dataclasses import dataclass
from typing import Any

from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    InvalidGrantError,
    RequestValidator,
)
from oauthlib.oauth2.rfc6749.errors import UnsupportedResponseTypeError
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from chalicelib.core.model.directory import App, AppDialect
from chalicelib.core.oauth import (
    ACCESS_SECONDS,
    Family,
    Grant,
    hashed,
    may_ask,
    registered_redirect,
    same,
)
from chalicelib.store.grants.grants import Grants
from chalicelib.web.auth.access_tokens import AccessTokens


@dataclass(frozen=True)
class OAuthClient:
    """An app in the form that oauthlib requires."""

    client_id: str
    app: App


class CodeGrant(AuthorizationCodeGrant):
    """The code grant without the `plain` challenge."""

    _code_challenge_methods = {"S256": code_challenge_method_s256}  # noqa: RUF012 (oauthlib's own way)


class Validator(RequestValidator):
    """The request validator, which uses data that were read before; also the token handler that makes the response."""

    def __init__(
        self,
        grants: Grants,
        tokens: AccessTokens,
        app: App | None,
        *,
        family: Family | None = None,
        own: Grant | None = None,
        redirects: frozenset[str] = frozenset(),
        of_user: bool = False,
        authenticated: bool = False,
    ) -> None:
        super().__init__()
        self._authenticated = authenticated
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
        return self._authenticated and self._present(request)

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
        return self.app is not None and registered_redirect(self.app.redirect_uris, redirect_uri)

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
            # The first user of the code may have been a thief, so the tokens from that use end, too.
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
        return True  # validate_code checks it, because a wrong one is an invalid_grant (RFC 6749 §5.2).

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the write of the refresh token invalidates the code."""

    # The refresh token

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        family = self._family
        if family is None or family.refresh is None:
            return False
        if not same(family.refresh, hashed(refresh_token)) and not self._grants.repeated(family, refresh_token):
            if not client.app.confidential:
                self._grants.end_family(family)
            return False
        request.user = family.user
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        family = self._family
        return sorted(family.scopes.intersection(self.app.scopes)) if family and self.app else []

    # The response

    def create_token(self, request: Any, refresh_token: bool = False) -> dict[str, Any]:
        """Issue the tokens. All writes of the request are made here; none was made before."""
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
                # Another request has used the same code or token first.
                self._grants.end_family(family)
            raise InvalidGrantError(request=request)
        viewer, owner = (family.user, family.owner) if family else (None, None)
        issued = self._tokens.issue(
            app=app.id,
            viewer=viewer,
            owner=owner,
            scopes=scopes,
            lifetime=ACCESS_SECONDS,
            events=app.events,
        )
        answer: dict[str, Any] = {"refresh_token": kept, "expires_in": ACCESS_SECONDS, "access_token": issued}
        if app.dialect is not AppDialect.DRAFT10:
            answer["token_type"] = "Bearer"  # noqa: S105 (no password)
        return answer | {"scope": " ".join(scopes)}

    def save_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: `create_token` has stored the token."""

    def _present(self, request: Any) -> bool:
        if self.app is None:
            return False
        request.client = OAuthClient(self.app.id, self.app)
        return True
