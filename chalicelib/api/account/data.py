"""`/settings/data`: all that is stored about a person, to take along; `/settings/delete`: the end of the account."""

from collections.abc import Mapping

from chalice.app import Request, Response

from chalicelib.api.account.forms import refused_until_tomorrow
from chalicelib.api.admin.users import everything_json
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.sign_in_page import sign_in
from chalicelib.api.page.requests import shown
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import data_answer

DATA, DELETE = "/settings/data", "/settings/delete"

face = Face()


@web_route(face, DATA)
def show_data(here: Platform, request: Request) -> Response:
    """Show what a download of the user's data has in it."""
    visit = Visit.of(signing_in(here), request)
    return _data_page(visit) if visit.user else visit.sign_in()


@web_route(face, DATA, ["POST"])
def download(here: Platform, request: Request) -> Response:
    """Return all data of the user as a JSON file, without secrets, at most 10 times a day.

    If it is too large for Lambda, the answer is a 303 to its URL.
    """
    visit = Visit.of(signing_in(here), request)
    if visit.user is None:
        return visit.sign_in(DATA)
    try:
        visit.form()
    except StaleForm:
        return _data_page(visit, problem=visit.word("expired"))
    if refused := refused_until_tomorrow(visit, "download", "data_often"):
        problem, later = refused
        return _data_page(visit, problem=problem, status=429, headers=later)
    everything = here.user_data.export(visit.user.id)
    if everything is None:
        raise NotFound
    name = f'attachment; filename="{visit.user.id}.json"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return data_answer(everything_json(everything, shown(here)), headers, here.oversized_answers.keeper(visit.user.id))


@web_route(face, DELETE)
def show_delete(here: Platform, request: Request) -> Response:
    """Show the form that deletes the account; or, if it is being deleted, until when that can be undone."""
    visit = Visit.of(signing_in(here), request)
    return _delete_page(visit) if visit.user else visit.sign_in()


@web_route(face, DELETE, ["POST"])
def delete(here: Platform, request: Request) -> Response:
    """Delete the account in 14 days, after the login name (`typed`) and the `password`; or undo it (`stay`)."""
    visit = Visit.of(signing_in(here), request)
    user = visit.user
    if user is None:
        return visit.sign_in(DELETE)
    try:
        form = visit.form()
    except StaleForm:
        return _delete_page(visit, problem=visit.word("expired"))
    if "stay" in form:
        here.leaving_users.stay(user.id)
        return visit.redirect("/settings", done="stay")
    if user.login is None:
        return _delete_page(visit, problem=visit.word("no_login"), status=409)
    if form.get("typed", "").strip().lower() != user.login:
        return _delete_page(visit, wrong=visit.word("typed_wrong"))
    outcome = sign_in(here, request, {"login": user.login, "password": form.get("password", "")})
    if outcome.wait:
        return _delete_page(visit, problem=visit.word("slow", seconds=outcome.wait), status=429, wait=outcome.wait)
    if outcome.user != user.id:
        return _delete_page(visit, problem=visit.word("wrong_password"), status=403)
    try:
        here.leaving_users.leave(user.id)
    except Conflict:
        return _delete_page(visit, problem=visit.word("delete_role"), status=409)
    here.sessions_of_users.end_all(user.id, keep=visit.session.id)
    return visit.redirect(DELETE, done="leaving")


def _data_page(
    visit: Visit, *, problem: str | None = None, status: int = 400, headers: Mapping[str, str | list[str]] | None = None
) -> Response:
    action, status = visit.here.site.path + DATA, status if problem else 200
    return visit.page("account/data", status=status, problem=problem, headers=headers, action=action)


def _delete_page(
    visit: Visit, *, problem: str | None = None, wrong: str = "", status: int = 400, wait: int = 0
) -> Response:
    user = visit.signed_in
    due = w3cdtf(user.leaving, visit.here.settings.utc_offset)[:10] if user.leaving is not None else None
    return visit.page(
        "account/delete",
        status=status if problem or wrong else 200,
        wait=wait,
        problem=problem,
        wrong=wrong,
        action=visit.here.site.path + DELETE,
        login=user.login or "",
        due=due,
    )
