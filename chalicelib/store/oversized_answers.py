"""Answers that are too large for Lambda: stored in S3, and fetched by the client from a presigned URL."""

import secrets
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import deadline, objects
from chalicelib.store.aws.iam_needs import API, SWEEP, on_objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "answers/"
URL_SECONDS = 300
_NO_USER = "-"

NEEDS = (
    # A presigned URL gives its holder the read rights of its signer. A user's answers are found by their keys.
    on_objects(PREFIX, "PutObject", "GetObject"),
    on_objects(PREFIX, "ListBucket", "DeleteObject", by=(API, SWEEP)),
)


class OversizedAnswers:
    """Oversized answers, in one folder of the bucket per user. The bucket's lifecycle removes them after a day.

    A user's folder has the answers with only that user's data, and the answers about several users that this user read.

    `client` returns the S3 client: every reader of data has this object, but few need the client.
    """

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keeper(self, user: str | None) -> Callable[[bytes, str], str]:
        """Return `keep` for the answers of this user (None: of no user, such as public data)."""
        return partial(self.keep, user=user)

    def keep(self, body: bytes, content_type: str, user: str | None = None) -> str:
        """Store a body and return a URL that works for 5 minutes, for anyone who has it. Raises Unavailable."""
        deadline.check()
        key = f"{PREFIX}{user or _NO_USER}/{secrets.token_urlsafe(24)}"
        client = self._client()
        try:
            client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, CacheControl="private, no-store"
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable from error
        return self._signed(key)

    @cached_property
    def url(self) -> str:
        """The URL of all stored bodies, without a signature: a page's policy may allow it."""
        return self._signed(PREFIX).partition("?")[0]

    def _signed(self, key: str) -> str:
        return self._client().generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=URL_SECONDS
        )

    def clear(self, user: str) -> None:
        """Delete a user's answers (one call if there are none). Raises Unavailable if some may be left."""
        objects.clear(self._client(), self._bucket, f"{PREFIX}{user}/")
