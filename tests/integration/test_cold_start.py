"""A cold start imports only the modules that the first response needs."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

import app as entry
from chalicelib.api.route_table import EngawaApp, prefix_of
from local import keys
from local.lambda_event import event
from tests.kit.worlds import APP, HANA, ME, World

ROOT = Path(__file__).resolve().parents[2]
START = """
import json, os, sys
import app
started, faces = sorted(sys.modules), len(app.app.routes)
class Context:
    aws_request_id = "of-lambda"
    get_remaining_time_in_millis = staticmethod(lambda: 29_000)
asked = json.loads(os.environ["EVENT"])
answer = app.app(asked, Context) if asked else None
print(json.dumps({"started": started, "answered": sorted(sys.modules), "routes": faces, "answer": answer}))
"""
UNUSED = {
    "PIL",
    "aws_lambda_powertools",
    "boto3",
    "cryptography",
    "h11",
    "jinja2",
    "markupsafe",
    "multipart",
    "oauthlib",
    "pydantic",
    "s3transfer",
}
"""Libraries that only some requests need, or that other libraries load if they are installed."""


class Table(BaseHTTPRequestHandler):
    """A DynamoDB stand-in that answers every request with one item."""

    item: ClassVar[bytes]

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.item)))
        self.end_headers()
        self.wfile.write(self.item)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def table(world: World) -> Iterator[str]:
    """Return the URL of a server that answers with Hana's ledger."""
    world.send("POST", ME, {"level": "5"})
    [item] = [each for each in world.items() if each["pk"]["S"] == f"{APP}#{HANA}"]
    told = json.dumps({"Item": item}, default=lambda binary: base64.b64encode(binary).decode())
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Holding", (Table,), {"item": told.encode()}))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(table: str, world: World, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that starts a process as Lambda does, sends it an event, and returns imports and response."""
    keys.ensure(tmp_path / "token-keys.json")

    def started(asked: Any = None, **environment: str) -> dict[str, Any]:
        own = {
            "PATH": os.environ["PATH"],
            "ENGAWA_STAGE": "local",
            "ENGAWA_BUCKET": "files",
            "ENGAWA_ISSUER": world.platform.settings.issuer,
            "ENGAWA_TOKEN_KEYS_FILE": str(tmp_path / "token-keys.json"),
            "ENGAWA_SECRET_KEYS_FILE": str(tmp_path / "secret-keys.json"),
            "AWS_ENDPOINT_URL": table,
            "AWS_DEFAULT_REGION": "ap-northeast-1",
            "AWS_ACCESS_KEY_ID": "engawa",
            "AWS_SECRET_ACCESS_KEY": "engawa",
            "AWS_LAMBDA_FUNCTION_NAME": "engawa",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "_HANDLER": "app.app",
            "EVENT": json.dumps(asked),
        }
        done = subprocess.run(
            [sys.executable, "-c", START], cwd=ROOT, env=own | environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told

    return started


def packages(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_reading_one_s_data_imports_nothing_that_it_does_not_need(
    start: Callable[..., dict[str, Any]], world: World
) -> None:
    token = world.token()
    told = start(event("GET", "/2/apps/appdata/{user}/{group}", ME, {"user": "@me", "group": "@self"}, token))

    assert told["answer"]["statusCode"] == 200
    assert json.loads(told["answer"]["body"])["entry"] == [{"id": HANA, "data": {"level": "5"}}]
    assert {"app", "botocore.client"} <= set(told["answered"])
    assert "chalicelib.web.function_url" not in told["answered"]
    assert not packages(told["answered"]) & UNUSED
    assert "http.server" not in told["answered"]
    ours = {name for name in told["answered"] if name.startswith("chalicelib.")}
    assert {name for name in ours if name.startswith("chalicelib.api.")} == {
        f"chalicelib.api.{name}" for name in ("base_url", "time_limit", "route_table", "scheduled", "persistence")
    }
    assert not [name for name in ours if name.startswith(("chalicelib.store.contents", "chalicelib.store.grants"))]
    assert not ours & {f"chalicelib.store.directory.{name}" for name in ("users", "apps", "pages")}
    # The first request imports no botocore module that was not imported at the start.
    late = set(told["answered"]) - set(told["started"])
    assert not [name for name in late if name.startswith("botocore")]


def test_instances_that_are_started_ahead_have_every_face(start: Callable[..., dict[str, Any]]) -> None:
    told = start(AWS_LAMBDA_INITIALIZATION_TYPE="provisioned-concurrency")

    assert told["routes"] == len(entry.app.routes)


@pytest.mark.parametrize("path", sorted(entry.app.routes))
def test_a_face_is_loaded_with_the_first_request_for_it(path: str) -> None:
    lazy = entry.create_app(lambda: None, whole=False)  # type: ignore[arg-type,return-value]
    assert isinstance(lazy, EngawaApp)
    lazy.load(path)

    assert lazy.routes[path].keys() == entry.app.routes[path].keys()
    assert len(lazy.routes) < len(entry.app.routes)


def test_the_longest_prefix_counts_and_an_unknown_path_has_none() -> None:
    assert prefix_of("/pages") == "/pages"
    assert prefix_of("/pages/20260401000000000001") == "/pages/"
    assert prefix_of("/") == "/"
    assert prefix_of("/no/such/path") is None
