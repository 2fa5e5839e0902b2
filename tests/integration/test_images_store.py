"""Images in the bucket: either all renditions of an image are stored or none; the local platform serves them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.core.errors import Unavailable
from chalicelib.core.imaging.renditions import ImageBounds, Rendition
from chalicelib.store.contents.images import Images
from chalicelib.web.render_images import render
from local.gateway import Answer, Gateway, Request
from local.images import StoredImages
from local.in_process import BUCKET, World
from tests.kit.pictures import jpeg, png

pytestmark = pytest.mark.moto

RENDITIONS = render(jpeg(), ImageBounds())


class Failing:
    """An S3 client whose chosen calls fail, either before or after they take effect."""

    def __init__(self, real: Any, *failures: tuple[str, int], late: bool = False) -> None:
        self._real = real
        self._failures = set(failures)
        self._late = late
        self.counts: dict[str, int] = {}

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.counts[operation] = turn = self.counts.get(operation, 0) + 1
            fails = (operation, turn) in self._failures
            answer = getattr(self._real, operation)(**request) if self._late or not fails else None
            if fails and self._late:
                raise ReadTimeoutError(endpoint_url="s3")
            if fails:
                raise ClientError({"Error": {"Code": "SlowDown", "Message": "Slow down"}}, operation)
            return answer

        return call


def kept(world: World) -> set[str]:
    return {each["Key"] for each in world.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_renditions_are_kept_under_keys_in_their_order(world):
    keys = world.platform.images.keep("42", RENDITIONS)
    assert len(set(keys)) == 4
    assert kept(world) == set(keys)
    for key, rendition in zip(keys, RENDITIONS, strict=True):
        stored = world.s3.get_object(Bucket=BUCKET, Key=key)
        assert stored["Body"].read() == rendition.body
        assert stored["ContentType"] == "image/jpeg"
        assert stored["CacheControl"] == "public, max-age=31536000, immutable"


def test_the_same_image_is_kept_once_and_in_each_folder(world):
    keys = world.platform.images.keep("42", RENDITIONS)
    assert world.platform.images.keep("42", RENDITIONS) == keys
    others = world.platform.images.keep("43", RENDITIONS)
    assert kept(world) == {*keys, *others}
    assert not set(keys) & set(others)


def test_a_small_image_has_one_object_for_all_its_sizes(world):
    keys = world.platform.images.keep("42", render(png(20, 20), ImageBounds()))
    assert len(keys) == 4
    assert kept(world) == {keys[0]} == set(keys)


def test_nothing_is_kept_of_nothing(world):
    assert world.platform.images.keep("42", ()) == ()
    world.platform.images.remove(())
    assert kept(world) == set()


def test_what_is_removed_is_gone_and_removing_again_does_no_harm(world):
    first = world.platform.images.keep("42", RENDITIONS)
    others = world.platform.images.keep("43", RENDITIONS)
    for _ in range(2):
        world.platform.images.remove([*first, first[0]])
        assert kept(world) == set(others)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("turn", [1, 2, 3])
def test_where_one_is_not_kept_none_is(world, turn, late):
    others = world.platform.images.keep("43", RENDITIONS)
    s3: Any = Failing(world.s3, ("put_object", turn), late=late)
    images = Images(s3, BUCKET)
    with pytest.raises(Unavailable):
        images.keep("42", RENDITIONS)
    assert kept(world) == set(others)
    assert len(images.keep("42", RENDITIONS)) == 4


def test_what_could_not_be_cleaned_up_either_is_named_in_the_log(world, caplog):
    s3: Any = Failing(world.s3, ("put_object", 3), ("delete_objects", 1))
    images = Images(s3, BUCKET)
    with pytest.raises(Unavailable):
        images.keep("42", RENDITIONS)
    left = kept(world)
    assert len(left) == 3
    assert all(key in caplog.text for key in left)


def test_a_removal_that_fails(world):
    keys = world.platform.images.keep("42", RENDITIONS)
    s3: Any = Failing(world.s3, ("delete_objects", 1))
    with pytest.raises(Unavailable):
        Images(s3, BUCKET).remove(keys)
    assert kept(world) == set(keys)


def test_a_removal_that_leaves_something(world):
    class Refusing:
        def delete_objects(self, **request: Any) -> Any:
            return {"Errors": [{"Key": "k", "Code": "InternalError"}]}

    s3: Any = Refusing()
    with pytest.raises(Unavailable):
        Images(s3, BUCKET).remove(["k"])


# Images served by the local platform


def served(world: World, target: str, method: str = "GET", *headers: tuple[str, str]) -> Answer:
    url = world.platform.settings.images_url
    gateway = Gateway(world.app, StoredImages(world.s3, BUCKET, url))
    return gateway.handle(Request(method, target, list(headers)))


def path_of(world: World, key: str) -> str:
    url = world.platform.settings.images_url + key.removeprefix("images")
    return url.removeprefix("http://127.0.0.1:8000")


def test_an_image_is_served_at_its_url_and_may_be_cached_for_ever(world):
    for make, media_type in ((jpeg, "image/jpeg"), (png, "image/png")):
        renditions: tuple[Rendition, ...] = render(make(), ImageBounds())
        key = world.platform.images.keep("42", renditions)[0]
        for target in (path_of(world, key), path_of(world, key) + "?a=b"):
            answer = served(world, target)
            headers = dict(answer.headers)
            assert (answer.status, answer.body) == (200, renditions[0].body)
            assert headers["Content-Type"] == media_type
            assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["ETag"]
        assert served(world, path_of(world, key), "HEAD").status == 200


def test_an_image_that_the_browser_has(world):
    key = world.platform.images.keep("42", RENDITIONS)[0]
    etag = dict(served(world, path_of(world, key)).headers)["ETag"]
    answer = served(world, path_of(world, key), "GET", ("If-None-Match", f'"other", {etag}'))
    assert (answer.status, answer.body) == (304, b"")
    assert served(world, path_of(world, key), "GET", ("If-None-Match", '"other"')).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/images/42/0123456789abcdef0123456789abcdef.jpg",
        "/images/",
        "/images/42/",
        "/images/../answers/secret",
        "/images/..%2fanswers%2fsecret",
        "/images/%2e%2e/answers/secret",
        "/images/answers/secret",
        "/images//answers/secret",
    ],
)
def test_nothing_else_of_the_bucket_is_served(world, path):
    for key in ("answers/secret", "images/answers/secret", "images/../answers/secret"):
        world.s3.put_object(Bucket=BUCKET, Key=key, Body=b"secret")
    answer = served(world, path)
    assert answer.status == 404
    assert json.loads(answer.body) == {"error": "not_found", "error_description": "No such image."}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_images_are_only_read(world, method):
    key = world.platform.images.keep("42", RENDITIONS)[0]
    answer = served(world, path_of(world, key), method)
    assert answer.status == 405
    assert ("Allow", "GET, HEAD") in answer.headers


def test_what_is_no_image_reaches_the_app(world):
    assert json.loads(served(world, "/imagesque").body)["error_description"] == "No such resource."
    assert served(world, "/2/apps/appdata/@me/@self").status == 401


def test_a_bucket_that_does_not_answer(world):
    key = world.platform.images.keep("42", RENDITIONS)[0]
    for late in (False, True):
        s3: Any = Failing(world.s3, ("get_object", 1), late=late)
        stored = StoredImages(s3, BUCKET, "http://127.0.0.1:8000/images")
        answer = stored(Request("GET", path_of(world, key)))
        assert answer
        assert answer.status == 503
        assert json.loads(answer.body)["error"] == "service_unavailable"


# Forms passed to the app


def test_forms_are_handed_over_as_bytes(world):
    """API Gateway uses the same list; tests/unit/test_gateway.py covers parameters of the media type."""
    assert "multipart/form-data" in world.app.api.binary_types
