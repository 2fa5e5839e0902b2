"""Watches the AWS calls of the app during tests, in the terms of IAM, with their senders and functions.

The sender of a call is the innermost module of the app on the stack that does more than pass calls on. Its function
also follows from the stack: `sweep`, `clean`, `canary` or `send` (api/scheduled.py), the API if a face or a module that
faces share is on the stack, and None if a test calls a store directly.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import Context, ContextVar, copy_context
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.signers import RequestSigner

from chalicelib.store.aws import side_by_side
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import API, CANARY, CLEAN, SEND, SWEEP

ROOT = Path(__file__).resolve().parents[2]
PACKAGE, BENCH, TESTS = (f"{ROOT / name}/" for name in ("chalicelib", "bench", "tests"))
ABOUT_ALL = ("api/canary.py", "api/scheduled.py", "web/auth/access_tokens.py", "web/telemetry.py")
"""Modules of api/ and web/ that also run for the other functions."""
RECORDING, OF_REQUESTS = "api/request_recording.py", ("flush", "work")
"""The module that records runs of all functions, and its methods that record requests."""
PASSING_ON = frozenset(
    {
        f"store/{name}.py"
        for name in ("aws/client", "aws/objects", "aws/transactions", "aws/side_by_side", "directory/keys")
    }
)
"""Modules that only pass calls on. The last one iterates over the queries of other modules, which sends them."""


class Ask(NamedTuple):
    """One action on one resource, with the names of chalicelib/store/aws/iam_needs.py."""

    service: str
    resource: str
    action: str


class Seen(NamedTuple):
    """An ask with its function (None: a test called the store) and sender, such as `store/contents/feeds.py`."""

    function: str | None
    sender: str
    ask: Ask


Trail = tuple[str | None, str | None]
"""The function and the sender."""

_outer: ContextVar[Trail] = ContextVar("outer", default=(None, None))
"""The trail of the thread that starts concurrent calls."""


@contextmanager
def watched(tell: Callable[[Seen], None]) -> Iterator[None]:
    """Call `tell` for every ask of the app inside the block. Calls by tests and the local platform do not count."""
    send, write, presign = BaseClient._make_api_call, Dynamo._write, RequestSigner.generate_presigned_url  # type: ignore[attr-defined]

    def saw(service: str, operation: str, request: Mapping[str, Any]) -> None:
        function, sender = trail()
        if sender:
            for ask in asks(service, operation, request):
                tell(Seen(function, sender, ask))

    def sending(client: Any, operation: str, request: Any) -> Any:
        saw(client.meta.service_model.service_name, operation, request)
        return send(client, operation, request)

    def writing(dynamo: Dynamo, operation: str, *parts: Any, **request: Any) -> Any:
        # Substitutes for a client do not go through botocore.
        if not isinstance(dynamo._client, BaseClient):
            saw("dynamodb", "".join(map(str.title, operation.split("_"))), request)
        return write(dynamo, operation, *parts, **request)

    def presigning(signer: Any, *, request_dict: Any, operation_name: str, **more: Any) -> Any:
        # A request with the URL needs the permissions of the signer. The bucket is in the URL's endpoint.
        saw("s3", operation_name, {"Key": request_dict["url_path"].lstrip("/")})
        return presign(signer, request_dict=request_dict, operation_name=operation_name, **more)

    def copying() -> Context:
        known = _outer.set(trail())
        copied = copy_context()
        _outer.reset(known)
        return copied

    with ExitStack() as patches:
        patches.enter_context(patch.object(BaseClient, "_make_api_call", sending))
        patches.enter_context(patch.object(Dynamo, "_write", writing))
        patches.enter_context(patch.object(RequestSigner, "generate_presigned_url", presigning))
        patches.enter_context(patch.object(side_by_side, "copy_context", copying))
        yield


def trail() -> Trail:
    """Return the function and the sender for which the calling code runs."""
    function, sender, is_ours = None, None, False
    frame: FrameType | None = sys._getframe(1)
    while frame and not function:
        place, (module, function) = _placed(frame.f_code.co_filename, frame.f_code.co_name)
        if place == BENCH and not is_ours:
            return None, None  # The benchmark's meter reads the results of the app.
        if place == TESTS and sender:
            return None, sender  # Frames further out can only be a call that a test interrupts with another one.
        is_ours = is_ours or place == PACKAGE
        sender = sender or module
        frame = frame.f_back
    outer = _outer.get()
    return function or outer[0], sender or outer[1]


@cache
def _placed(file: str, name: str) -> tuple[str | None, Trail]:
    """Return the folder of code (of the three, or None), and its sender and function, each of which may be None."""
    place = next((room for room in (BENCH, TESTS, PACKAGE) if file.startswith(room)), None)
    module = file.removeprefix(PACKAGE) if file.startswith(PACKAGE) else None
    if module in ("api/scheduled.py", "platform.py") and name in (SWEEP, CLEAN, CANARY, SEND):
        return place, (module, name)
    is_of_all = module in ABOUT_ALL or (module == RECORDING and name not in OF_REQUESTS)
    function = API if module and module.startswith(("api/", "web/")) and not is_of_all else None
    return place, (None if module in PASSING_ON else module, function)


def asks(service: str, operation: str, request: Mapping[str, Any]) -> Iterator[Ask]:
    """Yield the permissions that IAM requires for an operation. Raises KeyError for an unsupported operation."""
    for resource, action in _ASKS[service](operation, request):
        yield Ask(service, resource, action)


def _dynamodb(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "TransactWriteItems":
        actions = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
        for element in request["TransactItems"]:
            [(kind, write)] = element.items()
            yield _table(write["TableName"]), actions.get(kind, "ConditionCheckItem")
    elif "RequestItems" in request:
        yield from ((_table(name), operation) for name in request["RequestItems"])
    elif "IndexName" in request:
        yield f"{_table(request['TableName'])}/index/{request['IndexName']}", operation
    else:
        yield _table(request["TableName"]), operation


@cache
def _table(name: str) -> str:
    # Tests of the Dynamo class use a table with another name.
    return "table/" + re.sub("^engawa-[a-z0-9]+-", "", name)


def _s3(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "DeleteObjects":
        yield from ((_prefix(each["Key"]), "DeleteObject") for each in request["Delete"]["Objects"])
    elif operation == "ListObjectsV2":
        yield _prefix(request["Prefix"]), "ListBucket"
    else:
        yield _prefix(request["Key"]), operation


def _prefix(key: str) -> str:
    return key.partition("/")[0] + "/"


def _sqs(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = request.get("QueueName") or request["QueueUrl"].rpartition("/")[2]
    yield re.sub("^engawa-[a-z0-9]+-", "", name), operation


def _secret(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield re.sub("^engawa-[a-z0-9]+-", "", request["SecretId"]), operation


_ASKS = {"dynamodb": _dynamodb, "s3": _s3, "sqs": _sqs, "secretsmanager": _secret}
