"""Deletion of objects in the S3 bucket."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import deadline

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DELETE = 1000
"""The most keys that S3 deletes in one call (AWS: DeleteObjects in its API reference)."""


def delete(client: "S3Client", bucket: str, keys: Iterable[str]) -> None:
    """Delete objects; missing ones are no error. Raises Unavailable if some objects may be left."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _DELETE):
        deadline.check()
        objects = [{"Key": key} for key in distinct[start : start + _DELETE]]
        try:
            answer = client.delete_objects(
                Bucket=bucket,
                Delete={"Objects": objects, "Quiet": True},  # type: ignore[typeddict-item]
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable from error
        if answer.get("Errors"):
            raise Unavailable


def clear(client: "S3Client", bucket: str, prefix: str) -> None:
    """Delete all objects under a prefix (one call if there are none). Raises Unavailable if some may be left."""
    more = True
    while more:
        deadline.check()
        try:
            found = client.list_objects_v2(Bucket=bucket, Prefix=prefix)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable from error
        delete(client, bucket, (each["Key"] for each in found.get("Contents", [])))
        more = found.get("IsTruncated", False)
