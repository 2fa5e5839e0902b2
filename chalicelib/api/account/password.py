"""A person's password: `/settings/password`, and `/reset` with a one-time link of an operator."""

from chalice.app import Request, Response

from chalicelib.api.account.forms import new_hash, password_problem
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.sign_in_page import sign_in
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.one_time_links import LinkKind, OneTimeLink
from chalicelib.core.password_rules import LEAST_CHARACTERS
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

PATH = "/settings/password"

face = Face()


@web_route(face, PATH)
def show(here: Platform, request: Request) -> Response:
    """Show the form for a new password."""
    visit = Visit.of(signing_in(here), request)
    return _page(visit) if visit.user else visit.sign_in()


@web_route(face, PATH, ["POST"])
def change(here: Platform, request: Request) -> Response:
    """Set a new password, if `password` is the present one; all other sessions end at once."""
    visit = Visit.of(signing_in(here), request)
    user = visit.user
    if user is None:
        return visit.sign_in(PATH)
    if user.login is None:
        return _page(visit, problem=visit.word("no_login"), status=409)
    try:
        form = visit.form()
    except StaleForm:
        return _page(visit, problem=visit.word("expired"))
    if problem := password_problem(visit, [user.login, user.display_name]):
        return _page(visit, wrong=problem)
    outcome = sign_in(here, request, {"login": user.login, "password": form.get("password", "")})
    if outcome.wait:
        return _page(visit, problem=visit.word("slow", seconds=outcome.wait), status=429, wait=outcome.wait)
    if outcome.user != user.id:
        return _page(visit, problem=visit.word("wrong_password"), status=403)
    sessions, name = here.sessions_of_users, visit.session.id
    changed = here.users.set_password(
        user.id,
        new_hash(visit),
        instead_of=outcome.password_hash,
        also=lambda write, epoch: sessions.keep(write, user.id, name, epoch),
    )
    if not changed:  # Another tab has changed it in the meantime.
        return _page(visit, problem=visit.word("wrong_password"), status=403)
    return visit.redirect("/settings", done="password")


@web_route(face, "/reset", instead="a one-time link")
def show_reset(here: Platform, request: Request) -> Response:
    """Show the form for a new password to who has a one-time link: `link`."""
    visit = Visit.of(signing_in(here), request)
    token = last_parameter(request, "link")
    link = here.one_time_links.read(LinkKind.RESET, token)
    return _reset_page(visit, link, token or "")


@web_route(face, "/reset", ["POST"], instead="a one-time link, and the session's csrf value")
def reset(here: Platform, request: Request) -> Response:
    """Set a new password with a one-time link, once; all sessions of the user end at once."""
    visit = Visit.of(signing_in(here), request)
    token = visit.sent.get("link")
    link = here.one_time_links.read(LinkKind.RESET, token)
    if link is None or link.user is None or token is None:
        return _reset_page(visit, None, "")
    try:
        visit.form()
    except StaleForm:
        return _reset_page(visit, link, token, problem=visit.word("expired"))
    user = here.users.get(link.user)
    names = [user.login or "", user.display_name] if user else []
    if problem := password_problem(visit, names):
        return _reset_page(visit, link, token, wrong=problem)
    if not (here.one_time_links.count_try(token) and here.one_time_links.set_password(token, link, new_hash(visit))):
        return _reset_page(visit, None, "")
    return visit.redirect("/sign_in", done="reset")


def _page(visit: Visit, *, problem: str | None = None, wrong: str = "", status: int = 400, wait: int = 0) -> Response:
    refused = problem or wrong
    return visit.page(
        "account/password",
        status=status if refused else 200,
        wait=wait,
        problem=problem,
        wrong=wrong,
        action=visit.here.site.path + PATH,
        login=visit.signed_in.login or "",
        least=LEAST_CHARACTERS,
    )


def _reset_page(
    visit: Visit, link: OneTimeLink | None, token: str, *, problem: str | None = None, wrong: str = ""
) -> Response:
    if link is None:
        return dead_link_page(visit)
    return visit.page(
        "account/reset",
        status=400 if problem or wrong else 200,
        problem=problem,
        wrong=wrong,
        action=visit.here.site.path + "/reset",
        carried={"link": token},
        least=LEAST_CHARACTERS,
    )


def dead_link_page(visit: Visit) -> Response:
    """Return the page for a link that was used, has expired or never was (404; the same for all of them)."""
    return visit.page("account/dead_link", status=404)
