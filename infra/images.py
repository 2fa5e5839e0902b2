"""Images of a bucket as of a time, from the versions that the bucket keeps (data.yaml) for as long as tables do.

A key of an image depends on its content, so all versions of a key hold the same bytes. A version tells only when the
image was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "images/"
WORKERS = 32
CONFIG = Config(max_pool_connections=WORKERS, retries={"mode": "standard", "total_max_attempts": 10})
"""The configuration of a client for `copy`. S3 answers 503 while it divides a prefix for more load."""
MARGIN = timedelta(seconds=5)
"""The most by which S3's times may differ from those of DynamoDB. Within it an image counts as there: one too many is
harmless, one too few is a hole in a feed."""
_BATCH = 1000
"""The most keys that S3 deletes in one call, and the number of images between two lines of progress."""


@dataclass(frozen=True)
class Version:
    """A version of an object, or a delete marker."""

    key: str
    id: str
    time: datetime
    marker: bool
    latest: bool


def as_of(versions: Iterable[Version], at: datetime) -> Version | None:
    """Return the version of a key that was current at a time, or None if there was none."""
    every = list(versions)
    before = [each for each in every if not each.marker and each.time <= at + MARGIN]
    if not before:
        return None
    newest = max(before, key=lambda each: each.time)
    # Times are whole seconds: of a version and a marker of the same second, only `latest` tells which was the last.
    markers = [each for each in every if each.marker and each.time <= at - MARGIN]
    deleted = any(each.time > newest.time or (each.latest and each.time == newest.time) for each in markers)
    return None if deleted else newest


def copy(s3: S3Client, source: str, target: str, at: datetime, say: Callable[[str], None]) -> int:
    """Copy the images that a bucket had at a time to another bucket; return the number of copies.

    Images that the target has are left out, so the next run completes an interrupted run. Memory does not grow with the
    number of images. `s3` must be a client in the target's region, with `CONFIG`.
    """
    copied = gone = 0
    waiting = _to_copy(s3, source, target, at)
    with ThreadPoolExecutor(WORKERS) as pool:
        while batch := list(islice(waiting, _BATCH)):
            done = list(pool.map(partial(_copied, s3, source, target), batch))
            copied += sum(done)
            gone += len(done) - sum(done)
            say(f"{target}: {copied:,} images copied from {source}, up to {batch[-1].key} ...")
    if gone:
        say(f"{target}: {gone:,} images were deleted for good from {source} while this ran; they are missing.")
    say(f"{target}: has the images that {source} had at {at.isoformat()}; {copied:,} were copied now.")
    return copied


def forget(s3: S3Client, bucket: str) -> int:
    """Delete all versions of images that are not current, for good; return the number of versions. Raises Refused."""
    deleted = 0
    groups = (list(group) for _, group in groupby(_versions(s3, bucket), lambda each: each.key))
    while batch := list(islice(groups, _BATCH)):
        old = [each for group in batch for each in group if not each.latest and not each.marker]
        # Markers are deleted last: a version whose marker is deleted before it would be current again.
        markers = [each for group in batch for each in group if each.marker]
        for part in (old, markers):
            for start in range(0, len(part), _BATCH):
                _delete(s3, bucket, part[start : start + _BATCH])
        deleted += len(old)
    return deleted


def _to_copy(s3: S3Client, source: str, target: str, at: datetime) -> Iterator[Version]:
    """Yield the versions to copy. Both buckets list their keys in the same order, so they are read side by side."""
    there = _keys(s3, target)
    other = next(there, None)
    for key, group in groupby(_versions(s3, source), lambda each: each.key):
        while other is not None and other < key:
            other = next(there, None)
        version = as_of(group, at)
        if version and other != key:
            yield version


def _copied(s3: S3Client, source: str, target: str, version: Version) -> bool:
    """Copy one version; return whether it still existed."""
    where: Any = {"Bucket": source, "Key": version.key, "VersionId": version.id}
    try:
        s3.copy_object(Bucket=target, Key=version.key, CopySource=where)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion"):
            return False
        raise
    return True


def _versions(s3: S3Client, bucket: str) -> Iterator[Version]:
    """Yield all versions of images and delete markers, by key."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=PREFIX):
        found = [_version(each, marker=False) for each in page.get("Versions", [])]
        found += [_version(each, marker=True) for each in page.get("DeleteMarkers", [])]
        yield from sorted(found, key=lambda each: each.key)


def _version(said: Any, *, marker: bool) -> Version:
    return Version(said["Key"], said["VersionId"], said["LastModified"], marker, said["IsLatest"])


def _keys(s3: S3Client, bucket: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        yield from (each["Key"] for each in page.get("Contents", []))


def _delete(s3: S3Client, bucket: str, versions: list[Version]) -> None:
    objects: Any = [{"Key": each.key, "VersionId": each.id} for each in versions]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    if errors := answer.get("Errors"):
        raise Refused(f"S3 did not delete {errors[0].get('Key')} ({errors[0].get('Code')}): run the command again.")
