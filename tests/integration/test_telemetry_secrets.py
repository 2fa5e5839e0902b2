"""Logs and metrics contain no secrets: the tests send secrets to every route, in every part of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.core.oauth import OPERATOR, USER_SCOPES
from tests.kit.log_lines import Log, documented_fields, logged
from tests.kit.page_api import PAGE, populated
from tests.kit.routes import routes
from tests.kit.worlds import APP, HANA, MEI, Reply, World, sweep

pytestmark = pytest.mark.moto

SECRET = "s3cr3t"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"engawa={SECRET}-cookie"}
JSON = {"Content-Type": "application/json", "Cookie": f"engawa={SECRET}-cookie"}
FIELDS = {
    "grant_type": "authorization_code",
    "client_id": APP,
    "client_secret": f"{SECRET}-client",
    "code": f"{SECRET}-code",
    "refresh_token": f"{SECRET}-refresh",
    "token": f"{SECRET}-token",
    "login": "hana",
    "password": f"{SECRET}-password",
    "csrf": f"{SECRET}-csrf",
    "decision": "allow",
    "state": f"{SECRET}-state",
}
VALUES = {"level": f"{SECRET}-value", "title": f"{SECRET}-title", "comment": f"{SECRET}-comment", "name": SECRET}
CALL = {"method": "appdata.update", "id": 1, "params": {"userId": "@me", "groupId": "@self", "data": VALUES}}
SIGNATURE = (
    f'OAuth oauth_consumer_key="{APP}", oauth_token="{SECRET}-token", oauth_signature_method="HMAC-SHA1", '
    f'oauth_timestamp="1800000000", oauth_nonce="{SECRET}-nonce", oauth_version="1.0", oauth_signature="{SECRET}%3D"'
)
ROUTES = [(method, path) for method, path, _ in routes()]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world(populated)
    for user in (HANA, MEI):
        made.platform.appdata.install(APP, user, {"level": f"{SECRET}-stored"})
    return made


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Iterator[Log]:
    with logged() as made:
        yield made
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


def target(path: str) -> str:
    ids = {"{page}": PAGE, "{user}": "@me", "{group}": "@self"}
    return re.sub(r"\{[^}]+\}", lambda name: ids.get(name[0], f"{SECRET}-path"), path)


def tokens(world: World) -> list[str]:
    """Return a user's token with all user scopes, an app's with the same, and an operator's."""
    return [
        world.token(MEI, *sorted(USER_SCOPES)),
        world.token(None, *sorted(USER_SCOPES)),
        world.token(None, OPERATOR, app="operator"),
    ]


def send_secrets(world: World, method: str, path: str) -> Iterator[Reply]:
    """Send one request for each place that may contain a secret. Yield the replies."""
    where, form = target(path), urlencode(FIELDS).encode()
    body = CALL if path == "/rpc" else VALUES
    query: dict[str, Any] = {
        "oauth_token": f"{SECRET}-query",
        "access_token": f"{SECRET}-query",
        "st": SECRET,
        "note": SECRET,
    }

    def send(sent: Any = None, headers: dict[str, str] | None = None, **more: Any) -> Reply:
        return world.send(method, where, sent, user=None, headers=headers, **more)

    yield send(headers={"Authorization": f"OAuth {SECRET}-header"})
    yield send(headers={"Authorization": f"Bearer {SECRET}.{SECRET}.{SECRET}"})
    yield send(**query)
    yield send(oauth_token=f"{SECRET}-query")
    yield send(form, FORM, **FIELDS)
    yield send(form, FORM | {"Authorization": SIGNATURE})
    yield send(body, JSON | {"Authorization": SIGNATURE})
    for token in tokens(world):
        yield send(body, JSON | {"Idempotency-Key": f"{SECRET}-once"}, token=token, note=SECRET)
        yield send(json.dumps(SECRET).encode(), JSON, token=token, fields=SECRET)
        yield send(form, FORM, oauth_token=token)


def check(log: Log, replies: list[Reply], world: World) -> None:
    """Assert that every reply has its line, and that the lines have only documented fields and no secrets."""
    written, documented = log.stream.getvalue(), documented_fields()
    assert SECRET not in written
    for token in tokens(world):
        # Search for the payload: the header is the same in every token.
        assert token.split(".")[1][:40] not in written
    assert not {HANA, MEI} & set(re.findall(r"\w+", written))
    assert all(line.keys() <= documented.keys() for line in log.lines)
    told = {line["request_id"]: line for line in log.of("request")}
    assert len(told) == len(replies)
    for reply in replies:
        assert told[reply.headers["x-request-id"]]["status"] == reply.status


def test_nothing_that_a_client_sends_is_logged(world: World, log: Log) -> None:
    replies = [reply for method, path in ROUTES for reply in send_secrets(world, method, path)]

    assert {200, 400, 401, 403, 404} <= {reply.status for reply in replies}
    assert {line["route"] for line in log.of("request")} == {f"{method} {path}" for method, path in ROUTES}
    check(log, replies, world)


def test_nothing_of_an_error_that_quotes_what_was_sent_is_logged(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is unexpected, and is raised in the AWS clients below every face."""

    def fail(params: Any, **_: Any) -> None:
        raise ValueError(f"{SECRET}: {params}")

    world.dynamodb.meta.events.register_first("provide-client-params.dynamodb", fail)
    world.s3.meta.events.register_first("provide-client-params.s3", fail)
    replies = [reply for method, path in ROUTES for reply in send_secrets(world, method, path)]
    with pytest.raises(Exception, match="sweep failed: ValueError"):
        sweep(world)

    failed = [line for line in log.lines if "exception" in line]
    assert len(failed) > 50
    assert {line["exception_name"] for line in failed} == {"ValueError"}
    assert {line["request_id"] for line in failed} <= {line["request_id"] for line in log.lines if "route" in line}
    assert sum(reply.status == 500 for reply in replies) > 50
    check(log, replies, world)
