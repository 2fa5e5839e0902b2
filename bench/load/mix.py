"""The requests of simulated users and their frequency: the mix of bench/month.py, as requests.

It imports no installed packages, since Locust, which sends the requests, has its own environment.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, urlencode

from bench.month import MIX

USERS = 120
"""Number of stored users; a simulated user acts as each of them in turn, so that no write window fills up."""
FRIENDS = 100
FEEDS = 100
COMMENTED = 20
"""Number of contents, from the first, that have comments; requests about contents use these."""
COMMENTS = 100
"""Initial number of comments on each of these."""

PAGE = "20260401000000000002"
ME = "/2/apps/appdata/@me/@self"


@dataclass(frozen=True)
class Actor:
    """The sender of requests: a user's access token and refresh token, and the app's token and credentials."""

    user_token: str
    refresh_token: str
    app_token: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Request:
    """A request, and the expected status of its response."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    status: int = 200


Asking = Callable[[Actor, Random], Request]


def content_uri(turn: int) -> str:
    """Return the contentUri of a feed, counted from 0."""
    return f"http://quest.example/contents/{turn:06}"


def pairs(random: Random) -> dict[str, str]:
    """Return twenty small pairs of random digits, 440 bytes in all."""
    return {f"k{turn:02}": f"{random.randrange(10**19):019}" for turn in range(20)}


def _get(path: str, *, by_app: bool = False, **query: str) -> Asking:
    target = path + ("?" + urlencode(query) if query else "")
    return lambda actor, random: Request("GET", target, _as(actor.app_token if by_app else actor.user_token))


def _write(actor: Actor, random: Random) -> Request:
    values = dict(random.sample(sorted(pairs(random).items()), 2))
    return Request("POST", ME, _json(actor), json.dumps(values))


def _rpc(actor: Actor, random: Random) -> Request:
    params = {"userId": "@me", "groupId": "@self", "appId": "@app"}
    return Request("POST", "/rpc", _json(actor), json.dumps({"method": "appdata.get", "id": 1, "params": params}))


def _refresh(actor: Actor, random: Random) -> Request:
    form = {"grant_type": "refresh_token", "refresh_token": actor.refresh_token}
    known = {"client_id": actor.client_id, "client_secret": actor.client_secret}
    return Request("POST", "/2/token", {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(known | form))


def _of_content(kind: str, random: Random) -> str:
    return f"/2/pages/{PAGE}/{kind}?contentUri={quote(content_uri(random.randrange(COMMENTED)), safe='')}"


def _comments(actor: Actor, random: Random) -> Request:
    return Request("GET", _of_content("comments", random), _as(actor.app_token))


def _count(actor: Actor, random: Random) -> Request:
    return Request("GET", _of_content("favorites", random), _as(actor.app_token))


def _comment(actor: Actor, random: Random) -> Request:
    body = json.dumps({"comment": "c" * 900})
    return Request("POST", _of_content("comments", random), _json(actor), body, status=201)


def _favorite(actor: Actor, random: Random) -> Request:
    # On any of the feeds, so that mostly the user has no favorite on that content yet.
    path = f"/2/pages/{PAGE}/favorites?contentUri={quote(content_uri(random.randrange(FEEDS)), safe='')}"
    return Request("POST", path, _as(actor.user_token), status=201)


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"OAuth {token}"}


def _json(actor: Actor) -> dict[str, str]:
    return _as(actor.user_token) | {"Content-Type": "application/json"}


REQUESTS: Mapping[str, Asking] = {
    "token for a refresh token": _refresh,
    "people: oneself": _get("/2/people/@me/@self"),
    "people: 100 friends": _get("/2/people/@me/@friends"),
    "read own data": _get(ME),
    "read 100 friends, one key": _get("/2/apps/appdata/@me/@friends", fields="k07"),
    "write 2 of 20 small pairs": _write,
    "feeds: the first 20 of 100, by 20 posters": _get(f"/2/pages/{PAGE}/feeds", by_app=True),
    "comments: the first 20": _comments,
    "favorites: count": _count,
    "comments: post 900 bytes, the first": _comment,
    "favorites: the first": _favorite,
    "rpc: own data": _rpc,
}
"""The request for each row of the mix, except one: a code needs a person who signs in and allows."""

WEIGHTS = {asked.row: asked.times for asked in MIX if asked.row in REQUESTS}
"""The relative frequency of each request."""
