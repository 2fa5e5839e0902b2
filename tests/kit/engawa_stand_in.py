"""A server in this process that keeps Engawa's promises to clients, with faults in between and a clock of its own.

It counts what it carries out, so that a test sees whether a write was doubled or lost.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx

from engawa_client.flow import Clock

BASE = "http://engawa.example"
ME = "k3v9x2mtq7ra"
START = 1_790_000_000.0
REPEATED_SECONDS = 30
"""How long an old refresh token gets the same successor."""


class FakeClock(Clock):
    """A clock that is moved forward by each wait, which takes no real time."""

    def __init__(self) -> None:
        self._now = START
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def wall(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += seconds

    async def sleep_async(self, seconds: float) -> None:
        until = self._now + seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self._now = max(self._now, until)


@dataclass
class Successor:
    """The answer that replaced a refresh token, and the time of that."""

    answer: dict[str, Any]
    at: float


@dataclass
class StandIn(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The server. `fault` may return a response instead of carrying out the request, or raise."""

    clock: FakeClock = field(default_factory=FakeClock)
    lifetime: int = 900
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    fault: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
    seen: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data: dict[str, str] = {}
        self.version = 0
        self.applied: Counter[str] = Counter()
        self.comments: dict[str, str] = {}
        self.records: dict[str, tuple[bytes, httpx.Response]] = {}
        self.early: list[str] = []
        self._not_before: dict[str, float] = {}
        self._lock = threading.Lock()
        # Of the tokens: the current refresh token, those replaced, and the access tokens with their ends.
        self.refresh_token = "refresh-0"
        self.replaced: dict[str, Successor] = {}
        self.access: dict[str, float] = {}
        self.refreshes = 0
        self.revoked = False
        self.latency = 0.0
        self.expected = 0

    # The two transports of httpx

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._lock:
            return self._handle(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        await asyncio.sleep(self.latency)
        return self._handle(request)

    def http(self) -> httpx.Client:
        return httpx.Client(transport=self)

    def async_http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self)

    # Faults

    def chaos(self, share: float) -> None:
        """Disturb that share of the requests in each of the ways that happen."""
        self.fault = lambda request: self._disturbed(request) if self.chance.random() < share else None

    def _disturbed(self, request: httpx.Request) -> httpx.Response | None:
        name = _name(request)
        wait = self.chance.randrange(1, 4)
        later = self.clock.wall() + wait
        match self.chance.randrange(9):
            case 0:
                return problem(429, "service_unavailable")
            case 1:
                self._not_before[name] = later
                return problem(503, "service_unavailable", {"Retry-After": str(wait)})
            case 2:
                # A date has whole seconds.
                self._not_before[name] = int(later)
                dates = {
                    "Date": formatdate(self.clock.wall(), usegmt=True),
                    "Retry-After": formatdate(later, usegmt=True),
                }
                return problem(503, "service_unavailable", dates)
            case 3:
                raise httpx.ConnectError("Connection refused")
            case 4:
                raise httpx.ReadError("Connection reset by peer")
            case 5:
                return httpx.Response(502, text="<html>Bad gateway</html>")
            case 6:
                self._carry_out(request)
                raise httpx.ReadError("Connection reset by peer")
            case 7:
                self._carry_out(request)
                return httpx.Response(504, text="<html>Gateway timeout</html>")
            case _:
                self._carry_out(request)
                raise httpx.ReadTimeout("No answer")

    # Requests

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        name = _name(request)
        if self.clock.wall() < self._not_before.pop(name, 0):
            self.early.append(name)
        return self.fault(request) or self._carry_out(request)

    def _carry_out(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path)
        if path == "/2/token":
            return self._token(dict(parse_qsl(request.content.decode())))
        if self.access and not self._is_known(request.headers.get("Authorization", "")):
            return problem(401, "invalid_token")
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return self._effect(request, path)
        if key in self.records:
            body, answer = self.records[key]
            return answer if body == request.content else problem(422, "idempotency_conflict")
        answer = self._effect(request, path)
        if answer.status_code < 300:
            self.records[key] = request.content, answer
        return answer

    def _effect(self, request: httpx.Request, path: str) -> httpx.Response:
        method, query = request.method, dict(request.url.params)
        if path.startswith("/2/apps/appdata/"):
            return self._appdata(request, query)
        if path.endswith("/comments") and method == "POST":
            comment = str(json.loads(request.content)["comment"])
            made = f"c{len(self.applied)}-{self.applied[comment]}"
            self.applied[comment] += 1
            self.comments[made] = comment
            return httpx.Response(201, json={"id": made})
        if "/comments/" in path and method == "DELETE":
            made = path.rsplit("/", 1)[-1]
            if self.comments.pop(made, None) is None:
                return problem(404, "not_found")
            self.applied[f"deleted {made}"] += 1
            return httpx.Response(204)
        return problem(404, "not_found")

    def _appdata(self, request: httpx.Request, query: dict[str, str]) -> httpx.Response:
        wanted = request.headers.get("If-Match")
        if wanted not in (None, self._etag()) or (request.headers.get("If-None-Match") == "*" and self.version):
            return problem(412, "precondition_failed", {"ETag": self._etag()})
        fields = query.get("fields", "*")
        named = list(self.data) if fields in ("", "*") else fields.split(",")
        if request.method == "GET":
            data = {key: self.data[key] for key in named if key in self.data}
            return httpx.Response(200, json={"entry": [{"id": ME, "data": data}]}, headers={"ETag": self._etag()})
        answer: dict[str, Any] = {"response_code": 200}
        if request.method == "DELETE":
            for key in named:
                self.data.pop(key, None)
        elif request.method == "PATCH":
            changes = json.loads(request.content)
            for key, change in changes.items():
                self._change(key, change)
            answer = {"entry": [{"id": ME, "data": {key: self.data[key] for key in changes if key in self.data}}]}
        else:
            self.data |= json.loads(request.content)
        self.version += 1
        window = {"X-RateLimit-Limit": "180", "X-RateLimit-Remaining": "179", "X-RateLimit-Reset": "1"}
        return httpx.Response(200, json=answer, headers={"ETag": self._etag(), **window})

    def _change(self, key: str, change: dict[str, Any]) -> None:
        if "delete" in change:
            self.data.pop(key, None)
        elif "add" in change:
            self.data[key] = str(int(self.data.get(key, "0")) + int(change["add"]))
        elif "append" in change:
            self.data[key] = json.dumps([*json.loads(self.data.get(key, "[]")), change["append"]])
        else:
            self.data[key] = change["set"]

    def _etag(self) -> str:
        return f'"1.{self.version}"'

    # Tokens, as of a public app: each refresh replaces the refresh token

    def _is_known(self, authorization: str) -> bool:
        return self.clock.wall() < self.access.get(authorization.removeprefix("Bearer "), 0)

    def _token(self, form: dict[str, str]) -> httpx.Response:
        now, given = self.clock.wall(), form.get("refresh_token", "")
        replaced = self.replaced.get(given)
        if replaced is not None and not self.revoked:
            unused = replaced.answer["refresh_token"] == self.refresh_token
            if now - replaced.at <= REPEATED_SECONDS and unused:
                return httpx.Response(200, json=replaced.answer)
            self.revoked = True
        if self.revoked or (form["grant_type"] == "refresh_token" and given != self.refresh_token):
            return problem(400, "invalid_grant")
        self.refreshes += 1
        access, self.refresh_token = f"access-{self.refreshes}", f"refresh-{self.refreshes}"
        self.access[access] = now + self.lifetime
        answer = {
            "access_token": access,
            "refresh_token": self.refresh_token,
            "expires_in": self.lifetime,
            "token_type": "Bearer",
            "scope": form.get("scope", ""),
        }
        self.replaced[given] = Successor(answer, now)
        return httpx.Response(200, json=answer)


def problem(status: int, word: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return an error as Engawa answers it."""
    body = {"error": word, "error_description": f"It is {word}"}
    return httpx.Response(status, json=body, headers={"X-Request-Id": "req-1", **(headers or {})})


def _name(request: httpx.Request) -> str:
    """Return the same name for all attempts of a request."""
    try:
        caller = str(id(asyncio.current_task()))
    except RuntimeError:
        caller = str(threading.get_ident())
    key = request.headers.get("Idempotency-Key", "")
    return f"{caller} {request.method} {request.url} {key} {request.content.decode(errors='replace')}"
