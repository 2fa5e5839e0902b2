"""Serves the images of feeds from the bucket of the embedded AWS, as CloudFront does on AWS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.imaging.renditions import is_key
from local.gateway import Answer, Request, error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_METHODS = ("GET", "HEAD")
ABSENT = ("NoSuchKey", "404")
"""The codes for an object that does not exist; the emulator gives the second one for some keys, without XML."""
_log = logging.getLogger(__name__)


class StoredImages:
    """A handler of requests below a URL: it serves the images of a bucket, and nothing else from the bucket."""

    def __init__(self, client: S3Client, bucket: str, url: str) -> None:
        self._client = client
        self._bucket = bucket
        self._folder = urlsplit(url).path + "/"

    def __call__(self, request: Request) -> Answer | None:
        """Return the response to a request; None if the path is not below the URL."""
        path = request.target.partition("?")[0]
        if not path.startswith(self._folder):
            return None
        if request.method not in _METHODS:
            return error(405, "method_not_allowed", "Method not allowed.", ("Allow", ", ".join(_METHODS)))
        key = "images/" + path.removeprefix(self._folder)
        if not is_key(key):
            return error(404, "not_found", "No such image.")
        try:
            stored = self._client.get_object(Bucket=self._bucket, Key=key)
            body = stored["Body"].read()
        except ClientError as failed:
            if failed.response["Error"]["Code"] in ABSENT:
                return error(404, "not_found", "No such image.")
            _log.exception("%s cannot be read", key)
            return error(503, "service_unavailable", "The service is busy.", ("Retry-After", "1"))
        except BotoCoreError:
            _log.exception("%s cannot be read", key)
            return error(503, "service_unavailable", "The service is busy.", ("Retry-After", "1"))
        headers = [
            ("Content-Type", stored["ContentType"]),
            ("Cache-Control", stored["CacheControl"]),
            ("ETag", stored["ETag"]),
            ("X-Content-Type-Options", "nosniff"),
        ]
        known = [value for name, value in request.headers if name.lower() == "if-none-match"]
        if any(stored["ETag"] in value for value in known):
            return Answer(304, headers)
        return Answer(200, headers, body)
