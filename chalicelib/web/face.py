"""A face: a Chalice blueprint whose every route says which token and scope it takes.

    face = Face(__name__, tokens)

    @face.route("/2/things/{id}", methods=["GET"], token=Token.USER, scope="r_things")
    def read(request: Request, access: Access, id: str) -> Response: ...

A route without a declaration cannot be written. A raised Refusal becomes its JSON answer, anything else a 500 without
detail.
"""

import inspect
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observed
from chalicelib.core.errors import InsufficientScope, PermissionDenied, TokenRefused
from chalicelib.core.model.access import Access
from chalicelib.web.auth.access_tokens import Tokens
from chalicelib.web.error_answers import answer_any
from chalicelib.web.requests import check_encoding, decoded, is_signed, token_in
from chalicelib.web.token_dialect import Dialect

if TYPE_CHECKING:
    from chalicelib.web.auth.oauth1_signatures import Signatures

View = Callable[..., Response]


class Token(Enum):
    """Whose access token a route takes."""

    USER = "user"
    CLIENT = "client"
    ANY = "any"
    NONE = "none"
    """No token: the route says what protects it instead."""


class Face(Blueprint):
    """A blueprint that authenticates. `tokens` is called per request, so that making a face opens nothing."""

    def __init__(
        self, name: str, tokens: Callable[[], Tokens], signatures: Callable[[], "Signatures"] | None = None
    ) -> None:
        super().__init__(name)
        self._tokens = tokens
        self._signatures = signatures

    def route(  # type: ignore[override]
        self,
        path: str,
        *,
        methods: Sequence[str],
        token: Token,
        scope: str | None,
        user_scope: str | None = None,
        instead: str | None = None,
        signed: bool = False,
        cors: bool | None = None,
        also_in: str | None = None,
    ) -> Callable[[View], View]:
        """Register a view for `methods` of `path`, called as `view(request, access, **path_parameters)`.

        `token` and `scope` are what a request must bring: 401 without a valid token, 403 `insufficient_scope` without
        the scope, 403 `permission_denied` with a user's token where an app's is asked for, or the reverse. Where either
        is taken (Token.ANY), `user_scope` is what a user's must have. A route of Token.NONE is called as
        `view(request, **path_parameters)` and names what protects it `instead`.

        Where GET needs no token, HEAD is answered as well: by the same view, with the same status and headers. The
        body is the server's in front to leave out, since it takes `Content-Length` from it.

        A body that is encoded (`Content-Encoding`) is refused once the token is admitted.

        `signed`: instead of a user's token, the route also takes an app's OAuth 1.0a signature (web/auth/oauth1_signatures.py); its
        refusals are SignatureRefused. `cors`: pages of other origins may call it (web/cors.py); by default where it
        takes a token. `also_in`: one more query parameter that may carry the access token.
        """
        if (token is Token.NONE) != (instead is not None) or (token is Token.NONE and scope is not None):
            raise ValueError(f"{path}: either a token, or what protects the route instead")
        if user_scope is not None and token is not Token.ANY:
            raise ValueError(f"{path}: a user's scope of its own is for routes that take either token")
        if signed and (token not in (Token.USER, Token.ANY) or self._signatures is None):
            raise ValueError(f"{path}: a signature stands for a user, and its face needs what checks it")

        taken = [*methods, "HEAD"] if token is Token.NONE and "GET" in methods else [*methods]

        def register(view: View) -> View:
            def authenticated(**segments: str) -> Response:
                request = self.current_request
                dialect = Dialect.OAUTH
                try:
                    decoded_segments = {name: decoded(each) for name, each in segments.items()}
                    if token is Token.NONE:
                        check_encoding(request)
                        return view(request, **decoded_segments)
                    if signed and self._signatures and is_signed(request):
                        access = self._signatures().check(request)
                    else:
                        text, dialect = token_in(request, also_in)
                        if text is None:
                            raise TokenRefused("invalid_request", "An access token is needed")
                        access = self._tokens().check(text)
                    observed.authenticated(access)
                    _admit(access, token, scope, user_scope)
                    check_encoding(request)
                    return view(request, access, **decoded_segments)
                except Exception as error:
                    return answer_any(error, dialect)

            authenticated.__name__ = view.__name__
            authenticated.__doc__ = view.__doc__
            authenticated.__dict__.update(token=token, scope=scope, user_scope=user_scope, instead=instead)
            authenticated.__dict__.update(signed=signed, cors=token is not Token.NONE if cors is None else cors)
            authenticated.__dict__.update(also_in=also_in)
            authenticated.__dict__["__signature__"] = inspect.Signature(
                [each for name, each in inspect.signature(view).parameters.items() if "{" + name + "}" in path]
            )
            # content_types=[] leaves every check of the content type to the views: Chalice's own words a 415 of its
            # own and refuses a GET that has one.
            super(Face, self).route(path, methods=taken, content_types=[])(authenticated)
            return view

        return register


def _admit(access: Access, token: Token, scope: str | None, user_scope: str | None) -> None:
    """Raise InsufficientScope or PermissionDenied unless the access is what a route asks for."""
    for needed in (scope, user_scope if access.viewer else None):
        if needed is not None and needed not in access.scopes:
            raise InsufficientScope(needed)
    holder = Token.CLIENT if access.viewer is None else Token.USER
    if token not in (Token.ANY, holder):
        raise PermissionDenied(f"This needs a {token.value}'s access token")
