"""Roles of operators' staff, and the matrix of what each role may do in the console.

ACTIONS is the only place that decides it: the server checks it for each request, docs/reference/roles.md is made from
it, and the tests walk it. A token with the scope `admin` (the command line and the operator's API) may do all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """The roles that a user can have; most users have none."""

    OPERATOR = "operator"
    MODERATOR = "moderator"


class Action(Enum):
    """The things that the console does."""

    FIND_USERS = "find-users"
    SEE_USER = "see-user"
    EDIT_USER = "edit-user"
    RESET_LINK = "reset-link"
    END_SESSIONS = "end-sessions"
    SUSPEND_USER = "suspend-user"
    EXPORT_USER = "export-user"
    ERASE_USER = "erase-user"
    SEE_DATA = "see-data"
    SEE_VALUES = "see-values"
    DELETE_DATA = "delete-data"
    INVITE = "invite"
    GIVE_ROLE = "give-role"
    SEE_APPS = "see-apps"
    EDIT_APP = "edit-app"
    ROTATE_SECRET = "rotate-secret"  # noqa: S105 (an action's name)
    SUSPEND_APP = "suspend-app"
    DELETE_APP = "delete-app"
    SEE_EVENTS = "see-events"
    EDIT_ENDPOINTS = "edit-endpoints"
    SEND_EVENTS = "send-events"
    SEE_PAGES = "see-pages"
    MODERATE = "moderate"
    HANDLE_REPORTS = "handle-reports"
    SEE_OVERVIEW = "see-overview"
    SEE_REQUEST = "see-request"
    SEE_LOG = "see-log"


@dataclass(frozen=True)
class Rule:
    """The roles that may do an action. `dangerous`: only if the password was given in the last 10 minutes.

    `text` says in English what the action is, for docs/reference/roles.md.
    """

    roles: frozenset[Role]
    dangerous: bool
    text: str


_ALL = frozenset(Role)
_OPERATORS = frozenset({Role.OPERATOR})


def _staff(text: str) -> Rule:
    return Rule(_ALL, False, text)


def _operators(text: str) -> Rule:
    return Rule(_OPERATORS, False, text)


def _dangerous(text: str) -> Rule:
    return Rule(_OPERATORS, True, text)


ACTIONS: Mapping[Action, Rule] = {
    Action.FIND_USERS: _staff("Find users, apps and pages"),
    Action.SEE_USER: _staff("See a person: profile, friends, installs, grants, sessions, pages, posts"),
    Action.EDIT_USER: _operators("Edit a person's profile and login"),
    Action.RESET_LINK: _dangerous("Make a link with which a person sets a new password"),
    Action.END_SESSIONS: _operators("End a person's sessions"),
    Action.SUSPEND_USER: _staff("Suspend and restore a person without a role"),
    Action.EXPORT_USER: _dangerous("Download all data of a person"),
    Action.ERASE_USER: _dangerous("Erase a person"),
    Action.SEE_DATA: _operators("See the keys and sizes of a person's data in an app"),
    Action.SEE_VALUES: _dangerous("See the values of a person's data in an app"),
    Action.DELETE_DATA: _dangerous("Delete keys of a person's data in an app"),
    Action.INVITE: _operators("Invite a person"),
    Action.GIVE_ROLE: _dangerous("Give roles to others, and take them away"),
    Action.SEE_APPS: _staff("See an app"),
    Action.EDIT_APP: _operators("Register and edit apps"),
    Action.ROTATE_SECRET: _dangerous("Rotate an app's secret"),
    Action.SUSPEND_APP: _dangerous("Suspend and restore an app"),
    Action.DELETE_APP: _dangerous("Delete an app"),
    Action.SEE_EVENTS: _operators("See an app's endpoints, events and deliveries"),
    Action.EDIT_ENDPOINTS: _dangerous("Add, change and delete an app's endpoints"),
    Action.SEND_EVENTS: _operators("Send an app's events again"),
    Action.SEE_PAGES: _staff("See a page"),
    Action.MODERATE: _staff("Hide and delete feeds and comments of all pages"),
    Action.HANDLE_REPORTS: _staff("Handle reports"),
    Action.SEE_OVERVIEW: _staff("See the overview"),
    Action.SEE_REQUEST: _operators("See what became of a request, by its id"),
    Action.SEE_LOG: _operators("See the action log"),
}
"""The matrix role × action."""


def allows(role: Role | None, action: Action) -> bool:
    """Return whether a user with this role may do an action; None is a user without a role."""
    return role in ACTIONS[action].roles


def may_judge(user: str, role: Role | None, poster: str) -> bool:
    """Return whether a user may handle reports about a post of `poster`, or show it again after it was hidden.

    Moderators do not judge their own posts (decision). Operators do: a small platform may have only one.
    """
    return user != poster or role is Role.OPERATOR


def roles_page() -> str:
    """Return the text of docs/reference/roles.md."""
    rows = [
        f"| `{action.value}` | {rule.text} | {_mark(rule, Role.OPERATOR)} | {_mark(rule, Role.MODERATOR)} "
        f"| {'yes' if rule.dangerous else ''} |"
        for action, rule in ACTIONS.items()
    ]
    return "\n".join([*_HEAD, *rows, ""])


def _mark(rule: Rule, role: Role) -> str:
    return "yes" if role in rule.roles else ""


_HEAD = (
    "# Roles",
    "",
    "A user may have one role: `operator` or `moderator`. Users without a role do not see the console. The server",
    "checks this table for each request. `python -m infra.reference` makes this page from `chalicelib/core/roles.py`.",
    "",
    "- The first operator gets the role by the command line: `python -m admin users role USER operator`.",
    "- Nobody can change their own role, and the last operator keeps it.",
    "- A user with a role can be neither suspended nor erased: take the role away first.",
    "- A moderator can neither show their own hidden post again nor handle a report about it.",
    "- *Password*: the console asks for the password again, unless it was given in the last 10 minutes. It also asks",
    "  before an app gets the scope `admin`, which lets the app do all of this, and before it gets another redirect",
    "  address or origin.",
    "",
    "| action | what it is | operator | moderator | password |",
    "|---|---|---|---|---|",
)
