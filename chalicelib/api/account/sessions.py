"""`/settings/sessions`: the browsers in which a person is signed in."""

from chalice.app import Request, Response

from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.session_user import end_session
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.dates import w3cdtf
from chalicelib.core.oauth import hashed
from chalicelib.platform import Platform
from chalicelib.web.face import Face

PATH = "/settings/sessions"

face = Face()


@web_route(face, PATH)
def show(here: Platform, request: Request) -> Response:
    """Show the user's sessions, the last used first, at most 100."""
    visit = Visit.of(signing_in(here), request)
    return _page(visit) if visit.user else visit.sign_in()


@web_route(face, PATH, ["POST"])
def end(here: Platform, request: Request) -> Response:
    """End a session of the user (`end`), or all but this one (`others`)."""
    visit = Visit.of(signing_in(here), request)
    if visit.user is None:
        return visit.sign_in(PATH)
    try:
        form = visit.form()
    except StaleForm:
        return _page(visit, problem=visit.word("expired"))
    own = hashed(visit.session.id)
    if form.get("end") == own:
        return visit.with_session(end_session(here, visit.session), None).redirect("/", done="signed_out")
    if "end" in form:
        ended = here.sessions_of_users.end(visit.user.id, form["end"][:64])
        return visit.redirect(PATH, done="session") if ended else visit.redirect(PATH, done="no_session")
    here.sessions_of_users.end_all(visit.user.id, keep=visit.session.id)
    return visit.redirect(PATH, done="sessions")


def _page(visit: Visit, *, problem: str | None = None) -> Response:
    own = hashed(visit.session.id)
    offset = visit.here.settings.utc_offset
    return visit.page(
        "account/sessions",
        status=400 if problem else 200,
        problem=problem,
        action=visit.here.site.path + PATH,
        sessions=[
            {
                "name": each.name,
                "device": each.device,
                "own": each.name == own,
                "created": _minute(each.created, offset),
                "seen": _minute(each.seen, offset),
            }
            for each in visit.here.sessions_of_users.of_user(visit.signed_in)
        ],
    )


def _minute(moment: int, offset: int) -> str:
    return w3cdtf(moment, offset)[:16].replace("T", " ")
