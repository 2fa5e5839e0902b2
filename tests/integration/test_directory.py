"""The stores of users, logins, friendships, installs and apps: writes, refusals, lists and leftovers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, Unavailable
from chalicelib.core.limits import MOST_FRIENDS
from chalicelib.core.model.directory import App, AppDialect, StartMethod, User
from chalicelib.core.model.publication import Publication
from chalicelib.store.aws.items import typed
from chalicelib.store.directory import friends_and_installs as directory_module
from chalicelib.store.directory.counted_rows import CountedRows
from chalicelib.store.directory.keys import COUNTS, app_key, every
from local import keys
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, YUKI, World

STRANGER = "z" * 12
FULL = User(
    "q1w2e3r4t5y6",
    "花",
    profile_url="https://a.example/q",
    thumbnail_url="https://a.example/q.jpg",
    blood_type="AB",
    address="京都",
    birthday="2001-02-03",
    age=0,
    gender="female",
    publication={
        "address": Publication.NOBODY,
        "birthday": Publication.EVERYONE,
        "age": Publication.FRIENDS_OF_FRIENDS,
        "gender": Publication.FRIENDS,
    },
    visible=False,
    login="hana",
    created=5,
)


def keys_of(world: World) -> set[tuple[str, str]]:
    return {(item["pk"]["S"], item["sk"]["S"]) for item in world.items("directory") if item["pk"]["S"] != COUNTS}


def test_a_user_is_kept_whole(world: World) -> None:
    users = world.platform.users

    assert users.create(FULL, "hash") == FULL
    assert users.get(FULL.id) == FULL
    assert users.get_many([FULL.id, STRANGER]) == {FULL.id: FULL}
    assert users.get(STRANGER) is None
    assert users.credential("HANA") == (FULL.id, "hash")
    assert users.credential("ken") is None
    assert users.create(User(STRANGER, "new")).created == world.clock.now


def test_an_id_and_a_login_are_taken_once(world: World) -> None:
    users = world.platform.users
    users.create(FULL, "hash")
    before = world.items("directory")

    with pytest.raises(Conflict, match=f"There is a user {FULL.id} already"):
        users.create(FULL, "other")
    with pytest.raises(Conflict, match="The login hana is taken"):
        users.create(User(STRANGER, "Other", login="hana"), "other")
    with pytest.raises(ParameterInvalid, match="login"):
        users.create(User(STRANGER, "Other"), "other")

    assert world.items("directory") == before


def test_a_change_touches_what_it_names(world: World) -> None:
    users = world.platform.users
    users.create(FULL, "hash")

    changed = users.change(FULL.id, address=None, age=7, visible=True, publication={"address": Publication.FRIENDS})

    assert changed == users.get(FULL.id)
    assert changed == replace(
        FULL,
        address=None,
        age=7,
        visible=True,
        publication={**FULL.publication, "address": Publication.FRIENDS},
    )
    assert users.change(FULL.id) == changed
    with pytest.raises(NotFound):
        users.change(STRANGER, display_name="a")
    with pytest.raises(NotFound):
        users.change(STRANGER, login="a")


def test_a_renamed_login_keeps_the_password(world: World) -> None:
    users = world.platform.users
    users.create(FULL, "hash")
    users.create(User(STRANGER, "Other", login="taken"))

    with pytest.raises(Conflict, match="The login taken is taken"):
        users.change(FULL.id, login="taken", display_name="changed")
    assert users.get(FULL.id) == FULL

    assert users.change(FULL.id, login="new", display_name="changed").login == "new"
    assert users.credential("hana") is None
    assert users.credential("new") == (FULL.id, "hash")
    assert users.change(FULL.id, login="new").display_name == "changed"

    assert users.change(FULL.id, login=None).login is None
    assert users.credential("new") is None
    assert users.change(FULL.id, login="hana").login == "hana"
    assert users.credential("hana") is None, "the password went with the login"


def test_a_password_is_set_replaced_and_taken_away(world: World) -> None:
    users = world.platform.users
    users.create(FULL)

    assert users.credential("hana") is None
    assert users.set_password(FULL.id, "one")
    assert users.set_password(FULL.id, "two", instead_of="one")
    assert not users.set_password(FULL.id, "three", instead_of="one")
    assert users.credential("hana") == (FULL.id, "two")
    assert users.set_password(FULL.id, None)
    assert users.credential("hana") is None
    with pytest.raises(Conflict, match="no login"):
        users.set_password(HANA, "one")
    with pytest.raises(NotFound):
        users.set_password(STRANGER, "one")


@pytest.mark.parametrize("count", [1, 2, 7, 200])
def test_all_users_are_listed_once_whatever_the_part(make_world: Callable[..., World], count: int) -> None:
    world = make_world()
    made = {world.platform.users.create(User(f"{number:012d}", f"user {number}")).id for number in range(40)}

    listed = [user.id for user in every(lambda cursor: world.platform.users.list_part(cursor, count))]

    assert len(listed) == 40
    assert set(listed) == made
    part, cursor = world.platform.users.list_part(None, 39)
    assert len(part) == 39
    assert cursor is not None
    assert world.platform.users.list_part(cursor, 1)[1] is None
    with pytest.raises(ParameterInvalid, match="cursor"):
        world.platform.users.list_part("?", 1)


def test_a_friendship_has_two_sides_and_is_counted_once(world: World) -> None:
    directory, users = world.platform.friends_and_installs, world.platform.users

    assert directory.befriend(KEN, MEI)
    assert not directory.befriend(MEI, KEN)
    assert directory.friends(KEN) == (sorted([HANA, MEI]), None)
    assert directory.friends(MEI) == (sorted([HANA, KEN]), None)
    assert [users.get(user).friends for user in (HANA, KEN, MEI, TARO)] == [3, 2, 2, 1]  # type: ignore[union-attr]

    assert directory.unfriend(MEI, KEN)
    assert not directory.unfriend(KEN, MEI)
    assert directory.friends(KEN) == ([HANA], None)
    assert [users.get(user).friends for user in (HANA, KEN, MEI)] == [3, 1, 1]  # type: ignore[union-attr]


def test_a_friendship_needs_two_users_who_exist(world: World) -> None:
    directory = world.platform.friends_and_installs
    before = world.items("directory")

    for one, other in ((HANA, STRANGER), (STRANGER, HANA)):
        with pytest.raises(NotFound, match=f"There is no user {STRANGER}"):
            directory.befriend(one, other)
        with pytest.raises(NotFound, match=STRANGER):
            directory.unfriend(one, other)
    with pytest.raises(ParameterInvalid):
        directory.befriend(HANA, HANA)
    assert not directory.unfriend(HANA, HANA)
    assert not directory.unfriend(HANA, YUKI)

    assert world.items("directory") == before


def test_the_last_friend_is_the_thousandth(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = world.platform.friends_and_installs
    assert MOST_FRIENDS == 1_000
    monkeypatch.setattr(directory_module, "MOST_FRIENDS", 4)

    assert directory.befriend(HANA, YUKI)
    world.platform.users.create(FULL)
    before = world.items("directory")
    for one, other in ((HANA, FULL.id), (FULL.id, HANA)):
        with pytest.raises(ParameterInvalid, match=r"Too many friends \(max=4\)"):
            directory.befriend(one, other)
    assert world.items("directory") == before
    assert not directory.befriend(HANA, KEN), "to be a friend again is no difference"
    assert directory.unfriend(HANA, KEN)
    assert directory.befriend(HANA, FULL.id)


def test_friends_and_installs_are_listed_in_parts(world: World) -> None:
    directory = world.platform.friends_and_installs
    apps = [f"{number:016x}" for number in range(5)]
    for app in apps:
        world.platform.appdata.install(app, HANA)

    first, cursor = directory.friends(HANA, None, 2)
    rest, end = directory.friends(HANA, cursor, 2)

    assert (first + rest, end) == (sorted([KEN, MEI, TARO]), None)
    assert list(every(lambda cursor: directory.installs(HANA, cursor, 2))) == sorted([*apps, APP])
    assert directory.installs(TARO) == ([], None)
    assert list(every(lambda cursor: directory.installed_users(APP, cursor, 3))) == sorted([HANA, KEN, MEI, YUKI])
    assert directory.friends_with_install(HANA, apps[3]) == (sorted([KEN, MEI, TARO]), True)
    for read in (directory.friends, directory.installs, directory.installed_users):
        with pytest.raises(ParameterInvalid, match="cursor"):
            read(HANA, "friend#", 1)


def test_only_a_user_who_exists_can_install(world: World) -> None:
    with pytest.raises(NotFound):
        world.platform.appdata.install(APP, STRANGER, {"key": "value"})
    assert not world.platform.appdata.install(APP, HANA)
    assert world.platform.appdata.uninstall(APP, HANA)
    assert world.platform.friends_and_installs.installed_users(APP)[0] == sorted([KEN, MEI, YUKI])
    assert not [item for item in world.items() if STRANGER in item["pk"]["S"]]


def test_nothing_of_a_deleted_user_is_left(world: World) -> None:
    platform = world.platform
    nothing_else = keys_of(world)
    platform.users.create(FULL, "hash")
    from chalicelib.core.model.directory import Page

    for page in ("7", "8"):
        platform.pages.create(Page(page, "Café"))
        platform.pages.members.add_follower(page, FULL.id)
        platform.pages.members.add_follower(page, HANA)
        platform.pages.members.add_administrator(page, FULL.id)
    for friend in (HANA, KEN, YUKI):
        platform.friends_and_installs.befriend(FULL.id, friend)
    platform.appdata.install(APP, FULL.id, {"key": "value"})

    with pytest.raises(Conflict, match="installed"):
        platform.users.delete(FULL.id)
    assert platform.users.get(FULL.id) is None, "but it has begun"
    assert platform.users.credential("hana") is None
    assert FULL.id not in platform.users.get_many([FULL.id])
    assert FULL.id not in [user.id for user in platform.users.list_part()[0]]
    platform.appdata.uninstall(APP, FULL.id)
    assert platform.users.delete(FULL.id)

    assert not [item for item in world.items("directory") if FULL.id in str(item)]
    assert not [item for item in world.items() if FULL.id in str(item)]
    assert platform.pages.get("7").followers == 1  # type: ignore[union-attr]
    assert platform.users.get(HANA).friends == 3  # type: ignore[union-attr]
    assert not platform.users.delete(FULL.id)
    for page in ("7", "8"):
        platform.pages.delete(page)
    assert keys_of(world) == nothing_else


def test_nothing_can_be_added_to_a_user_who_is_being_deleted(world: World) -> None:
    platform = world.platform
    assert platform.users.close(HANA)
    assert platform.users.close(HANA)
    assert not platform.users.close(STRANGER)

    for refused in (
        lambda: platform.friends_and_installs.befriend(YUKI, HANA),
        lambda: platform.appdata.install("0" * 16, HANA),
        lambda: platform.users.change(HANA, display_name="a"),
        lambda: platform.users.set_password(HANA, "a"),
    ):
        with pytest.raises(NotFound):
            refused()
    with pytest.raises(Conflict):
        platform.users.create(User(HANA, "again"))
    assert platform.friends_and_installs.unfriend(HANA, KEN), "taken away it can be"


def test_a_deletion_that_was_cut_short_is_finished_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = world.platform
    platform.appdata.uninstall(APP, HANA)
    with monkeypatch.context() as cut:
        cut.setattr(CountedRows, "clear", _crash)
        with pytest.raises(RuntimeError):
            platform.users.delete(HANA)

    assert platform.users.delete(HANA)
    assert not [item for item in world.items("directory") if HANA in json.dumps(item)]


def test_a_deletion_waits_for_the_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.core.model.directory import Page

    platform = world.platform
    platform.pages.create(Page("7", "Café"))
    platform.pages.members.add_follower("7", HANA)
    platform.appdata.uninstall(APP, HANA)
    pages, seen = platform.pages.members.end_memberships, []

    def late(user: str) -> None:
        seen.append(user)
        if len(seen) == 3:
            pages(user)

    monkeypatch.setattr(platform.pages.members, "end_memberships", late)
    assert platform.users.delete(HANA)
    assert platform.pages.get("7").followers == 0  # type: ignore[union-attr]

    monkeypatch.setattr(platform.pages.members, "end_memberships", lambda user: None)
    platform.pages.members.add_follower("7", KEN)
    platform.appdata.uninstall(APP, KEN)
    with pytest.raises(Unavailable):
        platform.users.delete(KEN)


def test_an_app_is_kept_whole_and_its_secret_is_not_readable_where_it_is_stored(world: World) -> None:
    apps = world.platform.apps
    app = App(
        "0123456789abcdef",
        "Quest",
        redirect_uris=("https://a.example/cb",),
        start_url="https://a.example/",
        scopes=("mixi_apps2", "r_profile"),
        origins=("https://a.example",),
        dialect=AppDialect.DRAFT10,
        created=5,
        start_method=StartMethod.FORM,
    )

    made = apps.create(app)

    assert made.secret is not None
    assert len(made.secret) == 40
    assert apps.get(app.id) == made == replace(app, secret=made.secret)
    assert apps.get("f" * 16) is None
    assert made.secret not in json.dumps(world.items("directory"))
    assert apps.list_part() == ([app], None)
    with pytest.raises(Conflict, match=app.id):
        apps.create(app)

    assert apps.change(app.id, name="Quest II", start_url=None, scopes=()) == replace(
        made, name="Quest II", start_url=None, scopes=()
    )
    # Apps of earlier versions have no start method.
    world.dynamodb.update_item(
        TableName="engawa-local-directory", Key=typed(app_key(app.id)), UpdateExpression="REMOVE m"
    )
    assert apps.get(app.id).start_method is StartMethod.REDIRECT  # type: ignore[union-attr]
    fresh = world.platform.app_secrets.rotate(app.id)
    assert fresh != made.secret
    assert apps.get(app.id).secret == fresh  # type: ignore[union-attr]
    for refused in (lambda: apps.change("f" * 16, name="a"), lambda: world.platform.app_secrets.rotate("f" * 16)):
        with pytest.raises(NotFound):
            refused()


def test_a_public_app_has_no_secret(world: World) -> None:
    apps = world.platform.apps

    assert apps.create(App("a" * 16, "Album", confidential=False, secret="ignored")).secret is None
    assert apps.get("a" * 16).secret is None  # type: ignore[union-attr]
    with pytest.raises(Conflict):
        world.platform.app_secrets.rotate("a" * 16)


def test_secrets_outlive_the_rotation_of_keys(make_world: Callable[..., World], tmp_path: Path) -> None:
    world = make_world()
    path = tmp_path / "secret-keys.json"
    made = [world.platform.apps.create(App(f"{number:016x}", "Quest")) for number in range(3)]
    world.platform.apps.create(App("a" * 16, "Album", confidential=False))
    world.platform.app_secrets.rotate(made[0].id, keep_old=True)
    made[0] = world.platform.apps.get(made[0].id)  # type: ignore[assignment]
    assert made[0].old_secret

    keys.rotate_secret(path)
    assert make_world().platform.app_secrets.seal_anew() == 4
    path.write_text(json.dumps({"keys": json.loads(path.read_text())["keys"][:1]}))

    assert [make_world().platform.apps.get(app.id) for app in made] == made


def test_apps_are_listed_in_parts_and_deleted_whole(world: World) -> None:
    platform = world.platform
    from chalicelib.core.model.directory import Page

    made = [platform.apps.create(App(f"{number:016x}", f"app {number}")).id for number in range(5)]
    assert [app.id for app in every(lambda cursor: platform.apps.list_part(cursor, 2))] == made

    platform.pages.create(Page("7", "Café"))
    platform.pages.add_module("7", made[0], "Quest")
    platform.pages.add_module("7", made[1], "Other")
    assert platform.apps.close(made[0])
    assert platform.apps.get(made[0]) is None
    with pytest.raises(NotFound):
        platform.pages.add_module("7", made[0], "Quest")
    assert platform.apps.delete(made[0])
    assert not platform.apps.delete(made[0])
    assert not [item for item in world.items("directory") if made[0] in json.dumps(item)]
    assert [module.app for module in platform.pages.modules("7")[0]] == [made[1]]


def test_no_list_is_read_by_a_scan(world: World) -> None:
    platform = world.platform
    platform.users.list_part()
    platform.apps.list_part()
    platform.pages.list_part()
    platform.friends_and_installs.installed_users(APP)
    platform.pages.members.followers("7")

    assert {call.operation for call in world.calls} <= {"query", "batch_get_item"}


def _crash(*_: Any) -> None:
    raise RuntimeError("cut short")
