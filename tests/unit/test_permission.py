"""The permission model, cell by cell: the tables below are the printed matrices, with one situation for each row."""

from dataclasses import replace

import pytest

from chalicelib.core.model.publication import Publication
from chalicelib.core.permission import (
    DATA,
    INFORMATION,
    AppRun,
    Closeness,
    InstallStatus,
    MatrixRow,
    MatrixSign,
    may_obtain_data,
    may_obtain_information,
    may_obtain_profile,
    may_update_data,
    status,
)

OWNER, VIEWER, OWNERS_FRIEND, VIEWERS_FRIEND, OTHER = "owner", "viewer", "owners-friend", "viewers-friend", "other"
BY_LABEL = {
    ("Owner", "Self"): OWNER,
    ("Owner", "Friends"): OWNERS_FRIEND,
    ("Viewer", "Self"): VIEWER,
    ("Viewer", "Friends"): VIEWERS_FRIEND,
    ("Others", ""): OTHER,
}
RUNNING = AppRun(
    owner=OWNER,
    viewer=VIEWER,
    owner_installed=True,
    viewer_installed=True,
    owner_friends={OWNERS_FRIEND},
    viewer_friends={VIEWERS_FRIEND},
)

# fmt: off
INFORMATION_ROWS = [
    # whose id              app status       user's       user's profile
    #                                        information  information
    ("Owner",  "Self",      "Installed",     "●",         "○"),
    ("Owner",  "Friends",   "Installed",     "●",         "○"),
    ("Owner",  "Friends",   "Not installed", "▲",         "△"),
    ("Viewer", "Self",      "Installed",     "●",         "○"),
    ("Viewer", "Self",      "Not installed", "×",         "×"),
    ("Viewer", "Friends",   "Installed",     "●",         "○"),
    ("Viewer", "Friends",   "Not installed", "×",         "×"),
    ("Others", "",          "Installed",     "●",         "○"),
    ("Others", "",          "Not installed", "×",         "×"),
]
DATA_ROWS = [
    # whose id              app status       update       obtain
    ("Owner",  "Self",      "Installed",     "×",         "●"),
    ("Owner",  "Friends",   "Installed",     "×",         "●"),
    ("Owner",  "Friends",   "Not installed", "×",         "×"),
    ("Viewer", "Self",      "Installed",     "●",         "●"),
    ("Viewer", "Self",      "Not installed", "×",         "×"),
    ("Viewer", "Friends",   "Installed",     "×",         "●"),
    ("Viewer", "Friends",   "Not installed", "×",         "×"),
    ("Others", "",          "Installed",     "×",         "●"),
    ("Others", "",          "Not installed", "×",         "×"),
]

#                                   ●      ○      ▲      △      ×
OBTAINABLE = {
    (Publication.EVERYONE,           True):  "●○▲△",
    (Publication.FRIENDS_OF_FRIENDS, True):  "●○▲",
    (Publication.FRIENDS,            True):  "●○▲",
    (Publication.NOBODY,             True):  "●▲",
    (Publication.EVERYONE,           False): "●○",
    (Publication.FRIENDS_OF_FRIENDS, False): "●○",
    (Publication.FRIENDS,            False): "●○",
    (Publication.NOBODY,             False): "●",
}
"""The signs that allow access, by the publication of the item and the person's switch (on, off)."""
# fmt: on


def row_of(who: str, relation: str, app_status: str) -> tuple[MatrixRow, InstallStatus]:
    """Return the row that the model finds for the person in a printed row, and the install status."""
    installed = app_status == "Installed"
    target = BY_LABEL[who, relation]
    running = replace(RUNNING, viewer_installed=installed) if target == VIEWER else RUNNING
    return running.whose(target), status(installed)


@pytest.mark.parametrize(("published", "visible"), OBTAINABLE, ids=lambda value: getattr(value, "value", str(value)))
@pytest.mark.parametrize(("who", "relation", "app_status", "basic", "profile"), INFORMATION_ROWS)
def test_information(
    who: str, relation: str, app_status: str, basic: str, profile: str, published: Publication, visible: bool
) -> None:
    whose, installed = row_of(who, relation, app_status)
    opened = OBTAINABLE[published, visible]

    for viewer_installed in (True, False):
        # (*) If the viewer has not installed the app, the rows of the viewer's friends are ×.
        withheld = (who, relation) == ("Viewer", "Friends") and not viewer_installed
        signs = ("×", "×") if withheld else (basic, profile)
        found = (
            may_obtain_information(whose, installed, visible=visible, viewer_installed=viewer_installed),
            may_obtain_profile(whose, installed, published, visible=visible, viewer_installed=viewer_installed),
        )
        assert found == tuple(sign in opened for sign in signs)


@pytest.mark.parametrize(("who", "relation", "app_status", "update", "obtain"), DATA_ROWS)
def test_persistent_data(who: str, relation: str, app_status: str, update: str, obtain: str) -> None:
    whose, installed = row_of(who, relation, app_status)

    assert may_update_data(whose, installed) == (update == "●")
    assert may_obtain_data(whose, installed) == (obtain == "●")


@pytest.mark.parametrize(("matrix", "rows"), [(INFORMATION, INFORMATION_ROWS), (DATA, DATA_ROWS)])
def test_the_matrices_have_the_printed_rows_and_no_other(
    matrix: dict[tuple[MatrixRow, InstallStatus], tuple[MatrixSign, MatrixSign]],
    rows: list[tuple[str, str, str, str, str]],
) -> None:
    printed = {row_of(*row[:3]): row[3:] for row in rows}

    assert {row: (first.value, second.value) for row, (first, second) in matrix.items()} == printed


# fmt: off
OWN = AppRun.own(VIEWER, installed=True, friends={VIEWERS_FRIEND})
BOTH = "friend-of-both"
CROSSED = replace(RUNNING, owner_friends={VIEWER, OWNERS_FRIEND, BOTH}, viewer_friends={OWNER, VIEWERS_FRIEND, BOTH})
WHOSE = [
    # viewer = owner: the Viewer rows
    (OWN,                                      VIEWER,         MatrixRow.VIEWER),
    (OWN,                                      VIEWERS_FRIEND, MatrixRow.VIEWERS_FRIEND),
    (OWN,                                      OTHER,          MatrixRow.OTHER),
    # in two rows at once: self before friends, the owner's before the viewer's
    (CROSSED,                                  OWNER,          MatrixRow.OWNER),
    (CROSSED,                                  VIEWER,         MatrixRow.VIEWER),
    (CROSSED,                                  BOTH,           MatrixRow.OWNERS_FRIEND),
    # a viewer who has not installed the app is in the same rows
    (replace(CROSSED, viewer_installed=False), VIEWERS_FRIEND, MatrixRow.VIEWERS_FRIEND),
    (replace(CROSSED, viewer_installed=False), BOTH,           MatrixRow.OWNERS_FRIEND),
    (replace(CROSSED, viewer_installed=False), VIEWER,         MatrixRow.VIEWER),
    # an owner who has not installed the app has no rows
    (replace(CROSSED, owner_installed=False),  OWNER,          MatrixRow.VIEWERS_FRIEND),
    (replace(CROSSED, owner_installed=False),  OWNERS_FRIEND,  MatrixRow.OTHER),
    (replace(CROSSED, owner_installed=False),  BOTH,           MatrixRow.VIEWERS_FRIEND),
]
FRIEND_LISTS = [
    # whose list                               owner   viewer  viewer's friend
    (OWN,                                      True,   True,   False),
    (AppRun.own(VIEWER, installed=False),     False,  False,  False),
    (RUNNING,                                  True,   True,   False),
    (replace(RUNNING, viewer_installed=False), True,   False,  False),
    (replace(RUNNING, owner_installed=False),  False,  True,   False),
]
# fmt: on


@pytest.mark.parametrize(("running", "target", "whose"), WHOSE)
def test_whose_row(running: AppRun, target: str, whose: MatrixRow) -> None:
    assert running.whose(target) is whose


def test_ones_own_app_has_one_user_and_their_friends() -> None:
    own = AppRun.own(VIEWER, installed=True, friends={VIEWERS_FRIEND})

    assert own == AppRun(VIEWER, VIEWER, True, True, viewer_friends={VIEWERS_FRIEND})
    assert AppRun.own(VIEWER, installed=False).whose(VIEWERS_FRIEND) is MatrixRow.OTHER


@pytest.mark.parametrize(("running", "owner", "viewer", "friend"), FRIEND_LISTS)
def test_friend_lists(running: AppRun, owner: bool, viewer: bool, friend: bool) -> None:
    """The lists of the owner and the viewer, if they have installed the app; no other user's, even if installed."""
    found = [running.may_list_friends(each) for each in (running.owner, running.viewer, VIEWERS_FRIEND, OTHER)]

    assert found == [owner, viewer, friend, False]


@pytest.mark.parametrize("running", [RUNNING, OWN])
def test_whom_a_request_may_name(running: AppRun) -> None:
    """The viewer and the viewer's friends, the friends only if their list may be read."""
    without = replace(running, viewer_installed=False)

    assert [each for each in BY_LABEL.values() if running.may_name(each)] == [VIEWER, VIEWERS_FRIEND]
    assert [each for each in BY_LABEL.values() if without.may_name(each)] == [VIEWER]


# fmt: off
STRICT = [
    #                                self   friend friend's friend  stranger
    (Publication.EVERYONE,           True,  True,  True,            True),
    (Publication.FRIENDS_OF_FRIENDS, True,  True,  True,            False),
    (Publication.FRIENDS,            True,  True,  False,           False),
    (Publication.NOBODY,             False, False, False,           False),
]
# fmt: on


@pytest.mark.parametrize(("published", "itself", "friend", "friends_friend", "stranger"), STRICT)
def test_strict_profile_visibility(
    published: Publication, itself: bool, friend: bool, friends_friend: bool, stranger: bool
) -> None:
    found = {
        closeness: may_obtain_profile(
            MatrixRow.OTHER,
            InstallStatus.INSTALLED,
            published,
            visible=True,
            viewer_installed=True,
            closeness=closeness,
        )
        for closeness in Closeness
    }

    assert list(found.values()) == [itself, friend, friends_friend, stranger]


def test_strictness_opens_nothing() -> None:
    """A public item of a friend without the app stays closed, however close the friend is."""
    assert not may_obtain_profile(
        MatrixRow.VIEWERS_FRIEND,
        InstallStatus.NOT_INSTALLED,
        Publication.EVERYONE,
        visible=True,
        viewer_installed=True,
        closeness=Closeness.FRIEND,
    )


def test_closeness() -> None:
    running = replace(OWN, friends_of_friends={"far", VIEWERS_FRIEND})

    found = [running.closeness(each) for each in (VIEWER, VIEWERS_FRIEND, "far", OTHER)]

    assert found == [Closeness.SELF, Closeness.FRIEND, Closeness.FRIEND_OF_FRIEND, Closeness.STRANGER]
