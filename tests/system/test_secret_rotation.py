"""Rotation of an app's secret under load: servers with the old and with the new secret work, and none is refused."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from oauthlib.oauth1 import Client

from local.demo_data import USERS

THREADS = 6
APP = "0123456789abcdef"


class AppServers:
    """Servers of one app, each a thread. They take the secret that the app's developers gave them last."""

    def __init__(self, base_url: str, app: str, secret: str) -> None:
        self.secrets = [secret] * THREADS
        # A token of its own for each, so that their requests do not wait for one another.
        own = {"grant_type": "client_credentials", "client_id": app, "client_secret": secret}
        answers = [httpx.post(f"{base_url}/2/token", data=own, trust_env=False, timeout=30) for _ in self.secrets]
        self._tokens: list[str] = [answer.json()["refresh_token"] for answer in answers]
        self.outcomes: Counter[tuple[str, int]] = Counter()
        self._base_url = base_url
        self._app = app
        self._stop = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let them send requests all the time."""
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)

    def finish(self, requests: int) -> None:
        """Wait until they have sent so many more requests."""
        wanted, end = self.outcomes.total() + requests, time.monotonic() + 60
        while self.outcomes.total() < wanted:
            assert time.monotonic() < end, self.outcomes
            time.sleep(0.01)

    def _work(self, number: int) -> None:
        turn = number
        with httpx.Client(base_url=self._base_url, trust_env=False, timeout=30) as http:
            while not self._stop.is_set():
                secret, turn = self.secrets[number], turn + 1
                kind, answer = self._ask(http, secret, turn % 3, self._tokens[number])
                with self._lock:
                    self.outcomes[kind, answer.status_code] += 1

    def _ask(self, http: httpx.Client, secret: str, turn: int, token: str) -> tuple[str, httpx.Response]:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        if turn == 0:
            return "body", http.post("/2/token", data=form | {"client_id": self._app, "client_secret": secret})
        if turn == 1:
            return "basic", http.post("/2/token", data=form, auth=(self._app, secret))
        return "signed", http.get(self._signed(secret))

    def _signed(self, secret: str) -> str:
        client: Any = Client(self._app, client_secret=secret, signature_type="QUERY")
        url = f"{self._base_url}/os/0.8/people/@me/@self?xoauth_requestor_id={USERS['hana']}"
        return str(client.sign(url, "GET")[0])


def test_a_rotation_under_load_refuses_nothing(served: Any) -> None:
    operator = httpx.Client(
        base_url=f"{served.base_url}/admin",
        headers={"Authorization": f"Bearer {served.demo['tokens']['operator']}"},
        trust_env=False,
        timeout=30,
    )
    made = operator.post("/apps", json={"id": APP, "name": "Under load", "scopes": ["mixi_apps2"]})
    assert made.status_code == 201, made.text
    try:
        assert operator.put(f"/users/{USERS['hana']}/installs/{APP}").status_code == 200
        servers = AppServers(served.base_url, APP, made.json()["secret"])
        with servers.working():
            servers.finish(30)
            lost = operator.post(f"/apps/{APP}/secret", json={"keepOld": True})
            servers.finish(30)
            # The developers lost that one, and ask for another.
            fresh = operator.post(f"/apps/{APP}/secret", json={"keepOld": True}).json()["secret"]
            assert lost.json()["secret"] != fresh
            for number in range(THREADS):
                servers.secrets[number] = fresh
                servers.finish(10)
            assert operator.delete(f"/apps/{APP}/old-secret").json()["changed"]
            servers.finish(30)
        assert set(servers.outcomes) == {("body", 200), ("basic", 200), ("signed", 200)}
        told = operator.get(f"/apps/{APP}").json()
        assert told["secretUsed"] >= told["secretCreated"]
        assert told["oldSecretUntil"] is None
    finally:
        assert operator.delete(f"/apps/{APP}").status_code == 200
