"""The permission model in the faces of `/2`: each row of both matrices, tested over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from local.demo_data import APPS, FRIENDSHIPS, INSTALLS, PEOPLE, USERS

if TYPE_CHECKING:
    from tests.kit.worlds import World


OUT = "outsider0000"
"""A user without friends and without the app."""

# fmt: off
ROWS = [
    # viewer  owner   whose id is named            information  update  obtain
    # viewer is owner: the Viewer rows
    ("hana",  "hana", "hana",  # self, installed
                                                   200,         200,    200),
    ("taro",  "taro", "taro",  # self, not installed
                                                   403,         403,    403),
    ("hana",  "hana", "ken",   # friend, installed
                                                   200,         403,    200),
    ("hana",  "hana", "taro",  # friend, not installed
                                                   403,         403,    403),
    ("taro",  "taro", "hana",  # friend, installed, of a viewer who has not: (*)
                                                   403,         403,    403),
    # others: /2 accepts only oneself and friends
    ("hana",  "hana", "yuki",  # other, installed
                                                   403,         403,    403),
    ("hana",  "hana", OUT,     # other, not installed
                                                   403,         403,    403),
    # ken looks at hana's app
    ("ken",   "hana", "hana",  # the owner, a friend
                                                   200,         403,    200),
    ("ken",   "hana", "mei",   # the owner's friend and the viewer's, installed
                                                   200,         403,    200),
    ("mei",   "ken",  "hana",  # the same, seen by mei
                                                   200,         403,    200),
    ("hana",  "ken",  "taro",  # the viewer's friend only, not installed
                                                   403,         403,    403),
    ("hana",  "mei",  "both",  # the owner's friend and the viewer's, not installed: ▲, and never data
                                                   200,         403,    403),
    ("yuki",  "hana", "ken",   # the owner's friend only
                                                   403,         403,    403),
    # taro, who has not installed it, looks at hana's app: no user is permitted
    ("taro",  "hana", "hana",  # the owner, a friend
                                                   403,         403,    403),
    ("taro",  "hana", "ken",   # the owner's friend, installed
                                                   403,         403,    403),
    ("taro",  "hana", "taro",  # self; the owner's friend, too
                                                   403,         403,    403),
    ("taro",  "hana", "yuki",  # other, installed
                                                   403,         403,    403),
]
# fmt: on


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world()
    both = PEOPLE["taro"].__class__("both00000000", "Both")
    for user in (*PEOPLE.values(), both):
        made.platform.users.create(user)
    for one, other in FRIENDSHIPS:
        made.platform.friends_and_installs.befriend(USERS[one], USERS[other])
    for name in ("hana", "mei"):
        made.platform.friends_and_installs.befriend(USERS[name], both.id)
    for name in INSTALLS["quest"]:
        made.platform.appdata.install(APPS["quest"], USERS[name], {"level": "1"})
    return made


@pytest.mark.parametrize(("viewer", "owner", "target", "information", "update", "obtain"), ROWS)
def test_rows(world: World, viewer: str, owner: str, target: str, information: int, update: int, obtain: int) -> None:
    user = USERS.get(target, OUT if target == OUT else "both00000000")
    token = world.token(USERS[viewer], "mixi_apps2", "r_profile", app=APPS["quest"], owner=USERS[owner])
    people, data = f"/2/people/{user}/@self", f"/2/apps/appdata/{user}/@self"

    assert world.send("GET", people, token=token).status == information
    assert world.send("PUT", data, {"level": "2"}, token=token).status == update
    assert world.send("DELETE", data, token=token, fields="nothing").status == update
    assert world.send("GET", data, token=token).status == obtain


@pytest.mark.parametrize(("viewer", "status"), [("hana", 200), ("yuki", 200), ("taro", 403)])
@pytest.mark.parametrize("owner", ["hana", None])
@pytest.mark.parametrize("path", ["/2/people/{}/@friends", "/2/apps/appdata/{}/@friends"])
def test_friend_lists(world: World, viewer: str, status: int, owner: str | None, path: str) -> None:
    """Only the viewer's list is readable, if the viewer has installed the app; the owner's is not."""
    whose = USERS[owner] if owner else None
    token = world.token(USERS[viewer], "mixi_apps2", "r_profile", app=APPS["quest"], owner=whose)

    assert world.send("GET", path.format("@me"), token=token).status == status
    for other in ("ken", "hana"):
        expected = status if other == viewer else 403
        assert world.send("GET", path.format(USERS[other]), token=token).status == expected
