"""The releases of a stage, in the bucket of deployments: which template and parameters each deployment has applied.

`make rollback` applies those of an earlier release again. Templates and zips have keys that are made from their
content, and are never deleted, so a release is a few hundred bytes of JSON (decision).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib import VERSION
from chalicelib.settings import UNKNOWN
from chalicelib.store.aws import formats
from infra.bundle import ROOT
from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECRET = "OldProxyKey"
"""The parameter that no release stores. Without it, only CloudFront's present key is accepted."""


@dataclass(frozen=True)
class Release:
    """A deployment that has succeeded. `time` (UTC) names it; `template` is a key in the bucket of deployments."""

    time: str
    version: str
    commit: str
    template: str
    parameters: Mapping[str, str]
    writes: int
    """The format of the items that it writes (store/aws/formats.py)."""
    reads: Sequence[int]
    repeats: str | None = None
    """The time of the release that a rollback has applied again."""

    @property
    def origin(self) -> str:
        """The time of the release that has first applied this template."""
        return self.repeats or self.time

    def same_as(self, other: Release) -> bool:
        """Return whether two releases are the same template with the same parameters."""
        return (self.template, self.parameters) == (other.template, other.parameters)


def commit() -> str:
    """Return the first 12 digits of the checkout's commit, with -changed if tracked files differ; else `unknown`."""
    head = _git("rev-parse", "HEAD")
    if not head:
        return UNKNOWN
    return head[:12] + ("-changed" if _git("status", "--porcelain", "--untracked-files=no") else "")


def new(template: str, parameters: Mapping[str, str]) -> Release:
    """Return a release of this checkout."""
    commit = parameters.get("Commit", UNKNOWN)
    reads = sorted(formats.READABLE)
    return Release(_now(), VERSION, commit, template, _without_secret(parameters), formats.NEWEST, reads)


def repeated(release: Release) -> Release:
    """Return the release that a rollback to `release` makes."""
    return Release(**asdict(release) | {"time": _now(), "repeats": release.origin})


def keep(s3: S3Client, bucket: str, stage: str, release: Release) -> None:
    """Store a release as the stage's newest one, unless the newest has the same template and parameters."""
    if not any(each.same_as(release) for each in newest(s3, bucket, stage, 1)):
        s3.put_object(
            Bucket=bucket, Key=f"{stage}/releases/{release.time}.json", Body=json.dumps(asdict(release)).encode()
        )


def forget(s3: S3Client, bucket: str, stage: str) -> None:
    """Delete all releases of a stage, since they name resources that were deleted with it."""
    with suppress(s3.exceptions.NoSuchBucket):
        for key in _keys(s3, bucket, stage):
            s3.delete_object(Bucket=bucket, Key=key)


def newest(s3: S3Client, bucket: str, stage: str, limit: int = 50) -> list[Release]:
    """Return at most `limit` releases of a stage, the newest first. Raises Refused if there is no bucket."""
    try:
        keys = sorted(_keys(s3, bucket, stage), reverse=True)
    except s3.exceptions.NoSuchBucket:
        raise Refused(f"There is no bucket {bucket}, so nothing was deployed from this account and region.") from None
    bodies = (s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys[:limit])
    return [Release(**json.loads(body)) for body in bodies]


def before(releases: list[Release], to: str | None = None) -> Release:
    """Return the release to go back to: that of the time `to`, or the one before the present one.

    A release that only repeats an earlier one does not count, so each further rollback goes further back. Raises
    Refused if there is none, or if it cannot read what the present one writes.
    """
    known = "; ".join(f"{each.time} ({each.version}, {each.commit})" for each in releases) or "none"
    if to:
        found = [each for each in releases if each.time == to]
    else:
        present = releases[0] if releases else None
        found = [
            each
            for each in releases[1:]
            if present and not each.repeats and each.time < present.origin and not each.same_as(present)
        ]
    if not found:
        which = f"release of {to}" if to else "release before the present one"
        raise Refused(f"There is no {which}. Known releases: {known}.")
    if releases[0].writes not in found[0].reads:
        raise Refused(
            f"{found[0].version} cannot read items in format {releases[0].writes}, which {releases[0].version} has "
            f"written since: restore the tables to a second before its release (docs/operating/recovery.md)."
        )
    return found[0]


def _keys(s3: S3Client, bucket: str, stage: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{stage}/releases/")
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def _without_secret(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name != SECRET}


def _now() -> str:
    # With milliseconds, so that two releases never have the same name.
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _git(*words: str) -> str:
    """Return the output of git about this checkout; empty if there is no git or no repository."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
