"""What operators and moderators do with a person: edit, suspend, reset link, role, export, erasure; and invitations.

Each change is logged, and answers with a redirect to the person's page, which says what changed; so a reload repeats
nothing. Links are shown once, in the answer to the form that made them.
"""

from collections.abc import Callable, Mapping

from chalice.app import Response

from chalicelib.api.admin.accounts import link_url
from chalicelib.api.admin.routes import known_id
from chalicelib.api.admin.users import everything_json
from chalicelib.api.console.frame import console_route
from chalicelib.api.console.users import USER, USERS, known_user, user_page, when
from chalicelib.api.log_of_actions import PLATFORM, user_target
from chalicelib.api.page.requests import shown
from chalicelib.api.profile_form import FIELDS, LENGTHS, choices, read_profile, values_of
from chalicelib.api.visit import Visit
from chalicelib.core.actions import REASON, ActionKind
from chalicelib.core.codecs import checks
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, PermissionDenied
from chalicelib.core.model.directory import User
from chalicelib.core.one_time_links import LinkKind
from chalicelib.core.roles import Action, Role
from chalicelib.web.face import Face
from chalicelib.web.json_answers import data_answer

EDITED = (*FIELDS, "login")
"""The fields of the form that edits a person."""

face = Face()


@console_route(face, f"{USER}/suspension", action=Action.SUSPEND_USER, methods=["POST"])
def suspend(visit: Visit, user: str) -> Response:
    """Suspend a person, or (`end`) end a suspension: `reason`."""
    known, reason = known_user(visit, user), _reason(visit)
    if not reason:
        return user_page(visit, user, status=400, problem=visit.word("user_reason_missing"))
    ends = "end" in visit.sent
    kind = ActionKind.USER_RESTORED if ends else ActionKind.USER_SUSPENDED
    change = visit.here.roles.restore if ends else visit.here.roles.suspend

    def act() -> bool:
        return change(known.id)

    refused = _logged(visit, known, kind, act, reason=reason, problem="user_has_role")
    if refused:
        return refused
    return _back(visit, known, done="user_restored") if ends else _back(visit, known, done="user_suspended")


@console_route(face, f"{USER}/sessions", action=Action.END_SESSIONS, methods=["POST"])
def end_sessions(visit: Visit, user: str) -> Response:
    """End all sessions of a person."""
    known = known_user(visit, user)

    def act() -> bool:
        visit.here.sessions_of_users.end_all(known.id)
        return True

    return _logged(visit, known, ActionKind.SESSIONS_ENDED, act) or _back(visit, known, done="user_sessions_ended")


@console_route(face, f"{USER}/reset-link", action=Action.RESET_LINK, methods=["POST"])
def make_reset_link(visit: Visit, user: str) -> Response:
    """Make a link with which a person sets a new password, and show it once."""
    known = known_user(visit, user)
    try:
        with visit.logged(ActionKind.RESET_LINK_MADE, user_target(known.id)):
            token, link = visit.here.one_time_links.make_reset(known.id)
    except Conflict:
        return user_page(visit, user, status=409, problem=visit.word("user_no_reset"))
    return _link_page(visit, LinkKind.RESET, token, 1000 * link.expires, known)


@console_route(face, f"{USER}/role", action=Action.GIVE_ROLE, methods=["POST"])
def give_role(visit: Visit, user: str) -> Response:
    """Give a person a role, or take it: `role` (`operator`, `moderator` or empty) and `reason`."""
    known, reason = known_user(visit, user), _reason(visit)
    if visit.sent.get("role", "") not in ("", *(role.value for role in Role)):
        raise ParameterInvalid("There is no such role")
    role = Role(visit.sent["role"]) if visit.sent.get("role") else None
    kind = ActionKind.ROLE_GIVEN if role else ActionKind.ROLE_TAKEN
    try:
        with visit.logged(kind, user_target(known.id), reason=reason) as entry:
            had, changed = visit.here.roles.give(known.id, role, by=visit.signed_in.id)
            entry.before, entry.after = {"role": had.value if had else None}, {"role": role.value if role else None}
            entry.changed = changed
    except PermissionDenied:
        return user_page(visit, user, status=403, problem=visit.word("user_own_role"))
    except Conflict:
        return user_page(visit, user, status=409, problem=visit.word("user_role_conflict"))
    return _back(visit, known, done="user_role_changed")


@console_route(face, f"{USER}/edit", action=Action.EDIT_USER)
def show_form(visit: Visit, user: str) -> Response:
    """Show the form with a person's profile and login."""
    known = known_user(visit, user)
    return _form_page(visit, known, values_of(known, EDITED))


@console_route(face, f"{USER}/edit", action=Action.EDIT_USER, methods=["POST"])
def edit(visit: Visit, user: str) -> Response:
    """Change a person's profile and login. Only the fields that differ from what the form showed are changed."""
    known = known_user(visit, user)
    now, sent = values_of(known, EDITED), {name: visit.sent.get(name, "").strip() for name in EDITED}
    before = {name: visit.sent.get(f"was_{name}", "") for name in EDITED}
    changed = {name: value for name, value in sent.items() if value != before[name]}
    if any(now[name] != before[name] for name in changed):
        # The same field was changed since the form was made.
        return _form_page(visit, known, sent, status=409, problem=visit.word("user_stale"))
    fields, wrong = read_profile(visit, changed)
    if wrong:
        return _form_page(visit, known, sent, wrong=wrong)
    if not fields:
        return _back(visit, known, done="user_unchanged")
    try:
        with visit.logged(ActionKind.USER_CHANGED, user_target(known.id)) as entry:
            # No values: the log has no data of users.
            entry.after = {"fields": sorted(changed)}
            visit.here.users.change(known.id, **fields)
    except Conflict:
        return _form_page(visit, known, sent, status=409, problem=visit.word("login_taken"))
    return _back(visit, known, done="user_changed")


@console_route(face, f"{USER}/export", action=Action.EXPORT_USER, methods=["POST"])
def export(visit: Visit, user: str) -> Response:
    """Download all data of a person as JSON."""
    found = known_id("user", user)
    with visit.logged(ActionKind.USER_EXPORTED, user_target(found)):
        everything = visit.here.user_data.export(found)
        if everything is None:
            raise NotFound(f"There is no user {found}")
    headers = {"Content-Disposition": f'attachment; filename="{found}.json"', "Cache-Control": "no-store"}
    answer = data_answer(
        everything_json(everything, shown(visit.here)), headers, visit.here.oversized_answers.keeper(found)
    )
    if cookies := visit.cookies():
        answer.headers["Set-Cookie"] = cookies
    return answer


@console_route(face, f"{USER}/erase", action=Action.ERASE_USER)
def show_erasure(visit: Visit, user: str) -> Response:
    """Ask for the login (or the id) of the person who is to be erased."""
    return _erasure_page(visit, known_user(visit, user))


@console_route(face, f"{USER}/erase", action=Action.ERASE_USER, methods=["POST"])
def erase(visit: Visit, user: str) -> Response:
    """Erase a person everywhere, if `typed` is their login (or id, without a login): `reason`.

    The form of an erasure that was interrupted, sent again, completes it.
    """
    found, reason = known_id("user", user), _reason(visit)
    known = visit.here.users.get(found)
    if known is None and not visit.here.users.is_closed(found):
        raise NotFound(f"There is no user {found}")
    if known and visit.sent.get("typed", "").strip().lower() != (known.login or known.id):
        return _erasure_page(visit, known, status=400, problem=visit.word("user_erase_typed_wrong"))
    try:
        kind, target = ActionKind.USER_ERASED, user_target(found)
        with visit.logged(kind, target, reason=reason) as entry:
            entry.after = {"removed": sum(visit.here.user_data.erase(found).values())}
    except Conflict:
        return _erasure_page(visit, known_user(visit, user), status=409, problem=visit.word("user_has_role"))
    return visit.redirect(USERS, done="user_erased")


@console_route(face, "/console/invitations", action=Action.INVITE)
def show_invitation(visit: Visit) -> Response:
    """Show the form that makes an invitation."""
    return visit.page("console/invitation", name="", wrong="")


@console_route(face, "/console/invitations", action=Action.INVITE, methods=["POST"])
def invite(visit: Visit) -> Response:
    """Make a link with which a person becomes a user, and show it once: `name` suggests a display name."""
    try:
        name = str(checks.text(checks.NAME_CHARACTERS)("name", visit.sent.get("name", "").strip()))
    except ParameterInvalid:
        sent = visit.sent.get("name", "")[:200]
        return visit.page("console/invitation", status=400, name=sent, wrong=visit.word("wrong_text"))
    with visit.logged(ActionKind.INVITATION_MADE, PLATFORM):
        token, link = visit.here.one_time_links.make_invitation(name)
    return _link_page(visit, LinkKind.INVITATION, token, 1000 * link.expires, None)


def _logged(
    visit: Visit, known: User, kind: ActionKind, act: Callable[[], bool], *, reason: str = "", problem: str = ""
) -> Response | None:
    """Do a logged action; return the page with `problem` if it was refused, else None."""
    try:
        with visit.logged(kind, user_target(known.id), reason=reason) as entry:
            entry.changed = act()
    except Conflict:
        return user_page(visit, known.id, status=409, problem=visit.word(problem))
    return None


def _link_page(visit: Visit, kind: LinkKind, token: str, expires: int, user: User | None) -> Response:
    return visit.page(
        "console/one_time_link",
        kind=kind.value,
        link=link_url(visit.here, kind, token),
        until=when(visit, expires),
        user=user,
    )


def _erasure_page(visit: Visit, user: User, *, status: int = 200, problem: str | None = None) -> Response:
    return visit.page("console/user_erase", status=status, problem=problem, user=user)


def _form_page(
    visit: Visit,
    user: User,
    values: Mapping[str, str],
    *,
    wrong: Mapping[str, str] = {},
    status: int = 200,
    problem: str | None = None,
) -> Response:
    return visit.page(
        "console/user_form",
        status=400 if wrong else status,
        problem=visit.word("profile_wrong") if wrong else problem,
        user=user,
        values=values,
        wrong=wrong,
        now=values_of(user, EDITED),
        choices=choices(visit),
        lengths=LENGTHS,
    )


def _back(visit: Visit, user: User, done: str) -> Response:
    return visit.redirect(f"{USERS}/{user.id}", done=done)


def _reason(visit: Visit) -> str:
    return visit.sent.get("reason", "").strip()[: REASON + 1]
