"""A face: the routes of one API. Every route declares the token and the scope that it takes.

    face = Face()

    @face.route("/2/things/{id}", methods=["GET"], token=Token.USER, scope="r_things")
    def read(here: Platform, request: Request, access: Access, id: str) -> Response: ...

Every route needs a declaration. A raised Refusal becomes its JSON response, any other exception a 500 without detail.
Faces are made when their modules are imported, and they open nothing; `register` binds them to a platform.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from chalice.app import Chalice, Response

from chalicelib import observed
from chalicelib.core.errors import InsufficientScope, PermissionDenied, TokenRefused
from chalicelib.core.model.access import Access
from chalicelib.web.auth.access_tokens import AccessTokens
from chalicelib.web.error_answers import answer_any
from chalicelib.web.requests import OPENED, check_encoding, decoded, is_signed, token_in
from chalicelib.web.routing import opened
from chalicelib.web.token_dialect import TokenDialect

if TYPE_CHECKING:
    from chalicelib.core.roles import Action
    from chalicelib.web.auth.oauth1_signatures import Signatures

View = Callable[..., Response]
"""Called as `view(platform, request, access, **path_parameters)`; without `access` if the route takes no token."""
V = TypeVar("V", bound=View)
Refused = Callable[..., Response]
"""Called as `refused(request, exception, platform)`; the platform is None if its settings are wrong."""


class Token(Enum):
    """The kind of access token that a route takes."""

    USER = "user"
    CLIENT = "client"
    ANY = "any"
    NONE = "none"
    """No token: the route declares its protection `instead`."""


class Authenticator(Protocol):
    """The part of a platform that authenticates requests."""

    @property
    def tokens(self) -> AccessTokens: ...

    @property
    def signatures(self) -> "Signatures": ...


@dataclass(frozen=True)
class Declaration:
    """The requirements for requests to a route, and for the pages that may read its response.

    `token` and `scope`: 401 without a valid token, 403 `insufficient_scope` without the scope, 403 `permission_denied`
    for a user's token if the route needs an app's, or the reverse. If the route takes both (Token.ANY), `user_scope` is
    the scope that a user's token needs. A route of Token.NONE names its protection `instead`.

    `signed`: the route also takes an app's OAuth 1.0a signature instead of a user's token
    (web/auth/oauth1_signatures.py); its refusals are SignatureRefused. `cors`: pages of other origins may call it
    (web/cors.py). `also_in`: one more query parameter that may carry the access token. `refused` returns the response
    for an exception; the default is the JSON error in the dialect of the token. `action`: the route is the console's,
    for users whose role allows this action (api/console/frame.py checks it). `page`: it is a page for people, which
    docs/reference/web-pages.md describes instead of openapi.yaml.

    An encoded body (`Content-Encoding`) is refused after the token is admitted. Raises ValueError for a contradiction.
    """

    token: Token
    scope: str | None = None
    user_scope: str | None = None
    instead: str | None = None
    signed: bool = False
    cors: bool = False
    also_in: str | None = None
    refused: Refused | None = None
    action: "Action | None" = None
    page: bool = False

    def __post_init__(self) -> None:
        if (self.token is Token.NONE) != (self.instead is not None) or (self.token is Token.NONE and self.scope):
            raise ValueError("either a token, or what protects the route instead")
        if self.user_scope is not None and self.token is not Token.ANY:
            raise ValueError("a user's scope of its own is for routes that take either token")
        if self.signed and self.token not in (Token.USER, Token.ANY):
            raise ValueError("a signature stands for a user")

    def admit(self, access: Access) -> None:
        """Raise InsufficientScope or PermissionDenied unless the access meets the requirements."""
        for needed in (self.scope, self.user_scope if access.viewer else None):
            if needed is not None and needed not in access.scopes:
                raise InsufficientScope(needed)
        holder = Token.CLIENT if access.viewer is None else Token.USER
        if self.token not in (Token.ANY, holder):
            raise PermissionDenied(f"This needs a {self.token.value}'s access token")


@dataclass(frozen=True)
class Route:
    """Methods of a path, their declaration, and their view."""

    path: str
    methods: Sequence[str]
    declaration: Declaration
    view: View

    @property
    def answered(self) -> list[str]:
        """The methods, and HEAD if GET needs no token; the same view serves both.

        The view returns a body for HEAD, too: the server in front takes `Content-Length` from it and leaves it out.
        """
        with_head = self.declaration.token is Token.NONE and "GET" in self.methods
        return [*self.methods, "HEAD"] if with_head else [*self.methods]


class Face:
    """The routes of one API."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(
        self,
        path: str,
        *,
        methods: Sequence[str],
        token: Token,
        scope: str | None = None,
        user_scope: str | None = None,
        instead: str | None = None,
        signed: bool = False,
        cors: bool | None = None,
        also_in: str | None = None,
        refused: Refused | None = None,
        action: "Action | None" = None,
        page: bool = False,
    ) -> Callable[[V], V]:
        """Add a view for `methods` of `path`, with a Declaration; `cors` is true by default if it takes a token."""
        shared = token is not Token.NONE if cors is None else cors
        try:
            declaration = Declaration(token, scope, user_scope, instead, signed, shared, also_in, refused, action, page)
        except ValueError as wrong:
            raise ValueError(f"{path}: {wrong}") from None

        def add(view: V) -> V:
            self.routes.append(Route(path, methods, declaration, view))
            return view

        return add

    def register(self, app: Chalice, platform: Callable[[], Authenticator]) -> None:
        """Register the routes with an app. `platform` is called for each request."""
        for route in self.routes:
            # content_types=[] leaves every check of the content type to the views. Chalice's own check has its own
            # text for a 415, and refuses a GET with a content type.
            app.route(route.path, methods=route.answered, content_types=[])(Endpoint(app, route, platform))


class Endpoint:
    """A route bound to a platform, called by Chalice. It authenticates, calls the view, and answers refusals."""

    def __init__(self, app: Chalice, route: Route, platform: Callable[[], Authenticator]) -> None:
        self.declaration = route.declaration
        self._app = app
        self._view = route.view
        self._platform = platform
        # As of a function: Chalice reads the name.
        self.__name__ = route.view.__name__
        self.__doc__ = route.view.__doc__

    def __call__(self, **segments: str) -> Response:
        """Answer the request that Chalice has just read."""
        declaration, dialect = self.declaration, TokenDialect.OAUTH
        request: Any = self._app.current_request
        here: Authenticator | None = None
        if declaration.page and request.method == "POST":
            vars(request)[OPENED] = opened(request.path, self._app.routes)
        try:
            texts = {name: decoded(each) for name, each in segments.items()}
            here = self._platform()
            if declaration.token is Token.NONE:
                check_encoding(request)
                return self._view(here, request, **texts)
            if declaration.signed and is_signed(request):
                access = here.signatures.check(request)
            else:
                text, dialect = token_in(request, declaration.also_in)
                if text is None:
                    raise TokenRefused("invalid_request", "An access token is needed")
                access = here.tokens.check(text)
            observed.authenticated(access)
            declaration.admit(access)
            check_encoding(request)
            return self._view(here, request, access, **texts)
        except Exception as error:
            if declaration.refused:
                return declaration.refused(request, error, here)
            return answer_any(error, dialect)
