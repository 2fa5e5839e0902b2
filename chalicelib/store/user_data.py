"""Export and erasure of all stored data about a user, in all tables; erasure of an app.

It is in store/, above the tables' modules: it calls only stores, and an erasure is complete because of the order of its
calls. A new store that keeps data of users must be added here, to export and to erasure.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from chalicelib.core.errors import PermissionDenied, TooLarge
from chalicelib.core.events import EventKind, number_in_life
from chalicelib.core.model.directory import App, User
from chalicelib.core.oauth import Grant
from chalicelib.core.reports import Case, Report
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.items import Item
from chalicelib.store.aws.side_by_side import WORKERS, side_by_side
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.cleanup_notes import LATE_MS, USER, CleanupNotes
from chalicelib.store.contents.posts_of_user import PostedContents, PostsOfUser
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.keys import every
from chalicelib.store.directory.leaving import LeavingUsers
from chalicelib.store.events.log import EventLog
from chalicelib.store.grants.grants import Grants
from chalicelib.store.grants.sessions import UserSessions
from chalicelib.store.oversized_answers import OversizedAnswers
from chalicelib.store.records.reports import Reports

_REPORTS = 100
"""Reports that an export reads at a time."""
EXPORT_BYTES = 60_000_000
"""The most bytes of values in one export, for all apps: a function's memory holds several times as much."""
POSTS_SECONDS = 10.0
"""The time that one call spends on erasing a user's posts; the cleanup note covers the rest."""
APP_SECONDS = 12.0
"""The time that one call spends on erasing an app; the next call continues."""

LEAVING_AT_ONCE = 10
"""The most users that one sweep erases because they left; the next sweep continues."""


@dataclass(frozen=True)
class UserDataExport:
    """All stored data about one user. `data` has each installed app's data; `administers` and `follows` are pages."""

    user: User
    friends: Sequence[str]
    data: dict[str, dict[str, str]]
    grants: Sequence[Grant]
    administers: Sequence[str]
    follows: Sequence[str]
    posted: PostedContents
    reports: Sequence[tuple[Report, Case]] = ()


class UserData:
    """The data about users in all stores of one deployment."""

    def __init__(
        self,
        directory: Directory,
        appdata: AppData,
        grants: Grants,
        posts: PostsOfUser,
        notes: CleanupNotes,
        answers: OversizedAnswers,
        events: EventLog,
        reports: Reports,
        sessions: UserSessions,
        leaving: LeavingUsers,
    ) -> None:
        self._users = directory.users
        self._apps = directory.apps
        self._members = directory.pages.members
        self._directory = directory.friends_and_installs
        self._appdata = appdata
        self._grants = grants
        self._posts = posts
        self._notes = notes
        self._answers = answers
        self._events = events
        self._reports = reports
        self._sessions = sessions
        self._leaving = leaving

    def export(self, user: str) -> UserDataExport | None:
        """Return all data about a user, or None without such a user. Raises TooLarge (over EXPORT_BYTES of values)."""
        known = self._users.get(user)
        if known is None:
            return None
        data: dict[str, dict[str, str]] = {}
        left = EXPORT_BYTES
        for app in self._installs(user):
            try:
                left -= self._appdata.usage(app, user).balance.total
                if left < 0:
                    raise TooLarge(f"The user's data are too large for one export (max={EXPORT_BYTES})")
                data[app] = self._appdata.read(app, user, None).data or {}
            except PermissionDenied:
                continue  # Uninstalled in the meantime.
        return UserDataExport(
            user=known,
            friends=list(every(partial(self._directory.friends, user))),
            data=data,
            grants=self._grants.of_user(user),
            administers=list(every(partial(self._members.administered, user))),
            follows=list(every(partial(self._members.followed, user))),
            posted=self._posts.export(user),
            reports=list(every(partial(self._reports.of_user, user, count=_REPORTS))),
        )

    def install(self, app: App, user: str) -> bool:
        """Install an app for a user, and tell the app; return whether it was not installed before.

        Raises NotFound (no such user) and Unavailable.
        """

        def tell(write: Transaction) -> None:
            self._tell(write, app, user, EventKind.INSTALLED)

        return self._appdata.install(app.id, user, also=tell)

    def uninstall(self, app: str, user: str) -> bool:
        """Uninstall an app for a user: erase the data there, end the grant and tell the app, in one transaction.

        Oversized answers with the user's data are removed afterwards. Returns whether the app was installed. Raises
        Unavailable; then it may be called again.
        """
        removed = self._uninstall(app, user, EventKind.UNINSTALLED)
        self._answers.clear(user)
        return removed

    def erase(self, user: str, now: Callable[[], float] = time.monotonic, *, with_posts: bool = True) -> dict[str, int]:
        """Erase a user everywhere; return the number of removed items of each kind.

        First the user is closed: they cannot sign in, and nothing can be added to them any more. Then all their data
        are deleted, and last the user. So if a call is interrupted, a repeated call completes it. The next sweep clears
        own values; a cleanup note covers posts that are too many for one call or were in progress, or all of them
        (`with_posts` false). Raises Unavailable.
        """
        removed = {
            "profiles": int(self._users.close(user)),
            "friendships": _count(every(partial(self._directory.friends, user))),
            "installs": 0,
            "grants": len(self._grants.of_user(user)),
            "page roles": _count(every(partial(self._members.administered, user)))
            + _count(every(partial(self._members.followed, user))),
        }
        for apps in _chunks(self._installs(user)):
            kinds = EventKind.UNINSTALLED, EventKind.ERASED
            removed["installs"] += sum(side_by_side([partial(self._uninstall, app, user, *kinds) for app in apps]))
        self._grants.erase(user)
        removed["reports"] = self._reports.erase(user)
        self._sessions.clear(user)
        self._notes.leave(USER + user, LATE_MS)
        removed["posts"] = self._posts.erase(user, now() + POSTS_SECONDS, now) if with_posts else 0
        self._answers.clear(user)
        self._users.delete(user)
        return removed

    def erase_leaving(self, seconds: float, now: Callable[[], float] = time.monotonic) -> int:
        """Erase the users whose time to undo the deletion of their account is over, for about `seconds` seconds.

        Returns the number of erased users. A user who is still being erased then, or was when a process died, is taken
        up again by the next call. Their posts are erased by the cleanup. Raises Unavailable.
        """
        end, erased = now() + seconds, 0
        for due, user in self._leaving.due(LEAVING_AT_ONCE):
            if self._users.close(user, leaving=due):
                self.erase(user, now, with_posts=False)
                erased += 1
            self._leaving.forget(due, user)
            if now() >= end:
                break
        return erased

    def erase_app(self, app: str, now: Callable[[], float] = time.monotonic) -> tuple[int, bool]:
        """Erase an app with its installs, their data and their grants, for about APP_SECONDS.

        Returns the number of removed installs, and whether the app is fully erased; if not, call this again.
        """
        end, removed = now() + APP_SECONDS, 0
        self._apps.close(app)
        self._grants.end_own(app)
        for users in _chunks(every(partial(self._directory.installed_users, app))):
            removed += sum(side_by_side([partial(self._uninstall, app, user) for user in users]))
            if now() >= end:
                return removed, False
        self._apps.delete(app)
        return removed, True

    def _uninstall(self, app: str, user: str, *kinds: EventKind) -> bool:
        """Uninstall an app for a user, and tell the app by events of those of these kinds that it asked for.

        Oversized answers are kept: a search for them costs one call per user.
        """

        def also(write: Transaction, item: Item | None) -> None:
            self._grants.ending(write, user, app)
            if known := self._apps.from_item(item, with_secret=False):
                self._tell(write, known, user, *kinds)

        removed = self._appdata.uninstall(app, user, also, self._apps.place(app) if kinds else None)
        if not removed:
            # Only tables that were restored to different times can have a grant without its install.
            self._grants.end(user, app)
        return removed

    def _tell(self, write: Transaction, app: App, user: str, *kinds: EventKind) -> None:
        for kind in kinds:
            if kind in app.events:
                number = number_in_life(kind, app.events)
                self._events.note(write, app.id, kind, f"install/{user}", number, {"user": user})

    def _installs(self, user: str) -> Iterator[str]:
        return every(partial(self._directory.installs, user))


def _chunks(ids: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(ids, WORKERS)):
        yield chunk


def _count(ids: Iterator[str]) -> int:
    return sum(1 for _ in ids)
