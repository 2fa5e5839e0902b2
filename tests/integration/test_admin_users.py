"""The operator's API for users: responses, stored items and refusals."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, Reply, World

NOBODY = "000000000000"
Send = Callable[..., Reply]


def test_a_user_is_made_shown_and_changed(operator: Send) -> None:
    made = operator("POST", "/users", {"displayName": "花", "login": "Hana.K", "publication": {"age": "nobody"}})

    assert made.status == 201
    assert re.fullmatch("[a-z0-9]{12}", made.json["id"])
    assert made.json["login"] == "hana.k"
    assert made.json["publication"] == {
        "address": "friends",
        "birthday": "friends",
        "age": "nobody",
        "gender": "friends",
    }
    user = f"/users/{made.json['id']}"
    assert operator("GET", user).json == made.json
    changed = operator(
        "PATCH", user, {"bloodType": "AB", "age": 30, "publication": {"gender": "everyone"}, "visible": False}
    )
    assert changed.status == 200
    publication = {**made.json["publication"], "gender": "everyone"}
    assert changed.json == {**made.json, "bloodType": "AB", "age": 30, "publication": publication, "visible": False}
    assert operator("GET", user).json == changed.json
    assert operator("PATCH", user, {"bloodType": None, "age": None}).json["bloodType"] is None


def test_a_password_is_stored_as_a_hash_alone(operator: Send, world: World) -> None:
    made = operator("POST", "/users", {"displayName": "n", "login": "nana", "password": "correct horse"})

    assert made.status == 201
    assert "password" not in made.text
    user, known = world.platform.users.credential("nana") or ("", "")
    assert user == made.json["id"]
    assert known.startswith("scrypt$")
    assert operator("PUT", f"/users/{user}/password", {"password": "another horse"}).json == {
        "id": user,
        "changed": True,
    }
    assert (world.platform.users.credential("nana") or ("", ""))[1] != known
    assert "horse" not in str(world.items("directory"))
    assert operator("PUT", f"/users/{user}/password", {"password": None}).status == 200
    assert world.platform.users.credential("nana") is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "displayName is missing"),
        ({"displayName": ""}, "displayName must not be empty"),
        ({"displayName": "a\r\nSet-Cookie: x"}, "displayName must not contain control characters"),
        ({"displayName": "a" * 101}, "displayName is too long (max=100)"),
        ({"displayName": "n", "dispalyName": "n"}, "There is no field 'dispalyName'"),
        ({"displayName": "n", "bloodType": "C"}, "bloodType must be one of A, B, O, AB"),
        ({"displayName": "n", "birthday": "2025-02-29"}, "birthday must be a date"),
        ({"displayName": "n", "age": 151}, "age must be a whole number from 0 to 150"),
        ({"displayName": "n", "publication": {"age": "all"}}, "publication.age must be one of"),
        ({"displayName": "n", "profileUrl": "javascript:alert(1)"}, "profileUrl must be an http"),
        ({"displayName": "n", "id": "short"}, "id is not the id of a user"),
        ({"displayName": "n", "login": "n n"}, "login must be"),
        ({"displayName": "n", "login": "n", "password": "1234567"}, "password must be 8 to 200 characters"),
        ({"displayName": "n", "password": "12345678"}, "login is missing"),
    ],
)
def test_a_wrong_field_is_named(operator: Send, world: World, body: dict[str, Any], says: str) -> None:
    before = world.items("directory")

    status, error, description = operator("POST", "/users", body).error

    assert (status, error) == (400, "parameter_invalid")
    assert description.startswith(says)
    assert world.items("directory") == before


def test_what_is_no_object_is_a_bad_request(operator: Send) -> None:
    for method, path in (("POST", "/users"), ("PATCH", f"/users/{HANA}"), ("PUT", f"/users/{HANA}/password")):
        assert operator(method, path, [1]).error[:2] == (400, "bad_request")
        assert operator(method, path, b"{", headers={"Content-Type": "application/json"}).error[:2] == (
            400,
            "bad_request",
        )


def test_a_taken_id_or_login_is_a_conflict(operator: Send) -> None:
    assert operator("POST", "/users", {"displayName": "n", "login": "nana"}).status == 201

    assert operator("POST", "/users", {"displayName": "n", "id": HANA}).error[:2] == (409, "conflict")
    assert operator("POST", "/users", {"displayName": "n", "login": "NANA"}).error[:2] == (409, "conflict")
    assert operator("PATCH", f"/users/{HANA}", {"login": "nana"}).error[:2] == (409, "conflict")
    assert operator("PUT", f"/users/{HANA}/password", {"password": "12345678"}).error[:2] == (409, "conflict")


def test_unknown_users_are_not_found(operator: Send) -> None:
    for user in (NOBODY, "x", "a" * 3000, "user%23x"):
        assert operator("GET", f"/users/{user}").error[:2] == (404, "not_found")
        assert operator("PATCH", f"/users/{user}", {"age": 3}).error[:2] == (404, "not_found")
        assert operator("GET", f"/users/{user}/export").error[:2] == (404, "not_found")
        for what in ("friends", "installs", "grants"):
            assert operator("GET", f"/users/{user}/{what}").error[:2] == (404, "not_found")
        assert operator("PUT", f"/users/{user}/installs/{APP}").error[:2] == (404, "not_found")
        assert operator("PUT", f"/users/{HANA}/friends/{user}").error[:2] == (404, "not_found")


def test_lists_go_on_with_their_cursor(operator: Send) -> None:
    whole = [user["id"] for user in operator("GET", "/users", count="100").json["entry"]]
    assert {HANA, KEN, MEI, TARO} <= set(whole)

    parts, cursor = [], dict[str, str]()
    while True:
        part = operator("GET", "/users", count="2", **cursor).json
        assert part["itemsPerPage"] == len(part["entry"]) <= 2
        parts += [user["id"] for user in part["entry"]]
        if "nextCursor" not in part:
            break
        cursor = {"cursor": part["nextCursor"]}

    assert parts == whole
    friends = operator("GET", f"/users/{HANA}/friends", count="2").json
    assert friends["entry"] == [{"id": KEN, "displayName": f"user {KEN}"}, {"id": MEI, "displayName": f"user {MEI}"}]
    rest = operator("GET", f"/users/{HANA}/friends", cursor=friends["nextCursor"]).json
    assert [user["id"] for user in rest["entry"]] == [TARO]


@pytest.mark.parametrize(
    "query", [{"count": "0"}, {"count": "101"}, {"count": "x"}, {"cursor": "!"}, {"cursor": "YSNi"}]
)
def test_a_malformed_part_of_a_list_is_refused(operator: Send, query: dict[str, str]) -> None:
    for path in ("/users", f"/users/{HANA}/friends", f"/users/{HANA}/installs"):
        assert operator("GET", path, **query).error[:2] == (400, "parameter_invalid")


def test_friendships_come_and_go_on_both_sides(operator: Send) -> None:
    assert operator("PUT", f"/users/{KEN}/friends/{TARO}").json == {"user": KEN, "friend": TARO, "changed": True}
    assert operator("PUT", f"/users/{TARO}/friends/{KEN}").json["changed"] is False
    assert operator("GET", f"/users/{TARO}").json["friends"] == 2
    assert operator("PUT", f"/users/{KEN}/friends/{KEN}").error[:2] == (400, "parameter_invalid")

    assert operator("DELETE", f"/users/{TARO}/friends/{KEN}").json["changed"] is True
    assert operator("DELETE", f"/users/{TARO}/friends/{KEN}").json["changed"] is False
    assert [user["id"] for user in operator("GET", f"/users/{KEN}/friends").json["entry"]] == [HANA]


def test_installs_come_and_go_with_their_data(operator: Send, world: World) -> None:
    app = operator("POST", "/apps", {"name": "Quest", "id": APP}).json
    assert operator("GET", f"/users/{TARO}/installs").json["entry"] == []

    assert operator("PUT", f"/users/{TARO}/installs/{APP}").json == {"user": TARO, "app": APP, "changed": True}
    assert operator("PUT", f"/users/{TARO}/installs/{APP}").json["changed"] is False
    assert operator("GET", f"/users/{TARO}/installs").json["entry"] == [{"id": APP, "name": app["name"]}]
    assert TARO in [user["id"] for user in operator("GET", f"/apps/{APP}/installs").json["entry"]]
    assert operator("PUT", f"/users/{TARO}/installs/{'0' * 16}").error[:2] == (404, "not_found")

    assert operator("DELETE", f"/users/{TARO}/installs/{APP}").json["changed"] is True
    assert operator("DELETE", f"/users/{TARO}/installs/{APP}").json["changed"] is False
    assert TARO not in str(world.items())


def test_only_operators_get_in(world: World) -> None:
    for token in (world.token(HANA, "mixi_apps2", "r_profile"), world.token(None, "mixi_apps2")):
        for method, path in (("GET", "/admin/users"), ("DELETE", f"/admin/users/{HANA}"), ("POST", "/admin/import")):
            assert world.send(method, path, user=None, token=token).error[:2] == (403, "insufficient_scope")
    assert world.send("GET", "/admin/users", user=None).status == 401
