"""A platform with items of format 1 is migrated over HTTP while its users write."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from chalicelib.core.migration import TABLES
from chalicelib.store.aws.formats import ATTRIBUTE, format_of
from chalicelib.store.aws.items import Item, key_of, typed
from chalicelib.store.directory.counts import COUNTED
from chalicelib.store.directory.keys import COUNTS
from local.in_process import HANA, ME
from tests.kit import invariants, invariants_contents, invariants_directory
from tests.kit.format_world import FIXTURES, PREFIX, stored
from tests.kit.gate import PATIENCE, Gate
from tests.kit.served import Served, eventually
from tests.kit.stage import PAGE, URI

if TYPE_CHECKING:
    from local.gateway import Request

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = [sys.executable, "-m", "admin", "migrate", "--json"]
COMMENTS = f"/2/pages/{PAGE}/comments"
MOST_WRITES = 80
"""Writes of each writer: fewer than the 180 that one user may do in the window, and than a list's part of 100."""


def items(dynamodb: Any, table: str) -> list[Item]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=PREFIX + table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def fill(dynamodb: Any) -> None:
    """Put the world of format 1 into the tables, instead of the posts and beside the users of the demo world."""
    tables = stored(FIXTURES / "format-1.json.xz")["tables"]
    for table in TABLES:
        for item in items(dynamodb, table):
            place = {"TableName": PREFIX + table, "Key": typed(key_of(item))}
            # Format 1 had no table of records, and no counters.
            if table in ("feeds", "comments", "favorites") or table not in tables or key_of(item)[0] == COUNTS:
                dynamodb.delete_item(**place)
            else:
                names = {"#number": ATTRIBUTE, "#counted": COUNTED}
                removal = "REMOVE #number, #counted"
                dynamodb.update_item(**place, UpdateExpression=removal, ExpressionAttributeNames=names)
        for item in tables.get(table, ()):
            dynamodb.put_item(TableName=PREFIX + table, Item=item)


def numbers(dynamodb: Any) -> Counter[int]:
    return Counter(format_of(item) for table in TABLES for item in items(dynamodb, table))


class Writers:
    """Two threads that write data and comments until they are stopped; `written` has what was accepted."""

    def __init__(self, served: Served) -> None:
        self._url, self._stop = served.base_url, threading.Event()
        token = served.demo["tokens"]["users"]["hana"]["quest"]
        self._headers = {"Authorization": f"OAuth {token}"}
        self.written: dict[str, list[str]] = {"data": [], "comments": []}
        self._threads = [threading.Thread(target=self._write, args=(kind,)) for kind in self.written]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, kind: str) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=30) as client:
            for turn in range(MOST_WRITES):
                if self._stop.wait(0.02):
                    return
                text = f"{kind} {turn}"
                if kind == "data":
                    answer = client.post(ME, json={"turn": text, f"key{turn}": text})
                else:
                    answer = client.post(COMMENTS, params={"contentUri": URI}, json={"comment": text})
                if answer.is_success:
                    self.written[kind].append(text)


def held_back(request: Request) -> bool:
    """Return whether a request rewrites items of another table than the first."""
    if request.method != "POST":
        return False
    part = json.loads(request.body)
    return not part["check"] and part["table"] != TABLES[0]


def test_a_platform_is_migrated_while_its_users_write(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve()
    dynamodb = served.aws("dynamodb")
    before: Counter[int] = Counter()

    def is_filled() -> bool:
        # Deliveries of the demo world's events are noted in items of the newest format, perhaps a moment later.
        nonlocal before
        fill(dynamodb)
        before = numbers(dynamodb)
        return before.keys() == {1}

    assert eventually(is_filled), before
    state = tmp_path / "state.json"
    command = [*MIGRATE, "--yes", "--state", str(state)]
    environment = served.environment | {"ENGAWA_ADMIN_TOKEN": served.demo["tokens"]["operator"]}

    with Writers(served) as writers:
        with Gate(served.base_url, held_back) as gate:
            process = subprocess.Popen(
                [*command, "--url", gate.url, "--workers", "2"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            gate.await_held()
            deadline = time.monotonic() + PATIENCE
            while not state.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            gate.open()
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130, errors
        between = numbers(dynamodb)
        assert between[1] > 0
        assert between[2] > 0
        # The saved state is of the gate's address.
        saved = json.loads(state.read_text())
        saved["identity"]["url"] = served.base_url
        state.write_text(json.dumps(saved))
        done = subprocess.run(
            [*command, "--url", served.base_url], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    rewritten = sum(count["rewritten"] for count in json.loads(done.stdout)["tables"].values())
    assert 0 < rewritten <= before.total()
    assert not state.exists()

    checked = subprocess.run(
        [*MIGRATE, "--check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    tables = json.loads(checked.stdout)["tables"]
    assert {name: (count["old"], count["items"]) for name, count in tables.items()} == {
        name: (0, len(items(dynamodb, name))) for name in TABLES
    }
    assert writers.written["data"]
    assert writers.written["comments"]
    check_nothing_was_lost(served, writers)


def check_nothing_was_lost(served: Served, writers: Writers) -> None:
    headers = {"Authorization": f"OAuth {served.demo['tokens']['users']['hana']['quest']}"}
    with httpx.Client(base_url=served.base_url, headers=headers) as client:
        data = client.get(ME).json()["entry"][0]["data"]
        reader = {"Authorization": f"OAuth {served.demo['tokens']['clients']['quest']}"}
        found = client.get(COMMENTS, params={"contentUri": URI, "count": "100"}, headers=reader).json()["entry"]
    assert data["turn"] == writers.written["data"][-1]
    assert {each for key, each in data.items() if key.startswith("key")} == set(writers.written["data"])
    comments = [each["comment"] for each in found]
    assert [each for each in reversed(comments) if each.startswith("comments ")] == writers.written["comments"]
    dynamodb = served.aws("dynamodb")
    assert invariants.of_user(dynamodb, "6d1f0c2ab4e79853", HANA).wrongs() == []
    assert invariants_directory.scan(dynamodb).wrongs() == []
    bucket = served.aws("s3").list_buckets()["Buckets"][0]["Name"]
    wrongs = invariants_contents.scan(dynamodb, served.aws("s3"), bucket).wrongs()
    # The images of the stored world are not in this bucket.
    assert [wrong for wrong in wrongs if "image" not in wrong] == []
