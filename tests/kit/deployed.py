"""The deployment zip under Lambda's runtime client, behind models of API Gateway and CloudFront, served on 127.0.0.1.

It uses the tables, the bucket and the keys of a platform that is served locally, and its own queue.
"""

from __future__ import annotations

import fcntl
import platform
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import app as entry
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from infra import bundle, combine
from infra.site import upload
from local.environment import free_port
from local.gateway import Answer, Request
from local.images import StoredImages
from local.lambda_runtime import Function, lay_out
from local.server import Server
from tests.kit import api_gateway, contract, function_url
from tests.kit.api_gateway import ApiGateway, Responses
from tests.kit.cloudfront import BucketPages, CloudFront, EdgeFunction
from tests.kit.function_url import FunctionUrl

if TYPE_CHECKING:
    from tests.kit.served import Served

BUCKET = "engawa-local-000000000000"
PROXY_KEY = "a-key-of-cloudfront-alone"
HOSTS = {combine.REST: api_gateway.HOST, combine.URL: function_url.HOST}
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""Lambda's names for processors."""


def architecture() -> str:
    """Return Lambda's name for the processor of this machine."""
    return ARCHITECTURES[platform.machine().lower()]


@cache
def zipped(version: str) -> Path:
    """Build the zip for a Python (`3.13`) and this machine's processor, once per run, and return its path.

    The libraries are downloaded into build/ once for all runs.
    """
    if sys.platform != "linux":
        pytest.skip("the libraries in the zip run on Linux alone")
    work = bundle.ROOT / "build" / "tests"
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        # Other workers build in the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        bundle.build(work / f"{version}.zip", work, architecture(), version)
    return work / f"{version}.zip"


def unpacked(directory: Path) -> Path:
    """Build the zip for the Python of this process, unpack it, and return the folder."""
    task = lay_out(directory)
    with zipfile.ZipFile(zipped(".".join(map(str, sys.version_info[:2])))) as made:
        made.extractall(task)
    return task


@contextmanager
def deploying(served: Served, directory: Path, front: str = combine.REST) -> Iterator[Deployed]:
    """Serve the zip on a free port, behind a front, with the data of a platform that is served locally."""
    made = Deployed(served, unpacked(directory), combine.gateway_responses(), free_port(), front)
    try:
        yield made
    finally:
        made.stop()


class Deployed:
    """The functions, with CloudFront in front of the first, and between them the front: "rest" or "url"."""

    def __init__(
        self,
        served: Served,
        task: Path,
        responses: Responses,
        port: int,
        front: str = combine.REST,
        *,
        decodes_paths: bool = False,
    ) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        contract.watch(self.base_url)
        self.served = served
        self.task = task
        self._sqs = served.aws("sqs")
        self._queue_name = f"engawa-deployed-{front}"
        self._queue = self._sqs.create_queue(QueueName=self._queue_name)["QueueUrl"]
        self._functions = {
            name: Function(handler, task, self.environment(), seconds)
            for name, handler, seconds in (
                ("api", "app.app", 29),
                ("sweep", "app.sweep", 60),
                ("clean", "app.clean", 60),
                ("canary", "app.canary", 40),
                ("send", "app.send", 60),
            )
        }
        self.api, self.sweep, self.clean, self.canary, self.send = self._functions.values()
        self.edge = EdgeFunction(task.parent)
        self.gateway = ApiGateway(entry.app, self.api, responses, decodes_paths=decodes_paths)
        images = StoredImages(served.aws("s3"), BUCKET, f"{self.base_url}/images")
        self.url = FunctionUrl(self.api)
        self._front = front
        self._behind = self.url if front == combine.URL else self.gateway
        s3 = served.aws("s3")
        upload.upload(s3, BUCKET)
        pages = BucketPages(s3, BUCKET, upload.folder())
        self.front = CloudFront(images, self._behind.handle, self.edge, PROXY_KEY, HOSTS[front], pages)
        self._server = Server(port)
        self._server.serve(self.front)  # type: ignore[arg-type]

    def environment(self) -> dict[str, str]:
        """Return the environment variables of the functions: those of the deployment and Lambda's own for AWS."""
        keys = self.served.local_dir
        return {
            "ENGAWA_STAGE": "local",
            "ENGAWA_BUCKET": BUCKET,
            "ENGAWA_CLEANING_QUEUE": self._queue_name,
            "ENGAWA_ISSUER": self.base_url,
            "ENGAWA_METRICS": "1",
            "ENGAWA_PROXIES": "1",
            "ENGAWA_PROXY_KEY": PROXY_KEY,
            "ENGAWA_TOKEN_KEYS_FILE": str(keys / "token-keys.json"),
            "ENGAWA_SECRET_KEYS_FILE": str(keys / "secret-keys.json"),
            "ENGAWA_LAUNCH_KEYS_FILE": str(keys / "launch-keys.json"),
            "AWS_ENDPOINT_URL": self.served.emulator_url,
            "AWS_DEFAULT_REGION": "ap-northeast-1",
            "AWS_ACCESS_KEY_ID": "engawa",
            "AWS_SECRET_ACCESS_KEY": "engawa",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def events(self) -> list[dict[str, Any]]:
        """The last ten events of the front."""
        return self._behind.events

    def inside(self, request: Request) -> Answer:
        """Return the response of the front itself to a request that CloudFront passes on."""
        own = [("Host", HOSTS[self._front]), ("X-Engawa-Proxy-Key", PROXY_KEY)]
        return self._behind.handle(replace(request, headers=[*request.headers, *own]))

    def token(self, *scopes: str, user: str | None = "hana", app: str = "quest") -> str:
        """Return an access token of this deployment, for a user of the demo world or, if None, for the app."""
        demo: dict[str, Any] = self.served.demo
        viewer = demo["users"][user]["id"] if user else None
        return self._tokens.issue(app=demo["apps"][app]["id"], viewer=viewer, scopes=[*scopes], lifetime=900)

    def deliver(self) -> int:
        """Pass the messages of the queue to `clean` one by one, as Lambda does, and return their number.

        Raises FunctionError; the failed message stays in the queue.
        """
        done = 0
        while messages := self._sqs.receive_message(QueueUrl=self._queue).get("Messages"):
            for message in messages:
                record = {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:ap-northeast-1:000000000000:{self._queue_name}",
                    "awsRegion": "ap-northeast-1",
                }
                self.clean.invoke({"Records": [record]})
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                done += 1
        return done

    def notes(self) -> set[str]:
        """Return the ids of the cleanup notes."""
        pages = self.served.aws("dynamodb").get_paginator("scan").paginate(TableName="engawa-local-feeds")
        return {item["sk"]["S"] for page in pages for item in page["Items"] if item["pk"]["S"] == "trash"}

    @property
    def operator(self) -> str:
        """A new access token of an operator."""
        return self._tokens.issue(app="operator", viewer=None, scopes=["admin"], lifetime=900)

    @cached_property
    def _tokens(self) -> AccessTokens:
        return AccessTokens(TokenKeys((self.served.local_dir / "token-keys.json").read_text), self.base_url)

    def stop(self) -> None:
        """Stop the server, the edge function and the functions."""
        self._server.stop()
        self.edge.stop()
        for function in self._functions.values():
            function.stop()
