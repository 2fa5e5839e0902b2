"""The operator's command line, run as a separate process against the served platform."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.gateway import Request
from tests.kit.gate import PATIENCE, Gate

if TYPE_CHECKING:
    from tests.kit.served import Served

ROOT = Path(__file__).resolve().parent.parent.parent
ADMIN = [sys.executable, "-m", "admin"]
PEOPLE = 400
"""Four requests of 100 users; 12 of friendships."""


def admin(served: Served, *words: str, status: int = 0, given: str | None = None, **environment: str) -> str:
    """Run a command and return its output. Assert the exit status."""
    done = subprocess.run(
        [*ADMIN, *words],
        cwd=ROOT,
        env=served.environment | environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout


def admin_json(served: Served, *words: str, **more: Any) -> Any:
    return json.loads(admin(served, *words, "--json", **more))


def ids(text: str) -> list[str]:
    return [json.loads(line)["id"] for line in text.splitlines()]


def test_a_platform_is_filled_and_tended(served: Served) -> None:
    app = admin_json(
        *(served, "apps", "create", "Shogi", "--redirect-uri", "https://shogi.example/back", "--scope", "mixi_apps2")
    )
    aki = admin_json(served, "users", "create", "秋", "--login", "aki", "--password-stdin", given="correct horse\n")
    sora = admin_json(served, "users", "create", "空", "--publish", "birthday=nobody", "--birthday", "1990-04-01")
    assert admin_json(served, "friends", "add", aki["id"], sora["id"])["changed"] is True
    assert admin(served, "friends", "add", sora["id"], aki["id"]) == "They were friends already.\n"
    for user in (aki, sora):
        assert admin(served, "installs", "add", user["id"], app["id"]) == "Installed.\n"
    page = admin_json(served, "pages", "create", "Dojo", "--category", "local")
    admin(served, "administrators", "add", page["id"], aki["id"])
    admin(served, "followers", "add", page["id"], aki["id"])
    assert admin_json(served, "modules", "add", page["id"], app["id"], "Shogi here")["id"] == "1"

    listed = admin(served, "users", "list", "--limit", "0")
    assert aki["id"] in listed
    assert "秋" in listed
    assert ids(admin(served, "friends", "list", aki["id"], "--json")) == [sora["id"]]
    assert ids(admin(served, "installs", "list", aki["id"], "--json")) == [app["id"]]
    users = ids(admin(served, "installs", "list", "--app", app["id"], "--json"))
    assert sorted(users) == sorted([aki["id"], sora["id"]])

    told = admin_json(served, "users", "export", aki["id"])
    profile = {name: value for name, value in aki.items() if name not in ("role", "suspended")}
    assert told["profile"] == profile | {"friends": 1}
    assert told["friends"] == [sora["id"]]
    assert told["installs"] == [{"app": app["id"], "data": {}}]
    assert told["pages"] == {"administers": [page["id"]], "follows": [page["id"]]}

    removed = admin_json(served, "erase", aki["id"], "--yes")["removed"]
    assert removed == {
        "profiles": 1,
        "friendships": 1,
        "installs": 1,
        "grants": 0,
        "page roles": 2,
        "reports": 0,
        "posts": 0,
    }
    assert "nothing stored" in admin(served, "erase", aki["id"], "--yes")
    admin(served, "users", "show", aki["id"], status=1)
    assert ids(admin(served, "friends", "list", sora["id"], "--json")) == []
    assert traces(served, aki["id"]) == []

    assert admin_json(served, "apps", "delete", app["id"], "--yes") == {"id": app["id"], "installs": 1}
    assert admin(served, "pages", "delete", page["id"], "--yes") == "Deleted.\n"
    admin(served, "erase", sora["id"], "--yes")


def traces(served: Served, word: str) -> list[dict[str, Any]]:
    """Return every stored item that contains the word, except cleanup notes for late writes and the action log."""
    dynamodb = served.aws("dynamodb")
    tables = dynamodb.list_tables()["TableNames"]
    assert len(tables) >= 4
    return [
        item
        for table in tables
        if not table.endswith("-records")
        for page in dynamodb.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
        if word in str(item) and item["pk"]["S"] != "trash"
    ]


def test_the_platform_can_be_named(served: Served) -> None:
    environment = {**served.environment, "ENGAWA_LOCAL_DIR": "/nowhere"}
    words = [*ADMIN, "apps", "list", "--json", "--url", served.base_url]
    token = served.demo["tokens"]["operator"]
    for more, status in (({"ENGAWA_ADMIN_TOKEN": token}, 0), ({}, 1), ({"ENGAWA_ADMIN_TOKEN": "wrong"}, 1)):
        done = subprocess.run(words, cwd=ROOT, env={**environment, **more}, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert token not in done.stdout + done.stderr


def test_nobody_there_is_3(served: Served) -> None:
    words = ["apps", "list", "--url", "http://127.0.0.1:9", "--token", "t"]
    started = time.monotonic()

    admin(served, *words, status=3)

    assert time.monotonic() - started < 60


@pytest.fixture
def crowd(tmp_path: Path) -> tuple[Path, Path]:
    """Write a JSON Lines file with PEOPLE users and a CSV file with three friendships for each. Return their paths."""
    users, friendships = tmp_path / "users.jsonl", tmp_path / "friendships.csv"
    with users.open("w", encoding="utf-8") as file:
        for n in range(PEOPLE):
            user: dict[str, Any] = {"id": f"crowd{n:07d}", "displayName": f"人 {n}", "login": f"crowd{n}"}
            file.write(json.dumps(user if n % 100 else {**user, "password": f"password {n}"}) + "\n")
        file.write('{"id": "crowd", "displayName": "?"}\n')
    with friendships.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "friend"])
        pairs = ((n, (n + step) % PEOPLE) for n in range(PEOPLE) for step in (1, 2, 3))
        writer.writerows((f"crowd{one:07d}", f"crowd{other:07d}") for one, other in pairs)
    return users, friendships


def test_an_import_is_killed_and_goes_on(served: Served, crowd: tuple[Path, Path]) -> None:
    users, friendships = crowd
    told = [json.loads(line) for line in imported(served, "users", users, signal.SIGINT, 4).splitlines()]
    assert told[-1]["created"] + told[-1]["unchanged"] == PEOPLE
    assert told[-1]["refused"] == 1
    (reject,) = (users.parent / "users.jsonl.rejects.jsonl").read_text().splitlines()
    assert json.loads(reject)["error_description"] == "id is not the id of a user"

    told = [json.loads(line) for line in imported(served, "friendships", friendships, signal.SIGKILL, 0).splitlines()]
    assert told[-1]["created"] + told[-1]["unchanged"] == 3 * PEOPLE
    assert told[-1]["refused"] == 0

    again = admin_json(served, "import", "friendships", str(friendships))
    assert again == {"kind": "friendships", "created": 0, "unchanged": 3 * PEOPLE, "refused": 0}
    for n in (0, PEOPLE // 2, PEOPLE - 1):
        assert admin_json(served, "users", "show", f"crowd{n:07d}")["friends"] == 6
    assert not list(users.parent.glob("*.progress.json"))


def imported(served: Served, kind: str, path: Path, number: int, status: int) -> str:
    """Import until a signal after the first recorded batch, then to the end. Return the second run's output."""
    progress = path.with_name(f"{path.name}.progress.json")
    token = {"ENGAWA_ADMIN_TOKEN": served.demo["tokens"]["operator"]}
    # All batches except the first one wait, so the signal always comes in the middle of the import.
    with Gate(served.base_url, lambda request: kind.encode() in request.body and not begins(kind, request)) as gate:
        words = ["import", kind, str(path), "--json", "--url", gate.url]
        process = subprocess.Popen(
            [*ADMIN, *words, "--workers", "4"],
            cwd=ROOT,
            env=served.environment | token,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        gate.await_held()
        deadline = time.monotonic() + PATIENCE
        while not progress.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(number)
        # An interrupted import waits for the responses to the requests that it has sent.
        gate.open()
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode in (130, -number), errors
        assert output == ""
        assert json.loads(progress.read_text())["place"]["line"] >= 100
        return admin(served, *words, "--workers", "16", status=status, **token)


def begins(kind: str, request: Request) -> bool:
    """Return whether a request has the first batch of records."""
    first = json.loads(request.body)[kind][0]
    return "crowd0000000" in (first.get("id"), first.get("user"))


def test_installs_are_imported(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "installs.csv"
    demo = served.demo
    taro, album = demo["users"]["taro"]["id"], demo["apps"]["album"]["id"]
    path.write_text(f"user,app\n{taro},{album}\n{taro},{'0' * 16}\n")

    assert admin_json(served, "import", "installs", str(path), status=4)["created"] == 1

    token = demo["tokens"]["users"]["taro"]["album"]
    url = f"{served.base_url}/2/apps/appdata/@me/@self"
    assert httpx.get(url, headers={"Authorization": f"OAuth {token}"}).status_code == 200
    assert admin(served, "installs", "remove", taro, album, "--yes") == "Uninstalled.\n"
