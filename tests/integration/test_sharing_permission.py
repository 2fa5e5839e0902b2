"""The permission model in `/rpc` and `/os/0.8`: each row of both matrices, friends, strict profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from local.demo_data import APPS, FRIENDSHIPS, INSTALLS, PEOPLE, USERS
from tests.kit.rpc_calls import call, outcome
from tests.kit.signing import create_app, signed

if TYPE_CHECKING:
    from tests.kit.worlds import World


OUT, BOTH = "outsider0000", "both00000000"
"""The id of no user; and a friend of Hana's and Mei's without the app."""
ALL = {**USERS, "out": OUT, "both": BOTH}
SCOPES = ("mixi_apps2", "r_profile", "r_profile_location")
QUEST = APPS["quest"]

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
    ("hana",  "hana", "yuki",  # other, installed
                                                   200,         403,    200),
    ("hana",  "hana", "out",   # other, not installed
                                                   403,         403,    403),
    # yuki, who has no friends, looks at hana's app
    ("yuki",  "hana", "hana",  # the owner
                                                   200,         403,    200),
    ("yuki",  "hana", "ken",   # the owner's friend, installed
                                                   200,         403,    200),
    ("yuki",  "hana", "taro",  # the owner's friend, not installed: ▲, and never data
                                                   200,         403,    403),
    ("yuki",  "hana", "out",   # other, not installed
                                                   403,         403,    403),
    ("yuki",  "hana", "yuki",  # self, in another's app
                                                   200,         200,    200),
    # others
    ("hana",  "mei",  "both",  # the owner's friend and the viewer's, not installed: ▲
                                                   200,         403,    403),
    ("hana",  "ken",  "taro",  # the viewer's friend only, not installed
                                                   403,         403,    403),
    ("hana",  "taro", "both",  # the owner has not installed it, so there are no rows of an owner
                                                   403,         403,    403),
    # taro has not installed it: × for himself, and for his friends' information, the (*); the other rows stay
    ("taro",  "taro", "hana",  # friend, installed
                                                   403,         403,    200),
    ("taro",  "taro", "yuki",  # other, installed
                                                   200,         403,    200),
    ("taro",  "taro", "out",   # other, not installed
                                                   403,         403,    403),
    ("taro",  "hana", "taro",  # self; the owner's friend, too
                                                   403,         403,    403),
    ("taro",  "hana", "hana",  # the owner, a friend
                                                   200,         403,    200),
    ("taro",  "hana", "ken",   # the owner's friend, installed
                                                   200,         403,    200),
    ("taro",  "hana", "both",  # the owner's friend, not installed: ▲
                                                   200,         403,    403),
    ("taro",  "hana", "yuki",  # other, installed
                                                   200,         403,    200),
    ("taro",  "hana", "out",   # other, not installed
                                                   403,         403,    403),
    ("taro",  "yuki", "hana",  # the viewer's friend only, installed
                                                   403,         403,    200),
    ("taro",  "yuki", "yuki",  # the owner, without friends
                                                   200,         403,    200),
    ("taro",  "ken",  "hana",  # the viewer's friend and the owner's, installed: the owner's row
                                                   200,         403,    200),
]
# fmt: on


@pytest.fixture
def make_quest(make_world: Callable[..., World]) -> Callable[..., World]:
    """Return a function that makes the demo world, with a friend of Hana's and Mei's who has no app."""

    def make(**environment: str) -> World:
        made = make_world(**environment)
        for user in (*PEOPLE.values(), User(BOTH, "Both")):
            made.platform.users.create(user)
        for one, other in [*FRIENDSHIPS, ("hana", "both"), ("mei", "both")]:
            made.platform.friends_and_installs.befriend(ALL[one], ALL[other])
        for name in INSTALLS["quest"]:
            made.platform.appdata.install(QUEST, USERS[name], {"level": "1"})
        create_app(made, id=QUEST)
        return made

    return make


class Rpc:
    """`/rpc` for one viewer; every result is a status."""

    def __init__(self, world: World, viewer: str, owner: str) -> None:
        self.world = world
        self.viewer, self.owner = USERS[viewer], USERS[owner]
        self.token = world.token(self.viewer, *SCOPES, app=QUEST, owner=self.owner)

    def call(self, method: str, **params: Any) -> Any:
        return call(self.world, method, token=self.token, **params)

    def status(self, method: str, user: str, **params: Any) -> int:
        result = self.call(method, userId=user, **params)
        return result[0] if isinstance(result, tuple) else 200

    def information(self, user: str) -> int:
        return self.status("people.get", user)

    def update(self, user: str) -> list[int]:
        return [
            self.status("appdata.update", user, data={"level": "2"}),
            self.status("appdata.delete", user, fields=["nothing"]),
        ]

    def obtain(self, user: str) -> int:
        return self.status("appdata.get", user)

    def friends(self, of: str) -> list[str] | int:
        result = self.call("people.get", userId=of, groupId="@friends")
        return result[0] if isinstance(result, tuple) else [each["id"] for each in result["list"]]

    def friends_data(self, of: str) -> list[str] | int:
        result = self.call("appdata.get", userId=of, groupId="@friends")
        return result[0] if isinstance(result, tuple) else list(result)

    def address(self, user: str) -> object:
        return self.call("people.get", userId=user, fields="address").get("address")

    def friends_addresses(self, of: str) -> dict[str, object]:
        result = self.call("people.get", userId=of, groupId="@friends", fields="address")
        return {each["id"]: each.get("address") for each in result["list"]}


class OpenSocialRest(Rpc):
    """`/os/0.8`."""

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.world.send(method, f"/os/0.8{path}", body, token=self.token, **query)

    def information(self, user: str) -> int:
        return self.ask("GET", f"/people/{user}/@self").status

    def update(self, user: str) -> list[int]:
        path = f"/appdata/{user}/@self/@app"
        return [
            self.ask("PUT", path, {"level": "2"}).status,
            self.ask("DELETE", path, fields="nothing").status,
        ]

    def obtain(self, user: str) -> int:
        return self.ask("GET", f"/appdata/{user}/@self/@app").status

    def friends(self, of: str) -> list[str] | int:
        reply = self.ask("GET", f"/people/{of}/@friends")
        return [each["id"] for each in reply.json["entry"]] if reply.status == 200 else reply.status

    def friends_data(self, of: str) -> list[str] | int:
        reply = self.ask("GET", f"/appdata/{of}/@friends/@app")
        if reply.status != 200:
            return reply.status
        return [name.removeprefix("mixi.jp:") for name in reply.json["entry"]]

    def address(self, user: str) -> object:
        return self.ask("GET", f"/people/{user}/@self", fields="address").json["entry"].get("address")

    def friends_addresses(self, of: str) -> dict[str, object]:
        reply = self.ask("GET", f"/people/{of}/@friends", fields="address")
        return {each["id"]: each.get("address") for each in reply.json["entry"]}


class SignedRpc(Rpc):
    """`/rpc`, signed by the app, which names the owner."""

    def call(self, method: str, **params: Any) -> Any:
        asked = {"method": method, "id": 1, "params": params}
        return outcome(self.signed("POST", "/rpc", asked).json)

    def signed(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        named = query if self.owner == self.viewer else query | {"opensocial_owner_id": self.owner}
        return signed(self.world, method, path, body, key=QUEST, user=self.viewer, query=named)


class SignedRest(OpenSocialRest, SignedRpc):
    """`/os/0.8`, signed by the app, which names the owner."""

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        return self.signed(method, f"/os/0.8{path}", body, **query)


FACES = (Rpc, OpenSocialRest, SignedRpc, SignedRest)
each_face = pytest.mark.parametrize("face", FACES)


def test_rows(make_quest: Callable[..., World]) -> None:
    world = make_quest()
    for face in FACES:
        for viewer, owner, target, information, update, obtain in ROWS:
            asked, user = face(world, viewer, owner), ALL[target]
            came = asked.information(user), asked.update(user), asked.obtain(user)
            assert came == (information, [update] * 2, obtain), (face, viewer, owner, target)


def test_named_together_those_who_may_not_be_had_are_absent(make_quest: Callable[..., World]) -> None:
    """The same rows: in a request for several users, those without permission are absent."""
    world = make_quest()
    for viewer, owner in dict.fromkeys((viewer, owner) for viewer, owner, *_ in ROWS):
        rows = {
            ALL[target]: (information, obtain)
            for seen_by, whose, target, information, _, obtain in ROWS
            if (seen_by, whose) == (viewer, owner)
        }
        asked = Rpc(world, viewer, owner)
        # Yuki's id and an unknown one make every list a list of several.
        named = list({**rows, ALL["yuki"]: None, OUT: None})

        people = [each["id"] for each in asked.call("people.get", userId=named)["list"]]
        data = list(asked.call("appdata.get", userId=named))

        expected = [user for user in named if rows.get(user, (200, 200))[0] == 200 and user != OUT]
        assert people == expected, (viewer, owner)
        expected = [user for user in named if rows.get(user, (200, 200))[1] == 200 and user != OUT]
        assert data == expected, (viewer, owner)


# fmt: off
LISTS = [
    # viewer  owner   whose friends        people                            data
    ("hana",  "hana", "hana",              ["ken", "mei"],                   ["ken", "mei"]),
    ("yuki",  "yuki", "yuki",              [],                               []),
    ("taro",  "taro", "taro",              403,                              403),
    ("hana",  "hana", "ken",               403,                              403),
    # The owner's: friends without the app are listed if they are visible; they have no data.
    ("yuki",  "hana", "hana",              ["ken", "both", "mei", "taro"],   ["ken", "mei"]),
    ("yuki",  "hana", "yuki",              [],                               []),
    ("yuki",  "hana", "ken",               403,                              403),
    # The owner's list does not depend on the viewer's install; Taro himself is the Viewer, not installed.
    ("taro",  "hana", "hana",              ["ken", "both", "mei"],           ["ken", "mei"]),
    ("taro",  "hana", "taro",              403,                              403),
    ("taro",  "hana", "yuki",              403,                              403),
    ("yuki",  "taro", "taro",              403,                              403),
    # The viewer's friends who are also the owner's: Mei's friend Both, without the app.
    ("hana",  "mei",  "hana",              ["ken", "both", "mei"],           ["ken", "mei"]),
]
# fmt: on


def test_lists_of_friends(make_quest: Callable[..., World]) -> None:
    world = make_quest()

    def ids(names: Any) -> Any:
        return [ALL[name] for name in names] if isinstance(names, list) else names

    for face in FACES:
        for viewer, owner, of, people, data in LISTS:
            asked = face(world, viewer, owner)
            assert (asked.friends(ALL[of]), asked.friends_data(ALL[of])) == (ids(people), ids(data)), (viewer, owner)


@each_face
def test_who_has_switched_off_to_be_seen_is_gone_from_the_owner_s_friends(
    make_quest: Callable[..., World], face: type[Rpc]
) -> None:
    world = make_quest()
    world.platform.users.change(ALL["taro"], visible=False)
    asked = face(world, "yuki", "hana")

    assert asked.information(ALL["taro"]) == 403
    assert asked.friends("@owner") == [ALL[name] for name in ("ken", "both", "mei")]


@each_face
def test_the_profile_of_an_owner_s_friend_without_the_app_is_what_is_public(
    make_quest: Callable[..., World], face: type[Rpc]
) -> None:
    """Taro's address is published to friends of friends, then to everyone."""
    world = make_quest()
    asked, taro = face(world, "yuki", "hana"), ALL["taro"]

    assert asked.address(taro) is None
    world.platform.users.change(taro, publication={"address": Publication.EVERYONE})
    assert asked.address(taro) == PEOPLE["taro"].address


@each_face
@pytest.mark.parametrize("publication", Publication)
def test_lenient_profiles_are_given_to_strangers(
    make_quest: Callable[..., World], face: type[Rpc], publication: Publication
) -> None:
    """Yuki, who has no friends, sees Mei's profile: as in the matrix, and on the settings page."""
    world = make_quest()
    world.platform.users.change(ALL["mei"], publication=dict.fromkeys(PROFILE_FIELDS, publication))

    seen = face(world, "yuki", "yuki").address(ALL["mei"])

    assert seen == (None if publication is Publication.NOBODY else PEOPLE["mei"].address)


@each_face
@pytest.mark.parametrize(
    ("publication", "stranger", "friend_of_friend", "friend"),
    [
        (Publication.EVERYONE, True, True, True),
        (Publication.FRIENDS_OF_FRIENDS, False, True, True),
        (Publication.FRIENDS, False, False, True),
        (Publication.NOBODY, False, False, False),
    ],
)
def test_strict_profiles_ask_how_close_the_viewer_is(
    make_quest: Callable[..., World],
    face: type[Rpc],
    publication: Publication,
    stranger: bool,
    friend_of_friend: bool,
    friend: bool,
) -> None:
    """Yuki reads Mei's profile by id and in the owner Hana's friends: as a stranger, a friend of Ken's, a friend."""
    world = make_quest(ENGAWA_PROFILE_VISIBILITY="strict")
    mei, address = ALL["mei"], PEOPLE["mei"].address
    world.platform.users.change(mei, publication=dict.fromkeys(PROFILE_FIELDS, publication))
    asked = face(world, "yuki", "hana")

    for befriended, seen in ((None, stranger), ("ken", friend_of_friend), ("mei", friend)):
        if befriended:
            world.platform.friends_and_installs.befriend(ALL["yuki"], ALL[befriended])
        expected = address if seen else None
        assert asked.address(mei) == asked.friends_addresses("@owner")[mei] == expected, befriended
