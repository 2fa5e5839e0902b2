"""The permission model: whose information, friends and persistent data an app may have.

It asks whose id is named (the owner's, the viewer's, a friend's of either, anyone else's) and whether that person has
installed the app; for each app anew, whoever made it. INFORMATION and DATA are the printed matrices. Source: the page
Available Information. Of its tables only × and the labels survive; the other signs follow from its text
(docs/internals/decisions.md).
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, IntEnum

from chalicelib.core.model.directory import Publication


class MatrixRow(Enum):
    """Whose id is named, as seen from the app that runs: the first columns of the matrices."""

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
    """What a cell of a matrix says."""

    ALWAYS = "●"
    PUBLISHED = "○"
    """If published: to everyone, to friends of friends, or to friends."""
    UNLESS_OFF = "▲"
    """Unless the person has switched off that apps they have not installed see them."""
    PUBLIC_UNLESS_OFF = "△"
    """If published to everyone, unless switched off."""
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
"""Obtaining information: the user's (nickname, profile and picture URL, blood type) and the profile's (address, age,
birth date, gender)."""

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
"""Persistent data: update is creation, modification and deletion."""
# fmt: on


class Closeness(IntEnum):
    """How close the viewer is to the person whose profile it is."""

    SELF = 0
    FRIEND = 1
    FRIEND_OF_FRIEND = 2
    STRANGER = 3


@dataclass(frozen=True)
class AppRun:
    """An app as it runs: whose it is (owner), who looks at it (viewer), which of them has installed it, their friends.

    The collections of friends need to be right only for the people who are asked about.
    """

    owner: str
    viewer: str
    owner_installed: bool
    viewer_installed: bool
    owner_friends: Container[str] = ()
    viewer_friends: Container[str] = ()
    friends_of_friends: Container[str] = ()
    """Friends of the viewer's friends; only a strict profile visibility asks for them."""

    @classmethod
    def own(cls, viewer: str, *, installed: bool, friends: Container[str] = ()) -> "AppRun":
        """The viewer's own app: owner and viewer are one."""
        return cls(viewer, viewer, installed, installed, viewer_friends=friends)

    def whose(self, target: str) -> MatrixRow:
        """The row of the matrices that a person belongs to.

        Where owner and viewer are one, the Viewer rows hold. Otherwise the first that fits: self before friends, the
        owner's before the viewer's. Rows of an owner who has not installed the app do not exist.
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
        """Whether the list of a person's friends may be had: the owner's, and the viewer's who has installed the app.

        Where owner and viewer are one, the viewer's condition holds. Nobody else's, installed or not.
        """
        if target == self.viewer:
            return self.viewer_installed
        return target == self.owner and self.owner_installed

    def may_name(self, target: str) -> bool:
        """Whether `/2` takes a person's id: the viewer's own, and a friend's, where the friends may be listed.

        Narrower than the matrices: the pages of the Persistence API and the People API name no one else.
        """
        return target == self.viewer or (self.may_list_friends(self.viewer) and target in self.viewer_friends)

    def closeness(self, target: str) -> Closeness:
        """How close the viewer is to a person."""
        if target == self.viewer:
            return Closeness.SELF
        if target in self.viewer_friends:
            return Closeness.FRIEND
        return Closeness.FRIEND_OF_FRIEND if target in self.friends_of_friends else Closeness.STRANGER


def status(installed: bool) -> InstallStatus:
    """The app status of a person who has, or has not, installed the app."""
    return INSTALLED if installed else NOT_INSTALLED


def may_obtain_information(whose: MatrixRow, status: InstallStatus, *, visible: bool, viewer_installed: bool) -> bool:
    """Whether a person's nickname, URLs and blood type may be had; `visible` is their switch."""
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
    """Whether one item of a person's profile, published so, may be had.

    With `closeness`, a publication to friends (of friends) also asks for that relation between viewer and person: the
    strict profile visibility. Without it, the matrix as printed.
    """
    if closeness is not None and closeness > _FARTHEST[publication]:
        return False
    sign = _information(whose, status, viewer_installed)[1]
    return _allows(sign, publication, visible)


def may_update_data(whose: MatrixRow, status: InstallStatus) -> bool:
    """Whether a person's persistent data may be created, modified or deleted."""
    return DATA[whose, status][0] is MatrixSign.ALWAYS


def may_obtain_data(whose: MatrixRow, status: InstallStatus) -> bool:
    """Whether a person's persistent data may be read."""
    return DATA[whose, status][1] is MatrixSign.ALWAYS


_FARTHEST = {
    Publication.EVERYONE: Closeness.STRANGER,
    Publication.FRIENDS_OF_FRIENDS: Closeness.FRIEND_OF_FRIEND,
    Publication.FRIENDS: Closeness.FRIEND,
    # Not even oneself: what is published to nobody, no app sees.
    Publication.NOBODY: -1,
}


def _information(whose: MatrixRow, status: InstallStatus, viewer_installed: bool) -> tuple[MatrixSign, MatrixSign]:
    """Return a row of INFORMATION; × for friends of a viewer who has not installed the app: the (*) of the page."""
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
