"""A client of the Persistence API against the demo world, over real HTTP, from the first request to the last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.kit.served import Served

ME = "/2/apps/appdata/@me/@self"
FRIENDS = "/2/apps/appdata/@me/@friends"
JSON = "application/json; charset=utf-8"


class Client:
    """A client that sends requests as one of the demo world's users through one of its apps."""

    def __init__(self, served: Served, name: str, app: str = "quest") -> None:
        self.user: str = served.demo["users"][name]["id"]
        self.token: str = served.demo["tokens"]["users"][name][app]
        self._base_url = served.base_url

    def __call__(self, method: str, path: str = ME, *, anonymous: bool = False, **request: Any) -> httpx.Response:
        headers = {} if anonymous else {"Authorization": f"OAuth {self.token}"}
        headers |= request.pop("headers", {})
        return httpx.request(method, self._base_url + path, headers=headers, timeout=30, **request)

    def data(self, path: str = ME, **request: Any) -> dict[str, dict[str, str]]:
        """Return each user's data in a response."""
        answer = self("GET", path, **request)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
        return {entry["id"]: entry["data"] for entry in answer.json()["entry"]}


@pytest.fixture
def hana(served: Served) -> Client:
    return Client(served, "hana")


@pytest.fixture
def ken(served: Served) -> Client:
    return Client(served, "ken")


def error(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert answer.headers["Content-Type"] == JSON
    return answer.status_code, body["error"]


@pytest.mark.parametrize(
    "request_parts",
    [
        lambda token: {"headers": {"Authorization": f"OAuth {token}"}},
        lambda token: {"headers": {"Authorization": f"Bearer {token}"}},
        lambda token: {"params": {"oauth_token": token}},
        lambda token: {"params": {"access_token": token}},
    ],
    ids=["OAuth", "Bearer", "oauth_token", "access_token"],
)
def test_a_token_is_taken_in_each_of_four_places(hana: Client, request_parts: Any) -> None:
    answer = hana("GET", anonymous=True, **request_parts(hana.token))

    assert answer.status_code == 200
    assert answer.json()["entry"][0]["id"] == hana.user


def test_a_write_is_read_changed_and_deleted(served: Served) -> None:
    mei = Client(served, "mei")

    written = mei("POST", json={"city": "東京", "coins": "10", "map": "#" * 65_535})
    assert (written.status_code, written.json()) == (200, {"response_code": 200})
    assert mei.data() == {mei.user: {"city": "東京", "coins": "10", "map": "#" * 65_535}}

    changed = mei("PUT", json={"coins": "11"}, headers={"If-Match": written.headers["ETag"]})
    assert changed.status_code == 200
    assert error(mei("PUT", json={"coins": "12"}, headers={"If-Match": written.headers["ETag"]})) == (
        412,
        "precondition_failed",
    )
    assert mei.data(params={"fields": "coins,city"}) == {mei.user: {"city": "東京", "coins": "11"}}
    assert mei("GET", headers={"If-None-Match": changed.headers["ETag"]}).status_code == 304

    assert mei("DELETE", params={"fields": "city,never"}).json() == {"response_code": 200}
    assert mei.data() == {mei.user: {"coins": "11", "map": "#" * 65_535}}
    assert mei("DELETE").status_code == 200
    assert mei.data() == {mei.user: {}}


def test_what_a_real_client_sends_is_taken(hana: Client) -> None:
    """The requests are as from curl: JSON with spaces, a charset, an escaped selector, or the user's own id."""
    body = b'{ "mood" : "\\u7e01\\u5074",\n "Mood.2-x_" : "" }'

    for path in (ME.replace("@", "%40"), ME.replace("@me", hana.user), ME + ".json"):
        answer = hana("POST", path, content=body, headers={"Content-Type": "application/json; charset=utf8"})
        assert answer.status_code == 200
        assert hana.data(path, params={"fields": "mood,Mood.2-x_"}) == {hana.user: {"mood": "縁側", "Mood.2-x_": ""}}
        assert hana("DELETE", path, params={"fields": "mood,Mood.2-x_"}).status_code == 200


def test_friends_who_play_see_each_other(hana: Client, ken: Client) -> None:
    of_hana = {"greeting": "こんにちは", "level": "5", "high_score": "4200"}
    of_ken = {"greeting": "Yo!", "level": "7", "high_score": "6150"}

    assert hana.data() == {hana.user: of_hana}
    assert hana.data(f"/2/apps/appdata/{ken.user}/@self") == {ken.user: of_ken}
    assert hana.data(FRIENDS, params={"fields": "level"}) == {ken.user: {"level": "7"}}
    assert ken.data(FRIENDS) == {hana.user: of_hana}


def test_a_stranger_and_a_friend_who_does_not_play_are_not_read(served: Served, hana: Client) -> None:
    yuki, taro = Client(served, "yuki"), Client(served, "taro")

    assert yuki.data() == {yuki.user: {"level": "2", "high_score": "900"}}
    assert yuki.data(FRIENDS) == {}
    for owner in (yuki, taro):
        assert error(hana("GET", f"/2/apps/appdata/{owner.user}/@self")) == (403, "permission_denied")
    for method in ("GET", "POST", "DELETE"):
        request: dict[str, Any] = {"json": {"a": "b"}} if method == "POST" else {}
        assert error(taro(method, **request)) == (403, "permission_denied")


def test_apps_keep_their_data_apart(served: Served, ken: Client) -> None:
    album = Client(served, "ken", "album")

    assert album("POST", json={"level": "of the album"}).status_code == 200
    assert album.data() == {ken.user: {"level": "of the album"}}
    assert ken.data(params={"fields": "level"}) == {ken.user: {"level": "7"}}
    assert album("DELETE").status_code == 200


def test_refusals_say_what_is_wrong(served: Served, hana: Client) -> None:
    before = hana.data()
    nobody = hana("GET", anonymous=True)
    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"].startswith("OAuth ")
    expired = served.token(user="hana", app="quest", scope="mixi_apps2", lifetime=-60)
    stale = hana("GET", anonymous=True, headers={"Authorization": f"OAuth {expired}"})
    assert stale.status_code == 401
    assert "expired_token" in stale.headers["WWW-Authenticate"]
    scopeless = served.token(user="hana", app="quest", scope="r_profile")
    assert error(hana("GET", anonymous=True, params={"access_token": scopeless})) == (403, "insufficient_scope")

    assert error(hana("POST", content=b"{", headers={"Content-Type": "application/json"})) == (400, "bad_request")
    assert error(hana("POST", content=b"a=b", headers={"Content-Type": "text/plain"}))[0] == 400
    assert error(hana("POST", json={})) == (400, "parameter_invalid")
    assert error(hana("POST", json={"no spaces": "x"})) == (400, "parameter_invalid")
    assert error(hana("POST", json={"number": 1})) == (400, "bad_request")
    assert error(hana("POST", json={"long": "x" * 65_536})) == (400, "parameter_invalid")
    many = hana("POST", json={f"key{number}": "" for number in range(100)})
    assert error(many) == (413, "request_entity_too_large")
    assert many.json()["error_description"] == "Too many key/value pairs (max=99)"
    assert error(hana("POST", "/2/apps/appdata/@me/@friends", json={"a": "b"})) == (403, "permission_denied")
    assert hana.data() == before


def test_usage_tells_what_is_left(hana: Client) -> None:
    usage = hana("GET", "/2/apps/appdata/@me/@usage").json()["entry"]
    stored = sum(len(value.encode()) for value in hana.data()[hana.user].values())

    assert usage["bytes"] == {"used": stored, "left": 10_000_000 - stored, "max": 10_000_000}
    assert usage["window"]["limit"] == 180


def test_the_requests_that_make_serve_prints_are_answered(served: Served) -> None:
    printed = served.log.read_text(encoding="utf-8")
    urls = [word.strip('"') for word in printed.split() if word.strip('"').startswith(f"{served.base_url}/2/")]
    tokens = served.demo["tokens"]

    assert len(urls) >= 4
    for url in urls:
        token = tokens["clients"]["quest"] if "/pages/" in url else tokens["users"]["hana"]["quest"]
        answer = httpx.get(url, headers={"Authorization": f"OAuth {token}"})
        assert answer.status_code == 200
        assert json.loads(answer.content)["entry"]
