"""Export and erasure of all data of a user; an erasure is completed however often it is interrupted."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from chalicelib.core.conditions import Conditions
from chalicelib.core.events import EventKind
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import App, Page, User
from chalicelib.core.moderation import Post
from chalicelib.core.oauth import Family
from chalicelib.core.passwords import hash_password
from chalicelib.core.reports import ReportReason
from chalicelib.store.aws.items import key_of
from chalicelib.store.contents.items import content_of
from tests.kit.page_api import objects
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, Reply, World, sweep

pytestmark = pytest.mark.moto

ALBUM = "c07be4915fa2d386"
SARA = "s4r4s4r4s4r4"
CAFE = "20260401000000000001"
TABLES = ("appdata", "directory", "grants", "ephemeral", "records", "feeds", "comments", "favorites")
URI, OTHERS = "http://a.example/1", "http://a.example/2"
LEAF = re.compile(r"(^|#)b[0-9]{7}$")
"""The sort key of a leaf, the item that records holes of a list; a deletion leaves it."""
ANYTIME = Conditions(None, None)
Send = Callable[..., Reply]


@pytest.fixture
def sara(world: World) -> str:
    """Create the user Sara with data in every table. Return a refresh token that an app has for her."""
    here = world.platform
    for app in (APP, ALBUM):
        here.apps.create(App(app, f"app {app}", scopes=("mixi_apps2",), redirect_uris=("https://a.example/",)))
    here.users.create(User(SARA, "沙羅", login="sara", birthday="1990-04-01"), hash_password("correct horse"))
    for friend in (HANA, KEN, TARO):
        here.friends_and_installs.befriend(SARA, friend)
    here.appdata.install(APP, SARA, {"level": "5"})
    here.appdata.install(ALBUM, SARA)
    here.appdata.write(APP, SARA, {"big": "x" * 60_000, "bigger": "é" * 20_000}, ANYTIME)
    here.pages.create(Page(CAFE, "Cafe"))
    here.pages.members.add_administrator(CAFE, SARA)
    here.pages.members.add_follower(CAFE, SARA)
    here.pages.members.add_follower(CAFE, MEI)
    here.pages.members.add_administrator(CAFE, MEI)
    here.pages.add_module(CAFE, APP, "App", "1")
    for poster, uri in ((SARA, URI), (MEI, OTHERS)):
        draft = Draft("a feed", content_uri=uri, source="1")
        here.feed_posting.post(here.feed_posting.admit(CAFE, poster, APP, draft), draft)
        for user in (SARA, KEN):
            here.comments.post(CAFE, uri, user, f"a comment on {uri}")
            here.favorites.add(CAFE, uri, user)
    here.reports.report(Post(CAFE, "2"), SARA, ReportReason.SPAM, "")
    grant_codes(world)
    code = here.grants.allow(family(APP))
    found = here.grants.find(APP, code)[1]
    assert found
    token = here.grants.redeem(found, code)
    assert token
    return token


def family(app: str) -> Family:
    return Family("", app, SARA, frozenset({"mixi_apps2"}), 0, 0, redirect_uri="https://a.example/")


def grant_codes(world: World) -> None:
    """Create authorization codes that are not used yet."""
    for app in (APP, ALBUM, ALBUM):
        world.platform.grants.allow(family(app))


def traces(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Return every item that contains data of Sara, without the action log, which keeps ids."""
    names = world.dynamodb.list_tables()["TableNames"]
    assert sorted(names) == sorted(f"engawa-local-{table}" for table in TABLES)
    return [
        (table, item)
        for table in TABLES
        for item in world.items(table)
        if any(word in str(item) for word in (SARA, "sara", "沙羅")) and not item["pk"]["S"].startswith("log#")
    ]


def settle(world: World) -> None:
    """Run the cleanup to its end, now and again when the notes are due."""
    world.platform.sweep()
    world.clean()
    world.clock.now += 600_000
    world.platform.sweep()
    world.clean()


def test_an_export_has_everything(operator: Send, world: World, sara: str) -> None:
    told = operator("GET", f"/users/{SARA}/export")

    assert told.status == 200
    account = operator("GET", f"/users/{SARA}").json
    assert told.json["profile"] | {"role": None, "suspended": None} == account
    assert told.json["profile"].keys() == account.keys() - {"role", "suspended"}
    assert told.json["profile"]["login"] == "sara"
    assert told.json["profile"]["publication"]["birthday"] == "friends"
    assert told.json["friends"] == sorted([HANA, KEN, TARO])
    assert told.json["installs"] == [
        {"app": APP, "data": {"level": "5", "big": "x" * 60_000, "bigger": "é" * 20_000}},
        {"app": ALBUM, "data": {}},
    ]
    assert [(grant["app"], grant["scopes"]) for grant in told.json["grants"]] == [
        (APP, ["mixi_apps2"]),
        (ALBUM, ["mixi_apps2"]),
    ]
    assert told.json["pages"] == {"administers": [CAFE], "follows": [CAFE]}
    assert [(feed["page"], feed["contentUri"], feed["commentCount"]) for feed in told.json["feeds"]] == [(CAFE, URI, 2)]
    assert {(each["page"], each["contentUri"], each["comment"]) for each in told.json["comments"]} == {
        (CAFE, uri, f"a comment on {uri}") for uri in (URI, OTHERS)
    }
    made = "2027-01-15T17:00:00+09:00"
    assert sorted(told.json["favorites"], key=lambda each: str(each["contentUri"])) == [
        {"page": CAFE, "contentUri": uri, "created": made} for uri in (URI, OTHERS)
    ]
    assert "scrypt" not in told.text
    assert sara not in told.text


def test_a_large_export_is_fetched_from_where_it_is(operator: Send, world: World, sara: str) -> None:
    for part in range(2):
        pairs = {f"k{part}.{each}": "x" * 65_000 for each in range(50)}
        world.platform.appdata.write(ALBUM, SARA, dict(pairs), ANYTIME)

    told = operator("GET", f"/users/{SARA}/export")

    assert told.status == 303
    key = told.headers["location"].partition("?")[0].rpartition("/answers/")[2]
    stored = world.s3.get_object(Bucket="engawa-local-000000000000", Key=f"answers/{key}")["Body"].read()
    assert stored.count(b"x") > 6_000_000


def test_erased_is_erased_everywhere(operator: Send, world: World, sara: str) -> None:
    content = content_of(CAFE, URI)
    others = {
        table: [item for item in world.items(table) if SARA not in str(item) and content not in str(item)]
        for table in TABLES
        if table != "records"
    }
    assert {table for table, _ in traces(world)} == {*TABLES} - {"ephemeral"}

    told = operator("DELETE", f"/users/{SARA}")
    settle(world)

    assert told.json == {
        "id": SARA,
        "removed": {
            "profiles": 1,
            "friendships": 3,
            "installs": 2,
            "grants": 2,
            "page roles": 2,
            "reports": 1,
            "posts": 5,
        },
    }
    assert traces(world) == []
    assert world.platform.grants.find(APP, sara)[1] is None
    assert world.platform.users.credential("sara") is None
    counts = {user: operator("GET", f"/users/{user}").json["friends"] for user in (HANA, KEN, TARO)}
    assert counts == {HANA: 3, KEN: 1, TARO: 1}
    assert operator("GET", f"/pages/{CAFE}").json["followers"] == 1
    assert world.platform.feeds.get(CAFE, OTHERS)[0].comments == world.platform.favorites.count(CAFE, OTHERS) == 1
    for table, before in others.items():
        left = {key_of(item) for item in world.items(table) if not LEAF.search(key_of(item)[1])}
        assert left == {key_of(item) for item in before}
    assert world.send("GET", "/2/apps/appdata/@me/@self", user=SARA).status == 403


def test_erasing_again_is_no_difference(operator: Send, world: World, sara: str) -> None:
    assert operator("DELETE", f"/users/{SARA}").status == 200

    again = operator("DELETE", f"/users/{SARA}")

    assert again.status == 200
    assert set(again.json["removed"].values()) == {0}
    assert operator("DELETE", "/users/x").status == 404


def test_an_erasure_cut_short_anywhere_is_finished_by_the_next(
    operator: Send, world: World, sara: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the first call through, then the first two, and so on: a crash after each of them."""
    real = type(world.dynamodb)._make_api_call
    allowed, left = 0, 0

    def dying(client: Any, operation: str, arguments: Any) -> Any:
        nonlocal left
        if left == 0:
            raise Died
        left -= 1
        return real(client, operation, arguments)

    class Died(ConnectionClosedError):
        def __init__(self) -> None:
            super().__init__(endpoint_url="http://aws")

    status = 0
    while status != 200:
        allowed += 1
        left = allowed
        with monkeypatch.context() as patch:
            patch.setattr(type(world.dynamodb), "_make_api_call", dying)
            status = operator("DELETE", f"/users/{SARA}").status
        assert status in (200, 503)
        assert world.platform.users.get(SARA) is None or allowed < 5
        assert allowed < 100
    settle(world)

    assert allowed > 5
    assert traces(world) == []
    assert operator("GET", f"/users/{HANA}").json["friends"] == 3
    assert operator("GET", f"/pages/{CAFE}").json["followers"] == 1


def test_the_sweep_erases_a_user_who_left(world: World, sara: str) -> None:
    here = world.platform
    user, known = here.users.get(SARA), here.users.credential("sara")
    assert user
    assert known
    assert here.sessions_of_users.begin(user, known[1], "Firefox")
    here.endpoints.create(ALBUM, "https://album.example/events", [EventKind.ERASED])
    here.user_data.uninstall(APP, SARA)  # Moto does not take two transactions at once.
    here.oversized_answers.keeper(SARA)(b"{}", "application/json")

    world.clock.now = here.leaving_users.leave(SARA) + 1
    sweep(world)

    assert here.users.get(SARA) is None
    assert objects(world) == []
    settle(world)
    assert [(table, item) for table, item in traces(world) if not item["pk"]["S"].startswith("event#")] == []


def test_nothing_can_be_added_to_a_user_who_is_going(operator: Send, world: World, sara: str) -> None:
    world.platform.users.close(SARA)

    assert operator("PUT", f"/users/{SARA}/friends/{MEI}").status == 404
    assert operator("PUT", f"/pages/{CAFE}/followers/{SARA}").status == 404
    assert world.platform.users.credential("sara") is None
    world.platform.appdata.uninstall(ALBUM, SARA)
    assert operator("PUT", f"/users/{SARA}/installs/{ALBUM}").status == 404
    assert operator("DELETE", f"/users/{SARA}").status == 200
    settle(world)
    assert traces(world) == []


def test_an_app_goes_with_all_that_users_have_in_it(operator: Send, world: World, sara: str) -> None:
    told = operator("DELETE", f"/apps/{APP}")
    world.platform.sweep()

    assert told.json == {"id": APP, "installs": 5, "done": True}
    assert operator("GET", f"/apps/{APP}").status == 404
    assert [item for table in TABLES for item in world.items(table) if APP in str(item) and table != "records"] == []
    assert operator("DELETE", f"/apps/{APP}").json == {"id": APP, "installs": 0, "done": True}


def test_an_app_with_many_users_goes_in_parts(operator: Send, world: World, sara: str) -> None:
    ticks = iter([0.0, 1000.0, 1000.0, 1000.0])

    removed, done = world.platform.user_data.erase_app(APP, lambda: next(ticks))

    assert (removed, done) == (5, False)
    assert world.platform.apps.get(APP) is None
    assert world.platform.user_data.erase_app(APP) == (0, True)
    assert [
        item for table in ("appdata", "directory") for item in world.items(table) if f"app#{APP}" in str(item)
    ] == []
