"""Images of a bucket as of a time: the choice of versions, copies that are interrupted, and what S3 refuses."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws

from infra import images
from infra.images import MARGIN, Version, as_of
from infra.refusals import Refused

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
OWN: Any = {"region_name": "ap-northeast-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
HERE: Any = {"CreateBucketConfiguration": {"LocationConstraint": "ap-northeast-1"}}
SECOND = timedelta(seconds=1)


def put(id_: str, seconds: float) -> Version:
    return Version("images/a", id_, NOW + seconds * SECOND, marker=False, latest=False)


def deleted(seconds: float, *, latest: bool = False) -> Version:
    return Version("images/a", "m", NOW + seconds * SECOND, marker=True, latest=latest)


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ([], None),
        ([put("1", -100)], "1"),
        ([put("1", 100)], None),
        ([put("1", -100), deleted(-50)], None),
        ([put("1", -100), deleted(50)], "1"),
        ([put("1", -100), deleted(-50), put("2", -20)], "2"),
        ([put("1", -100), deleted(-50), put("2", 20)], None),
        ([put("1", -100), put("2", -50), put("3", 50)], "2"),
        # The clocks of S3 and DynamoDB differ, and S3 gives whole seconds: near the time an image counts as there.
        ([put("1", 4)], "1"),
        ([put("1", 6)], None),
        ([put("1", -100), deleted(-4)], "1"),
        ([put("1", -100), deleted(-6)], None),
        # Of the same second: which came last is known only if that is the current state.
        ([put("1", -100), deleted(-100)], "1"),
        ([put("1", -100), deleted(-100, latest=True)], None),
        ([put("1", -100), deleted(-100), put("2", -100)], "1 2"),
        ([deleted(-100)], None),
    ],
)
def test_the_version_of_a_time(versions: list[Version], wanted: str | None) -> None:
    for order in itertools.permutations(versions):
        found = as_of(order, NOW)
        assert found.id in wanted.split() if found and wanted else found is wanted


@pytest.fixture
def s3() -> Iterator[Any]:
    """Return a client of an account with the buckets `one`, which keeps versions, and `two`."""
    with mock_aws():
        client = boto3.client("s3", config=images.CONFIG, **OWN)
        for name in ("one", "two"):
            client.create_bucket(Bucket=name, **HERE)
        client.put_bucket_versioning(Bucket="one", VersioningConfiguration={"Status": "Enabled"})
        yield client


def store(s3: Any, *keys: str, bucket: str = "one") -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="image/png", CacheControl="immutable")


def keys(s3: Any, bucket: str = "two") -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def later() -> datetime:
    """Return a time that is later than everything that has happened, by more than the margin."""
    return datetime.now(UTC) + 2 * MARGIN


def test_images_that_were_deleted_after_the_time_are_there_again(s3: Any) -> None:
    store(s3, "images/a/1", "images/b/2", "answers/3")
    moment = datetime.now(UTC)
    s3.delete_object(Bucket="one", Key="images/a/1")

    assert images.copy(s3, "one", "two", moment, lambda words: None) == 2

    assert keys(s3) == ["images/a/1", "images/b/2"]
    image = s3.get_object(Bucket="two", Key="images/a/1")
    assert (image["Body"].read(), image["ContentType"], image["CacheControl"]) == (
        b"images/a/1",
        "image/png",
        "immutable",
    )


def test_images_that_were_deleted_before_the_time_stay_deleted(s3: Any) -> None:
    store(s3, "images/a/1", "images/b/2")
    s3.delete_object(Bucket="one", Key="images/a/1")

    images.copy(s3, "one", "two", later(), lambda words: None)

    assert keys(s3) == ["images/b/2"]


def test_a_bucket_that_kept_no_versions_is_copied_as_it_is(s3: Any) -> None:
    store(s3, "images/a/1", bucket="two")

    assert images.copy(s3, "two", "one", later(), lambda words: None) == 1
    assert keys(s3, "one") == ["images/a/1"]


def test_a_run_that_was_cut_short_is_completed_and_says_how_far_it_is(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_BATCH", 10)
    every = [f"images/{number:03}" for number in range(45)]
    store(s3, *every)
    # Some are there, in any order, and one that the other bucket does not have.
    store(s3, *random.Random(1).sample(every, 20), "images/002x", "images/zzz", bucket="two")
    said: list[str] = []

    assert images.copy(s3, "one", "two", later(), said.append) == 25

    assert keys(s3) == sorted([*every, "images/002x", "images/zzz"])
    assert said[0].startswith("two: 10 images copied from one, up to images/")
    assert (len(said), said[-1].endswith("; 25 were copied now.")) == (4, True)
    assert images.copy(s3, "one", "two", later(), said.append) == 0


def test_versions_of_a_key_on_two_pages_are_seen_together(s3: Any) -> None:
    """S3 lists versions and delete markers apart, and may end a page between two versions of a key."""
    store(s3, "images/a", "images/b")
    s3.delete_object(Bucket="one", Key="images/a")
    store(s3, "images/a")
    s3.delete_object(Bucket="one", Key="images/a")
    listed = s3.list_object_versions(Bucket="one", Prefix="images/")

    class Pages:
        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            markers, versions = listed["DeleteMarkers"], listed["Versions"]
            of_b = [each for each in versions if each["Key"] == "images/b"]
            of_a = [each for each in versions if each["Key"] == "images/a"]
            yield {"DeleteMarkers": markers[:1]}
            yield {"Versions": of_a[:1], "DeleteMarkers": markers[1:]}
            yield {"Versions": [*of_a[1:], *of_b]}

    class Paged:
        def get_paginator(self, name: str) -> Any:
            return Pages() if name == "list_object_versions" else s3.get_paginator(name)

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

    paged: Any = Paged()
    assert images.copy(paged, "one", "two", later(), lambda words: None) == 1
    assert keys(s3) == ["images/b"]


def test_a_version_that_expires_meanwhile_is_missing_and_said(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store(s3, "images/a", "images/b")
    real = images._to_copy

    def and_then_gone(*asked: Any) -> Iterator[Version]:
        for version in list(real(*asked)):
            if version.key == "images/a":
                s3.delete_object(Bucket="one", Key=version.key, VersionId=version.id)
            yield version

    monkeypatch.setattr(images, "_to_copy", and_then_gone)
    said: list[str] = []

    assert images.copy(s3, "one", "two", later(), said.append) == 1

    assert keys(s3) == ["images/b"]
    assert "two: 1 images were deleted for good from one while this ran; they are missing." in said


def test_another_refusal_ends_the_copy(s3: Any) -> None:
    store(s3, "images/a")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        images.copy(s3, "one", "three", later(), lambda words: None)


def test_a_throttled_copy_is_sent_again(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    store(s3, "images/a")
    sent: list[str] = []

    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"

    def throttled(request: Any, **_: Any) -> AWSResponse | None:
        sent.append(request.method)
        return AWSResponse(request.url, 503, HTTPHeaders(), Raw()) if len(sent) < 4 else None

    s3.meta.events.register_first("before-send.s3.CopyObject", throttled)

    assert images.copy(s3, "one", "two", later(), lambda words: None) == 1
    assert sent == ["PUT"] * 4


def test_old_versions_are_forgotten_and_current_images_stay(s3: Any) -> None:
    store(s3, "images/a", "images/b", "images/b", "answers/c")
    s3.delete_object(Bucket="one", Key="images/a")
    s3.delete_object(Bucket="one", Key="answers/c")

    assert images.forget(s3, "one") == 2

    left = s3.list_object_versions(Bucket="one")
    assert [(each["Key"], each["IsLatest"]) for each in left["Versions"]] == [("answers/c", False), ("images/b", True)]
    assert [each["Key"] for each in left["DeleteMarkers"]] == ["answers/c"]
    assert images.forget(s3, "one") == 0


def test_no_deleted_image_is_current_again_while_old_versions_are_forgotten(s3: Any) -> None:
    """If S3 did not delete a version, its marker must stay."""
    store(s3, "images/a")
    s3.delete_object(Bucket="one", Key="images/a")

    class Failing:
        def __init__(self) -> None:
            self.asked: list[Any] = []

        def delete_objects(self, **asked: Any) -> dict[str, Any]:
            self.asked.append(asked["Delete"]["Objects"])
            return {"Errors": [{"Key": "images/a", "Code": "InternalError"}]}

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

    failing: Any = Failing()
    with pytest.raises(Refused, match=r"S3 did not delete images/a \(InternalError\): run the command again"):
        images.forget(failing, "one")
    [version] = s3.list_object_versions(Bucket="one")["Versions"]
    assert failing.asked == [[{"Key": "images/a", "VersionId": version["VersionId"]}]]
