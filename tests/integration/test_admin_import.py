"""`POST /admin/import`: each record is handled alone, a wrong record stops no other, and a repetition is safe."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.errors import Unavailable
from chalicelib.core.model.directory import App
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, Reply, World

Import = Callable[[Any], Reply]
CREATED, UNCHANGED = {"status": "created"}, {"status": "unchanged"}


@pytest.fixture
def bring(operator: Callable[..., Reply]) -> Import:
    """Return a function that imports as the operator."""
    return lambda body: operator("POST", "/import", body)


def refused(error: str, description: str) -> dict[str, str]:
    return {"status": "refused", "error": error, "error_description": description}


def user(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:012d}", "displayName": f"user {number}", **more}


def test_a_bad_record_stops_no_other(bring: Import, world: World) -> None:
    told = bring(
        {
            "installs": [{"user": user(1)["id"], "app": "0" * 16}, {"user": KEN, "app": APP, "x": 1}],
            "users": [user(1, login="one"), user(2, age="3"), {"displayName": "x"}, 7, user(3, login="ONE")],
            "friendships": [
                {"user": user(1)["id"], "friend": HANA},
                {"user": user(1)["id"], "friend": user(2)["id"]},
                {"user": HANA, "friend": HANA},
                {"user": HANA},
                {"user": KEN, "friend": HANA},
            ],
        }
    )

    assert told.status == 200
    users, friendships = told.json["users"], told.json["friendships"]
    assert users[1:4] == [
        refused("parameter_invalid", "age must be a whole number from 0 to 150"),
        refused("parameter_invalid", "id is missing"),
        refused("bad_request", "The body must be a JSON object"),
    ]
    # Two users with the same login ran at the same time: one of them gets it.
    assert sorted(each["status"] for each in (users[0], users[4])) == ["created", "refused"]
    assert [each["status"] for each in friendships[1:]] == ["refused", "refused", "refused", "unchanged"]
    assert friendships[3] == refused("parameter_invalid", "friend is missing")
    assert friendships[2] == refused("parameter_invalid", "A user cannot be a friend of themselves")
    assert friendships[1]["error"] == "not_found"
    assert told.json["installs"] == [
        refused("not_found", f"There is no app {'0' * 16}"),
        refused("parameter_invalid", "There is no field 'x'; the fields are user, app"),
    ]


def test_again_is_no_difference(bring: Import, world: World) -> None:
    world.platform.apps.create(App(APP, "Quest"))
    everyone = [user(n, login=f"user{n}", publication={"age": "nobody"}, age=n, address="") for n in range(30)]
    circle = [{"user": user(n)["id"], "friend": user((n + 1) % 30)["id"]} for n in range(30)]
    installs = [{"user": user(n)["id"], "app": APP} for n in range(30)]
    body = {"users": everyone, "friendships": circle, "installs": installs}
    everyone[0]["password"] = "correct horse"

    first = bring(body)
    stored = {table: world.items(table) for table in ("directory", "appdata")}
    again = bring(body)

    assert first.json == {kind: [CREATED] * 30 for kind in body}
    assert again.json == {kind: [UNCHANGED] * 30 for kind in body}
    assert {table: world.items(table) for table in stored} == stored
    assert world.platform.users.credential("user0")
    known = world.platform.users.get(user(7)["id"])
    assert known
    assert (known.friends, known.age, known.login) == (2, 7, "user7")


def test_what_a_user_has_changed_since_is_left_and_told(bring: Import, world: World) -> None:
    bring({"users": [user(1, age=30)]})
    world.platform.users.change(user(1)["id"], age=31)

    told = bring({"users": [user(1, age=30), user(1)]})

    assert told.json["users"] == [refused("conflict", "The user exists, and has another age"), UNCHANGED]
    known = world.platform.users.get(user(1)["id"])
    assert known
    assert known.age == 31


def test_a_busy_store_is_said_of_the_record_it_befell(
    bring: Import, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    befriend = world.platform.friends_and_installs.befriend

    def busy(one: str, other: str) -> bool:
        if other == MEI:
            raise Unavailable
        return befriend(one, other)

    monkeypatch.setattr(world.platform.friends_and_installs, "befriend", busy)

    told = bring({"friendships": [{"user": TARO, "friend": MEI}, {"user": TARO, "friend": KEN}]})

    assert told.json["friendships"] == [refused("service_unavailable", "The service is busy"), CREATED]


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        ([], "bad_request", "The body must be a JSON object"),
        ({"user": []}, "parameter_invalid", "There is no field 'user'"),
        ({"users": {}}, "parameter_invalid", "users must be a list"),
        (
            {"users": [user(n) for n in range(60)], "installs": [{}] * 41},
            "parameter_invalid",
            "Too many records (max=100)",
        ),
        (
            {"users": [user(n, login=f"u{n}", password="12345678") for n in range(21)]},
            "parameter_invalid",
            "Too many records with a password (max=20)",
        ),
    ],
)
def test_a_request_that_is_wrong_as_a_whole(bring: Import, world: World, body: Any, error: str, says: str) -> None:
    before = world.items("directory")

    told = bring(body)

    assert told.error[:2] == (400, error)
    assert told.error[2].startswith(says)
    assert world.items("directory") == before


def test_the_most_that_is_allowed_passes(bring: Import) -> None:
    assert bring({"users": [user(n) for n in range(60)], "installs": [{}] * 40}).status == 200
    assert bring({}).json == {}
