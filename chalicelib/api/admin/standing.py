"""The operator's API for a user's standing: suspension and role."""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.admin.routes import changed_answer, known_id, logged, operator_route
from chalicelib.api.log_of_actions import user_target
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.model.access import Access
from chalicelib.core.roles import Role
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import json_body

SUSPENSION = "/admin/users/{user}/suspension"
ROLE = "/admin/users/{user}/role"

face = Face()
route = operator_route(face)


@route(SUSPENSION, methods=["PUT"])
def suspend(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Suspend a user: `{"reason": …}` (required). 409 for a user with a role."""
    reason = _reason(_fields(request, "reason"))
    if not reason:
        raise ParameterInvalid("reason is missing")
    target = user_target(known_id("user", user))
    with logged(here, request, access, ActionKind.USER_SUSPENDED, target, reason) as entry:
        entry.after = {"suspended": True}
        changed = entry.changed = here.roles.suspend(user)
    return changed_answer(changed, id=user)


@route(SUSPENSION, methods=["DELETE"])
def restore(here: Platform, request: Request, access: Access, user: str) -> Response:
    """End a suspension. The query parameter `reason` is for the log."""
    target = user_target(known_id("user", user))
    with logged(here, request, access, ActionKind.USER_RESTORED, target) as entry:
        entry.before = {"suspended": True}
        changed = entry.changed = here.roles.restore(user)
    return changed_answer(changed, id=user)


@route(ROLE, methods=["PUT"])
def give_role(here: Platform, request: Request, access: Access, user: str) -> Response:
    """Give a role: `{"role": "operator" | "moderator"}`, or take it: null; optional: `reason`.

    409 for the last operator and for a suspended user.
    """
    body = _fields(request, "role", "reason")
    if "role" not in body:
        raise ParameterInvalid("role is missing")
    role = _role(body["role"])
    target = user_target(known_id("user", user))
    kind = ActionKind.ROLE_GIVEN if role else ActionKind.ROLE_TAKEN
    with logged(here, request, access, kind, target, _reason(body)) as entry:
        had, changed = here.roles.give(user, role)
        entry.before, entry.after = {"role": had.value if had else None}, {"role": role.value if role else None}
        entry.changed = changed
    return changed_answer(changed, id=user)


def _fields(request: Request, *names: str) -> dict[str, Any]:
    """Return the fields of a request's body. Raise BadRequest and ParameterInvalid."""
    body = json_body(request)
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    if unknown := sorted(body.keys() - set(names)):
        raise ParameterInvalid(f"There is no field {unknown[0][:64]!r}; the fields are {', '.join(names)}")
    return body


def _reason(body: dict[str, Any]) -> str:
    reason = body.get("reason", "")
    if not isinstance(reason, str):
        raise ParameterInvalid("reason must be a string")
    return reason.strip()


def _role(value: object) -> Role | None:
    if value is None:
        return None
    try:
        return Role(value)
    except ValueError:
        raise ParameterInvalid(f"role must be one of {', '.join(role.value for role in Role)}, or null") from None
