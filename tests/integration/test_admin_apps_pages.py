"""The operator's API for apps and pages."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.model.directory import App
from tests.kit.worlds import APP, HANA, KEN, MEI, Reply, World

Send = Callable[..., Reply]


def test_a_secret_is_told_once_and_stored_encrypted(operator: Send, world: World) -> None:
    made = operator("POST", "/apps", {"name": "Quest", "redirectUris": ["https://game.example/back"]})

    assert made.status == 201
    app, secret = made.json["id"], made.json["secret"]
    assert len(secret) == 40
    assert "secret" not in operator("GET", f"/apps/{app}").json
    assert secret not in operator("GET", "/apps").text
    assert secret not in str(world.items("directory"))
    fresh = operator("POST", f"/apps/{app}/secret")
    assert fresh.json["id"] == app
    assert fresh.json["secret"] != secret
    known = world.platform.apps.get(app)
    assert known
    assert known.secret == fresh.json["secret"]


def test_a_public_app_has_no_secret(operator: Send) -> None:
    made = operator(
        "POST", "/apps", {"name": "Album", "confidential": False, "redirectUris": ["com.example.album:/back"]}
    )

    assert made.status == 201
    assert "secret" not in made.json
    assert operator("POST", f"/apps/{made.json['id']}/secret").error[:2] == (409, "conflict")
    assert operator("PATCH", f"/apps/{made.json['id']}", {"confidential": True}).error[:2] == (400, "parameter_invalid")


@pytest.mark.parametrize(
    "uri",
    [
        "com.example.album:/back",
        "com.example.album:back",
        "com.example.album://back",
        "com.example.album:///back?a=b",
        "com.googleusercontent.apps.123-abc:/oauth2redirect",
        "http://127.0.0.1/back",
        "http://[::1]/back",
    ],
)
def test_a_public_app_has_the_redirect_uris_of_native_apps(operator: Send, uri: str) -> None:
    made = operator("POST", "/apps", {"name": "Album", "confidential": False, "redirectUris": [uri]})

    assert (made.status, made.json["redirectUris"]) == (201, [uri])


def test_an_app_is_changed_and_listed(operator: Send) -> None:
    made = operator("POST", "/apps", {"name": "Quest", "id": APP, "scopes": ["mixi_apps2"]}).json
    operator("POST", "/apps", {"name": "Album", "id": "f" * 16})

    changed = operator(
        "PATCH",
        f"/apps/{APP}",
        {
            "name": "Quest 2",
            "startUrl": "https://game.example/",
            "startMethod": "form",
            "origins": ["https://game.example"],
            "scopes": [],
        },
    ).json

    assert made["startMethod"] == "redirect"

    del made["secret"]
    expected = {
        "name": "Quest 2",
        "startUrl": "https://game.example/",
        "startMethod": "form",
        "origins": ["https://game.example"],
        "scopes": [],
    }
    assert changed == {**made, **expected}
    first = operator("GET", "/apps", count="1").json
    assert first["entry"] == [changed]
    assert [app["id"] for app in operator("GET", "/apps", cursor=first["nextCursor"]).json["entry"]] == ["f" * 16]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "name is missing"),
        ({"name": "n", "redirectUris": "https://a.example/"}, "redirectUris must be a list"),
        ({"name": "n", "redirectUris": ["/back"]}, "redirectUris must be an absolute URL"),
        ({"name": "n", "redirectUris": ["https://a.example/#x"]}, "redirectUris must not have a fragment"),
        ({"name": "n", "redirectUris": ["javascript:alert(1)"]}, "redirectUris must be http or https URLs"),
        ({"name": "n", "origins": ["https://a.example/x"]}, "origins must be web origins"),
        ({"name": "n", "scopes": ["a b"]}, "scopes must be scopes"),
        (
            {"name": "n", "scopes": ["r_profile", "r_pages"]},
            "There is no scope 'r_pages'; the scopes are ",
        ),
        ({"name": "n", "redirectUris": ["data:text/html,x"]}, "redirectUris must be http or https URLs"),
        ({"name": "n", "redirectUris": ["myapp:/back"]}, "redirectUris must be http or https URLs"),
        ({"name": "n", "dialect": "draft11"}, "dialect must be one of draft10, rfc6750"),
        ({"name": "n", "startMethod": "post"}, "startMethod must be one of redirect, form"),
        ({"name": "n", "id": "xyz"}, "id is not the id of a"),
    ],
)
def test_a_wrong_field_of_an_app_is_named(operator: Send, body: dict[str, Any], says: str) -> None:
    status, error, description = operator("POST", "/apps", body).error

    assert (status, error) == (400, "parameter_invalid")
    assert description.startswith(says)


def test_an_app_of_an_earlier_version_keeps_a_scope_that_does_not_exist(operator: Send, world: World) -> None:
    world.platform.apps.create(App(APP, "Old", False, None, scopes=("r_profile", "x_removed")))

    assert operator("PATCH", f"/apps/{APP}", {"name": "Older"}).json["scopes"] == ["r_profile", "x_removed"]
    assert operator("GET", "/apps").json["entry"][0]["scopes"] == ["r_profile", "x_removed"]
    assert operator("PATCH", f"/apps/{APP}", {"scopes": ["r_profile", "x_removed"]}).status == 400
    assert operator("PATCH", f"/apps/{APP}", {"scopes": ["w_voice", "admin"]}).json["scopes"] == ["w_voice", "admin"]


@pytest.mark.parametrize("app", ["0" * 16, "x", "a" * 3000])
def test_unknown_apps_are_not_found(operator: Send, app: str) -> None:
    for method, path, body in (
        ("GET", f"/apps/{app}", None),
        ("PATCH", f"/apps/{app}", {"name": "n"}),
        ("POST", f"/apps/{app}/secret", None),
        ("GET", f"/apps/{app}/installs", None),
    ):
        assert operator(method, path, body).error[:2] == (404, "not_found")


def test_a_page_with_all_that_belongs_to_it(operator: Send, world: World) -> None:
    operator("POST", "/apps", {"name": "Quest", "id": APP})
    made = operator("POST", "/pages", {"name": "Cafe", "category": "local", "details": "縁側\nで", "address": "渋谷"})
    assert made.status == 201
    page = f"/pages/{made.json['id']}"
    assert operator("GET", page).json == made.json
    assert operator("PATCH", page, {"feedSource": "everyone", "zipCode": "150-0002"}).json == {
        **made.json,
        "feedSource": "everyone",
        "zipCode": "150-0002",
    }

    module = operator("POST", f"{page}/modules", {"app": APP, "name": "Quest here"})
    assert module.status == 201
    assert module.json == {"id": "1", "page": made.json["id"], "app": APP, "name": "Quest here"}
    assert operator("POST", f"{page}/modules", {"app": APP, "name": "n", "id": "7"}).json["id"] == "7"
    assert operator("POST", f"{page}/modules", {"app": APP, "name": "n", "id": "7"}).error[:2] == (409, "conflict")
    assert operator("POST", f"{page}/modules", {"app": "0" * 16, "name": "n"}).error[:2] == (404, "not_found")
    assert operator("POST", f"{page}/modules", {"app": APP}).error == (400, "parameter_invalid", "name is missing")
    assert operator("DELETE", f"{page}/modules/7").json["changed"] is True
    assert operator("DELETE", f"{page}/modules/7").json["changed"] is False
    assert operator("GET", f"{page}/modules").json["entry"] == [module.json]

    for role in ("administrators", "followers"):
        assert [operator("PUT", f"{page}/{role}/{user}").json["changed"] for user in (HANA, KEN, HANA)] == [
            True,
            True,
            False,
        ]
        part = operator("GET", f"{page}/{role}", count="1").json
        assert part["entry"] == [{"id": KEN, "displayName": f"user {KEN}"}]
        rest = operator("GET", f"{page}/{role}", cursor=part["nextCursor"]).json
        assert [user["id"] for user in rest["entry"]] == [HANA]
        assert operator("PUT", f"{page}/{role}/{'0' * 12}").error[:2] == (404, "not_found")
    assert operator("GET", page).json["followers"] == 2
    assert operator("DELETE", f"{page}/followers/{HANA}").json["changed"] is True
    assert operator("DELETE", f"{page}/followers/{HANA}").json["changed"] is False
    assert operator("DELETE", f"{page}/administrators/{MEI}").json["changed"] is False
    assert operator("GET", page).json["followers"] == 1

    assert operator("DELETE", page).json == {"id": made.json["id"], "changed": True}
    assert operator("DELETE", page).json["changed"] is False
    assert operator("GET", page).error[:2] == (404, "not_found")
    assert [item for item in world.items("directory") if f"page#{made.json['id']}" in str(item)] == []


def test_unknown_pages_are_not_found(operator: Send) -> None:
    for page in ("1", "x", "9" * 21):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "n"}),
            ("GET", "/modules", None),
            ("POST", "/modules", {"app": APP, "name": "n"}),
            ("GET", "/administrators", None),
            ("GET", "/followers", None),
            ("PUT", f"/followers/{HANA}", None),
        ):
            assert operator(method, f"/pages/{page}{path}", body).error[:2] == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "name is missing"),
        ({"name": "n", "category": "pub"}, "category must be one of"),
        ({"name": "n", "pcUrl": "ftp://x"}, "pcUrl must be"),
        ({"name": "n", "feedSource": "nobody"}, "feedSource must be one of"),
        ({"name": "n", "followers": 3}, "There is no field 'followers'"),
    ],
)
def test_a_wrong_field_of_a_page_is_named(operator: Send, body: dict[str, Any], says: str) -> None:
    status, error, description = operator("POST", "/pages", body).error

    assert (status, error) == (400, "parameter_invalid")
    assert description.startswith(says)


@pytest.mark.parametrize("name", ["Engawa", "縁\u200b側", "ＥＮＧＡＷＡ Official", "Еngаwa"])
def test_an_app_cannot_bear_the_platforms_name(operator: Send, name: str) -> None:
    operator("POST", "/apps", {"name": "Quest", "id": APP})

    assert operator("POST", "/apps", {"name": name}).error[:2] == (400, "parameter_invalid")
    assert operator("PATCH", f"/apps/{APP}", {"name": name}).error[:2] == (400, "parameter_invalid")
    assert [each["name"] for each in operator("GET", "/apps").json["entry"]] == ["Quest"]
    assert operator("PATCH", "/apps/" + "f" * 16, {"name": name}).status == 404


def test_an_app_that_bears_it_already_keeps_it_and_its_other_fields_change(operator: Send, world: World) -> None:
    assert operator("POST", "/import", {"apps": [{"id": APP, "name": "Engawa"}]}).json["apps"][0]["status"] == "created"

    changed = operator("PATCH", f"/apps/{APP}", {"name": "Engawa", "developer": "縁側の会"})
    assert (changed.status, changed.json["developer"]) == (200, "縁側の会")
    assert operator("PATCH", f"/apps/{APP}", {"name": "Engawa 2"}).status == 400


def test_the_platforms_own_name_counts_if_it_has_one(make_world: Callable[..., World]) -> None:
    world = make_world(ENGAWA_NAME="Hiroba")
    token = world.token(None, "admin", app="operator")

    for name, status in (("Hirоba", 400), ("Engawa", 201)):
        assert world.send("POST", "/admin/apps", {"name": name}, user=None, token=token).status == status


def test_what_people_see_of_an_app_is_stored_and_removed(operator: Send, world: World) -> None:
    shown = {
        "iconUrl": "https://game.example/icon.png",
        "developer": "星ゲームス",
        "homepageUrl": "http://game.example/",
        "privacyUrl": "https://game.example/privacy",
    }
    made = operator("POST", "/apps", {"name": "Quest", "id": APP} | shown)

    assert made.status == 201
    assert operator("GET", f"/apps/{APP}").json.items() >= shown.items()
    emptied = operator(
        "PATCH", f"/apps/{APP}", {"iconUrl": None, "developer": "", "homepageUrl": "", "privacyUrl": None}
    )
    assert emptied.json.items() >= dict.fromkeys(shown, "").items()
    assert not {"i", "v", "h", "p"} & next(each for each in world.items("directory") if "k" in each).keys()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iconUrl", "http://game.example/icon.png"),
        ("iconUrl", "data:image/png;base64,AAAA"),
        ("iconUrl", "https://"),
        ("iconUrl", f"https://game.example/{'a' * 1005}"),
        ("homepageUrl", "javascript:alert(1)"),
        ("privacyUrl", "/privacy"),
        ("privacyUrl", 7),
        ("developer", "x" * 101),
        ("developer", "a\x00b"),
        ("suspended", 1),
        ("oldSecret", "x" * 40),
    ],
)
def test_what_people_see_of_an_app_is_checked(operator: Send, field: str, value: object) -> None:
    operator("POST", "/apps", {"name": "Quest", "id": APP})

    assert operator("PATCH", f"/apps/{APP}", {field: value}).error[:2] == (400, "parameter_invalid")
    assert operator("POST", "/apps", {"name": "New", field: value}).error[:2] == (400, "parameter_invalid")
