"""A platform over the embedded AWS with one user, for functions in their own processes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import boto3

from chalicelib import settings
from chalicelib.bootstrap import wire
from chalicelib.core.conditions import Conditions
from chalicelib.core.model.directory import User
from chalicelib.store.aws.client import Dynamo
from local import keys, stack
from local.embedded import Emulator
from local.environment import Environment, free_port
from local.in_process import APP, BUCKET, HANA, REGION


@contextmanager
def running(directory: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Run it with its files in `directory`; yield the environment of its functions and the user's access token."""
    keys.ensure(directory / "token-keys.json")
    port, secrets = free_port(), _Secrets((directory / "token-keys.json").read_text())
    environment = {
        "ENGAWA_STAGE": "local",
        "ENGAWA_BUCKET": BUCKET,
        "ENGAWA_ISSUER": "https://api.example.com",
        # As deployed: unlike a file, a secret needs one more client.
        "ENGAWA_TOKEN_KEYS_SECRET": "token-keys",
        "ENGAWA_SECRET_KEYS_SECRET": "secret-keys",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://127.0.0.1:{secrets.server_port}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "engawa",
        "AWS_SECRET_ACCESS_KEY": "engawa",
    }
    own = Environment.read()
    emulator = Emulator(Environment(directory, own.emulator_python, own.port, port, None))
    try:
        emulator.await_start()
        with patch.dict(os.environ, environment):
            session = boto3.Session()
            dynamodb, s3, sqs = session.client("dynamodb"), session.client("s3"), session.client("sqs")
            stack.create(dynamodb, s3, sqs, "local")
            here = wire(settings.read(), Dynamo(dynamodb), lambda: s3)
            here.users.create(User(HANA, "hana"))
            here.appdata.install(APP, HANA)
            here.appdata.write(APP, HANA, {"level": "5", "name": "縁"}, Conditions())
            token = here.tokens.issue(app=APP, viewer=HANA, scopes=["mixi_apps2"], lifetime=86_400)
        yield environment, token
    finally:
        emulator.stop()
        secrets.shutdown()
        secrets.server_close()


class _Secrets(ThreadingHTTPServer):
    """A minimal Secrets Manager, which the embedded AWS lacks: it returns one secret."""

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _SecretAsked)
        self.answer = json.dumps({"Name": "token-keys", "SecretString": secret}).encode()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _SecretAsked(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        answer = cast(_Secrets, self.server).answer
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
