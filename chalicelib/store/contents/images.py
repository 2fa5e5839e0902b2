"""Images of feeds in S3. The keys of renditions depend on their content, so a stored rendition never changes."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.core.imaging.renditions import Rendition, image_key, media_type_of
from chalicelib.store.aws import deadline, objects
from chalicelib.store.aws.iam_needs import API, CLEAN, on_objects
from chalicelib.store.aws.side_by_side import side_by_side

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NEEDS = (
    # An export reads images, an import stores them again.
    on_objects("images/", "PutObject", "GetObject"),
    # Images of feeds that could not be stored, and of deleted feeds.
    on_objects("images/", "DeleteObject", by=(API, CLEAN)),
    on_objects("images/", "ListBucket", by=(CLEAN,)),
)

CACHE_CONTROL = "public, max-age=31536000, immutable"

log = logging.getLogger(__name__)


class Images:
    """The renditions of images, in the folder `images/` of the bucket. CloudFront serves them on AWS."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, folder: str, renditions: Sequence[Rendition]) -> tuple[str, ...]:
        """Store renditions and return their keys, in order: all of them or, raising Unavailable, none.

        `folder` is the id of their feed's generation, so that removing them affects no other feed.
        """
        deadline.check()
        keys = {image_key(folder, each): each for each in renditions}
        failures = side_by_side([partial(self._put, key, rendition) for key, rendition in keys.items()])
        for failure in failures:
            if failure:
                self._undo(list(keys))
                raise Unavailable from failure
        return tuple(image_key(folder, each) for each in renditions)

    def restore(self, files: Mapping[str, bytes]) -> None:
        """Store imported renditions under their keys. Raises Unavailable; some may be stored then."""
        side_by_side([partial(self._restore, key, body) for key, body in files.items()])

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the bytes of renditions by key, without those that do not exist. Raises Unavailable."""
        found = side_by_side([partial(self._get, key) for key in keys])
        return {key: body for key, body in zip(keys, found, strict=True) if body is not None}

    def remove(self, keys: Iterable[str]) -> None:
        """Delete images, whether or not they exist. Raises Unavailable if some may be left."""
        objects.delete(self._client, self._bucket, keys)

    def clear(self, folder: str) -> None:
        """Delete all renditions in a folder, whatever their keys. Raises Unavailable if some may be left."""
        objects.clear(self._client, self._bucket, f"images/{folder}/")

    def _restore(self, key: str, body: bytes) -> None:
        # Inside a parallel job, images are stored one after the other, so each needs its time.
        deadline.check()
        failure = self._put(key, Rendition("", body, media_type_of(key), 0, 0))
        if failure:
            raise Unavailable from failure

    def _get(self, key: str) -> bytes | None:
        deadline.check()
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            # A feed that is deleted meanwhile loses its images.
            if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
                return None
            raise Unavailable from error
        except BotoCoreError as error:
            raise Unavailable from error

    def _put(self, key: str, rendition: Rendition) -> Exception | None:
        """Store one rendition; return the error, if any, so that the parallel uploads finish first."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=rendition.body,
                ContentType=rendition.media_type,
                CacheControl=CACHE_CONTROL,
            )
        except (BotoCoreError, ClientError) as error:
            return error
        return None

    def _undo(self, keys: Sequence[str]) -> None:
        # Remove every key: a put without a response may have succeeded.
        try:
            self.remove(keys)
        except Unavailable:
            log.exception("images are left behind: %s", ", ".join(keys))
