"""Signing in and out on any page, and giving the password again: `/sign_in`, `/sign_out`, `/confirm_password`.

`to` is the path of ours to which each form leads back (visit.own_path); every other value leads to `/`.
"""

from chalice.app import Request, Response

from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.sign_in_page import SignInResult, sign_in
from chalicelib.api.session_user import begin_session, end_session
from chalicelib.api.visit import StaleForm, Visit, own_path, web_route
from chalicelib.core.errors import BadRequest, NotFound
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import json_text, last_parameter

face = Face()


@web_route(face, "/sign_in")
def show(here: Platform, request: Request) -> Response:
    """Show the sign-in form; who is signed in goes on to `to`."""
    visit = Visit.of(here, request)
    to = own_path(last_parameter(request, "to"))
    return visit.redirect(to) if visit.user else visit.sign_in(to)


@web_route(face, "/sign_in", ["POST"])
def submit(here: Platform, request: Request) -> Response:
    """Check `login` and `password`; sign in and redirect to `to`, or show the form again (403, 429, 400)."""
    visit = Visit.of(signing_in(here), request)
    to = own_path(visit.sent.get("to"))
    try:
        form = visit.form()
    except StaleForm:
        return visit.sign_in(to, problem=visit.word("expired"), status=400)
    again = form.get("again", "")
    outcome = sign_in(here, request, form)
    begun = begin_session(here, request, outcome)
    if begun is None:
        return _refused(visit, to, outcome, again)
    signed_in = visit.with_session(*begun)
    if again:
        return signed_in.send_again(to, _fields(again), status=200)
    # Who deletes their account sees first that they can undo it.
    return signed_in.redirect("/settings/delete" if begun[1].leaving is not None else to)


@web_route(face, "/sign_out", ["POST"])
def sign_out(here: Platform, request: Request) -> Response:
    """End the session, and redirect to the front page."""
    visit = Visit.of(signing_in(here), request)
    visit.form()
    return visit.with_session(end_session(here, visit.session), None).redirect("/", done="signed_out")


@web_route(face, "/confirm_password", ["POST"])
def confirm(here: Platform, request: Request) -> Response:
    """Check the `password` of the user who is signed in, and redirect to `to`; or show the form again (403, 429)."""
    visit = Visit.of(signing_in(here), request)
    if visit.user is None:
        return visit.sign_in(own_path(visit.sent.get("to")))
    visit.form()
    now, refused = confirmed(visit, own_path(visit.sent.get("to")))
    return refused or now.redirect(own_path(visit.sent.get("to")))


def confirmation_page(
    visit: Visit,
    to: str,
    *,
    carried: dict[str, str] | None = None,
    problem: str | None = None,
    status: int = 403,
    wait: int = 0,
) -> Response:
    """Return the form that asks for the password again; `wait` is the Retry-After in seconds (0: none).

    Without `carried`, it leads to `to` afterwards. With it, it sends these fields to `to` together with the password.
    """
    return visit.page(
        "confirm",
        status=status,
        wait=wait,
        problem=problem,
        action=visit.here.site.path + ("/confirm_password" if carried is None else to),
        carried={"to": to} if carried is None else carried,
    )


def confirmed(visit: Visit, to: str, *, carried: dict[str, str] | None = None) -> tuple[Visit, Response | None]:
    """Check `password_again` of the visit's form: return the visit with the confirmed session and no response.

    If it is wrong or missing, return the page that asks for it. Failures count as those of signing in.
    """
    password = visit.sent.get("password_again")
    if password is None:
        return visit, confirmation_page(visit, to, carried=carried)
    user = visit.signed_in
    if user.login is None:
        raise NotFound
    outcome = sign_in(visit.here, visit.request, {"login": user.login, "password": password})
    if outcome.user == user.id:
        return visit.with_session(visit.here.sessions.confirm(visit.session), user), None
    problem = visit.word("slow", seconds=outcome.wait) if outcome.wait else visit.word("wrong_password")
    status = 429 if outcome.wait else 403
    return visit, confirmation_page(visit, to, carried=carried, problem=problem, status=status, wait=outcome.wait)


def _fields(again: str) -> dict[str, str]:
    """Return the fields of the form that was sent before signing in. Raises BadRequest if they are none of ours."""
    fields = json_text(again)
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise BadRequest
    return fields


def _refused(visit: Visit, to: str, outcome: SignInResult, again: str) -> Response:
    login = visit.sent.get("login", "")
    if outcome.wait:
        problem = visit.word("slow", seconds=outcome.wait)
        return visit.sign_in(to, login=login, problem=problem, status=429, wait=outcome.wait, again=again)
    problem = visit.word("suspended" if outcome.suspended else "wrong")
    return visit.sign_in(to, login=login, problem=problem, status=403, again=again)
