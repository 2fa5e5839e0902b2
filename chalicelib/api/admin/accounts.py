"""The operator's API for accounts: reset links, invitations and sessions."""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.admin.routes import changed_answer, existing, known_id, list_answer, logged, operator_route
from chalicelib.api.log_of_actions import PLATFORM, user_target
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs import checks
from chalicelib.core.errors import BadRequest, NotFound, ParameterInvalid
from chalicelib.core.model.access import Access
from chalicelib.core.one_time_links import LinkKind
from chalicelib.platform import Platform
from chalicelib.store.grants.sessions import UserSession
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body

USER = "/admin/users/{user}"
_HASH_CHARACTERS = 64


face = Face()
route = operator_route(face)


@route(USER + "/reset-link", methods=["POST"])
def make_reset_link(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Make a one-time link, for 24 hours, with which a user sets a new password. 201 with `url` and `expires` (ms)."""
    found = known_id("user", user)
    with logged(here, request, access, ActionKind.RESET_LINK_MADE, user_target(found)):
        token, link = here.one_time_links.make_reset(found)
    url = link_url(here, LinkKind.RESET, token)
    return json_answer({"user": found, "url": url, "expires": 1000 * link.expires}, 201)


@route("/admin/invitations", methods=["POST"])
def make_invitation(here: Platform, request: Request, access: Access) -> Response:
    """Make a one-time link, for 14 days, with which a person becomes a user: `displayName` suggests a name.

    201 with `url` and `expires` (ms).
    """
    name = _suggested_name(json_body(request) if request.raw_body else {})
    with logged(here, request, access, ActionKind.INVITATION_MADE, PLATFORM):
        token, link = here.one_time_links.make_invitation(name)
    return json_answer({"url": link_url(here, LinkKind.INVITATION, token), "expires": 1000 * link.expires}, 201)


@route(USER + "/sessions", methods=["GET"])
def list_sessions(here: Platform, request: Request, access: Access, user: str) -> Response:
    """List a user's sessions, the last used first, at most 100: `id`, `device`, `created`, `seen`, `expires` (ms)."""
    known = existing("user", user, here.users.get(known_id("user", user)))
    return list_answer(map(session_json, here.sessions_of_users.of_user(known)), None)


@route(USER + "/sessions", methods=["DELETE"])
def end_sessions(here: Platform, request: Request, access: Access, user: str) -> Response:
    """End all sessions of a user at once."""
    found = known_id("user", user)
    with logged(here, request, access, ActionKind.SESSIONS_ENDED, user_target(found)):
        here.sessions_of_users.end_all(found)
    return changed_answer(True, user=found)


@route(USER + "/sessions/{session}", methods=["DELETE"])
def end_session(here: Platform, request: Request, access: Access, user: str, session: str) -> Response:
    """End one session of a user."""
    found = known_id("user", user)
    if len(session) != _HASH_CHARACTERS or not session.isalnum():
        raise NotFound("There is no such session")
    target = user_target(found, f"session:{session[:8]}")
    with logged(here, request, access, ActionKind.SESSIONS_ENDED, target) as entry:
        changed = entry.changed = here.sessions_of_users.end(found, session)
    return changed_answer(changed, user=found, session=session)


def link_url(here: Platform, kind: LinkKind, token: str) -> str:
    """Return the URL of a one-time link."""
    return f"{here.settings.issuer}/{kind.value}?link={token}"


def session_json(session: UserSession) -> dict[str, Any]:
    """Return a session as JSON; its `id` is a hash, with which nobody can use the session."""
    times = {"created": session.created, "seen": session.seen, "expires": 1000 * session.expires}
    return {"id": session.name, "device": session.device, **times}


def _suggested_name(body: Any) -> str:
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    if unknown := sorted(body.keys() - {"displayName"}):
        raise ParameterInvalid(f"There is no field {unknown[0]}")
    given = body.get("displayName")
    return "" if given in (None, "") else str(checks.text(checks.NAME_CHARACTERS)("displayName", given))
