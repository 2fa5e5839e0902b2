"""The demo world, for trying things out: five users, two apps, a page with a feed, and data (local/demo_data.py).

Ids are always the same. Passwords, secrets and tokens are made for each `.local/` and stored in its `demo.json` (mode
600); the 30-day tokens are made anew at every start.
"""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.bootstrap import Platform
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.events import EventKind
from chalicelib.core.passwords import hash_password
from local import demo_feed
from local.demo_data import (
    ADMINISTRATOR,
    APPS,
    CAFE,
    CONTENT_URI,
    DATA,
    FOLLOWERS,
    FRIENDSHIPS,
    INSTALLS,
    MODULE,
    PEOPLE,
    RECEIVER,
    SCOPES,
    USERS,
    app,
)
from local.environment import PORT

FILE = "demo.json"
LIFETIME = 30 * 24 * 3600


@dataclass(frozen=True)
class Secrets:
    """The secrets that only `demo.json` has in clear text: passwords by name, and the secret of quest."""

    passwords: dict[str, str]
    client_secret: str


def load(platform: Platform, base_url: str, directory: Path) -> str:
    """Create the demo world unless it exists, write `demo.json`, and return a text with requests to paste.

    Later changes by a user are kept.
    """
    path = directory / FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = _secrets(known)
    feed = known.get("pages", {}).get("cafe", {}).get("feedId")
    if not known or not platform.users.get_many(USERS.values()):
        kept, feed = _make(platform, _redirect_uri(base_url), kept), None
    elif known["baseUrl"] != base_url:
        _move(platform, base_url)
    wants_endpoint = "endpointId" not in known.get("apps", {}).get("quest", {})
    # A start for another directory may have created it.
    if wants_endpoint and all(each.id != RECEIVER for each in platform.endpoints.of_app(APPS["quest"])):
        # Before the feed, so that the app is told of it.
        platform.endpoints.create(APPS["quest"], _receiver(base_url), EventKind, RECEIVER)
    if not feed:
        feed = demo_feed.make(platform)
    described = _describe(platform, base_url, kept, feed)
    _write_private(path, json.dumps(described, ensure_ascii=False, indent=1) + "\n")
    return _shown(base_url, path, kept, feed)


def _secrets(known: dict[str, Any]) -> Secrets:
    """Return the secrets of an earlier start; generate those that are missing."""

    def secret(*path: str) -> str:
        value: Any = known
        for name in path:
            value = value.get(name, {})
        return value or secrets.token_urlsafe(12)

    return Secrets(
        passwords={name: secret("users", name, "password") for name in USERS},
        client_secret=secret("apps", "quest", "clientSecret"),
    )


def _make(platform: Platform, redirect_uri: str, wanted: Secrets) -> Secrets:
    """Create the missing parts of the demo world with these secrets; return the secrets that are now valid.

    Each step may have been done before: by a start that was interrupted, or for another directory.
    """
    for name, user in PEOPLE.items():
        password_hash = hash_password(wanted.passwords[name])
        try:
            platform.users.create(user, password_hash)
        except Conflict:
            platform.users.set_password(user.id, password_hash)
    client_secret = wanted.client_secret
    try:
        platform.apps.create(app("quest", redirect_uri, client_secret))
    except Conflict:
        client_secret = platform.app_secrets.rotate(APPS["quest"])
    with suppress(Conflict):
        platform.apps.create(app("album", redirect_uri, None))
    for one, other in FRIENDSHIPS:
        platform.friends_and_installs.befriend(USERS[one], USERS[other])
    for installed, users in INSTALLS.items():
        for each in users:
            platform.appdata.install(APPS[installed], USERS[each], DATA.get(each) if installed == "quest" else None)
    _make_page(platform)
    return Secrets(wanted.passwords, client_secret)


def _make_page(platform: Platform) -> None:
    with suppress(Conflict):
        platform.pages.create(CAFE)
    with suppress(Conflict):
        platform.pages.add_module(CAFE.id, APPS["quest"], "クエスト (Quest)", MODULE)
    platform.pages.members.add_administrator(CAFE.id, USERS[ADMINISTRATOR])
    for each in FOLLOWERS:
        platform.pages.members.add_follower(CAFE.id, USERS[each])


def _move(platform: Platform, base_url: str) -> None:
    """Change the URLs of the apps: the server has another address than at the last start."""
    redirect_uri = _redirect_uri(base_url)
    for each in APPS.values():
        with suppress(NotFound):
            platform.apps.change(each, redirect_uris=(redirect_uri,), start_url=redirect_uri)
    with suppress(NotFound):
        platform.endpoints.change(APPS["quest"], RECEIVER, url=_receiver(base_url))


def _redirect_uri(base_url: str) -> str:
    return f"{base_url}/sample"


def _receiver(base_url: str) -> str:
    return f"{base_url}/sample/events"


def _describe(platform: Platform, base_url: str, kept: Secrets, feed: str | None) -> dict[str, Any]:
    """Return the contents of `demo.json`."""
    cafe = {"id": CAFE.id, "moduleId": MODULE, "contentUri": CONTENT_URI}

    def token(client: str, user: str | None, *scopes: str) -> str:
        return platform.tokens.issue(app=client, viewer=user, scopes=scopes, lifetime=LIFETIME, events=None)

    def client(name: str) -> dict[str, str]:
        return {"id": APPS[name], "clientId": APPS[name], "redirectUri": _redirect_uri(base_url)}

    return {
        "baseUrl": base_url,
        "users": {
            name: {
                "id": user.id,
                "login": name,
                "password": kept.passwords[name],
                "displayName": user.display_name,
            }
            for name, user in PEOPLE.items()
        },
        "apps": {
            "quest": client("quest") | {"clientSecret": kept.client_secret, "endpointId": RECEIVER},
            "album": client("album"),
        },
        "pages": {"cafe": cafe | ({"feedId": feed} if feed else {})},
        "tokens": {
            "users": {
                name: {app_name: token(app_id, user, *SCOPES) for app_name, app_id in APPS.items()}
                for name, user in USERS.items()
            },
            "clients": {app_name: token(app_id, None) for app_name, app_id in APPS.items()},
            "operator": token("operator", None, "admin"),
        },
    }


def _write_private(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner can read it."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _shown(base_url: str, path: Path, kept: Secrets, feed: str | None) -> str:
    """Return the addresses worth opening, and requests to paste."""
    pages = {
        "/": "the front page",
        "/docs": "the documentation",
        "/sample": "a game for two friends",
        "/settings": f"signing in: as hana, with the password {kept.passwords['hana']}",
    }
    if feed:
        pages[f"/pages/{CAFE.id}/feeds/{feed}"] = "a post on the page of a cafe"
    pages["/console"] = "the console, once hana has a role (below)"
    port = urlsplit(base_url).port
    python = f"{'' if port == PORT else f'PORT={port} '}.venv/bin/python"
    width = max(map(len, pages))
    addresses = "\n".join(f"  {base_url}{address:{width}}  {meaning}" for address, meaning in pages.items())
    return f"""Demo world: {", ".join(USERS)} and the apps quest and album; ids, secrets and tokens in {path}

  T=$({python} -m local.token --user hana --app quest --scope "mixi_apps2 r_profile")
  curl -H "Authorization: OAuth $T" "{base_url}/2/people/@me/@friends"
  curl -H "Authorization: OAuth $T" "{base_url}/2/apps/appdata/@me/@self"
  curl -H "Authorization: OAuth $T" "{base_url}/2/apps/appdata/@me/@friends?fields=level"
  curl -H "Authorization: OAuth $T" -H "Content-Type: application/json" \\
       -d '{{"level": "6"}}' "{base_url}/2/apps/appdata/@me/@self"
  C=$({python} -m local.token --client --app quest)
  curl -H "Authorization: OAuth $C" "{base_url}/2/pages/{CAFE.id}/feeds"

To open in a browser:
{addresses}

  {python} -m admin users role {USERS["hana"]} operator"""
