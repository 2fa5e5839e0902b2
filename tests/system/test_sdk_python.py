"""The Python client against the served platform: installed from its wheel, through a faulty proxy, and signed in."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from packaging.requirements import Requirement

from engawa_client import (
    ALL,
    AsyncEngawa,
    Authorization,
    Engawa,
    FileTokenStore,
    NotEngawa,
    Retry,
    Unreachable,
    errors,
)
from local.demo_data import CAFE, USERS
from local.environment import free_port
from tests.kit import pictures
from tests.kit.plain_browser import Browser
from tests.kit.served import ROOT

if TYPE_CHECKING:
    from tests.kit.served import Served

SDK = ROOT / "sdk" / "python"
PYRIGHT = ROOT / ".local" / "clients-node" / "node_modules" / ".bin" / "pyright"
SCOPES = "mixi_apps2 r_profile r_page w_pagefeed"
PROGRAM = """\
import asyncio
import sys

from engawa_client import AsyncEngawa, Engawa, __version__, errors

base_url, token = sys.argv[1:]


def names(engawa: Engawa) -> list[str]:
    return [friend.get("displayName", "?") for friend in engawa.people.friends(has_app=True)]


async def score(engawa: AsyncEngawa) -> str:
    def better(values: dict[str, str]) -> None:
        values["installed"] = str(int(values.get("installed", "0")) + 1)

    after = await engawa.app_data.update(better, fields=["installed"])
    return after["installed"]


async def play() -> str:
    async with AsyncEngawa(base_url, token=token) as engawa:
        return await score(engawa)


with Engawa(base_url, token=token) as engawa:
    try:
        engawa.app_data.write({"not a key": ""})
    except errors.ParameterInvalid as error:
        assert error.request_id
    print(__version__, sorted(names(engawa)), asyncio.run(play()))
"""


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command and return its output. Assert that it succeeds."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def mei(served: Served) -> Iterator[Engawa]:
    """Return a client of Mei, who administers the page."""
    with Engawa(served.base_url, token=served.token(user="mei", app="quest", scope=SCOPES)) as engawa:
        yield engawa


# Installed


def needed(wheel: Path, folder: Path) -> set[str]:
    """Return the packages that a wheel requires, and those that they require."""
    run(sys.executable, "-m", "zipfile", "-e", wheel, folder, folder=folder)
    metadata = next(folder.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    left = [line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    found: set[str] = set()
    while left:
        asked = Requirement(left.pop())
        if asked.name not in found and (asked.marker is None or asked.marker.evaluate({"extra": ""})):
            found.add(asked.name)
            left += distribution(asked.name).requires or []
    return found


def link(package: str, folder: Path) -> None:
    """Put an installed package into another environment, without a network."""
    installed = distribution(package)
    for top in {each.parts[0] for each in installed.files or () if each.parts[0] not in ("..", "__pycache__")}:
        (folder / top).symlink_to(Path(str(installed.locate_file(top))))


def test_it_is_built_installed_and_used_in_an_empty_environment(served: Served, tmp_path: Path) -> None:
    shutil.copytree(SDK, tmp_path / "sdk", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "build", "dist"))
    run(
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        tmp_path / "dist",
        tmp_path / "sdk",
        folder=tmp_path,
    )
    (wheel,) = (tmp_path / "dist").glob("engawa_client-*-py3-none-any.whl")
    assert len(list((tmp_path / "dist").glob("engawa_client-*.tar.gz"))) == 1

    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", folder=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    packages = next((tmp_path / "venv" / "lib").glob("python3.*/site-packages"))
    (tmp_path / "unpacked").mkdir()
    names = needed(wheel, tmp_path / "unpacked")
    assert "httpx" in names
    assert len(names) < 12
    for each in names:
        link(each, packages)
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, folder=tmp_path)
    run(*pip, "check", folder=tmp_path)

    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir", tmp_path / "cache")
    run(*mypy, program, folder=tmp_path)
    shutil.copytree(ROOT / "docs" / "snippets", tmp_path / "snippets")
    pyright = {"include": ["program.py", "snippets", "sdk/src"], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    environment = {"venvPath": str(tmp_path), "venv": "venv", "extraPaths": ["sdk/src"]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(pyright | environment), encoding="utf-8")
    assert "0 errors, 0 warnings" in run(PYRIGHT, "--project", tmp_path, folder=tmp_path)
    token = served.token(user="hana", app="quest", scope=SCOPES)
    printed = run(python, "-I", program, served.base_url, token, folder=tmp_path)
    assert printed == "0.2.0 ['健 (Ken)', '芽衣 (Mei)'] 1\n"
    Engawa(served.base_url, token=token).app_data.delete(["installed"])


# Used


def test_people(mei: Engawa) -> None:
    assert mei.people.me()["id"] == USERS["mei"]
    assert mei.people.get(USERS["ken"]).get("displayName") == "健 (Ken)"
    assert {each["id"] for each in mei.people.friends(count=1)} == {USERS["hana"], USERS["ken"]}
    assert mei.open_social.person().get("isViewer") == "true"
    assert {each["id"] for each in mei.open_social.people(count=1)} == {USERS["hana"], USERS["ken"]}
    assert [each["id"] for each in mei.open_social.people([USERS["yuki"], USERS["ken"]], "@self")]
    with pytest.raises(errors.PermissionDenied) as raised:
        mei.people.get(USERS["yuki"])
    assert raised.value.request_id


def test_a_big_answer(mei: Engawa) -> None:
    values = {f"big{number}": f"{number}".rjust(65_000, "花")[:20_000] for number in range(98)}
    for part in range(0, 98, 49):
        mei.app_data.write({key: values[key] for key in list(values)[part : part + 49]})
    found = mei.app_data.read()
    assert {key: found.data[key] for key in values} == values
    # The version came with the redirect to the storage.
    assert found.etag
    assert mei.app_data.read_if_changed(found.etag) is None
    usage = mei.app_data.usage()
    assert usage["keys"]["used"] >= 98
    mei.app_data.delete(ALL)
    assert mei.app_data.read().data == {}


def test_changes_and_a_ranking(mei: Engawa) -> None:
    changed = mei.app_data.patch({"coins": {"add": "30"}, "log": {"append": "won", "last": 10}, "level": {"max": "6"}})
    assert changed.data == {"coins": "30", "log": '["won"]', "level": "6"}
    with pytest.raises(errors.BoundExceeded, match="coins"):
        mei.app_data.patch({"coins": {"add": "-31", "atLeast": "0"}})
    with pytest.raises(errors.PreconditionFailed):
        mei.app_data.patch({"coins": {"add": "1"}}, if_match='"other"')
    ranking = mei.app_data.ranking("level")
    assert [(each["id"], each.get("rank")) for each in ranking.entries] == [
        (USERS["ken"], 1),
        (USERS["mei"], 2),
        (USERS["hana"], 3),
    ]
    assert ranking.own
    assert ranking.own.get("rank") == 2
    assert mei.app_data.ranking("level", include_self=False, count=1).total == 2
    assert mei.app_data.update(lambda values: {"coins": values["coins"] + "0"}) == {"coins": "300"}
    assert mei.app_data.read().data == {"coins": "300"}
    mei.app_data.delete(ALL)


def test_pages(mei: Engawa, tmp_path: Path) -> None:
    page = mei.page(CAFE.id)
    path = tmp_path / "picture.png"
    path.write_bytes(pictures.png())
    uri = page.post_feed("花", body="& <x>", urls={"pcUrl": "http://quest.example/"}, source_id="3", image=path)
    found = page.feed(uri)
    assert (found["title"], found["body"], len(found["images"])) == ("花", "& <x>", 1)
    ids = [page.post_comment(uri, f"{number}") for number in range(5)]
    comments = page.comments(uri, count=2)
    first = next(iter(comments))
    rest = list(page.comments(uri, count=2, cursor=comments.cursor))
    assert [each["id"] for each in (first, *rest)] == ids[::-1]
    favorite = page.add_favorite(uri)
    assert page.add_favorite(uri) == favorite
    assert page.favorites(uri) == 1
    page.remove_favorite(uri, favorite)
    page.delete_comment(uri, ids[0])
    page.delete_feed(uri)
    with pytest.raises(errors.NotFound):
        page.feed(uri)
    assert page.get()["followerCount"] >= 0
    assert mei.certificate().startswith("-----BEGIN CERTIFICATE-----")


def test_tasks(served: Served) -> None:
    async def play() -> tuple[int, list[str]]:
        token = served.token(user="ken", app="quest", scope=SCOPES)
        async with AsyncEngawa(served.base_url, token=token) as engawa:
            await asyncio.gather(*(engawa.app_data.write({f"task{number}": "1"}) for number in range(20)))
            found = await engawa.app_data.read()
            mine = [key for key in found.data if key.startswith("task")]
            await engawa.app_data.delete(mine)
            return len(mine), [friend["id"] async for friend in engawa.people.friends()]

    written, friends = asyncio.run(play())
    assert written == 20
    assert set(friends) == {USERS["hana"], USERS["mei"]}


def test_an_app_that_asks_for_itself(served: Served) -> None:
    quest = served.demo["apps"]["quest"]
    with Engawa(served.base_url, client_id=quest["clientId"], client_secret=quest["clientSecret"]) as engawa:
        assert engawa.page(CAFE.id).get()["id"] == CAFE.id
    with (
        Engawa(served.base_url, client_id=quest["clientId"], client_secret="wrong") as engawa,
        pytest.raises(errors.InvalidClient),
    ):
        engawa.page(CAFE.id).get()


def test_a_server_that_is_none(served: Served) -> None:
    with pytest.raises(NotEngawa, match="did not answer as an Engawa server"):
        Engawa(served.emulator_url, token="x").app_data.read()
    quick = Retry(attempts=2, base=0.01)
    with pytest.raises(Unreachable, match="cannot be reached"):
        Engawa(f"http://127.0.0.1:{free_port()}", token="x", retry=quick).app_data.read()


def test_the_examples_of_the_readme(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (SDK / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    (tmp_path / "picture.png").write_bytes(pictures.png())
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        # The sign-in needs a browser: test_a_user_signs_in_to_a_public_app.
        if "Authorization(" not in block:
            token = served.token(user="hana", app="quest", scope=SCOPES)
            exec(block.replace("http://127.0.0.1:8000", served.base_url).replace("TOKEN", token), names)
    printed = capsys.readouterr().out
    assert "{'level': '6'}" in printed
    assert f"{USERS['ken']} 健 (Ken)" in printed
    assert f"1 {USERS['hana']} 6150" in printed


# Signed in


def _browser(base_url: str) -> Browser:
    def send(
        method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Sequence[tuple[str, str]], str]:
        answer = httpx.request(method, base_url + target, headers=headers, content=body, timeout=30)
        return answer.status_code, answer.headers.multi_items(), answer.text

    return Browser(send)


def test_a_user_signs_in_to_a_public_app(served: Served, tmp_path: Path) -> None:
    auth = Authorization(served.base_url, served.demo["apps"]["album"]["clientId"])
    assert auth.metadata()["issuer"] == served.base_url
    request = auth.authorization_url("mixi_apps2 r_profile", lang="en")
    browser = _browser(served.base_url)
    page = browser.open(request.url.removeprefix(served.base_url))
    page = browser.sign_in(page, "ken", served.demo["users"]["ken"]["password"])
    page = browser.submit(page.form("decision"), decision="allow")

    token = auth.exchange(auth.code(request, page.location), request)
    assert token.scope == "mixi_apps2 r_profile"
    store = FileTokenStore(tmp_path / "ken.json")
    store.save(token)
    with Engawa(served.base_url, client_id=served.demo["apps"]["album"]["clientId"], tokens=store) as engawa:
        assert engawa.people.me()["id"] == USERS["ken"]

    # Several threads find it expired, and refresh it once.
    expired = type(token)("expired", token.refresh_token, 0, 900)
    store.save(expired)
    with Engawa(served.base_url, client_id=served.demo["apps"]["album"]["clientId"], tokens=store) as engawa:
        with ThreadPoolExecutor(10) as pool:
            found = list(pool.map(lambda _: engawa.people.me()["id"], range(10)))
        assert set(found) == {USERS["ken"]}
    newer = store.load()
    assert newer is not None
    assert newer.refresh_token != token.refresh_token

    auth.revoke(newer)
    with pytest.raises(errors.InvalidGrant):
        auth.refresh(newer)
    with pytest.raises(errors.InvalidGrant):
        auth.exchange("no code", request)


def test_a_user_refuses(served: Served) -> None:
    auth = Authorization(served.base_url, served.demo["apps"]["album"]["clientId"])
    request = auth.authorization_url("r_profile", lang="en")
    browser = _browser(served.base_url)
    page = browser.sign_in(
        browser.open(request.url.removeprefix(served.base_url)), "ken", served.demo["users"]["ken"]["password"]
    )
    page = browser.submit(page.form("decision"), decision="deny")
    with pytest.raises(errors.AccessDenied):
        auth.code(request, page.location)


# Through faults


@contextmanager
def faulty_proxy(base_url: str, share: float) -> Iterator[tuple[str, Counter[str]]]:
    """Run a proxy that disturbs that share of the requests. Yield its address and the number of each fault."""
    chance, lock, faults = random.Random(15), threading.Lock(), Counter[str]()
    names = ("429", "503", "502", "reset", "lost", "late 504")
    upstream = httpx.Client(base_url=base_url, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                fault = chance.choice(names) if chance.random() < share else "none"
                faults[fault] += 1
            if fault in ("429", "503", "502"):
                self._answer(int(fault), {"Retry-After": "1"} if fault == "503" else {}, b"<html>")
            elif fault == "reset":
                self._reset()
            else:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = upstream.request(self.command, self.path, content=body, headers=headers)
                if fault == "lost":
                    self._reset()
                elif fault == "late 504":
                    self._answer(504, {}, b"<html>")
                else:
                    kept = {name: value for name, value in answer.headers.items() if name not in _OF_A_CONNECTION}
                    self._answer(answer.status_code, kept, answer.content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def finish(self) -> None:
            if self.connection.fileno() >= 0:
                super().finish()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", faults
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        upstream.close()


_OF_A_CONNECTION = {"content-length", "content-encoding", "transfer-encoding", "connection", "date", "server"}


def test_no_write_is_doubled_or_lost_behind_a_faulty_proxy(served: Served, mei: Engawa) -> None:
    page, uri = mei.page(CAFE.id), f"http://quest.example/{uuid.uuid4()}"
    patient = Retry(attempts=40, seconds=120, base=0.01, longest=0.05)
    token = served.token(user="mei", app="quest", scope=SCOPES)
    with faulty_proxy(served.base_url, 0.4) as (address, faults), Engawa(address, token=token, retry=patient) as engawa:
        assert engawa.page(CAFE.id).post_feed("Chaos", content_uri=uri, image=pictures.png()) == uri
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(lambda number: engawa.page(CAFE.id).post_comment(uri, f"{number}"), range(120)))
        assert sorted(int(each["comment"]) for each in page.comments(uri)) == list(range(120))
        assert {each["id"] for each in page.comments(uri)} == set(ids)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda made: engawa.page(CAFE.id).delete_comment(uri, made), ids[:40]))
        assert {each["id"] for each in page.comments(uri)} == set(ids[40:])
        engawa.page(CAFE.id).delete_feed(uri)

        def add(values: dict[str, str]) -> None:
            values["updated"] = str(int(values.get("updated", "0")) + 1)

        def change(_: int) -> None:
            engawa.app_data.update(add, fields=["updated"], attempts=100)
            engawa.app_data.patch({"added": {"add": "1"}})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(change, range(20)))
        assert mei.app_data.read().data == {"updated": "20", "added": "20"}
        mei.app_data.delete(ALL)
    assert all(faults[name] for name in ("429", "503", "502", "reset", "lost", "late 504")), faults
