"""The Python client's tokens: how an app gets them, and one refresh at an expiry however many threads or tasks ask."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import multiprocessing
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from engawa_client import (
    AsyncAuthorization,
    AsyncEngawa,
    Authorization,
    Engawa,
    FileTokenStore,
    MemoryTokenStore,
    Retry,
    Token,
    TokenStore,
    Unreachable,
    errors,
)
from tests.kit.engawa_stand_in import BASE, START, FakeClock, StandIn, problem

APP = "c07be4915fa2d386"


def token(lifetime: float = 60, begun: float = START, number: int = 0) -> Token:
    return Token(f"access-{number}", f"refresh-{number}", begun + lifetime, lifetime, "mixi_apps2")


@pytest.fixture
def server() -> StandIn:
    made = StandIn(lifetime=60)
    made.access["access-0"] = START + 60
    return made


@pytest.fixture
def app(server: StandIn) -> Authorization:
    return Authorization(BASE, APP, http=server.http(), clock=server.clock)


# How an app gets them


def test_the_address_for_the_browser_has_pkce_and_a_state(app: Authorization) -> None:
    request = app.authorization_url(["mixi_apps2", "r_profile"], redirect_uri="com.example.album:/back", lang="ja")
    query = dict(parse_qsl(urlsplit(request.url).query))
    assert request.url.startswith(f"{BASE}/connect_authorize.pl?")
    digest = hashlib.sha256(request.code_verifier.encode()).digest()
    assert query == {
        "client_id": APP,
        "response_type": "code",
        "scope": "mixi_apps2 r_profile",
        "state": request.state,
        "redirect_uri": "com.example.album:/back",
        "lang": "ja",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert 43 <= len(request.code_verifier) <= 128
    assert app.authorization_url("r_profile").state != request.state


def test_the_code_is_read_from_the_address_that_the_browser_came_back_to(app: Authorization) -> None:
    request = app.authorization_url("r_profile")
    iss = "iss=http%3A%2F%2Fengawa.example"
    back = f"https://game.example/back?code=abc&{iss}&state={request.state}"
    assert app.code(request, back) == "abc"
    for wrong in (
        back[:-1],
        back + "x",
        f"https://game.example/back?code=abc&{iss}",
        f"{back}&iss=https%3A%2F%2Fevil.example",
        f"https://game.example/back?code=abc&state={request.state}",
    ):
        with pytest.raises(ValueError, match=r"state of this address|comes from"):
            app.code(request, wrong)
    with pytest.raises(ValueError, match="has no code"):
        app.code(request, f"https://game.example/back?{iss}&state={request.state}")
    with pytest.raises(errors.AccessDenied):
        app.code(request, f"https://game.example/back?error=access_denied&{iss}&state={request.state}")


def test_the_forms_of_grants() -> None:
    seen: list[dict[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(dict(parse_qsl(request.content.decode())))
        assert "Authorization" not in request.headers
        if seen[-1].get("grant_type") == "server_state":
            return httpx.Response(200, json={"server_state": "s"})
        if "token" in seen[-1]:
            return httpx.Response(200, json={})
        return httpx.Response(200, json={"access_token": "a", "refresh_token": "r", "expires_in": 900, "scope": "x"})

    clock = FakeClock()
    app = Authorization(BASE, "id", "se&cret", http=httpx.Client(transport=httpx.MockTransport(handle)), clock=clock)
    who = {"client_id": "id", "client_secret": "se&cret"}
    request = app.authorization_url("x", redirect_uri="https://game.example/back", server_state="s")

    made = app.exchange("abc", request)
    assert made == Token("a", "r", START + 900, 900, "x")
    app.refresh(made)
    app.client_credentials("admin")
    assert app.server_state() == "s"
    app.revoke(made)
    code = {
        "grant_type": "authorization_code",
        "code": "abc",
        "redirect_uri": "https://game.example/back",
        "code_verifier": request.code_verifier,
        "server_state": "s",
    }
    assert seen == [
        who | code,
        who | {"grant_type": "refresh_token", "refresh_token": "r"},
        who | {"grant_type": "client_credentials", "scope": "admin"},
        who | {"grant_type": "server_state"},
        who | {"token": "r"},
    ]


def test_an_app_gets_a_token_for_itself_when_it_needs_one() -> None:
    server = StandIn()
    engawa = Engawa(BASE, client_id=APP, client_secret="s", http=server.http(), clock=server.clock)
    engawa.app_data.read()
    engawa.app_data.read()
    assert server.refreshes == 1
    assert [each.headers.get("Authorization") for each in server.seen] == [None, "Bearer access-1", "Bearer access-1"]


# When a token is refreshed


def test_a_token_is_refreshed_shortly_before_it_expires(server: StandIn) -> None:
    store = MemoryTokenStore(token())
    engawa = Engawa(BASE, client_id=APP, tokens=store, http=server.http(), clock=server.clock)
    server.clock.sleep(53)
    engawa.app_data.read()
    assert server.refreshes == 0
    server.clock.sleep(2)
    engawa.app_data.read()
    kept = store.load()
    assert kept == Token("access-1", "refresh-1", START + 115, 60, "")


def test_a_refused_token_is_refreshed_and_the_request_sent_again(server: StandIn) -> None:
    server.access["access-0"] = 0.0
    engawa = Engawa(BASE, client_id=APP, tokens=token(), http=server.http(), clock=server.clock)
    engawa.app_data.write({"level": "6"})
    assert (server.refreshes, server.version) == (1, 1)


def test_a_second_refusal_is_an_error(server: StandIn) -> None:
    server.fault = lambda request: None if request.url.path == "/2/token" else problem(401, "invalid_token")
    engawa = Engawa(BASE, client_id=APP, tokens=token(), http=server.http(), clock=server.clock)
    with pytest.raises(errors.InvalidToken):
        engawa.app_data.read()
    assert (server.refreshes, len(server.seen)) == (1, 3)


def test_a_refresh_whose_answer_got_lost_is_repeated_in_time(server: StandIn) -> None:
    lost = 3

    def lose(request: httpx.Request) -> httpx.Response | None:
        nonlocal lost
        if request.url.path == "/2/token" and lost:
            lost -= 1
            server._carry_out(request)
            # A timeout of the client.
            server.clock.sleep(5)
            raise httpx.ReadTimeout("late")
        return None

    server.fault = lose
    server.clock.sleep(60)
    Engawa(BASE, client_id=APP, tokens=token(), http=server.http(), clock=server.clock).app_data.read()
    assert (server.refreshes, server.revoked) == (1, False)


def test_an_old_refresh_token_is_not_sent_after_thirty_seconds(server: StandIn) -> None:
    first: list[float] = []

    def lose(request: httpx.Request) -> httpx.Response | None:
        first.append(server.clock.wall())
        server._carry_out(request)
        server.clock.sleep(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("late")

    server.fault = lose
    server.clock.sleep(60)
    retry = Retry(attempts=99, seconds=999)
    engawa = Engawa(BASE, client_id=APP, tokens=token(), http=server.http(), clock=server.clock, retry=retry)
    with pytest.raises(Unreachable):
        engawa.app_data.read()
    assert first[-1] - first[0] < 30
    assert not server.revoked


def test_without_a_refresh_token_the_user_has_to_sign_in(server: StandIn) -> None:
    engawa = Engawa(BASE, client_id=APP, tokens=MemoryTokenStore(), http=server.http(), clock=server.clock)
    with pytest.raises(ValueError, match="sign the user in"):
        engawa.app_data.read()


# One refresh, however many ask


def test_fifty_threads_for_ten_minutes(server: StandIn) -> None:
    store = MemoryTokenStore(token())
    engawa = Engawa(BASE, client_id=APP, tokens=store, http=server.http(), clock=server.clock)
    # The clock moves between rounds only: a token expires before a call, not while a slow machine carries it out.
    together = threading.Barrier(50, action=lambda: server.clock.sleep(5))

    def play(_: int) -> None:
        for _ in range(120):
            engawa.app_data.read()
            together.wait()

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(play, range(50)))
    assert server.clock.wall() == START + 600
    # A token of 60 seconds is refreshed after 54, so in every eleventh round.
    assert server.refreshes == 10
    assert not server.revoked
    assert sum(each.url.path == "/2/token" for each in server.seen) == server.refreshes


def test_fifty_tasks_for_ten_minutes(server: StandIn) -> None:
    server.latency = 0.0001

    async def play() -> int:
        engawa = AsyncEngawa(BASE, client_id=APP, tokens=token(), http=server.async_http(), clock=server.clock)

        async def one() -> int:
            calls = 0
            while server.clock.wall() < START + 600:
                await engawa.app_data.read()
                calls += 1
                await server.clock.sleep_async(1)
            return calls

        return sum(await asyncio.gather(*(one() for _ in range(50))))

    assert asyncio.run(play()) > 1000
    assert 10 <= server.refreshes <= 11
    assert not server.revoked
    assert sum(each.url.path == "/2/token" for each in server.seen) == server.refreshes


def test_those_who_wait_get_the_same_error(server: StandIn) -> None:
    server.revoked = True
    server.latency = 0.01
    server.clock.sleep(60)

    async def play() -> list[Any]:
        engawa = AsyncEngawa(BASE, client_id=APP, tokens=token(), http=server.async_http(), clock=server.clock)
        found = await asyncio.gather(*(engawa.app_data.read() for _ in range(50)), return_exceptions=True)
        with pytest.raises(errors.InvalidGrant):
            await engawa.app_data.read()
        return found

    found = asyncio.run(play())
    assert {type(each) for each in found} == {errors.InvalidGrant}
    assert len({id(each) for each in found}) == 50
    assert len(server.seen) == 2


def test_a_cancelled_refresh_does_not_keep_the_lock(server: StandIn) -> None:
    server.latency = 0.05
    server.clock.sleep(60)
    store = MemoryTokenStore(token())

    async def play() -> None:
        engawa = AsyncEngawa(BASE, client_id=APP, tokens=store, http=server.async_http(), clock=server.clock)
        first = asyncio.create_task(engawa.app_data.read())
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled()
        await engawa.app_data.read()

    asyncio.run(play())
    assert not server.revoked


# Stores


def test_a_file_has_the_token_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "花.json"
    store = FileTokenStore(path)
    assert store.load() is None
    store.save(token())
    store.save(token(number=1))
    assert store.load() == token(number=1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert store.acquire()
    assert not store.acquire()
    assert not FileTokenStore(path).acquire()
    store.release()
    assert FileTokenStore(path).acquire()
    assert {each.name for each in tmp_path.iterdir()} == {"花.json", "花.json.lock"}
    assert stat.S_IMODE((tmp_path / "花.json.lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"token": "x"}', "null", '{"access_token": 1}'])
def test_a_file_with_something_else_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "user.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"user\.json has no token"):
        FileTokenStore(path).load()


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileTokenStore(tmp_path / "user.json")
    store.save(token())

    def full(_: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(token(number=1))
    assert store.load() == token()
    assert [each.name for each in tmp_path.iterdir()] == ["user.json"]


def _in_a_process(path: str, log: str, number: int) -> None:
    """Ask for a token as one of several processes; each refresh appends a line to the log."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/2/token":
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(f"{number}\n")
            form = dict(parse_qsl(request.content.decode()))
            named = int(form["refresh_token"].removeprefix("refresh-")) + 1
            answer = {
                "access_token": f"access-{named}",
                "refresh_token": f"refresh-{named}",
                "expires_in": 900,
                "scope": "",
            }
            return httpx.Response(200, json=answer)
        return httpx.Response(200, json={"entry": [{"id": "x", "data": {}}]})

    http = httpx.Client(transport=httpx.MockTransport(handle))
    with Engawa(BASE, client_id=APP, tokens=FileTokenStore(path), http=http) as engawa:
        engawa.app_data.read()


def test_processes_that_share_a_file_refresh_once(tmp_path: Path) -> None:
    path, log = tmp_path / "user.json", tmp_path / "log"
    FileTokenStore(path).save(token(begun=0))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_in_a_process, args=(str(path), str(log), number)) for number in range(6)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
    assert [each.exitcode for each in processes] == [0] * 6
    assert len(log.read_text().splitlines()) == 1
    assert json.loads(path.read_text())["refresh_token"] == "refresh-1"


class Held(MemoryTokenStore):
    """A store whose lock another process has, which may put a token there after a while."""

    def __init__(self, after: Token | None) -> None:
        super().__init__(token())
        self._after = after
        self._asked = 0

    def acquire(self) -> bool:
        self._asked += 1
        if self._asked == 3 and self._after:
            self.save(self._after)
        return False


def test_the_token_of_another_process_is_used(server: StandIn) -> None:
    server.clock.sleep(60)
    server.access["access-7"] = START + 120
    store: TokenStore = Held(token(begun=START + 60, number=7))
    Engawa(BASE, client_id=APP, tokens=store, http=server.http(), clock=server.clock).app_data.read()
    assert server.refreshes == 0


class Late(MemoryTokenStore):
    """A store in which another process puts a token just before the lock is free."""

    def acquire(self) -> bool:
        self.save(token(begun=START + 60, number=7))
        return super().acquire()


def test_a_token_that_came_just_before_the_lock_is_used(server: StandIn) -> None:
    server.clock.sleep(60)
    server.access["access-7"] = START + 120
    Engawa(BASE, client_id=APP, tokens=Late(token()), http=server.http(), clock=server.clock).app_data.read()
    assert server.refreshes == 0


def test_a_lock_that_is_never_given_back_is_named(server: StandIn) -> None:
    server.clock.sleep(60)
    engawa = Engawa(BASE, client_id=APP, tokens=Held(None), http=server.http(), clock=server.clock)
    with pytest.raises(TimeoutError, match="holds the lock of the token store"):
        engawa.app_data.read()


def test_tasks_get_tokens(server: StandIn) -> None:
    async def play() -> Token:
        return await AsyncAuthorization(BASE, APP, http=server.async_http(), clock=server.clock).refresh("refresh-0")

    assert asyncio.run(play()).refresh_token == "refresh-1"
