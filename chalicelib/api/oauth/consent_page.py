"""The page on which a user signs in and allows or denies an app's authorization request: `/connect_authorize.pl`.

GET shows the page; consent is asked for every time. Each step is one POST of a form that contains the app's request,
which is checked again. If the app or the redirect URI is unknown, the response is a page (400); every other result is
a redirect to the redirect URI. `/connect_authorize_success.html` is the redirect URI of installed clients that watch
the address of a browser.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.api.error_pages import error_page
from chalicelib.api.oauth.endpoints import authorization, form_of
from chalicelib.api.oauth.sign_in_page import SignInPage, sign_in
from chalicelib.api.session_user import begin_session, end_session, session_user
from chalicelib.core.errors import BadRequest, NotFound
from chalicelib.core.lookalike_names import looks_like
from chalicelib.core.model.directory import User
from chalicelib.core.oauth import AuthorizationRequest, RedirectedError, offered
from chalicelib.platform import Platform
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.transactions import Transaction
from chalicelib.web.auth.oauth_forms import form_target, location
from chalicelib.web.auth.sessions import Session
from chalicelib.web.face import Face, Token
from chalicelib.web.html.bidirectional import isolated
from chalicelib.web.html.links import is_web, origin_of
from chalicelib.web.html.rendering import language_of, page
from chalicelib.web.html.texts import Language, word
from chalicelib.web.requests import parameters

# Relative, because the path may begin with the stage of API Gateway.
ACTION = "connect_authorize.pl"
SUCCESS = "connect_authorize_success.html"
CARRIED = (
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "server_state",
    "display",
    "code_challenge",
    "code_challenge_method",
    "owner",
)
"""The parameters of a request that its forms pass on; all others are ignored."""


face = Face()


@face.route(
    "/connect_authorize.pl", methods=["GET"], token=Token.NONE, instead="the user's session", refused=error_page
)
def show(here: Platform, request: Request) -> Response:
    """Show the authorization request of an app: first the sign-in form, then what the app asks for, in words."""
    here = signing_in(here)
    form = _query(request)
    return _answered(here, form, lambda asked: _step(here, request, form, asked))


@face.route(
    "/connect_authorize.pl", methods=["POST"], token=Token.NONE, instead="the session's csrf value", refused=error_page
)
def submit(here: Platform, request: Request) -> Response:
    """Process a form of the page: `login` and `password`; or `decision` (`allow` or `deny`); or `session` (`end`)."""
    here = signing_in(here)
    form = form_of(request)
    return _answered(here, form, lambda asked: _submitted(here, request, form, asked))


@face.route(f"/{SUCCESS}", methods=["GET"], token=Token.NONE, instead="public", refused=error_page)
def finished(here: Platform, request: Request) -> Response:
    """Show the last page to a client without a web address. The client reads the query; the page does not show it."""
    denied = bool(parameters(request, "error"))
    language = language_of(request)
    kept = {"error": "access_denied"} if denied else {}
    other_url = f"{SUCCESS}?{urlencode(kept | {'lang': language.other.value})}"
    return page("finished", language, here.site, other_url=other_url, denied=denied)


def signing_in(here: Platform) -> Platform:
    """Return the platform if users sign in here. Raise NotFound if they sign in at an external issuer."""
    if here.settings.openid_issuer:
        raise NotFound(f"Users of this deployment sign in at {here.settings.openid_issuer}")
    return here


def _query(request: Request) -> dict[str, str]:
    sent = {name: parameters(request, name) for name in (*CARRIED, "lang")}
    if any(len(values) > 1 for values in sent.values()):
        raise BadRequest("A parameter appears twice")
    return {name: values[0] for name, values in sent.items() if values and values[0]}


def _answered(here: Platform, form: Mapping[str, str], step: Callable[[AuthorizationRequest], Response]) -> Response:
    """Return the result of `step` for the request in `form`, or a redirect with the error for the app."""
    try:
        return step(authorization(here).asked({name: form[name] for name in CARRIED if name in form}))
    except RedirectedError as wrong:
        refusal = wrong.refusal
        observed.refused(refusal)
        told = {"error": refusal.error, "error_description": refusal.description, "state": wrong.state}
        return _redirect(here, wrong.redirect_uri, **told)


def _step(
    here: Platform, request: Request, form: Mapping[str, str], asked: AuthorizationRequest, problem: str | None = None
) -> Response:
    """Return the next page: sign-in or consent."""
    session = here.sessions.read(request)
    user = session_user(here, session)
    language = language_of(request, form.get("lang"))
    if user is None:
        return _sign_in_page(here, language, form, asked).shown(session, form.get("login", ""), problem=problem)
    return _consent_page(here, language, form, asked, session, user, problem=problem)


def _submitted(here: Platform, request: Request, form: Mapping[str, str], asked: AuthorizationRequest) -> Response:
    session = here.sessions.read(request)
    language = language_of(request, form.get("lang"))
    if not {"login", "password", "decision", "session"}.intersection(form):
        return _step(here, request, form, asked)  # An app may send its request by POST (RFC 6749 §3.1).
    if not session.accepts(form.get("csrf")):
        return _step(here, request, form, asked, word(language, "expired"))
    if "session" in form:
        return _sign_in_page(here, language, form, asked).shown(end_session(here, session))
    if "decision" in form:
        user = session_user(here, session)
        if user is None:
            return _step(here, request, form, asked, word(language, "expired"))
        return _decided(here, form, asked, user)
    outcome = sign_in(here, request, form)
    if begun := begin_session(here, request, outcome):
        return _consent_page(here, language, form, asked, *begun)
    return _sign_in_page(here, language, form, asked).refused(session, form.get("login", ""), outcome)


def _decided(here: Platform, form: Mapping[str, str], asked: AuthorizationRequest, user: User) -> Response:
    """Return the redirect for the user's decision, with a code or access_denied.

    Raise RedirectedError and Unavailable.
    """
    if form["decision"] != "allow":
        return _redirect(here, asked.redirect_uri, error="access_denied", state=asked.state)
    asked.check_owner(user.id)
    # The install is first, because a grant needs it. If it fails because the server is busy, the user can allow again;
    # with a used server_state that would be impossible.
    here.user_data.install(asked.app, user.id)

    def use_state(write: Transaction) -> None:
        if asked.server_state:
            here.used_states.use(write, asked.server_state)

    try:
        code = here.grants.allow(asked.family(user.id), use_state)
    except Lost:
        # A server_state is valid for one code; another request has just used this one.
        return _redirect(here, asked.redirect_uri, error="invalid_request", state=asked.state)
    return _redirect(here, asked.redirect_uri, code=code, state=asked.state)


def _sign_in_page(
    here: Platform, language: Language, form: Mapping[str, str], asked: AuthorizationRequest
) -> SignInPage:
    return SignInPage(here, language, ACTION, _other(form, language), _carried(form), _shown_name(here, asked))


def _consent_page(
    here: Platform,
    language: Language,
    form: Mapping[str, str],
    asked: AuthorizationRequest,
    session: Session,
    user: User,
    *,
    problem: str | None = None,
) -> Response:
    asked.check_owner(user.id)
    app = asked.app
    icon = origin_of(app.icon_url)
    return page(
        "consent",
        language,
        here.site,
        headers=here.sessions.headers(session),
        form_target=form_target(asked.redirect_uri),
        action=ACTION,
        carried=_carried(form),
        csrf=session.masked_csrf(),
        other_url=_other(form, language),
        images=[icon] if icon else [],
        app=_shown_name(here, asked),
        plain_name=app.name,
        foreign=looks_like(app.name, here.names),
        icon=app.icon_url if icon else "",
        developer=app.developer,
        homepage=app.homepage_url if is_web(app.homepage_url) else "",
        privacy=app.privacy_url if is_web(app.privacy_url) else "",
        name=isolated(user.display_name),
        scopes=offered(asked.scopes),
        host=_host(asked),
        problem=problem,
    )


def _shown_name(here: Platform, asked: AuthorizationRequest) -> str:
    """Return the name of an app; with its host if the name looks like the platform's (it is older than that rule)."""
    name = isolated(asked.app.name)
    return f"{name} ({_host(asked)})" if looks_like(asked.app.name, here.names) else name


def _host(asked: AuthorizationRequest) -> str:
    """Return where the user goes after the decision: a host, or the scheme of an app on a device."""
    parts = urlsplit(asked.redirect_uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def _carried(form: Mapping[str, str]) -> dict[str, str]:
    return {name: form[name] for name in CARRIED if name in form}


def _other(form: Mapping[str, str], language: Language) -> str:
    """Return the URL of the same page in the other language."""
    return f"{ACTION}?{urlencode(_carried(form) | {'lang': language.other.value})}"


def _redirect(here: Platform, redirect_uri: str, **answer: str | None) -> Response:
    """Return the response of an authorization, success or error; it always names the issuer (RFC 9207)."""
    headers: dict[str, str | list[str]] = {
        "Location": location(redirect_uri, **answer, iss=here.settings.issuer),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Response("", headers, 302)
