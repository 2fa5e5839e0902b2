"""Cold start: from the start of Lambda's runtime client to the first answer, as a ratio to what cannot be less.

Ours is the zip that is deployed, asked by an access token for one's own data, which it reads from an embedded AWS. The
floor is an empty Chalice app that makes a client of DynamoDB and answers without asking it. Both run under
`awslambdaric` with the same libraries and their bytecode, in turn, a new process each time.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from bench.world import APP, BUCKET, HANA, ME, REGION
from chalicelib import settings
from chalicelib.bootstrap import wire
from chalicelib.core.conditions import Conditions
from chalicelib.core.directory import User
from chalicelib.store.dynamo import Dynamo
from infra import bundle
from local import keys, stack
from local.embedded import Emulator
from local.environment import Environment
from tests.system.conftest import free_port
from tests.system.lambda_runtime import Function, lay_out

RUNS = 11
MOST = 1.25
"""How many times the floor a cold start may take, at the median."""
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
FLOOR = """
import boto3
from chalice.app import Chalice

app = Chalice(app_name="floor")
client = boto3.client("dynamodb")


@app.route("/", methods=["GET"])
def answer():
    return {}
"""


@dataclass(frozen=True)
class ColdStarts:
    """Seconds of each run."""

    ours: list[float]
    floor: list[float]

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return median(self.ours) / median(self.floor)


def measure(directory: Path, runs: int = RUNS) -> ColdStarts:
    """Start both so many times in turn, with their files in `directory`."""
    ours, floor = _laid_out(directory / "ours"), _floor(directory)
    with _platform(directory) as (environment, token):
        event = _event("/2/apps/appdata/{user}/{group}", ME, {"user": "@me", "group": "@self"}, token)
        both = ((ours, event, []), (floor, _event("/", "/", None, token), []))
        for run in range(runs + 1):
            for code, asked, seconds in both:
                taken = _start(code, environment, asked)
                # The first of each reads from the disk what the others find in memory.
                if run:
                    seconds.append(taken)
    return ColdStarts(*(seconds for _, _, seconds in both))


def _start(code: Path, environment: Mapping[str, str], event: Mapping[str, Any]) -> float:
    function = Function("app.app", code, environment)
    try:
        began = time.perf_counter()
        answer = function.invoke(event)
        taken = time.perf_counter() - began
    finally:
        function.stop()
    if answer["statusCode"] != 200:
        raise RuntimeError(f"{answer}\n{function.log()}")
    return taken


def _laid_out(directory: Path) -> Path:
    """The zip for this Python and this processor, unpacked beside the runtime client."""
    python, architecture = "{}.{}".format(*sys.version_info), MACHINES[platform.machine().lower()]
    bundle.build(directory / "deployment.zip", bundle.ROOT / "build" / "tests", architecture, python)
    task = lay_out(directory)
    with zipfile.ZipFile(directory / "deployment.zip") as made:
        made.extractall(task)
    return task


def _floor(directory: Path) -> Path:
    """The floor's app, with the libraries of `directory`/ours."""
    ours, floor = directory / "ours", directory / "floor"
    (floor / "task").mkdir(parents=True)
    (floor / "runtime").symlink_to(ours / "runtime")
    for library in (ours / "task").iterdir():
        if library.name not in ("app.py", "chalicelib", "__pycache__"):
            (floor / "task" / library.name).symlink_to(library)
    (floor / "task" / "app.py").write_text(FLOOR)
    return floor / "task"


@contextmanager
def _platform(directory: Path) -> Iterator[tuple[dict[str, str], str]]:
    """The environment of functions over an embedded AWS with one user in it, and the user's access token."""
    port, keys_file, secret_keys_file = free_port(), directory / "token-keys.json", directory / "secret-keys.json"
    keys.ensure(keys_file)
    keys.ensure_secret(secret_keys_file)
    environment = {
        "ENGAWA_STAGE": "local",
        "ENGAWA_BUCKET": BUCKET,
        "ENGAWA_ISSUER": "https://api.example.com",
        "ENGAWA_TOKEN_KEYS_FILE": str(keys_file),
        "ENGAWA_SECRET_KEYS_FILE": str(secret_keys_file),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "engawa",
        "AWS_SECRET_ACCESS_KEY": "engawa",
    }
    own = Environment.read()
    emulator = Emulator(Environment(directory, own.emulator_python, own.port, port, None))
    try:
        emulator.await_start()
        access = {"region_name": REGION, "endpoint_url": environment["AWS_ENDPOINT_URL"]}
        secret = {"aws_access_key_id": "engawa", "aws_secret_access_key": "engawa"}
        dynamodb, s3, sqs = (boto3.client(name, **access, **secret) for name in ("dynamodb", "s3", "sqs"))
        stack.create(dynamodb, s3, sqs, "local")
        here = wire(settings.read(environment), Dynamo(dynamodb), lambda: s3)
        here.users.create(User(HANA, "hana"))
        here.appdata.install(APP, HANA)
        here.appdata.write(APP, HANA, {"level": "5", "name": "縁"}, Conditions())
        yield environment, here.tokens.issue(app=APP, viewer=HANA, scopes=["mixi_apps2"], lifetime=86_400)
    finally:
        emulator.stop()


def _event(route: str, path: str, parameters: Mapping[str, str] | None, token: str) -> dict[str, Any]:
    """What API Gateway hands to the function."""
    headers = {"Authorization": f"OAuth {token}", "Accept": "application/json", "Host": "api.example.com"}
    return {
        "resource": route,
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": "GET",
            "path": f"/api{path}",
            "stage": "api",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": None},
        },
        "body": None,
        "isBase64Encoded": False,
    }
