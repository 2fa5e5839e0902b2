"""Shared parts of the forms of an account: a new password, and an edit that survives signing in again."""

from collections.abc import Callable, Iterable, Mapping

from chalice.app import Response

from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.sign_in_page import sign_in
from chalicelib.api.session_user import begin_session
from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.password_rules import LEAST_CHARACTERS, MOST_CHARACTERS, normalized, problem_of
from chalicelib.core.passwords import hash_password

MOST_A_DAY = 10
"""The most pictures that a user may upload in a day, and the most downloads of their data."""
_EDIT = "edit_"
MOST_NOTED = 4_000
"""The most characters of a field that survives signing in again."""


def password_problem(visit: Visit, names: Iterable[str]) -> str | None:
    """Return what is wrong with `new_password` and `new_password_again` of a form, or None.

    `names` are the login and the display name of the person.
    """
    given = visit.sent.get("new_password", "")
    site = visit.here.site
    if problem := problem_of(given, [*names, site.name, "engawa"]):
        return visit.word(f"password_{problem.value}", least=LEAST_CHARACTERS, most=MOST_CHARACTERS)
    if given != visit.sent.get("new_password_again"):
        return visit.word("password_differs")
    try:
        given.encode()
    except UnicodeEncodeError:
        return visit.word("password_common")
    return None


def new_hash(visit: Visit) -> str:
    """Return the hash of the form's new password, which `password_problem` has checked."""
    return hash_password(normalized(visit.sent["new_password"]))


def refused_until_tomorrow(
    visit: Visit, kind: str, text: str, *, counts: bool = True
) -> tuple[str, dict[str, str | list[str]]] | None:
    """Count what a user may do MOST_A_DAY times a day (UTC); without `counts`, only look, before expensive work.

    Return None if it may be done; else the `text`, with the time at which it is possible again (`time`), and the header
    Retry-After.
    """
    daily = visit.here.daily_counts
    if (daily.count if counts else daily.is_left)(kind, visit.signed_in.id, MOST_A_DAY):
        return None
    again = daily.next_day()
    time = w3cdtf(again, visit.here.settings.utc_offset)[:16].replace("T", " ")
    wait = -(-(again - visit.here.clock()) // 1000)
    return visit.word(text, times=MOST_A_DAY, time=time), {"Retry-After": str(wait)}


def signed_in_again(
    visit: Visit, names: Iterable[str], show: Callable[[Visit, Mapping[str, str]], Response]
) -> Response | None:
    """Handle a form whose session is over; return None if its user is signed in.

    The page asks to sign in, and keeps the fields `names` of the form (no password). After that, `show` shows the edit
    again, so that it is confirmed: nothing is changed by signing in.
    """
    edit = {name: visit.sent[_EDIT + name] for name in names if _EDIT + name in visit.sent}
    if visit.user is not None and not edit:
        return None
    if visit.user is not None:
        return show(visit, edit)
    signing_in(visit.here)
    if "login" in visit.sent and "password" in visit.sent:
        if not visit.session.accepts(visit.sent.get("csrf")):
            return _sign_in(visit, edit, problem=visit.word("expired"), status=400)
        outcome = sign_in(visit.here, visit.request, visit.sent)
        if begun := begin_session(visit.here, visit.request, outcome):
            return show(visit.with_session(*begun), edit)
        if outcome.wait:
            problem = visit.word("slow", seconds=outcome.wait)
            return _sign_in(visit, edit, problem=problem, status=429, wait=outcome.wait)
        return _sign_in(visit, edit, problem=visit.word("wrong"), status=403)
    edit = {name: visit.sent[name][:MOST_NOTED] for name in names if name in visit.sent}
    return _sign_in(visit, edit, problem=visit.word("edit_kept"), status=403)


def _sign_in(visit: Visit, edit: Mapping[str, str], *, problem: str, status: int, wait: int = 0) -> Response:
    return visit.page(
        "sign_in",
        status=status,
        wait=wait,
        problem=problem,
        action=visit.here.site.path + visit.path,
        carried={_EDIT + name: value for name, value in edit.items()},
        app=None,
        login=visit.sent.get("login", "") if "password" in visit.sent else "",
    )
