"""The People API over HTTP: responses, permissions and costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.core.model.directory import User
from chalicelib.store.aws.side_by_side import longest_chain
from chalicelib.store.directory.user_items import to_item
from local.demo_data import APPS, CAFE, PEOPLE, USERS
from tests.kit.worlds import demo_people

if TYPE_CHECKING:
    from tests.kit.worlds import World

HANA, KEN, MEI, TARO, YUKI = (USERS[name] for name in ("hana", "ken", "mei", "taro", "yuki"))
SELF, FRIENDS = "/2/people/@me/@self", "/2/people/@me/@friends"
FINER = ("r_profile_birthday", "r_profile_blood_type", "r_profile_gender", "r_profile_location")
DENIED = (403, "permission_denied", "Permission denied")


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return the demo world: Hana's friends Ken and Mei have quest, Taro has not; Yuki has quest, but no friends."""
    return make_world(demo_people)


def ask(
    world: World, path: str, viewer: str = HANA, *scopes: str, owner: str | None = None, **query: Any
) -> tuple[int, Any]:
    """Return status and body of a GET with a token for `r_profile` and these scopes."""
    token = world.token(viewer, "r_profile", *scopes, app=APPS["quest"], owner=owner)
    reply = world.send("GET", path, token=token, **query)
    return reply.status, reply.json


def refusal(world: World, path: str, viewer: str = HANA, *scopes: str, **more: Any) -> tuple[int, str, str]:
    status, body = ask(world, path, viewer, *scopes, **more)
    return status, body["error"], body["error_description"]


def entry_of(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "displayName": user.display_name,
        "thumbnailUrl": user.thumbnail_url,
        "profileUrl": user.profile_url,
    }


def details(url: str) -> list[dict[str, Any]]:
    return [{"value": url, "url": url, "width": 76, "height": 76}]


def ids(body: Mapping[str, Any]) -> list[str]:
    return [entry["id"] for entry in body["entry"]]


# --- the three selectors


@pytest.mark.parametrize("user", ["@me", "%40me", HANA])
def test_oneself_is_an_object(world: World, user: str) -> None:
    token = world.token(HANA, "r_profile", app=APPS["quest"])
    for suffix in ("", ".json", "?", "?format=json&thumbnailPrivacy=x&unknown=1"):
        reply = world.send("GET", f"/2/people/{user}/@self{suffix}", token=token)

        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert reply.headers["cache-control"] == "private, no-cache"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.json == {
            "entry": entry_of(PEOPLE["hana"]),
            "startIndex": 0,
            "itemsPerPage": 1,
            "totalResults": 1,
        }


@pytest.mark.parametrize("user", ["@me", HANA])
def test_friends_are_a_list(world: World, user: str) -> None:
    """Friends are in order of id; Taro, whose data are not permitted, is not counted either."""
    assert ask(world, f"/2/people/{user}/@friends") == (
        200,
        {
            "entry": [entry_of(PEOPLE["ken"]), entry_of(PEOPLE["mei"])],
            "startIndex": 0,
            "itemsPerPage": 2,
            "totalResults": 2,
        },
    )


def test_one_friend(world: World) -> None:
    status, body = ask(world, f"/2/people/{KEN}/@self")

    assert (status, body["entry"]) == (200, entry_of(PEOPLE["ken"]))


def test_nobody_has_friends_yet(world: World) -> None:
    assert ask(world, FRIENDS, YUKI) == (200, {"entry": [], "startIndex": 0, "itemsPerPage": 0, "totalResults": 0})


REFUSED_PATHS = [
    f"/2/people/{YUKI}/@self",
    f"/2/people/{TARO}/@self",
    "/2/people/nobodynobody/@self",
    "/2/people/no-such-form/@self",
    f"/2/people/{'a' * 3000}/@self",
    f"/2/people/{KEN}/@friends",
    "/2/people/nobodynobody/@friends",
    "/2/people/@me/@all",
    "/2/people/@me/12345",
    "/2/people/@owner/@self",
]


def test_refused_alike_whoever_exists(world: World) -> None:
    assert {path: refusal(world, path) for path in REFUSED_PATHS} == dict.fromkeys(REFUSED_PATHS, DENIED)


@pytest.mark.parametrize("path", [SELF, FRIENDS, f"/2/people/{HANA}/@self"])
def test_a_viewer_without_the_app_gets_nothing(world: World, path: str) -> None:
    assert refusal(world, path, TARO) == DENIED


def test_each_app_has_its_own_installs(world: World) -> None:
    world.platform.appdata.install(APPS["album"], HANA)
    token = world.token(HANA, "r_profile", app=APPS["album"])

    assert world.send("GET", SELF, token=token).status == 200
    assert world.send("GET", FRIENDS, token=token).json["totalResults"] == 0
    assert world.send("GET", f"/2/people/{KEN}/@self", token=token).error == DENIED


def test_a_user_who_is_gone_is_absent(world: World) -> None:
    world.platform.users.close(KEN)

    assert ids(ask(world, FRIENDS)[1]) == [MEI]
    assert refusal(world, f"/2/people/{KEN}/@self") == DENIED


def test_what_is_read_is_what_is_so_now(world: World) -> None:
    name = '<script>alert("花")</script> & "Ken"'
    world.platform.users.change(KEN, display_name=name)

    assert ask(world, FRIENDS)[1]["entry"][0]["displayName"] == name


# --- tokens and scopes


def test_without_a_token(world: World) -> None:
    reply = world.send("GET", SELF, user=None)

    assert (reply.status, reply.json["error"]) == (401, "invalid_request")


def test_without_the_scope(world: World) -> None:
    reply = world.send("GET", SELF, token=world.token(HANA, "mixi_apps2", "r_profile_gender", app=APPS["quest"]))

    assert (reply.status, reply.json["error"]) == (403, "insufficient_scope")
    assert reply.headers["www-authenticate"] == "OAuth error='insufficient_scope',scope='r_profile'"


def test_an_apps_own_token(world: World) -> None:
    reply = world.send("GET", SELF, token=world.token(None, "r_profile", app=APPS["quest"]))

    assert reply.error == (403, "permission_denied", "This needs a user's access token")


@pytest.mark.parametrize(
    ("name", "scope", "value"),
    [
        ("bloodType", "r_profile_blood_type", "A"),
        ("address", "r_profile_location", "東京都"),
        ("location", "r_profile_location", "東京都"),
        ("birthday", "r_profile_birthday", "1991-04-02"),
        ("age", "r_profile_birthday", 35),
        ("gender", "r_profile_gender", "female"),
    ],
)
def test_a_field_with_a_scope_of_its_own(world: World, name: str, scope: str, value: object) -> None:
    token = world.token(HANA, "r_profile", *{*FINER} - {scope}, app=APPS["quest"])

    refused = world.send("GET", SELF, token=token, fields=f"id,{name}")

    assert (refused.status, refused.json["error"]) == (403, "insufficient_scope")
    assert refused.headers["www-authenticate"] == f"OAuth error='insufficient_scope',scope='{scope}'"
    assert ask(world, SELF, HANA, scope, fields=name)[1]["entry"] == {"id": HANA, name: value}
    assert name not in world.send("GET", SELF, token=token, fields="@all").json["entry"]


def test_scope_comes_before_selector_and_parameters(world: World) -> None:
    assert refusal(world, f"/2/people/{YUKI}/@all", fields="gender", count="0")[1] == "insufficient_scope"
    assert refusal(world, f"/2/people/{YUKI}/@all", count="0") == DENIED
    assert refusal(world, f"/2/people/{YUKI}/@self", count="0")[1] == "parameter_invalid"


def test_all_fields(world: World) -> None:
    assert ask(world, SELF, HANA, *FINER, fields="@all")[1]["entry"] == {
        **entry_of(PEOPLE["hana"]),
        "thumbnailDetails": details("https://people.example/hana.jpg"),
        "bloodType": "A",
        "address": "東京都",
        "location": "東京都",
        "birthday": "1991-04-02",
        "age": 35,
        "gender": "female",
    }


def test_a_few_fields(world: World) -> None:
    assert ask(world, FRIENDS, fields="displayName,lastLogin")[1]["entry"] == [
        {"id": KEN, "displayName": "健 (Ken)"},
        {"id": MEI, "displayName": "芽衣 (Mei)"},
    ]


# --- the permission model


def test_what_is_published_to_nobody(world: World) -> None:
    """Mei publishes birthday and age to nobody, so an app does not show them even to her."""
    own = ask(world, SELF, MEI, *FINER, fields="@all")[1]["entry"]
    friends = ask(world, FRIENDS, HANA, *FINER, fields="@all")[1]["entry"]

    assert friends[1] == own
    assert own.keys() & {"address", "birthday", "age", "gender"} == {"address", "gender"}
    assert friends[0].keys() >= {"address", "birthday", "age", "gender"}


@pytest.mark.parametrize("visibility", ["lenient", "strict"])
def test_a_friend_is_close_enough_for_strictness(make_world: Callable[..., World], visibility: str) -> None:
    world = demo_people(make_world(ENGAWA_PROFILE_VISIBILITY=visibility))

    entry = ask(world, f"/2/people/{KEN}/@self", HANA, *FINER, fields="address,birthday,age,gender")[1]["entry"]

    assert entry == {"id": KEN, "address": "神奈川県", "birthday": "1988-11-23", "age": 37, "gender": "male"}


@pytest.fixture
def crossed(world: World) -> World:
    """Return a world where Ken can look at Hana's game; Taro, who has not installed it, is a friend of both."""
    world.platform.friends_and_installs.befriend(KEN, TARO)
    world.calls.clear()
    return world


def test_the_owners_friends_without_the_app(crossed: World) -> None:
    """▲ and △: the user's information, and the public part of the profile."""
    status, body = ask(crossed, FRIENDS, KEN, *FINER, owner=HANA, fields="@all")

    assert (status, ids(body), body["totalResults"]) == (200, [HANA, MEI, TARO], 3)
    assert body["entry"][2] == {
        **entry_of(PEOPLE["taro"]),
        "thumbnailDetails": details("https://people.example/taro.jpg"),
        "bloodType": "AB",
        "gender": "male",
    }
    assert (
        ask(crossed, f"/2/people/{TARO}/@self", KEN, *FINER, owner=HANA, fields="@all")[1]["entry"]
        == (body["entry"][2])
    )


@pytest.mark.parametrize("sort", ["id", "displayName"])
def test_the_switch_takes_them_away(crossed: World, sort: str) -> None:
    crossed.platform.users.change(TARO, visible=False)

    status, body = ask(crossed, FRIENDS, KEN, owner=HANA, sortBy=sort)

    assert (status, sorted(ids(body)), body["totalResults"]) == (200, [HANA, MEI], 2)
    assert refusal(crossed, f"/2/people/{TARO}/@self", KEN, owner=HANA) == DENIED


def test_the_switch_is_for_apps_that_are_not_installed(world: World) -> None:
    world.platform.users.change(KEN, visible=False)

    assert ids(ask(world, FRIENDS)[1]) == [KEN, MEI]


def test_an_owner_is_needed_for_it(crossed: World) -> None:
    """In Ken's own game, and in the game of an owner who has uninstalled it, the Viewer's rows apply."""
    assert ids(ask(crossed, FRIENDS, KEN)[1]) == [HANA, MEI]
    crossed.platform.appdata.uninstall(APPS["quest"], HANA)

    assert ids(ask(crossed, FRIENDS, KEN, owner=HANA)[1]) == [MEI]
    assert refusal(crossed, f"/2/people/{TARO}/@self", KEN, owner=HANA) == DENIED


def test_an_owner_does_not_widen_whom_one_may_name(world: World) -> None:
    assert refusal(world, f"/2/people/{TARO}/@self", KEN, owner=HANA) == DENIED
    assert refusal(world, f"/2/people/{HANA}/@self", YUKI, owner=HANA) == DENIED
    assert refusal(world, f"/2/people/{HANA}/@friends", KEN, owner=HANA) == DENIED


# --- paging, order, filters


@pytest.mark.parametrize(
    ("start", "count", "found"), [("0", "1", [KEN]), ("1", "1", [MEI]), ("1", "1000", [MEI]), ("2", "1", [])]
)
def test_paging(world: World, start: str, count: str, found: list[str]) -> None:
    status, body = ask(world, FRIENDS, startIndex=start, count=count)

    assert (status, ids(body)) == (200, found)
    assert (body["startIndex"], body["itemsPerPage"], body["totalResults"]) == (int(start), len(found), 2)


REFUSED_QUERIES: list[dict[str, str]] = [
    {"count": "0"},
    {"count": "1001"},
    {"count": "-1"},
    {"count": "many"},
    {"count": ""},
    {"startIndex": "-1"},
    {"startIndex": "1.5"},
    {"sortBy": "age"},
    {"sortOrder": "up"},
    {"filterBy": "topFriends"},
    {"filterBy": "pageId"},
    {"filterBy": "pageId", "filterValue": "cafe"},
    {"format": "atom"},
]


@pytest.mark.parametrize("path", [SELF, FRIENDS])
def test_refused_parameters(world: World, path: str) -> None:
    for query in REFUSED_QUERIES:
        assert refusal(world, path, **query)[:2] == (400, "parameter_invalid"), query
    assert world.calls == []


ARRANGED: list[tuple[dict[str, str], list[str]]] = [
    ({"sortOrder": "descending"}, [MEI, KEN]),
    ({"sortBy": "affinity"}, [KEN, MEI]),
    ({"sortBy": "", "sortOrder": "", "filterBy": "", "format": ""}, [KEN, MEI]),
    ({"sortBy": "displayName"}, [KEN, MEI]),
    ({"sortBy": "displayName", "sortOrder": "descending"}, [MEI, KEN]),
    ({"filterBy": "hasApp"}, [KEN, MEI]),
    ({"filterBy": "pageId", "filterValue": CAFE.id}, [KEN]),
    ({"filterBy": "pageId", "filterValue": "1"}, []),
]


def test_order_and_filters(world: World) -> None:
    for query, found in ARRANGED:
        status, body = ask(world, FRIENDS, **query)
        assert (status, ids(body), body["totalResults"]) == (200, found, len(found)), query


def test_having_the_app_filters_the_owners_friends(crossed: World) -> None:
    assert ids(ask(crossed, FRIENDS, KEN, owner=HANA, filterBy="hasApp")[1]) == [HANA, MEI]


# --- costs


def friend(turn: int) -> str:
    return f"f{turn:011}"


@pytest.fixture
def popular(world: World) -> World:
    """Return a world where Yuki has 1,000 friends with the app."""
    directory = world.platform.friends_and_installs
    for turn in range(1000):
        each = friend(turn)
        keys = [directory.friendship(YUKI, each)[1], directory.install(each, APPS["quest"])[1]]
        items = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        items.append(to_item(User(each, f"Friend {999 - turn}", publication=dict(PEOPLE["hana"].publication))))
        world.dynamodb.batch_write_item(
            RequestItems={"engawa-local-directory": [{"PutRequest": {"Item": item}} for item in items]}
        )
    return world


THOUSAND: list[dict[str, str]] = [
    {},
    {"count": "1000"},
    {"count": "1000", "sortBy": "displayName", "sortOrder": "descending"},
    {"filterBy": "pageId", "filterValue": CAFE.id},
]


def test_a_thousand_friends_are_three_calls_in_sequence(popular: World) -> None:
    for query in THOUSAND:
        for owner in (None, HANA):
            popular.calls.clear()
            status, body = ask(popular, FRIENDS, YUKI, owner=owner, **query)

            assert status == 200
            assert longest_chain([call.lane for call in popular.calls]) <= 3
            assert body["totalResults"] == (0 if "filterBy" in query else 1000)
            assert len(body["entry"]) == min(int(query.get("count", "20")), body["totalResults"])


def test_the_pages_of_a_thousand_friends_are_all_of_them_once(popular: World) -> None:
    pages = [ids(ask(popular, FRIENDS, YUKI, startIndex=str(start), count="300")[1]) for start in range(0, 1000, 300)]

    assert [len(page) for page in pages] == [300, 300, 300, 100]
    assert [each for page in pages for each in page] == [friend(turn) for turn in range(1000)]


@pytest.mark.parametrize("path", [SELF, f"/2/people/{KEN}/@self"])
def test_one_person_is_one_call(world: World, path: str) -> None:
    ask(world, path)

    assert len(world.calls) == 1
