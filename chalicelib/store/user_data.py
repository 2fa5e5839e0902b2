"""Export and erase everything that is stored about one user, in all tables; erase an app.

It stands in store/, above the tables' own modules: it calls nothing but stores, and the order of its calls is what
makes an erasure complete. A new store that keeps data of users must be added here, to export and to erasure.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from chalicelib.core.errors import PermissionDenied, TooLarge
from chalicelib.core.model.directory import User
from chalicelib.core.oauth import Grant
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.side_by_side import WORKERS, side_by_side
from chalicelib.store.contents.cleanup_notes import LATE_MS, USER, CleanupNotes
from chalicelib.store.contents.posts_of_user import PostedContents, PostsOfUser
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.keys import every
from chalicelib.store.grants.grants import Grants
from chalicelib.store.oversized_answers import OversizedAnswers

EXPORT_BYTES = 60_000_000
"""Values of all apps that one export may have to carry: what a function's memory holds several times over."""
POSTS_SECONDS = 10.0
"""How long one call works at erasing a user's posts; what is left is for the note of it."""
APP_SECONDS = 12.0
"""How long one call works at erasing an app; what is left is for the next."""


@dataclass(frozen=True)
class UserDataExport:
    """All that is stored about one user. `data` has each installed app's; `administers` and `follows` are pages."""

    user: User
    friends: Sequence[str]
    data: dict[str, dict[str, str]]
    grants: Sequence[Grant]
    administers: Sequence[str]
    follows: Sequence[str]
    posted: PostedContents


class UserData:
    """What all stores of one deployment hold about a user."""

    def __init__(
        self,
        directory: Directory,
        appdata: AppData,
        grants: Grants,
        posts: PostsOfUser,
        notes: CleanupNotes,
        answers: OversizedAnswers,
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

    def export(self, user: str) -> UserDataExport | None:
        """Return all of it, or None if there is no such user. Raises TooLarge (over EXPORT_BYTES of values)."""
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
                continue  # Uninstalled meanwhile.
        return UserDataExport(
            user=known,
            friends=list(every(partial(self._directory.friends, user))),
            data=data,
            grants=self._grants.of_user(user),
            administers=list(every(partial(self._members.administered, user))),
            follows=list(every(partial(self._members.followed, user))),
            posted=self._posts.export(user),
        )

    def uninstall(self, app: str, user: str) -> bool:
        """Uninstall an app for a user: the data there are erased and the grant ends, in one transaction.

        Oversized answers with the user's data are removed after it. Returns whether it was installed. Raises
        Unavailable; then it may be called again.
        """
        removed = self._uninstall(app, user)
        self._answers.clear(user)
        return removed

    def erase(self, user: str, now: Callable[[], float] = time.monotonic) -> dict[str, int]:
        """Erase a user everywhere; return how much of each kind there was.

        First the user is closed: they cannot sign in, and nothing can be added to them any more. Then all that is
        theirs goes, and last the user. So whatever cuts it short, calling it again finishes it. Own values are cleared
        by the next sweep; a note sees to posts that are too many for one call or were on their way. Raises Unavailable.
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
            removed["installs"] += sum(side_by_side([partial(self._uninstall, app, user) for app in apps]))
        self._grants.erase(user)
        self._notes.leave(USER + user, LATE_MS)
        removed["posts"] = self._posts.erase(user, now() + POSTS_SECONDS, now)
        self._answers.clear(user)
        self._users.delete(user)
        return removed

    def erase_app(self, app: str, now: Callable[[], float] = time.monotonic) -> tuple[int, bool]:
        """Erase an app with its installs, their data and their grants, for about APP_SECONDS.

        Returns how many installs went, and whether that was all; else it is to be called again.
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

    def _uninstall(self, app: str, user: str) -> bool:
        """Uninstall an app for a user, but leave oversized answers: looking for them costs a call for each user."""
        removed = self._appdata.uninstall(app, user, lambda write: self._grants.ending(write, user, app))
        if not removed:
            # Only tables that were restored to different moments hold a grant without its install.
            self._grants.end(user, app)
        return removed

    def _installs(self, user: str) -> Iterator[str]:
        return every(partial(self._directory.installs, user))


def _chunks(ids: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(ids, WORKERS)):
        yield chunk


def _count(ids: Iterator[str]) -> int:
    return sum(1 for _ in ids)
