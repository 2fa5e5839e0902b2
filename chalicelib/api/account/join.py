"""`/join`: a person who has an operator's invitation becomes a user."""

from collections.abc import Mapping

from chalice.app import Request, Response

from chalicelib.api.account.forms import new_hash, password_problem
from chalicelib.api.account.password import dead_link_page
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.codecs.checks import is_visible
from chalicelib.core.codecs.directory_json import read_user
from chalicelib.core.errors import Conflict, ParameterInvalid
from chalicelib.core.model.directory import User, new_user_id
from chalicelib.core.one_time_links import LinkKind
from chalicelib.core.password_rules import LEAST_CHARACTERS
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

face = Face()


@web_route(face, "/join", instead="a one-time link")
def show(here: Platform, request: Request) -> Response:
    """Show the form of an invitation: `link`. It asks for a login name, a password and a display name."""
    visit = Visit.of(signing_in(here), request)
    token = last_parameter(request, "link")
    link = here.one_time_links.read(LinkKind.INVITATION, token)
    if link is None or token is None:
        return dead_link_page(visit)
    return _page(visit, token, {"display_name": link.display_name})


@web_route(face, "/join", ["POST"], instead="a one-time link, and the session's csrf value")
def join(here: Platform, request: Request) -> Response:
    """Create the user, who then signs in. A login that is taken is a 409, told at most 30 times for one invitation."""
    visit = Visit.of(signing_in(here), request)
    token = visit.sent.get("link")
    if token is None or here.one_time_links.read(LinkKind.INVITATION, token) is None:
        return dead_link_page(visit)
    try:
        form = visit.form()
    except StaleForm:
        return _page(visit, token, visit.sent, problem=visit.word("expired"))
    login = form.get("login", "").strip().lower()
    wrong: dict[str, str] = {}
    for name, body in (("login", {"login": login}), ("display_name", {"displayName": form.get("display_name", "")})):
        try:
            read_user(body, new=False)
        except ParameterInvalid:
            wrong[name] = visit.word(f"wrong_{name}")
    if not is_visible(form.get("display_name", "")):
        wrong["display_name"] = visit.word("wrong_display_name")
    if not login:
        wrong["login"] = visit.word("wrong_login")
    if problem := password_problem(visit, [login, form.get("display_name", "")]):
        wrong["new_password"] = problem
    if wrong:
        return _page(visit, token, form, wrong=wrong)
    if not here.one_time_links.count_try(token):
        return dead_link_page(visit)
    fields = read_user({"displayName": form["display_name"], "login": login, "id": new_user_id()}, new=True)
    try:
        user = here.one_time_links.join(token, User(**fields), new_hash(visit))
    except Conflict:
        return _page(visit, token, form, wrong={"login": visit.word("login_taken")}, status=409)
    if user is None:
        return dead_link_page(visit)
    return visit.redirect("/sign_in?to=%2Fsettings%2Fprofile", done="joined")


def _page(
    visit: Visit,
    token: str,
    values: Mapping[str, str],
    *,
    problem: str | None = None,
    wrong: Mapping[str, str] = {},
    status: int = 400,
) -> Response:
    return visit.page(
        "account/join",
        status=status if problem or wrong else 200,
        problem=problem,
        wrong=wrong,
        action=visit.here.site.path + "/join",
        carried={"link": token},
        login=values.get("login", ""),
        display_name=values.get("display_name", ""),
        least=LEAST_CHARACTERS,
    )
