"""The mobile REST face over real HTTP, signed by authlib's OAuth 1 client: another library than the one that checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth1Client
from authlib.oauth1 import SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_HEADER, SIGNATURE_TYPE_QUERY

if TYPE_CHECKING:
    from tests.system.conftest import Served

MINE, FRIENDS = "/os/0.8/appdata/@me/@self/@app", "/os/0.8/people/@me/@friends"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def quest(served: Served) -> Iterator[Callable[..., OAuth1Client]]:
    """Makes clients that sign as the demo world's app `quest`."""
    app = served.demo["apps"]["quest"]
    made: list[OAuth1Client] = []

    def client(secret: str = app["clientSecret"], **more: Any) -> OAuth1Client:
        # By itself it drops bodies that are no forms; so it sends them, with their hash.
        settings = {"base_url": served.base_url, "timeout": 30, "force_include_body": True} | more
        made.append(OAuth1Client(app["clientId"], secret, **settings))
        return made[-1]

    yield client
    for each in made:
        each.close()


@pytest.fixture
def hana(served: Served) -> dict[str, str]:
    return {"xoauth_requestor_id": served.demo["users"]["hana"]["id"]}


def signed_by(client: OAuth1Client, method: str, path: str, **more: Any) -> Any:
    """A request as that client would send it."""
    return next(client.auth.auth_flow(client.build_request(method, path, **more)))


@pytest.mark.parametrize("place", [SIGNATURE_TYPE_HEADER, SIGNATURE_TYPE_QUERY])
@pytest.mark.parametrize("path", [MINE, MINE.replace("@", "%40")])
def test_reading(
    served: Served, quest: Callable[..., OAuth1Client], hana: dict[str, str], place: str, path: str
) -> None:
    answer = quest(signature_type=place).get(path, params=hana)

    assert answer.status_code == 200, answer.text
    assert list(answer.json()["entry"]) == [f"mixi.jp:{hana['xoauth_requestor_id']}"]


def test_a_score_from_the_first_write_to_the_last_delete(
    served: Served, quest: Callable[..., OAuth1Client], hana: dict[str, str]
) -> None:
    """And what this face stores, the Persistence API gives back."""
    client, user = quest(), hana["xoauth_requestor_id"]
    token = served.demo["tokens"]["users"]["hana"]["quest"]

    def graph() -> dict[str, str]:
        answer = httpx.get(f"{served.base_url}/2/apps/appdata/@me/@self", params={"oauth_token": token}, timeout=30)
        data: dict[str, str] = answer.json()["entry"][0]["data"]
        return {name: value for name, value in data.items() if name.startswith("os_")}

    for method, pairs in (
        ("POST", {"os_score": "10", "os_名前".encode().hex(): "花 & <x>"}),
        ("PUT", {"os_score": "11"}),
    ):
        answer = client.request(method, MINE, params=hana, json=pairs)
        assert (answer.status_code, answer.json()) == (200, True), answer.text
    assert graph() == {"os_score": "11", "os_name": "花 & <x>"}
    read = client.get(MINE, params=hana | {"fields": "os_score"})
    assert read.json() == {"entry": {f"mixi.jp:{user}": {"os_score": "11"}}}
    assert client.delete(MINE, params=hana | {"fields": ",".join(graph())}).status_code == 200
    assert graph() == {}


def test_a_body_that_is_changed_on_its_way(quest: Callable[..., OAuth1Client], hana: dict[str, str]) -> None:
    client = quest()
    signed = signed_by(client, "POST", MINE, params=hana, json={"os_hash": "1"})
    assert "oauth_body_hash" in signed.headers["Authorization"]

    for body, status in ((b'{"os_hash":"2"}', 401), (signed.content, 200), (signed.content, 401)):
        headers = {name: signed.headers[name] for name in ("Authorization", "Content-Type")}
        answer = httpx.post(str(signed.url), content=body, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
    assert client.get(MINE, params=hana | {"fields": "os_hash"}).json()["entry"].popitem()[1] == {"os_hash": "1"}
    assert client.delete(MINE, params=hana | {"fields": "os_hash"}).status_code == 200


def test_parameters_in_a_form(quest: Callable[..., OAuth1Client], hana: dict[str, str]) -> None:
    """The signature holds; what a form would write is no JSON."""
    answer = quest(signature_type=SIGNATURE_TYPE_BODY).post(MINE, params=hana, data={"a": "b c"})

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_friends_as_atom(served: Served, quest: Callable[..., OAuth1Client], hana: dict[str, str]) -> None:
    answer = quest().get(FRIENDS, params=hana | {"format": "atom", "filterBy": "hasApp"})

    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    ids = {each.text for each in ElementTree.fromstring(answer.content).iterfind(f"{ATOM}entry/{ATOM}id")}
    assert f"urn:guid:mixi.jp:{served.demo['users']['ken']['id']}" in ids
    assert f"urn:guid:mixi.jp:{served.demo['users']['taro']['id']}" not in ids


def test_a_wrong_secret_is_told_what_was_expected(quest: Callable[..., OAuth1Client], hana: dict[str, str]) -> None:
    answer = quest("wrong").get(MINE, params=hana)

    assert (answer.status_code, answer.json()["error"]) == (401, "signature_invalid")
    header = answer.headers["WWW-Authenticate"]
    assert header.startswith('OAuth realm="", oauth_problem="signature_invalid", oauth_problem_advice="GET%26http')
    assert unquote(header).endswith(f'xoauth_requestor_id%3D{hana["xoauth_requestor_id"]}"')


@pytest.mark.parametrize(("off", "status"), [(-290, 200), (-330, 401), (290, 200), (330, 401)])
def test_a_clock_that_is_off(
    quest: Callable[..., OAuth1Client], hana: dict[str, str], monkeypatch: pytest.MonkeyPatch, off: int, status: int
) -> None:
    from authlib.oauth1 import client_auth

    monkeypatch.setattr(client_auth, "generate_timestamp", lambda: str(int(time.time()) + off))

    answer = quest().get(MINE, params=hana)

    assert answer.status_code == status
    if status == 401:
        assert 'oauth_problem="timestamp_refused", oauth_acceptable_timestamps="' in answer.headers["WWW-Authenticate"]


def test_of_many_replays_at_once_one_is_carried_out(quest: Callable[..., OAuth1Client], hana: dict[str, str]) -> None:
    signed = signed_by(quest(), "GET", MINE, params=hana)

    def send(_: int) -> int:
        headers = {"Authorization": signed.headers["Authorization"]}
        return httpx.get(str(signed.url), headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(send, range(24)))

    assert sorted(statuses) == [200, *[401] * 23]
