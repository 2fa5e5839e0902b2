"""Requests signed with OAuth 1.0a by oauthlib's client, and the app that sends them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from oauthlib.oauth1 import Client

from chalicelib.core.model.directory import App
from local.gateway import Request
from local.in_process import APP, HANA, reply

if TYPE_CHECKING:
    from local.in_process import Caller, Reply, World

SECRET = "7c" * 20
ORIGIN = "https://game.example"
JSON = {"Content-Type": "application/json"}


def create_app(world: World, **more: Any) -> App:
    """Store the world's app, with every scope and origin that the signed faces need."""
    fields: dict[str, Any] = {"secret": SECRET, "scopes": ("mixi_apps2", "r_profile"), "origins": (ORIGIN,)}
    created = world.platform.apps.create(App(**({"id": APP, "name": "quest"} | fields | more)))
    world.calls.clear()
    return created


def signature_of(
    world: Caller, method: str, path: str, body: Any = None, *, user: str = HANA, **more: Any
) -> tuple[str, dict[str, str], str | None]:
    """Return target, headers and body of a signed request. `query` has its query parameters; `base` is the base URL
    that is signed; other keywords are passed to oauthlib's Client."""
    base = more.pop("base", world.platform.settings.issuer)
    query = {"xoauth_requestor_id": user} | more.pop("query", {})
    text = None if body is None else json.dumps(body)
    key, secret = more.pop("key", APP), more.pop("secret", SECRET)
    told = {"timestamp": str(world.clock.now // 1000), "nonce": uuid4().hex} | more
    client: Any = Client(key, client_secret=secret, **told)
    url = f"{base}{path}?{urlencode(query, quote_via=quote)}"
    signed, headers, _ = client.sign(url, method, body=text, headers=dict(JSON) if body is not None else None)
    return signed.removeprefix(base), headers, text


def signed(world: Caller, method: str, path: str, body: Any = None, **more: Any) -> Reply:
    """Send a request signed by `signature_of`."""
    target, headers, text = signature_of(world, method, path, body, **more)
    return reply(world.gateway.handle(Request(method, target, list(headers.items()), (text or "").encode())))
