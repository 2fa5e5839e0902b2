"""Responses too large for Lambda: anyone with the URL can read one for five minutes; the URL cannot be guessed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.core.conditions import Conditions
from chalicelib.core.errors import Unavailable
from chalicelib.store.oversized_answers import OversizedAnswers
from tests.kit.worlds import APP, BUCKET, HANA, KEN, MEI, Reply, World

pytestmark = pytest.mark.moto


def test_an_answer_is_at_a_signed_url_of_its_own(world: World) -> None:
    client = boto3.client("s3", region_name="ap-northeast-1", config=Config(signature_version="s3v4"))
    one, other = (
        OversizedAnswers(lambda: client, BUCKET).keep(b"{}", "application/json; charset=utf-8") for _ in range(2)
    )
    parts = urlsplit(one)
    signed = parse_qs(parts.query)

    assert signed["X-Amz-Expires"] == ["300"]
    assert signed["X-Amz-Signature"]
    # 24 random bytes, so a URL cannot be guessed.
    folder, _, name = parts.path.rpartition("/")
    assert folder.endswith("/answers/-")
    assert len(name) == 32
    assert parts.path != urlsplit(other).path
    stored = world.s3.get_object(Bucket=BUCKET, Key=f"answers/-/{name}")
    assert (stored["ContentType"], stored["CacheControl"]) == ("application/json; charset=utf-8", "private, no-store")


def folders(world: World) -> list[str]:
    """Return the user of every stored response."""
    found = world.s3.list_objects_v2(Bucket=BUCKET, Prefix="answers/").get("Contents", [])
    return sorted(each["Key"].split("/")[1] for each in found)


def read_large(world: World, *requests: tuple[str, str, str]) -> None:
    """Send requests while every response counts as too large, so that all are stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chalicelib.web.json_answers.MOST_BYTES", 0)
        for method, path, user in requests:
            assert world.send(method, path, user=user).status == 303


def test_an_answer_is_kept_for_the_user_whose_data_it_has_or_who_reads_those_of_several(world: World) -> None:
    world.platform.appdata.write(APP, KEN, {"level": "5"}, Conditions(None, None))
    own, shared = "/2/apps/appdata/@me/@self", "/os/0.8/appdata/{}/@self/@app"

    read_large(world, ("GET", own, HANA), ("GET", shared.format(KEN), HANA))
    assert folders(world) == sorted([HANA, KEN])
    read_large(world, ("GET", "/2/apps/appdata/@me/@friends", HANA), ("GET", shared.format(f"{HANA},{KEN}"), HANA))
    assert folders(world) == sorted([HANA, KEN, HANA, HANA])


def test_the_answers_of_a_user_are_cleared_and_nobody_else_s(world: World) -> None:
    answers = world.platform.oversized_answers
    for user in (HANA, HANA, KEN, None):
        answers.keep(b"{}", "application/json", user)

    answers.clear(HANA)
    answers.clear(HANA)

    assert folders(world) == sorted(["-", KEN])


def test_more_answers_than_one_call_lists_are_cleared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3", region_name="ap-northeast-1")
    listing = client.list_objects_v2
    monkeypatch.setattr(client, "list_objects_v2", lambda **request: listing(**request, MaxKeys=2))
    answers = OversizedAnswers(lambda: client, BUCKET)
    for _ in range(5):
        answers.keep(b"{}", "application/json", HANA)

    answers.clear(HANA)

    assert folders(world) == []


@pytest.mark.parametrize("operation", ["list_objects_v2", "delete_objects"])
@pytest.mark.parametrize("thrown", [True, False])
def test_answers_that_may_be_left_are_no_success(
    world: World, operation: str, thrown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("s3", region_name="ap-northeast-1")
    answers = OversizedAnswers(lambda: client, BUCKET)
    answers.keep(b"{}", "application/json", HANA)

    def fail(**_: object) -> dict[str, object]:
        if thrown or operation == "list_objects_v2":
            raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, operation)
        return {"Errors": [{"Key": "one"}]}

    with monkeypatch.context() as patch:
        patch.setattr(client, operation, fail)
        with pytest.raises(Unavailable):
            answers.clear(HANA)
    assert folders(world) == [HANA]
    answers.clear(HANA)
    assert folders(world) == []


@pytest.mark.parametrize("path", ["/users/{}", "/users/{}/installs/" + APP])
def test_who_is_erased_or_uninstalls_leaves_no_answer(operator: Callable[..., Reply], world: World, path: str) -> None:
    read_large(world, *(("GET", "/2/apps/appdata/@me/@self", user) for user in (HANA, MEI)))
    for turn in range(2):
        # The second time, this is the only thing left to delete.
        assert operator("DELETE", path.format(HANA)).status == 200
        assert folders(world) == [MEI], turn
        world.platform.oversized_answers.keep(b"{}", "application/json", HANA)
