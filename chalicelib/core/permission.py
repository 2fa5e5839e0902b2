"""The permission model: the people whose information, friends and persistent data an app may read or change.

It depends on the person whose id is named (owner, viewer, a friend of either, or another person) and on whether that
person has installed the app. Each app is judged separately, even if the same developer made several. INFORMATION and
DATA are the printed matrices. Source: the page Available Information. Of its tables, only × and the labels survive. The
other signs follow from its text (docs/internals/decisions.md).
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, IntEnum

from chalicelib.core.model.publication import Publication


class MatrixRow(Enum):
    """The person whose id is named, as seen from the running app: the first columns of the matrices."""

    OWNER = "Owner: self"
    OWNERS_FRIEND = "Owner: friends"
    VIEWER = "Viewer: self"
    VIEWERS_FRIEND = "Viewer: friends"
    OTHER = "Others"


class InstallStatus(Enum):
    """Whether the person whose id is named has installed the app."""

    INSTALLED = "Installed"
    NOT_INSTALLED = "Not installed"


class MatrixSign(Enum):
    """The sign in a cell of a matrix."""

    ALWAYS = "●"
    PUBLISHED = "○"
    """Allowed if published: to everyone, to friends of friends, or to friends."""
    UNLESS_OFF = "▲"
    """Allowed unless the person has turned off visibility to apps that the person has not installed."""
    PUBLIC_UNLESS_OFF = "△"
    """Allowed if published to everyone, unless the person has turned that visibility off."""
    NEVER = "×"


INSTALLED, NOT_INSTALLED = InstallStatus.INSTALLED, InstallStatus.NOT_INSTALLED
Matrix = dict[tuple[MatrixRow, InstallStatus], tuple[MatrixSign, MatrixSign]]


def _matrix(*rows: tuple[MatrixRow, InstallStatus, str, str]) -> Matrix:
    return {(whose, status): (MatrixSign(first), MatrixSign(second)) for whose, status, first, second in rows}


# fmt: off
INFORMATION = _matrix(
    # whose id              app status      user's       user's profile
    #                                       information  information
    (MatrixRow.OWNER,           INSTALLED,      "●",         "○"),
    (MatrixRow.OWNERS_FRIEND,   INSTALLED,      "●",         "○"),
    (MatrixRow.OWNERS_FRIEND,   NOT_INSTALLED,  "▲",         "△"),
    (MatrixRow.VIEWER,          INSTALLED,      "●",         "○"),
    (MatrixRow.VIEWER,          NOT_INSTALLED,  "×",         "×"),
    (MatrixRow.VIEWERS_FRIEND,  INSTALLED,      "●",         "○"),
    (MatrixRow.VIEWERS_FRIEND,  NOT_INSTALLED,  "×",         "×"),
    (MatrixRow.OTHER,           INSTALLED,      "●",         "○"),
    (MatrixRow.OTHER,           NOT_INSTALLED,  "×",         "×"),
)
"""Obtaining information: the user's information (nickname, profile and picture URL, blood type) and the profile
information (address, age, birth date, gender)."""

DATA = _matrix(
    # whose id              app status      update       obtain
    (MatrixRow.OWNER,           INSTALLED,      "×",         "●"),
    (MatrixRow.OWNERS_FRIEND,   INSTALLED,      "×",         "●"),
    (MatrixRow.OWNERS_FRIEND,   NOT_INSTALLED,  "×",         "×"),
    (MatrixRow.VIEWER,          INSTALLED,      "●",         "●"),
    (MatrixRow.VIEWER,          NOT_INSTALLED,  "×",         "×"),
    (MatrixRow.VIEWERS_FRIEND,  INSTALLED,      "×",         "●"),
    (MatrixRow.VIEWERS_FRIEND,  NOT_INSTALLED,  "×",         "×"),
    (MatrixRow.OTHER,           INSTALLED,      "×",         "●"),
    (MatrixRow.OTHER,           NOT_INSTALLED,  "×",         "×"),
)
"""Persistent data. Update means creation, modification and deletion."""
# fmt: on


class Closeness(IntEnum):
    """How close the viewer is to the owner of a profile."""

    SELF = 0
    FRIEND = 1
    FRIEND_OF_FRIEND = 2
    STRANGER = 3


@dataclass(frozen=True)
class AppRun:
    """A running app: its owner, its viewer, which of them have installed it, and their friends.

    The collections of friends need to be correct only for the people in the request.
    """

    owner: str
    viewer: str
    owner_installed: bool
    viewer_installed: bool
    owner_friends: Container[str] = ()
    viewer_friends: Container[str] = ()
    friends_of_friends: Container[str] = ()
    """Friends of the viewer's friends. Only strict profile visibility needs them."""

    @classmethod
    def own(cls, viewer: str, *, installed: bool, friends: Container[str] = ()) -> "AppRun":
        """Return a run of the viewer's own app: the owner is the viewer."""
        return cls(viewer, viewer, installed, installed, viewer_friends=friends)

    def whose(self, target: str) -> MatrixRow:
        """Return the row of the matrices that a person belongs to.

        If the owner is the viewer, the Viewer rows apply. Otherwise the first row that fits applies: self before
        friends, and the owner's friends before the viewer's. If the owner has not installed the app, the Owner rows do
        not apply.
        """
        if target == self.viewer:
            return MatrixRow.VIEWER
        owned = self.owner != self.viewer and self.owner_installed
        if owned and target == self.owner:
            return MatrixRow.OWNER
        if owned and target in self.owner_friends:
            return MatrixRow.OWNERS_FRIEND
        return MatrixRow.VIEWERS_FRIEND if target in self.viewer_friends else MatrixRow.OTHER

    def may_list_friends(self, target: str) -> bool:
        """Return whether the app may list a person's friends: those of an owner or viewer who has installed the app.

        If the owner is the viewer, the viewer's condition applies. Friends of other people are never listed.
        """
        if target == self.viewer:
            return self.viewer_installed
        return target == self.owner and self.owner_installed

    def may_name(self, target: str) -> bool:
        """Return whether `/2` accepts a person's id: the viewer's, and a friend's if the friends may be listed.

        This is narrower than the matrices: the pages of the Persistence API and the People API name no other people.
        """
        return target == self.viewer or (self.may_list_friends(self.viewer) and target in self.viewer_friends)

    def closeness(self, target: str) -> Closeness:
        """Return how close the viewer is to a person."""
        if target == self.viewer:
            return Closeness.SELF
        if target in self.viewer_friends:
            return Closeness.FRIEND
        return Closeness.FRIEND_OF_FRIEND if target in self.friends_of_friends else Closeness.STRANGER


def status(installed: bool) -> InstallStatus:
    """Return the app status of a person who has, or has not, installed the app."""
    return INSTALLED if installed else NOT_INSTALLED


def may_obtain_information(whose: MatrixRow, status: InstallStatus, *, visible: bool, viewer_installed: bool) -> bool:
    """Return whether the app may read a person's nickname, URLs and blood type; `visible` is the person's setting."""
    sign = _information(whose, status, viewer_installed)[0]
    return _allows(sign, Publication.EVERYONE, visible)


def may_obtain_profile(
    whose: MatrixRow,
    status: InstallStatus,
    publication: Publication,
    *,
    visible: bool,
    viewer_installed: bool,
    closeness: Closeness | None = None,
) -> bool:
    """Return whether the app may read one field of a person's profile that has this publication.

    With `closeness` (strict profile visibility), a publication to friends (of friends) also requires that relation
    between viewer and person. Without it, the matrix applies as printed.
    """
    if closeness is not None and closeness > _FARTHEST[publication]:
        return False
    sign = _information(whose, status, viewer_installed)[1]
    return _allows(sign, publication, visible)


def may_see(publication: Publication, closeness: Closeness) -> bool:
    """Return whether a person may see a field with this publication on a page, without an app; their own, always."""
    return closeness is Closeness.SELF or (
        publication is not Publication.NOBODY and closeness <= _FARTHEST[publication]
    )


def may_update_data(whose: MatrixRow, status: InstallStatus) -> bool:
    """Return whether a person's persistent data may be created, modified or deleted."""
    return DATA[whose, status][0] is MatrixSign.ALWAYS


def may_obtain_data(whose: MatrixRow, status: InstallStatus) -> bool:
    """Return whether a person's persistent data may be read."""
    return DATA[whose, status][1] is MatrixSign.ALWAYS


_FARTHEST = {
    Publication.EVERYONE: Closeness.STRANGER,
    Publication.FRIENDS_OF_FRIENDS: Closeness.FRIEND_OF_FRIEND,
    Publication.FRIENDS: Closeness.FRIEND,
    # Not even SELF is close enough: no app sees a field that is published to nobody.
    Publication.NOBODY: -1,
}


def _information(whose: MatrixRow, status: InstallStatus, viewer_installed: bool) -> tuple[MatrixSign, MatrixSign]:
    """Return a row of INFORMATION; × for friends of a viewer who has not installed the app (the page's note (*))."""
    if whose is MatrixRow.VIEWERS_FRIEND and not viewer_installed:
        return MatrixSign.NEVER, MatrixSign.NEVER
    return INFORMATION[whose, status]


def _allows(sign: MatrixSign, publication: Publication, visible: bool) -> bool:
    match sign:
        case MatrixSign.ALWAYS:
            return True
        case MatrixSign.PUBLISHED:
            return publication is not Publication.NOBODY
        case MatrixSign.UNLESS_OFF:
            return visible
        case MatrixSign.PUBLIC_UNLESS_OFF:
            return visible and publication is Publication.EVERYONE
        case MatrixSign.NEVER:
            return False
