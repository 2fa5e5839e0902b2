"""The canary: a user of ours whose app writes, reads and deletes a value through the public URL every five minutes.

It sees what users see: DNS, TLS, CloudFront, the front, the function and the tables. The three steps are one batch of
`/rpc`, so that a run costs a single request. Its user and its app have reserved ids, no login, no secret and no
redirect URI, so nobody can sign in with them; the canary creates them if they do not exist.
"""

import json
import re
import secrets
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.errors import Conflict
from chalicelib.core.model.directory import App, User
from chalicelib.platform import Platform

USER = "canary000000"
APP = "ca9a200000000000"
NAME = "Engawa canary"
"""The name of the user and of the app, in lists and exports."""
KEY = "canary"
SCOPE = "mixi_apps2"
LIFETIME = 60
"""The lifetime of the token, in seconds."""
SECONDS = 8.0
"""The time limit for the connection, and for each wait for the answer's next bytes."""
MOST_BYTES = 65_536
"""The bytes of an answer that are read; ours has about 300."""
STEPS = ("write", "read", "delete")

_NOT_INSTALLED = "permission_denied"


class CanaryFailed(Exception):
    """A step that failed. The text names the step, the status and the id of the request, and nothing of the token."""

    loggable = True


class _NotInstalled(Exception):
    """The canary's user has not installed the canary's app."""


def check(here: Platform, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
    """Write, read and delete a value through the public URL. Raises CanaryFailed."""
    try:
        _try_once(here, tls)
    except _NotInstalled:
        _install(here)
        try:
            _try_once(here, tls)
        except _NotInstalled:
            raise CanaryFailed(
                f"write: the public URL does not find the user {USER} in the app {APP}; does it lead to this stage?"
            ) from None


def _install(here: Platform) -> None:
    with suppress(Conflict):
        here.apps.create(App(id=APP, name=NAME, confidential=False, scopes=(SCOPE,)))
    with suppress(Conflict):
        here.users.create(User(USER, NAME, visible=False))
    here.appdata.install(APP, USER)


def _try_once(here: Platform, tls: Callable[[], ssl.SSLContext]) -> None:
    """Send the batch and check the answer. Raises CanaryFailed and _NotInstalled."""
    value = secrets.token_hex(8)
    token = here.tokens.issue(app=APP, viewer=USER, scopes=(SCOPE,), lifetime=LIFETIME)
    status, request_id, body = _sent(here.settings.issuer, token, _batch(value), tls)
    said = f"status {status}, X-Request-Id {request_id}"
    # A redirect is not followed: the token is for this URL alone.
    if status != 200:
        raise CanaryFailed(f"write: {said}")
    wanted: tuple[dict[str, Any], ...] = ({}, {USER: {KEY: value}}, {})
    try:
        for step, answer, result in zip(STEPS, json.loads(body), wanted, strict=True):
            word = answer["error"]["data"]["error"] if "error" in answer else None
            if word == _NOT_INSTALLED:
                raise _NotInstalled
            if word or answer["result"] != result:
                raise CanaryFailed(f"{step}: {said}, but the result is not the expected one")
    except (ValueError, TypeError, KeyError):
        raise CanaryFailed(f"write: {said}, but the body is no answer to this batch") from None


def _batch(value: str) -> Sequence[dict[str, Any]]:
    own = {"userId": "@viewer", "groupId": "@self", "appId": "@app"}
    return [
        {"id": "write", "method": "appdata.update", "params": {**own, "data": {KEY: value}}},
        {"id": "read", "method": "appdata.get", "params": {**own, "fields": [KEY]}},
        {"id": "delete", "method": "appdata.delete", "params": {**own, "fields": [KEY]}},
    ]


def _sent(
    issuer: str, token: str, batch: Sequence[dict[str, Any]], tls: Callable[[], ssl.SSLContext]
) -> tuple[int, str, bytes]:
    """Send a batch; return the status, the request's id and the body of the answer. Raises CanaryFailed."""
    url = urlsplit(issuer)
    connect = partial(HTTPSConnection, context=tls()) if url.scheme == "https" else HTTPConnection
    connection = connect(url.hostname or "", url.port, timeout=SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", f"{url.path}/rpc", json.dumps(batch), headers)
        answer = connection.getresponse()
        return answer.status, _request_id(answer), answer.read(MOST_BYTES)
    except (OSError, HTTPException) as error:
        # The texts of these exceptions may quote what the other side sent.
        raise CanaryFailed(f"write: no answer from {url.hostname}, {type(error).__name__}") from None
    finally:
        connection.close()


def _request_id(answer: HTTPResponse) -> str:
    found = answer.getheader("X-Request-Id", "")
    return found if re.fullmatch("[A-Za-z0-9=_-]{1,64}", found) else "unknown"
