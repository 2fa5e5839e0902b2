"""The dry run of an import finds the mistakes that the import finds, line by line, sums over many lines included."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from admin.folder import MANIFEST
from chalicelib.core.base36 import base36
from chalicelib.core.bulk_import import KINDS
from chalicelib.core.model.directory import App, Page, User
from tests.kit.admin_world import AdminWorld
from tests.kit.memory import Cloud
from tests.kit.worlds import APP, HANA, KEN, MEI, TARO, YUKI, MemoryWorld

ALBUM = "a" * 16
CAFE, BAR = "1234567890", "98765432109876543210"
USERS = (HANA, KEN, MEI, TARO, YUKI)
Found = dict[tuple[str, int], tuple[str, str | None]]


@pytest.fixture
def served(tmp_path: Path) -> AdminWorld:
    """Return a platform with two users, an app and a page."""
    (tmp_path / "world").mkdir()
    world = MemoryWorld(tmp_path / "world", Cloud())
    here = world.platform
    here.users.create(User(HANA, "Hana", login="hana", created=1))
    here.users.create(User(KEN, "Ken", created=1))
    here.apps.create(App(APP, "Quest", created=1))
    here.pages.create(Page(CAFE, "Café", created=1))
    here.appdata.install(APP, HANA, {"k0": "v0", "k1": "v1"})
    return AdminWorld(world)


def write(folder: Path, files: dict[str, list[Any]]) -> None:
    """Write an export by hand. A text is a line as it is."""
    folder.mkdir()
    manifest = {"format": "engawa-export", "version": 1, "scope": "platform"}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    for kind, records in files.items():
        lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
        (folder / f"{kind}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def dry(served: AdminWorld, folder: Path) -> Found:
    """Return the status and the error of each line of a dry run."""
    before = stored(served)
    done = served.admin("import", "platform", str(folder), "--dry-run", "--verbose")
    assert done.exit_code in (0, 4), done.output
    assert stored(served) == before
    found = re.findall(r"^(\w+)\.jsonl:(\d+): (\w+)(?: \((\w+):)?", done.output, re.MULTILINE)
    return {(kind, int(line)): (status, error or None) for kind, line, status, error in found}


def wet(served: AdminWorld, folder: Path, kinds: tuple[str, ...] = KINDS) -> Found:
    """Return the status and the error of each line of an import, sent one by one in order."""
    found: Found = {}
    for kind in kinds:
        path = folder / f"{kind}.jsonl"
        for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else (), 1):
            body = {kind: [json.loads(line)]}
            reply = served.world.send("POST", "/admin/import", body, user=None, token=served.token)
            [outcome] = reply.json[kind]
            found[kind, number] = outcome["status"], outcome.get("error")
    return found


def stored(served: AdminWorld) -> dict[str, Any]:
    tables = ("directory", "appdata", "feeds", "comments", "favorites", "grants")
    return {table: served.world.items(table) for table in tables}


def records(draw: random.Random) -> dict[str, list[Any]]:
    """Return an export with many duplicates, and with references to things that are not there."""
    pick = draw.choice
    apps, pages, uris = (APP, ALBUM, "b" * 16), (CAFE, BAR, "77"), [f"https://game.example/{n}" for n in range(3)]

    def numbers(count: int) -> list[int]:
        # Mostly in order.
        return sorted(draw.choices(range(1, 9), k=count), key=lambda number: number + draw.random() * 2)

    def comment(number: int) -> dict[str, Any]:
        name = f"{base36(number, 6)}{pick(('ABCDEFG', 'ABCDEFG', 'GFEDCBA'))}-20260101000000"
        more = {"comment": pick("aab"), "user": pick(USERS), "created": 1_767_193_200_000}
        return {"page": pick(pages), "contentUri": pick(uris), "id": name, **more}

    def feed(number: int) -> dict[str, Any]:
        generation = f"{number:013d}"
        return {
            "page": pick(pages),
            "id": generation if draw.random() < 0.3 else str(number + pick((0, 0, 0, 0, 2_000_000))),
            "generation": generation,
            "title": pick(("t", "t", "u")),
            "contentUri": pick(uris),
            "user": pick(USERS),
            "sourceName": "Quest",
            "created": number,
        }

    def family() -> dict[str, Any]:
        name = pick("abcdef")
        return {"id": name, "scopes": ["mixi_apps2"], "created": 5, "expires": 4_000_000_000, "refresh": name}

    def grant() -> dict[str, Any]:
        more = {"scopes": ["mixi_apps2"], "created": 5, "used": 5, "families": [family()]}
        return {"user": pick(USERS), "app": pick(apps), **more}

    def user() -> dict[str, Any]:
        more = {"login": pick(("hana", "Ken", "mei"))} if draw.random() < 0.5 else {}
        return {"id": pick(USERS), "displayName": pick("ab"), "created": 1, **more}

    def data() -> dict[str, str]:
        return {f"k{draw.randrange(5)}": f"v{pick((0, 0, 0, 1))}" for _ in range(draw.randrange(1, 4))}

    return {
        "users": [user() for _ in range(6)],
        "apps": [{"id": pick(apps), "name": pick("aab"), "secret": "s" * 16} for _ in range(3)],
        "friendships": [{"user": pick(USERS), "friend": pick(USERS)} for _ in range(8)],
        "installs": [{"user": pick(USERS), "app": pick(apps)} for _ in range(8)],
        "data": [{"user": pick(USERS), "app": pick(apps), "data": data()} for _ in range(12)],
        "pages": [{"id": pick(pages), "name": pick("aab"), "created": 1} for _ in range(2)],
        "modules": [{"page": pick(pages), "id": pick("123"), "app": pick(apps), "name": pick("aab")} for _ in range(4)],
        "administrators": [{"page": pick(pages), "user": pick(USERS)} for _ in range(4)],
        "followers": [{"page": pick(pages), "user": pick(USERS)} for _ in range(4)],
        "feeds": [feed(number) for number in numbers(8)],
        "comments": [comment(number) for number in numbers(12)],
        "favorites": [
            {"page": pick(pages), "contentUri": pick(uris), "user": pick(USERS), "created": pick((5, 5, 6))}
            for _ in range(8)
        ],
        "grants": [grant() for _ in range(6)],
    }


@pytest.mark.parametrize("seed", range(40))
def test_a_dry_run_says_of_each_line_what_the_import_does(served: AdminWorld, tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "export"
    write(folder, records(random.Random(seed)))

    foreseen = dry(served, folder)
    done = wet(served, folder)

    assert foreseen == done
    again = dry(served, folder)
    # What is stored stays as it is: a line that was refused may be refused for another reason.
    assert {line for line, (status, _) in again.items() if status == "created"} == set()


@pytest.mark.parametrize(("values", "size", "error"), [(160, 65_000, "size quota"), (10_010, 1, "Too many keys")])
def test_a_dry_run_adds_up_the_data_of_a_user(
    served: AdminWorld, tmp_path: Path, values: int, size: int, error: str
) -> None:
    def line(numbers: range, user: str = HANA) -> dict[str, Any]:
        return {"user": user, "app": APP, "data": {f"key{number}": "z" * size for number in numbers}}

    step = 91 if size == 1 else 2
    files = [line(range(start, min(start + step, values))) for start in range(0, values, step)]
    # A repeated line adds nothing, and those of another user are added up apart.
    files[1:1] = [files[0], line(range(step), MEI)]
    write(
        tmp_path / "x",
        {"users": [{"id": MEI, "displayName": "Mei"}], "installs": [{"user": MEI, "app": APP}], "data": files},
    )

    foreseen = dry(served, tmp_path / "x")
    told = served.admin("import", "platform", str(tmp_path / "x"), "--dry-run").output
    done = wet(served, tmp_path / "x")

    assert foreseen == done
    refused = [line for (kind, line), (status, _) in done.items() if kind == "data" and status == "refused"]
    assert refused
    assert len(refused) < 5
    assert f"data.jsonl:{refused[0]}: refused (parameter_invalid: " in told
    assert error in told
    assert (foreseen["data", 1], foreseen["data", 2], foreseen["data", 3]) == (
        ("created", None),
        ("unchanged", None),
        ("created", None),
    )


def test_a_dry_run_adds_up_the_friends_of_a_user(served: AdminWorld, tmp_path: Path) -> None:
    people = [f"f{number:011}" for number in range(1_003)]
    files = {
        "users": [{"id": user, "displayName": "x"} for user in people],
        "friendships": [{"user": HANA, "friend": KEN}] + [{"user": user, "friend": HANA} for user in people],
    }
    served.world.platform.friends_and_installs.befriend(HANA, KEN)
    write(tmp_path / "x", files)

    foreseen = dry(served, tmp_path / "x")
    told = served.admin("import", "platform", str(tmp_path / "x"), "--dry-run").output

    assert foreseen["friendships", 1] == ("unchanged", None)
    assert [line for (kind, line), (status, _) in foreseen.items() if status == "refused"] == [1001, 1002, 1003, 1004]
    assert "friendships.jsonl:1001: refused (parameter_invalid: Too many friends (max=1000))" in told
    assert foreseen == wet(served, tmp_path / "x")
