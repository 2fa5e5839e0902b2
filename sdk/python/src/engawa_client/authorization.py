"""How an app gets tokens: the authorization code with PKCE, its own credentials, and refreshes."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from engawa_client.base import EngawaError
from engawa_client.connection import Connection, Retry
from engawa_client.errors import BY_WORD
from engawa_client.flow import AwaitingClient, AwaitingDriver, BlockingClient, BlockingDriver, Clock, Flow, operation
from engawa_client.tokens import Token
from engawa_client.types import AuthorizationServer

REFRESH_SECONDS = 25.0
"""The server repeats the answer to a refresh for 30 seconds. After that, the old token would end all tokens."""
REFRESH_TIMEOUT = 8.0


@dataclass(frozen=True)
class AuthorizationRequest:
    """An authorization request: keep it in the user's session while the browser is at `url`."""

    url: str
    state: str
    code_verifier: str
    redirect_uri: str | None
    server_state: str | None = None


class Grants:
    """The operations of `Authorization` and `AsyncAuthorization`."""

    def __init__(self, connection: Connection, client_id: str, client_secret: str | None = None) -> None:
        self._connection = connection
        self._id = client_id
        self._secret = client_secret

    def authorization_url(
        self,
        scope: str | Sequence[str],
        *,
        redirect_uri: str | None = None,
        server_state: str | None = None,
        owner: str | None = None,
        lang: str | None = None,
    ) -> AuthorizationRequest:
        """Return the address that the user's browser must open, with a new `state` and PKCE verifier."""
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": self._id,
            "response_type": "code",
            "scope": scope if isinstance(scope, str) else " ".join(scope),
            "state": state,
            "redirect_uri": redirect_uri,
            "server_state": server_state,
            "owner": owner,
            "lang": lang,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        url = self._connection.url("authorize", {})
        url += "?" + urlencode({name: value for name, value in query.items() if value is not None})
        return AuthorizationRequest(url, state, verifier, redirect_uri, server_state)

    def code(self, request: AuthorizationRequest, address: str) -> str:
        """Return the code in the address to which the browser returned.

        Raises AccessDenied if the user refuses, another EngawaError for another refusal, and ValueError for an address
        that does not belong to the request.
        """
        query = dict(parse_qsl(urlsplit(address).query))
        if not secrets.compare_digest(query.get("state", "").encode(), request.state.encode()):
            raise ValueError("The state of this address is not that of the request")
        # The server always names itself (RFC 9207), so an address without a name comes from another one.
        issuer = query.get("iss", "a server that does not say its name")
        if issuer != self._connection.base_url:
            raise ValueError(f"This address comes from {issuer}, not from {self._connection.base_url}")
        if word := query.get("error"):
            raise BY_WORD.get(word, EngawaError)(
                query.get("error_description", "The app was not allowed"), status=302, error=word
            )
        if not query.get("code"):
            raise ValueError("This address has no code")
        return query["code"]

    @operation
    def exchange(self, code: str, request: AuthorizationRequest) -> Flow[Token]:
        """Return the user's tokens for a code. It is sent once, since a second use of a code ends its tokens."""
        return (
            yield from self._tokens(
                repeatable=False,
                grant_type="authorization_code",
                code=code,
                redirect_uri=request.redirect_uri,
                code_verifier=request.code_verifier,
                server_state=request.server_state,
            )
        )

    @operation
    def refresh(self, token: Token | str) -> Flow[Token]:
        """Return new tokens for a refresh token. Of a public app, only the new refresh token is valid afterwards."""
        return (yield from self.refreshing(token))

    @operation
    def client_credentials(self, scope: str = "") -> Flow[Token]:
        """Return a token for the app itself."""
        return (yield from self.credentials(scope))

    @operation
    def server_state(self) -> Flow[str]:
        """Return a `server_state`, for one authorization within 30 minutes."""
        answer = yield from self._connection.call("getToken", form=self._form(grant_type="server_state"))
        return answer.field("server_state", str)

    @operation
    def revoke(self, token: Token | str) -> Flow[None]:
        """Revoke a refresh token and the consent that it came from. Access tokens stay valid until they expire."""
        given = token if isinstance(token, str) else token.refresh_token
        yield from self._connection.call("revokeToken", form=self._form(token=given))

    @operation
    def metadata(self) -> Flow[AuthorizationServer]:
        """Return the metadata of the authorization server (RFC 8414)."""
        answer = yield from self._connection.call("readAuthorizationServer")
        answer.field("issuer", str)
        return cast(AuthorizationServer, answer.body)

    def refreshing(self, token: Token | str | None) -> Flow[Token]:
        """Refresh, as a flow. All attempts lie within the time in which the server repeats its answer."""
        given = token.refresh_token if isinstance(token, Token) else token
        if not given:
            raise ValueError("There is no refresh token: sign the user in with Authorization first")
        made = yield from self._tokens(
            self._connection.with_limits(seconds=REFRESH_SECONDS, timeout=REFRESH_TIMEOUT),
            grant_type="refresh_token",
            refresh_token=given,
        )
        return made

    def credentials(self, scope: str = "") -> Flow[Token]:
        """Get a token for the app itself, as a flow."""
        return (yield from self._tokens(grant_type="client_credentials", scope=scope or None))

    def _tokens(
        self, connection: Connection | None = None, *, repeatable: bool = True, **fields: str | None
    ) -> Flow[Token]:
        used = connection or self._connection
        # From the time before the request, so that no token seems to live longer than it does.
        asked = used.clock.wall()
        answer = yield from used.call("getToken", form=self._form(**fields), repeatable=repeatable)
        lifetime = answer.field("expires_in", int)
        return Token(
            access_token=answer.field("access_token", str),
            refresh_token=answer.body.get("refresh_token", fields.get("refresh_token")),
            expires_at=asked + lifetime,
            lifetime=lifetime,
            scope=answer.body.get("scope", ""),
        )

    def _form(self, **fields: str | None) -> dict[str, str]:
        given = {"client_id": self._id, "client_secret": self._secret, **fields}
        return {name: value for name, value in given.items() if value is not None}


class Authorization(Grants, BlockingClient):
    """Gets tokens for an app. A public app has no secret.

    auth = Authorization("https://social.example", "6d1f0c2ab4e79853", SECRET)
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str | None = None,
        *,
        retry: Retry | None = None,
        timeout: float = 30.0,
        http: httpx.Client | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._driver = BlockingDriver(http or httpx.Client(), clock or Clock())
        connection = Connection(base_url, retry=retry or Retry(), timeout=timeout, clock=self._driver.clock)
        super().__init__(connection, client_id, client_secret)


class AsyncAuthorization(Grants, AwaitingClient):
    """The same as `Authorization`, for tasks."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str | None = None,
        *,
        retry: Retry | None = None,
        timeout: float = 30.0,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._driver = AwaitingDriver(http or httpx.AsyncClient(), clock or Clock())
        connection = Connection(base_url, retry=retry or Retry(), timeout=timeout, clock=self._driver.clock)
        super().__init__(connection, client_id, client_secret)
