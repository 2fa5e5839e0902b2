"""The code beside each operation's text: every program runs against a served platform, and is answered as documented.

Programs of one language run in one process, one after the other. For each, the platform is prepared (`PREPARED`), so
that the order of the tests does not matter.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chalicelib.core.request_records import RequestRecord, Sampling
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.records.request_log import RequestLog
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.auth.sessions import Session, Sessions
from infra.site import snippets
from local.demo_data import APPS, CAFE, USERS
from tests.kit import pictures
from tests.kit.contract import Contract
from tests.kit.served import ROOT, Served, running
from tests.kit.sessions import sign_in
from tests.kit.typescript import built

KIT = ROOT / "tests" / "kit"
WORKERS = {"javascript": ("node", KIT / "run_programs.mjs"), "python": (sys.executable, KIT / "run_programs.py")}
SUFFIXES = {"curl": ".sh", **snippets.SUFFIXES}
HANA, NEW_USER, NEW_APP, NEW_PAGE = USERS["hana"], "riku00000001", "1a2b3c4d5e6f7890", "20260401000000000002"
ENDPOINTS, ENDPOINT = f"/admin/apps/{APPS['quest']}/endpoints", "4f1d2c3b4a59"
PAGE, NEW_FEED = f"/2/pages/{CAFE.id}", "http://quest.example/contents/2"
_LINE = re.compile(r"^([A-Z]+) (/[^\s?]*)\S* (\d{3}) ", re.MULTILINE)


class Worker:
    """A process that runs programs of one language."""

    def __init__(self, language: str, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT / "sdk" / "python" / "src"), "NO_PROXY": "127.0.0.1"}
        self._process = subprocess.Popen(
            WORKERS[language],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, path: Path) -> tuple[str | None, str]:
        """Run a program; return the error that ended it, or None, and the text that it printed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        error, printed = json.loads(self._process.stdout.readline())
        return error, printed

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


class Desk:
    """A served platform, and what a program needs: its folder, its worker, and the values of its words."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.folder = folder
        self._keys = TokenKeys((served.local_dir / "token-keys.json").read_text)
        self._workers: dict[str, Worker] = {}
        (folder / snippets.PICTURE).write_bytes(pictures.png())
        packages = folder / "node_modules" / "@engawa"
        packages.mkdir(parents=True)
        (packages / "client").symlink_to(built())

    def token(self, holder: snippets.Holder) -> str:
        """Return an access token with the scopes that a program's comment names, and no others."""
        viewer = HANA if holder.kind == "user" else None
        scopes = holder.scopes if holder.kind != "app" else ()
        tokens = AccessTokens(self._keys, self.served.base_url)
        return tokens.issue(app=APPS["quest"], viewer=viewer, scopes=scopes, lifetime=900)

    def words(self, text: str) -> dict[str, str]:
        """Return the values of the words of a program that a reader must replace."""
        values = {"CLIENT_SECRET": self.served.demo["apps"]["quest"]["clientSecret"], "REFRESH_TOKEN": "none"}
        if not re.search(r"\b(SESSION|CSRF)\b", text):
            return values  # A password takes a third of a second.
        session, (cookie, *_) = self._sign_in()
        return values | {"SESSION": cookie.partition("=")[2], "CSRF": session.masked_csrf()}

    def send(self, method: str, path: str, body: Any = None, *, kind: str = "operator", **query: str) -> httpx.Response:
        """Send a request that prepares the platform, as the operator or as Hana."""
        holder = snippets.Holder(kind, ("w_pagefeed", "mixi_apps2") if kind == "user" else ("admin",))
        headers = {"Authorization": f"Bearer {self.token(holder)}"}
        url = self.served.base_url + path
        return httpx.request(method, url, json=body, params=query, headers=headers, timeout=30)

    def report(self) -> None:
        """Let Taro report the cafe's first feed by the web page, unless he has already."""
        session, cookies = self._sign_in()
        headers = {"Cookie": "; ".join(cookies)}
        form = {
            "csrf": session.masked_csrf(),
            "page": CAFE.id,
            "feed": "1",
            "comment": "",
            "reason": "spam",
            "words": "",
        }
        answer = httpx.post(f"{self.served.base_url}/report", data=form, headers=headers, timeout=30)
        assert answer.status_code in (303, 409), answer.text

    def _sign_in(self) -> tuple[Session, list[str]]:
        """Sign Taro in; return a session that has just given the password, and its cookies."""
        taro = self.served.demo["users"]["taro"]
        session = replace(sign_in(self.served.base_url, taro["login"], taro["password"]), fresh=True)
        cookies = Sessions(self._keys, self.served.base_url).headers(session)["Set-Cookie"]
        given = [cookies] if isinstance(cookies, str) else cookies
        return session, [each.partition(";")[0] for each in given]

    def run(self, language: str, operation: str, text: str) -> tuple[str | None, str]:
        """Run a program; return the error that ended it, or None, and the text that it printed."""
        program = self.folder / f"{operation}{SUFFIXES[language]}"
        program.write_text(text + "\n", encoding="utf-8")
        if language == "curl":
            return self._bash(program)
        if language not in self._workers:
            self._workers[language] = Worker(language, self.folder)
        return self._workers[language].run(program)

    def _bash(self, program: Path) -> tuple[str | None, str]:
        strict = 'curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }; . "$0"'
        command = ["bash", "-euc", strict, str(program)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=90, check=False)
        return (done.stderr or "failed") if done.returncode else None, done.stdout

    def stop(self) -> None:
        """End the processes of this desk."""
        for worker in self._workers.values():
            worker.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a platform of this module, since its programs change the demo world."""
    with running(tmp_path_factory.mktemp("snippets")) as served:
        made = Desk(served, tmp_path_factory.mktemp("programs"))
        yield made
        made.stop()


# What the platform must have before a program runs. Each function returns the ids of the examples that it has replaced.

Prepared = Mapping[str, str] | None


def without_feed(desk: Desk) -> None:
    desk.send("DELETE", f"{PAGE}/feeds", kind="user", contentUri=NEW_FEED)


def with_feed(desk: Desk) -> None:
    desk.send("POST", f"{PAGE}/feeds", {"title": "Evening", "contentUri": NEW_FEED}, kind="user")


def with_comment(desk: Desk) -> Prepared:
    posted = desk.send("POST", f"{PAGE}/comments", {"comment": "きれい"}, kind="user", contentUri=FEED)
    return {example("deleteComment", "comment"): posted.json()["id"]}


def with_favorite(desk: Desk) -> Prepared:
    made = desk.send("POST", f"{PAGE}/favorites", kind="user", contentUri=FEED)
    return {example("removeFavorite", "favorite"): made.json()["id"]}


def without_user(desk: Desk) -> None:
    desk.send("DELETE", f"/admin/users/{NEW_USER}")


def with_user(desk: Desk) -> None:
    desk.send("POST", "/admin/users", {"id": NEW_USER, "displayName": "陸 (Riku)"})


def without_app(desk: Desk) -> None:
    desk.send("DELETE", f"/admin/apps/{NEW_APP}")


def with_app(desk: Desk) -> None:
    desk.send("POST", "/admin/apps", {"id": NEW_APP, "name": "Quest"})


def without_endpoints(desk: Desk) -> None:
    for each in desk.send("GET", ENDPOINTS).json()["entry"]:
        desk.send("DELETE", f"{ENDPOINTS}/{each['id']}")


def with_endpoint(desk: Desk) -> None:
    without_endpoints(desk)
    body = {"id": ENDPOINT, "url": "https://game.example/events", "kinds": ["app.installed"]}
    desk.send("POST", ENDPOINTS, body)


def with_page(desk: Desk) -> None:
    desk.send("POST", "/admin/pages", {"id": NEW_PAGE, "name": "Cafe"})


def with_feed_to_moderate(desk: Desk) -> Prepared:
    """Post a feed of a URI of its own: a hidden feed keeps its URI."""
    desk.send("POST", f"{PAGE}/feeds", {"title": "Noon", "contentUri": f"{NEW_FEED}?{uuid4()}"}, kind="user")
    listed = desk.send("GET", f"/admin/moderation/posts?page={CAFE.id}&kind=feed").json()["entry"]
    return {"feeds/1": f"feeds/{listed[0]['feed']}"}


def with_comment_to_moderate(desk: Desk) -> Prepared:
    posted = desk.send("POST", f"{PAGE}/comments", {"comment": "きれい"}, kind="user", contentUri=FEED)
    return {example("hideComment", "comment"): posted.json()["id"]}


def with_report(desk: Desk) -> Prepared:
    """Let Taro report the feed on the page; return the id of the report."""
    desk.report()
    (case, *_) = desk.send("GET", "/admin/reports").json()["entry"]
    return {example("readReport", "report"): case["id"]}


def without_module(desk: Desk) -> None:
    for each in desk.send("GET", f"/admin/pages/{CAFE.id}/modules").json()["entry"]:
        if each["app"] == APPS["album"]:
            desk.send("DELETE", f"/admin/pages/{CAFE.id}/modules/{each['id']}")


def with_module(desk: Desk) -> None:
    desk.send("POST", f"/admin/pages/{CAFE.id}/modules", {"id": "4", "app": APPS["album"], "name": "Album"})


def with_failed_request(desk: Desk) -> Prepared:
    """Record a failed request: the process itself writes at most once a minute."""
    found = Sampling()
    id = example("readRequest", "id")
    found.add(
        RequestRecord(id, int(time.time() * 1000), "GET /health", 500, "internal_error", "KeyError", None, "1", 1)
    )
    dynamo = Dynamo(desk.served.aws("dynamodb"))
    RequestLog(dynamo, "engawa-local-records", lambda: int(time.time() * 1000)).write(found)
    return None


PREPARED: dict[str, Callable[[Desk], Prepared]] = {
    "postFeed": without_feed,
    "deleteFeed": with_feed,
    "deleteComment": with_comment,
    "removeFavorite": with_favorite,
    "createUser": without_user,
    "eraseUser": with_user,
    "createApp": without_app,
    "deleteApp": with_app,
    "renewSecret": with_app,
    "suspendApp": with_app,
    "createEndpoint": without_endpoints,
    "changeEndpoint": with_endpoint,
    "deleteEndpoint": with_endpoint,
    "renewEndpointSecret": with_endpoint,
    "endOldEndpointSecret": with_endpoint,
    "resendEvents": with_endpoint,
    "deletePage": with_page,
    "readReport": with_report,
    "handleReport": with_report,
    "moderateFeed": with_feed_to_moderate,
    "hideFeed": with_feed_to_moderate,
    "unhideFeed": with_feed_to_moderate,
    "moderateComment": with_comment_to_moderate,
    "hideComment": with_comment_to_moderate,
    "unhideComment": with_comment_to_moderate,
    "addModule": without_module,
    "removeModule": with_module,
    "readRequest": with_failed_request,
}


def example(operation: str, parameter: str) -> str:
    """Return the example of an operation's parameter."""
    _, _, declared = snippets.operations()[operation]
    named = {each["name"]: each for each in declared["parameters"]}
    return str(snippets.parameter_example(named[parameter]))


FEED = example("readComments", "contentUri")
PROGRAMS = [(operation, *snippet) for operation in snippets.operations() for snippet in snippets.of(operation)]


def answers(desk: Desk, after: int, operation: str) -> list[tuple[str, str, int]]:
    """Return method, path and status of the requests in the log behind `after`, with one of this operation."""
    end = time.monotonic() + 60
    while True:
        text = desk.served.log.read_bytes()[after:].decode(errors="replace")
        seen = [(method, path, int(status)) for method, path, status in _LINE.findall(text)]
        if any(is_of(method, path, operation) for method, path, _ in seen) or time.monotonic() > end:
            return seen
        time.sleep(0.01)


def is_of(method: str, path: str, operation: str) -> bool:
    """Return whether a request is one of this operation."""
    found, _ = Contract.ours().find(method, path)
    return found is not None and found.declared["operationId"] == operation


def documented(operation: str, status: int) -> bool:
    """Return whether the status is a success or a redirect that the operation's description has."""
    _, _, declared = snippets.operations()[operation]
    known = declared["responses"].keys()
    return status // 100 in (2, 3) and (str(status) in known or f"{status // 100}XX" in known)


@pytest.mark.parametrize(
    ("operation", "language", "text"), PROGRAMS, ids=[f"{name}-{language}" for name, language, _ in PROGRAMS]
)
def test_it_runs_and_is_answered_as_documented(desk: Desk, operation: str, language: str, text: str) -> None:
    replaced = desk.words(text) | dict(PREPARED.get(operation, lambda desk: None)(desk) or {})
    if holder := snippets.holder(operation):
        replaced["TOKEN"] = desk.token(holder)
    text = text.replace(snippets.BASE_URL, desk.served.base_url)
    for word, value in replaced.items():
        text = re.sub(rf"\b{re.escape(word)}\b", value, text)
    before = desk.served.log.stat().st_size

    error, printed = desk.run(language, operation, text)

    assert error is None, f"{text}\n\n{error}\n{printed}"
    seen = answers(desk, before, operation)
    (*_, status) = [0, *(status for method, path, status in seen if is_of(method, path, operation))]
    assert documented(operation, status), f"{seen}\n{text}"
    # The status of JSON-RPC is 200 even if a call failed.
    assert operation != "callMethods" or "error" not in printed, printed


def test_there_is_code_of_every_operation() -> None:
    ids = {each.declared["operationId"] for each in Contract.ours().operations()}
    assert ids == {operation for operation, *_ in PROGRAMS}
    assert {path.stem for path in snippets.PROGRAMS.glob("*.*")} <= ids
