"""Answers too large for Lambda to carry: put into S3, fetched by the client from a presigned URL."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store import deadline
from chalicelib.store.needs import on_objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "answers/"
URL_SECONDS = 300

NEEDS = (
    # Whoever has the presigned URL reads what its signer may read.
    on_objects(PREFIX, "PutObject", "GetObject"),
)


class Answers:
    """Oversized answers, under a prefix of the bucket that its lifecycle empties after a day.

    `client` gives the client: every reader of data has this, and hardly any needs it.
    """

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, body: bytes, content_type: str) -> str:
        """Store a body and return a URL that anyone who has it can GET for 5 minutes. Raises Unavailable."""
        deadline.check()
        key = PREFIX + secrets.token_urlsafe(24)
        client = self._client()
        try:
            client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, CacheControl="private, no-store"
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable from error
        return client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=URL_SECONDS
        )
