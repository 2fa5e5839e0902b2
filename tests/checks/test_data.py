"""Checks of users and their app data: the Persistence and the People API, their limits, and responses of any size."""

from __future__ import annotations

import pytest

from tests.checks.site import Site, answered, refused, require
from tests.checks.world import World

MINE, FRIENDS = "/2/apps/appdata/@me/@self", "/2/apps/appdata/@me/@friends"
LONGEST = 65_535
TEXT = '縁側 \U0001f375 \\ " \u2028 \x01 é'


def write(site: Site, world: World, pairs: dict[str, str], **more: object) -> None:
    answered(site.post(MINE, world.one.token, json=pairs, **more))


def data(site: Site, world: World, query: str = "") -> dict[str, str]:
    told = answered(site.get(MINE + query, world.one.token))
    found: dict[str, str] = told["entry"][0]["data"]
    return found


def clear(site: Site, world: World) -> None:
    answer = site.send("DELETE", MINE, world.one.token)
    require(answer, answered(answer) == {"response_code": 200}, '{"response_code": 200}')


def test_what_is_written_is_read(site: Site, world: World) -> None:
    written = {"level": "6", "text": TEXT, "empty": ""}
    write(site, world, written)
    assert data(site, world) == written
    assert data(site, world, "?fields=level,text") == {name: written[name] for name in ("level", "text")}
    answered(site.send("DELETE", MINE + "?fields=level,none", world.one.token))
    assert data(site, world) == {name: written[name] for name in ("text", "empty")}


@pytest.mark.parametrize("path", [MINE.replace("@", "%40"), MINE + ".json", "/2/apps/appdata/{id}/@self"])
def test_one_user_s_data_by_every_name(site: Site, world: World, path: str) -> None:
    write(site, world, {"level": "7"})
    told = answered(site.get(path.format(id=world.one.id), world.one.token))
    assert told["entry"][0]["id"] == world.one.id
    assert told["entry"][0]["data"]["level"] == "7"


@pytest.mark.parametrize("name", ["oauth_token", "access_token"])
def test_a_token_in_the_query(site: Site, world: World, name: str) -> None:
    answered(site.get(MINE, params={name: world.one.token, "fields": "level"}))


def test_versions(site: Site, world: World) -> None:
    write(site, world, {"level": "8"})
    answer = site.get(MINE, world.one.token)
    etag = answer.headers.get("ETag", "")
    require(answer, etag, "an ETag")
    same = site.get(MINE, world.one.token, headers={"If-None-Match": etag})
    require(same, same.status_code == 304 and not same.content, "304 without a body")
    write(site, world, {"level": "9"}, headers={"If-Match": etag})
    late = site.post(MINE, world.one.token, json={"level": "10"}, headers={"If-Match": etag})
    refused(late, 412, "precondition_failed")


def test_the_version_of_an_answer_that_may_be_compressed(site: Site, world: World) -> None:
    write(site, world, {"text": "縁側" * 1000})
    tags = {
        site.get(MINE, world.one.token, headers={"Accept-Encoding": coding}).headers.get("ETag", "")
        for coding in ("gzip", "identity")
    }
    [etag] = tags
    write(site, world, {"text": "縁"}, headers={"If-Match": etag})


def test_the_rate_is_told(site: Site, world: World) -> None:
    answer = site.post(MINE, world.one.token, json={"level": "1"})
    answered(answer)
    limit, left = (int(answer.headers.get(f"X-RateLimit-{name}", -1)) for name in ("Limit", "Remaining"))
    require(answer, 0 <= left < limit, "X-RateLimit-Limit and -Remaining")


def test_friends_read_each_other(site: Site, world: World) -> None:
    write(site, world, {"level": "11"})
    told = answered(site.get(FRIENDS + "?fields=level", world.other.token))
    assert told["entry"] == [{"id": world.one.id, "data": {"level": "11"}}]
    answered(site.get(f"/2/apps/appdata/{world.one.id}/@self", world.other.token))
    stranger = site.get("/2/apps/appdata/000000000000/@self", world.one.token)
    refused(stranger, 403, "permission_denied")


def test_the_number_of_pairs(site: Site, world: World) -> None:
    write(site, world, {f"k{number}": "x" for number in range(99)})
    many = site.post(MINE, world.one.token, json={f"k{number}": "x" for number in range(100)})
    refused(many, 413, "request_entity_too_large", "max=99")
    clear(site, world)
    assert data(site, world) == {}


def test_the_length_of_a_value(site: Site, world: World) -> None:
    write(site, world, {"long": "x" * LONGEST})
    refused(site.post(MINE, world.one.token, json={"long": "x" * (LONGEST + 1)}), 400, "parameter_invalid", "65535")
    clear(site, world)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{}", "parameter_invalid"),
        (b'{"a b": "x"}', "parameter_invalid"),
        (b'{"a": 1}', "bad_request"),
        (b"{", "bad_request"),
    ],
)
def test_bodies_that_are_none(site: Site, world: World, body: bytes, error: str) -> None:
    headers = {"Content-Type": "application/json"}
    refused(site.post(MINE, world.one.token, content=body, headers=headers), 400, error)


def test_a_write_of_too_many_bytes(site: Site, world: World) -> None:
    pairs = {f"k{number}": "x" * LONGEST for number in range(58)}
    refused(site.post(MINE, world.one.token, json=pairs), 413, "request_entity_too_large", "3800000")


def test_an_answer_too_large_for_lambda(site: Site, world: World) -> None:
    written = {f"large{number}": f"{number:05}縁" * (LONGEST // 8) for number in range(90)}
    names = sorted(written)
    for part in (names[:45], names[45:]):
        write(site, world, {name: written[name] for name in part})
    try:
        answer = site.get(MINE, world.one.token)
        require(answer, answer.status_code == 303, "303 to where the answer is")
        # Without a token: S3 would interpret an Authorization header itself.
        kept = site.get(answer.headers["Location"])
        require(kept, kept.status_code == 200, "the answer, in the bucket")
        assert kept.json()["entry"][0]["data"] == written
        assert len(data(site, world, "?fields=large1,large2")) == 2
    finally:
        clear(site, world)


def test_people(site: Site, world: World) -> None:
    told = answered(site.get("/2/people/@me/@self", world.one.token))
    assert told["entry"]["id"] == world.one.id
    assert "縁側" in told["entry"]["displayName"]
    told = answered(site.get("/2/people/@me/@friends?count=1", world.one.token))
    assert [person["id"] for person in told["entry"]] == [world.other.id]
    assert (told["startIndex"], told["itemsPerPage"], told["totalResults"]) == (0, 1, 1)
    refused(site.get("/2/people/@me/@friends?count=0", world.one.token), 400, "parameter_invalid")
