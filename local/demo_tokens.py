"""Tokens of the demo world's users for the forms of the documentation: "sign in as hana".

Only the local platform has this path; nothing of it is in the Lambda functions. Like the sample game's page it gives
tokens without a password, to this machine alone. The risk is that of the sample: any program on this machine can ask,
also one of another user, and a token opens the made-up data of the demo world for fifteen minutes. A page of another
site cannot: it can send neither our `Origin` nor, by DNS rebinding, our `Host`, and no response allows it to read
anything. Tokens are answers to POST only, so that no link, image or prefetch asks for one, and never in a URL.

| request | answer |
|---|---|
| GET /local/tokens | `{"users": ["hana", …]}`, the users who may be chosen |
| POST /local/tokens, `{"user": "hana"}` | `{"token": …, "expiresIn": 900}` |
"""

from __future__ import annotations

import json

from chalicelib.web.auth.access_tokens import AccessTokens
from local.demo_data import APPS, INSTALLS, USERS, app
from local.gateway import Answer, Request, error, own_hosts

PATH = "/local/tokens"
LIFETIME = 900
APP = "quest"
SCOPES = app(APP, "", None).scopes
_METHODS = ("GET", "POST")
_ALLOW = ("Allow", ", ".join(_METHODS))


class DemoTokens:
    """A handler of requests for `/local/tokens`; it returns None for other paths."""

    def __init__(self, tokens: AccessTokens, base_url: str) -> None:
        self._tokens = tokens
        self._hosts = own_hosts(base_url)

    def __call__(self, request: Request) -> Answer | None:
        if request.target.partition("?")[0] != PATH:
            return None
        host = request.header("host")
        if host not in self._hosts:
            return error(403, "permission_denied", "Demo tokens are for this machine alone.")
        if request.method == "GET":
            return _answer({"users": INSTALLS[APP]})
        if request.method != "POST":
            return error(405, "method_not_allowed", "Method not allowed.", _ALLOW)
        if request.header("origin") != f"http://{host}":
            return error(403, "permission_denied", "Only a page of this server may ask for a demo token.")
        try:
            name = json.loads(request.body)["user"]
        except (ValueError, TypeError, KeyError, RecursionError):
            name = None
        if name not in INSTALLS[APP]:
            return error(400, "parameter_invalid", f"user must be one of {', '.join(INSTALLS[APP])}.")
        token = self._tokens.issue(app=APPS[APP], viewer=USERS[name], scopes=SCOPES, lifetime=LIFETIME, events=None)
        return _answer({"token": token, "expiresIn": LIFETIME})


def _answer(body: object) -> Answer:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Answer(200, [*headers.items()], json.dumps(body).encode())
