"""The demo world: five users, two apps, a page and some data, for trying things out.

Ids are always the same, so that examples can name them; passwords, secrets and tokens are made for each `.local/` and
kept in `demo.json` there (mode 600), the 30-day tokens afresh with every start.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from chalicelib.bootstrap import Platform

FILE = "demo.json"
LIFETIME = 30 * 24 * 3600

USERS = {
    "hana": "k3v9x2mtq7ra",
    "ken": "a8d1p0zzk4wn",
    "mei": "m5c2e7uub9fh",
    "taro": "t6w4j1nnr8sd",
    "yuki": "y2b7g5hhv3qx",
}
NAMES = {"hana": "花 (Hana)", "ken": "健 (Ken)", "mei": "芽衣 (Mei)", "taro": "太郎 (Taro)", "yuki": "雪 (Yuki)"}
FRIENDS = [("hana", "ken"), ("hana", "mei"), ("hana", "taro"), ("ken", "mei")]
APPS = {"quest": "6d1f0c2ab4e79853", "album": "c07be4915fa2d386"}
INSTALLS = {"quest": ["hana", "ken", "mei", "yuki"], "album": ["ken"]}
DATA = {
    "hana": {"greeting": "こんにちは", "level": "5", "high_score": "4200"},
    "ken": {"greeting": "Yo!", "level": "7", "high_score": "6150"},
    "yuki": {"level": "2", "high_score": "900"},
}
CAFE = {"id": "20260401000000000001", "moduleId": "3", "contentUri": "http://quest.example/contents/1"}
SCOPES = ("mixi_apps2", "r_profile", "w_pagefeed")


def load(platform: Platform, base_url: str, directory: Path) -> str:
    """Make the demo world unless it is there, write `demo.json`, and return a text with requests to paste."""
    path = directory / FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not known or not _is_there(platform):
        _make(platform)
    _write_private(path, json.dumps(_describe(platform, base_url, known), ensure_ascii=False, indent=1) + "\n")
    return _requests(base_url, path)


def _is_there(platform: Platform) -> bool:
    """Whether any of its users has a friend or the game: an emptied store has neither."""
    return any(platform.directory.friends_with_install(user, APPS["quest"]) != ([], False) for user in USERS.values())


def _make(platform: Platform) -> None:
    for one, other in FRIENDS:
        platform.directory.befriend(USERS[one], USERS[other])
    for app, users in INSTALLS.items():
        for user in users:
            platform.appdata.install(APPS[app], USERS[user], DATA.get(user) if app == "quest" else None)


def _describe(platform: Platform, base_url: str, known: dict[str, Any]) -> dict[str, Any]:
    """The contents of `demo.json`. Secrets already known stay."""

    def secret(*path: str) -> str:
        value: Any = known
        for name in path:
            value = value.get(name, {})
        return value or secrets.token_urlsafe(12)

    def token(app: str, user: str | None, *scopes: str) -> str:
        return platform.tokens.issue(app=app, viewer=user, scopes=scopes, lifetime=LIFETIME)

    return {
        "baseUrl": base_url,
        "users": {
            name: {
                "id": user,
                "login": name,
                "password": secret("users", name, "password"),
                "displayName": NAMES[name],
            }
            for name, user in USERS.items()
        },
        "apps": {
            "quest": {
                "id": APPS["quest"],
                "clientId": APPS["quest"],
                "clientSecret": secret("apps", "quest", "clientSecret"),
                "redirectUri": f"{base_url}/sample",
            },
            "album": {"id": APPS["album"], "clientId": APPS["album"], "redirectUri": f"{base_url}/sample"},
        },
        "pages": {"cafe": CAFE},
        "tokens": {
            "users": {
                name: {app: token(client, user, *SCOPES) for app, client in APPS.items()}
                for name, user in USERS.items()
            },
            "clients": {app: token(client, None) for app, client in APPS.items()},
            "operator": token("operator", None, "admin"),
        },
    }


def _write_private(path: Path, text: str) -> None:
    """Replace a file at one stroke, readable by its owner alone."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _requests(base_url: str, path: Path) -> str:
    return f"""Demo world: {", ".join(USERS)} and the apps quest and album; ids, secrets and tokens in {path}

  T=$(.venv/bin/python -m local.token --user hana --app quest --scope mixi_apps2)
  curl -H "Authorization: OAuth $T" "{base_url}/2/apps/appdata/@me/@self"
  curl -H "Authorization: OAuth $T" "{base_url}/2/apps/appdata/@me/@friends?fields=level"
  curl -H "Authorization: OAuth $T" -H "Content-Type: application/json" \\
       -d '{{"level": "6"}}' "{base_url}/2/apps/appdata/@me/@self\""""
