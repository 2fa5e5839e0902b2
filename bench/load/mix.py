"""What simulated users ask for, and how often: the mix of bench/month.py, as requests.

Needs nothing that is installed, since Locust, which sends them, has an environment of its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, urlencode

from bench.month import MIX

USERS = 120
"""Users who are stored; who is simulated asks as each of them in turn, so that no one's write window fills up."""
FRIENDS = 100
FEEDS = 100
COMMENTED = 20
"""Contents, from the first, that have comments; what is asked of contents is asked of these."""
COMMENTS = 100
"""Of each of these, to begin with."""

PAGE = "20260401000000000002"
ME = "/2/apps/appdata/@me/@self"


@dataclass(frozen=True)
class Actor:
    """Who asks: a user by an access token and a refresh token, and the app by a token and its credentials."""

    user_token: str
    refresh_token: str
    app_token: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Request:
    """A request as it is sent, and the status that it is to be answered with."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    status: int = 200


Asking = Callable[[Actor, Random], Request]


def content_uri(turn: int) -> str:
    """The contentUri of a feed, counted from 0."""
    return f"http://quest.example/contents/{turn:06}"


def pairs(random: Random) -> dict[str, str]:
    """Twenty small pairs, 440 bytes in all, of random digits."""
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
    # Of any of the feeds, so that most are the user's first of that content.
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
"""How each row of the mix is asked for. One is not: a code is made by a person who signs in and allows."""

WEIGHTS = {asked.row: asked.times for asked in MIX if asked.row in REQUESTS}
"""How often each comes, in relation to the others."""
