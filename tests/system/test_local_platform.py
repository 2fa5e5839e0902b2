"""The local platform of `make serve`: data survive every kind of end, and only local clients reach it."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from local.embedded import choose_port
from local.environment import EMULATOR_PORT, PORT, Environment, free_port
from local.ports import accepts
from tests.kit.served import START_SECONDS, Served, eventually

ROOT = Path(__file__).resolve().parent.parent.parent
TABLE = "engawa-local-appdata"
BUCKET = "engawa-local-000000000000"
APPDATA = "/2/apps/appdata/@me/@self"

Serve = Callable[..., Served]


def write(platform: Served, value: str) -> None:
    key = {"pk": {"S": "test"}, "sk": {"S": value}}
    platform.aws("dynamodb").put_item(TableName=TABLE, Item={**key, "value": {"B": value.encode()}})
    platform.aws("s3").put_object(Bucket=BUCKET, Key=f"test/{value}", Body=value.encode())


def read(platform: Served, value: str) -> tuple[bytes | None, bytes]:
    key = {"pk": {"S": "test"}, "sk": {"S": value}}
    item = platform.aws("dynamodb").get_item(TableName=TABLE, Key=key).get("Item", {})
    body = platform.aws("s3").get_object(Bucket=BUCKET, Key=f"test/{value}")["Body"].read()
    return item.get("value", {}).get("B"), body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "localhost.example:80"},
    ],
)
def test_a_web_page_does_not_get_at_the_embedded_aws(served: Served, headers: dict[str, str]) -> None:
    def ask(method: str, path: str, **more: str) -> int:
        return httpx.request(method, served.emulator_url + path, headers=headers | more, content=b"{}").status_code

    aws = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    assert ask("POST", "/", **aws) == 403
    assert ask("OPTIONS", "/", **{"Access-Control-Request-Method": "POST"}) == 403
    assert ask("POST", "/_ministack/reset") == 403
    assert ask("GET", f"/{BUCKET}?list-type=2&X-Amz-Signature=0") == 403
    # The same request without the page's headers succeeds.
    assert httpx.post(served.emulator_url, headers=aws, content=b"{}").json()["TableNames"]


def test_a_web_page_reads_what_a_presigned_url_names(served: Served) -> None:
    client = served.aws("s3", signature_version="s3v4")
    client.put_object(Bucket=BUCKET, Key="answers/one", Body=b"much")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "answers/one"})
    page = {"Origin": "https://game.example"}

    answer = httpx.get(url, headers=page)

    assert (answer.status_code, answer.content) == (200, b"much")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.put(url, headers=page, content=b"less").status_code == 403
    assert httpx.get(url.replace("Signature=", "Signature=0"), headers=page).status_code == 403
    assert client.get_object(Bucket=BUCKET, Key="answers/one")["Body"].read() == b"much"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_data_outlive_the_launcher(serve: Serve, number: int) -> None:
    first = serve()
    world = first.demo
    write(first, "kept")

    status = first.stop(number)

    assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    second = serve(**first.environment)
    assert read(second, "kept") == (b"kept", b"kept")
    assert second.demo["users"] == world["users"]
    assert second.demo["apps"] == world["apps"]


def test_a_killed_emulator_loses_no_more_than_the_last_seconds(serve: Serve) -> None:
    first = serve()
    write(first, "kept")
    deadline = time.monotonic() + START_SECONDS
    while not saved(first, "kept") and time.monotonic() < deadline:
        time.sleep(0.1)

    os.kill(first.emulator_pid, signal.SIGKILL)

    assert first.process.wait(30) == 1
    assert "The embedded AWS ended unexpectedly" in first.log_tail()
    assert read(serve(**first.environment), "kept") == (b"kept", b"kept")


def saved(platform: Served, value: str) -> bool:
    """Return whether the data of `write` are saved on disk, both of the table and of the bucket."""
    directory = platform.local_dir / "emulator"
    table = directory / "state" / "dynamodb.json"
    item = base64.b64encode(value.encode())
    return table.exists() and item in table.read_bytes() and any((directory / "s3").rglob(f"{value}*"))


def refused(environment: dict[str, str]) -> str:
    """Run a launch that must fail. Return its error output."""
    command = [sys.executable, "-m", "local"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("variable", ["PORT", "EMULATOR_PORT"])
def test_a_taken_port_is_said_in_one_line(tmp_path: Path, served: Served, variable: str) -> None:
    with listening() as port:
        other = {**served.environment, "ENGAWA_LOCAL_DIR": str(tmp_path / "other"), "PORT": str(free_port())}
        said = refused({**other, variable: str(port)})

    assert said == f"Port {port} is taken; {variable}={port + 1} make serve uses another.\n"


def test_another_port_is_found_for_the_embedded_aws(tmp_path: Path, serve: Serve) -> None:
    by_default = Environment(tmp_path, tmp_path / "python", PORT, None, None)
    with ExitStack() as stack:
        if not accepts(EMULATOR_PORT):
            assert choose_port(by_default).emulator_port == EMULATOR_PORT
            stack.enter_context(listening(EMULATOR_PORT))
        for environment in (by_default, replace(by_default, port=PORT + 1)):
            assert choose_port(environment).emulator_port not in (None, EMULATOR_PORT)
        assert own_data(serve(EMULATOR_PORT="")).status_code == 200


def test_a_platform_on_another_port_has_another_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGAWA_LOCAL_DIR", raising=False)
    found = []
    for port in ("", "8000", "8001"):
        monkeypatch.setenv("PORT", port)
        found.append(Environment.read().directory)
    assert found == [ROOT / ".local", ROOT / ".local", ROOT / ".local" / "port-8001"]


def test_a_directory_is_served_once(served: Served) -> None:
    said = refused({**served.environment, "PORT": "1", "EMULATOR_PORT": "2"})

    assert said == f"{served.local_dir} is already served by another make serve (pid {served.process.pid}).\n"


def test_a_port_that_is_none(served: Served) -> None:
    said = refused({**served.environment, "PORT": "http"})

    assert said == "PORT must be a port from 1 to 65535, not 'http'.\n"


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        yield other.getsockname()[1]


def test_an_endpoint_of_the_users_own(serve: Serve, tmp_path: Path) -> None:
    first = serve()
    # Not with the shared platform: this one encrypts the secrets of the same apps with keys of its own.
    other = serve(
        AWS_ENDPOINT_URL=first.emulator_url, ENGAWA_LOCAL_DIR=str(tmp_path / "other"), ENGAWA_SERVER_TIMING="1"
    )

    assert not (other.local_dir / "emulator.lock").exists()
    assert other.demo["users"].keys() == first.demo["users"].keys()
    # Only the platform with ENGAWA_SERVER_TIMING reports costs; this request makes one call to DynamoDB.
    assert "server-timing" not in own_data(first).headers
    assert 'desc="1 calls"' in own_data(other).headers["server-timing"]


def test_a_refused_request_is_found_by_its_id(served: Served) -> None:
    operator = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}

    def is_found() -> bool:
        refused = httpx.get(served.base_url + APPDATA, timeout=30)
        records = f"{served.base_url}/admin/requests/{refused.headers['x-request-id']}"
        found = httpx.get(records, headers=operator, timeout=30)
        return found.status_code == 200 and found.json()["route"] == "GET /2/apps/appdata/{user}/{group}"

    # A record is written at once, unless there was another in the last minute.
    assert eventually(is_found, 90)


def own_data(platform: Served) -> httpx.Response:
    """Read Hana's own data as Hana. Return the response."""
    headers = {"Authorization": f"Bearer {platform.demo['tokens']['users']['hana']['quest']}"}
    return httpx.get(f"{platform.base_url}{APPDATA}", headers=headers, timeout=30).raise_for_status()


def test_each_request_is_a_line_without_its_secrets(served: Served) -> None:
    token = served.demo["tokens"]["users"]["hana"]["quest"]
    httpx.get(f"{served.base_url}{APPDATA}", params={"oauth_token": token, "fields": "level"}).raise_for_status()

    line = re.compile(rf"^GET {APPDATA}\?fields=level&… 200 \d+ ms$", re.MULTILINE)
    # It is written after the answer has been sent.
    assert eventually(lambda: line.search(served.log.read_text()) is not None)
    assert token not in served.log.read_text()


def test_a_start_says_what_it_does_and_what_to_open(serve: Serve) -> None:
    quiet = serve(REQUESTS="off")
    own_data(quiet)

    said = quiet.log.read_text()

    port = quiet.environment["EMULATOR_PORT"]
    for step in (f"Starting the embedded AWS on port {port}", "Loading the app", "Loading the demo world"):
        assert re.search(rf"^{step} \.\.\. \d+\.\d s$", said, re.MULTILINE)
    for path in ("/", "/docs", "/sample", "/settings"):
        assert re.search(rf"^  {quiet.base_url}{path} +\w", said, re.MULTILINE)
        assert httpx.get(quiet.base_url + path).status_code == 200
    assert quiet.demo["users"]["hana"]["password"] in said
    assert f"Serving on {quiet.base_url} " in said
    assert APPDATA not in said.partition("Serving on")[2]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")
def test_listens_on_the_loopback_only(served: Served) -> None:
    addresses = [address for pid in (served.process.pid, served.emulator_pid) for address in listeners(pid)]

    assert sorted(port for _, port in addresses) == sorted(
        [int(served.environment["PORT"]), int(served.environment["EMULATOR_PORT"])]
    )
    assert {host for host, _ in addresses} == {"0100007F"}


def listeners(pid: int) -> Iterator[tuple[str, int]]:
    sockets = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in sockets:
                host, _, port = local.partition(":")
                yield host, int(port, 16)


@pytest.mark.parametrize("name", ["demo.json", "token-keys.json"])
def test_secrets_are_for_their_owner_only(served: Served, name: str) -> None:
    assert stat.S_IMODE((served.local_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(served.local_dir.stat().st_mode) == 0o700
