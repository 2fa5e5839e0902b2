"""Export and import: what is exported from one platform and imported into an empty one reads the same there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import Result

from admin.folder import MANIFEST, SCOPES
from chalicelib.core.appdata import Balance
from chalicelib.core.base36 import base36, from_base36
from chalicelib.core.bulk_import import KINDS
from chalicelib.core.conditions import Conditions
from chalicelib.core.contents_records import CommentRecord
from chalicelib.core.errors import Unavailable
from chalicelib.core.events import EventKind
from chalicelib.core.imaging.renditions import API_NAMES, NAMES, Rendition
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import App, Category, Page, User
from chalicelib.core.model.publication import DEFAULT_PUBLICATION, Publication
from chalicelib.core.oauth import Family
from chalicelib.core.passwords import hash_password
from chalicelib.store.contents.contents_import import ContentsImport
from local.demo_data import APPS
from local.demo_data import CAFE as CAFE_PAGE
from tests.kit import invariants, invariants_directory
from tests.kit.admin_world import AdminWorld
from tests.kit.invariants_contents import Contents
from tests.kit.memory import Cloud
from tests.kit.worlds import APP, BUCKET, HANA, KEN, MEI, TARO, YUKI, MemoryWorld, World, demo_people

ALBUM, LONELY = "a" * 16, "b" * 16
CAFE, BAR = "1234567890", "98765432109876543210"
ALWAYS = Conditions()
PICTURE = [Rendition(name, f"the bytes of {name}".encode(), "image/png", 1, 1) for name in NAMES]
OLD_PICTURE = PICTURE[: len(API_NAMES)]
"""An image as versions before the wide rendition stored it."""
SECRET = "s3cr3t-of-an-older-platform"
DATA = {
    HANA: {"level": "6", "name": "花", "empty": "", "bell": "\x07\x1b[2J\u2028", "big": "x" * 60_000}
    | {f"slot.{number:03}": "値" * number for number in range(150)},
    KEN: {"level": "9"},
    MEI: {},
    YUKI: {f"big{number}": "y" * 65_535 for number in range(20)},
}


def everything(served: AdminWorld) -> dict[Any, Any]:
    """Return all that the operator's API and the faces for apps can read, ids and dates included."""
    users, apps, pages = (served.every(path) for path in ("/users", "/apps", "/pages"))
    of_users = {user["id"]: served.get(f"/users/{user['id']}/export").json for user in users}
    of_apps = {app["id"]: served.every(f"/apps/{app['id']}/installs") for app in apps}
    of_pages = {
        (page["id"], kind): served.every(f"/pages/{page['id']}/{kind}")
        for page in pages
        for kind in ("modules", "administrators", "followers")
    }
    world = served.world
    read = {
        (user, whose): world.send("GET", f"/2/apps/appdata/@me/{whose}", user=user).json
        for user in (HANA, KEN, MEI, YUKI)
        for whose in ("@self", "@friends", "@usage")
    }
    token = world.token(None, "r_page", app=APP)
    uris = ["https://game.example/works/" + str(number) for number in range(6)]
    shown = {
        (page["id"], face, uri): world.send("GET", path_of(page["id"], face, uri), user=None, token=token).json
        for page in pages
        for face in ("feeds", "comments", "favorites")
        for uri in uris + [""] * (face == "feeds")
    }
    pictures = {key: world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in image_keys(world)}
    return {
        "users": users,
        "apps": apps,
        "pages": pages,
        "pictures": pictures,
        **of_users,
        **of_apps,
        **of_pages,
        **read,
        **shown,
    }


def path_of(page: str, face: str, uri: str) -> str:
    return f"/2/pages/{page}/{face}" + ("?" + urlencode({"contentUri": uri}) if uri else "")


def image_keys(world: World) -> set[str]:
    return {image["S"] for item in world.items("feeds") for image in item.get("i", {"L": []})["L"]}


def filled(world: World) -> World:
    """Put something of every kind into a world, each created at another time."""
    here, people = world.platform, world.platform.friends_and_installs
    for number, (user, more) in enumerate(
        {
            HANA: {
                "login": "hana",
                "birthday": "1991-04-02",
                "age": 35,
                "gender": "female",
                "blood_type": "A",
                "address": "東京都",
                "publication": {**DEFAULT_PUBLICATION, "age": Publication.NOBODY},
                "profile_url": "https://people.example/hana",
            },
            KEN: {"login": "ken", "visible": False},
            MEI: {"login": "mei"},
            TARO: {},
            YUKI: {},
        }.items()
    ):
        hashed = hash_password("correct horse") if user in (HANA, KEN) else None
        here.users.create(User(user, f"名 {number}", created=1_700_000_000_000 + number, **more), hashed)  # type: ignore[arg-type]
    for one, other in ((HANA, KEN), (MEI, HANA), (HANA, TARO), (KEN, MEI), (YUKI, KEN)):
        people.befriend(one, other)
    here.apps.create(App(APP, "Quest", secret=SECRET, redirect_uris=("https://game.example/back",), created=5))
    here.apps.create(App(ALBUM, "Album", confidential=False, scopes=("mixi_apps2",), created=6))
    here.apps.create(App(LONELY, "Nobody's", created=7))
    for user, data in DATA.items():
        here.appdata.install(APP, user)
        keys = sorted(data)
        for start in range(0, len(keys), 50):
            here.appdata.write(APP, user, {key: data[key] for key in keys[start : start + 50]}, ALWAYS)
    here.appdata.install(ALBUM, KEN, {"photo": "1"})
    here.pages.create(Page(CAFE, "Café", Category.LOCAL, details="a\nb", address="京都", created=8))
    here.pages.create(Page(BAR, "Bar", created=9))
    here.pages.add_module(CAFE, APP, "Quest", "3")
    here.pages.add_module(CAFE, ALBUM, "Album", "12")
    here.pages.members.add_administrator(CAFE, MEI)
    for user in (HANA, KEN, TARO):
        here.pages.members.add_follower(CAFE, user)
    contents(world)
    allow(world)
    # The times of the writes are over, so that both worlds have an empty window.
    world.clock.now += 1_000_000
    return world


def contents(world: World) -> None:
    """Post feeds, some with images, comments and favorites, and delete some of them, so that lists have holes."""
    here = world.platform
    url = "https://game.example/works/{}".format
    for number, (user, more) in enumerate(
        [
            (MEI, {}),
            (KEN, {}),
            (MEI, {"body": "a\nb", "pc_url": "https://game.example/"}),
            (MEI, {}),
            (HANA, {}),
            (MEI, {}),
        ]
    ):
        world.clock.now += 1_234
        draft = Draft(f"題 {number}", content_uri=url(number) if number else None, source="3", **more)
        pictures = {1: PICTURE, 2: OLD_PICTURE}.get(number, ())
        here.feed_posting.post(here.feed_posting.admit(CAFE, user, APP, draft), draft, pictures)
    here.feeds.delete(CAFE, url(3), MEI)
    for number in range(5):
        world.clock.now += 977
        made = here.comments.post(CAFE, url(2), KEN, f"言 {number}")
        if number in (0, 2):
            here.comments.delete(CAFE, url(2), made.id, KEN)
    here.comments.post(CAFE, url(1), TARO, "unseen")
    for user in (HANA, KEN, TARO, YUKI):
        world.clock.now += 11
        here.favorites.add(CAFE, url(2), user)
    here.favorites.add(CAFE, url(1), MEI)


TOKENS: dict[str, str] = {}
"""The refresh tokens of users, which a platform stores as hashes only."""


def allow(world: World) -> None:
    """Allow apps: two grants of Hana, one of them renewed, and one of Ken whose code is unused."""
    grants = world.platform.grants
    for user, more in (
        (HANA, {"redirect_uri": "https://game.example/back"}),
        (MEI, {"challenge": "c" * 43, "owner": HANA}),
    ):
        asked = Family("", APP, user, frozenset({"mixi_apps2", "r_profile"}), 0, 0, **more)  # type: ignore[arg-type]
        code = grants.allow(asked)
        _, family = grants.find(APP, code)
        assert family
        TOKENS[user] = grants.redeem(family, code) or ""
    _, family = grants.find(APP, TOKENS[MEI])
    assert family
    TOKENS[MEI] = grants.renew(family, TOKENS[MEI], rotate=True) or ""
    grants.allow(Family("", ALBUM, KEN, frozenset({"mixi_apps2"}), 0, 0))


@pytest.fixture
def old(tmp_path: Path) -> AdminWorld:
    """Return a platform with something of every kind."""
    (tmp_path / "old").mkdir()
    return AdminWorld(filled(MemoryWorld(tmp_path / "old", Cloud())))


@pytest.fixture
def new(tmp_path: Path) -> AdminWorld:
    """Return an empty platform with keys of its own."""
    (tmp_path / "new").mkdir()
    made = MemoryWorld(tmp_path / "new", Cloud())
    made.clock.now += 1_000_000_000
    return AdminWorld(made)


def export(served: AdminWorld, *words: str) -> None:
    done = served.admin("export", *words)
    assert done.exit_code == 0, done.output


def counts(done: Result) -> dict[str, list[int]]:
    """Return the numbers of created, unchanged and refused records by kind."""
    found = re.findall(r"(\w+): (\d+) (?:would be )?created, (\d+) unchanged, (\d+) refused", done.output)
    return {kind: [int(number) for number in numbers] for kind, *numbers in found}


def wrongs(world: World) -> list[str]:
    """Return the violated invariants of a world."""
    data = invariants.Tables(world.items(), world.items("directory"))
    people = invariants_directory.People(world.items("directory"), world.items("grants"))
    stored = Contents(world.items("feeds"), world.items("comments"), world.items("favorites"), keys(world), (CAFE, BAR))
    return [*data.wrongs(), *people.wrongs(), *stored.wrongs()]


def keys(world: World) -> list[str]:
    found = world.s3.list_objects_v2(Bucket=BUCKET, Prefix="images/")
    return [each["Key"] for each in found.get("Contents", [])]


@pytest.mark.parametrize("target", ["copy", "copy.zip"])
def test_a_platform_moves_into_an_empty_one_and_reads_the_same(
    old: AdminWorld, new: AdminWorld, tmp_path: Path, target: str
) -> None:
    path = str(tmp_path / target)
    # A code lives for a minute, and is not exported.
    old.world.platform.grants.end(KEN, ALBUM)
    export(old, "platform", path, "--secrets", "--grants")

    done = new.admin("import", "platform", path)

    assert done.exit_code == 0, done.output
    numbers = counts(done)
    assert numbers.keys() == set(KINDS)
    assert all(created and not (unchanged or refused) for created, unchanged, refused in numbers.values())
    assert numbers["friendships"] == [5, 0, 0]
    new.world.clock.now = old.world.clock.now
    there = everything(old)
    assert there[CAFE, "feeds", ""]["totalResults"] == 3
    assert there[CAFE, "comments", "https://game.example/works/2"]["totalResults"] == 3
    assert there[CAFE, "favorites", "https://game.example/works/2"] == {"count": 4}
    assert len(there["pictures"]) == 7
    assert everything(new) == there
    assert wrongs(new.world) == []
    assert new.world.platform.users.credential("hana") == old.world.platform.users.credential("hana")
    moved = new.world.platform.apps.get(APP)
    assert moved
    assert moved.secret == SECRET
    for user, token in TOKENS.items():
        _, family = new.world.platform.grants.find(APP, token)
        assert family
        assert family.user == user
        assert new.world.platform.grants.renew(family, token, rotate=True)
    assert not (tmp_path / f"{target}.unpacked").exists()


def test_an_import_does_not_use_the_write_window(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    export(old, "platform", str(tmp_path / "copy"))
    new.admin("import", "platform", str(tmp_path / "copy"))

    for user in DATA:
        usage = new.world.platform.appdata.usage(APP, user)
        assert usage.rate.remaining == usage.rate.limit


def test_importing_again_changes_nothing(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    path = str(tmp_path / "copy")
    export(old, "platform", path, "--secrets", "--grants")
    first = counts(new.admin("import", "platform", path))
    stored = {table: new.world.items(table) for table in ("directory", "appdata")}

    again = new.admin("import", "platform", path)

    assert again.exit_code == 0
    assert counts(again) == {kind: [0, created, 0] for kind, (created, _, _) in first.items()}
    assert {table: new.world.items(table) for table in stored} == stored


def test_without_secrets_there_are_none(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    export(old, "platform", str(tmp_path / "copy"))
    text = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "copy").glob("*.json*"))
    assert SECRET not in text
    assert "scrypt" not in text

    new.admin("import", "platform", str(tmp_path / "copy"))

    assert new.world.platform.users.credential("hana") is None
    known = new.world.platform.users.get(HANA)
    assert known
    assert known.login == "hana"


def test_only_the_owner_can_read_the_files(old: AdminWorld, tmp_path: Path) -> None:
    export(old, "platform", str(tmp_path / "copy"))
    export(old, "platform", str(tmp_path / "copy.zip"))
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    for path in (tmp_path / "copy.zip", *filter(Path.is_file, (tmp_path / "copy").rglob("*"))):
        assert path.stat().st_mode & 0o077 == 0, path


def lines(path: Path, kind: str) -> list[Any]:
    return [json.loads(line) for line in (path / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_an_app_has_its_users_and_their_friendships_only(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    path = tmp_path / "quest"
    export(old, "app", APP, str(path))

    assert sorted(user["id"] for user in lines(path, "users")) == sorted(DATA)
    assert [app["id"] for app in lines(path, "apps")] == [APP]
    pairs = {frozenset(pair.values()) for pair in lines(path, "friendships")}
    assert pairs == {frozenset(pair) for pair in ((HANA, KEN), (HANA, MEI), (KEN, MEI), (KEN, YUKI))}
    assert len(lines(path, "friendships")) == 4
    done = new.admin("import", "app", str(path))
    assert done.exit_code == 0, done.output
    for user in DATA:
        assert new.world.platform.appdata.read(APP, user, None).data == DATA[user]
    assert wrongs(new.world) == []


def test_a_user_moves_to_a_platform_with_the_friends(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    path = tmp_path / "ken"
    export(old, "user", KEN, str(path))
    assert [user["id"] for user in lines(path, "users")] == [KEN]
    assert [app["id"] for app in lines(path, "apps")] == sorted([APP, ALBUM])
    new.world.populate(HANA, YUKI)

    done = new.admin("import", "user", str(path))

    # Mei is not there.
    assert done.exit_code == 4
    assert counts(done)["friendships"] == [2, 0, 1]
    refused = json.loads((path / "friendships.jsonl.rejects.jsonl").read_text(encoding="utf-8"))
    assert (refused["error"], refused["error_description"]) == ("not_found", f"There is no user {MEI}")
    assert new.world.platform.appdata.read(ALBUM, KEN, None).data == {"photo": "1"}


def test_a_page_has_what_belongs_to_it(old: AdminWorld, tmp_path: Path) -> None:
    path = tmp_path / "cafe"
    export(old, "page", CAFE, str(path))
    assert [page["name"] for page in lines(path, "pages")] == ["Café"]
    assert [module["id"] for module in lines(path, "modules")] == ["12", "3"]
    assert lines(path, "administrators") == [{"page": CAFE, "user": MEI}]
    assert {each["user"] for each in lines(path, "followers")} == {HANA, KEN, TARO}
    assert [feed["id"] for feed in lines(path, "feeds") if feed["id"] != feed["generation"]] == ["1", "2", "4"]
    assert len(lines(path, "comments")) == 4
    favorites = [(each["contentUri"][-1], each["user"]) for each in lines(path, "favorites")]
    assert favorites == [("1", MEI), *(("2", user) for user in sorted((HANA, KEN, TARO, YUKI)))]
    files = {file.relative_to(path).as_posix(): file.read_bytes() for file in (path / "images").rglob("*.png")}
    assert files.keys() == image_keys(old.world)
    assert set(files.values()) == {each.body for each in PICTURE}


@pytest.mark.parametrize("requests", range(0, 24, 3))
def test_an_export_that_dies_is_continued(
    old: AdminWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    monkeypatch.setattr("admin.exports.COUNT", "1")
    path = tmp_path / "copy"
    old.left = requests
    assert old.admin("export", "platform", str(path)).exit_code == 1
    assert not (path / MANIFEST).exists()
    # The process may have died after the lines were written, and before its progress was.
    for file in path.glob("*.jsonl"):
        with file.open("ab") as more:
            more.write(b'{"half": ')
    old.left = None
    before = len(old.requests)

    export(old, "platform", str(path))

    continued = len(old.requests) - before
    export(old, "platform", str(tmp_path / "whole"))
    assert continued + requests == len(old.requests) - before - continued
    for kind in SCOPES["platform"]:
        assert kind == "grants" or lines(path, kind) == lines(tmp_path / "whole", kind)


def test_an_export_that_dies_after_it_was_packed_leaves_no_files(
    old: AdminWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "exports"
    place.mkdir()
    path = place / "copy.zip"

    def die(folder: Path) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", die)
        with pytest.raises(RuntimeError, match="killed"):
            export(old, "platform", str(path))
    packed = path.read_bytes()
    assert [each.name for each in sorted(place.iterdir())] == ["copy.zip", "copy.zip.unfinished"]

    done = old.admin("export", "platform", str(path))

    assert (done.exit_code, [*place.iterdir()]) == (0, [path])
    assert path.read_bytes() == packed
    again = old.admin("export", "platform", str(path))
    assert (again.exit_code, "exists already" in again.output) == (1, True)


@pytest.mark.parametrize("requests", range(1, 12, 2))
def test_an_import_that_dies_is_continued(old: AdminWorld, new: AdminWorld, tmp_path: Path, requests: int) -> None:
    path = tmp_path / "copy"
    export(old, "platform", str(path))
    new.left = requests
    assert new.admin("import", "platform", str(path), "--workers", "1").exit_code == 1
    new.left = None

    done = new.admin("import", "platform", str(path))

    assert done.exit_code == 0, done.output
    new.world.clock.now = old.world.clock.now
    assert everything(new)["users"] == everything(old)["users"]
    assert wrongs(new.world) == []
    assert not list(path.glob("*progress*"))


def test_a_dry_run_says_what_would_happen_and_stores_nothing(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    export(old, "platform", str(path), "--grants")
    before = {table: new.world.items(table) for table in ("directory", "appdata")}

    dry = new.admin("import", "platform", str(path), "--dry-run")

    assert dry.exit_code == 0, dry.output
    assert {table: new.world.items(table) for table in before} == before
    assert not list(path.glob("*progress*"))
    assert counts(dry) == counts(new.admin("import", "platform", str(path)))
    again = new.admin("import", "platform", str(path), "--dry-run")
    assert {kind: numbers[::2] for kind, numbers in counts(again).items()} == {kind: [0, 0] for kind in KINDS}


WRONG = {
    "users": [
        "{",
        json.dumps({"id": "x", "displayName": "X"}),
        json.dumps({"id": TARO, "displayName": "Taro", "login": "HANA"}),
        json.dumps({"id": HANA, "displayName": "Another"}),
        json.dumps({"id": TARO, "displayName": "Taro"}),
        json.dumps({"id": TARO, "displayName": "Taro"}),
    ],
    "friendships": [
        json.dumps({"user": HANA, "friend": YUKI}),
        json.dumps({"user": HANA, "friend": TARO}),
        json.dumps({"user": HANA, "friend": HANA}),
    ],
    "installs": [json.dumps({"user": HANA, "app": APP}), json.dumps({"user": TARO, "app": ALBUM})],
    "data": [
        json.dumps({"user": HANA, "app": APP, "data": {"a": "1"}}),
        json.dumps({"user": TARO, "app": ALBUM, "data": {"b": "1"}}),
        json.dumps({"user": KEN, "app": APP, "data": {"b": 1}}),
        json.dumps({"user": HANA, "app": ALBUM, "data": {"level": "7", "new": "1"}}),
    ],
    "modules": [json.dumps({"page": CAFE, "id": "0", "app": APP, "name": "x"})],
    "followers": [json.dumps({"page": CAFE, "user": HANA})],
}
REFUSED = {
    ("users", 1): "bad_request: The line is not a JSON object",
    ("users", 2): "parameter_invalid: id is not the id of a user",
    ("users", 3): "conflict: The login hana is taken",
    ("users", 4): "conflict: The user exists, and has another display name",
    ("friendships", 1): f"not_found: There is no user {YUKI}",
    ("friendships", 3): "parameter_invalid: A user cannot be a friend of themselves",
    ("installs", 2): f"not_found: There is no app {ALBUM}",
    ("data", 2): f"not_found: The user {TARO} has not installed the app {ALBUM}",
    ("data", 3): "bad_request: No value associated with specified key.",
    ("data", 4): f"not_found: The user {HANA} has not installed the app {ALBUM}",
    ("modules", 1): "parameter_invalid: id is not the id of a module",
    ("followers", 1): f"not_found: There is no page {CAFE}",
}


def test_a_dry_run_and_the_import_find_the_same_mistakes(new: AdminWorld, tmp_path: Path) -> None:
    new.world.platform.users.create(User(HANA, "Hana", login="hana"))
    new.world.platform.users.create(User(KEN, "Ken"))
    new.world.platform.apps.create(App(APP, "Quest"))
    path = tmp_path / "copy"
    path.mkdir()
    for kind, wrong in WRONG.items():
        (path / f"{kind}.jsonl").write_text("\n".join(wrong) + "\n", encoding="utf-8")
    (path / MANIFEST).write_text('{"format": "engawa-export", "version": 1, "scope": "platform"}', encoding="utf-8")

    dry = new.admin("import", "platform", str(path), "--dry-run")
    wet = new.admin("import", "platform", str(path))

    assert (dry.exit_code, wet.exit_code) == (4, 4)
    found = re.findall(r"(\w+)\.jsonl:(\d+): refused \((.*)\)", dry.output)
    assert {(kind, int(line)): reason for kind, line, reason in found} == REFUSED
    assert counts(dry) == counts(wet)
    rejected = {
        (file.name.split(".")[0], entry["line"]): f"{entry['error']}: {entry['error_description']}"
        for file in path.glob("*.rejects.jsonl")
        for entry in map(json.loads, file.read_text(encoding="utf-8").splitlines())
    }
    assert rejected == REFUSED


def test_a_value_that_differs_is_left_and_told(new: AdminWorld, tmp_path: Path) -> None:
    new.world.populate(HANA)
    new.world.platform.apps.create(App(APP, "Quest"))
    new.world.platform.appdata.install(APP, HANA, {"level": "6"})
    file = tmp_path / "data.jsonl"
    file.write_text(
        "\n".join(
            json.dumps({"user": HANA, "app": APP, "data": data})
            for data in ({"level": "7", "new": "1"}, {"level": "6", "x": "1"})
        )
    )
    reason = "conflict: The key level exists, and has another value"

    dry = new.admin("import", "data", str(file), "--dry-run", "--verbose")
    wet = new.admin("import", "data", str(file))

    assert f"data.jsonl:1: refused ({reason})\ndata.jsonl:2: created" in dry.output
    assert (dry.exit_code, wet.exit_code) == (4, 4)
    assert new.world.platform.appdata.read(APP, HANA, None).data == {"level": "6", "x": "1"}


def test_the_quota_holds_for_an_import_too(old: AdminWorld, tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    with file.open("w") as out:
        for number in range(160):
            out.write(json.dumps({"user": MEI, "app": APP, "data": {f"k{number}": "z" * 65_000}}) + "\n")

    done = old.admin("import", "data", str(file))

    assert counts(done)["data"] == [153, 0, 7]
    refused = (tmp_path / "data.jsonl.rejects.jsonl").read_text().splitlines()[0]
    assert "Limit exceeded size quota (max=10000000)" in refused
    assert wrongs(old.world) == []


def broken(path: Path) -> Iterator[tuple[Callable[[], object], str]]:
    """Yield ways to break an export, and the beginning of the error."""
    manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))

    def manifest_with(**more: Any) -> Callable[[], object]:
        return lambda: (path / MANIFEST).write_text(json.dumps(manifest | more), encoding="utf-8")

    yield (path / MANIFEST).unlink, "has no manifest.json"
    yield lambda: (path / MANIFEST).write_text("{"), "is not the manifest of an export"
    yield manifest_with(format="tar"), "is not the manifest of an export"
    yield manifest_with(files=[]), "is not the manifest of an export"
    yield manifest_with(version=2), "has version 2; this command reads version 1"
    yield manifest_with(scope="galaxy"), "has an unknown scope"
    yield manifest_with(scope="app"), "is an export of another kind: use import app"
    yield manifest_with(files={"../x": {}}), "which is no file of an export"
    yield (path / "users.jsonl").unlink, "is missing"
    yield lambda: (path / "users.jsonl").write_text("{}"), "the export is damaged"
    swapped = (path / "users.jsonl").read_bytes().replace(b"hana", b"anah")
    yield lambda: (path / "users.jsonl").write_bytes(swapped), "its SHA-256 differs"


@pytest.mark.parametrize("number", range(11))
def test_a_broken_export_is_refused_before_anything_is_stored(
    old: AdminWorld, new: AdminWorld, tmp_path: Path, number: int
) -> None:
    path = tmp_path / "copy"
    export(old, "platform", str(path))
    breaking, says = list(broken(path))[number]
    breaking()

    done = new.admin("import", "platform", str(path))

    assert done.exit_code == 1
    assert says in done.output
    assert new.requests == []


def test_an_export_never_overwrites(old: AdminWorld, tmp_path: Path) -> None:
    export(old, "platform", str(tmp_path / "copy"))
    export(old, "platform", str(tmp_path / "copy.zip"))
    for target in ("copy", "copy.zip"):
        done = old.admin("export", "platform", str(tmp_path / target))
        assert (done.exit_code, "exists already" in done.output) == (1, True)
    old.left = 3
    old.admin("export", "platform", str(tmp_path / "other"))
    old.left = None
    done = old.admin("export", "app", APP, str(tmp_path / "other"))
    assert "has an unfinished export of something else" in done.output
    export(old, "app", APP, str(tmp_path / "other"), "--restart")


@pytest.mark.parametrize(
    ("path", "query", "status", "says"),
    [
        ("groups", {}, 404, "There is no kind 'groups'; the kinds are users"),
        ("users", {"page": "1"}, 400, "users cannot be selected by page"),
        ("users", {"app": "1"}, 400, "app is not the id of an app"),
        ("users", {"app": "f" * 16}, 404, f"There is no app {'f' * 16}"),
        ("users", {"user": "f" * 12}, 404, f"There is no user {'f' * 12}"),
        ("pages", {"page": "77"}, 404, "There is no page 77"),
        ("data", {}, 400, "app is missing"),
        ("users", {"secrets": "yes"}, 400, "secrets must be true or false"),
        ("users", {"count": "101"}, 400, "count"),
        ("users", {"cursor": "x"}, 400, "cursor does not belong to this list"),
        # ["pages",null,null,null] and ["users","ABC",null,null]
        ("users", {"cursor": "WyJwYWdlcyIsbnVsbCxudWxsLG51bGxd"}, 400, "cursor does not belong to this list"),
        ("users", {"cursor": "WyJ1c2VycyIsIkFCQyIsbnVsbCxudWxsXQ"}, 400, "cursor does not belong to this list"),
    ],
)
def test_a_wrong_request_for_an_export(
    old: AdminWorld, path: str, query: dict[str, str], status: int, says: str
) -> None:
    reply = old.get(f"/export/{path}", **query)
    assert reply.status == status
    assert reply.error[2].startswith(says)


def test_only_an_operator_exports(old: AdminWorld) -> None:
    assert old.world.send("GET", "/admin/export/users").status == 403


def test_every_part_is_bounded_and_the_parts_make_the_whole(old: AdminWorld) -> None:
    for kind in KINDS:
        more = {"app": APP} if kind == "data" else {}
        whole = old.get(f"/export/{kind}", count="100", **more)
        parts: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            part = old.get(f"/export/{kind}", count="1", **more, **cursor).json
            parts += part["entry"]
            if "nextCursor" not in part:
                break
            cursor = {"cursor": part["nextCursor"]}
        if kind == "data":
            # The large data of one user are an answer of their own.
            continue
        assert parts == whole.json["entry"], kind
        assert parts


def test_data_too_large_for_an_answer_of_lambda_are_exported(old: AdminWorld, tmp_path: Path) -> None:
    data = {f"large{number:02}": chr(ord("a") + number % 26) * 65_535 for number in range(90)}
    for start in (0, 45):
        old.world.platform.appdata.write(APP, MEI, dict(list(data.items())[start : start + 45]), ALWAYS)

    export(old, "user", MEI, str(tmp_path / "mei"))

    found: dict[str, str] = {}
    for record in lines(tmp_path / "mei", "data"):
        found |= record["data"]
    assert found == data
    assert [request for request in old.requests if request.url.host != "127.0.0.1"]


def test_the_balances_of_users_count_bytes_and_keys(old: AdminWorld) -> None:
    assert old.world.platform.appdata.balances(APP, [TARO, YUKI, HANA, MEI]) == {
        user: Balance(sum(len(value.encode()) for value in DATA[user].values()), len(DATA[user]))
        for user in (YUKI, HANA, MEI)
    }


def test_the_demo_world_finds_its_own_exports_unchanged(make_world: Callable[..., World], tmp_path: Path) -> None:
    demo = AdminWorld(make_world(demo_people))
    for name, app in APPS.items():
        demo.world.platform.apps.create(App(app, name))
    for scope, words in {"platform": (), "app": (APPS["quest"],), "page": (CAFE_PAGE.id,)}.items():
        path = str(tmp_path / f"{scope}.zip")
        export(demo, scope, *words, path)
        done = demo.admin("import", scope, path, "--dry-run")
        assert done.exit_code == 0, done.output
        assert all(created == refused == 0 for created, _, refused in counts(done).values())
        assert counts(done)["users" if scope == "app" else "pages"][1] > 0


def test_contents_that_tell_an_app_are_found_unchanged(page: AdminWorld, tmp_path: Path) -> None:
    here, uri = page.world.platform, "https://game.example/told"
    here.endpoints.create(APP, "https://game.example/events", EventKind)
    draft = Draft("told", content_uri=uri)
    here.feed_posting.post(here.feed_posting.admit(CAFE, MEI, APP, draft), draft)
    here.comments.post(CAFE, uri, KEN, "told")
    here.favorites.add(CAFE, uri, KEN)
    assert len([item for item in page.world.items("comments") if "ap" in item]) == 2
    path = str(tmp_path / "copy")
    export(page, "platform", path)

    done = page.admin("import", "platform", path, "--dry-run")

    assert done.exit_code == 0, done.output
    assert [counts(done)[kind] for kind in ("feeds", "comments", "favorites")] == [[0, 1, 0]] * 3


def test_a_grant_needs_its_install_and_replaces_no_other(old: AdminWorld) -> None:
    [grant] = old.get("/export/grants?user=" + HANA).json["entry"]
    assert bring(old, grants=[grant]) == {"grants": ["unchanged"]}
    before = old.world.items("grants")

    assert bring(
        old,
        grants=[
            grant | {"used": 5},
            grant | {"user": TARO},
            grant | {"user": YUKI},
        ],
    ) == {
        "grants": [
            "conflict: The user has another grant to the app",
            f"not_found: The user {TARO} has not installed the app {APP}",
            # A refresh token belongs to one grant.
            "conflict: There is another refresh token with one of these ids",
        ]
    }
    assert old.world.items("grants") == before


# Contents


def bring(served: AdminWorld, **records: Any) -> dict[str, list[Any]]:
    """Import records; return the status of each, or the error of a refused one."""
    reply = served.world.send("POST", "/admin/import", records, user=None, token=served.token)
    assert reply.status == 200
    return {
        kind: [
            f"{each['error']}: {each['error_description']}" if "error" in each else each["status"] for each in outcomes
        ]
        for kind, outcomes in reply.json.items()
    }


def feed(number: int, **more: Any) -> dict[str, Any]:
    return {
        "page": CAFE,
        "id": str(number),
        "generation": f"{number:013d}",
        "title": f"feed {number}",
        "contentUri": f"https://game.example/{number}",
        "user": MEI,
        "sourceName": "Quest",
        "created": number,
        **more,
    }


def comment(number: int, **more: Any) -> dict[str, Any]:
    name = f"{base36(number, 6)}ABCDEFG-20260101000000"
    own = {"id": name, "comment": f"{number}", "user": KEN, "created": 1_767_193_200_000}
    return {"page": CAFE, "contentUri": "https://game.example/3", **own, **more}


@pytest.fixture
def page(new: AdminWorld) -> AdminWorld:
    """Return a platform with a page and two users, and no feeds."""
    new.world.populate(MEI, KEN)
    new.world.platform.apps.create(App(APP, "Quest"))
    new.world.platform.pages.create(Page(CAFE, "Café"))
    new.world.platform.pages.add_module(CAFE, APP, "Quest", "3")
    new.world.platform.pages.members.add_administrator(CAFE, MEI)
    return new


def feeds_at(served: AdminWorld, index: int) -> list[str]:
    token = served.world.token(None, "r_page", app=APP)
    path = f"/2/pages/{CAFE}/feeds"
    reply = served.world.send("GET", path, user=None, token=token, startIndex=str(index), count="1")
    return [entry["title"] for entry in reply.json["entry"]]


@pytest.mark.parametrize("numbers", [[1, 2, 3], [3, 5], [799, 800, 801], [5, 1601, 40_000]])
def test_feeds_keep_their_numbers_and_the_list_continues_after_them(page: AdminWorld, numbers: list[int]) -> None:
    feeds = [feed(number) for number in numbers]

    assert bring(page, feeds=feeds) == {"feeds": ["created"] * len(feeds)}
    assert bring(page, feeds=feeds) == {"feeds": ["unchanged"] * len(feeds)}

    assert wrongs(page.world) == []
    for index, number in enumerate(reversed(numbers)):
        assert feeds_at(page, index) == [f"feed {number}"]
    here = page.world.platform
    draft = Draft("next", content_uri="https://game.example/next")
    assert here.feed_posting.post(here.feed_posting.admit(CAFE, MEI, APP, draft), draft).id == str(numbers[-1] + 1)
    # The number of a feed that is not in the export stays a hole.
    late = feed(2 if numbers != [1, 2, 3] else 4, contentUri="https://game.example/late", generation="Z" * 13)
    assert bring(page, feeds=[late])["feeds"][0].startswith("conflict: ")
    assert wrongs(page.world) == []


def test_comments_and_favorites_keep_their_ids(page: AdminWorld) -> None:
    bring(page, feeds=[feed(3)])
    comments = [comment(number) for number in (2, 3, 900)]
    favorites = [
        {"page": CAFE, "contentUri": "https://game.example/3", "user": user, "created": 5} for user in (KEN, MEI)
    ]

    assert bring(page, comments=comments, favorites=favorites) == {
        "comments": ["created"] * 3,
        "favorites": ["created"] * 2,
    }
    assert bring(page, comments=comments, favorites=favorites) == {
        "comments": ["unchanged"] * 3,
        "favorites": ["unchanged"] * 2,
    }

    assert wrongs(page.world) == []
    assert page.world.platform.favorites.count(CAFE, "https://game.example/3") == 2
    assert number_of_comment(page.world.platform.comments.post(CAFE, "https://game.example/3", KEN, "next").id) == 901


def number_of_comment(name: str) -> int:
    return from_base36(name[:6])


IMAGES = {
    f"images/{3:013d}/{hashlib.sha256(each.body).hexdigest()[:32]}.png": base64.b64encode(each.body).decode()
    for each in OLD_PICTURE
}
REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"feeds": [feed(3, page="77")]}, "not_found: There is no page 77"),
    ({"feeds": [feed(3, user=YUKI)]}, f"not_found: There is no user {YUKI}"),
    (
        {"feeds": [feed(1, contentUri="https://game.example/2")]},
        "conflict: The page has another feed with this contentUri",
    ),
    ({"feeds": [feed(2, title="another")]}, "conflict: There is another feed with this id"),
    ({"feeds": [feed(1)]}, "conflict: The list has newer entries already; records must be in the order of their ids"),
    ({"feeds": [feed(2_000_000)]}, "parameter_invalid: id is too far from the ids before it (max=1000000)"),
    ({"feeds": [feed(3, id="0")]}, "parameter_invalid: id must be a number of up to 10 digits, or equal generation"),
    ({"feeds": [feed(3, generation="x")]}, "parameter_invalid: generation must be 13 of 0-9 A-Z"),
    ({"feeds": [feed(3, created=0)]}, "parameter_invalid: created must be milliseconds since 1970, at least 1"),
    ({"feeds": [feed(3, title="")]}, "parameter_invalid: title must not be empty"),
    ({"feeds": [feed(3, contentUri="x")]}, "parameter_invalid: contentUri must be an absolute URL"),
    ({"feeds": [{"page": CAFE}]}, "parameter_invalid: id is missing"),
    ({"feeds": [feed(3, more=1)]}, "parameter_invalid: There is no field 'more'; the fields are page, id,"),
    ({"feeds": [7]}, "bad_request: A record must be a JSON object"),
    ({"feeds": [feed(3, images=["x"])]}, "parameter_invalid: images must be keys of images, as an export writes them"),
    (
        {"feeds": [feed(3, images=list(IMAGES)[:2])]},
        "parameter_invalid: images must be none, or 3 or 4 in the folder of the feed's generation",
    ),
    (
        {"feeds": [feed(4, images=list(IMAGES), imageFiles=IMAGES)]},
        "parameter_invalid: images must be none, or 3 or 4 in the folder of the feed's generation",
    ),
    (
        {"feeds": [feed(3, images=list(IMAGES))]},
        "parameter_invalid: imageFiles must have the bytes of each of images, and no others",
    ),
    (
        {"feeds": [feed(3, images=list(IMAGES), imageFiles=dict.fromkeys(IMAGES, "?"))]},
        "parameter_invalid: The bytes of",
    ),
    (
        {"feeds": [feed(3, images=list(IMAGES), imageFiles=dict.fromkeys(IMAGES, "AAAA"))]},
        "parameter_invalid: The bytes of",
    ),
    (
        {"feeds": [feed(3, images=list(IMAGES), imageFiles=dict.fromkeys(IMAGES, "A" * 500_000))]},
        "parameter_invalid: The image images/",
    ),
    ({"comments": [comment(1)]}, f"not_found: There is no content {CAFE} https://game.example/3"),
    ({"comments": [comment(1, id="x")]}, "parameter_invalid: id is not the id of a comment"),
    (
        {"comments": [comment(0, contentUri="https://game.example/2")]},
        "parameter_invalid: id is not the id of a comment",
    ),
    (
        {"comments": [comment(4, contentUri="https://game.example/2")]},
        "conflict: The list has newer entries already; records must be in the order of their ids",
    ),
    (
        {"comments": [comment(5, contentUri="https://game.example/2", comment="other")]},
        "conflict: There is another comment with this id",
    ),
    (
        {"favorites": [{"page": CAFE, "contentUri": "https://game.example/2", "user": KEN, "created": 9}]},
        "conflict: The favorite exists, and has another time",
    ),
]


@pytest.mark.parametrize(("records", "says"), REFUSALS, ids=[str(number) for number in range(len(REFUSALS))])
def test_a_wrong_record_of_a_content_changes_nothing(page: AdminWorld, records: dict[str, Any], says: str) -> None:
    here = {"contentUri": "https://game.example/2"}
    done = bring(
        page,
        feeds=[feed(2)],
        comments=[comment(5, **here)],
        favorites=[{"page": CAFE, **here, "user": KEN, "created": 8}],
    )
    assert done == {"feeds": ["created"], "comments": ["created"], "favorites": ["created"]}
    before = {table: page.world.items(table) for table in ("feeds", "comments", "favorites")}

    [found] = bring(page, **records).values()

    assert found[0].startswith(says)
    assert {table: page.world.items(table) for table in before} == before
    assert keys(page.world) == []


def test_an_image_is_stored_with_its_feed_and_its_key(page: AdminWorld) -> None:
    with_image = feed(3, images=list(IMAGES), imageFiles=IMAGES)

    assert bring(page, feeds=[with_image]) == {"feeds": ["created"]}
    assert bring(page, feeds=[with_image]) == {"feeds": ["unchanged"]}

    assert keys(page.world) == sorted(IMAGES)
    assert wrongs(page.world) == []
    assert [item for item in page.world.items("feeds") if item["pk"]["S"] == "trash"] == []


def test_a_feed_whose_image_is_missing_is_refused_by_its_line(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    export(old, "platform", str(path))
    [image, *_] = sorted((path / "images").rglob("*.png"))
    image.unlink()

    dry = new.admin("import", "platform", str(path), "--dry-run")
    done = new.admin("import", "platform", str(path))

    assert (dry.exit_code, done.exit_code) == (4, 4)
    assert f"The image {image.relative_to(path)} is missing, or too large" in dry.output
    assert counts(dry) == counts(done)
    assert counts(done)["feeds"][2] == 1


def test_after_a_busy_comment_those_of_its_content_wait(page: AdminWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(page, feeds=[feed(2), feed(3)])
    other = {"contentUri": "https://game.example/2"}
    comments = [comment(1), comment(2), comment(1, **other), comment(3), comment(2, **other)]
    store = ContentsImport.comment

    def busy(self: ContentsImport, record: CommentRecord, **more: Any) -> Any:
        if record.comment.text == "2" and record.content_uri.endswith("3"):
            raise Unavailable
        return store(self, record, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ContentsImport, "comment", busy)
        found = [each.partition(":")[0] for each in bring(page, comments=comments)["comments"]]
    assert found == ["created", "service_unavailable", "created", "service_unavailable", "created"]
    left = [comments[1], comments[3]]
    assert bring(page, comments=left) == {"comments": ["created"] * 2}
    assert wrongs(page.world) == []


def test_two_secrets_and_a_suspension_move(old: AdminWorld, new: AdminWorld, tmp_path: Path) -> None:
    stores = old.world.platform
    stores.app_secrets.rotate(APP, keep_old=True)
    stores.apps.suspend(APP, "It asks for passwords")
    stores.apps.change(APP, name="Engawa", developer="星", icon_url="https://game.example/i.png")
    before = stores.apps.get(APP)
    assert before
    export(old, "platform", str(tmp_path / "copy"), "--secrets")

    assert new.admin("import", "platform", str(tmp_path / "copy"))
    after = new.world.platform.apps.get(APP)
    assert after
    assert after == replace(before, secret_created=0)
    assert after.old_secret == SECRET
