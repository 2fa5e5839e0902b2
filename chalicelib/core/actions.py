"""The action log: who changed what on the platform, when and why.

Logged are the actions of operators (`/admin`, the command line, imports), of moderators, and of page administrators on
what others posted. An entry has no values of users' data and no secrets: for a person it names the changed fields only.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from chalicelib.core.base36 import base36, from_base36
from chalicelib.core.errors import ParameterInvalid

REASON = 500
"""The most characters of a reason."""
MOST_BYTES = 1_000
"""The most bytes of `before`, and of `after`, as JSON; what is longer is shortened to the names of its fields."""
_SHOWN = 100
"""The most characters of a value in `before` and `after`."""
_TIME, _RANDOM = 9, 7

CLI = "cli"
OPERATOR_TOKEN = "operator-token"  # noqa: S105 (a word)


class ActionKind(Enum):
    """The kinds of actions. Each part of the platform adds its own."""

    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_ERASED = "user.erased"
    USER_SUSPENDED = "user.suspended"
    USER_RESTORED = "user.restored"
    USER_EXPORTED = "user.exported"
    PASSWORD_SET = "password.set"  # noqa: S105 (a kind)
    ROLE_GIVEN = "role.given"
    ROLE_TAKEN = "role.taken"
    RESET_LINK_MADE = "reset-link.made"
    INVITATION_MADE = "invitation.made"
    SESSIONS_ENDED = "sessions.ended"
    FRIENDSHIP_MADE = "friendship.made"
    FRIENDSHIP_ENDED = "friendship.ended"
    APP_INSTALLED = "app.installed"
    APP_UNINSTALLED = "app.uninstalled"
    GRANT_ENDED = "grant.ended"
    DATA_SHOWN = "data.shown"
    DATA_DELETED = "data.deleted"

    APP_CREATED = "app.created"
    APP_CHANGED = "app.changed"
    APP_DELETED = "app.deleted"
    APP_SUSPENDED = "app.suspended"
    APP_RESTORED = "app.restored"
    SECRET_ROTATED = "secret.rotated"  # noqa: S105 (a kind)
    OLD_SECRET_ENDED = "old-secret.ended"  # noqa: S105 (a kind)
    ENDPOINT_CREATED = "endpoint.created"
    ENDPOINT_CHANGED = "endpoint.changed"
    ENDPOINT_DELETED = "endpoint.deleted"
    EVENTS_RESENT = "events.resent"

    PAGE_CREATED = "page.created"
    PAGE_CHANGED = "page.changed"
    PAGE_DELETED = "page.deleted"
    MODULE_ADDED = "module.added"
    MODULE_REMOVED = "module.removed"
    ADMINISTRATOR_ADDED = "administrator.added"
    ADMINISTRATOR_REMOVED = "administrator.removed"
    FOLLOWER_ADDED = "follower.added"
    FOLLOWER_REMOVED = "follower.removed"
    FEED_POSTED = "feed.posted"
    FEED_DELETED = "feed.deleted"
    FEED_HIDDEN = "feed.hidden"
    FEED_SHOWN = "feed.shown"
    COMMENT_DELETED = "comment.deleted"
    COMMENT_HIDDEN = "comment.hidden"
    COMMENT_SHOWN = "comment.shown"
    REPORT_HANDLED = "report.handled"

    RECORDS_IMPORTED = "records.imported"
    ITEMS_MIGRATED = "items.migrated"


class Outcome(Enum):
    """What became of an action.

    The entry is stored before the action. So if the process died, or could not store the outcome, the entry stays
    UNKNOWN: the action happened, or not, or a part of it did.
    """

    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    """An error ended it. A part of it may have happened; a repeated request does the rest."""


@dataclass(frozen=True)
class LoggedAction:
    """An entry of the log. `before` and `after` have what changed: small maps without users' values or secrets."""

    id: str
    """16 characters of `0-9 a-z`, which sort by time."""
    at: int
    """When it began (ms)."""
    actor: str
    """`user:<id>`, `operator-token:<client id>`, or `cli:<client id>`: the same token, sent by the command line."""
    kind: str
    """The value of an ActionKind, perhaps of another version."""
    target: str
    """`user:<id>`, `app:<id>` or `page:<id>`, perhaps with a part: `page:12/module:3`."""
    request: str
    """The `X-Request-Id`."""
    reason: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.UNKNOWN


@dataclass(frozen=True)
class ActionFilter:
    """Which entries of the log to list: those from the time `since` (ms) on and before `until`.

    `actor`, `target` and `kind` are compared from their beginning up to a `:`, `/` or `.`: the target `page:12` also
    finds `page:12/module:3`, the actor `cli` all clients, the kind `user` all that begin with `user.`.
    """

    since: int
    until: int
    actor: str = ""
    target: str = ""
    kind: str = ""

    def matches(self, action: LoggedAction) -> bool:
        """Return whether the filter lets an entry through; `since` and `until` are not compared."""
        return (
            _begins(action.actor, self.actor)
            and _begins(action.target, self.target)
            and _begins(action.kind, self.kind)
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the time is compared."""
        return bool(self.actor or self.target or self.kind)


def user_of(actor: str) -> str | None:
    """Return the id of the user who acted; None if the actor is no user (`user:…`)."""
    sort, _, id = actor.partition(":")
    return id if sort == "user" else None


def _begins(text: str, wanted: str) -> bool:
    return not wanted or text == wanted or (text.startswith(wanted) and text[len(wanted)] in ":/.")


def new_action_id(now: int) -> str:
    """Return the id of an entry at that time (ms)."""
    return (base36(now, _TIME) + base36(secrets.randbelow(36**_RANDOM), _RANDOM)).lower()


def is_action_id(text: str) -> bool:
    """Return whether a text has the form of an entry's id."""
    return len(text) == _TIME + _RANDOM and text.isascii() and text.isalnum() and text == text.lower()


def first_action_id(time: int) -> str:
    """Return a text that sorts before the ids of all entries from that time (ms) on, and after all earlier ones."""
    return base36(max(0, time), _TIME).lower()


def time_of_action(id: str) -> int:
    """Return the time (ms) in an entry's id."""
    return from_base36(id[:_TIME])


def month_of(time: int) -> str:
    """Return the month of a time (ms) in UTC: "2026-11"."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m")


def first_of_month(month: str) -> int:
    """Return the first millisecond of a month in UTC, such as "2026-11"."""
    return int(datetime.strptime(f"{month}-01 +0000", "%Y-%m-%d %z").timestamp() * 1000)


def months(since: int, until: int) -> list[str]:
    """Return the months in which times (ms) from `since` up to and without `until` are, the latest first."""
    if until <= since:
        return []
    last, first = (datetime.fromtimestamp(time / 1000, UTC) for time in (until - 1, since))
    counted = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{each // 12:04}-{each % 12 + 1:02}" for each in reversed(counted)]


def checked_reason(text: str | None) -> str:
    """Return the reason of an action, "" for none. Raises ParameterInvalid for a longer one and control characters."""
    reason = (text or "").strip()
    if len(reason) > REASON:
        raise ParameterInvalid(f"reason must have at most {REASON} characters")
    if any(ord(each) < 32 or ord(each) == 127 for each in reason):
        raise ParameterInvalid("reason must not have control characters")
    return reason


def bounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `before` or `after` within its bound: long texts are cut; of too many values, only the names are left."""
    short = {name: _short(value) for name, value in values.items()}
    if len(json.dumps(short, ensure_ascii=False).encode()) <= MOST_BYTES:
        return short
    return {"fields": _short(sorted(values))}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    if isinstance(value, list | tuple | set | frozenset):
        listed = sorted(value) if isinstance(value, set | frozenset) else list(value)
        return [_short(each) for each in listed[:10]] + (["…"] if len(listed) > 10 else [])
    if isinstance(value, Mapping):
        return _short(sorted(value))
    return value if value is None or isinstance(value, bool | int) else _short(str(value))
