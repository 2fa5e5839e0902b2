"""OAuth 2: the bounds of the token endpoint. Only its calls in sequence have a bound; capacity is just shown."""

from collections.abc import Callable
from urllib.parse import urlencode

from bench.row import Bound, Requests, Row, Scenario
from bench.scenes import asking
from chalicelib.core.model.directory import App, User
from chalicelib.core.oauth import Family
from local.in_process import APP, HANA, World

TOKEN = "/2/token"
SECRET = "f" * 40
REDIRECT = "http://127.0.0.1:8000/sample"
SCOPES = ("mixi_apps2", "r_profile")
_VERIFIER, _CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The example of RFC 7636, appendix B."""

_BOUND = Bound(calls=2)
_OF_USER = Bound(calls=3)
"""One call more: the token endpoint reads whether the user is suspended. Beside it, the first request of a day notes
the use of the app's secret."""

Form = dict[str, str]


def _granted(world: World, *, public: bool) -> Form:
    """Create an app that Hana has just allowed, and return the form that exchanges its code for tokens."""
    world.platform.users.create(User(HANA, "花 (Hana)"))
    app = App(
        APP, "Quest", confidential=not public, secret=None if public else SECRET, redirect_uris=(REDIRECT,),
        scopes=SCOPES,
    )  # fmt: skip
    world.platform.apps.create(app)
    family = Family("", APP, HANA, frozenset(SCOPES), 0, 0, redirect_uri=REDIRECT)
    if public:
        family = Family(**{**family.__dict__, "challenge": _CHALLENGE})
    world.platform.appdata.install(APP, HANA)
    code = world.platform.grants.allow(family)
    proof = {"code_verifier": _VERIFIER} if public else {"client_secret": SECRET}
    return {"grant_type": "authorization_code", "client_id": APP, "code": code, "redirect_uri": REDIRECT} | proof


def _posting(world: World, form: Form, path: str = TOKEN, *, status: int = 200) -> Requests:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return asking(world, "POST", path, urlencode(form).encode(), headers=headers, status=status)


def _code(*, public: bool = False) -> Scenario:
    return lambda world: _posting(world, _granted(world, public=public))


def _replayed(world: World) -> Requests:
    form = _granted(world, public=False)
    _posting(world, form)()
    return _posting(world, form, status=400)


def _later(form_of: Callable[[str], Form], path: str = TOKEN, *, public: bool = False) -> Scenario:
    """Return a scenario: a request with the refresh token that the code was exchanged for."""

    def scenario(world: World) -> Requests:
        form = _granted(world, public=public)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        tokens = world.send("POST", TOKEN, urlencode(form).encode(), headers=headers).json
        known = {name: form[name] for name in ("client_id", "client_secret") if name in form}
        return _posting(world, known | form_of(tokens["refresh_token"]), path)

    return scenario


def _refresh(token: str) -> Form:
    return {"grant_type": "refresh_token", "refresh_token": token}


def _repeated(world: World) -> Requests:
    """Send a rotated refresh token again, like an app that did not receive the response."""
    rotation = _later(_refresh, public=True)(world)
    rotation()
    return rotation


def _own(kind: str) -> Scenario:
    """Return a scenario: the app requests a token for itself."""

    def scenario(world: World) -> Requests:
        _granted(world, public=False)
        return _posting(world, {"grant_type": kind, "client_id": APP, "client_secret": SECRET})

    return scenario


ROWS = [
    Row("token for a code", _OF_USER, _code()),
    Row("  with PKCE", _OF_USER, _code(public=True)),
    Row("  replayed", _OF_USER, _replayed),
    Row("token for a refresh token", _OF_USER, _later(_refresh)),
    Row("  that rotates", _OF_USER, _later(_refresh, public=True)),
    Row("  that was just rotated", Bound(calls=2, wru=0), _repeated),
    Row("token for the app itself", _BOUND, _own("client_credentials")),
    Row("server_state", Bound(calls=2, wru=1), _own("server_state")),
    Row("revoke", _BOUND, _later(lambda token: {"token": token}, "/2/authorize/revoke")),
]
