"""Logging of actions: a view that changes something wraps the change in `log_action`.

    with log_action(here, request, by, ActionKind.USER_SUSPENDED, user_target(user), reason=reason) as entry:
        entry.changed = here.users.suspend(user)
        entry.after = {"suspended": True}

The entry is stored before the change, and its outcome after it: no change is without an entry, even if the process
dies. A refused or unchanged action leaves no entry. An action that an error ended leaves one that is marked so; if the
outcome could not be stored, it is unknown, and the client still gets the result of the action.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chalice.app import Request

from chalicelib import observed
from chalicelib.core.actions import CLI, OPERATOR_TOKEN, ActionKind, Outcome, checked_reason
from chalicelib.core.errors import Refusal
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.requests import last_parameter

log = logging.getLogger(__name__)

PLATFORM = "platform"
"""The target of an action that concerns no one user, app or page."""
CLIENT = "x-engawa-client"
"""The header by which the command line names itself. It adds a label: the token decides who acts."""


class ActionEntry:
    """What the view knows of its action: `target` (if it is known only afterwards), `before` and `after`.

    With `changed` false, as the state was already so, there is no entry. `failed` says that errors ended the action
    although the view has an answer.
    """

    def __init__(self, target: str, before: Mapping[str, Any]) -> None:
        self.target = target
        self.before = before
        self.after: Mapping[str, Any] = {}
        self.changed = True
        self.failed = False

    def note_new(self, told: Mapping[str, Any]) -> None:
        """Note something new, in the form that the API shows: the fields that have a value."""
        self.after = {name: value for name, value in told.items() if value}


@contextmanager
def log_action(
    here: Platform,
    request: Request,
    actor: str,
    kind: ActionKind,
    target: str,
    *,
    reason: str | None = None,
    before: Mapping[str, Any] | None = None,
) -> Iterator[ActionEntry]:
    """Log the action inside the block. `reason` is by default, and if empty, the query parameter `reason`.

    Raises ParameterInvalid for a malformed reason and Unavailable if the entry cannot be stored, before the block runs.
    """
    given = checked_reason(reason or last_parameter(request, "reason"))
    action = here.action_log.new(actor, kind, target, request_id(), reason=given, before=before or {})
    entry = ActionEntry(target, action.before)
    here.action_log.begin(action)
    try:
        yield entry
    except Exception as error:
        if isinstance(error, Refusal) and error.status < 500:
            _settle(lambda: here.action_log.forget(action))
        else:
            _settle(lambda: here.action_log.finish(action, Outcome.FAILED))
        raise
    if not entry.changed:
        _settle(lambda: here.action_log.forget(action))
        return
    known = replace(action, target=entry.target, before=entry.before, after=entry.after)
    outcome = Outcome.FAILED if entry.failed else Outcome.DONE
    _settle(lambda: here.action_log.finish(known, outcome))


def operator_actor(request: Request, access: Access) -> str:
    """Return who acts in a request of `/admin`: the client of the token, and whether it says to be the command line."""
    label = CLI if request.headers.get(CLIENT) == CLI else OPERATOR_TOKEN
    return f"{label}:{access.app}"


def user_actor(user: str) -> str:
    """Return a user as an actor: an operator, a moderator or a page administrator."""
    return f"user:{user}"


def user_target(user: str, part: str = "") -> str:
    """Return a user as the target of an action, perhaps with a part such as `app:<id>`."""
    return f"user:{user}" + (f"/{part}" if part else "")


def app_target(app: str, part: str = "") -> str:
    """Return an app as the target of an action, perhaps with a part such as `endpoint:<id>`."""
    return f"app:{app}" + (f"/{part}" if part else "")


def page_target(page: str, part: str = "") -> str:
    """Return a page as the target of an action, perhaps with a part such as `feed:<id>`."""
    return f"page:{page}" + (f"/{part}" if part else "")


def request_id() -> str:
    """Return the `X-Request-Id` of the present request."""
    seen = observed.current()
    return seen.request_id if seen else "unknown"


def _settle(store: Callable[[], None]) -> None:
    """Store an outcome. Without it, the entry stays unknown: the action is over, so its result is still returned."""
    try:
        store()
    except Exception as error:
        log.warning("the outcome of an action could not be stored: %s", type(error).__name__)
