"""A world that the operator's command line reaches by HTTP, for tests of export and import."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import urlencode

import httpx
from click.testing import CliRunner, Result

from admin.cli import cli
from chalicelib.store.aws.side_by_side import lane
from local.gateway import Request
from tests.kit.worlds import Reply, World


class AdminWorld:
    """A world that the command line reaches by HTTP. It can die after some requests."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.left: int | None = None
        self.requests: list[httpx.Request] = []
        self.token = world.token(None, "admin", app="operator")
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    return httpx.Response(403, json={"error": "insufficient_scope", "error_description": "no"})
            if request.url.host != "127.0.0.1":
                return self._stored(request)
            sent = [(name, value) for name, value in request.headers.items() if name != "host"]
            before = lane.set(((0, 0),))
            try:
                answer = self.world.gateway.handle(
                    Request(request.method, request.url.raw_path.decode(), sent, request.content)
                )
            finally:
                lane.reset(before)
            return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)

    def admin(self, *words: str) -> Result:
        """Run the command line against the world."""
        environment = {"ENGAWA_ADMIN_URL": "http://127.0.0.1:8000", "ENGAWA_ADMIN_TOKEN": self.token}
        return CliRunner().invoke(cli, words, obj=httpx.MockTransport(self), env=environment, catch_exceptions=False)

    def get(self, path: str, **query: str) -> Reply:
        """Read from the operator's API."""
        text = "?" + urlencode(query) if query else ""
        return self.world.send("GET", f"/admin{path}{text}", user=None, token=self.token)

    def every(self, path: str) -> list[Any]:
        """Read a whole list of the operator's API."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            part = self.get(path, **({"cursor": cursor} if cursor else {}), count="100").json
            found += part["entry"]
            cursor = part.get("nextCursor")
            if not cursor:
                return sorted(found, key=lambda entry: json.dumps(entry, sort_keys=True))

    def _stored(self, request: httpx.Request) -> httpx.Response:
        """Answer a presigned URL."""
        assert "authorization" not in request.headers
        bucket, _, key = request.url.path.strip("/").partition("/")
        host = request.url.host.split(".")[0]
        if not request.url.path.startswith(f"/{self.world.platform.settings.bucket}/"):
            bucket, key = host, request.url.path.strip("/")
        return httpx.Response(200, content=self.world.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
