"""The start of a page app: `/run_page_apps.pl` leads to the app's signed start URL; `/launch/…` has the certificates.

The app's setting selects a redirect or a page with a form. The form submits itself; without JavaScript, the user
presses its button.

A start leads only to URLs that are registered as apps' start URLs. It names the session's user as the viewer if this
user has granted the app, and names no other user.
"""

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.api.session_user import session_user
from chalicelib.core.codecs.checks import check_id
from chalicelib.core.errors import BadRequest, NotFound, PermissionDenied
from chalicelib.core.launch import PageAppStart, StartForm, check_app_params, signed_form, signed_url
from chalicelib.core.model.directory import App, StartMethod
from chalicelib.platform import Platform
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.web.auth.launch_keys import LaunchKeys
from chalicelib.web.auth.oauth_forms import form_target
from chalicelib.web.face import Face, Token
from chalicelib.web.html.rendering import language_of, page
from chalicelib.web.requests import parameters

CURRENT = "current"
SUBMIT = "document.forms[0].submit()"
"""The script of the page with a form."""
_PUBLIC = "public; the user's session only adds the viewer"


face = Face()


# The technical overview uses one spelling of the path, the samples of the Page API the other.
@face.route("/run_page_appli.pl", methods=["GET"], token=Token.NONE, instead=_PUBLIC, refused=error_page)
@face.route("/run_page_apps.pl", methods=["GET"], token=Token.NONE, instead=_PUBLIC, refused=error_page)
def start(here: Platform, request: Request) -> Response:
    """Start the app of a page's module, for the signed-in user, if any."""
    keys = _keys(here)
    on, module = (
        check_id(kind)(name, _given(request, name)) for kind, name in (("page", "page_id"), ("module", "module_id"))
    )
    app_params = check_app_params(_given(request, "appParams"))
    installed = here.pages.module(on, module)
    app = here.apps.get_many([installed.app]).get(installed.app) if installed else None
    if app is None:
        raise NotFound("There is no such app on that page")
    if app.suspended is not None:
        raise PermissionDenied("The app is suspended")
    if app.start_url is None:
        raise NotFound("The app has no start page")
    told = PageAppStart(on, module, _viewer(here, request, app.id), app_params)
    if app.start_method is StartMethod.FORM:
        return _form_page(here, request, app, signed_form(app.start_url, app.id, told, keys.signing()))
    target = signed_url(app.start_url, app.id, told, keys.signing())
    headers: dict[str, str | list[str]] = {
        "Location": target,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return Response("", headers, 302)


@face.route("/launch/{certificate}", methods=["GET"], token=Token.NONE, instead="public")
def certificate(here: Platform, request: Request, certificate: str) -> Response:
    """Return the certificate `<kid>.pem` that verifies a start; `current.pem` belongs to the current signing key."""
    keys = _keys(here)
    kid, _, suffix = certificate.rpartition(".")
    found = keys.signing().certificate if kid == CURRENT else keys.certificate(kid)
    if found is None or suffix != "pem":
        raise NotFound("There is no such certificate")
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/x-pem-file",
        "Cache-Control": f"public, max-age={300 if kid == CURRENT else 86_400}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found, headers, 200)


def _form_page(here: Platform, request: Request, app: App, form: StartForm) -> Response:
    return page(
        "start",
        language_of(request),
        here.site,
        form_target=form_target(form.action),
        script=SUBMIT,
        app=app.name,
        form=form,
    )


def _viewer(here: Platform, request: Request, app: str) -> str | None:
    """Return the user who is signed in, if the user has granted the app something."""
    session = here.sessions.read(request)
    user = session.user
    if user is None:
        return None
    is_signed_in = lambda: session_user(here, session) is not None  # noqa: E731
    return user if all(side_by_side([is_signed_in, lambda: here.grants.held(user, app)])) else None


def _keys(here: Platform) -> LaunchKeys:
    if here.launch_keys is None:
        raise NotFound("This deployment does not start apps")
    return here.launch_keys


def _given(request: Request, name: str) -> str | None:
    values = parameters(request, name)
    if len(values) > 1:
        raise BadRequest("A parameter appears twice")
    return values[0] if values else None
