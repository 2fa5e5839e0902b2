"""Checks of Information Sharing: /rpc and /os/0.8 by token and by signature, and pages of other origins."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY, Client

from tests.checks.site import Site, answered, challenged, refused, require
from tests.checks.world import ORIGIN, World

MINE = "/os/0.8/appdata/@me/@self/@app"


def signed(site: Site, world: World, path: str, place: str = SIGNATURE_TYPE_AUTH_HEADER, **more: Any) -> httpx.Response:
    """Send a GET that the app signs on behalf of the first user; return the response."""
    query = urlencode({"xoauth_requestor_id": world.one.id, **more.pop("query", {})}, quote_via=quote)
    client = Client(world.app, client_secret=more.pop("secret", world.secret), signature_type=place)
    url, headers, _ = client.sign(f"{site.url}{path}?{query}")
    return site.get(url, headers=headers)


def test_many_calls_in_one(site: Site, world: World) -> None:
    calls = [
        {"method": "appdata.update", "id": "a", "params": {"userId": "@me", "data": {"rpc": "縁"}}},
        {"method": "appdata.get", "id": "b", "params": {"userId": "@me", "fields": ["rpc"]}},
        {"method": "people.get", "id": "c", "params": {"userId": "@me"}},
        {"method": "none.such", "id": "d"},
    ]
    told = answered(site.post("/rpc", world.one.token, json=calls))
    assert [each["id"] for each in told] == ["a", "b", "c", "d"]
    assert told[1]["result"] == {world.one.id: {"rpc": "縁"}}
    assert told[2]["result"]["id"] == world.one.id
    assert told[3]["error"]["code"] == -32601


@pytest.mark.parametrize("place", [SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY])
@pytest.mark.parametrize("path", [MINE, MINE.replace("@", "%40")])
def test_signed_requests(site: Site, world: World, path: str, place: str) -> None:
    answered(site.send("PUT", MINE, world.one.token, json={"signed": "1"}))
    told = answered(signed(site, world, path, place, query={"fields": "signed", "text": "縁 +&"}))
    assert told == {"entry": {f"mixi.jp:{world.one.id}": {"signed": "1"}}}


def test_a_wrong_signature(site: Site, world: World) -> None:
    answer = signed(site, world, MINE, secret="wrong")
    refused(answer, 401, "signature_invalid")
    challenged(answer, 'OAuth realm="", oauth_problem="signature_invalid"')


def test_atom(site: Site, world: World) -> None:
    answer = site.get("/os/0.8/people/@me/@friends.atom", world.one.token)
    require(answer, answer.status_code == 200, "200")
    require(answer, answer.headers["Content-Type"].startswith("application/atom+xml"), "application/atom+xml")
    assert ElementTree.fromstring(answer.content).tag == "{http://www.w3.org/2005/Atom}feed"


def test_pages_of_a_registered_origin(site: Site, world: World) -> None:
    answer = site.post("/2/apps/appdata/@me/@self", world.one.token, json={"cors": "1"}, headers={"Origin": ORIGIN})
    answered(answer)
    require(
        answer, answer.headers.get("Access-Control-Allow-Origin") == ORIGIN, f"Access-Control-Allow-Origin: {ORIGIN}"
    )
    shown = answer.headers.get("Access-Control-Expose-Headers", "")
    require(answer, "WWW-Authenticate" in shown, "Access-Control-Expose-Headers with WWW-Authenticate")


def test_pages_of_other_origins_write_nothing(site: Site, world: World) -> None:
    headers = {"Origin": "https://evil.example"}
    answer = site.post("/2/apps/appdata/@me/@self", world.one.token, json={"cors": "2"}, headers=headers)
    refused(answer, 403, "permission_denied")
    require(answer, "Access-Control-Allow-Origin" not in answer.headers, "no Access-Control-Allow-Origin")
