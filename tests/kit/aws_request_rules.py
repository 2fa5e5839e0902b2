"""Rules of S3 and SQS for requests that are in their documentation, but not in their service models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.kit.dynamodb_expressions import BrokenRule

KEY_BYTES, DELETED_KEYS = 1024, 1000
MESSAGE_BYTES = 1024 * 1024
BUCKET = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
    r"(?<!-s3alias)(?<!--ol-s3)(?<!--x-s3)(?<!--table-s3)"
)
"""The names of buckets. AWS also allows dots, but its certificates do not."""
_NO_MESSAGE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOUNDS = {
    "DelaySeconds": (0, 900),
    "MaxNumberOfMessages": (1, 10),
    "VisibilityTimeout": (0, 43_200),
    "WaitTimeSeconds": (0, 20),
}


def check(service: str, operation: str, request: Mapping[str, Any]) -> None:
    """Check a request to S3 or SQS. Raises BrokenRule."""
    if service == "s3":
        _check_s3(operation, request)
    elif service == "sqs":
        _check_sqs(operation, request)


def _check_s3(operation: str, request: Mapping[str, Any]) -> None:
    if not BUCKET.fullmatch(request.get("Bucket", "any-bucket")):
        raise BrokenRule(f"{request['Bucket']} cannot be the name of a bucket")
    keys = [request["Key"]] if "Key" in request else []
    if operation == "DeleteObjects":
        keys = [each["Key"] for each in request["Delete"]["Objects"]]
        if not 1 <= len(keys) <= DELETED_KEYS:
            raise BrokenRule(f"DeleteObjects takes 1 to {DELETED_KEYS} keys, not {len(keys)}")
    for key in keys:
        if not 1 <= len(key.encode()) <= KEY_BYTES:
            raise BrokenRule(f"the key of an object has 1 to {KEY_BYTES} bytes, not {len(key.encode())}")


def _check_sqs(operation: str, request: Mapping[str, Any]) -> None:
    if operation == "SendMessage":
        body = request["MessageBody"]
        if not 1 <= len(body.encode()) <= MESSAGE_BYTES:
            raise BrokenRule(f"a message has 1 to {MESSAGE_BYTES} bytes, not {len(body.encode())}")
        if wrong := _NO_MESSAGE.search(body):
            raise BrokenRule(f"a message cannot contain {wrong[0]!r}")
    for name, (least, most) in _BOUNDS.items():
        if not least <= request.get(name, least) <= most:
            raise BrokenRule(f"{name} is {least} to {most}, not {request[name]}")
