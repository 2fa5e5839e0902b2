"""The OAuth 2 endpoints that apps call: `/2/token`, `/2/authorize/revoke`, and the metadata (RFC 8414).

Clients send credentials in the form or as HTTP Basic. A `multipart/form-data` body is read as such; any other body is
read as an encoded form, whatever its content type. Responses and errors are JSON and `no-store`; a token response has
exactly the members that strict clients expect (docs/reference/protocol.md).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalice.app import Request, Response

from chalicelib.core.errors import TooLarge
from chalicelib.core.oauth import SERVED_SCOPES, basic_credentials, with_credentials
from chalicelib.platform import Platform
from chalicelib.web.auth.oauth_forms import MOST_PARAMETERS, parse_form, redirects_sent
from chalicelib.web.error_answers import answer_any
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import json_answer
from chalicelib.web.multipart import holds_parts, read_fields
from chalicelib.web.token_dialect import TokenDialect

if TYPE_CHECKING:
    from chalicelib.api.oauth.server import Authorization

MOST_BYTES = 65_536
"""The size limit of a form."""
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_AUTHENTICATION = ["client_secret_basic", "client_secret_post", "none"]
_BASIC = 'Basic realm="Engawa", charset="UTF-8"'


face = Face()


@face.route("/2/token", methods=["POST"], token=Token.NONE, instead="client credentials", cors=True)
def token(here: Platform, request: Request) -> Response:
    """Return tokens for a code, a refresh token, or an app itself; or return a `server_state`.

    `grant_type` is `authorization_code`, `refresh_token`, `client_credentials` or `server_state`. The response is
    `{"refresh_token", "expires_in", "access_token", "token_type", "scope"}`, without `token_type` if the app's dialect
    is draft10. Errors are those of RFC 6749, with 400; 401 for invalid_client, and for invalid_grant in draft10.
    """

    def answer() -> Any:
        form = form_of(request)
        return authorization(here).token(_authenticated(request, form), _redirects_of(request, form))

    return _uncached(request, answer)


@face.route("/2/authorize/revoke", methods=["POST"], token=Token.NONE, instead="the refresh token", cors=True)
def revoke(here: Platform, request: Request) -> Response:
    """End the consent or access that the refresh token in `token` belongs to; 200 `{}`, also if it is no longer valid.

    Access tokens stay valid until their 15 minutes are over.
    """

    def answer() -> Any:
        authorization(here).revoke(_authenticated(request, form_of(request)))
        return {}

    return _uncached(request, answer)


@face.route("/.well-known/oauth-authorization-server", methods=["GET"], token=Token.NONE, instead="public")
def metadata(here: Platform, request: Request) -> Response:
    """Return the metadata of this authorization server (RFC 8414)."""
    settings = here.settings
    own = settings.openid_issuer is None
    headers = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
    return json_answer(_metadata(settings.issuer, signs_in=own), headers=headers)


def authorization(here: Platform) -> "Authorization":
    """Return the authorization server of a platform."""
    # oauthlib is loaded with the first request that needs it, not with every cold start.
    from chalicelib.api.oauth.server import Authorization

    return Authorization(here.grants, here.app_secrets, here.states, here.used_states, here.tokens)


def form_of(request: Request) -> dict[str, str]:
    """Return the parameters of a form, in either encoding. Raise BadRequest and TooLarge."""
    raw = _raw(request)
    if len(raw) > MOST_BYTES:
        raise TooLarge(f"The form is too large (max={MOST_BYTES})")
    return read_fields(request, MOST_PARAMETERS) if holds_parts(request) else parse_form(raw)


def _redirects_of(request: Request, form: Mapping[str, str]) -> frozenset[str]:
    """Return every redirect URI that a token request may mean; only in an encoded form there may be several."""
    if holds_parts(request):
        return frozenset({form["redirect_uri"]} if "redirect_uri" in form else ())
    return frozenset(redirects_sent(_raw(request)))


def _raw(request: Request) -> bytes:
    body: bytes | str = request.raw_body
    return body.encode() if isinstance(body, str) else body


def _authenticated(request: Request, form: Mapping[str, str]) -> dict[str, str]:
    """Return a form with the credentials of the request. Raise GrantRefused."""
    return with_credentials(form, basic_credentials(request.headers.get("authorization", "")))


def _uncached(request: Request, answer: Callable[[], Any]) -> Response:
    try:
        return json_answer(answer(), headers=_NO_STORE)
    except Exception as error:
        refused = answer_any(error, TokenDialect.BEARER)
        refused.headers.update(_NO_STORE)
        # Only for clients that sent the header (RFC 6749 §5.2): old ones read the body only if there is no challenge.
        if refused.status_code == 401 and request.headers.get("authorization", "").split(" ")[0].lower() == "basic":
            refused.headers["WWW-Authenticate"] = _BASIC
        return refused


def _metadata(issuer: str, *, signs_in: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/2/token",
        "token_endpoint_auth_methods_supported": _AUTHENTICATION,
        "revocation_endpoint": f"{issuer}/2/authorize/revoke",
        "revocation_endpoint_auth_methods_supported": _AUTHENTICATION,
        "scopes_supported": sorted(SERVED_SCOPES),
        "response_types_supported": ["code"] if signs_in else [],
        "grant_types_supported": ["client_credentials", "refresh_token"],
    }
    if signs_in:
        told["authorization_endpoint"] = f"{issuer}/connect_authorize.pl"
        told["grant_types_supported"] = ["authorization_code", "client_credentials", "refresh_token"]
        told["response_modes_supported"] = ["query"]
        told["code_challenge_methods_supported"] = ["S256"]
        told["ui_locales_supported"] = ["ja", "en"]
        told["authorization_response_iss_parameter_supported"] = True
    return told
