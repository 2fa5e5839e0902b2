"""Requests from pages of other origins (CORS). A request's token, key or id names an app, which registers its origins.

Responses have `Access-Control-Allow-Origin` for these origins and for our own. Refusals have it, too, so that a page
can read the reason. Every origin can read a 401: it contains no data of a user or an app, and a page with an invalid
token must learn that it needs another. A writing request from an unregistered origin is refused before anything is
done. A preflight has no token, so its response cannot depend on the app: it allows all origins to use the path.
Credentials are never allowed: there are no cookies here that a page could use. Native clients send no `Origin`, so
nothing changes for them.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from chalice.app import Chalice, Request, Response, RouteEntry

from chalicelib.core.errors import PermissionDenied, Refusal
from chalicelib.core.ids import is_id
from chalicelib.web.auth import jwt
from chalicelib.web.auth.access_tokens import MOST_CHARACTERS
from chalicelib.web.error_answers import answer_any
from chalicelib.web.face import Declaration, Endpoint, Face, Token
from chalicelib.web.requests import is_form, is_signed, token_in
from chalicelib.web.token_dialect import TokenDialect

if TYPE_CHECKING:
    from chalicelib.web.face import View

KEEP_SECONDS = 60
"""How long an app's origins are cached: a new one works after at most this time."""
MOST_APPS = 1_000
MOST_FORM_BYTES = 65_536
PREFLIGHT_SECONDS = 7_200
"""How long a browser may cache the response to a preflight."""
_READING = frozenset({"GET", "HEAD"})
_TAKEN = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Requested-With"
_SHOWN = (
    "ETag, Link, Location, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, "
    "X-RateLimit-Reset, X-Request-Id"
)


class Origins:
    """The origins that may call. `find` returns those registered with an app; `now` is a clock in seconds."""

    def __init__(
        self, find: Callable[[str], Sequence[str]], issuer: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._find = find
        parts = urlsplit(issuer)
        self._own = f"{parts.scheme}://{parts.netloc}"
        self._now = now
        self._known: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()

    def allows(self, origin: str, host: str, app: str | None) -> bool:
        """Return whether a page of `origin` may call: our own origin, that of the request's `Host`, or one of `app`.

        For other origins than ours, reads the app, at most once in KEEP_SECONDS. Raises Unavailable.
        """
        if origin == self._own or (host and origin.partition("://")[2] == host):
            return True
        return app is not None and origin in self._of(app)

    def _of(self, app: str) -> frozenset[str]:
        read, origins = self._known.get(app, (None, frozenset()))
        if read is None or self._now() - read >= KEEP_SECONDS:
            origins = frozenset(self._find(app))
            self._known[app] = (self._now(), origins)
            self._known.move_to_end(app)
            while len(self._known) > MOST_APPS:
                self._known.popitem(last=False)
        return origins


def share(made: Chalice, origins: Callable[[], Origins]) -> None:
    """Let pages of other origins call the routes of an app that declare `cors`."""
    made.register_middleware(_middleware(made, origins), "http")


def preflights(made: Chalice) -> None:
    """Answer preflights for all paths that pages may call; paths that are registered later are not included."""
    face = Face()
    for path, methods in made.routes.items():
        shared = sorted(method for method, route in methods.items() if _declared(route).cors)
        if shared and "OPTIONS" not in methods:
            route = face.route(path, methods=["OPTIONS"], token=Token.NONE, instead="a preflight does nothing")
            route(_preflight(shared))
    face.register(made, _no_platform)


def claimed_app(request: Request, also_in: str | None = None) -> str | None:
    """Return the app that a request claims: by its token, the key of its signature, or the `client_id` of its form.

    `also_in` is one more query parameter that may carry the token (web/face.py).
    Nothing is checked: a page can read only the response to its own request, and that is a refusal for a false claim.
    """
    try:
        if is_signed(request):
            return _id(_signing_key(request))
        token, _ = token_in(request, also_in)
    except Refusal:
        return None
    if token:
        return _id(_issued_to(token))
    return _id(_client(request))


def _middleware(
    made: Chalice, origins: Callable[[], Origins]
) -> Callable[[Request, Callable[[Request], Response]], Response]:
    def shared(request: Request, get_response: Callable[[Request], Response]) -> Response:
        route = made.routes.get(request.path, {}).get(request.method)
        if route is None or not _declared(route).cors:
            return get_response(request)
        origin: str = request.headers.get("origin", "")
        allowed = False
        answer: Response | None = None
        if origin:
            try:
                app = claimed_app(request, _declared(route).also_in)
                allowed = origins().allows(origin, request.headers.get("host", ""), app)
                # The route itself refuses a request without an app; if it takes no token, the refusal is here.
                named = app is not None or _declared(route).token is Token.NONE
                if named and not allowed and request.method not in _READING:
                    raise PermissionDenied("The origin of the page is not registered with the app")
            except Exception as error:
                answer = answer_any(error, TokenDialect.OAUTH)
        answer = answer or get_response(request)
        varies = [str(answer.headers["Vary"])] if "Vary" in answer.headers else []
        answer.headers["Vary"] = ", ".join([*varies, "Origin"])
        if allowed or (origin and answer.status_code == 401):
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Expose-Headers"] = _SHOWN
        return answer

    return shared


def _no_platform() -> Any:
    """Return None: a preflight needs no platform."""


def _preflight(methods: Sequence[str]) -> "View":
    def preflight(here: None, request: Request, **_: str) -> Response:
        """Return what a page of another origin may send here: the same for everyone, cached for two hours."""
        return Response(
            "",
            {
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": ", ".join(methods),
                "Access-Control-Allow-Headers": _TAKEN,
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
                "Cache-Control": f"public, max-age={PREFLIGHT_SECONDS}",
            },
            204,
        )

    return preflight


def _declared(route: RouteEntry) -> Declaration:
    """Return the declaration of a route."""
    return cast(Endpoint, route.view_function).declaration


def _issued_to(token: str) -> object:
    if len(token) > MOST_CHARACTERS:
        return None
    try:
        claims = jwt.unverified(token)
    except jwt.Invalid:
        return None
    return claims.get("client_id", claims.get("azp"))


def _signing_key(request: Request) -> object:
    from chalicelib.web.auth.oauth1_signatures import signed_parameters

    return dict(signed_parameters(request)).get("oauth_consumer_key")


def _client(request: Request) -> object:
    """Return the client id of the header or of a form; the token endpoint takes a form with any content type."""
    from chalicelib.core.oauth import basic_credentials
    from chalicelib.web.auth.oauth_forms import MOST_PARAMETERS
    from chalicelib.web.multipart import holds_parts, read_fields

    raw = request.raw_body
    try:
        if credentials := basic_credentials(request.headers.get("authorization", "")):
            return credentials[0]
        if not raw or len(raw) > MOST_FORM_BYTES or not (is_form(request) or request.method == "POST"):
            return None
        if holds_parts(request):
            return read_fields(request, MOST_PARAMETERS).get("client_id")
        text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
        return next(iter(parse_qs(text, max_num_fields=MOST_PARAMETERS).get("client_id", [])), None)
    except (ValueError, Refusal):
        return None


def _id(app: object) -> str | None:
    return app if isinstance(app, str) and is_id("app", app) else None
