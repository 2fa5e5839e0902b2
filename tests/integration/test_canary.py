"""The canary: a run against a platform that works, and against those that do not."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from chalice.local import LambdaContext

from chalicelib.api import canary
from chalicelib.api.canary import APP, NAME, USER, CanaryFailed
from chalicelib.api.scheduled import CANARY
from chalicelib.store.aws.iam_needs import API
from chalicelib.web.telemetry import RunFailed
from local.environment import free_port
from local.server import Server
from tests.kit.aws_calls import Ask, Seen, watched
from tests.kit.certificate import self_signed
from tests.kit.log_lines import Log, logged
from tests.kit.worlds import ME, SCHEDULED, World

Worlds = Callable[..., World]


@pytest.fixture
def log() -> Iterator[Log]:
    with logged() as made:
        yield made


@contextmanager
def served(make_world: Worlds, **environment: str) -> Iterator[World]:
    """Serve a world at its issuer."""
    port = free_port()
    world = make_world(ENGAWA_ISSUER=f"http://127.0.0.1:{port}", **environment)
    server = Server(port)
    server.serve(world.gateway)
    try:
        yield world
    finally:
        server.stop()


def run(world: World) -> None:
    world.app.handler_map[CANARY](SCHEDULED, LambdaContext("canary", 512, 40_000))


def test_the_first_run_makes_what_it_needs_and_each_run_leaves_nothing(make_world: Worlds, log: Log) -> None:
    with served(make_world) as world:
        run(world)
        user, app = world.platform.users.get(USER), world.platform.apps.get(APP)
        assert user
        assert app
        assert (user.display_name, user.login, user.visible) == (NAME, None, False)
        assert (app.name, app.confidential, app.secret, app.redirect_uris) == (NAME, False, None, ())
        assert world.platform.friends_and_installs.installs(USER) == ([APP], None)
        before = len(world.calls)

        run(world)

        # The batch alone: the canary itself calls nothing of AWS.
        assert len(world.calls) - before == 5
        assert world.platform.appdata.usage(APP, USER).balance.keys == 0
    assert [(line["route"], line["status"]) for line in log.of("run")] == [("canary", 200)] * 2
    # The very first batch finds no install, and is sent again.
    assert [line["route"] for line in log.of("request")] == ["POST /rpc"] * 3


def test_the_canary_asks_aws_for_itself(make_world: Worlds) -> None:
    seen: set[Seen] = set()
    with served(make_world) as world, watched(seen.add):
        run(world)

    by_canary = {each.ask for each in seen if each.function == CANARY}
    assert by_canary == {
        *(Ask("dynamodb", "table/directory", action) for action in ("PutItem", "UpdateItem", "ConditionCheckItem")),
        Ask("dynamodb", "table/appdata", "PutItem"),
    }
    # The requests are the API's.
    assert {each.function for each in seen} == {CANARY, API}


@pytest.mark.parametrize("lost", ["the user", "the app", "the install"])
def test_what_an_operator_deletes_is_made_again(make_world: Worlds, lost: str) -> None:
    with served(make_world) as world:
        run(world)
        if lost != "the app":
            world.platform.appdata.uninstall(APP, USER)
        if lost == "the user":
            world.platform.users.delete(USER)
        if lost == "the app":
            world.platform.appdata.uninstall(APP, USER)
            world.platform.apps.delete(APP)

        run(world)

        assert world.platform.users.get(USER)
        assert world.platform.apps.get(APP)


def test_a_platform_whose_writes_fail_is_told_with_step_status_and_id(
    make_world: Worlds, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make_world) as world:
        run(world)
        for name, step in (("write", "write"), ("read", "read")):
            with monkeypatch.context() as patch:
                patch.setattr(world.platform.appdata, name, {}.__getitem__)
                patch.setattr(world.platform.appdata, "read_named", {}.__getitem__)
                with pytest.raises(RunFailed, match="canary failed: CanaryFailed"):
                    run(world)
            request_id = log.of("request")[-1]["request_id"]
            [told] = [line for line in log.lines[-2:] if line.get("exception_name") == "CanaryFailed"]
            assert told["exception"].endswith(
                f"\nCanaryFailed: {step}: status 200, X-Request-Id {request_id}, but the result is not the expected one"
            )


ANSWERS = {
    "an error": (
        b"HTTP/1.1 502 Bad Gateway\r\nX-Request-Id: a-b\r\nContent-Length: 0\r\n\r\n",
        "status 502, X-Request-Id a-b$",
    ),
    "a redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: https://e.example/\r\nContent-Length: 0\r\n\r\n",
        "status 302, X-Request-Id unknown$",
    ),
    "an id that is none": (
        b"HTTP/1.1 500 No\r\nX-Request-Id: <script>\r\nContent-Length: 0\r\n\r\n",
        "status 500, X-Request-Id unknown$",
    ),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "the body is no answer to this batch$"),
    "one answer": (
        b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n[{"result":{}}]',
        "the body is no answer to this batch$",
    ),
    "numbers": (b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1,2,3]", "the body is no answer to this batch$"),
    "nothing": (b"", "no answer from 127.0.0.1, RemoteDisconnected$"),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", "no answer from 127.0.0.1, BadStatusLine$"),
}


@contextmanager
def answering(answer: bytes, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Answer each request with these bytes; yield the port and the requests."""
    asked: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                raw, _ = listening.accept()
                with suppress(OSError), raw, context.wrap_socket(raw, server_side=True) if context else raw as one:
                    request = b""
                    # Whoever closes with unread bytes resets the connection.
                    while not request.endswith(b"}}]") and (part := one.recv(65_536)):
                        request += part
                    asked.append(request)
                    one.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], asked


@pytest.mark.parametrize("name", ANSWERS)
def test_every_other_answer_fails_the_run_in_a_sentence_without_the_token(
    make_world: Worlds, name: str, log: Log
) -> None:
    answer, told = ANSWERS[name]
    with answering(answer) as (port, asked):
        world = make_world(ENGAWA_ISSUER=f"http://127.0.0.1:{port}")
        with pytest.raises(CanaryFailed, match=told) as failed:
            canary.check(world.platform)
        with pytest.raises(RunFailed):
            run(world)

    assert str(failed.value).startswith("write: ")
    token = asked[0].partition(b"Bearer ")[2].split(b"\r\n")[0].decode()
    assert token.count(".") == 2
    assert token not in log.stream.getvalue()
    assert len(asked) == 2


def test_nobody_there_and_a_name_that_is_none_are_told(make_world: Worlds) -> None:
    world = make_world(ENGAWA_ISSUER=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CanaryFailed, match=r"^write: no answer from 127\.0\.0\.1, ConnectionRefusedError$"):
        canary.check(world.platform)
    world = make_world(ENGAWA_ISSUER="https://engawa.invalid")
    with pytest.raises(CanaryFailed, match=r"^write: no answer from engawa\.invalid, gaierror$"):
        canary.check(world.platform)


def test_an_answer_that_does_not_come_is_not_waited_for(make_world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world = make_world(ENGAWA_ISSUER=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(CanaryFailed, match=r"^write: no answer from 127\.0\.0\.1, TimeoutError$"):
            canary.check(world.platform)


def test_tls_is_verified(make_world: Worlds, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path / "both.pem", "localhost")
    ours, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(certificate))
    ours.load_cert_chain(certificate)
    body = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    with answering(body, ours) as (port, asked):
        world = make_world(ENGAWA_ISSUER=f"https://localhost:{port}")
        with pytest.raises(CanaryFailed, match=r"SSLCertVerificationError$"):
            canary.check(world.platform)
        assert not any(asked)
        with pytest.raises(CanaryFailed, match="status 503"):
            canary.check(world.platform, lambda: trusting)


def test_a_platform_that_does_not_find_the_canary_is_told(make_world: Worlds) -> None:
    """Such as another stage at this URL, with the same keys."""
    refusal = {"error": {"code": 403, "message": "no", "data": {"error": "permission_denied"}}}
    body = json.dumps([refusal] * 3).encode()
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as (port, asked):
        world = make_world(ENGAWA_ISSUER=f"http://127.0.0.1:{port}")
        with pytest.raises(CanaryFailed, match="does it lead to this stage"):
            canary.check(world.platform)
        assert len(asked) == 2


def test_nobody_signs_in_as_the_canary(make_world: Worlds) -> None:
    with served(make_world) as world:
        run(world)
        asked: dict[str, Any] = {"client_id": APP, "response_type": "code", "scope": "mixi_apps2"}
        assert world.send("GET", "/connect_authorize.pl", user=None, **asked).status == 400
        form = b"grant_type=client_credentials&client_id=" + APP.encode()
        refused = world.send(
            "POST", "/2/token", form, user=None, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert refused.status in (400, 401)
        # Other apps see nothing of the user.
        assert world.send("GET", ME, token=world.token(USER)).status == 403
