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


class Whose(Enum):
    """Whose id is named, as seen from the app that runs: the first columns of the matrices."""

    OWNER = "Owner: self"
    OWNERS_FRIEND = "Owner: friends"
    VIEWER = "Viewer: self"
    VIEWERS_FRIEND = "Viewer: friends"
    OTHER = "Others"


class Status(Enum):
    """Whether the person whose id is named has installed the app."""

    INSTALLED = "Installed"
    NOT_INSTALLED = "Not installed"


class Sign(Enum):
    """What a cell of a matrix says."""

    ALWAYS = "●"
    PUBLISHED = "○"
    """If published: to everyone, to friends of friends, or to friends."""
    UNLESS_OFF = "▲"
    """Unless the person has switched off that apps they have not installed see them."""
    PUBLIC_UNLESS_OFF = "△"
    """If published to everyone, unless switched off."""
    NEVER = "×"


INSTALLED, NOT_INSTALLED = Status.INSTALLED, Status.NOT_INSTALLED
Matrix = dict[tuple[Whose, Status], tuple[Sign, Sign]]


def _matrix(*rows: tuple[Whose, Status, str, str]) -> Matrix:
    return {(whose, status): (Sign(first), Sign(second)) for whose, status, first, second in rows}


# fmt: off
INFORMATION = _matrix(
    # whose id              app status      user's       user's profile
    #                                       information  information
    (Whose.OWNER,           INSTALLED,      "●",         "○"),
    (Whose.OWNERS_FRIEND,   INSTALLED,      "●",         "○"),
    (Whose.OWNERS_FRIEND,   NOT_INSTALLED,  "▲",         "△"),
    (Whose.VIEWER,          INSTALLED,      "●",         "○"),
    (Whose.VIEWER,          NOT_INSTALLED,  "×",         "×"),
    (Whose.VIEWERS_FRIEND,  INSTALLED,      "●",         "○"),
    (Whose.VIEWERS_FRIEND,  NOT_INSTALLED,  "×",         "×"),
    (Whose.OTHER,           INSTALLED,      "●",         "○"),
    (Whose.OTHER,           NOT_INSTALLED,  "×",         "×"),
)
"""Obtaining information: the user's (nickname, profile and picture URL, blood type) and the profile's (address, age,
birth date, gender)."""

DATA = _matrix(
    # whose id              app status      update       obtain
    (Whose.OWNER,           INSTALLED,      "×",         "●"),
    (Whose.OWNERS_FRIEND,   INSTALLED,      "×",         "●"),
    (Whose.OWNERS_FRIEND,   NOT_INSTALLED,  "×",         "×"),
    (Whose.VIEWER,          INSTALLED,      "●",         "●"),
    (Whose.VIEWER,          NOT_INSTALLED,  "×",         "×"),
    (Whose.VIEWERS_FRIEND,  INSTALLED,      "×",         "●"),
    (Whose.VIEWERS_FRIEND,  NOT_INSTALLED,  "×",         "×"),
    (Whose.OTHER,           INSTALLED,      "×",         "●"),
    (Whose.OTHER,           NOT_INSTALLED,  "×",         "×"),
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
class Running:
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
    def own(cls, viewer: str, *, installed: bool, friends: Container[str] = ()) -> "Running":
        """The viewer's own app: owner and viewer are one."""
        return cls(viewer, viewer, installed, installed, viewer_friends=friends)

    def whose(self, target: str) -> Whose:
        """The row of the matrices that a person belongs to.

        Where owner and viewer are one, the Viewer rows hold. Otherwise the first that fits: self before friends, the
        owner's before the viewer's. Rows of an owner who has not installed the app do not exist.
        """
        if target == self.viewer:
            return Whose.VIEWER
        owned = self.owner != self.viewer and self.owner_installed
        if owned and target == self.owner:
            return Whose.OWNER
        if owned and target in self.owner_friends:
            return Whose.OWNERS_FRIEND
        return Whose.VIEWERS_FRIEND if target in self.viewer_friends else Whose.OTHER

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


def status(installed: bool) -> Status:
    """The app status of a person who has, or has not, installed the app."""
    return INSTALLED if installed else NOT_INSTALLED


def may_obtain_information(whose: Whose, status: Status, *, visible: bool, viewer_installed: bool) -> bool:
    """Whether a person's nickname, URLs and blood type may be had; `visible` is their switch."""
    sign = _information(whose, status, viewer_installed)[0]
    return _allows(sign, Publication.EVERYONE, visible)


def may_obtain_profile(
    whose: Whose,
    status: Status,
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


def may_update_data(whose: Whose, status: Status) -> bool:
    """Whether a person's persistent data may be created, modified or deleted."""
    return DATA[whose, status][0] is Sign.ALWAYS


def may_obtain_data(whose: Whose, status: Status) -> bool:
    """Whether a person's persistent data may be read."""
    return DATA[whose, status][1] is Sign.ALWAYS


_FARTHEST = {
    Publication.EVERYONE: Closeness.STRANGER,
    Publication.FRIENDS_OF_FRIENDS: Closeness.FRIEND_OF_FRIEND,
    Publication.FRIENDS: Closeness.FRIEND,
    # Not even oneself: what is published to nobody, no app sees.
    Publication.NOBODY: -1,
}


def _information(whose: Whose, status: Status, viewer_installed: bool) -> tuple[Sign, Sign]:
    """Return a row of INFORMATION; × for friends of a viewer who has not installed the app: the (*) of the page."""
    if whose is Whose.VIEWERS_FRIEND and not viewer_installed:
        return Sign.NEVER, Sign.NEVER
    return INFORMATION[whose, status]


def _allows(sign: Sign, publication: Publication, visible: bool) -> bool:
    match sign:
        case Sign.ALWAYS:
            return True
        case Sign.PUBLISHED:
            return publication is not Publication.NOBODY
        case Sign.UNLESS_OFF:
            return visible
        case Sign.PUBLIC_UNLESS_OFF:
            return visible and publication is Publication.EVERYONE
        case Sign.NEVER:
            return False
