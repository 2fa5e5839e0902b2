"""The users whose data may be read and written: self and friends, if both have installed the app."""

import pytest

from tests.kit.appdata_api import DENIED, FRIENDS, USAGE, nothing_changes, own_data, self_of, stored
from tests.kit.worlds import APP, HANA, KEN, ME, MEI, TARO, YUKI, World


def body_of(method: str) -> dict[str, str] | None:
    return {"k": "v"} if method in ("POST", "PUT") else None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_who_has_not_installed_the_app_is_refused(world: World, method):
    with nothing_changes(world):
        for path in (ME, self_of(TARO)):
            assert world.send(method, path, body_of(method), user=TARO).error == DENIED


@pytest.mark.parametrize("path", [FRIENDS, USAGE, self_of(HANA)])
def test_who_has_not_installed_the_app_reads_nothing(world: World, path):
    stored(world, {"k": "v"})
    assert world.send("GET", path, user=TARO).error == DENIED


def test_a_friend_without_the_app_is_refused(world: World):
    assert world.send("GET", self_of(TARO)).error == DENIED


def test_someone_who_is_no_friend_is_refused_also_with_the_app(world: World):
    stored(world, {"k": "v"}, user=YUKI)
    assert world.send("GET", self_of(YUKI)).error == DENIED


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nobody_s_data_are_refused(world: World, method):
    with nothing_changes(world):
        for user in ("nobody", "@viewer", "@owner", "0", "%00", "x" * 3000, "%E7%B8%81" * 300, "a%23b", "@ME"):
            assert world.send(method, self_of(user), body_of(method)).error == DENIED


def test_friendship_reads_both_ways(world: World):
    stored(world, {"k": "of Hana"})
    stored(world, {"k": "of Ken"}, user=KEN)
    assert world.send("GET", self_of(KEN)).json["entry"][0]["data"] == {"k": "of Ken"}
    assert world.send("GET", self_of(HANA), user=KEN).json["entry"][0]["data"] == {"k": "of Hana"}
    assert world.send("GET", self_of(KEN), user=MEI).error == DENIED


@pytest.mark.parametrize("user", [KEN, YUKI, TARO, "nobody"])
def test_nothing_but_self_of_someone_else_is_readable(world: World, user):
    for group in ("@friends", "@usage", "@all", "@me"):
        assert world.send("GET", f"/2/apps/appdata/{user}/{group}").error == DENIED


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_group_that_does_not_exist_is_refused(world: World, method):
    with nothing_changes(world):
        for user in ("@me", HANA):
            for group in ("@all", "@Self", "self", KEN, "@app", "%00"):
                assert world.send(method, f"/2/apps/appdata/{user}/{group}", body_of(method)).error == DENIED


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nobody_else_s_data_and_no_other_group_can_be_written(world: World, method):
    stored(world, {"k": "v"}, user=KEN)
    with nothing_changes(world):
        for path in (self_of(KEN), self_of(YUKI), self_of("nobody"), FRIENDS, USAGE):
            assert world.send(method, path, body_of(method)).error == DENIED
    assert own_data(world, KEN) == {"k": "v"}


def test_an_app_s_own_token_is_refused(world: World):
    with nothing_changes(world):
        for method in ("GET", "POST", "PUT", "DELETE"):
            reply = world.send(method, ME, body_of(method), token=world.token(None))
            assert reply.error == (403, "permission_denied", "This needs a user's access token")


def test_an_install_of_another_app_opens_nothing(world: World):
    world.platform.appdata.install("another", TARO)
    assert world.send("GET", ME, user=TARO).error == DENIED
    assert world.send("GET", self_of(KEN), token=world.token(HANA, app="another")).error == DENIED


def test_uninstalling_ends_all_access_and_installing_again_starts_empty(world: World):
    stored(world, {"k": "v"})
    assert world.platform.appdata.uninstall(APP, HANA)
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert world.send(method, ME, body_of(method)).error == DENIED
    assert world.send("GET", FRIENDS).error == DENIED
    assert world.send("GET", self_of(KEN)).error == DENIED
    assert world.send("GET", self_of(HANA), user=KEN).error == DENIED
    assert not world.platform.appdata.uninstall(APP, HANA)
    assert world.platform.appdata.install(APP, HANA)
    assert own_data(world) == {}
