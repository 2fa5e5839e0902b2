"""Sessions for tests: a row in the table without a sign-in, or a sign-in on a served platform."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from typing import Any

import httpx

from chalicelib.core.oauth import hashed
from chalicelib.core.sessions import SESSION_SECONDS
from chalicelib.store.grants.sessions import SESSION
from chalicelib.web.auth.sessions import Session
from local.in_process import World

NAME = "session-of-a-test"
"""The id of a session whose row is made without a sign-in."""
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


def session_row(user: str, now: int, epoch: str = "") -> dict[str, Any]:
    """Return the row of the session NAME of a user; `now` is in ms."""
    expires = {"N": str(now // 1000 + SESSION_SECONDS)}
    return {
        "pk": {"S": f"user#{user}"},
        "sk": {"S": SESSION + hashed(NAME)},
        **{name: {"N": str(now)} for name in ("created", "seen")},
        "device": {"S": ""},
        "epoch": {"S": epoch},
        "expires": expires,
        "ttl": expires,
    }


def granted(world: World) -> list[dict[str, Any]]:
    """Return the items of grants, without sessions."""
    items = world.dynamodb.table("engawa-local-grants")
    return [item for item in items if not item["sk"]["S"].startswith(SESSION)]


def begin_session(world: World, user: str) -> Session:
    """Begin a session of a user in a world, without a sign-in; its cookie is `world.platform.sessions.cookie`."""
    known = world.platform.users.get(user)
    epoch = known.session_epoch if known else ""
    world.dynamodb.put_item(TableName="engawa-local-grants", Item=session_row(user, world.clock.now, epoch))
    return world.platform.sessions.begin(user, name=NAME)


def sign_in(base_url: str, login: str, password: str) -> Session:
    """Sign in on a served platform, and return the session."""
    with httpx.Client(base_url=base_url) as browser:
        found = _CSRF.search(browser.get("/sign_in").text)
        assert found
        answer = browser.post("/sign_in", data={"csrf": found[1], "login": login, "password": password})
        assert answer.status_code == 303, answer.text
        (token,) = (value for name, value in browser.cookies.items() if not name.endswith("-device"))
    payload = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return Session(claims["sub"], claims["csrf"], id=claims["sid"])
