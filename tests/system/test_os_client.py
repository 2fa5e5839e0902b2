"""The mobile REST face over real HTTP, signed by authlib's OAuth 1 client; the server uses another library."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree

import httpx
import pytest
from authlib.oauth1 import SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_HEADER, SIGNATURE_TYPE_QUERY, ClientAuth
from authlib.oauth1.rfc5849 import client_auth

if TYPE_CHECKING:
    from tests.kit.served import Served

MINE, FRIENDS = "/os/0.8/appdata/@me/@self/@app", "/os/0.8/people/@me/@friends"
ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass
class Quest:
    """A client of the demo world's app `quest`, on behalf of hana."""

    served: Served

    @property
    def hana(self) -> str:
        user: str = self.served.demo["users"]["hana"]["id"]
        return user

    def sign(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        secret: str | None = None,
        place: str = SIGNATURE_TYPE_HEADER,
        form: bool = False,
        **query: str,
    ) -> httpx.Request:
        """Return a signed request, with its body as JSON with a hash, or as a form."""
        app = self.served.demo["apps"]["quest"]
        # By default, this client drops a body that is not a form.
        auth = ClientAuth(
            app["clientId"], secret or app["clientSecret"], signature_type=place, force_include_body=not form
        )
        asked = urlencode({"xoauth_requestor_id": self.hana} | query, quote_via=quote)
        headers, content = {}, b""
        if form:
            headers, content = {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(body).encode()
        elif body is not None:
            headers, content = {"Content-Type": "application/json"}, json.dumps(body).encode()
        url, headers, content = auth.prepare(method, f"{self.served.base_url}{path}?{asked}", headers, content)
        return httpx.Request(method, url, headers=headers, content=content)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return send(self.sign(method, path, body, **more))


def send(request: httpx.Request) -> httpx.Response:
    with httpx.Client(timeout=30) as client:
        return client.send(request)


@pytest.fixture
def quest(served: Served) -> Quest:
    return Quest(served)


@pytest.mark.parametrize("place", [SIGNATURE_TYPE_HEADER, SIGNATURE_TYPE_QUERY])
@pytest.mark.parametrize("path", [MINE, MINE.replace("@", "%40")])
def test_reading(quest: Quest, place: str, path: str) -> None:
    answer = quest.send("GET", path, place=place)

    assert answer.status_code == 200, answer.text
    assert list(answer.json()["entry"]) == [f"mixi.jp:{quest.hana}"]


def test_a_score_from_the_first_write_to_the_last_delete(served: Served, quest: Quest) -> None:
    """The Persistence API returns the data that this face stores."""
    token = served.demo["tokens"]["users"]["hana"]["quest"]

    def graph() -> dict[str, str]:
        answer = httpx.get(f"{served.base_url}/2/apps/appdata/@me/@self", params={"oauth_token": token}, timeout=30)
        data: dict[str, str] = answer.json()["entry"][0]["data"]
        return {name: value for name, value in data.items() if name.startswith("os_")}

    for method, pairs in (("POST", {"os_score": "10", "os_name": "花 & <x>"}), ("PUT", {"os_score": "11"})):
        answer = quest.send(method, MINE, pairs)
        assert (answer.status_code, answer.json()) == (200, {}), answer.text
    assert graph() == {"os_score": "11", "os_name": "花 & <x>"}
    read = quest.send("GET", MINE, fields="os_score")
    assert read.json() == {"entry": {f"mixi.jp:{quest.hana}": {"os_score": "11"}}}
    assert quest.send("DELETE", MINE, fields=",".join(graph())).status_code == 200
    assert graph() == {}


def test_a_body_that_is_changed_on_its_way(quest: Quest) -> None:
    signed = quest.sign("POST", MINE, {"os_hash": "1"})
    assert "oauth_body_hash" in signed.headers["Authorization"]

    for body, status in ((b'{"os_hash":"2"}', 401), (signed.content, 200), (signed.content, 401)):
        headers = {name: signed.headers[name] for name in ("Authorization", "Content-Type")}
        answer = httpx.post(signed.url, content=body, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
    assert quest.send("GET", MINE, fields="os_hash").json() == {"entry": {f"mixi.jp:{quest.hana}": {"os_hash": "1"}}}
    assert quest.send("DELETE", MINE, fields="os_hash").status_code == 200


@pytest.mark.parametrize("place", [SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_HEADER])
def test_a_form(quest: Quest, place: str) -> None:
    """The signature of a form is valid, but its body is not JSON."""
    answer = quest.send("POST", MINE, {"a": "b c", "花": "%2B+"}, form=True, place=place)

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_friends_as_atom(served: Served, quest: Quest) -> None:
    answer = quest.send("GET", FRIENDS, format="atom", filterBy="hasApp")

    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    ids = {each.text for each in ElementTree.fromstring(answer.content).iterfind(f"{ATOM}entry/{ATOM}id")}
    assert f"urn:guid:mixi.jp:{served.demo['users']['ken']['id']}" in ids
    assert f"urn:guid:mixi.jp:{served.demo['users']['taro']['id']}" not in ids


def test_a_wrong_secret_is_told_what_was_expected(quest: Quest) -> None:
    answer = quest.send("GET", MINE, secret="wrong")

    assert (answer.status_code, answer.json()["error"]) == (401, "signature_invalid")
    header = answer.headers["WWW-Authenticate"]
    assert header.startswith('OAuth realm="", oauth_problem="signature_invalid", oauth_problem_advice="GET%26http')
    assert unquote(header).endswith(f'xoauth_requestor_id%3D{quest.hana}"')


@pytest.mark.parametrize(("off", "status"), [(-290, 200), (-330, 401), (290, 200), (330, 401)])
def test_a_clock_that_is_off(quest: Quest, monkeypatch: pytest.MonkeyPatch, off: int, status: int) -> None:
    monkeypatch.setattr(client_auth, "generate_timestamp", lambda: str(int(time.time()) + off))

    answer = quest.send("GET", MINE)

    assert answer.status_code == status
    if status == 401:
        assert 'oauth_problem="timestamp_refused", oauth_acceptable_timestamps="' in answer.headers["WWW-Authenticate"]


def test_of_many_replays_at_once_one_is_carried_out(quest: Quest) -> None:
    signed = quest.sign("GET", MINE)

    def replay(_: int) -> int:
        answer = httpx.get(signed.url, headers={"Authorization": signed.headers["Authorization"]}, timeout=30)
        return answer.status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(replay, range(24)))

    assert statuses == [200, *[401] * 23]
